//! A cluster changed by hand, for scenarios. Nodes count from 0; the first are the primaries, then come their
//! replicas in the same order, as often as each has one, then those that may join.

use redstart_core::command::slot;

use super::faults::Trouble;
use super::membership::Afterlife;
use super::node::Detour;
use super::{Cluster, Lie};
use crate::sim::Sim;
use crate::sim::request::Op;
use crate::sim::workload::Plan;
use crate::sim::world::MS;

/// The slot of all keys with a hash tag.
#[must_use]
pub fn slot_of(tag: u8) -> u16 {
    slot::of(tag.to_string().as_bytes())
}

impl Sim {
    /// A call of one command on a key with this hash tag, made now; its number.
    pub fn single_in(&mut self, tag: u8, op: Op) -> usize {
        self.call(Plan::single(op).tagged(tag))
    }

    fn with_cluster<T>(&self, look: impl FnOnce(&Cluster) -> T) -> T {
        let world = self.world.borrow();
        look(world.cluster.as_ref().expect("a cluster"))
    }

    /// The node that serves the keys with a hash tag, as all will agree.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn owner_of(&self, tag: u8) -> usize {
        self.with_cluster(|cluster| cluster.truth.owner(slot_of(tag)).expect("somebody serves it"))
    }

    /// How often nodes were asked for the slots.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.with_cluster(|cluster| cluster.questions.len())
    }

    /// How many nodes a client has ever connected to.
    #[must_use]
    pub fn nodes_connected_to(&self) -> usize {
        let world = self.world.borrow();
        let nodes: std::collections::BTreeSet<_> = world.conns.iter().map(|conn| conn.server).collect();
        nodes.len()
    }

    /// Slots go to another node, with their keys.
    pub fn move_slots(&mut self, first: u16, last: u16, to: usize) {
        self.world().move_slots(first, last, to);
    }

    /// The keys of a slot begin to leave for another node, which takes so many milliseconds at least.
    pub fn migrate(&mut self, slot: u16, to: usize, millis: u64) {
        self.world().migrate(slot, slot, to, millis * MS);
    }

    /// From now on calls may fail because of this.
    fn allow(&mut self, trouble: Trouble) {
        let setup = self.setup.cluster.as_mut().expect("a cluster");
        setup.troubles = setup.troubles.with(trouble);
    }

    /// A node dies.
    pub fn kill_node(&mut self, node: usize) {
        self.allow(Trouble::Kills);
        self.world().silence(node, true);
    }

    /// A node stands still.
    pub fn stall_node(&mut self, node: usize) {
        self.allow(Trouble::Stalls);
        self.world().silence(node, false);
    }

    /// A node that died or stands still goes on.
    pub fn wake_node(&mut self, node: usize) {
        self.world().thaw(node);
        self.world().restart(node);
    }

    /// The connections with a node are dead: nothing arrives on them any more. The node is well.
    pub fn cut_off(&mut self, node: usize) {
        self.allow(Trouble::Stalls);
        let world = &mut *self.world();
        for conn in world.conns_of(node) {
            world.mute_directions(conn, true, true);
        }
    }

    /// A primary hands over to its replica.
    ///
    /// # Panics
    /// It has none.
    pub fn hand_over(&mut self, from: usize) {
        let to = self.world().heir(from).expect("it has a replica");
        self.world().hand_over(from, to);
    }

    /// A node joins, without slots.
    pub fn join_node(&mut self, node: usize) {
        self.world().join(node);
    }

    /// A node hands its slots over to another one and leaves.
    pub fn part_with(&mut self, node: usize, heir: usize, afterlife: Afterlife) {
        self.world().leave(node, heir, afterlife);
    }

    /// What a node says of the slots is wrong, or right again.
    pub fn let_lie(&mut self, node: usize, lie: Option<Lie>) {
        self.world().cluster().nodes[node].lie = lie;
    }

    /// A node that serves a slot sends clients elsewhere, or does so no longer.
    pub fn send_astray(&mut self, node: usize, slot: u16, to: Option<&str>) {
        self.allow(Trouble::Detours);
        let detour = to.map(|to| Detour { first: slot, last: slot, to: to.to_owned() });
        self.world().cluster().nodes[node].detour = detour;
    }
}
