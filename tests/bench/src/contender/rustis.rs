//! rustis. Its decoder and encoder are reached through `bench_support`, made for that.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use rustis::client::{BatchPreparedCommand, PubSubStream};

use rustis::commands::{ListCommands, PubSubCommands, StringCommands};
use rustis::resp::bench_support::{BenchDecoder, bench_decode_chunked, bench_encode_command};
use rustis::resp::{BulkString, Command, FastPathCommandBuilder, RefBulkString, cmd};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Client, Decode, Encode, Kept, Owned, Subscriber, Suite};
use crate::floor::scan::Pair;
use crate::measure::Result;
use crate::rows::decode::reads;

const NAME: &str = "rustis";

pub fn register(suite: &mut Suite) {
    suite.client::<Rustis>(NAME);
    suite.cluster_client::<Rustis>(NAME);
    suite.subscriber::<Listener>(NAME);
    suite.decoder::<Tape>(NAME);
    suite.owned::<Values>(NAME);
    suite.encoder::<Encoder>(NAME);
}

#[derive(Clone)]
struct Rustis(rustis::client::Client);

impl Kept for BulkString {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Client for Rustis {
    type Value = Option<BulkString>;

    async fn connect(servers: &[SocketAddr]) -> Result<Self> {
        let scheme = if servers.len() > 1 { "redis+cluster" } else { "redis" };
        let addresses: Vec<String> = servers.iter().map(ToString::to_string).collect();
        Ok(Self(rustis::client::Client::connect(format!("{scheme}://{}", addresses.join(","))).await?))
    }

    async fn get(&mut self, key: &str) -> Result<Option<BulkString>> {
        Ok(self.0.get(key).await?)
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        Ok(self.0.set(key, value).await?)
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<BulkString>>> {
        let mut pipeline = self.0.create_pipeline();
        for key in keys {
            pipeline.get::<()>(key).queue();
        }
        Ok(pipeline.execute().await?)
    }

    async fn list(&mut self, key: &str) -> Result<Vec<String>> {
        Ok(self.0.lrange(key, 0, -1).await?)
    }

    async fn load(&mut self, key: &str) -> Result<usize> {
        let value: BulkString = self.0.get(key).await?;
        Ok(value.len())
    }

    async fn store(&mut self, key: &str, value: &Bytes) -> Result<()> {
        Ok(self.0.set(key, RefBulkString::from(&value[..])).await?)
    }
}

struct Listener {
    stream: PubSubStream,
    _client: rustis::client::Client,
}

impl Subscriber for Listener {
    async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
        let client = rustis::client::Client::connect(format!("redis://{server}")).await?;
        Ok(Self { stream: client.subscribe(channel).await?, _client: client })
    }

    async fn next(&mut self) -> Result<usize> {
        Ok(self.stream.next().await.ok_or("no more messages")??.payload().len())
    }
}

/// Each reply as its bytes and an index into them, which is what reaches the user's task.
#[derive(Default)]
struct Tape(BenchDecoder);

impl Decode for Tape {
    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        // An error here is an incomplete reply: the decoder goes on with it at the next call.
        let mut replies = 0;
        let mut more = bytes;
        while self.0.feed(more).is_ok() {
            replies += 1;
            more = b"";
        }
        Ok(replies)
    }
}

/// The decoder and the conversion by serde. Unlike a connection it begins with an empty buffer each time.
#[derive(Default)]
struct Values;

fn convert<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let reads: Vec<&[u8]> = reads(bytes).collect();
    Ok(bench_decode_chunked(&reads)?)
}

fn pair((name, value): (BulkString, BulkString)) -> Pair {
    (name.into(), value.into())
}

impl Owned for Values {
    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        let strings: Vec<BulkString> = convert(bytes)?;
        Ok(strings.into_iter().map(Vec::from).collect())
    }

    fn map(&mut self, bytes: &[u8]) -> Result<Vec<Pair>> {
        let pairs: Vec<(BulkString, BulkString)> = convert(bytes)?;
        Ok(pairs.into_iter().map(pair).collect())
    }

    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
        let entries: Vec<(BulkString, Fields)> = convert(bytes)?;
        Ok(entries.into_iter().map(|(id, fields)| (id.into(), fields.0)).collect())
    }
}

/// Pairs out of what serde calls a map: rustis hands out a flat array as one only when asked to.
struct Fields(Vec<Pair>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fields and values")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut pairs = Vec::with_capacity(1);
        while let Some(entry) = map.next_entry()? {
            pairs.push(pair(entry));
        }
        Ok(Fields(pairs))
    }
}

#[derive(Default)]
struct Encoder(BytesMut);

impl Encoder {
    fn encode(&mut self, command: &Command) -> Result<()> {
        bench_encode_command(command, &mut self.0);
        Ok(())
    }
}

impl Encode for Encoder {
    fn get(&mut self, key: &str) -> Result<()> {
        self.encode(&FastPathCommandBuilder::get(key))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.encode(&FastPathCommandBuilder::set(key, value))
    }

    fn mset(&mut self, pairs: &[(String, String)]) -> Result<()> {
        self.encode(&cmd("MSET").key_with_step(pairs, 2).into())
    }

    fn hset(&mut self, key: &str, fields: &[(String, String)]) -> Result<()> {
        self.encode(&cmd("HSET").key(key).arg(fields).into())
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
