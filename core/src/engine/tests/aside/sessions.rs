//! Waits in sessions that are given up, and times at which there is nothing to do.

use super::*;
use crate::config::Credentials;
use crate::engine::{Demand, Realm};

impl Bench {
    /// A session: its connection, and the target for its requests.
    fn lease(&mut self) -> (ConnId, Target) {
        let id = RequestId { slot: 1, generation: 0 };
        let request = Request::lease(id, Target::AnyPrimary, Patience::Unbounded);
        self.engine.handle_request(self.now(), request, &mut Outgoing::default());
        let side = self.open()[0];
        assert!(self.ended()[0].1.starts_with("took *2 :2 "), "the number of the connection");
        (side, self.engine.locate_session(side))
    }

    fn submit_in(&mut self, target: Target, slot: u32, command: Command<()>) {
        let command = command.into_packed();
        let mut bytes = Outgoing::default();
        let id = RequestId { slot, generation: 0 };
        let request = Request { target, ..Request::new(id, &command, &mut bytes) };
        let request = Request { patience: Patience::Unbounded, ..request };
        self.engine.handle_request(self.now(), request, &mut bytes);
    }

    /// The engine wants to be called later, not now.
    fn rests(&mut self) -> bool {
        let now = self.now();
        self.engine.poll_timeout().is_none_or(|at| at > now)
    }
}

fn pop(key: &str) -> Command<()> {
    Command::new("BLPOP").key(key).arg(0).blocking(Duration::ZERO)
}

#[test]
fn what_a_wait_took_before_its_session_went_to_another_database_is_put_back() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    let (side, target) = bench.lease();
    bench.submit_in(target, 2, pop("k"));
    bench.submit_in(target, 3, Command::new("SELECT").arg(3));
    assert_eq!(bench.written(side), "BLPOP k 0 SELECT 3");
    bench.cancel(2);
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    bench.read(side, ITEM);
    assert_eq!(bench.written(bench.shared), "LPUSH k a");
}

#[test]
fn what_a_wait_took_in_another_database_is_not_put_back_into_this_one() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    let (side, target) = bench.lease();
    bench.submit_in(target, 2, Command::new("SELECT").arg(3));
    bench.submit_in(target, 3, pop("k"));
    bench.written(side);
    bench.read(side, "+OK\r\n");
    bench.cancel(3);
    bench.written(bench.shared);
    bench.read(side, ITEM);
    assert_eq!(bench.written(bench.shared), "");
}

#[test]
fn a_second_wait_of_a_session_that_was_given_up_is_ended_as_well() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    let (side, target) = bench.lease();
    bench.submit_in(target, 2, pop("k"));
    bench.submit_in(target, 3, pop("l"));
    bench.written(side);
    bench.cancel(2);
    bench.cancel(3);
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    bench.read(side, UNBLOCKED);
    bench.read(bench.shared, ":1\r\n");
    assert_eq!(bench.closed(), [], "the server waits for the second");
    bench.pass(10);
    assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
    bench.read(side, ITEM);
    assert_eq!(bench.written(bench.shared), "LPUSH k a", "what it took meanwhile goes back");
}

#[test]
fn a_wait_behind_what_is_not_answered_is_ended_with_its_session() {
    for before in [1, 2] {
        let mut bench = Bench::new(PoolOptions::new().max(1));
        let (side, target) = bench.lease();
        for slot in 0..before {
            bench.submit_in(target, 2 + slot, Command::new("ECHO").arg("x"));
        }
        bench.submit_in(target, 9, pop("k"));
        bench.written(side);
        for slot in (2..2 + before).chain([9]) {
            bench.cancel(slot);
        }
        bench.engine.release(bench.now(), side);
        assert_eq!(bench.closed(), [], "the server may have taken something");
        assert_eq!(bench.written(bench.shared), "CLIENT UNBLOCK 102 ERROR");
        for _ in 0..before {
            bench.read(side, "$1\r\nx\r\n");
        }
        bench.read(side, ITEM);
        assert_eq!(bench.written(bench.shared), "LPUSH k a");
    }
}

