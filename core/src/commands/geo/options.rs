//! The options of adding, searching and storing.

use crate::command::{ArgSink, Args};

/// Choices for adding members: unconditionally, counting those that are new.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct GeoaddOptions {
    condition: Option<Condition>,
    count_changed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Absent,
    Present,
}

impl GeoaddOptions {
    /// No condition, and the reply counts new members.
    pub const fn new() -> Self {
        Self { condition: None, count_changed: false }
    }

    /// Only members that are new (`NX`).
    pub const fn if_absent(mut self) -> Self {
        self.condition = Some(Condition::Absent);
        self
    }

    /// Only members that are there (`XX`).
    pub const fn if_present(mut self) -> Self {
        self.condition = Some(Condition::Present);
        self
    }

    /// The reply counts members that move as well as new ones (`CH`).
    pub const fn count_changed(mut self) -> Self {
        self.count_changed = true;
        self
    }
}

impl Args for GeoaddOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self.condition {
            Some(Condition::Absent) => out.arg("NX"),
            Some(Condition::Present) => out.arg("XX"),
            None => out,
        };
        out.args(self.count_changed.then_some("CH"));
    }
}

/// Choices for a search: all members of the area in no order, unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct GeoSearchOptions {
    order: Option<Order>,
    count: Option<Count>,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    NearestFirst,
    FarthestFirst,
}

#[derive(Clone, Copy, Debug)]
enum Count {
    Nearest(u64),
    Any(u64),
}

impl GeoSearchOptions {
    /// All members of the area, in no order.
    pub const fn new() -> Self {
        Self { order: None, count: None }
    }

    /// From the nearest to the farthest (`ASC`).
    pub const fn nearest_first(mut self) -> Self {
        self.order = Some(Order::NearestFirst);
        self
    }

    /// From the farthest to the nearest (`DESC`).
    pub const fn farthest_first(mut self) -> Self {
        self.order = Some(Order::FarthestFirst);
        self
    }

    /// Only the `count` nearest members, or the farthest if they come first (`COUNT`). It saves replies,
    /// not work: all members of the area are looked at. 0 is an error.
    pub const fn count(mut self, count: u64) -> Self {
        self.count = Some(Count::Nearest(count));
        self
    }

    /// Only the first `count` members that are found, wherever they are (`COUNT` with `ANY`).
    pub const fn count_any(mut self, count: u64) -> Self {
        self.count = Some(Count::Any(count));
        self
    }
}

impl Args for GeoSearchOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self.order {
            Some(Order::NearestFirst) => out.arg("ASC"),
            Some(Order::FarthestFirst) => out.arg("DESC"),
            None => out,
        };
        match self.count {
            Some(Count::Nearest(count)) => out.arg("COUNT").arg(count),
            Some(Count::Any(count)) => out.arg("COUNT").arg(count).arg("ANY"),
            None => out,
        };
    }
}

/// What to say of each member that a search finds.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct GeoDetails {
    point: bool,
    distance: bool,
    hash: bool,
}

impl GeoDetails {
    /// Nothing but the member.
    pub const fn new() -> Self {
        Self { point: false, distance: false, hash: false }
    }

    /// Where it is (`WITHCOORD`).
    pub const fn point(mut self) -> Self {
        self.point = true;
        self
    }

    /// How far it is from the middle, in the unit of the search (`WITHDIST`).
    pub const fn distance(mut self) -> Self {
        self.distance = true;
        self
    }

    /// Its score as a number (`WITHHASH`).
    pub const fn hash(mut self) -> Self {
        self.hash = true;
        self
    }
}

impl Args for GeoDetails {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.point.then_some("WITHCOORD"));
        out.args(self.distance.then_some("WITHDIST"));
        out.args(self.hash.then_some("WITHHASH"));
    }
}

/// What becomes the score of a member that a search stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeoScore {
    /// Its place: what is stored can be searched in turn.
    Place,
    /// Its distance from the middle, in the unit of the search (`STOREDIST`).
    Distance,
}
