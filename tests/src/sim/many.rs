//! Many runs, each of another seed, on all cores.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Report, Tally, Violation};

/// What makes a run out of a seed, with its trace as text or without.
pub type Runner = fn(u64, bool) -> Result<Report, (Violation, String)>;

/// Runs a seed: the hash of its trace and what it reached.
///
/// # Errors
/// Why it failed.
pub fn attempt(run: Runner, seed: u64) -> Result<(u64, Tally), String> {
    match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
        Ok(Ok(report)) => Ok((report.hash, report.tally)),
        Ok(Err((violation, _))) => Err(format!("{}: {}", violation.oracle, violation.what)),
        Err(_) => Err("a panic".to_owned()),
    }
}

/// Runs all seeds on all cores: what they reached together, and the failures in their order.
///
/// # Panics
/// A thread did.
#[must_use]
pub fn run_all(run: Runner, seeds: Range<u64>) -> (Tally, Vec<(u64, String)>) {
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
                    match attempt(run, seed) {
                        Ok((_, reached)) => tally.add(&reached),
                        Err(why) => total.lock().expect("no thread panics").1.push((seed, why)),
                    }
                }
            });
        }
    });
    let (tally, mut failures) = total.into_inner().expect("no thread panics");
    failures.sort();
    (tally, failures)
}

/// Demands that every run keeps every promise. `REDSTART_SEED=17` runs one seed and shows its trace,
/// `REDSTART_SEEDS=20000..90000` others than the `usual` ones. `test` is the file that calls this.
///
/// # Panics
/// A run broke a promise.
pub fn demand_all(test: &str, run: Runner, usual: Range<u64>) {
    if let Ok(seed) = std::env::var("REDSTART_SEED") {
        let seed = seed.parse().expect("REDSTART_SEED is a number");
        let (text, verdict) = match run(seed, true) {
            Ok(report) => (report.text, Ok(())),
            Err((violation, text)) => (text, Err(violation)),
        };
        println!("{text}");
        return assert_eq!(verdict, Ok(()), "seed {seed}");
    }
    let (tally, failures) = run_all(run, seeds(usual));
    println!("{tally}");
    for (seed, why) in failures.iter().take(20) {
        println!("seed {seed}: {why}");
    }
    let Some((seed, _)) = failures.first() else { return };
    let again = format!("cargo test -p redstart-tests --test {test} every_promise -- --nocapture");
    panic!("{} seeds failed; for the first of them: REDSTART_SEED={seed} {again}", failures.len());
}

/// The seeds to run: the usual ones, or what the environment says.
fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("REDSTART_SEEDS") else { return usual };
    let bounds = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("REDSTART_SEEDS is like 0..20000, not {text}"))
}
