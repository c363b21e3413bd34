//! Side connections: those that one request, or one caller, has to itself.
//!
//! Each node has a pool of them, bounded in number. What finds none free waits in line; who comes first is served
//! first. A connection is used again only when the server has answered all that was asked on it, and nothing is
//! under way that could touch what comes next.

mod pool;
mod side;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use bytes::Buf;

use self::pool::Pool;
pub(super) use self::pool::Way;
pub(super) use self::side::{Due, Lease, Recall, Side, Use, is_blocking};
use super::link::{Ended, Opening, fate, is_permanent, may_have_others, may_have_run, name};
use crate::command::Flags;
use crate::config::Credentials;
use crate::connection::{ConnId, Entry, Outgoing, RequestId};
use crate::error::{Delivery, Error, ErrorKind, Waiting};
use crate::seldom::Vacant;
use crate::time::Instant;
use crate::topology::NodeId;

/// What has become of a connection on which nothing was under way.
#[derive(Debug)]
pub(super) enum Served {
    /// It is used, or kept for later.
    Used,
    /// It is leased to who asked for that by this request.
    Leased(Entry),
    /// It must be closed.
    Over,
}

#[derive(Debug)]
pub(super) struct Sides {
    sides: BTreeMap<ConnId, Side>,
    pools: BTreeMap<NodeId, Pool>,
    /// The connections that sessions have.
    seats: Vec<Option<ConnId>>,
    /// Connections that may have something to write, in any order.
    may_write: BTreeSet<ConnId>,
    /// Nothing has to be looked at before.
    earliest: Instant,
}

impl Default for Sides {
    fn default() -> Self {
        Self::new()
    }
}

impl Vacant for Sides {
    const VACANT: &'static Self = &Self::new();
}

impl Sides {
    const fn new() -> Self {
        Self {
            sides: BTreeMap::new(),
            pools: BTreeMap::new(),
            seats: Vec::new(),
            may_write: BTreeSet::new(),
            earliest: Instant::FAR,
        }
    }

    /// A side connection, to look at it or to write and read.
    pub(super) fn get(&mut self, conn: ConnId) -> Option<&mut Side> {
        let side = self.sides.get_mut(&conn)?;
        self.may_write.insert(conn);
        Some(side)
    }

    /// Adds the connections that have something to write, of those that were touched since this was asked last.
    pub(super) fn drain_unwritten(&mut self, into: &mut Vec<ConnId>) {
        while let Some(conn) = self.may_write.pop_first() {
            if let Some(side) = self.sides.get_mut(&conn)
                && side.connection.outgoing().has_remaining()
            {
                into.push(conn);
            }
        }
    }

    /// The name of the node that a connection is with.
    pub(super) fn name_of(&self, conn: ConnId) -> Option<&str> {
        let side = self.sides.get(&conn)?;
        self.pools.get(&side.node).map(|pool| pool.name.as_str())
    }

    fn pool(&mut self, node: NodeId, way: Way) -> &mut Pool {
        let pool = self.pools.entry(node).or_insert_with(|| Pool::new(way.clone()));
        pool.set_way(way);
        pool
    }

    /// Sends a request on a connection of its own, or keeps it until there is one. Its bytes are the first in
    /// `bytes`. Returns the connection if it is leased now.
    ///
    /// # Errors
    /// Too many wait already.
    pub(super) fn submit(
        &mut self,
        now: Instant,
        node: NodeId,
        way: Way,
        entry: Entry,
        bytes: &mut Outgoing,
    ) -> Result<Option<ConnId>, Error> {
        let pool = self.pool(node, way);
        let Some(conn) = pool.pop_idle() else {
            pool.queue(entry, bytes)?;
            self.note_pool(node);
            return Ok(None);
        };
        Ok(self.send(now, conn, entry, bytes).then_some(conn))
    }

    /// Gives a connection that nobody uses to a request. Returns whether it is a lease that was asked for.
    fn send(&mut self, now: Instant, conn: ConnId, entry: Entry, bytes: &mut Outgoing) -> bool {
        let is_lease = entry.wire_len == 0;
        if is_lease {
            self.seat(conn);
        } else if let Some(side) = self.get(conn) {
            side.state = Use::Busy;
            side.connection.send(now, entry, bytes);
        }
        self.note(conn);
        is_lease
    }

    /// Gives a connection to a session.
    fn seat(&mut self, conn: ConnId) {
        let free = self.seats.iter().position(Option::is_none);
        let seat = free.unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        self.seats[seat] = Some(conn);
        if let Some(side) = self.sides.get_mut(&conn) {
            // There are far fewer connections than a process may have files.
            side.state = Use::Leased(Lease::new(seat as u16));
        }
    }

