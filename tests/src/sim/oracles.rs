//! What must hold in every run, whatever goes wrong. The letters are those of the promises they check:
//! A is whose reply it is, B is how often a command runs, E is time, H is room.

use redstart_core::command::Value;
use redstart_core::error::{Delivery, ErrorKind, ServerCode, ServerError, Waiting};

use super::conn::{Conn, Due, Stage};
use super::ledger::{Ledger, Record, Shape};
use super::request::{Job, Op, Request};
use super::workload::{Call, End, Outcome};
use super::world::{Expected, MS};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The oracle that found it.
    pub oracle: &'static str,
    /// What it found.
    pub what: String,
}

pub(super) type Verdict = Result<(), Violation>;

pub(super) fn demand(holds: bool, oracle: &'static str, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation { oracle, what: what() }) }
}

/// A1: a reply is delivered to the request that it answers, whole and unchanged.
pub(super) fn a1_replies_are_ones_own(id: usize, ledger: &Ledger, outcome: &Outcome) -> Verdict {
    const NAME: &str = "a1_replies_are_ones_own";
    let record = ledger.get(id);
    let said = |value: &Value| record.replies.contains(value);
    match outcome {
        Ok(value) => demand(said(value), NAME, || {
            format!("command {id} got {value:?}, its replies are {:?}", record.replies)
        }),
        Err(error) => match (error.kind(), record.shape) {
            (ErrorKind::Server(error), _) if ledger.is_greeting(error) => Ok(()),
            (ErrorKind::Server(error), Shape::Single | Shape::Pipeline) => {
                demand(said(&Value::Error(error.clone())), NAME, || {
                    format!("command {id} got {error:?}, its replies are {:?}", record.replies)
                })
            }
            (ErrorKind::Conversion(error), _) => demand(false, NAME, || format!("command {id}: {error:?}")),
            _ => Ok(()),
        },
    }
}

/// A2: a call that is dropped before the driver could see it leaves no trace on the wire.
pub(super) fn a2_what_is_dropped_at_once_is_never_sent(call: &Call, ledger: &Ledger) -> Verdict {
    let sent = || call.commands().find(|&id| !ledger.get(id).sends.is_empty());
    let found = if call.unseen { sent() } else { None };
    demand(found.is_none(), "a2_what_is_dropped_at_once_is_never_sent", || {
        format!("command {found:?} was sent although its call was dropped before the driver ran")
    })
}

/// A3: where nothing goes wrong but that callers drop their calls, all other calls succeed.
pub(super) fn a3_dropped_calls_disturb_nobody(id: usize, record: &Record, outcome: &Outcome) -> Verdict {
    let allowed = |kind: &ErrorKind| match kind {
        // What the workload provokes itself.
        ErrorKind::Limit(_) | ErrorKind::TransactionAborted { .. } => true,
        ErrorKind::Closed | ErrorKind::Timeout(Waiting::Drain) => true,
        ErrorKind::Server(_) => !record.job.can_run(),
        _ => false,
    };
    let holds = outcome.as_ref().err().is_none_or(|error| allowed(error.kind()));
    demand(holds, "a3_dropped_calls_disturb_nobody", || format!("command {id} failed: {outcome:?}"))
}

/// A4: a reply that nobody asked for ends its connection: nothing more is sent on it ...
pub(super) fn a4_nothing_is_sent_after_an_unasked_reply(conn: usize, poisoned: Option<u64>) -> Verdict {
    demand(poisoned.is_none(), "a4_nothing_is_sent_after_an_unasked_reply", || {
        format!("connection {} is used although a reply came that nobody asked for", conn + 1)
    })
}

/// A4: ... and it is closed at once.
pub(super) fn a4_an_unasked_reply_closes_its_connection(id: usize, conn: &Conn, slack: u64) -> Verdict {
    let Some(at) = conn.poisoned else { return Ok(()) };
    let in_time = conn.broken || conn.closed_at.is_some_and(|closed| closed <= at + slack);
    demand(in_time, "a4_an_unasked_reply_closes_its_connection", || {
        format!("connection {} was not closed although a reply came that nobody asked for", id + 1)
    })
}

/// A5: no user's command is written before all of the handshake is answered, and none runs without it.
pub(super) fn a5_the_handshake_comes_first(conn: usize, request: &Request, over: bool) -> Verdict {
    demand(over, "a5_the_handshake_comes_first", || {
        let name = request.name().escape_ascii();
        format!("{name} came on connection {} before its handshake was over", conn + 1)
    })
}

