//! Requests that go to several nodes: one child for each node, and one reply made of theirs.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Engine, Entry, Event, NodeId, Outgoing, RequestId};
use crate::command::{Flags, Part, Target, join};
use crate::error::Error;
use crate::resp::Frame;
use crate::time::Instant;
use crate::topology::Topology;

/// The place of all children; their generation is the number of the group, their part that of the node.
pub(super) const CHILD: u32 = RequestId::PARTS;

/// One request and what its children have brought so far.
#[derive(Debug)]
struct Group {
    id: RequestId,
    place: u32,
    flags: Flags,
    parts: Vec<Option<Part>>,
    missing: usize,
}

/// The requests that are with several nodes.
#[derive(Debug, Default)]
pub(super) struct FanOuts {
    /// By number.
    groups: BTreeMap<u32, Group>,
    last: u32,
}

impl FanOuts {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Begins a group for `nodes` nodes. Returns what its children are called.
    fn begin(&mut self, entry: &Entry, nodes: usize) -> RequestId {
        self.last = self.last.wrapping_add(1);
        let mut parts = Vec::new();
        parts.resize_with(nodes, || None);
        let (id, place, flags) = (entry.id, entry.place(), entry.flags);
        self.groups.insert(self.last, Group { id, place, flags, parts, missing: nodes });
        RequestId { slot: CHILD, generation: self.last }
    }

    /// A child has ended. Returns the reply of its group, if that was the last.
    fn handle_part(&mut self, child: &Entry, part: Part) -> Option<Event> {
        let group = self.groups.get_mut(&child.id.generation)?;
        let empty = group.parts.get_mut(child.part as usize).filter(|place| place.is_none())?;
        *empty = Some(part);
        group.missing -= 1;
        if group.missing > 0 {
            return None;
        }
        let Group { id, place, flags, parts, .. } = self.groups.remove(&child.id.generation)?;
        let result = join(flags, parts.into_iter().flatten().collect());
        Some(Event::Reply { id, part: place, result })
    }

    /// Forgets groups that nobody waits for; `ids` are sorted. Returns what their children are called.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) -> Vec<RequestId> {
        let mut children = Vec::new();
        self.groups.retain(|&generation, group| {
            let awaited = ids.binary_search(&group.id).is_err();
            if !awaited {
                children.push(RequestId { slot: CHILD, generation });
            }
            awaited
        });
        children
    }
}

impl Engine {
    /// Sends a request to all nodes that it is for, if it is for several and they are known. Its bytes are the
    /// first in `bytes`; they are taken if it was sent.
    #[cold]
    pub(super) fn fan_out(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) -> bool {
        let Topology::Cluster(cluster) = &self.topology else { return false };
        let nodes: Vec<NodeId> = match entry.target {
            Target::AllPrimaries => cluster.primaries().to_vec(),
            Target::AllNodes => cluster.members().collect(),
            _ => return false,
        };
        if nodes.is_empty() {
            return false;
        }
        let mut command = Outgoing::default();
        bytes.transfer(entry.wire_len as usize, &mut command);
        let id = self.fan_outs.begin(&entry, nodes.len());
        for (part, node) in (0..).zip(nodes) {
            let target = Target::Node(node.0 as u16);
            let mut copy = Outgoing::default();
            command.copy_to(&mut copy);
            self.submit_to(now, node, Entry { id, part, target, ..entry }, &mut copy);
        }
        true
    }

    /// A child has ended.
    pub(super) fn handle_child(&mut self, now: Instant, child: Entry, result: Result<Frame, Error>) {
        let result = self.retell(&child, result);
        let node = match child.target {
            Target::Node(node) => self.links.peek(NodeId(node.into())),
            _ => None,
        };
        let part = Part::new(result);
        let part = match node {
            Some(link) => part.of_node(&link.name()),
            None => part,
        };
        if let Some(event) = self.fan_outs.handle_part(&child, part) {
            self.events.push(event);
        }
        self.finish_drain(now);
    }
}
