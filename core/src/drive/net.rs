//! What a runtime lends the driver.

use core::future::Future;
use core::task::{Context, Poll};
use std::io;

use bytes::{Buf, BytesMut};

use crate::config::Endpoint;
use crate::error::ConnectionError;
use crate::time::Instant;

/// A runtime's sockets and clock. An implementation moves bytes and tells the time; it does not know
/// what Redis is.
///
/// What answers `Pending` has seen to it that the context's waker is called when there is more to say, as
/// futures do. The wakers differ from socket to socket: each is kept apart.
pub trait Net {
    /// An open connection.
    type Socket: Socket;
    /// A connection that is being opened.
    type Connect: Future<Output = io::Result<Self::Socket>> + Unpin;

    /// The time now, from any origin, never going back.
    fn now(&self) -> Instant;

    /// Begins to open a connection, resolving the name anew. Dropping what it returns gives it up; the
    /// driver does so when it takes too long.
    fn connect(&mut self, to: &Endpoint) -> Self::Connect;

    /// Is ready once the clock has reached `at`. A later call replaces an earlier one.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()>;
}

/// A stream of bytes in both directions. Dropping it closes it.
pub trait Socket {
    /// Appends what has come to the room that `into` has left, which is never empty. Zero bytes are the
    /// end of the stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Writes from `from` and advances it by what was written. Several chunks are best written by one call
    /// to the system.
    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>>;
}

/// What a resolver answered that found no address, in a form that the driver tells from an error of a
/// socket. For [`Net::connect`]: the standard library gives the two no kinds of their own.
#[must_use]
pub fn not_resolved(_: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, ConnectionError::NotResolved)
}

/// A seed that differs from process to process and from call to call.
#[must_use]
pub fn random_seed() -> u64 {
    use core::hash::{BuildHasher, Hasher};
    // The standard library keys its hashers at random.
    std::hash::RandomState::new().build_hasher().finish()
}
