//! Three hundred runs of the simulation with calls that wait at the server and with sessions, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace, as in `sim_seeds.rs`.

use redstart_tests::sim::{attempt, demand_all, run_all, run_leases};

#[test]
fn every_promise_about_side_connections_is_kept() {
    demand_all("sim_leases", run_leases, 0..300);
}

#[test]
fn a_seed_decides_everything() {
    for seed in (0..300).step_by(50) {
        assert_eq!(attempt(run_leases, seed), attempt(run_leases, seed), "seed {seed}");
    }
}

/// A simulation in which nobody waits would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(run_leases, 0..100);
    for (what, least) in [
        ("items delivered", 2_000),
        ("items given back", 100),
        ("waits ended", 2_000),
        ("sessions", 5_000),
        ("ok", 5_000),
    ] {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
