//! Walks through all that `SCAN` and its relatives find, one element after the other.
//!
//! ```no_run
//! use redstart_core::Client;
//! use redstart_core::commands::{KeyScanOptions, ScanIterators};
//!
//! # async fn example(client: Client) -> redstart_core::Result<()> {
//! let mut users = client.scan_iter::<String>(KeyScanOptions::new().matching("user:*"));
//! while let Some(key) = users.next().await {
//!     println!("{}", key?);
//! }
//! # Ok(())
//! # }
//! ```

mod coverage;
mod failure;
mod plan;
mod reply;
mod single;
mod slots;
mod tour;

use alloc::boxed::Box;
use alloc::vec::{self, Vec};
use core::fmt;
use core::future::{Future, poll_fn};
use core::iter::FusedIterator;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

pub(super) use failure::{may_pass, wrong};
pub use reply::ScanReply;
use reply::{Answer, Source};
use single::Single;
use tour::Tour;

use super::{KeyScanOptions, ScanOptions};
use crate::command::{Arg, Command, FromReply, Run};
use crate::config::Deployment;
use crate::error::Error;

/// Walks through a collection or the whole key space: [`Scan`] says what they promise.
///
/// On an async client they are streams, on a blocking one iterators.
pub trait ScanIterators: Run + Copy {
    /// Walks through all keys of the database.
    ///
    /// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]` · 2.8.0, `TYPE` 6.0.0 · O(1) per page
    fn scan_iter<T: FromReply>(self, options: KeyScanOptions) -> Scan<Self, T> {
        Scan::new(self, Source::Keys(options))
    }

    /// Walks through all members of a set.
    ///
    /// `SSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn sscan_iter<T: FromReply>(self, key: impl Arg, options: ScanOptions) -> Scan<Self, T> {
        Scan::new(self, Source::Set(bytes_of(key), options))
    }

    /// Walks through all fields of a hash, with their values.
    ///
    /// `HSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn hscan_iter<F: FromReply, V: FromReply>(
        self,
        key: impl Arg,
        options: ScanOptions,
    ) -> Scan<Self, (F, V)> {
        Scan::new(self, Source::Hash(bytes_of(key), options))
    }

    /// Walks through all fields of a hash, without their values.
    ///
    /// `HSCAN key cursor [MATCH pattern] [COUNT count] NOVALUES` · 7.4.0 · O(1) per page
    fn hscan_novalues_iter<T: FromReply>(self, key: impl Arg, options: ScanOptions) -> Scan<Self, T> {
        Scan::new(self, Source::HashFields(bytes_of(key), options))
    }

    /// Walks through all members of a sorted set, with their scores, in no order.
    ///
    /// `ZSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn zscan_iter<T: FromReply>(self, key: impl Arg, options: ScanOptions) -> Scan<Self, (T, f64)> {
        Scan::new(self, Source::SortedSet(bytes_of(key), options))
    }
}

impl<R: Run + Copy> ScanIterators for R {}

/// What an argument is on the wire.
pub(super) fn bytes_of(key: impl Arg) -> Vec<u8> {
    let scratch = Command::<()>::new("").arg(key);
    scratch.packed().args().last().unwrap_or_default().into_owned()
}

/// A walk under way, from [`ScanIterators`].
///
/// What is there during the whole walk is seen at least once, **perhaps twice**. What comes or goes meanwhile may be
/// seen or not.
///
/// One page is held at a time; the next one is asked for when all of it was taken. Nothing is sent before the first
/// element is asked for. Pages come from primaries, wherever other reads go.
///
/// # Errors
/// The walk ends with an error, unless that is the network's, a timeout, or a limit's: those leave it where it is,
/// and it goes on when it is asked for another element. Each call that it makes has the client's timeout.
///
/// # On one server
/// That is the server's own promise, and holds as long as it is not restarted: the walk would not notice.
///
/// # On a cluster
/// [`scan_iter`](ScanIterators::scan_iter) goes through all primaries, one after the other. It asks each of them what
/// it serves, before its keys and after: the slots that have moved and those of a node that was replaced or restarted
/// are gone through again, where they then are. So what is promised holds whatever becomes of nodes and slots, and
/// the more does, the more is seen twice. Slots that nobody serves are left out. When nodes change faster than they
/// can be gone through, the caller is told by [`Limit::Restarts`](crate::error::Limit::Restarts).
///
/// It takes the commands `CLUSTER SLOTS`, `CLUSTER NODES`, `INFO` and, when a slot is looked for, `EXISTS`. Where
/// `INFO` is refused, restarts of a node go unnoticed; so does a slot that is called back on its way to another node
/// and has all its keys brought back, all while its node is gone through.
///
/// # On a cluster's collection, or behind sentinels
/// A walk of more than one page asks in the beginning and in the end for the process that serves it, for a
/// collection by a script (`EVAL_RO`, from 7.0 on). If the two differ, the slot has moved or a replica has taken over,
/// and the walk begins anew. Where that is refused it goes unnoticed.
#[must_use = "a walk does nothing until it is asked for elements"]
pub struct Scan<R: Run, T: FromReply> {
    run: R,
    pages: Pages<T>,
    /// The page that is on its way, for executors that answer with a future.
    call: Option<R::Output<ScanReply<T>>>,
}

