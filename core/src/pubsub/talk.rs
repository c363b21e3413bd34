//! What is said to nodes and what they answer: where a topic has to be, what is missing there, what became of it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::seat::{BYTES_MAX, Batch, Seat, Standing, State, TOPICS_MAX};
use super::topic::TopicId;
use super::{Kind, Places, PubSub};
use crate::command::Command;
use crate::connection::ConnId;
use crate::error::Error;
use crate::time::Instant;
use crate::topology::NodeId;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The reason passes, or another node has the topic: it is tried again.
    Later,
    /// It will most likely be refused again: whoever waits is told.
    Never,
}

impl PubSub {
    /// Puts a topic where it has to be.
    pub(super) fn place(&mut self, id: TopicId, places: &impl Places) {
        if self.ended {
            return;
        }
        let Some(topic) = self.topics.get_mut(id) else { return };
        let wants_home = topic.users.iter().any(|user| !user.everywhere);
        let home = if wants_home { places.home(topic.slot()) } else { None };
        let mut seats: SmallVec<[NodeId; 1]> = home.into_iter().collect();
        if topic.users.iter().any(|user| user.everywhere) {
            let others = places.primaries().iter().copied().filter(|node| Some(*node) != home);
            seats.extend(others);
        }
        let moved = wants_home && topic.home.is_some() && topic.home != home;
        topic.home = home;
        let before = core::mem::replace(&mut topic.seats, seats.clone());
        for &node in before.iter().filter(|node| !seats.contains(node)) {
            self.want(node, id, false);
            if !seats.is_empty()
                && let Some(standing) = self.standing(node, id)
            {
                standing.stale |= standing.state == State::Confirmed;
            }
        }
        for &node in seats.iter().filter(|node| !before.contains(node)) {
            self.want(node, id, true);
        }
        if moved {
            // Whatever the new node has confirmed before: what it said meanwhile was taken for a repetition.
            self.doubt(id);
        }
        self.settle(id);
        self.topics.tidy(id);
    }

    /// Looks at all topics again: nodes may have joined or left, slots may have moved.
    pub(crate) fn review(&mut self, places: &impl Places) {
        for id in self.topics.ids() {
            self.place(id, places);
        }
    }

    fn want(&mut self, node: NodeId, id: TopicId, wanted: bool) {
        let seat = self.seats.entry(node).or_default();
        let is_new = !seat.standings.contains_key(&id);
        let standing = seat.standings.entry(id).or_default();
        standing.wanted = wanted;
        seat.wanted = if wanted { seat.wanted + 1 } else { seat.wanted.saturating_sub(1) };
        if seat.wanted == usize::from(wanted) {
            self.holds.push_back((node, wanted));
        }
        if let Some(topic) = self.topics.get_mut(id).filter(|_| is_new) {
            topic.known_by += 1;
        }
        self.look_at(node, id);
    }

    /// Something may be to be said of a topic at a node, or nothing is left to be known of it.
    pub(super) fn look_at(&mut self, node: NodeId, id: TopicId) {
        let Some(seat) = self.seats.get_mut(&node) else { return };
        let Some(standing) = seat.standings.get(&id) else { return };
        if standing.wish().is_some() {
            seat.due.insert(id);
            self.busy.insert(node);
        } else if !standing.wanted && standing.state == State::Absent {
            seat.standings.remove(&id);
            seat.due.remove(&id);
            if seat.standings.is_empty() && seat.conn.is_none() {
                self.seats.remove(&node);
            }
            if let Some(topic) = self.topics.get_mut(id) {
                topic.known_by = topic.known_by.saturating_sub(1);
            }
            self.topics.tidy(id);
        }
    }

    /// The topic is taken not to be whole, whatever it is.
    fn doubt(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(id) else { return };
        if core::mem::replace(&mut topic.whole, false) {
            let users = topic.users.iter().filter(|user| user.established);
            let users: SmallVec<[usize; 4]> = users.map(|user| user.subscription).collect();
            users.into_iter().for_each(|at| self.missed(at));
        }
    }

    /// Tells users whether the topic is whole, if that has changed, and those who wait for it.
    fn settle(&mut self, id: TopicId) {
        if !self.is_whole(id) {
            return self.doubt(id);
        }
        let Some(topic) = self.topics.get_mut(id) else { return };
        let was_whole = core::mem::replace(&mut topic.whole, true);
        let mut found = SmallVec::<[usize; 4]>::new();
        let mut calls = SmallVec::<[u64; 4]>::new();
        for user in &mut topic.users {
            if core::mem::replace(&mut user.established, true) && !was_whole {
                found.push(user.subscription);
            }
            calls.extend(user.waiting.drain(..));
        }
        found.into_iter().for_each(|at| self.found(at));
        for call in calls {
            if let Some(ticket) = self.tickets.get_mut(&call) {
                ticket.missing = ticket.missing.saturating_sub(1);
            }
            self.finish_call(call);
        }
    }

