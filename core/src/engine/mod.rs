//! The client as one machine: requests and bytes in, bytes, actions and replies out.
//!
//! ```text
//! handle_request --> Topology: which node? --> Link: open? --> Connection --> outgoing()
//!                         | unknown: parked       | no: parked, with its deadline
//! handle_data    --> Connection: which request? --> turned away? --> sent again, or
//!                                                                `-> poll_event
//! ```
//!
//! **After one input, drain every output before the next**: [`poll_action`](Engine::poll_action) until it
//! is `None`, [`poll_demand`](Engine::poll_demand) too if credentials are asked for, [`poll_event`](Engine::poll_event) until it is `None`, the bytes of
//! [`outgoing`](Engine::outgoing), then [`poll_timeout`](Engine::poll_timeout). An input asserts in debug
//! builds that no action is left. Events may be gathered over several inputs of one wake.

mod cluster;
mod delayed;
mod events;
mod fan_out;
mod leases;
mod link;
mod links;
mod listeners;
mod logins;
mod parked;
mod pubsub;
mod recall;
mod refusals;
mod request;
mod scripts;
mod sentinel;
mod sessions;
mod sides;
mod state;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;

use self::delayed::Delayed;
pub(crate) use self::events::Events;
#[cfg(feature = "std")]
pub(crate) use self::events::Next;
use self::fan_out::FanOuts;
use self::link::{Connects, Ended, Link};
use self::links::Links;
use self::listeners::Listeners;
use self::logins::Logins;
pub use self::logins::{Demand, Realm, Report};
use self::parked::Parked;
pub use self::recall::Taken;
pub use self::request::{Action, Event, Patience, Request, Run};
use self::scripts::Texts;
use self::sides::Sides;
use crate::command::{Flags, Target};
use crate::config::{Config, Deployment};
use crate::connection::{Answer, Entry, Purpose};
pub use crate::connection::{ConnId, Outgoing, RequestId, ServerInfo};
use crate::error::{Delivery, Error, ErrorKind, Waiting};
use crate::pubsub::PubSub;
use crate::resp::{Frame, Kind};
use crate::seldom::Seldom;
use crate::time::Instant;
use crate::topology::{Cluster, NodeId, Service, Single, Topology};

/// Whether the engine takes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing new; what is under way may end until then.
    Draining(Instant),
    Closed,
}

/// The client as one machine. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Engine {
    config: Arc<Config>,
    rng: fastrand::Rng,
    phase: Phase,
    topology: Topology,
    links: Links,
    sides: Seldom<Sides>,
    /// Requests for which no node is known yet.
    unrouted: Parked,
    delayed: Seldom<Delayed>,
    fan_outs: FanOuts,
    pubsub: Seldom<PubSub>,
    listeners: Seldom<Listeners>,
    /// The node of a cluster for subscriptions that any node can serve.
    anchor: Option<NodeId>,
    /// The number of the last thing that was put back, and how many are on their way.
    returns: (u32, usize),
    texts: Texts,
    logins: Logins,
    /// What the first server said of itself, until the topology is known.
    greeting: Option<Box<ServerInfo>>,
    actions: VecDeque<Action>,
    events: Seldom<Events>,
}

