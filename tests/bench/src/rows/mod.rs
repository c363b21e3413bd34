//! What is measured.

pub mod decode;
pub mod encode;
pub mod families;
pub mod idle;
pub mod many;
pub mod online;
pub mod outside;
pub mod work;

use crate::contender::{redis_benchmark, redstart};
use crate::measure::Plan;
use crate::quantity::{Figures, Goal, Quantity, Verdict};
use crate::system::Cpus;

/// How thoroughly, and what of it.
pub struct Choice {
    pub cpus: Cpus,
    /// Where there is a server.
    pub online: Plan,
    pub offline: Plan,
    /// Only rows whose title contains this.
    pub row: Option<String>,
    /// Whether what takes a process of its own is left out.
    pub quick: bool,
}

impl Choice {
    fn matches(&self, title: &str) -> bool {
        self.row.as_ref().is_none_or(|row| title.contains(row.as_str()))
    }

    /// The same, and says so if it does.
    fn wants(&self, title: &str) -> bool {
        let wanted = self.matches(title);
        if wanted {
            eprintln!("  {title}");
        }
        wanted
    }
}

/// One line of a table.
pub struct Row {
    pub title: String,
    pub figures: Vec<Figures>,
    pub goals: Vec<Goal>,
}

impl Row {
    pub fn of(&self, name: &str) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.name == name)
    }

    /// The best of the peers, and its figure.
    pub fn best_peer(&self, quantity: Quantity) -> Option<(&'static str, f64)> {
        let peers = self.figures.iter().filter(|figures| is_peer(figures.name));
        let figures = peers.filter_map(|figures| Some((figures.name, figures.get(quantity)?)));
        let order = |a: &(_, f64), b: &(_, f64)| a.1.total_cmp(&b.1);
        if quantity == Quantity::PerSecond { figures.max_by(order) } else { figures.min_by(order) }
    }

    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        self.goals.iter().filter_map(|goal| goal.judge(self))
    }
}

pub fn is_floor(name: &str) -> bool {
    name.starts_with("floor")
}

/// A client that somebody else has written; a generator of load is none.
fn is_peer(name: &str) -> bool {
    !is_floor(name) && !name.starts_with(redstart::NAME) && name != redis_benchmark::NAME
}

/// Rows that are told in one table.
pub struct Group {
    /// What its files are called.
    pub name: &'static str,
    pub title: &'static str,
    /// How it was measured, in a sentence or two.
    pub note: &'static str,
    /// The floor that ratios refer to.
    pub floor: &'static str,
    /// What ratios are of.
    pub main: Quantity,
    /// What has a table of its own besides.
    pub beside: &'static [Quantity],
    pub rows: Vec<Row>,
}
