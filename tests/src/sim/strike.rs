//! Trouble that strikes at a point in time, and its end.

use std::task::Waker;

use super::conn::{CAPACITY, Stage};
use super::faults::Class;
use super::server::{PUSH, Refusal};
use super::trace::Note;
use super::world::{Event, MS, World};

impl World {
    /// Lets `class` strike now: a server, or one connection that is open.
    pub(super) fn strike(&mut self, class: Class) {
        if !class.strikes_servers() {
            if let Some(id) = self.victim() {
                self.strike_conn(class, id);
            }
            return;
        }
        let in_cluster = self.cluster.as_ref().map(|cluster| cluster.nodes.len());
        let in_service = self.service.as_ref().map(|watch| watch.servers.len() + watch.sentinels.len());
        let servers = in_cluster.or(in_service).unwrap_or(1);
        let server = if servers > 1 { self.rng.usize(..servers) } else { 0 };
        match class {
            Class::Freezes => self.freeze(server),
            Class::Crashes => self.crash(server),
            Class::Refusals => {
                let refusal = Refusal::ALL[self.rng.usize(..Refusal::ALL.len())];
                self.refuse(server, refusal);
            }
            Class::MaxClients => self.servers[server].full = true,
            Class::NoMulti => self.servers[server].settings.no_multi = true,
            _ => self.servers[server].skip_handshake = true,
        }
        let length = self.rng.u64(10 * MS..400 * MS);
        self.schedule(self.now + length, Event::Calm(class, server));
    }

    /// The connection to strike: with one server the last, with several any.
    fn victim(&mut self) -> Option<usize> {
        let live = |id: &usize| self.conns[*id].is_live();
        if self.servers.len() == 1 {
            return (0..self.conns.len()).rev().find(live);
        }
        let live: Vec<_> = (0..self.conns.len()).filter(live).collect();
        (!live.is_empty()).then(|| live[self.rng.usize(..live.len())])
    }

    fn strike_conn(&mut self, class: Class, id: usize) {
        match class {
            Class::Resets => self.break_conn(id),
            Class::Fins => self.finish(id),
            Class::Mutes => {
                self.mute(id);
                let length = self.rng.u64(10 * MS..400 * MS);
                self.schedule(self.now + length, Event::Unmute(id));
            }
            Class::DeadMutes => self.mute(id),
            Class::Missing => self.fall_silent(id),
            Class::Extra => self.conns[id].down.extra = true,
            Class::Pushes if self.conns[id].session.resp3 => self.send_down(id, PUSH),
            _ => {}
        }
    }

    /// Ends what [`strike`](Self::strike) began at a server.
    pub(super) fn calm(&mut self, class: Class, server: usize) {
        match class {
            Class::Freezes => self.thaw(server),
            Class::Crashes => self.restart(server),
            Class::Refusals => self.servers[server].refusal = None,
            Class::MaxClients => self.servers[server].full = false,
            Class::NoMulti => self.servers[server].settings.no_multi = false,
            Class::MissingHandshake => self.servers[server].skip_handshake = false,
            _ => {}
        }
    }

    /// Ends all trouble that makes calls fail. What happened to a connection stays as it is.
    pub(super) fn heal(&mut self) {
        self.faults = self.faults.tamed();
        self.heal_cluster();
        self.heal_service();
        for server in 0..self.servers.len() {
            Class::TIMED.into_iter().for_each(|class| self.calm(class, server));
        }
        for conn in &mut self.conns {
            conn.down.extra = false;
            conn.up.capacity = CAPACITY;
            conn.writer.take().into_iter().for_each(Waker::wake);
        }
        self.note(&Note::Server("all is well from now on"));
    }

    /// The network breaks a connection. Some of what is under way may still arrive.
    pub(super) fn break_conn(&mut self, id: usize) {
        let conn = &mut self.conns[id];
        if conn.broken || conn.stage != Stage::Open {
            return;
        }
        conn.blemish("broken");
        conn.broken = true;
        let lost = self.rng.bool();
        let upto = conn.up.written.min(conn.up.torn_at);
        if self.rng.bool() && conn.up.muted.is_none() && conn.up.arrived < upto {
            conn.up.arrived = self.rng.u64(conn.up.arrived..=upto);
        }
        self.serve(id);
        self.hang_up(id);
        let conn = &mut self.conns[id];
        conn.served = false;
        conn.down.segments.clear();
        if lost {
            conn.down.received.clear();
        }
        conn.wake_all();
        self.note(&Note::Fault(id, "broken"));
    }

