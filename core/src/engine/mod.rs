//! The client as one machine: requests and bytes in, bytes, actions and replies out.
//!
//! ```text
//! handle_request --> Topology: which node? --> Link: ready? --> Connection --> outgoing()
//!                                                 | no: parked, with its deadline
//! handle_data    --> Connection: which request? --> turned away? --> sent again, or
//!                                                                `-> poll_event
//! ```
//!
//! **After one input, drain every output before the next**: [`poll_action`](Engine::poll_action) until it
//! is `None`, [`poll_event`](Engine::poll_event) until it is `None`, the bytes of
//! [`outgoing`](Engine::outgoing), then [`poll_timeout`](Engine::poll_timeout). An input asserts in debug
//! builds that no action is left. Events may be gathered over several inputs of one wake.

mod delayed;
mod link;
mod request;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BytesMut;

use self::delayed::Delayed;
use self::link::{Ended, Link};
pub use self::request::{Action, Event, Patience, Request};
use crate::command::Flags;
use crate::config::Config;
use crate::connection::{Answer, Entry};
pub use crate::connection::{ConnId, Outgoing, RequestId, ServerInfo};
use crate::error::{Delivery, Error, ErrorKind, ServerCode, ServerError, Waiting};
use crate::resp::{Frame, Kind};
use crate::retry;
use crate::time::Instant;
use crate::topology::{NodeId, Single, Topology, Verdict};

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
    /// One per node, by [`NodeId`].
    links: Vec<Link>,
    nodes: BTreeMap<ConnId, NodeId>,
    last_conn: u64,
    delayed: Delayed,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

impl Engine {
    /// An engine that is about to connect. `seed` is its only source of randomness: equal inputs give
    /// equal outputs.
    #[must_use]
    pub fn new(config: Arc<Config>, seed: u64, now: Instant) -> Self {
        let single = Single::new(config.endpoint.clone());
        let links = single.nodes().map(|endpoint| Link::new(endpoint, now)).collect();
        let mut engine = Self {
            config,
            rng: fastrand::Rng::with_seed(seed),
            phase: Phase::Open,
            topology: Topology::Single(single),
            links,
            nodes: BTreeMap::new(),
            last_conn: 0,
            delayed: Delayed::default(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
        };
        engine.connect_due(now);
        engine
    }

    /// Takes a request. Its `wire_len` bytes are the first in `bytes` and are taken off it.
    ///
    /// It ends with one [`Event::Reply`], whatever happens, unless it is [cancelled](Self::cancel): after
    /// [`close`](Self::close) at once, with [`ErrorKind::Closed`].
    #[inline]
    pub fn handle_request(&mut self, now: Instant, request: Request, bytes: &mut Outgoing) {
        let entry = Entry {
            id: request.id,
            part: request.part,
            wire_len: request.wire_len,
            deadline: request.patience.deadline(now, &self.config),
            replies: request.replies,
            flags: request.flags,
            name_words: request.name_words,
            attempts: 0,
        };
        if self.phase == Phase::Open {
            self.submit(now, entry, bytes);
            return;
        }
        let error = Error::new(ErrorKind::Closed, Delivery::NotSent);
        let error = link::name(error, bytes, &entry);
        bytes.release(entry.wire_len as usize);
        self.end(entry, Err(error));
    }

    #[inline]
    fn submit(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        let Topology::Single(single) = &self.topology;
        let NodeId(node) = single.route();
        self.links[node].submit(now, entry, bytes);
    }

    /// The socket of `conn`, asked for by [`Action::Connect`], is open. Now there is something to write.
    pub fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        self.assert_drained();
        let link = self.nodes.get(&conn).and_then(|node| self.links.get_mut(node.0));
        if let Some(info) = link.and_then(|link| link.handle_connected(now, &self.config)) {
            self.events.push_back(Event::Connected(info));
        }
    }

    /// Bytes have come on `conn`: takes every whole reply off the front of `read`.
    ///
    /// What is left is the beginning of the next reply: what comes next on `conn` is appended to it.
    pub fn handle_data(&mut self, now: Instant, conn: ConnId, read: &mut BytesMut) {
        self.assert_drained();
        let Some(&node) = self.nodes.get(&conn) else { return read.clear() };
        loop {
            let link = &mut self.links[node.0];
            match link.next_answer(now, &self.config, read) {
                Ok(Some(Answer::Reply(entry, Ok(frame)))) if frame.kind() != Kind::Error => {
                    if let Some(connection) = link.connection(conn) {
                        connection.finish_front();
                    }
                    self.end(entry, Ok(frame));
                }
                Ok(Some(Answer::Reply(entry, outcome))) => {
                    self.handle_refusal(now, node, conn, entry, outcome);
                }
                Ok(Some(Answer::Push(frame))) => self.events.push_back(Event::Push(frame)),
                Ok(Some(Answer::Ready(info))) => {
                    link.handle_ready(now);
                    self.events.push_back(Event::Connected(info));
                }
                Ok(None) => break,
                Err(error) => {
                    read.clear();
                    self.actions.push_back(Action::Close(conn));
                    return self.handle_lost(now, conn, &error);
                }
            }
        }
        self.close_retired(now, node);
    }

