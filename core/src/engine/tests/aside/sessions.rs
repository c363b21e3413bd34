//! Waits in sessions that are given up, and times at which there is nothing to do.

use super::*;

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
