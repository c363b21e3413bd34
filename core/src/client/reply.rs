//! The futures that calls return.

use alloc::boxed::Box;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Options;
use super::mailbox::{Mailbox, Parcel, Submitted};
use super::slots::{Outcome, Polled};
use crate::command::{
    Batch, Boxed, Command, Flags, FromReply, Name, Outcomes, Packed, PackedBatch, Results, Undo,
};
use crate::connection::RequestId;
use crate::error::{Delivery, Error, ErrorKind};
use crate::resp::{Frame, Kind};

/// How far a call is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing was sent: futures do nothing before they are polled.
    New,
    /// Waiting for room.
    InLine(RequestId),
    /// With the driver.
    Sent(RequestId),
    Ended,
}

/// One call to the mailbox, from submission to outcome. Dropping it gives the call up.
#[derive(Debug)]
pub(super) struct Call<'a> {
    mailbox: &'a Mailbox,
    options: Options,
    phase: Phase,
    /// How the command is undone if its reply comes to nobody.
    pub(super) undo: Option<Undo>,
}

impl<'a> Call<'a> {
    pub(super) const fn new(mailbox: &'a Mailbox, options: Options) -> Self {
        Self { mailbox, options, phase: Phase::New, undo: None }
    }

    pub(super) fn poll(&mut self, parcel: &Parcel<'_>, cx: &Context<'_>) -> Poll<Polled> {
        let polled = match self.phase {
            Phase::New => match self.mailbox.submit(parcel, self.options, cx.waker()) {
                Submitted::Sent(id) => return self.wait_as(Phase::Sent(id)),
                Submitted::InLine(id) => return self.wait_as(Phase::InLine(id)),
                Submitted::Refused(error) => Polled::Done(Err(error)),
            },
            Phase::InLine(id) | Phase::Sent(id) => {
                match self.mailbox.poll(id, parcel, self.options, cx.waker()) {
                    Polled::Pending => return Poll::Pending,
                    Polled::Admitted(_) => return self.wait_as(Phase::Sent(id)),
                    polled => polled,
                }
            }
            Phase::Ended => {
                let error = ErrorKind::Usage("the call was polled after it had ended");
                Polled::Done(Err(Error::new(error, Delivery::NotSent)))
            }
        };
        self.phase = Phase::Ended;
        Poll::Ready(polled)
    }

    /// As [`poll`](Self::poll), for one command.
    #[inline]
    fn poll_command(&mut self, command: &Packed, cx: &Context<'_>) -> Poll<Polled> {
        if matches!(self.phase, Phase::New)
            && let Some(id) = self.mailbox.submit_usual(command, &self.options, cx.waker())
        {
            return self.wait_as(Phase::Sent(id));
        }
        self.poll(&Parcel::Command(command), cx)
    }

    fn wait_as(&mut self, phase: Phase) -> Poll<Polled> {
        self.phase = phase;
        Poll::Pending
    }

    /// As [`poll`](Self::poll), for the parts of one command: their outcomes become one.
    #[cold]
    fn poll_parts(&mut self, parts: &mut PackedBatch, cx: &Context<'_>) -> Poll<Polled> {
        let polled = self.poll(&Parcel::Pipeline(parts), cx);
        if self.is_sent() {
            parts.forget_arguments();
        }
        polled.map(|polled| match polled {
            Polled::Gathered(gathered) => {
                let whole = parts.gather(gathered.apart(parts.entries().len())).pop().flatten();
                Polled::Done(whole.unwrap_or_else(|| Err(Error::missing_reply())))
            }
            polled => polled,
        })
    }

    /// Whether the driver has the bytes, so that the call need not keep them any longer.
    pub(super) const fn is_sent(&self) -> bool {
        matches!(self.phase, Phase::Sent(_))
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Phase::InLine(id) | Phase::Sent(id) = self.phase {
            self.mailbox.abandon(id, self.undo);
        }
    }
}