impl Engine {
    /// An engine that is about to connect. `seed` is its only source of randomness: equal inputs give
    /// equal outputs.
    #[must_use]
    pub fn new(config: Arc<Config>, seed: u64, now: Instant) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut links = Links::default();
        let topology = match &config.deployment {
            Deployment::Cluster(options) => {
                Topology::Cluster(Box::new(Cluster::new(&config, options, rng.fork(), now)))
            }
            Deployment::Sentinel(options) => {
                Topology::Sentinel(Box::new(Service::new(&config, options, rng.fork(), now)))
            }
            Deployment::Single => {
                let link = Link::new(config.endpoint.clone(), &config, Connects::Always, now);
                links.insert(Single::NODE, link);
                Topology::Single(Single)
            }
        };
        let logins = Logins::new(&config, &mut rng, now);
        let mut engine = Self {
            config,
            rng,
            phase: Phase::Open,
            topology,
            links,
            sides: Seldom::new(),
            unrouted: Parked::default(),
            delayed: Seldom::new(),
            fan_outs: FanOuts::default(),
            pubsub: Seldom::new(),
            listeners: Seldom::new(),
            anchor: None,
            returns: (0, 0),
            texts: Texts::default(),
            logins,
            greeting: None,
            actions: VecDeque::new(),
            events: Seldom::new(),
        };
        engine.connect_all(now);
        engine
    }

    /// Takes a request. Its `wire_len` bytes are the first in `bytes` and are taken off it.
    ///
    /// It ends with one [`Event::Reply`] or [`Event::Taken`], whatever happens, unless it is
    /// [cancelled](Self::cancel): after [`close`](Self::close) at once, with [`ErrorKind::Closed`].
    #[inline]
    pub fn handle_request(&mut self, now: Instant, request: Request, bytes: &mut Outgoing) {
        let entry = request.into_entry(now, &self.config);
        if self.phase == Phase::Open {
            self.submit(now, entry, bytes);
            return;
        }
        let error = Error::new(ErrorKind::Closed, Delivery::NotSent);
        let error = link::name(error, bytes, &entry);
        bytes.release(entry.wire_len as usize);
        self.end(now, entry, Err(error));
    }

    /// Sends a request to the node that it is for. Its bytes are the first in `bytes`.
    #[inline]
    fn submit(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        let node = match &mut self.topology {
            Topology::Single(_) if matches!(entry.target, Target::Nowhere | Target::Session(_)) => {
                return self.submit_to_none(now, entry, bytes);
            }
            Topology::Single(_) => Some(Single::NODE),
            Topology::Cluster(cluster) => match entry.target {
                Target::Slot(slot) => cluster.route_slot(slot),
                _ => return self.submit_elsewhere(now, entry, bytes),
            },
            Topology::Sentinel(service) => match entry.target {
                Target::Slot(_) => service.primary(),
                _ => return self.submit_to_service(now, entry, bytes),
            },
        };
        match node {
            Some(node) => self.submit_to(now, node, entry, bytes),
            None => self.submit_unrouted(now, entry, bytes),
        }
    }

    #[inline]
    fn submit_to(&mut self, now: Instant, node: NodeId, entry: Entry, bytes: &mut Outgoing) {
        if entry.flags.has(Flags::BLOCKING) {
            return self.submit_aside(now, node, entry, bytes);
        }
        let Some(link) = self.link_to(now, node) else {
            return self.submit_unrouted(now, entry, bytes);
        };
        if link.purpose() == Purpose::ClusterReads && matches!(entry.target, Target::Slot(_)) {
            link.change_purpose(now, Purpose::Plain);
        }
        link.submit(now, entry, bytes);
        if link.conn_id().is_none() {
            self.connect(now, node);
        }
    }

    #[cold]
    fn submit_unrouted(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        self.unrouted.push(entry, bytes);
        if let Topology::Cluster(cluster) = &mut self.topology {
            cluster.handle_unknown(now);
        }
    }

    /// The socket of `conn` is open, and TLS is shaking hands. It may be left out: if that is never done, the error
    /// says what was waited for.
    pub fn handle_securing(&mut self, conn: ConnId) {
        let link = match self.links.node_of(conn) {
            Some(node) => self.links.get(node),
            None => self.listeners.node_of(conn).and_then(|node| self.listeners.get(node)),
        };
        let connection = link.and_then(|link| link.connection(conn));
        if let Some(connection) = connection.or_else(|| Some(&mut self.sides.get(conn)?.connection)) {
            connection.handle_securing();
        }
    }

    /// The socket of `conn`, asked for by [`Action::Connect`], is open. Now there is something to write.
    pub fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        self.assert_drained();
        if self.handle_listener_connected(now, conn) {
            return;
        }
        let Some(node) = self.links.node_of(conn) else { return self.handle_connected_aside(now, conn) };
        if let Some(info) = self.links.get(node).and_then(|link| link.handle_connected(now)) {
            self.handle_home_ready(now, node, conn, &info);
            self.tell_connected(now, node, info);
            self.follow_subscriptions(now);
        }
    }

    /// Bytes have come on `conn`: takes every whole reply off the front of `read`.
    ///
    /// What is left is the beginning of the next reply: what comes next on `conn` is appended to it.
    pub fn handle_data(&mut self, now: Instant, conn: ConnId, read: &mut BytesMut) {
        self.assert_drained();
        let Some(node) = self.links.node_of(conn) else {
            return match self.handle_listener_data(now, conn, read) {
                true => {}
                false => self.handle_data_aside(now, conn, read),
            };
        };
        if let Err(error) = self.take_answers(now, node, conn, read) {
            read.clear();
            self.actions.push_back(Action::Close(conn));
            self.handle_lost(now, conn, &error);
        } else {
            self.handle_alive(now, node, conn);
            if let Some(link) = self.links.get(node) {
                link.follow_renewal(now);
            }
            self.close_retired(now, node);
        }
        self.follow_topology(now);
    }

    /// Takes every whole reply.
    ///
    /// # Errors
    /// The connection is beyond use.
    fn take_answers(
        &mut self,
        now: Instant,
        node: NodeId,
        conn: ConnId,
        read: &mut BytesMut,
    ) -> Result<(), Error> {
        while let Some(link) = self.links.get(node) {
            if self.phase == Phase::Open
                && let Some(connection) = link.connection(conn)
            {
                let events: &mut Events = &mut self.events;
                connection.take_usual(now, read, |usual| events.push_usual(usual));
            }
            let Some(answer) = link.next_answer(now, conn, read)? else { break };
            match answer {
                Answer::Reply(entry, Ok(frame)) if frame.kind() != Kind::Error => {
                    if let Some(connection) = link.connection(conn) {
                        connection.finish_front();
                    }
                    self.end(now, entry, Ok(frame));
                }
                Answer::Reply(entry, outcome) => self.handle_refusal(now, node, conn, entry, outcome)?,
                Answer::Line(_) => {}
                Answer::Heard(strings) => self.handle_heard((node, conn), strings, read),
                Answer::Push(frame) => self.handle_push(now, node, conn, frame),
                Answer::Renewed(told, outcome) => self.handle_renewed(now, (node, conn), &told, outcome),
                Answer::Ready(info) => {
                    self.check_part(now, node, &info)?;
                    if let Some(link) = self.links.get(node) {
                        link.handle_ready(now);
                    }
                    self.handle_home_ready(now, node, conn, &info);
                    self.tell_connected(now, node, info);
                }
            }
        }
        Ok(())
    }

    /// The socket of `conn` failed, was closed by the peer, or could not be opened. The engine asks for a new
    /// connection when it is time.
    pub fn handle_closed(&mut self, now: Instant, conn: ConnId, reason: crate::error::ConnectionError) {
        self.assert_drained();
        let error = Error::new(ErrorKind::Connection(reason), Delivery::NotSent);
        if !self.handle_listener_closed(now, conn, &error) {
            self.handle_lost(now, conn, &error);
        }
        self.follow_topology(now);
    }

    fn handle_lost(&mut self, now: Instant, conn: ConnId, error: &Error) {
        let Some(node) = self.lose(now, conn, error) else {
            return self.handle_lost_aside(now, conn, error);
        };
        // Nothing is known against a node that answers on a newer connection.
        if self.links.peek(node).is_some_and(|link| link.is_ready() && !link.is_suspect()) {
            return;
        }
        if let Topology::Cluster(cluster) = &mut self.topology {
            cluster.handle_lost(now, node);
        }
        self.handle_service_lost(now, node, error);
        self.connect(now, node);
    }

    /// Decides about the requests of a connection that is gone. Returns which node it was with.
    fn lose(&mut self, now: Instant, conn: ConnId, error: &Error) -> Option<NodeId> {
        let node = self.links.disconnect(conn)?;
        let mut ended = Ended::new();
        let link = self.links.get(node)?;
        let error = error.clone().with_node(&link.name());
        self.handle_login_failed(now, node, &error);
        let link = self.links.get(node)?;
        let was_ready = link.handle_lost(now, conn, &error, &mut self.rng, &mut ended);
        self.handle_home_lost(node, conn);
        let goes_on = self.links.peek(node).is_some_and(Link::is_ready);
        self.end_all(now, ended);
        if goes_on {
            self.route_anew(now);
        } else {
            self.tell_lost(node, was_ready, error);
        }
        Some(node)
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.assert_drained();
        if let Phase::Draining(until) = self.phase
            && now >= until
        {
            return self.give_up(now);
        }
        for entry in self.unrouted.expire(now).collect::<Vec<_>>() {
            let error = Error::new(ErrorKind::Timeout(Waiting::Connection), Delivery::NotSent);
            let error = error.with_cause(self.why_unrouted());
            self.end(now, entry, Err(error));
        }
        for node in self.links.ids() {
            self.handle_link_timeout(now, node);
        }
        match &mut self.topology {
            Topology::Single(_) => {}
            Topology::Cluster(cluster) => cluster.handle_timeout(now),
            Topology::Sentinel(service) => service.handle_timeout(now),
        }
        self.handle_timeout_aside(now);
        self.handle_logins_timeout(now);
        self.send_delayed(now);
        self.handle_subscription_timeout(now);
        self.handle_listener_timeout(now);
        self.connect_all(now);
        self.follow_topology(now);
        self.links.forget_times();
        self.finish_drain(now);
    }

    fn handle_link_timeout(&mut self, now: Instant, node: NodeId) {
        let mut ended = Ended::new();
        let Some(link) = self.links.get(node) else { return };
        let (late, broken) = link.handle_timeout(now, &mut ended);
        self.end_all(now, ended);
        if let Topology::Cluster(cluster) = &mut self.topology
            && late > 0
        {
            cluster.handle_timed_out(now, node, late);
        }
        for (conn, error) in broken {
            self.actions.push_back(Action::Close(conn));
            self.handle_lost(now, conn, &error);
        }
        if self.links.peek(node).is_some_and(|link| link.suspect_at() <= now) {
            self.handle_silent(now, node);
        }
    }

    /// Connects to the node, if that is wanted and due.
    fn connect(&mut self, now: Instant, node: NodeId) {
        if self.phase != Phase::Closed
            && let Some((conn, endpoint, tls)) = self.links.poll_connect(now, node)
        {
            self.log_in(now, node, conn, &endpoint);
            self.actions.push_back(Action::Connect(conn, endpoint, tls));
        }
    }

    fn connect_all(&mut self, now: Instant) {
        for node in self.links.ids() {
            self.connect(now, node);
        }
    }

    /// The node has answered something.
    #[inline]
    fn handle_alive(&mut self, now: Instant, node: NodeId, conn: ConnId) {
        match &mut self.topology {
            Topology::Single(_) => {}
            Topology::Cluster(cluster) => {
                cluster.handle_alive(node);
                self.acquit(now, node);
            }
            Topology::Sentinel(_) => self.ask_suspect(now, node, conn),
        }
    }

    /// The node is well: what waits for it goes out.
    #[inline]
    fn acquit(&mut self, now: Instant, node: NodeId) {
        if let Some(conn) = self.links.get(node).and_then(|link| link.handle_alive(now)) {
            self.links.disconnect(conn);
            self.actions.push_back(Action::Close(conn));
            self.handle_home_back(now, node);
        }
    }

    fn close_retired(&mut self, now: Instant, node: NodeId) {
        while let Some(link) = self.links.get(node)
            && let Some(conn) = link.poll_retired(now, &mut self.rng)
        {
            self.links.disconnect(conn);
            self.actions.push_back(Action::Close(conn));
            self.handle_home_lost(node, conn);
            self.connect(now, node);
        }
    }

    /// Forgets requests that nobody waits for any more; they end without an event. What waits for a
    /// connection is not sent; what a connection has taken is written, and its reply swallowed. What waits at the
    /// server is ended there, and if it has taken something away, that is put back. The order of `ids` is changed.
    pub fn cancel(&mut self, now: Instant, ids: &mut [RequestId]) {
        ids.sort_unstable();
        for node in self.links.ids() {
            if let Some(link) = self.links.get(node) {
                link.cancel(ids);
            }
        }
        self.unrouted.cancel(ids);
        if let Some(delayed) = self.delayed.made() {
            delayed.cancel(ids);
        }
        if let Some(sides) = self.sides.made() {
            for conn in sides.cancel(ids) {
                self.recall(now, conn);
            }
        }
        self.texts.cancel(ids);
        let mut children = self.fan_outs.cancel(ids);
        if !children.is_empty() {
            self.cancel(now, &mut children);
        }
        self.finish_drain(now);
    }

    /// Takes no more requests, lets those under way end within `patience`, then closes. A later call can
    /// shorten that time.
    pub fn close(&mut self, now: Instant, patience: Duration) {
        let until = now + patience;
        self.phase = match self.phase {
            Phase::Open => Phase::Draining(until),
            Phase::Draining(before) => Phase::Draining(until.min(before)),
            Phase::Closed => return,
        };
        self.close_all_aside(now);
        self.finish_drain(now);
    }

    fn finish_drain(&mut self, now: Instant) {
        let draining = matches!(self.phase, Phase::Draining(_));
        let waiting = self.unrouted.any_awaited() || !self.delayed.is_empty() || !self.fan_outs.is_empty();
        let waiting = waiting || self.is_returning() || !self.sides.is_drained();
        if draining && !waiting && self.links.iter().all(Link::is_drained) {
            self.give_up(now);
        }
    }

    /// Ends what has not ended, closes what is open.
    fn give_up(&mut self, now: Instant) {
        self.phase = Phase::Closed;
        let mut ended = Ended::new();
        let late = Error::new(ErrorKind::Timeout(Waiting::Drain), Delivery::NotSent);
        for node in self.links.ids() {
            if let Some(link) = self.links.get(node) {
                let late = late.clone().with_node(&link.name());
                link.fail_parked(&late, &mut ended);
                link.fail_in_flight(&late, &mut ended);
            }
        }
        self.unrouted.fail(&late, &mut ended);
        while let Some((entry, _)) = self.delayed.pop_due(Instant::FAR) {
            ended.push((entry, late.clone().with_delivery(Delivery::Rejected)));
        }
        let conns = self.sides.give_up(&late, &mut ended);
        self.actions.extend(conns.into_iter().map(Action::Close));
        self.end_all(now, ended);
        self.pubsub.end();
        self.actions.extend(self.listeners.take_connections().map(Action::Close));
        self.actions.extend(self.links.take_connections().map(Action::Close));
    }

    fn end_all(&mut self, now: Instant, ended: Ended) {
        for (entry, error) in ended {
            self.end(now, entry, Err(error));
        }
    }

    #[inline]
    fn end(&mut self, now: Instant, entry: Entry, result: Result<Frame, Error>) {
        if !entry.id.is_callers() {
            return self.handle_own(now, entry, result);
        }
        if entry.flags.has(Flags::SCRIPT) {
            self.texts.forget(&entry);
        }
        let result = if entry.attempts == 0 { result } else { self.retell(&entry, result) };
        self.events.push(Event::Reply { id: entry.id, part: entry.place(), result });
        if self.phase != Phase::Open {
            self.finish_drain(now);
        }
    }

    /// The end of a request that was sent more than once: what became of it the first time still counts.
    fn retell(&mut self, entry: &Entry, result: Result<Frame, Error>) -> Result<Frame, Error> {
        self.delayed.explain(entry, result).map_err(|error| {
            let sent = entry.flags.has(Flags::SENT_BEFORE);
            if sent { error.with_delivery(Delivery::MaybeExecuted) } else { error }
        })
    }

    /// A request of the engine's own has ended.
    #[cold]
    fn handle_own(&mut self, now: Instant, entry: Entry, result: Result<Frame, Error>) {
        match entry.id.slot {
            fan_out::CHILD => self.handle_child(now, entry, result),
            recall::UNBLOCK => self.handle_unblocked(now, &entry, &result),
            recall::RETURN => self.handle_returned(now),
            _ if entry.id.is_awaited() && self.phase != Phase::Closed => {
                self.handle_answer_to_own(now, entry, result);
            }
            _ => {}
        }
    }

    fn assert_drained(&self) {
        debug_assert!(self.actions.is_empty(), "drain every action before the next input");
    }
}