    /// There is a new connection with a node, on which nothing is subscribed. From here on it is the one that counts.
    pub(crate) fn handle_ready(&mut self, node: NodeId, conn: ConnId) {
        if let Some(before) = self.conn(node) {
            self.handle_lost(node, before);
        }
        if let Some(seat) = self.seats.get_mut(&node) {
            seat.conn = Some(conn);
            self.busy.insert(node);
        }
    }

    /// A connection with a node has ended, and with it all that was subscribed on it.
    pub(crate) fn handle_lost(&mut self, node: NodeId, conn: ConnId) {
        let Some(seat) = self.seats.get_mut(&node).filter(|seat| seat.conn == Some(conn)) else { return };
        seat.conn = None;
        seat.asked.clear();
        let ids: Vec<_> = seat.standings.keys().copied().collect();
        for id in ids {
            let Some(standing) = self.standing(node, id) else { continue };
            *standing = Standing { wanted: standing.wanted, ..Standing::default() };
            self.settle(id);
            self.look_at(node, id);
        }
    }

    fn standing(&mut self, node: NodeId, id: TopicId) -> Option<&mut Standing> {
        self.seats.get_mut(&node)?.standings.get_mut(&id)
    }

    /// The next command, and the node for it, on a connection on which something `may_be_said`.
    pub(crate) fn poll_command(
        &mut self,
        mut may_be_said: impl FnMut(NodeId, ConnId) -> bool,
    ) -> Option<(NodeId, Command<()>)> {
        let nodes: SmallVec<[NodeId; 4]> = self.busy.iter().copied().collect();
        for node in nodes {
            let Some(seat) = self.seats.get_mut(&node).filter(|seat| seat.is_due()) else {
                self.busy.remove(&node);
                continue;
            };
            if !seat.conn.is_some_and(|conn| may_be_said(node, conn)) {
                continue;
            }
            let Some((first, on)) = seat.next() else {
                self.busy.remove(&node);
                continue;
            };
            return self.command(node, first, on).map(|command| (node, command));
        }
        None
    }

    /// Begins or ends the subscription of a topic, and of others that can be in the same command.
    fn command(&mut self, node: NodeId, first: TopicId, on: bool) -> Option<Command<()>> {
        let seat = self.seats.get_mut(&node)?;
        let topic = self.topics.get(first)?;
        let (kind, slot) = (topic.kind, topic.slot());
        let alone = |seat: &Seat, id: TopicId| seat.standings.get(&id).is_some_and(|standing| standing.alone);
        let most = if alone(seat, first) { 1 } else { TOPICS_MAX };
        let mut bytes = 0;
        let fits = |id: &TopicId| {
            let standing = seat.standings.get(id).filter(|standing| standing.wish() == Some(on));
            let topic = self.topics.get(*id).filter(|topic| topic.kind == kind && topic.slot() == slot);
            let (Some(standing), Some(topic)) = (standing, topic) else { return false };
            bytes += topic.name.len();
            *id == first || (!standing.alone && bytes <= BYTES_MAX)
        };
        let ids: Vec<_> = seat.due.iter().copied().take(2 * TOPICS_MAX).filter(fits).take(most).collect();
        let mut command = Command::new(kind.command(on));
        for &id in &ids {
            seat.due.remove(&id);
            if let Some(standing) = seat.standings.get_mut(&id) {
                standing.state = if on { State::Beginning } else { State::Ending { ended: false } };
            }
            let Some(topic) = self.topics.get(id) else { continue };
            command = command.arg(&*topic.name);
            for call in topic.users.iter().flat_map(|user| &user.waiting) {
                if let Some(ticket) = self.tickets.get_mut(call) {
                    ticket.sent = true;
                }
            }
        }
        let mut topics: VecDeque<_> = ids.into();
        if (kind, on) == (Kind::Shard, false)
            && let Some(&last) = topics.back()
            && let Some(topic) = self.topics.get(last)
        {
            command = command.arg(&*topic.name);
            topics.push_back(last);
        }
        seat.asked.push_back(Batch { kind, on, topics, begun: false });
        Some(command)
    }

