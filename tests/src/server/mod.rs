//! Servers for the tests: real ones, private to a test ([`Server`], [`cluster`], [`sentinel`]), and a scripted
//! hostile one ([`hostile`]).
//!
//! A real server listens on a loopback port of its own, keeps nothing on disk, and ends with the value that
//! stands for it, or with the test process if that is killed first. `tests/servers.sh` lays out the programs;
//! without them every test that wants one fails and says so.

pub mod cluster;
mod config;
pub mod hostile;
pub mod namespace;
pub mod ocsp;
pub mod pki;
mod process;
pub mod sentinel;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use config::{Module, ServerConfig, ServerTls};
pub use process::{RefusingPort, free_port};

/// How long anything a test waits for may take before the wait is a failure.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The server versions that the tests run against, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Redis 7.0.15: Debian's build, with TLS.
    V7,
    /// Redis 8.2.3: without TLS, and the only one that loads a [`Module`].
    V8,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 2] = [Self::V7, Self::V8];

    /// The version number, as the server gives it in `INFO`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::V7 => "7.0.15",
            Self::V8 => "8.2.3",
        }
    }
}

/// A real redis-server of a test's own, which ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    port: u16,
    tls_port: Option<u16>,
    /// `None` between [`kill9`](Self::kill9) and [`restart`](Self::restart).
    child: Option<Child>,
    /// Holds the configuration, the log, the unix socket and whatever the server writes.
    dir: TempDir,
}

impl Server {
    /// Starts a server of this version with the default configuration.
    ///
    /// # Panics
    /// If the programs are missing or the server does not answer within [`PATIENCE`].
    #[must_use]
    pub fn start(version: Version) -> Self {
        ServerConfig::new(version).start()
    }

    /// The TCP address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((self.config.host(), self.port))
    }

    /// The TCP port, on 127.0.0.1 unless the server is in a network of its own.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port for TLS.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls_port.expect("the configuration has TLS")
    }

    /// The port that servers and sentinels tell of it: that for TLS, if there is one.
    #[must_use]
    pub fn told_port(&self) -> u16 {
        self.tls_port.unwrap_or(self.port)
    }

    /// The version that was asked for.
    #[must_use]
    pub fn version(&self) -> Version {
        self.config.version
    }

    /// `redis://[:PASSWORD@]127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.config.password.as_ref().map_or_else(String::new, |p| format!(":{p}@"));
        format!("redis://{password}{}/", self.addr())
    }

    /// The server's own folder: its working directory, with `redis.conf` and `redis.log`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where the unix socket is, if the configuration has [`unix_socket`](ServerConfig::unix_socket).
    #[must_use]
    pub fn unix_path(&self) -> PathBuf {
        config::unix_path(self.dir.path())
    }

    /// The process id.
    ///
    /// # Panics
    /// If the server is down.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().id()
    }

    /// Kills the server with SIGKILL and waits for its end; does nothing if it is down.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only for a process that is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the server again on the same port, in the same folder and with the configuration file that is
    /// there, killing it first if it is up. Unless the configuration says otherwise nothing was saved, so it comes
    /// back empty.
    ///
    /// # Panics
    /// If it does not answer within [`PATIENCE`].
    pub fn restart(&mut self) {
        self.kill9();
        // Another test that looks for a free port may hold this one for a moment.
        self.child = Some(poll_until("the port to be free", || {
            process::launch(&self.config, self.dir.path(), self.port)
        }));
    }

    /// Freezes the server with SIGSTOP; on return it no longer runs. TCP stays up: the kernel still accepts
    /// connections and takes bytes.
    ///
    /// # Panics
    /// If the server is down.
    pub fn stop_signal(&self) {
        self.signal(Signal::STOP);
        poll_until("the server to stop", || (process::state(self.pid()) == Some('T')).then_some(()));
    }

    /// Freezes the server as [`stop_signal`](Self::stop_signal) does, until what is returned is dropped.
    ///
    /// # Panics
    /// If the server is down.
    #[must_use]
    pub fn frozen(&self) -> Frozen<'_> {
        self.stop_signal();
        Frozen(self)
    }

    /// Lets a frozen server go on (SIGCONT).
    ///
    /// # Panics
    /// If the server is down.
    pub fn cont_signal(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it is up: not killed, not frozen, and not ended by itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let state = self.child.as_ref().and_then(|child| process::state(child.id()));
        state.is_some_and(|state| !matches!(state, 'T' | 'Z'))
    }

    /// What redis-cli prints for this command, without the last newline: a second party's view of the server.
    /// An error reply is printed like any other.
    ///
    /// # Panics
    /// If redis-cli cannot connect, or has no answer within [`PATIENCE`].
    pub fn cli(&self, args: &[&str]) -> String {
        let mut command = process::redis_cli(PATIENCE);
        let (host, port) = (self.config.host().to_string(), self.port.to_string());
        command.args(["-h", &host, "-p", &port]).args(args);
        if let Some(password) = &self.config.password {
            command.env("REDISCLI_AUTH", password);
        }
        let output = command.output().expect("coreutils' timeout is installed");
        let (status, complaint) = (output.status, String::from_utf8_lossy(&output.stderr));
        assert!(status.success(), "redis-cli {args:?}: {status}: {complaint}");
        let printed = String::from_utf8_lossy(&output.stdout);
        printed.strip_suffix('\n').unwrap_or(&printed).to_owned()
    }

    /// The memory that the server's process holds.
    ///
    /// # Panics
    /// If the server is down.
    #[must_use]
    pub fn rss_bytes(&self) -> u64 {
        process::rss_bytes(self.pid())
    }

    fn running(&self) -> &Child {
        self.child.as_ref().expect("the server was killed and not restarted")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.running()), signal).expect("the server's process exists");
    }
}

/// A server that is frozen until this is dropped.
#[derive(Debug)]
pub struct Frozen<'a>(&'a Server);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.cont_signal();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Asks again and again, with short waits, until there is an answer: for what happens in another process.
///
/// # Panics
/// After [`PATIENCE`], naming `what` was waited for.
pub fn poll_until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    poll_within(PATIENCE, Duration::from_millis(1), what, ask)
}

/// As [`poll_until`], asking every so often, for at most so long.
pub(crate) fn poll_within<T>(
    patience: Duration,
    every: Duration,
    what: &str,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < patience, "waited {patience:?} for {what}");
        std::thread::sleep(every);
    }
}
