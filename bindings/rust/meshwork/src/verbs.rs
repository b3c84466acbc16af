//! The verbs, each written once and given to the nouns that have it.
use crate::ffi;

/// How a send was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is with the kernel, or soon will be.
    Now,
    /// It waits above the soft mark; WRITABLE follows.
    Buffered,
    /// It is stored durably.
    Stored,
}

impl Sent {
    pub(crate) fn of(status: i32) -> Sent {
        match status {
            ffi::MW_BUFFERED => Sent::Buffered,
            ffi::MW_STORED => Sent::Stored,
            _ => Sent::Now,
        }
    }
}

/// `verbs!(Noun: set set ...)` gives the noun, which has `id()`, these sets of verbs.
macro_rules! verbs {
    ($noun:ident: $($set:ident)*) => {
        $($crate::verbs::verb_set!($noun $set);)*
    };
}

macro_rules! verb_set {
    ($noun:ident common) => {
        impl $noun {
            /// Closes: what was accepted is sent first. Immediate and idempotent; CLOSED, or PEER_DOWN of a peer,
            /// follows. Code 0 means 1000; a reason has at most 123 bytes.
            pub fn close(&self, code: u16, reason: impl AsRef<[u8]>) -> $crate::Result<()> {
                $crate::ffi::close(self.id(), code.into(), reason.as_ref(), 0)
            }

            /// Cuts at once: what waits is discarded, no close frame is sent.
            pub fn abort(&self) -> $crate::Result<()> {
                $crate::ffi::close(self.id(), 0, b"", $crate::ffi::MW_CLOSE_ABORT)
            }

            /// Its state; `ECLOSED` once it is gone.
            pub fn state(&self) -> $crate::Result<$crate::State> {
                $crate::ffi::state(self.id()).map($crate::State::of)
            }

            /// One number of it.
            pub fn stat(&self, what: $crate::Stat) -> $crate::Result<i64> {
                $crate::ffi::stat(self.id(), what.number())
            }

            /// A fact that is there at once: "" (everything of a peer), `config`, `address`, `state`, `topics`.
            pub fn info(&self, what: &str) -> $crate::Result<$crate::Message> {
                let now = $crate::ffi::info(self.id(), what, 0)?;
                now.ok_or_else(|| $crate::Error::new($crate::ffi::MW_EINVAL))
            }

            /// A fact that is gathered: `peers`, `members` or `stats` (JSON), `metrics` (Prometheus text).
            pub fn gather(&self, what: &str) -> $crate::Operation<$crate::Message> {
                let h = self.id();
                $crate::Operation::begin(h, $crate::operation::answer, |op| $crate::ffi::info(h, what, op))
            }

            /// Refuses new work, finishes what runs, tells the peers, then closes, at the latest after `deadline`.
            pub fn drain(&self, deadline: std::time::Duration) -> $crate::Operation<()> {
                let (h, ms) = (self.id(), i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX));
                $crate::Operation::begin(h, |_| Ok(()), |op| $crate::ffi::drain(h, ms, op))
            }
        }
    };
    ($noun:ident update) => {
        impl $noun {
            /// Changes live options, all or nothing.
            pub fn update(&self, options: $crate::Options) -> $crate::Operation<()> {
                let h = self.id();
                $crate::Operation::begin(h, |_| Ok(()), |op| $crate::ffi::update(h, options.conf()?, op))
            }
        }
    };
    ($noun:ident link) => {
        impl $noun {
            /// Holds its writes until [`Self::uncork`]; nests; ends by itself after the option `cork.max`.
            pub fn cork(&self) -> $crate::Result<()> {
                $crate::ffi::cork(self.id(), true)
            }

            /// Lets the writes go.
            pub fn uncork(&self) -> $crate::Result<()> {
                $crate::ffi::cork(self.id(), false)
            }
        }
    };
    ($noun:ident input) => {
        impl $noun {
            /// Stops taking input. Messages already read still come.
            pub fn pause(&self) -> $crate::Result<()> {
                self.party.pause(true)
            }

            /// Takes input again.
            pub fn resume(&self) -> $crate::Result<()> {
                self.party.pause(false)
            }
        }
    };
    ($noun:ident serve) => {
        impl $noun {
            /// Answers calls of the other end (own wire), or of all members of a mesh: REQUEST, CANCEL, WRITABLE, DROPPED and CLOSED
            /// of the service go to the handler, whose [`Event::request`] answers, there or later.
            pub fn serve(
                &self,
                name: &str,
                options: $crate::Options,
                handler: impl Fn($crate::Event<'_>) + Send + Sync + 'static,
            ) -> $crate::Result<$crate::Service> {
                self.party.serve(name, &options, Box::new(handler))
            }
        }
    };
    ($noun:ident call) => {
        impl $noun {
            /// Calls a method of the provider (own wire), of a share's leader, or of a member of the mesh that serves it
            /// ([`How::options`](crate::How): version, only, exclude, sticky). What it ends with is the answer, or the
            /// failure as an error whose text is the object that came. Dropping it cancels the call.
            pub fn call(
                &self,
                target: &str,
                body: impl $crate::Payload,
                how: $crate::How,
            ) -> $crate::Operation<$crate::Message> {
                $crate::service::call(self.id(), target, body, how)
            }

            /// The same with an answer in parts.
            pub fn stream(&self, target: &str, body: impl $crate::Payload, how: $crate::How) -> $crate::Parts {
                $crate::Parts::begin(self.id(), target, body, how, self.party.queue())
            }
        }
    };
    ($noun:ident emit) => {
        impl $noun {
            /// Publishes: in a channel an event, to every other member; in a share's leader the value of a key, to who
            /// subscribed to it. An answer other than an error means accepted; `EAGAIN`: nothing is kept, WRITABLE
            /// follows.
            pub fn publish(&self, topic: &str, body: impl $crate::Payload) -> $crate::Result<()> {
                $crate::ffi::publish(self.id(), topic, &body.message(0)?, 0, 0, 0)
            }

            /// The same with flags and an end: of a channel [`Delivery::Host`](crate::Delivery::Host), when every member
            /// that was there has it.
            pub fn publish_confirmed(
                &self,
                topic: &str,
                body: impl $crate::Payload,
                flags: $crate::Flags,
            ) -> $crate::Operation<$crate::Delivery> {
                let h = self.id();
                $crate::Operation::begin(h, $crate::Delivery::of, |op| {
                    let m = body.message(flags.bits())?;
                    $crate::ffi::publish(h, topic, &m, 0, flags.bits(), op)
                })
            }
        }
    };
    ($noun:ident publish) => {
        impl $noun {
            /// Sends to every peer that is subscribed to the topic, or to all where it is "".
            pub fn publish(&self, topic: &str, body: impl $crate::Payload) -> $crate::Result<()> {
                let m = body.message(0)?;
                $crate::ffi::publish(self.id(), topic, &m, 0, 0, 0)
            }

            /// The same with flags, with a peer left out, and with the number of peers reached as the outcome.
            pub fn publish_with(
                &self,
                topic: &str,
                body: impl $crate::Payload,
                flags: $crate::Flags,
                except: Option<$crate::Connection>,
            ) -> $crate::Operation<usize> {
                let (h, except) = (self.id(), except.map_or(0, |c| c.id()));
                $crate::Operation::begin(
                    h,
                    |done| Ok(done.code.max(0) as usize),
                    |op| {
                        let m = body.message(flags.bits())?;
                        $crate::ffi::publish(h, topic, &m, except, flags.bits(), op)
                    },
                )
            }
        }
    };
    ($noun:ident send) => {
        impl $noun {
            /// Sends a message. An answer other than an error means accepted: kept until the kernel has it.
            /// `EAGAIN` means refused, nothing is kept, WRITABLE follows.
            pub fn send(&self, body: impl $crate::Payload) -> $crate::Result<$crate::Sent> {
                self.send_with(body, $crate::Flags::NONE)
            }

            /// The same with flags, such as `COMPRESS`, fragments (`MORE`, `CONT`) or `PING`.
            pub fn send_with(&self, body: impl $crate::Payload, flags: $crate::Flags) -> $crate::Result<$crate::Sent> {
                use $crate::message::sealed::Parts;
                let status = match body.parts() {
                    Parts::Bytes(bytes, own) => $crate::ffi::send_bytes(self.id(), bytes, own | flags.bits()),
                    Parts::Message(m) => $crate::ffi::send(self.id(), m, flags.bits(), 0),
                };
                status.map($crate::Sent::of)
            }

            /// Sends, and tells how far the message came: to the kernel, or with the own wire to the peer's host.
            pub fn send_confirmed(
                &self,
                body: impl $crate::Payload,
                flags: $crate::Flags,
            ) -> $crate::Operation<$crate::Delivery> {
                let h = self.id();
                $crate::Operation::begin(h, $crate::Delivery::of, |op| {
                    let m = body.message(flags.bits())?;
                    $crate::ffi::send(h, &m, flags.bits(), op)
                })
            }
        }
    };
    ($noun:ident topics) => {
        impl $noun {
            /// Subscribes to a pattern. Of a peer: publishes that match reach it; of a consumer on the own wire: the
            /// provider is told, and told again after each reconnect. Of a channel: its events that match come (regular
            /// expressions, of the whole name); of a share: the values of a key; of a node: what any member publishes.
            pub fn subscribe(&self, pattern: &str) -> $crate::Operation<()> {
                self.subscribe_with(pattern, $crate::Options::subscription())
            }

            /// The same with options.
            pub fn subscribe_with(&self, pattern: &str, options: $crate::Options) -> $crate::Operation<()> {
                let h = self.id();
                $crate::Operation::begin(h, |_| Ok(()), |op| $crate::ffi::subscribe(h, pattern, options.conf()?, op))
            }

            /// Ends every subscription of it with this pattern.
            pub fn unsubscribe(&self, pattern: &str) -> $crate::Operation<()> {
                let h = self.id();
                $crate::Operation::begin(h, |_| Ok(()), |op| $crate::ffi::unsubscribe(h, pattern, op))
            }

            /// Whether a publish to the topic would reach it.
            pub fn subscribed(&self, topic: &str) -> $crate::Result<bool> {
                $crate::ffi::subscribed(self.id(), topic).map(|s| s == 1)
            }
        }
    };
}

pub(crate) use {verb_set, verbs};
