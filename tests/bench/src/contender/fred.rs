//! fred. Its decoder is the crate `redis-protocol`, see there.

use std::net::SocketAddr;

use bytes::BytesMut;
use fred::interfaces::{ClientLike, EventInterface, KeysInterface, PubsubInterface};
use fred::types::config::{Config, PerformanceConfig, ServerConfig};
use fred::types::{Key, Value};
use redis_protocol::resp2::encode::extend_encode;
use redis_protocol::resp2::types::BytesFrame;

use super::{Client, Encode, Suite};
use crate::measure::Result;
use crate::rows::pubsub::Listener;

const NAME: &str = "fred";

pub fn register(suite: &mut Suite) {
    suite.client::<Fred>(NAME);
    suite.listener::<Subscribed>(NAME);
    suite.encoder::<Encoder>(NAME);
}

#[derive(Clone)]
struct Fred(fred::clients::Client);

impl Client for Fred {
    type Value = Option<String>;

    async fn connect(address: SocketAddr) -> Result<Self> {
        let server = ServerConfig::new_centralized(address.ip().to_string(), address.port());
        let client = fred::clients::Client::new(Config { server, ..Config::default() }, None, None, None);
        client.init().await?;
        Ok(Self(client))
    }

    async fn get(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.0.get(key).await?)
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value, None, None, false).await?)
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<String>>> {
        let pipeline = self.0.pipeline();
        for key in keys {
            let () = pipeline.get(key).await?;
        }
        Ok(pipeline.all().await?)
    }
}

struct Subscribed {
    messages: tokio::sync::broadcast::Receiver<fred::types::Message>,
    _client: fred::clients::Client,
}

impl Listener for Subscribed {
    async fn connect(address: SocketAddr, channel: &str) -> Result<Self> {
        let server = ServerConfig::new_centralized(address.ip().to_string(), address.port());
        // As many as come at once: else it loses some.
        let performance = PerformanceConfig { broadcast_channel_capacity: 16_384, ..Default::default() };
        let config = Config { server, ..Config::default() };
        let client = fred::clients::Client::new(config, Some(performance), None, None);
        client.init().await?;
        let messages = client.message_rx();
        client.subscribe(channel).await?;
        Ok(Self { messages, _client: client })
    }

    async fn next(&mut self) -> Result<usize> {
        let message = self.messages.recv().await?;
        Ok(message.value.as_bytes().map_or(0, <[u8]>::len))
    }
}

/// The steps that its connection task takes, which are not public: a list of values, a frame of it, bytes.
/// fred would also pass the pairs of an MSET or HSET through a hash map, which is left out.
#[derive(Default)]
struct Encoder(BytesMut);

fn key(text: &str) -> Value {
    Key::from(text).into()
}

fn pairs(pairs: &[(String, String)]) -> impl Iterator<Item = Value> {
    pairs.iter().flat_map(|(name, value)| [key(name), Value::from(value.as_str())])
}

impl Encoder {
    fn encode(&mut self, name: &'static str, args: Vec<Value>) -> Result<()> {
        let mut frames = Vec::with_capacity(args.len() + 2);
        frames.push(BytesFrame::BulkString(name.as_bytes().into()));
        for arg in &args {
            frames.push(BytesFrame::BulkString(match arg {
                Value::String(text) => text.inner().clone(),
                Value::Bytes(bytes) => bytes.clone(),
                _ => return Err("an argument of another kind".into()),
            }));
        }
        extend_encode(&mut self.0, &BytesFrame::Array(frames), true)?;
        Ok(())
    }
}

impl Encode for Encoder {
    fn get(&mut self, name: &str) -> Result<()> {
        self.encode("GET", vec![key(name)])
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.encode("SET", vec![key(name), Value::from(value)])
    }

    fn mset(&mut self, items: &[(String, String)]) -> Result<()> {
        let mut args = Vec::with_capacity(items.len() * 2);
        args.extend(pairs(items));
        self.encode("MSET", args)
    }

    fn hset(&mut self, name: &str, fields: &[(String, String)]) -> Result<()> {
        let mut args = Vec::with_capacity(1 + fields.len() * 2);
        args.push(key(name));
        args.extend(pairs(fields));
        self.encode("HSET", args)
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
