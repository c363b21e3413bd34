//! Rows of the commands about latency and of the slow log.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{LatencyCommands, SlowlogCommands};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("latency_doctor", p.latency_doctor());
    t.row("latency_graph", p.latency_graph("command"));
    t.row("latency_histogram", p.latency_histogram(()));
    t.row("latency_histogram", p.latency_histogram(["get", "config|set"]));
    t.row("latency_history", p.latency_history("command"));
    t.row("latency_latest", p.latency_latest());
    t.row("latency_reset", p.latency_reset(()));
    t.row("latency_reset", p.latency_reset(["command", "fork"]));
    t.row("slowlog_get", p.slowlog_get(None));
    t.row("slowlog_get", p.slowlog_get(Some(10)));
    t.row("slowlog_len", p.slowlog_len());
    t.row("slowlog_reset", p.slowlog_reset());
}
