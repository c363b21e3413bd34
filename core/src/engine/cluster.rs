//! The engine's part of a cluster: it asks the nodes for the topology, and follows what they say.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::link::{Connects, Link, is_permanent, name};
use super::refusals::forget_asking;
use super::{Action, Ended, Engine, Entry, Event, NodeId, Outgoing, RequestId, ServerInfo};
use crate::command::{Command, Flags, Target};
use crate::config::Endpoint;
use crate::connection::Purpose;
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};
use crate::resp::Frame;
use crate::time::Instant;
use crate::topology::cluster::{Change, News};
use crate::topology::{Single, Topology};

/// The place of a question for the slots; its generation is the number of the question.
const SLOTS: u32 = RequestId::ENGINE;
/// The place of a question for the epoch.
const EPOCH: u32 = RequestId::ENGINE + 1;

impl Engine {
    /// The link to a node, made if there is none. `None`: there is no such node.
    #[inline]
    pub(super) fn link_to(&mut self, now: Instant, node: NodeId) -> Option<&mut Link> {
        if !self.links.contains(node) {
            let link = match &self.topology {
                Topology::Single(_) => return None,
                Topology::Cluster(cluster) => {
                    Link::new(cluster.endpoint(node)?.clone(), &self.config, Connects::OnDemand, now)
                }
                Topology::Sentinel(service) => {
                    let (endpoint, config, purpose) = service.way_to(node, &self.config)?;
                    Link::new(endpoint, &config, Connects::OnDemand, now).with_purpose(purpose)
                }
            };
            self.links.insert(node, link);
        }
        self.links.get(node)
    }

    /// Sends a request of a cluster that is not simply for the node of a slot.
    #[cold]
    pub(super) fn submit_elsewhere(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        let Topology::Cluster(cluster) = &mut self.topology else { return };
        let node = match entry.target {
            Target::Read { slot, from } => cluster.route_read(slot, from, |node| self.links.health(node)),
            Target::Nowhere | Target::Session(_) => return self.submit_to_none(now, entry, bytes),
            target => cluster.route(target),
        };
        match node {
            Some(node) => {
                self.prepare_reads(now, node, &entry);
                self.submit_to(now, node, entry, bytes);
            }
            None if self.fan_out(now, entry, bytes) => {}
            None => self.submit_unrouted(now, entry, bytes),
        }
    }

    /// Sees to it that a replica serves the reads that it is given.
    fn prepare_reads(&mut self, now: Instant, node: NodeId, entry: &Entry) {
        let Topology::Cluster(cluster) = &self.topology else { return };
        let reads = entry.flags.has(Flags::READ_ONLY) && entry.id.is_callers();
        if reads
            && !cluster.serves(node)
            && let Some(link) = self.link_to(now, node)
        {
            link.change_purpose(now, Purpose::ClusterReads);
        }
    }

    /// Sends a request that is for no node: for a session, or for a node that does not exist.
    #[cold]
    pub(super) fn submit_to_none(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        match entry.target {
            Target::Session(seat) => self.submit_in_session(now, seat, entry, bytes),
            _ => self.refuse_node(now, entry, bytes),
        }
    }

    /// Ends a request for a node that does not exist. It may have joined: so the nodes are asked.
    pub(super) fn refuse_node(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        if let Topology::Cluster(cluster) = &mut self.topology {
            cluster.handle_unknown(now);
        }
        let reason = "the node that was chosen is not part of the deployment";
        let error = Error::new(ErrorKind::Usage(reason), Delivery::NotSent);
        let error = name(error, bytes, &entry);
        bytes.release(entry.wire_len as usize);
        self.end(now, entry, Err(error));
    }

    /// The target for a node that a caller named.
    #[must_use]
    pub fn locate(&self, endpoint: &Endpoint) -> Target {
        let node = match &self.topology {
            Topology::Single(_) => (self.config.endpoint == *endpoint).then_some(Single::NODE),
            Topology::Cluster(cluster) => cluster.find(endpoint),
            Topology::Sentinel(service) => service.find(endpoint),
        };
        node.map_or(Target::Nowhere, |node| Target::Node(node.0 as u16))
    }

    /// Asks whom the topology wants to be asked, and does what its news demand.
    pub(super) fn follow_topology(&mut self, now: Instant) {
        self.hear_news(now);
        self.follow_subscriptions(now);
    }

