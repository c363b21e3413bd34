//! What lies between the engine's bytes and the socket's: nothing, or TLS.
//!
//! Whatever changes the bytes on their way is a variant here. Driver, engine and adapters do not see the
//! difference.

use core::task::{Context, Poll};
use std::io;

use bytes::{Buf, BytesMut};

use super::net::Socket;
use super::tls::{Session, TlsStream};

/// An open connection as the driver uses it.
#[derive(Debug)]
pub(super) enum Transport<S: Socket> {
    /// The engine's bytes are the socket's.
    Plain(S),
    /// The socket's bytes are records of TLS.
    Tls(TlsStream<S>),
}

impl<S: Socket> Transport<S> {
    /// What a session of TLS makes of a socket, if there is one.
    ///
    /// # Errors
    /// There can be no such session.
    pub(super) fn new(socket: S, session: Option<&Session>) -> io::Result<Self> {
        Ok(match session {
            None => Self::Plain(socket),
            Some(session) => Self::Tls(session.over(socket)?),
        })
    }

    /// What the bytes go through in the end.
    pub(super) const fn socket(&self) -> &S {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        match self {
            Self::Plain(_) => {}
            Self::Tls(stream) => stream.shrink(),
        }
    }

    /// Is ready once the engine's bytes can be read and written.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.poll_open(cx),
        }
    }

    #[inline]
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_read(cx, into),
            Self::Tls(stream) => stream.poll_read(cx, into),
        }
    }

    #[inline]
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_write(cx, from),
            Self::Tls(stream) => stream.poll_write(cx, from),
        }
    }
}
