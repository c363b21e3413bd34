//! The engine's part of publish/subscribe: where subscriptions live, and how their commands and confirmations
//! go through the connections that requests use.

use bytes::{Buf, BytesMut};

use super::link::Link;
use super::{Engine, Entry, Event, NodeId, Outgoing, Phase, RequestId, ServerInfo};
use crate::command::{Command, Flags, Target};
use crate::config::Protocol;
use crate::connection::{ConnId, Connection, Heard, confirmation};
use crate::error::{Delivery, Error, ErrorKind, ServerCode};
use crate::pubsub::{self, Confirmed, Intent, Places, PubSub, SubscriptionId, Verdict};
use crate::resp::{Frame, Strings};
use crate::retry;
use crate::time::Instant;
use crate::topology::cluster::Decision;
use crate::topology::{Single, Topology};

/// Where subscriptions live, as things are.
struct Homes<'a> {
    topology: &'a Topology,
    anchor: Option<NodeId>,
    /// The primary that sentinels have named.
    primary: Option<NodeId>,
}

impl<'a> Homes<'a> {
    const fn new(topology: &'a Topology, anchor: Option<NodeId>) -> Self {
        let primary = match topology {
            Topology::Single(_) => Some(Single::NODE),
            Topology::Cluster(_) => None,
            Topology::Sentinel(service) => service.primary(),
        };
        Self { topology, anchor, primary }
    }
}

impl Places for Homes<'_> {
    fn home(&self, slot: Option<u16>) -> Option<NodeId> {
        match (self.topology, slot) {
            (Topology::Cluster(cluster), Some(slot)) => cluster.route_slot(slot),
            (Topology::Cluster(_), None) => self.anchor,
            _ => self.primary,
        }
    }

    fn primaries(&self) -> &[NodeId] {
        match self.topology {
            Topology::Cluster(cluster) => cluster.primaries(),
            _ => self.primary.as_slice(),
        }
    }
}

impl Engine {
    /// Takes a wish of a subscription.
    pub fn handle_intent(&mut self, now: Instant, intent: Intent) {
        if self.phase == Phase::Closed {
            self.pubsub.end();
        }
        self.choose_anchor();
        let homes = Homes::new(&self.topology, self.anchor);
        self.pubsub.handle_intent(now, intent, &homes);
        if let Topology::Cluster(cluster) = &mut self.topology
            && !cluster.is_known()
        {
            cluster.handle_unknown(now);
        }
        self.follow_topology(now);
    }

    /// The next subscription that is to be told something, and what. Whoever asks takes it out of the delivery,
    /// whose room is used again.
    pub fn poll_delivery(&mut self) -> Option<(SubscriptionId, &mut pubsub::Delivery)> {
        self.pubsub.made()?.poll_delivery()
    }

    /// Whether something waits for [`poll_delivery`](Self::poll_delivery).
    #[must_use]
    pub fn has_deliveries(&self) -> bool {
        self.pubsub.has_deliveries()
    }

    /// Connects to nodes that have become homes of subscriptions, and says what is to be said.
    #[inline]
    pub(super) fn follow_subscriptions(&mut self, now: Instant) {
        if self.pubsub.has_news() {
            self.tell_listeners(now);
        }
    }

    #[cold]
    fn tell_listeners(&mut self, now: Instant) {
        let is_resp2 = self.config.protocol == Protocol::Resp2;
        while let Some((node, held)) = self.pubsub.poll_hold() {
            if !held {
                // It may have been forgotten meanwhile.
                self.links.get(node).into_iter().for_each(|link| link.hold(false));
                self.leave_aside(node);
            } else if let Some(link) = self.link_to(now, node) {
                link.hold(!is_resp2);
                if is_resp2 || link.speaks_resp2() {
                    self.listen_aside(now, node);
                } else {
                    self.attend(node);
                    self.connect(now, node);
                }
            }
        }
        loop {
            let may_be_said = |node, conn| {
                let aside = self.listeners.peek(node);
                let link = aside.or_else(|| self.links.peek(node));
                link.is_some_and(|link| link.is_open() && link.conn_id() == Some(conn))
            };
            let Some((node, command)) = self.pubsub.poll_command(may_be_said) else { return };
            self.send_subscriptions(now, node, &command);
        }
    }