/// A6: `HELLO` and `AUTH` are written only when nothing is unanswered.
pub(super) fn a6_hello_and_auth_are_alone(conn: usize, unanswered: (usize, usize)) -> Verdict {
    demand(unanswered.1 == 0, "a6_hello_and_auth_are_alone", || {
        format!("HELLO or AUTH on connection {} behind {} unanswered commands", conn + 1, unanswered.1)
    })
}

/// A9, C13: a connection is closed by the client only if something is wrong with it. Pushes, pieces, full
/// buffers, timeouts and dropped calls are nothing wrong.
pub(super) fn healthy_connections_are_kept(
    conn: usize,
    blemish: Option<&'static str>,
    closing: bool,
) -> Verdict {
    demand(closing || blemish.is_some(), "healthy_connections_are_kept", || {
        format!("connection {} was closed although nothing was wrong with it", conn + 1)
    })
}

/// B1: what may have run is sent again only if it is read-only or marked as idempotent.
pub(super) fn b1_nothing_is_resent_that_may_have_run(conn: usize, id: usize, record: &Record) -> Verdict {
    let may_repeat = record.job.may_repeat() && record.shape != Shape::Transaction;
    let holds = may_repeat || record.sends.len() <= record.refusals;
    demand(holds, "b1_nothing_is_resent_that_may_have_run", || {
        format!("command {id} is sent on connection {} again: {record:?}", conn + 1)
    })
}

/// B2, B3: what a call is told of its fate is true.
pub(super) fn b3_the_fate_is_true(id: usize, record: &Record, outcome: &Outcome) -> Verdict {
    let runs = record.runs.len();
    let may_repeat = record.job.may_repeat() && record.shape != Shape::Transaction;
    if record.shape == Shape::Split && !record.job.writes() && outcome.is_err() {
        // Of a read in parts the error is that of one part, and the others did no harm.
        return Ok(());
    }
    let holds = match outcome {
        Ok(_) if !record.job.can_run() => false,
        Ok(_) => runs == 1 || (may_repeat && runs > 1),
        Err(error) => match error.delivery() {
            Delivery::NotSent | Delivery::Rejected => runs == 0,
            Delivery::MaybeExecuted => may_repeat || runs <= 1,
        },
    };
    demand(holds, "b3_the_fate_is_true", || {
        format!("command {id} ran {runs} times and ended with {outcome:?}: {record:?}")
    })
}

/// B2: nothing runs twice that may not, be its call dropped or not.
pub(super) fn b2_writes_run_once(id: usize, record: &Record) -> Verdict {
    let may_repeat = record.job.may_repeat() && record.shape != Shape::Transaction;
    demand(may_repeat || record.runs.len() <= 1, "b2_writes_run_once", || {
        format!("command {id} ran {} times: {record:?}", record.runs.len())
    })
}

/// B4: a transaction's commands stand between `MULTI` and `EXEC`.
pub(super) fn b4_transactions_are_whole_on_the_wire(conn: usize, id: usize, single: bool) -> Verdict {
    demand(single, "b4_transactions_are_whole_on_the_wire", || {
        format!("command {id} of a transaction is sent alone on connection {}", conn + 1)
    })
}

/// B4: of a transaction all commands run, one behind the other, or none does; unless the server refuses
/// `MULTI`, and then its caller is told that they may have run.
pub(super) fn b4_transactions_run_as_a_whole(call: &Call, ledger: &Ledger) -> Verdict {
    const NAME: &str = "b4_transactions_run_as_a_whole";
    if call.plan.shape != Shape::Transaction {
        return Ok(());
    }
    let able = || call.commands().map(|id| ledger.get(id)).filter(|record| record.job.can_run());
    if able().any(|record| record.runs.iter().any(|run| run.alone)) {
        return Ok(());
    }
    let runs: Vec<_> = able().map(|record| record.runs.first().copied()).collect();
    let none = runs.iter().all(Option::is_none);
    let together = runs.windows(2).all(|pair| match (pair[0], pair[1]) {
        // Commands that cannot run have a place all the same.
        (Some(first), Some(second)) => first.conn == second.conn && first.order < second.order,
        _ => false,
    });
    let all = runs.iter().all(Option::is_some) && together;
    let span = runs.iter().flatten().map(|run| run.order);
    let gapless = span.clone().max().unwrap_or(0) - span.min().unwrap_or(0) < call.plan.jobs.len() as u64;
    demand(none || (all && gapless), NAME, || format!("a transaction ran in parts: {runs:?}"))
}

