//! One reply on the wire.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

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

impl Node {
    /// What follows this node and all that it holds in `nodes`, which begins with it.
    #[inline]
    pub(super) fn behind<'a>(&self, nodes: &'a [Self]) -> &'a [Self] {
        nodes.get((self.below as usize).saturating_add(1)..).unwrap_or_default()
    }
}

/// Replies of up to so many bytes are copied out of the buffer that was read: that is cheaper than to share it,
/// and it does not keep the buffer. A string of 64 bytes is among them.
pub(super) const SMALL: usize = 80;

/// One complete reply: the bytes that came, and where its elements lie in them.
///
/// Cloning is cheap for scalars and copies the tape for aggregates. Two frames are equal if the same
/// bytes came.
#[derive(Clone)]
pub struct Frame {
    /// The bytes of a small reply that holds no other element; behind its `len` bytes lies what came next.
    small: [u8; SMALL],
    len: u8,
    root: Node,
    /// Any other reply.
    large: Option<Box<Large>>,
}

#[derive(Clone)]
struct Large {
    bytes: Bytes,
    /// All nodes in the order of the wire, the root after its attributes; none if the root is alone.
    tape: Vec<Node>,
}

impl Frame {
    /// The reply that is the first `len` bytes of `read`, taken off it.
    #[inline(never)]
    pub(super) fn take(read: &mut BytesMut, len: usize, root: Node, tape: Vec<Node>) -> Self {
        Self::large(Large { bytes: read.split_to(len).freeze(), tape }, root)
    }

    /// The replies of `run`, taken off `read`, as one frame. They are copied, so that `read` stays what it is.
    pub(crate) fn take_run(read: &mut BytesMut, run: Run) -> Option<Self> {
        let root = *run.tape.first()?;
        let bytes = Bytes::copy_from_slice(read.get(..run.len)?);
        read.advance(run.len);
        Some(Self::large(Large { bytes, tape: run.tape }, root))
    }

    fn large(large: Large, root: Node) -> Self {
        Self { small: [0; SMALL], len: 0, root, large: Some(Box::new(large)) }
    }

    /// The replies of a frame that is a [run](Self::take_run).
    pub(crate) fn of_run(&self) -> Items<'_> {
        let count = self.large.as_ref().map_or(0, |large| large.tape.len());
        Items::from_start(self, u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// A string alone, whatever it came in. Its [`wire`](Self::wire) is its payload.
    pub(crate) fn string(payload: Bytes) -> Self {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let root = Node { start: 0, len, below: 0, kind: Kind::BulkString };
        Self::large(Large { bytes: payload, tape: Vec::new() }, root)
    }

    /// The reply itself, as a view to read from.
    #[must_use]
    #[inline]
    pub fn item(&self) -> Item<'_> {
        Items::from_start(self, 1).next().unwrap_or_else(|| Item::first(self))
    }

    /// All nodes in the order of the wire, never none.
    #[inline]
    pub(super) fn tape(&self) -> &[Node] {
        match &self.large {
            Some(large) if !large.tape.is_empty() => &large.tape,
            _ => core::slice::from_ref(&self.root),
        }
    }

    #[inline]
    pub(super) const fn root(&self) -> &Node {
        &self.root
    }

    /// What the reply is.
    #[must_use]
    #[inline]
    pub const fn kind(&self) -> Kind {
        self.root.kind
    }

    /// The bytes as they came on the wire.
    #[must_use]
    #[inline]
    pub fn wire(&self) -> &[u8] {
        match &self.large {
            None => self.small.get(..usize::from(self.len)).unwrap_or_default(),
            Some(large) => &large.bytes,
        }
    }

    /// The part of its bytes that is here; it is copied only if the reply is small.
    pub(crate) fn part(&self, place: Range<usize>) -> Bytes {
        self.shared(self.wire().get(place).unwrap_or_default())
    }

    /// A part of the [`wire`](Self::wire) bytes; it is copied only if the reply is small.
    pub(super) fn shared(&self, part: &[u8]) -> Bytes {
        match &self.large {
            None => Bytes::copy_from_slice(part),
            Some(large) => large.bytes.slice_ref(part),
        }
    }
}

/// A small reply whose bytes lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small {
    len: u8,
    start: u8,
    payload: u8,
    kind: Kind,
}

impl Small {
    /// The reply of `len` bytes whose root is alone; `None` if it is not small.
    #[inline]
    pub(super) fn new(len: usize, root: Node) -> Option<Self> {
        Some(Self {
            len: u8::try_from(len).ok().filter(|_| len <= SMALL)?,
            start: u8::try_from(root.start).ok()?,
            payload: u8::try_from(root.len).ok()?,
            kind: root.kind,
        })
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.len as usize
    }

    /// The reply itself, whose bytes are the first in `from`.
    #[inline]
    pub(crate) fn frame(self, from: &[u8]) -> Frame {
        self.framed(front(from, self.len()))
    }

    /// The reply itself, with which `small` begins.
    #[inline]
    pub(super) fn framed(self, small: [u8; SMALL]) -> Frame {
        let root = Node { start: self.start.into(), len: self.payload.into(), below: 0, kind: self.kind };
        Frame { small, len: self.len, root, large: None }
    }
}

/// The first `len` bytes of `read`, never more than [`SMALL`], and something behind them.
#[inline]
pub(super) fn front(read: &[u8], len: usize) -> [u8; SMALL] {
    // What lies behind them is copied as well: a copy of a known size is the cheapest.
    match read.first_chunk() {
        Some(small) => *small,
        None => {
            let mut small = [0; SMALL];
            copy(&mut small, read, len);
            small
        }
    }
}

/// Apart, since else that of a known size would be copied as if it were not known.
#[inline(never)]
fn copy(small: &mut [u8; SMALL], read: &[u8], len: usize) {
    if let (Some(to), Some(from)) = (small.get_mut(..len), read.get(..len)) {
        to.copy_from_slice(from);
    }
}

/// A run of replies ends when it has this many bytes.
const RUN: usize = 16 << 10;

/// Small replies one behind the other, each of which is alone.
#[derive(Default)]
pub(crate) struct Run {
    len: usize,
    tape: Vec<Node>,
}

impl Run {
    /// How many bytes they have.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is room for another one.
    pub(super) const fn is_open(&self) -> bool {
        self.len < RUN
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes room for about so many.
    pub(super) fn reserve(&mut self, count: usize) {
        self.tape.reserve_exact(count.min(RUN / 16));
    }

    /// Appends one of `len` bytes.
    #[inline]
    pub(super) fn push(&mut self, len: usize, root: Node) {
        // All of them lie in what was read at once, and all but the last are short.
        let start = root.start.saturating_add(u32::try_from(self.len).unwrap_or(u32::MAX));
        self.tape.push(Node { start, ..root });
        self.len = self.len.saturating_add(len);
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.wire() == other.wire()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    /// Shows the kind and size only: a reply can hold a million elements, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.item(), self.wire().len())
    }
}