    fn send_subscriptions(&mut self, now: Instant, node: NodeId, command: &Command<()>) {
        let mut bytes = Outgoing::default();
        command.packed().write_to(&mut bytes);
        let entry = Entry {
            id: RequestId::SUBSCRIPTION,
            part: command.packed().argc().saturating_sub(1) as u32,
            wire_len: bytes.held() as u32,
            deadline: now + self.config.liveness_timeout,
            target: Target::Node(node.0 as u16),
            flags: Flags::default(),
            name_words: command.packed().name_words(),
            attempts: 0,
        };
        let link = if self.listeners.has(node) { self.listeners.get(node) } else { self.links.get(node) };
        if let Some(link) = link {
            link.send_subscriptions(now, entry, &mut bytes);
        }
    }

    /// A connection with a node is ready that takes requests, and subscriptions if RESP3 is spoken.
    pub(super) fn handle_home_ready(&mut self, now: Instant, node: NodeId, conn: ConnId, info: &ServerInfo) {
        if info.protocol >= 3 {
            self.leave_aside(node);
            if let Some(pubsub) = self.pubsub.made() {
                pubsub.handle_ready(node, conn);
            }
        } else if self.pubsub.is_wanted(node) {
            self.listen_aside(now, node);
        }
    }

    /// The connection with a node that was doubted takes requests again, and subscriptions that were wanted meanwhile.
    #[cold]
    pub(super) fn handle_home_back(&mut self, now: Instant, node: NodeId) {
        if !self.links.peek(node).is_some_and(Link::speaks_resp2) {
            self.attend(node);
        } else if self.pubsub.is_wanted(node) {
            self.listen_aside(now, node);
        }
    }

    /// A connection with a node has ended that takes requests.
    pub(super) fn handle_home_lost(&mut self, node: NodeId, conn: ConnId) {
        if let Some(pubsub) = self.pubsub.made() {
            pubsub.handle_lost(node, conn);
        }
        self.attend(node);
        if self.pubsub.conn(node).is_none() {
            self.leave_anchor(node);
        }
    }

    /// Gives the subscriptions at a node the connection that takes requests, if they have none.
    pub(super) fn attend(&mut self, node: NodeId) {
        let Some(link) = self.links.peek(node).filter(|link| link.is_ready() && !link.speaks_resp2()) else {
            return;
        };
        // What is still to come of earlier commands must not be taken for what is asked next.
        if let Some(conn) = link.conn_id()
            && !link.owes_confirmations()
            && self.listeners.peek(node).is_none()
            && self.pubsub.conn(node).is_none()
            && let Some(pubsub) = self.pubsub.made()
        {
            pubsub.handle_ready(node, conn);
        }
    }

    /// The strings at the front of `read` are messages, or something that means nothing here. Takes them off it, and
    /// all that follow.
    pub(super) fn handle_heard(
        &mut self,
        (node, conn): (NodeId, ConnId),
        mut strings: Strings,
        read: &mut BytesMut,
    ) {
        let Self { pubsub, links, listeners, .. } = self;
        let is_home = pubsub.conn(node) == Some(conn);
        let link = if listeners.node_of(conn).is_some() { listeners.get(node) } else { links.get(node) };
        let mut connection = link.and_then(|link| link.connection(conn));
        loop {
            match Heard::new(&strings, read).filter(|_| is_home) {
                Some(heard) => pubsub.handle_heard(node, &heard, read),
                None => read.advance(strings.run.len),
            }
            let Some(more) = connection.as_mut().and_then(|connection| connection.hear(read)) else { return };
            strings = more;
        }
    }

    /// A node of a cluster is lost or silent: subscriptions that any node can serve go to another one.
    pub(super) fn leave_anchor(&mut self, node: NodeId) {
        if self.anchor == Some(node) && matches!(self.topology, Topology::Cluster(_)) {
            self.anchor = None;
            self.review_subscriptions();
        }
    }

    /// Chooses a node for subscriptions that any node can serve, if there is none that can be used.
    fn choose_anchor(&mut self) {
        let Topology::Cluster(cluster) = &self.topology else { return };
        let (primaries, links) = (cluster.primaries(), &self.links);
        if self.anchor.is_some_and(|anchor| primaries.contains(&anchor)) {
            return;
        }
        let is_fit = |node: &&NodeId| links.health(**node).usable;
        let is_ready = |node: &&NodeId| is_fit(node) && links.peek(**node).is_some_and(Link::is_ready);
        let start = if primaries.is_empty() { 0 } else { self.rng.usize(..primaries.len()) };
        let turn = || primaries.iter().cycle().skip(start).take(primaries.len());
        self.anchor =
            turn().find(is_ready).or_else(|| turn().find(is_fit)).or_else(|| turn().next()).copied();
    }

