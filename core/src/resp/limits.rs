//! What a peer may send before it is refused.

/// Bounds on one reply. A reply that passes one of them is a [`ProtocolError`](super::ProtocolError),
/// found as soon as it is announced; nothing is allocated for what was only announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How deep aggregates may nest. Default 128, never more than [`Limits::DEPTH_MAX`].
    pub depth: u16,
    /// Bytes in one string. Default 512 MiB, which is the server's own default.
    pub bulk: u32,
    /// Elements in one aggregate; a map's pair counts as two. Default 2,147,483,647.
    pub elements: u32,
    /// Bytes in one line, that is in a simple string, an error, a big number. Default 64 KiB.
    pub line: u32,
    /// Bytes of one whole reply. Default 1 GiB.
    pub reply: u32,
}

impl Limits {
    /// The deepest nesting that can be allowed.
    pub const DEPTH_MAX: u16 = 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128, bulk: 512 << 20, elements: i32::MAX as u32, line: 64 << 10, reply: 1 << 30 }
    }
}
