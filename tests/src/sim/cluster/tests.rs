//! The cluster of the simulation, talked to without a client.

use std::task::Waker;

use bytes::BytesMut;
use redstart_core::command::{Command, FromReply, Value};
use redstart_core::resp::{Decoder, Limits};

use super::*;
use crate::sim::Faults;
use crate::sim::ledger::Shape;
use crate::sim::request::Job;
use crate::sim::trace::Trace;
use crate::sim::world::Expected;

/// A world with a cluster and no client.
struct Raw {
    world: World,
    /// A connection to each node.
    conns: Vec<Option<usize>>,
}

impl Raw {
    fn new(options: Options) -> Self {
        let expected = Expected {
            queue_commands: 100,
            queue_bytes: 1 << 20,
            database: 0,
            connect_timeout: 0,
            readers: false,
            pool: None,
            sides_age: false,
        };
        let trace = Trace::new(true);
        let mut world =
            World::new(Rng::with_seed(1), Faults::none(), expected, vec![Server::default()], trace);
        world.form_cluster(options);
        Self { conns: vec![None; world.servers.len()], world }
    }

    fn run_for(&mut self, millis: u64) {
        let until = self.world.now + millis * MS;
        while self.world.next_at().is_some_and(|at| at <= until) {
            let event = self.world.pop().expect("it was seen");
            self.world.handle(event);
        }
        self.world.sleep_until(until);
    }

    /// Sends words to a node.
    fn send(&mut self, node: usize, words: &[&str]) {
        if self.conns[node].is_none_or(|conn| !self.world.conns[conn].is_live()) {
            let conn = self.world.connect(node);
            self.conns[node] = Some(conn);
            self.run_for(2);
        }
        let conn = self.conns[node].expect("it was just made");
        let command =
            words[1..].iter().fold(Command::<()>::new(words[0]), |command, word| command.arg(*word));
        let mut bytes = Vec::new();
        command.packed().encode(&mut bytes);
        let _ = self.world.write(conn, &mut &bytes[..], Waker::noop());
    }

    /// What has come from a node since it was asked last.
    fn received(&mut self, node: usize) -> Vec<Value> {
        let conn = self.conns[node].expect("it was asked");
        let mut read = BytesMut::with_capacity(1 << 20);
        let _ = self.world.read(conn, &mut read, Waker::noop());
        let mut decoder = Decoder::new(Limits::default());
        let mut values = Vec::new();
        while let Some(frame) = decoder.decode(&mut read).expect("RESP") {
            values.push(Value::from_reply(frame.item()).unwrap_or_else(|_| {
                error(&String::from_utf8_lossy(&frame.item().text().expect("an error")))
            }));
        }
        values
    }

    /// What a node answers at once.
    fn ask(&mut self, node: usize, words: &[&str]) -> Value {
        self.send(node, words);
        self.run_for(3);
        self.received(node).pop().expect("an answer")
    }

