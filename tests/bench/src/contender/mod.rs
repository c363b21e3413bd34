//! Who takes part, and in what.
//!
//! A contender is one file that implements what it can of the traits below and a line in [`Suite::new`].

mod fred;
mod hiredis;
pub mod redis_benchmark;
mod redis_protocol;
mod redis_rs;
pub mod redstart;
mod rustis;

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use tokio::runtime::Runtime;

use crate::floor;
use crate::floor::scan::Pair;
use crate::measure::{Done, Lane, Result};
use crate::rows::decode::{OwnedReply, Reply};
use crate::rows::many::Many;
use crate::rows::work::{Shared, Subscribed, Work};
use crate::rows::{decode, encode};

/// A client that many tasks share by cloning it, on one connection to each server.
pub trait Client: Clone + Send + Sync + 'static {
    /// What a user keeps of a reply to GET.
    type Value: Kept;

    /// Connects to the one server, or to the cluster.
    fn connect(servers: &[SocketAddr]) -> impl Future<Output = Result<Self>> + Send;
    fn get(&mut self, key: &str) -> impl Future<Output = Result<Self::Value>> + Send;
    fn set(&mut self, key: &str, value: &str) -> impl Future<Output = Result<()>> + Send;
    /// One GET per key, sent together.
    fn pipeline(&mut self, keys: &[String]) -> impl Future<Output = Result<Vec<Self::Value>>> + Send;
    /// All elements of a list.
    fn list(&mut self, key: &str) -> impl Future<Output = Result<Vec<String>>> + Send;
    /// The length of a value, of which a user keeps what costs this client the least.
    fn load(&mut self, key: &str) -> impl Future<Output = Result<usize>> + Send;
    /// Sets a value that may be large, in the form that costs this client the least.
    fn store(&mut self, key: &str, value: &Bytes) -> impl Future<Output = Result<()>> + Send;
}

/// A value that a user keeps: bytes, in the type that costs the client the least.
pub trait Kept: Send {
    fn size(&self) -> usize;
}

impl<T: Kept> Kept for Option<T> {
    fn size(&self) -> usize {
        self.as_ref().map_or(0, T::size)
    }
}

impl Kept for Bytes {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Kept for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// A connection that listens to a channel.
pub trait Subscriber: Sized + 'static {
    fn subscribe(server: SocketAddr, channel: &str) -> impl Future<Output = Result<Self>>;
    /// The payload's length.
    fn next(&mut self) -> impl Future<Output = Result<usize>>;
}

/// A connection that can be put to work; every [`Client`] is one.
pub trait Endpoint: Sized + 'static {
    fn connect(runtime: &Runtime, servers: &[SocketAddr]) -> Result<Self>;
    /// Whether it can do this.
    fn takes(_work: Work) -> bool {
        true
    }
    /// Does the work and tells what it came to.
    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<Done>;
}

/// A decoder that turns bytes into replies in its own form.
pub trait Decode: Default + 'static {
    /// Whether it goes on where it stopped; one that starts again is spared large replies in small pieces.
    const RESUMES: bool = true;
    /// Whether it knows RESP3's maps.
    const MAPS: bool = true;

    /// Takes the next bytes, as a read from a socket would bring them; returns how many replies they completed.
    fn feed(&mut self, bytes: &[u8]) -> Result<usize>;
}

/// A decoder up to what a user keeps. Each call is given one whole reply and must take it in as [`decode::reads`].
pub trait Owned: Default + 'static {
    /// Whether it knows RESP3's maps.
    const MAPS: bool = true;

    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>>;
    fn map(&mut self, bytes: &[u8]) -> Result<Vec<Pair>>;
    /// A reply to XRANGE.
    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>>;
}

/// From a user's arguments to bytes in the buffer that is written to the socket.
pub trait Encode: Default + 'static {
    fn get(&mut self, key: &str) -> Result<()>;
    fn set(&mut self, key: &str, value: &str) -> Result<()>;
    fn mset(&mut self, pairs: &[(String, String)]) -> Result<()>;
    fn hset(&mut self, key: &str, fields: &[(String, String)]) -> Result<()>;
    /// The outgoing buffer.
    fn bytes(&self) -> &[u8];
    /// Empties the outgoing buffer and keeps its memory.
    fn clear(&mut self);
}

