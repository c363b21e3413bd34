//! Trouble made by hand, for scenarios. It strikes the connection that was made last.

use redstart_core::client::Client;

use super::Sim;
use super::request::Op;
use super::server::{PUSH, Refusal};
use super::workload::{Plan, Shape};
use super::world::MS;

impl Sim {
    /// A call of one command, made now; its number.
    pub fn single(&mut self, op: Op) -> usize {
        self.call(Plan::single(op))
    }

    /// A call of several commands, made now; its number.
    pub fn batch(&mut self, shape: Shape, ops: impl IntoIterator<Item = Op>) -> usize {
        self.call(Plan::new(shape, ops.into_iter().map(super::Job::new)))
    }

    /// The handle, for what is not a call.
    #[must_use]
    pub fn handle(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    fn last(&self) -> usize {
        self.world.borrow().conns.len() - 1
    }

    /// The network breaks the connection: what is under way is lost.
    pub fn break_connection(&mut self) {
        let id = self.last();
        let world = &mut *self.world();
        let up = &mut world.conns[id].up;
        up.torn_at = up.arrived;
        world.break_conn(id);
    }

    /// The server closes the connection.
    pub fn finish_connection(&mut self) {
        let id = self.last();
        self.world().finish(id);
    }

    /// Nothing of the server arrives on the connection any more, until [`unmute`](Self::unmute).
    pub fn mute(&mut self) {
        let id = self.last();
        self.world().mute_directions(id, false, true);
    }

    /// What was held back arrives.
    pub fn unmute(&mut self) {
        let id = self.last();
        self.world().unmute(id);
    }

    /// The server runs what comes on the connection, and answers nothing any more.
    pub fn fall_silent(&mut self) {
        let id = self.last();
        self.world().fall_silent(id);
    }

    /// The reply that is due last is followed by one that nobody asked for, of which `seen` bytes come
    /// together with it.
    pub fn answer_twice(&mut self, seen: usize) {
        let id = self.last();
        let down = &mut self.world().conns[id].down;
        (down.extra, down.extra_seen) = (true, seen);
    }

    /// The server says something unasked, of which the first bytes come a millisecond earlier than the rest.
    pub fn push_in_two(&mut self, first: usize) {
        let id = self.last();
        let (first, rest) = PUSH.split_at(first);
        self.world().send_down(id, first);
        self.run_for(1);
        self.world().send_down(id, rest);
    }

    /// The server stands still.
    pub fn freeze(&mut self) {
        self.world().freeze(0);
    }

    /// The server goes on.
    pub fn thaw(&mut self) {
        self.world().thaw(0);
    }

    /// The server dies, with all its connections.
    pub fn crash(&mut self) {
        self.world().crash(0);
    }

    /// The server is back.
    pub fn restart(&mut self) {
        self.world().restart(0);
    }

    /// The client's clock is set back. No runtime's is, so this is to be done only where nothing was due just now.
    pub fn set_clock_back(&mut self, millis: u64) {
        self.world().set_back(millis * MS);
    }

    /// The client's clock leaps forward.
    pub fn let_clock_leap(&mut self, millis: u64) {
        self.world().leap(millis * MS);
    }

    /// When the client has begun to connect, in milliseconds.
    #[must_use]
    pub fn connected_at(&self) -> Vec<u64> {
        self.world.borrow().conns.iter().map(|conn| conn.made_at / MS).collect()
    }

    /// The server turns commands away, or does so no longer.
    pub fn refuse(&mut self, refusal: Option<Refusal>) {
        match refusal {
            Some(refusal) => self.world().refuse(0, refusal),
            None => self.world().servers[0].refusal = None,
        }
    }

    /// The server has too many clients, and tells each that comes; or no longer.
    pub fn overcrowd(&mut self, full: bool) {
        self.world().servers[0].full = full;
    }

    /// The user may not use `MULTI`, or may again.
    pub fn forbid_multi(&mut self, forbidden: bool) {
        self.world().servers[0].settings.no_multi = forbidden;
    }

    /// Sockets take so many bytes until the server has handled them.
    pub fn limit_buffers(&mut self, bytes: u64) {
        let mut world = self.world();
        world.capacity = bytes;
        world.conns.iter_mut().for_each(|conn| conn.up.capacity = bytes);
    }

    /// How many connections the client has tried to make.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.world.borrow().conns.len()
    }
}
