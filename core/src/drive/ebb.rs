//! When the memory that a burst has taken is given back.

use core::time::Duration;

use crate::time::Instant;

/// So long after something has moved, buffers are cut down to what is in them, and they are every so often while
/// things move. To make them anew for those who are still busy costs next to nothing once in so long.
const PERIOD: Duration = Duration::from_secs(2);
/// So many requests at once are a burst.
const BURST: usize = 128;
/// So long after a burst has been answered, its memory is given back: before other clients have bursts of their own,
/// which then use the same memory.
const SOON: Duration = Duration::from_millis(10);

/// The time for that. Nothing wakes a client that has nothing to give back.
#[derive(Debug)]
pub(super) struct Ebb {
    at: Instant,
    /// The most requests that were taken at once since the last time.
    most: usize,
}

impl Default for Ebb {
    fn default() -> Self {
        Self { at: Instant::FAR, most: 0 }
    }
}

impl Ebb {
    /// So many requests were taken at once.
    #[inline]
    pub(super) fn take(&mut self, requests: usize) {
        self.most = self.most.max(requests);
    }

    /// The driver has nothing to do at the moment. Memory is held for what was taken, and perhaps because a buffer
    /// `is_large`; `is_idle` says whether all is answered.
    #[inline]
    pub(super) fn rest(
        &mut self,
        now: Instant,
        is_large: impl FnOnce() -> bool,
        is_idle: impl FnOnce() -> bool,
    ) {
        if self.at == Instant::FAR && (self.most > 0 || is_large()) {
            self.at = now + PERIOD;
        }
        if self.most >= BURST && self.at > now + SOON && is_idle() {
            self.at = now + SOON;
        }
    }

    pub(super) const fn poll_timeout(&self) -> Instant {
        self.at
    }

    /// Whether it is time; then the next time comes after something has moved again.
    #[inline]
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.at;
        if is_due {
            *self = Self::default();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::ORIGIN;

    #[test]
    fn its_time_comes_once_after_what_has_moved() {
        let mut ebb = Ebb::default();
        assert!(!ebb.is_due(START));
        ebb.rest(START, || false, || true);
        assert_eq!(ebb.poll_timeout(), Instant::FAR, "a client that does nothing is woken for nothing");
        ebb.take(1);
        ebb.rest(START, || false, || true);
        ebb.take(1);
        ebb.rest(START + PERIOD / 2, || false, || true);
        assert_eq!(ebb.poll_timeout(), START + PERIOD, "who is busy puts it off");
        assert!(!ebb.is_due(START + PERIOD / 2));
        assert!(ebb.is_due(START + PERIOD));
        assert!(!ebb.is_due(START + PERIOD), "it has come twice");
    }

    #[test]
    fn a_large_buffer_is_reason_enough() {
        let mut ebb = Ebb::default();
        ebb.rest(START, || true, || true);
        assert_eq!(ebb.poll_timeout(), START + PERIOD);
    }

    #[test]
    fn a_burst_is_over_soon_after_it_was_answered() {
        let mut ebb = Ebb::default();
        ebb.take(BURST);
        ebb.rest(START, || false, || false);
        assert_eq!(ebb.poll_timeout(), START + PERIOD, "it is under way");
        ebb.take(1);
        ebb.rest(START + SOON, || false, || true);
        assert_eq!(ebb.poll_timeout(), START + SOON * 2);
        assert!(ebb.is_due(START + SOON * 2));
        ebb.take(1);
        ebb.rest(START + PERIOD, || false, || true);
        assert_eq!(ebb.poll_timeout(), START + PERIOD * 2, "one call is no burst");
    }
}
