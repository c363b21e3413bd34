//! Rows of the string commands.

use std::collections::BTreeMap;
use std::time::Duration;

use redstart_core::command::{Prepare as p, UnixTime};
use redstart_core::commands::{ExpiryChange, LcsOptions, SetOptions, StringCommands};

use super::Table;

const MINUTE: Duration = Duration::from_secs(60);
const TIME: UnixTime = UnixTime::from_millis(1_999_999_999_001);

pub(super) fn rows(t: &mut Table) {
    writing(t);
    reading(t);
    counting(t);
    comparing(t);
}

fn writing(t: &mut Table) {
    t.row("set", p.set("k", "v"));
    t.row("set_with", p.set_with("k", "v", SetOptions::new()));
    t.row("set_with", p.set_with("k", 5, SetOptions::new().if_absent().expire_after(MINUTE)));
    t.row("set_with", p.set_with("k", 1.5, SetOptions::new().if_present().expire_at(TIME)));
    t.row("set_with", p.set_with("k", b"\xff\0", SetOptions::new().keep_ttl()));
    let short = Duration::from_nanos(1);
    t.row("set_with", p.set_with("k", "", SetOptions::new().keep_ttl().expire_after(short)));
    t.row("set_and_get", p.set_and_get::<String>("k", "v", SetOptions::new()));
    t.row("set_and_get", p.set_and_get::<String>("k", "v", SetOptions::new().if_absent().keep_ttl()));
    t.row("setnx", p.setnx("k", "v"));
    t.row("setex", p.setex("k", Duration::from_millis(1_500), "v"));
    t.row("psetex", p.psetex("k", Duration::from_millis(1_500), "v"));
    t.row("getset", p.getset::<String>("k", "v"));
    t.row("mset", p.mset([("k", 1), ("l", 2)]));
    t.row("mset", p.mset(BTreeMap::from([("k", "v"), ("l", "w")])));
    t.row("msetnx", p.msetnx(vec![("k", "v"), ("l", "w")]));
    t.row("setrange", p.setrange("k", 6, "v"));
    t.row("append", p.append("k", "v"));
}

fn reading(t: &mut Table) {
    t.row("get", p.get::<String>("k"));
    t.row("getex", p.getex::<String>("k", ExpiryChange::After(MINUTE)));
    t.row("getex", p.getex::<String>("k", ExpiryChange::At(TIME)));
    t.row("getex", p.getex::<String>("k", ExpiryChange::Remove));
    t.row("getdel", p.getdel::<String>("k"));
    t.row("mget", p.mget::<String>("k"));
    t.row("mget", p.mget::<String>(["k", "l"]));
    t.row("getrange", p.getrange::<String>("k", 0, -1));
    t.row("substr", p.substr::<String>("k", 1, 2));
    t.row("strlen", p.strlen("k"));
}

fn counting(t: &mut Table) {
    t.row("incr", p.incr("k"));
    t.row("incrby", p.incrby("k", -5));
    t.row("incrbyfloat", p.incrbyfloat("k", 0.1));
    t.row("decr", p.decr("k"));
    t.row("decrby", p.decrby("k", 5));
}

fn comparing(t: &mut Table) {
    t.row("lcs", p.lcs::<String>("k", "l"));
    t.row("lcs_len", p.lcs_len("k", "l"));
    t.row("lcs_idx", p.lcs_idx("k", "l", LcsOptions::new()));
    t.row("lcs_idx", p.lcs_idx("k", "l", LcsOptions::new().min_match_len(4).with_match_len()));
}
