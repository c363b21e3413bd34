//! Runs of the simulation with subscribers to one server, to a cluster and behind sentinels, on all cores.
//!
//! A failure names its seed and how to run it alone, with its trace, as in `sim_seeds.rs`.

use redstart_tests::sim::{
    Runner, attempt, demand_all, run_all, run_cluster_pubsub, run_pubsub, run_service_pubsub,
};

#[test]
fn every_promise_is_kept_by_one_server() {
    demand_all("sim_pubsub", run_pubsub, 0..600);
}

#[test]
fn every_promise_is_kept_in_a_cluster() {
    demand_all("sim_pubsub", run_cluster_pubsub, 0..80);
}

#[test]
fn every_promise_is_kept_behind_sentinels() {
    demand_all("sim_pubsub", run_service_pubsub, 0..80);
}

#[test]
fn a_seed_decides_everything() {
    for run in [run_pubsub, run_cluster_pubsub, run_service_pubsub] {
        for seed in (0..800).step_by(200) {
            assert_eq!(attempt(run, seed), attempt(run, seed), "seed {seed}");
        }
    }
}

/// A simulation in which nothing is said would keep every promise.
#[test]
fn runs_reach_what_they_are_for() {
    let all: [(Runner, &[(&str, u64)]); 3] = [
        (run_pubsub, &[("gaps told", 60), ("messages dropped for want of room", 60), ("ok", 2000)]),
        (run_cluster_pubsub, &[("gaps told", 60), ("sharded subscriptions ended by nodes", 20)]),
        (run_service_pubsub, &[("gaps told", 30), ("primary replaced", 15)]),
    ];
    for (run, reached) in all {
        let (tally, _) = run_all(run, 0..40);
        println!("{tally}");
        let always = [("messages read", 3000), ("messages of sharded channels read", 1000)];
        for &(what, least) in reached.iter().chain(&always) {
            assert!(tally.count(what) >= least, "{what}: {} times, not {least}", tally.count(what));
        }
    }
}
