//! Events as a stream, or as a blocking iterator.
use crate::waiting::{block_on, lock};
use crate::{Event, Kind};
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Events waiting to be taken before the library is told to stop reading for this object.
const HIGH: usize = 1024;
/// Bytes, likewise.
const HIGH_BYTES: usize = 4 << 20;
/// A node's links carry heartbeats, so its input is not paused: so many times that, and what comes is dropped.
const FULL: usize = 64;

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event<'static>>,
    bytes: usize,
    waker: Option<Waker>,
    held: bool,
    ended: bool,
    abandoned: bool,
}

impl Waiting {
    /// Whether there is no more room for a message; then DROPPED stands where it would.
    fn drops(&mut self, event: &Event<'_>) -> bool {
        let full = self.events.len() >= FULL * HIGH || self.bytes >= FULL / 4 * HIGH_BYTES;
        if !full || !matches!(event.kind(), Kind::Message | Kind::Part) {
            return false;
        }
        let before = self.events.back().filter(|last| last.kind() == Kind::Dropped).map_or(0, Event::code);
        if before != 0 {
            self.events.pop_back();
        }
        self.events.push_back(Event::dropped(before + 1));
        true
    }
}

/// What lies between the context's thread and who takes the events.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    hold: Box<dyn Fn(bool) + Send + Sync>, // the input of the object
}

impl Queue {
    pub(crate) fn new(hold: impl Fn(bool) + Send + Sync + 'static) -> Arc<Queue> {
        Arc::new(Queue { waiting: Mutex::default(), hold: Box::new(hold) })
    }

    pub(crate) fn push(&self, event: Event<'_>, last: bool) {
        let mut waiting = lock(&self.waiting);
        if waiting.abandoned || waiting.drops(&event) {
            return;
        }
        waiting.bytes += event.body().len();
        waiting.events.push_back(event.into_owned());
        waiting.ended |= last;
        if !waiting.held && (waiting.events.len() >= HIGH || waiting.bytes >= HIGH_BYTES) {
            waiting.held = true;
            (self.hold)(true); // under the lock, so that holding and letting go keep their order
        }
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The events of a context, provider or consumer: a [`Stream`], or with
/// [`Events::blocking`] an iterator. It ends after
/// CLOSED. While more than 1,024 events or 4 MiB wait here, input of that object is paused: nobody's memory grows,
/// and TCP slows the sender down. A node cannot be paused: beyond 65,536 events or 64 MiB its messages are dropped, and
/// `Kind::Dropped` says how many.
#[must_use = "events that nobody takes stop the input"]
pub struct Events {
    pub(crate) queue: Arc<Queue>,
}

impl Events {
    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<Event<'static>> {
        poll_fn(|cx| self.take(cx)).await
    }

    /// An iterator that waits for each event on this thread.
    pub fn blocking(mut self) -> impl Iterator<Item = Event<'static>> {
        std::iter::from_fn(move || block_on(poll_fn(|cx| self.take(cx))))
    }

    fn pop(&self, waiting: &mut Waiting) -> Option<Event<'static>> {
        let event = waiting.events.pop_front()?;
        waiting.bytes -= event.body().len();
        if waiting.held && waiting.events.len() <= HIGH / 2 && waiting.bytes <= HIGH_BYTES / 2 {
            waiting.held = false;
            (self.queue.hold)(false);
        }
        Some(event)
    }

    fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<'static>>> {
        let mut waiting = lock(&self.queue.waiting);
        match self.pop(&mut waiting) {
            None if !waiting.ended => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            event => Poll::Ready(event),
        }
    }
}

impl Stream for Events {
    type Item = Event<'static>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<'static>>> {
        self.get_mut().take(cx)
    }
}

impl Drop for Events {
    /// Events that come from now on are discarded; the link goes on.
    fn drop(&mut self) {
        let mut waiting = lock(&self.queue.waiting);
        waiting.abandoned = true;
        waiting.events.clear();
        if waiting.held {
            (self.queue.hold)(false);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("waiting", &lock(&self.queue.waiting).events.len()).finish()
    }
}
