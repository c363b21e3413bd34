//! Conversions from the standard library's time, which the machines do not know.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::UnixTime;

impl From<SystemTime> for UnixTime {
    /// Rounded up to a millisecond; 1970 for what lies before.
    fn from(time: SystemTime) -> Self {
        let millis = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos().div_ceil(1_000_000));
        Self::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn system_times() {
        assert_eq!(UnixTime::from(UNIX_EPOCH + Duration::from_micros(1_500)), UnixTime::from_millis(2));
        assert_eq!(UnixTime::from(UNIX_EPOCH - Duration::from_secs(1)), UnixTime::from_millis(0));
    }
}
