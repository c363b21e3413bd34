//! Costs as they were when they were last agreed to.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{fs, io};

use crate::measure::{COLUMNS, Column, Costs};

const HEAD: &str = "\
# What an operation costs: see CONTRIBUTING.md. Compared by tests/check.sh, and written by
# REDSTART_BLESS=1 cargo run --release -p redstart-costs
";

/// The costs of each case, by its title.
#[derive(Clone, Debug, Default)]
pub struct Baseline(Vec<(String, Costs)>);

impl Baseline {
    /// What is in the repository.
    ///
    /// # Errors
    /// The file cannot be read, or was not written by [`write`](Self::write).
    pub fn read() -> io::Result<Self> {
        let text = fs::read_to_string(path())?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let parse = |line| parse(line).ok_or_else(|| io::Error::other(format!("not a baseline: {line}")));
        lines.map(parse).collect::<io::Result<_>>().map(Self)
    }

    /// Makes this what is in the repository.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let lines = self.0.iter().map(|(title, costs)| line(title, costs));
        fs::write(path(), [HEAD.to_owned(), head()].into_iter().chain(lines).collect::<String>())
    }

    /// What a case has cost.
    #[must_use]
    pub fn get(&self, title: &str) -> Option<&Costs> {
        self.0.iter().find(|(known, _)| known == title).map(|(_, costs)| costs)
    }

    /// Notes what a case costs, behind all that were noted before.
    pub fn push(&mut self, title: &str, costs: Costs) {
        self.0.push((title.to_owned(), costs));
    }

    /// The titles of all cases.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(title, _)| title.as_str())
    }
}

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.txt"))
}

/// The names of the columns.
#[must_use]
pub fn head() -> String {
    let names = COLUMNS.map(|column| column.name).join(" | ");
    format!("{:<44} | {names}\n", "# each")
}

/// A case and its costs, as they stand in the file and in the table.
#[must_use]
pub fn line(title: &str, costs: &Costs) -> String {
    let mut line = format!("{title:<44}");
    for (cost, column) in costs.iter().zip(&COLUMNS) {
        // Writing to a String cannot fail.
        let _ = write!(line, " | {cost:>width$.*}", column.decimals, width = column.name.len());
    }
    line.push('\n');
    line
}

fn parse(line: &str) -> Option<(String, Costs)> {
    let mut fields = line.split(" | ");
    let title = fields.next()?.trim().to_owned();
    let mut next = || fields.next()?.trim().parse().ok();
    Some((title, [next()?, next()?, next()?, next()?]))
}

/// What is no longer as it was.
#[must_use]
pub fn differences(before: &Costs, now: &Costs) -> Vec<String> {
    let pairs = before.iter().zip(now).zip(&COLUMNS);
    let changed = pairs.filter(|((before, now), column)| (*now - *before).abs() > column.tolerance(**before));
    let tell = |((before, now), column): ((&f64, &f64), &Column)| {
        let (name, places) = (column.name, column.decimals);
        let percent = (now / before - 1.0) * 100.0;
        format!("{now:.places$} {name}, {before:.places$} before ({percent:+.1} %)")
    };
    changed.map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::{differences, line, parse};

    const COSTS: [f64; 4] = [3216.3, 1.018, 138.9, 0.037];

    #[test]
    fn a_line_is_read_as_it_was_written() {
        assert_eq!(
            parse(line("GET, 64 tasks", &COSTS).trim_end()),
            Some(("GET, 64 tasks".to_owned(), COSTS))
        );
    }

    #[test]
    fn more_or_less_of_anything_is_a_difference_beyond_rounding() {
        let found = |factors: [f64; 4]| {
            let mut now = COSTS;
            now.iter_mut().zip(factors).for_each(|(cost, factor)| *cost *= factor);
            differences(&COSTS, &now).len()
        };
        assert_eq!(found([1.029, 1.0004, 1.0003, 1.01]), 0);
        for each in 0..4 {
            for factor in [0.95, 1.05] {
                let mut factors = [1.0; 4];
                factors[each] = factor;
                assert_eq!(found(factors), 1, "{factors:?}");
            }
        }
        assert_eq!(found([0.0; 4]), 4);
    }
}
