//! Requests that wait for a way to go, with their bytes.

use super::link::{Ended, name};
use crate::connection::{Entries, Entry, Outgoing, RequestId};
use crate::error::{Delivery, Error};
use crate::time::Instant;

/// A queue of requests and the bytes of their commands.
#[derive(Debug, Default)]
pub(super) struct Parked {
    entries: Entries,
    bytes: Outgoing,
}

impl Parked {
    /// Appends a request whose bytes are the first in `from`.
    pub(super) fn push(&mut self, entry: Entry, from: &mut Outgoing) {
        from.transfer(entry.wire_len as usize, &mut self.bytes);
        self.entries.push(entry);
    }

    /// Takes the first request; its bytes are then the first in [`bytes`](Self::bytes), for the caller to take.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.entries.pop()
    }

    pub(super) const fn bytes(&mut self) -> &mut Outgoing {
        &mut self.bytes
    }

    /// Moves all that is in `other` behind what is here.
    pub(super) fn append(&mut self, mut other: Self) {
        while let Some(entry) = other.pop() {
            self.push(entry, &mut other.bytes);
        }
    }

    /// Ends all of it.
    pub(super) fn fail(&mut self, error: &Error, ended: &mut Ended) {
        while let Some(entry) = self.pop() {
            if entry.id.is_awaited() {
                let error = error.clone().with_delivery(Delivery::NotSent);
                ended.push((entry, name(error, &self.bytes, &entry)));
            }
            self.bytes.release(entry.wire_len as usize);
        }
    }

    /// Ends the questions among it.
    pub(super) fn fail_questions(&mut self, error: &Error, ended: &mut Ended) {
        if !self.entries.any(|entry| entry.id.is_question()) {
            return;
        }
        let mut all = core::mem::take(self);
        while let Some(entry) = all.pop() {
            if entry.id.is_question() {
                all.bytes.release(entry.wire_len as usize);
                ended.push((entry, error.clone().with_delivery(Delivery::NotSent)));
            } else {
                self.push(entry, &mut all.bytes);
            }
        }
    }

    /// Abandons the requests whose deadline has come, and returns them.
    pub(super) fn expire(&mut self, now: Instant) -> impl Iterator<Item = Entry> {
        let expired = self.entries.expire(now);
        self.forget();
        expired.into_iter().map(|(_, entry)| entry)
    }

    /// Abandons requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        self.entries.cancel(ids);
        self.forget();
    }

    /// Gives room back that is taken by requests which have ended, as far as they are first. With one
    /// timeout for all, they are.
    fn forget(&mut self) {
        while let Some(entry) = self.entries.front().filter(|entry| !entry.id.is_awaited()) {
            self.bytes.release(entry.wire_len as usize);
            self.entries.pop();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn any_awaited(&self) -> bool {
        self.entries.any_awaited()
    }

    /// No deadline passes before this.
    pub(super) const fn earliest(&self) -> Instant {
        self.entries.earliest()
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink();
        self.entries.shrink();
    }

    /// How many commands and bytes are held.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes.held())
    }
}
