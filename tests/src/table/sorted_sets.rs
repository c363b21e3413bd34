//! Rows of the sorted set commands.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ByLex, ByRank, ByScore, CombineOptions, ScanOptions, ScoreEnd, SortedSetCommands, ZaddIf, ZaddOptions,
};

use super::Table;

const SPAN: Duration = Duration::from_millis(1_500);

pub(super) fn rows(t: &mut Table) {
    members(t);
    takes(t);
    ranges(t);
    removals_and_counts(t);
    combinations(t);
    deprecated_ranges(t);
}

fn members(t: &mut Table) {
    let always = ZaddOptions::new();
    t.row("zadd", p.zadd("k", [(1, "a")]));
    t.row("zadd", p.zadd("k", [(1.5, "a"), (f64::NEG_INFINITY, "b"), (1e300, "c")]));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.count_changed()));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.only_if(ZaddIf::Absent)));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.only_if(ZaddIf::Present)));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.only_if(ZaddIf::Greater)));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.only_if(ZaddIf::Less)));
    t.row("zadd_with", p.zadd_with("k", [(1, "a")], always.only_if(ZaddIf::PresentAndGreater)));
    let lower = always.only_if(ZaddIf::PresentAndLess).count_changed();
    t.row("zadd_with", p.zadd_with("k", [(1, "a"), (2, "b")], lower));
    t.row("zadd_incr", p.zadd_incr("k", -0.5, "a", ZaddIf::Present));
    t.row("zadd_incr", p.zadd_incr("k", 2.0, "a", ZaddIf::PresentAndGreater));
    t.row("zincrby", p.zincrby("k", 2.5, "a"));
    t.row("zrem", p.zrem("k", ["a", "b"]));
    t.row("zcard", p.zcard("k"));
    t.row("zscore", p.zscore("k", "a"));
    t.row("zmscore", p.zmscore("k", ["a", "b"]));
    t.row("zrank", p.zrank("k", "a"));
    t.row("zrank_with_score", p.zrank_with_score("k", "a"));
    t.row("zrevrank", p.zrevrank("k", "a"));
    t.row("zrevrank_with_score", p.zrevrank_with_score("k", "a"));
}

fn takes(t: &mut Table) {
    t.row("zpopmin", p.zpopmin::<String>("k"));
    t.row("zpopmin_count", p.zpopmin_count::<String>("k", 2));
    t.row("zpopmax", p.zpopmax::<String>("k"));
    t.row("zpopmax_count", p.zpopmax_count::<String>("k", 2));
    t.row("zmpop", p.zmpop::<String, String>("k", ScoreEnd::Lowest, 1));
    t.row("zmpop", p.zmpop::<String, String>(["k1", "k2"], ScoreEnd::Highest, 3));
    t.row("bzpopmin", p.bzpopmin::<String, String>("k", SPAN));
    t.row("bzpopmax", p.bzpopmax::<String, String>(["k1", "k2"], Duration::ZERO));
    t.row("bzmpop", p.bzmpop::<String, String>("k", ScoreEnd::Lowest, 1, SPAN));
    t.row("bzmpop", p.bzmpop::<String, String>(["k1", "k2"], ScoreEnd::Highest, 3, Duration::from_secs(60)));
    t.row("zrandmember", p.zrandmember::<String>("k"));
    t.row("zrandmember_count", p.zrandmember_count::<String>("k", 2));
    t.row("zrandmember_with_scores", p.zrandmember_with_scores::<String>("k", -2));
    t.row("zscan", p.zscan::<String>("k", 0, ScanOptions::new()));
    t.row("zscan", p.zscan::<String>("k", 17, ScanOptions::new().matching("a*").count(100)));
}

