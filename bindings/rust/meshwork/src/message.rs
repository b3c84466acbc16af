//! What is sent and received.
pub use crate::ffi::Message;
use crate::{ffi, Event, Result};
use std::fmt;

/// Marks of a message, a send or an event; joined with `|`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub(crate) u32);

impl Flags {
    /// None: bytes.
    pub const NONE: Flags = Flags(0);
    /// The flag of a name of the C interface, such as `TEXT`.
    pub fn named(name: &str) -> Option<Flags> {
        Flags::NAMES.iter().find(|(_, own)| *own == name).map(|(flag, _)| *flag)
    }

    /// Whether all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The number of the C interface.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for Flags {
    /// As in C, such as `TEXT|ASCII`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<_> = Flags::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name).collect();
        f.write_str(&set.join("|"))
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Flags {
    type Output = Flags;
    fn bitand(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }
}

impl Message {
    /// A text.
    pub fn text(text: &str) -> Result<Message> {
        Message::copy(text.as_bytes(), Flags::TEXT, &[])
    }

    /// A copy of bytes.
    pub fn bytes(bytes: &[u8]) -> Result<Message> {
        Message::copy(bytes, Flags::NONE, &[])
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} bytes)", self.body().len())
    }
}

/// What can be sent: `&str` as text; `&[u8]`, `&[u8; N]`, `&Vec<u8>` as bytes; a [`Message`] or an [`Event`]'s body
/// as it is.
pub trait Payload: sealed::Payload {}

impl<T: sealed::Payload> Payload for T {}

pub(crate) mod sealed {
    use super::*;

    pub enum Parts<'a> {
        Bytes(&'a [u8], u32),
        Message(&'a Message),
    }

    pub trait Payload {
        fn parts(&self) -> Parts<'_>;

        /// As a message of its own, for calls that need one.
        fn message(&self, flags: u32) -> Result<Message> {
            match self.parts() {
                Parts::Bytes(body, own) => {
                    let kept = (own | flags) & (ffi::MW_F_TEXT | ffi::MW_F_COMPRESS | ffi::MW_F_PARTS);
                    Message::copy(body, Flags(kept), &[])
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
        [] &Message, it => Parts::Message(it);
        ['a] &Event<'a>, it => Parts::Bytes(it.body(), it.flags().0 & ffi::MW_F_TEXT);
    }
}
