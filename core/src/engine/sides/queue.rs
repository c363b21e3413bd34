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
    /// The places by who waits: several, if that is a pipeline.
    ids: BTreeSet<(RequestId, i64)>,
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
        self.ids.insert((waiter.0.id, place));
        self.waiters.insert(place, waiter);
    }

    /// Takes the first in line.
    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let place = *self.waiters.first_key_value()?.0;
        self.remove(place)
    }

    fn remove(&mut self, place: i64) -> Option<Waiter> {
        let waiter = self.waiters.remove(&place)?;
        self.deadlines.remove(&(waiter.0.deadline, place));
        self.ids.remove(&(waiter.0.id, place));
        Some(waiter)
    }

    /// Takes one whose deadline has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Waiter> {
        if now < self.earliest() {
            return None;
        }
        let (_, place) = *self.deadlines.first()?;
        self.remove(place)
    }

    /// The first deadline of all.
    pub(super) fn earliest(&self) -> Instant {
        self.deadlines.first().map_or(Instant::FAR, |(deadline, _)| *deadline)
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        for id in ids {
            while let Some(&(_, place)) = self.ids.range((*id, i64::MIN)..=(*id, i64::MAX)).next() {
                self.remove(place);
            }
        }
    }

    /// Takes all, the first in line first.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waiter> + use<> {
        self.deadlines.clear();
        self.ids.clear();
        core::mem::take(&mut self.waiters).into_values()
    }
}
