//! A connection, secured or not.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, Stream};
use socket2::SockRef;

/// A connection that can be read and written at the same time.
pub(super) struct Pipe<'a> {
    socket: &'a TcpStream,
    tls: Option<RefCell<ServerConnection>>,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(socket: &'a TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let session = tls.map(|tls| ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other));
        Ok(Self { socket, tls: session.transpose()?.map(RefCell::new) })
    }

    pub(super) fn is_resumed(&self) -> bool {
        let kind = self.tls.as_ref().and_then(|session| session.borrow().handshake_kind());
        kind == Some(HandshakeKind::Resumed)
    }

    /// Whether a conversation ended with the client's end of the stream, but not its word for it.
    pub(super) fn is_cut_off(&self, talked: &io::Result<()>) -> bool {
        self.tls.is_some() && talked.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
    }

    /// Closes the connection in good order. `says_so`: TLS says that it is the end.
    pub(super) fn finish(&self, says_so: bool) -> io::Result<()> {
        if let Some(session) = self.tls.as_ref().filter(|_| says_so) {
            let mut session = session.borrow_mut();
            session.send_close_notify();
            session.write_tls(&mut &*self.socket)?;
        }
        self.socket.shutdown(Shutdown::Write)?;
        // Closing over unread bytes would send a reset, which can overtake what was just sent.
        io::copy(&mut &*self.socket, &mut io::sink()).map(drop)
    }

    /// Sees to it that closing resets the connection.
    pub(super) fn reset(&self) -> io::Result<()> {
        SockRef::from(self.socket).set_linger(Some(Duration::ZERO))
    }
}

impl Read for &Pipe<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &self.tls {
            None => (&mut &*self.socket).read(into),
            Some(session) => {
                let read = Stream::new(&mut *session.borrow_mut(), &mut &*self.socket).read(into);
                read.map_err(|error| match error.kind() {
                    // What is wrong with TLS is nothing wrong with a command.
                    io::ErrorKind::InvalidData => io::ErrorKind::ConnectionAborted.into(),
                    _ => error,
                })
            }
        }
    }
}

impl Write for &Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => (&mut &*self.socket).write(bytes),
            Some(session) => Stream::new(&mut *session.borrow_mut(), &mut &*self.socket).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
