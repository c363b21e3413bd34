//! Nodes that fall silent, and replicas that take their place.

use std::rc::Rc;

use super::node::Node;
use super::view::{Member, View};
use super::{Cluster, Step};
use crate::sim::pubsub;
use crate::sim::world::{Event, MS, World};

/// A replica took a primary's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Promotion {
    pub(in crate::sim) from: usize,
    pub(in crate::sim) to: usize,
    pub(in crate::sim) at: u64,
    /// Nothing was lost.
    pub(in crate::sim) graceful: bool,
}

impl World {
    /// The cluster.
    ///
    /// # Panics
    /// There is none.
    pub(in crate::sim) fn cluster(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("a world with a cluster")
    }

    /// The version of what a node believes of its cluster, if it is in one.
    pub(in crate::sim) fn view_of(&self, server: usize) -> u64 {
        let node = self.cluster.as_ref().and_then(|cluster| cluster.nodes.get(server));
        node.map_or(0, |node| node.view.version)
    }

    /// Whether a node takes part in the cluster, as far as it can be seen from outside.
    pub(in crate::sim) fn is_well(&self, node: usize) -> bool {
        let server = &self.servers[node];
        !server.down && !server.frozen && !server.absent
    }

    /// Changes what the nodes agree on. Those in `first` know at once, the others when they hear of it; those
    /// that hear nothing, when they are back.
    pub(in crate::sim) fn announce(&mut self, first: &[usize], change: impl FnOnce(&mut View)) {
        let cluster = self.cluster();
        let mut view = View::clone(&cluster.truth);
        let before: Vec<usize> = view.members.keys().copied().collect();
        view.version += 1;
        change(&mut view);
        let moved = pubsub::slots().filter(|slot| view.owner(*slot) != cluster.truth.owner(*slot));
        cluster.moves.extend(moved.map(|slot| (view.version, slot)));
        cluster.truth = Rc::new(view);
        for node in before {
            let deaf = self.servers[node].down || self.servers[node].frozen;
            if first.contains(&node) {
                self.tell(node, 0);
                self.learn(node);
            } else if !deaf && self.cluster().truth.members.contains_key(&node) {
                let gossip = self.cluster().options.gossip;
                let time = self.rng.u64(..=gossip);
                self.tell(node, time);
            }
        }
    }

    /// A node will hear of what the nodes agree on.
    fn tell(&mut self, node: usize, time: u64) {
        let at = self.now + time;
        let cluster = self.cluster();
        let truth = Rc::clone(&cluster.truth);
        cluster.nodes[node].tell(at, &truth);
        self.schedule(at, Event::Cluster(Step::Learn(node)));
    }

    /// A node hears what has come, unless it hears nothing.
    pub(in crate::sim) fn learn(&mut self, node: usize) {
        let now = self.now;
        if self.is_well(node) {
            self.cluster().catch_up(node, now);
            self.end_lost_subscriptions(node);
        }
    }

    /// A node hears what it has missed.
    pub(in crate::sim) fn update(&mut self, node: usize) {
        let cluster = self.cluster();
        let gossip = cluster.options.gossip.max(MS);
        if cluster.truth.members.contains_key(&node) {
            let time = self.rng.u64(MS..=gossip);
            self.tell(node, time);
        }
    }

    /// A node dies or stands still, and the others give it up if that lasts.
    pub(in crate::sim) fn silence(&mut self, node: usize, dead: bool) {
        self.finish_migrations_of(node);
        if dead {
            self.crash(node);
        } else {
            self.freeze(node);
        }
        let wait = self.cluster().options.node_timeout + self.rng.u64(..20 * MS);
        self.schedule(self.now + wait, Event::Cluster(Step::Fail(node)));
    }

    /// The others have noticed that a node is silent: they agree that it has failed and elect a replica.
    pub(in crate::sim) fn fail(&mut self, node: usize) {
        let is_member = self.cluster().truth.members.contains_key(&node);
        if !is_member || self.is_well(node) || self.cluster().truth.failed(node) {
            return;
        }
        self.note_server(node, "given up by the others");
        self.blemish_all(node, "given up by the others");
        self.announce(&[], |view| view.set_failed(node, true));
        if let Some(to) = self.heir(node) {
            let at = self.now + self.rng.u64(5 * MS..60 * MS);
            self.schedule(at, Event::Cluster(Step::Promote(node, to)));
        }
    }

    /// The replica that takes a primary's place.
    pub(in crate::sim) fn heir(&self, primary: usize) -> Option<usize> {
        let cluster = self.cluster.as_ref()?;
        let heirs = cluster.truth.replicas(primary);
        heirs.into_iter().find(|&heir| self.is_heir(heir, primary))
    }

    /// Whether a node is well and has all that a primary has told.
    fn is_heir(&self, heir: usize, primary: usize) -> bool {
        let nodes = self.cluster.as_ref().map(|cluster| &cluster.nodes);
        self.is_well(heir) && nodes.is_some_and(|nodes| nodes[heir].keeps_up_with(primary, &nodes[primary]))
    }

    /// A replica takes the place of a node that has failed, with what has come to it by now.
    pub(in crate::sim) fn promote(&mut self, from: usize, to: usize) {
        let still_failed = self.cluster().truth.failed(from) && !self.is_well(from);
        if still_failed && self.is_heir(to, from) {
            let now = self.now;
            self.cluster().nodes[to].catch_up(now);
            self.cluster().nodes[to].follow(None);
            self.replace(from, to, &[to]);
            self.blemish_all(from, "replaced");
        }
    }

    /// A primary hands over to one of its replicas (`CLUSTER FAILOVER`): nothing is lost.
    pub(in crate::sim) fn hand_over(&mut self, from: usize, to: usize) {
        self.finish_migrations_of(from);
        let cluster = self.cluster();
        let data = cluster.nodes[from].data.clone();
        cluster.nodes[to].follow(None);
        cluster.nodes[to].data = data.clone();
        let era = cluster.nodes[to].era;
        cluster.nodes[from].follow(Some((to, era, data)));
        self.replace(from, to, &[from, to]);
    }

    fn replace(&mut self, from: usize, to: usize, first: &[usize]) {
        let at = self.now;
        let graceful = first.contains(&from);
        self.cluster().promotions.push(Promotion { from, to, at, graceful });
        self.note_server(to, &format!("takes the place of node {}", from + 1));
        self.announce(first, |view| {
            view.epoch += 1;
            let spans: Vec<_> = view.spans_of(from).collect();
            spans.iter().for_each(|span| view.assign(span.first, span.last, Some(to)));
            let epoch = view.epoch;
            for (&node, member) in &mut view.members {
                if node == to {
                    *member = Member { primary: None, epoch, ..*member };
                } else if node == from || member.primary == Some(from) {
                    member.primary = Some(to);
                }
            }
        });
    }

    /// A node is back: the others see it, and it hears what has happened in the meantime.
    pub(in crate::sim) fn come_back(&mut self, node: usize) {
        if self.cluster.is_none() {
            return;
        }
        if self.cluster().truth.failed(node) {
            self.announce(&[], |view| view.set_failed(node, false));
        }
        self.update(node);
    }

    /// A node tells the truth again.
    pub(in crate::sim) fn tell_truth(&mut self, node: usize) {
        let Node { lie, detour, .. } = &mut self.cluster().nodes[node];
        if lie.take().is_some() | detour.take().is_some() {
            self.note_server(node, "tells the truth");
        }
    }
}
