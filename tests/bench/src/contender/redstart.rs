//! Redstart itself, on each of its runtimes.

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use redstart_tokio::command::{Batch, Command, Each, FromReply, Prepare};
use redstart_tokio::commands::{HashCommands, ListCommands, StringCommands};
use redstart_tokio::core::resp::{Decoder, Frame, Limits};
use redstart_tokio::pubsub::Event;
use tokio::runtime::Runtime;

use super::{Client, Decode, Encode, Endpoint, Owned, Subscriber, Suite};
use crate::floor::scan::Pair;
use crate::measure::{Done, Result};
use crate::rows::decode::reads;
use crate::rows::work::{KEYS, VALUE, Work, check, jobs, keys_from};

pub const NAME: &str = "redstart";
pub const ASYNC_STD: &str = "redstart async-std";
pub const BLOCKING: &str = "redstart blocking";

pub fn register(suite: &mut Suite) {
    suite.client::<Shared>(NAME);
    suite.endpoint::<AsyncStd>(ASYNC_STD);
    suite.cluster_client::<Shared>(NAME);
    suite.blocking::<Blocking>(BLOCKING);
    suite.subscriber::<Subscribed>(NAME);
    suite.decoder::<Frames>(NAME);
    suite.owned::<Frames>(NAME);
    suite.encoder::<Encoder>(NAME);
}

fn url(servers: &[SocketAddr]) -> String {
    let scheme = if servers.len() > 1 { "redis-cluster" } else { "redis" };
    let addresses: Vec<String> = servers.iter().map(ToString::to_string).collect();
    format!("{scheme}://{}", addresses.join(","))
}

/// The handle, which is the same on every runtime.
#[derive(Clone)]
struct Shared(redstart_tokio::core::Client);

impl Client for Shared {
    type Value = Option<Vec<u8>>;

    async fn connect(servers: &[SocketAddr]) -> Result<Self> {
        Ok(Self(redstart_tokio::core::Client::clone(&*redstart_tokio::Client::connect(url(servers)).await?)))
    }

    async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key).await?)
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value).await?)
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        Ok(self.0.pipeline(gets(keys)).await?)
    }

    async fn list(&mut self, key: &str) -> Result<Vec<String>> {
        Ok(self.0.lrange(key, 0, -1).await?)
    }

    async fn load(&mut self, key: &str) -> Result<usize> {
        let value: Option<Bytes> = self.0.get(key).await?;
        Ok(value.map_or(0, |value| value.len()))
    }

    async fn store(&mut self, key: &str, value: &Bytes) -> Result<()> {
        Ok(self.0.set(key, value).await?)
    }
}

/// As users are told to make long pipelines.
fn gets(keys: &[String]) -> impl Batch<Replies = Vec<Option<Vec<u8>>>> {
    Each(keys.iter().map(|key| Prepare.get::<Vec<u8>>(key)))
}

struct Subscribed {
    subscription: redstart_tokio::Subscription,
    _client: redstart_tokio::Client,
}

impl Subscriber for Subscribed {
    async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
        let client = redstart_tokio::Client::connect(url(&[server])).await?;
        Ok(Self { subscription: client.subscribe(channel).await?, _client: client })
    }

    async fn next(&mut self) -> Result<usize> {
        match self.subscription.next().await {
            Some(Event::Message(message)) => Ok(message.payload().len()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

/// Driver and callers are tasks of async-std, which has a thread for each CPU.
struct AsyncStd(Shared);

impl Endpoint for AsyncStd {
    fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        let client = async_std::task::block_on(redstart_async_std::Client::connect(url(servers)))?;
        Ok(Self(Shared(redstart_tokio::core::Client::clone(&*client))))
    }

    fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
        async_std::task::block_on(async {
            let tasks: Vec<_> = jobs(&self.0, work, passes).into_iter().map(async_std::task::spawn).collect();
            for task in tasks {
                task.await?;
            }
            Ok((passes * work.depth() as u64).into())
        })
    }
}

/// The thread that calls drives.
struct Blocking(redstart_blocking::Client);

impl Endpoint for Blocking {
    fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        Ok(Self(redstart_blocking::Client::connect(url(servers))?))
    }

    fn takes(work: Work) -> bool {
        matches!(work, Work::Get { tasks: 1 } | Work::Set { tasks: 1 } | Work::Pipeline { .. })
    }

    fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
        let mut keys = keys_from(0);
        for _ in 0..passes {
            match work {
                Work::Pipeline { depth } => {
                    let values = self.0.pipeline(gets(&KEYS[..depth]))?;
                    values.iter().try_for_each(check)?;
                }
                Work::Set { .. } => self.0.set(keys.next().ok_or("no keys")?, VALUE)?,
                _ => check(&self.0.get::<Vec<u8>>(keys.next().ok_or("no keys")?)?)?,
            }
        }
        Ok((passes * work.depth() as u64).into())
    }
}

/// Each reply as the bytes that came and, if it is an aggregate, where its elements lie in them.
struct Frames {
    decoder: Decoder,
    buffer: BytesMut,
}

impl Default for Frames {
    fn default() -> Self {
        Self { decoder: Decoder::new(Limits::default()), buffer: BytesMut::new() }
    }
}

impl Decode for Frames {
    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        self.buffer.extend_from_slice(bytes);
        let mut replies = 0;
        loop {
            // Where it is: to move what nobody keeps would be counted as decoding.
            match &self.decoder.decode(&mut self.buffer) {
                Ok(Some(frame)) => _ = black_box::<&Frame>(frame),
                Ok(None) => return Ok(replies),
                Err(error) => return Err((*error).into()),
            }
            replies += 1;
        }
    }
}

impl Frames {
    fn convert<T: FromReply>(&mut self, bytes: &[u8]) -> Result<T> {
        for read in reads(bytes) {
            self.buffer.extend_from_slice(read);
            if let Some(frame) = self.decoder.decode(&mut self.buffer)? {
                return Ok(T::from_reply(frame.item())?);
            }
        }
        Err("the reply is incomplete".into())
    }
}

impl Owned for Frames {
    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.convert(bytes)
    }

    fn map(&mut self, bytes: &[u8]) -> Result<Vec<Pair>> {
        self.convert(bytes)
    }

    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
        self.convert(bytes)
    }
}

/// A typed command, appended to the outgoing buffer.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn encode<T>(&mut self, command: Command<T>) -> Result<()> {
        command.packed().encode(&mut self.0);
        Ok(())
    }
}

impl Encode for Encoder {
    fn get(&mut self, key: &str) -> Result<()> {
        self.encode(Prepare.get::<Vec<u8>>(key))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.encode(Prepare.set(key, value))
    }

    fn mset(&mut self, pairs: &[(String, String)]) -> Result<()> {
        self.encode(Prepare.mset(pairs))
    }

    fn hset(&mut self, key: &str, fields: &[(String, String)]) -> Result<()> {
        self.encode(Prepare.hset(key, fields))
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
