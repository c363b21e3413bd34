//! A borrowed view of one element of a reply.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;

use bytes::{Bytes, BytesMut};

use super::encode::put_length;
use super::frame::{Frame, Kind, Node};
use super::number::{parse_f64, parse_i64};

/// One element of a [`Frame`], to read from. Copying it is free.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    frame: &'a Frame,
    node: &'a Node,
    /// The attributes before it, with all that they hold.
    attributes: &'a [Node],
    /// The elements that it holds, with all that they hold.
    inner: &'a [Node],
}

impl<'a> Item<'a> {
    /// A view of an element that holds no other and has no attributes.
    pub(super) const fn alone(frame: &'a Frame, node: &'a Node) -> Self {
        Self { frame, node, attributes: &[], inner: &[] }
    }

    /// What this element is.
    #[must_use]
    #[inline]
    pub const fn kind(&self) -> Kind {
        self.node.kind
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
        let Node { start, len, kind, .. } = *self.node;
        if kind.is_aggregate() {
            return &[];
        }
        let payload = self.frame.wire().get(start as usize..).and_then(|rest| rest.get(..len as usize));
        payload.unwrap_or_default()
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
        let (_, format) = self.frame.wire().get(..self.node.start as usize)?.split_last_chunk::<4>()?;
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
    pub const fn len(&self) -> usize {
        if self.node.kind.is_aggregate() { self.node.len as usize } else { 0 }
    }

    /// Whether there is no element in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of an aggregate in order; of a map keys and values in turn. None for scalars.
    #[must_use]
    #[inline]
    pub const fn items(&self) -> Items<'a> {
        Items::new(self.frame, self.inner, self.len())
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
        self.encode_alone(out);
        let mut rest = if self.kind() == Kind::StreamedString { &[] } else { self.inner };
        while let Some((node, inner, after)) = split_first(rest) {
            let item = Item { frame: self.frame, node, attributes: &[], inner };
            item.encode_alone(out);
            let is_whole = node.kind == Kind::StreamedString;
            rest = if is_whole { after } else { rest.get(1..).unwrap_or_default() };
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
        let (frame, mut nodes) = (self.frame, self.attributes);
        core::iter::from_fn(move || {
            let (attribute, inner, rest) = split_first(nodes)?;
            nodes = rest;
            Some(Items::new(frame, inner, attribute.len as usize))
        })
        .flatten()
    }
}

/// Cuts a run of nodes behind its first element: that element, what it holds, and the rest.
#[inline]
fn split_first(nodes: &[Node]) -> Option<(&Node, &[Node], &[Node])> {
    let (first, after) = nodes.split_first()?;
    let (inner, rest) = after.split_at_checked(first.below as usize)?;
    Some((first, inner, rest))
}

impl fmt::Debug for Item<'_> {
    /// Shows the kind and size only: an element can hold a million others, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind().name(), self.node.len)
    }
}

/// Iterator over the elements of an aggregate, from [`Item::items`].
#[derive(Clone)]
pub struct Items<'a> {
    frame: &'a Frame,
    nodes: &'a [Node],
    left: usize,
}

impl<'a> Items<'a> {
    #[inline]
    pub(super) const fn new(frame: &'a Frame, nodes: &'a [Node], left: usize) -> Self {
        Self { frame, nodes, left }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match self.nodes.split_first() {
            Some((node, rest)) if node.below == 0 => {
                self.nodes = rest;
                self.left = self.left.saturating_sub(1);
                Some(Item::alone(self.frame, node))
            }
            _ => self.next_of_several(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a> Items<'a> {
    /// The next element if it has attributes or holds elements.
    fn next_of_several(&mut self) -> Option<Item<'a>> {
        let from = self.nodes;
        loop {
            let before = self.nodes.len();
            let (node, inner, rest) = split_first(self.nodes)?;
            self.nodes = rest;
            if node.kind != Kind::Attribute {
                self.left = self.left.saturating_sub(1);
                let (attributes, _) = from.split_at_checked(from.len().saturating_sub(before))?;
                return Some(Item { frame: self.frame, node, attributes, inner });
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
