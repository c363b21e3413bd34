//! Many clients of one kind, each with a connection of its own.

use std::net::SocketAddr;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::work::{Work, jobs};
use crate::contender::{Client, Endpoint};
use crate::measure::{Done, Result};

/// As many as any row has use for.
const CLIENTS: usize = 1000;

pub struct Many<C>(Vec<C>);

impl<C: Client> Endpoint for Many<C> {
    fn connect(runtime: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        (0..CLIENTS).map(|_| runtime.block_on(C::connect(servers))).collect::<Result<_>>().map(Self)
    }

    fn takes(work: Work) -> bool {
        matches!(work, Work::Get { tasks } if tasks <= CLIENTS)
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<Done> {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for client in &self.0[..work.depth()] {
                for job in jobs(client, Work::Get { tasks: 1 }, passes) {
                    tasks.spawn(job);
                }
            }
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok((passes * work.depth() as u64).into())
        })
    }
}