    /// A request was answered with an error: tried again if that is safe and has a chance, else ended.
    fn handle_refusal(
        &mut self,
        now: Instant,
        node: NodeId,
        conn: ConnId,
        entry: Entry,
        outcome: Result<Frame, Error>,
    ) {
        let link = &mut self.links[node.0];
        let mut bytes = Outgoing::default();
        if let Some(connection) = link.connection(conn) {
            connection.take_front(&mut bytes);
        }
        let error = match outcome {
            Ok(frame) => refusal(&frame, entry),
            Err(error) => error,
        };
        let error = error.with_node(link.name());
        let error = if error.command().is_some() { error } else { link::name(error, &bytes, &entry) };
        let verdict = match (&self.topology, error.code()) {
            (Topology::Single(single), Some(code))
                if error.delivery() == Delivery::Rejected && entry.replies == 1 =>
            {
                single.verdict(code, entry.attempts)
            }
            _ => Verdict::Deliver,
        };
        if verdict == Verdict::Deliver || !entry.id.is_awaited() {
            return self.end(entry, Err(error));
        }
        if verdict == Verdict::Reconnect {
            link.retire();
        }
        let pause = retry::delay(&self.config.backoff, entry.attempts.into(), &mut self.rng);
        self.delayed.push(now, pause, node, (entry, bytes), error);
    }

    /// The socket of `conn` failed, was closed by the peer, or could not be opened. The engine asks for a new
    /// connection when it is time.
    pub fn handle_closed(&mut self, now: Instant, conn: ConnId, reason: crate::error::ConnectionError) {
        self.assert_drained();
        let error = Error::new(ErrorKind::Connection(reason), Delivery::NotSent);
        self.handle_lost(now, conn, &error);
    }

    fn handle_lost(&mut self, now: Instant, conn: ConnId, error: &Error) {
        let Some(node) = self.nodes.remove(&conn) else { return };
        let mut ended = Ended::new();
        let link = &mut self.links[node.0];
        let error = error.clone().with_node(link.name());
        let was_ready = link.handle_lost(now, &error, &self.config, &mut self.rng, &mut ended);
        self.end_all(ended);
        self.events.push_back(if was_ready {
            Event::Disconnected(error)
        } else {
            Event::ConnectFailed(error)
        });
        self.connect_due(now);
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.assert_drained();
        if let Phase::Draining(until) = self.phase
            && now >= until
        {
            return self.give_up();
        }
        let mut lost = Vec::new();
        let mut ended = Ended::new();
        for link in &mut self.links {
            if let (Err(error), Some(conn)) =
                (link.handle_timeout(now, &self.config, &mut ended), link.conn_id())
            {
                lost.push((conn, error));
            }
        }
        self.end_all(ended);
        for (conn, error) in lost {
            self.actions.push_back(Action::Close(conn));
            self.handle_lost(now, conn, &error);
        }
        self.send_delayed(now);
        self.connect_due(now);
        self.finish_drain();
    }

    fn send_delayed(&mut self, now: Instant) {
        while let Some((node, entry, mut bytes)) = self.delayed.pop_due(now) {
            if entry.deadline <= now {
                let error = Error::new(ErrorKind::Timeout(Waiting::Reply), Delivery::Rejected);
                let error = link::name(error.with_node(self.links[node.0].name()), &bytes, &entry);
                self.end(entry, Err(error));
            } else {
                self.links[node.0].submit(now, entry, &mut bytes);
            }
        }
    }

    fn connect_due(&mut self, now: Instant) {
        if self.phase == Phase::Closed {
            return;
        }
        for (index, link) in self.links.iter_mut().enumerate() {
            if let Some((conn, endpoint)) = link.poll_connect(now, &mut self.last_conn, &self.config) {
                self.nodes.insert(conn, NodeId(index));
                self.actions.push_back(Action::Connect(conn, endpoint));
            }
        }
    }

    fn close_retired(&mut self, now: Instant, node: NodeId) {
        if let Some(conn) = self.links[node.0].poll_retired(now) {
            self.nodes.remove(&conn);
            self.actions.push_back(Action::Close(conn));
            self.connect_due(now);
        }
    }

    /// Forgets requests that nobody waits for any more; they end without an event. What waits for a
    /// connection is not sent; what a connection has taken is written, and its reply swallowed. The order of
    /// `ids` is changed.
    pub fn cancel(&mut self, ids: &mut [RequestId]) {
        ids.sort_unstable();
        self.links.iter_mut().for_each(|link| link.cancel(ids));
        self.delayed.cancel(ids);
        self.finish_drain();
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
        self.finish_drain();
    }

