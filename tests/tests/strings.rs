//! The string commands against real servers: both versions, both protocols, the same replies.

use std::time::Duration;

use redstart_core::command::UnixTime;
use redstart_core::commands::{ExpiryChange, KeyCommands, LcsOptions, SetOptions, StringCommands, Ttl};
use redstart_core::error::ServerCode;
use redstart_tests::wire::for_each_wire;

const MINUTE: Duration = Duration::from_secs(60);
/// In the year 2100.
const FAR: UnixTime = UnixTime::from_secs(4_102_444_800);
const PAST: UnixTime = UnixTime::from_secs(1);

#[test]
fn values_come_back_as_they_went() {
    for_each_wire(|c, _| {
        assert_eq!(c.get::<String>("k").unwrap(), None);
        c.set("k", b"\xff\r\n\0").unwrap();
        assert_eq!(c.get::<Vec<u8>>("k").unwrap().as_deref(), Some(&b"\xff\r\n\0"[..]));
        c.set("k", "").unwrap();
        assert_eq!(c.get("k").unwrap(), Some(String::new()));
        assert_eq!(c.getset("k", 7).unwrap(), Some(String::new()));
        assert_eq!(c.getdel("k").unwrap(), Some(7));
        assert_eq!(c.getdel::<i64>("k").unwrap(), None);
        assert_eq!(c.getset::<String>("k", 7).unwrap(), None);
    });
}

#[test]
fn conditions_of_set() {
    for_each_wire(|c, _| {
        let (absent, present) = (SetOptions::new().if_absent(), SetOptions::new().if_present());
        assert!(!c.set_with("k", 1, present.clone()).unwrap());
        assert!(c.set_with("k", 1, absent.clone()).unwrap());
        assert!(!c.set_with("k", 2, absent.clone()).unwrap());
        assert!(c.set_with("k", 3, present.clone()).unwrap());

        assert_eq!(c.set_and_get("k", 4, absent.clone()).unwrap(), Some(3));
        assert_eq!(c.set_and_get("k", 5, present.clone()).unwrap(), Some(3));
        assert_eq!(c.set_and_get("k", 6, SetOptions::new()).unwrap(), Some(5));
        assert_eq!(c.set_and_get::<i64>("l", 1, present).unwrap(), None);
        assert_eq!(c.set_and_get::<i64>("l", 1, absent).unwrap(), None);
        assert_eq!(c.mget("l").unwrap(), [Some(1)]);

        assert!(c.setnx("m", 1).unwrap());
        assert!(!c.setnx("m", 2).unwrap());
        assert!(!c.msetnx([("m", 3), ("n", 3)]).unwrap());
        assert!(c.msetnx([("n", 3), ("o", 3)]).unwrap());
        c.mset([("m", 4), ("n", 4)]).unwrap();
        assert_eq!(c.mget(["m", "n", "o", "p"]).unwrap(), [Some(4), Some(4), Some(3), None]);
    });
}

#[test]
fn expiry_of_values() {
    for_each_wire(|c, _| {
        let left = || c.pttl("k").unwrap().left().unwrap_or_default();
        let about_a_minute = Duration::from_secs(50)..=MINUTE;

        assert!(c.set_with("k", 1, SetOptions::new().expire_after(MINUTE)).unwrap());
        assert!(about_a_minute.contains(&left()));
        assert!(c.set_with("k", 2, SetOptions::new().keep_ttl()).unwrap());
        assert!(about_a_minute.contains(&left()));
        assert!(c.set_with("k", 3, SetOptions::new().expire_at(FAR)).unwrap());
        assert_eq!(c.pexpiretime("k").unwrap().at(), Some(FAR));
        c.set("k", 4).unwrap();
        assert_eq!(c.pttl("k").unwrap(), Ttl::NoExpiry);

        assert_eq!(c.getex("k", ExpiryChange::After(MINUTE)).unwrap(), Some(4));
        assert!(about_a_minute.contains(&left()));
        assert_eq!(c.getex("k", ExpiryChange::Remove).unwrap(), Some(4));
        assert_eq!(c.pttl("k").unwrap(), Ttl::NoExpiry);
        assert_eq!(c.getex("k", ExpiryChange::At(PAST)).unwrap(), Some(4));
        assert_eq!(c.getex::<i64>("k", ExpiryChange::Remove).unwrap(), None);

        c.setex("k", Duration::from_millis(59_001), 5).unwrap();
        assert!(about_a_minute.contains(&left()));
        c.psetex("k", MINUTE, 6).unwrap();
        assert!(about_a_minute.contains(&left()));
        let refused = c.set_with("k", 7, SetOptions::new().expire_after(Duration::ZERO)).unwrap_err();
        assert_eq!(refused.code(), Some(ServerCode::Err));
        assert!(c.set_with("k", 8, SetOptions::new().expire_at(PAST)).unwrap());
        assert_eq!(c.exists("k").unwrap(), 0);
    });
}

