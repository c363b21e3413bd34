//! Rows of the list commands.

use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{InsertAt, ListCommands, ListEnd, LposOptions};

use super::Table;

const SPAN: Duration = Duration::from_millis(1_500);

pub(super) fn rows(t: &mut Table) {
    t.row("lpush", p.lpush("k", "a"));
    t.row("lpush", p.lpush("k", ["a", "b"]));
    t.row("lpushx", p.lpushx("k", ["a", "b"]));
    t.row("rpush", p.rpush("k", ["a", "b"]));
    t.row("rpushx", p.rpushx("k", ["a", "b"]));
    t.row("lpop", p.lpop::<String>("k"));
    t.row("lpop_count", p.lpop_count::<String>("k", 2));
    t.row("rpop", p.rpop::<String>("k"));
    t.row("rpop_count", p.rpop_count::<String>("k", 2));
    t.row("lmpop", p.lmpop::<String, String>("k", ListEnd::Left, 1));
    t.row("lmpop", p.lmpop::<String, String>(["k1", "k2"], ListEnd::Right, 3));
    t.row("lmove", p.lmove::<String>("from", "to", ListEnd::Left, ListEnd::Right));
    t.row("lmove", p.lmove::<String>("from", "to", ListEnd::Right, ListEnd::Left));
    t.row("rpoplpush", p.rpoplpush::<String>("from", "to"));
    t.row("blpop", p.blpop::<String, String>("k", SPAN));
    t.row("brpop", p.brpop::<String, String>(["k1", "k2"], Duration::ZERO));
    t.row("blmpop", p.blmpop::<String, String>("k", ListEnd::Left, 1, SPAN));
    t.row("blmpop", p.blmpop::<String, String>(["k1", "k2"], ListEnd::Right, 3, Duration::from_secs(60)));
    t.row("blmove", p.blmove::<String>("from", "to", ListEnd::Left, ListEnd::Right, SPAN));
    t.row("brpoplpush", p.brpoplpush::<String>("from", "to", SPAN));
    t.row("lrange", p.lrange::<String>("k", 0, -1));
    t.row("lindex", p.lindex::<String>("k", -2));
    t.row("llen", p.llen("k"));
    t.row("lpos", p.lpos("k", "a"));
    t.row("lpos_with", p.lpos_with("k", "a", LposOptions::new()));
    t.row("lpos_with", p.lpos_with("k", "a", LposOptions::new().rank(-2).max_len(100)));
    t.row("lpos_count", p.lpos_count("k", "a", 0, LposOptions::new()));
    t.row("lpos_count", p.lpos_count("k", "a", 5, LposOptions::new().rank(2).max_len(0)));
    t.row("linsert", p.linsert("k", InsertAt::Before("pivot"), "a"));
    t.row("linsert", p.linsert("k", InsertAt::After("pivot"), "a"));
    t.row("lset", p.lset("k", -1, "a"));
    t.row("lrem", p.lrem("k", -2, "a"));
    t.row("ltrim", p.ltrim("k", 1, -2));
}
