//! Scenarios with sentinels in the simulated world: each is a promise that is easier to show than to find, or
//! a defect that a seed once found.
//!
//! One is compared with a trace that was read by people. Set `REDSTART_BLESS=1` to write it anew; review the
//! difference before committing it.

use std::path::Path;
use std::time::Duration;

use redstart_core::config::{Protocol, ReadFrom};
use redstart_core::error::{Delivery, Error, ErrorKind, SentinelFault};
use redstart_tests::sim::{Mishap, Mishaps, Op, SentinelLie, Service, ServiceSetup, Setup, Shape, Sim};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn setup(mut service: ServiceSetup) -> Setup {
    // Calls may fail: what goes wrong is done by hand.
    service.mishaps = Mishaps::none().with(Mishap::Kills);
    Setup { service: Some(service), response_timeout: Duration::from_secs(3), ..Setup::default() }
}

/// A client that has found the primary.
fn ready(service: ServiceSetup) -> Sim {
    let mut sim = Sim::new(setup(service));
    let call = sim.single(Op::Incr);
    sim.run_for(100);
    assert!(is_ok(&sim, call), "{}", sim.text());
    sim
}

fn is_ok(sim: &Sim, call: usize) -> bool {
    sim.outcomes(call).is_some_and(|outcomes| outcomes.iter().all(Result::is_ok))
}

fn error(sim: &Sim, call: usize) -> &Error {
    let [Err(error)] = sim.outcomes(call).expect("the call has ended") else { panic!("it succeeded") };
    error
}

/// All oracles hold for what has happened so far.
fn assert_sound(sim: &Sim) {
    assert_eq!(sim.judge(), Ok(()), "{}", sim.text());
}

/// Compares a trace with the one that was reviewed.
fn assert_trace(sim: &Sim, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/sim").join(name).with_extension("txt");
    let actual = sim.text();
    if std::env::var_os("REDSTART_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, &actual).expect("the snapshot can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the snapshot exists");
    for (line, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "{name}, line {}", line + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{name}: lines are missing or new");
}

/// The primary dies: what was under way may have run, what comes later waits for the next one.
#[test]
fn sentinel_switch() {
    let options = Service { replicas: 1, sentinels: 2, ..Service::default() };
    let given = vec![0, 1];
    let service = ServiceSetup { options, given, poll_interval: ms(60_000), ..ServiceSetup::default() };
    let mut sim = ready(service);
    let during = sim.single(Op::Incr);
    sim.run_for(1);
    sim.kill_server(0);
    sim.run_for(20);
    let after = sim.single(Op::Incr);
    sim.run_for(600);
    assert_eq!(error(&sim, during).delivery(), Delivery::MaybeExecuted);
    assert!(is_ok(&sim, after));
    assert_eq!(sim.ran_on(after), [1]);
    assert_trace(&sim, "sentinel_switch");
    assert_sound(&sim);
}

#[test]
fn a_frozen_primary_gets_nothing_and_is_dropped_when_it_is_replaced() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let service = ServiceSetup { poll_interval: ms(400), ..ServiceSetup::default() };
        let mut sim = Sim::new(Setup { protocol, ..setup(service) });
        sim.single(Op::Incr);
        sim.run_for(100);
        sim.freeze_server(0);
        let (write, read) = (sim.single(Op::Incr), sim.single(Op::Get));
        // It is a suspect by now.
        sim.run_for(110);
        let sent = sim.sent_to(0);
        let calls: Vec<_> = (0..10).map(|_| sim.single(Op::Incr)).collect();
        sim.run_for(1000);
        assert_eq!(sim.sent_to(0), sent, "{}", sim.text());
        assert!(calls.iter().all(|&call| is_ok(&sim, call)), "{}", sim.text());
        assert!(calls.iter().all(|&call| sim.ran_on(call) == [1]));
        assert_eq!(error(&sim, write).delivery(), Delivery::MaybeExecuted);
        assert!(is_ok(&sim, read) && sim.ran_on(read) == [1], "a read goes on elsewhere");
        // When it is back it takes itself for the primary for a while.
        sim.thaw_server(0);
        let calls: Vec<_> = (0..10).map(|_| sim.single(Op::Incr)).collect();
        sim.run_for(200);
        assert!(calls.iter().all(|&call| sim.ran_on(call) == [1]));
        assert_sound(&sim);
    }
}

