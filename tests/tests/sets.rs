//! The set commands against real servers: both versions, both protocols, the same replies.

use std::collections::BTreeSet;

use redstart_core::commands::{KeyCommands, ScanOptions, SetCommands, StringCommands};
use redstart_core::error::ServerCode;
use redstart_tests::wire::{Wire, for_each_wire};

fn sorted<T: Ord>(mut members: Vec<T>) -> Vec<T> {
    members.sort();
    members
}

/// The members of a set in order, joined.
fn set(c: &Wire, key: &str) -> String {
    sorted(c.smembers::<String>(key).expect("a set")).concat()
}

#[test]
fn members() {
    for_each_wire(|c, _| {
        assert_eq!(c.sadd("k", ["a", "b", "a"]).unwrap(), 2);
        assert_eq!(c.sadd("k", "c").unwrap(), 1);
        assert_eq!(c.sadd("k", BTreeSet::from(["a", "d"])).unwrap(), 1);
        assert_eq!(set(c, "k"), "abcd");
        assert_eq!(c.scard("k").unwrap(), 4);
        assert_eq!(c.scard("missing").unwrap(), 0);
        assert!(c.sismember("k", "a").unwrap());
        assert!(!c.sismember("k", "z").unwrap());
        assert_eq!(c.smismember("k", ["a", "z", "b"]).unwrap(), [true, false, true]);
        assert_eq!(c.smismember("missing", "a").unwrap(), [false]);
        assert_eq!(c.srem("k", ["a", "z", "d"]).unwrap(), 2);
        assert_eq!(set(c, "k"), "bc");
        assert!(c.smembers::<String>("missing").unwrap().is_empty());
        c.set("text", "plain").unwrap();
        assert_eq!(c.sadd("text", "a").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn members_of_any_type() {
    for_each_wire(|c, _| {
        assert_eq!(c.sadd("numbers", [3, 1, 2]).unwrap(), 3);
        assert_eq!(sorted(c.smembers::<i64>("numbers").unwrap()), [1, 2, 3]);
        assert_eq!(c.sadd("bytes", [&b"\x00\xff"[..], b"\r\n"]).unwrap(), 2);
        assert_eq!(sorted(c.smembers::<Vec<u8>>("bytes").unwrap()), [&b"\x00\xff"[..], b"\r\n"]);
    });
}

#[test]
fn moving() {
    for_each_wire(|c, _| {
        assert_eq!(c.sadd("from", ["a", "b"]).unwrap(), 2);
        assert!(c.smove("from", "to", "a").unwrap());
        assert!(!c.smove("from", "to", "a").unwrap());
        assert_eq!((set(c, "from"), set(c, "to")), ("b".to_owned(), "a".to_owned()));
    });
}

#[test]
fn samples() {
    for_each_wire(|c, _| {
        assert_eq!(c.srandmember::<String>("k").unwrap(), None);
        assert!(c.srandmember_count::<String>("k", 3).unwrap().is_empty());
        assert_eq!(c.spop::<String>("k").unwrap(), None);
        assert!(c.spop_count::<String>("k", 3).unwrap().is_empty());

        assert_eq!(c.sadd("k", [1, 2, 3]).unwrap(), 3);
        assert!((1..=3).contains(&c.srandmember::<i64>("k").unwrap().unwrap()));
        assert_eq!(sorted(c.srandmember_count::<i64>("k", 9).unwrap()), [1, 2, 3]);
        assert_eq!(c.srandmember_count::<i64>("k", 2).unwrap().len(), 2);
        let repeated = c.srandmember_count::<i64>("k", -9).unwrap();
        assert_eq!(repeated.len(), 9);
        assert!(repeated.iter().all(|member| (1..=3).contains(member)));
        assert_eq!(c.scard("k").unwrap(), 3);

        let mut popped: Vec<i64> = c.spop_count("k", 2).unwrap();
        assert_eq!(popped.len(), 2);
        popped.extend(c.spop::<i64>("k").unwrap());
        assert_eq!(sorted(popped), [1, 2, 3]);
        assert_eq!(c.exists("k").unwrap(), 0);
    });
}

#[test]
fn walking_through_a_large_set() {
    for_each_wire(|c, _| {
        let members: Vec<String> = (0..500).map(|n| format!("member:{n}")).collect();
        assert_eq!(c.sadd("k", &members).unwrap(), 500);
        let walk = |options: ScanOptions| {
            let (mut seen, mut pages, mut cursor) = (BTreeSet::new(), 0, 0);
            loop {
                let page = c.sscan::<String>("k", cursor, options.clone()).unwrap();
                seen.extend(page.items.iter().cloned());
                pages += 1;
                if page.is_last() {
                    return (seen, pages);
                }
                cursor = page.cursor;
            }
        };
        let (seen, pages) = walk(ScanOptions::new());
        assert!(seen.iter().eq(&members.iter().cloned().collect::<BTreeSet<_>>()));
        assert!(pages > 10, "{pages}");
        let (seen, pages) = walk(ScanOptions::new().matching("*:49?").count(1_000));
        assert_eq!((seen.len(), pages), (10, 1));

        let page = c.sscan::<String>("missing", 0, ScanOptions::new()).unwrap();
        assert!(page.is_last() && page.items.is_empty());
    });
}

#[test]
fn combinations() {
    for_each_wire(|c, _| {
        assert_eq!(c.sadd("k1", ["a", "b", "c"]).unwrap(), 3);
        assert_eq!(c.sadd("k2", ["b", "c", "d"]).unwrap(), 3);
        assert_eq!(c.sadd("k3", ["c", "d", "e"]).unwrap(), 3);
        let keys = ["k1", "k2", "k3"];
        assert_eq!(c.sdiff::<String>(keys).unwrap(), ["a"]);
        assert_eq!(c.sinter::<String>(keys).unwrap(), ["c"]);
        assert_eq!(sorted(c.sunion::<String>(keys).unwrap()).concat(), "abcde");
        assert!(c.sinter::<String>(["k1", "missing"]).unwrap().is_empty());

        assert_eq!(c.sintercard(["k1", "k2"], None).unwrap(), 2);
        assert_eq!(c.sintercard(["k1", "k2"], Some(0)).unwrap(), 2);
        assert_eq!(c.sintercard(["k1", "k2"], Some(1)).unwrap(), 1);

        assert_eq!(c.sunionstore("to", keys).unwrap(), 5);
        assert_eq!(set(c, "to"), "abcde");
        assert_eq!(c.sinterstore("to", ["k1", "k2"]).unwrap(), 2);
        assert_eq!(set(c, "to"), "bc");
        assert_eq!(c.sdiffstore("to", ["k3", "k1"]).unwrap(), 2);
        assert_eq!(set(c, "to"), "de");
        assert_eq!(c.sdiffstore("to", ["k1", "k1"]).unwrap(), 0);
        assert_eq!(c.exists("to").unwrap(), 0);
    });
}
