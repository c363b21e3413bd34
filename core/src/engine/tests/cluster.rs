//! A cluster of three primaries and a replica, virtual time, and bytes by hand.

mod subscriptions;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::{format, vec};

use super::*;
use crate::config::{Endpoint, ReadFrom};
use crate::error::ServerCode;

const MS: u64 = 1_000_000;

fn node(port: u16) -> Endpoint {
    Endpoint::tcp("h", port)
}

/// An engine, its open connections, and what every node has been told and has not answered.
struct World {
    engine: Engine,
    now: u64,
    conns: BTreeMap<u16, ConnId>,
    told: BTreeMap<u16, String>,
    /// Connections that were asked for and are not open yet.
    dialled: BTreeMap<u16, ConnId>,
    ended: Vec<(u32, Result<String, Error>)>,
}

impl World {
    /// Connects to the first seed, which tells that 1, 2 and 3 have a third of the slots each, and 4 is a
    /// replica of 1.
    fn start() -> Self {
        Self::speaking(Protocol::Resp2)
    }

    fn speaking(protocol: Protocol) -> Self {
        let config = Config::cluster([node(1)]).protocol(protocol);
        let config = config.library_name(None).library_version(None);
        let engine = Engine::new(Arc::new(config), 1, at(0));
        let mut world = Self {
            engine,
            now: 0,
            conns: BTreeMap::new(),
            told: BTreeMap::new(),
            dialled: BTreeMap::new(),
            ended: vec![],
        };
        world.wait(100);
        world.open(1);
        if protocol == Protocol::Resp3 {
            assert_eq!(world.told(1), "HELLO 3;");
            world.answer(1, "%1\r\n+proto\r\n:3\r\n");
        }
        world.tell_slots(1, &[(0, 5460, &[1, 4]), (5461, 10922, &[2]), (10923, 16383, &[3])]);
        world
    }

    /// Lets time pass, timer by timer.
    fn wait(&mut self, millis: u64) {
        let until = self.now + millis * MS;
        while let Some(next) = self.engine.poll_timeout().filter(|next| *next <= at(until)) {
            self.now = self.now.max(next.as_nanos());
            self.engine.handle_timeout(at(self.now));
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Connect(conn, Endpoint::Tcp { port, .. }, _) => {
                    self.dialled.insert(port, conn);
                }
                Action::Close(conn) => {
                    self.conns.retain(|_, open| *open != conn);
                    self.dialled.retain(|_, dialled| *dialled != conn);
                }
                Action::Connect(..) => panic!("no such node"),
            }
        }
        for (port, conn) in &self.conns {
            let Some(out) = self.engine.outgoing(*conn) else { continue };
            let bytes = out.copy_to_bytes(out.remaining());
            let told = self.told.entry(*port).or_default();
            told.push_str(&words(&bytes));
        }
        while let Some(event) = self.engine.poll_event() {
            if let Event::Reply { id, result, .. } = event {
                let text = |frame: Frame| String::from_utf8(frame.item().text().unwrap().to_vec()).unwrap();
                self.ended.push((id.slot, result.map(text)));
            }
        }
    }

    /// The connection that was asked for is open.
    fn open(&mut self, port: u16) {
        let conn = self.dialled.remove(&port).unwrap_or_else(|| panic!("node {port} is not connected to"));
        self.conns.insert(port, conn);
        self.engine.handle_connected(at(self.now), conn);
        self.drain();
    }

    fn refuse(&mut self, port: u16) {
        let conn = self.dialled.remove(&port).unwrap_or_else(|| panic!("node {port} is not connected to"));
        self.engine.handle_closed(at(self.now), conn, ConnectionError::Refused);
        self.drain();
    }

    fn lose(&mut self, port: u16) {
        let conn = self.conns.remove(&port).unwrap();
        self.engine.handle_closed(at(self.now), conn, ConnectionError::Reset);
        self.drain();
    }

    /// What the node was told since this was asked for last.
    fn told(&mut self, port: u16) -> String {
        self.told.remove(&port).unwrap_or_default()
    }

    fn answer(&mut self, port: u16, bytes: &str) {
        let conn = *self.conns.get(&port).unwrap_or_else(|| panic!("node {port} is not connected"));
        self.engine.handle_data(at(self.now), conn, &mut BytesMut::from(bytes));
        self.drain();
    }

    /// The node answers the questions for the topology.
    fn tell_slots(&mut self, port: u16, ranges: &[(u16, u16, &[u16])]) {
        assert_eq!(self.told(port), "CLUSTER SLOTS;CLUSTER INFO;");
        let mut reply = format!("*{}\r\n", ranges.len());
        for (first, last, nodes) in ranges {
            reply += &format!("*{}\r\n:{first}\r\n:{last}\r\n", nodes.len() + 2);
            nodes.iter().for_each(|node| reply += &format!("*3\r\n$1\r\nh\r\n:{node}\r\n$1\r\ni\r\n"));
        }
        self.answer(port, &(reply + "$23\r\ncluster_current_epoch:1\r\n"));
        self.wait(100);
    }

    fn send(&mut self, slot: u32, command: Command<()>) {
        let mut bytes = Outgoing::default();
        let id = RequestId { slot, generation: 0 };
        let request = Request::new(id, command.packed(), &mut bytes);
        self.engine.handle_request(at(self.now), request, &mut bytes);
        self.drain();
    }

    /// A request for a node that nobody knows, because of which the cluster is looked at.
    fn look_for_nowhere(&mut self) {
        let (mut bytes, id) = (Outgoing::default(), RequestId { slot: 1, generation: 0 });
        let request = Request::new(id, Command::<()>::new("PING").packed(), &mut bytes);
        let request = Request { target: Target::Nowhere, ..request };
        self.engine.handle_request(at(self.now), request, &mut bytes);
        self.drain();
    }

    fn ended(&mut self) -> Vec<(u32, Result<String, Error>)> {
        core::mem::take(&mut self.ended)
    }
}

