//! What `SCAN` and its relatives share: the page and the options.

use alloc::vec::Vec;

use crate::command::{ArgSink, Args, FromReply, elements, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// One page of a walk through a collection or the whole key space.
///
/// A walk starts at cursor 0 and goes on with the cursor of the page before, until that is 0 again. What
/// is there during the whole walk is seen at least once, perhaps twice; a page may be empty in the middle.
///
/// A cursor belongs to the process that gave it and means nothing to another node, nor to the same one after a
/// restart. Pages therefore come from primaries, wherever [other reads](crate::config::ReadFrom) go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanPage<T> {
    /// Where to go on; 0 after the last page.
    pub cursor: u64,
    /// What this page holds.
    pub items: Vec<T>,
}

impl<T> ScanPage<T> {
    /// Whether the walk is complete.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.cursor == 0
    }
}

impl<T: FromReply> FromReply for ScanPage<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(cursor), Some(items), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unexpected("a cursor and a page", item));
        };
        Ok(Self { cursor: u64::from_reply(cursor)?, items: Vec::from_reply(items)? })
    }
}

/// Choices for one page of a walk.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ScanOptions {
    pattern: Option<Vec<u8>>,
    count: Option<u64>,
}

impl ScanOptions {
    /// No filter, and about ten elements to a page.
    pub const fn new() -> Self {
        Self { pattern: None, count: None }
    }

    /// Only what matches a glob-style pattern (`MATCH`). The server filters after it has taken a page, so
    /// that pages get shorter, down to empty.
    pub fn matching(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.pattern = Some(pattern.as_ref().to_vec());
        self
    }

    /// About how many elements the server looks at for a page (`COUNT`). It is a hint: small collections
    /// come whole.
    pub const fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }
}

impl Args for ScanOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.pattern.as_ref().map(|pattern| ("MATCH", pattern)));
        out.args(self.count.map(|count| ("COUNT", count)));
    }
}
