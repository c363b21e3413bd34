//! A cluster of a thousand nodes whose neighbouring slots are all on different nodes, the largest answer that
//! there can be: how often the client asks, whom it connects to, and what it holds.

use std::time::Instant;

use bytes::BytesMut;
use peak_alloc::PeakAlloc;
use redstart_core::config::{Endpoint, Protocol};
use redstart_core::resp::{Decoder, Limits};
use redstart_core::topology::cluster::{Asked, SlotMap, View};
use redstart_tests::sim::{ClusterSetup, Op, Options, Setup, Sim, slot_of};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const NODES: usize = 1000;

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// What a client holds of a cluster: the answer, the view that is read out of it, and the map.
fn weigh_the_parts() {
    let entry = |slot: usize| {
        let node = slot % NODES;
        let (host, port) = (format!("10.0.{:03}.1", node % 200), 7000 + node);
        format!("*3\r\n:{slot}\r\n:{slot}\r\n*4\r\n$10\r\n{host}\r\n:{port}\r\n$40\r\n{node:040}\r\n*0\r\n")
    };
    let answer = format!("*16384\r\n{}", (0..16_384).map(entry).collect::<String>());
    let mut read = BytesMut::from(answer.as_bytes());
    drop(answer);

    let mut last = ALLOCATOR.current_usage();
    let mut weigh = |what: &str, most: f64| {
        let now = ALLOCATOR.current_usage();
        let weight = megabytes(now.saturating_sub(last));
        println!("{what}: {weight:.2} MB");
        assert!(weight <= most, "{what}: {weight} MB, not {most}");
        last = now;
    };
    let frame = Decoder::new(Limits::default()).decode(&mut read).expect("RESP").expect("all of it");
    weigh("the frame besides its bytes", 4.5);
    let seed = Endpoint::tcp("10.0.0.1", 7000);
    let view = View::from_slots(frame.item(), Asked::new(&seed)).expect("it can be true");
    weigh("the view", 0.5);
    let mut map = SlotMap::new();
    map.adopt(&view, redstart_core::Instant::ORIGIN).expect("it is not too large");
    weigh("the map", 0.5);
    assert_eq!((map.coverage(), map.members().count()), (16_384, NODES));
}

#[test]
fn a_thousand_nodes_cost_no_more_questions_than_three() {
    weigh_the_parts();
    let options = Options { primaries: NODES, replicas: 0, scattered: true, ..Options::default() };
    let cluster = ClusterSetup { options, seeds: vec![0, 1, 2], ..ClusterSetup::default() };
    let asks = cluster.refresh.asks;
    let mut sim = Sim::new(Setup {
        protocol: Protocol::Resp2,
        cluster: Some(cluster),
        with_text: false,
        ..Setup::default()
    });
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let started = Instant::now();
    let first = sim.single_in(0, Op::Incr);
    sim.run_for(150);
    assert!(sim.outcomes(first).is_some_and(|outcomes| outcomes[0].is_ok()));
    assert_eq!(sim.questions(), asks, "the first look at the cluster");
    assert!(sim.nodes_connected_to() <= asks + 1, "who is not needed is not connected to");
    let held = ALLOCATOR.current_usage().saturating_sub(before);
    println!(
        "first look: {:?}, {:.1} MB held, {:.1} MB at most",
        started.elapsed(),
        megabytes(held),
        megabytes(ALLOCATOR.peak_usage().saturating_sub(before)),
    );

    // One event, and then a storm of them, each slot told of by a MOVED of its own.
    let mut asked = sim.questions();
    for moved in [1, 24] {
        let started = Instant::now();
        for tag in 0..moved {
            let slot = slot_of(tag);
            sim.move_slots(slot, slot, usize::from(tag) + 900);
        }
        let calls: Vec<_> = (0..moved).map(|tag| sim.single_in(tag, Op::Incr)).collect();
        sim.run_for(150);
        for call in calls {
            assert!(sim.outcomes(call).is_some_and(|outcomes| outcomes[0].is_ok()));
        }
        let rounds = (sim.questions() - asked).div_ceil(asks);
        println!("{moved} slots moved: {rounds} refreshes, {:?}", started.elapsed());
        assert!(rounds <= 2, "{moved} slots moved: {rounds} refreshes");
        asked = sim.questions();
    }
    assert!(sim.nodes_connected_to() <= 24 + 24 + 4 * asks);
    assert_eq!(sim.judge(), Ok(()));
}
