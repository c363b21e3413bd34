//! Real sentinels with a primary and replicas to watch, private to a test.

use std::time::Duration;

use redstart_core::Result;
use redstart_core::command::{Command, Run};
use redstart_core::commands::{ReplicaOf, ReplicationCommands, SentinelCommands, SentinelNode};

use super::{Server, ServerConfig, ServerTls, Version, poll_within};
use crate::wire::Wire;

/// The name under which the sentinels know the primary.
pub const NAME: &str = "main";

/// How long the sentinels may take until they agree.
pub const AGREEMENT: Duration = Duration::from_secs(40);

/// How to start [`Sentinels`].
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    version: Version,
    replicas: usize,
    sentinels: usize,
    down_after: Duration,
    server_tls: Option<ServerTls>,
    sentinel_tls: Option<ServerTls>,
    directives: Vec<(String, String)>,
}

impl SentinelConfig {
    /// A primary, one replica, and three sentinels of which two must agree. Who does not answer for two seconds is
    /// taken to be down.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let down_after = Duration::from_secs(2);
        let (server_tls, sentinel_tls) = (None, None);
        Self {
            version,
            replicas: 1,
            sentinels: 3,
            down_after,
            server_tls,
            sentinel_tls,
            directives: Vec::new(),
        }
    }

    /// How many replicas follow the primary.
    #[must_use]
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// How many sentinels there are; a majority of them must agree.
    #[must_use]
    pub fn sentinels(mut self, count: usize) -> Self {
        self.sentinels = count;
        self
    }

    /// How long a server does not answer until it is taken to be down.
    #[must_use]
    pub fn down_after(mut self, time: Duration) -> Self {
        self.down_after = time;
        self
    }

    /// The servers that are watched listen for TLS besides, and all speak it among themselves.
    #[must_use]
    pub fn tls(mut self, servers: &ServerTls, sentinels: &ServerTls) -> Self {
        self.server_tls = Some(servers.clone());
        self.sentinel_tls = Some(sentinels.clone());
        self
    }

    /// Adds a line to the configuration file of every sentinel.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.directives.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts all servers and returns once every sentinel knows all of them.
    ///
    /// # Panics
    /// If the programs are missing, or the sentinels do not agree within [`AGREEMENT`].
    #[must_use]
    pub fn start(&self) -> Sentinels {
        let data = ServerConfig::new(self.version).arg("repl-diskless-sync-delay", 0);
        let data = self.server_tls.iter().fold(data, ServerConfig::tls);
        let servers: Vec<Server> = (0..=self.replicas).map(|_| data.start()).collect();
        let primary = servers[0].told_port();
        for replica in &servers[1..] {
            connect(replica).replicaof(ReplicaOf::primary("127.0.0.1", primary)).expect("a server to follow");
        }
        let quorum = self.sentinels / 2 + 1;
        let mut config = ServerConfig::new(self.version)
            .sentinel()
            .arg("sentinel monitor", format!("{NAME} 127.0.0.1 {primary} {quorum}"))
            .arg("sentinel down-after-milliseconds", format!("{NAME} {}", self.down_after.as_millis()))
            // An attempt that fails, as when sentinels vote for themselves, is repeated after twice this time.
            .arg("sentinel failover-timeout", format!("{NAME} 3000"));
        config = self.sentinel_tls.iter().fold(config, ServerConfig::tls);
        for (name, value) in &self.directives {
            config = config.arg(name, value);
        }
        let sentinels = (0..self.sentinels).map(|_| config.start()).collect();
        let sentinels = Sentinels { servers, sentinels };
        sentinels.hurry();
        sentinels.await_primary(0);
        sentinels.await_copies();
        sentinels
    }
}

/// A primary with its replicas and the sentinels that watch them. All of them end when this is dropped.
#[derive(Debug)]
pub struct Sentinels {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

fn connect(server: &Server) -> Wire {
    Wire::connect(server.addr(), 3)
}

impl Sentinels {
    /// Makes the sentinels do more often what they do every second to every ten seconds. News of a replica that are
    /// older than three periods of `INFO`, or five of pings, are too old for it to be chosen: on a busy machine those
    /// must not be short.
    fn hurry(&self) {
        for sentinel in &self.sentinels {
            let periods = [("info-period", 1000), ("ask-period", 100), ("publish-period", 100)];
            connect(sentinel).sentinel_debug_set(periods).expect("periods of a sentinel");
        }
    }

