//! Requests in line: who comes first is served first, and none is kept beyond its deadline.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::connection::{Entry, Outgoing, RequestId};
use crate::time::Instant;

/// A request that waits for a connection, and its bytes.
pub(super) type Waiter = (Entry, Outgoing);

/// A thousand may wait, and as many give up in a second: neither looks at all the others.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By their place in line.
    waiters: BTreeMap<i64, Waiter>,
    /// The places, in the order in which time runs out.
    deadlines: BTreeSet<(Instant, i64)>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Behind all others.
    pub(super) fn push_back(&mut self, waiter: Waiter) {
        let place = self.waiters.last_key_value().map_or(0, |(last, _)| last + 1);
        self.put(place, waiter);
    }

    /// Before all others.
    pub(super) fn push_front(&mut self, waiter: Waiter) {
        let place = self.waiters.first_key_value().map_or(0, |(first, _)| first - 1);
        self.put(place, waiter);
    }

    fn put(&mut self, place: i64, waiter: Waiter) {
        self.deadlines.insert((waiter.0.deadline, place));
        self.waiters.insert(place, waiter);
    }

    /// Takes the first in line.
    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let (place, waiter) = self.waiters.pop_first()?;
        self.deadlines.remove(&(waiter.0.deadline, place));
        Some(waiter)
    }

    /// Takes one whose deadline has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Waiter> {
        if now < self.earliest() {
            return None;
        }
        let (_, place) = self.deadlines.pop_first()?;
        self.waiters.remove(&place)
    }

    /// The first deadline of all.
    pub(super) fn earliest(&self) -> Instant {
        self.deadlines.first().map_or(Instant::FAR, |(deadline, _)| *deadline)
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        let Self { waiters, deadlines } = self;
        waiters.retain(|place, (entry, _)| {
            let is_awaited = ids.binary_search(&entry.id).is_err();
            if !is_awaited {
                deadlines.remove(&(entry.deadline, *place));
            }
            is_awaited
        });
    }

    /// Takes all, the first in line first.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waiter> + use<> {
        self.deadlines.clear();
        core::mem::take(&mut self.waiters).into_values()
    }
}
