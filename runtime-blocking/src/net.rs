//! Sockets and a clock without a runtime.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mio::{Events, Interest, Registry, Token};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, not_resolved};
use socket2::{SockRef, TcpKeepalive};

use crate::socket::{BlockingSocket, NAP, Stream};

const SIGNAL: Token = Token(0);
/// Sockets that nobody looked after for this long are read before anything is written.
const UNATTENDED: Duration = Duration::from_millis(1);

/// Wakes the thread that sleeps in [`BlockingNet::wait`], if one does.
#[derive(Debug)]
pub(crate) struct Signal {
    raised: AtomicBool,
    asleep: AtomicBool,
    poll: mio::Waker,
}

impl Signal {
    /// What was raised so far is seen to now.
    pub(crate) fn clear(&self) {
        self.raised.store(false, SeqCst);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raised.store(true, SeqCst);
        if self.asleep.load(SeqCst) {
            // It fails only when the poll is gone, and then nobody sleeps in it.
            let _ = self.poll.wake();
        }
    }
}

/// A socket, or one that is being connected, and whom to tell that it is ready.
#[derive(Debug)]
struct Watched {
    token: Token,
    inner: Mutex<(Option<BlockingSocket>, Option<Waker>)>,
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, (Option<BlockingSocket>, Option<Waker>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let inner = self.lock();
        match &*inner {
            (Some(socket), _) => socket.lock().wake(),
            (None, Some(waker)) => waker.wake_by_ref(),
            (None, None) => {}
        }
    }

    fn socket(&self) -> Option<BlockingSocket> {
        self.lock().0.clone()
    }
}

/// Sockets and a clock of the operating system.
#[derive(Debug)]
pub struct BlockingNet {
    origin: std::time::Instant,
    keepalive: Option<Duration>,
    poll: mio::Poll,
    events: Events,
    signal: Arc<Signal>,
    watched: Vec<Arc<Watched>>,
    last_token: usize,
    alarm: Instant,
    /// When the last sleep ended.
    attended_at: Instant,
}

impl BlockingNet {
    /// Sockets whose peers are probed after `keepalive` of silence.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn new(keepalive: Option<Duration>) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), SIGNAL)?;
        let signal = Signal { raised: AtomicBool::new(false), asleep: AtomicBool::new(false), poll: waker };
        Ok(Self {
            origin: std::time::Instant::now(),
            keepalive,
            poll,
            events: Events::with_capacity(64),
            signal: Arc::new(signal),
            watched: Vec::new(),
            last_token: SIGNAL.0,
            alarm: Instant::FAR,
            attended_at: Instant::ORIGIN,
        })
    }

    pub(crate) fn signal(&self) -> Arc<Signal> {
        Arc::clone(&self.signal)
    }

    /// Somebody begins to drive. What has come while nobody did must be seen before the next request is
    /// written: the connection may have ended, and a reply that nobody asked for would be taken for its.
    pub(crate) fn resume(&mut self) {
        if self.now() - self.attended_at >= UNATTENDED {
            self.stop_sleeping_in_reads();
            self.watched.iter().for_each(|watched| watched.wake());
        }
    }

    /// Sleeps until a socket is ready, the alarm goes off, or somebody signals. If the caller is `alone`
    /// and there is one socket, it sleeps in a read of it.
    pub(crate) fn wait(&mut self, alone: bool) {
        let left = self.alarm - self.now();
        if left.is_zero() {
            self.alarm = Instant::FAR;
            return;
        }
        self.watched.retain(|watched| match watched.socket() {
            Some(socket) => !socket.is_closed(),
            None => Arc::strong_count(watched) > 1,
        });
        if alone && left >= NAP && self.sleep_in_read() {
            self.attended_at = self.now();
            return;
        }
        self.stop_sleeping_in_reads();
        self.sleep_in_poll(left);
        self.attended_at = self.now();
    }

    fn stop_sleeping_in_reads(&self) {
        for watched in &self.watched {
            if let Some(socket) = watched.socket() {
                let mut state = socket.lock();
                if state.is_blocking() && state.set_blocking(false).is_ok() {
                    // What came in the meantime was announced to nobody.
                    state.wake();
                }
            }
        }
    }

    fn sleep_in_read(&self) -> bool {
        let [watched] = &*self.watched else { return false };
        let Some(socket) = watched.socket() else { return false };
        let mut state = socket.lock();
        if !state.can_sleep() {
            return false;
        }
        if !self.signal.raised.swap(false, SeqCst) {
            state.sleep();
        }
        true
    }

    fn sleep_in_poll(&mut self, left: Duration) {
        self.signal.asleep.store(true, SeqCst);
        if !self.signal.raised.swap(false, SeqCst) {
            let timeout = (self.alarm != Instant::FAR).then_some(left);
            // An interrupted sleep is a short sleep.
            let _ = self.poll.poll(&mut self.events, timeout);
        }
        self.signal.asleep.store(false, SeqCst);
        for event in &self.events {
            let ready = self.watched.iter().find(|watched| watched.token == event.token());
            ready.into_iter().for_each(|watched| watched.wake());
        }
        self.events.clear();
    }
}

