//! An independent party that tells when a server has taken another's place.
//!
//! It speaks to the servers itself, by a connection for each question: a server that changes its part closes those
//! that it has.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::server::cluster::AGREEMENT;
use crate::server::poll_within;

/// How often it asks.
const EVERY: Duration = Duration::from_millis(5);

/// Asks until it is answered as expected, or dropped.
#[derive(Debug)]
pub struct Observer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<Instant>>>,
}

impl Observer {
    /// Waits for one of these servers to be a primary.
    #[must_use]
    pub fn of_promotion(servers: Vec<SocketAddr>) -> Self {
        Self::start(servers, "ROLE", |reply| reply.contains("\r\nmaster\r\n"))
    }

    /// Waits for one of these sentinels to name another server than this one.
    #[must_use]
    pub fn of_switch(sentinels: Vec<SocketAddr>, service: &str, old: SocketAddr) -> Self {
        let old = format!("\r\n{}\r\n", old.port());
        let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {service}");
        Self::start(sentinels, &question, move |reply| reply.starts_with("*2\r\n") && !reply.contains(&old))
    }

    fn start(
        servers: Vec<SocketAddr>,
        question: &str,
        expected: impl Fn(&str) -> bool + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, question) = (Arc::clone(&stop), format!("{question}\r\n"));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // One that cannot be asked has not changed as far as anybody can tell.
                let says = |server: &SocketAddr| ask(*server, &question).is_ok_and(|reply| expected(&reply));
                if servers.iter().any(says) {
                    return Some(Instant::now());
                }
                thread::sleep(EVERY);
            }
            None
        });
        Self { stop, thread: Some(thread) }
    }

    /// When it was seen; waits until it is.
    ///
    /// # Panics
    /// If that takes longer than [`AGREEMENT`].
    #[must_use]
    pub fn wait(mut self) -> Instant {
        let thread = self.thread.take().expect("it is taken here only");
        poll_within(AGREEMENT, EVERY, "another server to take over", || thread.is_finished().then_some(()));
        thread.join().expect("it does not panic").expect("it was not stopped")
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn ask(server: SocketAddr, question: &str) -> io::Result<String> {
    let patience = Duration::from_millis(200);
    let mut stream = TcpStream::connect_timeout(&server, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}
