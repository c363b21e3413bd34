//! Times as arguments: spans in whole milliseconds or seconds, and points in time as unix times.

use core::time::Duration;

use super::args::{Arg, ArgSink, ArgSlot, Args};

/// A point in time as servers take it: milliseconds since 1970-01-01 UTC.
///
/// It is the server's clock that it is compared with, not this machine's.
///
/// ```
/// use redstart_core::command::UnixTime;
///
/// assert_eq!(UnixTime::from_secs(2), UnixTime::from_millis(2_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The time that lies `secs` seconds after 1970.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// The time that lies `millis` milliseconds after 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Seconds since 1970; a part of a second counts as a whole one, so that nothing ends early.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0.div_ceil(1_000)
    }
}

/// As milliseconds.
impl Arg for UnixTime {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.integer(self.0);
    }
}

impl Args for UnixTime {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }

    fn count(&self) -> usize {
        1
    }
}

/// `span` in milliseconds, rounded up: no span but zero becomes zero.
pub(crate) fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// `span` in seconds, rounded up: no span but zero becomes zero.
pub(crate) const fn whole_secs(span: Duration) -> u64 {
    span.as_secs().saturating_add(if span.subsec_nanos() > 0 { 1 } else { 0 })
}

/// `time` in milliseconds, rounded up, as servers take the time that a command waits: 0 is for ever. What has no
/// room in 32 bits, seven weeks, is as good as for ever.
pub(crate) fn block_millis(time: Duration) -> u32 {
    u32::try_from(whole_millis(time)).unwrap_or(0)
}

/// The time that a command waits, for those that take it in seconds; they read fractions.
pub(crate) struct BlockSecs(pub(crate) Duration);

impl Arg for BlockSecs {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.double(f64::from(block_millis(self.0)) / 1_000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;

    #[test]
    fn spans_are_rounded_up() {
        let nano = Duration::from_nanos(1);
        let table = [
            (Duration::ZERO, 0, 0),
            (nano, 1, 1),
            (Duration::from_millis(1), 1, 1),
            (Duration::from_millis(1) + nano, 2, 1),
            (Duration::from_secs(1), 1_000, 1),
            (Duration::from_millis(1_001), 1_001, 2),
            (Duration::MAX, u64::MAX, u64::MAX),
        ];
        for (span, millis, secs) in table {
            assert_eq!((whole_millis(span), whole_secs(span)), (millis, secs), "{span:?}");
        }
    }

    #[test]
    fn block_times_are_rounded_up_and_end_in_for_ever() {
        let (nano, longest) = (Duration::from_nanos(1), Duration::from_millis(u32::MAX.into()));
        let table = [
            (Duration::ZERO, 0, "0"),
            (nano, 1, "0.001"),
            (Duration::from_millis(1_500), 1_500, "1.5"),
            (Duration::from_secs(60), 60_000, "60"),
            (longest, u32::MAX, "4294967.295"),
            (longest + nano, 0, "0"),
            (Duration::MAX, 0, "0"),
        ];
        for (time, millis, secs) in table {
            assert_eq!(block_millis(time), millis, "{time:?}");
            let command = Command::<()>::new("X").arg(BlockSecs(time)).blocking(time);
            assert_eq!(command.packed().args().last().as_deref(), Some(secs.as_bytes()), "{time:?}");
            let block_time = if millis == 0 { Duration::MAX } else { Duration::from_millis(millis.into()) };
            assert_eq!(command.packed().block_time(), Some(block_time), "{time:?}");
        }
        assert_eq!(Command::<()>::new("X").packed().block_time(), None);
    }

    #[test]
    fn unix_times() {
        assert_eq!(UnixTime::from_millis(1_001).as_secs(), 2);
        assert_eq!(UnixTime::from_secs(u64::MAX), UnixTime::from_millis(u64::MAX));
    }
}
