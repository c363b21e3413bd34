//! The machines without a driver: one thread, one plain socket, and a loop that any program can write.
//! It talks to `REDIS_URL`, or to 127.0.0.1:6379.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redstart_core::command::{FromReply, Prepare as p, Value};
use redstart_core::commands::{KeyCommands, StringCommands};
use redstart_core::engine::{Action, ConnId, Engine, Event, Outgoing, Request, RequestId};
use redstart_core::{Config, Instant, error::ConnectionError};

/// An open connection: its socket, and what was read of it and not yet taken.
type Line = (ConnId, TcpStream, BytesMut);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".into());
    let started = std::time::Instant::now();
    let now = || Instant::ORIGIN + started.elapsed();
    let mut engine = Engine::new(Arc::new(Config::from_url(&url)?), 1, now());

    // There is no connection yet: requests wait in the engine, which closes once they have ended.
    let (key, mut bytes) = ("by_hand:hits", Outgoing::default());
    let commands = [p.set(key, 41).into_packed(), p.incr(key).into_packed(), p.del(key).into_packed()];
    for (slot, command) in (0..).zip(&commands) {
        let request = Request::new(RequestId { slot, generation: 0 }, command, &mut bytes);
        engine.handle_request(now(), request, &mut bytes);
    }
    engine.close(now(), Duration::from_secs(10));

    let (mut dial, mut line) = (None, None);
    loop {
        // After one input, every output ...
        while let Some(action) = engine.poll_action() {
            match action {
                Action::Connect(conn, endpoint, None) => dial = Some((conn, endpoint)),
                Action::Connect(.., Some(_)) => return Err("this loop has no TLS".into()),
                Action::Close(_) => line = None,
            }
        }
        while let Some(event) = engine.poll_event() {
            let Event::Reply { id, result, .. } = event else { continue };
            println!("{}: {:?}", commands[id.slot as usize].name(), Value::from_reply(result?.item())?);
        }
        let Some(deadline) = engine.poll_timeout() else { return Ok(()) };
        // ... then the next input: a connection, its loss, its bytes, or the time.
        let lost = |error: io::Error| ConnectionError::Other(error.to_string());
        if let Some((conn, endpoint)) = dial.take() {
            match TcpStream::connect(endpoint.to_string()) {
                Ok(socket) => {
                    line = Some((conn, socket, BytesMut::new()));
                    engine.handle_connected(now(), conn);
                }
                Err(error) => engine.handle_closed(now(), conn, lost(error)),
            }
        } else if let Some(open) = &mut line {
            let conn = open.0;
            match exchange(open, &mut engine, deadline - now()) {
                Ok(true) => engine.handle_data(now(), conn, &mut open.2),
                Ok(false) => engine.handle_timeout(now()),
                Err(error) => {
                    line = None;
                    engine.handle_closed(now(), conn, lost(error));
                }
            }
        } else {
            std::thread::sleep(deadline - now());
            engine.handle_timeout(now());
        }
    }
}

/// Writes what there is to write, then waits for bytes. Returns whether any came in time.
fn exchange((conn, socket, read): &mut Line, engine: &mut Engine, wait: Duration) -> io::Result<bool> {
    while let Some(out) = engine.outgoing(*conn).filter(|out| out.has_remaining()) {
        let count = socket.write(out.chunk())?;
        out.advance(count);
    }
    socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
    let mut buffer = [0; 4096];
    match socket.read(&mut buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => {
            read.extend_from_slice(&buffer[..count]);
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
