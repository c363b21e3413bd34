//! A primary fails and a replica takes its place.

use std::thread;
use std::time::{Duration, Instant};

use redstart_core::commands::ListCommands;

use super::{FAILS_AFTER, cluster, observe_replicas, sentinels};
use crate::chaos::observer::Observer;
use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::server::Server;
use crate::server::sentinel::{NAME, Sentinels};
use crate::wire::Wire;

/// How long after the promotion the last list is to be written again, if connections of the old primary broke.
const SOON_AFTER_KILL: Duration = Duration::from_millis(500);

/// The same, if the old primary fell silent.
pub(super) const SOON_AFTER_FREEZE: Duration = Duration::from_millis(700);

pub(super) fn cluster_kill(settings: &Settings) -> Report {
    let mut cluster = cluster(settings, FAILS_AFTER);
    let victim = settings.rng().usize(..3);
    let observer = observe_replicas(&cluster, victim);
    let stage = Stage::begin(settings, &cluster.url(), lists(settings.workers));
    let fault = Instant::now();
    cluster.kill(victim);
    let promoted = observer.wait();
    stage.go_on();
    let logs = stage.end();
    cluster.await_ok();
    let report = Report::new(settings, logs.judge(cluster.reader()));
    report.errors_at_most(settings.workers).promoted(fault, promoted, SOON_AFTER_KILL)
}

pub(super) fn cluster_freeze(settings: &Settings) -> Report {
    let cluster = cluster(settings, FAILS_AFTER);
    let victim = settings.rng().usize(..3);
    let observer = observe_replicas(&cluster, victim);
    let stage = Stage::begin(settings, &cluster.url(), lists(settings.workers));
    let (fault, promoted) = freeze(settings, cluster.server(victim), observer, &stage);
    let logs = stage.end();
    cluster.await_ok();
    let report = Report::new(settings, logs.judge(cluster.reader()));
    report.errors_at_most(settings.workers).promoted(fault, promoted, SOON_AFTER_FREEZE)
}

pub(super) fn sentinel_kill(settings: &Settings) -> Report {
    let mut sentinels = sentinels(settings);
    let observer = observe_sentinels(&sentinels);
    let stage = Stage::begin(settings, &sentinels.url(), lists(settings.workers));
    let fault = Instant::now();
    sentinels.servers_mut()[0].kill9();
    let switched = observer.wait();
    stage.go_on();
    report_of_sentinels(settings, &sentinels, stage, (fault, switched), SOON_AFTER_KILL)
}

pub(super) fn sentinel_freeze(settings: &Settings) -> Report {
    let sentinels = sentinels(settings);
    let observer = observe_sentinels(&sentinels);
    let stage = Stage::begin(settings, &sentinels.url(), lists(settings.workers));
    let times = freeze(settings, &sentinels.servers()[0], observer, &stage);
    report_of_sentinels(settings, &sentinels, stage, times, SOON_AFTER_FREEZE)
}

fn observe_sentinels(sentinels: &Sentinels) -> Observer {
    let addrs = sentinels.sentinels().iter().map(Server::addr).collect();
    Observer::of_switch(addrs, NAME, sentinels.servers()[0].addr())
}

fn report_of_sentinels(
    settings: &Settings,
    sentinels: &Sentinels,
    stage: Stage<'_>,
    (fault, switched): (Instant, Instant),
    soon: Duration,
) -> Report {
    let logs = stage.end();
    let primary = sentinels.primary();
    sentinels.await_primary(primary);
    let wire = Wire::connect(sentinels.servers()[primary].addr(), 3);
    let verdict = logs.judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    let report = Report::new(settings, verdict);
    report.errors_at_most(settings.workers).promoted(fault, switched, soon)
}

/// Freezes a primary for some time, at least until it is replaced. Returns when both happened.
fn freeze(
    settings: &Settings,
    primary: &Server,
    observer: Observer,
    stage: &Stage<'_>,
) -> (Instant, Instant) {
    let time = settings.frozen_for();
    let fault = Instant::now();
    let frozen = primary.frozen();
    let promoted = observer.wait();
    stage.go_on();
    thread::sleep(time.saturating_sub(fault.elapsed()));
    drop(frozen);
    // Now it does what it had received, and still takes itself for a primary.
    stage.go_on();
    (fault, promoted)
}
