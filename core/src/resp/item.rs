//! A borrowed view of one element of a reply.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::frame::{Kind, Node};
use super::number::{parse_f64, parse_i64};

/// One element of a [`Frame`](super::Frame), to read from. Copying it is free.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    bytes: &'a Bytes,
    nodes: &'a [Node],
    /// Where this element's attributes begin on the tape; `index` if it has none.
    attributes: usize,
    index: usize,
}

impl<'a> Item<'a> {
    pub(super) const fn new(bytes: &'a Bytes, nodes: &'a [Node], attributes: usize, index: usize) -> Self {
        Self { bytes, nodes, attributes, index }
    }

    const fn node(&self) -> &'a Node {
        &self.nodes[self.index]
    }

    /// What this element is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.node().kind
    }

    /// Whether this is nil, in any of its three spellings.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// The payload of a scalar: the text of a number, `t` or `f` of a boolean, the text without its
    /// format of a verbatim string. Chunks of a streamed string are joined; an aggregate has none.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, [u8]>> {
        match self.kind() {
            Kind::StreamedString => {
                let mut joined = Vec::new();
                self.items().for_each(|chunk| joined.extend_from_slice(chunk.payload()));
                Some(Cow::Owned(joined))
            }
            Kind::Null => None,
            kind if kind.is_aggregate() => None,
            _ => Some(Cow::Borrowed(self.payload())),
        }
    }

    /// The payload as one slice, empty for aggregates, nil and streamed strings.
    pub(crate) fn payload(&self) -> &'a [u8] {
        let node = self.node();
        if node.kind.is_aggregate() {
            return &[];
        }
        let start = node.start as usize;
        &self.bytes[start..start + node.len as usize]
    }

    /// The payload as shared bytes: a slice of the buffer that was read, without a copy.
    ///
    /// Keeping it keeps that buffer, so small values are better copied.
    #[must_use]
    pub fn shared(&self) -> Option<Bytes> {
        match self.text()? {
            Cow::Borrowed(slice) => Some(self.bytes.slice_ref(slice)),
            Cow::Owned(joined) => Some(joined.into()),
        }
    }

    /// The three letters before the text of a verbatim string.
    #[must_use]
    pub fn format(&self) -> Option<&'a [u8]> {
        let start = self.node().start as usize;
        (self.kind() == Kind::VerbatimString).then(|| &self.bytes[start - 4..start - 1])
    }

    /// The value of an integer, or of a string that holds one.
    #[must_use]
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
    pub fn len(&self) -> usize {
        if self.kind().is_aggregate() { self.node().len as usize } else { 0 }
    }

    /// Whether there is no element in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of an aggregate in order; of a map keys and values in turn. None for scalars.
    #[must_use]
    pub fn items(&self) -> Items<'a> {
        let node = self.node();
        let end = if node.kind.is_aggregate() { node.end as usize } else { self.index + 1 };
        Items { bytes: self.bytes, nodes: self.nodes, next: self.index + 1, end, left: self.len() }
    }

    /// The remarks that the server put before this element (RESP3 `|`), keys and values in turn.
    pub fn attributes(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let (bytes, nodes, mut next, index) = (self.bytes, self.nodes, self.attributes, self.index);
        core::iter::from_fn(move || {
            (next < index).then(|| {
                let remark = Item::new(bytes, nodes, next, next);
                next = nodes[next].end as usize;
                remark
            })
        })
        .flat_map(|remark| remark.items())
    }
}

impl fmt::Debug for Item<'_> {
    /// Shows the kind and size only: an element can hold a million others, or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind().name(), self.node().len)
    }
}

/// Iterator over the elements of an aggregate, from [`Item::items`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    bytes: &'a Bytes,
    nodes: &'a [Node],
    next: usize,
    end: usize,
    left: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let attributes = self.next;
        while self.next < self.end {
            let index = self.next;
            let node = &self.nodes[index];
            self.next = node.end as usize;
            if node.kind != Kind::Attribute {
                self.left = self.left.saturating_sub(1);
                return Some(Item::new(self.bytes, self.nodes, attributes, index));
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Items<'_> {}