fn ranges(t: &mut Table) {
    t.row("zrange", p.zrange::<String>("k", ByRank::new(0, -1)));
    t.row("zrange", p.zrange::<String>("k", ByRank::new(0, 9).reversed()));
    t.row("zrange", p.zrange::<String>("k", ByScore::new(..)));
    t.row("zrange", p.zrange::<String>("k", ByScore::new(1..5)));
    t.row("zrange", p.zrange::<String>("k", ByScore::new(1.5..=1e300).reversed().limit(20, 10)));
    t.row("zrange", p.zrange::<String>("k", ByScore::new((Excluded(1e300), Unbounded)).limit(0, 10)));
    t.row("zrange", p.zrange::<String>("k", ByLex::new(..)));
    t.row("zrange", p.zrange::<String>("k", ByLex::new("a".."c")));
    t.row("zrange", p.zrange::<String>("k", ByLex::new("a"..="c").reversed().limit(20, 10)));
    t.row("zrange", p.zrange::<String>("k", ByLex::new((Excluded(b"\xff"), Unbounded)).limit(0, 10)));
    t.row("zrange_with_scores", p.zrange_with_scores::<String>("k", ByRank::new(-3, -1)));
    t.row("zrange_with_scores", p.zrange_with_scores::<String>("k", ByScore::new(..5).reversed()));
    t.row("zrangestore", p.zrangestore("to", "from", ByRank::new(0, 9)));
    t.row("zrangestore", p.zrangestore("to", "from", ByScore::new(..=5).reversed().limit(0, 10)));
    t.row("zrangestore", p.zrangestore("to", "from", ByLex::new("a"..)));
}

fn removals_and_counts(t: &mut Table) {
    t.row("zcount", p.zcount("k", ..));
    t.row("zcount", p.zcount("k", 1.5..));
    t.row("zcount", p.zcount("k", (Excluded(1), Excluded(2))));
    t.row("zlexcount", p.zlexcount("k", ..));
    t.row("zlexcount", p.zlexcount("k", (Excluded("a"), Included("c"))));
    t.row("zremrangebyrank", p.zremrangebyrank("k", 0, -11));
    t.row("zremrangebyscore", p.zremrangebyscore("k", ..1000));
    t.row("zremrangebylex", p.zremrangebylex("k", .."c"));
}

fn combinations(t: &mut Table) {
    let sum = CombineOptions::new();
    let highest = sum.clone().weights([2.0, 0.5]).highest();
    t.row("zdiff", p.zdiff::<String>(["k1", "k2"]));
    t.row("zdiff_with_scores", p.zdiff_with_scores::<String>(["k1", "k2"]));
    t.row("zdiffstore", p.zdiffstore("to", ["k1", "k2"]));
    t.row("zinter", p.zinter::<String>(["k1", "k2"], sum.clone()));
    t.row("zinter", p.zinter::<String>(["k1", "k2"], highest.clone()));
    t.row("zinter_with_scores", p.zinter_with_scores::<String>(["k1", "k2"], sum.clone().lowest()));
    t.row("zinterstore", p.zinterstore("to", ["k1", "k2"], sum.clone()));
    t.row("zinterstore", p.zinterstore("to", ["k1", "k2"], highest.clone()));
    t.row("zintercard", p.zintercard(["k1", "k2"], None));
    t.row("zintercard", p.zintercard(["k1", "k2"], Some(10)));
    t.row("zunion", p.zunion::<String>("k", sum.clone()));
    t.row("zunion", p.zunion::<String>(["k1", "k2"], sum.clone().weights([2.0, -1.0])));
    t.row("zunion_with_scores", p.zunion_with_scores::<String>(["k1", "k2"], highest));
    t.row("zunionstore", p.zunionstore("to", ["k1", "k2"], sum.clone()));
    t.row("zunionstore", p.zunionstore("to", ["k1", "k2"], sum.weights([2.0, 0.5]).lowest()));
}

fn deprecated_ranges(t: &mut Table) {
    let limit = Some((20, 10));
    t.row("zrevrange", p.zrevrange::<String>("k", 0, 9));
    t.row("zrevrange_with_scores", p.zrevrange_with_scores::<String>("k", 0, 9));
    t.row("zrangebyscore", p.zrangebyscore::<String>("k", 1..5, None));
    t.row("zrangebyscore", p.zrangebyscore::<String>("k", 1..5, limit));
    t.row("zrangebyscore_with_scores", p.zrangebyscore_with_scores::<String>("k", 1..5, limit));
    t.row("zrevrangebyscore", p.zrevrangebyscore::<String>("k", 1..5, None));
    t.row("zrevrangebyscore", p.zrevrangebyscore::<String>("k", .., limit));
    t.row("zrevrangebyscore_with_scores", p.zrevrangebyscore_with_scores::<String>("k", 1..5, limit));
    t.row("zrangebylex", p.zrangebylex::<String>("k", "a".."c", None));
    t.row("zrangebylex", p.zrangebylex::<String>("k", "a".."c", limit));
    t.row("zrevrangebylex", p.zrevrangebylex::<String>("k", "a".."c", None));
    t.row("zrevrangebylex", p.zrevrangebylex::<String>("k", .., limit));
}
