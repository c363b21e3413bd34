//! Rows of the hash commands.

use std::time::Duration;

use redstart_core::command::{Prepare as p, UnixTime};
use redstart_core::commands::{ExpireIf, ExpiryChange, HashCommands, HsetexOptions, ScanOptions};

use super::Table;

const SPAN: Duration = Duration::from_millis(60_500);
const TIME: UnixTime = UnixTime::from_millis(1_999_999_999_001);

pub(super) fn rows(t: &mut Table) {
    fields(t);
    samples(t);
    expiry(t);
    expiring_values(t);
}

fn fields(t: &mut Table) {
    t.row("hset", p.hset("k", [("f", "v"), ("g", "w")]));
    t.row("hsetnx", p.hsetnx("k", "f", "v"));
    t.row("hmset", p.hmset("k", [("f", 1), ("g", 2)]));
    t.row("hget", p.hget::<String>("k", "f"));
    t.row("hmget", p.hmget::<String>("k", ["f", "g"]));
    t.row("hgetall", p.hgetall::<Vec<(String, String)>>("k"));
    t.row("hkeys", p.hkeys::<String>("k"));
    t.row("hvals", p.hvals::<String>("k"));
    t.row("hlen", p.hlen("k"));
    t.row("hstrlen", p.hstrlen("k", "f"));
    t.row("hexists", p.hexists("k", "f"));
    t.row("hdel", p.hdel("k", ["f", "g"]));
    t.row("hincrby", p.hincrby("k", "f", -1));
    t.row("hincrbyfloat", p.hincrbyfloat("k", "f", 0.5));
}

fn samples(t: &mut Table) {
    t.row("hrandfield", p.hrandfield::<String>("k"));
    t.row("hrandfield_count", p.hrandfield_count::<String>("k", -5));
    t.row("hrandfield_with_values", p.hrandfield_with_values::<String, String>("k", 5));
    t.row("hscan", p.hscan::<String, String>("k", 0, ScanOptions::new()));
    let options = ScanOptions::new().matching("f*").count(100);
    t.row("hscan", p.hscan::<String, String>("k", 17, options.clone()));
    t.row("hscan_novalues", p.hscan_novalues::<String>("k", 0, options));
}

fn expiry(t: &mut Table) {
    t.row("hexpire", p.hexpire("k", SPAN, "f"));
    t.row("hexpire_with", p.hexpire_with("k", SPAN, ["f", "g"], ExpireIf::NoExpiry));
    t.row("hpexpire", p.hpexpire("k", SPAN, ["f", "g"]));
    t.row("hpexpire_with", p.hpexpire_with("k", SPAN, ["f", "g"], ExpireIf::HasExpiry));
    t.row("hexpireat", p.hexpireat("k", TIME, ["f", "g"]));
    t.row("hexpireat_with", p.hexpireat_with("k", TIME, ["f", "g"], ExpireIf::Later));
    t.row("hpexpireat", p.hpexpireat("k", TIME, ["f", "g"]));
    t.row("hpexpireat_with", p.hpexpireat_with("k", TIME, ["f", "g"], ExpireIf::Sooner));
    t.row("hpersist", p.hpersist("k", ["f", "g"]));
    t.row("httl", p.httl("k", ["f", "g"]));
    t.row("hpttl", p.hpttl("k", ["f", "g"]));
    t.row("hexpiretime", p.hexpiretime("k", ["f", "g"]));
    t.row("hpexpiretime", p.hpexpiretime("k", ["f", "g"]));
}

fn expiring_values(t: &mut Table) {
    t.row("hgetex", p.hgetex::<String>("k", ["f", "g"], ExpiryChange::After(SPAN)));
    t.row("hgetex", p.hgetex::<String>("k", ["f", "g"], ExpiryChange::At(TIME)));
    t.row("hgetex", p.hgetex::<String>("k", "f", ExpiryChange::Remove));
    t.row("hgetdel", p.hgetdel::<String>("k", ["f", "g"]));
    let fields = [("f", "v"), ("g", "w")];
    t.row("hsetex", p.hsetex("k", fields, HsetexOptions::new()));
    t.row("hsetex", p.hsetex("k", fields, HsetexOptions::new().if_absent().expire_after(SPAN)));
    t.row("hsetex", p.hsetex("k", fields, HsetexOptions::new().if_present().expire_at(TIME)));
    t.row("hsetex", p.hsetex("k", fields, HsetexOptions::new().keep_ttl()));
}
