//! What a node believes of its cluster: who is who, and who serves which slot.

use std::collections::BTreeMap;

use redstart_core::command::slot::SLOTS;

use super::Options;

/// What is believed of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sim) struct Member {
    /// The node that it follows, if it is a replica.
    pub(in crate::sim) primary: Option<usize>,
    /// It does not answer the others.
    pub(in crate::sim) failed: bool,
    /// The epoch in which it was given its slots.
    pub(in crate::sim) epoch: u64,
}

/// Slots with the same owner, which is nobody or a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Span {
    pub(in crate::sim) first: u16,
    pub(in crate::sim) last: u16,
    pub(in crate::sim) owner: Option<usize>,
}

/// What a node believes of its cluster. Nodes that believe the same share it.
#[derive(Clone, Debug)]
pub(in crate::sim) struct View {
    /// Of two views of one cluster the later one.
    pub(in crate::sim) version: u64,
    /// The highest epoch that was reached.
    pub(in crate::sim) epoch: u64,
    pub(in crate::sim) members: BTreeMap<usize, Member>,
    /// All slots, in order, without a gap.
    spans: Vec<Span>,
}

impl View {
    /// The view of all nodes of a new cluster: primaries, which share the slots, and then as many replicas as
    /// each of them has.
    pub(in crate::sim) fn first(options: &Options) -> Self {
        let Options { primaries, replicas, scattered, .. } = *options;
        let mut view = Self { epoch: primaries as u64, ..Self::alone(0) };
        for node in 0..primaries * (1 + replicas) {
            let primary = (node >= primaries).then(|| node % primaries);
            let epoch = primary.map_or(node as u64 + 1, |_| 0);
            view.members.insert(node, Member { primary, failed: false, epoch });
        }
        view.assign_all(|slot| match scattered {
            true => usize::from(slot) % primaries,
            false => usize::from(slot) * primaries / usize::from(SLOTS),
        });
        view
    }

    /// The view of a node that knows of nobody but itself.
    pub(in crate::sim) fn alone(node: usize) -> Self {
        let member = Member { primary: None, failed: false, epoch: 0 };
        let spans = vec![Span { first: 0, last: SLOTS - 1, owner: None }];
        Self { version: 0, epoch: 0, members: BTreeMap::from([(node, member)]), spans }
    }

    /// The node that serves a slot.
    pub(in crate::sim) fn owner(&self, slot: u16) -> Option<usize> {
        let at = self.spans.partition_point(|span| span.last < slot);
        self.spans.get(at)?.owner
    }

    /// The slots that are served, with their owners, as few spans as possible.
    pub(in crate::sim) fn served(&self) -> impl Iterator<Item = (Span, usize)> {
        self.spans.iter().filter_map(|span| Some((*span, span.owner?)))
    }

    /// The slots of a node.
    pub(in crate::sim) fn spans_of(&self, node: usize) -> impl Iterator<Item = Span> {
        self.spans.iter().copied().filter(move |span| span.owner == Some(node))
    }

    /// Whether a node serves slots.
    pub(in crate::sim) fn serves(&self, node: usize) -> bool {
        self.spans_of(node).next().is_some()
    }

    /// How many slots are served, and by how many nodes.
    pub(in crate::sim) fn coverage(&self) -> (usize, usize) {
        let slots = self.served().map(|(span, _)| usize::from(span.last - span.first) + 1).sum();
        let mut owners: Vec<_> = self.served().map(|(_, owner)| owner).collect();
        owners.sort_unstable();
        owners.dedup();
        (slots, owners.len())
    }

    /// Whether each slot is served by a node that answers the others.
    pub(in crate::sim) fn is_whole(&self) -> bool {
        self.spans.iter().all(|span| span.owner.is_some_and(|owner| !self.failed(owner)))
    }

    /// Whether a node is known not to answer the others.
    pub(in crate::sim) fn failed(&self, node: usize) -> bool {
        self.members.get(&node).is_some_and(|member| member.failed)
    }

