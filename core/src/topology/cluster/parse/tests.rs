//! Answers written by hand: what is odd but lawful, and what no node would say.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::*;
use crate::config::{AddressMap, Endpoint};
use crate::resp::{Decoder, Frame, Limits};

fn text(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn int(number: i64) -> String {
    format!(":{number}\r\n")
}

fn nil() -> String {
    "_\r\n".into()
}

fn list(items: &[String]) -> String {
    format!("*{}\r\n{}", items.len(), items.concat())
}

fn map(fields: &[(&str, String)]) -> String {
    let pairs: String = fields.iter().map(|(name, value)| text(name) + value).collect();
    format!("%{}\r\n{pairs}", fields.len())
}

/// An entry of `CLUSTER SLOTS`.
fn entry(first: i64, last: i64, nodes: &[String]) -> String {
    format!("*{}\r\n{}{}{}", nodes.len() + 2, int(first), int(last), nodes.concat())
}

/// A node of `CLUSTER SLOTS` as 3.0 wrote it.
fn at(host: &str, port: i64) -> String {
    list(&[text(host), int(port)])
}

/// A node of `CLUSTER SHARDS`.
fn member(host: &str, ports: &[(&str, i64)], role: &str, health: &str) -> String {
    let mut fields = vec![("id", text("x")), ("endpoint", text(host)), ("role", text(role))];
    fields.extend(ports.iter().map(|&(name, port)| (name, int(port))));
    fields.push(("health", text(health)));
    map(&fields)
}

fn shard(slots: &[i64], nodes: &[String]) -> String {
    let slots: Vec<String> = slots.iter().map(|&slot| int(slot)).collect();
    map(&[("slots", list(&slots)), ("nodes", list(nodes))])
}

fn frame(wire: &str) -> Frame {
    let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
    frame.expect("a legal reply").expect("a whole reply")
}

fn asked() -> Endpoint {
    Endpoint::tcp("asked", 7000)
}

fn slots(entries: &[String]) -> Result<View, ViewError> {
    View::from_slots(frame(&list(entries)).item(), Asked::new(&asked()))
}

fn shards(entries: &[String]) -> Result<View, ViewError> {
    View::from_shards(frame(&list(entries)).item(), Asked::new(&asked()))
}

/// The primaries, each with its replicas, and the coverage.
fn shown(view: &View) -> (Vec<String>, u16) {
    let shard = |shard: &crate::topology::cluster::Shard| {
        let replicas = shard.replicas.iter().map(|replica| format!(" <{}", replica.endpoint));
        shard.primary.endpoint.to_string() + &replicas.collect::<String>()
    };
    (view.shards().iter().map(shard).collect(), view.coverage())
}

#[test]
fn addresses() {
    let longest = "x".repeat(255);
    let table = [
        (text("10.0.0.1"), int(7001), Ok("10.0.0.1:7001")),
        (text("::1"), int(7001), Ok("[::1]:7001")),
        (text("node-1.example"), text("65535"), Ok("node-1.example:65535")),
        (text(""), int(7001), Ok("asked:7001")),
        (nil(), int(7001), Ok("asked:7001")),
        ("$-1\r\n".into(), int(7001), Ok("asked:7001")),
        (text("?"), int(7001), Err(ViewError::NoSlots)),
        (text("10.0.0.1"), int(0), Err(ViewError::NoSlots)),
        (text("10.0.0.1"), int(-1), Err(ViewError::Port(-1))),
        (text("10.0.0.1"), int(65_536), Err(ViewError::Port(65_536))),
        (text("?"), int(65_536), Err(ViewError::Port(65_536))),
        (text("a b"), int(7001), Err(ViewError::Host)),
        (text("a\n"), int(7001), Err(ViewError::Host)),
        (text("a\0"), int(7001), Err(ViewError::Host)),
        (text("user@host"), int(7001), Err(ViewError::Host)),
        (text("[::1]"), int(7001), Err(ViewError::Host)),
        (text("a:1"), int(7001), Err(ViewError::Host)),
        (text(&format!("{longest}x")), int(7001), Err(ViewError::Host)),
        (list(&[]), int(7001), Err(ViewError::Shape(expected("a host", "array of 0 elements")))),
        (text("h"), text("1x"), Err(ViewError::Shape(expected("an integer", "string of 2 bytes")))),
        (text("h"), nil(), Err(ViewError::Shape(expected("an integer", "nil")))),
    ];
    for (host, port, expected) in table {
        let view = slots(&[entry(0, 9, &[list(&[host.clone(), port])])]);
        let found = view.map(|view| view.shards()[0].primary.endpoint.to_string());
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{host:?}");
    }
    assert!(slots(&[entry(0, 9, &[at(&longest, 1)])]).is_ok());
}

fn expected(what: &'static str, got: &str) -> ConversionError {
    ConversionError::Unexpected { expected: what.into(), got: got.into() }
}

#[test]
fn behind_a_unix_socket_a_node_without_a_host_is_nowhere() {
    let asked = Endpoint::unix("/run/redis.sock");
    let reply = frame(&list(&[entry(0, 9, &[at("", 7001)]), entry(10, 19, &[at("h", 7002)])]));
    let view = View::from_slots(reply.item(), Asked::new(&asked)).expect("a node with a host is left");
    assert_eq!(shown(&view), (vec!["h:7002".into()], 10));
}

#[test]
fn unusable_nodes_are_left_out_and_their_slots_are_nobodys() {
    let view = slots(&[
        entry(0, 99, &[at("?", 1), at("b", 1)]),
        entry(100, 199, &[at("c", 1), at("?", 1), at("d", 0), at("e", 1)]),
    ]);
    assert_eq!(shown(&view.unwrap()), (vec!["c:1 <e:1".into()], 100));
    let claimed = slots(&[entry(0, 99, &[at("?", 1)]), entry(99, 99, &[at("c", 1)])]);
    assert_eq!(claimed, Err(ViewError::Overlap(99)), "they are claimed all the same");
}

#[test]
fn roles_and_health() {
    let node = |host, role, health| member(host, &[("port", 1)], role, health);
    let view = shards(&[
        shard(
            &[0, 9],
            &[
                node("r1", "replica", "online"),
                node("p", "master", "online"),
                node("r2", "replica", "loading"),
                node("r3", "replica", "fail"),
                node("r4", "witness", "online"),
            ],
        ),
        shard(&[10, 19], &[node("old", "master", "fail"), node("new", "master", "online")]),
        shard(&[20, 29], &[node("dead", "master", "fail"), node("r5", "replica", "online")]),
        shard(&[30, 39], &[node("first", "master", "loading"), node("second", "master", "online")]),
        shard(&[40, 49], &[node("r6", "replica", "online")]),
        shard(&[], &[node("idle", "master", "online")]),
    ]);
    let expected = ["dead:1 <r5:1", "first:1", "new:1", "p:1 <r1:1"].map(String::from).into();
    assert_eq!(shown(&view.unwrap()), (expected, 40));
}

#[test]
fn ports_by_transport() {
    let table = [
        (vec![("port", 1)], Some(1), Some(1)),
        (vec![("port", 1), ("tls-port", 2)], Some(1), Some(2)),
        (vec![("tls-port", 2)], None, Some(2)),
        (vec![("port", 0), ("tls-port", 2)], None, Some(2)),
        (vec![("port", 1), ("tls-port", 0)], Some(1), Some(1)),
        (vec![], None, None),
    ];
    for (ports, plain, tls) in table {
        let reply = frame(&list(&[shard(&[0, 0], &[member("h", &ports, "master", "online")])]));
        for (with_tls, port) in [(false, plain), (true, tls)] {
            let asked = asked();
            let view = View::from_shards(reply.item(), Asked::new(&asked).tls(with_tls));
            let endpoint = view.map(|view| view.shards()[0].primary.endpoint.clone());
            let expected = port.map(|port| Endpoint::tcp("h", port)).ok_or(ViewError::NoSlots);
            assert_eq!(endpoint, expected, "{ports:?}, TLS {with_tls}");
        }
    }
}

#[test]
fn zones_in_every_spelling() {
    let zones = |view: Result<View, ViewError>| -> Vec<Option<String>> {
        view.unwrap().nodes().map(|node| node.zone.as_deref().map(String::from)).collect()
    };
    let remarks = |remarks| list(&[text("h"), int(1), text("id"), remarks]);
    let zone = ("availability-zone", text("eu-1a"));
    let table = [
        (map(&[("hostname", text("x")), zone.clone()]), Some("eu-1a")),
        (list(&[text(zone.0), zone.1.clone()]), Some("eu-1a")),
        (list(&[]), None),
        (map(&[(zone.0, text(""))]), None),
        (map(&[(zone.0, nil())]), None),
        (map(&[(zone.0, text(&"z".repeat(256)))]), None),
    ];
    for (spelling, expected) in table {
        let found = zones(slots(&[entry(0, 0, &[remarks(spelling)])]));
        assert_eq!(found, [expected.map(String::from)]);
    }
    let fields = [
        ("port", int(1)),
        ("endpoint", text("h")),
        ("role", text("master")),
        ("health", text("online")),
        zone,
    ];
    assert_eq!(zones(shards(&[shard(&[0, 0], &[map(&fields)])])), [Some("eu-1a".into())]);
}

#[test]
fn shapes_that_no_node_gives() {
    let asked = asked();
    let asked = Asked::new(&asked);
    let good = at("h", 1);
    let slots = [
        int(1),
        text("no"),
        nil(),
        "-ERR This instance has cluster support disabled\r\n".into(),
        list(&[int(0)]),
        list(&[list(&[])]),
        list(&[list(&[int(0), int(1)])]),
        list(&[list(&[text("a"), int(1), good.clone()])]),
        list(&[list(&[int(0), nil(), good.clone()])]),
        list(&[list(&[int(0), int(1), text("h:1")])]),
        list(&[list(&[int(0), int(1), list(&[text("h")])])]),
        list(&[list(&[int(0), int(1), list(&[])])]),
        list(&[list(&[int(0), int(1), good.clone(), nil()])]),
        list(&[list(&[int(0), int(1), list(&[text("h"), int(1), text("id"), int(7)])])]),
        list(&[list(&[int(0), int(1), list(&[text("h"), int(1), text("id"), list(&[text("odd")])])])]),
        list(&[list(&["-ERR in the middle\r\n".into(), int(1), good.clone()])]),
    ];
    for wire in slots {
        let view = View::from_slots(frame(&wire).item(), asked);
        assert!(matches!(view, Err(ViewError::Shape(_))), "{wire:?}: {view:?}");
    }
    let one = [member("h", &[("port", 1)], "master", "online")];
    let good = list(&one);
    let without = |name: &str| {
        let fields =
            [("endpoint", text("h")), ("port", int(1)), ("role", text("master")), ("health", text("online"))];
        let left: Vec<_> = fields.into_iter().filter(|field| field.0 != name).collect();
        list(&[shard(&[0, 1], &[map(&left)])])
    };
    let shards = [
        int(1),
        nil(),
        list(&[nil()]),
        list(&[map(&[("slots", list(&[int(0), int(1)]))])]),
        list(&[map(&[("nodes", good.clone())])]),
        list(&[shard(&[0], &one)]),
        list(&[map(&[("slots", text("0-1")), ("nodes", good.clone())])]),
        list(&[map(&[("slots", list(&[text("a"), text("b")])), ("nodes", good.clone())])]),
        list(&[map(&[("slots", list(&[int(0), int(1)])), ("nodes", int(3))])]),
        list(&[shard(&[0, 1], &[text("h:1")])]),
        list(&[shard(&[0, 1], &[list(&[text("odd")])])]),
        without("endpoint"),
        without("role"),
        without("health"),
    ];
    for wire in shards {
        let view = View::from_shards(frame(&wire).item(), asked);
        assert!(matches!(view, Err(ViewError::Shape(_))), "{wire:?}: {view:?}");
    }
}

#[test]
fn claims_that_cannot_be_true() {
    let one = [at("h", 1)];
    let table = [
        (vec![], ViewError::NoSlots),
        (vec![entry(-1, 5, &one)], ViewError::Slots { first: -1, last: 5 }),
        (vec![entry(0, 16_384, &one)], ViewError::Slots { first: 0, last: 16_384 }),
        (vec![entry(9, 8, &one)], ViewError::Slots { first: 9, last: 8 }),
        (vec![entry(0, 65_536, &one)], ViewError::Slots { first: 0, last: 65_536 }),
        (vec![entry(0, 9, &one), entry(9, 20, &[at("i", 1)])], ViewError::Overlap(9)),
        (vec![entry(0, 9, &one), entry(3, 3, &one)], ViewError::Overlap(3)),
        (vec![entry(0, 9, &one), entry(10, 11, &[at("a b", 1)])], ViewError::Host),
    ];
    for (entries, error) in table {
        assert_eq!(slots(&entries), Err(error));
    }
    let good = [member("h", &[("port", 1)], "master", "online")];
    assert_eq!(shards(&[shard(&[], &good)]), Err(ViewError::NoSlots));
    assert_eq!(shards(&[shard(&[0, 5, 5, 6], &good)]), Err(ViewError::Overlap(5)));
    assert_eq!(shards(&[shard(&[6, 5], &good)]), Err(ViewError::Slots { first: 6, last: 5 }));
}

#[test]
fn limits() {
    let replicas: Vec<String> = (0..10_000).map(|port| at("r", port + 1)).collect();
    let with = |count: usize| -> Vec<String> {
        core::iter::once(at("p", 1)).chain(replicas[..count].iter().cloned()).collect()
    };
    assert!(slots(&[entry(0, 0, &with(9_999))]).is_ok());
    assert_eq!(slots(&[entry(0, 0, &with(10_000))]), Err(ViewError::TooManyNodes));
    let twice = slots(&[entry(0, 0, &with(9_999)), entry(2, 2, &with(9_999))]);
    assert_eq!(twice.map(|view| view.nodes().count()), Ok(10_000), "the same nodes again");
    let more = [entry(0, 0, &with(9_999)), entry(2, 2, &[at("q", 1)])];
    assert_eq!(slots(&more), Err(ViewError::TooManyNodes));
    let crowd: Vec<String> = (0..10_002).map(|_| at("h", 1)).collect();
    assert_eq!(slots(&[entry(0, 0, &crowd)]), Err(ViewError::TooManyNodes), "though it is one and the same");

    let good = [member("h", &[("port", 1)], "master", "online")];
    let every: Vec<i64> = (0..16_384).flat_map(|slot| [slot, slot]).collect();
    assert_eq!(shards(&[shard(&every, &good)]).map(|view| view.coverage()), Ok(16_384));
    let more = [&every[..], &[0, 0]].concat();
    assert_eq!(shards(&[shard(&more, &good)]), Err(ViewError::TooManyRanges));
    let crowd: Vec<String> = (0..10_001).map(|_| good[0].clone()).collect();
    assert_eq!(shards(&[shard(&[0, 1], &crowd)]), Err(ViewError::TooManyNodes));
}

#[test]
fn endpoints_can_be_mapped() {
    let outside = AddressMap::new(|inside| match inside {
        Endpoint::Tcp { host, port } => Endpoint::tcp("outside", port + u16::from(&**host == "10.0.0.2")),
        other => other.clone(),
    });
    let asked = asked();
    let reply = frame(&list(&[entry(0, 9, &[at("10.0.0.1", 7001), at("10.0.0.2", 7001), at("", 7005)])]));
    let view = View::from_slots(reply.item(), Asked::new(&asked).address_map(Some(&outside))).unwrap();
    assert_eq!(shown(&view).0, ["outside:7001 <outside:7002 <outside:7005"]);
}

#[test]
fn epochs() {
    let table = [
        (text("cluster_state:ok\r\ncluster_current_epoch:12\r\ncluster_my_epoch:3\r\n"), Some(12)),
        ("=30\r\ntxt:cluster_current_epoch:12\r\n\r\n".into(), Some(12)),
        (text("cluster_current_epoch:18446744073709551615"), Some(u64::MAX)),
        (text("cluster_current_epoch:-1\r\n"), None),
        (text("x_cluster_current_epoch:1\r\n"), None),
        (text(""), None),
        (nil(), None),
        (int(5), None),
        (list(&[]), None),
    ];
    for (wire, expected) in table {
        assert_eq!(epoch(frame(&wire).item()), expected, "{wire:?}");
    }
}
