//! The ids of entries, and ranges of them.

use core::fmt;
use core::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};
use core::str::FromStr;

use crate::command::{Arg, ArgSink, ArgSlot, Args, FromReply, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// The id of an entry: a unix time in milliseconds, and a number that tells entries of the same one apart.
///
/// Written as `1526919030474-55`; a text without the number means 0.
///
/// ```
/// use redstart_core::commands::StreamId;
///
/// let id: StreamId = "1526919030474-55".parse()?;
/// assert_eq!(id, StreamId::new(1_526_919_030_474, 55));
/// assert!(StreamId::MIN < id && id < id.next());
/// # Ok::<(), redstart_core::error::ConversionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Milliseconds since 1970-01-01 UTC by the server's clock, unless the id was given by a client.
    pub millis: u64,
    /// The number among those of the same millisecond.
    pub sequence: u64,
}

impl StreamId {
    /// `0-0`, which no entry has: all entries are after it.
    pub const MIN: Self = Self::new(0, 0);
    /// The greatest id.
    pub const MAX: Self = Self::new(u64::MAX, u64::MAX);

    /// The id `millis-sequence`.
    #[must_use]
    pub const fn new(millis: u64, sequence: u64) -> Self {
        Self { millis, sequence }
    }

    /// The first id that is greater; [`MAX`](Self::MAX) has none and stays.
    #[must_use]
    pub const fn next(self) -> Self {
        match (self.sequence.checked_add(1), self.millis.checked_add(1)) {
            (Some(sequence), _) => Self::new(self.millis, sequence),
            (None, Some(millis)) => Self::new(millis, 0),
            (None, None) => self,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once('-') {
            Some((millis, sequence)) => Some(Self::new(millis.parse().ok()?, sequence.parse().ok()?)),
            None => Some(Self::new(text.parse().ok()?, 0)),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

impl FromStr for StreamId {
    type Err = ConversionError;

    fn from_str(text: &str) -> Result<Self, ConversionError> {
        let got = || alloc::format!("a text of {} bytes", text.len());
        Self::parse(text).ok_or_else(|| ConversionError::Unexpected { expected: EXPECTED.into(), got: got() })
    }
}

const EXPECTED: &str = "the id of an entry";

impl Arg for StreamId {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.display(self);
    }
}

impl Args for StreamId {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }

    fn count(&self) -> usize {
        1
    }
}

impl FromReply for StreamId {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text(EXPECTED, item)?;
        let id = core::str::from_utf8(&bytes).ok().and_then(Self::parse);
        id.ok_or_else(|| unexpected(EXPECTED, item))
    }
}

/// The entries from one id to another, as any range of Rust: `a..b` leaves `b` out, `a..=b` has it, `..` is all of
/// them. Where the first one is to be left out, write a pair of [`Bound`]s.
///
/// Leaving an end out needs Redis 6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct StreamRange {
    start: Bound<StreamId>,
    end: Bound<StreamId>,
    count: Option<u64>,
}

impl StreamRange {
    /// The entries in a range, such as `id..` or `..`.
    pub fn new(ids: impl Into<Self>) -> Self {
        ids.into()
    }

    /// The entries after `id`, itself left out.
    pub const fn after(id: StreamId) -> Self {
        Self { start: Bound::Excluded(id), end: Bound::Unbounded, count: None }
    }

    /// At most so many of them, the first ones in the order of the command (`COUNT`).
    pub const fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    fn of(range: &impl RangeBounds<StreamId>) -> Self {
        Self { start: range.start_bound().cloned(), end: range.end_bound().cloned(), count: None }
    }

    pub(super) const fn start(self) -> impl Arg {
        IdBound(self.start, b"-")
    }

    pub(super) const fn end(self) -> impl Arg {
        IdBound(self.end, b"+")
    }

    pub(super) fn limit(self) -> Option<impl Args> {
        self.count.map(|count| ("COUNT", count))
    }
}

/// One end of a range, and how to say that it has none.
struct IdBound(Bound<StreamId>, &'static [u8; 1]);

impl Arg for IdBound {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self.0 {
            Bound::Included(id) => out.display(id),
            Bound::Excluded(id) => out.display(format_args!("({id}")),
            Bound::Unbounded => out.bytes(self.1),
        }
    }
}

/// Rust's ranges that have bounds.
macro_rules! from_ranges {
    ($($range:ident),+) => { $(
        impl From<$range<StreamId>> for StreamRange {
            fn from(range: $range<StreamId>) -> Self {
                Self::of(&range)
            }
        }
    )+ };
}

from_ranges!(Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive);

impl From<(Bound<StreamId>, Bound<StreamId>)> for StreamRange {
    fn from(range: (Bound<StreamId>, Bound<StreamId>)) -> Self {
        Self::of(&range)
    }
}

impl From<RangeFull> for StreamRange {
    fn from(range: RangeFull) -> Self {
        Self::of(&range)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn ids_as_texts() {
        let table = [
            ("0-0", Some(StreamId::MIN)),
            ("7", Some(StreamId::new(7, 0))),
            ("18446744073709551615-18446744073709551615", Some(StreamId::MAX)),
            ("18446744073709551616-0", None),
            ("7-", None),
            ("-7", None),
            ("7-1-1", None),
            ("", None),
            ("*", None),
        ];
        for (text, id) in table {
            assert_eq!(text.parse().ok(), id, "{text:?}");
        }
        assert_eq!(StreamId::new(7, 3).to_string(), "7-3");
        let refused = "secret".parse::<StreamId>().expect_err("no id").to_string();
        assert_eq!(refused, "expected the id of an entry, got a text of 6 bytes");
    }

    #[test]
    fn the_next_id() {
        assert_eq!(StreamId::new(7, 3).next(), StreamId::new(7, 4));
        assert_eq!(StreamId::new(7, u64::MAX).next(), StreamId::new(8, 0));
        assert_eq!(StreamId::MAX.next(), StreamId::MAX);
    }
}
