//! Time as the machines see it: an argument, never a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time, in nanoseconds since an origin that the driver picks.
///
/// Two instants are comparable only if they come from the same driver. Arithmetic saturates, so a far
/// deadline stays far instead of wrapping round into the past.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The driver's origin.
    pub const ORIGIN: Self = Self(0);
    /// Later than every instant that a driver reaches: the deadline of what may wait for ever.
    pub const FAR: Self = Self(u64::MAX);

    /// The instant that lies `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was, or zero if it lies ahead.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        let nanos = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let second = Duration::from_secs(1);
        assert_eq!(Instant::ORIGIN + second, Instant::from_nanos(1_000_000_000));
        assert_eq!(Instant::FAR + second, Instant::FAR);
        assert_eq!(Instant::ORIGIN - Instant::FAR, Duration::ZERO);
        assert_eq!((Instant::ORIGIN + second) - Instant::ORIGIN, second);
        assert_eq!(Instant::ORIGIN + Duration::MAX, Instant::FAR);
    }
}
