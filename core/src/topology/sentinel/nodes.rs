//! The sentinels and servers that a client has to do with, each by a number that stays.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::config::Endpoint;
use crate::topology::NodeId;

/// What a node is asked for. What it takes itself for is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Where the primary is.
    Sentinel,
    /// Data.
    Server,
}

/// Nodes by number, and by kind and endpoint.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// By number; `None` is a number to give out again.
    entries: Vec<Option<(Kind, Endpoint)>>,
    ids: BTreeMap<(Kind, Endpoint), NodeId>,
}

impl Nodes {
    pub(super) fn get(&self, node: NodeId) -> Option<&(Kind, Endpoint)> {
        self.entries.get(node.0)?.as_ref()
    }

    pub(super) fn find(&self, kind: Kind, endpoint: &Endpoint) -> Option<NodeId> {
        self.ids.get(&(kind, endpoint.clone())).copied()
    }

    /// The endpoint of a server.
    pub(super) fn server(&self, node: NodeId) -> Option<&Endpoint> {
        self.get(node).filter(|(kind, _)| *kind == Kind::Server).map(|(_, endpoint)| endpoint)
    }

    /// The node of this kind at `endpoint`, which becomes known if it is not.
    pub(super) fn admit(&mut self, kind: Kind, endpoint: &Endpoint) -> NodeId {
        let key = (kind, endpoint.clone());
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let free = self.entries.iter().position(Option::is_none).unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        if let Some(place) = self.entries.get_mut(free) {
            *place = Some(key.clone());
        }
        self.ids.insert(key, NodeId(free));
        NodeId(free)
    }

    /// All numbers that are in use.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let mut ids: Vec<NodeId> = self.ids.values().copied().collect();
        ids.sort_unstable();
        ids.into_iter()
    }

    /// Forgets a node; its number will be another's.
    pub(super) fn release(&mut self, node: NodeId) {
        if let Some(key) = self.entries.get_mut(node.0).and_then(Option::take) {
            self.ids.remove(&key);
        }
    }
}