#[test]
fn a_suspect_that_answers_too_late_for_its_check_is_checked_again() {
    let mut sim = ready(ServiceSetup { suspect_after: ms(50), ..ServiceSetup::default() });
    sim.mute_server(0);
    let call = sim.single(Op::Get);
    // Longer than any silence is borne, but not by those who wait longer.
    sim.run_for(1000);
    sim.unmute_server(0);
    sim.run_for(10);
    assert!(is_ok(&sim, call), "{}", sim.text());
    let calls: Vec<_> = (0..3).map(|_| sim.single(Op::Incr)).collect();
    sim.run_for(10);
    assert!(calls.iter().all(|&call| is_ok(&sim, call)), "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn a_dead_connection_with_a_primary_that_is_well_is_left_within_the_time_of_a_suspect() {
    let mut sim = ready(ServiceSetup { suspect_after: ms(50), ..ServiceSetup::default() });
    sim.mute_server(0);
    let lost = sim.single(Op::Incr);
    // It is a suspect by now.
    sim.run_for(51);
    let waits = sim.single(Op::Incr);
    sim.run_for(25);
    assert!(is_ok(&sim, waits), "{}", sim.text());
    sim.run_for(3000);
    assert_eq!(error(&sim, lost).delivery(), Delivery::MaybeExecuted);
    assert_sound(&sim);
}

/// Sentinels do not always close the connections with a server that they make a replica.
#[test]
fn what_a_demoted_primary_turns_away_runs_on_the_new_one() {
    let options = Service { closes: false, gossip: 0, stale: 0, ..Service::default() };
    let service = ServiceSetup { options, poll_interval: ms(60_000), ..ServiceSetup::default() };
    let mut sim = Sim::new(Setup { protocol: Protocol::Resp2, ..setup(service) });
    sim.single(Op::Incr);
    sim.run_for(100);
    sim.switch(0, 1);
    sim.run_for(5);
    let single = sim.single(Op::Incr);
    let pipeline = sim.batch(Shape::Pipeline, [Op::Incr, Op::Get, Op::Push]);
    let transaction = sim.batch(Shape::Transaction, [Op::Incr, Op::Set(3)]);
    sim.run_for(1000);
    for call in [single, pipeline, transaction] {
        assert!(is_ok(&sim, call), "{}", sim.text());
        assert!(sim.runs(call).iter().all(|&runs| runs == 1));
    }
    assert_eq!((sim.ran_on(single), sim.ran_on(transaction)), (vec![1], vec![1, 1]));
    assert_sound(&sim);
}

#[test]
fn a_transaction_that_is_caught_by_the_switch_runs_on_the_new_primary() {
    let options = Service { closes: false, gossip: 0, stale: 0, ..Service::default() };
    let mut sim = Sim::new(Setup {
        protocol: Protocol::Resp2,
        ..setup(ServiceSetup { options, ..ServiceSetup::default() })
    });
    sim.single(Op::Incr);
    sim.run_for(100);
    // `MULTI` and the commands arrive before the switch, `EXEC` behind it.
    sim.limit_buffers(60);
    let call = sim.batch(Shape::Transaction, [Op::Incr, Op::Incr, Op::Incr]);
    sim.run_for(1);
    sim.switch(0, 1);
    sim.run_for(2000);
    assert!(is_ok(&sim, call), "{}", sim.text());
    assert_eq!(sim.ran_on(call), [1, 1, 1]);
    assert_sound(&sim);
}

#[test]
fn sentinels_that_are_wrong_are_passed_over() {
    for lie in SentinelLie::ALL {
        let service = ServiceSetup { min_other_sentinels: 1, ..ServiceSetup::default() };
        let mut sim = Sim::new(setup(service));
        sim.lie(0, Some(lie));
        let call = sim.single(Op::Incr);
        sim.run_for(1000);
        assert!(is_ok(&sim, call), "{lie:?}: {}", sim.text());
        assert_eq!(sim.ran_on(call), [0], "{lie:?}");
        assert_sound(&sim);
    }
}

#[test]
fn without_the_service_calls_fail_at_once_and_say_why() {
    let mut sim = Sim::new(setup(ServiceSetup::default()));
    sim.lie(0, Some(SentinelLie::Unknown));
    sim.lie(1, Some(SentinelLie::Unknown));
    let call = sim.single(Op::Incr);
    sim.run_for(100);
    let ErrorKind::NoPrimary { sentinels } = error(&sim, call).kind() else { panic!("{}", sim.text()) };
    assert_eq!(sentinels.len(), 2);
    assert!(sentinels.iter().all(|(_, fault)| *fault == SentinelFault::UnknownService));
    assert_eq!(error(&sim, call).delivery(), Delivery::NotSent);
    // The service may be set up later.
    sim.lie(0, None);
    sim.run_for(3000);
    let call = sim.single(Op::Incr);
    sim.run_for(100);
    assert!(is_ok(&sim, call), "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn a_sentinel_that_hears_nothing_does_not_bring_back_the_old_primary() {
    let options = Service { stale: 3_000_000_000, ..Service::default() };
    let given = vec![1, 0];
    let service = ServiceSetup { options, given, poll_interval: ms(300), ..ServiceSetup::default() };
    let mut sim = ready(service);
    sim.deafen(0);
    sim.switch(0, 1);
    sim.run_for(1000);
    // The only one that answers names a server that takes itself for the primary still.
    sim.kill_sentinel(1);
    sim.kill_sentinel(2);
    sim.run_for(1000);
    let calls: Vec<_> = (0..5).map(|_| sim.single(Op::Incr)).collect();
    sim.run_for(500);
    assert!(calls.iter().all(|&call| sim.ran_on(call) == [1]), "{}", sim.text());
    assert!(sim.asked(0) > 1);
    assert_sound(&sim);
}

#[test]
fn a_sentinel_that_hears_nothing_is_not_believed_for_ever() {
    let options = Service { stale: 60_000_000_000, ..Service::default() };
    let given = vec![0];
    let service = ServiceSetup { options, given, poll_interval: ms(300), ..ServiceSetup::default() };
    let mut sim = ready(service);
    sim.deafen(0);
    sim.switch(0, 1);
    sim.run_for(4000);
    let call = sim.single(Op::Incr);
    sim.run_for(50);
    assert_eq!(sim.ran_on(call), [1], "{}", sim.text());
    assert_sound(&sim);
}

#[test]
fn sentinels_are_learnt_from_the_one_that_is_given() {
    let mut sim = ready(ServiceSetup { given: vec![2], poll_interval: ms(300), ..ServiceSetup::default() });
    sim.kill_sentinel(2);
    sim.run_for(1000);
    sim.kill_server(0);
    let call = sim.single(Op::Incr);
    sim.run_for(1000);
    assert!(is_ok(&sim, call), "{}", sim.text());
    assert_eq!((sim.ran_on(call), sim.asked(0) > 0), (vec![1], true));
    assert_sound(&sim);
}

#[test]
fn reads_go_on_while_there_is_no_primary() {
    let options = Service { down_after: 10_000_000_000, ..Service::default() };
    let mut sim =
        ready(ServiceSetup { options, read_from: ReadFrom::PreferReplica, ..ServiceSetup::default() });
    let first = sim.single(Op::Get);
    sim.run_for(50);
    sim.kill_server(0);
    sim.run_for(500);
    let (read, write) = (sim.single(Op::Get), sim.single(Op::Incr));
    sim.run_for(50);
    assert!(is_ok(&sim, first) && is_ok(&sim, read), "{}", sim.text());
    assert!(sim.ran_on(read)[0] > 0 && sim.outcomes(write).is_none());
    sim.run_for(3000);
    assert!(error(&sim, write).is_timeout() && !error(&sim, write).may_have_run());
    assert_sound(&sim);
}
