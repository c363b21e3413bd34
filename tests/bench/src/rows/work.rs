//! What a client is kept busy with, and what it is given to do it with.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::LazyLock;

use bytes::Bytes;
use redstart_tokio::core::command::slot;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::contender::{Client, Endpoint, Kept, Subscriber};
use crate::floor::encode;
use crate::measure::{Done, Result};
use crate::server::Server;

/// Names of 16 bytes.
pub static KEYS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..10_000).map(|i| format!("key:{i:012}")).collect());
/// What they all hold.
pub const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Tasks take so many keys in turn.
pub const KEYS_IN_TURN: usize = 1024;

pub const LIST: &str = "list";
pub const ELEMENTS: usize = 10_000;
pub const SIZES: [(usize, &str); 5] =
    [(0, "0 B"), (1 << 10, "1 KiB"), (64 << 10, "64 KiB"), (1 << 20, "1 MiB"), (16 << 20, "16 MiB")];
/// As large as the largest of them.
static LARGE: LazyLock<Bytes> = LazyLock::new(|| vec![b'v'; 16 << 20].into());

pub const CHANNEL: &str = "channel";
/// Messages that are published at once.
pub const BURST: usize = 10_000;

/// What a client is kept busy with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// So many tasks, each of which waits for its reply before it goes on.
    Get { tasks: usize },
    /// The same, setting a value of 64 bytes.
    Set { tasks: usize },
    /// One task that sends so many GETs together.
    Pipeline { depth: usize },
    /// One task that gets a list as strings.
    List,
    /// One task that gets a value.
    Load { size: usize },
    /// One task that sets a value.
    Store { size: usize },
    /// One task that receives messages of 64 bytes.
    Messages,
}

impl Work {
    /// Operations of one pass; but for lists and bursts, commands that are under way at once.
    pub fn depth(self) -> usize {
        match self {
            Self::Get { tasks } | Self::Set { tasks } => tasks,
            Self::Pipeline { depth } => depth,
            Self::Messages => BURST,
            Self::List | Self::Load { .. } | Self::Store { .. } => 1,
        }
    }

    /// As many as show what a pass asks of the system, which is slow while it is watched.
    pub fn passes_to_trace(self) -> u64 {
        let weight = match self {
            Self::Load { size } | Self::Store { size } => size / 1024,
            Self::List => 100,
            _ => 0,
        };
        (500 / self.depth().max(weight)).max(3) as u64
    }

    pub fn title(self) -> String {
        let size_of = |size| SIZES.iter().find(|known| known.0 == size).map_or("?", |known| known.1);
        let tasks = |name: &str, count| match count {
            1 => format!("{name}, 1 task"),
            _ => format!("{name}, {} tasks", thousands(count)),
        };
        match self {
            Self::Get { tasks: count } => tasks("GET", count),
            Self::Set { tasks: count } => tasks("SET", count),
            Self::Pipeline { depth } => format!("pipeline of {} GET", thousands(depth)),
            Self::List => format!("LRANGE of {} strings", thousands(ELEMENTS)),
            Self::Load { size } => format!("GET of {}", size_of(size)),
            Self::Store { size } => format!("SET of {}", size_of(size)),
            Self::Messages => "messages of 64 B".to_owned(),
        }
    }
}

/// At most six digits, with a separator.
fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

/// Gives the servers what the work asks for: each node of a cluster its keys, and one alone what is large besides.
pub fn prepare(server: &Server) -> Result<()> {
    let nodes = server.addresses.len();
    let mut sets = vec![(Vec::new(), 0); nodes];
    for key in KEYS.iter() {
        let (out, count) = &mut sets[node_of(key, nodes)];
        encode::command(out, [b"SET", key.as_bytes(), VALUE.as_bytes()].into_iter());
        *count += 1;
    }
    for (node, (sets, count)) in sets.iter().enumerate() {
        server.tell(node, sets, *count)?;
    }
    if nodes > 1 {
        return Ok(());
    }
    let mut out = Vec::new();
    for i in 0..ELEMENTS {
        let element = format!("element:{i:024}");
        encode::command(&mut out, [b"RPUSH", LIST.as_bytes(), element.as_bytes()].into_iter());
    }
    for (size, _) in SIZES {
        let key = value_key(size);
        encode::command(&mut out, [b"SET", key.as_bytes(), &LARGE[..size]].into_iter());
    }
    server.tell(0, &out, ELEMENTS + SIZES.len())
}

