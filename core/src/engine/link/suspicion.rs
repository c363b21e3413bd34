//! A node that owes something and is silent.
//!
//! Silence has two reasons: the node stands still, or the connection is dead and the node is well. So a suspect is
//! tried by another connection. Whichever answers first is used; the old one becomes an *elder*, which is owed what
//! was asked on it and takes nothing new.

use alloc::vec::Vec;

use super::{Connects, Ended, Link};
use crate::connection::{ConnId, Connection, Entry, Outgoing, RequestId};
use crate::error::Error;
use crate::retry;
use crate::time::Instant;

/// How many connections may be waited for on which the node is silent, before no further one is tried.
const ELDERS_MAX: usize = 3;

impl Link {
    pub(in crate::engine) const fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// When the node becomes suspect, if it says nothing until then. Without a connection, or suspect already,
    /// never.
    pub(in crate::engine) fn suspect_at(&self) -> Instant {
        match &self.connection {
            Some((_, connection)) if self.connects == Connects::OnDemand && !self.suspect => {
                let since = connection.silent_since();
                since.map_or(Instant::FAR, |since| since + self.config.suspect_after)
            }
            _ => Instant::FAR,
        }
    }

    /// Sends nothing new until the node is heard of, and tries it by another connection: soon, but not all clients
    /// of a node that stands still at once.
    pub(in crate::engine) fn suspect(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        self.suspect = true;
        self.open = false;
        if self.is_ready() && !self.retiring && self.elders.len() < ELDERS_MAX {
            self.ready_at = None;
            self.elders.extend(self.connection.take());
            self.retry_at = now + retry::random(rng, self.config.suspect_after / 4);
        }
    }

    /// The connections on which the node owes something and is silent.
    pub(in crate::engine) fn silent_conns(&self) -> Vec<ConnId> {
        let current = self.connection.iter().filter(|_| self.suspect);
        self.elders.iter().chain(current).map(|(id, _)| *id).collect()
    }

    /// Whether the node is suspect although it owes nothing on this connection.
    pub(in crate::engine) fn is_suspect_without_debts(&mut self, conn: ConnId) -> bool {
        self.suspect && self.connection(conn).is_some_and(|it| it.is_ready() && it.is_idle())
    }

    /// Sends a request although the node is suspect: its answer tells that the node has caught up. It is not sent on
    /// a connection that is not ready.
    pub(in crate::engine) fn submit_to_suspect(
        &mut self,
        now: Instant,
        conn: ConnId,
        entry: Entry,
        bytes: &mut Outgoing,
    ) {
        if let Some(connection) = self.connection(conn).filter(|it| it.is_ready() && !it.is_authenticating())
        {
            connection.send(now, entry, bytes);
        }
    }

    /// The node has just answered. What was parked while it was suspect goes out, on the connection that it has
    /// answered on. Returns one that is not needed any more, which was to try the node.
    #[inline]
    pub(in crate::engine) fn handle_alive(&mut self, now: Instant) -> Option<ConnId> {
        if self.suspect { self.acquit(now) } else { None }
    }

    fn acquit(&mut self, now: Instant) -> Option<ConnId> {
        let mut needless = None;
        let is_heard = self.connection.as_ref().is_some_and(|(_, it)| it.is_ready() && it.was_heard(now));
        if !is_heard {
            let place = self.elders.iter().rposition(|(_, elder)| elder.was_heard(now))?;
            let (id, mut elder) = self.elders.remove(place);
            elder.change_purpose(now, self.purpose);
            let other = self.connection.replace((id, elder));
            match other {
                Some(silent) if self.is_ready() => self.elders.push(silent),
                other => needless = other.map(|(id, _)| id),
            }
            self.ready_at = Some(now);
        }
        self.suspect = false;
        self.send_parked(now);
        needless
    }

    pub(super) fn take_elder(&mut self, place: usize) -> Option<(ConnId, Connection)> {
        let elder = (place < self.elders.len()).then(|| self.elders.remove(place));
        self.suspect &= self.connection.is_some() || !self.elders.is_empty();
        elder
    }

    /// An elder is gone: what may be sent again is parked, since it may belong to another node by now. Returns whether
    /// it was one.
    pub(super) fn lose_elder(&mut self, conn: ConnId, error: &Error, ended: &mut Ended) -> bool {
        let place = self.elders.iter().position(|(id, _)| *id == conn);
        let Some((_, elder)) = place.and_then(|place| self.take_elder(place)) else { return false };
        let (entries, bytes) = elder.into_requests();
        self.park_again(entries, bytes, error, ended);
        self.parked.fail_those(RequestId::is_question, error, ended);
        true
    }
}
