//! A service changed by hand, for scenarios. Servers count from 0; the first is the primary at the beginning.
//! Sentinels count from 0 as well.

use super::{Lie, Watch};
use crate::sim::Sim;

impl Sim {
    fn with_service<T>(&self, look: impl FnOnce(&Watch) -> T) -> T {
        let world = self.world.borrow();
        look(world.service.as_ref().expect("a service"))
    }

    fn number_of_sentinel(&self, sentinel: usize) -> usize {
        self.with_service(|watch| watch.number_of(sentinel))
    }

    /// The servers on which a call's commands have run, in the order in which they did.
    #[must_use]
    pub fn ran_on(&self, call: usize) -> Vec<usize> {
        let ids: Vec<_> = self.calls[call].commands().collect();
        self.with_service(|watch| {
            let applied = watch.applied.iter().filter(|applied| ids.contains(&applied.id));
            applied.map(|applied| applied.server).collect()
        })
    }

    /// How many commands were sent to a server.
    #[must_use]
    pub fn sent_to(&self, server: usize) -> usize {
        self.with_service(|watch| watch.sent.iter().filter(|(_, to, _)| *to == server).count())
    }

    /// How often a sentinel was asked for the primary.
    #[must_use]
    pub fn asked(&self, sentinel: usize) -> usize {
        self.with_service(|watch| watch.questions.iter().filter(|(_, asked)| *asked == sentinel).count())
    }

    /// A server dies; it is replaced if it is the primary.
    pub fn kill_server(&mut self, server: usize) {
        self.world().silence_server(server, true);
    }

    /// A server stands still; it is replaced if it is the primary.
    pub fn freeze_server(&mut self, server: usize) {
        self.world().silence_server(server, false);
    }

    /// A server that stands still goes on.
    pub fn thaw_server(&mut self, server: usize) {
        self.world().thaw(server);
    }

    /// The second server takes the place of the first, which is well.
    pub fn switch(&mut self, from: usize, to: usize) {
        self.world().promote_server(from, to);
    }

    /// A sentinel dies.
    pub fn kill_sentinel(&mut self, sentinel: usize) {
        let number = self.number_of_sentinel(sentinel);
        self.world().crash(number);
    }

    /// A sentinel says what is wrong, or the truth again.
    pub fn lie(&mut self, sentinel: usize, lie: Option<Lie>) {
        self.world().watch().sentinels[sentinel].lie = lie;
    }

    /// A sentinel hears nothing more.
    pub fn deafen(&mut self, sentinel: usize) {
        self.world().watch().sentinels[sentinel].deaf = true;
    }

    /// Nothing of a server arrives on any connection any more, until [`unmute_server`](Self::unmute_server).
    pub fn mute_server(&mut self, server: usize) {
        let world = &mut *self.world();
        for conn in world.conns_of(server) {
            world.mute_directions(conn, false, true);
        }
    }

    /// What was held back arrives.
    pub fn unmute_server(&mut self, server: usize) {
        let world = &mut *self.world();
        for conn in world.conns_of(server) {
            world.unmute(conn);
        }
    }
}
