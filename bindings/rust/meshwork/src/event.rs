//! What happened.
use crate::{ffi, Ask, Code, Connection, Flags, Message};
use std::fmt;
use std::time::Duration;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $value:ident;)*) => {
        /// What an event is about. The table in `<meshwork/base.h>` says which fields each has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $name,)*
            /// One this crate does not know yet.
            Other(u32),
        }

        impl Kind {
            fn of(number: u32) -> Kind {
                match number {
                    $(ffi::$value => Kind::$name,)*
                    other => Kind::Other(other),
                }
            }
        }
    };
}

kinds! {
    /// A usable link or listener; `code`: attempts; `text`: facts as JSON.
    Up = MW_EVENT_UP;
    /// The link is lost; `status` why, `code` close code, `retry_in`, `text` the reason.
    Down = MW_EVENT_DOWN;
    /// The last event of a handle (`id`); `status` why, `code` close code, `text` the reason.
    Closed = MW_EVENT_CLOSED;
    /// A failure in the background; `status`, `text`.
    Error = MW_EVENT_ERROR;
    /// A line; `code` the level from 1 (error) to 5 (trace), `topic` the area, `text` the line.
    Log = MW_EVENT_LOG;
    /// A peer was admitted; `peer`; `text`: facts as JSON.
    PeerUp = MW_EVENT_PEER_UP;
    /// The last event of a peer; `status` why, `code` close code, `text` the reason.
    PeerDown = MW_EVENT_PEER_DOWN;
    /// A message; `peer` (provider), `topic`, `header`, `body` or `text`.
    Message = MW_EVENT_MESSAGE;
    /// There is room again for sends; `peer` (provider).
    Writable = MW_EVENT_WRITABLE;
    /// A peer is slow; `id` bytes wait, `code` the policy about to act.
    Slow = MW_EVENT_SLOW;
    /// Messages were dropped; `code` how many, `status` why, `body` the last one.
    Dropped = MW_EVENT_DROPPED;
    /// A ping came (told only when asked for by the option `events`).
    Ping = MW_EVENT_PING;
    /// A pong came; `id` the round trip in microseconds.
    Pong = MW_EVENT_PONG;
    /// Who is subscribed changed; `topic`, `code` the new count, `id` the old one.
    Interest = MW_EVENT_INTEREST;
    /// May this client come in? Answer with [`Event::ask`]; `text`: the request as JSON.
    Ask = MW_EVENT_ASK;
    /// The other side drains; `code` ms until our turn, `id` its deadline in ms.
    Draining = MW_EVENT_DRAINING;
}

#[derive(Clone)]
enum Inner<'a> {
    /// Inside a handler: the bytes are the library's and live as long as the call.
    Lent(ffi::Record<'a>),
    Kept(ffi::Head, ffi::Msg),
}

/// One event. A handler's lives as long as the call; [`Event::into_owned`] and streams give one that stays.
#[derive(Clone)]
pub struct Event<'a>(Inner<'a>);

impl<'a> Event<'a> {
    pub(crate) fn lent(record: ffi::Record<'a>) -> Event<'a> {
        Event(Inner::Lent(record))
    }

    fn head(&self) -> &ffi::Head {
        match &self.0 {
            Inner::Lent(r) => r.head,
            Inner::Kept(head, _) => head,
        }
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        Kind::of(self.head().kind)
    }

    /// Why, or with which result.
    pub fn status(&self) -> Code {
        Code(self.head().status)
    }

    /// A number whose meaning is the kind's.
    pub fn code(&self) -> i32 {
        self.head().code
    }

    /// A number whose meaning is the kind's; of a message, the subscription it came by.
    pub fn id(&self) -> u64 {
        self.head().id
    }

    /// The peer concerned. Where there is none, one whose calls answer `ECLOSED`.
    pub fn peer(&self) -> Connection {
        Connection::from_id(self.head().peer)
    }

    /// The number given by [`Connection::set_token`] or with a subscription, else 0.
    pub fn token(&self) -> u64 {
        self.head().token
    }

    /// Marks such as `TEXT`.
    pub fn flags(&self) -> Flags {
        Flags(self.head().flags & !ffi::MW_F_REF) // how the body came is no matter of the user's
    }

    /// The topic of a message, or "".
    pub fn topic(&self) -> &str {
        let topic = match &self.0 {
            Inner::Lent(r) => r.topic(),
            Inner::Kept(_, m) => m.topic(),
        };
        std::str::from_utf8(topic).unwrap_or_default()
    }

    /// Every header as it travels: u16 key length, u32 value length (both in the machine's order), key, value.
    pub fn meta(&self) -> &[u8] {
        match &self.0 {
            Inner::Lent(r) => r.meta(),
            Inner::Kept(_, m) => m.meta(),
        }
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        match &self.0 {
            Inner::Lent(r) => r.body(),
            Inner::Kept(_, m) => m.body(),
        }
    }

    /// The bytes as text; `None` where a message is not text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.body()).ok().filter(|_| self.head().kind != ffi::MW_EVENT_MESSAGE || self.is_text())
    }

    /// Whether a message was sent as text.
    pub fn is_text(&self) -> bool {
        self.flags().contains(Flags::TEXT)
    }

    /// Of DOWN: when the next attempt is.
    pub fn retry_in(&self) -> Option<Duration> {
        (self.kind() == Kind::Down).then(|| Duration::from_millis(self.id()))
    }

    /// Of ASK: what decides.
    pub fn ask(&self) -> Option<Ask> {
        (self.kind() == Kind::Ask).then(|| Ask::from_id(self.id()))
    }

    /// The body, topic and headers as a message to keep or to send on.
    pub fn message(&self) -> Option<Message> {
        match &self.0 {
            Inner::Lent(r) => r.keep().map(Message),
            Inner::Kept(_, m) => Some(Message(m.clone())),
        }
    }

    /// The same with bytes of its own. Panics where no memory is left.
    pub fn into_owned(self) -> Event<'static> {
        match self.0 {
            Inner::Lent(r) => Event(Inner::Kept(*r.head, r.keep().expect("memory for an event"))),
            Inner::Kept(head, m) => Event(Inner::Kept(head, m)),
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Event");
        out.field("kind", &self.kind()).field("status", &self.status()).field("code", &self.code());
        out.field("id", &self.id()).field("peer", &self.peer().id()).field("topic", &self.topic());
        out.field("bytes", &self.body().len()).finish()
    }
}
