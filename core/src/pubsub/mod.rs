//! Publish/subscribe: what users want to hear of, what the servers have confirmed, and how the one becomes the
//! other whatever happens to the connections.
//!
//! ```text
//! users' wishes --> Topics: who wants what, where its seat is
//!                      |  differs from what is confirmed
//!                      v
//!                    Seats: SUBSCRIBE ... --> confirmations, refusals, losses --> looked at again
//!                                                   |
//! Delivery <--- Interrupted, Resumed, messages <----'
//! ```
//!
//! Nothing is remembered of a connection that is gone but that its topics have to be subscribed anew, so it does
//! not matter when it was lost. A topic is *whole* while it is confirmed at every node where it has to be. When it
//! ceases to be whole its users are told at once that there is a gap, before any message that follows.
//!
//! In RESP3 a subscription is confirmed by a push per topic, which is no reply, but refused by a reply. Each command
//! therefore has a place among the requests of its connection, and leaves it with the last of its confirmations
//! or with an error: whatever else comes while it is first there is nobody's, and ends the connection.

mod backlog;
mod delivery;
mod event;
mod intent;
mod keyspace;
mod listen;
mod seat;
mod talk;
#[cfg(test)]
mod tests;
mod topic;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

pub use backlog::Backlog;
pub use delivery::Delivery;
pub use event::{Event, Message};
pub use intent::{Intent, SubscriptionId};
pub use keyspace::{KeyChannel, Notification};
use seat::Seat;
pub(crate) use talk::{Confirmed, Verdict};
use topic::{TopicId, Topics, User};

use crate::connection::ConnId;
pub use crate::connection::TopicKind as Kind;
use crate::error::{Delivery as Fate, Error, ErrorKind, Waiting};
use crate::seldom::Vacant;
use crate::time::Instant;
use crate::topology::NodeId;

/// Where topics are to be subscribed, as things are.
pub(crate) trait Places {
    /// The node for a topic: of a sharded channel that of its slot, else any. `None`: nobody knows yet.
    fn home(&self, slot: Option<u16>) -> Option<NodeId>;

    /// The nodes for those who want to hear of every primary.
    fn primaries(&self) -> &[NodeId];
}

/// One subscription.
#[derive(Debug)]
struct Subscription {
    id: SubscriptionId,
    topics: BTreeSet<TopicId>,
    /// How many of its established topics are not whole.
    missing: usize,
    delivery: Delivery,
    /// It is among those to be told something.
    told: bool,
}

/// A call that waits until its topics are whole.
#[derive(Debug)]
struct Ticket {
    subscription: usize,
    kind: Kind,
    topics: Vec<TopicId>,
    missing: usize,
    deadline: Instant,
    /// A command for it was written.
    sent: bool,
    /// Why it was turned away last.
    cause: Option<Error>,
}

/// All of it. See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct PubSub {
    topics: Topics,
    seats: BTreeMap<NodeId, Seat>,
    /// By place; the places of those that have ended are used again.
    subscriptions: Vec<Option<Subscription>>,
    free: Vec<usize>,
    ids: BTreeMap<SubscriptionId, usize>,
    tickets: BTreeMap<u64, Ticket>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// Topics that were turned away and are tried again then.
    later: BTreeSet<(Instant, NodeId, TopicId)>,
    /// Those that have something to be told.
    told: Vec<usize>,
    /// Nodes that have become wanted, or are not any more.
    holds: VecDeque<(NodeId, bool)>,
    /// Seats that may have something to say.
    busy: BTreeSet<NodeId>,
    ended: bool,
}

impl Vacant for PubSub {
    const VACANT: &'static Self = &Self {
        topics: Topics::new(),
        seats: BTreeMap::new(),
        subscriptions: Vec::new(),
        free: Vec::new(),
        ids: BTreeMap::new(),
        tickets: BTreeMap::new(),
        deadlines: BTreeSet::new(),
        later: BTreeSet::new(),
        told: Vec::new(),
        holds: VecDeque::new(),
        busy: BTreeSet::new(),
        ended: false,
    };
}

