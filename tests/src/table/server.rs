//! Rows of the commands about the server.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{FlushMode, Samples, SaveMode, ServerCommands, ShutdownOptions};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("bgrewriteaof", p.bgrewriteaof());
    t.row("bgsave", p.bgsave(SaveMode::Now));
    t.row("bgsave", p.bgsave(SaveMode::Schedule));
    t.row("config_get", p.config_get("maxmemory"));
    t.row("config_get", p.config_get(["maxmemory*", "save"]));
    t.row("config_resetstat", p.config_resetstat());
    t.row("config_rewrite", p.config_rewrite());
    t.row("config_set", p.config_set([("maxmemory", "100mb")]));
    t.row("config_set", p.config_set([("save", ""), ("maxclients", "100")]));
    t.row("dbsize", p.dbsize());
    t.row("flushall", p.flushall(FlushMode::Configured));
    t.row("flushall", p.flushall(FlushMode::Async));
    t.row("flushall", p.flushall(FlushMode::Sync));
    t.row("flushdb", p.flushdb(FlushMode::Configured));
    t.row("flushdb", p.flushdb(FlushMode::Async));
    t.row("flushdb", p.flushdb(FlushMode::Sync));
    t.row("info", p.info(()));
    t.row("info", p.info("server"));
    t.row("info", p.info(["server", "keyspace"]));
    t.row("lastsave", p.lastsave());
    t.row("lolwut", p.lolwut(None, ()));
    t.row("lolwut", p.lolwut(Some(5), (40, 20, 1)));
    t.row("memory_doctor", p.memory_doctor());
    t.row("memory_malloc_stats", p.memory_malloc_stats());
    t.row("memory_purge", p.memory_purge());
    t.row("memory_stats", p.memory_stats());
    t.row("memory_usage", p.memory_usage("k", Samples::Few));
    t.row("memory_usage", p.memory_usage("k", Samples::Count(100)));
    t.row("memory_usage", p.memory_usage("k", Samples::All));
    t.row("role", p.role());
    t.row("save", p.save());
    t.row("shutdown", p.shutdown(ShutdownOptions::new()));
    t.row("shutdown", p.shutdown(ShutdownOptions::new().save(true).now().force()));
    t.row("shutdown", p.shutdown(ShutdownOptions::new().save(false)));
    t.row("shutdown_abort", p.shutdown_abort());
    t.row("swapdb", p.swapdb(0, 1));
    t.row("time", p.time());
}