/// B4: the writes of a pipeline run in its order, those aside that the server turned away in between; and
/// nothing of it runs on another connection behind a write whose fate is unknown.
pub(super) fn b4_pipelines_run_in_order(call: &Call, ledger: &Ledger) -> Verdict {
    if call.plan.shape != Shape::Pipeline {
        return Ok(());
    }
    // Without a key, a command of a cluster is for any node and in no order with others.
    let is_for_any = |job: Job| job.tag.is_some() && job.op == Op::Unknown;
    let plain =
        |record: &&Record| record.refusals == 0 && !record.job.may_repeat() && !is_for_any(record.job);
    let writes: Vec<_> = call.commands().map(|id| ledger.get(id)).filter(plain).collect();
    // In a cluster each slot has an order of its own.
    let mut tags: Vec<_> = writes.iter().map(|record| record.job.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags.into_iter().try_for_each(|tag| {
        let of_tag = writes.iter().copied().filter(|record| record.job.tag == tag);
        b4_writes_run_in_order(&of_tag.collect::<Vec<_>>())
    })
}

fn b4_writes_run_in_order(writes: &[&Record]) -> Verdict {
    let in_order = writes.iter().filter_map(|record| Some(record.runs.first()?.order)).is_sorted();
    let unknown = writes.iter().position(|record| !record.sends.is_empty() && record.replies.is_empty());
    let resumed = unknown.is_some_and(|at| {
        let conn = writes[at].sends[0];
        writes[at..].iter().any(|record| record.sends.iter().any(|&later| later > conn))
    });
    demand(in_order && !resumed, "b4_pipelines_run_in_order", || {
        format!("a pipeline ran out of order, or was resumed in its middle: {writes:?}")
    })
}

/// C9: what one of several nodes turns away for a reason that passes is tried until the deadline, here or elsewhere.
pub(super) fn c9_what_passes_is_waited_for(id: usize, outcome: &Outcome) -> Verdict {
    let code = outcome.as_ref().err().and_then(|error| error.server()).map(ServerError::code);
    let passes = matches!(
        code,
        Some(
            ServerCode::ReadOnly
                | ServerCode::MasterDown
                | ServerCode::Loading
                | ServerCode::TryAgain
                | ServerCode::ClusterDown
        )
    );
    demand(!passes, "c9_what_passes_is_waited_for", || format!("command {id} ended with {outcome:?}"))
}

/// C12: `ASKING` stands right before the command that it is for.
pub(super) fn c12_asking_goes_with_a_command(conn: usize, request: &Request, due: Due) -> Verdict {
    let holds = matches!(due, Due::Whole | Due::Part);
    demand(holds, "c12_asking_goes_with_a_command", || {
        let name = request.name().escape_ascii();
        format!("{name} stands behind ASKING on connection {}", conn + 1)
    })
}

/// C12: what is turned away is sent again after pauses that grow, not as often as it goes.
pub(super) fn c12_refusals_are_answered_by_patience(id: usize, record: &Record, most: usize) -> Verdict {
    demand(record.refusals < most, "c12_refusals_are_answered_by_patience", || {
        format!("command {id} was turned away {} times", record.refusals)
    })
}

/// E1: a call ends by its deadline.
pub(super) fn e1_calls_end_in_time(number: usize, call: &Call, slack: u64) -> Verdict {
    let Some(End { at, .. }) = call.end else {
        return demand(false, "e1_calls_end_in_time", || format!("call {} never ends", number + 1));
    };
    let in_time = call.deadline.is_none_or(|deadline| at <= deadline.saturating_add(slack));
    demand(in_time, "e1_calls_end_in_time", || {
        format!("call {} ended {} ns too late", number + 1, at - call.deadline.unwrap_or(0))
    })
}

/// E2: whatever ended the client, everything ends in time: the driver, every call, every connection.
pub(super) fn e2_everything_ends(what: &str, ended_at: Option<u64>, by: u64, conns: &[Conn]) -> Verdict {
    const NAME: &str = "e2_everything_ends";
    let in_time = ended_at.is_some_and(|at| at <= by);
    demand(in_time, NAME, || format!("{what} ended at {ended_at:?}, it should have by {by}"))?;
    let open = conns.iter().position(|conn| matches!(conn.stage, Stage::Open | Stage::Opening));
    demand(open.is_none(), NAME, || format!("connection {open:?} is left open"))
}

/// E2: a call made after the end is refused, and was not sent.
pub(super) fn e2_calls_after_the_end_are_refused(outcome: Option<&Outcome>) -> Verdict {
    let refused = outcome.is_some_and(|outcome| {
        outcome
            .as_ref()
            .is_err_and(|error| *error.kind() == ErrorKind::Closed && error.delivery() == Delivery::NotSent)
    });
    demand(refused, "e2_calls_after_the_end_are_refused", || format!("it ended with {outcome:?}"))
}

/// E4: whatever happens to its connections, a client does not connect to a server as often as it can.
pub(super) fn e4_connecting_takes_pauses(server: usize, times: &[u64]) -> Verdict {
    let close = times.windows(CONNECTS).find(|times| times[CONNECTS - 1] - times[0] < 100 * MS);
    demand(close.is_none(), "e4_connecting_takes_pauses", || {
        format!("server {} was connected to {CONNECTS} times in 100 ms, at {close:?}", server + 1)
    })
}

/// So many connections in 100 ms are too many, where pauses are up to 2 ms at first and up to 50 ms later.
const CONNECTS: usize = 30;

/// H1: no more commands and bytes are in flight than the queue may hold.
pub(super) fn h1_no_more_is_in_flight_than_may_be<'a>(
    conn: usize,
    dues: impl IntoIterator<Item = &'a (Due, usize)>,
    expected: &Expected,
) -> Verdict {
    let (mut commands, mut bytes) = (0, 0);
    for &(due, len) in dues {
        if matches!(due, Due::Whole | Due::Part) {
            commands += usize::from(due == Due::Whole);
            bytes += len;
        }
    }
    let holds = commands <= expected.queue_commands && bytes <= expected.queue_bytes;
    demand(holds, "h1_no_more_is_in_flight_than_may_be", || {
        format!("{commands} commands of {bytes} bytes are in flight on connection {}", conn + 1)
    })
}

