//! The options of `SORT`.

use alloc::vec::Vec;

use crate::command::{ArgSink, Args};

/// Choices for sorting: by number, ascending and whole unless said otherwise.
///
/// A pattern names another key for each element, which takes the place of its `*`: `weight_*`. With
/// `->` it names a field of a hash: `user_*->age`. Of clusters, those of version 8 take patterns for keys
/// of the same slot only, those of 7.0 take none.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SortOptions {
    by: Option<By>,
    limit: Option<(u64, u64)>,
    get: Vec<Vec<u8>>,
    descending: bool,
    alpha: bool,
}

#[derive(Clone, Debug)]
enum By {
    Pattern(Vec<u8>),
    Nothing,
}

impl SortOptions {
    /// All elements, as numbers, ascending.
    pub const fn new() -> Self {
        Self { by: None, limit: None, get: Vec::new(), descending: false, alpha: false }
    }

    /// Sorts by what is found under the pattern instead of by the element (`BY`).
    pub fn by(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.by = Some(By::Pattern(pattern.as_ref().to_vec()));
        self
    }

    /// Does not sort (`BY nosort`), for the sake of [`get`](Self::get).
    pub fn unsorted(mut self) -> Self {
        self.by = Some(By::Nothing);
        self
    }

    /// Leaves `offset` elements out and takes `count` (`LIMIT`).
    pub const fn limit(mut self, offset: u64, count: u64) -> Self {
        self.limit = Some((offset, count));
        self
    }

    /// Returns what is found under the pattern instead of the element, or the element for `#` (`GET`).
    /// Said several times, the reply has several values for each element, one after the other.
    pub fn get(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.get.push(pattern.as_ref().to_vec());
        self
    }

    /// From the greatest to the smallest (`DESC`).
    pub const fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Sorts as text instead of as numbers (`ALPHA`). Without it, elements that are no numbers are an
    /// error.
    pub const fn alpha(mut self) -> Self {
        self.alpha = true;
        self
    }

    /// Whether the reply depends on keys that are not named.
    pub(super) fn reads_other_keys(&self) -> bool {
        matches!(self.by, Some(By::Pattern(_))) || self.get.iter().any(|pattern| pattern != b"#")
    }
}

impl Args for SortOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match &self.by {
            Some(By::Pattern(pattern)) => out.args(("BY", pattern)),
            Some(By::Nothing) => out.args(("BY", "nosort")),
            None => out,
        };
        out.args(self.limit.map(|(offset, count)| ("LIMIT", offset, count)));
        for pattern in &self.get {
            out.args(("GET", pattern));
        }
        out.args(self.descending.then_some("DESC"));
        out.args(self.alpha.then_some("ALPHA"));
    }
}
