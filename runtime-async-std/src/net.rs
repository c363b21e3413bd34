//! Sockets and a clock from async-std.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;
use async_std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use async_std::os::unix::net::UnixStream;
use bytes::{Buf, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Socket, not_resolved};
use socket2::{SockRef, TcpKeepalive};

/// What one read takes at the most: it bounds what is zeroed for a read, however large the room is that was
/// made for one big reply.
const READ_MAX: usize = 64 << 10;
/// The least.
const READ_MIN: usize = 4 << 10;

/// Async-std's sockets and clock.
pub struct AsyncStdNet {
    origin: std::time::Instant,
    keepalive: Option<Duration>,
    alarm: Timer,
}

impl AsyncStdNet {
    /// Sockets whose peers are probed after `keepalive` of silence.
    #[must_use]
    pub fn new(keepalive: Option<Duration>) -> Self {
        Self { origin: std::time::Instant::now(), keepalive, alarm: Timer::never() }
    }
}

impl Net for AsyncStdNet {
    type Socket = AsyncStdSocket;
    type Connect = Pin<Box<dyn Future<Output = io::Result<AsyncStdSocket>> + Send>>;

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    fn connect(&mut self, to: &Endpoint) -> Self::Connect {
        Box::pin(connect(to.clone(), self.keepalive))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.alarm.set_at(self.origin + (at - Instant::ORIGIN));
        Pin::new(&mut self.alarm).poll(cx).map(drop)
    }
}

impl fmt::Debug for AsyncStdNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncStdNet").field("keepalive", &self.keepalive).finish_non_exhaustive()
    }
}

async fn connect(to: Endpoint, keepalive: Option<Duration>) -> io::Result<AsyncStdSocket> {
    match to {
        Endpoint::Tcp { host, port } => {
            let found = (&*host, port).to_socket_addrs().await.map_err(not_resolved)?;
            let stream = TcpStream::connect(&*found.collect::<Vec<_>>()).await?;
            stream.set_nodelay(true)?;
            if let Some(idle) = keepalive {
                SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
            }
            Ok(AsyncStdSocket::new(stream))
        }
        #[cfg(unix)]
        Endpoint::Unix { path } => Ok(AsyncStdSocket::new(UnixStream::connect(&*path).await?)),
        other => Err(io::Error::new(io::ErrorKind::Unsupported, format!("cannot connect to {other} here"))),
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection over any stream of the `futures-io` traits.
pub struct AsyncStdSocket {
    stream: Box<dyn Stream>,
    /// How much is read at once, within bounds: as much as what comes.
    room: usize,
}

impl AsyncStdSocket {
    /// Uses a stream that is open, for a [`Net`] that connects in its own way.
    #[must_use]
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), room: READ_MIN }
    }
}

impl Socket for AsyncStdSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let len = into.len();
        let room = (into.capacity() - len).min(self.room);
        // These traits read into bytes that have a value: the room is zeroed first.
        into.resize(len + room, 0);
        let read = Pin::new(&mut *self.stream).poll_read(cx, &mut into[len..]);
        let count = if let Poll::Ready(Ok(count)) = read { count } else { 0 };
        into.truncate(len + count);
        if count == room {
            self.room = (2 * room).clamp(READ_MIN, READ_MAX);
        } else if count > 0 && count < self.room / 4 {
            self.room = (self.room / 2).max(READ_MIN);
        }
        read
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        const SLICES: usize = 16;
        let stream = Pin::new(&mut *self.stream);
        let written = if from.chunk().len() == from.remaining() {
            stream.poll_write(cx, from.chunk())
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = from.chunks_vectored(&mut slices);
            stream.poll_write_vectored(cx, &slices[..used])
        };
        let count = ready!(written)?;
        from.advance(count);
        Poll::Ready(Ok(count))
    }
}

impl fmt::Debug for AsyncStdSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncStdSocket")
    }
}
