//! What lies between the engine's bytes and the socket's: nothing, so far.
//!
//! Whatever changes the bytes on their way, such as TLS, is a variant here. Driver, engine and adapters
//! do not see the difference.

use core::task::{Context, Poll};
use std::io;

use bytes::{Buf, BytesMut};

use super::net::Socket;

/// An open connection as the driver uses it.
#[derive(Debug)]
pub(super) enum Transport<S> {
    /// The engine's bytes are the socket's.
    Plain(S),
}

impl<S: Socket> Transport<S> {
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let Self::Plain(socket) = self;
        socket.poll_read(cx, into)
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        let Self::Plain(socket) = self;
        socket.poll_write(cx, from)
    }
}
