//! What a server does, command by command (`MONITOR`).
//!
//! ```no_run
//! use redstart_core::client::monitor::{MonitorEvent, Monitors};
//!
//! # async fn example(client: redstart_core::Client) -> redstart_core::Result<()> {
//! let mut monitor = client.monitor().await?;
//! while let Some(event) = monitor.next().await {
//!     match event? {
//!         MonitorEvent::Line(line) => println!("{:?} from {:?}", line.args, line.caller),
//!         MonitorEvent::Lagged(count) => println!("{count} lines were not read in time"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It is for looking, not for building on: a server that is watched does half as much or less, and what it tells is not
//! told again. Lines that come faster than they are read are kept up to [`MONITOR_BYTES`]; those that come then are
//! dropped and counted.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::session::{Session, Sessions, lease};
use super::{Client, Handle, Wait};
use crate::command::Target;
use crate::commands::MonitorLine;
use crate::config::Endpoint;
use crate::connection::ConnId;
use crate::error::{Delivery, Error, ErrorKind};
use crate::resp::Frame;

/// As many bytes of lines are kept for a [`Monitor`] that does not read.
pub const MONITOR_BYTES: usize = 4 << 20;

/// What a [`Monitor`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorEvent {
    /// The server has run a command.
    Line(MonitorLine),
    /// So many lines were dropped here, since they were not read in time.
    Lagged(u64),
}

/// Watches servers, on clients of every runtime.
pub trait Monitors: Sessions {
    /// Watches the server, or the primary behind sentinels; of a cluster, any primary.
    ///
    /// `MONITOR` · 1.0.0
    ///
    /// # Errors
    /// As [`session`](Sessions::session); the user may not.
    fn monitor(&self) -> Self::Outcome<impl Future<Output = Result<Monitor<Self>, Error>>> {
        self.complete(open(self, None))
    }

    /// Watches the server at `endpoint`, be it a replica.
    ///
    /// # Errors
    /// As [`monitor`](Self::monitor); [`ErrorKind::Usage`] if there is no such node.
    fn monitor_at(
        &self,
        endpoint: &Endpoint,
    ) -> Self::Outcome<impl Future<Output = Result<Monitor<Self>, Error>>> {
        self.complete(open(self, Some(endpoint.clone())))
    }
}

impl<C: Handle> Monitors for C {}

/// Watches a server, from [`Monitors::monitor`]. See the [module](self).
///
/// On an async client it is a stream, on a blocking one an iterator. It ends with an error when its connection is lost;
/// it does not watch again by itself. Dropping it ends it.
pub struct Monitor<C: Handle = Client> {
    handle: C,
    session: Session<C>,
    ended: bool,
}

async fn open<C: Handle>(handle: &C, node: Option<Endpoint>) -> Result<Monitor<C>, Error> {
    let options = handle.client().options;
    let (session, _) = lease(handle, Target::default(), node, options).await?;
    session.inner().mailbox().feeds(|feeds| feeds.open(session.conn()));
    let monitor = Monitor { handle: handle.clone(), session, ended: false };
    monitor.session.begin_monitor().await?;
    Ok(monitor)
}

impl<C: Handle> Monitor<C> {
    /// The next event, when there is one; `None` after an error.
    #[expect(clippy::should_implement_trait, reason = "on a blocking client it is that of Iterator")]
    pub fn next(&mut self) -> C::Outcome<impl Future<Output = Option<Result<MonitorEvent, Error>>>> {
        let handle = self.handle.clone();
        handle.complete(poll_fn(|cx| self.poll_event(cx)))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<MonitorEvent, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let conn = self.session.conn();
        let polled = self.session.inner().mailbox().feeds(|feeds| feeds.poll(conn, cx.waker()));
        polled.map(|found| {
            let event = match found {
                Found::Line(frame) => MonitorLine::parse(&frame.item().text().unwrap_or_default())
                    .map(MonitorEvent::Line)
                    .map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted)),
                Found::Lagged(count) => Ok(MonitorEvent::Lagged(count)),
                Found::End(error) => {
                    self.ended = true;
                    Err(error)
                }
            };
            Some(event.map_err(|error| error.with_command("MONITOR")))
        })
    }
}

impl Stream for Monitor<Client> {
    type Item = Result<MonitorEvent, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

impl<C: Wait> Iterator for Monitor<C> {
    type Item = Result<MonitorEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let handle = self.handle.clone();
        handle.wait(poll_fn(|cx| self.poll_event(cx)))
    }
}

