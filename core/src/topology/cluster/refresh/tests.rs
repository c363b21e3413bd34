//! Refreshes under virtual time, with nodes that answer late, wrongly, or not at all.

mod suspects;
mod world;

use fastrand::Rng;

use self::world::{Manner, World, ms, node, three, view};
use super::*;

#[test]
fn the_first_refresh_asks_the_nodes_to_begin_with_at_once() {
    let mut world = World::new(1, &three());
    assert_eq!(world.refresh.poll_timeout(), Some(Instant::ORIGIN));
    world.run(ms(1));
    let mut asked = world.asked();
    asked.sort();
    assert_eq!(asked, [node(1), node(9)]);
    let found = Outcome::Found { view: three(), asked_at: Instant::ORIGIN };
    assert_eq!(world.outcomes, [(Instant::ORIGIN + ms(1), found)]);
}

#[test]
fn without_a_cause_refreshes_are_a_minute_apart() {
    let mut world = World::settled(1, &three());
    world.run(Duration::from_secs(6000));
    let starts = world.starts();
    assert!((90..=110).contains(&starts.len()), "{} in 100 minutes", starts.len());
    for pair in starts.windows(2) {
        assert!((45_000..=75_001).contains(&(pair[1] - pair[0]).as_millis()), "{pair:?}");
    }
    let primaries = [node(1), node(2), node(3)];
    assert!(world.asked().iter().all(|node| primaries.contains(node)), "three at once, primaries first");

    let options = RefreshOptions { period: None, ..RefreshOptions::default() };
    let mut world = World::with(options, 1, &three());
    world.run(Duration::from_secs(6000));
    assert_eq!((world.starts().len(), world.refresh.poll_timeout()), (1, None));
}

#[test]
fn a_storm_of_redirects_is_one_refresh() {
    let mut world = World::settled(1, &three());
    for _ in 0..10_000 {
        world.trigger(Trigger::Moved);
    }
    world.run(ms(1000));
    assert_eq!(world.starts().len(), 1);

    // A redirect each millisecond, for ten seconds: each refresh may be too early for the last of them.
    let mut world = World::settled(1, &three());
    for _ in 0..10_000 {
        world.trigger(Trigger::Moved);
        world.run(ms(1));
    }
    let starts = world.starts();
    assert!((30..=40).contains(&starts.len()), "{} refreshes", starts.len());
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= ms(250)));
}

#[test]
fn a_trigger_during_a_refresh_is_for_the_next_one() {
    let mut world = World::settled(1, &three());
    world.run(ms(1000));
    world.trigger(Trigger::UnknownSlot);
    world.run(world.refresh.poll_timeout().expect("one is due") - world.now);
    assert!(world.refresh.round.is_some());
    let mut other = world.clone();
    world.trigger(Trigger::Moved);
    world.run(ms(5000));
    assert_eq!((world.starts().len(), world.refresh.round.is_some()), (2, false));

    other.trigger(Trigger::UnknownSlot);
    other.run(ms(5000));
    assert_eq!(other.starts().len(), 1, "this one finds the slot");
    other.trigger(Trigger::UnknownSlot);
    other.run(ms(5000));
    assert_eq!(other.starts().len(), 2);
}

#[test]
fn the_start_is_spread_by_the_seed() {
    let start = |seed| {
        let mut world = World::settled(seed, &three());
        world.run(ms(999));
        world.trigger(Trigger::Moved);
        world.run(ms(500));
        (world.starts()[0] - Instant::ORIGIN, world.asked())
    };
    assert_eq!(start(7), start(7));
    let starts: Vec<Duration> = (0..200).map(|seed| start(seed).0).collect();
    let (first, last) = (starts.iter().min().unwrap(), starts.iter().max().unwrap());
    assert!(*first >= ms(1000) && *first < ms(1005), "{first:?}");
    assert!(*last <= ms(1063) && *last > ms(1057), "{last:?}");
    let asked: BTreeSet<Vec<Endpoint>> = (0..200).map(|seed| start(seed).1).collect();
    assert_eq!(asked.len(), 6, "three primaries in every order");
}

