//! What a peer may send before it is refused.

use super::error::ProtocolError;

/// Bounds on one reply. A reply that passes one of them is a [`ProtocolError`], found as soon as it is
/// announced; nothing is allocated for what was only announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How deep aggregates may nest. Default 128, never more than [`Limits::DEPTH_MAX`].
    pub depth: u16,
    /// Bytes in one string, the chunks of a streamed one together. Default 512 MiB, which is the
    /// server's own default.
    pub bulk: u32,
    /// Elements in one aggregate; a map's pair counts as two. Default 2,147,483,647.
    pub elements: u32,
    /// Bytes in one line, that is in a simple string, an error, a number. Default 64 KiB.
    pub line: u32,
    /// Bytes of one whole reply. Default 1 GiB.
    pub reply: u32,
}

impl Limits {
    /// The deepest nesting that can be allowed.
    pub const DEPTH_MAX: u16 = 1024;

    /// Whether one more level may be opened inside `open` levels.
    #[inline]
    pub(super) fn check_depth(&self, open: u32) -> Result<(), ProtocolError> {
        if open < u32::from(self.depth) { Ok(()) } else { Err(passes("levels", self.depth)) }
    }

    #[inline]
    pub(super) fn check_bulk(&self, len: u64) -> Result<u32, ProtocolError> {
        within(len, self.bulk).ok_or_else(|| passes("bytes in a string", self.bulk))
    }

    #[inline]
    pub(super) fn check_elements(&self, count: u64) -> Result<u32, ProtocolError> {
        within(count, self.elements).ok_or_else(|| passes("elements", self.elements))
    }

    #[inline]
    pub(super) fn check_line(&self, len: usize) -> Result<(), ProtocolError> {
        if len <= self.line as usize { Ok(()) } else { Err(passes("bytes in a line", self.line)) }
    }

    pub(super) fn reply_error(&self) -> ProtocolError {
        passes("bytes", self.reply)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            bulk: 512 << 20,
            elements: i32::MAX.unsigned_abs(),
            line: 64 << 10,
            reply: 1 << 30,
        }
    }
}

fn within(value: u64, limit: u32) -> Option<u32> {
    u32::try_from(value).ok().filter(|&value| value <= limit)
}

#[cold]
fn passes(what: &'static str, limit: impl Into<u64>) -> ProtocolError {
    ProtocolError::Limit { what, limit: limit.into() }
}