#[test]
fn parts_of_values() {
    for_each_wire(|c, _| {
        assert_eq!(c.strlen("k").unwrap(), 0);
        assert_eq!(c.getrange::<String>("k", 0, -1).unwrap(), "");
        assert_eq!(c.append("k", "Hello").unwrap(), 5);
        assert_eq!(c.append("k", " World").unwrap(), 11);
        assert_eq!(c.setrange("k", 6, "Redis").unwrap(), 11);
        assert_eq!(c.getrange::<String>("k", 0, -1).unwrap(), "Hello Redis");
        assert_eq!(c.getrange::<String>("k", -5, -1).unwrap(), "Redis");
        assert_eq!(c.substr::<String>("k", 1, 3).unwrap(), "ell");
        assert_eq!(c.setrange("k", 12, "!").unwrap(), 13);
        assert_eq!(c.getrange::<Vec<u8>>("k", 10, 20).unwrap(), b"s\0!");
        assert_eq!(c.strlen("k").unwrap(), 13);
    });
}

#[test]
fn numbers() {
    for_each_wire(|c, _| {
        assert_eq!(c.incr("k").unwrap(), 1);
        assert_eq!(c.incrby("k", -11).unwrap(), -10);
        assert_eq!(c.decr("k").unwrap(), -11);
        assert_eq!(c.decrby("k", -21).unwrap(), 10);
        assert_eq!(c.incrbyfloat("k", 0.5).unwrap(), 10.5);
        assert_eq!(c.incrbyfloat("k", -1e-7).unwrap(), 10.499_999_9);
        assert_eq!(c.incr("k").unwrap_err().code(), Some(ServerCode::Err));
        c.set("k", i64::MAX).unwrap();
        assert_eq!(c.get("k").unwrap(), Some(i64::MAX));
        assert_eq!(c.incr("k").unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn longest_common_subsequence() {
    for_each_wire(|c, _| {
        c.mset([("a", "ohmytext"), ("b", "mynewtext")]).unwrap();
        assert_eq!(c.lcs::<String>("a", "b").unwrap(), "mytext");
        assert_eq!(c.lcs_len("a", "b").unwrap(), 6);

        let all = c.lcs_idx("a", "b", LcsOptions::new()).unwrap();
        assert_eq!(all.len, 6);
        let ranges: Vec<_> = all.matches.iter().map(|m| (m.first.clone(), m.second.clone(), m.len)).collect();
        assert_eq!(ranges, [(4..=7, 5..=8, None), (2..=3, 0..=1, None)]);

        let long = LcsOptions::new().min_match_len(4).with_match_len();
        let long = c.lcs_idx("a", "b", long).unwrap();
        assert_eq!(long.len, 6);
        let ranges: Vec<_> =
            long.matches.iter().map(|m| (m.first.clone(), m.second.clone(), m.len)).collect();
        assert_eq!(ranges, [(4..=7, 5..=8, Some(4))]);

        let none = c.lcs_idx("a", "missing", LcsOptions::new()).unwrap();
        assert_eq!((none.matches.len(), none.len), (0, 0));
    });
}
