//! Rows of the key commands.

use std::time::Duration;

use redstart_core::command::{Prepare as p, UnixTime};
use redstart_core::commands::{
    CopyOptions, ExpireIf, KeyCommands, KeyScanOptions, KeyType, MigrateOptions, RestoreOptions, SortOptions,
};

use super::Table;

const SPAN: Duration = Duration::from_millis(60_500);
const TIME: UnixTime = UnixTime::from_millis(1_999_999_999_001);

pub(super) fn rows(t: &mut Table) {
    existence(t);
    expiry(t);
    names(t);
    dumps(t);
    walks(t);
    sorting(t);
    objects(t);
}

fn existence(t: &mut Table) {
    t.row("del", p.del("k"));
    t.row("del", p.del(["k", "l"]));
    t.row("unlink", p.unlink(["k", "l"]));
    t.row("exists", p.exists(["k", "l", "k"]));
    t.row("touch", p.touch(["k", "l"]));
    t.row("key_type", p.key_type("k"));
}

fn expiry(t: &mut Table) {
    t.row("expire", p.expire("k", SPAN));
    t.row("expire_with", p.expire_with("k", SPAN, ExpireIf::NoExpiry));
    t.row("expire_with", p.expire_with("k", SPAN, ExpireIf::HasExpiry));
    t.row("expire_with", p.expire_with("k", SPAN, ExpireIf::Later));
    t.row("expire_with", p.expire_with("k", SPAN, ExpireIf::Sooner));
    t.row("pexpire", p.pexpire("k", SPAN));
    t.row("pexpire_with", p.pexpire_with("k", SPAN, ExpireIf::NoExpiry));
    t.row("expireat", p.expireat("k", TIME));
    t.row("expireat_with", p.expireat_with("k", TIME, ExpireIf::Later));
    t.row("pexpireat", p.pexpireat("k", TIME));
    t.row("pexpireat_with", p.pexpireat_with("k", TIME, ExpireIf::Sooner));
    t.row("ttl", p.ttl("k"));
    t.row("pttl", p.pttl("k"));
    t.row("expiretime", p.expiretime("k"));
    t.row("pexpiretime", p.pexpiretime("k"));
    t.row("persist", p.persist("k"));
}

fn names(t: &mut Table) {
    t.row("rename", p.rename("k", "l"));
    t.row("renamenx", p.renamenx("k", "l"));
    t.row("copy", p.copy("k", "l"));
    t.row("copy_with", p.copy_with("k", "l", CopyOptions::new().database(3).replace()));
    t.row("move_key", p.move_key("k", 3));
}

fn dumps(t: &mut Table) {
    let dump: &[u8] = b"\0\x01v\x0b\0";
    t.row("dump", p.dump("k"));
    t.row("restore", p.restore("k", dump));
    let options = RestoreOptions::new().expire_after(SPAN).replace().frequency(7);
    t.row("restore_with", p.restore_with("k", dump, options));
    let options = RestoreOptions::new().expire_at(TIME).idle_for(SPAN);
    t.row("restore_with", p.restore_with("k", dump, options));
    let options = RestoreOptions::new().expire_after(Duration::ZERO);
    t.row("restore_with", p.restore_with("k", dump, options));

    let migrate = |keys: &[&str], options| p.migrate("10.0.0.2", 6379, keys, 3, SPAN, options);
    t.row("migrate", migrate(&["k"], MigrateOptions::new()));
    t.row("migrate", migrate(&["k", "l"], MigrateOptions::new().copy().replace().password("secret")));
    t.row("migrate", migrate(&["k"], MigrateOptions::new().user("ada", "secret")));
}

fn walks(t: &mut Table) {
    t.row("randomkey", p.randomkey::<String>());
    t.row("keys", p.keys::<String>("user:*"));
    t.row("scan", p.scan::<String>(0, KeyScanOptions::new()));
    let options = KeyScanOptions::new().matching("user:*").count(100).of_type(KeyType::SortedSet);
    t.row("scan", p.scan::<String>(u64::MAX, options));
}

fn sorting(t: &mut Table) {
    t.row("sort", p.sort::<i64>("k", SortOptions::new()));
    let options = SortOptions::new().by("weight_*").limit(1, 2).get("#").get("user_*->name");
    t.row("sort", p.sort::<String>("k", options.descending().alpha()));
    t.row("sort_ro", p.sort_ro::<String>("k", SortOptions::new().alpha()));
    t.row("sort_ro", p.sort_ro::<String>("k", SortOptions::new().unsorted().get("#")));
    t.row("sort_ro", p.sort_ro::<String>("k", SortOptions::new().by("weight_*")));
    t.row("sort_ro", p.sort_ro::<String>("k", SortOptions::new().get("user_*->name")));
    t.row("sort_store", p.sort_store("k", "l", SortOptions::new().descending()));
}

fn objects(t: &mut Table) {
    t.row("object_encoding", p.object_encoding("k"));
    t.row("object_freq", p.object_freq("k"));
    t.row("object_idletime", p.object_idletime("k"));
    t.row("object_refcount", p.object_refcount("k"));
}
