//! Side connections: who has one, how waits are ended, what is put back.

mod sessions;

use alloc::format;
use alloc::string::{String, ToString};

use super::*;
use crate::config::PoolOptions;
use crate::error::{Limit, TlsError};

const MILLI: u64 = SECOND / 1_000;

fn config(pool: PoolOptions) -> Config {
    let config = Config::default().protocol(Protocol::Resp2).library_name(None).library_version(None);
    config.pool(pool).health_interval(None)
}

/// An engine and its shared connection, ready.
struct Bench {
    engine: Engine,
    shared: ConnId,
    now: u64,
}

impl Bench {
    fn new(pool: PoolOptions) -> Self {
        Self::with(config(pool))
    }

    fn with(config: Config) -> Self {
        let mut engine = Engine::new(Arc::new(config), 1, at(0));
        let shared = connect(&mut engine, at(0));
        Self { engine, shared, now: 0 }
    }

    fn now(&self) -> Instant {
        at(self.now)
    }

    /// Hands over a command that waits for up to `seconds`, 0 being for ever.
    fn submit(&mut self, slot: u32, command: &str, seconds: u64) {
        let mut words = command.split(' ');
        let command = Command::<()>::new(words.next().unwrap_or_default());
        let command = words.fold(command, Command::arg).blocking(Duration::from_secs(seconds)).into_packed();
        let mut bytes = Outgoing::default();
        let id = RequestId { slot, generation: 0 };
        let mut request = Request::new(id, &command, &mut bytes);
        request.patience = match seconds {
            0 => Patience::Unbounded,
            seconds => Patience::Beyond(Duration::from_secs(seconds)),
        };
        self.engine.handle_request(self.now(), request, &mut bytes);
    }

    /// The connections that are wanted, each named to the server by its number.
    fn open(&mut self) -> Vec<ConnId> {
        let mut opened = Vec::new();
        while let Some(Action::Connect(conn, ..)) = self.engine.poll_action() {
            opened.push(conn);
        }
        for conn in &opened {
            self.engine.handle_connected(self.now(), *conn);
            assert_eq!(self.written(*conn), "CLIENT ID");
            self.read(*conn, &format!(":{}\r\n", 100 + conn.0));
        }
        opened
    }

    /// What is to be written, as words.
    fn written(&mut self, conn: ConnId) -> String {
        let wire = write(&mut self.engine, conn);
        let lines = String::from_utf8(wire).expect("text");
        let words = lines.split("\r\n").filter(|line| !line.starts_with(['$', '*']) && !line.is_empty());
        words.collect::<Vec<_>>().join(" ")
    }

    fn read(&mut self, conn: ConnId, wire: &str) {
        self.engine.handle_data(self.now(), conn, &mut BytesMut::from(wire));
    }

    fn lose(&mut self, conn: ConnId) {
        let now = self.now();
        lose(&mut self.engine, conn, now);
    }

    fn cancel(&mut self, slot: u32) {
        self.engine.cancel(self.now(), &mut [RequestId { slot, generation: 0 }]);
    }

    fn pass(&mut self, millis: u64) {
        self.now += millis * MILLI;
        self.engine.handle_timeout(self.now());
    }

    fn closed(&mut self) -> Vec<ConnId> {
        let mut closed = Vec::new();
        while let Some(action) = self.engine.poll_action() {
            let Action::Close(conn) = action else { panic!("{action:?}") };
            closed.push(conn);
        }
        closed
    }

    /// How requests have ended.
    fn ended(&mut self) -> Vec<(u32, String)> {
        let text = |frame: Frame| String::from_utf8_lossy(frame.wire()).trim_end().replace("\r\n", " ");
        let told = |event| match event {
            Event::Taken { id, taken } => Some((id.slot, format!("took {}", text(taken.into_frame())))),
            Event::Reply { id, result: Ok(frame), .. } => Some((id.slot, text(frame))),
            Event::Reply { id, result: Err(error), .. } => Some((id.slot, error.to_string())),
            _ => None,
        };
        self.engine.drain_events().filter_map(told).collect()
    }
}