#[test]
fn a_connection_at_rest_whose_ping_is_not_answered_calls_for_nothing_at_the_time_of_an_earlier_request() {
    let config = config(PoolOptions::new().max(1).idle_timeout(None));
    let config = config.health_interval(Some(Duration::from_secs(2)));
    let config = config.response_timeout(Duration::from_secs(3)).liveness_timeout(Duration::from_secs(4));
    let mut bench = Bench::with(config);
    bench.submit(1, "BLPOP k 1", 1);
    let side = bench.open()[0];
    bench.written(side);
    bench.read(side, ITEM);
    bench.pass(2_000);
    assert_eq!([bench.written(bench.shared), bench.written(side)], ["PING", "PING"]);
    bench.read(bench.shared, "+PONG\r\n");
    bench.pass(2_500);
    assert!(bench.rests(), "the time of BLPOP is over, that of PING is not");
    bench.pass(2_500);
    assert!(bench.closed().contains(&side), "PING was not answered");
}

#[test]
fn a_pool_that_closes_calls_for_no_connection() {
    let mut bench = Bench::new(PoolOptions::new().max(1));
    bench.submit(1, "BLPOP k 0", 0);
    let side = bench.open()[0];
    bench.submit(2, "BLPOP k 0", 0);
    bench.engine.close(bench.now(), Duration::from_secs(5));
    bench.closed();
    bench.lose(side);
    bench.closed();
    bench.pass(100);
    assert!(bench.rests(), "what was never written waits for no other connection");
}

/// A bench whose client is told who to be, and other credentials for it.
fn told_bench() -> (Bench, Realm, Credentials) {
    let provider = |_: &crate::config::Endpoint| Ok(Credentials::password("old"));
    let config = config(PoolOptions::new().max(2)).credential_provider(provider);
    let mut engine = Engine::new(Arc::new(config), 1, at(0));
    let Some(Demand::Renewals(realm, _)) = engine.poll_demand() else { panic!("nothing is demanded") };
    let Some(Action::Connect(shared, ..)) = engine.poll_action() else { panic!("no connection is wanted") };
    let mut bench = Bench { engine, shared, now: 0 };
    bench.greet(shared, "old");
    (bench, realm, Credentials::password("new"))
}

impl Bench {
    /// Has a connection say who it is.
    fn greet(&mut self, conn: ConnId, password: &'static str) {
        self.engine.handle_connected(self.now(), conn);
        let Some(Demand::Credentials(asks, ..)) = self.engine.poll_demand() else { panic!("not asked") };
        assert_eq!(asks, conn);
        self.engine.handle_credentials(self.now(), conn, Ok(Credentials::password(password)));
        assert_eq!(self.written(conn), format!("AUTH {password}"));
        self.read(conn, "+OK\r\n");
        self.ended();
    }

    /// A side connection that is wanted, and says who it is.
    fn open_greeted(&mut self, password: &'static str) -> ConnId {
        let Some(Action::Connect(side, ..)) = self.engine.poll_action() else { panic!("no connection") };
        self.greet(side, password);
        assert_eq!(self.written(side), "CLIENT ID");
        self.read(side, &format!(":{}\r\n", 100 + side.0));
        side
    }

    /// The same as [`lease`](Self::lease) where connections say who they are.
    fn lease_greeted(&mut self) -> (ConnId, Target) {
        let id = RequestId { slot: 1, generation: 0 };
        let request = Request::lease(id, Target::AnyPrimary, Patience::Unbounded);
        self.engine.handle_request(self.now(), request, &mut Outgoing::default());
        let side = self.open_greeted("old");
        assert!(self.ended()[0].1.starts_with("took"), "the number of the connection");
        (side, self.engine.locate_session(side))
    }
}

