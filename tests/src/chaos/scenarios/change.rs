//! A cluster changes and nothing fails: no call may either.

use redstart_core::commands::{ClusterFailover, ServerCommands, StringCommands};

use super::cluster;
use crate::chaos::stage::{Stage, lists, lists_in};
use crate::chaos::{Report, Settings};
use crate::server::cluster::Cluster;

pub(super) fn reshard(settings: &Settings) -> Report {
    let cluster = cluster(settings, settings.extent.node_timeout);
    let from = settings.rng().usize(..3);
    let (to, slots) = ((from + 1) % 3, settings.extent.slots);
    let stage = Stage::begin(settings, &cluster.url(), lists_that_move(settings, &cluster, from));
    cluster.reshard(from, to, slots);
    stage.go_on();
    cluster.reshard(to, from, slots);
    report(settings, stage, &cluster)
}

pub(super) fn fail_over(settings: &Settings) -> Report {
    let cluster = cluster(settings, settings.extent.node_timeout);
    let mut primaries = [0, 1, 2];
    let stage = Stage::begin(settings, &cluster.url(), lists(settings.workers));
    for time in 0..settings.extent.failovers {
        let primary = &mut primaries[time % 3];
        let replica = cluster.replicas_of(*primary)[0];
        cluster.fail_over(replica, ClusterFailover::Agreed);
        *primary = replica;
        stage.go_on();
    }
    report(settings, stage, &cluster)
}

pub(super) fn add_and_remove_node(settings: &Settings) -> Report {
    let mut cluster = cluster(settings, settings.extent.node_timeout);
    let slots = settings.extent.slots;
    let stage = Stage::begin(settings, &cluster.url(), lists_that_move(settings, &cluster, 0));
    let new = cluster.add_node();
    stage.go_on();
    cluster.reshard(0, new, slots);
    stage.go_on();
    cluster.reshard(new, 0, slots);
    cluster.remove_last_node();
    report(settings, stage, &cluster)
}

/// Lists all over the slots, and some in those that a node gives away first, with other keys beside them.
fn lists_that_move(settings: &Settings, cluster: &Cluster, from: usize) -> Vec<Vec<String>> {
    let first = cluster.slots_of(from)[0].start;
    let moving = first..=first + settings.extent.slots - 1;
    let mut all = lists(settings.workers);
    let wire = cluster.wire(from);
    for (lists, more) in all.iter_mut().zip(lists_in("moving", &[moving], settings.workers)) {
        for list in &more {
            let ballast = (0..settings.extent.ballast).map(|number| (format!("{{{list}}}{number}"), number));
            wire.mset(ballast.collect::<Vec<_>>()).expect("keys of one slot");
        }
        lists.extend(more);
    }
    all
}

fn report(settings: &Settings, stage: Stage<'_>, cluster: &Cluster) -> Report {
    stage.go_on();
    let logs = stage.end();
    cluster.await_ok();
    let report = Report::new(settings, logs.judge(cluster.reader())).errors_at_most(0).lost_none();
    let redirects = ["MOVED", "ASK", "TRYAGAIN"].map(|code| (code, answers(cluster, code)));
    let is_redirected = redirects.iter().any(|(_, times)| *times > 0);
    let redirects = redirects.map(|(code, times)| format!("{code} {times}")).join(", ");
    report.note(redirects).gate(is_redirected, "no call met the change")
}

/// How often the nodes have answered with an error of this code.
fn answers(cluster: &Cluster, code: &str) -> u64 {
    let of_node = |node| {
        let stats = cluster.wire(node).info("errorstats").expect("the server is up");
        let times =
            stats.parts(&format!("errorstat_{code}")).and_then(|parts| parts["count"].parse::<u64>().ok());
        times.unwrap_or(0)
    };
    (0..cluster.len()).map(of_node).sum()
}