/// H1: no more calls are taken than there is room for, where a full queue makes calls fail.
pub(super) fn h1_no_more_is_taken_than_may_be(commands: usize, bytes: usize, expected: &Expected) -> Verdict {
    let holds = commands <= expected.queue_commands && bytes <= expected.queue_bytes;
    demand(holds, "h1_no_more_is_taken_than_may_be", || {
        format!("{commands} commands of {bytes} bytes were taken")
    })
}

/// Liveness: when all is well again, so is the client.
pub(super) fn requests_succeed_again(number: usize, outcome: &Outcome) -> Verdict {
    demand(outcome.is_ok(), "requests_succeed_again", || {
        format!("call {} failed although all is well: {outcome:?}", number + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::ledger::Run;
    use crate::sim::workload::Plan;

    /// A pipeline of a cluster whose first command was lost with its connection, and whose second ran on another.
    fn judge_gap(first: Op) -> Verdict {
        let jobs = [first, Op::Set(6)].map(|op| Job { tag: Some(9), ..Job::new(op) });
        let mut ledger = Ledger::default();
        let ids = jobs.map(|job| ledger.enter(Shape::Pipeline, job));
        ledger.get_mut(ids[0]).sends.push(18);
        let second = ledger.get_mut(ids[1]);
        second.sends.push(22);
        second.runs.push(Run { conn: 22, order: 77, alone: false });
        second.replies.push(Value::Status("OK".into()));
        let plan = Plan::new(Shape::Pipeline, jobs);
        let room = plan.room(0);
        let (caller, begun, deadline, end) = (None, None, None, None);
        let call = Call { plan, first: 0, room, task: 0, caller, begun, deadline, unseen: false, end };
        b4_pipelines_run_in_order(&call, &ledger)
    }

    #[test]
    fn what_has_no_key_has_no_place_in_the_order_of_a_cluster() {
        assert_eq!(judge_gap(Op::Unknown), Ok(()));
        assert!(judge_gap(Op::Push).is_err(), "the order of one slot is kept");
    }
}
