//! Scenarios in the simulated world: each is a defect that a seed once found, or a promise that is easier to
//! show than to find.

use std::time::Duration;

use redstart_core::command::Value;
use redstart_core::config::{Backoff, Protocol};
use redstart_core::error::{Delivery, Error, ErrorKind, Waiting};
use redstart_tests::sim::{Cancel, Job, Op, Patience, Plan, Refusal, Settings, Setup, Shape, Sim, Tokens};

fn error(sim: &Sim, call: usize) -> &Error {
    let [Err(error)] = sim.outcomes(call).expect("the call has ended") else { panic!("it succeeded") };
    error
}

fn ok(sim: &Sim, call: usize) -> &Value {
    let [Ok(value)] = sim.outcomes(call).expect("the call has ended") else { panic!("it failed") };
    value
}

/// A client that is connected and idle, on a connection without a handshake.
fn ready() -> Sim {
    let mut sim = Sim::new(Setup { protocol: Protocol::Resp2, ..Setup::default() });
    sim.run_for(10);
    sim
}

/// What became of each command of a call; `None` of those that succeeded.
fn fates(sim: &Sim, call: usize) -> Vec<Option<Delivery>> {
    let outcomes = sim.outcomes(call).expect("the call has ended").iter();
    outcomes.map(|outcome| outcome.as_ref().err().map(Error::delivery)).collect()
}

/// All oracles hold for what has happened so far.
fn assert_sound(sim: &Sim) {
    assert_eq!(sim.judge(), Ok(()), "{}", sim.text());
}

#[test]
fn a_second_answer_to_auth_is_not_taken_for_the_next_steps() {
    let protocol = Protocol::Resp2;
    let setup = Setup { protocol, password: Some("secret"), introduces_itself: true, ..Setup::default() };
    let mut sim = Sim::new(setup);
    let call = sim.single(Op::Incr);
    sim.run_for(3);
    sim.answer_twice(15);
    sim.run_for(50);
    assert!(matches!(error(&sim, call).kind(), ErrorKind::Conversation(_)));
    assert_eq!(error(&sim, call).delivery(), Delivery::NotSent);
    let call = sim.single(Op::Incr);
    sim.run_for(50);
    assert_eq!((ok(&sim, call), sim.connections()), (&Value::Integer(1001), 2));
    assert_sound(&sim);
}