    fn hear_news(&mut self, now: Instant) {
        loop {
            let Topology::Cluster(cluster) = &mut self.topology else { return self.follow_service(now) };
            if let Some((node, number)) = cluster.poll_question(now) {
                self.ask(now, node, number);
                continue;
            }
            match cluster.poll_news() {
                Some(News::Changed(change)) => self.handle_change(now, &change),
                Some(News::Failed(cause)) => self.handle_unknown(now, cause),
                None => return,
            }
        }
    }

    fn ask(&mut self, now: Instant, node: NodeId, number: u32) {
        let questions = [(SLOTS, Command::<()>::new("CLUSTER SLOTS")), (EPOCH, Command::new("CLUSTER INFO"))];
        for (slot, command) in questions {
            let mut bytes = Outgoing::default();
            command.packed().write_to(&mut bytes);
            let entry = Entry {
                id: RequestId { slot, generation: number },
                part: 0,
                wire_len: bytes.held() as u32,
                deadline: now + self.config.connect_timeout,
                target: Target::Node(node.0 as u16),
                flags: Flags::READ_ONLY,
                name_words: command.packed().name_words(),
                attempts: 0,
            };
            self.submit_to(now, node, entry, &mut bytes);
        }
    }

    /// A request of the engine's own has ended.
    pub(super) fn handle_answer_to_own(&mut self, now: Instant, entry: Entry, result: Result<Frame, Error>) {
        let Topology::Cluster(cluster) = &mut self.topology else {
            return self.handle_sentinel_answer(now, entry, result);
        };
        match entry.id.slot {
            SLOTS => cluster.handle_slots(now, entry.id.generation, result),
            EPOCH => cluster.handle_epoch(now, entry.id.generation, result.ok().as_ref()),
            _ => {}
        }
    }

    /// The topology was seen, and is different or the same.
    fn handle_change(&mut self, now: Instant, change: &Change) {
        let nodes = change.left.iter().copied().chain(self.links.ids()).collect::<Vec<_>>();
        for node in nodes {
            self.review(now, node);
        }
        self.review_subscriptions();
        self.route_anew(now);
        if !change.slots.is_empty() {
            self.send_delayed_early(now);
        }
        if let Some(info) = self.greeting.take() {
            self.events.push(Event::Connected(*info));
        }
    }

    /// Parts from a node that has no slots any more and is silent, and from one that has left the cluster. The
    /// latter may answer what it owes.
    fn review(&mut self, now: Instant, node: NodeId) {
        let Topology::Cluster(cluster) = &mut self.topology else { return };
        let (serves, is_member) = (cluster.serves(node), cluster.is_member(node));
        if !is_member {
            self.retire_aside(now, node);
        }
        let is_unused = self.is_unused(node);
        let Topology::Cluster(cluster) = &mut self.topology else { return };
        match self.links.get(node) {
            None if is_unused => {
                cluster.release(node);
            }
            None => {}
            Some(link) if !serves && !link.silent_conns().is_empty() => self.drop_silent(now, node),
            Some(link) if link.is_ready() && !is_member => {
                link.retire();
                self.close_retired(now, node);
            }
            Some(_) => {}
        }
    }

    /// Closes the connections on which a node owes something and is silent, without waiting any longer; those beside
    /// them too, whose server may wait for ever.
    pub(super) fn drop_silent(&mut self, now: Instant, node: NodeId) {
        let conns = self.links.peek(node).map(Link::silent_conns).unwrap_or_default();
        let error = Error::new(ErrorKind::Connection(ConnectionError::Silent), Delivery::NotSent);
        if !conns.is_empty() {
            self.drop_aside(now, node, &error);
        }
        for conn in conns {
            self.actions.push_back(Action::Close(conn));
            self.lose(now, conn, &error);
        }
    }

    /// A node owes something and has been silent for long.
    pub(super) fn handle_silent(&mut self, now: Instant, node: NodeId) {
        let Topology::Cluster(cluster) = &mut self.topology else {
            return self.handle_service_silent(now, node);
        };
        cluster.handle_lost(now, node);
        let is_needless = !cluster.serves(node) && cluster.is_known();
        if let Some(link) = self.links.get(node) {
            link.suspect(now, &mut self.rng);
        }
        if is_needless {
            self.drop_silent(now, node);
            self.route_anew(now);
        }
        self.leave_anchor(node);
    }