/// Where a key is in a cluster of so many primaries.
pub fn node_of(key: &str, nodes: usize) -> usize {
    usize::from(slot::of(key.as_bytes())) * nodes / 16_384
}

fn value_key(size: usize) -> String {
    format!("value:{size:010}")
}

/// One client, cloned for each task of a Tokio runtime.
pub struct Shared<C>(C);

impl<C: Client> Endpoint for Shared<C> {
    fn connect(runtime: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        runtime.block_on(C::connect(servers)).map(Self)
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<Done> {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for job in jobs(&self.0, work, passes) {
                tasks.spawn(job);
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok((passes * work.depth() as u64).into())
        })
    }
}

pub type Job = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The work as futures, one for each task.
pub fn jobs<C: Client>(client: &C, work: Work, passes: u64) -> Vec<Job> {
    let one = |task| -> Job {
        let client = client.clone();
        match work {
            Work::Get { .. } => Box::pin(gets(client, task, passes)),
            Work::Set { .. } => Box::pin(sets(client, task, passes)),
            Work::Pipeline { depth } => Box::pin(pipelines(client, depth, passes)),
            Work::List => Box::pin(lists(client, passes)),
            Work::Load { size } => Box::pin(loads(client, size, passes)),
            Work::Store { size } => Box::pin(stores(client, size, passes)),
            Work::Messages => Box::pin(async { Err("that is for subscribers".into()) }),
        }
    };
    let tasks = match work {
        Work::Get { tasks } | Work::Set { tasks } => tasks,
        _ => 1,
    };
    (0..tasks).map(one).collect()
}

/// The keys in turn; each task begins somewhere else.
pub fn keys_from(start: usize) -> impl Iterator<Item = &'static String> + Send {
    KEYS[..KEYS_IN_TURN].iter().cycle().skip(start)
}

pub fn check(value: &impl Kept) -> Result<()> {
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

async fn lists<C: Client>(mut client: C, count: u64) -> Result<()> {
    for _ in 0..count {
        if client.list(LIST).await?.len() != ELEMENTS {
            return Err("LRANGE lost elements".into());
        }
    }
    Ok(())
}

async fn loads<C: Client>(mut client: C, size: usize, count: u64) -> Result<()> {
    let key = value_key(size);
    for _ in 0..count {
        if client.load(&key).await? != size {
            return Err("GET returned another value".into());
        }
    }
    Ok(())
}

async fn stores<C: Client>(mut client: C, size: usize, count: u64) -> Result<()> {
    let (key, value) = (value_key(size), LARGE.slice(..size));
    for _ in 0..count {
        client.store(&key, &value).await?;
    }
    Ok(())
}

/// A subscriber, and the connection on which the server is told to publish: a script publishes a whole burst, so
/// that whoever receives is all that there is to measure.
pub struct Subscribed<S> {
    subscriber: RefCell<S>,
    publisher: RefCell<TcpStream>,
}

impl<S: Subscriber> Endpoint for Subscribed<S> {
    fn connect(runtime: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        let server = *servers.first().ok_or("no server")?;
        // A channel each, since those of one channel would all receive what one of them asks for.
        let subscriber = runtime.block_on(S::subscribe(server, &channel::<S>()))?;
        let publisher = TcpStream::connect(server)?;
        publisher.set_nodelay(true)?;
        Ok(Self { subscriber: RefCell::new(subscriber), publisher: RefCell::new(publisher) })
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<Done> {
        let script = format!("for i=1,{BURST} do redis.call('PUBLISH',KEYS[1],ARGV[1]) end return 1");
        let mut publish = Vec::new();
        let channel = channel::<S>();
        let args = [b"EVAL", script.as_bytes(), b"1", channel.as_bytes(), VALUE.as_bytes()];
        encode::command(&mut publish, args.into_iter());
        let (publisher, subscriber) = (&mut *self.publisher.borrow_mut(), &mut *self.subscriber.borrow_mut());
        for _ in 0..passes {
            publisher.write_all(&publish)?;
            publisher.read_exact(&mut [0; 4])?;
            runtime.block_on(receive(subscriber))?;
        }
        Ok((passes * work.depth() as u64).into())
    }
}

async fn receive(subscriber: &mut impl Subscriber) -> Result<()> {
    for _ in 0..BURST {
        if subscriber.next().await? != VALUE.len() {
            return Err("another message".into());
        }
    }
    Ok(())
}

fn channel<S>() -> String {
    format!("{CHANNEL}:{}", std::any::type_name::<S>())
}
