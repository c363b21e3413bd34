//! What the nodes of real clusters answer, as recorded in `recorded/cluster`, and what becomes of it when it
//! is mutilated.

use std::path::Path;

use bytes::BytesMut;
use redstart_core::command::{Command, FromReply, Run, Value};
use redstart_core::commands::SlotRange;
use redstart_core::config::Endpoint;
use redstart_core::error::ConversionError;
use redstart_core::resp::{Decoder, Frame, Item, Limits};
use redstart_core::topology::cluster::{Asked, Redirect, Shard, SlotMap, View, ViewError, epoch};
use redstart_tests::fuzz::topology::check;
use redstart_tests::resp::write::{random, write};
use redstart_tests::server::{ServerConfig, Version};
use redstart_tests::wire::Wire;

const SCENES: [&str; 6] = ["fresh", "settled", "hostnames", "unknown", "takeover", "failed"];

/// The replies of one node to one conversation.
struct Recording {
    name: String,
    shards: Frame,
    slots: Frame,
    info: Frame,
    refusal: Frame,
}

impl Recording {
    fn read(version: Version, scene: &str, resp: u8) -> Self {
        let name = format!("{}-{scene}-resp{resp}", version.number());
        let file = format!("recorded/cluster/{name}.txt");
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a recording");
        let mut read = BytesMut::from(&*bytes);
        let mut decoder = Decoder::new(Limits::default());
        let mut next = || decoder.decode(&mut read).expect("legal").expect("whole");
        if resp == 3 {
            assert!(text(&next()).is_empty(), "{name}: the reply to HELLO is a map");
        }
        let recording = Self { name, shards: next(), slots: next(), info: next(), refusal: next() };
        assert_eq!(text(&next()), "OK", "{}: QUIT", recording.name);
        recording
    }

    fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let versions = Version::ALL.into_iter().flat_map(|version| [(version, 2), (version, 3)]);
        versions.flat_map(|(version, resp)| SCENES.map(|scene| (scene, Self::read(version, scene, resp))))
    }
}

fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(&frame.item().text().unwrap_or_default()).into_owned()
}

/// The node that the client asked, by the name that it has for it.
fn asked() -> Endpoint {
    Endpoint::tcp("front.example", 7801)
}

/// A view as text: of each shard its slots, its primary and `<` its replicas.
fn shown(view: &View) -> Vec<String> {
    let slots = |range: &SlotRange| format!("{}-{} ", range.start, range.end);
    let shard = |shard: &Shard| {
        let mut line: String = shard.slots.iter().map(slots).collect();
        line += &shard.primary.endpoint.to_string();
        for replica in &shard.replicas {
            line += &format!(" < {}", replica.endpoint);
        }
        line
    };
    view.shards().iter().map(shard).collect()
}

