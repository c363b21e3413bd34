//! How the servers are deployed, and what a client has to know of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::{
    AddressMap, CredentialProvider, Credentials, Endpoint, Login, RefreshOptions, Tls, TokenOptions,
    TokenProvider,
};

/// How the servers are deployed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Deployment {
    /// One server, at [`Config::endpoint`](super::Config::endpoint).
    #[default]
    Single,
    /// Redis Cluster: keys are spread over several primaries, each with its replicas.
    Cluster(Box<ClusterOptions>),
    /// One primary and its replicas, watched by sentinels, which know where they are.
    Sentinel(Box<SentinelOptions>),
}

impl From<ClusterOptions> for Deployment {
    fn from(options: ClusterOptions) -> Self {
        Self::Cluster(Box::new(options))
    }
}

impl From<SentinelOptions> for Deployment {
    fn from(options: SentinelOptions) -> Self {
        Self::Sentinel(Box::new(options))
    }
}

/// What a client has to know of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterOptions {
    pub(crate) seeds: Vec<Endpoint>,
    pub(crate) refresh: RefreshOptions,
    pub(crate) address_map: Option<AddressMap>,
}

impl ClusterOptions {
    /// The cluster that these nodes belong to. They are the first to be asked which nodes there are, and
    /// later if no other answers; so one is enough, but it has to be up when the client starts.
    #[must_use]
    pub fn new(seeds: impl IntoIterator<Item = Endpoint>) -> Self {
        Self { seeds: seeds.into_iter().collect(), refresh: RefreshOptions::default(), address_map: None }
    }

    /// When the nodes are asked again, and how long they may take. Default: see [`RefreshOptions`].
    #[must_use]
    pub fn refresh(mut self, refresh: RefreshOptions) -> Self {
        self.refresh = refresh;
        self
    }

    /// Where the nodes are that the cluster knows by other addresses. Default: they are where it says.
    #[must_use]
    pub fn address_map(mut self, map: impl Into<Option<AddressMap>>) -> Self {
        self.address_map = map.into();
        self
    }
}

/// What sentinels have instead of what servers have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentinelTls(pub(crate) Option<Arc<Tls>>);

/// What a client has to know of sentinels.
#[derive(Clone, Debug, PartialEq)]
pub struct SentinelOptions {
    pub(crate) service: Arc<str>,
    pub(crate) sentinels: Vec<Endpoint>,
    pub(crate) login: Login,
    /// `None`: as for the servers.
    pub(crate) tls: Option<SentinelTls>,
    pub(crate) min_other_sentinels: usize,
    pub(crate) poll_interval: Duration,
    pub(crate) ask_timeout: Duration,
    pub(crate) address_map: Option<AddressMap>,
}

impl SentinelOptions {
    /// The port where sentinels listen unless they are told otherwise.
    pub const DEFAULT_PORT: u16 = 26379;

    /// The primary that `sentinels` watch by the name `service`, and its replicas. One sentinel is enough,
    /// but it has to be up when the client starts.
    #[must_use]
    pub fn new(service: impl Into<Arc<str>>, sentinels: impl IntoIterator<Item = Endpoint>) -> Self {
        Self {
            service: service.into(),
            sentinels: sentinels.into_iter().collect(),
            login: Login::None,
            tls: None,
            min_other_sentinels: 0,
            poll_interval: Duration::from_secs(1),
            ask_timeout: Duration::from_millis(500),
            address_map: None,
        }
    }

    /// Who to be on the sentinels. Default: nobody in particular; they are never told the
    /// [credentials](super::Config::credentials) for the nodes that they watch.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<Option<Credentials>>) -> Self {
        self.login = credentials.into().into();
        self
    }

    /// Who knows who to be on the sentinels. See [`Config::credential_provider`](super::Config::credential_provider).
    #[must_use]
    pub fn credential_provider(mut self, provider: impl CredentialProvider) -> Self {
        self.login = Login::provider(provider);
        self
    }

    /// Where to get tokens for the sentinels. See [`Config::token_provider`](super::Config::token_provider).
    #[must_use]
    pub fn token_provider(mut self, provider: impl TokenProvider, options: TokenOptions) -> Self {
        self.login = Login::tokens(provider, options);
        self
    }

    /// Secures connections with sentinels by TLS, or with `None` by nothing, whatever the
    /// [servers](super::Config::tls) have. Default: as for the servers.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Option<Tls>>) -> Self {
        self.tls = Some(SentinelTls(tls.into().map(Arc::new)));
        self
    }

    /// How many other sentinels one must know to be believed: one that is cut off from them all may name a
    /// primary that they have replaced. Default 0.
    #[must_use]
    pub fn min_other_sentinels(mut self, sentinels: usize) -> Self {
        self.min_other_sentinels = sentinels;
        self
    }

    /// How often sentinels are asked where the primary and its replicas are, besides what they tell by
    /// themselves. Default 1 s.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// How long connecting to one sentinel and asking it may take together. Default 500 ms.
    #[must_use]
    pub fn ask_timeout(mut self, timeout: Duration) -> Self {
        self.ask_timeout = timeout;
        self
    }

    /// Where the nodes and the other sentinels are that sentinels know by other addresses. Default: they
    /// are where it is said.
    #[must_use]
    pub fn address_map(mut self, map: impl Into<Option<AddressMap>>) -> Self {
        self.address_map = map.into();
        self
    }
}
