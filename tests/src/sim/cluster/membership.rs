//! Nodes that join and leave, and strangers at their old addresses.

use std::rc::Rc;

use super::node::Node;
use super::view::{Member, View};
use super::{Cluster, Step};
use crate::sim::conn::Conn;
use crate::sim::world::{Event, MS, World};

/// What becomes of a node that the others have forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterlife {
    /// It goes on as it did and sends clients to those that serve the slots.
    Forgotten,
    /// It knows of no slots any more.
    Reset,
    /// It is gone.
    Gone,
    /// It is gone, and a node of another cluster has its address.
    Recycled,
}

impl World {
    /// A node joins, as a primary without slots.
    pub(in crate::sim) fn join(&mut self, node: usize) {
        self.servers[node].absent = false;
        self.cluster().nodes[node].recycled_at = None;
        self.note_server(node, "joins");
        self.announce(&[], |view| {
            view.members.insert(node, Member::default());
        });
        self.update(node);
    }

    /// A primary leaves: its slots go to `heir` first, and so do its replicas.
    pub(in crate::sim) fn leave(&mut self, node: usize, heir: usize, afterlife: Afterlife) {
        self.finish_migrations_of(node);
        let spans: Vec<_> = self.cluster().truth.spans_of(node).collect();
        spans.iter().for_each(|span| self.move_slots(span.first, span.last, heir));
        let now = self.now;
        self.cluster().catch_up(node, now);
        self.note_server(node, "leaves");
        self.blemish_all(node, "has left");
        self.announce(&[], |view| {
            view.members.remove(&node);
            let orphans = view.members.values_mut().filter(|member| member.primary == Some(node));
            orphans.for_each(|orphan| orphan.primary = Some(heir));
        });
        let gone = &mut self.cluster().nodes[node];
        gone.cut_off();
        if afterlife == Afterlife::Reset {
            gone.view = Rc::new(View::alone(node));
            gone.data.clear();
        }
        if matches!(afterlife, Afterlife::Gone | Afterlife::Recycled) {
            self.schedule_vanishing(node);
        }
        if afterlife == Afterlife::Recycled {
            let at = now + self.rng.u64(600 * MS..900 * MS);
            self.cluster().nodes[node].recycled_at = Some(at);
            self.schedule(at, Event::Cluster(Step::Recycle(node)));
        }
    }

    fn schedule_vanishing(&mut self, node: usize) {
        let at = self.now + self.rng.u64(10 * MS..100 * MS);
        self.schedule(at, Event::Cluster(Step::Vanish(node)));
    }

    /// A node that has left is switched off, unless somebody waits for it still.
    pub(in crate::sim) fn vanish(&mut self, node: usize) {
        let busy = |conn: &&Conn| conn.server == node && conn.is_live() && conn.is_busy();
        if self.conns.iter().any(|conn| busy(&conn)) {
            return self.schedule_vanishing(node);
        }
        self.crash(node);
        self.servers[node].down = false;
        self.servers[node].absent = true;
    }

    /// A node of another cluster has the address of one that has left.
    pub(in crate::sim) fn recycle(&mut self, node: usize) {
        // It may have joined again in the meantime.
        let now = self.now;
        let is_due = self.cluster().nodes[node].recycled_at == Some(now);
        if !self.servers[node].absent || !is_due {
            return;
        }
        let higher = self.rng.bool();
        let cluster = self.cluster();
        let strangers = cluster.strangers();
        let members = [node, strangers.start, strangers.start + 1];
        let mut view = View::alone(node);
        view.epoch = if higher { cluster.truth.epoch + 10 } else { 1 };
        for (nth, member) in members.into_iter().enumerate() {
            view.members.insert(member, Member { epoch: nth as u64 + 1, ..Member::default() });
        }
        view.assign_all(|slot| members[usize::from(slot) * 3 / 16_384]);
        let view = Rc::new(view);
        for member in members {
            let Node { host, port, .. } = &cluster.nodes[member];
            let mut stranger = Node::new(host.clone(), *port, Rc::clone(&view));
            stranger.foreign = true;
            cluster.nodes[member] = stranger;
        }
        members.into_iter().for_each(|member| self.servers[member].absent = false);
        self.note_server(node, "belongs to another cluster now");
    }

    /// A node of the cluster that was dead has come up and serves nothing for a while.
    pub(in crate::sim) fn come_up(&mut self, node: usize) {
        let Self { cluster: Some(cluster), rng, now, .. } = self else { return };
        cluster.nodes[node].unwell_until = *now + rng.u64(..30 * MS);
        // It begins anew with all that its primary has.
        cluster.nodes[node].follow(None);
    }
}

impl Cluster {
    /// The primaries of the cluster that serve slots.
    pub(in crate::sim) fn primaries(&self) -> Vec<usize> {
        let members = self.truth.members.iter().filter(|(_, member)| member.primary.is_none());
        members.map(|(&node, _)| node).filter(|&node| self.truth.serves(node)).collect()
    }
}
