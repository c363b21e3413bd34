//! The sorted set commands against real servers: both versions, both protocols, the same replies.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ByLex, ByRank, ByScore, CombineOptions, KeyCommands, ScanOptions, ScoreEnd, SetCommands,
    SortedSetCommands, StringCommands, ZaddIf, ZaddOptions,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::wire::{Wire, for_each_pair, for_each_wire};

fn scored(members: &[(&str, f64)]) -> Vec<(String, f64)> {
    members.iter().map(|(member, score)| ((*member).to_owned(), *score)).collect()
}

/// The members of a sorted set with their scores.
fn all(c: &Wire, key: &str) -> Vec<(String, f64)> {
    c.zrange_with_scores(key, ByRank::new(0, -1)).expect("a sorted set")
}

/// `k` with a to e at 1 to 5.
fn five(c: &Wire) {
    assert_eq!(c.zadd("k", [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]), Ok(5));
}

#[test]
fn scores() {
    for_each_wire(|c, _| {
        assert_eq!(c.zadd("k", [(1.5, "a"), (-2.0, "b")]).unwrap(), 2);
        assert_eq!(c.zadd("k", [(0.1, "b"), (f64::INFINITY, "c")]).unwrap(), 1);
        assert_eq!(c.zadd("k", [(1e-9, "d"), (1.7976931348623157e308, "e")]).unwrap(), 2);
        assert_eq!(c.zcard("k").unwrap(), 5);
        assert_eq!(c.zscore("k", "a").unwrap(), Some(1.5));
        assert_eq!(c.zscore("k", "z").unwrap(), None);
        let scores = c.zmscore("k", ["c", "z", "d", "e", "b"]).unwrap();
        assert_eq!(scores, [Some(f64::INFINITY), None, Some(1e-9), Some(f64::MAX), Some(0.1)]);
        assert_eq!(c.zmscore("missing", "a").unwrap(), [None]);
        assert_eq!(c.zincrby("k", 2.25, "a").unwrap(), 3.75);
        assert_eq!(c.zincrby("k", -1.0, "new").unwrap(), -1.0);
        assert_eq!(c.zrem("k", ["a", "z", "c"]).unwrap(), 2);
        assert_eq!(c.zadd("k", [(f64::NAN, "n")]).unwrap_err().code(), Some(ServerCode::Err));
        c.set("text", "plain").unwrap();
        assert_eq!(c.zcard("text").unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn adding_under_conditions() {
    for_each_wire(|c, _| {
        let add = |condition, score, member| {
            let options = ZaddOptions::new().only_if(condition).count_changed();
            c.zadd_with("k", [(score, member)], options).unwrap()
        };
        assert_eq!(add(ZaddIf::Present, 1, "a"), 0);
        assert_eq!(add(ZaddIf::Absent, 1, "a"), 1);
        assert_eq!(add(ZaddIf::Absent, 2, "a"), 0);
        assert_eq!(add(ZaddIf::Present, 3, "a"), 1);
        assert_eq!(add(ZaddIf::Greater, 2, "a"), 0);
        assert_eq!(add(ZaddIf::Greater, 4, "a"), 1);
        assert_eq!(add(ZaddIf::Less, 5, "a"), 0);
        assert_eq!(add(ZaddIf::Less, 2, "a"), 1);
        assert_eq!(add(ZaddIf::Less, 2, "b"), 1);
        assert_eq!(add(ZaddIf::PresentAndGreater, 9, "new"), 0);
        assert_eq!(add(ZaddIf::PresentAndGreater, 9, "a"), 1);
        assert_eq!(add(ZaddIf::PresentAndLess, 9, "a"), 0);
        assert_eq!(add(ZaddIf::PresentAndLess, 8, "a"), 1);
        assert_eq!(all(c, "k"), scored(&[("b", 2.0), ("a", 8.0)]));
        assert_eq!(c.zadd_with("k", [(7, "a"), (7, "c")], ZaddOptions::new()).unwrap(), 1);

        assert_eq!(c.zadd_incr("k", 1.0, "z", ZaddIf::Present).unwrap(), None);
        assert_eq!(c.zadd_incr("k", 0.5, "a", ZaddIf::Present).unwrap(), Some(7.5));
        assert_eq!(c.zadd_incr("k", -1.0, "a", ZaddIf::Greater).unwrap(), None);
        assert_eq!(c.zadd_incr("k", -1.0, "a", ZaddIf::PresentAndLess).unwrap(), Some(6.5));
        assert_eq!(c.zadd_incr("k", 3.0, "z", ZaddIf::Absent).unwrap(), Some(3.0));
    });
}

#[test]
fn ranks() {
    for_each_wire(|c, version| {
        five(c);
        assert_eq!(c.zrank("k", "b").unwrap(), Some(1));
        assert_eq!(c.zrevrank("k", "b").unwrap(), Some(3));
        assert_eq!(c.zrank("k", "z").unwrap(), None);
        assert_eq!(c.zrevrank("missing", "a").unwrap(), None);
        if version == Version::V7 {
            // The option came with 7.2.
            let error = c.zrank_with_score("k", "b").unwrap_err();
            assert_eq!(error.server().unwrap().text(), "ERR wrong number of arguments for 'zrank' command");
            assert_eq!(c.zrevrank_with_score("k", "b").unwrap_err().code(), Some(ServerCode::Err));
        } else {
            assert_eq!(c.zrank_with_score("k", "b").unwrap(), Some((1, 2.0)));
            assert_eq!(c.zrevrank_with_score("k", "b").unwrap(), Some((3, 2.0)));
            assert_eq!(c.zrank_with_score("k", "z").unwrap(), None);
            assert_eq!(c.zrevrank_with_score("missing", "z").unwrap(), None);
        }
    });
}

#[test]
fn popping() {
    for_each_wire(|c, _| {
        assert_eq!(c.zpopmin::<String>("k").unwrap(), None);
        assert_eq!(c.zpopmax::<String>("k").unwrap(), None);
        assert!(c.zpopmin_count::<String>("k", 2).unwrap().is_empty());
        assert!(c.zpopmax_count::<String>("k", 2).unwrap().is_empty());
        assert_eq!(c.zmpop::<String, String>(["k", "other"], ScoreEnd::Lowest, 1).unwrap(), None);

        five(c);
        assert_eq!(c.zpopmin("k").unwrap(), Some(("a".to_owned(), 1.0)));
        assert_eq!(c.zpopmax("k").unwrap(), Some(("e".to_owned(), 5.0)));
        assert_eq!(c.zpopmin_count::<String>("k", 2).unwrap(), scored(&[("b", 2.0), ("c", 3.0)]));
        assert_eq!(c.zpopmax_count::<String>("k", 9).unwrap(), scored(&[("d", 4.0)]));
        assert_eq!(c.exists("k").unwrap(), 0);

        five(c);
        let popped = |end, count| c.zmpop::<String, String>(["missing", "k"], end, count).unwrap();
        let of_k = |members: &[(&str, f64)]| Some(("k".to_owned(), scored(members)));
        assert_eq!(popped(ScoreEnd::Lowest, 1), of_k(&[("a", 1.0)]));
        assert_eq!(popped(ScoreEnd::Highest, 2), of_k(&[("e", 5.0), ("d", 4.0)]));
    });
}

#[test]
fn samples() {
    for_each_wire(|c, _| {
        assert_eq!(c.zrandmember::<String>("k").unwrap(), None);
        assert!(c.zrandmember_count::<String>("k", 3).unwrap().is_empty());
        assert!(c.zrandmember_with_scores::<String>("k", 3).unwrap().is_empty());

        five(c);
        assert!("abcde".contains(&c.zrandmember::<String>("k").unwrap().unwrap()));
        let mut different = c.zrandmember_count::<String>("k", 9).unwrap();
        different.sort();
        assert_eq!(different.concat(), "abcde");
        assert_eq!(c.zrandmember_count::<String>("k", -9).unwrap().len(), 9);
        for (member, score) in c.zrandmember_with_scores::<String>("k", -9).unwrap() {
            assert_eq!(c.zscore("k", member).unwrap(), Some(score));
        }
        assert_eq!(c.zrandmember_with_scores::<String>("k", 2).unwrap().len(), 2);
    });
}

#[test]
fn walking_through_a_large_sorted_set() {
    for_each_wire(|c, _| {
        let members: Vec<(i32, String)> = (0..500).map(|n| (n, format!("member:{n}"))).collect();
        assert_eq!(c.zadd("k", &members).unwrap(), 500);
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, 0);
        loop {
            let page = c.zscan::<String>("k", cursor, ScanOptions::new()).unwrap();
            seen.extend(page.items.iter().cloned());
            pages += 1;
            if page.is_last() {
                break;
            }
            cursor = page.cursor;
        }
        seen.sort_by(|a, b| a.1.total_cmp(&b.1));
        seen.dedup();
        let expected = members.into_iter().map(|(score, member)| (member, f64::from(score)));
        assert!(seen.into_iter().eq(expected));
        assert!(pages > 10, "{pages}");

        let page = c.zscan::<String>("k", 0, ScanOptions::new().matching("*:7").count(1_000)).unwrap();
        assert!(page.is_last());
        assert_eq!(page.items, scored(&[("member:7", 7.0)]));
    });
}

#[test]
fn ranges_by_rank_and_by_score() {
    for_each_wire(|c, _| {
        five(c);
        let names = |range| c.zrange::<String>("k", range).unwrap().concat();
        assert_eq!(c.zrange::<String>("k", ByRank::new(1, -2)).unwrap().concat(), "bcd");
        assert_eq!(c.zrange::<String>("k", ByRank::new(0, 1).reversed()).unwrap().concat(), "ed");
        assert!(c.zrange::<String>("missing", ByRank::new(0, -1)).unwrap().is_empty());
        assert_eq!(names(ByScore::new(..)), "abcde");
        assert_eq!(names(ByScore::new(2..4)), "bc");
        assert_eq!(names(ByScore::new(2..=4)), "bcd");
        assert_eq!(names(ByScore::new(3.5..)), "de");
        assert_eq!(names(ByScore::new(..2)), "a");
        assert_eq!(names(ByScore::new(..=2)), "ab");
        assert_eq!(names(ByScore::new((Excluded(2), Unbounded))), "cde");
        assert_eq!(names(ByScore::new(2..4).reversed()), "cb");
        assert_eq!(names(ByScore::new(..).limit(1, 2)), "bc");
        assert_eq!(names(ByScore::new(..=4).reversed().limit(1, 9)), "cba");
        let with_scores = c.zrange_with_scores::<String>("k", ByScore::new(4..).reversed()).unwrap();
        assert_eq!(with_scores, scored(&[("e", 5.0), ("d", 4.0)]));

        assert_eq!(c.zcount("k", ..).unwrap(), 5);
        assert_eq!(c.zcount("k", (Excluded(1), Included(4))).unwrap(), 3);
        assert_eq!(c.zcount("k", f64::INFINITY..).unwrap(), 0);
    });
}

#[test]
fn ranges_of_bytes() {
    for_each_wire(|c, _| {
        assert_eq!(c.zadd("k", [(0, "a"), (0, "b"), (0, "c"), (0, "d")]).unwrap(), 4);
        let names = |range| c.zrange::<String>("k", range).unwrap().concat();
        assert_eq!(names(ByLex::new(..)), "abcd");
        assert_eq!(names(ByLex::new("b".."d")), "bc");
        assert_eq!(names(ByLex::new("b"..="d").reversed()), "dcb");
        assert_eq!(names(ByLex::new((Excluded("a"), Unbounded)).limit(1, 2)), "cd");
        assert_eq!(names(ByLex::new(..).reversed().limit(0, 1)), "d");
        assert_eq!(c.zlexcount("k", ..).unwrap(), 4);
        assert_eq!(c.zlexcount("k", (Excluded("a"), Excluded("d"))).unwrap(), 2);
        assert_eq!(c.zremrangebylex("k", "c"..).unwrap(), 2);
        assert_eq!(c.zremrangebylex("k", b"\xff"..).unwrap(), 0);
        assert_eq!(names(ByLex::new(..)), "ab");
    });
}

#[test]
fn storing_and_removing_ranges() {
    for_each_wire(|c, _| {
        five(c);
        assert_eq!(c.zrangestore("to", "k", ByRank::new(0, 1)).unwrap(), 2);
        assert_eq!(all(c, "to"), scored(&[("a", 1.0), ("b", 2.0)]));
        assert_eq!(c.zrangestore("to", "k", ByScore::new(..=4).reversed().limit(0, 1)).unwrap(), 1);
        assert_eq!(all(c, "to"), scored(&[("d", 4.0)]));
        assert_eq!(c.zrangestore("to", "k", ByLex::new("a"..)).unwrap(), 5);
        assert_eq!(c.zrangestore("to", "missing", ByRank::new(0, -1)).unwrap(), 0);
        assert_eq!(c.exists("to").unwrap(), 0);

        assert_eq!(c.zremrangebyrank("k", 0, 0).unwrap(), 1);
        assert_eq!(c.zremrangebyscore("k", 3.0..5.0).unwrap(), 2);
        assert_eq!(all(c, "k"), scored(&[("b", 2.0), ("e", 5.0)]));
    });
}

#[test]
fn combinations() {
    for_each_wire(|c, _| {
        assert_eq!(c.zadd("k1", [(1, "a"), (2, "b"), (3, "c")]).unwrap(), 3);
        assert_eq!(c.zadd("k2", [(10, "b"), (20, "c"), (30, "d")]).unwrap(), 3);
        let keys = ["k1", "k2"];
        let sum = CombineOptions::new;
        assert_eq!(c.zdiff::<String>(keys).unwrap(), ["a"]);
        assert_eq!(c.zdiff_with_scores::<String>(keys).unwrap(), scored(&[("a", 1.0)]));
        assert_eq!(c.zinter::<String>(keys, sum()).unwrap(), ["b", "c"]);
        let of_both = c.zinter_with_scores::<String>(keys, sum().lowest()).unwrap();
        assert_eq!(of_both, scored(&[("b", 2.0), ("c", 3.0)]));
        let weighted = c.zinter_with_scores::<String>(keys, sum().weights([2.0, 0.5])).unwrap();
        assert_eq!(weighted, scored(&[("b", 9.0), ("c", 16.0)]));
        assert_eq!(c.zunion::<String>(keys, sum()).unwrap(), ["a", "b", "c", "d"]);
        let highest = c.zunion_with_scores::<String>(keys, sum().weights([100.0, 1.0]).highest()).unwrap();
        assert_eq!(highest, scored(&[("d", 30.0), ("a", 100.0), ("b", 200.0), ("c", 300.0)]));
        assert_eq!(c.zintercard(keys, None).unwrap(), 2);
        assert_eq!(c.zintercard(keys, Some(1)).unwrap(), 1);
        let weights = c.zunion::<String>(keys, sum().weights([1.0])).unwrap_err();
        assert_eq!(weights.code(), Some(ServerCode::Err));

        assert_eq!(c.zdiffstore("to", ["k2", "k1"]).unwrap(), 1);
        assert_eq!(all(c, "to"), scored(&[("d", 30.0)]));
        assert_eq!(c.zinterstore("to", keys, sum()).unwrap(), 2);
        assert_eq!(all(c, "to"), scored(&[("b", 12.0), ("c", 23.0)]));
        assert_eq!(c.sadd("set", ["a", "x"]).unwrap(), 2);
        assert_eq!(c.zunionstore("to", ["k1", "set"], sum().weights([1.0, 7.0])).unwrap(), 4);
        assert_eq!(all(c, "to"), scored(&[("b", 2.0), ("c", 3.0), ("x", 7.0), ("a", 8.0)]));
        assert_eq!(c.zinterstore("to", ["k1", "missing"], sum()).unwrap(), 0);
        assert_eq!(c.exists("to").unwrap(), 0);
    });
}

#[test]
fn deprecated_ranges() {
    for_each_wire(|c, _| {
        five(c);
        let limit = Some((1, 2));
        assert_eq!(c.zrevrange::<String>("k", 0, 1).unwrap(), ["e", "d"]);
        let from_the_top = c.zrevrange_with_scores::<String>("k", 0, 0).unwrap();
        assert_eq!(from_the_top, scored(&[("e", 5.0)]));
        assert_eq!(c.zrangebyscore::<String>("k", 2..4, None).unwrap(), ["b", "c"]);
        assert_eq!(c.zrangebyscore::<String>("k", 2.., limit).unwrap(), ["c", "d"]);
        let upwards = c.zrangebyscore_with_scores::<String>("k", .., limit).unwrap();
        assert_eq!(upwards, scored(&[("b", 2.0), ("c", 3.0)]));
        assert_eq!(c.zrevrangebyscore::<String>("k", 2..4, None).unwrap(), ["c", "b"]);
        assert_eq!(c.zrevrangebyscore::<String>("k", 2.., limit).unwrap(), ["d", "c"]);
        let downwards = c.zrevrangebyscore_with_scores::<String>("k", .., limit).unwrap();
        assert_eq!(downwards, scored(&[("d", 4.0), ("c", 3.0)]));

        assert_eq!(c.zadd("lex", [(0, "a"), (0, "b"), (0, "c"), (0, "d")]).unwrap(), 4);
        assert_eq!(c.zrangebylex::<String>("lex", "b".."d", None).unwrap(), ["b", "c"]);
        assert_eq!(c.zrangebylex::<String>("lex", .., limit).unwrap(), ["b", "c"]);
        assert_eq!(c.zrevrangebylex::<String>("lex", "b".."d", None).unwrap(), ["c", "b"]);
        assert_eq!(c.zrevrangebylex::<String>("lex", .., limit).unwrap(), ["c", "b"]);
    });
}

#[test]
fn waiting_for_members() {
    const MOMENT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(20);
    for_each_pair(|c, other| {
        assert_eq!(c.bzpopmin::<String, String>(["k", "l"], MOMENT).unwrap(), None);
        assert_eq!(c.bzpopmax::<String, String>("k", MOMENT).unwrap(), None);
        assert_eq!(c.bzmpop::<String, String>(["k", "l"], ScoreEnd::Lowest, 2, MOMENT).unwrap(), None);

        let add = |key| assert_eq!(other.zadd(key, [(1.5, "a"), (2.0, "b"), (3.0, "c")]).unwrap(), 3);
        let popped = |key: &str, member: &str, score| Some((key.to_owned(), member.to_owned(), score));
        let reply = c.run_meanwhile(p.bzpopmin(["k", "l"], LONG), other, |_| add("l")).unwrap();
        assert_eq!(reply, popped("l", "a", 1.5));
        assert_eq!(c.bzpopmax(["k", "l"], LONG).unwrap(), popped("l", "c", 3.0), "at once");
        assert_eq!(c.del("l").unwrap(), 1);

        let reply = c.run_meanwhile(p.bzpopmax("k", Duration::ZERO), other, |_| add("k")).unwrap();
        assert_eq!(reply, popped("k", "c", 3.0));
        assert_eq!(c.bzpopmin("k", LONG).unwrap(), popped("k", "a", 1.5), "at once");
        assert_eq!(c.del("k").unwrap(), 1);

        let pop = p.bzmpop(["l", "k"], ScoreEnd::Highest, 2, LONG);
        let reply = c.run_meanwhile(pop, other, |_| add("k")).unwrap();
        assert_eq!(reply, Some(("k".to_owned(), scored(&[("c", 3.0), ("b", 2.0)]))));
        assert_eq!(c.zcard("k").unwrap(), 1);
    });
}
