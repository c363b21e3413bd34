//! Scenarios with a cluster in the simulated world: each is a promise that is easier to show than to find, or
//! a defect that a seed once found.
//!
//! Some are compared with traces that were read by people. Set `REDSTART_BLESS=1` to write them anew; review
//! the difference before committing it.

use std::path::PathBuf;
use std::time::Duration;

use redstart_core::command::Value;
use redstart_core::config::Protocol;
use redstart_core::error::{Delivery, Error, ErrorKind};
use redstart_tests::sim::{
    Addresses, Afterlife, ClusterSetup, Job, Lie, Op, Options, Plan, Setup, Shape, Sim, Trouble, Troubles,
    slot_of, slot_of_channel,
};

/// Hash tags whose keys are on the first, the second and the third primary at first.
const TAGS: [u8; 3] = [21, 6, 0];

fn with(cluster: ClusterSetup) -> Sim {
    let sim = Sim::new(Setup {
        protocol: Protocol::Resp2,
        cluster: Some(cluster),
        response_timeout: Duration::from_secs(2),
        ..Setup::default()
    });
    for (node, tag) in TAGS.into_iter().enumerate() {
        assert_eq!(sim.owner_of(tag), node);
    }
    sim
}

/// A client that is connected to all primaries of a cluster.
fn ready_with(cluster: ClusterSetup) -> Sim {
    let mut sim = with(cluster);
    for tag in TAGS {
        sim.single_in(tag, Op::Get);
    }
    sim.run_for(1000);
    sim
}

fn ready() -> Sim {
    ready_with(ClusterSetup::default())
}

fn error(sim: &Sim, call: usize) -> &Error {
    let [Err(error)] = sim.outcomes(call).expect("the call has ended") else { panic!("it succeeded") };
    error
}

fn is_ok(sim: &Sim, call: usize) -> bool {
    sim.outcomes(call).is_some_and(|outcomes| outcomes.iter().all(Result::is_ok))
}

/// All oracles hold for what has happened so far.
fn assert_sound(sim: &Sim) {
    assert_eq!(sim.judge(), Ok(()), "{}", sim.text());
}

