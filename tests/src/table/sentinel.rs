//! Rows of the commands of sentinels.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{SentinelCommands, SentinelFailure};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    let failures = [SentinelFailure::AfterElection, SentinelFailure::AfterPromotion];
    t.row("sentinel_ckquorum", p.sentinel_ckquorum("main"));
    t.row("sentinel_config_get", p.sentinel_config_get("announce-*"));
    t.row("sentinel_config_get", p.sentinel_config_get(["announce-ip", "resolve-*"]));
    t.row("sentinel_config_set", p.sentinel_config_set([("announce-ip", "10.0.0.1")]));
    t.row("sentinel_debug", p.sentinel_debug());
    t.row("sentinel_debug_set", p.sentinel_debug_set([("info-period", 100), ("ping-period", 200)]));
    t.row("sentinel_failover", p.sentinel_failover("main"));
    t.row("sentinel_flushconfig", p.sentinel_flushconfig());
    t.row("sentinel_get_master_addr_by_name", p.sentinel_get_master_addr_by_name("main"));
    t.row("sentinel_info_cache", p.sentinel_info_cache("main"));
    t.row("sentinel_info_cache", p.sentinel_info_cache(["main", "other"]));
    let run_id = "737713a261770bc1cba95378a3b2a99c052b8d2c";
    t.row("sentinel_is_master_down_by_addr", p.sentinel_is_master_down_by_addr("10.0.0.1", 6379, 7, run_id));
    t.row("sentinel_is_master_down_by_addr", p.sentinel_is_master_down_by_addr("10.0.0.1", 6379, 0, "*"));
    t.row("sentinel_master", p.sentinel_master("main"));
    t.row("sentinel_masters", p.sentinel_masters());
    t.row("sentinel_monitor", p.sentinel_monitor("main", "10.0.0.1", 6379, 2));
    t.row("sentinel_myid", p.sentinel_myid());
    t.row("sentinel_pending_scripts", p.sentinel_pending_scripts());
    t.row("sentinel_remove", p.sentinel_remove("main"));
    t.row("sentinel_replicas", p.sentinel_replicas("main"));
    t.row("sentinel_reset", p.sentinel_reset("m*"));
    t.row("sentinel_sentinels", p.sentinel_sentinels("main"));
    t.row("sentinel_set", p.sentinel_set("main", ("quorum", 2)));
    t.row("sentinel_set", p.sentinel_set("main", [("quorum", 2), ("parallel-syncs", 1)]));
    t.row("sentinel_set", p.sentinel_set("main", ("rename-command", "CONFIG", "secret")));
    t.row("sentinel_simulate_failure", p.sentinel_simulate_failure(failures[0]));
    t.row("sentinel_simulate_failure", p.sentinel_simulate_failure(failures));
    t.row("sentinel_slaves", p.sentinel_slaves("main"));
}