impl PubSub {
    /// A user's wish.
    pub(crate) fn handle_intent(&mut self, now: Instant, intent: Intent, places: &impl Places) {
        match intent {
            Intent::Subscribe { subscription, call, kind, .. } if self.ended => {
                let at = self.admit(subscription);
                self.tell(at, |delivery| delivery.outcomes.push((call, Err(closed(kind)))));
            }
            Intent::Subscribe { subscription, call, kind, names, everywhere, within } => {
                let at = self.admit(subscription);
                // A sharded channel is where its slot is.
                let everywhere = everywhere && kind != Kind::Shard;
                let deadline = within.map_or(Instant::FAR, |within| now + within);
                self.subscribe(at, (call, deadline), kind, &names, everywhere, places);
            }
            // All have been told that it is over.
            Intent::Unsubscribe { .. } if self.ended => {}
            Intent::Unsubscribe { subscription, kind, names } => {
                let Some(&at) = self.ids.get(&subscription) else { return };
                let ids: Vec<_> = match &names[..] {
                    [] => self.topics_of(at).filter(|id| self.kind_of(*id) == Some(kind)).collect(),
                    names => names.iter().filter_map(|name| self.topics.find(kind, name)).collect(),
                };
                ids.into_iter().for_each(|id| self.leave(at, id, places));
            }
            Intent::GiveUp { call } => {
                if let Some(ticket) = self.take_ticket(call) {
                    self.withdraw(call, &ticket, places);
                }
            }
            Intent::Close { subscription } => self.close(subscription, places),
        }
    }

    /// The place of a subscription, made if it is new.
    fn admit(&mut self, id: SubscriptionId) -> usize {
        if let Some(&at) = self.ids.get(&id) {
            return at;
        }
        let at = self.free.pop().unwrap_or_else(|| {
            self.subscriptions.push(None);
            self.subscriptions.len() - 1
        });
        self.subscriptions[at] = Some(Subscription {
            id,
            topics: BTreeSet::new(),
            missing: 0,
            delivery: Delivery::default(),
            told: false,
        });
        self.ids.insert(id, at);
        at
    }

    fn topics_of(&self, at: usize) -> impl Iterator<Item = TopicId> + use<> {
        let topics = self.subscriptions.get(at).and_then(Option::as_ref).map(|it| it.topics.clone());
        topics.unwrap_or_default().into_iter()
    }

    fn kind_of(&self, id: TopicId) -> Option<Kind> {
        self.topics.get(id).map(|topic| topic.kind)
    }

    fn subscribe(
        &mut self,
        at: usize,
        (call, deadline): (u64, Instant),
        kind: Kind,
        names: &[bytes::Bytes],
        everywhere: bool,
        places: &impl Places,
    ) {
        let mut topics: Vec<_> = names.iter().map(|name| self.topics.admit(kind, name)).collect();
        topics.sort_unstable();
        topics.dedup();
        for &id in &topics {
            let Some(topic) = self.topics.get_mut(id) else { continue };
            if topic.user(at).is_none() {
                topic.users.push(User::new(at));
            }
            if let Some(user) = topic.user(at) {
                user.ask(call, everywhere);
            }
            if let Some(subscription) = self.subscriptions.get_mut(at).and_then(Option::as_mut) {
                subscription.topics.insert(id);
            }
        }
        let ticket = Ticket {
            subscription: at,
            kind,
            missing: topics.len(),
            topics,
            deadline,
            sent: false,
            cause: None,
        };
        let ids = ticket.topics.clone();
        self.tickets.insert(call, ticket);
        self.deadlines.insert((deadline, call));
        ids.into_iter().for_each(|id| self.place(id, places));
        self.finish_call(call);
    }