impl<C: Handle> Drop for Monitor<C> {
    fn drop(&mut self) {
        let conn = self.session.conn();
        self.session.inner().mailbox().feeds(|feeds| feeds.close(conn));
    }
}

impl<C: Handle> fmt::Debug for Monitor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What a reader finds.
#[derive(Debug)]
pub(super) enum Found {
    Line(Frame),
    Lagged(u64),
    End(Error),
}

/// The lines of one monitor.
#[derive(Debug, Default)]
struct Feed {
    lines: VecDeque<Frame>,
    bytes: usize,
    /// So many are missing behind the last line.
    dropped: u64,
    end: Option<Error>,
    waker: Option<Waker>,
}

/// The lines of all monitors of a client.
#[derive(Debug, Default)]
pub(super) struct Feeds(BTreeMap<ConnId, Feed>);

impl Feeds {
    fn open(&mut self, conn: ConnId) {
        self.0.insert(conn, Feed::default());
    }

    fn close(&mut self, conn: ConnId) {
        self.0.remove(&conn);
    }

    /// A line has come. Returns whom to wake.
    pub(super) fn push(&mut self, conn: ConnId, line: Frame) -> Option<Waker> {
        let feed = self.0.get_mut(&conn)?;
        let bytes = line.wire().len();
        // Behind a gap there is room again only when the reader has come to the gap.
        if feed.dropped > 0 || (feed.bytes + bytes > MONITOR_BYTES && !feed.lines.is_empty()) {
            feed.dropped += 1;
            return None;
        }
        feed.bytes += bytes;
        feed.lines.push_back(line);
        feed.waker.take()
    }

    /// The connection is lost. Returns whom to wake.
    pub(super) fn end(&mut self, conn: ConnId, error: Error) -> Option<Waker> {
        let feed = self.0.get_mut(&conn)?;
        feed.end.get_or_insert(error);
        feed.waker.take()
    }

    /// The client is closed. Adds whom to wake.
    pub(super) fn end_all(&mut self, wake: &mut Vec<Waker>) {
        for feed in self.0.values_mut() {
            feed.end.get_or_insert_with(|| Error::new(ErrorKind::Closed, Delivery::NotSent));
            wake.extend(feed.waker.take());
        }
    }

    fn poll(&mut self, conn: ConnId, waker: &Waker) -> Poll<Found> {
        let Some(feed) = self.0.get_mut(&conn) else {
            return Poll::Ready(Found::End(Error::new(ErrorKind::Closed, Delivery::NotSent)));
        };
        if let Some(line) = feed.lines.pop_front() {
            feed.bytes -= line.wire().len();
            return Poll::Ready(Found::Line(line));
        }
        if feed.dropped > 0 {
            return Poll::Ready(Found::Lagged(core::mem::take(&mut feed.dropped)));
        }
        match &feed.end {
            Some(error) => Poll::Ready(Found::End(error.clone())),
            None => {
                feed.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn line(len: usize) -> Frame {
        let wire = alloc::format!("${len}\r\n{}\r\n", "x".repeat(len));
        Decoder::new(Limits::default()).decode(&mut BytesMut::from(&*wire)).expect("legal").expect("whole")
    }

    fn poll(feeds: &mut Feeds) -> Option<Found> {
        match feeds.poll(ConnId(1), Waker::noop()) {
            Poll::Ready(found) => Some(found),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_is_not_read_in_time_is_dropped_and_counted() {
        let mut feeds = Feeds::default();
        assert!(feeds.push(ConnId(1), line(1)).is_none(), "nobody has asked");
        feeds.open(ConnId(1));
        assert!(poll(&mut feeds).is_none());
        assert!(feeds.push(ConnId(1), line(1)).is_some(), "who waits is woken");
        (0..5).for_each(|_| drop(feeds.push(ConnId(1), line(MONITOR_BYTES / 2))));
        for _ in 0..2 {
            assert!(matches!(poll(&mut feeds), Some(Found::Line(_))));
        }
        feeds.push(ConnId(1), line(1));
        assert!(matches!(poll(&mut feeds), Some(Found::Lagged(5))), "the gap has one place");
        feeds.push(ConnId(1), line(2 * MONITOR_BYTES));
        assert!(matches!(poll(&mut feeds), Some(Found::Line(_))), "one line is kept however long");
        feeds.end(ConnId(1), Error::missing_reply());
        assert!(matches!(poll(&mut feeds), Some(Found::End(_))));
    }
}
