//! Servers that fall silent, and others that take their place.

use super::Step;
use crate::sim::conn::Stage;
use crate::sim::world::{Event, MS, World};

/// A server took another one's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Promotion {
    pub(in crate::sim) from: usize,
    pub(in crate::sim) to: usize,
    pub(in crate::sim) at: u64,
}

impl World {
    fn is_up(&self, server: usize) -> bool {
        self.servers[server].is_up()
    }

    /// A server dies or stands still, and the sentinels give it up if that lasts.
    pub(super) fn silence_server(&mut self, server: usize, dead: bool) {
        if dead {
            self.crash(server);
        } else {
            self.freeze(server);
        }
        let wait = self.watch().options.down_after + self.rng.u64(..20 * MS);
        self.schedule(self.now + wait, Event::Service(Step::Fail(server)));
    }

    /// The sentinels agree that a server is down and elect another one.
    pub(super) fn fail_server(&mut self, server: usize) {
        if self.watch().primary != server || self.is_up(server) {
            return;
        }
        self.note_server(server, "given up by the sentinels");
        self.blemish_all(server, "given up by the sentinels");
        match self.next_primary() {
            Some(heir) => {
                let at = self.now + self.rng.u64(5 * MS..60 * MS);
                self.schedule(at, Event::Service(Step::Promote(server, heir)));
            }
            // They try again.
            None => self.schedule(self.now + 50 * MS, Event::Service(Step::Fail(server))),
        }
    }

    /// A server that is fit to take the place of the primary.
    pub(super) fn next_primary(&self) -> Option<usize> {
        let watch = self.service.as_ref()?;
        let is_fit = |&server: &usize| watch.is_copy(server) && self.is_up(server);
        (0..watch.servers.len()).find(is_fit)
    }

    /// A server takes the place of another with what it has by now. The sentinels hear of it one by one, and
    /// the other servers too.
    pub(super) fn promote_server(&mut self, from: usize, to: usize) {
        let now = self.now;
        let is_fit = self.is_up(to) && self.watch().is_copy(to);
        if self.watch().primary != from || !is_fit {
            // Whoever promised to take its place is down itself.
            return self.fail_server(from);
        }
        let watch = self.watch();
        watch.servers[to].stand_alone(now);
        watch.primary = to;
        watch.epoch += 1;
        watch.promotions.push(Promotion { from, to, at: now });
        let (servers, sentinels, gossip) = (watch.servers.len(), watch.sentinels.len(), watch.options.gossip);
        self.note_server(to, &format!("takes the place of node {}", from + 1));
        self.blemish_all(from, "replaced");
        self.blemish_all(to, "promoted");
        for sentinel in 0..sentinels {
            let at = now + self.rng.u64(..=gossip);
            self.schedule(at, Event::Service(Step::Learn(sentinel)));
        }
        for server in (0..servers).filter(|&server| server != to) {
            self.tell_to_follow(server);
        }
    }

    /// A server will be told whom to follow: soon, if it knows that it is a replica.
    fn tell_to_follow(&mut self, server: usize) {
        let watch = self.watch();
        let is_replica = watch.servers[server].follows.is_some();
        let longest = if is_replica { watch.options.gossip } else { watch.options.stale };
        let at = self.now + self.rng.u64(..=longest.max(MS));
        self.schedule(at, Event::Service(Step::Follow(server)));
    }

    /// A server hears whom to follow, unless it hears nothing.
    pub(super) fn follow_primary(&mut self, server: usize) {
        let now = self.now;
        let is_up = self.is_up(server);
        let watch = self.watch();
        let primary = watch.primary;
        if !is_up || server == primary || watch.is_copy(server) {
            return;
        }
        let is_new = watch.servers[server].follows.is_none();
        watch.follow(server, primary, now);
        let closes = watch.options.closes;
        if is_new {
            self.note_server(server, &format!("follows node {} from now on", primary + 1));
            self.blemish_all(server, "a replica now");
        }
        for id in self.conns_of(server) {
            let conn = &self.conns[id];
            let is_concerned = is_new || !conn.session.topics.is_empty();
            if closes && is_concerned && conn.stage == Stage::Open {
                self.finish(id);
            }
        }
    }

    /// A server or sentinel is back.
    pub(in crate::sim) fn come_back_to_service(&mut self, server: usize) {
        let Some(watch) = &mut self.service else { return };
        let gossip = watch.options.gossip.max(MS);
        let sentinel = watch.sentinel(server);
        if let Some(sentinel) = sentinel {
            let at = self.now + self.rng.u64(..=gossip);
            self.schedule(at, Event::Service(Step::Learn(sentinel)));
        } else if server < watch.servers.len() && server != watch.primary {
            self.tell_to_follow(server);
        }
    }

    /// A sentinel hears what is true, unless it hears nothing, and tells its clients.
    pub(super) fn enlighten(&mut self, sentinel: usize) {
        let number = self.watch().number_of(sentinel);
        let is_up = self.is_up(number);
        let watch = self.watch();
        let truth = (watch.primary, watch.epoch);
        let (old, new) = (watch.place(watch.sentinels[sentinel].knows.0), watch.place(truth.0));
        let watcher = &mut watch.sentinels[sentinel];
        if !is_up || watcher.deaf || watcher.recycled || watcher.knows == truth {
            return;
        }
        watcher.knows = truth;
        let payload = format!("{} {} {} {} {}", super::SERVICE, old.0, old.1, new.0, new.1);
        let push =
            format!(">3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n${}\r\n{payload}\r\n", payload.len());
        for id in self.conns_of(number) {
            if self.conns[id].session.subscribed && self.conns[id].is_live() {
                self.watch().pushes += 1;
                self.send_down(id, push.as_bytes());
            }
        }
    }
}
