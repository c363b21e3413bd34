//! The key commands against real servers: both versions, both protocols, the same replies.

use std::collections::BTreeSet;
use std::time::Duration;

use redstart_core::command::{Command, Run, UnixTime};
use redstart_core::commands::{
    CopyOptions, ExpireIf, ExpireTime, HashCommands, KeyCommands, KeyScanOptions, KeyType, MigrateOptions,
    Migrated, RestoreOptions, SortOptions, StringCommands, Ttl,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::{Server, ServerConfig, Version};
use redstart_tests::wire::{Wire, for_each_wire};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// In the year 2100.
const FAR: UnixTime = UnixTime::from_millis(4_102_444_800_499);
const PAST: UnixTime = UnixTime::from_secs(1);

fn push(c: &Wire, key: &str, elements: &[&str]) {
    let len: u64 = c.run(Command::new("RPUSH").key(key).args(elements)).expect("the elements are pushed");
    assert_eq!(len, elements.len() as u64);
}

fn is_about_a_minute(left: Option<Duration>) -> bool {
    left.is_some_and(|left| (Duration::from_secs(50)..=MINUTE).contains(&left))
}

#[test]
fn existence() {
    for_each_wire(|c, _| {
        c.mset([("a", 1), ("b", 2), ("c", 3)]).unwrap();
        assert_eq!(c.exists(["a", "missing", "a"]).unwrap(), 2);
        assert_eq!(c.touch(["a", "b", "missing"]).unwrap(), 2);
        assert_eq!(c.del(["a", "missing"]).unwrap(), 1);
        assert_eq!(c.unlink(["b", "c", "missing"]).unwrap(), 2);
        assert_eq!(c.exists("a").unwrap(), 0);
    });
}

#[test]
fn types() {
    for_each_wire(|c, _| {
        let make = |command: Command<()>| c.run(command).unwrap();
        assert_eq!(c.key_type("missing").unwrap(), KeyType::Missing);
        c.set("string", 1).unwrap();
        make(Command::new("RPUSH list x"));
        make(Command::new("SADD set x"));
        make(Command::new("ZADD zset 1 x"));
        make(Command::new("HSET hash x y"));
        make(Command::new("XADD stream * x y"));
        let types = [
            KeyType::String,
            KeyType::List,
            KeyType::Set,
            KeyType::SortedSet,
            KeyType::Hash,
            KeyType::Stream,
        ];
        for key_type in types {
            assert_eq!(c.key_type(key_type.as_str()).unwrap(), key_type);
            let options = KeyScanOptions::new().count(1_000).of_type(key_type.clone());
            assert_eq!(c.scan::<String>(0, options).unwrap().items, [key_type.as_str()]);
        }
    });
}

#[test]
fn expiry() {
    for_each_wire(|c, _| {
        assert_eq!(c.ttl("k").unwrap(), Ttl::Missing);
        assert_eq!(c.pttl("k").unwrap(), Ttl::Missing);
        assert_eq!(c.expiretime("k").unwrap(), ExpireTime::Missing);
        assert_eq!(c.pexpiretime("k").unwrap(), ExpireTime::Missing);
        assert!(!c.expire("k", MINUTE).unwrap());
        assert!(!c.persist("k").unwrap());

        c.set("k", 1).unwrap();
        assert_eq!(c.ttl("k").unwrap(), Ttl::NoExpiry);
        assert_eq!(c.pexpiretime("k").unwrap(), ExpireTime::NoExpiry);
        assert!(c.expire("k", Duration::from_millis(59_001)).unwrap());
        assert!(is_about_a_minute(c.ttl("k").unwrap().left()));
        assert!(c.pexpire("k", MINUTE).unwrap());
        assert!(is_about_a_minute(c.pttl("k").unwrap().left()));
        assert!(c.persist("k").unwrap());
        assert!(!c.persist("k").unwrap());

        assert!(c.pexpireat("k", FAR).unwrap());
        assert_eq!(c.pexpiretime("k").unwrap(), ExpireTime::At(FAR));
        let to_the_nearest = UnixTime::from_secs(FAR.as_millis() / 1_000);
        assert_eq!(c.expiretime("k").unwrap(), ExpireTime::At(to_the_nearest));
        assert!(c.expireat("k", FAR).unwrap());
        assert_eq!(c.pexpiretime("k").unwrap(), ExpireTime::At(UnixTime::from_secs(FAR.as_secs())));

        assert!(c.expireat("k", PAST).unwrap());
        assert_eq!(c.exists("k").unwrap(), 0);
        c.set("k", 1).unwrap();
        assert!(c.pexpire("k", Duration::ZERO).unwrap());
        assert_eq!(c.exists("k").unwrap(), 0);
    });
}

#[test]
fn conditions_of_expiry() {
    for_each_wire(|c, _| {
        c.set("k", 1).unwrap();
        assert!(!c.expire_with("k", MINUTE, ExpireIf::HasExpiry).unwrap());
        assert!(!c.expire_with("k", MINUTE, ExpireIf::Later).unwrap());
        assert!(c.expire_with("k", MINUTE, ExpireIf::NoExpiry).unwrap());
        assert!(!c.pexpire_with("k", HOUR, ExpireIf::NoExpiry).unwrap());
        assert!(!c.pexpire_with("k", HOUR, ExpireIf::Sooner).unwrap());
        assert!(c.pexpire_with("k", HOUR, ExpireIf::Later).unwrap());
        assert!(c.expireat_with("k", FAR, ExpireIf::Later).unwrap());
        assert!(!c.pexpireat_with("k", FAR, ExpireIf::Later).unwrap());
        assert!(c.pexpireat_with("k", FAR, ExpireIf::Sooner).unwrap());
        assert!(!c.pexpireat_with("missing", FAR, ExpireIf::Sooner).unwrap());
    });
}

#[test]
fn names_and_copies() {
    for_each_wire(|c, _| {
        assert_eq!(c.rename("a", "b").unwrap_err().code(), Some(ServerCode::Err));
        c.mset([("a", 1), ("b", 2)]).unwrap();
        assert!(!c.renamenx("a", "b").unwrap());
        c.rename("a", "b").unwrap();
        assert!(c.renamenx("b", "a").unwrap());
        assert_eq!(c.mget(["a", "b"]).unwrap(), [Some(1), None]);

        assert!(!c.copy("missing", "b").unwrap());
        assert!(c.copy("a", "b").unwrap());
        assert!(!c.copy("a", "b").unwrap());
        c.set("a", 3).unwrap();
        assert!(c.copy_with("a", "b", CopyOptions::new().replace()).unwrap());
        assert_eq!(c.get("b").unwrap(), Some(3));

        assert!(c.copy_with("a", "b", CopyOptions::new().database(1)).unwrap());
        assert!(!c.copy_with("a", "b", CopyOptions::new().database(1)).unwrap());
        assert!(!c.move_key("b", 1).unwrap());
        assert!(c.move_key("a", 1).unwrap());
        assert_eq!(c.exists(["a", "b"]).unwrap(), 1);
        let (): () = c.run(Command::new("SELECT 1")).unwrap();
        assert_eq!(c.exists(["a", "b"]).unwrap(), 2);
    });
}

#[test]
fn dumps() {
    for_each_wire(|c, _| {
        assert_eq!(c.dump("missing").unwrap(), None);
        c.set("k", "value").unwrap();
        let dump = c.dump("k").unwrap().expect("the key exists");
        c.restore("l", &dump).unwrap();
        assert_eq!(c.get("l").unwrap(), Some("value".to_owned()));
        assert_eq!(c.ttl("l").unwrap(), Ttl::NoExpiry);
        assert_eq!(c.restore("l", &dump).unwrap_err().code(), Some(ServerCode::BusyKey));
        assert_eq!(c.restore("m", "broken").unwrap_err().code(), Some(ServerCode::Err));

        let replace = RestoreOptions::new().replace();
        c.restore_with("l", &dump, replace.clone().expire_after(MINUTE)).unwrap();
        assert!(is_about_a_minute(c.pttl("l").unwrap().left()));
        c.restore_with("l", &dump, replace.clone().expire_at(FAR).idle_for(HOUR)).unwrap();
        assert_eq!(c.pexpiretime("l").unwrap(), ExpireTime::At(FAR));
        assert!(c.object_idletime("l").unwrap() >= Some(3_600));
        c.restore_with("l", &dump, replace.clone().expire_at(PAST)).unwrap();
        assert_eq!(c.exists("l").unwrap(), 0);
    });
}

#[test]
fn keys_that_migrate() {
    for_each_wire(|c, version| {
        let other = Server::start(version);
        let there = Wire::connect(other.addr(), 3);
        let migrate = |keys: &[&str], database, options| {
            c.migrate("127.0.0.1", other.port(), keys, database, Duration::from_secs(5), options)
        };
        assert_eq!(migrate(&["missing"], 0, MigrateOptions::new()).unwrap(), Migrated::NoKey);
        c.mset([("a", 1), ("b", 2)]).unwrap();
        assert_eq!(migrate(&["a", "b", "missing"], 0, MigrateOptions::new()).unwrap(), Migrated::Done);
        assert_eq!(c.exists(["a", "b"]).unwrap(), 0);
        assert_eq!(there.mget(["a", "b"]).unwrap(), [Some(1), Some(2)]);

        c.set("a", 3).unwrap();
        let refused = migrate(&["a"], 0, MigrateOptions::new()).unwrap_err();
        assert!(refused.server().is_some_and(|error| error.text().contains("BUSYKEY")));
        let options = MigrateOptions::new().copy().replace();
        assert_eq!(migrate(&["a"], 0, options).unwrap(), Migrated::Done);
        assert_eq!((c.get("a").unwrap(), there.get("a").unwrap()), (Some(3), Some(3)));
        assert_eq!(migrate(&["a"], 1, MigrateOptions::new()).unwrap(), Migrated::Done);
        assert_eq!(there.get("a").unwrap(), Some(3));
        let (): () = there.run(Command::new("SELECT 1")).unwrap();
        assert_eq!(there.exists(["a", "b"]).unwrap(), 1);
    });
}

#[test]
fn keys_that_migrate_with_credentials() {
    for_each_wire(|c, version| {
        let other =
            ServerConfig::new(version).requirepass("s3cret").arg("user", "ada on >lovelace ~* +@all").start();
        let migrate = |options| c.migrate("127.0.0.1", other.port(), "k", 0, Duration::from_secs(5), options);
        let replace = MigrateOptions::new().replace();
        c.set("k", 1).unwrap();
        assert!(migrate(replace.clone()).is_err());
        assert!(migrate(replace.clone().password("wrong")).is_err());
        assert_eq!(migrate(replace.clone().password("s3cret")).unwrap(), Migrated::Done);
        c.set("k", 2).unwrap();
        assert_eq!(migrate(replace.user("ada", "lovelace")).unwrap(), Migrated::Done);
        assert_eq!(other.cli(&["GET", "k"]), "2");
    });
}

#[test]
fn a_password_is_not_shown() {
    let options = MigrateOptions::new().user("ada", "lovelace");
    assert!(!format!("{options:?}").contains("lovelace"));
}

#[test]
fn walks() {
    for_each_wire(|c, _| {
        assert_eq!(c.randomkey::<String>().unwrap(), None);
        assert!(c.keys::<String>("*").unwrap().is_empty());
        let pairs: Vec<(String, u32)> = (0..300).map(|n| (format!("user:{n:03}"), n)).collect();
        c.mset(&pairs).unwrap();
        let names: BTreeSet<String> = pairs.into_iter().map(|(key, _)| key).collect();
        assert!(names.contains(&c.randomkey::<String>().unwrap().expect("there are keys")));
        assert_eq!(c.keys::<String>("user:*").unwrap().into_iter().collect::<BTreeSet<_>>(), names);
        assert_eq!(c.keys::<String>("user:00?").unwrap().len(), 10);

        let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), 0, 0);
        loop {
            let options = KeyScanOptions::new().matching("user:*").count(50);
            let page = c.scan::<String>(cursor, options).unwrap();
            pages += 1;
            cursor = page.cursor;
            let last = page.is_last();
            seen.extend(page.items);
            if last {
                break;
            }
        }
        assert_eq!(seen, names);
        assert!(pages > 1);
        let page = c.scan::<String>(0, KeyScanOptions::new()).unwrap();
        assert!(!page.is_last() && page.items.len() >= 10);
    });
}