fn list(ended: &[(u32, &str)]) -> Vec<(u32, String)> {
    ended.iter().map(|(slot, text)| (*slot, (*text).into())).collect()
}

const ITEM: &str = "*2\r\n$1\r\nk\r\n$1\r\na\r\n";
const TOOK: &str = "took *2 $1 k $1 a";
const UNBLOCKED: &str = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";

#[test]
fn whoever_waits_at_the_server_has_a_connection_alone_and_those_that_come_first_are_served_first() {
    let mut bench = Bench::new(PoolOptions::new().max(2));
    (1..=4).for_each(|slot| bench.submit(slot, &format!("BLPOP k{slot} 0"), 0));
    let sides = bench.open();
    assert_eq!(sides.len(), 2);
    assert_eq!(bench.written(bench.shared), "");
    assert_eq!([bench.written(sides[0]), bench.written(sides[1])], ["BLPOP k1 0", "BLPOP k2 0"]);
    bench.read(sides[1], ITEM);
    bench.read(sides[1], "");
    assert_eq!(bench.ended(), list(&[(2, TOOK)]));
    assert_eq!(bench.written(sides[1]), "BLPOP k3 0");
    bench.read(sides[1], "*-1\r\n");
    assert_eq!(bench.written(sides[1]), "BLPOP k4 0");
    bench.read(sides[0], "-WRONGTYPE no\r\n");
    assert_eq!(bench.ended(), list(&[(3, "*-1"), (1, "BLPOP: WRONGTYPE no (127.0.0.1:6379, rejected)")]));
    bench.submit(5, "BLPOP k5 0", 0);
    assert_eq!(bench.written(sides[0]), "BLPOP k5 0", "it is used again");
    assert_eq!(bench.closed(), []);
}

#[test]
fn a_wait_given_up_is_ended_and_its_connection_used_when_all_is_answered() {
    for (first, second) in [(UNBLOCKED, ":1\r\n"), ("*-1\r\n", ":0\r\n")] {
        for unblock_first in [false, true] {
            let mut bench = Bench::new(PoolOptions::new().max(1));
            bench.submit(1, "BLPOP k 0", 0);
            let side = bench.open()[0];
            bench.written(side);
            bench.submit(2, "BLPOP l 0", 0);
            bench.cancel(1);
            assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
            let order = if unblock_first { [true, false] } else { [false, true] };
            for is_unblock in order {
                assert_eq!(bench.written(side), "", "not before both are in");
                let (conn, wire) = if is_unblock { (bench.shared, second) } else { (side, first) };
                bench.read(conn, wire);
            }
            assert_eq!(bench.written(side), "BLPOP l 0");
            assert_eq!(bench.ended(), []);
        }
    }
}

#[test]
fn what_was_taken_for_nobody_is_put_back() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BRPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(1);
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    bench.read(side, ITEM);
    assert_eq!(bench.written(bench.shared), "RPUSH k a");
    bench.read(bench.shared, ":0\r\n-LOADING wait\r\n");
    bench.pass(2_000);
    assert_eq!(bench.written(bench.shared), "RPUSH k a", "until it is there");
    bench.engine.close(bench.now(), Duration::from_secs(5));
    assert_eq!(bench.closed(), [side]);
    assert!(!bench.engine.is_closed(), "what was taken is on its way back");
    bench.read(bench.shared, ":1\r\n");
    assert!(bench.engine.is_closed());
    assert_eq!(bench.ended(), []);
}

#[test]
fn a_reply_that_found_nobody_can_be_given_back() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 5", 5);
    let side = bench.open()[0];
    bench.written(side);
    bench.read(side, ITEM);
    let event = bench.engine.poll_event();
    let Some(Event::Taken { taken, .. }) = event else { panic!("{event:?}") };
    bench.engine.give_back(bench.now(), &taken);
    assert_eq!(bench.written(bench.shared), "LPUSH k a");
}

