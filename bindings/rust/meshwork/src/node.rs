//! Members of a mesh: what they publish, and calls that all members answer.
use crate::service::{Parts, Step};
use crate::waiting::{block_on, inside_handler};
use crate::{ffi, Code, Error, Event, Flags, How, Message, Node, Operation, Payload, Result};
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

impl Node {
    /// Publishes to every member whose subscriptions match, this one too. A message's header `member` names who did.
    pub fn publish(&self, topic: &str, body: impl Payload) -> Result<()> {
        ffi::publish(self.id(), topic, &body.message(0)?, 0, 0, 0)
    }

    /// The same with flags (`LOCAL`: to this node only) and with the number of other members that want it.
    pub fn publish_counted(&self, topic: &str, body: impl Payload, flags: Flags) -> Operation<usize> {
        let h = self.id();
        Operation::begin(
            h,
            |done| Ok(done.code.max(0) as usize),
            |op| ffi::publish(h, topic, &body.message(flags.bits())?, 0, flags.bits(), op),
        )
    }

    /// Calls all members that serve the target.
    pub fn broadcast(&self, target: &str, body: impl Payload, how: How) -> Answers {
        let how = How { flags: how.flags | Flags::ALL, ..how };
        Answers { parts: Parts::begin(self.id(), target, body, how, self.party_queue()), end: Ok(()) }
    }
}

/// What one member said to a broadcast.
#[derive(Debug)]
pub struct Answer {
    /// Its name.
    pub member: String,
    /// What it said, or why it did not.
    pub said: Result<Message>,
    /// It has more to say.
    pub more: bool,
}

impl Answer {
    fn of(event: &Event<'static>) -> Answer {
        let message = event.message();
        let member = message.as_ref().and_then(|m| m.header("member")).unwrap_or_default();
        let member = String::from_utf8_lossy(member).into_owned();
        let said = match event.status() {
            Code(failed) if failed < 0 => Err(Error::new(failed).detail(0, &String::from_utf8_lossy(event.body()))),
            _ => message.ok_or_else(|| Error::new(ffi::MW_ENOMEM)),
        };
        Answer { member, said, more: event.flags().contains(Flags::MORE) }
    }
}

/// The answers of all members, a [`Stream`] of them as they come. Dropping it cancels the call.
#[must_use = "dropping the answers cancels their call"]
#[derive(Debug)]
pub struct Answers {
    parts: Parts,
    end: Result<()>,
}

impl Answers {
    /// The next answer; `None` after the last one. An `Err` is one of the whole call, such as `ENOSERVICE`.
    pub async fn next(&mut self) -> Option<Result<Answer>> {
        std::future::poll_fn(|cx| self.take(cx)).await
    }

    /// How it went, after the last answer: `EPARTIAL` where some failed, and its text names them.
    pub fn end(&self) -> Result<()> {
        self.end.clone()
    }

    /// Gathers them all: those that failed have their `Err`.
    pub async fn all(mut self) -> Result<Vec<Answer>> {
        let mut all = Vec::new();
        while let Some(answer) = self.next().await {
            all.push(answer?);
        }
        Ok(all)
    }

    /// The same on this thread. Not inside a handler, which would wait for itself: `EDEADLOCK`.
    pub fn wait(self) -> Result<Vec<Answer>> {
        if inside_handler() {
            return Err(Error::new(ffi::MW_EDEADLOCK));
        }
        block_on(Box::pin(self.all()))
    }

    fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Answer>>> {
        self.parts.step(cx).map(|step| match step {
            Step::Part(event) => Some(Ok(Answer::of(&event))),
            Step::End(Err(failed)) if failed.code() != Code::EPARTIAL => Some(Err(failed)),
            Step::End(end) => {
                self.end = end.map(drop); // each failure was told
                None
            }
            Step::Over => None,
        })
    }
}

impl Stream for Answers {
    type Item = Result<Answer>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Answer>>> {
        self.get_mut().take(cx)
    }
}
