//! Ranges of a sorted set: of scores, of members in the order of their bytes, of ranks.

use alloc::vec::Vec;
use core::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::command::{Arg, ArgSink, ArgSlot, Args, Double};

/// The scores from one to another, as any range of Rust: `1.0..5.0` leaves 5 out, `1.0..=5.0` has it, `..` is
/// all of them. Where the lower one is to be left out, write a pair of [`Bound`]s.
///
/// Scores are doubles: integers above 2^53 lose their last digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    min: Bound<f64>,
    max: Bound<f64>,
}

impl ScoreRange {
    fn new<S: Copy + Into<f64>>(range: &impl RangeBounds<S>) -> Self {
        let bound = |bound: Bound<&S>| bound.map(|score| (*score).into());
        Self { min: bound(range.start_bound()), max: bound(range.end_bound()) }
    }

    pub(super) const fn min(self) -> impl Arg {
        ScoreBound(self.min, "-inf")
    }

    pub(super) const fn max(self) -> impl Arg {
        ScoreBound(self.max, "inf")
    }
}

impl Args for ScoreRange {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.min()).arg(self.max());
    }
}

/// One end of a range of scores, and how to say that it has none.
struct ScoreBound(Bound<f64>, &'static str);

impl Arg for ScoreBound {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self.0 {
            Bound::Included(score) => out.double(score),
            Bound::Excluded(score) => out.display(format_args!("({}", Double(score))),
            Bound::Unbounded => out.bytes(self.1.as_bytes()),
        }
    }
}

/// The members from one to another in the order of their bytes, as any range of Rust: `"a".."c"` leaves `c`
/// out, `"a"..="c"` has it, `..` is all of them.
///
/// The order is that of members of the same score; where scores differ the server's reply means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexRange {
    min: Bound<Vec<u8>>,
    max: Bound<Vec<u8>>,
}

impl LexRange {
    fn new<B: AsRef<[u8]>>(range: &impl RangeBounds<B>) -> Self {
        let bound = |bound: Bound<&B>| bound.map(|member| member.as_ref().to_vec());
        Self { min: bound(range.start_bound()), max: bound(range.end_bound()) }
    }

    pub(super) const fn min(&self) -> impl Arg {
        LexBound(&self.min, b"-")
    }

    pub(super) const fn max(&self) -> impl Arg {
        LexBound(&self.max, b"+")
    }
}

impl Args for LexRange {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.min()).arg(self.max());
    }
}

/// One end of a range of members, and how to say that it has none.
struct LexBound<'a>(&'a Bound<Vec<u8>>, &'static [u8; 1]);

impl Arg for LexBound<'_> {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self.0 {
            Bound::Included(member) => out.bytes(&[b"[", &member[..]].concat()),
            Bound::Excluded(member) => out.bytes(&[b"(", &member[..]].concat()),
            Bound::Unbounded => out.bytes(self.1),
        }
    }
}

/// Rust's ranges that have bounds.
macro_rules! from_ranges {
    ($($range:ident),+) => { $(
        impl<S: Copy + Into<f64>> From<$range<S>> for ScoreRange {
            fn from(range: $range<S>) -> Self {
                Self::new(&range)
            }
        }

        impl<B: AsRef<[u8]>> From<$range<B>> for LexRange {
            fn from(range: $range<B>) -> Self {
                Self::new(&range)
            }
        }
    )+ };
}

from_ranges!(Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive);

impl<S: Copy + Into<f64>> From<(Bound<S>, Bound<S>)> for ScoreRange {
    fn from(range: (Bound<S>, Bound<S>)) -> Self {
        Self::new(&range)
    }
}

impl<B: AsRef<[u8]>> From<(Bound<B>, Bound<B>)> for LexRange {
    fn from(range: (Bound<B>, Bound<B>)) -> Self {
        Self::new(&range)
    }
}

impl From<RangeFull> for ScoreRange {
    fn from(_: RangeFull) -> Self {
        Self { min: Bound::Unbounded, max: Bound::Unbounded }
    }
}

impl From<RangeFull> for LexRange {
    fn from(_: RangeFull) -> Self {
        Self { min: Bound::Unbounded, max: Bound::Unbounded }
    }
}

/// Members of a sorted set that lie together: [`ByRank`], [`ByScore`] or [`ByLex`].
pub trait MemberRange: Args {}

/// Members that lie together, of which scores can be had as well: [`ByRank`] or [`ByScore`].
pub trait ScoredRange: MemberRange {}

impl MemberRange for ByRank {}
impl MemberRange for ByScore {}
impl MemberRange for ByLex {}
impl ScoredRange for ByRank {}
impl ScoredRange for ByScore {}

/// Members by rank: 0 has the lowest score, -1 the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ByRank {
    start: i64,
    stop: i64,
    reversed: bool,
}

impl ByRank {
    /// The ranks from `start` to `stop`, both included: 0 to -1 is all.
    pub const fn new(start: i64, stop: i64) -> Self {
        Self { start, stop, reversed: false }
    }

    /// Counts from the highest score, and goes down from there (`REV`).
    pub const fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }
}

impl Args for ByRank {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.start).arg(self.stop).args(self.reversed.then_some("REV"));
    }
}

/// Members by score, from the lowest up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ByScore {
    scores: ScoreRange,
    order: Order,
}

impl ByScore {
    /// The members with a score in the range.
    pub fn new(scores: impl Into<ScoreRange>) -> Self {
        Self { scores: scores.into(), order: Order::FORWARD }
    }

    /// From the highest score down (`REV`).
    pub const fn reversed(mut self) -> Self {
        self.order.reversed = true;
        self
    }

    /// Leaves out the first `offset` members and takes up to `count` (`LIMIT`).
    pub const fn limit(mut self, offset: u64, count: u64) -> Self {
        self.order.limit = Some((offset, count));
        self
    }
}

impl Args for ByScore {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        self.order.write_to(out, "BYSCORE", self.scores.min(), self.scores.max());
    }
}

/// Members in the order of their bytes. All members must have the same score.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ByLex {
    members: LexRange,
    order: Order,
}

impl ByLex {
    /// The members in the range.
    pub fn new(members: impl Into<LexRange>) -> Self {
        Self { members: members.into(), order: Order::FORWARD }
    }

    /// From the last member back (`REV`).
    pub const fn reversed(mut self) -> Self {
        self.order.reversed = true;
        self
    }

    /// Leaves out the first `offset` members and takes up to `count` (`LIMIT`).
    pub const fn limit(mut self, offset: u64, count: u64) -> Self {
        self.order.limit = Some((offset, count));
        self
    }
}

impl Args for ByLex {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        self.order.write_to(out, "BYLEX", self.members.min(), self.members.max());
    }
}

/// Which way round a range goes, and which part of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    reversed: bool,
    limit: Option<(u64, u64)>,
}

impl Order {
    const FORWARD: Self = Self { reversed: false, limit: None };

    /// Servers want the bounds in the order of the reply: reversed, the higher one comes first.
    fn write_to(self, out: &mut ArgSink<'_>, by: &str, min: impl Arg, max: impl Arg) {
        if self.reversed {
            out.arg(max).arg(min).arg(by).arg("REV");
        } else {
            out.arg(min).arg(max).arg(by);
        }
        out.args(limit_args(self.limit));
    }
}

/// How to leave out the first members of a range, and take up to so many of the others.
pub(super) fn limit_args(limit: Option<(u64, u64)>) -> Option<impl Args> {
    limit.map(|(offset, count)| ("LIMIT", offset, count))
}