#[test]
fn a_command_that_overtakes_its_end_is_ended_again() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(1);
    for pause in [2, 4, 8] {
        assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
        bench.read(bench.shared, ":0\r\n");
        assert_eq!(bench.written(bench.shared), "");
        bench.pass(pause);
    }
    bench.read(side, UNBLOCKED);
    bench.submit(2, "BLPOP l 0", 0);
    assert_eq!(bench.written(side), "", "the last question is on its way");
    bench.written(bench.shared);
    bench.read(bench.shared, ":1\r\n");
    assert_eq!(bench.written(side), "BLPOP l 0");
}

#[test]
fn a_wait_that_cannot_be_ended_ends_with_its_connection() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(1);
    bench.written(bench.shared);
    bench.read(bench.shared, "-NOPERM no\r\n");
    assert_eq!(bench.closed(), [side]);
    // The server says nothing.
    bench.submit(2, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(2);
    bench.pass(4_999);
    assert_eq!(bench.closed(), []);
    bench.pass(1);
    assert!(bench.closed().contains(&side));
    assert_eq!(bench.ended(), []);
}

#[test]
fn a_connection_whose_end_of_wait_may_still_come_is_not_used_again() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(1);
    bench.written(bench.shared);
    bench.lose(bench.shared);
    bench.read(side, UNBLOCKED);
    assert!(bench.closed().contains(&side));
}

#[test]
fn times_of_waits() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    bench.submit(1, "BLPOP k 3", 3);
    let side = bench.open()[0];
    bench.written(side);
    bench.submit(2, "BLPOP k 1", 1);
    bench.pass(5_999);
    assert_eq!(bench.ended(), []);
    bench.pass(1);
    let late = "BLPOP: timed out waiting for a side connection (127.0.0.1:6379, not sent)";
    assert_eq!(bench.ended(), list(&[(2, late)]));
    bench.pass(2_000);
    assert_eq!(bench.ended(), list(&[(1, "timed out waiting for the reply (127.0.0.1:6379, may have run)")]));
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    assert_eq!(bench.closed(), []);
    bench.submit(3, "BLPOP k 0", 0);
    bench.read(side, UNBLOCKED);
    bench.read(bench.shared, ":1\r\n");
    bench.pass(3_600_000);
    assert_eq!((bench.written(side).as_str(), bench.ended()), ("BLPOP k 0", list(&[])), "for ever");
}

#[test]
fn limits_of_the_line() {
    let mut bench = Bench::new(PoolOptions::new().max(1).queue(1));
    (1..=2).for_each(|slot| bench.submit(slot, "BLPOP k 0", 0));
    let error = "BLPOP: 1 calls wait for a side connection (not sent)";
    assert_eq!(bench.ended(), list(&[(2, error)]));
    assert_eq!(Error::new(ErrorKind::Limit(Limit::PoolQueue(1)), Delivery::NotSent).to_string(), error[7..]);
    let side = bench.open()[0];
    bench.written(side);
    bench.submit(3, "BLPOP k 0", 0);
    bench.cancel(3);
    bench.submit(4, "BLPOP k 0", 0);
    assert_eq!(bench.ended(), []);
    assert_eq!(bench.engine.load(), (0, 0), "others do not wait for room because of it");
}

#[test]
fn what_is_lost_with_a_connection() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.lose(side);
    assert_eq!(bench.ended(), [], "it was not written");
    assert_eq!(bench.open(), [], "the first one did not last");
    bench.pass(10);
    let side = bench.open()[0];
    bench.written(side);
    bench.lose(side);
    assert_eq!(bench.ended(), list(&[(1, "BLPOP: connection reset (127.0.0.1:6379, may have run)")]));
    assert_eq!(bench.closed(), [], "nobody wants another");
}

#[test]
fn after_failures_one_connection_is_tried_at_a_time() {
    let mut bench = Bench::new(PoolOptions::new().max(3));
    (1..=3).for_each(|slot| bench.submit(slot, "BLPOP k 0", 0));
    let actions: Vec<_> = core::iter::from_fn(|| bench.engine.poll_action()).collect();
    assert_eq!(actions.len(), 3);
    for action in actions {
        let Action::Connect(conn, ..) = action else { panic!("{action:?}") };
        bench.lose(conn);
    }
    bench.pass(10);
    assert_eq!(bench.open().len(), 1);
    assert_eq!(bench.open().len(), 2, "it works again");
}

