//! Things that are numbers: copied freely, checked by the library at each call.
use crate::events::Queue;
use crate::operation::Operation;
use crate::service::{self, How, Parts};
use crate::verbs::verbs;
use crate::{ffi, Message, Options, Payload, Result};

/// A peer of a provider. A number, so it is `Copy` and may be kept anywhere; once the peer is gone, calls answer
/// `ECLOSED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection(u64);

verbs!(Connection: common link send topics);

impl Connection {
    /// The connection of a number that [`Connection::id`] told. Numbers of other things answer `EKIND`.
    pub fn from_id(id: u64) -> Connection {
        Connection(id)
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.0
    }

    /// Stops taking its input. Messages already read still come.
    pub fn pause(&self) -> Result<()> {
        ffi::pause(self.0, true)
    }

    /// Takes its input again.
    pub fn resume(&self) -> Result<()> {
        ffi::pause(self.0, false)
    }

    /// Subscribes with options, with a token for the subscription's own events, and with a handle to end it by.
    pub fn subscription(&self, pattern: &str, options: Options, token: u64) -> (Subscription, Operation<()>) {
        let mut id = 0;
        let operation = Operation::begin(
            self.0,
            |_| Ok(()),
            |op| {
                id = ffi::subscription(self.0, pattern, options.conf()?, token, op)?;
                Ok(())
            },
        );
        (Subscription(id), operation)
    }

    /// Calls a method of the peer (own wire). See [`Consumer::call`](crate::Consumer::call).
    pub fn call(&self, target: &str, body: impl Payload, how: How) -> Operation<Message> {
        service::call(self.0, target, body, how)
    }

    /// The same with an answer in parts; one that is full pauses the peer, and one that was resumes it.
    pub fn stream(&self, target: &str, body: impl Payload, how: How) -> Parts {
        let h = self.0;
        Parts::begin(h, target, body, how, Queue::new(move |on| drop(ffi::pause(h, on))))
    }

    /// A number of your own, told by [`Event::token`](crate::Event::token) of its events from now on.
    pub fn set_token(&self, token: u64) -> Result<()> {
        ffi::token(self.0, token)
    }
}

/// A subscription; ends with its handle, or with [`Subscription::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription(u64);

impl Subscription {
    /// Its number, which messages that came by it have as [`Event::id`](crate::Event::id).
    pub fn id(&self) -> u64 {
        self.0
    }

    /// Ends it; its CLOSED follows.
    pub fn close(&self) -> Result<()> {
        ffi::close(self.0, 0, b"", 0)
    }
}

/// A question whether a client may come in. Answer once, when you like, from any thread; no answer means no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask(u64);

impl Ask {
    /// The question of a number that [`Ask::id`] told.
    pub fn from_id(id: u64) -> Ask {
        Ask(id)
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.0
    }

    /// Yes. `json` is "" or holds `{"data": ...}`, which comes back in PEER_UP.
    pub fn allow(&self, json: &str) -> Result<()> {
        ffi::answer(self.0, true, json)
    }

    /// No. `json` is "" or holds `{"status": 401, "body": "..."}`.
    pub fn refuse(&self, json: &str) -> Result<()> {
        ffi::answer(self.0, false, json)
    }
}
