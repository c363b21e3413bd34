//! redis-rs, 1.x and the release candidate of 2.0. Their parser and command encoder are the same, so the
//! candidate takes part only where there is a server.

use std::hint::black_box;

use bytes::BytesMut;
use redis::{Cmd, FromRedisValue, Value, ValueCodec, from_redis_value};
use tokio_util::codec::Decoder;

use super::{Decode, Encode, Owned, Suite};
use crate::floor::scan::Pair;
use crate::measure::Result;
use crate::rows::decode::reads;

const NAME: &str = "redis-rs 1";

pub fn register(suite: &mut Suite) {
    first::register(suite, NAME);
    second::register(suite, "redis-rs 2-rc");
    suite.decoder::<Codec>(NAME);
    suite.owned::<Codec>(NAME);
    suite.encoder::<Encoder>(NAME);
}

/// The two versions share no type, but this much of their API.
macro_rules! version {
    ($module:ident, $redis:ident) => {
        mod $module {
            use std::cell::RefCell;
            use std::net::SocketAddr;

            use bytes::Bytes;
            use futures_util::future::try_join_all;
            use futures_util::stream::{BoxStream, StreamExt};
            use tokio::runtime::Runtime;
            use $redis::aio::{ConnectionLike, MultiplexedConnection};
            use $redis::cluster::ClusterClient;
            use $redis::cluster_async::ClusterConnection;
            use $redis::{AsyncCommands, Client, Commands, Connection};

            use crate::contender::{self, Endpoint, Subscriber, Suite};
            use crate::measure::{Done, Result};
            use crate::rows::work::{KEYS, Work, check, keys_from};

            pub fn register(suite: &mut Suite, name: &'static str) {
                suite.client::<Shared<MultiplexedConnection>>(name);
                suite.cluster_client::<Shared<ClusterConnection>>(name);
                suite.blocking::<Blocking>(name);
                suite.subscriber::<Listener>(name);
            }

            fn client(servers: &[SocketAddr]) -> Result<Client> {
                let server = servers.first().ok_or("no server")?;
                Ok(Client::open(format!("redis://{server}/"))?)
            }

            /// How the kinds of connection differ.
            trait Kind: ConnectionLike + Clone + Send + Sync + 'static {
                fn open(servers: &[SocketAddr]) -> impl Future<Output = Result<Self>> + Send;
                fn gets(
                    &mut self,
                    keys: &[String],
                ) -> impl Future<Output = Result<Vec<Option<Vec<u8>>>>> + Send;
            }

            impl Kind for MultiplexedConnection {
                async fn open(servers: &[SocketAddr]) -> Result<Self> {
                    Ok(client(servers)?.get_multiplexed_async_connection().await?)
                }

                async fn gets(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
                    let mut pipeline = $redis::pipe();
                    for key in keys {
                        pipeline.get(key);
                    }
                    Ok(pipeline.query_async(self).await?)
                }
            }

            impl Kind for ClusterConnection {
                async fn open(servers: &[SocketAddr]) -> Result<Self> {
                    let urls: Vec<String> =
                        servers.iter().map(|server| format!("redis://{server}/")).collect();
                    Ok(ClusterClient::new(urls)?.get_async_connection().await?)
                }

                /// All at once: a pipeline must be for one node.
                async fn gets(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
                    let each = keys.iter().map(|key| {
                        let mut connection = self.clone();
                        async move { AsyncCommands::get(&mut connection, key).await }
                    });
                    Ok(try_join_all(each).await?)
                }
            }

            #[derive(Clone)]
            struct Shared<K>(K);

            impl<K: Kind> contender::Client for Shared<K> {
                type Value = Option<Vec<u8>>;

                async fn connect(servers: &[SocketAddr]) -> Result<Self> {
                    Ok(Self(K::open(servers).await?))
                }

                async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>> {
                    Ok(AsyncCommands::get(&mut self.0, key).await?)
                }

                async fn set(&mut self, key: &str, value: &str) -> Result<()> {
                    Ok(AsyncCommands::set(&mut self.0, key, value).await?)
                }

                async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
                    self.0.gets(keys).await
                }

                async fn list(&mut self, key: &str) -> Result<Vec<String>> {
                    Ok(AsyncCommands::lrange(&mut self.0, key, 0, -1).await?)
                }

                async fn load(&mut self, key: &str) -> Result<usize> {
                    let value: Vec<u8> = AsyncCommands::get(&mut self.0, key).await?;
                    Ok(value.len())
                }

                async fn store(&mut self, key: &str, value: &Bytes) -> Result<()> {
                    Ok(AsyncCommands::set(&mut self.0, key, &value[..]).await?)
                }
            }

            struct Blocking(RefCell<Connection>);

            impl Endpoint for Blocking {
                fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
                    Ok(Self(RefCell::new(client(servers)?.get_connection()?)))
                }

                fn takes(work: Work) -> bool {
                    matches!(work, Work::Get { tasks: 1 } | Work::Pipeline { .. })
                }

                fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
                    let (connection, mut keys) = (&mut *self.0.borrow_mut(), keys_from(0));
                    for _ in 0..passes {
                        if let Work::Pipeline { depth } = work {
                            let mut pipeline = $redis::pipe();
                            for key in &KEYS[..depth] {
                                pipeline.get(key);
                            }
                            let values: Vec<Option<Vec<u8>>> = pipeline.query(connection)?;
                            values.iter().try_for_each(check)?;
                        } else {
                            let key = keys.next().ok_or("no keys")?;
                            check(&Commands::get::<_, Option<Vec<u8>>>(connection, key)?)?;
                        }
                    }
                    Ok((passes * work.depth() as u64).into())
                }
            }

            struct Listener(BoxStream<'static, $redis::Msg>);

            impl Subscriber for Listener {
                async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
                    let mut listener = client(&[server])?.get_async_pubsub().await?;
                    listener.subscribe(channel).await?;
                    Ok(Self(listener.into_on_message().boxed()))
                }

                async fn next(&mut self) -> Result<usize> {
                    let message = self.0.next().await.ok_or("no more messages")?;
                    Ok(message.get_payload_bytes().len())
                }
            }
        }
    };
}

version!(first, redis);
version!(second, redis_next);

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
        while let Some(value) = &self.codec.decode(&mut self.buffer)? {
            black_box::<&Value>(value);
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
