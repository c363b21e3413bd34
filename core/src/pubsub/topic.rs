//! Channels and patterns that somebody wants to hear of.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::Kind;
use crate::command::slot;
use crate::topology::NodeId;

/// Names a topic: its place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TopicId(pub(super) usize);

/// A subscription that has a topic.
#[derive(Debug)]
pub(super) struct User {
    /// Its place among all.
    pub(super) subscription: usize,
    /// It wants what is said on every primary.
    pub(super) everywhere: bool,
    /// The topic was confirmed once since it has it.
    pub(super) established: bool,
    /// The calls that wait for the confirmation.
    pub(super) waiting: SmallVec<[u64; 1]>,
    /// The calls that have asked for it and not ended.
    pub(super) claims: SmallVec<[u64; 1]>,
    /// A call that has asked for it has ended well, so it stays if others fail.
    pub(super) kept: bool,
}

impl User {
    /// A subscription that has asked for nothing yet.
    pub(super) fn new(subscription: usize) -> Self {
        let (waiting, claims) = (SmallVec::new(), SmallVec::new());
        Self { subscription, everywhere: false, established: false, waiting, claims, kept: false }
    }

    /// A call asks for the topic.
    pub(super) fn ask(&mut self, call: u64, everywhere: bool) {
        self.everywhere |= everywhere;
        self.waiting.push(call);
        self.claims.push(call);
    }

    /// A call has ended. Returns whether nothing is left for which the topic is wanted.
    pub(super) fn end(&mut self, call: u64, well: bool) -> bool {
        let Some(place) = self.claims.iter().position(|claim| *claim == call) else { return false };
        self.claims.remove(place);
        self.waiting.retain(|waiting| *waiting != call);
        self.kept |= well;
        !self.kept && self.claims.is_empty()
    }
}

/// A channel or a pattern.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) kind: Kind,
    pub(super) name: Arc<[u8]>,
    pub(super) users: Vec<User>,
    /// The node for those who do not want to hear of every primary.
    pub(super) home: Option<NodeId>,
    /// The nodes where it is to be subscribed.
    pub(super) seats: SmallVec<[NodeId; 1]>,
    /// It is subscribed on all of them, and there is one.
    pub(super) whole: bool,
    /// How many nodes know of it.
    pub(super) known_by: usize,
    /// How often it was refused in a row.
    pub(super) refusals: u32,
}

impl Topic {
    /// The slot of a cluster that it belongs to.
    pub(super) fn slot(&self) -> Option<u16> {
        (self.kind == Kind::Shard).then(|| slot::of(&self.name))
    }

    pub(super) fn user(&mut self, subscription: usize) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.subscription == subscription)
    }
}

/// All topics, by place and by name.
#[derive(Debug, Default)]
pub(super) struct Topics {
    places: Vec<Option<Topic>>,
    free: Vec<usize>,
    names: [BTreeMap<Arc<[u8]>, TopicId>; 3],
    /// The topic that was looked up last: messages come in runs.
    last: Option<TopicId>,
}

impl Topics {
    pub(super) const fn new() -> Self {
        const NONE: BTreeMap<Arc<[u8]>, TopicId> = BTreeMap::new();
        Self { places: Vec::new(), free: Vec::new(), names: [NONE; 3], last: None }
    }

    /// The topic of this name, made if there is none.
    pub(super) fn admit(&mut self, kind: Kind, name: &[u8]) -> TopicId {
        if let Some(id) = self.find(kind, name) {
            return id;
        }
        let name: Arc<[u8]> = name.into();
        let topic = Topic {
            kind,
            name: name.clone(),
            users: Vec::new(),
            home: None,
            seats: SmallVec::new(),
            whole: false,
            known_by: 0,
            refusals: 0,
        };
        let id = TopicId(self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        }));
        self.places[id.0] = Some(topic);
        self.names[kind as usize].insert(name, id);
        id
    }

    #[inline]
    pub(super) fn find(&mut self, kind: Kind, name: &[u8]) -> Option<TopicId> {
        if let Some(last) = self.last
            && self.get(last).is_some_and(|topic| topic.kind == kind && *topic.name == *name)
        {
            return Some(last);
        }
        self.last = self.names[kind as usize].get(name).copied();
        self.last
    }

    #[inline]
    pub(super) fn get(&self, id: TopicId) -> Option<&Topic> {
        self.places.get(id.0)?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: TopicId) -> Option<&mut Topic> {
        self.places.get_mut(id.0)?.as_mut()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = TopicId> + use<> {
        let ids = self.places.iter().enumerate().filter(|(_, place)| place.is_some());
        ids.map(|(at, _)| TopicId(at)).collect::<Vec<_>>().into_iter()
    }

    /// Forgets a topic that nobody wants and no node knows of.
    pub(super) fn tidy(&mut self, id: TopicId) {
        let Some(place) = self.places.get_mut(id.0) else { return };
        if let Some(topic) = place.take_if(|topic| topic.users.is_empty() && topic.known_by == 0) {
            self.names[topic.kind as usize].remove(&topic.name);
            self.free.push(id.0);
        }
    }
}
