//! Tokens that live for two seconds, under load: no call fails, and no connection is made anew. The scenario
//! `tokens-expire` of the chaos program is the same for longer.

use redstart_tests::chaos::{Scenario, Settings};
use redstart_tests::clients::Runtime;
use redstart_tests::server::Version;

fn renew(scenario: Scenario, version: Version, runtime: Runtime) {
    scenario.run(&Settings::brief(version, runtime)).assert_good();
}

#[test]
fn calls_go_on_with_tokio() {
    renew(Scenario::TokensExpire, Version::V7, Runtime::Tokio);
}

#[test]
fn calls_go_on_with_async_std() {
    renew(Scenario::TokensExpire, Version::V8, Runtime::AsyncStd);
}

#[test]
fn calls_go_on_with_blocking() {
    renew(Scenario::TokensExpire, Version::V8, Runtime::Blocking);
}

#[test]
fn calls_go_on_in_a_cluster() {
    renew(Scenario::TokensExpireCluster, Version::V8, Runtime::Tokio);
}
