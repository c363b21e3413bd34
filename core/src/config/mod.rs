//! What a client is told before it connects.
//!
//! A [`Config`] is built by its setters, or read from a URL by [`Config::from_url`], where every setting
//! has an option but tables of nodes: their [zones](Config::zones), and an [`AddressMap`]. Nothing in it
//! is ever shown that is secret: passwords are a [`Secret`], and a
//! [`ConfigError`](crate::error::ConfigError) names an option but never repeats its value.
//!
//! ```
//! use std::time::Duration;
//!
//! use redstart_core::config::{Config, Endpoint, ReadFrom};
//!
//! let set = Config::new(Endpoint::tcp("localhost", 6380)).database(2).connect_timeout(Duration::from_secs(1));
//! let read = Config::from_url("redis://localhost:6380/2?connect_timeout=1s")?;
//! assert_eq!(set, read);
//!
//! let set = Config::cluster([Endpoint::tcp("a", 7000), Endpoint::tcp("b", 7000)]).read_from(ReadFrom::Replica);
//! let read = Config::from_url("redis-cluster://a:7000,b:7000?read_from=replica")?;
//! assert_eq!(set, read);
//! # Ok::<(), redstart_core::error::ConfigError>(())
//! ```

mod address_map;
mod deployment;
mod endpoint;
mod into;
mod options;
mod pool;
mod provider;
mod read_from;
mod refresh;
mod secret;
mod tls;
mod url;
mod validate;

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;

pub use address_map::AddressMap;
pub use deployment::{ClusterOptions, Deployment, SentinelOptions};
pub use endpoint::Endpoint;
pub use into::IntoConfig;
pub use pool::PoolOptions;
pub(crate) use provider::Login;
pub use provider::{CredentialProvider, Renewals, Supply, Token, TokenOptions, TokenProvider};
pub use read_from::ReadFrom;
pub use refresh::RefreshOptions;
pub use secret::{Credentials, Secret};
#[cfg(feature = "tls")]
pub(crate) use tls::{Accepted, Pem};
pub use tls::{DangerousTls, Ocsp, Tls, TlsVersion};
pub(crate) use validate::is_host;

use crate::resp::Limits;

/// Which version of RESP to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// RESP3, falling back to RESP2 where the server does not know `HELLO`, which came with 6.0.
    #[default]
    Auto,
    /// RESP2.
    Resp2,
    /// RESP3; a server that does not speak it is an error.
    Resp3,
}

/// What a full queue does with callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// They wait for room, within their deadline.
    #[default]
    Wait,
    /// Their calls fail at once with [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    Fail,
}

/// How long to wait before trying again: a random time between zero and `base`, where that bound doubles
/// with each failure in a row until it is `cap` (exponential backoff with full jitter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The longest wait after the first failure. Default 10 ms.
    pub base: Duration,
    /// The longest wait of all. Default 2 s.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(10), cap: Duration::from_secs(2) }
    }
}

/// All settings of a client. See the [module](self).
///
/// Setters take any value; [`validate`](Self::validate), which every `connect` calls, refuses what cannot
/// work.
///
/// ```
/// use core::time::Duration;
/// use redstart_core::config::{Config, Credentials, Endpoint};
///
/// let config = Config::new(Endpoint::tcp("cache.example", 7000))
///     .credentials(Credentials::new("ann", "secret"))
///     .database(2)
///     .response_timeout(Duration::from_millis(500))
///     .health_interval(None);
/// let url = "redis://ann:secret@cache.example:7000/2?response_timeout=500ms&health_interval=none";
/// assert_eq!(Config::from_url(url), Ok(config));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) deployment: Deployment,
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Login,
    pub(crate) database: u32,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) protocol: Protocol,
    pub(crate) client_name: Option<Arc<str>>,
    pub(crate) library_name: Option<Cow<'static, str>>,
    pub(crate) library_version: Option<Cow<'static, str>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Option<Duration>,
    pub(crate) liveness_timeout: Duration,
    pub(crate) health_interval: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) retries: u32,
    pub(crate) suspect_after: Duration,
    pub(crate) read_from: ReadFrom,
    pub(crate) zone: Option<Arc<str>>,
    pub(crate) zones: BTreeMap<Endpoint, Arc<str>>,
    pub(crate) queue_commands: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) pool: PoolOptions,
    pub(crate) max_conflicts: u32,
    pub(crate) reply_limits: Limits,
    pub(crate) subscription_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: Deployment::default(),
            endpoint: Endpoint::default(),
            login: Login::None,
            database: 0,
            tls: None,
            protocol: Protocol::default(),
            client_name: None,
            library_name: Some(Cow::Borrowed("redstart")),
            library_version: Some(Cow::Borrowed(env!("CARGO_PKG_VERSION"))),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Some(Duration::from_secs(5)),
            liveness_timeout: Duration::from_secs(10),
            health_interval: Some(Duration::from_secs(30)),
            close_timeout: Duration::from_secs(5),
            tcp_keepalive: Some(Duration::from_secs(30)),
            backoff: Backoff::default(),
            retries: 16,
            suspect_after: Duration::from_millis(500),
            read_from: ReadFrom::default(),
            zone: None,
            zones: BTreeMap::new(),
            queue_commands: 65_536,
            queue_bytes: 64 << 20,
            when_full: WhenFull::default(),
            pool: PoolOptions::default(),
            max_conflicts: 1_024,
            reply_limits: Limits::default(),
            subscription_bytes: 8 << 20,
        }
    }
}