/// Commands as words, each ended by a semicolon.
fn words(wire: &[u8]) -> String {
    let text = String::from_utf8(wire.to_vec()).unwrap();
    let mut said = String::new();
    for command in text.split('*').skip(1) {
        let words: Vec<&str> = command.split("\r\n").skip(2).step_by(2).collect();
        said += &words.join(" ");
        said.push(';');
    }
    said
}

/// A write to slot 15495, which 3 serves.
fn write_a() -> Command<()> {
    Command::new("SET").key("a").arg(1)
}

/// A read of slot 3300, which 1 serves with 4 as its replica.
fn read_b(from: ReadFrom) -> (Command<()>, ReadFrom) {
    (Command::new("GET").key("b").read_only(), from)
}

#[test]
fn nodes_are_connected_to_when_they_are_needed_and_take_what_is_theirs() {
    let mut world = World::start();
    assert_eq!(world.dialled.len(), 0, "nothing was asked for yet");
    world.send(1, write_a());
    assert_eq!(world.told(1), "");
    world.open(3);
    assert_eq!(world.told(3), "SET a 1;");
    world.answer(3, "+OK\r\n");
    assert_eq!(world.ended(), [(1, Ok("OK".into()))]);
}

#[test]
fn a_chosen_node_that_is_unknown_is_refused_and_looked_for() {
    let mut world = World::start();
    let target = world.engine.locate(&node(5));
    assert_eq!(target, Target::Nowhere);
    world.look_for_nowhere();
    let ended = world.ended();
    assert!(matches!(&ended[..], [(1, Err(error))] if matches!(error.kind(), ErrorKind::Usage(_))));
    world.wait(250);
    world.tell_slots(1, &[(0, 5460, &[1, 4]), (5461, 10922, &[2]), (10923, 16383, &[5])]);
    assert!(matches!(world.engine.locate(&node(5)), Target::Node(_)), "it has joined");
}

