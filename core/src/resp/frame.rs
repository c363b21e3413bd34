//! One reply on the wire.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::item::{Item, Items};

/// What an element of a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `+OK`
    SimpleString,
    /// `-ERR ...`, or the RESP3 blob error `!`.
    Error,
    /// `:42`
    Integer,
    /// `$5`: a string of any bytes.
    BulkString,
    /// `$?`: a string in chunks. Its elements are [`Kind::BulkString`]s to be joined.
    StreamedString,
    /// `=15`: a string with a format of three letters before a colon.
    VerbatimString,
    /// `_`, or RESP2's `$-1` and `*-1`.
    Null,
    /// `#t`, `#f`
    Boolean,
    /// `,1.5`
    Double,
    /// `(123`: an integer of any size.
    BigNumber,
    /// `*2`
    Array,
    /// `%2`: keys and values in turn.
    Map,
    /// `~2`
    Set,
    /// `>2`: sent by the server unasked.
    Push,
    /// `|1`: remarks on the element that follows.
    Attribute,
}

impl Kind {
    /// The word used for this kind in error messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SimpleString => "simple string",
            Self::Error => "error",
            Self::Integer => "integer",
            Self::BulkString | Self::StreamedString => "string",
            Self::VerbatimString => "verbatim string",
            Self::Null => "nil",
            Self::Boolean => "boolean",
            Self::Double => "double",
            Self::BigNumber => "big number",
            Self::Array => "array",
            Self::Map => "map",
            Self::Set => "set",
            Self::Push => "push",
            Self::Attribute => "attribute",
        }
    }

    /// Whether elements of this kind hold elements.
    #[must_use]
    pub const fn is_aggregate(self) -> bool {
        matches!(
            self,
            Self::Array | Self::Map | Self::Set | Self::Push | Self::Attribute | Self::StreamedString
        )
    }
}

/// An element on the tape.
///
/// A scalar's payload is `bytes[start..start + len]`. For an aggregate `len` is the number of its
/// elements (twice the pairs of a map), attributes not counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) len: u32,
    /// How many of the nodes after this one it holds, at any depth.
    pub(super) below: u32,
    pub(super) kind: Kind,
}

/// One complete reply: the bytes that came, and where its elements lie in them.
///
/// Cloning is cheap for scalars and copies the tape for aggregates. Two frames are equal if the same
/// bytes came.
#[derive(Clone)]
pub struct Frame {
    bytes: Bytes,
    root: Node,
    /// All nodes in the order of the wire, the root after its attributes; empty if the root is alone.
    tape: Vec<Node>,
}

impl Frame {
    pub(super) const fn new(bytes: Bytes, root: Node, tape: Vec<Node>) -> Self {
        Self { bytes, root, tape }
    }

    /// A string alone, whatever it came in. Its [`wire`](Self::wire) is its payload.
    pub(crate) fn string(payload: Bytes) -> Self {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        Self::new(payload, Node { start: 0, len, below: 0, kind: Kind::BulkString }, Vec::new())
    }

    /// The reply itself, as a view to read from.
    #[must_use]
    #[inline]
    pub fn item(&self) -> Item<'_> {
        let on_tape = Items::new(&self.bytes, &self.tape, 1).next();
        on_tape.unwrap_or_else(|| Item::alone(&self.bytes, &self.root))
    }

    /// What the reply is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.root.kind
    }

    /// The bytes as they came on the wire.
    #[must_use]
    pub const fn wire(&self) -> &Bytes {
        &self.bytes
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    /// Shows the kind and size only: a reply can hold a million elements, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.item(), self.bytes.len())
    }
}