    /// What a node answers, as text.
    fn text(&mut self, node: usize, words: &[&str]) -> String {
        match self.ask(node, words) {
            Value::Status(text) => text,
            Value::Error(error) => format!("-{}", error.text()),
            Value::Integer(number) => number.to_string(),
            Value::Bulk(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        }
    }

    /// The number of a new command.
    fn enter(&mut self, op: Op) -> usize {
        self.world.ledger.enter(Shape::Single, Job::new(op))
    }

    /// What a node answers to `RPUSH` of a new number.
    fn push(&mut self, node: usize, key: &str) -> String {
        let id = self.enter(Op::Push);
        self.text(node, &["RPUSH", key, &format!("#{id}")])
    }

    /// What a node answers to `GET` of a key that has a new number in it and the slot of `tag`.
    fn get(&mut self, node: usize, tag: &str) -> String {
        let id = self.enter(Op::Get);
        let text = self.text(node, &["GET", &format!("g{{{tag}}}#{id}")]);
        if text == format!("#{id}:0") { "found".to_owned() } else { text }
    }

    /// What a node holds under a key.
    fn held(&mut self, node: usize, name: &str) -> usize {
        let (key, now) = (node::key(&name.to_owned().into()), self.world.now);
        let cluster = self.world.cluster();
        cluster.catch_up(node, now);
        cluster.nodes[node].data.get(&key).map_or(0, Vec::len)
    }

    /// Whose `CLUSTER SLOTS` a node believes: for each range the last slot and the port or host.
    fn view(&mut self, node: usize) -> Vec<(i64, i64, String)> {
        let Value::Array(entries) = self.ask(node, &["CLUSTER", "SLOTS"]) else { panic!("no array") };
        let entry = |entry| {
            let Value::Array(parts) = entry else { panic!("{entry:?}") };
            let (Value::Integer(first), Value::Integer(last), Value::Array(place)) =
                (&parts[0], &parts[1], &parts[2])
            else {
                panic!("{parts:?}")
            };
            let Value::Bulk(host) = &place[0] else { panic!("{place:?}") };
            (*first, *last, String::from_utf8_lossy(host).into_owned())
        };
        entries.into_iter().map(entry).collect()
    }
}

// foo is in slot 12182, so node 3 has it; bar in 5061, node 1; hello in 866, node 1; {user1000} in 3443.

#[test]
fn nodes_serve_their_slots_and_name_those_that_serve_others() {
    let mut raw = Raw::new(Options::default());
    assert_eq!(raw.push(2, "foo"), "1");
    assert_eq!(raw.push(2, "foo"), "2");
    assert_eq!(raw.push(0, "foo"), "-MOVED 12182 10.0.0.3:7000");
    assert_eq!(raw.push(5, "foo"), "-MOVED 12182 10.0.0.3:7000", "a replica takes no writes");
    assert_eq!((raw.held(2, "foo"), raw.held(5, "foo"), raw.held(0, "foo")), (2, 2, 0));
    assert_eq!(raw.get(5, "foo"), "-MOVED 12182 10.0.0.3:7000");
    assert_eq!(raw.text(5, &["READONLY"]), "OK");
    assert_eq!(raw.get(5, "foo"), "found");
    assert_eq!(raw.get(5, "bar"), "-MOVED 5061 10.0.0.1:7000");
    let id = raw.enter(Op::MGet);
    let keys = ["MGET", &format!("g{{foo}}#{id}"), "bar"];
    assert_eq!(raw.text(0, &keys), "-CROSSSLOT Keys in request don't hash to the same slot");
    let (first, last) = (raw.view(0), raw.view(4));
    assert_eq!(first, last);
    let host = |nth| format!("10.0.0.{nth}");
    assert_eq!(first, [(0, 5461, host(1)), (5462, 10_922, host(2)), (10_923, 16_383, host(3))]);
}

#[test]
fn a_slot_leaves_key_by_key() {
    let mut raw = Raw::new(Options::default());
    for key in ["foo", "{foo}a", "{foo}b"] {
        raw.push(2, key);
    }
    raw.world.migrate(12_182, 12_182, 0, 100 * MS);
    assert_eq!(raw.get(2, "foo"), "-ASK 12182 10.0.0.1:7000", "what is not there may be there already");
    assert_eq!(raw.push(2, "foo"), "2");
    assert_eq!(raw.get(0, "foo"), "-MOVED 12182 10.0.0.3:7000", "who does not ask is sent back");
    raw.send(0, &["ASKING"]);
    assert_eq!(raw.get(0, "foo"), "found");
    assert_eq!(raw.get(0, "foo"), "-MOVED 12182 10.0.0.3:7000", "ASKING is good for one command");
    while raw.held(2, "foo") > 0 {
        raw.run_for(1);
    }
    assert_eq!((raw.held(0, "foo"), raw.push(2, "foo")), (2, "-ASK 12182 10.0.0.1:7000".to_owned()));
    let left = ["{foo}a", "{foo}b"].into_iter().find(|key| raw.held(2, key) > 0).expect("one is left");
    for (asking, node) in [(false, 2), (true, 0)] {
        let id = raw.enter(Op::MGet);
        let words = ["MGET", left, &format!("{{foo}}#{id}")];
        if asking {
            raw.send(node, &["ASKING"]);
        }
        assert!(raw.text(node, &words).starts_with("-TRYAGAIN "), "{node}");
    }
    raw.run_for(200);
    assert_eq!(raw.push(2, "foo"), "-MOVED 12182 10.0.0.1:7000");
    assert_eq!((raw.push(0, "foo"), raw.held(3, "foo"), raw.held(5, "foo")), ("3".to_owned(), 3, 0));
    assert_eq!(raw.view(1).len(), 5);
}

#[test]
fn transactions_keep_to_slots() {
    let mut raw = Raw::new(Options::default());
    let ids = [Op::Push, Op::Push].map(|op| raw.enter(op));
    let words = ids.map(|id| format!("#{id}"));
    assert_eq!(raw.text(2, &["MULTI"]), "OK");
    assert_eq!(raw.text(2, &["RPUSH", "foo", &words[0]]), "QUEUED");
    assert_eq!(raw.text(2, &["RPUSH", "bar", &words[1]]), "-MOVED 5061 10.0.0.1:7000");
    let discarded = "-EXECABORT Transaction discarded because of previous errors.";
    assert_eq!(raw.text(2, &["EXEC"]), discarded);
    assert_eq!(raw.held(2, "foo"), 0);
    raw.text(2, &["MULTI"]);
    raw.text(2, &["RPUSH", "foo", &words[0]]);
    assert_eq!(raw.ask(2, &["EXEC"]), Value::Array(vec![Value::Integer(1)]));
    raw.text(2, &["MULTI"]);
    raw.text(2, &["RPUSH", "foo", &words[1]]);
    raw.world.move_slots(12_000, 12_999, 1);
    assert_eq!(raw.text(2, &["EXEC"]), "-MOVED 12182 10.0.0.2:7000", "the slot left in the meantime");
    assert_eq!((raw.held(2, "foo"), raw.held(1, "foo")), (0, 1));
    raw.world.migrate(12_182, 12_182, 0, 100 * MS);
    while raw.held(0, "foo") == 0 {
        raw.run_for(1);
    }
    for words in [&["ASKING"][..], &["MULTI"], &["RPUSH", "foo", &words[1]]] {
        raw.send(0, words);
    }
    assert_eq!(raw.ask(0, &["EXEC"]), Value::Array(vec![Value::Integer(2)]), "ASKING is good for all of it");
}

#[test]
fn a_frozen_primary_is_replaced_and_wakes_up_stale() {
    let mut raw = Raw::new(Options { lag: 0, full_coverage: true, ..Options::default() });
    assert_eq!(raw.push(2, "foo"), "1");
    raw.world.silence(2, false);
    let id = raw.enter(Op::Get);
    raw.send(2, &["GET", &format!("g{{foo}}#{id}")]);
    raw.run_for(130);
    assert!(raw.get(0, "bar").starts_with("-CLUSTERDOWN The cluster is down"), "{}", raw.world.trace.text());
    raw.run_for(100);
    assert!(raw.received(2).is_empty());
    assert_eq!(
        (raw.push(5, "foo"), raw.push(1, "foo")),
        ("2".to_owned(), "-MOVED 12182 10.0.0.6:7000".into())
    );
    raw.world.thaw(2);
    let id = raw.enter(Op::Push);
    raw.send(2, &["RPUSH", "foo", &format!("#{id}")]);
    raw.run_for(2);
    assert_eq!(raw.received(2).last(), Some(&Value::Integer(2)), "it does not know yet");
    raw.run_for(20);
    assert_eq!(raw.push(2, "foo"), "-MOVED 12182 10.0.0.6:7000");
    let cluster = raw.world.cluster.as_ref().expect("a cluster");
    assert_eq!(cluster.nodes[2].data, cluster.nodes[5].data, "what it took in the meantime is lost");
    assert_eq!(cluster.applied.len(), 4);
}

#[test]
fn a_dead_primary_may_take_the_last_writes_with_it() {
    let mut raw = Raw::new(Options { lag: 500 * MS, ..Options::default() });
    (0..9).for_each(|_| drop(raw.push(2, "foo")));
    raw.world.silence(2, true);
    raw.run_for(250);
    let kept = raw.held(5, "foo");
    assert!(kept < 9);
    assert_eq!(raw.push(5, "foo"), (kept + 1).to_string());
    raw.world.restart(2);
    raw.run_for(50);
    assert_eq!(raw.push(2, "foo"), "-MOVED 12182 10.0.0.6:7000");
    assert_eq!(raw.held(2, "foo"), kept + 1);
}

#[test]
fn a_primary_hands_over_without_loss() {
    let mut raw = Raw::new(Options { lag: 500 * MS, gossip: 300 * MS, ..Options::default() });
    (0..9).for_each(|_| drop(raw.push(2, "foo")));
    raw.world.hand_over(2, 5);
    assert_eq!(raw.push(2, "foo"), "-MOVED 12182 10.0.0.6:7000");
    assert_eq!(raw.push(5, "foo"), "10");
    raw.run_for(300);
    let hosts: Vec<_> = raw.view(0).into_iter().map(|(.., host)| host).collect();
    assert_eq!(hosts, ["10.0.0.1", "10.0.0.2", "10.0.0.6"]);
}

#[test]
fn nodes_join_and_leave() {
    let mut raw = Raw::new(Options { spares: 1, ..Options::default() });
    raw.push(2, "foo");
    raw.world.join(6);
    raw.run_for(20);
    assert_eq!(raw.push(6, "foo"), "-MOVED 12182 10.0.0.3:7000");
    raw.world.move_slots(12_000, 16_383, 6);
    assert_eq!(raw.push(6, "foo"), "2");
    raw.world.leave(2, 1, Afterlife::Forgotten);
    raw.run_for(20);
    assert_eq!(raw.push(2, "foo"), "-MOVED 12182 10.0.0.7:7000");
    assert!(raw.view(1).iter().all(|(.., host)| host != "10.0.0.3"));
    raw.world.leave(6, 0, Afterlife::Reset);
    assert_eq!(raw.push(6, "foo"), "-CLUSTERDOWN Hash slot not served");
    raw.run_for(20);
    assert_eq!(
        (raw.push(0, "foo"), raw.push(1, "foo")),
        ("3".to_owned(), "-MOVED 12182 10.0.0.1:7000".into())
    );
    raw.world.leave(1, 0, Afterlife::Recycled);
    raw.run_for(1000);
    assert_eq!(raw.get(1, "bar"), "found", "a stranger serves everything that it has");
    assert_eq!(raw.view(1)[2], (10_923, 16_383, "10.9.9.2".to_owned()));
    assert_eq!(raw.view(0), [(0, 16_383, "10.0.0.1".to_owned())]);
}

#[test]
fn answers_are_those_of_real_nodes() {
    let mut raw = Raw::new(Options { primaries: 1, replicas: 0, ..Options::default() });
    let slots = raw.ask(0, &["CLUSTER", "SLOTS"]);
    let id = "00000000000000000000000000000000abcd0000";
    let text = |text: &str| Value::Bulk(text.to_owned().into());
    let number = Value::Integer;
    let node = Value::Array(vec![text("10.0.0.1"), number(7000), text(id), Value::Array(Vec::new())]);
    assert_eq!(slots, Value::Array(vec![Value::Array(vec![number(0), number(16_383), node])]));
    let Value::Bulk(info) = raw.ask(0, &["CLUSTER", "INFO"]) else { panic!("no text") };
    assert!(info.starts_with(b"cluster_state:ok\r\ncluster_slots_assigned:16384\r\n"));
    let Value::Array(shards) = raw.ask(0, &["CLUSTER", "SHARDS"]) else { panic!("no array") };
    let Value::Array(shard) = &shards[0] else { panic!("{shards:?}") };
    assert_eq!(shard[..2], [text("slots"), Value::Array(vec![number(0), number(16_383)])]);
    let Value::Array(nodes) = &shard[3] else { panic!("{shard:?}") };
    let Value::Array(fields) = &nodes[0] else { panic!("{nodes:?}") };
    assert_eq!((fields.len(), &fields[0], &fields[1]), (14, &text("id"), &text(id)));

    let mut raw = Raw::new(Options { addresses: Addresses::Unknown, ..Options::default() });
    assert_eq!(raw.push(0, "foo"), "-MOVED 12182 :7002");
}
