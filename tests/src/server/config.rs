//! What a private server is started with.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::namespace::Namespace;
use super::pki::{Authority, Identity};
use super::{Server, Version, process};

/// A module that [`Version::V8`] can load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// RedisJSON: `JSON.*`.
    Json,
    /// RediSearch: `FT.*`.
    Search,
    /// RedisTimeSeries: `TS.*`.
    TimeSeries,
    /// RedisBloom: `BF.*`, `CF.*`, `CMS.*`, `TOPK.*`, `TDIGEST.*`.
    Bloom,
}

impl Module {
    /// Every module.
    pub const ALL: [Self; 4] = [Self::Json, Self::Search, Self::TimeSeries, Self::Bloom];

    /// The file that a server loads.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let file = match self {
            Self::Json => "rejson.so",
            Self::Search => "redisearch.so",
            Self::TimeSeries => "redistimeseries.so",
            Self::Bloom => "redisbloom.so",
        };
        process::laid_out(&Path::new("modules").join(file))
    }
}

/// How to start a [`Server`]: the version, and what differs from the default configuration.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(super) version: Version,
    pub(super) password: Option<String>,
    pub(super) modules: Vec<Module>,
    unix_socket: bool,
    /// The network namespace, and the address in it.
    network: Option<(String, Ipv4Addr)>,
    mode: Mode,
    pub(super) tls: Option<ServerTls>,
    directives: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Standalone,
    ClusterNode { node_timeout: Duration },
    Sentinel,
}

/// What a server has for TLS.
#[derive(Clone, Debug)]
pub struct ServerTls {
    identity: Identity,
    ca_file: PathBuf,
    asks_clients: bool,
    versions: Option<String>,
}

impl ServerTls {
    /// This certificate. The authority is whom the server trusts when it is a client itself, of a primary or of
    /// another node, and what clients are asked for.
    #[must_use]
    pub fn new(identity: &Identity, authority: &Authority) -> Self {
        Self { identity: identity.clone(), ca_file: authority.file(), asks_clients: false, versions: None }
    }

    /// Trusts this authority too.
    ///
    /// # Panics
    /// If the certificates cannot be written.
    #[must_use]
    pub fn trust(mut self, authority: &Authority) -> Self {
        let before = fs::read_to_string(&self.ca_file).expect("it was written");
        self.ca_file = self.ca_file.with_extension("both.pem");
        fs::write(&self.ca_file, before + &authority.pem()).expect("the folder can be written");
        self
    }

    /// Refuses clients without a certificate.
    #[must_use]
    pub fn ask_clients(mut self) -> Self {
        self.asks_clients = true;
        self
    }

    /// Speaks these versions only, such as `TLSv1.2 TLSv1.3`.
    #[must_use]
    pub fn versions(mut self, versions: &str) -> Self {
        self.versions = Some(versions.to_owned());
        self
    }
}

