//! What runs have reached: a simulation in which nothing happens proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use redstart_core::error::{ConnectionError, Delivery, ErrorKind, TlsError, Waiting};

use super::Sim;
use super::ledger::Shape;
use super::workload::{End, Outcome};

/// How often what has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    /// How often `what` has happened.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what).or_default() += count);
    }

    pub(super) fn note(&mut self, what: &'static str, holds: bool) {
        self.count_up(what, u64::from(holds));
    }

    pub(super) fn count_up(&mut self, what: &'static str, by: u64) {
        *self.0.entry(what).or_default() += by;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9} {what}"))
    }
}

impl Sim {
    /// What has happened in a run.
    pub(super) fn tally(&self) -> Tally {
        let world = self.world.borrow();
        let mut tally = Tally::default();
        for conn in &world.conns {
            tally.note("connections", true);
            tally.note("connections with an unasked reply", conn.poisoned.is_some());
            tally.note(
                "connections lost with several requests in flight",
                conn.broken && conn.down.dues.len() > 2,
            );
        }
        self.note_readers(&mut tally);
        self.note_leases(&mut tally);
        for call in &self.calls {
            tally.note("calls", true);
            tally.note("calls dropped", matches!(call.end, Some(End { outcomes: None, .. })));
            tally.note("calls dropped before the driver saw them", call.unseen);
            for (part, id) in call.commands().enumerate() {
                let record = world.ledger.get(id);
                let resent = record.sends.len() > record.refusals + 1;
                tally.note("commands sent again after a loss", resent);
                tally.note(
                    "commands sent again after a refusal",
                    record.refusals > 0 && !record.runs.is_empty(),
                );
                tally.note("commands that ran twice", record.runs.len() > 1);
                let outcomes = call.end.as_ref().and_then(|end| end.outcomes.as_ref());
                if let Some(outcome) = outcomes.and_then(|outcomes| outcomes.get(part)) {
                    tally.note_outcome(call.plan.shape, outcome, !record.runs.is_empty());
                }
            }
        }
        if let Some(cluster) = &world.cluster {
            tally.add(&cluster.tally);
            cluster.note_history(&world.ledger, &mut tally);
        }
        if let Some(watch) = &world.service {
            watch.note_history(&world.ledger, &mut tally);
        }
        tally
    }
}

impl Tally {
    fn note_outcome(&mut self, shape: Shape, outcome: &Outcome, ran: bool) {
        let transaction = shape == Shape::Transaction;
        let Err(error) = outcome else {
            self.note("ok", true);
            self.note("ok over several slots", shape == Shape::Split);
            return self.note("ok in a transaction", transaction);
        };
        let what = match error.delivery() {
            Delivery::NotSent => "not sent",
            Delivery::Rejected => "rejected",
            Delivery::MaybeExecuted if ran => "may have run, and did",
            Delivery::MaybeExecuted => "may have run, and did not",
        };
        self.note(what, true);
        self.note("may have run in a transaction", transaction && error.may_have_run());
        self.note("timed out with a cause", error.is_timeout() && error.cause().is_some());
        let kind = match error.kind() {
            ErrorKind::Timeout(Waiting::Queue) => "timed out in line",
            ErrorKind::Timeout(Waiting::Connection) => "timed out without a connection",
            ErrorKind::Timeout(Waiting::Reply) => "timed out without a reply",
            ErrorKind::Timeout(_) => "timed out while closing",
            ErrorKind::Connection(_) => "lost connection",
            ErrorKind::Conversation(_) => "broken conversation",
            ErrorKind::TransactionAborted { .. } => "transaction aborted",
            ErrorKind::Server(_) => "refused by the server",
            ErrorKind::Limit(_) => "no room",
            ErrorKind::Closed => "client closed",
            ErrorKind::TooManyRedirects { .. } => "redirected too often",
            ErrorKind::NoPrimary { .. } => "no primary",
            _ => "another error",
        };
        self.note(kind, true);
        let cut_off = ErrorKind::Connection(ConnectionError::Tls(TlsError::Truncated));
        let mut causes = std::iter::successors(Some(error), |error| error.cause());
        self.note("stream of TLS cut off", causes.any(|error| *error.kind() == cut_off));
    }
}