    /// `redis-sentinel://127.0.0.1:PORT,.../NAME` with all sentinels.
    #[must_use]
    pub fn url(&self) -> String {
        let sentinels = self.sentinels.iter().map(|sentinel| sentinel.addr().to_string());
        format!("redis-sentinel://{}/{NAME}", sentinels.collect::<Vec<_>>().join(","))
    }

    /// `rediss-sentinel://127.0.0.1:PORT,.../NAME` with the TLS ports of all sentinels.
    ///
    /// # Panics
    /// If they have no TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let sentinels = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.tls_port()));
        format!("rediss-sentinel://{}/{NAME}", sentinels.collect::<Vec<_>>().join(","))
    }

    /// The primary at the start, and the replicas after it.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The same servers, to be killed and started again.
    #[must_use]
    pub fn servers_mut(&mut self) -> &mut [Server] {
        &mut self.servers
    }

    /// The sentinels.
    #[must_use]
    pub fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    /// The sentinels, to be killed and started again. One that is started again knows what it knew.
    #[must_use]
    pub fn sentinels_mut(&mut self) -> &mut [Server] {
        &mut self.sentinels
    }

    /// A connection to one sentinel, over RESP3.
    ///
    /// # Panics
    /// If the sentinel does not answer.
    #[must_use]
    pub fn wire(&self, sentinel: usize) -> Wire {
        connect(&self.sentinels[sentinel])
    }

    /// Which server the first sentinel that runs takes for the primary.
    ///
    /// # Panics
    /// If none runs.
    #[must_use]
    pub fn primary(&self) -> usize {
        let sentinel = self.sentinels.iter().find(|sentinel| sentinel.is_running()).expect("a sentinel");
        let (_, port) =
            connect(sentinel).sentinel_get_master_addr_by_name(NAME).expect("an answer").expect("a name");
        self.servers.iter().position(|server| server.told_port() == port).expect("one of these servers")
    }

    /// Waits until all sentinels that run name this server as the primary and all others as its replicas, and find
    /// that those which run are what they are to be, the replicas linked to the primary.
    ///
    /// # Panics
    /// If it does not happen within [`AGREEMENT`].
    pub fn await_primary(&self, index: usize) {
        poll_within(AGREEMENT, Duration::from_millis(20), "the sentinels to agree", || {
            let mut running = self.sentinels.iter().filter(|sentinel| sentinel.is_running());
            running.all(|sentinel| self.finds_all_well(&connect(sentinel), index)).then_some(())
        });
    }

    /// Waits until the replicas have what is written now: a link counts as well before anything goes over it, up
    /// to a second after the replica has read the first copy.
    fn await_copies(&self) {
        let primary = connect(&self.servers[0]);
        let replicas = self.servers.len() - 1;
        let heard: Result<u64> = primary.run(Command::new("PUBLISH").arg("nobody").arg("listens"));
        assert_eq!(heard, Ok(0));
        poll_within(AGREEMENT, Duration::from_millis(20), "the replicas to follow", || {
            let copies: Result<usize> = primary.run(Command::new("WAIT").arg(replicas).arg(1000));
            (copies == Ok(replicas)).then_some(())
        });
    }

    /// The servers themselves are not asked: one that is given another part closes its connections.
    fn finds_all_well(&self, sentinel: &Wire, primary: usize) -> bool {
        let port = self.servers[primary].told_port();
        let seen = sentinel.sentinel_master(NAME).expect("a primary that is watched");
        let replicas = sentinel.sentinel_replicas(NAME).expect("a list");
        let peers = sentinel.sentinel_sentinels(NAME).expect("a list");
        let is_well = |node: &SentinelNode| !node.is_down() && !node.is_disconnected();
        let all = || self.servers.iter().chain(&self.sentinels);
        let runs = |port| all().any(|server| server.told_port() == port && server.is_running());
        seen.node.port == port
            && seen.role_reported == "master"
            && is_well(&seen.node)
            && seen.failover_state.is_none()
            && peers.len() == self.sentinels.len() - 1
            && peers.iter().all(|peer| is_well(&peer.node) || !runs(peer.node.port))
            && replicas.len() == self.servers.len() - 1
            && replicas
                .iter()
                .filter(|replica| runs(replica.node.port))
                .all(|replica| is_well(&replica.node) && replica.is_linked && replica.primary_port == port)
    }
}
