//! The list commands against real servers: both versions, both protocols, the same replies.

use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ConnectionCommands, InsertAt, KeyCommands, ListCommands, ListEnd, ListInserted, LposOptions, SetCommands,
    StringCommands, UnblockMode,
};
use redstart_core::error::ServerCode;
use redstart_tests::wire::{Wire, for_each_pair, for_each_wire};

const MOMENT: Duration = Duration::from_millis(5);
/// Longer than the test.
const LONG: Duration = Duration::from_secs(20);

/// The elements of the list `k`, joined.
fn list(c: &Wire) -> String {
    c.lrange::<String>("k", 0, -1).expect("a list").concat()
}

#[test]
fn pushing_at_both_ends() {
    for_each_wire(|c, _| {
        assert_eq!(c.lpushx("k", "a").unwrap(), 0);
        assert_eq!(c.rpushx("k", ["a", "b"]).unwrap(), 0);
        assert_eq!(c.exists("k").unwrap(), 0);
        assert_eq!(c.lpush("k", ["b", "a"]).unwrap(), 2);
        assert_eq!(c.rpush("k", ["c", "d"]).unwrap(), 4);
        assert_eq!(c.lpushx("k", ["y", "x"]).unwrap(), 6);
        assert_eq!(c.rpushx("k", "e").unwrap(), 7);
        assert_eq!(list(c), "xyabcde");
        assert_eq!(c.llen("k").unwrap(), 7);
        assert_eq!(c.llen("missing").unwrap(), 0);
        c.set("text", "plain").unwrap();
        assert_eq!(c.lpush("text", "a").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn popping_at_both_ends() {
    for_each_wire(|c, _| {
        assert_eq!(c.lpop::<String>("k").unwrap(), None);
        assert_eq!(c.rpop::<String>("k").unwrap(), None);
        assert_eq!(c.lpop_count::<String>("k", 2).unwrap(), None);
        assert_eq!(c.rpop_count::<String>("k", 2).unwrap(), None);
        assert_eq!(c.rpush("k", [1, 2, 3, 4, 5, 6, 7]).unwrap(), 7);
        assert_eq!(c.lpop("k").unwrap(), Some(1));
        assert_eq!(c.rpop("k").unwrap(), Some(7));
        assert_eq!(c.lpop_count("k", 2).unwrap(), Some(vec![2, 3]));
        assert_eq!(c.rpop_count("k", 2).unwrap(), Some(vec![6, 5]));
        assert_eq!(c.lpop_count::<i64>("k", 0).unwrap(), Some(vec![]));
        assert_eq!(c.rpop_count("k", 9).unwrap(), Some(vec![4]));
        assert_eq!(c.exists("k").unwrap(), 0);
    });
}

#[test]
fn popping_from_the_first_of_several() {
    for_each_wire(|c, _| {
        assert_eq!(c.lmpop::<String, String>(["k1", "k2"], ListEnd::Left, 1).unwrap(), None);
        assert_eq!(c.rpush("k2", [1, 2, 3]).unwrap(), 3);
        let popped = |end, count| c.lmpop::<String, i64>(["k1", "k2"], end, count).unwrap();
        assert_eq!(popped(ListEnd::Left, 1), Some(("k2".into(), vec![1])));
        assert_eq!(popped(ListEnd::Right, 5), Some(("k2".into(), vec![3, 2])));
        let none = c.lmpop::<String, i64>("k2", ListEnd::Left, 0).unwrap_err();
        assert_eq!(none.code(), Some(ServerCode::Err));
    });
}

#[test]
fn moving_between_ends() {
    for_each_wire(|c, _| {
        let (left, right) = (ListEnd::Left, ListEnd::Right);
        assert_eq!(c.lmove::<String>("missing", "k", left, right).unwrap(), None);
        assert_eq!(c.rpoplpush::<String>("missing", "k").unwrap(), None);
        assert_eq!(c.rpush("k", ["a", "b", "c"]).unwrap(), 3);
        assert_eq!(c.lmove("k", "k", left, right).unwrap(), Some("a".to_owned()));
        assert_eq!(list(c), "bca");
        assert_eq!(c.rpush("other", ["x", "y"]).unwrap(), 2);
        assert_eq!(c.lmove("other", "k", right, left).unwrap(), Some("y".to_owned()));
        assert_eq!(list(c), "ybca");
        assert_eq!(c.rpoplpush("other", "k").unwrap(), Some("x".to_owned()));
        assert_eq!(list(c), "xybca");
        assert_eq!(c.exists("other").unwrap(), 0);
    });
}

#[test]
fn reading_by_position() {
    for_each_wire(|c, _| {
        assert_eq!(c.rpush("k", [10, 20, 30, 40]).unwrap(), 4);
        assert_eq!(c.lrange::<i64>("k", 1, 2).unwrap(), [20, 30]);
        assert_eq!(c.lrange::<i64>("k", -2, 99).unwrap(), [30, 40]);
        assert!(c.lrange::<i64>("k", 3, 1).unwrap().is_empty());
        assert!(c.lrange::<i64>("missing", 0, -1).unwrap().is_empty());
        assert_eq!(c.lindex("k", 0).unwrap(), Some(10));
        assert_eq!(c.lindex("k", -1).unwrap(), Some(40));
        assert_eq!(c.lindex::<i64>("k", 4).unwrap(), None);
    });
}

#[test]
fn finding_elements() {
    for_each_wire(|c, _| {
        let options = LposOptions::new;
        assert_eq!(c.rpush("k", ["a", "b", "c", "a", "b", "a"]).unwrap(), 6);
        assert_eq!(c.lpos("k", "a").unwrap(), Some(0));
        assert_eq!(c.lpos("k", "z").unwrap(), None);
        assert_eq!(c.lpos("missing", "a").unwrap(), None);
        assert_eq!(c.lpos_with("k", "a", options().rank(2)).unwrap(), Some(3));
        assert_eq!(c.lpos_with("k", "b", options().rank(-1)).unwrap(), Some(4));
        assert_eq!(c.lpos_with("k", "c", options().max_len(2)).unwrap(), None);
        assert_eq!(c.lpos_with("k", "c", options().max_len(3)).unwrap(), Some(2));
        assert_eq!(c.lpos_count("k", "a", 0, options()).unwrap(), [0, 3, 5]);
        assert_eq!(c.lpos_count("k", "a", 2, options().rank(-1)).unwrap(), [5, 3]);
        assert_eq!(c.lpos_count("k", "a", 0, options().rank(2).max_len(4)).unwrap(), [3]);
        assert!(c.lpos_count("k", "z", 0, options()).unwrap().is_empty());
        assert_eq!(c.lpos_with("k", "a", options().rank(0)).unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn changing_in_the_middle() {
    for_each_wire(|c, _| {
        assert_eq!(c.linsert("k", InsertAt::Before("c"), "b").unwrap(), ListInserted::NoKey);
        assert_eq!(c.rpush("k", ["a", "c"]).unwrap(), 2);
        assert_eq!(c.linsert("k", InsertAt::Before("z"), "b").unwrap(), ListInserted::NoPivot);
        assert_eq!(c.linsert("k", InsertAt::Before("c"), "b").unwrap(), ListInserted::Length(3));
        assert_eq!(c.linsert("k", InsertAt::After("c"), "d").unwrap(), ListInserted::Length(4));
        assert_eq!(list(c), "abcd");
        c.lset("k", -1, "D").unwrap();
        assert_eq!(list(c), "abcD");
        assert_eq!(c.lset("k", 4, "e").unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(c.lset("missing", 0, "e").unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn removing_from_the_middle() {
    for_each_wire(|c, _| {
        assert_eq!(c.rpush("k", ["x", "a", "x", "b", "x", "c", "x"]).unwrap(), 7);
        assert_eq!(c.lrem("k", 1, "x").unwrap(), 1);
        assert_eq!(list(c), "axbxcx");
        assert_eq!(c.lrem("k", -2, "x").unwrap(), 2);
        assert_eq!(list(c), "axbc");
        assert_eq!(c.lrem("k", 0, "x").unwrap(), 1);
        assert_eq!(c.lrem("k", 0, "z").unwrap(), 0);
        c.ltrim("k", 1, -1).unwrap();
        assert_eq!(list(c), "bc");
        c.ltrim("k", 5, 9).unwrap();
        assert_eq!(c.exists("k").unwrap(), 0);
        assert_eq!(c.sadd("set", "a").unwrap(), 1);
        assert_eq!(c.ltrim("set", 0, 1).unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn waiting_for_elements() {
    for_each_pair(|c, other| {
        let (left, right) = (ListEnd::Left, ListEnd::Right);
        assert_eq!(c.blpop::<String, String>(["k", "l"], MOMENT).unwrap(), None);
        assert_eq!(c.brpop::<String, String>("k", MOMENT).unwrap(), None);
        assert_eq!(c.blmpop::<String, String>(["k", "l"], left, 2, MOMENT).unwrap(), None);
        assert_eq!(c.blmove::<String>("k", "l", left, right, MOMENT).unwrap(), None);
        assert_eq!(c.brpoplpush::<String>("k", "l", MOMENT).unwrap(), None);

        let push = |key| assert_eq!(other.rpush(key, [1, 2, 3]).unwrap(), 3);
        let pair = |key: &str, value| Some((key.to_owned(), value));
        let popped = c.run_meanwhile(p.blpop(["k", "l"], LONG), other, |_| push("l")).unwrap();
        assert_eq!(popped, pair("l", 1));
        assert_eq!(c.brpop(["k", "l"], LONG).unwrap(), pair("l", 3), "at once");
        assert_eq!(c.del("l").unwrap(), 1);

        let popped = c.run_meanwhile(p.brpop("k", Duration::ZERO), other, |_| push("k")).unwrap();
        assert_eq!(popped, pair("k", 3));
        assert_eq!(c.blpop("k", LONG).unwrap(), pair("k", 1), "at once");
        assert_eq!(c.del("k").unwrap(), 1);

        let popped = c.run_meanwhile(p.blmpop(["l", "k"], right, 2, LONG), other, |_| push("k")).unwrap();
        assert_eq!(popped, Some(("k".to_owned(), vec![3, 2])));
        assert_eq!(c.del("k").unwrap(), 1);

        let moved = c.run_meanwhile(p.blmove("k", "l", left, right, LONG), other, |_| push("k")).unwrap();
        assert_eq!(moved, Some(1));
        assert_eq!(c.brpoplpush("k", "l", LONG).unwrap(), Some(3), "at once");
        assert_eq!(c.lrange::<i64>("l", 0, -1).unwrap(), [3, 1]);
    });
}

#[test]
fn waiting_is_ended_from_outside() {
    for_each_pair(|c, other| {
        let wait = || p.blpop::<String, String>("k", Duration::MAX);
        let unblock = |id, mode| assert!(other.client_unblock(id, mode).unwrap());
        let ended = c.run_meanwhile(wait(), other, |id| unblock(id, UnblockMode::Timeout));
        assert_eq!(ended.unwrap(), None);
        let ended = c.run_meanwhile(wait(), other, |id| unblock(id, UnblockMode::Error));
        assert_eq!(ended.unwrap_err().code(), Some(ServerCode::Unblocked));
    });
}
