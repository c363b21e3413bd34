//! The plainest executor there can be: one socket, one command at a time.
//!
//! It has no engine and no connection machine, so that a test of a family of commands fails for the
//! family's own faults only.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use redstart_core::command::{Command, FromReply, Run};
use redstart_core::commands::{ClientFilter, ConnectionCommands};
use redstart_core::config::Deployment;
use redstart_core::error::{Delivery, ServerError};
use redstart_core::resp::{Decoder, Frame, Kind, Limits};
use redstart_core::{Error, ErrorKind, Result};

use crate::live::{for_each_protocol, for_each_target};
use crate::server::{ServerConfig, Version, poll_until};

/// A connection that speaks one protocol version.
#[derive(Debug)]
pub struct Wire(RefCell<State>);

#[derive(Debug)]
struct State {
    stream: TcpStream,
    decoder: Decoder,
    read: BytesMut,
}

impl Wire {
    /// Connects and says `HELLO protocol`.
    ///
    /// # Panics
    /// The server cannot be reached or refuses the protocol.
    #[must_use]
    pub fn connect(addr: SocketAddr, protocol: u8) -> Self {
        let stream = TcpStream::connect(addr).expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a TCP socket");
        let state = State { stream, decoder: Decoder::new(Limits::default()), read: BytesMut::new() };
        let wire = Self(RefCell::new(state));
        let hello: Result<()> = wire.run(Command::new("HELLO").arg(protocol.to_string()));
        hello.expect("the server speaks the protocol");
        wire
    }

    /// Runs a command that waits at the server; `act`, which is given the number of the connection, runs once it does.
    ///
    /// # Errors
    /// What the command fails with.
    ///
    /// # Panics
    /// The command does not wait.
    pub fn run_meanwhile<T: FromReply>(
        &self,
        command: Command<T>,
        other: &Self,
        act: impl FnOnce(u64),
    ) -> Result<T> {
        let id = self.client_id()?;
        self.send(&command);
        poll_until("the command to wait", || {
            let clients = other.client_list(ClientFilter::Ids(vec![id])).expect("a list");
            clients.first()?.flags.contains('b').then_some(())
        });
        act(id);
        self.receive(&command)
    }

    fn send<T>(&self, command: &Command<T>) {
        let mut bytes = Vec::new();
        command.packed().encode(&mut bytes);
        self.0.borrow_mut().stream.write_all(&bytes).expect("the server reads");
    }

    fn receive<T: FromReply>(&self, command: &Command<T>) -> Result<T> {
        let frame = self.receive_frame();
        let error = |kind, delivery| Error::new(kind, delivery).with_command(&command.packed().name());
        if frame.kind() == Kind::Error {
            let text = frame.item().text().unwrap_or_default();
            return Err(error(ErrorKind::Server(ServerError::new(&text)), Delivery::Rejected));
        }
        T::from_reply(frame.item())
            .map_err(|reason| error(ErrorKind::Conversion(reason), Delivery::MaybeExecuted))
    }

    fn receive_frame(&self) -> Frame {
        let mut state = self.0.borrow_mut();
        let State { stream, decoder, read } = &mut *state;
        let mut chunk = [0; 64 << 10];
        loop {
            if let Some(frame) = decoder.decode(read).expect("the server speaks RESP") {
                return frame;
            }
            let count = stream.read(&mut chunk).expect("the server answers");
            assert_ne!(count, 0, "the server closed the connection");
            read.extend_from_slice(&chunk[..count]);
        }
    }
}

impl Run for &Wire {
    type Output<T: FromReply> = Result<T>;

    fn run<T: FromReply>(self, command: Command<T>) -> Result<T> {
        self.send(&command);
        self.receive(&command)
    }

    fn deployed(&self) -> &Deployment {
        &Deployment::Single
    }
}

/// Runs the test on a connection to every combination of server version and protocol.
///
/// # Panics
/// If the test does, after naming the target on standard error; or if a server does not start.
pub fn for_each_wire(test: impl Fn(&Wire, Version)) {
    for version in Version::ALL {
        for_each_wire_to(version, |wire| test(wire, version));
    }
}

/// Runs the test on two connections to one server, of every combination of server version and protocol.
///
/// # Panics
/// If the test does, after naming the target on standard error; or if a server does not start.
pub fn for_each_pair(test: impl Fn(&Wire, &Wire)) {
    for_each_target(|target| {
        let connect = || Wire::connect(target.addr(), target.protocol().number());
        test(&connect(), &connect());
    });
}

/// Runs the test on a connection to this version with both protocols, for what other versions lack.
///
/// # Panics
/// If the test does, after naming the target on standard error; or if a server does not start.
pub fn for_each_wire_to(version: Version, test: impl Fn(&Wire)) {
    for_each_protocol(&ServerConfig::new(version), |target| {
        test(&Wire::connect(target.addr(), target.protocol().number()));
    });
}

/// Whether the server has answered that there is no such command or subcommand.
#[must_use]
pub fn is_unknown_command<T>(result: Result<T>) -> bool {
    let error = result.err();
    let server = error.as_ref().and_then(Error::server);
    server.is_some_and(|error| {
        error.text().contains("unknown command") || error.text().contains("unknown subcommand")
    })
}