#[test]
fn moved_changes_one_slot_at_once_and_calls_for_a_look_at_the_cluster() {
    let mut world = World::start();
    world.send(1, write_a());
    world.open(3);
    world.told(3);
    world.answer(3, "-MOVED 15495 h:2\r\n");
    world.open(2);
    assert_eq!(world.told(2), "SET a 1;");
    world.send(2, write_a());
    assert_eq!(world.told(2), "SET a 1;", "the slot is known to be there now");
    world.send(3, Command::new("SET").key("c").arg(1));
    assert_eq!(world.told(2), "SET c 1;", "slot 7365 was there before");
    world.wait(400);
    assert_eq!(world.told(1), "CLUSTER SLOTS;CLUSTER INFO;", "asked once");
    world.answer(2, "+OK\r\n+OK\r\n+OK\r\n");
    assert_eq!(world.ended().len(), 3);
}

#[test]
fn ask_goes_with_its_command_in_one_write_and_changes_nothing() {
    let mut world = World::start();
    world.send(1, write_a());
    world.open(3);
    world.told(3);
    world.answer(3, "-ASK 15495 h:9\r\n");
    world.open(9);
    assert_eq!(world.told(9), "ASKING;SET a 1;", "to a node that is not part of the cluster yet");
    world.send(2, write_a());
    assert_eq!(world.told(3), "SET a 1;", "the slot is where it was");
    world.answer(9, "+OK\r\n-TRYAGAIN wait\r\n");
    world.wait(300);
    assert_eq!(world.told(3), "SET a 1;", "tried again where the slot is, without ASKING");
    world.answer(3, "+OK\r\n+OK\r\n");
    let slots: Vec<u32> = world.ended().iter().map(|(slot, _)| *slot).collect();
    assert_eq!(slots, [2, 1]);
}

#[test]
fn a_request_that_is_sent_to_and_fro_ends_with_its_path() {
    let mut world = World::start();
    world.send(1, write_a());
    world.open(3);
    for hop in 0..17 {
        let (here, there) = if hop % 2 == 0 { (3, 2) } else { (2, 3) };
        world.answer(here, &format!("-MOVED 15495 h:{there}\r\n"));
        if hop == 0 {
            world.open(2);
        }
    }
    let ended = world.ended();
    let [(1, Err(error))] = &ended[..] else { panic!("{ended:?}") };
    let ErrorKind::TooManyRedirects { path } = error.kind() else { panic!("{error}") };
    assert_eq!((path.len(), &*path[0], &*path[1]), (16, "h:3", "h:2"));
    assert_eq!((error.delivery(), error.command()), (Delivery::Rejected, Some("SET")));
}

#[test]
fn a_redirect_that_makes_no_sense_ends_its_connection() {
    let mut world = World::start();
    world.send(1, write_a());
    world.open(3);
    world.told(3);
    world.answer(3, "-MOVED 99999 :0\r\n");
    let ended = world.ended();
    let [(1, Err(error))] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((error.code(), error.delivery()), (Some(ServerCode::Moved), Delivery::Rejected));
    assert!(!world.conns.contains_key(&3), "the connection is closed");
}

#[test]
fn a_silent_node_is_sent_nothing_new_and_is_left_when_it_is_replaced() {
    let mut world = World::start();
    world.send(1, Command::new("SET").key("b").arg(1));
    world.send(2, Command::new("GET").key("b").read_only());
    assert_eq!(world.told(1), "SET b 1;GET b;");
    world.wait(550);
    world.send(3, Command::new("SET").key("b").arg(3));
    assert_eq!(world.told(1), "", "it is suspect");
    // Others are asked in its place.
    let asked = *world.dialled.keys().find(|port| **port != 1).expect("another node is asked");
    world.open(asked);
    world.tell_slots(asked, &[(0, 5460, &[4]), (5461, 10922, &[2]), (10923, 16383, &[3])]);
    let ended = world.ended();
    let [(1, Err(error))] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(error.kind(), &ErrorKind::Connection(ConnectionError::Silent));
    assert_eq!((error.delivery(), error.node()), (Delivery::MaybeExecuted, Some("h:1")));
    if world.dialled.contains_key(&4) {
        world.open(4);
    }
    assert!(world.told(4).starts_with("GET b;SET b 3;"), "what may be sent goes to the new primary");
    assert!(
        !world.conns.contains_key(&1) && !world.dialled.contains_key(&1),
        "nothing is left of the old one"
    );
}

