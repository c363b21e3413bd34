//! Which node serves each slot.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use super::nodes::Nodes;
use super::view::{NODES_MAX, View, ViewError};
use crate::command::slot::SLOTS;
use crate::commands::SlotRange;
use crate::config::Endpoint;
use crate::time::Instant;
use crate::topology::NodeId;

/// So many nodes are known at once: members, and others that are not released yet.
const KNOWN_MAX: usize = 4 * NODES_MAX;

/// Stands for no node among the owners.
const NOBODY: u16 = u16::MAX;

/// Which node serves each of the 16,384 slots, and which nodes follow it.
///
/// A look-up is one access to an array of 32 KiB; each node adds about 200 bytes to it.
///
/// ```
/// use redstart_core::Instant;
/// use redstart_core::command::slot;
/// use redstart_core::commands::SlotRange;
/// use redstart_core::config::Endpoint;
/// use redstart_core::topology::cluster::{Node, Shard, SlotMap, View};
///
/// let node = |port| Node::new(Endpoint::tcp("10.0.0.1", port));
/// let all = vec![SlotRange::new(0, 16_383)];
/// let view = View::new([Shard::new(node(7000), vec![node(7001)], all)])?;
///
/// let mut map = SlotMap::new();
/// let change = map.adopt(&view, Instant::ORIGIN)?;
/// let primary = map.primary(slot::of(b"key")).expect("every slot is served");
/// assert_eq!(map.endpoint(primary), Some(&Endpoint::tcp("10.0.0.1", 7000)));
/// assert_eq!(change.joined, [&[primary], map.replicas(primary)].concat());
/// # Ok::<(), redstart_core::topology::cluster::ViewError>(())
/// ```
///
/// A node keeps its [`NodeId`] from the moment it is known until it is [released](Self::release): over
/// refreshes, and when it has left the cluster, since requests may be under way to it still.
#[derive(Clone, Debug)]
pub struct SlotMap {
    nodes: Nodes,
    /// By slot: the number of the node that serves it, or [`NOBODY`].
    owners: Vec<u16>,
    /// Slots that `MOVED` told of, and when: views asked for before then say nothing about them.
    moved: BTreeMap<u16, Instant>,
}

/// What a new view has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Nodes that belong to the cluster now and did not before, by endpoint.
    pub joined: Vec<NodeId>,
    /// Nodes that belonged to it before and still do.
    pub stayed: Vec<NodeId>,
    /// Nodes that have left: to be [released](SlotMap::release) when nothing is under way to them.
    pub left: Vec<NodeId>,
    /// Slots that another node serves now, or nobody, or again somebody.
    pub slots: Vec<SlotRange>,
}

impl Default for SlotMap {
    fn default() -> Self {
        Self { nodes: Nodes::default(), owners: vec![NOBODY; usize::from(SLOTS)], moved: BTreeMap::new() }
    }
}

impl SlotMap {
    /// A map without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The node that serves `slot`.
    #[must_use]
    #[inline]
    pub fn primary(&self, slot: u16) -> Option<NodeId> {
        let &owner = self.owners.get(usize::from(slot))?;
        (owner != NOBODY).then(|| NodeId(owner.into()))
    }

    /// The nodes that follow `primary`, by endpoint.
    #[must_use]
    pub fn replicas(&self, primary: NodeId) -> &[NodeId] {
        self.nodes.get(primary).map_or(&[], |entry| &entry.replicas)
    }

    /// How many slots are served.
    #[must_use]
    pub fn coverage(&self) -> usize {
        self.owners.iter().filter(|&&owner| owner != NOBODY).count()
    }

    /// The primaries that serve slots and their replicas, in the order of the primaries' endpoints.
    pub fn shards(&self) -> impl Iterator<Item = (NodeId, &[NodeId])> {
        self.nodes.iter().filter(|(_, node)| node.slots > 0).map(|(id, node)| (id, &*node.replicas))
    }

    /// Whether the node is part of the cluster, as a primary or as a replica.
    #[must_use]
    pub fn is_member(&self, node: NodeId) -> bool {
        self.nodes.get(node).is_some_and(|entry| entry.member)
    }

    /// Whether the node serves slots.
    #[must_use]
    pub fn is_primary(&self, node: NodeId) -> bool {
        self.nodes.get(node).is_some_and(|entry| entry.slots > 0)
    }

    /// The nodes that belong to the cluster, by endpoint.
    pub fn members(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.iter().filter(|(_, node)| node.member).map(|(id, _)| id)
    }

    /// Where to connect to a node, unless it is released.
    #[must_use]
    pub fn endpoint(&self, node: NodeId) -> Option<&Endpoint> {
        self.nodes.get(node).map(|entry| &entry.endpoint)
    }

    /// Where a node stands, if it says so.
    #[must_use]
    pub fn zone(&self, node: NodeId) -> Option<&str> {
        self.nodes.get(node)?.zone.as_deref()
    }

