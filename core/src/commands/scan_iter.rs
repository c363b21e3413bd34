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

use alloc::vec::{self, Vec};
use core::fmt;
use core::future::{Future, poll_fn};
use core::iter::FusedIterator;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

use super::{
    HashCommands, KeyCommands, KeyScanOptions, ScanOptions, ScanPage, SetCommands, SortedSetCommands,
};
use crate::command::{Arg, Command, FromReply, Prepare, Run};
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

fn bytes_of(key: impl Arg) -> Vec<u8> {
    let scratch = Command::<()>::new("").arg(key);
    scratch.packed().args().last().unwrap_or_default().into_owned()
}

/// A walk under way, from [`ScanIterators`].
///
/// What is there during the whole walk is seen at least once, **perhaps twice**: that is the server's promise.
/// What comes or goes meanwhile may be seen or not.
///
/// One page is held at a time; the next one is asked for when all of it was taken. Nothing is sent before the first
/// element is asked for. An error is yielded once, and ends the walk.
///
/// A walk belongs to one server. Over the whole key space of a cluster there is none: each of its nodes has cursors
/// of its own.
#[must_use = "a walk does nothing until it is asked for elements"]
pub struct Scan<R: Run, T: FromReply> {
    run: R,
    pages: Pages<T>,
    /// The page that is on its way, for executors that answer with a future.
    call: Option<R::Output<ScanPage<T>>>,
}

impl<R: Run + Copy, T: FromReply> Scan<R, T> {
    fn new(run: R, source: Source) -> Self {
        let pages = Pages { source, next: Some(0), page: Vec::new().into_iter() };
        Self { run, pages, call: None }
    }
}

/// For executors that answer at once.
impl<R, T> Iterator for Scan<R, T>
where
    R: Run<Output<ScanPage<T>> = Result<ScanPage<T>, Error>> + Copy,
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
    R: Run<Output<ScanPage<T>> = Result<ScanPage<T>, Error>> + Copy,
    T: FromReply,
{
}

impl<R, T> Scan<R, T>
where
    R: Run<Output<ScanPage<T>>: Future<Output = Result<ScanPage<T>, Error>> + Unpin> + Copy,
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
    R: Run<Output<ScanPage<T>>: Future<Output = Result<ScanPage<T>, Error>> + Unpin> + Copy,
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
        let Pages { next, page, .. } = &self.pages;
        f.debug_struct("Scan").field("cursor", next).field("at_hand", &page.len()).finish_non_exhaustive()
    }
}

/// The walk as a machine: requests for pages out, pages in.
struct Pages<T> {
    source: Source,
    /// The cursor of the next page; `None` when there is none.
    next: Option<u64>,
    /// What was not taken of the page at hand.
    page: vec::IntoIter<T>,
}

/// What is walked through.
enum Source {
    Keys(KeyScanOptions),
    Set(Vec<u8>, ScanOptions),
    Hash(Vec<u8>, ScanOptions),
    HashFields(Vec<u8>, ScanOptions),
    SortedSet(Vec<u8>, ScanOptions),
}

impl<T: FromReply> Pages<T> {
    /// Asks for the next page, if there is one.
    fn request(&self) -> Option<Command<ScanPage<T>>> {
        let (cursor, p) = (self.next?, Prepare);
        Some(match &self.source {
            Source::Keys(options) => p.scan(cursor, options.clone()),
            Source::Set(key, options) => p.sscan(key, cursor, options.clone()),
            Source::Hash(key, options) => p.hscan::<(), ()>(key, cursor, options.clone()).reply_as(),
            Source::HashFields(key, options) => p.hscan_novalues(key, cursor, options.clone()),
            Source::SortedSet(key, options) => p.zscan::<()>(key, cursor, options.clone()).reply_as(),
        })
    }

    /// Takes a page after the one at hand is used up.
    fn take(&mut self, reply: Result<ScanPage<T>, Error>) -> Result<(), Error> {
        self.next = None;
        let page = reply?;
        self.next = Some(page.cursor).filter(|_| !page.is_last());
        self.page = page.items.into_iter();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