/// Without the replicas: which of them follows whom is decided anew at each recording.
fn slots_and_primaries(view: &View) -> Vec<String> {
    shown(view).iter().map(|line| line.split(" <").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn recorded_answers() {
    let asked = asked();
    let asked = Asked::new(&asked);
    for (scene, recording) in Recording::all() {
        let name = &recording.name;
        let slots = View::from_slots(recording.slots.item(), asked);
        let shards = View::from_shards(recording.shards.item(), asked);
        let redirect = Redirect::parse(&text(&recording.refusal), asked);
        let to = redirect.map(|redirect| (redirect.slot, redirect.to.map(|to| to.to_string())));
        let target = |to: &str| Ok((12_182, Some(to.to_owned())));
        match scene {
            "fresh" => {
                assert_eq!((slots, shards), (Err(ViewError::NoSlots), Err(ViewError::NoSlots)), "{name}");
                assert_eq!(text(&recording.refusal), "CLUSTERDOWN Hash slot not served");
                assert_eq!(epoch(recording.info.item()), Some(0));
                continue;
            }
            "settled" => {
                let slots = slots.as_ref().expect(name);
                let expected =
                    ["0-5460 127.0.0.1:7801", "5461-10922 127.0.0.1:7802", "10923-16383 127.0.0.1:7803"];
                assert_eq!(slots_and_primaries(slots), expected, "{name}");
                assert!(slots.shards().iter().all(|shard| shard.replicas.len() == 1), "{name}");
                assert_eq!((slots.coverage(), slots.nodes().count()), (16_384, 6), "{name}");
                assert_eq!(to, target("127.0.0.1:7803"), "{name}");
            }
            "hostnames" => {
                // 7802 has no name, so nobody knows how to reach it.
                let slots = slots.as_ref().expect(name);
                let expected = ["0-5460 node-7801.example:7801", "10923-16383 node-7803.example:7803"];
                assert_eq!(slots_and_primaries(slots), expected, "{name}");
                assert_eq!(slots.coverage(), 16_384 - 5_462, "{name}");
                assert_eq!(to, target("node-7803.example:7803"), "{name}");
            }
            "unknown" => {
                let slots = slots.as_ref().expect(name);
                let expected = [
                    "0-5460 front.example:7801",
                    "5461-10922 front.example:7802",
                    "10923-16383 front.example:7803",
                ];
                assert_eq!(slots_and_primaries(slots), expected, "{name}");
                assert_eq!(to, target("front.example:7803"), "{name}");
            }
            "takeover" => {
                let slots = slots.as_ref().expect(name);
                assert_eq!(slots.coverage(), 16_384, "{name}");
                let (_, Some(new)) = to.expect(name) else { panic!("{name}: a redirect to nowhere") };
                assert!(slots_and_primaries(slots).contains(&format!("10923-16383 {new}")), "{name}");
                let old = Endpoint::tcp("127.0.0.1", 7803);
                assert!(slots.nodes().all(|node| node.endpoint != old), "{name}: it serves nothing");
                // 8.2.3 gives the slots of the first primary of a shard that has two: here those of the old
                // one, which has none left.
                if name.starts_with("8.2.3") {
                    assert_eq!(shards.as_ref().expect(name).coverage(), 10_923, "{name}");
                    let best = View::best(vec![shards.expect(name), slots.clone()]);
                    assert_eq!(best.as_ref(), Some(slots), "{name}: the whole view is the better one");
                    continue;
                }
            }
            _ => {
                let slots = slots.as_ref().expect(name);
                assert_eq!((slots.coverage(), slots.shards().len()), (16_384, 3), "{name}");
                let dead = Endpoint::tcp("127.0.0.1", 7802);
                assert!(slots.nodes().all(|node| node.endpoint != dead), "{name}");
            }
        }
        assert_eq!(slots.map(|view| shown(&view)), shards.map(|view| shown(&view)), "{name}: they agree");
        assert!(epoch(recording.info.item()).is_some_and(|epoch| epoch >= 6), "{name}");
    }
}

/// A view, or why there is none, in place of a reply.
struct Answer<const SHARDS: bool>(Result<View, ViewError>);

impl<const SHARDS: bool> FromReply for Answer<SHARDS> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let asked = asked();
        let asked = Asked::new(&asked);
        Ok(Self(if SHARDS { View::from_shards(item, asked) } else { View::from_slots(item, asked) }))
    }
}

#[test]
fn a_live_node_answers_as_it_was_recorded() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).arg("cluster-enabled", "yes").start();
        for resp in [2, 3] {
            let wire = Wire::connect(server.addr(), resp);
            let views = || {
                let slots: Answer<false> = wire.run(Command::new("CLUSTER SLOTS")).expect("an answer");
                let shards: Answer<true> = wire.run(Command::new("CLUSTER SHARDS")).expect("an answer");
                (slots.0, shards.0)
            };
            if resp == 2 {
                assert_eq!(views(), (Err(ViewError::NoSlots), Err(ViewError::NoSlots)));
                let assign = Command::<String>::new("CLUSTER ADDSLOTSRANGE").args([0, 99, 200, 16_383]);
                assert_eq!(wire.run(assign).as_deref(), Ok("OK"));
            }
            let (slots, shards) = views();
            let port = server.addr().port();
            let expected = format!("0-99 200-16383 front.example:{port}");
            assert_eq!(shown(&slots.expect("a view")), [&*expected], "the node does not know its address");
            assert_eq!(shown(&shards.expect("a view")), [&*expected]);
        }
    }
}

