//! The side connections with one node: how many there are, and who waits for one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Ended;
use crate::config::{Config, Endpoint, PoolOptions};
use crate::connection::{ConnId, Entry, Outgoing, Purpose, RequestId};
use crate::engine::link::name;
use crate::error::{Delivery, Error, ErrorKind, Limit, Waiting};
use crate::retry;
use crate::time::Instant;

/// How to connect with a node.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) endpoint: Endpoint,
    pub(crate) config: Arc<Config>,
    pub(crate) purpose: Purpose,
}

/// A request that waits for a connection, and its bytes. A thousand may wait: the less each takes, the sooner those are
/// found whose time is up.
type Waiter = (Entry, Box<Outgoing>);

#[derive(Debug)]
pub(super) struct Pool {
    way: Way,
    pub(super) name: String,
    /// In the order in which they came.
    waiting: VecDeque<Waiter>,
    /// `earliest <= entry.deadline` for all that wait.
    earliest: Instant,
    /// Those that nobody uses; the last of them was used last.
    idle: Vec<ConnId>,
    /// How many connections there are, in whatever state.
    members: usize,
    /// How many of them are not ready yet.
    opening: usize,
    /// Some are kept although nobody uses them.
    warm: bool,
    /// When to connect again after a failure.
    retry_at: Instant,
    failures: u32,
    last_error: Option<Error>,
}

impl Pool {
    pub(super) fn new(way: Way) -> Self {
        Self {
            name: way.endpoint.to_string(),
            way,
            waiting: VecDeque::new(),
            earliest: Instant::FAR,
            idle: Vec::new(),
            members: 0,
            opening: 0,
            warm: false,
            retry_at: Instant::ORIGIN,
            failures: 0,
            last_error: None,
        }
    }

    pub(super) const fn way(&self) -> &Way {
        &self.way
    }

    /// The way to the node may have changed; the number of a node that was forgotten may be that of another now.
    pub(super) fn set_way(&mut self, way: Way) {
        if self.way.endpoint != way.endpoint {
            self.name = way.endpoint.to_string();
            (self.retry_at, self.failures, self.last_error) = (Instant::ORIGIN, 0, None);
        }
        self.way = way;
    }

    pub(super) const fn set_warm(&mut self, warm: bool) {
        self.warm = warm;
    }

    fn options(&self) -> &PoolOptions {
        &self.way.config.pool
    }

    /// How many are kept although nobody uses them.
    pub(super) fn min_idle(&self) -> usize {
        if self.warm { self.options().min_idle } else { 0 }
    }

    /// Takes a request in line, behind all others.
    ///
    /// # Errors
    /// The line is full.
    pub(super) fn queue(&mut self, entry: Entry, bytes: &mut Outgoing) -> Result<(), Error> {
        let limit = self.options().queue;
        if self.waiting.len() >= limit {
            return Err(Error::new(ErrorKind::Limit(Limit::PoolQueue(limit)), Delivery::NotSent));
        }
        self.put(entry, bytes, VecDeque::push_back);
        Ok(())
    }

    /// Takes a request in line before all others: it had its turn, and was not sent.
    pub(super) fn queue_first(&mut self, entry: Entry, bytes: &mut Outgoing) {
        self.put(entry, bytes, VecDeque::push_front);
    }

    fn put(&mut self, entry: Entry, bytes: &mut Outgoing, put: fn(&mut VecDeque<Waiter>, Waiter)) {
        let mut own = Box::<Outgoing>::default();
        bytes.transfer(entry.wire_len as usize, &mut own);
        self.earliest = self.earliest.min(entry.deadline);
        put(&mut self.waiting, (entry, own));
    }

    /// The first in line.
    pub(super) fn pop_waiting(&mut self) -> Option<Waiter> {
        self.waiting.pop_front()
    }

    pub(super) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The connection that was used last, of those that nobody uses.
    pub(super) fn pop_idle(&mut self) -> Option<ConnId> {
        self.idle.pop()
    }

