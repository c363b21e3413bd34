//! One of three primaries is frozen: those who use the other two are not to notice.

use std::thread;
use std::time::{Duration, Instant};

use super::{FAILS_AFTER, cluster, observe_replicas};
use crate::chaos::stage::{Stage, lists_in};
use crate::chaos::{Report, Settings};

/// How much of the throughput is to stay.
const KEPT: f64 = 0.95;

/// How many times longer the slowest hundredth may take.
const SLOWER: u32 = 2;

/// Calls as short as this say more of the machine than of the client.
const NOISE: Duration = Duration::from_millis(5);

pub(super) fn freeze_one(settings: &Settings) -> Report {
    let cluster = cluster(settings, FAILS_AFTER);
    let victim = settings.rng().usize(..3);
    let ranges = [0, 1, 2].map(|node| {
        let slots = cluster.slots_of(node)[0];
        slots.start..=slots.end
    });
    let struck = settings.workers / 3;
    let healthy = settings.workers - struck;
    let (mut others, own) = (ranges.to_vec(), [ranges[victim].clone()]);
    others.remove(victim);
    // The workers of the healthy nodes come first.
    let mut lists = lists_in("healthy", &others, healthy);
    lists.extend(lists_in("struck", &own, struck));

    let observer = observe_replicas(&cluster, victim);
    let stage = Stage::begin(settings, &cluster.url(), lists);
    let time = settings.frozen_for();
    let calm = Instant::now();
    thread::sleep(time);
    let fault = Instant::now();
    let frozen = cluster.server(victim).frozen();
    let promoted = observer.wait();
    thread::sleep(time.saturating_sub(fault.elapsed()));
    let thaw = Instant::now();
    drop(frozen);
    stage.go_on();
    let logs = stage.end();
    cluster.await_ok();
    let verdict = logs.judge(cluster.reader());

    let before = verdict.window(0..healthy, calm..fault);
    let during = verdict.window(0..healthy, fault..thaw);
    let kept = during.per_second / before.per_second;
    let is_as_fast = during.p99 <= (before.p99 * SLOWER).max(NOISE);
    let note = format!(
        "healthy shards before/during: {:.0}/{:.0} calls/s ({:.1} %), p99 {:.2?}/{:.2?}, slowest {:.2?}/{:.2?}",
        before.per_second,
        during.per_second,
        kept * 100.0,
        before.p99,
        during.p99,
        before.slowest,
        during.slowest,
    );
    Report::new(settings, verdict)
        .errors_at_most(struck)
        .promoted(fault, promoted, super::promotion::SOON_AFTER_FREEZE)
        .gate(!settings.extent.timed || kept >= KEPT, "the healthy shards lost throughput")
        .gate(!settings.extent.timed || is_as_fast, "the healthy shards became slower")
        .note(note)
}
