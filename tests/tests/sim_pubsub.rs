//! Eight hundred runs of the simulation with subscribers, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace, as in `sim_seeds.rs`.

use redstart_tests::sim::{attempt, demand_all, run_all, run_pubsub};

#[test]
fn every_gap_is_told_and_every_subscription_is_restored() {
    demand_all("sim_pubsub", run_pubsub, 0..800);
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..800).step_by(50) {
        assert_eq!(attempt(run_pubsub, seed), attempt(run_pubsub, seed), "seed {seed}");
    }
}

/// A simulation in which nothing is said would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(run_pubsub, 0..200);
    for (what, least) in [
        ("messages read", 10_000),
        ("gaps told", 300),
        ("messages dropped for want of room", 300),
        ("ok", 10_000),
    ] {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
