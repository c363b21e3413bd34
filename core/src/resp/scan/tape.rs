//! The tape of the reply that is being read, and the aggregates that are open on it.

use alloc::vec::Vec;

use super::narrow;
use crate::resp::frame::{Kind, Node};

/// Nodes in the order of the wire, with the state of what is open: to open an aggregate and to close it touches
/// nothing but its node.
///
/// Until it is closed, the node of an aggregate keeps the place of the one around it in `below`, and what `count`
/// is there in `start`. Its `len` is 0 if and only if it is streamed.
#[derive(Debug)]
pub(super) struct Tape {
    nodes: Vec<Node>,
    /// The place of the innermost open aggregate, or [`NONE`].
    innermost: u32,
    /// How many of its elements are to come, never none; of a streamed one, how many were seen. Zero if none is open.
    count: u32,
    /// How many aggregates are open.
    depth: u32,
    /// How many of them are streamed.
    streams: u32,
}

/// Beyond any tape: a node takes three bytes of a reply at the least, the length of which is a `u32`.
const NONE: u32 = u32::MAX;

impl Tape {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), innermost: NONE, count: 0, depth: 0, streams: 0 }
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    #[inline]
    pub(super) const fn depth(&self) -> u32 {
        self.depth
    }

    #[inline]
    pub(super) const fn has_streams(&self) -> bool {
        self.streams > 0
    }

    /// See the field.
    #[inline]
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The kind of the innermost open aggregate.
    #[inline]
    pub(super) fn innermost(&self) -> Option<Kind> {
        self.nodes.get(self.innermost as usize).map(|node| node.kind)
    }

    /// Whether the innermost open aggregate is streamed.
    #[inline]
    pub(super) fn is_streaming(&self) -> bool {
        self.nodes.get(self.innermost as usize).is_some_and(|node| node.len == 0)
    }

    #[inline]
    pub(super) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Opens an aggregate of `len` elements; of none, a streamed one.
    #[inline]
    pub(super) fn open(&mut self, kind: Kind, len: u32) {
        if self.nodes.is_empty() {
            // Never by what was announced: a short first step, then doubling.
            self.nodes.reserve_exact((len as usize).min(255).saturating_add(1));
        }
        let at = narrow(self.nodes.len());
        self.nodes.push(Node { start: self.count, len, below: self.innermost, kind });
        self.innermost = at;
        self.count = len;
        self.depth = self.depth.wrapping_add(1);
        if len == 0 {
            self.streams = self.streams.saturating_add(1);
        }
    }

    /// Counts an element of the innermost aggregate, which is not streamed. Returns whether it was the last.
    #[inline]
    pub(super) const fn count_down(&mut self) -> bool {
        self.count = self.count.wrapping_sub(1);
        self.count == 0
    }

    /// So many elements were seen of the innermost aggregate, which is streamed.
    pub(super) const fn set_seen(&mut self, seen: u32) {
        self.count = seen;
    }

    /// Closes the innermost aggregate, which is streamed, and returns its node.
    pub(super) fn close_streamed(&mut self) -> Option<&Node> {
        let node = self.nodes.get_mut(self.innermost as usize)?;
        node.len = self.count;
        self.streams = self.streams.saturating_sub(1);
        self.close()
    }

    /// Closes the innermost aggregate, and returns its node.
    #[inline]
    pub(super) fn close(&mut self) -> Option<&Node> {
        let (at, len) = (self.innermost as usize, self.nodes.len());
        let node = self.nodes.get_mut(at)?;
        (self.innermost, self.count) = (node.below, node.start);
        // It is open, and one of these nodes.
        self.depth = self.depth.wrapping_sub(1);
        (node.below, node.start) = (narrow(len.wrapping_sub(at).wrapping_sub(1)), 0);
        Some(node)
    }

    /// All nodes of a reply that is whole.
    #[inline]
    pub(super) fn take(&mut self) -> Vec<Node> {
        core::mem::take(&mut self.nodes)
    }
}
