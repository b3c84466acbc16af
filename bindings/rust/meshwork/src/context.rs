//! The context: its memory budget, its thread, and the end of all.
use crate::party::{Closed, Panics, Party};
use crate::verbs::verbs;
use crate::waiting::{inside_handler, lock};
use crate::{ffi, Error, Event, Events, Options, Result};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What providers and consumers live in: lanes, clock, memory budget. Clones are the same context; when the last one
/// and all its objects are dropped it closes.
///
/// It has one thread of its own, which turns the lane and calls handlers (`threads=0`, the default of
/// [`Options::context`]), or takes events from the library's lanes (`threads=N`), or only waits for the end
/// (`threads=N`, `delivery=inline`: handlers run on the library's threads, of different peers at once).
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    party: Arc<Party>,
    panics: Panics,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Context {
    /// Opens a context.
    pub fn open(options: Options) -> Result<Context> {
        // Makes the callbacks until CLOSED, or only waits for it.
        let serve: fn(u64, Closed) = match (options.get("threads")?.as_str(), options.get("delivery")?.as_str()) {
            ("0", _) => |handle, _| while ffi::ctx_run(handle).is_ok() {},
            (_, "inline") => |_, closed| closed.wait(),
            _ => |handle, _| while ffi::ctx_dispatch(handle).is_ok() {},
        };
        let handle = ffi::ctx_open(options.conf()?)?;
        let panics = Panics::default();
        let party = Party::new(panics.clone());
        party.listen(handle)?;
        let closed = party.closed();
        let thread = thread::Builder::new().name("meshwork".into()).spawn(move || {
            serve(handle, closed);
            let _ = ffi::ctx_join(handle); // frees what the library has of the context
        });
        let thread = thread.map_err(|e| {
            let _ = ffi::close(handle, 0, b"", ffi::MW_CLOSE_ABORT);
            let _ = ffi::ctx_join(handle);
            Error::new(ffi::MW_ENOMEM)
                .detail(e.raw_os_error().unwrap_or(0), "No thread could be started for the context.")
        })?;
        Ok(Context(Arc::new(Inner { party, panics, thread: Mutex::new(Some(thread)) })))
    }

    /// Hears what concerns the whole context (LOG, its CLOSED), before the first provider or consumer starts.
    pub fn on(&self, handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Result<()> {
        self.0.party.set_handler(Box::new(handler))
    }

    /// The same events as a stream.
    pub fn events(&self) -> Result<Events> {
        self.0.party.events()
    }

    /// A future that is ready when the context's CLOSED, the last event of all, has come.
    pub fn closed(&self) -> Closed {
        self.0.party.closed()
    }

    /// Closes everything, waits until what was accepted is sent and no thread is left. The first panic of a handler
    /// is the error, as with [`JoinHandle::join`]. Not inside a handler, which would wait for itself.
    pub fn join(&self) -> thread::Result<()> {
        if inside_handler() {
            return Err(Box::new(
                Error::new(ffi::MW_EDEADLOCK).detail(0, "join() inside a handler would wait for itself."),
            ));
        }
        let _ = ffi::close(self.id(), 0, b"", 0);
        let mut thread = lock(&self.0.thread); // whoever comes second waits for the end, too
        if let Some(thread) = thread.take() {
            thread.join()?;
        }
        drop(thread);
        lock(&self.0.panics).take().map_or(Ok(()), Err)
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.0.party.id()
    }

    pub(crate) fn panics(&self) -> Panics {
        self.0.panics.clone()
    }
}

verbs!(Context: common update);

impl Drop for Inner {
    /// Closes it and returns at once; what was accepted is still sent while the process lives.
    fn drop(&mut self) {
        let _ = ffi::close(self.party.id(), 1001, b"", 0);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("id", &self.id()).finish()
    }
}
