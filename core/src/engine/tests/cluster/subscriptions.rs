//! Subscriptions in a cluster whose nodes come and go.

use super::*;
use crate::pubsub::{Intent, Kind, SubscriptionId};

/// Subscribes to a sharded channel.
fn subscribe(world: &mut World, channel: &'static str) {
    let intent = Intent::Subscribe {
        subscription: SubscriptionId(1),
        call: 2,
        kind: Kind::Shard,
        names: vec![channel.into()],
        everywhere: false,
        within: None,
    };
    world.engine.handle_intent(at(world.now), intent);
    world.drain();
}

/// Subscribes to the sharded channel `x`, of slot 16287, which 3 serves.
fn subscribed() -> World {
    let mut world = World::start();
    subscribe(&mut world, "x");
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

#[test]
fn a_node_that_was_slow_takes_what_was_subscribed_meanwhile() {
    let mut world = World::speaking(Protocol::Resp3);
    world.send(1, Command::new("SET").key("b").arg(1));
    world.wait(700);
    assert!(world.dialled.contains_key(&1), "it is tried by another connection");
    subscribe(&mut world, "b");
    assert_eq!(world.told(1), "SET b 1;");
    world.answer(1, "+OK\r\n");
    assert!(!world.dialled.contains_key(&1), "which is not needed");
    assert_eq!(world.told(1), "SSUBSCRIBE b;");
}

/// The connection that is shared has nothing to answer then, so nothing more would come of it.
#[test]
fn a_refusal_that_has_the_node_connected_to_anew_lets_no_command_wait() {
    let mut world = World::start();
    world.send(1, write_a());
    world.open(3);
    world.answer(3, "+OK\r\n");
    world.told(3);
    let shared = world.conns[&3];
    subscribe(&mut world, "x");
    world.open(3);
    assert_eq!(world.told(3), "SSUBSCRIBE x;");
    world.answer(3, "-MOVED 16287 h:3\r\n");
    assert_eq!(world.engine.links.node_of(shared), None);
    world.send(3, write_a());
    world.wait(300);
    world.open(3);
    assert!(world.told(3).contains("SET a 1;"));
}
