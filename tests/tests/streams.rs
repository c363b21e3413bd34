//! The stream commands against real servers: both versions, both protocols, the same replies.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    EntryRemoval, KeyCommands, StreamCommands, StreamEntry, StreamGroupCommands, StreamId, StreamRange,
    StreamRefs, StreamTrim, StringCommands, XaddOptions, XreadFrom, XreadOptions,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::wire::{Wire, for_each_pair, for_each_wire, for_each_wire_to, is_unknown_command};

type Fields = Vec<(String, String)>;

const fn id(millis: u64, sequence: u64) -> StreamId {
    StreamId::new(millis, sequence)
}

/// Adds `n` entries with ids from 1-0 to n-0.
fn fill(c: &Wire, key: &str, n: u64) {
    for millis in 1..=n {
        let options = XaddOptions::new().id(id(millis, 0));
        assert_eq!(c.xadd_with(key, [("n", millis)], options).expect("a reply"), Some(id(millis, 0)));
    }
}

fn millis<T>(entries: &[StreamEntry<T>]) -> Vec<u64> {
    entries.iter().map(|entry| entry.id.millis).collect()
}

/// The entries of `key`, by the milliseconds of their ids.
fn all(c: &Wire, key: &str) -> Vec<u64> {
    millis(&c.xrange::<Fields>(key, ..).expect("a reply"))
}

#[test]
fn adding_entries() {
    for_each_wire(|c, _| {
        let absent = XaddOptions::new().if_stream_exists();
        assert_eq!(c.xadd_with("k", [("f", "v")], absent.clone()).unwrap(), None);
        let first = c.xadd("k", [("f", "v"), ("g", "w"), ("f", "again")]).unwrap();
        let second = c.xadd_with("k", [("f", "")], absent).unwrap().unwrap();
        assert!(first < second && first.millis > 1_500_000_000_000, "{first} {second}");
        assert_eq!(c.xlen("k").unwrap(), 2);
        assert_eq!(c.xlen("missing").unwrap(), 0);

        let options = XaddOptions::new;
        let late = id(u64::MAX - 1, 5);
        assert_eq!(c.xadd_with("k", [("f", "v")], options().id(late)).unwrap(), Some(late));
        let next = c.xadd_with("k", [("f", "v")], options().millis(late.millis)).unwrap();
        assert_eq!(next, Some(late.next()));
        let smaller = c.xadd_with("k", [("f", "v")], options().id(id(5, 5))).unwrap_err();
        assert_eq!(smaller.code(), Some(ServerCode::Err));
        c.set("text", "plain").unwrap();
        assert_eq!(c.xadd("text", [("f", "v")]).unwrap_err().code(), Some(ServerCode::WrongType));

        let entries = c.xrange::<Fields>("k", ..=first).unwrap();
        let pairs = [("f", "v"), ("g", "w"), ("f", "again")].map(|(f, v)| (f.to_owned(), v.to_owned()));
        assert_eq!((entries.len(), &entries[0].fields[..]), (1, &pairs[..]));
        let entries = c.xrange::<BTreeMap<String, String>>("k", ..=first).unwrap();
        assert_eq!(entries[0].fields["g"], "w");
    });
}

#[test]
fn ranges_of_entries() {
    for_each_wire(|c, _| {
        fill(c, "k", 5);
        let range = |range: StreamRange| millis(&c.xrange::<Fields>("k", range).unwrap());
        let back = |range: StreamRange| millis(&c.xrevrange::<Fields>("k", range).unwrap());
        assert_eq!(range((..).into()), [1, 2, 3, 4, 5]);
        assert_eq!(range((id(2, 0)..id(4, 0)).into()), [2, 3]);
        assert_eq!(range((id(2, 0)..=id(4, 0)).into()), [2, 3, 4]);
        assert_eq!(range((..id(3, 0)).into()), [1, 2]);
        assert_eq!(range((Excluded(id(2, 0)), Unbounded).into()), [3, 4, 5]);
        assert_eq!(range(StreamRange::after(id(2, 0)).count(2)), [3, 4]);
        assert_eq!(back((..).into()), [5, 4, 3, 2, 1]);
        assert_eq!(back(StreamRange::new(..id(4, 0)).count(2)), [3, 2]);
        assert_eq!(back(StreamRange::after(id(4, 0))), [5]);
        assert!(c.xrange::<Fields>("missing", ..).unwrap().is_empty());
        assert!(c.xrange::<Fields>("k", id(6, 0)..).unwrap().is_empty());
    });
}

