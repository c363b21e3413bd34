//! Requests that wait for a way to go, with their bytes.

use super::link::{Ended, name};
use crate::connection::{Entries, Entry, Outgoing, RequestId};
use crate::error::{Delivery, Error};
use crate::seldom::{Seldom, Vacant};
use crate::time::Instant;

/// A queue of requests and the bytes of their commands. One that is not used holds nothing.
#[derive(Debug, Default)]
pub(super) struct Parked(Seldom<Queue>);

#[derive(Debug, Default)]
struct Queue {
    entries: Entries,
    bytes: Outgoing,
}

impl Vacant for Queue {
    const VACANT: &'static Self = &Self { entries: Entries::new(), bytes: Outgoing::new() };
}

impl Parked {
    /// Appends a request whose bytes are the first in `from`.
    pub(super) fn push(&mut self, entry: Entry, from: &mut Outgoing) {
        from.transfer(entry.wire_len as usize, &mut self.0.bytes);
        self.0.entries.push(entry);
    }

    /// Takes the first request; its bytes are then the first in [`bytes`](Self::bytes), for the caller to take.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.0.made()?.entries.pop()
    }

    pub(super) fn bytes(&mut self) -> &mut Outgoing {
        &mut self.0.bytes
    }

    /// Moves all that is in `other` behind what is here.
    pub(super) fn append(&mut self, mut other: Self) {
        while let Some(entry) = other.pop() {
            self.push(entry, other.bytes());
        }
    }

    /// Ends all of it.
    pub(super) fn fail(&mut self, error: &Error, ended: &mut Ended) {
        self.fail_those(|_| true, error, ended);
    }

    /// Ends those of it that are `meant`.
    pub(super) fn fail_those(&mut self, meant: impl Fn(RequestId) -> bool, error: &Error, ended: &mut Ended) {
        if !self.0.entries.any(|entry| meant(entry.id)) {
            return;
        }
        let mut all = core::mem::take(self);
        while let Some(entry) = all.pop() {
            if !meant(entry.id) {
                self.push(entry, all.bytes());
                continue;
            }
            if entry.id.is_awaited() {
                let error = error.clone().with_delivery(Delivery::NotSent);
                ended.push((entry, name(error, all.bytes(), &entry)));
            }
            all.bytes().release(entry.wire_len as usize);
        }
    }

    /// Abandons the requests whose deadline has come, and returns them.
    pub(super) fn expire(&mut self, now: Instant) -> impl Iterator<Item = Entry> {
        let expired = self.0.made().map(|queue| queue.entries.expire(now)).unwrap_or_default();
        self.forget();
        expired.into_iter().map(|(_, entry)| entry)
    }

    /// Abandons requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        if let Some(queue) = self.0.made() {
            queue.entries.cancel(ids);
            self.forget();
        }
    }

    /// Gives room back that is taken by requests which have ended, as far as they are first. With one
    /// timeout for all, they are.
    fn forget(&mut self) {
        let Some(queue) = self.0.made() else { return };
        while let Some(entry) = queue.entries.front().filter(|entry| !entry.id.is_awaited()) {
            queue.bytes.release(entry.wire_len as usize);
            queue.entries.pop();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    pub(super) fn any_awaited(&self) -> bool {
        self.0.entries.any_awaited()
    }

    /// No deadline passes before this.
    pub(super) fn earliest(&self) -> Instant {
        self.0.entries.earliest()
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.0.shrink(|queue| queue.entries.is_empty());
        if let Some(queue) = self.0.made() {
            queue.bytes.shrink();
            queue.entries.shrink();
        }
    }

    /// How many commands and bytes are held.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.0.entries.len(), self.0.bytes.held())
    }
}
