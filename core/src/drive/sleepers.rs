//! Threads that wait for their replies while another one watches, and which of them is the next to watch.

use alloc::collections::BTreeMap;

/// Where a thread that sleeps stands: how often somebody had been woken before, and how many had fallen asleep.
pub(super) type Place = (u64, u64);

/// Threads that sleep because another one watches, in the order in which they fell asleep.
pub(super) struct Sleepers<T> {
    threads: BTreeMap<Place, T>,
    added: u64,
    woken: u64,
}

impl<T> Default for Sleepers<T> {
    fn default() -> Self {
        Self { threads: BTreeMap::new(), added: 0, woken: 0 }
    }
}

impl<T> Sleepers<T> {
    pub(super) fn add(&mut self, thread: T) -> Place {
        self.added += 1;
        let place = (self.woken, self.added);
        self.threads.insert(place, thread);
        place
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.threads.remove(&place);
    }

    /// Who is to watch now. Every change costs the others the time until a thread has woken up, so it is one that will
    /// wait for long: of those that have for long, as for a blocking command, the last, whose time is not up soon; if
    /// there are none, the last of all.
    pub(super) fn pop(&mut self) -> Option<T> {
        const LONG: u64 = 64;
        let long_ago = self.woken.checked_sub(LONG);
        let patient = long_ago.and_then(|since| self.threads.range(..=(since, u64::MAX)).next_back());
        let place = *patient.or_else(|| self.threads.last_key_value())?.0;
        self.woken += 1;
        self.threads.remove(&place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_fall_asleep_watches_unless_somebody_has_waited_for_long() {
        let mut sleepers = Sleepers::default();
        sleepers.add("first");
        for _ in 0..64 {
            let place = sleepers.add("awake again");
            sleepers.add("last");
            sleepers.remove(place);
            assert_eq!(sleepers.pop(), Some("last"));
        }
        sleepers.add("late");
        assert_eq!(sleepers.pop(), Some("first"), "it is patient");
        assert_eq!(sleepers.pop(), Some("late"));
        assert_eq!(sleepers.pop(), None);
    }

    #[test]
    fn of_those_that_have_waited_for_long_the_last_watches() {
        let mut sleepers = Sleepers::default();
        sleepers.add("first");
        sleepers.add("second");
        for _ in 0..64 {
            sleepers.add("late");
            assert_eq!(sleepers.pop(), Some("late"));
        }
        sleepers.add("late");
        assert_eq!([(); 3].map(|()| sleepers.pop()), ["second", "first", "late"].map(Some));
    }
}
