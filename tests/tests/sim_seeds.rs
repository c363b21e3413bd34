//! Twenty thousand runs of the simulation, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace. `REDSTART_SEED=17` runs one seed,
//! `REDSTART_SEEDS=20000..90000` others than the usual ones. A seed that fails becomes a named scenario in
//! `sim_scenarios.rs`, since seeds change their meaning with the simulation.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use redstart_tests::sim::{self, Tally};

const SEEDS: Range<u64> = 0..20_000;

/// The seeds to run: the usual ones, or what the environment says.
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("REDSTART_SEEDS") else { return SEEDS };
    let bounds = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("REDSTART_SEEDS is like 0..20000, not {text}"))
}

/// Runs a seed; what it reached, or why it failed.
fn attempt(seed: u64) -> Result<(u64, Tally), String> {
    match catch_unwind(AssertUnwindSafe(|| sim::run(seed, false))) {
        Ok(Ok(report)) => Ok((report.hash, report.tally)),
        Ok(Err((violation, _))) => Err(format!("{}: {}", violation.oracle, violation.what)),
        Err(_) => Err("a panic".to_owned()),
    }
}

/// Runs all seeds on all cores. Returns what they reached together, and the failures.
fn run_all(seeds: Range<u64>) -> (Tally, Vec<(u64, String)>) {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new((Tally::default(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        return total.lock().expect("no thread panics").0.add(&tally);
                    }
                    match attempt(seed) {
                        Ok((_, reached)) => tally.add(&reached),
                        Err(why) => total.lock().expect("no thread panics").1.push((seed, why)),
                    }
                }
            });
        }
    });
    total.into_inner().expect("no thread panics")
}

#[test]
fn every_promise_is_kept_in_every_run() {
    if let Ok(seed) = std::env::var("REDSTART_SEED") {
        let seed = seed.parse().expect("REDSTART_SEED is a number");
        let (text, verdict) = match sim::run(seed, true) {
            Ok(report) => (report.text, Ok(())),
            Err((violation, text)) => (text, Err(violation)),
        };
        println!("{text}");
        return assert_eq!(verdict, Ok(()), "seed {seed}");
    }
    let (tally, mut failures) = run_all(seeds());
    failures.sort();
    println!("{tally}");
    for (seed, why) in failures.iter().take(20) {
        println!("seed {seed}: {why}");
    }
    let Some((seed, _)) = failures.first() else { return };
    let again = "cargo test -p redstart-tests --test sim_seeds every_promise -- --nocapture";
    panic!("{} seeds failed; for the first of them: REDSTART_SEED={seed} {again}", failures.len());
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..20_000).step_by(100) {
        assert_eq!(attempt(seed), attempt(seed), "seed {seed}");
    }
}

/// A simulation in which nothing happens would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(0..1000);
    let reached = [
        ("ok", 50_000),
        ("ok in a transaction", 3000),
        ("not sent", 3000),
        ("rejected", 1000),
        ("may have run, and did", 1000),
        ("may have run, and did not", 1000),
        ("may have run in a transaction", 1000),
        ("calls dropped", 2000),
        ("calls dropped before the driver saw them", 1000),
        ("client closed", 1000),
        ("commands sent again after a loss", 300),
        ("commands sent again after a refusal", 100),
        ("commands that ran twice", 100),
        ("connections lost with several requests in flight", 300),
        ("connections with an unasked reply", 50),
        ("broken conversation", 100),
        ("lost connection", 1000),
        ("no room", 1000),
        ("timed out in line", 100),
        ("timed out while closing", 100),
        ("timed out with a cause", 1000),
        ("timed out without a connection", 1000),
        ("timed out without a reply", 1000),
        ("transaction aborted", 500),
    ];
    for (what, least) in reached {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
