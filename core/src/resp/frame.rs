//! One reply on the wire.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::item::Item;

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
    /// Index of the first node after this one and all that it holds.
    pub(super) end: u32,
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
    /// All nodes in the order of the wire, the root's last attribute first; empty if the root is alone.
    tape: Vec<Node>,
    /// Index of the root on the tape: after its attributes.
    root_at: u32,
}

impl Frame {
    pub(super) const fn scalar(bytes: Bytes, root: Node) -> Self {
        Self { bytes, root, tape: Vec::new(), root_at: 0 }
    }

    pub(super) const fn aggregate(bytes: Bytes, root: Node, tape: Vec<Node>, root_at: u32) -> Self {
        Self { bytes, root, tape, root_at }
    }

    /// The reply itself, as a view to read from.
    #[must_use]
    pub fn item(&self) -> Item<'_> {
        let nodes = if self.tape.is_empty() { core::slice::from_ref(&self.root) } else { &self.tape };
        Item::new(&self.bytes, nodes, 0, self.root_at as usize)
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 128;
        let wire = &self.bytes;
        write!(f, "Frame({}", wire.slice(..wire.len().min(SHOWN)).escape_ascii())?;
        if wire.len() > SHOWN {
            write!(f, "... {} bytes", wire.len())?;
        }
        f.write_str(")")
    }
}
