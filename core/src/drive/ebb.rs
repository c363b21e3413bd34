//! When the memory that a burst has taken is given back.

use core::time::Duration;

use crate::time::Instant;

/// So long after something has moved, buffers are cut down to what is in them, and they are every so often while
/// things move. To make them anew for those who are still busy costs next to nothing once in so long.
const PERIOD: Duration = Duration::from_secs(2);

/// The time for that. Nothing wakes a client that has nothing to give back.
#[derive(Debug)]
pub(super) struct Ebb {
    at: Instant,
}

impl Default for Ebb {
    fn default() -> Self {
        Self { at: Instant::FAR }
    }
}

impl Ebb {
    /// Notes whether something has moved since the last time, if that is not known yet.
    #[inline]
    pub(super) fn note(&mut self, now: Instant, has_moved: impl FnOnce() -> bool) {
        if self.at == Instant::FAR && has_moved() {
            self.at = now + PERIOD;
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
            self.at = Instant::FAR;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_time_comes_once_after_what_has_moved() {
        let (mut ebb, start) = (Ebb::default(), Instant::ORIGIN + PERIOD);
        assert!(!ebb.is_due(start));
        ebb.note(start, || false);
        assert_eq!(ebb.poll_timeout(), Instant::FAR, "a client that does nothing is woken for nothing");
        ebb.note(start, || true);
        ebb.note(start + PERIOD / 2, || true);
        assert_eq!(ebb.poll_timeout(), start + PERIOD, "who is busy puts it off");
        assert!(!ebb.is_due(start + PERIOD / 2));
        assert!(ebb.is_due(start + PERIOD));
        assert!(!ebb.is_due(start + PERIOD), "it has come twice");
    }
}