#[test]
fn a_session_is_told_other_credentials_when_it_owes_nothing_and_what_comes_meanwhile_waits() {
    let (mut bench, realm, new) = told_bench();
    let (side, target) = bench.lease_greeted();
    bench.submit_in(target, 2, pop("k"));
    assert_eq!(bench.written(side), "BLPOP k 0");
    bench.engine.handle_renewal(bench.now(), realm, &new);
    bench.submit_in(target, 3, Command::new("ECHO").arg("a"));
    assert_eq!(bench.written(side), "", "nothing is written behind what may be refused without a word");
    bench.read(side, ITEM);
    assert_eq!(bench.written(side), "AUTH new");
    bench.submit_in(target, 4, Command::new("ECHO").arg("b"));
    bench.cancel(3);
    assert_eq!(bench.written(side), "");
    bench.read(side, "+OK\r\n");
    assert_eq!(bench.written(side), "ECHO b");
    bench.read(side, "$1\r\nb\r\n");
    assert_eq!(bench.ended(), list(&[(2, TOOK), (4, "$1 b")]));
    bench.engine.release(bench.now(), side);
    assert_eq!(bench.closed(), [], "it is as new, and known as who is to be known");
}

#[test]
fn a_session_that_queues_a_transaction_is_told_other_credentials_behind_it() {
    let (mut bench, realm, new) = told_bench();
    let (side, target) = bench.lease_greeted();
    bench.submit_in(target, 2, Command::new("MULTI"));
    bench.written(side);
    bench.read(side, "+OK\r\n");
    bench.engine.handle_renewal(bench.now(), realm, &new);
    assert_eq!(bench.written(side), "", "it would be queued");
    bench.submit_in(target, 3, Command::new("EXEC"));
    assert_eq!(bench.written(side), "EXEC");
    bench.read(side, "*0\r\n");
    assert_eq!(bench.written(side), "AUTH new");
    bench.submit_in(target, 4, Command::new("ECHO").arg("a"));
    bench.ended();
    bench.lose(side);
    assert_eq!(bench.ended(), list(&[(4, "ECHO: connection reset (127.0.0.1:6379, not sent)")]));
}

#[test]
fn a_session_whose_server_refuses_other_credentials_goes_on_and_its_connection_is_closed_then() {
    let (mut bench, realm, new) = told_bench();
    let (side, target) = bench.lease_greeted();
    bench.engine.handle_renewal(bench.now(), realm, &new);
    bench.submit_in(target, 2, Command::new("ECHO").arg("a"));
    assert_eq!(bench.written(side), "AUTH new");
    bench.read(side, "-WRONGPASS no\r\n");
    assert_eq!(bench.written(side), "ECHO a");
    bench.read(side, "$1\r\na\r\n");
    assert_eq!(bench.ended(), list(&[(2, "$1 a")]));
    bench.engine.release(bench.now(), side);
    assert_eq!(bench.closed(), [side]);
}

#[test]
fn who_is_not_known_any_more_costs_nobody_a_connection_who_is() {
    let (mut bench, realm, new) = told_bench();
    bench.submit(1, "BLPOP k 0", 0);
    let stale = bench.open_greeted("old");
    assert_eq!(bench.written(stale), "BLPOP k 0");
    bench.engine.handle_renewal(bench.now(), realm, &new);
    let shared = bench.shared;
    assert_eq!(bench.written(shared), "AUTH new");
    bench.read(shared, "+OK\r\n");
    bench.submit(2, "BLPOP l 0", 0);
    let side = bench.open_greeted("new");
    assert_eq!(bench.written(side), "BLPOP l 0");
    bench.read(stale, "-NOAUTH no\r\n");
    assert_eq!(bench.closed(), [stale]);
    assert_eq!(bench.written(shared), "", "nobody's wait is ended");
    bench.pass(300);
    let next = bench.open_greeted("new");
    assert_eq!(bench.written(next), "BLPOP k 0");
}
