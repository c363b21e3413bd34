//! Who takes part, and in what.
//!
//! A contender is one file that implements what it can of the traits below and a line in [`Suite::new`].

mod fred;
mod redis_protocol;
mod redis_rs;
mod redstart;
mod rustis;

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::floor;
use crate::floor::scan::Pair;
use crate::measure::{Lane, Result};
use crate::rows::decode::{OwnedReply, Reply};
use crate::rows::e2e::{Shared, Work};
use crate::rows::pubsub::{Listen, Listener};
use crate::rows::{decode, e2e, encode, pubsub};

/// A client that many tasks share by cloning it, on one connection.
pub trait Client: Clone + Send + Sync + 'static {
    /// What a user keeps of a reply to GET.
    type Value: Kept;

    fn connect(address: SocketAddr) -> impl Future<Output = Result<Self>> + Send;
    fn get(&mut self, key: &str) -> impl Future<Output = Result<Self::Value>> + Send;
    fn set(&mut self, key: &str, value: &str) -> impl Future<Output = Result<()>> + Send;
    /// One GET per key, sent together.
    fn pipeline(&mut self, keys: &[String]) -> impl Future<Output = Result<Vec<Self::Value>>> + Send;
}

/// A value that a user keeps: `Option<String>`, or a floor's plain bytes.
pub trait Kept: Send {
    fn size(&self) -> usize;
}

impl Kept for Option<String> {
    fn size(&self) -> usize {
        self.as_ref().map_or(0, String::len)
    }
}

impl Kept for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// A connection that can be put to work; every [`Client`] is one.
pub trait Endpoint: Sized + 'static {
    fn connect(runtime: &Runtime, address: SocketAddr) -> Result<Self>;
    /// Does the work and returns the number of commands that it took.
    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<u64>;
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

/// Makes a contender's lane for any work, over the connection that it opens.
type Connect = fn(&'static str, Rc<Runtime>, SocketAddr) -> Result<LaneMaker>;
pub type LaneMaker = Box<dyn Fn(Work) -> Lane>;

type DecodeLane = fn(&'static str, Rc<Reply>, usize) -> Option<Lane>;
type OwnedLane = fn(&'static str, Rc<OwnedReply>) -> Result<Option<Lane>>;
type EncodeLane = fn(&'static str, encode::Command) -> Result<Lane>;

/// All contenders by what they take part in: a name, and what makes the lane of a row.
#[derive(Default)]
pub struct Suite {
    only: Vec<String>,
    pub endpoints: Vec<(&'static str, Connect)>,
    pub listeners: Vec<(&'static str, Listen)>,
    pub decoders: Vec<(&'static str, DecodeLane)>,
    pub owned: Vec<(&'static str, OwnedLane)>,
    pub encoders: Vec<(&'static str, EncodeLane)>,
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
        match only.iter().find(|only| !suite.names().any(|name| name.contains(only.as_str()))) {
            Some(unknown) => Err(format!("nobody is called {unknown}").into()),
            None => Ok(suite),
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let endpoints = self.endpoints.iter().map(|entry| entry.0);
        let encoders = self.encoders.iter().map(|entry| entry.0);
        endpoints.chain(self.decoders.iter().map(|entry| entry.0)).chain(encoders)
    }

    pub fn endpoint<E: Endpoint>(&mut self, name: &'static str) {
        if self.wants(name) {
            self.endpoints.push((name, e2e::connect::<E>));
        }
    }

    pub fn client<C: Client>(&mut self, name: &'static str) {
        self.endpoint::<Shared<C>>(name);
    }

    pub fn listener<L: Listener>(&mut self, name: &'static str) {
        if self.wants(name) {
            self.listeners.push((name, pubsub::lane::<L>));
        }
    }

    pub fn decoder<D: Decode>(&mut self, name: &'static str) {
        if self.wants(name) {
            self.decoders.push((name, decode::lane::<D>));
        }
    }

    pub fn owned<D: Owned>(&mut self, name: &'static str) {
        if self.wants(name) {
            self.owned.push((name, decode::owned_lane::<D>));
        }
    }

    pub fn encoder<E: Encode>(&mut self, name: &'static str) {
        if self.wants(name) {
            self.encoders.push((name, encode::lane::<E>));
        }
    }
}
