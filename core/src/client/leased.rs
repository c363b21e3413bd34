//! The futures of sessions: of taking a connection, and of commands that are not replied to.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::Options;
use super::mailbox::{Mailbox, Parcel};
use super::reply::{Call, single};
use crate::command::{Batch, FromReply, PackedBatch, Target, Undo};
use crate::config::Endpoint;
use crate::connection::ConnId;
use crate::error::{Delivery, Error, ErrorKind};
use crate::time::Instant;

/// A connection of one's own, still to come, and the deadline of this call.
pub(super) struct Leased<'a> {
    call: Call<'a>,
    target: Target,
    node: Option<&'a Endpoint>,
}

impl<'a> Leased<'a> {
    pub(super) fn new(
        mailbox: &'a Mailbox,
        options: Options,
        target: Target,
        node: Option<&'a Endpoint>,
    ) -> Self {
        let mut call = Call::new(mailbox, options);
        call.undo = Some(Undo::Release);
        Self { call, target, node }
    }
}

impl Future for Leased<'_> {
    type Output = Result<(ConnId, Instant), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = ready!(this.call.poll(&Parcel::Lease(this.target, this.node), cx));
        Poll::Ready(single(polled).and_then(|frame| {
            let (conn, deadline): (u64, u64) = FromReply::from_reply(frame.item())
                .map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::NotSent))?;
            Ok((ConnId(conn), Instant::from_nanos(deadline)))
        }))
    }
}

/// The end of commands that are not replied to, still to come. Laziness and dropping are as for
/// [`Reply`](super::Reply).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct SilentReply<'a> {
    call: Call<'a>,
    batch: PackedBatch,
}

impl<'a> SilentReply<'a> {
    pub(super) fn new(mailbox: &'a Mailbox, options: Options, batch: impl Batch) -> Self {
        let batch = batch.pack();
        let options = options.within(batch.own_timeout());
        Self { call: Call::new(mailbox, options), batch }
    }
}

impl Future for SilentReply<'_> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let polled = this.call.poll(&Parcel::Silent(&this.batch), cx);
        if this.call.is_sent() {
            this.batch.forget_arguments();
        }
        let outcome = single(ready!(polled)).map(drop);
        Poll::Ready(outcome.map_err(|error| error.with_command("CLIENT REPLY")))
    }
}