    /// The server closes a connection behind what it has answered.
    pub(super) fn finish(&mut self, id: usize) {
        self.hang_up(id);
        let conn = &mut self.conns[id];
        conn.blemish("closed by the server");
        conn.served = false;
        conn.down.fin = true;
        self.send_segment(id, Vec::new());
        self.note(&Note::Fault(id, "closed by the server"));
    }

    /// One direction falls silent, or both.
    fn mute(&mut self, id: usize) {
        let which = self.rng.u8(1..4);
        self.mute_directions(id, which & 1 != 0, which & 2 != 0);
    }

    /// Holds back what is sent to the server, or to the client.
    pub(super) fn mute_directions(&mut self, id: usize, up: bool, down: bool) {
        let conn = &mut self.conns[id];
        conn.blemish("silent");
        if up {
            conn.up.muted.get_or_insert(conn.up.arrived);
        }
        if down {
            conn.down.muted.get_or_insert(0);
        }
        self.note(&Note::Fault(id, "silent"));
    }

    pub(super) fn unmute(&mut self, id: usize) {
        let conn = &mut self.conns[id];
        let segments = conn.down.muted.take().unwrap_or(0);
        let arrived = conn.up.muted.take();
        self.note(&Note::Fault(id, "silent no longer"));
        (0..segments).for_each(|_| self.handle_segment(id));
        if let Some(upto) = arrived {
            self.handle_arrival(id, upto);
        }
    }

    /// The server answers nothing on this connection any more.
    pub(super) fn fall_silent(&mut self, id: usize) {
        self.conns[id].down.silent = true;
        self.conns[id].blemish("replies are missing");
        self.note(&Note::Fault(id, "replies are missing"));
    }

    /// A server stands still.
    pub(super) fn freeze(&mut self, server: usize) {
        self.servers[server].frozen = true;
        let owes = self.conns.iter().any(|conn| conn.server == server && conn.in_flight() > 0);
        self.servers[server].owes_since = owes.then_some(self.now);
        self.blemish_all(server, "frozen");
        self.note_server(server, "frozen");
    }

    pub(super) fn thaw(&mut self, server: usize) {
        if std::mem::take(&mut self.servers[server].frozen) {
            self.servers[server].owes_since = None;
            self.note_server(server, "thawed");
            self.come_back(server);
            self.come_back_to_service(server);
            self.catch_up_on_messages(server);
            self.conns_of(server).into_iter().for_each(|id| self.serve(id));
        }
    }

    /// A server dies. Its data stay, its connections do not.
    pub(super) fn crash(&mut self, server: usize) {
        self.servers[server].down = true;
        self.servers[server].unheard.clear();
        self.note_server(server, "dead");
        let conns = self.conns_of(server);
        conns.iter().for_each(|&id| self.break_conn(id));
        for id in conns {
            let conn = &mut self.conns[id];
            conn.refused |= conn.stage == Stage::Opening;
            conn.served &= conn.stage == Stage::Opening;
        }
    }

    pub(super) fn restart(&mut self, server: usize) {
        if std::mem::take(&mut self.servers[server].down) {
            self.note_server(server, "alive");
            self.come_up(server);
            self.come_back(server);
            self.come_back_to_service(server);
        }
    }

    /// A server turns commands away.
    pub(super) fn refuse(&mut self, server: usize, refusal: Refusal) {
        self.servers[server].refusal = Some(refusal);
        // A write that meets a replica makes a client connect anew; so does a PING that is refused.
        self.blemish_all(server, "turns commands away");
        self.note_server(server, "turns commands away");
    }

    /// Something is wrong with all connections to a server from now on.
    pub(super) fn blemish_all(&mut self, server: usize, what: &'static str) {
        let conns = self.conns.iter_mut().filter(|conn| conn.server == server);
        conns.for_each(|conn| conn.blemish(what));
    }

    /// The connections that were ever made to a server.
    pub(super) fn conns_of(&self, server: usize) -> Vec<usize> {
        (0..self.conns.len()).filter(|&id| self.conns[id].server == server).collect()
    }

    /// Notes what happens to a server.
    pub(super) fn note_server(&mut self, server: usize, what: &str) {
        let note = if self.servers.len() == 1 { Note::Server(what) } else { Note::Node(server, what) };
        self.trace.note(self.now, &note);
    }
}