/// The reply to one command, still to come.
///
/// Nothing is sent before the first poll. Dropping it gives the call up: a command that still waits for
/// room or for a connection is not sent, the reply to any other is swallowed, and no other call notices.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct Reply<'a, T> {
    call: Call<'a>,
    command: Boxed,
    /// What errors are told of the command, once it is on its way.
    name: Name,
    /// What is sent instead of the command, if its keys are in several slots.
    parts: Option<Box<PackedBatch>>,
    reply: PhantomData<fn() -> T>,
}

impl<'a, T> Reply<'a, T> {
    #[inline]
    pub(super) fn new(mailbox: &'a Mailbox, options: Options, command: Command<T>) -> Self {
        let mut command = command.into_boxed();
        if options.session.is_some()
            && let Some(by_text) = command.by_text()
        {
            // In a session nothing is sent again, so the text is sent at once.
            *command = by_text;
        }
        let options = options.within(command.own_timeout());
        let parts = mailbox.split(&command, options).map(Box::new);
        if parts.is_some() {
            command.forget_arguments();
        }
        let mut call = Call::new(mailbox, options);
        if let Some(time) = command.block_time() {
            call.options = options.beyond(time);
            call.undo = Undo::of(command.args());
        }
        Self { call, command, name: Name::default(), parts, reply: PhantomData }
    }

    /// Puts the outcome into `into` when it is there. It is large, so it is moved there and nowhere else.
    #[inline]
    fn poll_outcome(&mut self, cx: &Context<'_>, into: &mut Option<Outcome>) -> Poll<()> {
        if let (Phase::Sent(id), None) = (self.call.phase, &self.parts) {
            core::task::ready!(self.call.mailbox.take(id, cx.waker(), into));
            self.call.phase = Phase::Ended;
            return Poll::Ready(());
        }
        self.poll_call(cx).map(|polled| *into = Some(single(polled)))
    }

    #[inline(never)]
    fn poll_call(&mut self, cx: &Context<'_>) -> Poll<Polled> {
        if let Some(parts) = &mut self.parts {
            return self.call.poll_parts(parts, cx);
        }
        let polled = self.call.poll_command(&self.command, cx);
        if self.call.is_sent() {
            self.name = self.command.keep_name();
        }
        polled
    }

    #[cold]
    fn named(&self, error: &Error) -> Error {
        let error = error.clone();
        match self.name.get() {
            _ if error.command().is_some() => error,
            Some(name) => error.with_command(name),
            None => error.with_command(&self.command.name()),
        }
    }
}

impl<'a> Reply<'a, ()> {
    /// The reply to the command that makes a session's connection a stream.
    pub(super) fn streaming(mailbox: &'a Mailbox, options: Options, command: Command<()>) -> Self {
        let mut reply = Self::new(mailbox, options, command);
        reply.command.flags = reply.command.flags.without(Flags::CHANGES);
        reply
    }
}

impl<T: FromReply> Future for Reply<'_, T> {
    type Output = Result<T, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut outcome = None;
        core::task::ready!(this.poll_outcome(cx, &mut outcome));
        let Some(outcome) = &outcome else { return Poll::Ready(Err(Error::missing_reply())) };
        let read = |frame: &Frame| {
            T::from_reply(frame.item()).map_err(|error| {
                this.named(&Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
            })
        };
        Poll::Ready(outcome.as_ref().map_err(|error| this.named(error)).and_then(read))
    }
}

pub(super) fn single(polled: Polled) -> Outcome {
    match polled {
        Polled::Done(outcome) => outcome,
        _ => Err(Error::missing_reply()),
    }
}

/// The replies to a pipeline, still to come. Laziness and dropping are as for [`Reply`].
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct PipelineReply<'a, B> {
    call: Call<'a>,
    batch: PackedBatch,
    reply: PhantomData<fn() -> B>,
}

impl<'a, B: Batch> PipelineReply<'a, B> {
    pub(super) fn new(mailbox: &'a Mailbox, options: Options, batch: B) -> Self {
        let batch = mailbox.pack_pipeline(batch, options);
        let options = options.within(batch.own_timeout());
        Self { call: Call::new(mailbox, options), batch, reply: PhantomData }
    }

