//! What keys and fields of hashes share: when they expire, and what servers say about it.

use core::time::Duration;

use crate::command::{ArgSink, Args, FromReply, UnixTime, unexpected, whole_millis};
use crate::error::ConversionError;
use crate::resp::Item;

/// When an expiry is set: depends on the one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpireIf {
    /// Only if there is no expiry (`NX`).
    NoExpiry,
    /// Only if there is an expiry (`XX`).
    HasExpiry,
    /// Only if it makes life longer (`GT`): never without an expiry, which counts as for ever.
    Later,
    /// Only if it makes life shorter (`LT`): always without an expiry.
    Sooner,
}

impl Args for ExpireIf {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::NoExpiry => "NX",
            Self::HasExpiry => "XX",
            Self::Later => "GT",
            Self::Sooner => "LT",
        });
    }
}

/// What reading a value does to its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpiryChange {
    /// It expires when this span is over, in whole milliseconds (`PX`).
    After(Duration),
    /// It expires at this time (`PXAT`).
    At(UnixTime),
    /// It does not expire any more (`PERSIST`).
    Remove,
}

impl Args for ExpiryChange {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match *self {
            Self::After(span) => out.arg("PX").arg(whole_millis(span)),
            Self::At(time) => out.arg("PXAT").arg(time),
            Self::Remove => out.arg("PERSIST"),
        };
    }
}

/// The expiry of a value that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) enum WriteExpiry {
    After(Duration),
    At(UnixTime),
    Keep,
}

impl Args for WriteExpiry {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match *self {
            Self::After(span) => out.arg("PX").arg(whole_millis(span)),
            Self::At(time) => out.arg("PXAT").arg(time),
            Self::Keep => out.arg("KEEPTTL"),
        };
    }
}

/// How long a key or a field has to live. The server counts in units of `UNIT_MILLIS` milliseconds, so
/// `Ttl<1000>` is rounded to a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ttl<const UNIT_MILLIS: u64> {
    /// There is no such key or field.
    Missing,
    /// It does not expire.
    NoExpiry,
    /// It expires when this is over.
    Left(Duration),
}

impl<const UNIT_MILLIS: u64> Ttl<UNIT_MILLIS> {
    /// What is left, if it expires at all.
    #[must_use]
    pub const fn left(self) -> Option<Duration> {
        match self {
            Self::Left(span) => Some(span),
            Self::Missing | Self::NoExpiry => None,
        }
    }
}

impl<const UNIT_MILLIS: u64> FromReply for Ttl<UNIT_MILLIS> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Ok(match read_time::<UNIT_MILLIS>(item)? {
            Time::Missing => Self::Missing,
            Time::NoExpiry => Self::NoExpiry,
            Time::Millis(millis) => Self::Left(Duration::from_millis(millis)),
        })
    }
}

/// When a key or a field expires. The server counts in units of `UNIT_MILLIS` milliseconds, so
/// `ExpireTime<1000>` is rounded to a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpireTime<const UNIT_MILLIS: u64> {
    /// There is no such key or field.
    Missing,
    /// It does not expire.
    NoExpiry,
    /// It expires at this time.
    At(UnixTime),
}

impl<const UNIT_MILLIS: u64> ExpireTime<UNIT_MILLIS> {
    /// The time, if it expires at all.
    #[must_use]
    pub const fn at(self) -> Option<UnixTime> {
        match self {
            Self::At(time) => Some(time),
            Self::Missing | Self::NoExpiry => None,
        }
    }
}

impl<const UNIT_MILLIS: u64> FromReply for ExpireTime<UNIT_MILLIS> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Ok(match read_time::<UNIT_MILLIS>(item)? {
            Time::Missing => Self::Missing,
            Time::NoExpiry => Self::NoExpiry,
            Time::Millis(millis) => Self::At(UnixTime::from_millis(millis)),
        })
    }
}

enum Time {
    Missing,
    NoExpiry,
    Millis(u64),
}

fn read_time<const UNIT_MILLIS: u64>(item: Item<'_>) -> Result<Time, ConversionError> {
    Ok(match i64::from_reply(item)? {
        -2 => Time::Missing,
        -1 => Time::NoExpiry,
        units => {
            let units = u64::try_from(units).map_err(|_| unexpected("a time, -1 or -2", item))?;
            Time::Millis(units.saturating_mul(UNIT_MILLIS))
        }
    })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read<T: FromReply>(wire: &str) -> Result<T, ConversionError> {
        let mut bytes = BytesMut::from(wire.as_bytes());
        let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
        T::from_reply(frame.item())
    }

    #[test]
    fn times_have_their_unit_in_the_type() {
        assert_eq!(read(":-2\r\n"), Ok(Ttl::<1>::Missing));
        assert_eq!(read(":-1\r\n"), Ok(Ttl::<1000>::NoExpiry));
        assert_eq!(read(":7\r\n"), Ok(Ttl::<1>::Left(Duration::from_millis(7))));
        assert_eq!(read(":7\r\n"), Ok(Ttl::<1000>::Left(Duration::from_secs(7))));
        assert_eq!(read(":-1\r\n"), Ok(ExpireTime::<1>::NoExpiry));
        assert_eq!(read(":7\r\n"), Ok(ExpireTime::<1000>::At(UnixTime::from_secs(7))));
        assert_eq!(
            read(":9223372036854775807\r\n"),
            Ok(ExpireTime::<1000>::At(UnixTime::from_millis(u64::MAX)))
        );
        assert!(read::<Ttl<1>>(":-3\r\n").is_err());
        assert!(read::<Ttl<1>>("$-1\r\n").is_err());
    }
}