impl ServerConfig {
    /// A server that listens on loopback TCP, saves nothing and takes the `DEBUG` command.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            password: None,
            modules: Vec::new(),
            unix_socket: false,
            network: None,
            mode: Mode::Standalone,
            tls: None,
            directives: Vec::new(),
        }
    }

    /// Adds a line to the configuration file, such as `("client-output-buffer-limit", "pubsub 1mb 1mb 0")`.
    /// The default user must stay able to run `PING` and `INFO`: the start is judged by them.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.directives.push((name.to_owned(), value.to_string()));
        self
    }

    /// Listens on a unix socket too; [`Server::unix_path`] says where.
    #[must_use]
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Sets the default user's password, of characters that may stand in a URL as they are.
    #[must_use]
    pub fn requirepass(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Loads a module.
    ///
    /// # Panics
    /// For [`Version::V7`], which cannot load them.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        assert_eq!(self.version, Version::V8, "the modules at hand load into 8.2.3 only");
        self.modules.push(module);
        self
    }

    /// Listens for TLS besides, on a port of its own ([`Server::tls_port`]), and speaks TLS with its replicas and
    /// the other nodes of its cluster.
    ///
    /// # Panics
    /// For [`Version::V8`], whose build has no TLS.
    #[must_use]
    pub fn tls(mut self, tls: &ServerTls) -> Self {
        assert_eq!(self.version, Version::V7, "the 8.2.3 at hand has no TLS");
        self.tls = Some(tls.clone());
        self
    }

    /// Makes it a node of a cluster, alone and without slots as yet; [`Cluster`](super::cluster::Cluster) makes
    /// whole ones. A node that was not heard of for `node_timeout` is taken to fail.
    #[must_use]
    pub fn cluster_node(mut self, node_timeout: Duration) -> Self {
        self.mode = Mode::ClusterNode { node_timeout };
        self
    }

    /// Makes it a sentinel, which is to be told what to watch; [`Sentinels`](super::sentinel::Sentinels) does it
    /// all.
    #[must_use]
    pub fn sentinel(mut self) -> Self {
        self.mode = Mode::Sentinel;
        self
    }

    /// Puts it into a network of its own, which must outlive it.
    #[must_use]
    pub fn inside(mut self, namespace: &Namespace) -> Self {
        self.network = Some((namespace.name().to_owned(), namespace.host()));
        self
    }

    /// The address that it listens on.
    pub(super) fn host(&self) -> Ipv4Addr {
        self.network.as_ref().map_or(Ipv4Addr::LOCALHOST, |(_, host)| *host)
    }

    /// `setpriv`, wherever the server is to be.
    pub(super) fn starter(&self) -> Command {
        let Some((namespace, _)) = &self.network else { return Command::new("setpriv") };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, "setpriv"]);
        command
    }

    /// Starts a server and returns once it answers.
    ///
    /// # Panics
    /// If the programs are missing or it does not answer within [`PATIENCE`](super::PATIENCE).
    #[must_use]
    pub fn start(&self) -> Server {
        // Not below the target folder: a unix socket's path has room for 107 bytes only.
        let dir = tempfile::Builder::new().prefix("redstart-").tempdir().expect("a folder for the server");
        let (port, tls_port, child) = super::poll_until("a free port", || {
            let (port, tls_port) = (super::free_port(), self.tls.as_ref().map(|_| super::free_port()));
            let text = self.render(dir.path(), port, tls_port);
            fs::write(process::conf(dir.path()), text).expect("the server's folder can be written");
            process::launch(self, dir.path(), port).map(|child| (port, tls_port, child))
        });
        Server { config: self.clone(), port, tls_port, child: Some(child), dir }
    }

    /// The program to start.
    pub(super) fn program(&self) -> PathBuf {
        let name = if let Mode::Sentinel = self.mode { "redis-sentinel" } else { "redis-server" };
        process::program(self.version, name)
    }

    /// The configuration file of a server that runs in `dir`.
    fn render(&self, dir: &Path, port: u16, tls_port: Option<u16>) -> String {
        let mut text = format!(
            "bind {}\nport {port}\ndir \"{}\"\nsave \"\"\nappendonly no\nenable-debug-command local\n",
            self.host(),
            dir.display()
        );
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{name} {value}").expect("writing to a String cannot fail");
        };
        if let Mode::ClusterNode { node_timeout } = self.mode {
            line("cluster-enabled", &"yes");
            line("cluster-node-timeout", &node_timeout.as_millis());
            // By default it lies 10,000 above the port, where somebody else's port may be.
            line("cluster-port", &super::free_port());
        }
        if self.network.is_some() {
            line("protected-mode", &"no");
        }
        if let Some(password) = &self.password {
            line("requirepass", password);
        }
        if let (Some(tls), Some(tls_port)) = (&self.tls, tls_port) {
            line("tls-port", &tls_port);
            line("tls-cert-file", &tls.identity.chain_file().display());
            line("tls-key-file", &tls.identity.key_file().display());
            line("tls-ca-cert-file", &tls.ca_file.display());
            line("tls-auth-clients", &if tls.asks_clients { "yes" } else { "no" });
            line("tls-replication", &"yes");
            if let Some(versions) = &tls.versions {
                line("tls-protocols", &format_args!("\"{versions}\""));
            }
            if let Mode::ClusterNode { .. } = self.mode {
                line("tls-cluster", &"yes");
            }
        }
        if self.unix_socket {
            line("unixsocket", &format_args!("\"{}\"", unix_path(dir).display()));
        }
        for module in &self.modules {
            line("loadmodule", &format_args!("\"{}\"", module.path().display()));
        }
        for (name, value) in &self.directives {
            line(name, value);
        }
        text
    }
}

pub(super) fn unix_path(dir: &Path) -> PathBuf {
    dir.join("redis.sock")
}
