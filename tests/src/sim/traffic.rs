//! Bytes on their way: writes, arrivals, the server's answers, reads.

use std::io;
use std::task::{Poll, Waker};

use bytes::{Buf, BytesMut};
use redstart_core::command::Value;
use redstart_core::error::ServerCode;

use super::conn::{Due, Stage};
use super::faults::Class;
use super::leases::is_no_handshake;
use super::ledger::Shape;
use super::oracles::{self, Violation};
use super::pubsub::Change;
use super::request::Request;
use super::server::{self, Refusal};
use super::trace::Note;
use super::world::{Event, World};

impl World {
    /// The client writes.
    pub(super) fn write(&mut self, id: usize, from: &mut impl Buf, waker: &Waker) -> Poll<io::Result<usize>> {
        let conn = &mut self.conns[id];
        let verdict = oracles::a4_nothing_is_sent_after_an_unasked_reply(id, conn.poisoned);
        let room = conn.up.capacity.saturating_sub(conn.up.written - conn.up.handled) as usize;
        let broken = conn.broken;
        if room == 0 && !broken {
            conn.writer = Some(waker.clone());
        }
        self.judge(verdict);
        if broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if room == 0 {
            return Poll::Pending;
        }
        let mut count = from.remaining().min(room);
        if self.faults.strikes(Class::Cuts, &mut self.rng, 2) {
            count = self.rng.usize(1..=count);
        }
        if self.faults.strikes(Class::TornWrites, &mut self.rng, 16) && !self.tear(id, count) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut bytes = vec![0; count];
        from.copy_to_slice(&mut bytes);
        self.note(&Note::Wrote(id, &bytes));
        self.take_written(id, &bytes);
        self.send_up(id);
        Poll::Ready(Ok(count))
    }

    /// Breaks the connection before, in or after a write of `count` bytes. Returns whether it is still
    /// there for now.
    fn tear(&mut self, id: usize, count: usize) -> bool {
        let kind = self.rng.u8(..3);
        if kind == 0 {
            self.break_conn(id);
            return false;
        }
        let at = self.now + self.rng.u64(..4 * self.latency);
        let arrives = self.rng.u64(..=count as u64);
        let conn = &mut self.conns[id];
        conn.blemish("torn");
        if kind == 1 {
            conn.up.torn_at = conn.up.torn_at.min(conn.up.written + arrives);
        }
        self.schedule(at, Event::Break(id));
        true
    }

    /// Reads what the client writes as a server would, the moment it is written.
    fn take_written(&mut self, id: usize, bytes: &[u8]) {
        let conn = &mut self.conns[id];
        let mut end = conn.up.written - conn.up.reader.len() as u64;
        if conn.up.reader.len() == 0 {
            conn.up.unanswered_at_start = conn.unanswered();
        }
        conn.up.written += bytes.len() as u64;
        conn.up.reader.push(bytes);
        loop {
            match self.conns[id].up.reader.next() {
                Ok(None) => return,
                Ok(Some((request, len))) => {
                    end += len as u64;
                    self.take_request(id, &request, len);
                    let conn = &mut self.conns[id];
                    conn.up.commands.push_back((end, request));
                    conn.up.unanswered_at_start = conn.unanswered();
                }
                Err(reason) => {
                    let what = format!("connection {}: {reason}", id + 1);
                    return self.judge(Err(Violation { oracle: "b5_requests_start_clean", what }));
                }
            }
        }
    }