    /// The replies, or the first error, when all have come.
    pub(super) async fn replies(mut self) -> Result<B::Replies, Error> {
        let outcomes = poll_fn(|cx| self.poll_outcomes(cx)).await;
        B::read(&mut outcomes.results(&self.batch))
    }

    fn poll_outcomes(&mut self, cx: &Context<'_>) -> Poll<Outcomes> {
        if self.batch.is_empty() {
            return Poll::Ready(Outcomes::default());
        }
        let polled = self.call.poll(&Parcel::Pipeline(&self.batch), cx);
        if self.call.is_sent() {
            self.batch.forget_arguments();
        }
        Poll::Ready(match core::task::ready!(polled) {
            Polled::Gathered(outcomes) if self.batch.is_cut() => {
                self.batch.gather(outcomes.apart(self.batch.entries().len())).into()
            }
            Polled::Gathered(outcomes) => *outcomes,
            polled => {
                // All of it was refused.
                let mut outcomes = Outcomes::default();
                outcomes.give_up(single(polled).err().unwrap_or_else(Error::missing_reply));
                outcomes
            }
        })
    }
}

impl<B: Batch> Future for PipelineReply<'_, B> {
    type Output = B::Results;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcomes = core::task::ready!(this.poll_outcomes(cx));
        Poll::Ready(B::results(&mut outcomes.results(&this.batch)))
    }
}

/// The replies to a transaction, still to come. Laziness and dropping are as for [`Reply`].
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct TransactionReply<'a, B> {
    call: Call<'a>,
    batch: PackedBatch,
    reply: PhantomData<fn() -> B>,
}

impl<'a, B: Batch> TransactionReply<'a, B> {
    pub(super) fn new(mailbox: &'a Mailbox, options: Options, batch: B) -> Self {
        let batch = mailbox.pack_transaction(batch);
        let options = options.within(batch.own_timeout());
        Self { call: Call::new(mailbox, options), batch, reply: PhantomData }
    }

    /// The results out of the reply to `EXEC`. The commands ran together, so whatever is wrong with one
    /// of them now, all of them may have run.
    fn results(&self, exec: &Frame) -> Result<B::Results, Error> {
        let item = exec.item();
        if item.kind() != Kind::Array || item.len() != self.batch.len() {
            let reason = "EXEC was answered with another number of replies than there were commands";
            return Err(Error::new(ErrorKind::Conversation(reason), Delivery::MaybeExecuted));
        }
        Ok(B::results(&mut Results::of_elements(item, &self.batch)))
    }

    /// The error of a transaction that was refused names the command that caused it.
    fn explain(&self, error: Error) -> Error {
        let name = match error.kind() {
            ErrorKind::TransactionAborted { index } => self.batch.name(*index),
            _ if error.command().is_none() => Some("MULTI".into()),
            _ => None,
        };
        match name {
            Some(name) => error.with_command(&name),
            None => error,
        }
    }
}

impl<'a, B: Batch> TransactionReply<'a, B> {
    /// As [`poll`](Future::poll); `None` if a key was changed that is watched.
    pub(super) fn poll_exec(&mut self, cx: &Context<'_>) -> Poll<Result<Option<B::Results>, Error>> {
        let polled = self.call.poll(&Parcel::Transaction(&self.batch), cx);
        if self.call.is_sent() {
            self.batch.forget_arguments();
        }
        Poll::Ready(match single(core::task::ready!(polled)) {
            Ok(exec) if exec.item().is_null() => Ok(None),
            Ok(exec) => self.results(&exec).map(Some).map_err(|error| error.with_command("EXEC")),
            Err(error) => Err(self.explain(error)),
        })
    }
}

impl<B: Batch> Future for TransactionReply<'_, B> {
    type Output = Result<B::Results, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.batch.is_empty() {
            return Poll::Ready(Ok(B::results(&mut Outcomes::default().results(&this.batch))));
        }
        let results = core::task::ready!(this.poll_exec(cx));
        // Nobody watches a key on a connection that is shared.
        Poll::Ready(results.and_then(|results| results.ok_or_else(Error::missing_reply)))
    }
}
