//! Rows of the commands about clusters.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ClusterCommands, ClusterFailover, ClusterReset, SetSlot, SlotMetric, SlotOrder, SlotRange,
};

use super::Table;

/// The id of a node.
const ID: &str = "07c37dfeb235213a872192d90877d0cd55635b91";

pub(super) fn rows(t: &mut Table) {
    t.row("cluster_addslots", p.cluster_addslots(866));
    t.row("cluster_addslots", p.cluster_addslots([1, 2, 3]));
    t.row("cluster_addslotsrange", p.cluster_addslotsrange([0..=5460]));
    t.row("cluster_addslotsrange", p.cluster_addslotsrange([SlotRange::new(0, 5), (7..=9).into()]));
    t.row("cluster_bumpepoch", p.cluster_bumpepoch());
    t.row("cluster_count_failure_reports", p.cluster_count_failure_reports(ID));
    t.row("cluster_countkeysinslot", p.cluster_countkeysinslot(16_383));
    t.row("cluster_delslots", p.cluster_delslots(866));
    t.row("cluster_delslots", p.cluster_delslots([1, 2, 3]));
    t.row("cluster_delslotsrange", p.cluster_delslotsrange([0..=5460, 7000..=7000]));
    t.row("cluster_failover", p.cluster_failover(ClusterFailover::Agreed));
    t.row("cluster_failover", p.cluster_failover(ClusterFailover::Force));
    t.row("cluster_failover", p.cluster_failover(ClusterFailover::Takeover));
    t.row("cluster_flushslots", p.cluster_flushslots());
    t.row("cluster_forget", p.cluster_forget(ID));
    t.row("cluster_getkeysinslot", p.cluster_getkeysinslot::<String>(866, 10));
    t.row("cluster_info", p.cluster_info());
    t.row("cluster_keyslot", p.cluster_keyslot("{user1000}.following"));
    t.row("cluster_links", p.cluster_links());
    t.row("cluster_meet", p.cluster_meet("127.0.0.1", 7000, None));
    t.row("cluster_meet", p.cluster_meet("127.0.0.1", 7000, Some(17_000)));
    t.row("cluster_myid", p.cluster_myid());
    t.row("cluster_myshardid", p.cluster_myshardid());
    t.row("cluster_nodes", p.cluster_nodes());
    t.row("cluster_replicas", p.cluster_replicas(ID));
    t.row("cluster_replicate", p.cluster_replicate(ID));
    t.row("cluster_reset", p.cluster_reset(ClusterReset::Soft));
    t.row("cluster_reset", p.cluster_reset(ClusterReset::Hard));
    t.row("cluster_saveconfig", p.cluster_saveconfig());
    t.row("cluster_set_config_epoch", p.cluster_set_config_epoch(7));
    t.row("cluster_setslot", p.cluster_setslot(866, SetSlot::Importing(ID.into())));
    t.row("cluster_setslot", p.cluster_setslot(866, SetSlot::Migrating(ID.into())));
    t.row("cluster_setslot", p.cluster_setslot(866, SetSlot::Node(ID.into())));
    t.row("cluster_setslot", p.cluster_setslot(866, SetSlot::Stable));
    t.row("cluster_shards", p.cluster_shards());
    t.row("cluster_slaves", p.cluster_slaves(ID));
    t.row("cluster_slot_stats", p.cluster_slot_stats(SlotRange::new(0, 5460)));
    t.row("cluster_slot_stats", p.cluster_slot_stats(SlotOrder::by(SlotMetric::KeyCount)));
    t.row("cluster_slot_stats", p.cluster_slot_stats(SlotOrder::by(SlotMetric::Cpu).limit(10)));
    t.row("cluster_slot_stats", p.cluster_slot_stats(SlotOrder::by(SlotMetric::NetworkBytesIn).ascending()));
    let order = SlotOrder::by(SlotMetric::NetworkBytesOut).ascending().limit(1);
    t.row("cluster_slot_stats", p.cluster_slot_stats(order));
    t.row("cluster_slots", p.cluster_slots());
}
