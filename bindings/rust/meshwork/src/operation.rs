//! Operations under way: each accepted call ends in exactly one DONE, which completes a future.
use crate::{ffi, Error, Message, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Locks that no panic of a user can be caught under, so poison tells nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How an operation ended.
pub(crate) struct Done {
    pub status: i32,
    pub code: i32,
    pub body: Option<ffi::Msg>,
}

#[derive(Default)]
struct Cell {
    done: Option<Done>,
    waker: Option<Waker>,
}

/// What is under way in this process, by op number. Numbers are never used again, so a DONE nobody waits for any
/// more finds nothing.
static OPEN: Mutex<BTreeMap<u64, Arc<Mutex<Cell>>>> = Mutex::new(BTreeMap::new());
static LAST: AtomicU64 = AtomicU64::new(0);

/// A DONE came.
pub(crate) fn complete(record: ffi::Record<'_>) {
    let Some(cell) = lock(&OPEN).remove(&record.head.id) else { return };
    let body = (record.head.body_len > 0).then(|| record.keep()).flatten();
    let waker = {
        let mut cell = lock(&cell);
        cell.done = Some(Done { status: record.head.status, code: record.head.code, body });
        cell.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake(); // with no lock held: it may poll at once
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
    pub(crate) fn begin<A, F>(handle: u64, outcome: fn(Done) -> Result<T>, call: F) -> Operation<T>
    where
        F: FnOnce(u64) -> Result<A>,
    {
        let op = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let cell = Arc::new(Mutex::new(Cell::default()));
        lock(&OPEN).insert(op, cell.clone()); // first: DONE may come before the call returns
        let state = match call(op) {
            Ok(_) => State::Open(cell),
            Err(refused) => {
                lock(&OPEN).remove(&op);
                State::Refused(refused)
            }
        };
        Operation { handle, op, state, outcome }
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

    /// Wishes that it ends; it then completes with `ECANCELED`, or with what it was.
    pub fn cancel(&self) -> Result<()> {
        ffi::cancel(self.handle, self.op)
    }

    /// Waits on this thread. Not inside a handler, which would wait for itself: `EDEADLOCK`.
    pub fn wait(mut self) -> Result<T> {
        if crate::party::inside_handler() {
            self.state = State::Over;
            return Err(Error::with(
                ffi::MW_EDEADLOCK,
                "wait() inside a handler would wait for itself: use detach(), or await it in a task.",
            ));
        }
        block_on(self)
    }
}

impl<T> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let done = match &self.state {
            State::Refused(error) => Err(error.clone()),
            State::Over => panic!("an operation was polled after its end"),
            State::Open(cell) => {
                let mut cell = lock(cell);
                match cell.done.take() {
                    Some(done) => Ok(done),
                    None => {
                        cell.waker = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
        };
        self.state = State::Over;
        Poll::Ready(done.and_then(|d| if d.status < 0 { Err(failed(&d)) } else { (self.outcome)(d) }))
    }
}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        if let State::Open(_) = self.state {
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

fn failed(done: &Done) -> Error {
    let text = done.body.as_ref().map(|m| String::from_utf8_lossy(m.body()).into_owned());
    Error::with(done.status, &text.unwrap_or_default())
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The kernel has it (wire raw).
    Kernel,
    /// The peer's host took it (wire meshwork).
    Host,
}

/// Outcomes of DONE.
pub(crate) mod outcome {
    use super::*;

    pub fn nothing(_: Done) -> Result<()> {
        Ok(())
    }
    pub fn delivery(done: Done) -> Result<Delivery> {
        Ok(if done.code == 1 { Delivery::Host } else { Delivery::Kernel })
    }
    pub fn count(done: Done) -> Result<usize> {
        Ok(done.code.max(0) as usize)
    }
    pub fn message(done: Done) -> Result<Message> {
        done.body.map(Message).ok_or_else(|| Error::new(ffi::MW_EINTERNAL))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future on this thread until it is ready.
pub(crate) fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match Pin::new(&mut future).poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
