//! Real clusters that fail and change under load: nothing is done twice, no error says that what was done was not,
//! and only calls that were on their way fail. The binary `chaos` runs the same for longer, and holds times
//! against gates too.

use redstart_tests::chaos::{Scenario, Settings};
use redstart_tests::clients::Runtime;
use redstart_tests::server::Version;

#[track_caller]
fn holds(scenario: Scenario, version: Version, runtime: Runtime) {
    scenario.run(&Settings::brief(version, runtime)).assert_good();
}

#[test]
fn a_killed_primary_costs_the_calls_under_way() {
    holds(Scenario::ClusterKill, Version::V7, Runtime::Tokio);
}

#[test]
fn a_frozen_primary_costs_the_calls_under_way_and_is_not_used_when_it_comes_back() {
    holds(Scenario::ClusterFreeze, Version::V8, Runtime::Blocking);
}

#[test]
fn slots_that_move_cost_nothing() {
    holds(Scenario::ClusterReshard, Version::V8, Runtime::Tokio);
}

#[test]
fn replicas_that_take_over_when_told_cost_nothing() {
    holds(Scenario::ClusterFailover, Version::V7, Runtime::AsyncStd);
}

#[test]
fn nodes_that_come_and_go_cost_nothing() {
    holds(Scenario::ClusterAddRemoveNode, Version::V7, Runtime::Background);
}

#[test]
fn closed_connections_cost_the_calls_under_way() {
    holds(Scenario::KillStormCluster, Version::V8, Runtime::Blocking);
}
