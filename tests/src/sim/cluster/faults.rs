//! What can go wrong with a cluster, or change in it, and which of it does in one run.

use fastrand::Rng;

use super::membership::Afterlife;
use super::node::Detour;
use super::{Cluster, Lie, Step};
use crate::sim::world::{Event, MS, World};

/// How many hash tags the keys of a run have.
pub(in crate::sim) const TAGS: u8 = 24;

/// A kind of change or trouble. A run has each with a probability of one third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Trouble {
    // No call may fail because of these.
    /// Slots go to another node at once.
    Moves,
    /// Slots go to another node key by key.
    Migrations,
    /// A primary hands over to a replica.
    Handovers,
    /// A node joins and is given slots.
    Joins,
    /// A node hands its slots over and leaves.
    Leaves,
    /// News take long.
    SlowGossip,
    /// A node's word on the slots is wrong.
    Lies,

    // From here on calls may fail.
    /// A node dies, and is replaced if it was a primary.
    Kills,
    /// A node stands still, and is replaced if it was a primary.
    Stalls,
    /// Replicas are far behind.
    LostTails,
    /// A node sends clients astray: in a circle, to itself, to nowhere.
    Detours,
    /// The address of a node that has left belongs to another cluster.
    Recycling,
}

impl Trouble {
    /// All troubles because of which no call may fail.
    pub const HARMLESS: [Self; 7] = [
        Self::Moves,
        Self::Migrations,
        Self::Handovers,
        Self::Joins,
        Self::Leaves,
        Self::SlowGossip,
        Self::Lies,
    ];

    /// All others.
    pub const HARMFUL: [Self; 5] =
        [Self::Kills, Self::Stalls, Self::LostTails, Self::Detours, Self::Recycling];
}

/// The troubles of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    on: u32,
}

impl Troubles {
    /// Nothing happens.
    #[must_use]
    pub const fn none() -> Self {
        Self { on: 0 }
    }

    /// Each with a probability of one third; in one run of three none that makes calls fail.
    pub fn draw(rng: &mut Rng) -> Self {
        let harmful = if rng.u8(..3) == 0 { &[][..] } else { &Trouble::HARMFUL };
        let all = Trouble::HARMLESS.iter().chain(harmful);
        let troubles = all.filter(|_| rng.u8(..3) == 0).fold(Self::none(), |sum, &trouble| sum.with(trouble));
        // A client whom no node answers but a stranger cannot know better.
        let others = [Trouble::Kills, Trouble::Stalls, Trouble::Lies];
        let excluded = if troubles.has(Trouble::Recycling) { &others[..] } else { &[] };
        excluded.iter().fold(troubles, |rest, &trouble| rest.without(trouble))
    }

    /// These and `trouble`.
    #[must_use]
    pub const fn with(self, trouble: Trouble) -> Self {
        Self { on: self.on | 1 << trouble as u32 }
    }

    /// These without `trouble`.
    #[must_use]
    pub const fn without(self, trouble: Trouble) -> Self {
        Self { on: self.on & !(1 << trouble as u32) }
    }

    /// Whether `trouble` is on.
    #[must_use]
    pub const fn has(self, trouble: Trouble) -> bool {
        self.on & 1 << trouble as u32 != 0
    }

    /// Whether a call may fail because of one of these.
    #[must_use]
    pub fn are_harmful(self) -> bool {
        Trouble::HARMFUL.iter().any(|&trouble| self.has(trouble))
    }
}

