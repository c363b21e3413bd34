//! Rows of the set commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{ScanOptions, SetCommands};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("sadd", p.sadd("k", "a"));
    t.row("sadd", p.sadd("k", ["a", "b"]));
    t.row("srem", p.srem("k", ["a", "b"]));
    t.row("smove", p.smove("from", "to", "a"));
    t.row("spop", p.spop::<String>("k"));
    t.row("spop_count", p.spop_count::<String>("k", 2));
    t.row("srandmember", p.srandmember::<String>("k"));
    t.row("srandmember_count", p.srandmember_count::<String>("k", 2));
    t.row("srandmember_count", p.srandmember_count::<String>("k", -2));
    t.row("scard", p.scard("k"));
    t.row("sismember", p.sismember("k", "a"));
    t.row("smismember", p.smismember("k", ["a", "b"]));
    t.row("smembers", p.smembers::<String>("k"));
    t.row("sscan", p.sscan::<String>("k", 0, ScanOptions::new()));
    t.row("sscan", p.sscan::<String>("k", 17, ScanOptions::new().matching("a*").count(100)));
    t.row("sdiff", p.sdiff::<String>(["k1", "k2"]));
    t.row("sdiffstore", p.sdiffstore("to", ["k1", "k2"]));
    t.row("sinter", p.sinter::<String>(["k1", "k2"]));
    t.row("sintercard", p.sintercard(["k1", "k2"], None));
    t.row("sintercard", p.sintercard(["k1", "k2"], Some(10)));
    t.row("sinterstore", p.sinterstore("to", ["k1", "k2"]));
    t.row("sunion", p.sunion::<String>(["k1", "k2"]));
    t.row("sunionstore", p.sunionstore("to", ["k1", "k2"]));
}