    /// Ends a call that waits for nothing any more.
    fn finish_call(&mut self, call: u64) {
        if self.tickets.get(&call).is_some_and(|ticket| ticket.missing == 0)
            && let Some(ticket) = self.take_ticket(call)
        {
            for &id in &ticket.topics {
                if let Some(user) = self.topics.get_mut(id).and_then(|topic| topic.user(ticket.subscription))
                {
                    user.end(call, true);
                }
            }
            self.tell(ticket.subscription, |delivery| delivery.outcomes.push((call, Ok(()))));
        }
    }

    fn take_ticket(&mut self, call: u64) -> Option<Ticket> {
        let ticket = self.tickets.remove(&call)?;
        self.deadlines.remove(&(ticket.deadline, call));
        Some(ticket)
    }

    /// Takes back what a call that has failed, or that nobody waits for, wanted and did not get.
    fn withdraw(&mut self, call: u64, ticket: &Ticket, places: &impl Places) {
        for &id in &ticket.topics {
            let Some(topic) = self.topics.get_mut(id) else { continue };
            if topic.user(ticket.subscription).is_some_and(|user| user.end(call, false)) {
                self.leave(ticket.subscription, id, places);
            }
        }
    }

    fn fail(&mut self, call: u64, error: Error, places: &impl Places) {
        if let Some(ticket) = self.take_ticket(call) {
            let error = error.with_command(ticket.kind.command(true));
            self.withdraw(call, &ticket, places);
            self.tell(ticket.subscription, |delivery| delivery.outcomes.push((call, Err(error))));
        }
    }

    /// A subscription does not want a topic any more. Calls that wait for it wait for it no longer.
    fn leave(&mut self, at: usize, id: TopicId, places: &impl Places) {
        let Some(topic) = self.topics.get_mut(id) else { return };
        let Some(place) = topic.users.iter().position(|user| user.subscription == at) else { return };
        let user = topic.users.remove(place);
        let was_missing = user.established && !topic.whole;
        if let Some(subscription) = self.subscriptions.get_mut(at).and_then(Option::as_mut) {
            subscription.topics.remove(&id);
        }
        if was_missing {
            self.found(at);
        }
        for call in user.waiting {
            if let Some(ticket) = self.tickets.get_mut(&call) {
                ticket.missing = ticket.missing.saturating_sub(1);
            }
            self.finish_call(call);
        }
        self.place(id, places);
    }

    fn close(&mut self, id: SubscriptionId, places: &impl Places) {
        let Some(&at) = self.ids.get(&id) else { return };
        let calls: Vec<_> =
            self.tickets.iter().filter(|(_, it)| it.subscription == at).map(|(call, _)| *call).collect();
        calls.into_iter().for_each(|call| drop(self.take_ticket(call)));
        for topic in self.topics_of(at) {
            self.leave(at, topic, places);
        }
        self.ids.remove(&id);
        self.told.retain(|told| *told != at);
        self.subscriptions[at] = None;
        self.free.push(at);
    }

    /// Adds to what a subscription is told.
    #[inline]
    fn tell(&mut self, at: usize, tell: impl FnOnce(&mut Delivery)) {
        let Some(subscription) = self.subscriptions.get_mut(at).and_then(Option::as_mut) else { return };
        tell(&mut subscription.delivery);
        if !core::mem::replace(&mut subscription.told, true) {
            self.told.push(at);
        }
    }

    /// An established topic of a subscription is not whole any more.
    fn missed(&mut self, at: usize) {
        let Some(subscription) = self.subscriptions.get_mut(at).and_then(Option::as_mut) else { return };
        subscription.missing += 1;
        if subscription.missing == 1 {
            self.tell(at, |delivery| delivery.push(Event::Interrupted));
        }
    }

    /// A topic that was not whole is, or is of no concern any more.
    fn found(&mut self, at: usize) {
        let Some(subscription) = self.subscriptions.get_mut(at).and_then(Option::as_mut) else { return };
        subscription.missing = subscription.missing.saturating_sub(1);
        if subscription.missing == 0 {
            self.tell(at, |delivery| delivery.push(Event::Resumed));
        }
    }

