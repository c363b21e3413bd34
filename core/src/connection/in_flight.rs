//! Requests that wait for their replies, in the order of the wire.

use alloc::collections::{VecDeque, vec_deque};
use alloc::vec::Vec;

use crate::command::{Flags, Target};
use crate::time::Instant;

/// Names one request: a place that is used again, and which use of it this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The place. `u32::MAX` is kept for requests that nobody waits for.
    pub slot: u32,
    /// Which use of it.
    pub generation: u32,
}

impl RequestId {
    /// Nobody waits any more; the reply is swallowed when it comes.
    pub(crate) const ABANDONED: Self = Self { slot: u32::MAX, generation: 0 };
    /// The connection's own health check.
    pub(crate) const HEALTH: Self = Self { slot: u32::MAX, generation: 1 };

    /// Subscriptions that begin or end: answered by pushes, or refused by one reply.
    pub(crate) const SUBSCRIPTION: Self = Self { slot: u32::MAX, generation: 3 };
    /// The connection says who it is from here on.
    pub(crate) const AUTH: Self = Self { slot: u32::MAX, generation: 2 };

    /// The first place that belongs to the engine itself: places from here on are no caller's.
    pub(crate) const ENGINE: u32 = 1 << 31;

    /// The first place of parts of requests that are with several nodes; those before are questions.
    pub(crate) const PARTS: u32 = 3 << 30;

    /// Requests whose callers do not wait for the reply. They are tried once.
    #[cfg(feature = "std")]
    pub(crate) const POSTED: Self = Self { slot: Self::PARTS + 1, generation: 0 };

    /// Whether the engine asks on its own account. Then it rather asks another node than wait for this one.
    pub(crate) const fn is_question(self) -> bool {
        self.slot >= Self::ENGINE && self.slot < Self::PARTS
    }

    /// Whether somebody waits for the reply.
    pub(crate) const fn is_awaited(self) -> bool {
        self.slot != u32::MAX
    }

    /// Whether it is a caller who waits for the reply.
    pub(crate) const fn is_callers(self) -> bool {
        self.slot < Self::ENGINE
    }
}

/// A request on its way: 32 bytes. Its command's bytes lie in the queue beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Who waits for the reply.
    pub(crate) id: RequestId,
    /// Which command of a batch this is; of a transaction, how many replies it takes: those to `MULTI`, each
    /// command and `EXEC`; of subscriptions, how many confirmations are still to come.
    pub(crate) part: u32,
    /// How many bytes it has on the wire, with what goes before it.
    pub(crate) wire_len: u32,
    /// When it must have ended.
    pub(crate) deadline: Instant,
    /// Which node it is for.
    pub(crate) target: Target,
    /// What is known of the command.
    pub(crate) flags: Flags,
    /// How many of its arguments are its name.
    pub(crate) name_words: u8,
    /// How often it was sent again.
    pub(crate) attempts: u8,
}

/// What goes before a request that was sent elsewhere for this once.
pub(crate) const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

impl Entry {
    pub(crate) const fn is_transaction(&self) -> bool {
        self.flags.has(Flags::TRANSACTION)
    }

    /// Whether a caller made it and it has no history: one reply, and all is said.
    #[inline]
    pub(crate) const fn is_usual(&self) -> bool {
        const SPECIAL: Flags = Flags::TRANSACTION
            .with(Flags::ASKING)
            .with(Flags::SENT_BEFORE)
            .with(Flags::SCRIPT)
            .with(Flags::BLOCKING);
        self.id.is_callers() && self.attempts == 0 && !self.flags.has_any(SPECIAL)
    }

    /// Whether this is the command behind `other` in a call of several.
    #[inline]
    pub(crate) fn follows(&self, other: &Self) -> bool {
        self.id == other.id && self.part == other.part.wrapping_add(1)
    }

    /// Which of the results of its call this is.
    pub(crate) const fn place(&self) -> u32 {
        if self.is_transaction() { 0 } else { self.part }
    }

    /// How many bytes go before the command.
    pub(crate) const fn prefix_len(&self) -> usize {
        if self.flags.has(Flags::ASKING) { ASKING.len() } else { 0 }
    }
}

/// Entries in order, with a lower bound of their deadlines.
///
/// The bound makes deadlines free: it is lowered when an entry comes, and only when it passes are the
/// entries looked at. With one timeout for all, that is once per timeout, however many pass through.
#[derive(Debug)]
pub(crate) struct Entries {
    queue: VecDeque<Entry>,
    /// `earliest <= entry.deadline` for every entry.
    earliest: Instant,
}

impl Default for Entries {
    fn default() -> Self {
        Self::new()
    }
}

impl Entries {
    pub(crate) const fn new() -> Self {
        Self { queue: VecDeque::new(), earliest: Instant::FAR }
    }

