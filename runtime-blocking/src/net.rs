//! Sockets and a clock without a runtime.

use std::future::Future;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mio::{Events, Interest, Registry, Token};
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Sleep, not_resolved};
use redstart_core::{Config, Instant};
use socket2::TcpKeepalive;

use crate::socket::{BlockingSocket, NAP, State, Stream};

const SIGNAL: Token = Token(0);
/// As many sockets are found to be ready at once.
const EVENTS: usize = 64;

/// Wakes the thread that sleeps, if one does.
#[derive(Debug)]
struct Signal {
    raised: AtomicBool,
    asleep: AtomicBool,
    poll: mio::Waker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, SeqCst);
        if self.asleep.load(SeqCst) {
            // It fails only when the poll is gone, and then nobody sleeps in it.
            let _ = self.poll.wake();
        }
    }
}

/// Sockets and a clock of the operating system.
#[derive(Debug)]
pub struct BlockingNet {
    origin: std::time::Instant,
    within: Duration,
    keepalive: Option<Duration>,
    poll: mio::Poll,
    events: Events,
    signal: Arc<Signal>,
    /// Those that the driver has, in the order of their tokens: dropping one there closes it.
    sockets: Vec<(Token, Weak<Mutex<State>>)>,
    /// One of them may have reads that sleep.
    reads_sleep: bool,
    last_token: usize,
    alarm: Instant,
}

impl BlockingNet {
    /// Sockets as `config` wants them.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn new(config: &Config) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), SIGNAL)?;
        let signal = Signal { raised: AtomicBool::new(false), asleep: AtomicBool::new(false), poll: waker };
        Ok(Self {
            origin: std::time::Instant::now(),
            within: config.connects_within(),
            keepalive: config.probes_after(),
            poll,
            events: Events::with_capacity(EVENTS),
            signal: Arc::new(signal),
            sockets: Vec::new(),
            reads_sleep: false,
            last_token: SIGNAL.0,
            alarm: Instant::FAR,
        })
    }

    fn sleep_in_read(&mut self) -> bool {
        let mut sockets = self.sockets();
        let (Some(socket), None) = (sockets.next(), sockets.next()) else { return false };
        drop(sockets);
        self.reads_sleep = true;
        self.signal.raised.swap(false, SeqCst) || socket.lock().sleep()
    }

    /// From now on sockets are read when they are ready.
    fn end_naps(&mut self) {
        if std::mem::take(&mut self.reads_sleep) {
            self.sockets().for_each(|socket| socket.lock().stop_blocking());
        }
    }

    /// Tells the sockets that are ready. Returns whether there may be more of them.
    fn poll(&mut self, timeout: Option<Duration>) -> bool {
        // An interrupted sleep is a short sleep, and finds nothing.
        let _ = self.poll.poll(&mut self.events, timeout);
        self.signal.asleep.store(false, SeqCst);
        let ready = self.events.iter().filter_map(|event| self.socket(event.token()));
        ready.for_each(|socket| socket.lock().wake());
        self.events.iter().count() == EVENTS
    }

    fn sockets(&self) -> impl Iterator<Item = BlockingSocket> {
        self.sockets.iter().filter_map(|(_, socket)| Some(BlockingSocket(socket.upgrade()?)))
    }

    fn socket(&self, token: Token) -> Option<BlockingSocket> {
        let place = self.sockets.binary_search_by_key(&token, |(token, _)| *token).ok()?;
        Some(BlockingSocket(self.sockets[place].1.upgrade()?))
    }
}

impl Sleep for BlockingNet {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.signal))
    }

    fn clear(&self) {
        self.signal.raised.store(false, SeqCst);
    }

    fn attend(&mut self) {
        self.end_naps();
        while self.poll(Some(Duration::ZERO)) {}
    }

    /// If the caller is alone and there is one socket, it sleeps in a read of it.
    fn sleep(&mut self, since: Instant, alone: bool) {
        if alone && self.alarm - since >= NAP && self.sleep_in_read() {
            return;
        }
        self.end_naps();
        self.signal.asleep.store(true, SeqCst);
        if !self.signal.raised.swap(false, SeqCst) {
            self.poll((self.alarm != Instant::FAR).then(|| self.alarm - self.now()));
        }
        self.signal.asleep.store(false, SeqCst);
    }
}

impl Net for BlockingNet {
    type Socket = BlockingSocket;
    type Connect = Connecting;

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    /// Resolves and connects on a thread that ends with it: the system's resolver cannot be told to stop,
    /// and callers have deadlines.
    fn connect(&mut self, to: &Endpoint) -> Connecting {
        self.last_token += 1;
        let token = Token(self.last_token);
        let socket = BlockingSocket::default();
        self.sockets.retain(|(_, socket)| socket.strong_count() > 0);
        self.sockets.push((token, Arc::downgrade(&socket.0)));
        let (shared, to) = (socket.clone(), to.clone());
        let (within, keepalive) = (self.within, self.keepalive);
        let started = self.poll.registry().try_clone().and_then(|registry| {
            std::thread::Builder::new().name("redstart-connect".into()).spawn(move || {
                let opened = open(&to, within, keepalive, &registry, token);
                let mut state = shared.lock();
                match opened {
                    Ok(stream) => state.stream = Some(stream),
                    Err(error) => state.failed = Some(error),
                }
                state.wake();
            })
        });
        let _ = started.map_err(|error| socket.lock().failed = Some(error));
        Connecting(socket)
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.alarm = at;
        if at <= self.now() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A connection that is being opened.
#[derive(Debug)]
pub struct Connecting(BlockingSocket);

impl Future for Connecting {
    type Output = io::Result<BlockingSocket>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        state.waker = Some(cx.waker().clone());
        match state.failed.take() {
            Some(error) => Poll::Ready(Err(error)),
            None if state.stream.is_some() => Poll::Ready(Ok(self.0.clone())),
            None => Poll::Pending,
        }
    }
}

/// The first address of the name that answers. Nobody waits for the result for so long; the bound is for the
/// thread.
fn connect(host: &str, port: u16, within: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs().map_err(not_resolved)? {
        match TcpStream::connect_timeout(&address, 2 * within) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn open(
    to: &Endpoint,
    within: Duration,
    keepalive: Option<Duration>,
    registry: &Registry,
    token: Token,
) -> io::Result<Box<dyn Stream>> {
    let mut stream: Box<dyn Stream> = match to {
        Endpoint::Tcp { host, port } => {
            let stream = connect(host, *port, within)?;
            stream.set_nodelay(true)?;
            Box::new(mio::net::TcpStream::from_std(stream))
        }
        #[cfg(unix)]
        Endpoint::Unix { path } => {
            let stream = std::os::unix::net::UnixStream::connect(&**path)?;
            Box::new(mio::net::UnixStream::from_std(stream))
        }
        other => return Err(io::Error::other(format!("cannot connect to {other} here"))),
    };
    let options = stream.options();
    options.set_read_timeout(Some(NAP))?;
    options.set_nonblocking(true)?;
    if let (Some(idle), Endpoint::Tcp { .. }) = (keepalive, to) {
        options.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    registry.register(&mut *stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}
