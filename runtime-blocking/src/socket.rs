//! A socket that is read in one of two ways.
//!
//! Alone, a thread reads the socket and sleeps in that read: one system call. Not alone, it sleeps in
//! `mio`'s poll, where other threads can wake it. What the first way has read is kept here until the
//! driver asks for it.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redstart_core::drive::Socket;

/// The longest sleep in a read: as long as this it can take until a second thread is noticed.
pub(crate) const NAP: Duration = Duration::from_millis(20);
/// Room for a read that sleeps; if it is filled, reads that do not sleep fetch the rest.
const ROOM: usize = 4 << 10;
/// The most that one read is given, unless one reply is known to need more.
const ROOM_MAX: usize = 64 << 10;

/// A stream over TCP or a Unix socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// Bounds the sleep in a read.
    pub(crate) fn set_nap(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(NAP)),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_read_timeout(Some(NAP)),
        }
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(nonblocking),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }

    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        }
    }
}

/// What driver and net share of a socket.
#[derive(Debug)]
pub(crate) struct State {
    stream: Stream,
    /// Whether reads and writes sleep.
    blocking: bool,
    /// A write found no room: it has to be awaited, which a read cannot.
    write_waits: bool,
    /// What a sleeping read brought to `room`, not yet asked for.
    early: Option<io::Result<usize>>,
    room: Box<[u8]>,
    waker: Option<Waker>,
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct BlockingSocket(Arc<Mutex<State>>);

impl BlockingSocket {
    pub(crate) fn new(stream: Stream) -> Self {
        let state = State {
            stream,
            blocking: false,
            write_waits: false,
            early: None,
            room: Box::default(),
            waker: None,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the driver has dropped its handle. One other is the net's, one the caller's.
    pub(crate) fn is_closed(&self) -> bool {
        Arc::strong_count(&self.0) == 2
    }
}

impl State {
    /// The socket may be ready: the driver is to try.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Whether a read may sleep: nothing has to be written first.
    pub(crate) const fn can_sleep(&self) -> bool {
        !self.write_waits
    }

    pub(crate) const fn is_blocking(&self) -> bool {
        self.blocking
    }

    pub(crate) fn set_blocking(&mut self, blocking: bool) -> io::Result<()> {
        if self.blocking != blocking {
            self.stream.set_nonblocking(!blocking)?;
            self.blocking = blocking;
        }
        Ok(())
    }

    /// Sleeps in a read until bytes come, at most for [`NAP`].
    pub(crate) fn sleep(&mut self) {
        if self.room.is_empty() {
            self.room = vec![0; ROOM].into();
        }
        let read = self.set_blocking(true).and_then(|()| self.stream.reader().read(&mut self.room));
        match read {
            Err(error) if is_empty_handed(&error) => return,
            Ok(ROOM) => self.early = Some(self.set_blocking(false).map(|()| ROOM)),
            read => self.early = Some(read),
        }
        self.wake();
    }
}

/// Reads into the room that `into` has left.
fn read(stream: &mut dyn Read, into: &mut BytesMut) -> io::Result<usize> {
    let start = into.len();
    let spare = into.capacity() - start;
    // A slice to read into must be initialised. Only where one large reply is awaited is there much room.
    let room = if spare > 4 * ROOM_MAX { spare } else { spare.min(ROOM_MAX) };
    into.resize(start + room, 0);
    let read = stream.read(&mut into[start..]);
    into.truncate(start + read.as_ref().map_or(0, |count| *count));
    read
}

/// Whether a call was interrupted, or found nothing to do in its time.
fn is_empty_handed(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

impl Socket for BlockingSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let state = &mut *self.lock();
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        match state.early.take() {
            Some(Ok(count)) => {
                into.extend_from_slice(&state.room[..count]);
                return Poll::Ready(Ok(count));
            }
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => {}
        }
        if state.blocking {
            // Not without the driver's leave: it may have something to write first.
            return Poll::Pending;
        }
        match read(state.stream.reader(), into) {
            Err(error) if is_empty_handed(&error) => Poll::Pending,
            read => Poll::Ready(read),
        }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        /// As much fits the buffer of a socket that has been answered.
        const SMALL: usize = 8 << 10;
        const SLICES: usize = 16;
        let state = &mut *self.lock();
        if state.blocking && from.remaining() > SMALL {
            // A write that sleeps while the server sleeps in its own would never end.
            state.set_blocking(false)?;
        }
        let stream = state.stream.writer();
        let written = if from.chunk().len() == from.remaining() {
            stream.write(from.chunk())
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = from.chunks_vectored(&mut slices);
            stream.write_vectored(&slices[..used])
        };
        state.write_waits = matches!(&written, Err(error) if is_empty_handed(error));
        if state.write_waits {
            return Poll::Pending;
        }
        if let Ok(count) = written {
            from.advance(count);
        }
        Poll::Ready(written)
    }
}
