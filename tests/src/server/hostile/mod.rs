//! A scripted server that misbehaves on purpose, on real sockets: what a broken, overloaded or malicious peer
//! sends, which no real redis-server can be made to send.
//!
//! It answers like a healthy Redis 7.0.15 with an empty keyspace and few commands, save where its [`Script`]
//! names a [`Fault`]. It records what each connection asked for.

mod fault;
mod pipe;
mod wire;

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;

pub use fault::Fault;
use pipe::Pipe;
use wire::{Words, good_reply, read_command};

/// What a [`Hostile`] server does differently from a healthy one.
#[derive(Debug, Default)]
pub struct Script {
    resp2: bool,
    tls: Option<Arc<ServerConfig>>,
    at_accept: Option<Fault>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    words: Vec<String>,
    fault: Fault,
    /// How often it still applies, over all connections.
    left: AtomicUsize,
}

impl Script {
    /// A healthy server that speaks RESP2 and RESP3.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows no `HELLO`, as before Redis 6.
    #[must_use]
    pub fn resp2(mut self) -> Self {
        self.resp2 = true;
        self
    }

    /// Speaks TLS, as rustls is configured.
    #[must_use]
    pub fn tls(mut self, config: ServerConfig) -> Self {
        self.tls = Some(Arc::new(config));
        self
    }

    /// Commits the fault on each new connection, before anything is read from it.
    #[must_use]
    pub fn at_accept(mut self, fault: Fault) -> Self {
        self.at_accept = Some(fault);
        self
    }

    /// Commits the fault on every command that starts with these words (`"GET"`, `"CLUSTER SLOTS"`), whatever
    /// their case. Where several rules fit, the first that still applies is taken.
    #[must_use]
    pub fn on(self, words: &str, fault: Fault) -> Self {
        self.on_first(usize::MAX, words, fault)
    }

    /// As [`on`](Self::on), but only the first `times` times, over all connections together.
    #[must_use]
    pub fn on_first(mut self, times: usize, words: &str, fault: Fault) -> Self {
        let words = words.split(' ').map(str::to_owned).collect();
        self.rules.push(Rule { words, fault, left: AtomicUsize::new(times) });
        self
    }

    /// Starts the server on a free loopback port.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start(self) -> Hostile {
        self.start_on(super::process::listen())
    }

    /// Starts the server where somebody has begun to listen.
    ///
    /// # Panics
    /// If nobody has.
    #[must_use]
    pub fn start_on(self, listener: TcpListener) -> Hostile {
        let addr = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(State { script: self, ..State::default() });
        let acceptor = thread::spawn({
            let state = Arc::clone(&state);
            move || accept(&listener, &state)
        });
        Hostile { addr, state, acceptor: Some(acceptor) }
    }

    fn fault_for(&self, command: &Words) -> Option<&Fault> {
        self.rules.iter().find(|rule| rule.fits(command) && rule.take()).map(|rule| &rule.fault)
    }
}

impl Rule {
    fn fits(&self, command: &Words) -> bool {
        command.len() >= self.words.len()
            && self.words.iter().zip(command).all(|(word, given)| given.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// A running scripted server, which ends with all its connections when this is dropped.
///
/// Dropping it panics if a client sent something that is not a RESP command.
#[derive(Debug)]
pub struct Hostile {
    addr: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<Vec<Connection>>>,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    stopping: AtomicBool,
    /// The commands of each connection, in the order of acceptance.
    received: Mutex<Vec<Vec<String>>>,
    answered: AtomicUsize,
    open: AtomicUsize,
    resumed: AtomicUsize,
    cut_off: AtomicUsize,
    malformed: Mutex<Vec<String>>,
}

type Connection = (Weak<TcpStream>, JoinHandle<()>);

impl Hostile {
    /// The TCP address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The TCP port, always on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// `redis://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.addr)
    }

    /// The commands that each connection sent, in the order of acceptance, each with its words joined by
    /// spaces. A command is here before any of its reply is sent.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<String>> {
        lock(&self.state.received).clone()
    }

    /// How many commands that start with these words came in, over all connections: whether one was repeated.
    #[must_use]
    pub fn count(&self, words: &str) -> usize {
        let starts = |command: &&String| {
            let (start, rest) = command.split_at_checked(words.len()).unwrap_or_default();
            start.eq_ignore_ascii_case(words) && (rest.is_empty() || rest.starts_with(' '))
        };
        lock(&self.state.received).iter().flatten().filter(starts).count()
    }

    /// How many commands of all connections are done with: all that is to be sent for them is sent.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.state.answered.load(Ordering::SeqCst)
    }

