//! A primary that sentinels watch fails under load, as `live_cluster_failures` has it for clusters.

use redstart_tests::chaos::{Scenario, Settings};
use redstart_tests::clients::Runtime;
use redstart_tests::server::Version;

#[test]
fn a_killed_primary_costs_the_calls_under_way() {
    Scenario::SentinelKill.run(&Settings::brief(Version::V8, Runtime::AsyncStd)).assert_good();
}

#[test]
fn a_frozen_primary_costs_the_calls_under_way_and_is_not_used_when_it_comes_back() {
    Scenario::SentinelFreeze.run(&Settings::brief(Version::V7, Runtime::Tokio)).assert_good();
}
