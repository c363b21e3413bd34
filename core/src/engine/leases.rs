//! The engine's part of side connections: which node they are with, what comes on them, when they end.

use alloc::sync::Arc;

use bytes::{Buf, BytesMut};

use super::recall::{Taken, unblock};
use super::sides::{Due, Served, Use, Way};
use super::{Action, ConnId, Ended, Engine, Entry, Event, NodeId, Outgoing, Phase, RequestId};
use crate::command::{Flags, Undo};
use crate::connection::{Answer, Purpose};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, ServerCode, Waiting};
use crate::resp::{Frame, Kind, parse_i64};
use crate::time::Instant;
use crate::topology::Topology;

impl Engine {
    /// How to connect with a node; `None` if it is none of those that take requests.
    fn way_to(&self, node: NodeId) -> Option<Way> {
        let config = Arc::clone(&self.config);
        Some(match &self.topology {
            Topology::Single(_) => {
                Way { endpoint: self.config.endpoint.clone(), config, purpose: Purpose::Plain }
            }
            Topology::Cluster(cluster) => {
                let purpose = if cluster.serves(node) { Purpose::Plain } else { Purpose::ClusterReads };
                Way { endpoint: cluster.endpoint(node)?.clone(), config, purpose }
            }
            Topology::Sentinel(service) => {
                let (endpoint, config, purpose) = service.way_to(node, &self.config)?;
                Way { endpoint, config, purpose }
            }
        })
    }

    /// Sends a request on a connection of its own. Its bytes are the first in `bytes`.
    #[cold]
    pub(super) fn submit_aside(&mut self, now: Instant, node: NodeId, entry: Entry, bytes: &mut Outgoing) {
        if self.phase != Phase::Open {
            let error = Error::new(ErrorKind::Closed, Delivery::NotSent);
            let error = super::link::name(error, bytes, &entry);
            bytes.release(entry.wire_len as usize);
            return self.end(now, entry, Err(error));
        }
        // The node is known by its link for as long as there are side connections with it.
        let has_link = self.link_to(now, node).is_some();
        let Some(way) = self.way_to(node).filter(|_| has_link) else {
            return self.submit_unrouted(now, entry, bytes);
        };
        match self.sides.submit(now, node, way, entry, bytes) {
            Ok(None) => {}
            Ok(Some(conn)) => self.grant(&entry, conn),
            Err(error) => {
                let error = super::link::name(error, bytes, &entry);
                bytes.release(entry.wire_len as usize);
                self.end(now, entry, Err(error));
            }
        }
        self.connect_aside(now, node);
    }

    /// Makes the connections that are wanted with a node.
    pub(super) fn connect_aside(&mut self, now: Instant, node: NodeId) {
        while self.phase == Phase::Open
            && let Some((conn, endpoint, tls)) = self.sides.poll_connect(now, node, || self.links.next_conn())
        {
            self.log_in(now, node, conn, &endpoint);
            self.actions.push_back(Action::Connect(conn, endpoint, tls));
        }
    }

    /// A node that takes writes is ready: some connections are made in advance, if that is wanted.
    pub(super) fn warm_up(&mut self, now: Instant, node: NodeId) {
        let takes_writes = match &self.topology {
            Topology::Single(_) => true,
            Topology::Cluster(cluster) => cluster.serves(node),
            Topology::Sentinel(service) => service.is_primary(node),
        };
        if self.config.pool.min_idle > 0
            && self.phase == Phase::Open
            && takes_writes
            && let Some(way) = self.way_to(node)
        {
            self.sides.keep_warm(node, way);
            self.connect_aside(now, node);
        }
    }

    #[cold]
    pub(super) fn handle_connected_aside(&mut self, now: Instant, conn: ConnId) {
        if let Some(side) = self.sides.get(conn) {
            // There is always something to say: its number is asked for.
            side.connection.handle_connected(now, &side.config);
            self.sides.note(conn);
        }
    }

