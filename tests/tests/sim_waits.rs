//! Calls that wait at a server and are given up at any time, under virtual time: nothing that they take is lost.
//!
//! The engine is driven by hand, and so is the place where its replies wait for their callers: a call may be dropped
//! before it is sent, while it waits, while its reply is on the way, when it has arrived and nobody has looked. A seed
//! decides what happens next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use fastrand::Rng;
use redstart_core::command::{Command, FromReply};
use redstart_core::config::{Config, PoolOptions, Protocol};
use redstart_core::engine::{Action, ConnId, Engine, Event, Outgoing, Patience, Request, RequestId, Taken};
use redstart_core::error::ConnectionError;
use redstart_core::resp::{Decoder, Limits};
use redstart_core::{ErrorKind, Instant};

const MILLI: u64 = 1_000_000;
const POOL: usize = 3;
const KEYS: u8 = 3;

/// One connection as the server has it.
struct Peer {
    /// What the client has written, and what of it has arrived.
    up: VecDeque<u8>,
    arrived: BytesMut,
    decoder: Decoder,
    /// What the server has written that has not arrived.
    down: VecDeque<u8>,
    read: BytesMut,
    /// The keys that it waits for, and whether it takes from the left.
    waits: Option<(Vec<String>, bool)>,
    /// What was put back on it.
    put_back: Vec<String>,
}

/// What a caller has.
enum Caller {
    Waits,
    /// A reply that it has not looked at.
    Has(Taken),
}

struct World {
    rng: Rng,
    now: u64,
    engine: Engine,
    peers: BTreeMap<ConnId, Peer>,
    /// In the order in which they began to wait.
    blocked: Vec<ConnId>,
    lists: BTreeMap<String, VecDeque<String>>,
    callers: BTreeMap<RequestId, (Vec<String>, Caller)>,
    calls: u32,
    pushed: u32,
    delivered: BTreeSet<String>,
    /// Items that may be missing, or there twice, for a connection that broke.
    excused: BTreeSet<String>,
    /// How calls have ended that have ended.
    errors: Vec<ErrorKind>,
}

fn words(mut bytes: &[u8]) -> Vec<String> {
    // What is on the wire of these tests has no line ends in it.
    let mut words = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        if !line.starts_with(['*', '$', ':', '-', '+']) {
            words.push(line);
        }
        bytes = &bytes[end + 2..];
    }
    words
}