impl Config {
    /// The defaults, for the one server at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, ..Self::default() }
    }

    /// The defaults, for the cluster that the nodes at `seeds` belong to. What more can be said of a cluster
    /// is in [`ClusterOptions`].
    #[must_use]
    pub fn cluster(seeds: impl IntoIterator<Item = Endpoint>) -> Self {
        Self::default().deployment(ClusterOptions::new(seeds))
    }

    /// The defaults, for the primary that `sentinels` watch by the name `service`, and its replicas. What
    /// more can be said of sentinels is in [`SentinelOptions`].
    #[must_use]
    pub fn sentinel(service: &str, sentinels: impl IntoIterator<Item = Endpoint>) -> Self {
        Self::default().deployment(SentinelOptions::new(service, sentinels))
    }

    /// How the servers are deployed: [`ClusterOptions`] or [`SentinelOptions`]. Default: one server.
    #[must_use]
    pub fn deployment(mut self, deployment: impl Into<Deployment>) -> Self {
        self.deployment = deployment.into();
        self
    }

    /// Where to connect, to one server: a cluster or sentinels said before are forgotten. Default
    /// 127.0.0.1:6379.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.deployment = Deployment::Single;
        self.endpoint = endpoint;
        self
    }

    /// Who to be on the servers. Default: nobody in particular, no `AUTH` is sent.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<Option<Credentials>>) -> Self {
        self.login = credentials.into().into();
        self
    }

    /// Who knows who to be on the servers, instead of [`credentials`](Self::credentials): it is asked for each new
    /// connection, and can have new credentials for those that are there.
    #[must_use]
    pub fn credential_provider(mut self, provider: impl CredentialProvider) -> Self {
        self.login = Login::provider(provider);
        self
    }

    /// Where to get tokens that serve as [`credentials`](Self::credentials) and expire. A new one is asked for in
    /// time, and connections that are there are told it.
    #[must_use]
    pub fn token_provider(mut self, provider: impl TokenProvider, options: TokenOptions) -> Self {
        self.login = Login::tokens(provider, options);
        self
    }

    /// The number of the logical database, chosen by `SELECT`. Default 0.
    #[must_use]
    pub fn database(mut self, database: u32) -> Self {
        self.database = database;
        self
    }

    /// Secures all connections by TLS; those with sentinels too, unless
    /// [`SentinelOptions::tls`] says otherwise. Default: none.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Option<Tls>>) -> Self {
        self.tls = tls.into().map(Arc::new);
        self
    }

    /// Which version of RESP to speak. Default [`Protocol::Auto`].
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The name of each connection (`CLIENT SETNAME`), of printable ASCII without spaces. Default: none.
    #[must_use]
    pub fn client_name<'a>(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.client_name = name.into().map(Arc::from);
        self
    }

    /// The library's name in `CLIENT LIST` (`CLIENT SETINFO LIB-NAME`, since 7.2), of printable ASCII
    /// without spaces. `None` does not send it. Default `redstart`.
    #[must_use]
    pub fn library_name<'a>(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.library_name = name.into().map(|name| Cow::Owned(name.into()));
        self
    }

    /// The library's version in `CLIENT LIST` (`CLIENT SETINFO LIB-VER`, since 7.2), of printable ASCII
    /// without spaces. `None` does not send it. Default: the version of Redstart.
    #[must_use]
    pub fn library_version<'a>(mut self, version: impl Into<Option<&'a str>>) -> Self {
        self.library_version = version.into().map(|version| Cow::Owned(version.into()));
        self
    }

    /// How long name resolution, connecting and the handshake may take together. Default 5 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take: for room in the queue, a connection, further tries and the reply together.
    /// `None` waits for ever. Default 5 s.
    #[must_use]
    pub fn response_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.response_timeout = timeout.into();
        self
    }

    /// How long no byte may come while replies are due before the connection is given up. Default 10 s.
    #[must_use]
    pub fn liveness_timeout(mut self, timeout: Duration) -> Self {
        self.liveness_timeout = timeout;
        self
    }

    /// How long a connection may idle before a `PING` tries it. `None` never does. Default 30 s.
    #[must_use]
    pub fn health_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.health_interval = interval.into();
        self
    }

    /// How long closing waits for replies that are due. Zero does not wait. Default 5 s.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long a connection may idle before the system probes it (TCP keepalive), in whole seconds.
    /// `None` turns probes off. Default 30 s.
    #[must_use]
    pub fn tcp_keepalive(mut self, idle: impl Into<Option<Duration>>) -> Self {
        self.tcp_keepalive = idle.into();
        self
    }

    /// How long to wait before trying again, be it to connect or to send. Default: see [`Backoff`].
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How often one request may be sent again after connections that were lost with it on its way, if
    /// repeating it is safe. Default 16. What certainly did not run is tried until its deadline.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How long a node of a cluster or one that sentinels watch may owe a reply and say nothing before it is
    /// a suspect: nothing new is sent to it, and its successor is looked for. Default 500 ms.
    ///
    /// Means nothing to a single server, which has no successor. A suspect is tried by a second connection, in case
    /// only the first is dead. What it owes is waited for: when it answers, it goes on; when it is replaced, its
    /// connections are given up.
    #[must_use]
    pub fn suspect_after(mut self, silence: Duration) -> Self {
        self.suspect_after = silence;
        self
    }

    /// Which nodes of a cluster, or of those that sentinels watch, reads go to. Default
    /// [`ReadFrom::Primary`].
    #[must_use]
    pub fn read_from(mut self, read_from: ReadFrom) -> Self {
        self.read_from = read_from;
        self
    }

    /// The availability zone that this client is in, for [`ReadFrom::SameZone`]. Default: none.
    #[must_use]
    pub fn zone<'a>(mut self, zone: impl Into<Option<&'a str>>) -> Self {
        self.zone = zone.into().map(Arc::from);
        self
    }

    /// Which availability zones nodes are in, for [`ReadFrom::SameZone`]: by the endpoint that the client
    /// connects to. What a node says of itself counts where it is not in this table. Default: empty.
    #[must_use]
    pub fn zones<Z: Into<Arc<str>>>(mut self, zones: impl IntoIterator<Item = (Endpoint, Z)>) -> Self {
        self.zones = zones.into_iter().map(|(node, zone)| (node, zone.into())).collect();
        self
    }

    /// How many commands the queue holds. Default 65,536.
    #[must_use]
    pub fn queue_commands(mut self, commands: usize) -> Self {
        self.queue_commands = commands;
        self
    }

    /// How many bytes of commands the queue holds; a longer command is refused. Default 64 MiB.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// What a full queue does with callers. Default [`WhenFull::Wait`].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// How many bytes of messages wait for whoever reads a [subscription](crate::client::Subscription), each with
    /// about 100 bytes of its own, unless one alone has more. Behind that the oldest are dropped and
    /// [counted](crate::pubsub::Event::Lagged). Default 8 MiB for each subscription.
    #[must_use]
    pub fn subscription_bytes(mut self, bytes: usize) -> Self {
        self.subscription_bytes = bytes;
        self
    }

    /// The connections beside the shared one, for blocking commands and sessions. Default: see [`PoolOptions`].
    #[must_use]
    pub fn pool(mut self, pool: PoolOptions) -> Self {
        self.pool = pool;
        self
    }

    /// How often keys may be changed by others while they are to be changed by
    /// [`optimistic`](crate::Client::optimistic), before it gives up. Default 1,024.
    #[must_use]
    pub fn max_conflicts(mut self, conflicts: u32) -> Self {
        self.max_conflicts = conflicts;
        self
    }

    /// How large a reply may be. A server that sends more is disconnected. Default: see [`Limits`].
    #[must_use]
    pub fn reply_limits(mut self, limits: Limits) -> Self {
        self.reply_limits = limits;
        self
    }

    /// What was set by [`deployment`](Self::deployment).
    #[must_use]
    pub fn deployed(&self) -> &Deployment {
        &self.deployment
    }

    /// Where to connect first: to the [`endpoint`](Self::endpoint) of a single server, or one of these nodes
    /// of a cluster, or one of these sentinels.
    #[must_use]
    pub fn peers(&self) -> &[Endpoint] {
        match &self.deployment {
            Deployment::Single => core::slice::from_ref(&self.endpoint),
            Deployment::Cluster(options) => &options.seeds,
            Deployment::Sentinel(options) => &options.sentinels,
        }
    }

    /// The time set by [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn connects_within(&self) -> Duration {
        self.connect_timeout
    }

    /// The time set by [`tcp_keepalive`](Self::tcp_keepalive).
    #[must_use]
    pub fn probes_after(&self) -> Option<Duration> {
        self.tcp_keepalive
    }
}
