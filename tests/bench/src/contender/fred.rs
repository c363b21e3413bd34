//! fred. Its decoder is the crate `redis-protocol`, see there.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use fred::interfaces::{ClientLike, EventInterface, KeysInterface, ListInterface, PubsubInterface};
use fred::types::config::{Config, PerformanceConfig, ServerConfig};
use fred::types::{Key, Message, Value};
use redis_protocol::resp2::encode::extend_encode;
use redis_protocol::resp2::types::BytesFrame;

use super::{Client, Encode, Subscriber, Suite};
use crate::measure::Result;
use crate::rows::work::BURST;

const NAME: &str = "fred";

pub fn register(suite: &mut Suite) {
    suite.client::<Fred>(NAME);
    suite.cluster_client::<Fred>(NAME);
    suite.subscriber::<Listener>(NAME);
    suite.encoder::<Encoder>(NAME);
}

#[derive(Clone)]
struct Fred(fred::clients::Client);

impl Client for Fred {
    type Value = Option<Bytes>;

    async fn connect(servers: &[SocketAddr]) -> Result<Self> {
        let hosts = servers.iter().map(|server| (server.ip().to_string(), server.port())).collect();
        let server = match servers {
            [server] => ServerConfig::new_centralized(server.ip().to_string(), server.port()),
            _ => ServerConfig::new_clustered(hosts),
        };
        let client = fred::clients::Client::new(Config { server, ..Config::default() }, None, None, None);
        client.init().await?;
        Ok(Self(client))
    }

    async fn get(&mut self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.0.get(key).await?)
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value, None, None, false).await?)
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        let pipeline = self.0.pipeline();
        for key in keys {
            let () = pipeline.get(key).await?;
        }
        Ok(pipeline.all().await?)
    }

    async fn list(&mut self, key: &str) -> Result<Vec<String>> {
        Ok(self.0.lrange(key, 0, -1).await?)
    }

    async fn load(&mut self, key: &str) -> Result<usize> {
        let value: Bytes = self.0.get(key).await?;
        Ok(value.len())
    }

    async fn store(&mut self, key: &str, value: &Bytes) -> Result<()> {
        Ok(self.0.set(key, value.clone(), None, None, false).await?)
    }
}

struct Listener {
    /// What ends with it.
    _client: Fred,
    messages: tokio::sync::broadcast::Receiver<Message>,
}

impl Subscriber for Listener {
    async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
        let server = ServerConfig::new_centralized(server.ip().to_string(), server.port());
        // By default a burst of more than 32 messages loses some of them.
        let performance =
            PerformanceConfig { broadcast_channel_capacity: 2 * BURST, ..PerformanceConfig::default() };
        let config = Config { server, ..Config::default() };
        let client = fred::clients::Client::new(config, Some(performance), None, None);
        client.init().await?;
        let messages = client.message_rx();
        let () = client.subscribe(channel).await?;
        Ok(Self { _client: Fred(client), messages })
    }

    async fn next(&mut self) -> Result<usize> {
        Ok(self.messages.recv().await?.value.as_bytes().map_or(0, <[u8]>::len))
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