    /// The client has written a whole request.
    fn take_request(&mut self, id: usize, request: &Request, len: usize) {
        let leased = self.follow_lease(id, request);
        let to_sentinel = self.is_sentinel(id);
        let conn = &mut self.conns[id];
        let before = conn.up.unanswered_at_start;
        conn.was_shared |= request.id().is_some();
        let due = match (request.name(), &mut conn.up.transaction) {
            _ if leased.is_some() => leased.unwrap_or(Due::Own),
            (b"HELLO" | b"AUTH", _) => {
                let verdict = oracles::a6_hello_and_auth_are_alone(id, before);
                self.judge(verdict);
                Due::Handshake
            }
            (b"CLIENT" | b"SELECT", _) => Due::Handshake,
            (b"READONLY" | b"READWRITE" | b"ROLE", _) if before.0 > 0 => Due::Handshake,
            (b"PING" | b"CLUSTER" | b"READONLY" | b"READWRITE" | b"ROLE" | b"SENTINEL", _) => Due::Own,
            // It is confirmed by a push.
            (b"SUBSCRIBE", _) if to_sentinel => return,
            (name, _) if Change::of(name).is_some() => Due::Own,
            (b"ASKING", _) => Due::Asking,
            (b"MULTI", transaction) => {
                *transaction = Some(Vec::new());
                Due::Part
            }
            (b"EXEC", transaction) => {
                for command in transaction.take().unwrap_or_default() {
                    let record = self.ledger.get_mut(command);
                    let verdict = oracles::b1_nothing_is_resent_that_may_have_run(id, command, record);
                    record.sends.push(id);
                    self.judge(verdict);
                }
                Due::Whole
            }
            (_, Some(transaction)) => {
                transaction.extend(request.id());
                Due::Part
            }
            (_, None) => {
                if let Some(command) = request.id() {
                    let record = self.ledger.get_mut(command);
                    let verdict = oracles::b1_nothing_is_resent_that_may_have_run(id, command, record);
                    record.sends.push(id);
                    let single = record.shape != Shape::Transaction;
                    self.judge(verdict);
                    self.judge(oracles::b4_transactions_are_whole_on_the_wire(id, command, single));
                }
                Due::Whole
            }
        };
        if matches!(due, Due::Whole | Due::Part) {
            self.judge_sending(id);
            self.judge_way(id, request);
        }
        let now = self.now;
        let conn = &mut self.conns[id];
        conn.down.dues.push_back((due, len));
        if conn.is_mute() {
            conn.asked_in_vain.get_or_insert(now);
        }
        let asked = std::mem::replace(&mut conn.up.asking, due == Due::Asking);
        if asked {
            let follows = oracles::c12_asking_goes_with_a_command(id, request, due);
            self.judge(follows);
        }
        let conn = &mut self.conns[id];
        let handshake_over = due == Due::Handshake || before.0 == 0;
        let verdict = oracles::a5_the_handshake_comes_first(id, request, handshake_over);
        // One that was greeted with an error has taken that for an answer.
        let load = oracles::h1_no_more_is_in_flight_than_may_be(id, &conn.down.dues, &self.expected);
        let (verdict, load) = if conn.served { (verdict, load) } else { (Ok(()), Ok(())) };
        self.judge(verdict);
        self.judge(load);
        if let Some(command) = request.id() {
            self.follow_command(id, command);
        }
    }

    /// Lets what was written last arrive at the server, in one or two pieces.
    fn send_up(&mut self, id: usize) {
        let upto = self.conns[id].up.written;
        if self.faults.strikes(Class::Cuts, &mut self.rng, 3) {
            let from = self.conns[id].up.arrived.min(upto - 1);
            let part = self.rng.u64(from..upto);
            let at = self.travel(self.conns[id].up.last);
            self.conns[id].up.last = at;
            self.schedule(at, Event::ToServer(id, part));
        }
        let at = self.travel(self.conns[id].up.last);
        self.conns[id].up.last = at;
        self.schedule(at, Event::ToServer(id, upto));
    }

    /// When a piece arrives that is sent now and may not overtake one that arrives at `last`.
    pub(super) fn travel(&mut self, last: u64) -> u64 {
        let jitter = if self.faults.has(Class::Jitter) { self.rng.u64(..5 * self.latency) } else { 0 };
        last.max(self.now + self.latency + jitter)
    }

    /// Bytes up to `upto` arrive at the server.
    pub(super) fn handle_arrival(&mut self, id: usize, upto: u64) {
        let conn = &mut self.conns[id];
        if let Some(held) = &mut conn.up.muted {
            *held = upto.max(*held);
        } else {
            conn.up.arrived = conn.up.arrived.max(upto.min(conn.up.torn_at));
            self.serve(id);
        }
    }

