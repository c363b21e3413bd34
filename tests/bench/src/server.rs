//! Private redis-servers that live as long as they are measured against.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::floor::encode;
use crate::floor::scan::Scan;
use crate::measure::Result;

/// How long anything of a server's may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the server's program is: `REDIS_SERVER`, or what tests/servers.sh has laid out, or the one in `PATH`.
pub fn program() -> PathBuf {
    let laid_out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/7.0.15/redis-server");
    match env::var_os("REDIS_SERVER") {
        Some(named) => named.into(),
        None if laid_out.exists() => laid_out,
        None => "redis-server".into(),
    }
}

/// One server, or the primaries of a cluster; killed when dropped. They inherit the CPUs of this process.
pub struct Server {
    children: Vec<Child>,
    pub addresses: Vec<SocketAddr>,
    folder: PathBuf,
}

impl Server {
    /// Starts a server on a free port of the loopback interface, without persistence.
    pub fn start() -> Result<Self> {
        Self::start_with(1, &[])
    }

    /// Starts so many primaries that share the slots evenly.
    pub fn start_cluster(nodes: usize) -> Result<Self> {
        let server = Self::start_with(nodes, &["--cluster-enabled", "yes"])?;
        for node in 0..nodes {
            // As `work::node_of` has it.
            let (first, last) = ((node * 16_384).div_ceil(nodes), ((node + 1) * 16_384).div_ceil(nodes) - 1);
            server.ask(node, &["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
        }
        for other in &server.addresses[1..] {
            server.ask(0, &["CLUSTER", "MEET", &other.ip().to_string(), &other.port().to_string()])?;
        }
        let deadline = Instant::now() + PATIENCE;
        let known = format!("cluster_known_nodes:{nodes}\r\n");
        for node in 0..nodes {
            loop {
                let info = server.ask(node, &["CLUSTER", "INFO"])?;
                if info.contains("cluster_state:ok") && info.contains(&known) {
                    break;
                }
                if Instant::now() > deadline {
                    return Err("the servers do not form a cluster".into());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(server)
    }

    fn start_with(count: usize, options: &[&str]) -> Result<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("redstart-bench-{}-{}", std::process::id(), STARTED.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        let mut server = Self { children: Vec::new(), addresses: Vec::new(), folder };
        for _ in 0..count {
            let address = free_port()?;
            let port = address.port().to_string();
            let child = Command::new(program())
                .args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no"])
                .args(["--save", "", "--appendonly", "no", "--maxclients", "60000"])
                .args(["--client-output-buffer-limit", "pubsub 0 0 0"])
                .args(["--cluster-config-file", &format!("{port}.conf"), "--dir"])
                .arg(&server.folder)
                .args(options)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .map_err(|error| format!("cannot start {}: {error}", program().display()))?;
            server.children.push(child);
            server.addresses.push(address);
            server.wait_until_ready(server.addresses.len() - 1)?;
        }
        Ok(server)
    }

    fn wait_until_ready(&mut self, node: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.children[node].try_wait()? {
                return Err(format!("redis-server ended: {status}").into());
            }
            if self.ask(node, &["PING"]).is_ok_and(|reply| reply == "+PONG\r\n") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("redis-server does not answer".into())
    }

    /// Asks one of them and returns the reply as it came.
    fn ask(&self, node: usize, command: &[&str]) -> Result<String> {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, command.iter().map(|arg| arg.as_bytes()));
        let reply = String::from_utf8_lossy(&self.exchange(node, &bytes, 1)?).into_owned();
        if reply.starts_with('-') { Err(reply.into()) } else { Ok(reply) }
    }

    /// Sends encoded commands to one of them, and waits for their replies.
    pub fn tell(&self, node: usize, commands: &[u8], count: usize) -> Result<()> {
        let replies = self.exchange(node, commands, count)?;
        if replies.contains(&b'-') { Err("the server refuses what it is told".into()) } else { Ok(()) }
    }

    fn exchange(&self, node: usize, commands: &[u8], count: usize) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.addresses[node])?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(commands)?;
        let (mut replies, mut scan) = (Vec::new(), Scan::default());
        let mut missing = count;
        while missing > 0 {
            let mut read = [0; 4096];
            match stream.read(&mut read)? {
                0 => return Err("the server closed the connection".into()),
                length => replies.extend_from_slice(&read[..length]),
            }
            while scan.next(&replies, &mut ()) {
                missing -= 1;
            }
        }
        Ok(replies)
    }
}

/// A port whose number plus 10,000, where nodes of a cluster talk to each other, is free as well.
fn free_port() -> Result<SocketAddr> {
    for _ in 0..100 {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let bus = address.port().checked_add(10_000);
        if bus.is_some_and(|bus| TcpListener::bind((Ipv4Addr::LOCALHOST, bus)).is_ok()) {
            return Ok(address);
        }
    }
    Err("no port is free".into())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of this can fail unless it has been done already.
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