    pub(super) fn push_idle(&mut self, conn: ConnId) {
        self.idle.push(conn);
    }

    /// Those that nobody uses, the one first that has waited longest.
    pub(super) fn idle(&self) -> &[ConnId] {
        &self.idle
    }

    /// Whether one more connection is wanted now. After a failure they are tried one at a time.
    fn is_wanted(&self, now: Instant) -> bool {
        let wanted = self.waiting.len().max(self.min_idle().saturating_sub(self.idle.len()));
        let at_once = if self.last_error.is_some() { wanted.min(1) } else { wanted };
        self.opening < at_once && self.members < self.options().max && now >= self.retry_at
    }

    /// Counts a connection that is begun, if one more is wanted now.
    pub(super) fn poll_connect(&mut self, now: Instant) -> bool {
        let wanted = self.is_wanted(now);
        if wanted {
            self.members += 1;
            self.opening += 1;
        }
        wanted
    }

    /// A connection is ready.
    pub(super) fn handle_ready(&mut self) {
        self.opening = self.opening.saturating_sub(1);
        self.last_error = None;
    }

    /// A connection has been of use for long: the next failure starts with a short pause again.
    pub(super) const fn handle_stable(&mut self) {
        self.failures = 0;
    }

    /// A connection is gone.
    pub(super) fn forget(&mut self, conn: ConnId, was_opening: bool) {
        self.members = self.members.saturating_sub(1);
        self.opening = self.opening.saturating_sub(usize::from(was_opening));
        self.idle.retain(|idle| *idle != conn);
    }

    /// A connection could not be made.
    pub(super) fn handle_failed(&mut self, now: Instant, error: &Error, rng: &mut fastrand::Rng) {
        self.last_error = Some(error.clone());
        self.pause(now, rng);
    }

    /// A connection did not last: before the next one there is a pause. Those that ended together count once.
    pub(super) fn pause(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        if now >= self.retry_at {
            self.retry_at = now + retry::delay(&self.way.config.backoff, self.failures, rng);
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// Ends all who wait.
    pub(super) fn fail_waiting(&mut self, error: &Error, ended: &mut Ended) {
        for (entry, bytes) in self.waiting.drain(..) {
            ended.push((entry, name(error.clone().with_delivery(Delivery::NotSent), &bytes, &entry)));
        }
        self.earliest = Instant::FAR;
    }

    /// Takes all who wait, to be routed anew.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = (Entry, Outgoing)> + use<> {
        self.earliest = Instant::FAR;
        core::mem::take(&mut self.waiting).into_iter().map(|(entry, bytes)| (entry, *bytes))
    }

    /// Ends those whose deadline has come.
    pub(super) fn expire(&mut self, now: Instant, ended: &mut Ended) {
        if now < self.earliest {
            return;
        }
        let waiting_for = if self.members < self.options().max || self.opening > 0 {
            Waiting::Connection
        } else {
            Waiting::SideConnection
        };
        let error = Error::new(ErrorKind::Timeout(waiting_for), Delivery::NotSent)
            .with_cause(self.last_error.clone())
            .with_node(&self.name);
        let mut earliest = Instant::FAR;
        self.waiting.retain(|(entry, bytes)| {
            let is_due = entry.deadline <= now;
            if is_due {
                ended.push((*entry, name(error.clone(), bytes, entry)));
            } else {
                earliest = earliest.min(entry.deadline);
            }
            !is_due
        });
        self.earliest = earliest;
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        self.waiting.retain(|(entry, _)| ids.binary_search(&entry.id).is_err());
    }

    /// Whether there is nothing that would have to be kept.
    pub(super) fn is_vacant(&self) -> bool {
        self.members == 0 && self.waiting.is_empty() && !self.warm
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        let soon = self.earliest;
        if self.is_wanted(Instant::FAR) { soon.min(self.retry_at) } else { soon }
    }
}