    /// How many connections neither the clients nor this server have closed.
    #[must_use]
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// How many sessions of TLS were taken up again, of connections that have ended.
    #[must_use]
    pub fn resumed(&self) -> usize {
        self.state.resumed.load(Ordering::SeqCst)
    }

    /// How many connections with TLS clients have closed without saying so.
    #[must_use]
    pub fn cut_off(&self) -> usize {
        self.state.cut_off.load(Ordering::SeqCst)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor; should it fail, the acceptor has ended already.
        let _ = TcpStream::connect(self.addr);
        let connections = self.acceptor.take().and_then(|acceptor| acceptor.join().ok()).unwrap_or_default();
        for (stream, thread) in connections {
            if let Some(stream) = stream.upgrade() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            let _ = thread.join();
        }
        let malformed = lock(&self.state.malformed);
        assert!(
            malformed.is_empty() || thread::panicking(),
            "a client sent what is no command: {malformed:?}"
        );
    }
}

/// What a panic left behind is still a list of commands.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, state: &Arc<State>) -> Vec<Connection> {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        if state.stopping.load(Ordering::SeqCst) {
            break;
        }
        // A client that is gone before it is accepted is no connection.
        let Ok(stream) = stream.map(Arc::new) else { continue };
        let number = {
            let mut received = lock(&state.received);
            received.push(Vec::new());
            received.len() - 1
        };
        state.open.fetch_add(1, Ordering::SeqCst);
        let weak = Arc::downgrade(&stream);
        let state = Arc::clone(state);
        let thread = thread::spawn(move || {
            let pipe = Pipe::new(&stream, state.script.tls.as_ref());
            let talk = |pipe: Pipe<'_>| {
                let talked = Talk { state: &state, pipe: &pipe, number, mute: false }.run();
                state.resumed.fetch_add(pipe.is_resumed().into(), Ordering::SeqCst);
                state.cut_off.fetch_add(pipe.is_cut_off(&talked).into(), Ordering::SeqCst);
                talked
            };
            match pipe.and_then(talk) {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    lock(&state.malformed).push(error.to_string());
                }
                // Any other error is the peer's way to hang up.
                Ok(()) | Err(_) => {}
            }
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
        connections.push((weak, thread));
    }
    connections
}

/// One connection's conversation.
struct Talk<'a> {
    state: &'a State,
    pipe: &'a Pipe<'a>,
    number: usize,
    /// Reads and records, but answers nothing any more.
    mute: bool,
}

impl Talk<'_> {
    fn run(&mut self) -> io::Result<()> {
        if let Some(fault) = &self.state.script.at_accept
            && !self.commit(fault, &[])?
        {
            return Ok(());
        }
        let mut reader = BufReader::new(self.pipe);
        while let Some(command) = read_command(&mut reader)? {
            let text: Vec<_> = command.iter().map(|word| String::from_utf8_lossy(word)).collect();
            lock(&self.state.received)[self.number].push(text.join(" "));
            if self.mute {
                continue;
            }
            let good = good_reply(&command, self.number + 1, self.state.script.resp2);
            let goes_on = match self.state.script.fault_for(&command) {
                Some(fault) => self.commit(fault, &good)?,
                None => self.send(&good)?,
            };
            self.state.answered.fetch_add(1, Ordering::SeqCst);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Sends what the fault makes of a good reply; returns whether the conversation goes on.
    fn commit(&mut self, fault: &Fault, good: &[u8]) -> io::Result<bool> {
        match fault {
            Fault::Send(bytes) => self.send(bytes),
            Fault::Before(bytes) => self.send(&[bytes, good].concat()),
            Fault::After(bytes) => self.send(&[good, bytes].concat()),
            Fault::Drip { bytes, interval } => self.drip(bytes, *interval),
            Fault::CloseAfter(bytes) => {
                self.send(bytes)?;
                self.pipe.finish(true)?;
                Ok(false)
            }
            Fault::CutAfter(bytes) => {
                self.send(bytes)?;
                self.pipe.finish(false)?;
                Ok(false)
            }
            Fault::ResetAfter(bytes) => {
                self.send(bytes)?;
                self.pipe.reset()?;
                Ok(false)
            }
            Fault::Silence => {
                self.mute = true;
                Ok(true)
            }
            Fault::Endless { head, repeated } => {
                self.send(head)?;
                let chunk = repeated.repeat(1 + 16 * 1024 / repeated.len().max(1));
                loop {
                    self.send(&chunk)?;
                }
            }
        }
    }

    fn drip(&mut self, bytes: &[u8], interval: Duration) -> io::Result<bool> {
        for byte in bytes {
            self.send(&[*byte])?;
            thread::sleep(interval);
        }
        Ok(true)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let mut pipe = self.pipe;
        pipe.write_all(bytes)?;
        Ok(true)
    }
}