    /// Ends what has waited for too long, tries again what was turned away.
    pub(crate) fn handle_timeout(&mut self, now: Instant, places: &impl Places) {
        while let Some(&(at, call)) = self.deadlines.first()
            && at <= now
        {
            self.deadlines.pop_first();
            let Some(ticket) = self.tickets.get_mut(&call) else { continue };
            let (waiting, fate) = match (&ticket.cause, ticket.sent) {
                (Some(_), _) => (Waiting::Reply, Fate::Rejected),
                (None, true) => (Waiting::Reply, Fate::MaybeExecuted),
                (None, false) => (Waiting::Connection, Fate::NotSent),
            };
            let error = Error::new(ErrorKind::Timeout(waiting), fate).with_cause(ticket.cause.take());
            self.fail(call, error, places);
        }
        while let Some(&(at, node, id)) = self.later.first()
            && at <= now
        {
            self.later.pop_first();
            self.place(id, places);
            self.look_at(node, id);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called.
    pub(crate) fn poll_timeout(&self) -> Instant {
        let first = |times: Option<Instant>| times.unwrap_or(Instant::FAR);
        first(self.deadlines.first().map(|(at, _)| *at)).min(first(self.later.first().map(|(at, ..)| *at)))
    }

    /// The next subscription that is to be told something. Whoever asks takes it out of the delivery.
    pub(crate) fn poll_delivery(&mut self) -> Option<(SubscriptionId, &mut Delivery)> {
        let at = loop {
            let at = self.told.pop()?;
            if self.subscriptions.get(at).is_some_and(Option::is_some) {
                break at;
            }
        };
        let subscription = self.subscriptions.get_mut(at)?.as_mut()?;
        subscription.told = false;
        Some((subscription.id, &mut subscription.delivery))
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.subscriptions.iter_mut().flatten().for_each(|subscription| subscription.delivery.shrink());
        self.told.shrink_to_fit();
        self.holds.shrink_to_fit();
    }

    pub(crate) fn has_deliveries(&self) -> bool {
        !self.told.is_empty()
    }

    /// A node with which a connection is wanted from here on, or not any more.
    pub(crate) fn poll_hold(&mut self) -> Option<(NodeId, bool)> {
        self.holds.pop_front()
    }

    /// Whether there is something for [`poll_hold`](Self::poll_hold) or [`poll_command`](Self::poll_command).
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        !self.busy.is_empty() || !self.holds.is_empty()
    }

    /// The connection that has the subscriptions at a node.
    #[inline]
    pub(crate) fn conn(&self, node: NodeId) -> Option<ConnId> {
        self.seats.get(&node)?.conn
    }

    /// Whether a connection with the node is wanted.
    pub(crate) fn is_wanted(&self, node: NodeId) -> bool {
        self.seats.get(&node).is_some_and(|seat| seat.wanted > 0)
    }

    /// Whether nothing was ever asked of it.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.ids.is_empty() && self.seats.is_empty()
    }

    /// The client has ended.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        for (call, ticket) in core::mem::take(&mut self.tickets) {
            let error = closed(ticket.kind);
            self.tell(ticket.subscription, |delivery| delivery.outcomes.push((call, Err(error))));
        }
        for at in 0..self.subscriptions.len() {
            self.tell(at, |delivery| delivery.ended = true);
        }
        self.deadlines.clear();
        self.later.clear();
        self.seats.clear();
        self.busy.clear();
        self.holds.clear();
    }

    /// Whether the topic is confirmed wherever it has to be.
    fn is_whole(&self, id: TopicId) -> bool {
        let Some(topic) = self.topics.get(id) else { return false };
        let is_confirmed = |node: &NodeId| self.seats.get(node).is_some_and(|seat| seat.is_confirmed(id));
        !topic.seats.is_empty() && topic.seats.iter().all(is_confirmed)
    }
}

fn closed(kind: Kind) -> Error {
    Error::new(ErrorKind::Closed, Fate::NotSent).with_command(kind.command(true))
}