#[test]
fn trimming() {
    for_each_wire(|c, version| {
        fill(c, "k", 300);
        assert_eq!(c.xtrim("k", StreamTrim::max_len(200)).unwrap(), 100);
        assert_eq!(c.xtrim("k", StreamTrim::min_id(id(111, 0))).unwrap(), 10);
        // Nodes have 100 entries: none of them goes whole, or one does.
        assert_eq!(c.xtrim("k", StreamTrim::max_len(150).approximate()).unwrap(), 0);
        assert_eq!(c.xtrim("k", StreamTrim::max_len(100).approximate_at_most(50)).unwrap(), 0);
        assert_eq!(c.xtrim("k", StreamTrim::min_id(id(211, 0)).approximate_at_most(0)).unwrap(), 90);
        assert_eq!(all(c, "k")[0], 201);
        let trim = |trim| {
            let id = c.xadd_with("k", [("n", 0)], XaddOptions::new().trim(trim)).unwrap();
            (id.is_some(), c.xlen("k").unwrap())
        };
        assert_eq!(trim(StreamTrim::max_len(50)), (true, 50));
        assert_eq!(trim(StreamTrim::max_len(50).approximate()), (true, 51));
        assert_eq!(trim(StreamTrim::min_id(id(300, 0))), (true, 4));

        let refs = c.xtrim("k", StreamTrim::max_len(3).refs(StreamRefs::Keep));
        match version {
            Version::V7 => assert_eq!(refs.unwrap_err().code(), Some(ServerCode::Err)),
            Version::V8 => assert_eq!(refs.unwrap(), 1),
        }
    });
}

#[test]
fn removing_entries() {
    for_each_wire(|c, _| {
        fill(c, "k", 4);
        assert_eq!(c.xdel("k", [id(2, 0), id(9, 0)]).unwrap(), 1);
        assert_eq!(c.xdel("k", id(1, 0)).unwrap(), 1);
        assert_eq!(c.xdel("missing", id(1, 0)).unwrap(), 0);
        assert_eq!(all(c, "k"), [3, 4]);
        assert_eq!(c.xdel("k", [id(3, 0), id(4, 0)]).unwrap(), 2);
        assert_eq!(c.exists("k").unwrap(), 1, "an empty stream stays");
    });
}

#[test]
fn removing_entries_with_regard_to_groups() {
    use EntryRemoval::{Kept, Missing, Removed};
    for_each_wire_to(Version::V7, |c| {
        assert!(is_unknown_command(c.xdelex("k", id(1, 0), StreamRefs::Keep)));
        assert!(is_unknown_command(c.xackdel("k", "g", id(1, 0), StreamRefs::Keep)));
    });
    for_each_wire_to(Version::V8, |c| {
        fill(c, "k", 6);
        c.xgroup_create("k", "g", StreamId::MIN).unwrap();
        let delivered = c.xreadgroup::<String, Fields>("g", "c", "k", Default::default()).unwrap();
        assert_eq!(delivered.unwrap()[0].1.len(), 6);
        let pending = || c.xpending("k", "g").unwrap().count;

        let ids = [id(1, 0), id(9, 0)];
        assert_eq!(c.xdelex("k", ids, StreamRefs::Acked).unwrap(), [Kept, Kept]);
        assert_eq!(c.xack("k", "g", id(1, 0)).unwrap(), 1);
        assert_eq!(c.xdelex("k", ids, StreamRefs::Acked).unwrap(), [Removed, Kept]);
        assert_eq!(c.xdelex("k", ids, StreamRefs::Acked).unwrap(), [Missing, Kept]);
        assert_eq!((c.xdelex("k", id(2, 0), StreamRefs::Keep).unwrap(), pending()), (vec![Removed], 5));
        assert_eq!((c.xdelex("k", id(3, 0), StreamRefs::Delete).unwrap(), pending()), (vec![Removed], 4));
        assert_eq!(c.xdelex("missing", ids, StreamRefs::Keep).unwrap(), [Missing, Missing]);

        let ids = [id(4, 0), id(3, 0)];
        assert_eq!(c.xackdel("k", "g", ids, StreamRefs::Keep).unwrap(), [Removed, Missing]);
        assert_eq!(c.xackdel("k", "g", id(5, 0), StreamRefs::Delete).unwrap(), [Removed]);
        c.xgroup_create("k", "other", StreamId::MIN).unwrap();
        assert_eq!(
            c.xackdel("k", "g", id(6, 0), StreamRefs::Acked).unwrap(),
            [Kept],
            "not read by the other"
        );
        assert_eq!((all(c, "k"), pending()), (vec![6], 1));
        assert_eq!(c.xackdel("missing", "g", ids, StreamRefs::Keep).unwrap(), [Missing, Missing]);
    });
}

