//! Consumers: all that a group delivers to one of its members, one entry after the other.
//!
//! ```no_run
//! use core::time::Duration;
//!
//! use redstart_core::Client;
//! use redstart_core::commands::{ConsumerOptions, StreamConsumers};
//!
//! # async fn example(client: Client) -> redstart_core::Result<()> {
//! let options = ConsumerOptions::new().claim_after(Duration::from_secs(60));
//! let mut orders = client.xconsume::<Vec<(String, String)>>("orders", "billing", "worker-1", options);
//! while let Some(entry) = orders.next().await {
//!     let entry = entry?;
//!     println!("{} {:?}", entry.id, entry.fields);
//!     orders.ack(entry.id).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod machine;
mod options;
mod reply;

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use machine::Machine;
pub use options::ConsumerOptions;
pub use reply::ConsumerReply;

use super::{StreamEntry, StreamGroupCommands};
use crate::command::{Arg, Args, FromReply, Run};
use crate::error::Error;

/// Members of groups: [`Consumer`] says what they do.
///
/// On an async client they are streams, on a blocking one iterators.
pub trait StreamConsumers: Run + Copy {
    /// Becomes a consumer of a group of the stream at `key`, under a name that no other one has at the same time.
    ///
    /// `XREADGROUP`, `XAUTOCLAIM`, `XGROUP CREATE`, `XACK` · 5.0.0, claiming 6.2.0
    fn xconsume<T: FromReply>(
        self,
        key: impl Arg,
        group: impl Arg,
        name: impl Arg,
        options: ConsumerOptions,
    ) -> Consumer<Self, T> {
        Consumer { run: self, machine: Machine::new(key, group, name, options), call: None }
    }
}

impl<R: Run + Copy> StreamConsumers for R {}

/// A consumer of a group, from [`StreamConsumers`].
///
/// Every entry is yielded at least once, to one of the group's consumers, and is to be
/// [acknowledged](Self::ack) when it is dealt with: what is not is yielded **again**, by this consumer when it begins
/// anew under its name, or by any that claims what is stale. It first yields what it had pending when it
/// began, then what is new and what it claims.
///
/// One page of entries is held at a time, as many as [`ConsumerOptions::count`] says; the next one is asked for when
/// all of it was taken. Nothing is sent before the first entry is asked for. Without an entry it waits, for ever,
/// unless [`ConsumerOptions::drain`] lets it end.
///
/// An entry whose delivery was lost on its way, with its connection, is asked for again. One that was delivered and
/// is not in the stream any more is passed over, and acknowledged.
///
/// # Errors
/// It ends with an error, unless that is the network's, a timeout, or a limit's: those leave it where it is, and it
/// goes on when it is asked for another entry.
#[must_use = "a consumer does nothing until it is asked for entries"]
pub struct Consumer<R: Run, T: FromReply> {
    run: R,
    machine: Machine<T>,
    /// The page that is on its way, for executors that answer with a future.
    call: Option<R::Output<ConsumerReply<T>>>,
}

impl<R: Run + Copy, T: FromReply> Consumer<R, T> {
    /// Acknowledges entries by their ids; returns how many were pending, as [`StreamGroupCommands::xack`].
    pub fn ack(&self, ids: impl Args) -> R::Output<u64> {
        self.run.xack(self.machine.key(), self.machine.group(), ids)
    }
}

/// For executors that answer at once.
impl<R, T> Iterator for Consumer<R, T>
where
    R: Run<Output<ConsumerReply<T>> = Result<ConsumerReply<T>, Error>> + Copy,
    T: FromReply,
{
    type Item = Result<StreamEntry<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.machine.next() {
                return Some(Ok(entry));
            }
            let reply = self.run.run(self.machine.request()?);
            if let Err(error) = self.machine.handle(reply) {
                return Some(Err(error));
            }
        }
    }
}

impl<R, T> Consumer<R, T>
where
    R: Run<Output<ConsumerReply<T>>: Future<Output = Result<ConsumerReply<T>, Error>> + Unpin> + Copy,
    T: FromReply,
{
    /// The next entry; `None` when the consumer has ended.
    ///
    /// Dropping the future loses nothing: the page that is on its way is waited for by the next call.
    pub async fn next(&mut self) -> Option<Result<StreamEntry<T>, Error>> {
        poll_fn(|cx| self.poll_entry(cx)).await
    }

    fn poll_entry(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<StreamEntry<T>, Error>>> {
        loop {
            if let Some(entry) = self.machine.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            let call = match &mut self.call {
                Some(call) => call,
                None => match self.machine.request() {
                    Some(request) => self.call.insert(self.run.run(request)),
                    None => return Poll::Ready(None),
                },
            };
            let reply = ready!(Pin::new(call).poll(cx));
            self.call = None;
            if let Err(error) = self.machine.handle(reply) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

/// For executors that answer with a future.
impl<R, T> Stream for Consumer<R, T>
where
    R: Run<Output<ConsumerReply<T>>: Future<Output = Result<ConsumerReply<T>, Error>> + Unpin> + Copy,
    T: FromReply,
{
    type Item = Result<StreamEntry<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_entry(cx)
    }
}

/// Nothing in it is pinned: calls are, for as long as a poll takes, and only those that can move.
impl<R: Run, T: FromReply> Unpin for Consumer<R, T> {}

impl<R: Run, T: FromReply> fmt::Debug for Consumer<R, T> {
    /// Shows how far it is, but neither names nor entries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Consumer");
        shown.field("last", &self.machine.last()).field("at_hand", &self.machine.at_hand());
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