#[test]
fn closing_ends_waits_and_gives_what_was_taken_to_whom_it_is_for() {
    let mut bench = Bench::new(PoolOptions::new().max(2));
    (1..=3).for_each(|slot| bench.submit(slot, "BLPOP k 0", 0));
    let sides = bench.open();
    sides.iter().for_each(|side| drop(bench.written(*side)));
    bench.engine.close(bench.now(), Duration::from_secs(5));
    assert_eq!(bench.ended(), list(&[(3, "BLPOP: the client is closed (not sent)")]));
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR CLIENT UNBLOCK 103 ERROR");
    bench.read(sides[0], ITEM);
    bench.read(sides[1], UNBLOCKED);
    let closed = "BLPOP: the client is closed (127.0.0.1:6379, rejected)";
    assert_eq!(bench.ended(), list(&[(1, TOOK), (2, closed)]));
    assert!(!bench.engine.is_closed());
    bench.read(bench.shared, ":0\r\n:1\r\n");
    assert!(bench.engine.is_closed());
    assert_eq!(bench.closed().len(), 3);

    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.engine.close(bench.now(), Duration::from_secs(5));
    bench.written(bench.shared);
    bench.read(bench.shared, ":1\r\n");
    bench.read(side, UNBLOCKED);
    assert!(bench.engine.is_closed(), "whatever comes first");
}

#[test]
fn idle_and_old_connections_are_closed_and_warm_ones_kept() {
    let secs = Duration::from_secs;
    let pool = PoolOptions::new().min_idle(1).idle_timeout(secs(60)).max_lifetime(secs(600));
    let mut bench = Bench::new(pool);
    let warm = bench.open();
    assert_eq!(warm.len(), 1, "made in advance");
    (1..=3).for_each(|slot| bench.submit(slot, "BLPOP k 0", 0));
    assert_eq!(bench.written(warm[0]), "BLPOP k 0");
    let more = bench.open();
    assert_eq!(more.len(), 2);
    let extra = bench.open();
    assert_eq!(extra.len(), 1, "one is kept free");
    for side in warm.iter().chain(&more) {
        bench.written(*side);
        bench.read(*side, "*-1\r\n");
    }
    bench.pass(59_999);
    assert_eq!(bench.closed(), []);
    bench.pass(1);
    assert_eq!(bench.closed(), [warm[0], more[0], extra[0]], "one is kept that was used last");
    let mut soon = bench.engine.poll_timeout().expect("there is more to do");
    assert!(soon > bench.now(), "nothing is due twice");
    bench.submit(4, "BLPOP k 0", 0);
    assert_eq!(bench.written(more[1]), "BLPOP k 0");
    let next = bench.open();
    bench.pass(540_000);
    assert_eq!(bench.closed(), [], "it is old, and in use");
    bench.read(more[1], "*-1\r\n");
    assert_eq!(bench.closed(), [more[1]]);
    soon = bench.engine.poll_timeout().expect("there is more to do");
    assert!(soon > bench.now());
    assert_eq!(next.len(), 1);
}

#[test]
fn a_client_that_closes_makes_no_more_connections_and_is_called_no_more_than_needed() {
    let mut bench = Bench::new(PoolOptions::new().min_idle(2));
    let warm = bench.open();
    bench.submit(1, "BLPOP k 0", 0);
    bench.written(warm[0]);
    bench.written(warm[1]);
    assert_eq!(bench.open().len(), 1);
    bench.engine.close(bench.now(), Duration::from_secs(5));
    bench.submit(2, "BLPOP k 0", 0);
    assert_eq!(bench.ended(), list(&[(2, "BLPOP: the client is closed (not sent)")]));
    while let Some(action) = bench.engine.poll_action() {
        assert!(matches!(action, Action::Close(_)), "{action:?}");
    }
    bench.pass(100);
    let next = bench.engine.poll_timeout().expect("it is not closed yet");
    assert!(next > bench.now(), "{next:?}");
}

