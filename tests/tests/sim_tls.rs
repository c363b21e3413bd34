//! Runs of the simulation with TLS: records that are cut and delayed, streams that end without a word, servers that
//! die in the middle of a handshake. All that holds without TLS holds with it, and every connection has it: what is
//! no TLS would reach no server.
//!
//! A failure names its seed and how to run it alone, with its trace. `REDSTART_SEED=17` runs one seed,
//! `REDSTART_SEEDS=0..20000` others than the usual ones.

use redstart_tests::sim::{
    attempt, demand_all, run_all, run_secured, run_secured_cluster, run_secured_service,
};

#[test]
fn every_promise_is_kept_in_every_run_with_one_server() {
    demand_all("sim_tls", run_secured, 0..300);
}

#[test]
fn every_promise_is_kept_in_every_run_with_a_cluster() {
    demand_all("sim_tls", run_secured_cluster, 0..60);
}

#[test]
fn every_promise_is_kept_in_every_run_with_sentinels() {
    demand_all("sim_tls", run_secured_service, 0..60);
}

#[test]
fn a_seed_decides_everything() {
    for seed in 0..10 {
        assert_eq!(attempt(run_secured, seed), attempt(run_secured, seed), "seed {seed}");
        assert_eq!(attempt(run_secured_cluster, seed), attempt(run_secured_cluster, seed), "seed {seed}");
    }
}

/// A simulation in which nothing happens would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let (tally, _) = run_all(run_secured, 0..200);
    let reached = [
        ("ok", 15_000),
        ("ok in a transaction", 1000),
        ("may have run, and did", 700),
        ("connections lost with several requests in flight", 80),
        ("connections with an unasked reply", 15),
        ("lost connection", 400),
        ("stream of TLS cut off", 5),
    ];
    for (what, least) in reached {
        assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
    }
}