    /// A node says that a subscription has begun, or ended. `asked`: a command to that effect may have reached
    /// it. Returns whether that was the last that the first command was to bring.
    pub(crate) fn handle_confirmation(
        &mut self,
        node: NodeId,
        (kind, on): (Kind, bool),
        name: &[u8],
        asked: bool,
    ) -> Confirmed {
        let Some(seat) = self.seats.get_mut(&node) else { return Confirmed::Unasked };
        let Some(id) = self.topics.find(kind, name) else { return Confirmed::Unasked };
        let is_due = |batch: &&mut Batch| {
            asked && (batch.kind, batch.on) == (kind, on) && batch.topics.front() == Some(&id)
        };
        let Some(batch) = seat.asked.front_mut().filter(is_due) else {
            return self.handle_unasked(node, id, on);
        };
        batch.topics.pop_front();
        batch.begun = true;
        if batch.topics.front() == Some(&id) {
            // If it is refused now, it was the node that has ended it.
            self.set_state(node, id, State::Ending { ended: true });
            return Confirmed::Part;
        }
        let is_last = batch.topics.is_empty();
        if is_last {
            seat.asked.pop_front();
            self.busy.insert(node);
        }
        if let Some(standing) = seat.standings.get_mut(&id) {
            let state = if on { State::Confirmed } else { State::Absent };
            *standing = Standing { wanted: standing.wanted, state, ..Standing::default() };
        }
        if let Some(topic) = self.topics.get_mut(id).filter(|_| on) {
            topic.refusals = 0;
        }
        self.settle(id);
        self.look_at(node, id);
        if is_last { Confirmed::Last } else { Confirmed::Part }
    }

    fn set_state(&mut self, node: NodeId, id: TopicId, state: State) {
        if let Some(standing) = self.standing(node, id) {
            standing.state = state;
        }
    }

    /// A node has ended a subscription by itself, as it does when the slot of a sharded channel leaves it.
    fn handle_unasked(&mut self, node: NodeId, id: TopicId, on: bool) -> Confirmed {
        let Some(standing) = self.standing(node, id).filter(|_| !on) else { return Confirmed::Unasked };
        match &mut standing.state {
            State::Confirmed => {
                standing.state = State::Absent;
                self.settle(id);
                self.look_at(node, id);
            }
            State::Ending { ended } => *ended = true,
            State::Absent | State::Beginning => {}
        }
        Confirmed::Unasked
    }

    /// A node has refused the first command that it was given. `again` says when to try again what was refused so
    /// often.
    ///
    /// # Errors
    /// It has confirmed a part of it before: that makes no sense.
    pub(crate) fn handle_refusal(
        &mut self,
        node: NodeId,
        verdict: Verdict,
        error: &Error,
        mut again: impl FnMut(u32) -> Instant,
        places: &impl Places,
    ) -> Result<(), &'static str> {
        let batch = self.seats.get_mut(&node).and_then(|seat| seat.asked.pop_front());
        let may_have_begun = |batch: &Batch| (batch.kind, batch.on) == (Kind::Shard, false);
        let Some(batch) = batch.filter(|batch| !batch.begun || may_have_begun(batch)) else {
            return Err("a subscription was confirmed in part and then refused");
        };
        self.busy.insert(node);
        let mut topics = Vec::from(batch.topics);
        topics.dedup();
        let is_several = topics.len() > 1;
        let is_unclear = verdict == Verdict::Never && is_several;
        for id in topics {
            let Some(standing) = self.standing(node, id) else { continue };
            let is_absent = batch.on || standing.state == State::Ending { ended: true };
            standing.state = if is_absent { State::Absent } else { State::Confirmed };
            standing.alone |= is_unclear;
            standing.stuck = !is_absent && verdict == Verdict::Never && !is_several;
            // It may be wanted again by now.
            self.settle(id);
            let refusals = match batch.on {
                _ if is_unclear => None,
                true => self.handle_refused(id, verdict, error, places),
                false => (verdict == Verdict::Later).then_some(1),
            };
            let standing = self.standing(node, id);
            match refusals.filter(|_| standing.is_some_and(|standing| standing.wish() == Some(batch.on))) {
                Some(refusals) => drop(self.later.insert((again(refusals), node, id))),
                None => self.look_at(node, id),
            }
        }
        Ok(())
    }

    /// A topic was refused: those who wait for it are told, or told later if their time passes before. Returns how
    /// often it was refused in a row, if somebody still wants it.
    fn handle_refused(
        &mut self,
        id: TopicId,
        verdict: Verdict,
        error: &Error,
        places: &impl Places,
    ) -> Option<u32> {
        /// So often a topic follows its slot at once; nodes that send it in circles wait.
        const HOPS: u32 = 3;
        let topic = self.topics.get_mut(id)?;
        topic.refusals = topic.refusals.saturating_add(1);
        let refusals = topic.refusals;
        let calls: SmallVec<[u64; 4]> =
            topic.users.iter().flat_map(|user| user.waiting.iter().copied()).collect();
        for call in calls {
            match verdict {
                Verdict::Never => self.fail(call, error.clone(), places),
                Verdict::Later => {
                    if let Some(ticket) = self.tickets.get_mut(&call) {
                        ticket.cause = Some(error.clone());
                    }
                }
            }
        }
        if refusals <= HOPS {
            self.place(id, places);
        }
        self.topics.get(id).map(|_| refusals)
    }
}

/// What a confirmation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// One of several that a command brings.
    Part,
    /// The last that a command brings.
    Last,
    /// Nobody asked for it.
    Unasked,
}
