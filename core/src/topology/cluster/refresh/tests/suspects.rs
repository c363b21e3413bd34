//! Nodes that do not answer, and those whose word is doubtful.

use super::world::{Manner, World, ms, node, three, view};
use super::*;

#[test]
fn suspects_and_doubted_nodes_are_asked_last() {
    for seed in 0..20 {
        let (first, second) = (node(1), node(2));
        let triggers = [
            (Trigger::Lost(&first), node(1)),
            (Trigger::NotPrimary(&second), node(2)),
            (Trigger::ClusterDown(&second), node(2)),
        ];
        for (trigger, suspect) in triggers {
            let mut world = World::settled(seed, &three());
            world.trigger(trigger);
            world.run(ms(400));
            let asked = world.asked();
            assert!(asked.len() == 3 && !asked.contains(&suspect), "{trigger:?}: {asked:?}");
            world.refresh.handle_alive(&suspect);
            world.forget();
            world.trigger(Trigger::Moved);
            world.run(ms(1000));
            assert!(world.asked().contains(&suspect), "{trigger:?}: it is for one refresh");
        }
    }
    // When nobody else answers, even they are asked.
    let mut world = World::settled(1, &three());
    for port in 1..=9 {
        world.set(port, Manner::Answers(ms(1), None));
    }
    world.trigger(Trigger::Lost(&node(1)));
    world.run(ms(400));
    assert_eq!(world.asked()[6], node(1));
}

#[test]
fn timeouts_in_a_row_make_a_suspect() {
    let mut world = World::settled(1, &three());
    let frozen = node(1);
    for _ in 0..2 {
        world.refresh.handle_timed_out(world.now, &frozen);
        world.refresh.handle_timed_out(world.now, &frozen);
        world.refresh.handle_alive(&frozen);
    }
    world.refresh.handle_timed_out(world.now, &frozen);
    world.refresh.handle_timed_out(world.now, &frozen);
    world.refresh.handle_timed_out(world.now, &node(2));
    world.refresh.handle_timed_out(world.now, &node(77));
    world.run(ms(10_000));
    assert!(world.asks.is_empty(), "not three in a row");
    world.refresh.handle_timed_out(world.now, &frozen);
    world.run(ms(100));
    assert!(world.asks.len() == 3 && !world.asked().contains(&frozen));
}

#[test]
fn a_suspected_primary_is_watched_until_it_is_replaced() {
    let mut world = World::settled(1, &three());
    world.set(1, Manner::Silent);
    let frozen = node(1);
    world.trigger(Trigger::Lost(&frozen));
    world.run(ms(2000));
    let starts = world.starts();
    assert!((5..=9).contains(&starts.len()), "{} in the first 2 s", starts.len());
    world.run(ms(58_000));
    let starts = world.starts();
    assert!((90..=130).contains(&starts.len()), "{} in a minute", starts.len());
    for pair in starts.windows(2) {
        let (age, apart) = (pair[0] - Instant::ORIGIN, pair[1] - pair[0]);
        let most = if age < ms(30_000) { ms(330) } else { age / 8 + ms(70) };
        assert!(apart <= most, "{apart:?} after {age:?}");
    }
    assert!(!world.asked().contains(&frozen), "the others are asked");

    let promoted = view(&[(4, &[]), (2, &[5]), (3, &[6])]);
    world.all(&promoted);
    world.run(ms(9000));
    assert_eq!(world.found().last(), Some(&promoted));
    world.forget();
    world.run(ms(40_000));
    assert!(world.asks.is_empty(), "all is well");
}

#[test]
fn that_a_suspect_is_lost_again_is_no_news() {
    let course = |again: bool| {
        let mut world = World::settled(1, &three());
        for _ in 0..600 {
            if again {
                world.refresh.handle_timed_out(world.now, &node(1));
            }
            if again || world.now < Instant::ORIGIN + ms(10) {
                world.trigger(Trigger::Lost(&node(1)));
            }
            world.run(ms(100));
        }
        world.asks
    };
    assert_eq!(course(true), course(false));
}

#[test]
fn an_old_suspect_does_not_slow_down_the_search_for_a_new_one() {
    let mut world = World::settled(1, &three());
    world.trigger(Trigger::Lost(&node(1)));
    world.run(ms(600_000));
    world.forget();
    world.trigger(Trigger::Lost(&node(2)));
    world.run(ms(2000));
    assert!((5..=9).contains(&world.starts().len()), "{} in 2 s", world.starts().len());
}

#[test]
fn nodes_that_have_left_are_forgotten() {
    let mut world = World::settled(1, &three());
    for port in 1..=9 {
        world.set(port, Manner::Answers(ms(20), Some(view(&[(7, &[])]))));
    }
    world.trigger(Trigger::Moved);
    while world.refresh.round.is_none() {
        world.run(ms(1));
    }
    world.refresh.handle_timed_out(world.now, &node(1));
    world.trigger(Trigger::NotPrimary(&node(2)));
    world.trigger(Trigger::Lost(&node(3)));
    let held = |refresh: &Refresh| [refresh.timeouts.len(), refresh.suspects.len(), refresh.doubted.len()];
    assert_eq!(held(&world.refresh), [1, 1, 1]);
    world.run(ms(30));
    assert_eq!((world.found().len(), held(&world.refresh)), (1, [0, 0, 1]));
    world.run(ms(400));
    assert_eq!((world.found().len(), held(&world.refresh)), (2, [0, 0, 0]), "doubts hold for one refresh");
}

#[test]
fn a_suspect_that_answers_is_none() {
    let mut world = World::settled(1, &three());
    world.trigger(Trigger::Lost(&node(1)));
    world.run(ms(1000));
    world.refresh.handle_alive(&node(1));
    world.run(ms(400));
    world.forget();
    world.run(ms(40_000));
    assert!(world.asks.is_empty());
}

#[test]
fn a_lost_replica_is_no_reason_to_go_on() {
    let mut world = World::settled(1, &three());
    world.trigger(Trigger::Lost(&node(4)));
    world.run(ms(40_000));
    assert_eq!(world.starts().len(), 1);
}
