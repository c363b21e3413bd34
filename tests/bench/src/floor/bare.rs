//! floor-loop: one loop over plain sockets. Commands are encoded beforehand and replies only counted.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingStream};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::encode;
use super::input::Input;
use crate::contender::{Endpoint, Subscriber};
use crate::measure::{Done, Result};
use crate::rows::work::{KEYS, KEYS_IN_TURN, VALUE, Work, node_of};

/// On a Tokio runtime, with a socket to each node.
pub struct Bare(RefCell<Vec<(TcpStream, Input)>>);

fn takes(work: Work) -> bool {
    matches!(work, Work::Get { .. } | Work::Set { .. } | Work::Pipeline { .. })
}

/// For each of so many nodes its part of as many commands as the work has under way at once, and their number.
fn batches(work: Work, nodes: usize) -> Vec<(Vec<u8>, usize)> {
    let mut batches = vec![(Vec::new(), 0); nodes];
    let distinct = if matches!(work, Work::Pipeline { .. }) { KEYS.len() } else { KEYS_IN_TURN };
    for key in KEYS[..distinct].iter().cycle().take(work.depth()) {
        let (out, count) = &mut batches[node_of(key, nodes)];
        *count += 1;
        match work {
            Work::Set { .. } => {
                encode::command(out, [b"SET", key.as_bytes(), VALUE.as_bytes()].into_iter());
            }
            _ => encode::command(out, [b"GET", key.as_bytes()].into_iter()),
        }
    }
    batches
}

impl Endpoint for Bare {
    fn connect(runtime: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        let mut streams = Vec::new();
        for server in servers {
            let stream = runtime.block_on(TcpStream::connect(server))?;
            stream.set_nodelay(true)?;
            streams.push((stream, Input::default()));
        }
        Ok(Self(RefCell::new(streams)))
    }

    fn takes(work: Work) -> bool {
        takes(work)
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<Done> {
        let streams = &mut *self.0.borrow_mut();
        let batches = batches(work, streams.len());
        runtime.block_on(async {
            for _ in 0..passes {
                for ((stream, _), (out, _)) in streams.iter_mut().zip(&batches) {
                    stream.write_all(out).await?;
                }
                for ((stream, input), (_, count)) in streams.iter_mut().zip(&batches) {
                    let mut missing = *count;
                    while missing > 0 {
                        let count = stream.read(input.room()).await?;
                        input.fill(count);
                        while input.next(&mut ()) {
                            missing -= 1;
                        }
                    }
                }
            }
            Ok((passes * work.depth() as u64).into())
        })
    }
}

/// Without a runtime.
pub struct BareBlocking(RefCell<(BlockingStream, Input)>);

impl Endpoint for BareBlocking {
    fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        let stream = BlockingStream::connect(servers)?;
        stream.set_nodelay(true)?;
        Ok(Self(RefCell::new((stream, Input::default()))))
    }

    fn takes(work: Work) -> bool {
        takes(work)
    }

    fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
        let (stream, input) = &mut *self.0.borrow_mut();
        for (out, count) in &batches(work, 1) {
            for _ in 0..passes {
                stream.write_all(out)?;
                let mut missing = *count;
                while missing > 0 {
                    let count = stream.read(input.room())?;
                    input.fill(count);
                    while input.next(&mut ()) {
                        missing -= 1;
                    }
                }
            }
        }
        Ok((passes * work.depth() as u64).into())
    }
}

/// A subscriber that counts what comes.
pub struct BareSubscriber {
    stream: TcpStream,
    input: Input,
}

/// Subscribes, and takes the answer.
pub async fn subscribe(server: SocketAddr, channel: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut out, mut answer) = (Vec::new(), Vec::new());
    encode::command(&mut out, [b"SUBSCRIBE", channel.as_bytes()].into_iter());
    stream.write_all(&out).await?;
    while !answer.ends_with(b":1\r\n") {
        stream.read_buf(&mut answer).await?;
    }
    Ok(stream)
}

impl Subscriber for BareSubscriber {
    async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
        Ok(Self { stream: subscribe(server, channel).await?, input: Input::default() })
    }

    async fn next(&mut self) -> Result<usize> {
        let mut payload = super::scan::Last::default();
        while !self.input.next(&mut payload) {
            let count = self.stream.read(self.input.room()).await?;
            self.input.fill(count);
        }
        Ok(payload.0)
    }
}