    #[cold]
    pub(super) fn handle_data_aside(&mut self, now: Instant, conn: ConnId, read: &mut BytesMut) {
        let node = self.sides.get(conn).map(|side| side.node);
        if let Err(error) = self.take_answers_aside(now, conn, read) {
            self.actions.push_back(Action::Close(conn));
            self.handle_lost_aside(now, conn, &error);
        }
        match self.sides.get(conn) {
            Some(side) => side.follow_renewal(now),
            None => read.clear(),
        }
        self.sides.note(conn);
        // What was said here may concern the connection that is shared, which may have nothing to answer.
        node.into_iter().for_each(|node| self.close_retired(now, node));
        self.follow_topology(now);
    }

    /// # Errors
    /// The connection is beyond use.
    fn take_answers_aside(&mut self, now: Instant, conn: ConnId, read: &mut BytesMut) -> Result<(), Error> {
        while let Some(side) = self.sides.get(conn)
            && let Some(answer) = side.connection.next_answer(now, &side.config, read)?
        {
            let node = side.node;
            match answer {
                Answer::Reply(entry, outcome) => self.handle_reply_aside(now, conn, entry, outcome)?,
                Answer::Heard(strings) => read.advance(strings.run.len),
                Answer::Push(_) => {}
                Answer::Renewed(told, outcome) => self.handle_session_renewed(now, conn, &told, outcome),
                Answer::Line(line) => self.events.push(Event::Line { conn, line }),
                Answer::Ready(info) => {
                    self.check_part(now, node, &info)?;
                    self.sides.handle_ready(conn, info.client_id);
                    self.serve_aside(now, conn);
                    self.connect_aside(now, node);
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// The connection is beyond use.
    fn handle_reply_aside(
        &mut self,
        now: Instant,
        conn: ConnId,
        entry: Entry,
        outcome: Result<Frame, Error>,
    ) -> Result<(), Error> {
        let Some(side) = self.sides.get(conn) else { return Ok(()) };
        let (node, is_retired) = (side.node, side.is_retired() && self.phase == Phase::Open);
        let mut bytes = Outgoing::default();
        side.connection.take_front(&mut bytes);
        if entry.id == RequestId::HEALTH {
            return Ok(());
        }
        let is_sessions = side.is_sessions();
        // It would be put back into the wrong database.
        let is_elsewhere = is_sessions && entry.flags.has(Flags::ELSEWHERE);
        let undo = undo(&bytes, &entry).filter(|_| !is_elsewhere);
        match outcome {
            Ok(frame) if frame.kind() != Kind::Error => match Taken::new(undo, frame) {
                Ok(taken) if entry.id.is_callers() => self.end_taken(&entry, taken),
                Ok(taken) => self.give_back(now, &taken),
                Err(frame) => self.end(now, entry, Ok(frame)),
            },
            outcome if is_sessions => self.end_in_session(now, conn, (entry, bytes), outcome),
            // It was ended by this client, since the node is of no use any more: nothing was taken.
            Ok(frame) if is_retired && is_unblocked(&frame) && entry.id.is_awaited() => {
                let error = Error::new(ErrorKind::Connection(ConnectionError::Replaced), Delivery::Rejected);
                self.send_again(now, entry, bytes, error);
            }
            outcome if entry.id.is_awaited() => {
                let name = self.sides.name_of(conn).unwrap_or_default().into();
                self.follow_refusal(now, (node, conn), name, (entry, bytes), outcome)?;
            }
            _ => {}
        }
        self.handle_answered(now, conn);
        Ok(())
    }

    /// The request on a connection is answered.
    fn handle_answered(&mut self, now: Instant, conn: ConnId) {
        let waits_in_vain = self.sides.waits_in_vain(conn);
        let Some(side) = self.sides.get(conn) else { return };
        let owes_a_wait = side.owes_a_wait();
        match &mut side.state {
            // A session has sent one behind it, now or soon: that is ended as well.
            Use::Recalled(_) if owes_a_wait => {}
            Use::Recalled(recall) => {
                recall.answered = true;
                let (asking, unclear) = (recall.asking, recall.unclear);
                if unclear {
                    self.close_aside(now, conn);
                } else if !asking {
                    self.serve_aside(now, conn);
                }
            }
            Use::Leased(_) if waits_in_vain => self.recall(now, conn),
            Use::Leased(_) => {}
            _ => self.serve_aside(now, conn),
        }
        self.finish_drain(now);
    }

    /// Gives a connection on which nothing is under way to the first who waits for one.
    pub(super) fn serve_aside(&mut self, now: Instant, conn: ConnId) {
        match self.sides.serve(now, conn) {
            _ if self.phase != Phase::Open => self.close_aside(now, conn),
            Served::Over => self.close_aside(now, conn),
            Served::Leased(entry) => self.grant(&entry, conn),
            Served::Used => {}
        }
    }

    /// Closes a connection on which nothing is under way that anybody waits for.
    pub(super) fn close_aside(&mut self, now: Instant, conn: ConnId) {
        if self.sides.get(conn).is_some_and(|side| side.any_awaited()) {
            self.actions.push_back(Action::Close(conn));
            let reason = ErrorKind::Connection(ConnectionError::SessionLost);
            return self.handle_lost_aside(now, conn, &Error::new(reason, Delivery::NotSent));
        }
        if let Some(side) = self.sides.remove(conn) {
            self.actions.push_back(Action::Close(conn));
            self.connect_aside(now, side.node);
        }
    }

    /// A connection is gone.
    pub(super) fn handle_lost_aside(&mut self, now: Instant, conn: ConnId, error: &Error) {
        self.handle_login_failed_aside(now, conn, error);
        if self.sides.seat_of(conn).is_some() {
            self.events.push(Event::SessionLost { conn, error: error.clone() });
        }
        let mut ended = Ended::new();
        let Some(node) = self.sides.handle_lost(now, conn, error, &mut self.rng, &mut ended) else { return };
        if self.phase != Phase::Open {
            // No more connections are made.
            self.sides.fail_waiting(&Error::new(ErrorKind::Closed, Delivery::NotSent), &mut ended);
        }
        self.end_all(now, ended);
        match &mut self.topology {
            Topology::Single(_) => {}
            Topology::Cluster(cluster) => cluster.handle_lost(now, node),
            Topology::Sentinel(service) => service.handle_suspect(now, node),
        }
        self.connect_aside(now, node);
    }

    /// The node is gone, and what was asked of it with it.
    pub(super) fn drop_aside(&mut self, now: Instant, node: NodeId, error: &Error) {
        let mut ended = Ended::new();
        for conn in self.sides.of_node(node) {
            self.actions.push_back(Action::Close(conn));
            self.sides.handle_lost(now, conn, error, &mut self.rng, &mut ended);
        }
        self.sides.retire(now, node, &mut self.rng);
        self.end_all(now, ended);
    }

    /// The node is of no use any more. What was asked of it may be answered; what waits there is ended there, so that
    /// it can wait elsewhere. It is to be called before the link retires.
    pub(super) fn retire_aside(&mut self, now: Instant, node: NodeId) {
        for (conn, client_id) in self.sides.waiting_at(node) {
            if let Some(link) = self.links.get(node).filter(|link| link.is_open()) {
                let (entry, mut bytes) = unblock(conn, node, client_id, now + self.config.connect_timeout);
                link.submit(now, entry, &mut bytes);
            }
        }
        for conn in self.sides.retire(now, node, &mut self.rng) {
            self.close_aside(now, conn);
        }
    }

    pub(super) fn handle_timeout_aside(&mut self, now: Instant) {
        let mut ended = Ended::new();
        let Some(sides) = self.sides.made() else { return };
        let due = sides.handle_timeout(now, &mut ended);
        for (conn, due) in due {
            match due {
                Due::Nothing => {}
                Due::Close => self.close_aside(now, conn),
                Due::Recall => self.ask_to_unblock(now, conn),
                Due::Late(late) => {
                    let node = self.sides.name_of(conn).unwrap_or_default();
                    let error = Error::new(ErrorKind::Timeout(Waiting::Reply), Delivery::MaybeExecuted);
                    let error = error.with_node(node);
                    ended.extend(late.into_iter().map(|entry| (entry, error.clone())));
                    if self.sides.waits_in_vain(conn) {
                        self.recall(now, conn);
                    }
                }
                Due::Fail(error) => {
                    self.actions.push_back(Action::Close(conn));
                    self.handle_lost_aside(now, conn, &error);
                }
            }
        }
        self.end_all(now, ended);
        for node in self.sides.nodes() {
            self.connect_aside(now, node);
        }
        self.sides.forget_times();
    }

    /// The client is to be closed: what waits for a connection ends, and so does what waits at the server.
    pub(super) fn close_all_aside(&mut self, now: Instant) {
        let mut ended = Ended::new();
        self.sides.fail_waiting(&Error::new(ErrorKind::Closed, Delivery::NotSent), &mut ended);
        self.end_all(now, ended);
        self.sides.cool_down();
        for conn in self.sides.conns() {
            let waits = self.sides.waits(conn);
            match self.sides.get(conn).map(|side| &side.state) {
                Some(Use::Leased(_)) if !waits => {}
                Some(Use::Busy | Use::Leased(_)) => self.recall(now, conn),
                Some(Use::Idle(_) | Use::Opening) => self.close_aside(now, conn),
                Some(Use::Recalled(_)) | None => {}
            }
        }
    }

    /// What a wait at the server ends with that this client has ended since it closes; `None` if it is another end.
    pub(super) fn end_of_wait(&self, error: &Error) -> Option<Error> {
        let is_ours = self.phase != Phase::Open && error.code() == Some(ServerCode::Unblocked);
        is_ours.then(|| Error::new(ErrorKind::Closed, Delivery::Rejected))
    }

    /// A request that takes something away has taken it.
    fn end_taken(&mut self, entry: &Entry, taken: Taken) {
        if entry.attempts > 0 {
            self.delayed.forget(entry);
        }
        self.events.push(Event::Taken { id: entry.id, taken });
    }
}

/// Whether the server has ended a wait before its time.
fn is_unblocked(frame: &Frame) -> bool {
    frame.item().text().is_some_and(|text| ServerCode::of(&text) == ServerCode::Unblocked)
}

/// How the request is undone whose bytes these are.
fn undo(bytes: &Outgoing, entry: &Entry) -> Option<Undo> {
    let wire = bytes.copy();
    Undo::of(args(wire.get(entry.prefix_len()..)?))
}

/// The arguments of the command that starts at `wire[0]`.
pub(super) fn args(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines = Lines(wire);
    lines.next_line();
    core::iter::from_fn(move || {
        let len = parse_i64(lines.next_line()?.strip_prefix(b"$")?)?;
        lines.take(usize::try_from(len).ok()?)
    })
}

struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\r', self.0)?;
        self.take(end)
    }

    /// The next `len` bytes, without the end of the line behind them.
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.0.get(..len)?;
        self.0 = self.0.get(len + 2..)?;
        Some(taken)
    }
}

#[cfg(test)]
mod unit {
    use alloc::vec::Vec;

    use super::*;
    use crate::command::Command;

    #[test]
    fn arguments_of_a_command_on_the_wire() {
        let command = Command::<()>::new("BLMPOP").arg(0).arg("").arg("a\r\nb").into_packed();
        let mut wire = Vec::new();
        command.encode(&mut wire);
        let read: Vec<_> = args(&wire).collect();
        assert_eq!(read, [&b"BLMPOP"[..], b"0", b"", b"a\r\nb"]);
        assert_eq!(args(&wire[..wire.len() - 1]).count(), 3);
        assert_eq!(args(b"").count(), 0);
    }
}
