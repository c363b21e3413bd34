//! Messages from one channel, 64 B each, to a task that reads them.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use tokio::runtime::{Builder, Runtime};

use super::e2e::VALUE;
use super::{Choice, Group, Row};
use crate::contender::Suite;
use crate::floor::{self, encode};
use crate::measure::{self, Lane, Result};
use crate::server::Server;

/// A subscription to one channel.
pub trait Listener: Sized + 'static {
    fn connect(address: SocketAddr, channel: &str) -> impl Future<Output = Result<Self>>;
    /// The length of the next message.
    fn next(&mut self) -> impl Future<Output = Result<usize>>;
}

/// Messages that the server publishes by one script: few enough for the buffer that it keeps for a subscriber.
const BATCH: u64 = 10_000;

pub type Listen = fn(&'static str, Rc<Runtime>, SocketAddr) -> Result<Lane>;

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    let server = Server::start()?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let title = "message of 64 B";
    let mut rows = Vec::new();
    if choice.wants(title) {
        let lanes = suite.listeners.iter().map(|(name, listen)| listen(name, runtime.clone(), server.address));
        let figures = measure::lanes(lanes.collect::<Result<_>>()?, choice.plan)?;
        rows.push(Row { title: title.to_owned(), figures });
    }
    let title = "Publish/subscribe, CPU ns per message (allocations)";
    Ok(Group { title, floor: floor::MUX, throughput: true, rows })
}

pub fn lane<L: Listener>(name: &'static str, runtime: Rc<Runtime>, address: SocketAddr) -> Result<Lane> {
    let channel = format!("channel:{name}");
    let mut listener = runtime.block_on(L::connect(address, &channel))?;
    let mut publisher = Publisher(TcpStream::connect(address)?);
    Ok(Lane::new(name, move |passes| {
        let mut left = passes * 100;
        while left > 0 {
            let count = left.min(BATCH);
            publisher.publish(&channel, count)?;
            runtime.block_on(read(&mut listener, count))?;
            left -= count;
        }
        Ok(passes * 100)
    }))
}

async fn read(listener: &mut impl Listener, count: u64) -> Result<()> {
    for _ in 0..count {
        if listener.next().await? != VALUE.len() {
            return Err("a message was another".into());
        }
    }
    Ok(())
}

struct Publisher(TcpStream);

impl Publisher {
    /// Has the server publish `count` messages, so that they cost this process next to nothing.
    fn publish(&mut self, channel: &str, count: u64) -> Result<()> {
        const SCRIPT: &str = "for i = 1, ARGV[1] do redis.call('PUBLISH', KEYS[1], ARGV[2]) end";
        let (count, mut command) = (count.to_string(), Vec::new());
        let args = ["EVAL", SCRIPT, "1", channel, &count, VALUE];
        encode::command(&mut command, args.iter().map(|arg| arg.as_bytes()));
        self.0.write_all(&command)?;
        let mut reply = [0; 5];
        self.0.read_exact(&mut reply)?;
        if &reply == b"$-1\r\n" { Ok(()) } else { Err("the script failed".into()) }
    }
}
