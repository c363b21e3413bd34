//! Primaries that fail, and what sentinels make of it.

use super::world::{Manner, PRIMARY, REPLICA, Reply, SENTINEL, World, h, ms, s, word};
use super::*;

/// A search takes at most this long after it may start: the jitter, and three sentinels and a check.
const SEARCH: Duration = ms(63 + 3 + 1);

#[test]
fn a_lost_primary_is_watched_until_another_one_is_named() {
    for seed in 0..20 {
        let mut world = World::settled(seed);
        world.is(1, Reply::Refuses);
        world.trigger(Trigger::Suspect(&h(1)));
        world.run(ms(2000));
        let starts = world.starts();
        assert!((5..=9).contains(&starts.len()), "{} in the first 2 s", starts.len());
        assert_eq!(world.asked()[..6], [1, 2, 3, 1, 2, 3], "nobody lies, but others may know more");
        assert_eq!(world.checks.len(), starts.len(), "it may be back");
        let fault = SentinelFault::NoAnswer { node: h(1).to_string() };
        assert_eq!(world.faults()[0][2], (s(3).to_string(), fault));
        assert_eq!(world.discovery.primary(), Some(&h(1)));

        // Only the third knows already.
        world.is(2, PRIMARY);
        world.says(3, word(2, 1));
        let before = world.now;
        world.run(ms(1000));
        assert_eq!(world.found(), [h(2)]);
        let (at, _) = world.outcomes.last().unwrap();
        assert!(*at - before <= ms(250) + SEARCH, "seed {seed}: after {:?}", *at - before);
        world.forget();
        world.run(ms(40_000));
        assert!(world.asks.is_empty(), "all is well");
    }
}

#[test]
fn a_long_outage_is_watched_less_often() {
    let mut world = World::settled(1);
    world.is(1, Reply::Silent);
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(600_000));
    let starts = world.starts();
    assert!((700..=800).contains(&starts.len()), "{} in 10 minutes", starts.len());
    for pair in starts.windows(2) {
        let (age, apart) = (pair[0] - Instant::ORIGIN, pair[1] - pair[0]);
        let most = if age < ms(60_000) { ms(250) } else { ms(1000) };
        assert!(apart <= most + SEARCH, "{apart:?} after {age:?}");
    }
    world.forget();
    world.is(2, PRIMARY);
    world.all_say(&word(2, 1));
    world.run(ms(1100));
    assert_eq!(world.found(), [h(2)]);
}

#[test]
fn a_suspect_that_says_that_it_is_the_primary_is_none() {
    let mut world = World::settled(1);
    world.is(1, Reply::Silent);
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(1000));
    assert!(!world.discovery.is_settled());
    let replies = [(Reply::Refuses, false), (REPLICA, false), (PRIMARY, true)];
    for (part, is_settled) in replies {
        world.role(&h(1), &part);
        assert_eq!(world.discovery.is_settled(), is_settled, "{part:?}");
    }
    assert_eq!(world.found(), [h(1)], "it is confirmed");
    // The sentinels are asked once more: it may have been away for so long that it was replaced.
    world.is(1, PRIMARY);
    world.forget();
    world.run(ms(30_000));
    assert_eq!((world.starts().len(), world.found()), (1, vec![h(1)]));

    // Or it is asked by the search.
    let mut world = World::settled(1);
    world.is(1, REPLICA);
    world.role(&h(1), &REPLICA);
    world.run(ms(2000));
    assert!(!world.discovery.is_settled());
    world.is(1, PRIMARY);
    world.run(ms(500));
    assert_eq!((world.found().first(), world.discovery.is_settled()), (Some(&h(1)), true));
}

#[test]
fn a_primary_that_turns_out_to_be_none_is_found_by_polling() {
    for part in [REPLICA, Reply::Refuses, Reply::Silent] {
        let mut world = World::settled(1);
        world.is(1, part.clone());
        world.is(2, PRIMARY);
        world.says(3, word(2, 1));
        world.run(ms(80_000));
        assert_eq!(world.found(), [h(2)], "{part:?}");
        let lies = part == REPLICA;
        assert_eq!(world.asked(), [1, 2, 3]);
        world.trigger(Trigger::Switched(&s(9)));
        world.says(1, word(2, 1));
        world.says(2, word(2, 1));
        world.run(ms(320));
        assert_eq!(world.asked()[3], if lies { 2 } else { 1 }, "{part:?}: who named it could know better");
    }
}

#[test]
fn a_hint_is_only_a_hint() {
    let mut world = World::settled(1);
    world.run(ms(1000));
    // False alarm.
    world.trigger(Trigger::Switched(&s(3)));
    world.run(ms(100));
    assert_eq!((world.asked(), world.found()), (vec![3], vec![h(1)]));
    // The one that tells is asked first, and at once.
    world.forget();
    world.is(2, PRIMARY);
    world.says(2, word(2, 1));
    world.run(ms(1000));
    let before = world.now;
    world.trigger(Trigger::Switched(&s(2)));
    world.run(ms(100));
    assert_eq!((world.asked(), world.found()), (vec![2], vec![h(2)]));
    assert!(world.outcomes[0].0 - before <= SEARCH);
}