    /// The server handles what has arrived.
    pub(super) fn serve(&mut self, id: usize) {
        let conn = &mut self.conns[id];
        if !conn.served {
            // The server has closed its end: the answer to anything is a reset.
            if conn.stage == Stage::Open && conn.down.fin {
                self.break_conn(id);
            }
            return;
        }
        if self.servers[conn.server].frozen {
            return;
        }
        self.end_lost_subscriptions(self.conns[id].server);
        let mut answers = Vec::new();
        loop {
            if self.waits(id) {
                break;
            }
            let conn = &mut self.conns[id];
            if conn.up.commands.front().is_none_or(|(end, _)| *end > conn.up.arrived) {
                break;
            }
            let Some((_, request)) = conn.up.commands.pop_front() else { break };
            if self.begin_to_wait(id, &request) {
                break;
            }
            let conn = &mut self.conns[id];
            let foreign = request.id().is_some() && conn.session.database != self.expected.database;
            let reply = self.answer(id, &request);
            self.note_no_auth(id, &request, &reply);
            self.judge(oracles::a5_the_handshake_comes_first(id, &request, !foreign));
            self.reply(id, &request, &reply, &mut answers);
        }
        let conn = &mut self.conns[id];
        if conn.up.handled < conn.up.arrived {
            conn.up.handled = conn.up.arrived;
            conn.writer.take().into_iter().for_each(Waker::wake);
        }
        self.send_down(id, &answers);
    }

    /// What the server at the other end of a connection says to a request.
    fn answer(&mut self, id: usize, request: &Request) -> Value {
        if let Some(reply) = self.answer_lease(id, request) {
            return reply;
        }
        if self.cluster.is_some() {
            return self.answer_in_cluster(id, request);
        }
        if self.service.is_some() {
            return self.answer_in_service(id, request);
        }
        let conn = &mut self.conns[id];
        self.servers[conn.server].answer(&mut conn.session, id, request, &mut self.ledger)
    }

    /// A server that does not know who this is turns everything away; the connection may be closed for it.
    fn note_no_auth(&mut self, id: usize, request: &Request, reply: &Value) {
        let Value::Error(error) = reply else { return };
        if !matches!(error.code(), ServerCode::NoAuth | ServerCode::WrongPass) {
            return;
        }
        self.conns[id].blemish("the token has expired");
        if let Some(command) = request.id() {
            let record = self.ledger.get_mut(command);
            record.refusals += 1;
            record.replies.push(reply.clone());
        }
    }

    /// Appends a reply to what is sent to the client, unless it is left out.
    pub(super) fn reply(&mut self, id: usize, request: &Request, reply: &Value, out: &mut Vec<u8>) {
        let turns = std::mem::take(&mut self.ledger.turns);
        let to_sentinel = self.is_sentinel(id);
        let view = self.view_of(self.conns[id].server);
        let conn = &mut self.conns[id];
        if conn.session.resp3 && self.faults.strikes(Class::Pushes, &mut self.rng, 5) {
            out.extend_from_slice(server::PUSH);
        }
        if request.name() == b"SUBSCRIBE" && to_sentinel {
            conn.session.subscribed = true;
            return out.extend_from_slice(server::SUBSCRIBED);
        }
        let handshake =
            matches!(request.name(), b"HELLO" | b"AUTH" | b"CLIENT" | b"SELECT") && !is_no_handshake(request);
        if handshake || matches!(request.name(), b"ROLE" | b"READONLY" | b"READWRITE") {
            self.ledger.refused_handshake(reply);
        }
        if conn.down.silent {
            return;
        }
        if handshake && std::mem::take(&mut self.servers[conn.server].skip_handshake) {
            return conn.blemish("a reply of the handshake is left out");
        }
        match Change::of(request.name()) {
            Some(change) if !matches!(reply, Value::Error(_)) => {
                let resp3 = conn.session.resp3;
                change.confirm(&mut conn.session.topics, view, request, resp3, out);
            }
            _ => server::write(reply, conn.session.resp3, out),
        }
        self.tell_of_slots(id, request, reply);
        let conn = &mut self.conns[id];
        let end = conn.down.sent + out.len() as u64;
        conn.down.ends.push_back((end, turns));
        if matches!(reply, Value::Error(error) if error.text().ends_with(" :0")) {
            conn.blemish("named a node that cannot be");
            conn.down.absurd_from.get_or_insert(end);
        }
    }

