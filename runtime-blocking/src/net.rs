//! Sockets and a clock without a runtime.

use std::future::Future;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mio::{Registry, Token};
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Sleep, not_resolved};
use redstart_core::{Config, Instant};
use socket2::TcpKeepalive;

use crate::selector::{Poller, SIGNAL, Selector, Signal};
use crate::socket::{BlockingSocket, Loan, NAP, State, Stream};

/// Sockets and a clock of the operating system.
#[derive(Debug)]
pub struct BlockingNet {
    origin: std::time::Instant,
    within: Duration,
    keepalive: Option<Duration>,
    registry: Arc<Registry>,
    /// `None` while a thread sleeps in it.
    selector: Option<Selector>,
    /// When that sleep ends at the latest.
    sleeps_until: Instant,
    signal: Arc<Signal>,
    /// Of the signal: those made apart from each other need not be known to be equal.
    waker: Waker,
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
        let (selector, registry, signal) = Selector::new()?;
        Ok(Self {
            origin: std::time::Instant::now(),
            within: config.connects_within(),
            keepalive: config.probes_after(),
            registry: Arc::new(registry),
            selector: Some(selector),
            sleeps_until: Instant::FAR,
            waker: Waker::from(Arc::clone(&signal)),
            signal,
            sockets: Vec::new(),
            reads_sleep: false,
            last_token: SIGNAL.0,
            alarm: Instant::FAR,
        })
    }

    /// Lends the only socket there is.
    fn lend_only(&self) -> Option<Loan> {
        let mut sockets = self.sockets();
        let (Some(socket), None) = (sockets.next(), sockets.next()) else { return None };
        socket.lend(false)
    }

    /// From now on sockets are read when they are ready.
    fn end_naps(&mut self) {
        if std::mem::take(&mut self.reads_sleep) {
            self.sockets().for_each(|socket| socket.lock().stop_blocking());
        }
    }

    /// Wakes the sockets that a sleep has found ready.
    fn wake_ready(&self, found: &Selector) {
        let ready = found.ready().filter_map(|token| self.socket(token));
        ready.for_each(|socket| socket.lock().wake());
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
    type Poller = Poller;
    type Loan = Loan;

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn clear(&self) {
        self.signal.clear();
    }

    fn is_woken(&self) -> bool {
        self.signal.is_raised()
    }

    fn take_over(&self) {
        if self.selector.is_none() {
            self.signal.set_asleep(false);
        }
    }

    fn let_go(&self) {
        if self.selector.is_none() {
            self.signal.set_asleep(true);
            if self.is_woken() || self.alarm < self.sleeps_until {
                self.signal.end_sleep();
            }
        }
    }

    fn attend(&mut self) {
        self.end_naps();
        let Some(mut selector) = self.selector.take() else { return };
        selector.set_timeout(Some(Duration::ZERO));
        loop {
            selector.sleep();
            self.wake_ready(&selector);
            if !selector.is_full() {
                break;
            }
        }
        self.selector = Some(selector);
    }

    /// If the caller is alone and there is one socket, it sleeps in a read of it.
    fn lie_down(&mut self, since: Instant, alone: bool) -> Option<Poller> {
        if self.is_woken() {
            return None;
        }
        if alone
            && self.alarm - since >= NAP
            && let Some(loan) = self.lend_only()
        {
            self.reads_sleep = true;
            return Some(Poller::One(loan));
        }
        self.end_naps();
        if self.is_woken() {
            return None;
        }
        let mut selector = self.selector.take()?;
        self.sleeps_until = self.alarm;
        selector.set_timeout((self.alarm != Instant::FAR).then(|| self.alarm - self.now()));
        Some(Poller::All(selector))
    }

    fn get_up(&mut self, poller: Poller) {
        match poller {
            Poller::All(selector) => {
                self.wake_ready(&selector);
                self.selector = Some(selector);
            }
            Poller::One(loan) => drop(loan.end()),
        }
    }

    fn lend(&mut self, socket: &BlockingSocket, since: Instant, due: Instant) -> Option<Loan> {
        let is_worth_it = self.selector.is_none() && due - since >= NAP;
        if is_worth_it { socket.lend(true) } else { None }
    }

    fn take_back(&mut self, loan: Loan) -> bool {
        loan.end()
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
        let (within, keepalive, registry) = (self.within, self.keepalive, Arc::clone(&self.registry));
        let thread = std::thread::Builder::new().name("redstart-connect".into());
        let started = thread.spawn(move || {
            let opened = open(&to, within, keepalive);
            let mut state = shared.lock();
            if let Err(error) = opened.and_then(|stream| state.open(stream, registry, token)) {
                state.failed = Some(error);
            }
            state.wake();
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

fn open(to: &Endpoint, within: Duration, keepalive: Option<Duration>) -> io::Result<Box<dyn Stream>> {
    let stream: Box<dyn Stream> = match to {
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
    Ok(stream)
}
