//! Calls over a link: what one end serves, a request to it, and the answer.
use crate::events::{Events, Queue};
use crate::operation::{Operation, Sink};
use crate::verbs::verbs;
use crate::waiting::block_on;
use crate::{ffi, Code, Error, Event, Flags, Kind, Message, Options, Payload, Result, Sent};
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What one end of a link serves under a name: `C` every method `C.x` and `C` itself, `C.m` one. A number, so it is
/// `Copy`; it ends with [`Service::close`] or with its provider or consumer. Its `Kind::Dropped`: the queue gave a call up
/// (`EDEAD`), or lost `code` oneway ones with the service (`ECLOSED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Service(pub(crate) u64);

verbs!(Service: common);

impl Service {
    /// Its number.
    pub fn id(&self) -> u64 {
        self.0
    }

    /// Answers new calls with `EAGAIN`, so that they go elsewhere.
    pub fn pause(&self) -> Result<()> {
        ffi::pause(self.0, true)
    }

    /// Takes calls again.
    pub fn resume(&self) -> Result<()> {
        ffi::pause(self.0, false)
    }
}

/// A call to answer once, when you like, from any thread. A number: `ECLOSED` once it was answered or nobody waits any
/// more, `ESTATE` for a call that takes no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request(u64);

impl Request {
    /// The request of a number that [`Request::id`] told.
    pub fn from_id(id: u64) -> Request {
        Request(id)
    }

    /// Its number; 0 where nobody waits for an answer.
    pub fn id(&self) -> u64 {
        self.0
    }

    /// The answer.
    pub fn reply(&self, body: impl Payload) -> Result<()> {
        self.reply_with(body, Flags::NONE).map(drop)
    }

    /// One part of several, which [`Request::reply`] ends. `Buffered` (kept) and `EAGAIN` (refused): WRITABLE with this
    /// request follows.
    pub fn part(&self, body: impl Payload) -> Result<Sent> {
        self.reply_with(body, Flags::MORE)
    }

    /// Both, with flags.
    pub fn reply_with(&self, body: impl Payload, flags: Flags) -> Result<Sent> {
        let m = body.message(flags.bits())?;
        ffi::reply(self.0, &m, flags.bits()).map(Sent::of)
    }

    /// A failure instead: what the caller's call ends with. `json` is "" or an object, usually with `"message"`.
    pub fn fail(&self, code: Code, json: &str) -> Result<()> {
        ffi::fail(self.0, code.0, json, 0)
    }

    /// Back into the queue of its service, to come again later as another; `code` and `json` are the caller's where that
    /// was the last time.
    pub fn give_back(&self, code: Code, json: &str) -> Result<()> {
        ffi::fail(self.0, code.0, json, ffi::MW_FAIL_RETRY)
    }
}

/// How a call is made; [`Default`] is the usual.
#[derive(Default)]
pub struct How {
    /// Time for the answer; without it the option `call.timeout`, [`Duration::MAX`]: no limit.
    pub timeout: Option<Duration>,
    /// Made for this request: its time and its end count here too.
    pub parent: Option<Request>,
    /// `COMPRESS`, `PARTS`, `ONEWAY`: nobody answers; from a node `ALL`: every member that serves it does.
    pub flags: Flags,
    /// [`Options::call`].
    pub options: Option<Options>,
    /// Hears each part of a streamed answer, as a handler does: in the order of events, before the end.
    pub part: Option<PartHandler>,
}

/// What hears parts.
pub type PartHandler = Box<dyn Fn(Event<'_>) + Send + Sync>;

pub(crate) fn call(h: u64, target: &str, body: impl Payload, mut how: How) -> Operation<Message> {
    let parts = how.part.take().map(|hear| Arc::new(move |record: ffi::Record<'_>| hear(Event::lent(record))) as Sink);
    let ms = how.timeout.map_or(0, |t| i64::try_from(t.as_millis()).map_or(-1, |ms| ms.max(1)));
    Operation::begin_with(h, crate::operation::reply, parts, |op| {
        let m = body.message(how.flags.bits())?;
        let options = how.options.as_ref().map(Options::conf).transpose()?;
        let parent = how.parent.map_or(0, |request| request.0);
        ffi::call(h, target, &m, options, ms, parent, how.flags.bits(), op)
    })
}

/// An answer in parts: a [`Stream`] of them, and at its end of the answer itself where that has bytes. While more than
/// 1,024 parts or 4 MiB wait here the link's input is paused; a node's is not, so there it ends beyond 65,536 parts or
/// 64 MiB (`EOVERFLOW`). Dropping it cancels the call.
#[must_use = "dropping a streamed answer cancels its call"]
pub struct Parts {
    events: Events,
    answer: Option<Operation<Message>>,
}

impl Parts {
    pub(crate) fn begin(h: u64, target: &str, body: impl Payload, how: How, queue: Arc<Queue>) -> Parts {
        let into = queue.clone();
        let how = How { part: Some(Box::new(move |part| into.push(part, false))), ..how };
        let answer = call(h, target, body, how);
        Parts { events: Events { queue }, answer: Some(answer) }
    }

    /// The next part; `None` after the answer.
    pub async fn next(&mut self) -> Option<Result<Message>> {
        std::future::poll_fn(|cx| self.take(cx)).await
    }

    fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message>>> {
        self.step(cx).map(|step| match step {
            Step::Part(part) => part.message().map(Ok),
            Step::End(last) => Some(last).filter(|last| last.as_ref().map_or(true, |m| !m.body().is_empty())),
            Step::Over => None,
        })
    }

    pub(crate) fn step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Some(answer) = &self.answer else { return Poll::Ready(Step::Over) };
        let ended = answer.has_ended(cx);
        // A part is there before the end is: looked for afterwards, none is missed.
        if let Poll::Ready(Some(part)) = Pin::new(&mut self.events).poll_next(cx) {
            if part.kind() == Kind::Dropped {
                self.answer = None; // cancels it
                let why = "Its parts were not taken, and a node cannot make the others wait.";
                return Poll::Ready(Step::End(Err(Error::new(ffi::MW_EOVERFLOW).detail(0, why))));
            }
            return Poll::Ready(Step::Part(part));
        }
        if !ended {
            return Poll::Pending;
        }
        Poll::Ready(self.answer.take().map_or(Step::Over, |answer| Step::End(block_on(answer))))
        // at once: it has ended
    }
}

/// What comes of a call with parts.
pub(crate) enum Step {
    Part(Event<'static>),
    End(Result<Message>),
    Over,
}

impl Stream for Parts {
    type Item = Result<Message>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Message>>> {
        self.get_mut().take(cx)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("answer", &self.answer).finish()
    }
}
