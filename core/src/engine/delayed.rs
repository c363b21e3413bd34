//! Requests that were turned away and are sent again a little later.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::connection::{Entry, Outgoing, RequestId};
use crate::error::Error;
use crate::resp::Frame;
use crate::time::Instant;
use crate::topology::NodeId;

/// A request and its bytes.
type Request = (Entry, Outgoing);

#[derive(Debug, Default)]
pub(super) struct Delayed {
    /// By the time to send; the number keeps equal times in order.
    queue: BTreeMap<(Instant, u64), (NodeId, Entry, Outgoing)>,
    next: u64,
    /// The request that came last, and until when it waits.
    last: Option<(RequestId, Instant)>,
    /// The last refusal of each request that was sent again, kept until the request ends: if its deadline
    /// passes, this is why.
    refusals: BTreeMap<(RequestId, u32), Error>,
}

impl Delayed {
    /// Keeps a request for `pause`, or until its deadline if that comes first. The commands of a pipeline that
    /// are turned away together wait until the same time, so that they are sent again in their order.
    pub(super) fn push(&mut self, now: Instant, pause: Duration, node: NodeId, request: Request, why: Error) {
        let (mut entry, bytes) = request;
        entry.attempts = entry.attempts.saturating_add(1);
        self.refusals.insert((entry.id, entry.part), why);
        let at = match self.last {
            Some((id, at)) if id == entry.id && at > now => at,
            _ => (now + pause).min(entry.deadline),
        };
        self.last = Some((entry.id, at));
        self.next += 1;
        self.queue.insert((at, self.next), (node, entry, bytes));
    }

    /// The next request whose time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(NodeId, Entry, Outgoing)> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn earliest(&self) -> Instant {
        self.queue.first_key_value().map_or(Instant::FAR, |(key, _)| key.0)
    }

    /// How many commands and bytes wait here.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.queue.len(), self.queue.values().map(|(_, _, bytes)| bytes.held()).sum())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Drops requests that nobody waits for; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        if !self.refusals.is_empty() {
            let awaited = |id: &RequestId| ids.binary_search(id).is_err();
            self.queue.retain(|_, (_, entry, _)| awaited(&entry.id));
            self.refusals.retain(|(id, _), _| awaited(id));
        }
    }

    /// A request that was sent again has ended: a timeout is told its cause.
    pub(super) fn explain(&mut self, entry: &Entry, result: Result<Frame, Error>) -> Result<Frame, Error> {
        let refusal = self.refusals.remove(&(entry.id, entry.part));
        match result {
            Err(error) if error.is_timeout() && error.cause().is_none() => Err(error.with_cause(refusal)),
            other => other,
        }
    }
}
