//! Operations under way: each accepted call ends in exactly one DONE, which completes a future.
use crate::waiting::{block_on, inside_handler, lock};
use crate::{ffi, Error, Message, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// How an operation ended.
pub(crate) struct Done {
    pub status: i32,
    pub code: i32,
    pub body: Option<Message>,
}

/// Who waits, or what came.
enum Cell {
    Nobody,
    Task(Waker),
    Call(Box<dyn FnOnce(Done) + Send>),
    Done(Done),
}

/// What is under way in this process, by op number. Numbers are never used again, so a DONE nobody waits for any
/// more finds nothing.
static OPEN: Mutex<BTreeMap<u64, Arc<Mutex<Cell>>>> = Mutex::new(BTreeMap::new());
static LAST: AtomicU64 = AtomicU64::new(0);
/// Where the parts of streamed answers go, by op number.
static PARTS: Mutex<BTreeMap<u64, Sink>> = Mutex::new(BTreeMap::new());
pub(crate) type Sink = Arc<dyn Fn(ffi::Record<'_>) + Send + Sync>;

/// A PART came.
pub(crate) fn part(record: ffi::Record<'_>) {
    let sink = lock(&PARTS).get(&record.head.id).cloned();
    if let Some(sink) = sink {
        sink(record);
    }
}

/// A DONE came.
pub(crate) fn complete(record: ffi::Record<'_>) {
    lock(&PARTS).remove(&record.head.id);
    let Some(cell) = lock(&OPEN).remove(&record.head.id) else { return };
    let body =
        (record.head.body_len | record.head.meta_len | record.head.flags != 0).then(|| record.message()).flatten();
    let done = Done { status: record.head.status, code: record.head.code, body };
    let mut waits = lock(&cell);
    match std::mem::replace(&mut *waits, Cell::Nobody) {
        Cell::Call(call) => {
            drop(waits);
            call(done)
        }
        other => {
            *waits = Cell::Done(done);
            drop(waits); // who is woken may poll at once
            if let Cell::Task(waker) = other {
                waker.wake()
            }
        }
    }
}

/// Something under way: a future of its result, on any executor. It has begun when you hold it; dropping it cancels
/// it, [`Operation::detach`] lets it go on.
#[must_use = "dropping an operation cancels it: await it, wait() for it, or detach() it"]
pub struct Operation<T> {
    handle: u64,
    op: u64,
    state: State,
    outcome: fn(Done) -> Result<T>,
}

enum State {
    Refused(Error),
    Open(Arc<Mutex<Cell>>),
    Over,
}

impl<T> Operation<T> {
    /// Makes a call with a new op number.
    pub(crate) fn begin<A>(h: u64, outcome: fn(Done) -> Result<T>, call: impl FnOnce(u64) -> Result<A>) -> Self {
        Self::begin_with(h, outcome, None, call)
    }

    /// The same with a queue for the parts of its answer.
    pub(crate) fn begin_with<A>(
        h: u64,
        outcome: fn(Done) -> Result<T>,
        parts: Option<Sink>,
        call: impl FnOnce(u64) -> Result<A>,
    ) -> Self {
        let op = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let cell = Arc::new(Mutex::new(Cell::Nobody));
        lock(&OPEN).insert(op, cell.clone()); // first: DONE may come before the call returns
        parts.map(|sink| lock(&PARTS).insert(op, sink));
        let state = match call(op) {
            Ok(_) => State::Open(cell),
            Err(refused) => {
                lock(&OPEN).remove(&op);
                lock(&PARTS).remove(&op);
                State::Refused(refused)
            }
        };
        Operation { handle: h, op, state, outcome }
    }

    /// Why the call was not accepted, if it was not; awaiting answers the same.
    pub fn refusal(&self) -> Option<&Error> {
        match &self.state {
            State::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// Lets it go on without anybody waiting.
    pub fn detach(mut self) {
        if let State::Open(_) = self.state {
            lock(&OPEN).remove(&self.op);
        }
        self.state = State::Over;
    }

    /// Calls `then` with the result, as a handler is called: in the order of the object's events, and it must not
    /// block. An `Err` here is a refusal, and nothing is called. From now on only [`Operation::cancel`] cancels.
    pub fn on_done(&mut self, then: impl FnOnce(Result<T>) + Send + 'static) -> Result<()>
    where
        T: 'static,
    {
        let outcome = self.outcome;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Refused(error) => return Err(error),
            State::Over => (),
            State::Open(cell) => {
                let mut waits = lock(&cell);
                if let Cell::Done(done) = std::mem::replace(&mut *waits, Cell::Nobody) {
                    drop(waits);
                    then(result(done, outcome));
                } else {
                    *waits = Cell::Call(Box::new(move |done| then(result(done, outcome))));
                }
            }
        }
        Ok(())
    }

    /// Wishes that it ends; it then completes with `ECANCELED`, or with what it was.
    pub fn cancel(&self) -> Result<()> {
        ffi::cancel(self.handle, self.op)
    }

    /// Whether it has ended; else the task is woken when it has.
    pub(crate) fn has_ended(&self, cx: &mut Context<'_>) -> bool {
        let State::Open(cell) = &self.state else { return true };
        let mut waits = lock(cell);
        if !matches!(*waits, Cell::Done(_)) {
            *waits = Cell::Task(cx.waker().clone());
        }
        matches!(*waits, Cell::Done(_))
    }

    /// Waits on this thread. Not inside a handler, which would wait for itself: `EDEADLOCK`.
    pub fn wait(mut self) -> Result<T> {
        if inside_handler() {
            self.state = State::Over;
            return Err(Error::new(ffi::MW_EDEADLOCK)
                .detail(0, "wait() inside a handler would wait for itself: use detach(), or await it in a task."));
        }
        block_on(self)
    }
}

impl<T> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let end = match &self.state {
            State::Refused(error) => Err(error.clone()),
            State::Over => panic!("an operation was polled after its end"),
            State::Open(cell) => {
                let mut waits = lock(cell);
                let Cell::Done(done) = std::mem::replace(&mut *waits, Cell::Task(cx.waker().clone())) else {
                    return Poll::Pending;
                };
                result(done, self.outcome)
            }
        };
        self.state = State::Over;
        Poll::Ready(end)
    }
}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        if let State::Open(_) = self.state {
            lock(&PARTS).remove(&self.op);
            if lock(&OPEN).remove(&self.op).is_some() {
                let _ = self.cancel(); // a wish: a handle that closed meanwhile needs none
            }
        }
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("op", &self.op).field("refused", &self.refusal()).finish()
    }
}

fn result<T>(done: Done, outcome: fn(Done) -> Result<T>) -> Result<T> {
    if done.status >= 0 {
        return outcome(done);
    }
    let text = done.body.as_ref().map(|m| String::from_utf8_lossy(m.body()));
    Err(Error::new(done.status).detail(0, &text.unwrap_or_default()))
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The kernel has it (wire raw).
    Kernel,
    /// The peer's host took it (wire meshwork).
    Host,
}

impl Delivery {
    pub(crate) fn of(done: Done) -> Result<Delivery> {
        Ok(if done.code == 1 { Delivery::Host } else { Delivery::Kernel })
    }
}

/// What a call was answered.
pub(crate) fn reply(done: Done) -> Result<Message> {
    done.body.map_or_else(|| Message::bytes(b""), Ok)
}

/// What a gathered fact is.
pub(crate) fn answer(done: Done) -> Result<Message> {
    done.body.ok_or_else(|| Error::new(ffi::MW_EINTERNAL))
}
