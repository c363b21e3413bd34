//! Which bits are looked at, and how bitmaps are joined.

use crate::command::{ArgSink, Args, FromReply, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A part of a bitmap from a first to a last place, both included, counted from 0 or back from -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitRange {
    start: i64,
    end: i64,
    bits: bool,
}

impl BitRange {
    /// Counts in bytes.
    #[must_use]
    pub const fn bytes(start: i64, end: i64) -> Self {
        Self { start, end, bits: false }
    }

    /// Counts in bits (`BIT`, since 7.0.0).
    #[must_use]
    pub const fn bits(start: i64, end: i64) -> Self {
        Self { start, end, bits: true }
    }
}

impl Args for BitRange {
    /// Bytes go without their unit, which servers before 7.0.0 do not know.
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.start).arg(self.end).args(self.bits.then_some("BIT"));
    }
}

/// Where a bit is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BitSearch {
    /// From this byte on. A value without a clear bit goes on with clear bits after its end.
    From(i64),
    /// Nowhere else than in this range.
    In(BitRange),
}

impl Args for BitSearch {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::From(start) => out.arg(start),
            Self::In(range) => out.args(range),
        };
    }
}

/// Where a bit was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitPosition {
    /// Nowhere.
    Nowhere,
    /// This many bits after the start of the value.
    At(u64),
}

impl BitPosition {
    /// The place, if there is one.
    #[must_use]
    pub const fn at(self) -> Option<u64> {
        match self {
            Self::At(offset) => Some(offset),
            Self::Nowhere => None,
        }
    }
}

impl FromReply for BitPosition {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match i64::from_reply(item)? {
            -1 => Ok(Self::Nowhere),
            offset => u64::try_from(offset).map(Self::At).map_err(|_| unexpected("an offset or -1", item)),
        }
    }
}

/// How bitmaps become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BitOp {
    /// Bits set in all sources.
    And,
    /// Bits set in any source.
    Or,
    /// Bits set in an odd number of sources.
    Xor,
    /// Bits clear in the source; takes exactly one.
    Not,
    /// Bits set in the first source and in none of the others (since 8.2.0); takes at least two.
    Diff,
    /// Bits clear in the first source and set in any of the others (since 8.2.0); takes at least two.
    Diff1,
    /// Bits set in the first source and in any of the others (since 8.2.0); takes at least two.
    AndOr,
    /// Bits set in exactly one source (since 8.2.0).
    One,
}

impl Args for BitOp {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::And => "AND",
            Self::Or => "OR",
            Self::Xor => "XOR",
            Self::Not => "NOT",
            Self::Diff => "DIFF",
            Self::Diff1 => "DIFF1",
            Self::AndOr => "ANDOR",
            Self::One => "ONE",
        });
    }
}
