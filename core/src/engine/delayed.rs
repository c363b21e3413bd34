//! Requests that were turned away and are sent again a little later.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::{Engine, link};
use crate::config::Endpoint;
use crate::connection::{Entry, Outgoing, RequestId};
use crate::error::{Delivery, Error, ErrorKind, Waiting};
use crate::resp::Frame;
use crate::seldom::Vacant;
use crate::time::Instant;
use crate::topology::cluster::Hops;

/// A request and its bytes.
type Request = (Entry, Outgoing);

#[derive(Debug, Default)]
pub(super) struct Delayed {
    /// By the time to send; the number keeps equal times in order.
    queue: BTreeMap<(Instant, u64), Request>,
    next: u64,
    /// The request that came last, and until when it waits.
    last: Option<(RequestId, Instant)>,
    /// What is known of each request that was turned away, kept until the request ends.
    trails: BTreeMap<(RequestId, u32), Trail>,
}

impl Vacant for Delayed {
    const VACANT: &'static Self =
        &Self { queue: BTreeMap::new(), next: 0, last: None, trails: BTreeMap::new() };
}

/// How a request has fared.
#[derive(Debug, Default)]
struct Trail {
    /// Why it was turned away last: if its deadline passes, this is why.
    refusal: Option<Error>,
    /// Where it was sent elsewhere.
    hops: Hops,
}

impl Delayed {
    /// A request was turned away, and is to be tried again.
    pub(super) fn note(&mut self, entry: &mut Entry, why: Error) {
        entry.attempts = entry.attempts.saturating_add(1);
        self.trails.entry((entry.id, entry.part)).or_default().refusal = Some(why);
    }

    /// How often a request was sent elsewhere.
    pub(super) fn hops(&self, entry: &Entry) -> usize {
        self.trails.get(&(entry.id, entry.part)).map_or(0, |trail| trail.hops.len())
    }

    /// A node has sent a request elsewhere.
    pub(super) fn hop(&mut self, entry: &Entry, node: Endpoint) {
        self.trails.entry((entry.id, entry.part)).or_default().hops.push(node);
    }

    /// A request has come to a node that keeps it waiting: what led there was no circle. While a slot leaves a
    /// node key by key, each try may begin with `ASK` and end with `TRYAGAIN`, for as long as it takes.
    pub(super) fn rest(&mut self, entry: &Entry) {
        if let Some(trail) = self.trails.get_mut(&(entry.id, entry.part)) {
            trail.hops = Hops::default();
        }
    }

    /// The error of a request that was sent elsewhere too often, and now once more for the reason `last`.
    pub(super) fn too_many_hops(&mut self, entry: &Entry, last: Error) -> Error {
        self.trails.remove(&(entry.id, entry.part)).unwrap_or_default().hops.into_error(last)
    }

    /// Keeps a request for `pause`, or until its deadline if that comes first. The commands of a pipeline that
    /// are turned away together wait until the same time, so that they are sent again in their order.
    pub(super) fn push(&mut self, now: Instant, pause: Duration, (entry, bytes): Request) {
        let at = match self.last {
            Some((id, at)) if id == entry.id && at > now => at,
            _ => (now + pause).min(entry.deadline),
        };
        self.last = Some((entry.id, at));
        self.next += 1;
        self.queue.insert((at, self.next), (entry, bytes));
    }

    /// The next request whose time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Request> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn earliest(&self) -> Instant {
        self.queue.first_key_value().map_or(Instant::FAR, |(key, _)| key.0)
    }

    /// How many commands and bytes wait here.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.queue.len(), self.queue.values().map(|(_, bytes)| bytes.held()).sum())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether nothing is known of any request.
    pub(super) fn is_vacant(&self) -> bool {
        self.queue.is_empty() && self.trails.is_empty()
    }

    /// Drops requests that nobody waits for; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        if !self.trails.is_empty() {
            let awaited = |id: &RequestId| ids.binary_search(id).is_err();
            self.queue.retain(|_, (entry, _)| awaited(&entry.id));
            self.trails.retain(|(id, _), _| awaited(id));
        }
    }

    /// A request that was turned away has ended well.
    pub(super) fn forget(&mut self, entry: &Entry) {
        self.trails.remove(&(entry.id, entry.part));
    }

    /// A request that was turned away has ended: a timeout is told its cause.
    pub(super) fn explain(&mut self, entry: &Entry, result: Result<Frame, Error>) -> Result<Frame, Error> {
        let refusal = self.trails.remove(&(entry.id, entry.part)).and_then(|trail| trail.refusal);
        match result {
            Err(error) if error.is_timeout() && (error.cause().is_none() || refusal.is_some()) => {
                Err(error.with_cause(refusal))
            }
            other => other,
        }
    }
}

impl Engine {
    /// Sends again what is due, unless it is too late for it.
    pub(super) fn send_delayed(&mut self, now: Instant) {
        while let Some((entry, mut bytes)) = self.delayed.made().and_then(|delayed| delayed.pop_due(now)) {
            if entry.deadline <= now {
                let error = Error::new(ErrorKind::Timeout(Waiting::Reply), Delivery::Rejected);
                self.end(now, entry, Err(link::name(error, &bytes, &entry)));
            } else {
                self.submit(now, entry, &mut bytes);
            }
        }
    }
}
