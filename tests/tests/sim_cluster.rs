//! Runs of the simulation with a cluster, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace. `REDSTART_SEED=17` runs one seed,
//! `REDSTART_SEEDS=0..20000` more than the usual ones, which are few enough for every change. A seed that
//! fails becomes a named scenario in `sim_cluster_scenarios.rs`, since seeds change their meaning with the
//! simulation.

use redstart_tests::sim::{attempt, demand_all, run_all, run_cluster};

#[test]
fn every_promise_is_kept_in_every_run() {
    demand_all("sim_cluster", run_cluster, 0..2000);
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..20_000).step_by(200) {
        assert_eq!(attempt(run_cluster, seed), attempt(run_cluster, seed), "seed {seed}");
    }
}

/// A simulation in which nothing happens would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(run_cluster, 0..400);
    let reached = [
        ("ok", 30_000),
        ("ok in a transaction", 5000),
        ("moved", 1000),
        ("asked to ask", 300),
        ("ran behind ASKING", 80),
        ("asked to try again", 80),
        ("sent astray", 400),
        ("redirected too often", 12),
        ("cluster down", 900),
        ("asked for the slots", 6000),
        ("asked for the slots, and lied", 20),
        ("primary handed over", 60),
        ("primary replaced", 40),
        ("written to a primary that had been replaced", 10),
        ("ran and was lost", 10),
        ("read from a replica", 1000),
        ("strangers came", 30),
        ("commands sent again after a refusal", 1000),
        ("may have run, and did", 400),
        ("may have run, and did not", 400),
        ("connections lost with several requests in flight", 20),
        ("timed out without a reply", 400),
        ("transaction aborted", 800),
    ];
    for (what, least) in reached {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
