//! The commands on groups of consumers against real servers: both versions, both protocols, the same replies.

use std::time::Duration;

use redstart_core::command::{Prepare as p, UnixTime};
use redstart_core::commands::{
    GroupStart, KeyCommands, PendingQuery, StreamCommands, StreamEntries, StreamGroupCommands, StreamId,
    XaddOptions, XclaimOptions, XreadgroupOptions,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::wire::{Wire, for_each_pair, for_each_wire};

type Fields = Vec<(String, String)>;

const fn id(millis: u64) -> StreamId {
    StreamId::new(millis, 0)
}

/// A stream `k` with entries from 1-0 to n-0, and a group `g` that has read none of them.
fn fill(c: &Wire, n: u64) {
    for millis in 1..=n {
        c.xadd_with("k", [("n", millis)], XaddOptions::new().id(id(millis)))
            .expect("a reply")
            .expect("an id");
    }
    c.xgroup_create("k", "g", GroupStart::First).expect("a reply");
}

/// Delivers up to `count` entries to a consumer; returns their milliseconds.
fn deliver(c: &Wire, consumer: &str, count: u64) -> Vec<u64> {
    millis(c.xreadgroup("g", consumer, "k", XreadgroupOptions::new().count(count)).expect("a reply"))
}

fn millis(streams: Option<StreamEntries<String, Fields>>) -> Vec<u64> {
    let entries = streams.into_iter().flatten().flat_map(|(_, entries)| entries);
    entries.map(|entry| entry.id.millis).collect()
}

/// Since when nobody has touched the first entry of the group, as the server sees it.
fn idle(c: &Wire) -> Duration {
    c.xpending_range("k", "g", PendingQuery::new(1)).expect("a reply")[0].idle
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn making_and_removing_groups_and_consumers() {
    for_each_wire(|c, _| {
        assert_eq!(c.xgroup_create("k", "g", GroupStart::First).unwrap_err().code(), Some(ServerCode::Err));
        c.xgroup_create_mkstream("k", "g", GroupStart::First, None).unwrap();
        let again = c.xgroup_create("k", "g", GroupStart::New).unwrap_err();
        assert_eq!(again.code(), Some(ServerCode::BusyGroup));
        assert_eq!(c.xlen("k").unwrap(), 0);

        assert!(c.xgroup_createconsumer("k", "g", "ann").unwrap());
        assert!(!c.xgroup_createconsumer("k", "g", "ann").unwrap());
        let no_group = c.xgroup_createconsumer("k", "none", "ann").unwrap_err();
        assert_eq!(no_group.code(), Some(ServerCode::NoGroup));
        c.xadd("k", [("f", "v")]).unwrap();
        assert_eq!(deliver(c, "ann", 1).len(), 1);
        assert_eq!(c.xgroup_delconsumer("k", "g", "ann").unwrap(), 1);
        assert_eq!(c.xgroup_delconsumer("k", "g", "ann").unwrap(), 0);
        assert!(c.xgroup_destroy("k", "g").unwrap());
        assert!(!c.xgroup_destroy("k", "g").unwrap());
    });
}

#[test]
fn delivering_and_acknowledging() {
    for_each_wire(|c, _| {
        fill(c, 5);
        assert_eq!(deliver(c, "ann", 2), [1, 2]);
        assert_eq!(deliver(c, "bob", 2), [3, 4]);
        assert_eq!(c.xack("k", "g", [id(1), id(3), id(9)]).unwrap(), 2);
        assert_eq!(c.xack("missing", "g", id(1)).unwrap(), 0);

        let summary = c.xpending("k", "g").unwrap();
        assert_eq!((summary.count, summary.ids), (2, Some((id(2), id(4)))));
        assert_eq!(summary.consumers, [("ann".to_owned(), 1), ("bob".to_owned(), 1)]);
        let options = XreadgroupOptions::new().no_ack();
        assert_eq!(millis(c.xreadgroup("g", "cleo", "k", options).unwrap()), [5]);
        assert_eq!(deliver(c, "cleo", 1), [] as [u64; 0]);
        assert_eq!(c.xpending("k", "g").unwrap().count, 2, "what needs no acknowledgement is not pending");

        assert_eq!(c.xack("k", "g", [id(2), id(4)]).unwrap(), 2);
        let summary = c.xpending("k", "g").unwrap();
        assert_eq!((summary.count, summary.ids, summary.consumers.len()), (0, None, 0));
        let no_group = c.xreadgroup::<String, Fields>("none", "ann", "k", XreadgroupOptions::new());
        assert_eq!(no_group.unwrap_err().code(), Some(ServerCode::NoGroup));

        c.xgroup_setid("k", "g", id(3), None).unwrap();
        assert_eq!(deliver(c, "ann", 9), [4, 5]);
        c.xgroup_setid("k", "g", GroupStart::New, Some(5)).unwrap();
        assert_eq!(deliver(c, "ann", 9), [] as [u64; 0]);
        assert_eq!(c.xinfo_groups("k").unwrap()[0].entries_read, Some(5));
    });
}

#[test]
fn reading_again_what_is_pending() {
    for_each_wire(|c, _| {
        fill(c, 3);
        let again = |after, count| c.xreadgroup_pending::<String, Fields>("g", "ann", [("k", after)], count);
        assert_eq!(again(StreamId::MIN, None).unwrap(), [("k".to_owned(), vec![])]);
        assert_eq!(deliver(c, "ann", 3), [1, 2, 3]);
        assert_eq!(c.xdel("k", id(1)).unwrap(), 1);
        let streams = again(StreamId::MIN, None).unwrap();
        let entries: Vec<_> = streams[0].1.iter().map(|e| (e.id.millis, e.fields.is_some())).collect();
        assert_eq!(entries, [(1, false), (2, true), (3, true)]);
        assert_eq!(again(id(1), Some(1)).unwrap()[0].1.len(), 1);
        let entries = c.xpending_range("k", "g", PendingQuery::new(9).range(id(3)..)).unwrap();
        assert_eq!((entries.len(), entries[0].deliveries), (1, 2));
    });
}

#[test]
fn waiting_for_a_delivery() {
    for_each_pair(|c, other| {
        fill(c, 1);
        assert_eq!(deliver(c, "ann", 9), [1]);
        let moment = XreadgroupOptions::new().block(Duration::from_millis(5));
        assert_eq!(c.xreadgroup::<String, Fields>("g", "ann", "k", moment).unwrap(), None);
        let wait = || {
            let options = XreadgroupOptions::new().count(1).block(Duration::ZERO);
            p.xreadgroup::<String, Fields>("g", "ann", "k", options)
        };
        let add = |_| assert!(other.xadd("k", [("f", "v")]).unwrap() > id(1));
        assert_eq!(millis(c.run_meanwhile(wait(), other, add).unwrap()).len(), 1);
        let destroy = |_| assert!(other.xgroup_destroy("k", "g").unwrap());
        let gone = c.run_meanwhile(wait(), other, destroy).unwrap_err();
        assert_eq!(gone.code(), Some(ServerCode::NoGroup));
    });
}

#[test]
fn pending_entries_one_by_one() {
    for_each_wire(|c, _| {
        fill(c, 4);
        assert_eq!((deliver(c, "ann", 2), deliver(c, "bob", 2)), (vec![1, 2], vec![3, 4]));
        let pending = |query| {
            let entries = c.xpending_range("k", "g", query).unwrap();
            entries.iter().map(|entry| entry.id.millis).collect::<Vec<_>>()
        };
        let query = PendingQuery::new;
        assert_eq!(pending(query(9)), [1, 2, 3, 4]);
        assert_eq!(pending(query(2)), [1, 2]);
        assert_eq!(pending(query(9).range(id(2)..id(4))), [2, 3]);
        assert_eq!(pending(query(9).consumer("bob")), [3, 4]);
        assert_eq!(pending(query(9).idle(MINUTE)), [] as [u64; 0]);
        assert_eq!(pending(query(9).consumer("nobody")), [] as [u64; 0]);
        let first = &c.xpending_range("k", "g", query(1)).unwrap()[0];
        assert_eq!((&*first.consumer, first.deliveries), ("ann", 1));
        assert!(first.idle < MINUTE);
    });
}

#[test]
fn claiming_by_id() {
    for_each_wire(|c, _| {
        fill(c, 3);
        assert_eq!(deliver(c, "ann", 2), [1, 2]);
        assert_eq!(c.xdel("k", id(2)).unwrap(), 1);
        let options = XclaimOptions::new;
        let claim = |min_idle, ids: &[StreamId], options| {
            let entries = c.xclaim::<Fields>("k", "g", "bob", min_idle, ids, options).unwrap();
            entries.iter().map(|entry| entry.id.millis).collect::<Vec<_>>()
        };
        assert_eq!(claim(MINUTE, &[id(1)], options()), [] as [u64; 0], "it was touched");
        assert_eq!(claim(Duration::ZERO, &[id(1), id(2), id(3)], options()), [1]);
        let summary = c.xpending("k", "g").unwrap();
        assert_eq!((summary.count, &summary.consumers[..]), (1, &[("bob".to_owned(), 1)][..]));

        assert_eq!(claim(Duration::ZERO, &[id(3)], options().force().retry_count(7)), [3]);
        let query = PendingQuery::new(1).range(id(3)..);
        assert_eq!(c.xpending_range("k", "g", query).unwrap()[0].deliveries, 7);
        assert_eq!(claim(Duration::ZERO, &[id(1)], options().idle(2 * MINUTE)), [1]);
        assert!(idle(c) >= 2 * MINUTE);
        assert_eq!(claim(MINUTE, &[id(1)], options().touched_at(UnixTime::from_secs(1))), [1]);
        assert!(idle(c) > 1_000_000 * MINUTE);
        let ids = [id(1), id(3)];
        assert_eq!(c.xclaim_ids("k", "g", "ann", Duration::ZERO, ids, options()).unwrap(), ids);
        assert_eq!(claim(Duration::ZERO, &[id(1)], options().last_id(id(9))), [1]);
        assert_eq!(c.xinfo_groups("k").unwrap()[0].last_delivered_id, id(9));
    });
}

#[test]
fn claiming_what_is_stale() {
    for_each_wire(|c, _| {
        fill(c, 5);
        assert_eq!(deliver(c, "ann", 5), [1, 2, 3, 4, 5]);
        let none = c.xautoclaim::<Fields>("k", "g", "bob", MINUTE, StreamId::MIN, 10).unwrap();
        assert_eq!((none.next, none.claimed.len(), none.deleted.len()), (StreamId::MIN, 0, 0));

        assert_eq!(c.xdel("k", id(2)).unwrap(), 1);
        let page = |start| c.xautoclaim::<Fields>("k", "g", "bob", Duration::ZERO, start, 2).unwrap();
        let mut claimed = Vec::new();
        let (mut start, mut deleted, mut pages) = (StreamId::MIN, Vec::new(), 0);
        while pages == 0 || start != StreamId::MIN {
            let part = page(start);
            claimed.extend(part.claimed.iter().map(|entry| entry.id.millis));
            deleted.extend(part.deleted);
            (start, pages) = (part.next, pages + 1);
        }
        assert_eq!((claimed, deleted), (vec![1, 3, 4, 5], vec![id(2)]));
        assert_eq!(c.xpending("k", "g").unwrap().consumers, [("bob".to_owned(), 4)]);
        let ids = c.xautoclaim_ids("k", "g", "ann", Duration::ZERO, id(3), 2).unwrap();
        assert_eq!((ids.next, ids.claimed), (id(5), vec![id(3), id(4)]));
    });
}

#[test]
fn what_is_known_of_groups() {
    for_each_wire(|c, version| {
        fill(c, 4);
        assert_eq!(deliver(c, "ann", 3), [1, 2, 3]);
        assert!(c.xgroup_createconsumer("k", "g", "bob").unwrap());
        assert_eq!(c.xack("k", "g", id(2)).unwrap(), 1);

        let groups = c.xinfo_groups("k").unwrap();
        let group = &groups[0];
        assert_eq!((groups.len(), &*group.name, group.consumers, group.pending), (1, "g", 2, 2));
        assert_eq!((group.last_delivered_id, group.entries_read, group.lag), (id(3), Some(3), Some(1)));
        c.xgroup_create("k", "unknown lag", id(2)).unwrap();
        assert_eq!(c.xinfo_groups("k").unwrap()[1].entries_read, None);

        let consumers = c.xinfo_consumers("k", "g").unwrap();
        assert_eq!((&*consumers[0].name, consumers[0].pending), ("ann", 2));
        assert_eq!((&*consumers[1].name, consumers[1].pending), ("bob", 0));
        assert!(consumers.iter().all(|consumer| consumer.idle < MINUTE));
        assert_eq!(consumers[0].inactive.is_some(), version == Version::V8);
        assert_eq!(consumers[1].inactive, None);

        let details = c.xinfo_stream_full::<Fields>("k", 2).unwrap();
        assert_eq!((details.length, details.last_generated_id, details.entries.len()), (4, id(4), 2));
        assert_eq!((details.entries_added, details.recorded_first_entry_id), (Some(4), Some(id(1))));
        assert_eq!(details.max_deleted_entry_id, Some(StreamId::MIN));
        assert!(details.radix_tree_keys == 1 && details.radix_tree_nodes > 0);
        let group = &details.groups[0];
        assert_eq!((&*group.name, group.last_delivered_id, group.lag), ("g", id(3), Some(1)));
        assert_eq!((group.entries_read, group.pending_count, group.pending.len()), (Some(3), 2, 2));
        let pending = &group.pending[1];
        assert_eq!((pending.id, &*pending.consumer, pending.deliveries), (id(3), "ann", 1));
        let (ann, bob) = (&group.consumers[0], &group.consumers[1]);
        assert_eq!((&*ann.name, ann.pending_count, &ann.pending), ("ann", 2, &group.pending));
        // Servers look at the clock for each, in either order.
        let apart = ann.seen_time.unwrap().as_millis().abs_diff(pending.delivered.as_millis());
        assert!(u128::from(apart) < MINUTE.as_millis());
        assert_eq!(ann.active_time.is_some(), version == Version::V8);
        assert_eq!((bob.pending.len(), bob.active_time), (0, None));
        assert_eq!(c.xinfo_stream_full::<Fields>("k", 0).unwrap().entries.len(), 4);

        let gone = c.xinfo_consumers("k", "none").unwrap_err();
        assert_eq!(gone.code(), Some(ServerCode::NoGroup));
        assert_eq!(c.del("k").unwrap(), 1);
        assert_eq!(c.xinfo_groups("k").unwrap_err().code(), Some(ServerCode::Err));
    });
}
