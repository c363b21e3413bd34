//! What one node knows of topics, and what it was told and has not confirmed.
//!
//! ```text
//!            SUBSCRIBE                 confirmed
//! Absent ----------------> Beginning ------------> Confirmed
//!   ^ ^                        | refused             |    ^
//!   | `------------------------'         UNSUBSCRIBE |    | refused
//!   |                                                v    |
//!   `---------------- confirmed ------------------- Ending
//! ```
//!
//! A topic is in one command at a time. What is wanted meanwhile is looked at when that is answered, so the last
//! wish wins whatever it meets.
//!
//! A node that loses a slot ends the subscriptions of its sharded channels, and says so as if it confirmed a command;
//! a command to end them that it meets behind that is refused. So that the one is not taken for the other, that
//! command names its last channel twice: what is said twice was not said by the node on its own account.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Kind;
use super::topic::TopicId;
use crate::connection::ConnId;

/// Commands that may be unanswered on one connection.
pub(super) const COMMANDS_MAX: usize = 16;
/// Topics in one command.
pub(super) const TOPICS_MAX: usize = 512;
/// Bytes of names in one command, unless one name alone has more.
pub(super) const BYTES_MAX: usize = 64 << 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Absent,
    /// In a command that is not answered yet.
    Beginning,
    Confirmed,
    /// In a command that is not answered yet.
    Ending {
        /// The node has ended it meanwhile on its own account.
        ended: bool,
    },
}

/// How a topic stands with one node.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// It is to be subscribed there.
    pub(super) wanted: bool,
    pub(super) state: State,
    /// It was refused together with others: it gets a command of its own, so that the next refusal is its own.
    pub(super) alone: bool,
    /// It could not be unsubscribed: the connection will have to end before it is.
    pub(super) stuck: bool,
    /// It was subscribed elsewhere since: what comes may be older than what came from there.
    pub(super) stale: bool,
}

impl Standing {
    /// What is to be said of it now: that it is to begin, or to end.
    pub(super) const fn wish(&self) -> Option<bool> {
        match self.state {
            State::Absent if self.wanted => Some(true),
            State::Confirmed if (!self.wanted || self.stale) && !self.stuck => Some(false),
            _ => None,
        }
    }

    /// Whether what comes is what is to be told.
    pub(super) fn is_confirmed(&self) -> bool {
        self.state == State::Confirmed && (!self.stale || self.stuck)
    }
}

/// A command that is not answered.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) kind: Kind,
    pub(super) on: bool,
    /// Those whose confirmation is to come, in their order.
    pub(super) topics: VecDeque<TopicId>,
    /// One of its topics was confirmed.
    pub(super) begun: bool,
}

/// One node.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// The connection that has the subscriptions.
    pub(super) conn: Option<ConnId>,
    pub(super) standings: BTreeMap<TopicId, Standing>,
    /// How many of them are wanted.
    pub(super) wanted: usize,
    /// Topics of which something may be to be said.
    pub(super) due: BTreeSet<TopicId>,
    /// Commands in their order.
    pub(super) asked: VecDeque<Batch>,
}

impl Seat {
    /// Whether a topic is subscribed there, as far as is known.
    pub(super) fn is_confirmed(&self, id: TopicId) -> bool {
        self.standings.get(&id).is_some_and(Standing::is_confirmed)
    }

    /// Whether there may be something to say.
    pub(super) fn is_due(&self) -> bool {
        self.conn.is_some() && !self.due.is_empty() && self.asked.len() < COMMANDS_MAX
    }

    /// The topic that can be spoken of next, and whether it is to begin or to end.
    pub(super) fn next(&mut self) -> Option<(TopicId, bool)> {
        while let Some(&id) = self.due.first() {
            match self.standings.get(&id).and_then(Standing::wish) {
                Some(on) => return Some((id, on)),
                None => self.due.remove(&id),
            };
        }
        None
    }
}
