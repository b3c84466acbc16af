//! Messaging between processes and machines. A [`Provider`] listens and admits many peers, a [`Consumer`] is
//! connected to one provider and always comes back; both live in a [`Context`]. The processes of one host meet in
//! a [`Channel`], kept by its members or by a [`Hub`], and use one connection in a [`Share`]; [`Node`]s are a mesh.
//!
//! What happens is told by [`Event`]s, to a handler or as a stream; what takes time is an [`Operation`], a future
//! that works on any executor, or is waited for with [`Operation::wait`]. Dropping one cancels it.
//!
//! ```
//! use meshwork::{Consumer, Context, Kind, Options, Provider};
//!
//! let context = Context::open(Options::context())?;
//! let provider = Provider::open(&context, Options::provider().set("port", 0).set("host", "127.0.0.1"))?;
//! provider.on(|event| {
//!     if event.kind() == Kind::Message {
//!         event.peer().send(&event).ok(); // an echo, text as text
//!     }
//! })?;
//! provider.start().wait()?;
//!
//! let consumer = Consumer::open(&context, Options::consumer().set("url", provider.url()?))?;
//! let events = consumer.events()?;
//! consumer.start().wait()?;
//! consumer.send("hello")?;
//! let message = events.blocking().find(|event| event.kind() == Kind::Message).unwrap();
//! assert_eq!(message.text(), Some("hello"));
//! # Ok::<(), meshwork::Error>(())
//! ```
#![deny(unsafe_code, missing_docs)]

mod batch;
mod connection;
mod context;
mod error;
mod event;
mod events;
mod ffi;
pub mod keys;
mod message;
mod node;
mod operation;
mod options;
mod party;
mod service;
mod tables;
mod verbs;
mod waiting;

pub use batch::Batch;
pub use connection::{Ask, Connection, Subscription};
pub use context::Context;
pub use error::{Code, Error, Result};
pub use event::Event;
pub use events::Events;
pub use message::{Flags, Message, Payload};
pub use node::{Answer, Answers};
pub use operation::{Delivery, Operation};
pub use options::{describe_options, Noun, Options};
pub use party::{Channel, Closed, Consumer, Election, Hub, Manager, Node, Provider, Share};
pub use service::{How, PartHandler, Parts, Request, Service};
pub use tables::{Kind, Stat, State};
pub use verbs::Sent;

/// The programs of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Version of the loaded library: major, minor, patch.
pub fn version() -> (u8, u8, u8) {
    let v = ffi::version();
    ((v >> 16) as u8, (v >> 8) as u8, v as u8)
}