#[test]
fn a_node_that_was_slow_gets_what_waited() {
    let mut world = World::start();
    world.send(1, Command::new("SET").key("b").arg(1));
    world.wait(700);
    world.send(2, Command::new("SET").key("b").arg(2));
    assert_eq!(world.told(1), "SET b 1;");
    assert!(world.dialled.contains_key(&1), "it is tried by another connection");
    world.answer(1, "+OK\r\n");
    assert_eq!(world.told(1), "SET b 2;");
    assert!(!world.dialled.contains_key(&1), "which is not needed");
    world.answer(1, "+OK\r\n");
    assert_eq!(world.ended().len(), 2);
}

/// What a node owes on a connection may be slow or lost; that it answers on another one shows that it is well.
#[test]
fn a_node_that_answers_on_another_connection_gets_what_waited() {
    let mut world = World::start();
    world.send(1, Command::new("SET").key("b").arg(1));
    world.wait(700);
    world.send(2, Command::new("SET").key("b").arg(2));
    assert_eq!(world.told(1), "SET b 1;");
    let old = world.conns[&1];
    world.open(1);
    assert_eq!(world.told(1), "PING;", "that it is open says nothing of the node");
    world.answer(1, "+PONG\r\n");
    assert_eq!(world.told(1), "SET b 2;");
    world.answer(1, "+second\r\n");
    let new = world.conns.insert(1, old).unwrap();
    world.answer(1, "+first\r\n");
    assert_eq!(world.ended(), [(2, Ok("second".into())), (1, Ok("first".into()))]);
    assert!(!world.conns.contains_key(&1), "the old connection owes nothing, and is closed");
    world.conns.insert(1, new);
    world.send(3, Command::new("SET").key("b").arg(3));
    assert_eq!(world.told(1), "SET b 3;");
}

#[test]
fn what_an_old_connection_owes_ends_with_it_and_reads_go_on() {
    let mut world = World::start();
    world.send(1, Command::new("SET").key("b").arg(1));
    world.send(2, Command::new("GET").key("b").read_only());
    world.wait(700);
    let old = world.conns[&1];
    world.open(1);
    world.answer(1, "+PONG\r\n");
    world.told(1);
    world.engine.handle_closed(at(world.now), old, ConnectionError::Reset);
    world.drain();
    let ended = world.ended();
    assert!(matches!(&ended[..], [(1, Err(error))] if error.may_have_run()), "{ended:?}");
    assert_eq!(world.told(1), "GET b;");
}

#[test]
fn a_node_is_tried_by_a_bounded_number_of_connections() {
    let mut world = World::start();
    let mut tried = 1;
    for slot in 0..10 {
        world.send(slot, Command::new("SET").key("b").arg(slot));
        world.wait(700);
        if world.dialled.contains_key(&1) {
            tried += 1;
            world.open(1);
            world.answer(1, "+PONG\r\n");
        }
    }
    assert_eq!(tried, 4);
}

#[test]
fn what_a_lost_node_may_have_run_ends_and_the_rest_finds_the_new_primary() {
    let mut world = World::start();
    world.send(1, Command::new("SET").key("b").arg(1));
    world.told(1);
    world.lose(1);
    let ended = world.ended();
    assert!(matches!(&ended[..], [(1, Err(error))] if error.may_have_run()), "{ended:?}");
    world.send(2, Command::new("SET").key("b").arg(2));
    world.wait(100);
    world.refuse(1);
    world.wait(400);
    let asked = *world.dialled.keys().find(|port| **port != 1).expect("another node is asked");
    world.open(asked);
    world.tell_slots(asked, &[(0, 5460, &[4]), (5461, 10922, &[2]), (10923, 16383, &[3])]);
    if world.dialled.contains_key(&4) {
        world.open(4);
    }
    assert_eq!(world.told(4), "SET b 2;");
    assert_eq!(world.ended(), []);
}

