//! Finding, starting and looking at server processes.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::{PATIENCE, ServerConfig, Version};

/// A file below the folder that `tests/servers.sh` fills.
///
/// # Panics
/// If it is not there.
pub(super) fn laid_out(file: &Path) -> PathBuf {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the workspace");
    let servers = std::env::var_os("REDSTART_SERVERS").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            Path::new(&target).join("servers")
        },
        PathBuf::from,
    );
    let path = workspace.join(servers).join(file);
    assert!(path.exists(), "{} is missing: run tests/servers.sh first", path.display());
    path
}

/// A program of the version's own folder.
pub(super) fn program(version: Version, name: &str) -> PathBuf {
    laid_out(&Path::new(version.number()).join(name))
}

/// redis-cli, which must be done within this time.
pub(super) fn redis_cli(patience: Duration) -> Command {
    let mut command = Command::new("timeout");
    command.arg(patience.as_secs().to_string()).arg(program(Version::V7, "redis-cli"));
    command
}

/// A port of 127.0.0.1 that nobody listens on now. It lies below the range that outgoing connections draw
/// from, so a client that keeps dialling a server that is down can neither take its port nor reach itself.
///
/// # Panics
/// If no port is free.
#[must_use]
pub fn free_port() -> u16 {
    listen().local_addr().expect("a bound listener has an address").port()
}

/// A port of 127.0.0.1 that refuses every connection for as long as this is held. One from [`free_port`] may still
/// accept for a moment: a process just forked here holds a copy of the listener that found it.
pub struct RefusingPort(Socket);

impl RefusingPort {
    /// Takes a port without listening on it.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn take() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        Self(socket)
    }

    /// Its number.
    ///
    /// # Panics
    /// If the system does not tell the address of a bound socket.
    #[must_use]
    pub fn number(&self) -> u16 {
        let addr = self.0.local_addr().expect("a bound socket has an address");
        addr.as_socket().expect("an address of IPv4").port()
    }
}

/// A listener on a port as [`free_port`] finds it. Whoever can serve from it should: a port that was let go may be
/// taken meanwhile, if only by a process just forked here, which holds a copy of the listener until it executes its
/// program.
pub(super) fn listen() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = BLOCK.1 + 1;
    (1..BLOCK_LEN)
        .map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed) % (BLOCK_LEN - 1))
        .find_map(bind)
        .expect("some port is free")
}

const BLOCK_LEN: u16 = 500;

/// The ports of this process, and what claims them: its listener on the first. No other process takes the port of a
/// server that is down for a while, which sentinels and nodes of a cluster would take for that server.
static BLOCK: LazyLock<(TcpListener, u16)> = LazyLock::new(|| {
    const FIRST: u16 = 10_000;
    const COUNT: u32 = 44;
    let block = |number: u32| FIRST + BLOCK_LEN * u16::try_from(number % COUNT).expect("it is less than 44");
    // Processes that start together try different ones first.
    let own = std::process::id();
    let claim = |number| bind(block(number)).map(|listener| (listener, block(number)));
    (0..COUNT).find_map(|number| claim(own.wrapping_add(number))).expect("fewer processes that start servers")
});

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

/// The configuration file of a server that runs in `dir`. Servers write to it, sentinels all the time.
pub(super) fn conf(dir: &Path) -> PathBuf {
    dir.join("redis.conf")
}

/// Starts a server, whose configuration file is there, and waits until it answers; `None` if somebody else has
/// the port.
///
/// # Panics
/// If it ends for another reason or does not answer within [`PATIENCE`].
pub(super) fn launch(config: &ServerConfig, dir: &Path, port: u16) -> Option<Child> {
    let log = dir.join("redis.log");
    let output = fs::File::create(&log).expect("the server's folder can be written");
    let mut command = config.starter();
    command.args(["--pdeathsig", "KILL"]).arg(config.program()).arg(conf(dir));
    command.stdin(Stdio::null()).stderr(output.try_clone().expect("a second handle")).stdout(output);
    if !config.modules.is_empty() {
        command.env("LD_LIBRARY_PATH", laid_out(Path::new("lib")));
    }
    let mut child = spawn(command).expect("setpriv (util-linux) is installed");
    let start = Instant::now();
    loop {
        let ended = child.try_wait().expect("the server is our child");
        if ended.is_none() && answers(config, port, child.id()).unwrap_or(false) {
            return Some(child);
        }
        let said = || fs::read_to_string(&log).unwrap_or_else(|error| error.to_string());
        if let Some(status) = ended {
            let said = said();
            assert!(said.contains("Address already in use"), "the server ended at once ({status}):\n{said}");
            return None;
        }
        if start.elapsed() > PATIENCE {
            // The caller has no `Server` yet that would do it.
            let _ = child.kill();
            let _ = child.wait();
            panic!("no answer from the server within {PATIENCE:?}:\n{}", said());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the server on this port is the process `pid` and ready. On return it has let the asking connection
/// go, so that one does not count against a test's `maxclients`.
fn answers(config: &ServerConfig, port: u16, pid: u32) -> io::Result<bool> {
    let mut stream = TcpStream::connect((config.host(), port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let auth = config.password.as_ref().map_or_else(String::new, |p| format!("AUTH {p}\r\n"));
    stream.write_all(format!("{auth}PING\r\nINFO server\r\n").as_bytes())?;
    // Sentinels know no QUIT.
    stream.shutdown(Shutdown::Write)?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply.contains("+PONG\r\n") && reply.contains(&format!("process_id:{pid}\r\n")))
}

/// Starts a process from a thread that lives as long as this process does: `--pdeathsig` fires when the
/// *thread* that is the parent ends, and a test's thread ends before others are done with a server it started.
fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<Sender<Job>> = LazyLock::new(|| {
        let (sender, jobs) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in jobs {
                // A test that gave up waiting needs no answer.
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = channel();
    SPAWNER.send((command, reply)).expect("the spawner never ends");
    answer.recv().expect("the spawner answers every job")
}

/// The scheduler's letter for a process (`T` when stopped, `Z` when it has ended), or `None` if it is gone.
pub(super) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "PID (NAME) STATE ...", and the name may hold anything.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The resident memory of a process.
pub(super) fn rss_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process exists");
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .expect("the kernel states VmRSS in kB");
    kilobytes * 1024
}
