//! Twenty thousand runs of the simulation, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace. `REDSTART_SEED=17` runs one seed,
//! `REDSTART_SEEDS=20000..90000` others than the usual ones. A seed that fails becomes a named scenario in
//! `sim_scenarios.rs`, since seeds change their meaning with the simulation.

use redstart_tests::sim::{self, attempt, demand_all, run_all};

#[test]
fn every_promise_is_kept_in_every_run() {
    demand_all("sim_seeds", sim::run, 0..20_000);
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..20_000).step_by(100) {
        assert_eq!(attempt(sim::run, seed), attempt(sim::run, seed), "seed {seed}");
    }
}

/// A simulation in which nothing happens would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(sim::run, 0..1000);
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