#[test]
fn a_dead_node_holds_up_nothing() {
    // Silent: the others' answers are enough after a moment.
    let mut world = World::settled(1, &three());
    world.set(2, Manner::Silent);
    world.trigger(Trigger::Moved);
    world.run(ms(1000));
    assert_eq!(world.found(), [three()]);
    assert_eq!(world.outcomes[0].0 - world.starts()[0], ms(101));

    // Gone: another one is asked at once.
    let mut world = World::settled(1, &three());
    world.set(2, Manner::Answers(ms(5), None));
    world.trigger(Trigger::Moved);
    world.run(ms(1000));
    assert_eq!((world.found(), world.asks.len()), (vec![three()], 4));
    assert_eq!(world.outcomes[0].0 - world.starts()[0], ms(6));

    // All primaries silent: after a while replicas are asked too, then all others.
    let mut world = World::settled(1, &three());
    for port in [1, 2, 3] {
        world.set(port, Manner::Silent);
    }
    world.trigger(Trigger::Moved);
    world.run(ms(1000));
    assert_eq!(world.outcomes[0].0 - world.starts()[0], ms(501));
    assert_eq!(world.asks.len(), 6);
}

#[test]
fn a_late_answer_counts_while_the_refresh_lasts() {
    let mut world = World::settled(1, &three());
    for port in 1..=9 {
        world.set(port, Manner::Silent);
    }
    world.set(1, Manner::Answers(ms(4000), Some(three())));
    world.trigger(Trigger::Moved);
    world.run(ms(4500));
    assert_eq!(world.found(), [three()]);
    assert_eq!(world.outcomes[0].0 - world.starts()[0], ms(4100));
}

#[test]
fn when_nobody_answers_it_is_tried_again_ever_more_slowly() {
    let mut world = World::settled(1, &three());
    for port in 1..=9 {
        world.set(port, Manner::Answers(ms(1), None));
    }
    world.trigger(Trigger::Moved);
    for _ in 0..20_000 {
        world.run(ms(1));
        world.trigger(Trigger::UnknownSlot);
    }
    assert!(world.outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Failed));
    let asked = world.asked();
    assert_eq!(asked[..7].iter().collect::<BTreeSet<_>>().len(), 7, "each once, the other beginning too");
    assert_eq!(asked[6], node(9), "the node to begin with is the last resort");
    let starts = world.starts();
    assert!((40..80).contains(&starts.len()), "{} in 20 s", starts.len());
    for pair in starts.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= ms(250) && apart <= ms(600), "{apart:?}");
    }

    // Silence takes until the deadline.
    for port in 1..=9 {
        world.set(port, Manner::Silent);
    }
    world.run(ms(30_000));
    let (last, _) = world.outcomes[world.outcomes.len() - 1];
    assert_eq!(last - world.starts()[world.outcomes.len() - 1], ms(5000));
    world.all(&three());
    world.run(ms(10_000));
    assert!(!world.found().is_empty(), "it comes back by itself");
}

#[test]
fn what_was_not_asked_for_is_ignored() {
    let mut world = World::settled(1, &three());
    for port in 1..=9 {
        world.set(port, Manner::Silent);
    }
    let other = view(&[(7, &[])]);
    let stray = Ask { round: 1, endpoint: node(1) };
    world.refresh.handle_answer(world.now, &stray, Some(other.clone()));
    world.trigger(Trigger::Moved);
    world.run(ms(320));
    assert!(world.refresh.round.is_some());
    let round = world.asks[0].1.round;
    for (round, port) in [(1, 1), (round + 1, 2), (round, 9), (round, 4)] {
        let stray = Ask { round, endpoint: node(port) };
        world.refresh.handle_answer(world.now, &stray, Some(other.clone()));
    }
    // One node speaks three times: it still counts once.
    for _ in 0..3 {
        let ask = Ask { round, endpoint: node(1) };
        world.refresh.handle_answer(world.now, &ask, Some(three()));
        world.drain();
    }
    assert!(world.outcomes.is_empty() && world.refresh.round.is_some());
    world.run(ms(100));
    assert_eq!(world.found(), [three()]);
}

#[test]
fn the_best_answer_is_taken() {
    let mut world = World::settled(1, &three());
    let partial = View::new([three().shards()[0].clone()]).unwrap();
    world.set(1, Manner::Answers(ms(1), Some(partial.clone())));
    world.set(2, Manner::Answers(ms(2), Some(three())));
    world.set(3, Manner::Answers(ms(3), Some(partial)));
    world.trigger(Trigger::Moved);
    world.run(ms(1000));
    assert_eq!(world.found(), [three()]);
}

