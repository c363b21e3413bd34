//! End to end: commands against a redis-server, 16 B keys and 64 B values.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::{Choice, Group, Row};
use crate::contender::{Client, Endpoint, Kept, LaneMaker, Suite};
use crate::floor::{self, encode};
use crate::measure::{self, Lane, Result};
use crate::server::Server;

pub static KEYS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..1024).map(|i| format!("key:{i:012}")).collect());
pub const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a client is kept busy with. One pass is `depth` commands.
#[derive(Clone, Copy)]
pub enum Work {
    /// So many tasks, each of which waits for its reply before it goes on.
    Get {
        tasks: usize,
    },
    Set {
        tasks: usize,
    },
    /// One task that sends so many GETs together.
    Pipeline {
        depth: usize,
    },
}

const WORKS: [Work; 7] = [
    Work::Get { tasks: 1 },
    Work::Get { tasks: 64 },
    Work::Get { tasks: 256 },
    Work::Set { tasks: 1 },
    Work::Set { tasks: 64 },
    Work::Set { tasks: 256 },
    Work::Pipeline { depth: 100 },
];

impl Work {
    /// Commands under way at once.
    pub fn depth(self) -> usize {
        match self {
            Self::Get { tasks } | Self::Set { tasks } => tasks,
            Self::Pipeline { depth } => depth,
        }
    }

    fn title(self) -> String {
        let plural = if self.depth() == 1 { "" } else { "s" };
        match self {
            Self::Get { tasks } => format!("GET, {tasks} task{plural}"),
            Self::Set { tasks } => format!("SET, {tasks} task{plural}"),
            Self::Pipeline { depth } => format!("pipeline of {depth} GET"),
        }
    }
}

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    let server = Server::start()?;
    let mut sets = Vec::new();
    for key in KEYS.iter() {
        encode::command(&mut sets, [b"SET", key.as_bytes(), VALUE.as_bytes()].into_iter());
    }
    server.request(&sets, &b"+OK\r\n".repeat(KEYS.len()))?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let mut connected = Vec::new();
    for (name, connect) in &suite.endpoints {
        let maker = connect(name, runtime.clone(), server.address);
        connected.push(maker.map_err(|error| format!("{name}: {error}"))?);
    }
    let mut rows = Vec::new();
    for work in WORKS {
        let title = work.title();
        if choice.wants(&title) {
            let lanes = connected.iter().map(|make| make(work)).collect();
            rows.push(Row { title, figures: measure::lanes(lanes, choice.plan)? });
        }
    }
    let title = "End to end, CPU ns per command (allocations)";
    Ok(Group { title, floor: floor::MUX, throughput: true, rows })
}

/// Connects and returns what makes a lane for any work.
pub fn connect<E: Endpoint>(
    name: &'static str,
    runtime: Rc<Runtime>,
    address: SocketAddr,
) -> Result<LaneMaker> {
    let endpoint = Rc::new(E::connect(&runtime, address)?);
    Ok(Box::new(move |work| {
        let (endpoint, runtime) = (endpoint.clone(), runtime.clone());
        Lane::new(name, move |passes| endpoint.run(&runtime, work, passes))
    }))
}

/// One client, cloned for each task.
pub struct Shared<C>(C);

impl<C: Client> Endpoint for Shared<C> {
    fn connect(runtime: &Runtime, address: SocketAddr) -> Result<Self> {
        runtime.block_on(C::connect(address)).map(Self)
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<u64> {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            match work {
                Work::Get { tasks: count } => {
                    (0..count).for_each(|task| drop(tasks.spawn(gets(self.0.clone(), task, passes))));
                }
                Work::Set { tasks: count } => {
                    (0..count).for_each(|task| drop(tasks.spawn(sets(self.0.clone(), task, passes))));
                }
                Work::Pipeline { depth } => drop(tasks.spawn(pipelines(self.0.clone(), depth, passes))),
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok(passes * work.depth() as u64)
        })
    }
}

/// The keys in turn; each task begins somewhere else.
fn keys_from(start: usize) -> impl Iterator<Item = &'static String> + Send {
    KEYS.iter().cycle().skip(start)
}

fn check(value: &impl Kept) -> Result<()> {
    if value.size() == VALUE.len() { Ok(()) } else { Err("GET returned another value".into()) }
}

async fn gets<C: Client>(mut client: C, task: usize, count: u64) -> Result<()> {
    let mut keys = keys_from(task);
    for _ in 0..count {
        let key = keys.next().ok_or("no keys")?;
        check(&client.get(key).await?)?;
    }
    Ok(())
}

async fn sets<C: Client>(mut client: C, task: usize, count: u64) -> Result<()> {
    let mut keys = keys_from(task);
    for _ in 0..count {
        let key = keys.next().ok_or("no keys")?;
        client.set(key, VALUE).await?;
    }
    Ok(())
}

async fn pipelines<C: Client>(mut client: C, depth: usize, count: u64) -> Result<()> {
    for _ in 0..count {
        let values = client.pipeline(&KEYS[..depth]).await?;
        if values.len() != depth {
            return Err("a pipeline lost replies".into());
        }
        values.iter().try_for_each(check)?;
    }
    Ok(())
}
