//! What happened.
use crate::{ffi, Ask, Code, Connection, Flags, Kind, Message, Request};
use std::fmt;
use std::time::Duration;

#[derive(Clone)]
enum Inner<'a> {
    /// Inside a handler: the bytes are the library's and live as long as the call.
    Lent(ffi::Record<'a>),
    Kept(ffi::Kept),
}

/// One event. A handler's lives as long as the call; [`Event::into_owned`] and streams give one that stays.
#[derive(Clone)]
pub struct Event<'a>(Inner<'a>);

impl<'a> Event<'a> {
    pub(crate) fn lent(record: ffi::Record<'a>) -> Event<'a> {
        Event(Inner::Lent(record))
    }

    /// That messages were dropped here.
    pub(crate) fn dropped(count: i32) -> Event<'static> {
        Event(Inner::Kept(ffi::Kept::dropped(count)))
    }

    fn record(&self) -> ffi::Record<'_> {
        match &self.0 {
            Inner::Lent(record) => *record,
            Inner::Kept(kept) => kept.record(),
        }
    }

    fn head(&self) -> &ffi::Head {
        self.record().head
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
        std::str::from_utf8(self.record().topic()).unwrap_or_default()
    }

    /// Every header as it travels: u16 key length, u32 value length (both in the machine's order), key, value.
    pub fn meta(&self) -> &[u8] {
        self.record().meta()
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        self.record().body()
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

    /// Of LEADER: whether this process leads its share or election from now on.
    pub fn leads(&self) -> Option<bool> {
        (self.kind() == Kind::Leader).then(|| self.code() == 1)
    }

    /// Of REQUEST, of CANCEL and of a service's WRITABLE: what is to be answered.
    pub fn request(&self) -> Option<Request> {
        matches!(self.kind(), Kind::Request | Kind::Cancel | Kind::Writable).then(|| Request::from_id(self.id()))
    }

    /// The body, topic and headers as a message to keep or to send on.
    pub fn message(&self) -> Option<Message> {
        self.record().message()
    }

    /// The same with bytes of its own.
    pub fn into_owned(self) -> Event<'static> {
        Event(Inner::Kept(match self.0 {
            Inner::Lent(record) => record.keep(),
            Inner::Kept(kept) => kept,
        }))
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
