//! What must hold in every run with a cluster besides what holds in every run. C is where a request goes.

use super::{Applied, Cluster};
use crate::sim::ledger::{Ledger, Record};
use crate::sim::oracles::{Verdict, demand};
use crate::sim::workload::Outcome;

/// B3: what was acknowledged is there, once, unless it was lost with the tail of a primary that was replaced,
/// or was taken by one that did not know yet.
pub(in crate::sim) fn b3_acknowledged_writes_survive(
    id: usize,
    ledger: &Ledger,
    outcome: &Outcome,
    cluster: &Cluster,
) -> Verdict {
    const NAME: &str = "b3_acknowledged_writes_survive";
    let record = ledger.get(id);
    if outcome.is_err() || !record.job.writes() || !record.job.can_run() {
        return Ok(());
    }
    let applied: Vec<_> = cluster.applied.iter().filter(|applied| applied.id == id).collect();
    let may_be_lost = |applied: &Applied| {
        let lossy = cluster.promotions.iter().filter(|promotion| !promotion.graceful);
        lossy
            .filter(|promotion| promotion.from == applied.node)
            .any(|promotion| promotion.at < applied.at + cluster.options.lag)
    };
    let there = cluster.survivors(id);
    let lost = applied.iter().any(|applied| may_be_lost(applied));
    demand((there >= 1 || lost) && there <= applied.len(), NAME, || {
        format!("command {id} was acknowledged and is there {there} times; it ran so: {applied:?}")
    })
}

/// C1: a request is sent elsewhere 16 times at most. The redirect after those is the last that is read.
pub(in crate::sim) fn c1_redirects_are_bounded(id: usize, record: &Record) -> Verdict {
    demand(record.most_redirects <= 17, "c1_redirects_are_bounded", || {
        format!("command {id} was sent elsewhere {} times in a row", record.most_redirects)
    })
}

/// C3: no request goes to another cluster, whatever its nodes' addresses once were.
pub(in crate::sim) fn c3_other_clusters_are_left_alone(cluster: &Cluster) -> Verdict {
    let strayed = cluster.applied.iter().find(|applied| applied.foreign);
    demand(strayed.is_none(), "c3_other_clusters_are_left_alone", || {
        format!("a command ran in another cluster: {strayed:?}")
    })
}

/// C3, C4, C5, C7: a command goes to a node that was said to have its slot, by an answer that makes sense or by a
/// redirect for this slot. What is said of one slot moves no other, and nonsense moves nothing.
pub(in crate::sim) fn c5_commands_go_where_somebody_said(node: usize, stray: Option<u16>) -> Verdict {
    demand(stray.is_none(), "c5_commands_go_where_somebody_said", || {
        format!("a command for slot {stray:?} is sent to node {}, of which nobody said so", node + 1)
    })
}

/// C6: a node that owes replies and was replaced is left alone.
pub(in crate::sim) fn c6_the_replaced_are_left_alone(
    node: usize,
    known_since: u64,
    now: u64,
    patience: u64,
) -> Verdict {
    demand(now <= known_since + patience, "c6_the_replaced_are_left_alone", || {
        format!("a request is sent to node {}, frozen and replaced for {} ns", node + 1, now - known_since)
    })
}

/// C8: no node is asked for the slots more often than refreshes may follow each other.
pub(in crate::sim) fn c8_refreshes_keep_their_interval(
    node: usize,
    asked: &[u64],
    interval: u64,
    slack: u64,
) -> Verdict {
    // Two questions may come close together, since their way takes time; many may not.
    let close = asked.windows(4).find(|times| times[3] - times[0] + slack < 2 * interval);
    demand(close.is_none(), "c8_refreshes_keep_their_interval", || {
        format!("node {} was asked at {close:?}, refreshes are {interval} ns apart", node + 1)
    })
}

/// C13: a connection on which requests are in flight is closed only if something is wrong with it or its node.
pub(in crate::sim) fn c13_busy_connections_are_kept(conn: usize, in_flight: usize) -> Verdict {
    demand(in_flight == 0, "c13_busy_connections_are_kept", || {
        format!("connection {} was closed with {in_flight} requests in flight", conn + 1)
    })
}
