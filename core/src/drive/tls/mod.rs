//! TLS between the engine's bytes and the socket's, by rustls.
//!
//! ```text
//! engine  --poll_write--> [ rustls: at most 64 KiB of records ] --> socket
//!         <--poll_read--- [ rustls: one record ] <-- [ incoming ] <-- socket
//! ```
//!
//! The engine is told of a connection when the handshake is over. Whatever wakes the socket makes the driver read,
//! and reading first writes what rustls has left to write: so neither direction waits for the other.

mod fault;
mod ocsp;
mod outlet;
mod setup;
mod verify;

use alloc::boxed::Box;
use alloc::string::ToString;
use core::fmt;
use core::task::{Context, Poll, Waker, ready};
use std::io::{self, BufRead, IoSlice, Write};

use bytes::{Buf, BufMut, BytesMut};
use rustls::ClientConnection;

use self::fault::{broken, fault};
use self::outlet::Outlet;
pub(super) use self::setup::{Session, Sessions};
use super::net::Socket;
use crate::error::TlsError;

/// How many bytes are made records at a time: four full ones.
const BUFFERED: usize = 64 << 10;
/// Room that a read of the socket is given, at the least and at the most.
const ROOM: (usize, usize) = (4 << 10, 64 << 10);
/// How many of the engine's pieces are made records at a time.
const SLICES: usize = 16;

/// A connection that TLS secures.
pub(super) struct TlsStream<S: Socket>(Box<Inner<S>>);

struct Inner<S: Socket> {
    socket: S,
    session: ClientConnection,
    /// What was read of the socket and not yet taken by the session.
    incoming: BytesMut,
    /// Why nothing more can be read.
    failed: Option<TlsError>,
}

impl<S: Socket> TlsStream<S> {
    pub(super) const fn socket(&self) -> &S {
        &self.0.socket
    }

    fn new(socket: S, mut session: ClientConnection) -> Self {
        session.set_buffer_limit(Some(BUFFERED));
        Self(Box::new(Inner { socket, session, incoming: BytesMut::new(), failed: None }))
    }

    /// Shakes hands.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0;
        loop {
            let flushed = inner.poll_flush(cx);
            if !inner.session.is_handshaking() {
                return flushed;
            }
            match inner.poll_fill(cx, ROOM.0) {
                Poll::Pending => return unless_failed(flushed),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(broken(TlsError::Truncated))),
                Poll::Ready(Ok(_)) => {}
            }
            while inner.session.is_handshaking() && inner.incoming.has_remaining() {
                inner.process(cx).map_err(broken)?;
            }
        }
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        if self.0.incoming.is_empty() {
            self.0.incoming = BytesMut::new();
        }
    }

    /// As [`Socket::poll_read`], but it makes more room in `into` if a record needs it.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0;
        let before = into.len();
        loop {
            let is_over = inner.drain(into);
            while inner.failed.is_none() && inner.incoming.has_remaining() {
                inner.failed = inner.process(cx).err();
                inner.drain(into);
            }
            let count = into.len() - before;
            if count > 0 || is_over {
                return Poll::Ready(Ok(count));
            }
            if let Some(error) = &inner.failed {
                return Poll::Ready(Err(broken(error.clone())));
            }
            let flushed = inner.poll_flush(cx);
            match inner.poll_fill(cx, into.capacity() - into.len()) {
                Poll::Pending => return unless_failed(flushed),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) => {}
            }
        }
    }

    /// As [`Socket::poll_write`]. What it takes may be written later, by a read or another write.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0;
        // Records would be small if they were made whenever a little room is left.
        ready!(inner.poll_flush(cx))?;
        let mut slices = [IoSlice::new(&[]); SLICES];
        let used = from.chunks_vectored(&mut slices);
        let count = inner.session.writer().write_vectored(&slices[..used])?;
        from.advance(count);
        match inner.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }
}

/// `Pending`, unless writing has failed.
fn unless_failed<T>(flushed: Poll<io::Result<()>>) -> Poll<io::Result<T>> {
    match flushed {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        _ => Poll::Pending,
    }
}

impl<S: Socket> Inner<S> {
    /// Writes the records that there are.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut outlet = Outlet { socket: &mut self.socket, cx };
            match self.session.write_tls(&mut outlet) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads the socket for about as much as there is `room` for.
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        self.incoming.reserve(room.clamp(ROOM.0, ROOM.1));
        let count = ready!(self.socket.poll_read(cx, &mut self.incoming))?;
        if count == 0 {
            self.session.read_tls(&mut io::empty())?;
        }
        Poll::Ready(Ok(count))
    }

    /// Lets the session take some of what has come.
    ///
    /// # Errors
    /// The session has ended.
    fn process(&mut self, cx: &mut Context<'_>) -> Result<(), TlsError> {
        match self.session.read_tls(&mut (&mut self.incoming).reader()) {
            // Behind the peer's last word nothing counts.
            Ok(0) => self.incoming.clear(),
            Ok(_) => {}
            Err(error) => return Err(TlsError::Other(error.to_string())),
        }
        let is_greeted = self.session.protocol_version().is_some();
        self.session.process_new_packets().map(drop).map_err(|error| {
            // The peer is told why, if there is room.
            let _ = self.poll_flush(cx);
            fault(&error, is_greeted)
        })
    }

    /// Moves what is decrypted. Returns whether the peer has said that it was all.
    fn drain(&mut self, into: &mut BytesMut) -> bool {
        let mut reader = self.session.reader();
        loop {
            match reader.fill_buf() {
                Ok([]) => return true,
                Ok(plain) => {
                    into.put_slice(plain);
                    let count = plain.len();
                    reader.consume(count);
                }
                Err(error) => {
                    if error.kind() == io::ErrorKind::UnexpectedEof {
                        self.failed.get_or_insert(TlsError::Truncated);
                    }
                    return false;
                }
            }
        }
    }
}

impl<S: Socket> Drop for Inner<S> {
    /// Tells the peer that this is the end; unless something waits to be written, which is not to go out any more.
    fn drop(&mut self) {
        if !self.session.is_handshaking() && !self.session.wants_write() {
            self.session.send_close_notify();
            let _ = self.poll_flush(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl<S: Socket> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("failed", &self.0.failed).finish_non_exhaustive()
    }
}
