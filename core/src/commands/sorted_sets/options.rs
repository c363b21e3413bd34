//! The options of adding, popping and combining.

use alloc::vec::Vec;

use crate::command::{Arg, ArgSink, ArgSlot, Args};

/// Under which condition a member gets its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZaddIf {
    /// Only if the member is new (`NX`).
    Absent,
    /// Only if the member is there (`XX`).
    Present,
    /// Only if the member is new, or the score greater than the one it has (`GT`).
    Greater,
    /// Only if the member is new, or the score less than the one it has (`LT`).
    Less,
    /// Only if the member is there and the score greater than the one it has (`XX GT`).
    PresentAndGreater,
    /// Only if the member is there and the score less than the one it has (`XX LT`).
    PresentAndLess,
}

impl Args for ZaddIf {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Absent => out.arg("NX"),
            Self::Present => out.arg("XX"),
            Self::Greater => out.arg("GT"),
            Self::Less => out.arg("LT"),
            Self::PresentAndGreater => out.arg("XX").arg("GT"),
            Self::PresentAndLess => out.arg("XX").arg("LT"),
        };
    }
}

/// Choices for adding members: unconditionally, counting those that are new.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct ZaddOptions {
    condition: Option<ZaddIf>,
    count_changed: bool,
}

impl ZaddOptions {
    /// No condition, and the reply counts new members.
    pub const fn new() -> Self {
        Self { condition: None, count_changed: false }
    }

    /// Each member only under this condition.
    pub const fn only_if(mut self, condition: ZaddIf) -> Self {
        self.condition = Some(condition);
        self
    }

    /// The reply counts members whose score changes as well as new ones (`CH`).
    pub const fn count_changed(mut self) -> Self {
        self.count_changed = true;
        self
    }
}

impl Args for ZaddOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.condition).args(self.count_changed.then_some("CH"));
    }
}

/// An end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScoreEnd {
    /// The lowest scores (`MIN`).
    Lowest,
    /// The highest scores (`MAX`).
    Highest,
}

impl Arg for ScoreEnd {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::Lowest => b"MIN",
            Self::Highest => b"MAX",
        });
    }
}

/// Choices for combining sorted sets: each score as it is, and the sum where a member is in several.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CombineOptions {
    weights: Vec<f64>,
    aggregate: Option<Aggregate>,
}

#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Min,
    Max,
}

impl CombineOptions {
    /// The sum of unweighted scores.
    pub const fn new() -> Self {
        Self { weights: Vec::new(), aggregate: None }
    }

    /// Multiplies the scores of each key by its weight (`WEIGHTS`). As many as there are keys, or the
    /// server refuses.
    pub fn weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.weights = weights.into_iter().collect();
        self
    }

    /// The lowest of a member's scores instead of their sum (`AGGREGATE MIN`).
    pub const fn lowest(mut self) -> Self {
        self.aggregate = Some(Aggregate::Min);
        self
    }

    /// The highest of a member's scores instead of their sum (`AGGREGATE MAX`).
    pub const fn highest(mut self) -> Self {
        self.aggregate = Some(Aggregate::Max);
        self
    }
}

impl Args for CombineOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        if !self.weights.is_empty() {
            out.arg("WEIGHTS").args(&self.weights);
        }
        match self.aggregate {
            Some(Aggregate::Min) => out.args(("AGGREGATE", "MIN")),
            Some(Aggregate::Max) => out.args(("AGGREGATE", "MAX")),
            None => out,
        };
    }
}
