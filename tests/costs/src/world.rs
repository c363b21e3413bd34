//! A client, its driver and its servers on one thread.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use redstart_core::Client;
use redstart_core::config::{Config, Endpoint, Protocol};
use redstart_core::drive::{Driver, Net};

use crate::cases::Outcome;
use crate::net::{Network, Script};
use crate::replies::{bulk, numbered};
use crate::tasks::Tasks;

/// A value of 64 bytes.
pub const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A key of 16 bytes.
#[must_use]
pub fn key(number: usize) -> String {
    numbered("key:", number, 16)
}

/// The length of a command on the wire.
#[must_use]
pub fn wire_len(args: &[&str]) -> usize {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    args.iter().for_each(|arg| bulk(&mut bytes, arg.as_bytes()));
    bytes.len()
}

/// A reply of so many bytes of payload.
#[must_use]
pub fn bulk_reply(size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bulk(&mut bytes, &vec![b'v'; size]);
    bytes
}

/// How many servers there are.
#[derive(Clone, Copy, Debug)]
pub enum Deployed {
    /// One.
    Alone,
    /// So many primaries, which share the slots evenly.
    Cluster(usize),
}

impl fmt::Display for Deployed {
    /// The beginning of a title.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone => Ok(()),
            Self::Cluster(1) => f.write_str("cluster of 1 node, "),
            Self::Cluster(nodes) => write!(f, "cluster of {nodes} nodes, "),
        }
    }
}

/// A client whose driver runs between those who call it.
pub struct World {
    client: Client,
    network: Network,
    tasks: Tasks,
}

impl World {
    /// Servers that answer every command, of which each is of the length `command`, by `reply`.
    ///
    /// # Panics
    /// The client cannot connect.
    #[must_use]
    pub fn new(deployed: Deployed, command: usize, reply: Vec<u8>) -> Self {
        let (config, topology) = match deployed {
            Deployed::Alone => (Config::default(), Vec::new()),
            Deployed::Cluster(nodes) => (Config::cluster([Endpoint::tcp("node", 7000)]), topology(nodes)),
        };
        let config = config.protocol(Protocol::Resp3).library_name(None).library_version(None);
        let network = Network::new(Script { command, reply, topology });
        let made = Driver::new(config, network.clone(), 1);
        let (client, driver) = made.unwrap_or_else(|error| panic!("{error}"));
        let mut tasks = Tasks::default();
        tasks.spawn(Box::pin(driver));
        let mut world = Self { client, network, tasks };
        let client = world.client.clone();
        world.run([async move {
            client.connected().await.unwrap_or_else(|error| panic!("{error}"));
        }]);
        world
    }

    /// One server.
    #[must_use]
    pub fn alone(command: usize, reply: Vec<u8>) -> Self {
        Self::new(Deployed::Alone, command, reply)
    }

    /// The handle that callers share.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.network.connections()
    }

    /// Runs the jobs, side by side, until all have ended.
    ///
    /// # Panics
    /// They wait for what does not come.
    pub fn run(&mut self, jobs: impl IntoIterator<Item = impl Future<Output = ()> + 'static>) {
        jobs.into_iter().for_each(|job| self.tasks.spawn(Box::pin(job)));
        loop {
            self.tasks.run();
            // The driver goes on.
            if self.tasks.alive() == 1 {
                break;
            }
            assert!(self.network.deliver(), "all tasks sleep and nothing is on its way");
        }
        self.tasks.truncate(1);
    }

    /// Lets time pass while nobody calls.
    pub fn idle(&mut self, time: Duration) {
        let end = self.network.now() + time;
        loop {
            self.tasks.run();
            if !self.network.deliver() && !self.network.wait(end) {
                break;
            }
        }
    }

    /// So many operations, and what they have asked of the sockets.
    #[must_use]
    pub fn outcome(&self, operations: u64) -> Outcome {
        Outcome { operations, socket_calls: self.network.calls() }
    }
}

/// The replies to `CLUSTER SLOTS` and `CLUSTER INFO`.
fn topology(nodes: usize) -> Vec<u8> {
    let mut bytes = format!("*{nodes}\r\n").into_bytes();
    for node in 0..nodes {
        let (first, last) = (node * 16_384 / nodes, (node + 1) * 16_384 / nodes - 1);
        bytes.extend_from_slice(format!("*3\r\n:{first}\r\n:{last}\r\n*4\r\n").as_bytes());
        bulk(&mut bytes, b"node");
        bytes.extend_from_slice(format!(":{}\r\n", 7000 + node).as_bytes());
        bulk(&mut bytes, format!("{node:040}").as_bytes());
        bytes.extend_from_slice(b"*0\r\n");
    }
    bulk(&mut bytes, b"cluster_state:ok\r\ncluster_current_epoch:1\r\n");
    bytes
}