    /// The session of a connection is over.
    pub(super) fn unseat(&mut self, conn: ConnId) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| **seat == Some(conn)) {
            *seat = None;
        }
    }

    /// Where the session is that has a connection.
    pub(super) fn seat_of(&self, conn: ConnId) -> Option<u16> {
        match &self.sides.get(&conn)?.state {
            Use::Leased(lease) => Some(lease.seat()),
            _ => None,
        }
    }

    /// The connection of a session.
    pub(super) fn session(&mut self, seat: u16) -> Option<(&mut Side, ConnId)> {
        let conn = (*self.seats.get(usize::from(seat))?)?;
        self.get(conn).map(|side| (side, conn))
    }

    /// Whether the server waits in a request on a connection.
    pub(super) fn waits(&self, conn: ConnId) -> bool {
        self.sides.get(&conn).is_some_and(|side| side.connection.next().is_some_and(is_blocking))
    }

    /// Whether it does for nobody.
    pub(super) fn waits_in_vain(&self, conn: ConnId) -> bool {
        self.sides.get(&conn).is_some_and(Side::waits_in_vain)
    }

    /// Has the pool of a node keep some connections although nobody uses them.
    pub(super) fn keep_warm(&mut self, node: NodeId, way: Way) {
        self.pool(node, way).set_warm(true);
    }

    /// Starts a connection with a node, if one is wanted and due.
    pub(super) fn poll_connect(
        &mut self,
        now: Instant,
        node: NodeId,
        next_conn: impl FnOnce() -> ConnId,
    ) -> Option<Opening> {
        let pool = self.pools.get_mut(&node)?;
        if !pool.poll_connect(now) {
            return None;
        }
        let conn = next_conn();
        let way = pool.way();
        let (endpoint, tls) = (way.endpoint.clone(), way.config.tls.clone());
        self.sides.insert(conn, Side::new(now, node, way));
        self.note(conn);
        Some((conn, endpoint, tls))
    }

    /// The handshake on a connection is over.
    pub(super) fn handle_ready(&mut self, conn: ConnId, client_id: u64) {
        if let Some(side) = self.sides.get_mut(&conn) {
            side.client_id = client_id;
            if let Some(pool) = self.pools.get_mut(&side.node).filter(|_| side.is_opening()) {
                pool.handle_ready();
            }
            side.state = Use::Busy;
        }
    }

    /// Gives a connection on which nothing is under way to the first in line.
    pub(super) fn serve(&mut self, now: Instant, conn: ConnId) -> Served {
        let Some(side) = self.sides.get_mut(&conn) else { return Served::Used };
        let Some(pool) = self.pools.get_mut(&side.node) else { return Served::Over };
        if side.is_over(now) {
            return Served::Over;
        }
        if !side.is_young(now) {
            pool.handle_stable();
        }
        match pool.pop_waiting() {
            Some((entry, mut bytes)) => {
                if self.send(now, conn, entry, &mut bytes) {
                    return Served::Leased(entry);
                }
            }
            None => {
                side.state = Use::Idle(now);
                pool.push_idle(conn);
                self.note(conn);
            }
        }
        Served::Used
    }

    /// Forgets a connection. Returns it, if it was there.
    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Side> {
        let side = self.sides.remove(&conn)?;
        self.unseat(conn);
        if let Some(pool) = self.pools.get_mut(&side.node) {
            pool.forget(conn, side.is_opening());
        }
        self.note_pool(side.node);
        Some(side)
    }

    /// A connection is gone. What certainly did not run, and reads, are the first in line again; the others end.
    /// Returns the node that it was with.
    pub(super) fn handle_lost(
        &mut self,
        now: Instant,
        conn: ConnId,
        error: &Error,
        rng: &mut fastrand::Rng,
        ended: &mut Ended,
    ) -> Option<NodeId> {
        let side = self.remove(conn)?;
        let (node, was_opening, retries) = (side.node, side.is_opening(), side.config.retries);
        let was_young = side.is_young(now);
        let is_sessions = side.is_sessions();
        let pool = self.pools.get_mut(&node)?;
        let error = error.clone().with_node(&pool.name);
        if was_opening {
            pool.handle_failed(now, &error, rng);
            if is_permanent(&error) && !may_have_others(&side.config.login, &error) {
                pool.fail_waiting(&error, ended);
            }
        } else if was_young {
            pool.pause(now, rng);
        }
        let mut parked = side.parked;
        parked.fail(&error, ended);
        let (mut entries, mut bytes) = side.connection.into_requests();
        let mut written = bytes.in_flight();
        while let Some(mut entry) = entries.pop() {
            // What a session sends as one may be several commands.
            let may_have_run = may_have_run(&entry, written) || (is_sessions && written > 0);
            written = written.saturating_sub(entry.wire_len as usize);
            let may_repeat = entry.flags.may_repeat() && u32::from(entry.attempts) < retries;
            if entry.id.is_awaited() && !is_sessions && (!may_have_run || may_repeat) {
                if may_have_run {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.flags = entry.flags.with(Flags::SENT_BEFORE);
                }
                pool.queue_first(entry, &mut bytes);
                continue;
            }
            if entry.id.is_awaited() {
                let error = error.clone().with_delivery(fate(may_have_run));
                ended.push((entry, name(error, &bytes, &entry)));
            }
            bytes.release(entry.wire_len as usize);
        }
        self.note_pool(node);
        Some(node)
    }

    /// The connections with a node.
    pub(super) fn of_node(&self, node: NodeId) -> Vec<ConnId> {
        self.sides.iter().filter(|(_, side)| side.node == node).map(|(conn, _)| *conn).collect()
    }

    /// The connections on which a node waits for somebody, and its numbers of them.
    pub(super) fn waiting_at(&self, node: NodeId) -> Vec<(ConnId, u64)> {
        let waits = |side: &Side| side.node == node && side.client_id != 0 && side.is_waiting();
        let waiting = self.sides.iter().filter(|(_, side)| waits(side));
        waiting.map(|(conn, side)| (*conn, side.client_id)).collect()
    }

    /// Whether a node must be kept in mind.
    pub(super) fn uses(&self, node: NodeId) -> bool {
        self.pools.get(&node).is_some_and(|pool| !pool.is_vacant())
    }

    /// Makes no connections in advance any more.
    pub(super) fn cool_down(&mut self) {
        self.pools.values_mut().for_each(|pool| pool.set_warm(false));
    }

    /// The node is of no use any more. Returns the connections with it that nobody uses; the others are closed after
    /// their use.
    pub(super) fn retire(&mut self, now: Instant, node: NodeId, rng: &mut fastrand::Rng) -> Vec<ConnId> {
        let Some(pool) = self.pools.get_mut(&node) else { return Vec::new() };
        pool.set_warm(false);
        let idle = pool.idle().to_vec();
        for side in self.sides.values_mut().filter(|side| side.node == node) {
            if side.is_young(now) && !side.is_retired() {
                pool.pause(now, rng);
            }
            side.retire(now);
            self.earliest = self.earliest.min(side.poll_timeout());
        }
        idle
    }

    /// There are other credentials for the connections with a node. Returns those that nobody uses. Those of sessions are
    /// told, the others are closed after their use.
    pub(super) fn renew(&mut self, now: Instant, node: NodeId, credentials: &Credentials) -> Vec<ConnId> {
        let mut idle = Vec::new();
        for (conn, side) in self.sides.iter_mut().filter(|(_, side)| side.node == node) {
            if side.renew(now, credentials) {
                idle.push(*conn);
            }
            self.may_write.insert(*conn);
            self.earliest = self.earliest.min(side.poll_timeout());
        }
        idle
    }

    /// A node does not know who this is. Returns the connections that are known so and that nobody uses; the others are
    /// closed after their use.
    pub(super) fn disown(
        &mut self,
        now: Instant,
        node: NodeId,
        unknown: &Credentials,
        rng: &mut fastrand::Rng,
    ) -> Vec<ConnId> {
        let is_known_so = |side: &Side| side.node == node && side.connection.credentials() == Some(unknown);
        let mut idle = Vec::new();
        for (conn, side) in self.sides.iter_mut().filter(|(_, side)| is_known_so(side)) {
            if side.is_young(now)
                && !side.is_retired()
                && let Some(pool) = self.pools.get_mut(&node)
            {
                pool.pause(now, rng);
            }
            side.close_after_use();
            if side.is_idle() {
                idle.push(*conn);
            }
        }
        idle
    }

    /// Takes all who wait, to be routed anew.
    pub(super) fn take_waiting(&mut self) -> Vec<(Entry, Outgoing)> {
        self.pools.values_mut().flat_map(Pool::take_waiting).collect()
    }

    /// Ends all who wait.
    pub(super) fn fail_waiting(&mut self, error: &Error, ended: &mut Ended) {
        self.pools.values_mut().for_each(|pool| pool.fail_waiting(error, ended));
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted. Returns the connections on which the server
    /// waits in vain.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) -> Vec<ConnId> {
        self.pools.values_mut().for_each(|pool| pool.cancel(ids));
        let mut vain = Vec::new();
        for (conn, side) in &mut self.sides {
            side.cancel(ids);
            if side.waits_in_vain() {
                vain.push(*conn);
            }
        }
        vain
    }

    /// Marks a connection: the server is asked to end the wait on it. Returns its number there, if it has one.
    pub(super) fn recall(&mut self, now: Instant, conn: ConnId) -> Option<u64> {
        self.unseat(conn);
        let side = self.sides.get_mut(&conn)?;
        let until = now + side.config.connect_timeout;
        let mut recall = Recall::begin(until);
        recall.of_session = matches!(side.state, Use::Leased(_));
        // What the session has set is still set.
        recall.unclear = recall.of_session;
        side.state = Use::Recalled(recall);
        let client_id = side.client_id;
        self.note(conn);
        (client_id != 0).then_some(client_id)
    }

    /// The wait that was to be ended on a connection.
    pub(super) fn recalled(&mut self, conn: ConnId) -> Option<&mut Recall> {
        self.earliest = Instant::ORIGIN;
        match &mut self.sides.get_mut(&conn)?.state {
            Use::Recalled(recall) => Some(recall),
            _ => None,
        }
    }

    /// What is to be done on each connection now. Ends those whose deadline has come while they were waiting.
    pub(super) fn handle_timeout(&mut self, now: Instant, ended: &mut Ended) -> Vec<(ConnId, Due)> {
        if now < self.earliest {
            return Vec::new();
        }
        let mut due = Vec::new();
        for pool in self.pools.values_mut() {
            pool.expire(now, ended);
        }
        for (conn, side) in self.sides.iter_mut().filter(|(_, side)| side.poll_timeout() <= now) {
            self.may_write.insert(*conn);
            let pool = self.pools.get(&side.node);
            let place = pool.and_then(|pool| pool.idle().iter().position(|idle| idle == conn));
            let spare = pool.map_or(0, |pool| pool.idle().len().saturating_sub(pool.min_idle()));
            let is_spare = place.is_some_and(|place| place < spare);
            for entry in side.parked.expire(now) {
                let error = Error::new(ErrorKind::Timeout(Waiting::Connection), Delivery::NotSent);
                let node = pool.map_or("", |pool| &pool.name);
                ended.push((entry, error.with_node(node)));
            }
            match side.handle_timeout(now, is_spare) {
                Due::Nothing => {}
                what => due.push((*conn, what)),
            }
        }
        due
    }

    /// Everything is looked at now: nothing that was known of the times holds any longer.
    pub(super) fn forget_times(&mut self) {
        let sides = self.sides.values().map(Side::poll_timeout);
        let pools = self.pools.values().map(Pool::poll_timeout);
        self.earliest = sides.chain(pools).min().unwrap_or(Instant::FAR);
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.sides.values_mut().for_each(Side::shrink);
        self.seats.shrink_to_fit();
    }

    /// A time before which nothing has to be looked at.
    pub(super) const fn earliest(&self) -> Instant {
        self.earliest
    }

    /// Something about a connection has changed, perhaps when it must be looked at.
    pub(super) fn note(&mut self, conn: ConnId) {
        if let Some(side) = self.sides.get(&conn) {
            self.earliest = self.earliest.min(side.poll_timeout());
        }
    }

    fn note_pool(&mut self, node: NodeId) {
        if let Some(pool) = self.pools.get(&node) {
            self.earliest = self.earliest.min(pool.poll_timeout());
        }
    }

    pub(super) fn nodes(&self) -> Vec<NodeId> {
        self.pools.keys().copied().collect()
    }

    pub(super) fn conns(&self) -> Vec<ConnId> {
        self.sides.keys().copied().collect()
    }

    /// Whether nothing is under way whose end is worth waiting for.
    pub(super) fn is_drained(&self) -> bool {
        !self.pools.values().any(Pool::is_awaited) && self.sides.values().all(Side::is_drained)
    }

    /// Ends all that is under way, and forgets all connections. Returns them.
    pub(super) fn give_up(&mut self, error: &Error, ended: &mut Ended) -> Vec<ConnId> {
        self.fail_waiting(error, ended);
        let sides = core::mem::take(&mut self.sides);
        let conns = sides.keys().copied().collect();
        for mut side in sides.into_values() {
            side.parked.fail(error, ended);
            let (mut entries, mut bytes) = side.connection.into_requests();
            let mut written = bytes.in_flight();
            while let Some(entry) = entries.pop() {
                let may_have_run = may_have_run(&entry, written);
                written = written.saturating_sub(entry.wire_len as usize);
                if entry.id.is_awaited() {
                    let error = error.clone().with_delivery(fate(may_have_run));
                    ended.push((entry, name(error, &bytes, &entry)));
                }
                bytes.release(entry.wire_len as usize);
            }
        }
        self.pools.clear();
        conns
    }
}
