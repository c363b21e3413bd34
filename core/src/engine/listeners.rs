//! Connections of their own for subscriptions, to servers that speak RESP2: there a connection with subscriptions
//! takes hardly anything else.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::link::{Connects, Ended, Link};
use super::links::Links;
use super::{Action, Engine, NodeId, Phase};
use crate::config::{Config, Credentials, Login, Protocol};
use crate::connection::{Answer, ConnId, Outgoing, Purpose};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};
use crate::resp::Kind;
use crate::seldom::Vacant;
use crate::time::Instant;

/// Their numbers begin here; those of other connections never come so far.
const FIRST: u64 = 1 << 48;

/// The connections that have nothing but subscriptions.
#[derive(Debug)]
pub(super) struct Listeners {
    links: Links,
    /// How they are configured, once there was one.
    config: Option<Arc<Config>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self::new()
    }
}

impl Vacant for Listeners {
    const VACANT: &'static Self = &Self::new();
}

impl Listeners {
    const fn new() -> Self {
        Self { links: Links::numbered_from(FIRST), config: None }
    }

    /// Whether subscriptions at a node have a connection of their own.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.links.contains(node)
    }

    pub(super) fn peek(&self, node: NodeId) -> Option<&Link> {
        self.links.peek(node)
    }

    /// Which node a connection is with.
    pub(super) fn node_of(&self, conn: ConnId) -> Option<NodeId> {
        self.links.node_of(conn)
    }

    pub(super) fn get(&mut self, node: NodeId) -> Option<&mut Link> {
        self.links.get(node)
    }

    pub(super) fn outgoing(&mut self, conn: ConnId) -> Option<&mut Outgoing> {
        let node = self.links.node_of(conn)?;
        self.links.reach(node)?.connection(conn).map(|connection| connection.outgoing())
    }

    pub(super) fn drain_unwritten(&mut self, into: &mut Vec<ConnId>) {
        self.links.drain_unwritten(into);
    }

    pub(super) fn missing(&mut self, conn: ConnId, buffered: usize) -> usize {
        let Some(node) = self.links.node_of(conn) else { return 0 };
        let connection = self.links.reach(node).and_then(|link| link.connection(conn));
        connection.map_or(0, |connection| connection.missing(buffered))
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.links.shrink();
    }

    pub(super) fn earliest(&mut self) -> Instant {
        self.links.earliest()
    }

    pub(super) fn take_connections(&mut self) -> impl Iterator<Item = ConnId> + use<> {
        self.links.take_connections()
    }
}

impl Engine {
    /// Gives the subscriptions at a node a connection of their own, if they have none.
    pub(super) fn listen_aside(&mut self, now: Instant, node: NodeId) {
        if self.listeners.has(node) {
            return;
        }
        let Some(link) = self.link_to(now, node) else { return };
        let endpoint = link.endpoint().clone();
        let config = self.listeners.config.get_or_insert_with(|| {
            Arc::new(Config { protocol: Protocol::Resp2, ..Config::clone(&self.config) })
        });
        let link = Link::new(endpoint, config, Connects::Always, now);
        self.listeners.links.insert(node, link.with_purpose(Purpose::Subscriber));
        self.connect_listener(now, node);
    }

    /// There are no subscriptions at a node any more.
    pub(super) fn leave_aside(&mut self, node: NodeId) {
        let Some(link) = self.listeners.links.peek(node) else { return };
        if let Some(conn) = link.conn_id() {
            self.listeners.links.disconnect(conn);
            self.actions.push_back(Action::Close(conn));
        }
        self.listeners.links.remove(node);
        if let Some(conn) = self.pubsub.conn(node) {
            self.pubsub.handle_lost(node, conn);
        }
    }

    fn connect_listener(&mut self, now: Instant, node: NodeId) {
        if self.phase != Phase::Closed
            && let Some((conn, endpoint, tls)) = self.listeners.links.poll_connect(now, node)
        {
            self.log_in(now, node, conn, &endpoint);
            self.actions.push_back(Action::Connect(conn, endpoint, tls));
        }
    }

