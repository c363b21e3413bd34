//! Runs of the simulation with sentinels, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace. `REDSTART_SEED=17` runs one seed,
//! `REDSTART_SEEDS=0..20000` more than the usual ones, which are few enough for every change. A seed that
//! fails becomes a named scenario in `sim_sentinel_scenarios.rs`, since seeds change their meaning with the
//! simulation.

use redstart_tests::sim::{attempt, demand_all, run_all, run_service};

#[test]
fn every_promise_is_kept_in_every_run() {
    demand_all("sim_sentinel", run_service, 0..2000);
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..20_000).step_by(400) {
        assert_eq!(attempt(run_service, seed), attempt(run_service, seed), "seed {seed}");
    }
}

/// A simulation in which nothing happens would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(run_service, 0..400);
    println!("{tally}");
    let reached = [
        ("ok", 30_000),
        ("may have run, and did", 100),
        ("may have run, and did not", 100),
        ("commands sent again after a refusal", 6),
        ("primary replaced", 100),
        ("primary replaced, and used", 50),
        ("ran and was lost", 50),
        ("read from a replica", 1000),
        ("questions to sentinels", 5000),
        ("sentinels that lied", 50),
        ("sentinels whose address is another's", 50),
        ("told of a new primary unasked", 50),
    ];
    for (what, least) in reached {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