    /// The node at `endpoint`, if it is known.
    #[must_use]
    pub fn find(&self, endpoint: &Endpoint) -> Option<NodeId> {
        self.nodes.find(endpoint)
    }

    /// The node at `endpoint`. If it is not known it becomes so, without belonging to the cluster: a node
    /// to begin with, or the target of an `ASK`. `None` if 40,000 nodes are known.
    pub fn admit(&mut self, endpoint: &Endpoint) -> Option<NodeId> {
        let known = self.find(endpoint);
        known.or_else(|| (self.nodes.len() < KNOWN_MAX).then(|| self.nodes.admit(endpoint)))
    }

    /// Forgets a node that does not belong to the cluster; its number will be another's. `false` if it
    /// does, or is not known.
    pub fn release(&mut self, node: NodeId) -> bool {
        self.nodes.release(node)
    }

    /// A node said that the one at `endpoint` serves `slot` (`MOVED`).
    ///
    /// This slot alone is changed, and until a view decides that was asked for later: one node cannot turn
    /// all requests elsewhere. `None` if there is no such slot or there are too many nodes.
    pub fn handle_moved(&mut self, now: Instant, slot: u16, endpoint: &Endpoint) -> Option<NodeId> {
        if slot >= SLOTS {
            return None;
        }
        let id = self.admit(endpoint)?;
        self.moved.insert(slot, now);
        self.assign(slot, id);
        Some(id)
    }

    /// Takes over a view that was asked for at `asked_at`, in place of all that was known before, but for
    /// what `MOVED` has told since.
    ///
    /// # Errors
    /// [`ViewError::TooManyNodes`]: too many nodes have left and are not released. Nothing is changed.
    pub fn adopt(&mut self, view: &View, asked_at: Instant) -> Result<Change, ViewError> {
        let unknown = view.nodes().filter(|node| self.find(&node.endpoint).is_none()).count();
        if self.nodes.len() + unknown > KNOWN_MAX {
            return Err(ViewError::TooManyNodes);
        }
        let members: BTreeSet<NodeId> = self.members().collect();
        let owners = core::mem::replace(&mut self.owners, vec![NOBODY; usize::from(SLOTS)]);
        self.nodes.clear_members();
        self.fill(view);
        self.moved.retain(|_, at| *at >= asked_at);
        for slot in self.moved.keys().copied().collect::<Vec<_>>() {
            if let Some(&owner) = owners.get(usize::from(slot)) {
                self.assign(slot, NodeId(owner.into()));
            }
        }
        Ok(self.change(&members, &owners))
    }

    fn fill(&mut self, view: &View) {
        for node in view.nodes() {
            let id = self.nodes.admit(&node.endpoint);
            if let Some(entry) = self.nodes.get_mut(id) {
                (entry.member, entry.zone) = (true, node.zone.clone());
            }
        }
        for shard in view.shards() {
            let Some(primary) = self.find(&shard.primary.endpoint) else { continue };
            let replicas = shard.replicas.iter().filter_map(|replica| self.find(&replica.endpoint)).collect();
            let Some(entry) = self.nodes.get_mut(primary) else { continue };
            entry.replicas = replicas;
            for range in &shard.slots {
                if let Some(owners) = self.owners.get_mut(usize::from(range.start)..=usize::from(range.end)) {
                    entry.slots += owners.len() as u16;
                    // Numbers are below KNOWN_MAX.
                    owners.fill(primary.0 as u16);
                }
            }
        }
    }

    fn assign(&mut self, slot: u16, id: NodeId) {
        let Some(owner) = self.owners.get_mut(usize::from(slot)) else { return };
        // Numbers are below KNOWN_MAX.
        let before = core::mem::replace(owner, id.0 as u16);
        if let Some(entry) = self.nodes.get_mut(NodeId(before.into())) {
            entry.slots -= 1;
        }
        if let Some(entry) = self.nodes.get_mut(id) {
            (entry.member, entry.slots) = (true, entry.slots + 1);
        }
    }

    /// What is different from when these were the members and owners.
    fn change(&self, members: &BTreeSet<NodeId>, owners: &[u16]) -> Change {
        let mut change = Change::default();
        for (id, node) in self.nodes.iter() {
            match (members.contains(&id), node.member) {
                (false, true) => change.joined.push(id),
                (true, true) => change.stayed.push(id),
                (true, false) => change.left.push(id),
                (false, false) => {}
            }
        }
        // Most parts are most often the same, which takes next to no time to see.
        const PART: usize = 64;
        let parts = owners.chunks(PART).zip(self.owners.chunks(PART)).zip((0..SLOTS).step_by(PART));
        let slots = parts.filter(|((before, now), _)| before != now).flat_map(|((before, now), first)| {
            let slots = (first..).zip(before.iter().zip(now));
            slots.filter_map(|(slot, (before, now))| (before != now).then_some(slot))
        });
        change.slots = SlotRange::gather(slots);
        change
    }
}

#[cfg(test)]
mod tests;