#[test]
fn a_replica_is_told_that_it_serves_reads_and_a_primary_that_it_does_not() {
    let mut world = World::start();
    let (command, from) = read_b(ReadFrom::Replica);
    let send = |world: &mut World, slot, command: &Command<()>, from| {
        let mut bytes = Outgoing::default();
        let id = RequestId { slot, generation: 0 };
        let mut request = Request::new(id, command.packed(), &mut bytes);
        request.target = request.target.reading(request.flags, from);
        world.engine.handle_request(at(world.now), request, &mut bytes);
        world.drain();
    };
    send(&mut world, 1, &command, from);
    world.open(4);
    assert_eq!(world.told(4), "READONLY;");
    world.answer(4, "+OK\r\n");
    assert_eq!(world.told(4), "GET b;");
    world.answer(4, "+v\r\n");
    // 4 takes over.
    world.send(2, write_a());
    world.open(3);
    world.told(3);
    world.answer(3, "-MOVED 15495 h:4\r\n");
    assert_eq!(world.told(4), "READWRITE;SET a 1;");
    world.answer(4, "+OK\r\n+OK\r\n");
    assert_eq!(world.ended(), [(1, Ok("v".into())), (2, Ok("OK".into()))]);
}

#[test]
fn a_cluster_that_nobody_knows_of_is_said_to_be_so() {
    let config = Config::cluster([node(1), node(2)]).protocol(Protocol::Resp2);
    let config = config.library_name(None).library_version(None);
    let engine = Engine::new(Arc::new(config), 1, at(0));
    let (conns, told, dialled) = Default::default();
    let mut world = World { engine, now: 0, conns, told, dialled, ended: vec![] };
    world.send(1, write_a());
    world.wait(100);
    world.open(1);
    world.refuse(2);
    world.told(1);
    world.answer(1, "-ERR This instance has cluster support disabled\r\n");
    world.answer(1, "$3\r\nabc\r\n");
    let ended = world.ended();
    let [(1, Err(error))] = &ended[..] else { panic!("{ended:?}") };
    assert!(error.to_string().contains("cluster support disabled"), "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent);
}

#[test]
fn a_node_that_fails_to_tell_its_slots_is_asked_again() {
    let config = Config::cluster([node(1)]).protocol(Protocol::Resp2);
    let config = config.library_name(None).library_version(None);
    let engine = Engine::new(Arc::new(config), 1, at(0));
    let (conns, told, dialled) = Default::default();
    let mut world = World { engine, now: 0, conns, told, dialled, ended: vec![] };
    world.send(1, write_a());
    world.wait(100);
    world.open(1);
    world.told(1);
    world.answer(1, "-ERR internal error\r\n-ERR internal error\r\n");
    assert_eq!(world.ended(), []);
    world.wait(1000);
    world.tell_slots(1, &[(0, 16383, &[1])]);
    assert!(world.told(1).starts_with("SET a 1;"));
}

#[test]
fn what_goes_to_all_primaries_has_one_reply() {
    let mut world = World::start();
    let size = || Command::<()>::new("DBSIZE").read_only().route(crate::command::Route::AllPrimaries);
    let sum = crate::command::Join::Sum;
    world.send(1, size().join(sum));
    world.open(2);
    world.open(3);
    assert_eq!([world.told(1), world.told(2), world.told(3)], ["DBSIZE;", "DBSIZE;", "DBSIZE;"]);
    world.answer(2, ":20\r\n");
    world.answer(3, ":300\r\n");
    assert_eq!(world.ended(), []);
    world.answer(1, ":1\r\n");
    assert_eq!(world.ended(), [(1, Ok("321".into()))]);
    world.send(2, size().join(sum));
    world.engine.cancel(at(world.now), &mut [RequestId { slot: 2, generation: 0 }]);
    (1..=3).for_each(|port| world.answer(port, ":5\r\n"));
    assert_eq!(world.ended(), [], "given up, and its replies swallowed");
}