/// Changes one place of a reply: which one is counted down in `place`, in the order of the wire.
fn mutilate(value: &mut Value, place: &mut usize, rng: &mut fastrand::Rng) {
    const NUMBERS: [i64; 10] = [-1, 0, 1, 5461, 16_383, 16_384, 65_535, 65_536, i64::MIN, i64::MAX];
    const WORDS: [&[u8]; 12] = [
        b"", b"?", b"\0", b"\xff", b"a b", b"::1", b"[::1]", b"h:1", b"master", b"replica", b"fail", b"slots",
    ];
    if *place == 0 {
        match (rng.u8(0..6), &mut *value) {
            (0 | 1, Value::Array(elements)) if !elements.is_empty() => {
                let other = rng.usize(0..elements.len());
                match rng.u8(0..3) {
                    0 => drop(elements.remove(other)),
                    1 => elements.push(elements[other].clone()),
                    _ => elements.swap(0, other),
                }
            }
            (0 | 1, Value::Map(pairs)) if !pairs.is_empty() => {
                let other = rng.usize(0..pairs.len());
                if rng.bool() { drop(pairs.remove(other)) } else { pairs.push(pairs[other].clone()) }
            }
            (2, _) => *value = random(rng, 3),
            (3, _) => *value = Value::Nil,
            (_, Value::Integer(number)) => *number = *rng.choice(&NUMBERS).expect("some"),
            _ => *value = Value::Bulk(rng.choice(WORDS).expect("some").to_vec().into()),
        }
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| mutilate(element, place, rng)),
        Value::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            mutilate(key, place, rng);
            mutilate(value, place, rng);
        }),
        _ => {}
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| size(key) + size(value)).sum(),
        _ => 0,
    }
}

#[test]
fn mutilated_answers_are_refused_or_lawful() {
    let asked = asked();
    let asked = Asked::new(&asked);
    let recorded: Vec<Value> = Recording::all()
        .filter(|(scene, _)| *scene != "fresh")
        .flat_map(|(_, recording)| [recording.slots, recording.shards])
        .map(|frame| Value::from_reply(frame.item()).expect("any reply is a value"))
        .collect();
    let mut map = SlotMap::new();
    let mut counts = [0; 2];
    for seed in 0..3000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut value = rng.choice(&recorded).expect("some").clone();
        for _ in 0..rng.u8(1..4) {
            let mut place = rng.usize(0..size(&value));
            mutilate(&mut value, &mut place, &mut rng);
        }
        let mut wire = Vec::new();
        write(&value, &mut wire);
        if rng.u8(0..4) == 0 {
            let at = rng.usize(0..wire.len());
            wire[at] = rng.u8(..);
        }
        let Ok(Some(frame)) = Decoder::new(Limits::default()).decode(&mut BytesMut::from(&*wire)) else {
            continue;
        };
        for view in [View::from_slots(frame.item(), asked), View::from_shards(frame.item(), asked)] {
            counts[usize::from(view.is_ok())] += 1;
            if let Ok(view) = view {
                check(&view, &mut map);
            }
        }
    }
    println!("{} refused, {} taken", counts[0], counts[1]);
    assert!(counts.iter().all(|&count| count > 500), "both happen: {counts:?}");
}

#[test]
fn mutilated_redirects_are_refused_or_lawful() {
    const PARTS: [&str; 18] = [
        "MOVED",
        "ASK",
        " ",
        "  ",
        ":",
        "[",
        "]",
        "::1",
        "127.0.0.1",
        "node.example",
        "?",
        "0",
        "16383",
        "16384",
        "65535",
        "65536",
        "-1",
        "\u{e9}\0",
    ];
    let asked = asked();
    let mut counts = [0; 2];
    for seed in 0..100_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut any = || *rng.choice(&PARTS).expect("some");
        let mut words = ["MOVED", " ", "16383", " ", "127.0.0.1", ":", "65535"];
        words[seed as usize % 7] = any();
        words[seed as usize / 7 % 7] = any();
        let redirect = Redirect::parse(&words.concat(), Asked::new(&asked));
        counts[usize::from(redirect.is_ok())] += 1;
        if let Ok(Redirect { slot, to, .. }) = redirect {
            assert!(slot < 16_384);
            assert!(!matches!(to, Some(Endpoint::Tcp { port: 0, .. } | Endpoint::Unix { .. })));
        }
    }
    assert!(counts.iter().all(|&count| count > 1000), "both happen: {counts:?}");
}