impl Net for BlockingNet {
    type Socket = BlockingSocket;
    type Connect = Connecting;

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    /// Resolves the name on this thread, which can take as long as the system's resolver takes.
    fn connect(&mut self, to: &Endpoint) -> Connecting {
        self.last_token += 1;
        let watched = Arc::new(Watched { token: Token(self.last_token), inner: Mutex::default() });
        self.watched.push(Arc::clone(&watched));
        let found = match to {
            Endpoint::Tcp { host, port } => {
                let resolved = (&**host, *port).to_socket_addrs().map_err(not_resolved);
                resolved.map(|found| Targets::Tcp(found.collect()))
            }
            Endpoint::Unix { path } => Ok(Targets::Unix(path.to_string())),
            other => {
                Err(io::Error::new(io::ErrorKind::Unsupported, format!("cannot connect to {other} here")))
            }
        };
        let targets = found.and_then(|found| Ok((found, self.poll.registry().try_clone()?)));
        Connecting { watched, keepalive: self.keepalive, targets: Some(targets), current: None }
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.alarm = at;
        if at <= self.now() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[derive(Debug)]
enum Targets {
    Tcp(VecDeque<SocketAddr>),
    Unix(String),
}

/// A connection that is being opened: all addresses of the name, one after the other.
#[derive(Debug)]
pub struct Connecting {
    watched: Arc<Watched>,
    keepalive: Option<Duration>,
    targets: Option<io::Result<(Targets, Registry)>>,
    current: Option<mio::net::TcpStream>,
}

impl Future for Connecting {
    type Output = io::Result<BlockingSocket>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.watched.lock().1 = Some(cx.waker().clone());
        let connected = match &mut this.targets {
            None => return Poll::Pending,
            Some(Err(_)) => match this.targets.take() {
                Some(Err(error)) => Err(error),
                _ => return Poll::Pending,
            },
            Some(Ok((Targets::Unix(path), registry))) => unix(path, registry, this.watched.token),
            Some(Ok((Targets::Tcp(addresses), registry))) => {
                let token = this.watched.token;
                match std::task::ready!(tcp(addresses, registry, token, &mut this.current)) {
                    Ok(stream) => ready(stream, this.keepalive),
                    Err(error) => Err(error),
                }
            }
        };
        Poll::Ready(connected.map(|stream| {
            let socket = BlockingSocket::new(stream);
            this.watched.lock().0 = Some(socket.clone());
            socket
        }))
    }
}

/// Goes on with the current attempt, or begins the next one when it has failed.
fn tcp(
    addresses: &mut VecDeque<SocketAddr>,
    registry: &Registry,
    token: Token,
    current: &mut Option<mio::net::TcpStream>,
) -> Poll<io::Result<mio::net::TcpStream>> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        if let Some(stream) = current.take() {
            match stream.take_error().and_then(|error| error.map_or_else(|| stream.peer_addr(), Err)) {
                Ok(_) => return Poll::Ready(Ok(stream)),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    *current = Some(stream);
                    return Poll::Pending;
                }
                Err(error) => failed = error,
            }
        }
        let Some(address) = addresses.pop_front() else { return Poll::Ready(Err(failed)) };
        match mio::net::TcpStream::connect(address) {
            Ok(mut stream) => {
                registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                *current = Some(stream);
            }
            Err(error) => failed = error,
        }
    }
}

fn ready(stream: mio::net::TcpStream, keepalive: Option<Duration>) -> io::Result<Stream> {
    // It stays registered: the system knows the socket, not the object around it.
    let stream = std::net::TcpStream::from(stream);
    stream.set_nodelay(true)?;
    if let Some(idle) = keepalive {
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    let stream = Stream::Tcp(stream);
    stream.set_nap()?;
    Ok(stream)
}

#[cfg(unix)]
fn unix(path: &str, registry: &Registry, token: Token) -> io::Result<Stream> {
    let mut stream = mio::net::UnixStream::connect(path)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    let stream = Stream::Unix(std::os::unix::net::UnixStream::from(stream));
    stream.set_nap()?;
    Ok(stream)
}

#[cfg(not(unix))]
fn unix(_: &str, _: &Registry, _: Token) -> io::Result<Stream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there are no Unix sockets here"))
}
