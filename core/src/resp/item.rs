//! A borrowed view of one element of a reply.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;

use bytes::{Bytes, BytesMut};

use super::encode::put_length;
use super::frame::{Frame, Kind, Node};
use super::number::{parse_f64, parse_i64};
use super::scan::narrow;

/// One element of a [`Frame`], to read from. Copying it is free.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    frame: &'a Frame,
    /// The bytes of the frame.
    wire: &'a [u8],
    /// Its own node and the rest of the tape.
    nodes: &'a [Node],
    /// So many nodes before it are its attributes, with all that they hold.
    remarks: u32,
}

impl<'a> Item<'a> {
    /// The first node of a frame.
    pub(super) fn first(frame: &'a Frame) -> Self {
        Self { frame, wire: frame.wire(), nodes: frame.tape(), remarks: 0 }
    }

    #[inline]
    fn node(&self) -> &'a Node {
        self.nodes.first().unwrap_or_else(|| self.frame.root())
    }

    /// What this element is.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> Kind {
        self.node().kind
    }

    /// Whether this is nil, in any of its three spellings.
    #[must_use]
    #[inline]
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// The payload of a scalar: the text of a number, `t` or `f` of a boolean, the text without its
    /// format of a verbatim string. Chunks of a streamed string are joined; an aggregate has none.
    #[must_use]
    #[inline]
    pub fn text(&self) -> Option<Cow<'a, [u8]>> {
        match self.kind() {
            Kind::StreamedString => Some(Cow::Owned(self.joined())),
            Kind::Null => None,
            kind if kind.is_aggregate() => None,
            _ => Some(Cow::Borrowed(self.payload())),
        }
    }

    /// The chunks of a streamed string as one.
    fn joined(&self) -> Vec<u8> {
        let mut joined = Vec::new();
        self.items().for_each(|chunk| joined.extend_from_slice(chunk.payload()));
        joined
    }

    /// The payload as one slice, empty for aggregates, nil and streamed strings.
    #[inline]
    pub(crate) fn payload(&self) -> &'a [u8] {
        let Node { start, len, kind, .. } = *self.node();
        if kind.is_aggregate() {
            return &[];
        }
        let payload = self.wire.get(start as usize..).and_then(|rest| rest.get(..len as usize));
        payload.unwrap_or_default()
    }

    /// Where the payload is in the bytes of the frame, if it is in one piece.
    pub(crate) fn place(&self) -> Option<Range<usize>> {
        let Node { start, len, kind, .. } = *self.node();
        let is_scalar = !kind.is_aggregate() && kind != Kind::Null;
        is_scalar.then(|| start as usize..(start as usize).saturating_add(len as usize))
    }

    /// The payload as shared bytes: a slice of the buffer that was read, without a copy unless the whole reply
    /// is small.
    ///
    /// Keeping it keeps that buffer, so small values are better copied.
    #[must_use]
    pub fn shared(&self) -> Option<Bytes> {
        match self.text()? {
            Cow::Borrowed(slice) => Some(self.frame.shared(slice)),
            Cow::Owned(joined) => Some(joined.into()),
        }
    }

    /// The three letters before the text of a verbatim string.
    #[must_use]
    pub fn format(&self) -> Option<&'a [u8]> {
        if self.kind() != Kind::VerbatimString {
            return None;
        }
        let (_, format) = self.wire.get(..self.node().start as usize)?.split_last_chunk::<4>()?;
        format.strip_suffix(b":")
    }

    /// The value of an integer, or of a string that holds one.
    #[must_use]
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        parse_i64(&self.text()?)
    }

    /// The value of a double or an integer, or of a string that holds one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        parse_f64(&self.text()?)
    }

    /// How many elements an aggregate has; a map's pair counts as two. Zero for scalars.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        let node = self.node();
        if node.kind.is_aggregate() { node.len as usize } else { 0 }
    }

    /// Whether there is no element in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of an aggregate in order; of a map keys and values in turn. None for scalars.
    #[must_use]
    #[inline]
    pub fn items(&self) -> Items<'a> {
        let node = self.node();
        let left = if node.kind.is_aggregate() { node.len } else { 0 };
        let nodes = self.nodes.get(1..).unwrap_or_default();
        Items { frame: self.frame, wire: self.wire, nodes, left }
    }

    /// The part of the wire with the payloads of all elements, if none of them holds others and all of it is UTF-8.
    #[inline]
    pub(crate) fn texts(&self) -> Option<Texts<'a>> {
        let (node, elements) = self.nodes.split_first()?;
        let elements = elements.get(..node.below as usize).filter(|_| node.below == node.len)?;
        // What is streamed has no place, not even without chunks.
        let first = elements.first().filter(|first| !first.kind.is_aggregate())?;
        let last = elements.last()?;
        let end = (last.start as usize).saturating_add(last.len as usize);
        let text = core::str::from_utf8(self.wire.get(first.start as usize..end)?).ok()?;
        Some(Texts { text, start: first.start })
    }

    /// A frame that is this element alone.
    #[cfg(feature = "std")]
    pub(crate) fn to_frame(self) -> Option<Frame> {
        let mut wire = BytesMut::new();
        self.encode(&mut wire);
        Frame::assembled(wire)
    }

    /// Appends the element with all that it holds, in the spelling of RESP3 and with lengths where it was
    /// streamed. The remarks before it are left out.
    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let (mut item, end) = (*self, self.node().behind(self.nodes).len());
        while item.nodes.len() > end {
            item.encode_alone(out);
            let node = item.node();
            // The chunks are joined already.
            let is_whole = node.kind == Kind::StreamedString;
            let next =
                if is_whole { node.behind(item.nodes) } else { item.nodes.get(1..).unwrap_or_default() };
            item.nodes = next;
        }
    }

    /// A scalar, or the header of an aggregate.
    fn encode_alone(&self, out: &mut BytesMut) {
        let text = self.text().unwrap_or_default();
        let line = |kind, out: &mut BytesMut| {
            out.extend_from_slice(&[kind]);
            out.extend_from_slice(&text);
            out.extend_from_slice(b"\r\n");
        };
        let string = |kind, format: &[u8], out: &mut BytesMut| {
            let len = text.len().saturating_add(format.len());
            put_length(out, kind, len);
            out.extend_from_slice(format);
            out.extend_from_slice(&text);
            out.extend_from_slice(b"\r\n");
        };
        let header = |kind, len, out: &mut BytesMut| {
            put_length(out, kind, len);
        };
        match self.kind() {
            Kind::SimpleString => line(b'+', out),
            Kind::Error if text.contains(&b'\r') || text.contains(&b'\n') => string(b'!', b"", out),
            Kind::Error => line(b'-', out),
            Kind::Integer => line(b':', out),
            Kind::BulkString | Kind::StreamedString => string(b'$', b"", out),
            Kind::VerbatimString => {
                let format = [self.format().unwrap_or(b"txt"), b":"].concat();
                string(b'=', &format, out);
            }
            Kind::Null => line(b'_', out),
            Kind::Boolean => line(b'#', out),
            Kind::Double => line(b',', out),
            Kind::BigNumber => line(b'(', out),
            // A push can stand by itself only.
            Kind::Array | Kind::Push => header(b'*', self.len(), out),
            Kind::Set => header(b'~', self.len(), out),
            Kind::Map => header(b'%', self.len() / 2, out),
            Kind::Attribute => header(b'|', self.len() / 2, out),
        }
    }

    /// The remarks that the server put before this element (RESP3 `|`), keys and values in turn.
    pub fn attributes(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let (frame, wire, tape) = (self.frame, self.wire, self.frame.tape());
        let (remarks, end) = (self.remarks as usize, self.nodes.len());
        let from = tape.len().saturating_sub(end).saturating_sub(remarks);
        let mut rest = tape.get(from..).unwrap_or_default();
        core::iter::from_fn(move || {
            let (attribute, nodes) = rest.split_first().filter(|_| rest.len() > end)?;
            rest = attribute.behind(rest);
            Some(Items { frame, wire, nodes, left: attribute.len })
        })
        .flatten()
    }
}