    fn finish_drain(&mut self) {
        let draining = matches!(self.phase, Phase::Draining(_));
        if draining && self.delayed.is_empty() && self.links.iter_mut().all(Link::is_drained) {
            self.give_up();
        }
    }

    /// Ends what has not ended, closes what is open.
    fn give_up(&mut self) {
        self.phase = Phase::Closed;
        let mut ended = Ended::new();
        let late = Error::new(ErrorKind::Timeout(Waiting::Drain), Delivery::NotSent);
        for link in &mut self.links {
            let late = late.clone().with_node(link.name());
            link.fail_parked(&late, &mut ended);
            link.fail_in_flight(&late, &mut ended);
        }
        while let Some((_, entry, _)) = self.delayed.pop_due(Instant::FAR) {
            ended.push((entry, late.clone().with_delivery(Delivery::Rejected)));
        }
        self.end_all(ended);
        let open = core::mem::take(&mut self.nodes);
        self.actions.extend(open.into_keys().map(Action::Close));
    }

    /// Whether the engine has closed: all requests have ended and all connections are given up.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    fn end_all(&mut self, ended: Ended) {
        for (entry, error) in ended {
            self.end(entry, Err(error));
        }
    }

    #[inline]
    fn end(&mut self, entry: Entry, result: Result<Frame, Error>) {
        if !entry.id.is_awaited() {
            return;
        }
        let result = if entry.attempts == 0 { result } else { self.retell(&entry, result) };
        self.events.push_back(Event::Reply { id: entry.id, part: entry.part, result });
        if self.phase != Phase::Open {
            self.finish_drain();
        }
    }

    /// The end of a request that was sent more than once: what became of it the first time still counts.
    fn retell(&mut self, entry: &Entry, result: Result<Frame, Error>) -> Result<Frame, Error> {
        self.delayed.explain(entry, result).map_err(|error| {
            let sent = entry.flags.has(Flags::SENT_BEFORE);
            if sent { error.with_delivery(Delivery::MaybeExecuted) } else { error }
        })
    }

    /// How many commands and bytes the engine holds: queued, in flight, or about to be sent again.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let delayed = self.delayed.load();
        self.links.iter().map(Link::load).fold(delayed, |sum, load| (sum.0 + load.0, sum.1 + load.1))
    }

    /// What the driver has to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What has happened.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether something waits for [`poll_action`](Self::poll_action).
    #[must_use]
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Whether something waits for [`poll_event`](Self::poll_event).
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// All that has happened, in order.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> {
        self.events.drain(..)
    }

    /// The bytes to write on `conn`, to be [advanced](bytes::Buf::advance) by as many as were written. `None`
    /// if the engine has given the connection up.
    pub fn outgoing(&mut self, conn: ConnId) -> Option<&mut Outgoing> {
        let node = self.nodes.get(&conn)?;
        self.links[node.0].connection(conn).map(|connection| connection.outgoing())
    }

    /// How many more bytes are needed on `conn`, at the least, before a reply can be complete, when
    /// `buffered` bytes are there. Reserving them makes one read of a large reply instead of many.
    pub fn missing(&mut self, conn: ConnId, buffered: usize) -> usize {
        let Some(node) = self.nodes.get(&conn) else { return 0 };
        self.links[node.0].connection(conn).map_or(0, |connection| connection.missing(buffered))
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called. It moves with every input. `None`: never,
    /// as things are.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut earliest = match self.phase {
            Phase::Closed => return None,
            Phase::Draining(until) => until,
            Phase::Open => Instant::FAR,
        };
        for link in &self.links {
            earliest = earliest.min(link.poll_timeout(&self.config));
        }
        earliest = earliest.min(self.delayed.earliest());
        (earliest != Instant::FAR).then_some(earliest)
    }

    fn assert_drained(&self) {
        debug_assert!(self.actions.is_empty(), "drain every action before the next input");
    }
}

/// The error of a request that the server answered with an error frame.
fn refusal(frame: &Frame, entry: Entry) -> Error {
    let error = ServerError::new(&frame.item().text().unwrap_or_default());
    let may_have_run = if entry.flags.has(Flags::SCRIPT) {
        // What a script did before it failed stays done.
        !matches!(
            error.code(),
            ServerCode::NoScript
                | ServerCode::Loading
                | ServerCode::Busy
                | ServerCode::NoAuth
                | ServerCode::NoPerm
        )
    } else {
        false
    };
    let delivery = if may_have_run { Delivery::MaybeExecuted } else { Delivery::Rejected };
    Error::new(ErrorKind::Server(error), delivery)
}
