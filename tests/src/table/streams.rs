//! Rows of the stream commands.

use std::ops::Bound::{Excluded, Included};
use std::time::Duration;

use redstart_core::command::{Prepare as p, UnixTime};
use redstart_core::commands::{
    GroupStart, PendingQuery, StreamCommands, StreamGroupCommands, StreamId, StreamRange, StreamRefs,
    StreamTrim, XaddOptions, XclaimOptions, XreadFrom, XreadOptions, XreadgroupOptions,
};

use super::Table;

/// How entries are read here.
type Fields = Vec<(String, String)>;

const ID: StreamId = StreamId::new(1_526_919_030_474, 55);
const IDS: [StreamId; 2] = [StreamId::new(7, 0), StreamId::new(7, 1)];
const SPAN: Duration = Duration::from_millis(1_500);

pub(super) fn rows(t: &mut Table) {
    additions(t);
    removals(t);
    ranges(t);
    reads(t);
    groups(t);
    deliveries(t);
    claims(t);
    information(t);
}

fn additions(t: &mut Table) {
    let options = XaddOptions::new;
    let mut add = |options| t.row("xadd_with", p.xadd_with("k", [("f", "v")], options));
    add(options());
    add(options().id(ID));
    add(options().millis(7));
    add(options().if_stream_exists());
    add(options().trim(StreamTrim::max_len(1000)));
    add(options().trim(StreamTrim::max_len(1000).approximate()));
    add(options().trim(StreamTrim::min_id(ID).approximate_at_most(50)));
    add(options().trim(StreamTrim::max_len(1000).refs(StreamRefs::Delete)).id(ID).if_stream_exists());
    add(options().once("producer", "order 7"));
    add(options().once_by_content("producer").trim(StreamTrim::max_len(9)));
    t.row("xadd", p.xadd("k", [("f", "v"), ("g", "w")]));
    t.row("xsetid", p.xsetid("k", ID, None, None));
    t.row("xsetid", p.xsetid("k", ID, Some(5), Some(IDS[0])));
}

fn removals(t: &mut Table) {
    t.row("xdel", p.xdel("k", ID));
    t.row("xdel", p.xdel("k", IDS));
    t.row("xdelex", p.xdelex("k", ID, StreamRefs::Keep));
    t.row("xdelex", p.xdelex("k", IDS, StreamRefs::Delete));
    t.row("xdelex", p.xdelex("k", IDS, StreamRefs::Acked));
    t.row("xtrim", p.xtrim("k", StreamTrim::max_len(1000)));
    t.row("xtrim", p.xtrim("k", StreamTrim::min_id(ID).approximate()));
    t.row("xtrim", p.xtrim("k", StreamTrim::max_len(0).approximate_at_most(0).refs(StreamRefs::Acked)));
    t.row("xtrim", p.xtrim("k", StreamTrim::min_id(ID).refs(StreamRefs::Keep)));
}

fn ranges(t: &mut Table) {
    t.row("xlen", p.xlen("k"));
    t.row("xrange", p.xrange::<Fields>("k", ..));
    t.row("xrange", p.xrange::<Fields>("k", ID..));
    t.row("xrange", p.xrange::<Fields>("k", IDS[0]..ID));
    t.row("xrange", p.xrange::<Fields>("k", StreamRange::new(..=ID).count(10)));
    t.row("xrange", p.xrange::<Fields>("k", StreamRange::after(ID).count(10)));
    t.row("xrevrange", p.xrevrange::<Fields>("k", ..));
    t.row("xrevrange", p.xrevrange::<Fields>("k", StreamRange::new(IDS[0]..=ID).count(1)));
    t.row("xrevrange", p.xrevrange::<Fields>("k", (Excluded(IDS[0]), Included(ID))));
}