    /// Returns whether the connection has nothing but subscriptions.
    pub(super) fn handle_listener_connected(&mut self, now: Instant, conn: ConnId) -> bool {
        let Some(node) = self.listeners.links.node_of(conn) else { return false };
        if self.listeners.get(node).and_then(|link| link.handle_connected(now)).is_some() {
            self.pubsub.handle_ready(node, conn);
            self.follow_subscriptions(now);
        }
        true
    }

    /// Returns whether the connection has nothing but subscriptions.
    pub(super) fn handle_listener_data(&mut self, now: Instant, conn: ConnId, read: &mut BytesMut) -> bool {
        let Some(node) = self.listeners.links.node_of(conn) else { return false };
        if let Err(error) = self.listen(now, node, conn, read) {
            read.clear();
            self.actions.push_back(Action::Close(conn));
            self.handle_listener_closed(now, conn, &error);
        }
        // What was said here may concern the connection that is shared, which may have nothing to answer.
        self.close_retired(now, node);
        self.follow_topology(now);
        true
    }

    fn listen(&mut self, now: Instant, node: NodeId, conn: ConnId, read: &mut BytesMut) -> Result<(), Error> {
        while let Some(link) = self.listeners.get(node)
            && let Some(answer) = link.next_answer(now, conn, read)?
        {
            match answer {
                Answer::Ready(_) => {
                    link.handle_ready(now);
                    self.pubsub.handle_ready(node, conn);
                    self.follow_subscriptions(now);
                }
                Answer::Heard(strings) => self.handle_heard((node, conn), strings, read),
                Answer::Push(push) => {
                    if !self.pubsub.handle_push(node, &push)
                        && let Some(connection) =
                            self.listeners.get(node).and_then(|link| link.connection(conn))
                    {
                        super::pubsub::confirm(&mut self.pubsub, now, node, connection, &push);
                    }
                }
                Answer::Reply(entry, Ok(frame)) if frame.kind() != Kind::Error => {
                    debug_assert!(!entry.id.is_awaited(), "nobody else asks anything here");
                    if let Some(connection) = link.connection(conn) {
                        connection.finish_front();
                    }
                }
                Answer::Renewed(..) | Answer::Line(_) => {}
                Answer::Reply(_, outcome) => {
                    if let Some(connection) = link.connection(conn) {
                        connection.finish_front();
                    }
                    let name = link.name();
                    self.handle_subscription_refused(now, node, &name, outcome)?;
                }
            }
        }
        Ok(())
    }

    /// There are other credentials. A connection with subscriptions cannot be told them, so it is replaced.
    pub(super) fn renew_listeners(&mut self, now: Instant, login: &Login, credentials: &Credentials) {
        for node in self.listeners.links.ids() {
            let link = self.listeners.peek(node).filter(|link| link.login() == login);
            let Some(conn) = link.and_then(Link::conn_id) else { continue };
            if link.and_then(Link::credentials).is_some_and(|known| known != credentials) {
                self.actions.push_back(Action::Close(conn));
                let reason = ErrorKind::Connection(ConnectionError::Replaced);
                self.handle_listener_closed(now, conn, &Error::new(reason, Delivery::NotSent));
            }
        }
    }

    /// The connection has ended. Returns whether it had nothing but subscriptions.
    pub(super) fn handle_listener_closed(&mut self, now: Instant, conn: ConnId, error: &Error) -> bool {
        let Some(node) = self.listeners.made().and_then(|listeners| listeners.links.disconnect(conn)) else {
            return false;
        };
        if let Some(link) = self.listeners.links.get(node) {
            let error = error.clone().with_node(&link.name());
            link.handle_lost(now, conn, &error, &mut self.rng, &mut Ended::new());
        }
        self.pubsub.handle_lost(node, conn);
        self.leave_anchor(node);
        self.connect_listener(now, node);
        true
    }

    pub(super) fn handle_listener_timeout(&mut self, now: Instant) {
        for node in self.listeners.links.ids() {
            let Some(link) = self.listeners.get(node) else { continue };
            let (_, failed) = link.handle_timeout(now, &mut Ended::new());
            for (conn, error) in failed {
                self.actions.push_back(Action::Close(conn));
                self.handle_listener_closed(now, conn, &error);
            }
            self.connect_listener(now, node);
        }
        if let Some(listeners) = self.listeners.made() {
            listeners.links.forget_times();
        }
    }
}