#[test]
fn reading_several_streams() {
    for_each_wire(|c, version| {
        let options = XreadOptions::new;
        let read = |streams: &[(&str, StreamId)], options| {
            let streams = c.xread::<String, Fields>(streams, options).unwrap()?;
            Some(streams.iter().map(|(key, entries)| (key.clone(), millis(entries))).collect::<Vec<_>>())
        };
        assert_eq!(read(&[("a", StreamId::MIN)], options()), None);
        fill(c, "a", 3);
        fill(c, "b", 2);
        let streams =
            |a: &[u64], b: &[u64]| Some(vec![("a".to_owned(), a.into()), ("b".to_owned(), b.into())]);
        let from = |a, b| [("a", id(a, 0)), ("missing", id(0, 0)), ("b", id(b, 0))];
        assert_eq!(read(&from(0, 0), options()), streams(&[1, 2, 3], &[1, 2]));
        assert_eq!(read(&from(1, 1), options().count(1)), streams(&[2], &[2]));
        assert_eq!(read(&from(2, 2), options()), Some(vec![("a".to_owned(), vec![3])]));
        assert_eq!(read(&from(3, 2), options()), None);
        assert_eq!(read(&from(3, 2), options().block(Duration::from_millis(5))), None);

        let last = c.xread::<String, Fields>([("b", XreadFrom::Last)], options());
        match version {
            Version::V7 => assert_eq!(last.unwrap_err().code(), Some(ServerCode::Err)),
            Version::V8 => assert_eq!(millis(&last.unwrap().unwrap()[0].1), [2]),
        }
    });
}

#[test]
fn waiting_for_entries() {
    for_each_pair(|c, other| {
        fill(c, "k", 2);
        let wait = XreadOptions::new().block(Duration::ZERO);
        let read = p.xread::<String, Fields>([("other", XreadFrom::New), ("k", XreadFrom::New)], wait);
        let came = c.run_meanwhile(read, other, |_| fill(other, "other", 1)).unwrap().unwrap();
        assert_eq!((came.len(), &*came[0].0, millis(&came[0].1)), (1, "other", vec![1]));
        let at_once = c.xread::<String, Fields>([("k", id(1, 0))], wait).unwrap().unwrap();
        assert_eq!(millis(&at_once[0].1), [2]);
    });
}

#[test]
fn what_is_known_of_a_stream() {
    for_each_wire(|c, _| {
        assert_eq!(c.xinfo_stream::<Fields>("missing").unwrap_err().code(), Some(ServerCode::Err));
        fill(c, "k", 4);
        assert_eq!(c.xdel("k", id(1, 0)).unwrap(), 1);
        let info = c.xinfo_stream::<Fields>("k").unwrap();
        assert_eq!((info.length, info.last_generated_id, info.groups), (3, id(4, 0), 0));
        assert_eq!((info.radix_tree_keys, info.radix_tree_nodes), (1, 2));
        assert_eq!((info.max_deleted_entry_id, info.entries_added), (Some(id(1, 0)), Some(4)));
        assert_eq!(info.recorded_first_entry_id, Some(id(2, 0)));
        assert_eq!(info.first_entry.unwrap().fields, [("n".to_owned(), "2".to_owned())]);
        assert_eq!(info.last_entry.unwrap().id, id(4, 0));

        c.xsetid("k", id(9, 9), None, None).unwrap();
        c.xsetid("k", id(9, 9), Some(20), Some(id(3, 0))).unwrap();
        let info = c.xinfo_stream::<Fields>("k").unwrap();
        assert_eq!((info.last_generated_id, info.entries_added), (id(9, 9), Some(20)));
        assert_eq!(info.max_deleted_entry_id, Some(id(3, 0)));
        assert_eq!(c.xsetid("missing", id(1, 0), None, None).unwrap_err().code(), Some(ServerCode::Err));

        assert_eq!(c.xtrim("k", StreamTrim::max_len(0)).unwrap(), 3);
        let info = c.xinfo_stream::<Fields>("k").unwrap();
        assert_eq!((info.first_entry, info.last_entry), (None, None));
    });
}
