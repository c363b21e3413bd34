//! `LCS ... IDX`: its options and its reply.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::command::{ArgSink, Args, FromReply, elements, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Choices for the matches of a longest common subsequence.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LcsOptions {
    min_match_len: Option<u64>,
    with_match_len: bool,
}

impl LcsOptions {
    /// All matches, without their lengths.
    pub const fn new() -> Self {
        Self { min_match_len: None, with_match_len: false }
    }

    /// Leaves out matches of fewer than `len` bytes (`MINMATCHLEN`).
    pub const fn min_match_len(mut self, len: u64) -> Self {
        self.min_match_len = Some(len);
        self
    }

    /// Says of each match how long it is (`WITHMATCHLEN`).
    pub const fn with_match_len(mut self) -> Self {
        self.with_match_len = true;
        self
    }
}

impl Args for LcsOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.min_match_len.map(|len| ("MINMATCHLEN", len)));
        out.args(self.with_match_len.then_some("WITHMATCHLEN"));
    }
}

/// Where two values have their longest common subsequence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LcsMatches {
    /// The adjacent parts of it, from the last to the first.
    pub matches: Vec<LcsMatch>,
    /// How long the subsequence is, whatever matches were left out.
    pub len: u64,
}

/// Adjacent bytes that are in both values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LcsMatch {
    /// Where they are in the first value.
    pub first: RangeInclusive<usize>,
    /// Where they are in the second value.
    pub second: RangeInclusive<usize>,
    /// How many they are, if [`LcsOptions::with_match_len`] asked for it.
    pub len: Option<u64>,
}

impl FromReply for LcsMatches {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut matches, mut len) = (None, None);
        for pair in pairs(item)? {
            let (name, value) = pair?;
            match &*expect_text("a field name", name)? {
                b"matches" => matches = Some(Vec::from_reply(value)?),
                b"len" => len = Some(u64::from_reply(value)?),
                _ => {}
            }
        }
        match (matches, len) {
            (Some(matches), Some(len)) => Ok(Self { matches, len }),
            _ => Err(unexpected("matches and len", item)),
        }
    }
}

impl FromReply for LcsMatch {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
            return Err(unexpected("two ranges", item));
        };
        let range = |item| <(usize, usize)>::from_reply(item).map(|(start, end)| start..=end);
        Ok(Self {
            first: range(first)?,
            second: range(second)?,
            len: parts.next().map(u64::from_reply).transpose()?,
        })
    }
}
