//! The rows with servers, and what is asked of Redstart in each.

use super::online::Online;
use super::work::{SIZES, Work};
use crate::contender::redstart::{ASYNC_STD, BLOCKING, NAME};
use crate::floor::{LOOP, MUX};
use crate::quantity::{Goal, Quantity, Than};

const fn goal(who: &'static str, what: Quantity, than: Than, factor: f64) -> Goal {
    Goal { who, what, than, factor }
}

const fn cpu(than: Than, factor: f64) -> Goal {
    goal(NAME, Quantity::Cpu, than, factor)
}

const FLOOR: Than = Than::Floor(MUX);
const BEST: Than = Than::BestPeer;

/// No more CPU than this many floors, no more allocations than that.
fn shared(factor: f64, allocations: f64) -> Vec<Goal> {
    vec![cpu(FLOOR, factor), goal(NAME, Quantity::Allocations, Than::Fixed, allocations)]
}

const ON_TOKIO: &[Quantity] =
    &[Quantity::PerSecond, Quantity::Allocations, Quantity::Bytes, Quantity::SystemCalls];

/// Tasks of one thread that share a client.
pub fn e2e() -> Online {
    let async_std = goal(ASYNC_STD, Quantity::Cpu, BEST, 1.0);
    let busy = [cpu(BEST, 0.5), goal(NAME, Quantity::PerSecond, FLOOR, 0.8), async_std];
    Online {
        name: "e2e",
        title: "One connection, shared by tasks of one thread",
        note: "Client and server pinned together on one CPU; Tokio's current_thread runtime, but for async-std.",
        who: |suite| &suite.shared,
        floor: MUX,
        main: Quantity::Cpu,
        beside: ON_TOKIO,
        pinned: true,
        workers: 1,
        nodes: 1,
        works: vec![
            (Work::Get { tasks: 1 }, shared(1.05, 1.0)),
            (Work::Get { tasks: 16 }, shared(1.25, 1.0)),
            (Work::Get { tasks: 64 }, [&shared(1.35, 1.0)[..], &busy].concat()),
            (Work::Set { tasks: 64 }, [&shared(1.35, 0.0)[..], &[cpu(BEST, 0.5)]].concat()),
            (Work::Get { tasks: 256 }, [&shared(1.4, 1.0)[..], &[async_std]].concat()),
            (Work::Get { tasks: 1024 }, [&shared(1.4, 1.0)[..], &[async_std]].concat()),
            (Work::Pipeline { depth: 100 }, shared(1.2, 1.0)),
            (Work::Pipeline { depth: 10_000 }, shared(1.5, 1.0)),
        ],
    }
}

/// The same where the system moves threads as it likes.
pub fn unpinned() -> Online {
    let works = e2e().works.into_iter().map(|(work, _)| (work, Vec::new())).collect();
    Online {
        name: "unpinned",
        title: "The same, not pinned",
        note: "Client and server wherever the system puts them: a wake-up across CPUs costs more than any client \
               does. No goals.",
        beside: &[Quantity::PerSecond],
        pinned: false,
        works,
        ..e2e()
    }
}

/// Large replies.
pub fn large() -> Online {
    let memory = |factor| goal(NAME, Quantity::Resident, BEST, factor);
    let time = goal(NAME, Quantity::Wall, BEST, 1.0);
    let whole = goal(NAME, Quantity::Resident, Than::Fixed, 1.2 * 16.0 * 1024.0);
    Online {
        name: "large",
        title: "Large replies",
        note: "Pinned, one task. Memory is what a fresh process holds at the most besides what it held when it was \
               connected.",
        beside: &[Quantity::Cpu, Quantity::Resident, Quantity::SystemCalls, Quantity::Allocations],
        main: Quantity::Wall,
        works: vec![
            (Work::List, vec![cpu(FLOOR, 1.0)]),
            (Work::Load { size: 1 << 20 }, vec![time, memory(1.0)]),
            (Work::Load { size: 16 << 20 }, vec![time, memory(1.0), whole]),
        ],
        ..e2e()
    }
}

/// Several nodes.
pub fn cluster() -> Online {
    Online {
        name: "cluster",
        title: "A cluster of three primaries",
        note: "Pinned, current_thread. redis-rs pipelines to one node only, so it is given all GETs at once.",
        who: |suite| &suite.cluster,
        floor: LOOP,
        nodes: 3,
        works: vec![
            (Work::Get { tasks: 64 }, vec![cpu(BEST, 0.35)]),
            (Work::Pipeline { depth: 100 }, vec![cpu(BEST, 0.35)]),
        ],
        ..e2e()
    }
}

/// Several threads that share a client.
pub fn threads() -> Online {
    let least = [cpu(BEST, 0.7), goal(NAME, Quantity::PerSecond, BEST, 1.0)];
    let busy = [&least[..], &[goal(ASYNC_STD, Quantity::Cpu, BEST, 1.0)]].concat();
    Online {
        name: "threads",
        title: "One connection, shared by tasks of two threads",
        note: "Tokio's multi_thread runtime with two workers, and async-std with its two; not pinned.",
        beside: &[Quantity::PerSecond, Quantity::Allocations],
        pinned: false,
        workers: 2,
        works: vec![
            (Work::Get { tasks: 16 }, least.to_vec()),
            (Work::Get { tasks: 64 }, busy.clone()),
            (Work::Get { tasks: 256 }, busy.clone()),
            (Work::Get { tasks: 1024 }, busy),
        ],
        ..e2e()
    }
}

/// No runtime.
pub fn blocking() -> Online {
    let cpu = |factor| goal(BLOCKING, Quantity::Cpu, Than::Floor(LOOP), factor);
    Online {
        name: "blocking",
        title: "One thread without a runtime",
        note: "Pinned.",
        who: |suite| &suite.blocking,
        floor: LOOP,
        works: vec![
            (
                Work::Get { tasks: 1 },
                vec![cpu(1.02), goal(BLOCKING, Quantity::SystemCalls, Than::Fixed, 2.0)],
            ),
            (Work::Pipeline { depth: 100 }, vec![cpu(1.5)]),
            (Work::Pipeline { depth: 10_000 }, vec![]),
        ],
        ..e2e()
    }
}

/// Messages of a channel.
pub fn pubsub() -> Online {
    Online {
        name: "pubsub",
        title: "Messages of a channel",
        note: "Pinned, current_thread. A script publishes 10,000 messages at once.",
        who: |suite| &suite.subscribers,
        works: vec![(Work::Messages, vec![cpu(FLOOR, 1.5)])],
        ..e2e()
    }
}

/// Values of all sizes.
pub fn sizes() -> Online {
    let load = SIZES.map(|(size, _)| (Work::Load { size }, Vec::new()));
    let store = SIZES.map(|(size, _)| (Work::Store { size }, Vec::new()));
    Online {
        name: "sizes",
        title: "Values of all sizes",
        note: "Pinned, one task.",
        beside: &[Quantity::Wall, Quantity::Allocations],
        works: load.into_iter().chain(store).collect(),
        ..e2e()
    }
}

/// Many clients, each with a connection of its own.
pub fn clients() -> Online {
    Online {
        name: "clients",
        title: "Many clients",
        note: "Pinned, current_thread; each client has a connection and a task of its own.",
        who: |suite| &suite.many,
        beside: &[Quantity::PerSecond, Quantity::Allocations],
        works: [1, 64, 1000].map(|tasks| (Work::Get { tasks }, Vec::new())).into(),
        ..e2e()
    }
}