impl World {
    fn new(seed: u64) -> Self {
        let pool = PoolOptions::new().max(POOL).idle_timeout(Duration::from_secs(2));
        let config = Config::default().protocol(Protocol::Resp2).library_name(None).library_version(None);
        let engine = Engine::new(Arc::new(config.pool(pool)), seed, Instant::ORIGIN);
        Self {
            rng: Rng::with_seed(seed),
            now: 0,
            engine,
            peers: BTreeMap::new(),
            blocked: Vec::new(),
            lists: BTreeMap::new(),
            callers: BTreeMap::new(),
            calls: 0,
            pushed: 0,
            delivered: BTreeSet::new(),
            excused: BTreeSet::new(),
            errors: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    /// Everything that follows at once from an input.
    fn settle(&mut self) {
        loop {
            let now = self.now();
            let mut opened = Vec::new();
            while let Some(action) = self.engine.poll_action() {
                match action {
                    Action::Connect(conn, _, _) => opened.push(conn),
                    Action::Close(conn) => self.hang_up(conn),
                }
            }
            for conn in &opened {
                let decoder = Decoder::new(Limits::default());
                let (up, down) = (VecDeque::new(), VecDeque::new());
                let (arrived, read) = (BytesMut::new(), BytesMut::new());
                self.peers.insert(
                    *conn,
                    Peer { up, arrived, decoder, down, read, waits: None, put_back: Vec::new() },
                );
                self.engine.handle_connected(now, *conn);
            }
            let events: Vec<_> = self.engine.drain_events().collect();
            for event in &events {
                if let Event::Reply { id, result, .. } = event {
                    assert!(self.callers.remove(id).is_some(), "a reply for nobody");
                    self.errors.extend(result.as_ref().err().map(|error| error.kind().clone()));
                }
            }
            for event in events {
                let Event::Taken { id, taken } = event else { continue };
                match self.callers.get_mut(&id) {
                    Some((_, caller)) => *caller = Caller::Has(taken),
                    None => self.engine.give_back(now, &taken),
                }
            }
            for (conn, peer) in &mut self.peers {
                while let Some(out) = self.engine.outgoing(*conn).filter(|out| out.has_remaining()) {
                    let len = out.chunk().len();
                    peer.up.extend(out.chunk());
                    out.advance(len);
                }
            }
            if opened.is_empty() && !self.engine.has_events() && !self.engine.has_actions() {
                return;
            }
        }
    }

    /// A connection is gone: the server notices at once.
    fn hang_up(&mut self, conn: ConnId) {
        self.blocked.retain(|blocked| *blocked != conn);
        if let Some(peer) = self.peers.remove(&conn) {
            // What was in it is lost, or has arrived and is not confirmed.
            let down: Vec<u8> = peer.read.iter().copied().chain(peer.down).collect();
            let up: Vec<u8> = peer.arrived.iter().copied().chain(peer.up).collect();
            self.excused.extend(words(&down).into_iter().chain(words(&up)));
        }
    }

    fn break_one(&mut self) {
        let conns: Vec<_> = self.peers.keys().copied().collect();
        let Some(&conn) = self.rng.choice(&conns) else { return };
        // What was put back is put back again if the reply to that does not arrive.
        self.excused.extend(self.peers[&conn].put_back.iter().cloned());
        self.hang_up(conn);
        self.engine.handle_closed(self.now(), conn, ConnectionError::Reset);
    }

    fn call(&mut self) {
        self.calls += 1;
        let id = RequestId { slot: self.calls % 64, generation: self.calls };
        let name = if self.rng.bool() { "BLPOP" } else { "BRPOP" };
        let first = self.rng.u8(..KEYS);
        let keys: Vec<_> = (first..first + self.rng.u8(1..=2)).map(|key| format!("k{key}")).collect();
        let command = Command::<()>::new(name).keys(&keys).arg(0).blocking(Duration::ZERO).into_packed();
        let mut bytes = Outgoing::default();
        let mut request = Request::new(id, &command, &mut bytes);
        request.patience = match self.rng.u8(..3) {
            0 => Patience::Within(Duration::from_millis(self.rng.u64(1..200))),
            _ => Patience::Unbounded,
        };
        self.callers.insert(id, (keys, Caller::Waits));
        self.engine.handle_request(self.now(), request, &mut bytes);
    }

    /// A caller looks at its reply, or is gone.
    fn touch(&mut self, gone: bool) {
        let ids: Vec<_> = self.callers.keys().copied().collect();
        let Some(&id) = self.rng.choice(&ids) else { return };
        let is_there = matches!(self.callers[&id].1, Caller::Has(_));
        if !gone && !is_there {
            return;
        }
        match self.callers.remove(&id) {
            Some((_, Caller::Waits)) => self.engine.cancel(self.now(), &mut [id]),
            Some((_, Caller::Has(taken))) if gone && self.engine.is_closed() => {
                // It had come to its caller, and nobody is left to put it back.
                let (_, item): (String, String) =
                    FromReply::from_reply(taken.into_frame().item()).expect("a key and an item");
                self.excused.insert(item);
            }
            Some((_, Caller::Has(taken))) if gone => self.engine.give_back(self.now(), &taken),
            Some((keys, Caller::Has(taken))) => {
                let pair: (String, String) =
                    FromReply::from_reply(taken.into_frame().item()).expect("a key and an item");
                assert!(keys.contains(&pair.0) && pair.1.starts_with(&pair.0), "{pair:?} for {keys:?}");
                assert!(
                    self.delivered.insert(pair.1.clone()) || self.excused.contains(&pair.1),
                    "{pair:?} twice"
                );
            }
            None => {}
        }
    }

    fn produce(&mut self) {
        let key = format!("k{}", self.rng.u8(..KEYS + 1));
        let item = format!("{key}:{}", self.pushed);
        self.pushed += 1;
        self.lists.entry(key).or_default().push_back(item);
        self.serve_blocked();
    }

    /// Those that wait get what there is, in their order.
    fn serve_blocked(&mut self) {
        let mut at = 0;
        while at < self.blocked.len() {
            let conn = self.blocked[at];
            let peer = self.peers.get_mut(&conn).expect("it is there");
            let (keys, left) = peer.waits.clone().expect("it waits");
            match pop(&mut self.lists, &keys, left) {
                Some((key, item)) => {
                    peer.waits = None;
                    peer.down.extend(pair(&key, &item));
                    self.blocked.remove(at);
                    self.answer(conn);
                    at = 0;
                }
                None => at += 1,
            }
        }
    }

    /// Some bytes arrive at the server, on one connection.
    fn arrive(&mut self) {
        let conns: Vec<_> =
            self.peers.iter().filter(|(_, peer)| !peer.up.is_empty()).map(|(conn, _)| *conn).collect();
        let Some(&conn) = self.rng.choice(&conns) else { return };
        let peer = self.peers.get_mut(&conn).expect("it is there");
        let len = self.rng.usize(1..=peer.up.len());
        let bytes: Vec<u8> = peer.up.drain(..len).collect();
        peer.arrived.extend_from_slice(&bytes);
        self.answer(conn);
        self.serve_blocked();
    }

    /// The server answers what has arrived on a connection, until it has to wait.
    fn answer(&mut self, conn: ConnId) {
        loop {
            let Some(peer) = self.peers.get_mut(&conn).filter(|peer| peer.waits.is_none()) else { return };
            let Some(frame) = peer.decoder.decode(&mut peer.arrived).expect("legal") else { return };
            let command = Vec::<String>::from_reply(frame.item()).expect("words");
            let words: Vec<_> = command.iter().map(String::as_str).collect();
            let reply = match *words {
                ["CLIENT", "ID"] => format!(":{}\r\n", conn.0).into_bytes(),
                ["PING"] => b"+PONG\r\n".to_vec(),
                ["CLIENT", "UNBLOCK", id, "ERROR"] => {
                    let id = ConnId(id.parse().expect("a number"));
                    let was_blocked = self.blocked.contains(&id);
                    if was_blocked {
                        self.blocked.retain(|blocked| *blocked != id);
                        let other = self.peers.get_mut(&id).expect("it is there");
                        other.waits = None;
                        other.down.extend(b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
                        self.answer(id);
                    }
                    format!(":{}\r\n", u8::from(was_blocked)).into_bytes()
                }
                [name @ ("LPUSH" | "RPUSH"), key, ref items @ ..] => {
                    peer.put_back.extend(items.iter().map(|item| (*item).to_owned()));
                    let list = self.lists.entry(key.into()).or_default();
                    for item in items {
                        if name == "LPUSH" {
                            list.push_front((*item).into());
                        } else {
                            list.push_back((*item).into());
                        }
                    }
                    format!(":{}\r\n", list.len()).into_bytes()
                }
                [name @ ("BLPOP" | "BRPOP"), ref keys @ .., "0"] => {
                    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
                    match pop(&mut self.lists, &keys, name == "BLPOP") {
                        Some((key, item)) => pair(&key, &item),
                        None => {
                            peer.waits = Some((keys, name == "BLPOP"));
                            self.blocked.push(conn);
                            return;
                        }
                    }
                }
                _ => panic!("{words:?}"),
            };
            let peer = self.peers.get_mut(&conn).expect("it is there");
            peer.down.extend(reply);
        }
    }

    /// Some bytes arrive at the client, on one connection.
    fn receive(&mut self) {
        let conns: Vec<_> =
            self.peers.iter().filter(|(_, peer)| !peer.down.is_empty()).map(|(conn, _)| *conn).collect();
        let Some(&conn) = self.rng.choice(&conns) else { return };
        let peer = self.peers.get_mut(&conn).expect("it is there");
        let len = self.rng.usize(1..=peer.down.len());
        let bytes: Vec<u8> = peer.down.drain(..len).collect();
        let mut read = std::mem::take(&mut peer.read);
        read.extend_from_slice(&bytes);
        let now = self.now();
        self.engine.handle_data(now, conn, &mut read);
        if let Some(peer) = self.peers.get_mut(&conn) {
            peer.read = read;
        }
    }

    fn pass(&mut self, nanos: u64) {
        self.now += nanos;
        if self.engine.poll_timeout().is_some_and(|at| at <= self.now()) {
            self.engine.handle_timeout(self.now());
        }
    }

    fn step(&mut self, breaks: bool) {
        match self.rng.u8(..20) {
            0..3 => self.call(),
            3..5 => self.touch(true),
            5..7 => self.touch(false),
            7..9 => self.produce(),
            9..13 => self.arrive(),
            13..17 => self.receive(),
            17 if breaks && self.rng.u8(..8) == 0 => self.break_one(),
            _ => {
                let nanos = self.rng.u64(..3 * MILLI);
                self.pass(nanos);
            }
        }
        self.settle();
        let aside = self.peers.len().saturating_sub(1);
        assert!(aside <= POOL, "{aside} side connections");
    }

    /// Everything that is under way comes to its end.
    fn come_to_rest(&mut self) {
        // Longer than a wait can take to be ended that the server does not end at once.
        for _ in 0..3_000 {
            self.arrive();
            self.settle();
            self.receive();
            self.settle();
            self.pass(2 * MILLI);
            self.settle();
        }
    }

    fn check(&self, seed: u64) {
        let mut there: BTreeMap<&str, usize> = BTreeMap::new();
        let left = self.lists.values().flatten();
        left.chain(&self.delivered).for_each(|item| *there.entry(item).or_default() += 1);
        for number in 0..self.pushed {
            let mut of_keys = (0..=KEYS).map(|key| format!("k{key}:{number}"));
            let item = of_keys.find(|item| there.contains_key(item.as_str()) || self.excused.contains(item));
            let item = item.unwrap_or_else(|| panic!("seed {seed}: item {number} is lost"));
            let count = there.get(item.as_str()).copied().unwrap_or(0);
            assert!(count == 1 || self.excused.contains(&item), "seed {seed}: {item} is there {count} times");
        }
    }
}

fn pop(
    lists: &mut BTreeMap<String, VecDeque<String>>,
    keys: &[String],
    left: bool,
) -> Option<(String, String)> {
    keys.iter().find_map(|key| {
        let list = lists.get_mut(key)?;
        let item = if left { list.pop_front() } else { list.pop_back() }?;
        Some((key.clone(), item))
    })
}

fn pair(key: &str, item: &str) -> Vec<u8> {
    format!("*2\r\n${}\r\n{key}\r\n${}\r\n{item}\r\n", key.len(), item.len()).into_bytes()
}

/// One run. Returns how many items were delivered.
fn run(seed: u64, breaks: bool) -> usize {
    let mut world = World::new(seed);
    world.settle();
    for _ in 0..1_500 {
        world.step(breaks);
    }
    let closes = world.rng.bool();
    if closes {
        world.engine.close(world.now(), Duration::from_secs(30));
        world.settle();
    }
    // The callers are gone, one after the other, whatever they wait for.
    while !world.callers.is_empty() {
        let gone = world.rng.bool();
        world.touch(gone || world.callers.values().all(|(_, caller)| matches!(caller, Caller::Waits)));
        world.settle();
    }
    world.come_to_rest();
    assert!(world.callers.is_empty() && world.blocked.is_empty(), "seed {seed}: the server waits for nobody");
    assert_eq!(world.engine.is_closed(), closes, "seed {seed}");
    world.check(seed);
    world.delivered.len()
}

#[test]
fn nothing_is_lost_whatever_is_given_up() {
    let delivered: usize = (0..400).map(|seed| run(seed, false)).sum();
    assert!(delivered > 1_000, "only {delivered} items were delivered");
}

#[test]
fn what_is_lost_was_on_a_connection_that_broke() {
    let delivered: usize = (0..400).map(|seed| run(seed, true)).sum();
    assert!(delivered > 500, "only {delivered} items were delivered");
}
