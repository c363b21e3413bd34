//! Searches under virtual time, with sentinels that lie, lag or keep silent, and servers that are not what
//! they are said to be.

mod failover;
mod world;

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec;
use core::time::Duration;

use fastrand::Rng;

use self::world::{Manner, PRIMARY, REPLICA, Reply, SENTINEL, World, h, ms, refused, s, word};
use super::*;
use crate::error::ServerError;

#[test]
fn the_first_sentinel_is_asked_at_once_and_its_word_is_checked() {
    let mut world = World::new(1);
    assert_eq!(world.discovery.poll_timeout(), Some(Instant::ORIGIN));
    world.run(ms(0));
    assert_eq!((world.asked(), world.checks.len()), (vec![1], 0));
    world.run(ms(1));
    assert_eq!(world.discovery.candidate(), Some(&h(1)));
    assert!(world.outcomes.is_empty() && !world.discovery.is_settled());
    world.run(ms(1));
    let found = Outcome::Found { primary: h(1), replicas: vec![h(2)] };
    assert_eq!(world.outcomes, [(Instant::ORIGIN + ms(2), found)]);
    assert_eq!(world.asked(), [1]);
    assert_eq!((world.discovery.primary(), world.discovery.candidate()), (Some(&h(1)), None));
}

/// Each kind of useless sentinel: the next one is asked, and from then on first.
#[test]
fn who_is_of_no_use_goes_to_the_end_of_the_line() {
    let answers = |answer| Manner::Answers(ms(3), answer);
    let node = |port| h(port).to_string();
    let no_sentinel = ErrorKind::Server(ServerError::new(b"ERR unknown command 'SENTINEL'"));
    let timeout = Error::new(ErrorKind::Timeout(Waiting::Connection), Delivery::NotSent);
    let few = SentinelFault::TooFewSentinels { known: 0, wanted: 1 };
    let table = [
        (answers(Err(SentinelFault::Failed(refused()))), ms(3), SentinelFault::Failed(refused())),
        (Manner::Silent, ms(500), SentinelFault::Silent),
        (answers(Err(SentinelFault::UnknownService)), ms(3), SentinelFault::UnknownService),
        (answers(Err(SentinelFault::BadAddress)), ms(3), SentinelFault::BadAddress),
        (answers(Err(few.clone())), ms(3), few),
        (
            answers(Err(SentinelFault::Failed(Error::new(no_sentinel.clone(), Delivery::Rejected)))),
            ms(3),
            SentinelFault::Failed(Error::new(no_sentinel, Delivery::Rejected)),
        ),
        // Lies: a replica, a sentinel, a server that is gone, one that is silent.
        (answers(Ok(word(2, 0))), ms(4), SentinelFault::NotPrimary { node: node(2), role: "slave" }),
        (answers(Ok(word(7, 0))), ms(4), SentinelFault::NotPrimary { node: node(7), role: "sentinel" }),
        (answers(Ok(word(8, 0))), ms(4), SentinelFault::Unchecked { node: node(8), error: refused() }),
        (answers(Ok(word(9, 0))), ms(503), SentinelFault::Unchecked { node: node(9), error: timeout }),
    ];
    for (manner, delay, fault) in table {
        let mut world = World::new(1);
        world.is(7, SENTINEL);
        world.is(9, Reply::Silent);
        world.set(1, manner.clone());
        world.run(ms(600));
        assert_eq!((world.asked(), world.found()), (vec![1, 2], vec![h(1)]), "{fault}");
        assert_eq!(world.outcomes[0].0, Instant::ORIGIN + delay + ms(2), "{fault}");

        // What was wrong is told if nobody else is of use, in the order of the line.
        world.set(2, manner.clone());
        world.set(3, manner);
        world.forget();
        world.trigger(Trigger::Switched(&s(9)));
        world.run(ms(2000));
        assert_eq!(world.asked()[..3], [2, 3, 1], "{fault}");
        let expected = [s(2), s(3), s(1)].map(|sentinel| (sentinel.to_string(), fault.clone()));
        assert_eq!(world.faults()[0], expected);
        assert_eq!(world.discovery.primary(), Some(&h(1)), "{fault}: the primary is well");
    }
}