    /// Sends bytes to the client, in pieces.
    pub(super) fn send_down(&mut self, id: usize, bytes: &[u8]) {
        if self.conns[id].stage != Stage::Open || bytes.is_empty() {
            return;
        }
        let down = &mut self.conns[id].down;
        down.sent += bytes.len() as u64;
        let denial = Refusal::ReadOnly.text().as_bytes();
        if bytes.windows(denial.len()).any(|part| part == denial) {
            down.denied_until = Some(down.sent);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let cut = self.faults.strikes(Class::Cuts, &mut self.rng, 2);
            let count = if cut { self.rng.usize(1..=rest.len()) } else { rest.len() };
            let (piece, after) = rest.split_at(count);
            self.send_segment(id, piece.to_vec());
            rest = after;
        }
    }

    /// Sends one segment; an empty one is the end of the stream.
    pub(super) fn send_segment(&mut self, id: usize, segment: Vec<u8>) {
        let at = self.travel(self.conns[id].down.last);
        let down = &mut self.conns[id].down;
        down.last = at;
        down.segments.push_back(segment);
        self.schedule(at, Event::ToClient(id));
    }

    /// A segment arrives at the client.
    pub(super) fn handle_segment(&mut self, id: usize) {
        let conn = &mut self.conns[id];
        if conn.broken || conn.stage != Stage::Open {
            return;
        }
        if let Some(held) = &mut conn.down.muted {
            *held += 1;
            return;
        }
        let idle = conn.down.received.is_empty();
        let Some(segment) = conn.down.segments.pop_front() else { return };
        conn.down.ended |= segment.is_empty();
        conn.down.received.extend_from_slice(&segment);
        conn.reader.take().into_iter().for_each(Waker::wake);
        let arrived = conn.down.read + conn.down.received.len() as u64;
        if let Some(until) = conn.down.denied_until {
            conn.down.denied_until = Some(until).filter(|until| arrived < *until);
            let server = conn.server;
            // What was said long ago is news to the client, which makes all connections anew.
            self.blemish_all(server, "has said that it is a replica");
        }
        if idle && self.conns[id].down.extra {
            self.add_extra(id);
        }
    }

    /// Adds a reply that nobody asked for, if the client can know that: it begins with the last bytes of
    /// the reply that was due last, and nothing of the client is under way.
    fn add_extra(&mut self, id: usize) {
        const EXTRA: &[u8] = b"+nobody asked\r\n";
        let (now, faults) = (self.now, self.faults);
        let conn = &mut self.conns[id];
        let (up, down) = (&conn.up, &mut conn.down);
        let all_answered = !down.dues.is_empty() && down.dues.len() == down.ends.len();
        // Inside a transaction only the server knows which of its commands is asked.
        let last = down.segments.is_empty() && !down.ended && up.transaction.is_none();
        if !all_answered || !last || up.handled < up.written || conn.held_back {
            return;
        }
        down.extra = false;
        let seen = match down.extra_seen {
            0 if faults.has(Class::Cuts) => self.rng.usize(1..=EXTRA.len()),
            0 => EXTRA.len(),
            seen => seen,
        };
        let (first, rest) = EXTRA.split_at(seen);
        down.received.extend_from_slice(first);
        down.whole_until = down.read + down.received.len() as u64;
        conn.poisoned = Some(now);
        conn.blemish("a reply that nobody asked for");
        self.note(&Note::Fault(id, "a reply that nobody asked for"));
        if !rest.is_empty() {
            self.send_segment(id, rest.to_vec());
        }
    }

    /// The client reads.
    pub(super) fn read(&mut self, id: usize, into: &mut BytesMut, waker: &Waker) -> Poll<io::Result<usize>> {
        let conn = &mut self.conns[id];
        if conn.down.received.is_empty() {
            if conn.broken {
                self.note(&Note::Ended(id, "reset"));
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if conn.down.ended {
                self.note(&Note::Ended(id, "end"));
                return Poll::Ready(Ok(0));
            }
            conn.reader = Some(waker.clone());
            return Poll::Pending;
        }
        let room = into.capacity() - into.len();
        let mut count = conn.down.received.len().min(room);
        let whole = conn.down.whole_until.saturating_sub(conn.down.read) as usize;
        if self.faults.strikes(Class::Cuts, &mut self.rng, 2) {
            count = self.rng.usize(whole.clamp(1, count)..=count);
        }
        let (bytes, turns) = conn.down.take(count);
        turns.into_iter().for_each(|turn| self.ledger.take(turn));
        into.extend_from_slice(&bytes);
        self.note(&Note::Read(id, &bytes));
        Poll::Ready(Ok(count))
    }
}
