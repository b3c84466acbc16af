//! What is sent and received.
use crate::{ffi, Error, Event, Result};
use std::fmt;

/// Marks of a message, a send or an event; joined with `|`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub(crate) u32);

impl Flags {
    /// None: bytes.
    pub const NONE: Flags = Flags(0);
    /// UTF-8 text, checked.
    pub const TEXT: Flags = Flags(ffi::MW_F_TEXT);
    /// Compress where the link negotiated it.
    pub const COMPRESS: Flags = Flags(ffi::MW_F_COMPRESS);
    /// First or middle fragment of a message.
    pub const MORE: Flags = Flags(ffi::MW_F_MORE);
    /// Middle or last fragment.
    pub const CONT: Flags = Flags(ffi::MW_F_CONT);
    /// A ping, of at most 125 bytes.
    pub const PING: Flags = Flags(ffi::MW_F_PING);
    /// Refuse while offline, even with an offline buffer.
    pub const NOQUEUE: Flags = Flags(ffi::MW_F_NOQUEUE);
    /// Seen: sent from this process.
    pub const LOCAL: Flags = Flags(ffi::MW_F_LOCAL);
    /// Seen in UP.
    pub const RESUMED: Flags = Flags(ffi::MW_F_RESUMED);
    /// Seen in ERROR.
    pub const FATAL: Flags = Flags(ffi::MW_F_FATAL);
    /// Seen with TEXT: ASCII only.
    pub const ASCII: Flags = Flags(ffi::MW_F_ASCII);

    /// Whether all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The number of the C interface.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#x})", self.0)
    }
}

/// A message of its own: a counted reference, cheap to clone, that any thread may hold and send any number of times.
#[derive(Clone)]
pub struct Message(pub(crate) ffi::Msg);

impl Message {
    /// A text.
    pub fn text(text: &str) -> Result<Message> {
        Message::copy(text.as_bytes(), Flags::TEXT)
    }

    /// A copy of bytes.
    pub fn bytes(bytes: &[u8]) -> Result<Message> {
        Message::copy(bytes, Flags::NONE)
    }

    /// A copy of bytes with `TEXT` and `COMPRESS` as given.
    pub fn copy(bytes: &[u8], flags: Flags) -> Result<Message> {
        ffi::Msg::copy(bytes, flags.0).map(Message).ok_or_else(refused)
    }

    /// The owner's bytes without a copy; it is dropped when the library needs them no more, on any thread.
    pub fn from_owner<T: AsRef<[u8]> + Send + Sync + 'static>(owner: T, flags: Flags) -> Result<Message> {
        ffi::Msg::lend(owner, flags.0).map(Message).ok_or_else(refused)
    }

    /// Sets a header (own wire); before the first use.
    pub fn set(&mut self, key: &str, value: impl AsRef<[u8]>) -> Result<()> {
        self.0.set(key, value.as_ref())
    }

    /// A header.
    pub fn header(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key)
    }

    /// Every header as it travels: u16 key length, u32 value length, key, value.
    pub fn meta(&self) -> &[u8] {
        self.0.meta()
    }

    /// The topic it was published with, or "".
    pub fn topic(&self) -> &str {
        std::str::from_utf8(self.0.topic()).unwrap_or_default()
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        self.0.body()
    }

    /// `TEXT` and `COMPRESS`.
    pub fn flags(&self) -> Flags {
        Flags(self.0.flags())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} bytes)", self.body().len())
    }
}

fn refused() -> Error {
    Error::with(
        ffi::MW_EINVAL,
        "No message: no memory is left, or the text is not UTF-8, or a flag is none of TEXT and COMPRESS.",
    )
}

/// What can be sent: `&str` as text; `&[u8]`, `&[u8; N]`, `&Vec<u8>` as bytes; a [`Message`] or an [`Event`]'s body
/// as it is.
pub trait Payload: sealed::Payload {}

impl<T: sealed::Payload> Payload for T {}

pub(crate) mod sealed {
    use super::*;

    pub enum Parts<'a> {
        Bytes(&'a [u8], u32),
        Message(&'a ffi::Msg),
    }

    pub trait Payload {
        fn parts(&self) -> Parts<'_>;

        /// As a message of its own, for calls that need one.
        fn message(&self, flags: u32) -> Result<ffi::Msg> {
            match self.parts() {
                Parts::Bytes(body, own) => {
                    let kept = (own | flags) & (ffi::MW_F_TEXT | ffi::MW_F_COMPRESS);
                    ffi::Msg::copy(body, kept).ok_or_else(refused)
                }
                Parts::Message(m) => Ok(m.clone()),
            }
        }
    }

    macro_rules! payload {
        ($([$($generic:tt)*] $type:ty, $self:ident => $parts:expr;)*) => {$(
            impl<$($generic)*> Payload for $type {
                fn parts(&self) -> Parts<'_> {
                    let $self = self;
                    $parts
                }
            }
        )*};
    }

    payload! {
        [] &str, it => Parts::Bytes(it.as_bytes(), ffi::MW_F_TEXT);
        [] &String, it => Parts::Bytes(it.as_bytes(), ffi::MW_F_TEXT);
        [] &[u8], it => Parts::Bytes(it, 0);
        [const N: usize] &[u8; N], it => Parts::Bytes(&it[..], 0);
        [] &Vec<u8>, it => Parts::Bytes(it, 0);
        [] &Message, it => Parts::Message(&it.0);
        ['a] &Event<'a>, it => Parts::Bytes(it.body(), it.flags().0 & ffi::MW_F_TEXT);
    }
}