#[test]
fn a_server_that_was_refuted_is_not_checked_again_in_the_same_search() {
    let mut world = World::new(1);
    world.all_say(&word(9, 0));
    world.is(9, Reply::Silent);
    world.run(ms(600));
    assert_eq!((world.asked(), world.checks.len()), (vec![1, 2, 3], 1));
    assert_eq!(world.outcomes[0].0, Instant::ORIGIN + ms(503));
}

/// Until a server has answered once, however long it takes, it is not given up.
#[test]
fn a_slow_server_is_found_although_its_check_takes_too_long() {
    let mut world = World::new(1);
    world.servers.insert(h(1), (ms(4000), PRIMARY));
    world.run(ms(4001));
    assert_eq!(world.found(), [h(1)]);
    assert!(world.checks.len() > 1);
    // What comes later changes nothing.
    world.forget();
    world.run(ms(10_000));
    assert!(world.outcomes.is_empty() && world.discovery.is_settled());
}

#[test]
fn without_a_cause_searches_are_an_interval_apart() {
    let mut world = World::with(&SentinelOptions::new("main", [s(1), s(2)]), 1);
    world.run(ms(100_000));
    let starts = world.starts();
    assert!((90..=110).contains(&starts.len()), "{} in 100 s", starts.len());
    for pair in starts.windows(2) {
        assert!((750..=1252).contains(&(pair[1] - pair[0]).as_millis()), "{pair:?}");
    }
    assert_eq!((world.found().len(), world.checks.len()), (starts.len(), starts.len()));
    let asked = world.asked();
    assert!(asked[..9].iter().all(|&sentinel| sentinel == 1), "whoever is of use is asked again");
    assert!(asked[9..17].iter().all(|&sentinel| sentinel == 2), "but not for ever");
    assert!(asked[17..25].iter().all(|&sentinel| sentinel == 1));
}

#[test]
fn a_storm_of_triggers_is_one_search() {
    let mut world = World::settled(1);
    let (primary, replica, sentinel) = (h(1), h(2), s(1));
    for _ in 0..10_000 {
        for trigger in [Trigger::Switched(&sentinel), Trigger::Suspect(&replica), Trigger::Suspect(&primary)]
        {
            world.trigger(trigger);
        }
        world.role(&h(1), &REPLICA);
    }
    world.run(ms(320));
    assert_eq!(world.starts().len(), 1);

    // A hint each millisecond, for ten seconds: each search may be too early for the last of them.
    let mut world = World::settled(1);
    for _ in 0..10_000 {
        world.trigger(Trigger::Switched(&sentinel));
        world.run(ms(1));
    }
    let starts = world.starts();
    assert!((30..=40).contains(&starts.len()), "{} searches", starts.len());
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= ms(250)));
}

#[test]
fn strangers_call_for_nothing() {
    let mut world = World::settled(1);
    world.trigger(Trigger::Suspect(&h(9)));
    world.role(&h(9), &PRIMARY);
    world.role(&h(9), &Reply::Refuses);
    world.role(&h(2), &REPLICA);
    world.role(&h(2), &Reply::Refuses);
    world.role(&h(1), &PRIMARY);
    world.run(ms(40_000));
    assert!(world.asks.is_empty() && world.outcomes.is_empty());

    // A replica that is lost, or says that it was promoted, is news.
    let mut other = world.clone();
    world.trigger(Trigger::Suspect(&h(2)));
    other.role(&h(2), &PRIMARY);
    for mut world in [world, other] {
        world.run(ms(1000));
        assert_eq!((world.asked(), world.discovery.is_settled()), (vec![1], true));
    }
}