impl<R: Run + Copy, T: FromReply> Scan<R, T> {
    fn new(run: R, source: Source) -> Self {
        let pages = Pages::new(source, run.deployed());
        Self { run, pages, call: None }
    }
}

/// For executors that answer at once.
impl<R, T> Iterator for Scan<R, T>
where
    R: Run<Output<ScanReply<T>> = Result<ScanReply<T>, Error>> + Copy,
    T: FromReply,
{
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.pages.page.next() {
                return Some(Ok(item));
            }
            let reply = self.run.run(self.pages.request()?);
            if let Err(error) = self.pages.take(reply) {
                return Some(Err(error));
            }
        }
    }
}

impl<R, T> FusedIterator for Scan<R, T>
where
    R: Run<Output<ScanReply<T>> = Result<ScanReply<T>, Error>> + Copy,
    T: FromReply,
{
}

impl<R, T> Scan<R, T>
where
    R: Run<Output<ScanReply<T>>: Future<Output = Result<ScanReply<T>, Error>> + Unpin> + Copy,
    T: FromReply,
{
    /// The next element; `None` when the walk is complete or has failed.
    ///
    /// Dropping the future loses nothing: the page that is on its way is waited for by the next call.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some(item) = self.pages.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let call = match &mut self.call {
                Some(call) => call,
                None => match self.pages.request() {
                    Some(request) => self.call.insert(self.run.run(request)),
                    None => return Poll::Ready(None),
                },
            };
            let reply = ready!(Pin::new(call).poll(cx));
            self.call = None;
            if let Err(error) = self.pages.take(reply) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

/// For executors that answer with a future.
impl<R, T> Stream for Scan<R, T>
where
    R: Run<Output<ScanReply<T>>: Future<Output = Result<ScanReply<T>, Error>> + Unpin> + Copy,
    T: FromReply,
{
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(cx)
    }
}

/// Nothing in it is pinned: calls are, for as long as a poll takes, and only those that can move.
impl<R: Run, T: FromReply> Unpin for Scan<R, T> {}

impl<R: Run, T: FromReply> fmt::Debug for Scan<R, T> {
    /// Shows how far the walk is, but neither keys nor elements.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Scan");
        match &self.pages.walk {
            Walk::Single(walk) => shown.field("cursor", &walk.cursor()),
            Walk::Tour(walk) => shown.field("cursor", &walk.cursor()).field("slots_seen", &walk.covered()),
        };
        shown.field("at_hand", &self.pages.page.len()).finish_non_exhaustive()
    }
}

/// The walk as a machine: questions out, answers in.
struct Pages<T> {
    source: Source,
    walk: Walk,
    /// What was not taken of the page at hand.
    page: vec::IntoIter<T>,
}

/// Where the walk goes.
enum Walk {
    Single(Single),
    Tour(Box<Tour>),
}

impl<T: FromReply> Pages<T> {
    fn new(source: Source, deployment: &Deployment) -> Self {
        let walk = match (deployment, &source) {
            (Deployment::Cluster(options), Source::Keys(_)) => Walk::Tour(Box::new(Tour::new(options))),
            (Deployment::Single, _) => Walk::Single(Single::new(false)),
            _ => Walk::Single(Single::new(true)),
        };
        Self { source, walk, page: Vec::new().into_iter() }
    }

    /// Asks for what is wanted next, if there is anything.
    fn request(&self) -> Option<Command<ScanReply<T>>> {
        let ask = match &self.walk {
            Walk::Single(walk) => walk.ask(),
            Walk::Tour(walk) => walk.ask(),
        };
        Some(self.source.command(&ask?))
    }

    /// Takes the answer, after the page at hand is used up.
    fn take(&mut self, reply: Result<ScanReply<T>, Error>) -> Result<(), Error> {
        match (&mut self.walk, reply.map(|reply| reply.0)) {
            (Walk::Single(walk), Ok(Answer::Told(told))) => walk.handle_told(told),
            (Walk::Tour(walk), Ok(Answer::Told(told))) => walk.handle_told(told),
            (Walk::Single(walk), Err(error)) => walk.handle_error(error),
            (Walk::Tour(walk), Err(error)) => walk.handle_error(error),
            (walk, Ok(Answer::Page(page))) => {
                let counts = match walk {
                    Walk::Single(walk) => walk.handle_page(page.cursor)?,
                    Walk::Tour(walk) => walk.handle_page(page.cursor)?,
                };
                if counts {
                    self.page = page.items.into_iter();
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
