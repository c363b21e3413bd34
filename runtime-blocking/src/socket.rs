//! A socket that is read by the driver when it is ready, or by a thread that sleeps in the read.
//!
//! If there is one socket and one thread, that thread borrows it: a command takes one write and one read. If there are
//! more, a thread sleeps in `mio`'s poll, where others can wake it. Beside that one, a thread that waits for the one
//! reply that is to come on a socket borrows that, and the poll does not tell when there is something to read. What a
//! sleeping read has brought is kept here until the driver asks for it.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket as AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mio::event::Source;
use mio::{Interest, Registry, Token};
use redstart_core::drive::{self, Socket};
use socket2::SockRef;

/// The longest sleep in a read. If that is the only thread that sleeps, it can take as long until the deadline or the new
/// connection of a second thread is noticed.
pub(crate) const NAP: Duration = Duration::from_millis(20);
/// Room for a read that sleeps, enough for the replies to a pipeline of a hundred; if it is filled, reads that do not
/// sleep fetch the rest. They take more only when so much has come of a reply: room is zeroed for each.
const ROOM: usize = 16 << 10;

/// A stream over TCP or a Unix socket.
pub(crate) trait Stream: Read + Write + Source + Send + std::fmt::Debug {
    fn options(&self) -> SockRef<'_>;
}

impl<S: Read + Write + Source + AsFd + Send + std::fmt::Debug> Stream for S {
    fn options(&self) -> SockRef<'_> {
        SockRef::from(self)
    }
}

/// What the driver, the net and the thread that connects share.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// `None` while it is being connected.
    pub(crate) stream: Option<Box<dyn Stream>>,
    /// Its place in the poll, once it is connected.
    place: Option<Place>,
    /// Why it could not be connected.
    pub(crate) failed: Option<io::Error>,
    pub(crate) waker: Option<Waker>,
    /// Whether reads and writes sleep.
    blocking: bool,
    /// A thread reads it that does not drive.
    lent: bool,
    /// The same socket once more, for that thread.
    reader: Option<Arc<TcpStream>>,
    /// A write found no room: that has to be awaited, which a thread that reads cannot.
    write_waits: bool,
    /// What a sleeping read brought to `room`, not yet asked for.
    early: Option<io::Result<usize>>,
    room: Box<[u8]>,
}

/// The poll, and a socket's number in it.
type Place = (Arc<Registry>, Token);

