//! redis-rs, 1.x and the release candidate of 2.0. Their parser and command encoder are the same, so the
//! candidate takes part end to end only.

use std::hint::black_box;
use std::net::SocketAddr;

use bytes::BytesMut;
use redis::{Cmd, FromRedisValue, Value, ValueCodec, from_redis_value};
use futures_util::StreamExt;
use tokio_util::codec::Decoder;

use super::{Client, Decode, Encode, Owned, Suite};
use crate::floor::scan::Pair;
use crate::measure::Result;
use crate::rows::decode::reads;
use crate::rows::pubsub::Listener;

const NAME: &str = "redis-rs 1";

pub fn register(suite: &mut Suite) {
    suite.client::<First>(NAME);
    suite.client::<Second>("redis-rs 2-rc");
    suite.listener::<Subscribed>(NAME);
    suite.decoder::<Codec>(NAME);
    suite.owned::<Codec>(NAME);
    suite.encoder::<Encoder>(NAME);
}

struct Subscribed(redis::aio::PubSubStream);

impl Listener for Subscribed {
    async fn connect(address: SocketAddr, channel: &str) -> Result<Self> {
        let client = redis::Client::open(format!("redis://{address}/"))?;
        let (mut sink, stream) = client.get_async_pubsub().await?.split();
        sink.subscribe(channel).await?;
        // It ends with its sink.
        std::mem::forget(sink);
        Ok(Self(stream))
    }

    async fn next(&mut self) -> Result<usize> {
        let message = self.0.next().await.ok_or("the stream has ended")?;
        Ok(message.get_payload_bytes().len())
    }
}

/// The two versions share no type, but this much of their API.
macro_rules! client {
    ($name:ident, $redis:ident) => {
        #[derive(Clone)]
        struct $name($redis::aio::MultiplexedConnection);

        impl Client for $name {
            type Value = Option<String>;

            async fn connect(address: SocketAddr) -> Result<Self> {
                let client = $redis::Client::open(format!("redis://{address}/"))?;
                Ok(Self(client.get_multiplexed_async_connection().await?))
            }

            async fn get(&mut self, key: &str) -> Result<Option<String>> {
                Ok($redis::AsyncCommands::get(&mut self.0, key).await?)
            }

            async fn set(&mut self, key: &str, value: &str) -> Result<()> {
                Ok($redis::AsyncCommands::set(&mut self.0, key, value).await?)
            }

            async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<String>>> {
                let mut pipeline = $redis::pipe();
                for key in keys {
                    pipeline.get(key);
                }
                Ok(pipeline.query_async(&mut self.0).await?)
            }
        }
    };
}

client!(First, redis);
client!(Second, redis_next);

/// What the asynchronous connections decode with.
#[derive(Default)]
struct Codec {
    codec: ValueCodec,
    buffer: BytesMut,
}

impl Decode for Codec {
    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        self.buffer.extend_from_slice(bytes);
        let mut replies = 0;
        while let Some(value) = self.codec.decode(&mut self.buffer)? {
            drop(black_box::<Value>(value));
            replies += 1;
        }
        Ok(replies)
    }
}

impl Codec {
    fn convert<T: FromRedisValue>(&mut self, bytes: &[u8]) -> Result<T> {
        for read in reads(bytes) {
            self.buffer.extend_from_slice(read);
            if let Some(value) = self.codec.decode(&mut self.buffer)? {
                return Ok(from_redis_value(value)?);
            }
        }
        Err("the reply is incomplete".into())
    }
}

impl Owned for Codec {
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

/// A typed command, packed as the connection packs it, and copied into the outgoing buffer.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn pack(&mut self, command: &Cmd) -> Result<()> {
        self.0.extend_from_slice(&command.get_packed_command());
        Ok(())
    }
}

impl Encode for Encoder {
    fn get(&mut self, key: &str) -> Result<()> {
        self.pack(&Cmd::get(key))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.pack(&Cmd::set(key, value))
    }

    fn mset(&mut self, pairs: &[(String, String)]) -> Result<()> {
        self.pack(&Cmd::mset(pairs))
    }

    fn hset(&mut self, key: &str, fields: &[(String, String)]) -> Result<()> {
        // `Cmd::hset_multiple` would write HMSET.
        self.pack(redis::cmd("HSET").arg(key).arg(fields))
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