impl World {
    /// Lets `trouble` strike now, somewhere.
    pub(in crate::sim) fn strike_cluster(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Moves => self.strike_slots(trouble),
            Trouble::Migrations => (0..4).for_each(|_| self.strike_slots(trouble)),
            Trouble::Handovers => {
                let Some(from) = self.any_primary() else { return };
                if let Some(to) = self.heir(from) {
                    self.hand_over(from, to);
                }
            }
            Trouble::Joins => self.strike_by_joining(),
            Trouble::Leaves => {
                let lives = [Afterlife::Forgotten, Afterlife::Reset, Afterlife::Gone];
                let afterlife = lives[self.rng.usize(..3)];
                self.strike_by_leaving(afterlife);
            }
            Trouble::Recycling => self.strike_by_leaving(Afterlife::Recycled),
            Trouble::Lies => self.strike_with_lie(),
            Trouble::Detours => self.strike_with_detour(),
            Trouble::Kills | Trouble::Stalls => self.strike_node(trouble == Trouble::Kills),
            Trouble::SlowGossip | Trouble::LostTails => {}
        }
    }

    /// Any primary that serves slots and is well.
    fn any_primary(&mut self) -> Option<usize> {
        let primaries = self.cluster().primaries();
        let well: Vec<_> = primaries.into_iter().filter(|&node| self.is_well(node)).collect();
        self.rng.choice(well)
    }

    /// Any primary, whether it serves slots or not, that is well and not `other`.
    fn any_heir(&mut self, other: usize) -> Option<usize> {
        let cluster = self.cluster();
        let members = cluster.truth.members.iter();
        let primaries: Vec<_> =
            members.filter(|(_, member)| member.primary.is_none()).map(|(&node, _)| node).collect();
        let well: Vec<_> =
            primaries.into_iter().filter(|&node| node != other && self.is_well(node)).collect();
        self.rng.choice(well)
    }

    fn strike_slots(&mut self, trouble: Trouble) {
        let Some(from) = self.any_primary() else { return };
        let Some(to) = self.any_heir(from) else { return };
        let spans: Vec<_> = self.cluster().truth.spans_of(from).collect();
        let Some(span) = self.rng.choice(spans) else { return };
        if trouble == Trouble::Moves {
            let first = self.rng.u16(span.first..=span.last);
            let last = self.rng.u16(first..=span.last);
            self.move_slots(first, last, to);
            // Who listens to sharded channels has to see that they were away.
            if self.expected.readers && self.rng.bool() {
                let at = self.now + self.rng.u64(..40 * MS);
                self.schedule(at, Event::Cluster(Step::Return(first, last, from)));
            }
        } else {
            // Around a slot with keys.
            let tag = self.rng.u8(..TAGS).to_string();
            let slot = redstart_core::command::slot::of(tag.as_bytes());
            if !(span.first..=span.last).contains(&slot) {
                return;
            }
            let first = self.rng.u16(span.first.max(slot.saturating_sub(900))..=slot);
            let last = self.rng.u16(slot..=span.last.min(slot + 900));
            let length = self.rng.u64(10 * MS..300 * MS);
            self.migrate(first, last, to, length);
        }
    }

    fn strike_by_joining(&mut self) {
        let cluster = self.cluster();
        let spares = cluster.spares();
        let joined = |node: &usize| cluster.truth.members.contains_key(node);
        let Some(node) = spares.into_iter().find(|node| !joined(node)) else { return };
        if !self.servers[node].absent {
            return;
        }
        self.join(node);
        for _ in 0..2 {
            let Some(from) = self.any_primary().filter(|&from| from != node) else { return };
            let Some(span) = self.cluster().truth.spans_of(from).next() else { return };
            let first = self.rng.u16(span.first..=span.last);
            self.move_slots(first, span.last, node);
        }
    }

    fn strike_by_leaving(&mut self, afterlife: Afterlife) {
        let strangers_are_there = self.cluster().nodes.iter().any(|node| node.foreign);
        if self.cluster().primaries().len() < 2 || (afterlife == Afterlife::Recycled && strangers_are_there) {
            return;
        }
        let Some(node) = self.any_primary() else { return };
        let Cluster { seeds, truth, .. } = self.cluster();
        let left = |seed: &&usize| **seed != node && truth.members.contains_key(*seed);
        if seeds.contains(&node) && !seeds.iter().any(|seed| left(&seed)) {
            return;
        }
        if let Some(heir) = self.any_heir(node) {
            self.leave(node, heir, afterlife);
        }
    }

    fn strike_with_lie(&mut self) {
        let lie = Lie::ALL[self.rng.usize(..Lie::ALL.len())];
        let members: Vec<_> = self.cluster().truth.members.keys().copied().collect();
        let Some(node) = self.rng.choice(members) else { return };
        self.cluster().nodes[node].lie = Some(lie);
        self.note_server(node, &format!("lies of the slots: {lie:?}"));
        self.schedule_calm(node);
    }

    fn strike_with_detour(&mut self) {
        let Some(node) = self.any_primary() else { return };
        let Some(peer) = self.any_heir(node) else { return };
        let to = match self.rng.u8(..5) {
            0 | 1 => self.cluster().address(peer),
            2 => self.cluster().address(node),
            3 => "10.8.8.8:7000".to_owned(),
            _ => ":0".to_owned(),
        };
        let first = self.rng.u16(..8000);
        let last = self.rng.u16(first..16_384);
        self.note_server(node, &format!("sends clients to {to} for slots {first}-{last}"));
        self.cluster().nodes[node].detour = Some(Detour { first, last, to });
        self.schedule_calm(node);
    }

    fn schedule_calm(&mut self, node: usize) {
        let at = self.now + self.rng.u64(20 * MS..400 * MS);
        self.schedule(at, Event::Cluster(Step::Calm(node)));
    }

    fn strike_node(&mut self, dead: bool) {
        let members: Vec<_> = self.cluster().truth.members.keys().copied().collect();
        let primary = if self.rng.u8(..4) > 0 { self.any_primary() } else { None };
        let Some(node) = primary.or_else(|| self.rng.choice(members)).filter(|&node| self.is_well(node))
        else {
            return;
        };
        self.silence(node, dead);
        let at = self.now + self.rng.u64(50 * MS..1200 * MS);
        let step = if dead { Step::Restart(node) } else { Step::Thaw(node) };
        self.schedule(at, Event::Cluster(step));
    }

    /// Ends all trouble in the cluster. What it has become it stays.
    pub(in crate::sim) fn heal_cluster(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        for node in 0..cluster.nodes.len() {
            self.tell_truth(node);
            self.finish_migrations_of(node);
        }
    }
}
