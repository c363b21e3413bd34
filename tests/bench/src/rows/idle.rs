//! What a connection holds that nobody uses.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Builder;

use super::outside::{self, Job};
use super::work::{self, Work};
use super::{Choice, Group, Row};
use crate::contender::{Suite, redis_benchmark, redstart};
use crate::floor;
use crate::measure::Result;
use crate::quantity::{Figures, Goal, Quantity, Than};
use crate::server::Server;
use crate::system;

pub const NAME: &str = "idle";

/// So many connections, which were used for this, and left alone for so long.
struct Kind {
    connections: u64,
    used: Work,
    left: Duration,
    title: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind {
        connections: 1000,
        used: Work::Get { tasks: 1 },
        left: Duration::from_millis(200),
        title: "1,000 connections, each used once",
    },
    Kind {
        connections: 9_000,
        used: Work::Get { tasks: 1 },
        left: Duration::from_millis(200),
        title: "9,000 connections, each used once",
    },
    Kind {
        connections: 100,
        used: Work::Get { tasks: 256 },
        left: Duration::from_secs(11),
        title: "100 connections, 10 s after 256 tasks have used each",
    },
    Kind {
        connections: 100,
        used: Work::Load { size: 1 << 20 },
        left: Duration::from_secs(11),
        title: "100 connections, 10 s after a GET of 1 MiB by each",
    },
];

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    choice.cpus.pin(false)?;
    let mut rows = Vec::new();
    for kind in &KINDS {
        if choice.quick || !choice.wants(kind.title) {
            continue;
        }
        let server = Server::start()?;
        work::prepare(&server)?;
        let mut figures = Vec::new();
        // It opens a connection whenever it is run, and keeps none.
        for &(name, _) in suite.shared.iter().filter(|(name, _)| *name != redis_benchmark::NAME) {
            let job = Job {
                family: NAME.into(),
                row: kind.title.into(),
                name: name.into(),
                passes: kind.connections,
                servers: server.addresses.clone(),
            };
            let kilobytes = outside::resident(&job)? / kind.connections as f64;
            let values = BTreeMap::from([(Quantity::Resident, kilobytes)]);
            figures.push(Figures { name, values, spread: 0.0 });
        }
        let least = [redstart::NAME, redstart::ASYNC_STD];
        let goals = least.map(|who| Goal { who, what: Quantity::Resident, than: Than::Fixed, factor: 4.0 });
        rows.push(Row { title: kind.title.to_owned(), figures, goals: goals.into() });
    }
    Ok(Group {
        name: NAME,
        title: "Idle connections",
        note: "KiB per connection that are resident in a process of its own besides those of before, pages of its \
               program not counted; current_thread Tokio.",
        floor: floor::LOOP,
        main: Quantity::Resident,
        beside: &[],
        rows,
    })
}

/// What a child process does.
pub fn run(suite: &Suite, job: &Job) -> Result<(u64, u64)> {
    system::raise_file_limit()?;
    let kind = KINDS.iter().find(|kind| kind.title == job.row).ok_or("no such row")?;
    let who = suite.shared.iter().find(|(name, _)| *name == job.name);
    let (name, connect) = who.ok_or("no such contender")?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    // The runtime's own part, the allocator's, and what the first call of a process takes come first.
    let first = connect(name, runtime.clone(), &job.servers)?;
    if let Some(mut lane) = first(Work::Get { tasks: 1 }) {
        lane.run(1)?;
    }
    let before = system::anonymous()?;
    let mut open = vec![first];
    for _ in 0..job.passes {
        let make = connect(name, runtime.clone(), &job.servers)?;
        if let Some(mut lane) = make(kind.used) {
            lane.run(1)?;
        }
        open.push(make);
    }
    runtime.block_on(async { tokio::time::sleep(kind.left).await });
    let after = system::anonymous()?;
    Ok((job.passes, after.saturating_sub(before)))
}