    /// A node answers the others, or does not.
    pub(in crate::sim) fn set_failed(&mut self, node: usize, failed: bool) {
        self.members.entry(node).and_modify(|member| member.failed = failed);
    }

    /// The nodes that follow each primary.
    pub(in crate::sim) fn all_replicas(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut replicas: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (&node, member) in &self.members {
            if let Some(primary) = member.primary {
                replicas.entry(primary).or_default().push(node);
            }
        }
        replicas
    }

    /// The nodes that follow a primary.
    pub(in crate::sim) fn replicas(&self, primary: usize) -> impl Iterator<Item = usize> {
        let follows = move |member: &Member| member.primary == Some(primary);
        self.members.iter().filter(move |(_, member)| follows(member)).map(|(&node, _)| node)
    }

    /// Gives slots to a node, or to nobody.
    pub(in crate::sim) fn assign(&mut self, first: u16, last: u16, owner: Option<usize>) {
        let mut spans: Vec<Span> = Vec::with_capacity(self.spans.len() + 2);
        let mut add = |span: Span| match spans.last_mut() {
            _ if span.first > span.last => {}
            Some(before) if before.owner == span.owner => before.last = span.last,
            _ => spans.push(span),
        };
        let mut put = false;
        for span in &self.spans {
            if span.last < first || span.first > last {
                add(*span);
                continue;
            }
            if span.first < first {
                add(Span { last: first - 1, ..*span });
            }
            if !std::mem::replace(&mut put, true) {
                add(Span { first, last, owner });
            }
            if span.last > last {
                add(Span { first: last + 1, ..*span });
            }
        }
        self.spans = spans;
    }

    /// Gives each slot to the owner that `owner` names: for maps of many spans.
    pub(in crate::sim) fn assign_all(&mut self, owner: impl Fn(u16) -> usize) {
        self.spans.clear();
        for slot in 0..SLOTS {
            match self.spans.last_mut() {
                Some(span) if span.owner == Some(owner(slot)) => span.last = slot,
                _ => self.spans.push(Span { first: slot, last: slot, owner: Some(owner(slot)) }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_change_hands() {
        let mut view = View::alone(0);
        assert_eq!((view.owner(0), view.coverage(), view.is_whole()), (None, (0, 0), false));
        view.assign(0, SLOTS - 1, Some(0));
        view.assign(100, 200, Some(1));
        view.assign(150, 150, Some(2));
        view.assign(151, 160, None);
        let table = [(0, Some(0)), (99, Some(0)), (100, Some(1)), (149, Some(1)), (150, Some(2))];
        let rest =
            [(151, None), (160, None), (161, Some(1)), (200, Some(1)), (201, Some(0)), (16_383, Some(0))];
        for (slot, owner) in table.into_iter().chain(rest) {
            assert_eq!(view.owner(slot), owner, "slot {slot}");
        }
        assert_eq!((view.coverage(), view.spans.len(), view.is_whole()), ((16_374, 3), 6, false));
        view.assign(90, 210, Some(0));
        assert_eq!((view.coverage(), view.spans.len(), view.is_whole()), ((16_384, 1), 1, true));
        view.assign_all(|slot| usize::from(slot) % 3);
        assert_eq!((view.owner(4), view.spans.len()), (Some(1), 16_384));
    }

    #[test]
    fn spans_match_a_plain_array() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut view = View::alone(0);
        let mut plain = vec![None; usize::from(SLOTS)];
        for _ in 0..300 {
            let first = rng.u16(..SLOTS);
            let last = rng.u16(first..SLOTS).min(first + rng.u16(..900));
            let owner = (rng.u8(..5) > 0).then(|| rng.usize(..4));
            view.assign(first, last, owner);
            plain[usize::from(first)..=usize::from(last)].fill(owner);
        }
        assert!((0..SLOTS).all(|slot| view.owner(slot) == plain[usize::from(slot)]));
        assert!(view.spans.windows(2).all(|pair| pair[0].owner != pair[1].owner));
    }
}
