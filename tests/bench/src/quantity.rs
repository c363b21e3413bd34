//! What is measured of a contender, and what is asked of Redstart.

use std::collections::BTreeMap;

use crate::rows::Row;

/// Of one operation, but for [`PerSecond`](Self::PerSecond) and [`Resident`](Self::Resident).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantity {
    /// User and system time of the client's process, in nanoseconds.
    Cpu,
    /// Nanoseconds by the clock.
    Wall,
    /// Operations per second.
    PerSecond,
    Allocations,
    /// Bytes allocated.
    Bytes,
    SystemCalls,
    /// Kilobytes that are resident besides those of before, at the most or in the end.
    Resident,
}

impl Quantity {
    pub fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU ns per operation",
            Self::Wall => "Time per operation, ns",
            Self::PerSecond => "Thousand operations per second",
            Self::Allocations => "Allocations per operation",
            Self::Bytes => "Bytes allocated per operation",
            Self::SystemCalls => "System calls per operation",
            Self::Resident => "Resident memory, KiB",
        }
    }

    pub fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => number(value / 1000.0),
            // A sample has a few allocations of its own.
            Self::Allocations if (value - value.round()).abs() < 0.05 => format!("{value:.0}"),
            Self::SystemCalls if value < 1.0 => format!("{value:.3}"),
            Self::Allocations | Self::SystemCalls => format!("{value:.1}"),
            _ => number(value),
        }
    }
}

/// Whole numbers with separators, or one decimal below 20.
fn number(value: f64) -> String {
    if value < 20.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was found for one contender in one row.
#[derive(Clone, Debug)]
pub struct Figures {
    pub name: &'static str,
    pub values: BTreeMap<Quantity, f64>,
    /// (largest - smallest) / median of the CPU times.
    pub spread: f64,
}

impl Figures {
    pub fn get(&self, quantity: Quantity) -> Option<f64> {
        self.values.get(&quantity).copied()
    }
}

/// What a figure of Redstart's is compared with.
#[derive(Clone, Copy)]
pub enum Than {
    Floor(&'static str),
    /// The best of the clients that somebody else has written.
    BestPeer,
    /// A number.
    Fixed,
}

/// A bound on a figure of Redstart's: so many times that of another.
#[derive(Clone, Copy)]
pub struct Goal {
    pub who: &'static str,
    pub what: Quantity,
    pub than: Than,
    pub factor: f64,
}

/// How a goal was met or missed.
pub struct Verdict {
    pub goal: String,
    pub found: String,
    pub met: bool,
}

impl Goal {
    /// `None` if one of the two was not measured.
    pub fn judge(&self, row: &Row) -> Option<Verdict> {
        let mine = row.of(self.who)?.get(self.what)?;
        let (base, name) = match self.than {
            Than::Floor(floor) => (row.of(floor)?.get(self.what)?, format!(" x {floor}")),
            Than::BestPeer => {
                let (peer, best) = row.best_peer(self.what)?;
                (best, format!(" x the best peer ({peer})"))
            }
            Than::Fixed => (1.0, String::new()),
        };
        let (ratio, more_is_better) = (mine / base, self.what == Quantity::PerSecond);
        let met = if more_is_better { ratio >= self.factor } else { ratio <= self.factor };
        let sign = if more_is_better { "at least" } else { "at most" };
        let shown = |value: f64| match self.than {
            Than::Fixed => self.what.show(value),
            _ => format!("{value:.2}"),
        };
        Some(Verdict {
            goal: format!("{}: {}, {sign} {}{name}", self.who, self.what.title(), shown(self.factor)),
            found: shown(ratio),
            // A few allocations of the sample's own are not an operation's.
            met: met || (self.what == Quantity::Allocations && ratio <= self.factor + 0.05),
        })
    }
}