/// Makes a contender's lane for any work that it takes, over the connection that it opens.
pub type Connect = fn(&'static str, Rc<Runtime>, &[SocketAddr]) -> Result<LaneMaker>;
pub type LaneMaker = Box<dyn Fn(Work) -> Option<Lane>>;

type DecodeLane = fn(&'static str, Rc<Reply>, usize) -> Result<Option<Lane>>;
type OwnedLane = fn(&'static str, Rc<OwnedReply>) -> Result<Option<Lane>>;
type EncodeLane = fn(&'static str, encode::Command) -> Result<Lane>;

/// Contenders by name, with what makes their lanes.
pub type Entrants<F> = Vec<(&'static str, F)>;

/// All contenders by what they take part in.
#[derive(Default)]
pub struct Suite {
    only: Vec<String>,
    /// On an asynchronous runtime, with one server.
    pub shared: Entrants<Connect>,
    /// The same, a thousand times.
    pub many: Entrants<Connect>,
    /// With a cluster.
    pub cluster: Entrants<Connect>,
    /// Without a runtime.
    pub blocking: Entrants<Connect>,
    pub subscribers: Entrants<Connect>,
    pub decoders: Entrants<DecodeLane>,
    pub owned: Entrants<OwnedLane>,
    pub encoders: Entrants<EncodeLane>,
}

impl Suite {
    /// The floors, and those contenders whose name contains one of `only` (all, if it is empty).
    pub fn new(only: &[String]) -> Result<Self> {
        let mut suite = Self::default();
        floor::register(&mut suite);
        suite.only = only.to_vec();
        redstart::register(&mut suite);
        redis_rs::register(&mut suite);
        fred::register(&mut suite);
        redis_protocol::register(&mut suite);
        rustis::register(&mut suite);
        hiredis::register(&mut suite);
        redis_benchmark::register(&mut suite);
        match only.iter().find(|only| !suite.names().any(|name| name.contains(only.as_str()))) {
            Some(unknown) => Err(format!("nobody is called {unknown}").into()),
            None => Ok(suite),
        }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let online = [&self.shared, &self.cluster, &self.blocking, &self.subscribers].into_iter().flatten();
        let offline =
            self.decoders.iter().map(|entry| entry.0).chain(self.encoders.iter().map(|entry| entry.0));
        online.map(|entry| entry.0).chain(offline)
    }

    fn enter<F>(&self, name: &'static str, entry: F) -> Option<(&'static str, F)> {
        let wanted = self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()));
        wanted.then_some((name, entry))
    }

    pub fn client<C: Client>(&mut self, name: &'static str) {
        self.endpoint::<Shared<C>>(name);
        self.many.extend(self.enter(name, connect::<Many<C>> as Connect));
    }

    pub fn endpoint<E: Endpoint>(&mut self, name: &'static str) {
        self.shared.extend(self.enter(name, connect::<E> as Connect));
    }

    pub fn cluster<E: Endpoint>(&mut self, name: &'static str) {
        self.cluster.extend(self.enter(name, connect::<E> as Connect));
    }

    pub fn cluster_client<C: Client>(&mut self, name: &'static str) {
        self.cluster::<Shared<C>>(name);
    }

    pub fn blocking<E: Endpoint>(&mut self, name: &'static str) {
        self.blocking.extend(self.enter(name, connect::<E> as Connect));
    }

    pub fn subscriber<S: Subscriber>(&mut self, name: &'static str) {
        self.subscribers.extend(self.enter(name, connect::<Subscribed<S>> as Connect));
    }

    pub fn decoder<D: Decode>(&mut self, name: &'static str) {
        self.decoders.extend(self.enter(name, decode::lane::<D> as DecodeLane));
    }

    /// A decoder in another process.
    pub fn decoder_lane(&mut self, name: &'static str, lane: DecodeLane) {
        self.decoders.extend(self.enter(name, lane));
    }

    pub fn owned<D: Owned>(&mut self, name: &'static str) {
        self.owned_lane(name, decode::owned_lane::<D>);
    }

    pub fn owned_lane(&mut self, name: &'static str, lane: OwnedLane) {
        self.owned.extend(self.enter(name, lane));
    }

    pub fn encoder<E: Encode>(&mut self, name: &'static str) {
        self.encoder_lane(name, encode::lane::<E>);
    }

    pub fn encoder_lane(&mut self, name: &'static str, lane: EncodeLane) {
        self.encoders.extend(self.enter(name, lane));
    }
}

/// Connects and returns what makes a lane for any work.
fn connect<E: Endpoint>(
    name: &'static str,
    runtime: Rc<Runtime>,
    servers: &[SocketAddr],
) -> Result<LaneMaker> {
    let endpoint = Rc::new(E::connect(&runtime, servers)?);
    Ok(Box::new(move |work| {
        let (endpoint, runtime) = (endpoint.clone(), runtime.clone());
        E::takes(work).then(|| Lane::new(name, move |passes| endpoint.run(&runtime, work, passes)))
    }))
}