    /// Sends all that waits to where it belongs now, in its order.
    pub(super) fn route_anew(&mut self, now: Instant) {
        let mut waiting = core::mem::take(&mut self.unrouted);
        for node in self.links.ids() {
            if let Some(link) = self.links.get(node) {
                waiting.append(link.take_parked());
            }
        }
        let aside = self.sides.take_waiting();
        while let Some(mut entry) = waiting.pop() {
            if entry.id.is_awaited() {
                forget_asking(&mut entry, waiting.bytes());
                self.submit(now, entry, waiting.bytes());
            } else {
                waiting.bytes().release(entry.wire_len as usize);
            }
        }
        for (mut entry, mut bytes) in aside {
            forget_asking(&mut entry, &mut bytes);
            self.submit(now, entry, &mut bytes);
        }
        self.forget_strangers();
    }

    /// Where requests that were turned away belong may be known now.
    pub(super) fn send_delayed_early(&mut self, now: Instant) {
        let delayed: Vec<_> = core::iter::from_fn(|| self.delayed.pop_due(Instant::FAR)).collect();
        for (entry, mut bytes) in delayed {
            self.submit(now, entry, &mut bytes);
        }
    }

    /// Whether there is nothing with a node, so that its number can become that of another one.
    pub(super) fn is_unused(&self, node: NodeId) -> bool {
        let has_subscriptions = self.listeners.has(node) || self.pubsub.is_wanted(node);
        let is_vacant = self.links.peek(node).is_none_or(Link::is_vacant);
        is_vacant && !self.sides.uses(node) && !has_subscriptions
    }

    /// Forgets nodes that are not part of the cluster and with which there is nothing under way.
    fn forget_strangers(&mut self) {
        // A child names its node by a number, which must not become that of another node.
        if !self.fan_outs.is_empty() {
            return;
        }
        for node in self.links.ids() {
            if self.is_unused(node)
                && let Topology::Cluster(cluster) = &mut self.topology
                && cluster.release(node)
            {
                self.links.remove(node);
            }
        }
    }

    /// No node could tell the topology.
    fn handle_unknown(&mut self, now: Instant, cause: Option<Error>) {
        let Topology::Cluster(cluster) = &mut self.topology else { return };
        if cluster.is_known() {
            return;
        }
        let unheard = || Error::new(ErrorKind::Conversation("no node told the topology"), Delivery::NotSent);
        let cause = cause.or_else(|| self.why_unrouted()).unwrap_or_else(unheard);
        // What is no topology may become one: a cluster that is being formed, a seed that has left it.
        let may_change = matches!(cause.kind(), ErrorKind::Conversation(_));
        if is_permanent(&cause) && !may_change {
            let mut ended = Ended::new();
            self.unrouted.fail(&cause, &mut ended);
            self.end_all(now, ended);
        }
        self.events.push(Event::ConnectFailed(cause));
    }

    /// What is known of the reason why there is no node for a request.
    pub(super) fn why_unrouted(&self) -> Option<Error> {
        match &self.topology {
            Topology::Sentinel(service) => service.last_failure().cloned(),
            _ => self.links.iter().find_map(Link::last_error).cloned(),
        }
    }

    /// A connection is ready: of a cluster that is said when its topology is known besides, of a service if it
    /// is with the primary.
    pub(super) fn tell_connected(&mut self, now: Instant, node: NodeId, info: ServerInfo) {
        self.warm_up(now, node);
        match &mut self.topology {
            Topology::Single(_) => {}
            Topology::Cluster(cluster) => cluster.handle_zone(node, &info.availability_zone),
            Topology::Sentinel(service) => service.handle_zone(node, &info.availability_zone),
        }
        match &self.topology {
            Topology::Cluster(cluster) if !cluster.is_known() => self.greeting = Some(Box::new(info)),
            Topology::Sentinel(service) if !service.is_primary(node) => {}
            _ => self.events.push(Event::Connected(info)),
        }
    }

    /// A connection is lost, or could not be made. While the topology is unknown, other nodes are asked as well.
    pub(super) fn tell_lost(&mut self, node: NodeId, was_ready: bool, error: Error) {
        let is_of_concern = match &self.topology {
            Topology::Single(_) => true,
            Topology::Cluster(cluster) => was_ready || cluster.is_known(),
            Topology::Sentinel(service) => service.is_primary(node),
        };
        if is_of_concern {
            self.events.push(match was_ready {
                true => Event::Disconnected(error),
                false => Event::ConnectFailed(error),
            });
        }
    }
}