/// The trace is the one that was read by people.
fn assert_trace(sim: &Sim, name: &str) {
    assert_sound(sim);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots/sim").join(name);
    if std::env::var_os("REDSTART_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(&path, sim.text()).expect("the snapshot can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(sim.text(), expected, "the trace differs from {}", path.display());
}

#[test]
fn a_slot_that_has_moved() {
    let mut sim = ready();
    sim.move_slots(slot_of(TAGS[0]), slot_of(TAGS[0]), 1);
    let first = sim.single_in(TAGS[0], Op::Incr);
    sim.run_for(10);
    let second = sim.single_in(TAGS[0], Op::Incr);
    sim.run_for(200);
    assert!(is_ok(&sim, first) && is_ok(&sim, second), "{}", sim.text());
    assert_trace(&sim, "cluster_slot_moved.txt");
}

#[test]
fn a_slot_that_leaves_key_by_key() {
    let mut sim = ready();
    let tag = TAGS[0];
    let push = sim.single_in(tag, Op::Push);
    let both = sim.single_in(tag, Op::MSet);
    sim.run_for(10);
    sim.migrate(slot_of(tag), 2, 60);
    let jobs = [Op::Get, Op::Incr].map(|op| Job { tag: Some(tag), ..Job::new(op) });
    let transaction = sim.call(Plan::new(Shape::Transaction, jobs));
    let pair = sim.single_in(tag, Op::MGet);
    let late = sim.single_in(tag, Op::Push);
    sim.run_for(30);
    let later = sim.single_in(tag, Op::Push);
    sim.run_for(300);
    for call in [push, both, transaction, pair, late, later] {
        assert!(is_ok(&sim, call), "{}", sim.text());
    }
    assert_eq!(sim.outcomes(later), Some(&[Ok(Value::Integer(3))][..]));
    assert_eq!(sim.owner_of(tag), 2);
    assert_trace(&sim, "cluster_slot_migrating.txt");
}

#[test]
fn a_primary_that_stands_still_is_replaced() {
    let mut sim = ready();
    sim.stall_node(0);
    let lost = sim.single_in(TAGS[0], Op::Incr);
    sim.run_for(120);
    let parked = sim.single_in(TAGS[0], Op::Incr);
    let elsewhere = sim.single_in(TAGS[1], Op::Incr);
    sim.run_for(4);
    assert!(is_ok(&sim, elsewhere), "one node delays no other: {}", sim.text());
    sim.run_for(300);
    assert!(is_ok(&sim, parked), "{}", sim.text());
    assert_eq!(error(&sim, lost).delivery(), Delivery::MaybeExecuted);
    sim.wake_node(0);
    sim.run_for(100);
    assert_eq!((sim.runs(lost), sim.runs(parked)), (vec![1], vec![1]));
    assert_trace(&sim, "cluster_failover.txt");
}

#[test]
fn a_node_whose_word_is_wrong() {
    let mut sim = ready();
    sim.let_lie(1, Some(Lie::PortZero));
    sim.move_slots(0, 5461, 2);
    let calls = TAGS.map(|tag| sim.single_in(tag, Op::Incr));
    sim.run_for(200);
    assert!(calls.into_iter().all(|call| is_ok(&sim, call)), "{}", sim.text());
    assert_trace(&sim, "cluster_poisoned_topology.txt");
}

#[test]
fn whatever_nodes_say_of_the_slots_the_client_goes_on() {
    for lie in Lie::ALL {
        // If all know of half of the slots only, the others are nobody's.
        for liars in if lie == Lie::Partial { 1..2 } else { 1..7 } {
            let mut sim = ready();
            (0..liars).for_each(|node| sim.let_lie(node, Some(lie)));
            sim.move_slots(slot_of(TAGS[2]), slot_of(TAGS[2]), 1);
            for _ in 0..10 {
                let calls = TAGS.map(|tag| sim.single_in(tag, Op::Incr));
                sim.run_for(50);
                assert!(calls.into_iter().all(|call| is_ok(&sim, call)), "{lie:?} {liars}: {}", sim.text());
            }
            assert_sound(&sim);
        }
    }
}

#[test]
fn a_primary_that_hands_over_costs_nobody_a_call() {
    let mut options = Options { gossip: 300_000_000, ..Options::default() };
    for addresses in [Addresses::Addresses, Addresses::Names, Addresses::Unknown] {
        options.addresses = addresses;
        let mut sim = ready_with(ClusterSetup { options: options.clone(), ..ClusterSetup::default() });
        sim.hand_over(0);
        let calls: Vec<_> = (0..24).map(|tag| sim.single_in(tag, Op::Push)).collect();
        sim.run_for(100);
        assert!(calls.into_iter().all(|call| is_ok(&sim, call)), "{}", sim.text());
        assert_sound(&sim);
    }
}

#[test]
fn nodes_that_send_clients_in_a_circle_are_left_after_sixteen_steps() {
    let slot = slot_of(TAGS[0]);
    for to in ["10.0.0.2:7000", "10.0.0.1:7000"] {
        let mut sim = ready();
        sim.send_astray(0, slot, Some(to));
        let call = sim.single_in(TAGS[0], Op::Incr);
        sim.run_for(1500);
        let ErrorKind::TooManyRedirects { path, .. } = error(&sim, call).kind() else {
            panic!("{:?}", error(&sim, call));
        };
        assert_eq!((path.len(), sim.runs(call)), (16, vec![0]), "{}", sim.text());
        sim.send_astray(0, slot, None);
        let call = sim.single_in(TAGS[0], Op::Incr);
        sim.run_for(500);
        assert!(is_ok(&sim, call), "{}", sim.text());
        assert_sound(&sim);
    }
}

#[test]
fn a_node_that_has_left_may_be_a_strangers_address_later() {
    let mut cluster = ClusterSetup { seeds: vec![0, 1], ..ClusterSetup::default() };
    cluster.refresh.period = Some(Duration::from_millis(100));
    let mut sim = ready_with(cluster);
    sim.part_with(0, 1, Afterlife::Recycled);
    for _ in 0..40 {
        let calls = TAGS.map(|tag| sim.single_in(tag, Op::Incr));
        sim.run_for(50);
        assert!(calls.into_iter().all(|call| is_ok(&sim, call)), "{}", sim.text());
    }
    assert_sound(&sim);
}

#[test]
fn a_long_migration_is_no_circle() {
    let mut sim = ready();
    let tag = TAGS[0];
    sim.migrate(slot_of(tag), 2, 1800);
    let jobs = [Op::Get, Op::Incr].map(|op| Job { tag: Some(tag), ..Job::new(op) });
    let call = sim.call(Plan::new(Shape::Transaction, jobs));
    sim.run_for(3000);
    assert!(is_ok(&sim, call), "{}", sim.text());
    assert_sound(&sim);
}

/// Else calls wait until the oldest request on the dead connection times out.
#[test]
fn a_dead_connection_with_a_node_that_is_well_is_left_within_the_time_of_a_suspect() {
    let mut sim = ready();
    let mut lost = Vec::new();
    // The way may be bad more than once.
    for _ in 0..3 {
        sim.cut_off(0);
        lost.push(sim.single_in(TAGS[0], Op::Incr));
        // It is a suspect by now.
        sim.run_for(101);
        let waits = sim.single_in(TAGS[0], Op::Incr);
        sim.run_for(35);
        assert!(is_ok(&sim, waits), "{}", sim.text());
    }
    sim.run_for(2000);
    for call in lost {
        assert_eq!(error(&sim, call).delivery(), Delivery::MaybeExecuted);
    }
    assert_sound(&sim);
}

/// A client that looks at the cluster again and again, whatever nodes say.
fn curious() -> Sim {
    let mut cluster = ClusterSetup { seeds: vec![0, 1, 2], ..ClusterSetup::default() };
    cluster.refresh.period = Some(Duration::from_millis(60));
    ready_with(cluster)
}

/// The client asks, and each call goes where it belongs, in the time of one way there and back. Returns how often nodes
/// were asked.
fn assert_goes_on(sim: &mut Sim, what: &str) -> usize {
    let asked = sim.questions();
    for _ in 0..20 {
        sim.run_for(25);
        let calls = TAGS.map(|tag| sim.single_in(tag, Op::Incr));
        sim.run_for(5);
        assert!(calls.into_iter().all(|call| is_ok(sim, call)), "{what}: {}", sim.text());
    }
    // One with each node, since whoever has no good answer asks all.
    assert!(sim.connections() <= 6, "{what}: {}", sim.text());
    assert_sound(sim);
    sim.questions() - asked
}

/// What is said leads to no other place, not even for a moment, and costs nobody a connection.
#[test]
fn what_cannot_be_of_the_slots_changes_nothing() {
    for lie in [
        Lie::Empty,
        Lie::Overlap,
        Lie::PortZero,
        Lie::PortHuge,
        Lie::SlotBeyond,
        Lie::UnknownHosts,
        Lie::Shapeless,
        Lie::Refused,
    ] {
        let mut sim = curious();
        (0..7).for_each(|node| sim.let_lie(node, Some(lie)));
        let asked = assert_goes_on(&mut sim, &format!("{lie:?}"));
        assert!(asked >= 6, "{lie:?}: asked {asked} times");
    }
}

#[test]
fn of_several_answers_the_most_complete_counts() {
    for liar in 0..6 {
        let mut sim = curious();
        sim.let_lie(liar, Some(Lie::Partial));
        let asked = assert_goes_on(&mut sim, &format!("node {liar}"));
        assert!(asked >= 12, "node {liar}: asked {asked} times");
    }
}

#[test]
fn a_sharded_subscription_follows_its_slot_although_nothing_but_its_node_says_so() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let troubles = Troubles::none().with(Trouble::Moves);
        let cluster = Some(ClusterSetup { troubles, ..ClusterSetup::default() });
        let mut sim = Sim::new(Setup { protocol, cluster, readers: 1, ..Setup::default() });
        sim.listen(0);
        sim.run_for(200);
        sim.publish(0);
        sim.run_for(10);
        assert_eq!(sim.told(), (1, 0), "{}", sim.text());
        let slot = slot_of_channel(0);
        sim.move_slots(slot, slot, 0);
        sim.run_for(500);
        sim.publish(0);
        sim.run_for(10);
        assert_eq!(sim.told(), (2, 1), "{}", sim.text());
        assert_sound(&sim);
    }
}
