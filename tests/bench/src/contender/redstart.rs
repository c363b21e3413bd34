//! Redstart itself, on Tokio.

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::BytesMut;
use redstart_tokio::command::{Command, FromReply, Prepare};
use redstart_tokio::commands::{HashCommands, StringCommands};
use redstart_tokio::pubsub::Event;
use redstart_tokio::core::resp::{Decoder, Frame, Limits};

use super::{Client, Decode, Encode, Owned, Suite};
use crate::floor::scan::Pair;
use crate::measure::Result;
use crate::rows::decode::reads;
use crate::rows::pubsub::Listener;

const NAME: &str = "redstart";

pub fn register(suite: &mut Suite) {
    suite.client::<Redstart>(NAME);
    suite.listener::<Subscribed>(NAME);
    suite.decoder::<Frames>(NAME);
    suite.owned::<Frames>(NAME);
    suite.encoder::<Encoder>(NAME);
}

#[derive(Clone)]
struct Redstart(redstart_tokio::Client);

impl Client for Redstart {
    type Value = Option<String>;

    async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self(redstart_tokio::Client::connect(format!("redis://{address}")).await?))
    }

    async fn get(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.0.get(key).await?)
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value).await?)
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<String>>> {
        let gets: Vec<_> = keys.iter().map(|key| Prepare.get::<String>(key)).collect();
        Ok(self.0.pipeline(gets).await?)
    }
}

struct Subscribed {
    subscription: redstart_tokio::Subscription,
    _client: redstart_tokio::Client,
}

impl Listener for Subscribed {
    async fn connect(address: SocketAddr, channel: &str) -> Result<Self> {
        let client = redstart_tokio::Client::connect(format!("redis://{address}")).await?;
        Ok(Self { subscription: client.subscribe(channel).await?, _client: client })
    }

    async fn next(&mut self) -> Result<usize> {
        match self.subscription.next().await {
            Some(Event::Message(message)) => Ok(message.payload.len()),
            other => Err(format!("{other:?}").into()),
        }
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
        while let Some(frame) = self.decoder.decode(&mut self.buffer)? {
            drop(black_box::<Frame>(frame));
            replies += 1;
        }
        Ok(replies)
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
        self.encode(Prepare.get::<String>(key))
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
