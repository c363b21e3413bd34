//! What is measured.

pub mod decode;
pub mod e2e;
pub mod encode;
pub mod pubsub;

use crate::measure::{Figures, Plan};

/// What of it, and how thoroughly.
pub struct Choice {
    pub plan: Plan,
    /// Only rows whose title contains this.
    pub row: Option<String>,
}

impl Choice {
    fn wants(&self, title: &str) -> bool {
        let wanted = self.row.as_ref().is_none_or(|row| title.contains(row.as_str()));
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
}

/// Rows that are told in one table.
pub struct Group {
    pub title: &'static str,
    /// The floor that ratios refer to.
    pub floor: &'static str,
    /// Whether operations per second are worth telling.
    pub throughput: bool,
    pub rows: Vec<Row>,
}