    /// Looks where subscriptions live: nodes may have joined or left, slots may have moved.
    pub(super) fn review_subscriptions(&mut self) {
        if !self.pubsub.is_idle() {
            self.choose_anchor();
            self.pubsub.review(&Homes::new(&self.topology, self.anchor));
        }
    }

    pub(super) fn handle_subscription_timeout(&mut self, now: Instant) {
        if self.pubsub.poll_timeout() <= now {
            self.pubsub.handle_timeout(now, &Homes::new(&self.topology, self.anchor));
        }
    }

    /// A server has said something unasked.
    pub(super) fn handle_push(&mut self, now: Instant, node: NodeId, conn: ConnId, push: Frame) {
        if self.handle_sentinel_push(now, node, &push) {
            return;
        }
        if self.pubsub.conn(node) != Some(conn) {
            if let Some((what, _)) = confirmation(&push)
                && let Some(connection) = self.links.get(node).and_then(|link| link.connection(conn))
            {
                connection.handle_late_confirmation(now, what);
                self.attend(node);
            }
            return self.events.push(Event::Push(push));
        }
        if self.pubsub.handle_push(node, &push) {
            return;
        }
        let Some(connection) = self.links.get(node).and_then(|link| link.connection(conn)) else { return };
        if !confirm(&mut self.pubsub, now, node, connection, &push) {
            self.events.push(Event::Push(push));
        }
    }

    /// A server has refused to begin or to end subscriptions.
    ///
    /// # Errors
    /// That makes no sense: the connection is beyond use.
    pub(super) fn handle_subscription_refused(
        &mut self,
        now: Instant,
        node: NodeId,
        name: &str,
        outcome: Result<Frame, Error>,
    ) -> Result<(), Error> {
        let error = match outcome {
            Ok(frame) => super::refusals::refusal(&frame, Flags::default()),
            Err(error) => error,
        };
        let error = error.with_node(name);
        let verdict = self.judge_refusal(now, node, &error)?;
        let Self { pubsub, config, rng, topology, .. } = self;
        let again = |refusals: u32| now + retry::delay(&config.backoff, refusals.saturating_sub(1), rng);
        let homes = Homes::new(topology, self.anchor);
        pubsub.handle_refusal(node, verdict, &error, again, &homes).map_err(broken)
    }

    fn judge_refusal(&mut self, now: Instant, node: NodeId, error: &Error) -> Result<Verdict, Error> {
        let Some(code) = error.code() else { return Ok(Verdict::Never) };
        if let Topology::Cluster(cluster) = &mut self.topology {
            match cluster.decide(now, node, error, 0) {
                Decision::SendTo { endpoint, slot, asking: false } => {
                    cluster.handle_moved(now, slot, &endpoint);
                    return Ok(Verdict::Later);
                }
                Decision::SendTo { .. } | Decision::RefreshThenRetry | Decision::Later => {
                    return Ok(Verdict::Later);
                }
                Decision::Reconnect => {
                    if let Some(link) = self.links.get(node) {
                        link.retire();
                    }
                    return Ok(Verdict::Later);
                }
                Decision::Malformed(reason) => return Err(broken(reason)),
                Decision::Deliver | Decision::TooManyRedirects => {}
            }
        }
        let passes = retry::passes_by_itself(code) || code == ServerCode::Busy;
        Ok(if passes { Verdict::Later } else { Verdict::Never })
    }
}

/// Takes the confirmation of a subscription. Returns whether it was one.
pub(super) fn confirm(
    pubsub: &mut PubSub,
    now: Instant,
    node: NodeId,
    connection: &mut Connection,
    push: &Frame,
) -> bool {
    let Some((what, name)) = confirmation(push) else { return false };
    let asked = connection.awaits_confirmations();
    match pubsub.handle_confirmation(node, what, &name, asked) {
        Confirmed::Part => connection.handle_confirmed(now, false),
        Confirmed::Last => connection.handle_confirmed(now, true),
        Confirmed::Unasked => {}
    }
    true
}

fn broken(reason: &'static str) -> Error {
    Error::new(ErrorKind::Conversation(reason), Delivery::NotSent)
}