impl fmt::Debug for Item<'_> {
    /// Shows the kind and size only: an element can hold a million others, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind().name(), self.node().len)
    }
}

/// The payloads of a list, known to be UTF-8 by one check of all: that takes half of what checks of each do.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    text: &'a str,
    /// Where on the wire it begins.
    start: u32,
}

impl<'a> Texts<'a> {
    /// The payload of an element of the list, if it is a usual string.
    #[inline]
    pub(crate) fn string(&self, item: Item<'a>) -> Option<&'a str> {
        let Node { start, len, kind: Kind::BulkString, .. } = *item.node() else { return None };
        let start = start.checked_sub(self.start)? as usize;
        self.text.get(start..start.saturating_add(len as usize))
    }
}

/// Iterator over the elements of an aggregate, from [`Item::items`].
#[derive(Clone)]
pub struct Items<'a> {
    frame: &'a Frame,
    /// The bytes of the frame.
    wire: &'a [u8],
    /// The tape from the next element on, or from its attributes.
    nodes: &'a [Node],
    left: u32,
}

impl<'a> Items<'a> {
    /// So many elements, one behind the other from the start of the tape.
    #[inline]
    pub(super) fn from_start(frame: &'a Frame, left: u32) -> Self {
        Self { frame, wire: frame.wire(), nodes: frame.tape(), left }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        self.left = self.left.checked_sub(1)?;
        let node = self.nodes.first()?;
        if node.kind == Kind::Attribute {
            return self.behind_attributes();
        }
        let item = Item { frame: self.frame, wire: self.wire, nodes: self.nodes, remarks: 0 };
        self.nodes = node.behind(self.nodes);
        Some(item)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl<'a> Items<'a> {
    /// The next element, which has attributes.
    #[cold]
    fn behind_attributes(&mut self) -> Option<Item<'a>> {
        let from = self.nodes.len();
        loop {
            let (nodes, node) = (self.nodes, self.nodes.first()?);
            self.nodes = node.behind(nodes);
            if node.kind != Kind::Attribute {
                let remarks = narrow(from.saturating_sub(nodes.len()));
                return Some(Item { frame: self.frame, wire: self.wire, nodes, remarks });
            }
        }
    }
}

impl ExactSizeIterator for Items<'_> {}

impl FusedIterator for Items<'_> {}

impl fmt::Debug for Items<'_> {
    /// Shows how many are left only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({} left)", self.left)
    }
}
