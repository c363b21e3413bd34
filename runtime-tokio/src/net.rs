//! Sockets and a clock from Tokio.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Socket, not_resolved};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Sleep, sleep_until};

/// Tokio's sockets and clock.
#[derive(Debug)]
pub struct TokioNet {
    origin: tokio::time::Instant,
    keepalive: Option<Duration>,
    /// Made by the first deadline: it needs a runtime, which need not be there before.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TokioNet {
    /// Sockets whose peers are probed after `keepalive` of silence.
    #[must_use]
    pub fn new(keepalive: Option<Duration>) -> Self {
        Self { origin: tokio::time::Instant::now(), keepalive, alarm: None }
    }
}

impl Net for TokioNet {
    type Socket = TokioSocket;
    type Connect = Pin<Box<dyn Future<Output = io::Result<TokioSocket>> + Send>>;

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    fn connect(&mut self, to: &Endpoint) -> Self::Connect {
        Box::pin(connect(to.clone(), self.keepalive))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let at = self.origin + (at - Instant::ORIGIN);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        alarm.as_mut().reset(at);
        alarm.as_mut().poll(cx)
    }
}

async fn connect(to: Endpoint, keepalive: Option<Duration>) -> io::Result<TokioSocket> {
    match to {
        Endpoint::Tcp { host, port } => {
            let found = lookup_host((&*host, port)).await.map_err(not_resolved)?;
            let stream = TcpStream::connect(&*found.collect::<Vec<_>>()).await?;
            stream.set_nodelay(true)?;
            if let Some(idle) = keepalive {
                SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
            }
            Ok(TokioSocket(Box::new(stream)))
        }
        #[cfg(unix)]
        Endpoint::Unix { path } => Ok(TokioSocket(Box::new(UnixStream::connect(&*path).await?))),
        other => Err(io::Error::new(io::ErrorKind::Unsupported, format!("cannot connect to {other} here"))),
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection over TCP or a Unix socket.
pub struct TokioSocket(Box<dyn Stream>);

impl Socket for TokioSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        // The future borrows everything and keeps nothing, so it can be made for each poll.
        pin!(self.0.read_buf(into)).poll(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        const SLICES: usize = 16;
        let stream = Pin::new(&mut *self.0);
        let written = if from.chunk().len() == from.remaining() {
            stream.poll_write(cx, from.chunk())
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = from.chunks_vectored(&mut slices);
            stream.poll_write_vectored(cx, &slices[..used])
        };
        if let Poll::Ready(Ok(count)) = written {
            from.advance(count);
        }
        written
    }
}

impl std::fmt::Debug for TokioSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokioSocket")
    }
}
