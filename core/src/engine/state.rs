//! What the engine is asked between two inputs: what to do, what has happened, what to write, when to call.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

#[cfg(feature = "std")]
use super::Events;
use super::{Action, ConnId, Engine, Event, Outgoing, Phase};
#[cfg(feature = "std")]
use crate::seldom::Seldom;
use crate::time::Instant;
use crate::topology::Topology;

impl Engine {
    /// What the driver has to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        let action = self.actions.pop_front()?;
        if self.actions.is_empty() {
            // There is seldom another one for long.
            self.actions = VecDeque::new();
        }
        Some(action)
    }

    /// What has happened.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.made()?.pop()
    }

    /// What waits for [`poll_event`](Self::poll_event), to be taken out one by one: most replies are not put together
    /// yet.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn events(&mut self) -> Option<&mut Events> {
        self.events.made()
    }

    /// Whether something waits for [`poll_action`](Self::poll_action).
    #[must_use]
    #[inline]
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Whether something waits for [`poll_event`](Self::poll_event).
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// All that has happened, in order.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> {
        core::iter::from_fn(|| self.events.made()?.pop())
    }

    /// Takes `room` for events in place of its own, or gives it back, while there are none.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn exchange_room(&mut self, room: &mut Seldom<Events>) {
        if self.events.is_empty() {
            core::mem::swap(&mut self.events, room);
        }
    }

    /// The bytes to write on `conn`, to be [advanced](bytes::Buf::advance) by as many as were written. `None`
    /// if the engine has given the connection up.
    pub fn outgoing(&mut self, conn: ConnId) -> Option<&mut Outgoing> {
        let Some(node) = self.links.node_of(conn) else {
            return match self.sides.get(conn) {
                Some(side) => Some(side.connection.outgoing()),
                None => self.listeners.outgoing(conn),
            };
        };
        self.links.reach(node)?.connection(conn).map(|connection| connection.outgoing())
    }

    /// Adds the connections for which something to write has come since this was asked last, some of them twice
    /// perhaps. Who drives few of them can as well look at what is [outgoing](Self::outgoing) on each.
    pub fn drain_unwritten(&mut self, into: &mut Vec<ConnId>) {
        self.links.drain_unwritten(into);
        if let Some(sides) = self.sides.made() {
            sides.drain_unwritten(into);
        }
        if let Some(listeners) = self.listeners.made() {
            listeners.drain_unwritten(into);
        }
    }

    /// How many more bytes are needed on `conn`, at the least, before a reply can be complete, when
    /// `buffered` bytes are there. Reserving them makes one read of a large reply instead of many.
    pub fn missing(&mut self, conn: ConnId, buffered: usize) -> usize {
        let Some(node) = self.links.node_of(conn) else {
            return match self.sides.get(conn) {
                Some(side) => side.connection.missing(buffered),
                None => self.listeners.missing(conn, buffered),
            };
        };
        let connection = self.links.reach(node).and_then(|link| link.connection(conn));
        connection.map_or(0, |connection| connection.missing(buffered))
    }

    /// When the one reply is due that is to come on a connection that callers share. `None`: none is, or not only one,
    /// or its request is not written yet.
    #[cfg(feature = "std")]
    pub(crate) fn due_alone(&mut self, conn: ConnId) -> Option<Instant> {
        let node = self.links.node_of(conn)?;
        let connection = self.links.reach(node)?.connection(conn)?;
        let is_written = !bytes::Buf::has_remaining(connection.outgoing());
        let in_flight = connection.in_flight();
        (is_written && in_flight.len() == 1).then(|| in_flight.earliest())
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called. It moves with every input, and may be
    /// earlier than there is anything to do. `None`: never, as things are.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let mut earliest = match self.phase {
            Phase::Closed => return None,
            Phase::Draining(until) => until,
            Phase::Open => Instant::FAR,
        };
        earliest = earliest.min(match &self.topology {
            Topology::Single(_) => Instant::FAR,
            Topology::Cluster(cluster) => cluster.poll_timeout(),
            Topology::Sentinel(service) => service.poll_timeout(),
        });
        earliest = earliest.min(self.links.earliest()).min(self.sides.earliest());
        if let Some(listeners) = self.listeners.made() {
            earliest = earliest.min(listeners.earliest());
        }
        earliest = earliest.min(self.logins.poll_timeout());
        earliest = earliest.min(self.unrouted.earliest()).min(self.delayed.earliest());
        earliest = earliest.min(self.pubsub.poll_timeout());
        (earliest != Instant::FAR).then_some(earliest)
    }

    /// How many commands and bytes the engine holds: queued, in flight, or about to be sent again. What is on side
    /// connections, or waits for one, has limits of its own and does not count.
    #[must_use]
    pub fn load(&mut self) -> (usize, usize) {
        let loads = [self.links.load(), self.unrouted.load(), self.delayed.load()];
        loads.iter().fold((0, 0), |sum, load| (sum.0 + load.0, sum.1 + load.1))
    }

    /// Gives back memory that nothing uses at the moment: for when a burst is over. What is needed again is made anew,
    /// so it is not for every turn.
    pub fn shrink(&mut self) {
        self.links.shrink();
        self.unrouted.shrink();
        if let Some(listeners) = self.listeners.made() {
            listeners.shrink();
        }
        if let Some(sides) = self.sides.made() {
            sides.shrink();
        }
        if let Some(pubsub) = self.pubsub.made() {
            pubsub.shrink();
        }
        self.delayed.shrink(|delayed| delayed.is_vacant());
        if let Some(events) = self.events.made() {
            events.shrink();
        }
    }

    /// Whether the engine has closed: all requests have ended and all connections are given up.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }
}