#[test]
fn the_start_is_spread_by_the_seed() {
    let start = |seed| {
        let mut world = World::settled(seed);
        world.run(ms(998));
        world.trigger(Trigger::Switched(&s(1)));
        world.run(ms(500));
        world.starts()[0] - Instant::ORIGIN
    };
    assert_eq!(start(7), start(7));
    let starts: Vec<Duration> = (0..200).map(start).collect();
    let (first, last) = (starts.iter().min().unwrap(), starts.iter().max().unwrap());
    assert!(*first >= ms(1000) && *first < ms(1005), "{first:?}");
    assert!(*last <= ms(1063) && *last > ms(1057), "{last:?}");
}

#[test]
fn sentinels_are_learnt_from_those_that_are_right() {
    let mut world = World::new(1);
    // One that lies is not believed about others either.
    let liar = Word { peers: vec![s(6), s(7)], ..word(2, 0) };
    let honest = Word { peers: vec![s(4), s(3), s(1)], ..word(1, 0) };
    world.says(1, liar);
    world.says(2, honest.clone());
    world.run(ms(10));
    assert_eq!(world.found(), [h(1)]);
    let knows = |world: &World| {
        (1..=7).filter(|&port| world.discovery.knows_sentinel(&s(port))).collect::<Vec<u16>>()
    };
    assert_eq!(knows(&world), [1, 2, 3, 4]);

    // When all that were given are gone, those that were learnt are asked, and tell of others.
    for port in 1..=3 {
        world.set(port, Manner::Answers(ms(1), Err(SentinelFault::Failed(refused()))));
    }
    world.says(4, Word { peers: vec![s(5), s(1), s(2)], ..word(1, 0) });
    world.trigger(Trigger::Switched(&s(9)));
    world.run(ms(400));
    assert_eq!((world.found(), knows(&world)), (vec![h(1), h(1)], vec![1, 2, 3, 4, 5]));
    assert_eq!(world.asked().last(), Some(&4));
}

#[test]
fn when_nobody_answers_it_is_tried_again_ever_more_slowly() {
    let mut world = World::settled(1);
    for port in 1..=5 {
        world.set(port, Manner::Answers(ms(1), Err(SentinelFault::Failed(refused()))));
    }
    world.trigger(Trigger::Suspect(&h(1)));
    for _ in 0..20_000 {
        world.run(ms(1));
        world.trigger(Trigger::Suspect(&h(2)));
    }
    assert!(world.found().is_empty());
    let starts = world.starts();
    assert!((35..80).contains(&starts.len()), "{} in 20 s", starts.len());
    for pair in starts.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= ms(250) && apart <= ms(600), "{apart:?}");
    }
    assert_eq!(world.asked()[..3], [1, 2, 3]);

    // A sentinel that speaks is asked although there were failures.
    let last = world.now;
    world.all_say(&word(1, 0));
    world.run(ms(250));
    world.forget();
    world.trigger(Trigger::Switched(&s(3)));
    world.run(ms(400));
    assert_eq!(world.asked()[0], 3, "{last:?}");
    assert_eq!(world.discovery.primary(), Some(&h(1)));
    assert!(world.discovery.is_settled());
}

#[test]
fn what_was_not_asked_for_is_ignored() {
    let mut world = World::settled(1);
    for port in 1..=5 {
        world.set(port, Manner::Silent);
    }
    let stray = |round, port| Ask { round, sentinel: s(port) };
    world.discovery.handle_answer(world.now, &stray(1, 1), Ok(word(3, 9)));
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(320));
    let round = world.asks[0].1.round;
    for (round, port) in [(1, 1), (round + 1, 1), (round, 2), (round, 9)] {
        world.discovery.handle_answer(world.now, &stray(round, port), Ok(word(3, 9)));
        world.drain();
    }
    assert!(world.checks.is_empty() && world.outcomes.is_empty());
    // Who has answered once has no second word.
    world.discovery.handle_answer(world.now, &stray(round, 1), Ok(word(1, 0)));
    world.drain();
    world.discovery.handle_answer(world.now, &stray(round, 1), Ok(word(3, 9)));
    world.drain();
    assert_eq!((world.asked(), world.checks.len()), (vec![1, 2], 1), "the suspect alone is checked");
}

