//! Subscriptions in a cluster whose nodes come and go.

use super::*;
use crate::pubsub::{Intent, Kind, SubscriptionId};

/// Subscribes to the sharded channel `x`, of slot 16287, which 3 serves.
fn subscribed() -> World {
    let mut world = World::start();
    let intent = Intent::Subscribe {
        subscription: SubscriptionId(1),
        call: 2,
        kind: Kind::Shard,
        names: vec!["x".into()],
        everywhere: false,
        within: None,
    };
    world.engine.handle_intent(at(world.now), intent);
    world.drain();
    world.open(3);
    assert_eq!(world.told(3), "SSUBSCRIBE x;");
    world.answer(3, "*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n");
    world
}

#[test]
fn a_node_that_leaves_takes_the_connection_of_its_subscriptions_with_it() {
    let mut world = subscribed();
    world.look_for_nowhere();
    world.wait(250);
    world.tell_slots(1, &[(0, 5460, &[1, 4]), (5461, 16383, &[2])]);
    assert!(!world.conns.contains_key(&3), "it is not a node of the cluster any more");
    world.open(2);
    assert_eq!(world.told(2), "SSUBSCRIBE x;", "the channel is where its slot is");
}

#[test]
fn the_number_of_a_node_with_subscriptions_does_not_become_anothers() {
    let world = subscribed();
    let node = world.engine.listeners.node_of(world.conns[&3]).unwrap();
    assert!(!world.engine.is_unused(node));
}
