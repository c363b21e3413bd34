//! What must hold in every run with a service besides what holds in every run. C is where a request goes.

use super::{Applied, Promotion, Watch};
use crate::sim::ledger::Ledger;
use crate::sim::oracles::{Verdict, demand};
use crate::sim::workload::Outcome;

/// B3: what was acknowledged is there, once, unless it was lost with the tail of a primary that was replaced,
/// or was taken by one that did not know it yet.
pub(in crate::sim) fn b3_acknowledged_writes_survive(
    id: usize,
    ledger: &Ledger,
    outcome: &Outcome,
    watch: &Watch,
) -> Verdict {
    let record = ledger.get(id);
    if outcome.is_err() || !record.job.writes() || !record.job.can_run() {
        return Ok(());
    }
    let applied: Vec<_> = watch.applied.iter().filter(|applied| applied.id == id).collect();
    let lost_with = |applied: &Applied, promotion: &Promotion| {
        promotion.from == applied.server && promotion.at < applied.at + watch.options.lag
    };
    let lost = applied.iter().any(|applied| watch.promotions.iter().any(|it| lost_with(applied, it)));
    let there = watch.survivors(id);
    demand((there >= 1 || lost) && there <= applied.len(), "b3_acknowledged_writes_survive", || {
        format!("command {id} was acknowledged and is there {there} times; it ran so: {applied:?}")
    })
}

/// C9: once everybody can know that a server was replaced, nothing is sent to it.
pub(in crate::sim) fn c9_the_replaced_are_left_alone(watch: &Watch, patience: u64) -> Verdict {
    let later = |at: u64, server: usize, promotion: &Promotion| {
        let again = watch.promotions.iter().any(|it| it.to == server && it.at >= promotion.at);
        promotion.from == server && at > promotion.at + patience && !again
    };
    let strayed = watch.sent.iter().find(|&&(at, server, _)| {
        watch.servers[server].follows.is_none()
            && watch.promotions.iter().any(|promotion| later(at, server, promotion))
    });
    demand(strayed.is_none(), "c9_the_replaced_are_left_alone", || {
        format!(
            "(time, server, command) {strayed:?} was sent to a server replaced long ago: {:?}",
            watch.promotions
        )
    })
}

/// C10, C11: before anything else, a server has said that it is what the client takes it for.
pub(in crate::sim) fn c10_roles_are_checked(
    conn: usize,
    told: Option<bool>,
    is_server: bool,
    writes: bool,
) -> Verdict {
    let holds = is_server && told.is_some_and(|is_primary| is_primary || !writes);
    demand(holds, "c10_roles_are_checked", || {
        format!(
            "a command is sent on connection {}, to no server or one that has not said what it is",
            conn + 1
        )
    })
}

/// C8: no sentinel is asked more often than searches may follow each other.
pub(in crate::sim) fn c8_searches_keep_their_interval(sentinel: usize, asked: &[u64], slack: u64) -> Verdict {
    // Of two searches the one may ask it last, the other first.
    let close = asked.windows(3).find(|times| times[2] - times[0] + slack < super::seeds::INTERVAL);
    demand(close.is_none(), "c8_searches_keep_their_interval", || {
        format!("sentinel {} was asked at {close:?}", sentinel + 1)
    })
}
