//! A socket that is read in one of two ways.
//!
//! Alone, a thread reads the socket and sleeps in that read: one system call. Not alone, it sleeps in
//! `mio`'s poll, where other threads can wake it. What the first way has read is kept here until the
//! driver asks for it.

use std::io::{self, IoSlice, Read, Write};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket as AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mio::event::Source;
use redstart_core::drive::Socket;
use socket2::SockRef;

/// The longest sleep in a read: as long as this it can take until a second thread is noticed.
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
    /// Why it could not be connected.
    pub(crate) failed: Option<io::Error>,
    pub(crate) waker: Option<Waker>,
    /// Whether reads and writes sleep.
    blocking: bool,
    /// A write found no room: that has to be awaited, which a read cannot.
    write_waits: bool,
    /// What a sleeping read brought to `room`, not yet asked for.
    early: Option<io::Result<usize>>,
    room: Box<[u8]>,
}

/// A connection, open or being opened.
#[derive(Clone, Debug, Default)]
pub struct BlockingSocket(pub(crate) Arc<Mutex<State>>);

impl BlockingSocket {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            // What came in the meantime was announced to nobody.
            self.wake();
        }
    }

    fn set_blocking(&mut self, blocking: bool) -> io::Result<()> {
        if let Some(stream) = self.stream.as_ref().filter(|_| self.blocking != blocking) {
            stream.options().set_nonblocking(!blocking)?;
            self.blocking = blocking;
        }
        Ok(())
    }

    /// Sleeps in a read until bytes come, at most for [`NAP`]; `false` if that is not possible now.
    pub(crate) fn sleep(&mut self) -> bool {
        if self.room.is_empty() {
            self.room = vec![0; ROOM].into();
        }
        if self.write_waits || self.set_blocking(true).is_err() {
            return false;
        }
        let Some(stream) = &mut self.stream else { return false };
        let read = stream.read(&mut self.room);
        match read {
            Err(error) if is_empty_handed(&error) => return true,
            Ok(ROOM) => self.early = Some(self.set_blocking(false).map(|()| ROOM)),
            read => self.early = Some(read),
        }
        self.wake();
        true
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
        let Some(stream) = state.stream.as_mut().filter(|_| !state.blocking) else { return Poll::Pending };
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
        if from.remaining() > SMALL {
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
        let polled = done(written);
        state.write_waits = polled.is_pending();
        polled
    }
}
