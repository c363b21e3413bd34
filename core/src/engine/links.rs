//! The links of all nodes, and what is known of them together.
//!
//! What the engine is asked after every input, how much it holds and when it must be called, must not cost
//! more with more nodes. So the sums are kept, and brought up to date for those links alone that were
//! touched since they were asked for last.

use alloc::vec::Vec;

use super::link::{Link, Opening};
use crate::connection::ConnId;
use crate::time::Instant;
use crate::topology::{Health, NodeId};

#[derive(Debug)]
struct Place {
    link: Link,
    /// What it holds, as far as it is part of the sum.
    counted: (usize, usize),
    touched: bool,
    /// It is among those that may have something to write.
    may_write: bool,
}

#[derive(Debug)]
pub(super) struct Links {
    /// By [`NodeId`].
    places: Vec<Option<Place>>,
    /// In the order of the connections.
    nodes: Vec<(ConnId, NodeId)>,
    last_conn: u64,
    touched: Vec<NodeId>,
    may_write: Vec<NodeId>,
    load: (usize, usize),
    /// `earliest <= link.poll_timeout()` for every link that is not touched.
    earliest: Instant,
}

impl Default for Links {
    fn default() -> Self {
        Self::numbered_from(0)
    }
}

impl Links {
    /// Links whose connections have numbers behind `first`.
    pub(super) const fn numbered_from(first: u64) -> Self {
        Self {
            places: Vec::new(),
            nodes: Vec::new(),
            last_conn: first,
            touched: Vec::new(),
            may_write: Vec::new(),
            load: (0, 0),
            earliest: Instant::FAR,
        }
    }

    /// The way to a node, to do something with it.
    #[inline]
    pub(super) fn get(&mut self, node: NodeId) -> Option<&mut Link> {
        let place = self.places.get_mut(node.0)?.as_mut()?;
        if !core::mem::replace(&mut place.touched, true) {
            self.touched.push(node);
        }
        if !core::mem::replace(&mut place.may_write, true) {
            self.may_write.push(node);
        }
        Some(&mut place.link)
    }

    /// The way to a node, for what changes neither how much it holds nor when it must be looked at, and leaves nothing
    /// to write: reading and writing.
    pub(super) fn reach(&mut self, node: NodeId) -> Option<&mut Link> {
        Some(&mut self.places.get_mut(node.0)?.as_mut()?.link)
    }

    /// Adds the connections that have something to write, of the links that were touched since this was asked last.
    #[inline]
    pub(super) fn drain_unwritten(&mut self, into: &mut Vec<ConnId>) {
        while let Some(node) = self.may_write.pop() {
            if let Some(place) = self.places.get_mut(node.0).and_then(Option::as_mut) {
                place.may_write = false;
                into.extend(place.link.unwritten());
            }
        }
    }

    /// The way to a node, to look at it.
    pub(super) fn peek(&self, node: NodeId) -> Option<&Link> {
        Some(&self.places.get(node.0)?.as_ref()?.link)
    }

    /// What is known of the way to a node.
    pub(super) fn health(&self, node: NodeId) -> Health {
        self.peek(node).map_or(Health { usable: true, latency: None }, Link::health)
    }

    /// Which node a connection is with.
    pub(super) fn node_of(&self, conn: ConnId) -> Option<NodeId> {
        let place = self.nodes.binary_search_by_key(&conn, |(conn, _)| *conn).ok()?;
        self.nodes.get(place).map(|(_, node)| *node)
    }

    pub(super) fn insert(&mut self, node: NodeId, link: Link) {
        if self.places.len() <= node.0 {
            if self.places.is_empty() {
                // A single server is all that most clients have.
                self.places.reserve_exact(node.0 + 1);
                self.touched.reserve_exact(1);
                self.may_write.reserve_exact(1);
            }
            self.places.resize_with(node.0 + 1, || None);
        }
        if let Some(place) = self.places.get_mut(node.0) {
            *place = Some(Place { link, counted: (0, 0), touched: true, may_write: true });
            self.touched.push(node);
            self.may_write.push(node);
        }
    }

    /// Forgets a node whose link is vacant.
    pub(super) fn remove(&mut self, node: NodeId) {
        self.settle();
        if let Some(place) = self.places.get_mut(node.0) {
            *place = None;
        }
    }

    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.peek(node).is_some()
    }

    /// The nodes to which there is a way.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let ids = self.places.iter().enumerate().filter(|(_, place)| place.is_some());
        ids.map(|(index, _)| NodeId(index)).collect::<Vec<_>>().into_iter()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.places.iter().flatten().map(|place| &place.link)
    }

    /// A number for a connection that is not the link's own.
    pub(super) const fn next_conn(&mut self) -> ConnId {
        self.last_conn += 1;
        ConnId(self.last_conn)
    }

    /// Starts a connection with a node, if one is wanted and due.
    pub(super) fn poll_connect(&mut self, now: Instant, node: NodeId) -> Option<Opening> {
        let mut last_conn = self.last_conn;
        let opening = self.get(node)?.poll_connect(now, &mut last_conn)?;
        self.last_conn = last_conn;
        // Its number is the highest so far.
        self.nodes.reserve_exact(1);
        self.nodes.push((opening.0, node));
        Some(opening)
    }

    /// A connection has ended. Returns which node it was with, unless it had ended before.
    pub(super) fn disconnect(&mut self, conn: ConnId) -> Option<NodeId> {
        let place = self.nodes.binary_search_by_key(&conn, |(conn, _)| *conn).ok()?;
        Some(self.nodes.remove(place).1)
    }

    /// Ends all connections.
    pub(super) fn take_connections(&mut self) -> impl Iterator<Item = ConnId> + use<> {
        core::mem::take(&mut self.nodes).into_iter().map(|(conn, _)| conn)
    }

    /// How many commands and bytes the links hold.
    pub(super) fn load(&mut self) -> (usize, usize) {
        self.settle();
        self.load
    }

    /// A time before which no link has to be looked at.
    pub(super) fn earliest(&mut self) -> Instant {
        self.settle();
        self.earliest
    }

    /// All links are looked at now: nothing that was known of their times holds any longer.
    pub(super) fn forget_times(&mut self) {
        self.settle();
        self.earliest = self.iter().map(Link::poll_timeout).min().unwrap_or(Instant::FAR);
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.places.iter_mut().flatten().for_each(|place| place.link.shrink());
        self.places.shrink_to_fit();
        self.touched.shrink_to_fit();
        self.may_write.shrink_to_fit();
    }

    fn settle(&mut self) {
        while let Some(node) = self.touched.pop() {
            let Some(place) = self.places.get_mut(node.0).and_then(Option::as_mut) else { continue };
            place.touched = false;
            let load = place.link.load();
            self.load.0 = self.load.0 + load.0 - place.counted.0;
            self.load.1 = self.load.1 + load.1 - place.counted.1;
            place.counted = load;
            self.earliest = self.earliest.min(place.link.poll_timeout());
        }
    }
}