#[test]
fn a_transaction_may_be_answered_while_it_is_written() {
    let mut sim = ready();
    sim.limit_buffers(40);
    let call = sim.batch(Shape::Transaction, [Op::Incr, Op::Set(100), Op::Push]);
    sim.run_for(50);
    assert_eq!(sim.runs(call), [1, 1, 1]);
    assert!(sim.outcomes(call).is_some_and(|outcomes| outcomes.iter().all(Result::is_ok)));
    assert_eq!(sim.connections(), 1, "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn the_first_byte_of_a_reply_that_nobody_asked_for_is_enough() {
    for seen in [1, 5, 14, 15] {
        let mut sim = ready();
        let first = sim.single(Op::Get);
        sim.answer_twice(seen);
        sim.run_for(2);
        let second = sim.single(Op::Incr);
        sim.run_for(50);
        assert_eq!((sim.outcomes(first).map(<[_]>::len), sim.runs(second)), (Some(1), vec![1]));
        assert_eq!((ok(&sim, second), sim.connections()), (&Value::Integer(1001), 2), "{}", sim.text());
        assert_sound(&sim);
    }
}

#[test]
fn half_a_push_is_no_reply() {
    let mut sim = Sim::new(Setup::default());
    sim.run_for(10);
    for end in [1, 20] {
        sim.push_in_two(end);
        sim.run_for(1);
        let call = sim.single(Op::Get);
        sim.run_for(10);
        assert!(matches!(ok(&sim, call), Value::Bulk(_)));
    }
    assert_eq!(sim.connections(), 1);
    assert_sound(&sim);
}

#[test]
fn a_server_with_too_many_clients_is_asked_again() {
    let mut sim = Sim::new(Setup::default());
    let call = sim.single(Op::Get);
    sim.overcrowd(true);
    sim.run_for(20);
    assert_eq!(sim.outcomes(call).map(<[_]>::len), None, "{}", sim.text());
    sim.overcrowd(false);
    sim.run_for(50);
    assert!(matches!(ok(&sim, call), Value::Bulk(_)));
    assert_sound(&sim);
}

#[test]
fn half_a_transaction_is_not_sent_again() {
    let mut sim = ready();
    sim.forbid_multi(true);
    sim.limit_buffers(50);
    let call = sim.batch(Shape::Transaction, [Op::Incr, Op::Set(100), Op::Push]);
    sim.run_for(2);
    sim.break_connection();
    sim.forbid_multi(false);
    sim.run_for(50);
    assert_eq!(sim.runs(call), [1, 0, 0], "{}", sim.text());
    assert_eq!(fates(&sim, call), [Some(Delivery::MaybeExecuted); 3]);
    assert_sound(&sim);
}

#[test]
fn a_pipeline_is_not_resumed_behind_a_gap() {
    let mut sim = ready();
    sim.limit_buffers(60);
    let call = sim.batch(Shape::Pipeline, [Op::Get, Op::Incr, Op::Get, Op::Set(100), Op::Push]);
    sim.run_for(1);
    sim.break_connection();
    sim.run_for(50);
    assert_eq!(sim.runs(call), [2, 1, 0, 0, 0], "{}", sim.text());
    let (unknown, unsent) = (Some(Delivery::MaybeExecuted), Some(Delivery::NotSent));
    assert_eq!(fates(&sim, call), [None, unknown, unknown, unsent, unsent]);
    assert_sound(&sim);
}

#[test]
fn a_driver_dropped_while_closing_tells_what_may_have_run() {
    let mut sim = ready();
    let call = sim.single(Op::Incr);
    sim.run_for(1);
    sim.mute();
    sim.close();
    sim.run_for(1);
    sim.drop_driver();
    sim.run_for(1);
    assert_eq!((sim.runs(call), fates(&sim, call)), (vec![1], vec![Some(Delivery::MaybeExecuted)]));
    assert_sound(&sim);
}

#[test]
fn a_call_dropped_before_the_driver_runs_is_not_sent() {
    let mut sim = ready();
    let before = sim.single(Op::Incr);
    let single = sim.call(Plan::single(Op::Incr).cancel(Cancel::AtOnce));
    let jobs = [Op::Incr, Op::Set(20_000), Op::Push].map(Job::new);
    let batch = sim.call(Plan::new(Shape::Pipeline, jobs).cancel(Cancel::AtOnce));
    let after = sim.single(Op::Incr);
    sim.run_for(50);
    assert_eq!((ok(&sim, before), ok(&sim, after)), (&Value::Integer(1), &Value::Integer(5001)));
    assert_eq!((sim.runs(single), sim.runs(batch)), (vec![0], vec![0; 3]), "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn a_call_dropped_while_parked_lets_the_next_in() {
    let mut sim = Sim::new(Setup {
        queue_commands: 1,
        connect_timeout: Duration::from_secs(9),
        response_timeout: Duration::from_secs(1),
        ..Setup::default()
    });
    sim.freeze();
    let first = sim.single(Op::Incr);
    sim.run_for(10);
    let hasty = Patience::Within(Duration::from_millis(500));
    let second = sim.call(Plan::single(Op::Incr).patience(hasty));
    sim.run_for(10);
    sim.cancel(first);
    sim.run_for(1000);
    assert_eq!((sim.runs(first), fates(&sim, second)), (vec![0], vec![Some(Delivery::NotSent)]));
    assert_eq!(error(&sim, second).kind(), &ErrorKind::Timeout(Waiting::Connection), "it was let in");
    assert_sound(&sim);
}

#[test]
fn a_pipeline_that_is_turned_away_runs_in_its_order_later() {
    let mut sim = ready();
    sim.refuse(Some(Refusal::Loading));
    let call = sim.batch(Shape::Pipeline, [Op::Push; 9]);
    sim.run_for(30);
    sim.refuse(None);
    sim.run_for(100);
    let places = (1..=9).map(Value::Integer);
    assert!(sim.outcomes(call).is_some_and(|outcomes| places.map(Ok).eq(outcomes.iter().cloned())));
    assert_sound(&sim);
}

#[test]
fn pushes_do_not_hide_that_replies_are_missing() {
    let mut sim = Sim::new(Setup::default());
    sim.run_for(10);
    sim.fall_silent();
    let lost = sim.single(Op::Incr);
    for _ in 0..40 {
        sim.push_in_two(10);
        sim.run_for(10);
    }
    let call = sim.single(Op::Get);
    sim.run_for(100);
    assert_eq!(fates(&sim, lost), [Some(Delivery::MaybeExecuted)]);
    assert_eq!((fates(&sim, call), sim.connections()), (vec![None], 2), "{}", sim.text());
    assert_sound(&sim);
}

/// A client whose tokens live for 100 ms, on a server that takes the last three.
fn with_tokens(protocol: Protocol, unreliable: bool) -> (Sim, Tokens) {
    let tokens = Tokens::new(Duration::from_millis(100), unreliable);
    let server = Settings { tokens: Some(tokens.clone()), ..Settings::default() };
    (Sim::new(Setup { protocol, server, tokens: Some(tokens.clone()), ..Setup::default() }), tokens)
}

#[test]
fn tokens_are_renewed_on_the_connection_that_is_there() {
    for (protocol, unreliable) in [(Protocol::Resp2, false), (Protocol::Resp3, false), (Protocol::Auto, true)]
    {
        let (mut sim, tokens) = with_tokens(protocol, unreliable);
        let mut calls = Vec::new();
        for _ in 0..1_000 {
            calls.extend([sim.single(Op::Incr), sim.batch(Shape::Transaction, [Op::Incr, Op::Push])]);
            sim.run_for(3);
        }
        sim.run_for(50);
        for call in calls {
            assert!(fates(&sim, call).iter().all(Option::is_none), "{:?}", sim.outcomes(call));
        }
        assert_eq!(sim.connections(), 1, "it is never replaced");
        // 3 seconds, each token used for 75 ms.
        assert!(tokens.issued() >= 38, "{} tokens", tokens.issued());
        assert_sound(&sim);
    }
}

#[test]
fn a_renewal_waits_for_what_is_unanswered_and_requests_wait_for_it() {
    let (mut sim, tokens) = with_tokens(Protocol::Resp3, false);
    sim.run_for(10);
    let before = sim.single(Op::Incr);
    sim.freeze();
    sim.run_for(70);
    assert_eq!(tokens.issued(), 2, "the next token is there");
    let behind = [Op::Incr, Op::Get, Op::Push].map(|op| sim.single(op));
    sim.run_for(20);
    assert_eq!(sim.runs(behind[0]), [0]);
    sim.thaw();
    sim.run_for(20);
    assert_eq!(ok(&sim, before), &Value::Integer(1));
    for call in behind {
        assert_eq!((fates(&sim, call), sim.runs(call)), (vec![None], vec![1]));
    }
    assert_eq!(sim.connections(), 1, "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn a_token_that_has_expired_at_the_server_is_replaced_with_its_connection() {
    let (mut sim, tokens) = with_tokens(Protocol::Resp3, false);
    sim.run_for(10);
    tokens.expire();
    let calls = [sim.single(Op::Incr), sim.batch(Shape::Transaction, [Op::Incr, Op::Push])];
    sim.run_for(150);
    for call in calls {
        assert!(fates(&sim, call).iter().all(Option::is_none), "{}", sim.text());
    }
    // The second one finds that the token is not taken any more.
    assert_eq!(sim.connections(), 3, "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn a_clock_that_is_set_back_delays_the_end_of_calls_by_no_more_than_that() {
    let mut sim = ready();
    sim.mute();
    let call = sim.single(Op::Incr);
    sim.run_for(100);
    sim.set_clock_back(150);
    let later = sim.single(Op::Incr);
    sim.run_for(201);
    assert!(matches!(error(&sim, later).kind(), ErrorKind::Timeout(_)), "its time began behind the step");
    sim.run_for(50);
    assert!(matches!(error(&sim, call).kind(), ErrorKind::Timeout(_)));
    sim.unmute();
    let call = sim.single(Op::Incr);
    sim.run_for(10);
    assert!(matches!(ok(&sim, call), Value::Integer(_)), "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn when_the_clock_leaps_calls_whose_time_is_over_end_and_later_ones_succeed() {
    let mut sim = ready();
    let call = sim.single(Op::Incr);
    sim.run_for(1);
    sim.let_clock_leap(3_600_000);
    sim.run_for(0);
    assert_eq!(error(&sim, call).delivery(), Delivery::MaybeExecuted);
    let call = sim.single(Op::Incr);
    sim.run_for(50);
    assert!(matches!(ok(&sim, call), Value::Integer(_)), "{}", sim.text());
    assert_sound(&sim);
}

/// E4: who lost a server at the same moment does not come back to it at the same moment.
#[test]
fn a_thousand_clients_of_a_server_are_spread() {
    let strike: [fn(&mut Sim); 2] = [Sim::crash, |sim| {
        sim.crash();
        sim.restart();
        sim.overcrowd(true);
    }];
    for strike in strike {
        let mut connects = vec![0; 100];
        for seed in 0..1000 {
            let backoff = Backoff::default();
            let setup =
                Setup { seed, backoff, with_text: false, protocol: Protocol::Resp2, ..Setup::default() };
            let mut sim = Sim::new(setup);
            sim.run_for(10);
            strike(&mut sim);
            sim.run_for(5000);
            sim.restart();
            sim.overcrowd(false);
            sim.run_for(3000);
            for at in sim.connected_at() {
                connects[at as usize / 100] += 1;
            }
            let call = sim.single(Op::Incr);
            sim.run_for(10);
            assert!(matches!(ok(&sim, call), Value::Integer(_)));
        }
        let most = connects[30..].iter().max();
        assert!(most <= Some(&160), "{connects:?}");
        assert!(connects[50..].iter().sum::<u32>() >= 1000, "all are back: {connects:?}");
    }
}
