//! Rows of the commands about replication.

use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{FailoverOptions, ReplicaOf, ReplicationCommands};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    let options = FailoverOptions::new;
    t.row("failover", p.failover(options()));
    t.row("failover", p.failover(options().timeout(Duration::from_micros(1500))));
    t.row("failover", p.failover(options().to("10.0.0.1", 6379)));
    t.row("failover", p.failover(options().to("10.0.0.1", 6379).timeout(Duration::from_secs(5))));
    t.row("failover", p.failover(options().force_to("10.0.0.1", 6379, Duration::from_secs(5))));
    t.row("failover_abort", p.failover_abort());
    t.row("replicaof", p.replicaof(ReplicaOf::primary("10.0.0.1", 6379)));
    t.row("replicaof", p.replicaof(ReplicaOf::NoOne));
    t.row("slaveof", p.slaveof(ReplicaOf::primary("10.0.0.1", 6379)));
    t.row("slaveof", p.slaveof(ReplicaOf::NoOne));
    t.row("wait", p.wait(2, Duration::ZERO));
    t.row("wait", p.wait(0, Duration::from_micros(1500)));
    t.row("waitaof", p.waitaof(true, 2, Duration::from_secs(5)));
    t.row("waitaof", p.waitaof(false, 1, Duration::ZERO));
}