#[test]
fn a_server_that_has_become_a_replica_is_left() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    let state =
        "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n";
    bench.read(side, state);
    assert_eq!(bench.ended(), []);
    assert_eq!(bench.closed(), [side], "the server is about to close it");
    bench.pass(300);
    let again = bench.open()[0];
    assert_eq!(bench.written(again), "BLPOP k 0", "it waits again");
    bench.submit(2, "BLPOP k 0", 0);
    let other = bench.open()[0];
    bench.written(other);
    bench.read(other, "-READONLY no\r\n");
    assert_eq!(bench.closed(), [other]);
    bench.pass(1_000);
    let late = "BLPOP: connection replaced (127.0.0.1:6379, may have run)";
    assert_eq!(bench.ended(), list(&[(1, late)]));
}

#[test]
fn the_shared_connection_with_a_server_that_is_left_goes_although_it_owes_nothing() {
    let mut bench = Bench::new(PoolOptions::new());
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.read(side, "-READONLY no\r\n");
    let shared = bench.shared;
    assert_eq!(bench.closed(), [side, shared]);
    bench.submit(2, "BLPOP k 0", 0);
    bench.pass(1_000);
    let opened: Vec<_> = std::iter::from_fn(|| bench.engine.poll_action()).collect();
    let all_connect = opened.iter().all(|action| matches!(action, Action::Connect(..)));
    assert!(all_connect && opened.len() == 3, "one for each that waits, and one to share: {opened:?}");
}

/// A wait that was given up has taken something, which is on its way back.
fn give_back(bench: &mut Bench) {
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.written(side);
    bench.cancel(1);
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    bench.read(bench.shared, ":0\r\n");
    bench.read(side, ITEM);
}

#[test]
fn what_is_put_back_is_not_waited_for_on_a_dead_connection() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    give_back(&mut bench);
    assert_eq!(bench.written(bench.shared), "LPUSH k a");
    bench.pass(60_000);
    let shared = bench.shared;
    assert!(bench.closed().contains(&shared), "it is silent, and nobody has patience with it");
    bench.pass(10);
    let now = bench.now();
    bench.shared = connect(&mut bench.engine, now);
    assert_eq!(bench.written(bench.shared), "LPUSH k a");
}

#[test]
fn what_is_put_back_outlives_a_handshake_that_fails_for_good() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    give_back(&mut bench);
    bench.lose(bench.shared);
    bench.pass(10);
    let connected = bench.engine.poll_action();
    let Some(Action::Connect(conn, ..)) = connected else { panic!("{connected:?}") };
    let reason = ConnectionError::Tls(TlsError::NotTls);
    bench.engine.handle_closed(bench.now(), conn, reason);
    bench.pass(100);
    let now = bench.now();
    bench.shared = connect(&mut bench.engine, now);
    assert_eq!(bench.written(bench.shared), "LPUSH k a");
}

/// Does what the engine wants done. Returns how many connections were made; those that are there are in `open`.
fn follow(bench: &mut Bench, open: &mut Vec<ConnId>) -> usize {
    bench.ended();
    let actions: Vec<_> = core::iter::from_fn(|| bench.engine.poll_action()).collect();
    let mut made = 0;
    for action in actions {
        match action {
            Action::Close(conn) => open.retain(|other| *other != conn),
            Action::Connect(conn, ..) => {
                open.push(conn);
                bench.engine.handle_connected(bench.now(), conn);
                made += 1 + follow(bench, open);
            }
        }
    }
    made
}

#[test]
fn a_server_that_turns_writes_away_is_not_connected_to_as_often_as_it_can() {
    let mut bench = Bench::new(PoolOptions::new().max(2));
    let (mut open, mut made) = (Vec::new(), 0);
    for slot in 1..=200 {
        bench.submit(slot, "BLPOP k 0", 0);
        made += follow(&mut bench, &mut open);
        for conn in open.clone() {
            if !open.contains(&conn) {
                continue;
            }
            match bench.written(conn).as_str() {
                "CLIENT ID" => bench.read(conn, &format!(":{}\r\n", conn.0)),
                "BLPOP k 0" => bench.read(conn, "-READONLY no\r\n"),
                _ => {}
            }
            made += follow(&mut bench, &mut open);
        }
        bench.pass(1);
    }
    assert!((4..30).contains(&made), "{made} connections in 200 ms");
}