#[test]
fn sorting() {
    for_each_wire(|c, _| {
        push(c, "k", &["3", "20", "1"]);
        c.mset([("weight_3", 1), ("weight_20", 3), ("weight_1", 2), ("name_3", 33)]).unwrap();
        assert_eq!(c.hset("user_20", [("age", 7)]).unwrap(), 1);
        let all = SortOptions::new;

        assert!(c.sort::<i64>("missing", all()).unwrap().is_empty());
        assert_eq!(c.sort::<i64>("k", all()).unwrap(), [1, 3, 20]);
        assert_eq!(c.sort::<i64>("k", all().descending()).unwrap(), [20, 3, 1]);
        assert_eq!(c.sort_ro::<i64>("k", all().alpha()).unwrap(), [1, 20, 3]);
        assert_eq!(c.sort_ro::<i64>("k", all().limit(1, 1)).unwrap(), [3]);
        assert_eq!(c.sort::<i64>("k", all().by("weight_*")).unwrap(), [3, 1, 20]);
        assert_eq!(c.sort_ro::<i64>("k", all().unsorted()).unwrap(), [3, 20, 1]);
        let named = all().by("weight_*").get("#").get("name_*").get("user_*->age");
        assert_eq!(
            c.sort::<(i64, Option<i64>, Option<i64>)>("k", named).unwrap(),
            [(3, Some(33), None), (1, None, None), (20, None, Some(7))]
        );

        assert_eq!(c.sort_store("k", "sorted", all().limit(0, 2)).unwrap(), 2);
        let sorted: Vec<i64> = c.run(Command::new("LRANGE sorted 0 -1")).unwrap();
        assert_eq!(sorted, [1, 3]);
        push(c, "words", &["x"]);
        assert_eq!(c.sort::<String>("words", all()).unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn objects() {
    for_each_wire(|c, _| {
        c.set("number", 12).unwrap();
        c.set("text", "x").unwrap();
        assert_eq!(c.object_encoding("number").unwrap().as_deref(), Some("int"));
        assert_eq!(c.object_encoding("text").unwrap().as_deref(), Some("embstr"));
        assert_eq!(c.object_encoding("missing").unwrap(), None);
        assert_eq!(c.object_refcount("text").unwrap(), Some(1));
        assert_eq!(c.object_refcount("missing").unwrap(), None);
        assert!(c.object_idletime("text").unwrap() <= Some(10));
        assert_eq!(c.object_idletime("missing").unwrap(), None);
        assert_eq!(c.object_freq("text").unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn frequencies_under_an_lfu_policy() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).arg("maxmemory-policy", "allkeys-lfu").start();
        let c = &Wire::connect(server.addr(), 3);
        c.set("k", 1).unwrap();
        assert!(c.object_freq("k").unwrap().is_some_and(|frequency| frequency >= 1));
        assert_eq!(c.object_freq("missing").unwrap(), None);
        let dump = c.dump("k").unwrap().expect("the key exists");
        c.restore_with("l", &dump, RestoreOptions::new().frequency(200)).unwrap();
        assert!(c.object_freq("l").unwrap().is_some_and(|frequency| frequency >= 199));
        assert_eq!(c.object_idletime("k").unwrap_err().code(), Some(ServerCode::Err));
    }
}
