//! One connection of the driver: its socket, what was read of it, whether it can be used now.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;

use bytes::{Buf, BytesMut};

use super::intake::Intake;
use super::net::{Net, Socket};
use super::ready::{DriverWaker, Ready};
use super::tls::Session;
use super::transport::Transport;
use crate::connection::ConnId;
use crate::engine::Engine;
use crate::error::ConnectionError;
use crate::time::Instant;

/// How often one socket is read before others have their turn.
const READS_PER_TURN: usize = 8;

enum State<N: Net> {
    Connecting(N::Connect, Option<Session>),
    Open(Transport<N::Socket>),
}

/// A connection of the driver.
pub(super) struct Line<N: Net> {
    state: State<N>,
    /// The engine is told that it is connected: the socket is open, and secured if it is to be.
    connected: bool,
    ready: Arc<Ready>,
    waker: Waker,
    intake: Intake,
    /// The last write found no room; the socket tells when there is some.
    blocked: bool,
}

impl<N: Net> Line<N> {
    pub(super) fn new(
        id: ConnId,
        connect: N::Connect,
        session: Option<Session>,
        driver: &Arc<DriverWaker>,
    ) -> Self {
        let ready = Ready::new(driver, Some(id));
        let waker = Waker::from(Arc::clone(&ready));
        let state = State::Connecting(connect, session);
        Self { state, connected: false, ready, waker, intake: Intake::default(), blocked: false }
    }

    /// The driver's task has changed: every wish to be woken has to be made again.
    pub(super) fn refresh(&self) {
        self.ready.set();
    }

    /// Whether there may be something to read.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.is_set()
    }

    /// Whether there is memory to give back once it is not used.
    pub(super) const fn is_large(&self) -> bool {
        self.intake.is_own()
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.intake.shrink();
        if let State::Open(transport) = &mut self.state {
            transport.shrink();
        }
    }

    /// Connects and reads, as far as the socket is ready. Stops when the engine wants something done.
    ///
    /// # Errors
    /// The socket is beyond use.
    pub(super) fn poll_in(
        &mut self,
        now: Instant,
        id: ConnId,
        engine: &mut Engine,
    ) -> Result<(), ConnectionError> {
        if !self.ready.take() {
            return Ok(());
        }
        self.blocked = false;
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        if let State::Connecting(connect, session) = &mut self.state {
            match Pin::new(connect).poll(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(socket)) => {
                    let transport =
                        Transport::new(socket, session.as_ref()).map_err(|error| cause(&error))?;
                    if session.is_some() {
                        engine.handle_securing(id);
                    }
                    self.state = State::Open(transport);
                }
                Poll::Ready(Err(error)) => return Err(cause(&error)),
            }
        }
        let State::Open(transport) = &mut self.state else { return Ok(()) };
        if !self.connected {
            match transport.poll_open(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => self.connected = true,
                Poll::Ready(Err(error)) => return Err(cause(&error)),
            }
            engine.handle_connected(now, id);
        }
        let mut read = self.intake.open();
        let result = read_all(transport, cx, &mut self.intake, &mut read, now, id, engine);
        self.intake.close(read);
        if result? {
            // There may be more; the others have their turn first.
            self.ready.set();
        }
        Ok(())
    }

    /// The socket, once it is open.
    pub(super) fn socket(&self) -> Option<&N::Socket> {
        match &self.state {
            State::Connecting(..) => None,
            State::Open(transport) => Some(transport.socket()),
        }
    }

    /// Writes what the engine has for this connection, as far as there is room. Returns whether anything was written.
    ///
    /// # Errors
    /// The socket is beyond use.
    pub(super) fn poll_out(&mut self, id: ConnId, engine: &mut Engine) -> Result<bool, ConnectionError> {
        let State::Open(transport) = &mut self.state else { return Ok(false) };
        let Some(outgoing) = engine.outgoing(id) else { return Ok(false) };
        let cx = &mut Context::from_waker(&self.waker);
        let before = outgoing.remaining();
        while !self.blocked && outgoing.has_remaining() {
            match transport.poll_write(cx, outgoing) {
                Poll::Pending => self.blocked = true,
                Poll::Ready(Ok(0)) => return Err(ConnectionError::Reset),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(cause(&error)),
            }
        }
        Ok(outgoing.remaining() < before)
    }
}

/// Reads what has come, and hands it to the engine. Returns whether there may be more.
///
/// # Errors
/// The socket is beyond use.
fn read_all<S: Socket>(
    transport: &mut Transport<S>,
    cx: &mut Context<'_>,
    intake: &mut Intake,
    read: &mut BytesMut,
    now: Instant,
    id: ConnId,
    engine: &mut Engine,
) -> Result<bool, ConnectionError> {
    for _ in 0..READS_PER_TURN {
        if engine.has_actions() {
            break;
        }
        intake.make_room(read, engine.missing(id, read.len()));
        let room = read.capacity() - read.len();
        match transport.poll_read(cx, read) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => return Err(ConnectionError::ClosedByPeer),
            Poll::Ready(Err(error)) => return Err(cause(&error)),
            Poll::Ready(Ok(count)) => {
                intake.note(count, room);
                engine.handle_data(now, id, read);
                if engine.has_deliveries() {
                    // They are read before more comes than they may hold, and while they are near.
                    break;
                }
            }
        }
    }
    Ok(true)
}

/// The system's error in the client's words.
fn cause(error: &io::Error) -> ConnectionError {
    if let Some(known) = error.get_ref().and_then(|inner| inner.downcast_ref::<ConnectionError>()) {
        return known.clone();
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectionError::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            ConnectionError::Reset
        }
        io::ErrorKind::UnexpectedEof => ConnectionError::ClosedByPeer,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ConnectionError::Unreachable,
        _ => ConnectionError::Other(alloc::string::ToString::to_string(error)),
    }
}
