//! The engine's part of sessions: side connections that a caller has, not a request.

use alloc::format;
use alloc::string::String;

use bytes::BytesMut;

use super::leases::args;
use super::refusals::refusal;
use super::sides::Use;
use super::{ConnId, Engine, Entry, Event, NodeId, Outgoing, Patience, Request, RequestId, Taken, link};
use crate::command::{Change, Flags, Target, Undo};
use crate::config::Credentials;
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, ServerCode};
use crate::resp::{Decoder, Frame, Limits};
use crate::time::Instant;
use crate::topology::Topology;

impl Request {
    /// A request for a connection of one's own with a node that is for `target`.
    ///
    /// It ends with [`Event::Taken`]: an array of the number of the [connection](ConnId) and of the deadline of this
    /// request, in nanoseconds. What is to go there has the target that [`Engine::locate_session`] gives.
    #[must_use]
    pub const fn lease(id: RequestId, target: Target, patience: Patience) -> Self {
        let flags = Flags::BLOCKING;
        Self { id, part: 0, wire_len: 0, replies: 1, target, flags, name_words: 0, patience }
    }
}

impl Engine {
    /// The target for requests of the session that has this connection.
    #[must_use]
    pub fn locate_session(&self, conn: ConnId) -> Target {
        Target::Session(self.sides.seat_of(conn).unwrap_or(u16::MAX))
    }

    /// The session that has this connection has ended. The connection goes to the next one if all that was asked on
    /// it is answered and nothing has changed it.
    pub fn release(&mut self, now: Instant, conn: ConnId) {
        let Some(side) = self.sides.get(conn) else { return };
        let Use::Leased(lease) = &side.state else { return };
        // The answer to a health check comes before that to whatever is asked next.
        let is_answered = !side.connection.any(|entry| entry.id != RequestId::HEALTH);
        let is_clean = lease.is_clean() && is_answered;
        // What it would take after its connection is closed would come to nobody.
        if side.owes_a_wait() {
            self.recall(now, conn);
            return;
        }
        self.sides.unseat(conn);
        if is_clean {
            self.serve_aside(now, conn);
        } else {
            self.close_aside(now, conn);
        }
        self.finish_drain(now);
    }

    /// Tells a caller which connection it has now.
    pub(super) fn grant(&mut self, entry: &Entry, conn: ConnId) {
        let deadline = i64::try_from(entry.deadline.as_nanos()).unwrap_or(i64::MAX);
        let wire = format!("*2\r\n:{}\r\n:{deadline}\r\n", conn.0);
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire.as_str()));
        if let Ok(Some(frame)) = frame
            && let Ok(taken) = Taken::new(Some(Undo::Release), frame)
        {
            self.events.push(Event::Taken { id: entry.id, taken });
        }
    }

    /// Sends a request of a session. Its bytes are the first in `bytes`.
    #[cold]
    pub(super) fn submit_in_session(
        &mut self,
        now: Instant,
        seat: u16,
        mut entry: Entry,
        bytes: &mut Outgoing,
    ) {
        if let Some((side, conn)) = self.sides.session(seat).filter(|(side, _)| side.is_telling()) {
            side.park(entry, bytes);
            return self.sides.note(conn);
        }
        let change = if entry.is_transaction() { Some(Change::End) } else { Change::of(args(&bytes.peek())) };
        let error = match self.sides.session(seat) {
            None => ErrorKind::Connection(ConnectionError::SessionLost),
            Some((side, _))
                if matches!(change, Some(Change::Login | Change::Stream)) && !side.connection.is_idle() =>
            {
                ErrorKind::Usage("replies are due, which a server may lose track of now")
            }
            Some((side, conn)) => {
                if let Use::Leased(lease) = &mut side.state {
                    entry.flags = entry.flags.without(Flags::ELSEWHERE);
                    if lease.is_changed() {
                        entry.flags = entry.flags.with(Flags::ELSEWHERE);
                    }
                    lease.note(change);
                }
                if change == Some(Change::Stream) {
                    side.connection.expect_lines(&side.config);
                }
                side.connection.send(now, entry, bytes);
                return self.sides.note(conn);
            }
        };
        let error = link::name(Error::new(error, Delivery::NotSent), bytes, &entry);
        bytes.release(entry.wire_len as usize);
        self.end(now, entry, Err(error));
    }

    /// The connection of a session was told other credentials, and its server has answered: what was asked meanwhile goes
    /// out. If it refuses them, the session goes on as who it was, and its connection is used no more afterwards.
    pub(super) fn handle_session_renewed(
        &mut self,
        now: Instant,
        conn: ConnId,
        told: &Credentials,
        outcome: Result<(), Error>,
    ) {
        let Some(side) = self.sides.get(conn) else { return };
        let (node, mut parked) = (side.node, side.handle_renewed(now, told));
        if let Err(error) = outcome {
            side.close_after_use();
            self.report_refused(now, node, told, error);
        }
        let seat = self.sides.seat_of(conn).unwrap_or(u16::MAX);
        while let Some(entry) = parked.pop() {
            self.submit_in_session(now, seat, entry, parked.bytes());
        }
    }

    /// A request of a session was refused: its caller is told, whatever the reason.
    pub(super) fn end_in_session(
        &mut self,
        now: Instant,
        conn: ConnId,
        (entry, bytes): (Entry, Outgoing),
        outcome: Result<Frame, Error>,
    ) {
        let node_name = String::from(self.sides.name_of(conn).unwrap_or_default());
        let error = match outcome {
            Ok(frame) => refusal(&frame, entry.flags),
            Err(error) => error,
        };
        let error = self.end_of_wait(&error).unwrap_or(error);
        let is_over = self.sides.recalled(conn).is_some() && error.code() == Some(ServerCode::Unblocked);
        let error = match is_over {
            true => Error::new(ErrorKind::Connection(ConnectionError::SessionLost), Delivery::Rejected),
            false => error,
        };
        let error = error.with_node(&node_name);
        let error = if error.command().is_some() { error } else { link::name(error, &bytes, &entry) };
        let Some(side) = self.sides.get(conn) else { return };
        let node = side.node;
        if let Use::Leased(lease) = &mut side.state {
            let changes = entry.is_transaction() || Change::of(args(&bytes.peek())).is_some();
            // Whatever was queued or watched is forgotten with it.
            let is_over = matches!(error.code(), Some(ServerCode::ExecAbort))
                || matches!(error.kind(), ErrorKind::TransactionAborted { .. });
            if changes && !is_over {
                lease.note(Some(Change::State));
            }
        }
        self.tell_topology(now, node, &error);
        if entry.id.is_awaited() {
            self.end(now, entry, Err(error));
        }
    }

    /// What a refusal says of the nodes counts, although the request is not sent elsewhere.
    fn tell_topology(&mut self, now: Instant, node: NodeId, error: &Error) {
        if let Topology::Cluster(cluster) = &mut self.topology {
            cluster.decide(now, node, error, 0);
        }
    }
}