#[test]
fn after_a_success_failures_count_from_the_start() {
    for seed in 0..50 {
        let mut world = World::settled(seed, &three());
        for _ in 0..2 {
            for port in 1..=9 {
                world.set(port, Manner::Answers(ms(1), None));
            }
            world.forget();
            world.trigger(Trigger::Moved);
            world.run(ms(20_000));
            let starts = world.starts();
            // The interval, a pause as long at the most, and the jitter.
            assert!(starts[1] - starts[0] <= ms(250 + 250 + 63), "seed {seed}");
            world.all(&three());
            world.run(ms(5000));
        }
    }
}

#[test]
fn odd_options_do_no_harm() {
    let options = RefreshOptions {
        interval: Duration::ZERO,
        period: Some(Duration::ZERO),
        deadline: Duration::ZERO,
        asks: 0,
        patience: Duration::ZERO,
        linger: Duration::ZERO,
        timeouts: 0,
    };
    let mut world = World::with(options, 1, &three());
    world.refresh.handle_timed_out(world.now, &node(1));
    world.run(ms(20_000));
    assert!(world.outcomes.len() >= 10, "it goes on");
    let mut world = World::with(RefreshOptions { asks: 0, ..RefreshOptions::default() }, 1, &three());
    world.run(ms(1));
    assert_eq!((world.found(), world.asks.len()), (vec![three()], 1));

    let longest = Duration::MAX;
    let options = RefreshOptions {
        interval: longest,
        period: Some(longest),
        deadline: longest,
        asks: usize::MAX,
        patience: longest,
        linger: longest,
        timeouts: u32::MAX,
    };
    let mut world = World::with(options, 1, &three());
    world.run(ms(1));
    assert_eq!((world.found(), world.refresh.poll_timeout()), (vec![three()], None));
    world.trigger(Trigger::Lost(&node(1)));
    assert_eq!(world.refresh.poll_timeout(), None);

    let mut alone = Refresh::new(RefreshOptions::default(), vec![], Rng::with_seed(1), Instant::ORIGIN);
    alone.handle_timeout(Instant::ORIGIN);
    assert_eq!(alone.poll_outcome(), Some(Outcome::Failed));
    assert!(alone.poll_timeout() >= Some(Instant::ORIGIN + ms(250)));
}

/// Whatever happens, refreshes are one at a time and an interval apart, each ends by its deadline, and when
/// the nodes answer again there is a view.
#[test]
fn any_course_of_events() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let views = [three(), view(&[(4, &[1]), (2, &[]), (3, &[6])]), view(&[(7, &[8])])];
        let mut world = World::new(seed, &views[0]);
        for _ in 0..rng.usize(1..60) {
            let port = node(rng.u16(1..=9));
            match rng.u8(0..9) {
                0 => world.trigger(Trigger::Moved),
                1 => world.trigger(Trigger::Lost(&port)),
                2 => world.trigger(Trigger::NotPrimary(&port)),
                3 => world.trigger(Trigger::ClusterDown(&port)),
                4 => world.refresh.handle_timed_out(world.now, &port),
                5 => world.refresh.handle_alive(&port),
                6 => _ = world.manners.insert(port, Manner::Silent),
                7 => {
                    let view = rng.choice(&views).filter(|_| rng.u8(0..4) > 0).cloned();
                    world.manners.insert(port, Manner::Answers(ms(rng.u64(0..700)), view));
                }
                _ => world.run(ms(rng.u64(0..3000))),
            }
        }
        world.all(&views[1]);
        world.run(ms(20_000));
        world.trigger(Trigger::Moved);
        world.run(ms(1000));
        assert_eq!(world.found().last(), Some(&views[1]), "seed {seed}");
        let starts = world.starts();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= ms(250)), "seed {seed}");
        let under_way = starts.len() - world.outcomes.len();
        assert!(under_way <= 1, "seed {seed}: {under_way} at a time");
        for (start, (end, _)) in starts.iter().zip(&world.outcomes) {
            assert!(*end - *start <= ms(5000), "seed {seed}");
        }
    }
}