#[test]
fn odd_options_do_no_harm() {
    let given = SentinelOptions::new("main", [s(1), s(1), s(2)]);
    let hasty = given.clone().poll_interval(Duration::ZERO).ask_timeout(Duration::ZERO);
    let mut world = World::with(&hasty, 1);
    world.run(ms(20_000));
    let starts = world.starts();
    assert!(starts.len() > 10 && starts.windows(2).all(|pair| pair[1] - pair[0] >= ms(250)));
    assert!(world.discovery.is_settled());

    let patient = given.poll_interval(Duration::MAX).ask_timeout(Duration::MAX);
    let mut world = World::with(&patient, 1);
    world.run(ms(2));
    assert_eq!((world.found(), world.discovery.poll_timeout()), (vec![h(1)], None));
    world.set(1, Manner::Silent);
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(1000));
    assert_eq!((world.asked(), world.discovery.poll_timeout()), (vec![1, 1], None));

    let mut alone = World::with(&SentinelOptions::new("main", []), 1);
    alone.run(ms(1000));
    assert!(alone.asks.is_empty() && alone.faults()[0].is_empty());
    assert!(alone.discovery.poll_timeout().is_some());
}

/// Whatever happens, searches are one at a time and an interval apart, a server is taken only if it said that
/// it is the primary, and when all is well again the primary is found.
#[test]
fn any_course_of_events() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(seed);
        let mut servers: BTreeSet<Endpoint> = BTreeSet::new();
        for _ in 0..rng.usize(1..80) {
            let (sentinel, server) = (rng.u16(1..=5), rng.u16(1..=4));
            let parts = [PRIMARY, REPLICA, SENTINEL, Reply::Refuses, Reply::Silent];
            let part = parts[rng.usize(0..parts.len())].clone();
            let late = ms(rng.u64(0..700));
            match rng.u8(0..8) {
                0 => world.trigger(Trigger::Switched(&s(sentinel))),
                1 => world.trigger(Trigger::Suspect(&h(server))),
                2 => world.set(sentinel, Manner::Silent),
                3 => {
                    let fault = SentinelFault::UnknownService;
                    world.set(sentinel, Manner::Answers(late, Err(fault)));
                }
                4 => {
                    let peers = (1..=5).filter(|_| rng.bool()).map(s).collect();
                    let word = Word { peers, ..word(server, rng.u64(0..4)) };
                    world.set(sentinel, Manner::Answers(late, Ok(word)));
                }
                5 => _ = world.servers.insert(h(server), (late, part)),
                6 => {
                    if part == PRIMARY {
                        servers.insert(h(server));
                    }
                    world.role(&h(server), &part);
                }
                _ => world.run(ms(rng.u64(0..3000))),
            }
            servers.extend(
                world.servers.iter().filter(|(_, (_, part))| *part == PRIMARY).map(|it| it.0.clone()),
            );
            let found = world.found();
            assert!(found.iter().all(|server| servers.contains(server)), "seed {seed}: {found:?}");
        }
        world.all_say(&word(3, 5));
        world.is(3, PRIMARY);
        for server in [1, 2, 4] {
            world.is(server, REPLICA);
        }
        world.run(ms(10_000));
        world.trigger(Trigger::Switched(&s(1)));
        world.run(ms(1000));
        assert_eq!(world.found().last(), Some(&h(3)), "seed {seed}");
        assert!(world.discovery.is_settled(), "seed {seed}");
        let starts = world.starts();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= ms(250)), "seed {seed}");
    }
}
