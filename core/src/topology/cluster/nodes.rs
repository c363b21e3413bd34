//! The nodes that a client has to do with, each by a number that stays.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::config::Endpoint;
use crate::topology::NodeId;

/// What is known of a node.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) endpoint: Endpoint,
    pub(super) zone: Option<Arc<str>>,
    /// Whether it belongs to the cluster, as far as is known.
    pub(super) member: bool,
    /// How many slots it serves.
    pub(super) slots: u16,
    /// The nodes that follow it, by endpoint.
    pub(super) replicas: Vec<NodeId>,
}

/// Nodes by number and by endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    /// By number.
    entries: Vec<Option<Entry>>,
    by_endpoint: BTreeMap<Endpoint, NodeId>,
    /// Numbers to give out again.
    free: Vec<NodeId>,
}

impl Nodes {
    pub(super) fn len(&self) -> usize {
        self.by_endpoint.len()
    }

    pub(super) fn find(&self, endpoint: &Endpoint) -> Option<NodeId> {
        self.by_endpoint.get(endpoint).copied()
    }

    pub(super) fn get(&self, id: NodeId) -> Option<&Entry> {
        self.entries.get(id.0)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Entry> {
        self.entries.get_mut(id.0)?.as_mut()
    }

    /// The node at `endpoint`, which becomes known if it is not.
    pub(super) fn admit(&mut self, endpoint: &Endpoint) -> NodeId {
        if let Some(id) = self.find(endpoint) {
            return id;
        }
        let entry =
            Entry { endpoint: endpoint.clone(), zone: None, member: false, slots: 0, replicas: Vec::new() };
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            NodeId(self.entries.len() - 1)
        });
        if let Some(place) = self.entries.get_mut(id.0) {
            *place = Some(entry);
        }
        self.by_endpoint.insert(endpoint.clone(), id);
        id
    }

    /// Forgets a node that is no member; its number will be another's.
    pub(super) fn release(&mut self, id: NodeId) -> bool {
        let guest = |entry: &mut Option<Entry>| entry.take_if(|entry| !entry.member);
        let Some(entry) = self.entries.get_mut(id.0).and_then(guest) else { return false };
        self.by_endpoint.remove(&entry.endpoint);
        self.free.push(id);
        true
    }

    /// All nodes by endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &Entry)> {
        self.by_endpoint.values().filter_map(|&id| Some((id, self.get(id)?)))
    }

    /// Makes all nodes strangers to the cluster.
    pub(super) fn clear_members(&mut self) {
        for entry in self.entries.iter_mut().flatten() {
            (entry.member, entry.slots) = (false, 0);
            entry.replicas.clear();
        }
    }
}