    /// The same with room for one: many connections never have more in flight.
    pub(crate) fn with_room() -> Self {
        Self { queue: VecDeque::with_capacity(1), ..Self::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        self.earliest = self.earliest.min(entry.deadline);
        self.queue.push_back(entry);
    }

    /// Appends all of `entries`. Returns how many bytes they have on the wire.
    #[inline]
    #[expect(clippy::manual_inspect, reason = "an inspected iterator is not trusted to know its length")]
    pub(crate) fn extend(&mut self, entries: impl Iterator<Item = Entry>) -> usize {
        let (mut len, mut earliest) = (0, self.earliest);
        self.queue.extend(entries.map(|entry| {
            len += entry.wire_len as usize;
            earliest = earliest.min(entry.deadline);
            entry
        }));
        self.earliest = earliest;
        len
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.queue.pop_front()
    }

    #[inline]
    pub(crate) fn front(&self) -> Option<&Entry> {
        self.queue.front()
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut Entry> {
        self.queue.front_mut()
    }

    /// All of them.
    #[inline]
    pub(crate) fn iter(&self) -> vec_deque::Iter<'_, Entry> {
        self.queue.iter()
    }

    /// Forgets the first `count`.
    #[inline]
    pub(crate) fn forget(&mut self, count: usize) {
        self.queue.drain(..count);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.queue.shrink_to_fit();
    }

    /// No deadline passes before this.
    pub(crate) const fn earliest(&self) -> Instant {
        self.earliest
    }

    /// Whether an entry is there for which a caller waits.
    pub(crate) fn any_awaited(&self) -> bool {
        self.any(|entry| entry.id.is_callers())
    }

    /// Whether there is an entry like that.
    pub(crate) fn any(&self, like: impl Fn(&Entry) -> bool) -> bool {
        self.queue.iter().any(like)
    }

    /// Abandons the entries whose deadline has come; returns them as they were, with the bytes before each.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(usize, Entry)> {
        if now < self.earliest {
            return Vec::new();
        }
        let mut expired = Vec::new();
        let mut before = 0;
        self.earliest = Instant::FAR;
        for entry in self.queue.iter_mut() {
            if entry.id.is_awaited() && entry.deadline <= now {
                expired.push((before, *entry));
                entry.id = RequestId::ABANDONED;
            } else if entry.id.is_awaited() {
                self.earliest = self.earliest.min(entry.deadline);
            }
            before += entry.wire_len as usize;
        }
        expired
    }

    /// Abandons the entries of the requests in `ids`, which are sorted.
    pub(crate) fn cancel(&mut self, ids: &[RequestId]) {
        for entry in self.queue.iter_mut() {
            if ids.binary_search(&entry.id).is_ok() {
                entry.id = RequestId::ABANDONED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(slot: u32, deadline: u64) -> Entry {
        Entry {
            id: RequestId { slot, generation: 0 },
            part: 0,
            wire_len: 10,
            deadline: Instant::from_nanos(deadline),
            target: Target::default(),
            flags: Flags::default(),
            name_words: 1,
            attempts: 0,
        }
    }

    #[test]
    fn an_entry_is_32_bytes() {
        assert_eq!(size_of::<Entry>(), 32);
    }

    #[test]
    fn expiry_finds_what_is_due_and_keeps_the_order() {
        let mut entries = Entries::default();
        for (slot, deadline) in [(0, 50), (1, 20), (2, 90), (3, 20)] {
            entries.push(entry(slot, deadline));
        }
        assert_eq!(entries.earliest(), Instant::from_nanos(20));
        assert!(entries.expire(Instant::from_nanos(19)).is_empty());
        let due: Vec<_> =
            entries.expire(Instant::from_nanos(20)).iter().map(|(at, entry)| (*at, entry.id.slot)).collect();
        assert_eq!(due, [(10, 1), (30, 3)]);
        assert_eq!(entries.earliest(), Instant::from_nanos(50));
        let order: Vec<_> = core::iter::from_fn(|| entries.pop()).map(|entry| entry.id).collect();
        assert_eq!(order.len(), 4, "abandoned entries keep their place");
        assert_eq!((order[1], order[2].slot), (RequestId::ABANDONED, 2));
    }

    #[test]
    fn cancelled_entries_keep_their_place() {
        let mut entries = Entries::default();
        (0..4).for_each(|slot| entries.push(entry(slot, 50)));
        entries.cancel(&[RequestId { slot: 1, generation: 0 }, RequestId { slot: 3, generation: 7 }]);
        let awaited: Vec<_> =
            core::iter::from_fn(|| entries.pop()).map(|entry| entry.id.is_awaited()).collect();
        assert_eq!(awaited, [true, false, true, true]);
    }
}