fn reads(t: &mut Table) {
    let options = XreadOptions::new;
    t.row("xread", p.xread::<String, Fields>([("k", StreamId::MIN)], options()));
    t.row("xread", p.xread::<String, Fields>([("k", XreadFrom::New)], options().block(Duration::ZERO)));
    let from = [("{k}1", XreadFrom::After(ID)), ("{k}2", XreadFrom::Last)];
    t.row("xread", p.xread::<String, Fields>(from, options().count(100).block(SPAN)));
}

fn groups(t: &mut Table) {
    t.row("xgroup_create", p.xgroup_create("k", "g", GroupStart::First));
    t.row("xgroup_create", p.xgroup_create("k", "g", GroupStart::New));
    t.row("xgroup_create_mkstream", p.xgroup_create_mkstream("k", "g", ID, None));
    t.row("xgroup_create_mkstream", p.xgroup_create_mkstream("k", "g", ID, Some(5)));
    t.row("xgroup_createconsumer", p.xgroup_createconsumer("k", "g", "c"));
    t.row("xgroup_delconsumer", p.xgroup_delconsumer("k", "g", "c"));
    t.row("xgroup_destroy", p.xgroup_destroy("k", "g"));
    t.row("xgroup_setid", p.xgroup_setid("k", "g", GroupStart::New, None));
    t.row("xgroup_setid", p.xgroup_setid("k", "g", ID, Some(5)));
}

fn deliveries(t: &mut Table) {
    let options = XreadgroupOptions::new;
    t.row("xreadgroup", p.xreadgroup::<String, Fields>("g", "c", "k", options()));
    t.row("xreadgroup", p.xreadgroup::<String, Fields>("g", "c", "k", options().block(Duration::ZERO)));
    let all = options().count(10).block(SPAN).no_ack();
    t.row("xreadgroup", p.xreadgroup::<String, Fields>("g", "c", ["{k}1", "{k}2"], all));
    let after = [("{k}1", StreamId::MIN), ("{k}2", ID)];
    t.row("xreadgroup_pending", p.xreadgroup_pending::<String, Fields>("g", "c", after, None));
    t.row("xreadgroup_pending", p.xreadgroup_pending::<String, Fields>("g", "c", [("k", ID)], Some(10)));
    t.row("xack", p.xack("k", "g", IDS));
    t.row("xackdel", p.xackdel("k", "g", ID, StreamRefs::Keep));
    t.row("xackdel", p.xackdel("k", "g", IDS, StreamRefs::Acked));
}

fn claims(t: &mut Table) {
    let options = XclaimOptions::new;
    let id = StreamId::MIN;
    t.row("xautoclaim", p.xautoclaim::<Fields>("k", "g", "c", SPAN, id, 100));
    t.row("xautoclaim_ids", p.xautoclaim_ids("k", "g", "c", SPAN, ID, 100));
    t.row("xclaim", p.xclaim::<Fields>("k", "g", "c", SPAN, IDS, options()));
    t.row("xclaim", p.xclaim::<Fields>("k", "g", "c", Duration::ZERO, ID, options().idle(SPAN).force()));
    let all = options().touched_at(UnixTime::from_secs(9)).retry_count(3).force().last_id(ID);
    t.row("xclaim", p.xclaim::<Fields>("k", "g", "c", SPAN, ID, all));
    t.row("xclaim_ids", p.xclaim_ids("k", "g", "c", SPAN, IDS, options().retry_count(1)));
}

fn information(t: &mut Table) {
    let query = PendingQuery::new;
    t.row("xpending", p.xpending("k", "g"));
    t.row("xpending_range", p.xpending_range("k", "g", query(10)));
    t.row("xpending_range", p.xpending_range("k", "g", query(10).range(ID..).idle(SPAN).consumer("c")));
    t.row("xinfo_stream", p.xinfo_stream::<Fields>("k"));
    t.row("xinfo_stream_full", p.xinfo_stream_full::<Fields>("k", 0));
    t.row("xinfo_groups", p.xinfo_groups("k"));
    t.row("xinfo_consumers", p.xinfo_consumers("k", "g"));
}
