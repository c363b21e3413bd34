//! The hash commands against real servers: both versions, both protocols, the same replies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use redstart_core::command::UnixTime;
use redstart_core::commands::{
    ExpireIf, ExpireTime, ExpiryChange, FieldExpiry, FieldPersist, HashCommands, HsetexOptions, KeyCommands,
    ScanOptions, StringCommands, Ttl,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::wire::{for_each_wire, for_each_wire_to, is_unknown_command};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// In the year 2100.
const FAR: UnixTime = UnixTime::from_secs(4_102_444_800);
const PAST: UnixTime = UnixTime::from_secs(1);

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn fields_and_values() {
    for_each_wire(|c, _| {
        assert_eq!(c.hset("k", [("f", 1), ("g", 2)]).unwrap(), 2);
        assert_eq!(c.hset("k", [("g", 3), ("h", 4)]).unwrap(), 1);
        c.hmset("k", BTreeMap::from([("h", 5)])).unwrap();
        assert!(!c.hsetnx("k", "f", 9).unwrap());
        assert!(c.hsetnx("k", "i", 9).unwrap());

        assert_eq!(c.hget("k", "f").unwrap(), Some(1));
        assert_eq!(c.hget::<i64>("k", "missing").unwrap(), None);
        assert_eq!(c.hmget("k", ["g", "missing", "h"]).unwrap(), [Some(3), None, Some(5)]);
        assert_eq!(c.hmget::<i64>("missing", ["g", "h"]).unwrap(), [None, None]);
        assert_eq!(c.hlen("k").unwrap(), 4);
        assert!(c.hexists("k", "f").unwrap());
        assert!(!c.hexists("missing", "f").unwrap());

        let all = pairs(&[("f", "1"), ("g", "3"), ("h", "5"), ("i", "9")]);
        assert_eq!(c.hgetall::<Vec<(String, String)>>("k").unwrap(), all);
        let map: HashMap<String, i64> = c.hgetall("k").unwrap();
        assert_eq!(map.len(), 4);
        assert_eq!(map["g"], 3);
        assert!(c.hgetall::<BTreeMap<String, String>>("missing").unwrap().is_empty());
        assert_eq!(c.hkeys::<String>("k").unwrap(), ["f", "g", "h", "i"]);
        assert_eq!(c.hvals::<i64>("k").unwrap(), [1, 3, 5, 9]);

        assert_eq!(c.hdel("k", ["f", "missing"]).unwrap(), 1);
        assert_eq!(c.hdel("k", ["g", "h", "i"]).unwrap(), 3);
        assert_eq!(c.exists("k").unwrap(), 0);
        c.set("k", "plain").unwrap();
        assert_eq!(c.hlen("k").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn numbers_in_fields() {
    for_each_wire(|c, _| {
        assert_eq!(c.hincrby("k", "f", 5).unwrap(), 5);
        assert_eq!(c.hincrby("k", "f", -7).unwrap(), -2);
        assert_eq!(c.hincrbyfloat("k", "f", 0.25).unwrap(), -1.75);
        assert_eq!(c.hstrlen("k", "f").unwrap(), 5);
        assert_eq!(c.hstrlen("k", "missing").unwrap(), 0);
        assert_eq!(c.hincrby("k", "f", 1).unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn samples() {
    for_each_wire(|c, _| {
        assert_eq!(c.hrandfield::<String>("k").unwrap(), None);
        assert!(c.hrandfield_count::<String>("k", 3).unwrap().is_empty());
        assert!(c.hrandfield_with_values::<String, i64>("k", 3).unwrap().is_empty());

        assert_eq!(c.hset("k", [("f", 1), ("g", 2)]).unwrap(), 2);
        assert!(["f", "g"].contains(&&*c.hrandfield::<String>("k").unwrap().unwrap()));
        let different: BTreeSet<String> = c.hrandfield_count("k", 5).unwrap().into_iter().collect();
        assert_eq!(different, BTreeSet::from(["f".to_owned(), "g".to_owned()]));
        assert_eq!(c.hrandfield_count::<String>("k", -5).unwrap().len(), 5);
        let with_values: BTreeMap<String, i64> =
            c.hrandfield_with_values("k", 5).unwrap().into_iter().collect();
        assert_eq!(with_values, BTreeMap::from([("f".to_owned(), 1), ("g".to_owned(), 2)]));
        assert_eq!(c.hrandfield_with_values::<String, i64>("k", -3).unwrap().len(), 3);
    });
}

#[test]
fn walks() {
    for_each_wire(|c, version| {
        let none = c.hscan::<String, i64>("k", 0, ScanOptions::new()).unwrap();
        assert!(none.is_last() && none.items.is_empty());

        let fields: Vec<(String, i64)> = (0..1_000).map(|n| (format!("f{n:03}"), n)).collect();
        assert_eq!(c.hset("k", &fields).unwrap(), 1_000);
        let (mut seen, mut cursor, mut pages) = (BTreeMap::new(), 0, 0);
        loop {
            let page = c.hscan::<String, i64>("k", cursor, ScanOptions::new().count(100)).unwrap();
            pages += 1;
            cursor = page.cursor;
            let last = page.is_last();
            seen.extend(page.items);
            if last {
                break;
            }
        }
        assert_eq!(seen, fields.iter().cloned().collect());
        assert!(pages > 1);

        let options = ScanOptions::new().matching("f99?").count(10_000);
        let page = c.hscan::<String, i64>("k", 0, options.clone()).unwrap();
        assert!(page.is_last());
        assert_eq!(page.items.len(), 10);
        let names = c.hscan_novalues::<String>("k", 0, options);
        match version {
            Version::V7 => assert_eq!(names.unwrap_err().code(), Some(ServerCode::Err)),
            Version::V8 => {
                let names: BTreeSet<String> = names.unwrap().items.into_iter().collect();
                assert_eq!(names, page.items.into_iter().map(|(field, _)| field).collect());
            }
        }
    });
}

#[test]
fn fields_that_expire() {
    use FieldExpiry::{Missing, Removed, Set, Unchanged};

    for_each_wire_to(Version::V8, |c| {
        assert_eq!(c.hset("k", [("f", 1), ("g", 2)]).unwrap(), 2);
        assert_eq!(c.hexpire("k", MINUTE, ["f", "x"]).unwrap(), [Set, Missing]);
        assert_eq!(c.hexpire("missing", MINUTE, "f").unwrap(), [Missing]);
        let when = ExpireIf::NoExpiry;
        assert_eq!(c.hexpire_with("k", HOUR, ["f", "g"], when).unwrap(), [Unchanged, Set]);
        assert_eq!(c.hpexpire_with("k", MINUTE / 2, ["f", "g"], ExpireIf::Later).unwrap(), [Unchanged; 2]);
        assert_eq!(c.hpexpire("k", MINUTE, ["f", "g"]).unwrap(), [Set, Set]);
        assert_eq!(c.hexpireat_with("k", FAR, ["f", "g"], ExpireIf::Sooner).unwrap(), [Unchanged; 2]);
        assert_eq!(c.hexpireat("k", FAR, "f").unwrap(), [Set]);
        let later = UnixTime::from_millis(FAR.as_millis() + 1);
        let when = ExpireIf::HasExpiry;
        assert_eq!(c.hpexpireat_with("k", later, ["f", "x"], when).unwrap(), [Set, Missing]);

        assert_eq!(c.hpexpiretime("k", ["f", "x"]).unwrap(), [ExpireTime::At(later), ExpireTime::Missing]);
        let rounded_up = UnixTime::from_secs(FAR.as_secs() + 1);
        assert_eq!(c.hexpiretime("k", "f").unwrap(), [ExpireTime::At(rounded_up)]);
        assert_eq!(c.hpersist("k", ["f", "x"]).unwrap(), [FieldPersist::Persisted, FieldPersist::Missing]);
        assert_eq!(c.hpersist("k", "f").unwrap(), [FieldPersist::NoExpiry]);
        assert_eq!(c.hpexpiretime("k", "f").unwrap(), [ExpireTime::NoExpiry]);

        let left = c.hpttl("k", ["f", "g", "x"]).unwrap();
        assert_eq!((left[0], left[2]), (Ttl::NoExpiry, Ttl::Missing));
        assert!((Duration::from_secs(50)..=MINUTE).contains(&left[1].left().unwrap()));
        let left = c.httl("k", "g").unwrap()[0].left().unwrap();
        assert!((Duration::from_secs(50)..=MINUTE).contains(&left));

        assert_eq!(c.hpexpireat("k", PAST, "f").unwrap(), [Removed]);
        assert_eq!(c.hexpire("k", Duration::ZERO, "g").unwrap(), [Removed]);
        assert_eq!(c.exists("k").unwrap(), 0);
    });
}

#[test]
fn values_and_expiry_in_one_step() {
    for_each_wire_to(Version::V8, |c| {
        let fields = [("f", 1), ("g", 2)];
        assert!(!c.hsetex("k", fields, HsetexOptions::new().if_present()).unwrap());
        assert!(c.hsetex("k", fields, HsetexOptions::new().if_absent().expire_at(FAR)).unwrap());
        assert!(!c.hsetex("k", fields, HsetexOptions::new().if_absent()).unwrap());
        assert!(c.hsetex("k", fields, HsetexOptions::new().keep_ttl()).unwrap());
        assert_eq!(c.hpexpiretime("k", ["f", "g"]).unwrap(), [ExpireTime::At(FAR); 2]);
        assert!(c.hsetex("k", fields, HsetexOptions::new().if_present().expire_after(MINUTE)).unwrap());
        assert!(c.hpttl("k", "f").unwrap()[0].left().unwrap() <= MINUTE);
        assert!(c.hsetex("k", fields, HsetexOptions::new()).unwrap());
        assert_eq!(c.httl("k", "f").unwrap(), [Ttl::NoExpiry]);

        assert_eq!(c.hgetex("k", ["f", "x"], ExpiryChange::At(FAR)).unwrap(), [Some(1), None]);
        assert_eq!(c.hpexpiretime("k", "f").unwrap(), [ExpireTime::At(FAR)]);
        assert_eq!(c.hgetex("k", "f", ExpiryChange::After(MINUTE)).unwrap(), [Some(1)]);
        assert!(c.hpttl("k", "f").unwrap()[0].left().unwrap() <= MINUTE);
        assert_eq!(c.hgetex("k", "f", ExpiryChange::Remove).unwrap(), [Some(1)]);
        assert_eq!(c.httl("k", "f").unwrap(), [Ttl::NoExpiry]);
        assert_eq!(c.hgetex::<i64>("missing", ["f", "g"], ExpiryChange::Remove).unwrap(), [None, None]);

        assert_eq!(c.hgetdel("k", ["f", "x"]).unwrap(), [Some(1), None]);
        assert_eq!(c.hgetdel("k", "g").unwrap(), [Some(2)]);
        assert_eq!(c.exists("k").unwrap(), 0);
        assert_eq!(c.hgetdel::<i64>("k", "g").unwrap(), [None]);
    });
}

#[test]
fn an_older_server_does_not_know_fields_that_expire() {
    for_each_wire_to(Version::V7, |c| {
        let when = ExpireIf::Later;
        assert!(is_unknown_command(c.hexpire("k", MINUTE, "f")));
        assert!(is_unknown_command(c.hexpire_with("k", MINUTE, "f", when)));
        assert!(is_unknown_command(c.hpexpire("k", MINUTE, "f")));
        assert!(is_unknown_command(c.hpexpire_with("k", MINUTE, "f", when)));
        assert!(is_unknown_command(c.hexpireat("k", FAR, "f")));
        assert!(is_unknown_command(c.hexpireat_with("k", FAR, "f", when)));
        assert!(is_unknown_command(c.hpexpireat("k", FAR, "f")));
        assert!(is_unknown_command(c.hpexpireat_with("k", FAR, "f", when)));
        assert!(is_unknown_command(c.hpersist("k", "f")));
        assert!(is_unknown_command(c.httl("k", "f")));
        assert!(is_unknown_command(c.hpttl("k", "f")));
        assert!(is_unknown_command(c.hexpiretime("k", "f")));
        assert!(is_unknown_command(c.hpexpiretime("k", "f")));
        assert!(is_unknown_command(c.hgetex::<i64>("k", "f", ExpiryChange::Remove)));
        assert!(is_unknown_command(c.hgetdel::<i64>("k", "f")));
        assert!(is_unknown_command(c.hsetex("k", [("f", 1)], HsetexOptions::new())));
    });
}
