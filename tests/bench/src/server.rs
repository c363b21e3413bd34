//! A private redis-server that lives as long as the benchmark.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::Result;

/// The server; killed when dropped. It inherits the CPU that this process is pinned to.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts `redis-server` from `PATH` on a free port of the loopback interface, without persistence.
    pub fn start() -> Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let child = Command::new("redis-server")
            .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start redis-server: {error}"))?;
        let mut server = Self { child, address };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("redis-server ended: {status}").into());
            }
            if self.request(b"PING\r\n", b"+PONG\r\n").is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("redis-server does not answer".into())
    }

    /// Sends encoded commands on a connection of their own and insists on the replies.
    pub fn request(&self, commands: &[u8], replies: &[u8]) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(commands)?;
        let mut found = vec![0; replies.len()];
        stream.read_exact(&mut found)?;
        if found == replies { Ok(()) } else { Err("the server gave other replies".into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It can only fail if the server has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