#[test]
fn who_is_cut_off_does_not_bring_back_an_old_primary() {
    let mut world = World::settled(1);
    world.is(2, PRIMARY);
    world.all_say(&word(2, 5));
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(400));
    assert_eq!(world.found(), [h(2)]);

    // The first to be asked is out of date, and what it names still takes itself for the primary.
    world.says(1, word(1, 0));
    world.forget();
    world.trigger(Trigger::Switched(&s(1)));
    world.run(ms(400));
    assert_eq!((world.asked(), world.found()), (vec![1, 2], vec![h(2)]));
    // Even if it is the only one that answers.
    world.set(2, Manner::Silent);
    world.set(3, Manner::Silent);
    world.forget();
    world.run(ms(300_000));
    let fault = SentinelFault::Outdated { node: h(1).to_string() };
    assert!(world.faults().len() > 10 && world.faults()[0].contains(&(s(1).to_string(), fault)));
    assert!(world.found().is_empty() && world.discovery.is_settled());
    assert!(world.checks.iter().all(|(_, server)| *server != h(1)));

    // But if the new one does not answer either, an old one is better than none: sentinels that were set up
    // anew begin to count from zero.
    world.is(2, Reply::Refuses);
    world.trigger(Trigger::Suspect(&h(2)));
    world.run(ms(4000));
    assert_eq!(world.found().first(), Some(&h(1)));
    assert_eq!(world.discovery.primary(), Some(&h(1)));
}

#[test]
fn who_is_cut_off_together_with_the_primary_is_not_believed_for_ever() {
    let mut world = World::with(&SentinelOptions::new("main", [s(1), s(2), s(3)]), 1);
    world.run(ms(2));
    world.says(2, word(2, 1));
    world.says(3, word(2, 1));
    world.is(2, PRIMARY);
    world.run(ms(12_000));
    assert_eq!((world.found().last(), world.discovery.primary()), (Some(&h(2)), Some(&h(2))));
    // From then on what the first says is out of date.
    world.forget();
    world.run(ms(40_000));
    assert!(world.asked().contains(&1) && world.found().iter().all(|primary| *primary == h(2)));
}

#[test]
fn of_outdated_words_the_newest_counts() {
    let mut world = World::settled(1);
    world.all_say(&word(2, 9));
    world.is(2, PRIMARY);
    world.trigger(Trigger::Switched(&s(1)));
    world.run(ms(400));
    assert_eq!(world.found(), [h(2)]);
    world.is(2, Reply::Refuses);
    world.is(3, PRIMARY);
    world.says(1, word(1, 3));
    world.says(2, word(3, 4));
    world.says(3, word(1, 3));
    world.trigger(Trigger::Suspect(&h(2)));
    world.run(ms(400));
    assert_eq!(world.discovery.primary(), Some(&h(3)));
}

#[test]
fn the_server_that_has_the_old_address_is_not_taken_for_the_primary() {
    // The address is another service's primary now: sentinels name the new one.
    let mut world = World::settled(1);
    world.trigger(Trigger::Suspect(&h(1)));
    world.role(&h(1), &PRIMARY);
    assert!(world.discovery.is_settled(), "as far as the client can know");
    world.is(2, PRIMARY);
    world.all_say(&word(2, 1));
    world.run(ms(400));
    assert_eq!(world.found().last(), Some(&h(2)), "the sentinels are asked all the same");

    // The address is a sentinel's now, or a replica's.
    for part in [SENTINEL, REPLICA] {
        let mut world = World::settled(1);
        world.trigger(Trigger::Suspect(&h(1)));
        world.is(1, part.clone());
        world.role(&h(1), &part);
        world.run(ms(2000));
        assert!(!world.discovery.is_settled(), "{part:?}");
        assert!(world.found().is_empty());
    }
}

#[test]
fn replicas_are_those_of_the_last_word_about_the_primary() {
    let mut world = World::settled(1);
    world.all_say(&Word { replicas: vec![h(2), h(3)], ..word(1, 0) });
    world.trigger(Trigger::Suspect(&h(2)));
    world.run(ms(400));
    let found = Outcome::Found { primary: h(1), replicas: vec![h(2), h(3)] };
    assert_eq!(world.outcomes[0].1, found);
    // While the primary does not answer, sentinels find no replica linked; reads can go on all the same.
    world.all_say(&Word { replicas: vec![], ..word(1, 0) });
    world.is(1, Reply::Refuses);
    world.trigger(Trigger::Suspect(&h(1)));
    world.run(ms(2000));
    world.role(&h(1), &PRIMARY);
    assert_eq!(world.outcomes.last().unwrap().1, found);
}

#[test]
fn at_the_start_a_failover_may_be_under_way() {
    let mut world = World::new(1);
    world.is(1, Reply::Refuses);
    world.run(ms(3000));
    assert!(world.found().is_empty());
    let apart = |world: &World| {
        let starts = world.starts();
        starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    };
    assert!(apart(&world) <= ms(375) + SEARCH, "the sentinels answer: {:?}", apart(&world));
    world.is(2, PRIMARY);
    world.all_say(&word(2, 1));
    world.run(ms(500));
    assert_eq!(world.found(), [h(2)]);
}

#[test]
fn that_a_suspect_is_suspected_again_is_no_news() {
    let course = |again: bool| {
        let mut world = World::settled(1);
        world.is(1, Reply::Refuses);
        for _ in 0..600 {
            if again || world.now < Instant::ORIGIN + ms(10) {
                world.trigger(Trigger::Suspect(&h(1)));
            }
            if again {
                world.role(&h(1), &Reply::Refuses);
            }
            world.run(ms(100));
        }
        world.asks
    };
    assert_eq!(course(true), course(false));
}