/// What the poll is to tell. Nearly always there is room to write, so nobody sleeps for that.
fn interest(write_waits: bool) -> Interest {
    if write_waits { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

/// A connection, open or being opened.
#[derive(Clone, Debug, Default)]
pub struct BlockingSocket(pub(crate) Arc<Mutex<State>>);

impl BlockingSocket {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends it to a thread that sleeps in reading it, beside the one that sleeps in the poll or in its place. `None`:
    /// that is not possible now.
    pub(crate) fn lend(&self, beside: bool) -> Option<Loan> {
        let state = &mut *self.lock();
        if state.lent || state.write_waits || state.early.is_some() {
            return None;
        }
        let reader = state.reader()?;
        state.set_blocking(true).ok()?;
        state.lent = true;
        let place = if beside { state.leave() } else { None };
        Some(Loan { socket: self.clone(), reader, place, room: state.take_room(), read: Ok(0) })
    }
}

impl State {
    /// The socket may be ready: the driver is to try.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ends the time of sleeping reads.
    pub(crate) fn stop_blocking(&mut self) {
        if self.blocking {
            // A socket that cannot be switched is found to fail by its next use.
            let _ = self.set_blocking(false);
            if !self.lent {
                // What came in the meantime was announced to nobody.
                self.wake();
            }
        }
    }

    fn set_blocking(&mut self, blocking: bool) -> io::Result<()> {
        if let Some(reader) = self.reader.as_ref().filter(|_| self.blocking != blocking) {
            reader.set_nonblocking(!blocking)?;
            self.blocking = blocking;
        }
        Ok(())
    }

    fn take_room(&mut self) -> Box<[u8]> {
        let room = std::mem::take(&mut self.room);
        if room.is_empty() { vec![0; ROOM].into() } else { room }
    }

    /// Whatever the kind of the socket, reading is the same.
    fn reader(&mut self) -> Option<Arc<TcpStream>> {
        if self.reader.is_none() {
            self.reader = Some(Arc::new(self.stream.as_ref()?.options().try_clone().ok()?.into()));
        }
        self.reader.clone()
    }

    /// It is connected, and the poll is to tell when there is something to read.
    pub(crate) fn open(
        &mut self,
        stream: Box<dyn Stream>,
        registry: Arc<Registry>,
        token: Token,
    ) -> io::Result<()> {
        self.stream = Some(stream);
        self.join((registry, token))
    }

    fn join(&mut self, place: Place) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        place.0.register(&mut **stream, place.1, interest(self.write_waits))?;
        self.place = Some(place);
        Ok(())
    }

    /// The poll is to tell no more.
    fn leave(&mut self) -> Option<Place> {
        let place = self.place.take()?;
        // If it does all the same, the driver tries to read for nothing.
        let _ = place.0.deregister(&mut **self.stream.as_mut()?);
        Some(place)
    }

    /// The poll is to tell, too, when there is room to write.
    fn await_room(&mut self) -> io::Result<()> {
        let (Some(stream), Some((registry, token))) = (&mut self.stream, &self.place) else { return Ok(()) };
        registry.reregister(&mut **stream, *token, interest(true))
    }
}

/// A socket that a thread reads while others drive.
#[derive(Debug)]
pub struct Loan {
    socket: BlockingSocket,
    reader: Arc<TcpStream>,
    /// Where the poll has to find it again.
    place: Option<Place>,
    room: Box<[u8]>,
    read: io::Result<usize>,
}

impl drive::Loan for Loan {
    fn sleep(&mut self) {
        self.read = (&*self.reader).read(&mut self.room);
    }
}

impl Loan {
    /// Leaves what was read for the driver. Returns whether there was anything.
    pub(crate) fn end(self) -> bool {
        let state = &mut *self.socket.lock();
        (state.room, state.lent) = (self.room, false);
        let is_back = match self.place {
            Some(place) => state.set_blocking(false).and_then(|()| state.join(place)),
            None if matches!(self.read, Ok(ROOM)) => state.set_blocking(false),
            None => Ok(()),
        };
        let has_read = !matches!(&self.read, Err(error) if is_empty_handed(error));
        if has_read || is_back.is_err() {
            state.early = Some(is_back.and(self.read));
            state.wake();
        }
        has_read
    }
}

/// Whether a call was interrupted, or found nothing to do in its time.
fn is_empty_handed(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

fn done(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    if matches!(&result, Err(error) if is_empty_handed(error)) { Poll::Pending } else { Poll::Ready(result) }
}

impl Socket for BlockingSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let state = &mut *self.lock();
        state.waker.get_or_insert_with(|| cx.waker().clone()).clone_from(cx.waker());
        if let Some(early) = state.early.take() {
            into.extend_from_slice(&state.room[..*early.as_ref().unwrap_or(&0)]);
            return Poll::Ready(early);
        }
        // While reads sleep the driver does not read: it may have something to write first.
        let is_read = state.blocking || state.lent;
        let Some(stream) = state.stream.as_mut().filter(|_| !is_read) else { return Poll::Pending };
        let start = into.len();
        into.resize(into.capacity().min(start + start.clamp(ROOM, 16 * ROOM)), 0);
        let read = stream.read(&mut into[start..]);
        into.truncate(start + *read.as_ref().unwrap_or(&0));
        done(read)
    }

    fn poll_write(&mut self, _: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        /// As much fits the buffer of a socket that has been answered.
        const SMALL: usize = 8 << 10;
        let state = &mut *self.lock();
        if state.lent || from.remaining() > SMALL {
            // A write that sleeps while the server sleeps in its own would never end.
            state.stop_blocking();
        }
        let Some(stream) = &mut state.stream else { return Poll::Pending };
        let written = if from.chunk().len() == from.remaining() {
            stream.write(from.chunk())
        } else {
            let mut slices = [IoSlice::new(&[]); 16];
            let used = from.chunks_vectored(&mut slices);
            stream.write_vectored(&slices[..used])
        };
        from.advance(*written.as_ref().unwrap_or(&0));
        state.write_waits = matches!(&written, Err(error) if is_empty_handed(error));
        if state.write_waits {
            state.await_room()?;
        }
        done(written)
    }
}
