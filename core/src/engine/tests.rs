//! One node, virtual time, and bytes by hand.

mod aside;
mod cluster;

use alloc::sync::Arc;
use core::time::Duration;

use bytes::{Buf, BytesMut};

use super::*;
use crate::command::Command;
use crate::config::Protocol;
use crate::error::ConnectionError;

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// An engine that has nothing to say on a new connection, and its first connection, ready.
fn ready() -> (Engine, ConnId) {
    let config = Config::default().protocol(Protocol::Resp2).library_name(None).library_version(None);
    let mut engine = Engine::new(Arc::new(config), 1, at(0));
    let conn = connect(&mut engine, at(0));
    (engine, conn)
}

/// Takes the connection that the engine asks for, and has it ready.
fn connect(engine: &mut Engine, now: Instant) -> ConnId {
    let Some(Action::Connect(conn, ..)) = engine.poll_action() else { panic!("no connection is wanted") };
    engine.handle_connected(now, conn);
    assert!(engine.drain_events().any(|event| matches!(event, Event::Connected(_))));
    conn
}

fn submit(engine: &mut Engine, slot: u32, command: Command<()>) {
    let packed = command.into_packed();
    let mut bytes = Outgoing::default();
    packed.write_to(&mut bytes);
    let request = Request {
        id: RequestId { slot, generation: 0 },
        part: 0,
        wire_len: packed.wire_len() as u32,
        replies: 1,
        target: crate::command::Target::default(),
        flags: packed.flags(),
        name_words: packed.name_words(),
        patience: Patience::Within(Duration::from_secs(1)),
    };
    engine.handle_request(at(0), request, &mut bytes);
}

/// Writes all that there is to write; returns it.
fn write(engine: &mut Engine, conn: ConnId) -> Vec<u8> {
    let out = engine.outgoing(conn).expect("the connection is open");
    out.copy_to_bytes(out.remaining()).into()
}

fn lose(engine: &mut Engine, conn: ConnId, now: Instant) {
    engine.handle_closed(now, conn, ConnectionError::Reset);
}

/// The requests that have ended: their slots, and what became of those that failed.
fn ended(engine: &mut Engine) -> Vec<(u32, Option<Delivery>)> {
    let reply = |event| match event {
        Event::Reply { id, result, .. } => Some((id.slot, result.err().map(|error| error.delivery()))),
        _ => None,
    };
    engine.drain_events().filter_map(reply).collect()
}

#[test]
fn what_was_sent_once_stays_sent_while_it_waits_to_be_sent_again() {
    let (mut engine, conn) = ready();
    submit(&mut engine, 1, Command::new("SET").key("k").arg(1).idempotent());
    write(&mut engine, conn);
    submit(&mut engine, 2, Command::new("SET").key("k").arg(2));
    lose(&mut engine, conn, at(1));
    assert_eq!(ended(&mut engine), [], "one may be repeated, the other was not written");
    engine.handle_timeout(at(SECOND));
    assert_eq!(ended(&mut engine), [(1, Some(Delivery::MaybeExecuted)), (2, Some(Delivery::NotSent))]);
}

#[test]
fn a_refusal_tells_nothing_of_what_was_sent_before() {
    let (mut engine, conn) = ready();
    submit(&mut engine, 1, Command::new("SET").key("k").arg(1).idempotent());
    submit(&mut engine, 2, Command::new("SET").key("k").arg(2));
    let out = engine.outgoing(conn).expect("the connection is open");
    out.advance(out.remaining() - 1);
    lose(&mut engine, conn, at(1));
    engine.handle_timeout(at(SECOND / 2));
    let conn = connect(&mut engine, at(SECOND / 2));
    write(&mut engine, conn);
    engine.handle_data(at(SECOND / 2), conn, &mut BytesMut::from("-OOM no\r\n-OOM no\r\n"));
    assert_eq!(ended(&mut engine), [(1, Some(Delivery::MaybeExecuted)), (2, Some(Delivery::Rejected))]);
}

#[test]
fn a_read_whose_reply_is_no_resp_ends_and_those_behind_it_are_sent_again() {
    let (mut engine, conn) = ready();
    submit(&mut engine, 1, Command::new("GET").key("k").read_only());
    submit(&mut engine, 2, Command::new("GET").key("l").read_only());
    write(&mut engine, conn);
    engine.handle_data(at(1), conn, &mut BytesMut::from("@what\r\n"));
    assert_eq!(engine.poll_action(), Some(Action::Close(conn)));
    assert_eq!(ended(&mut engine), [(1, Some(Delivery::MaybeExecuted))]);
    engine.handle_timeout(at(SECOND / 2));
    let conn = connect(&mut engine, at(SECOND / 2));
    assert_eq!(write(&mut engine, conn), b"*2\r\n$3\r\nGET\r\n$1\r\nl\r\n");
}

#[test]
fn what_ends_before_there_is_a_connection_leaves_its_room() {
    let (mut engine, conn) = ready();
    lose(&mut engine, conn, at(1));
    submit(&mut engine, 1, Command::new("SET").key("k").arg(1));
    submit(&mut engine, 2, Command::new("SET").key("k").arg(2));
    submit(&mut engine, 3, Command::new("SET").key("k").arg(3));
    let (commands, bytes) = engine.load();
    engine.cancel(at(1), &mut [RequestId { slot: 1, generation: 0 }]);
    assert_eq!(engine.load(), (commands - 1, bytes / 3 * 2));
    engine.handle_timeout(at(SECOND));
    assert_eq!(ended(&mut engine), [(2, Some(Delivery::NotSent)), (3, Some(Delivery::NotSent))]);
    assert_eq!(engine.load(), (0, 0));
}

#[test]
fn the_text_of_a_script_goes_out_under_the_deadline_of_its_digest() {
    const NOSCRIPT: &str = "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    let (mut engine, conn) = ready();
    let refused = |engine: &mut Engine, slot| {
        engine.keep_text(RequestId { slot, generation: 0 }, 0, "return 1".into());
        let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        submit(engine, slot, Command::new("EVALSHA").arg(digest).arg(0).script());
        write(engine, conn);
        engine.handle_data(at(SECOND / 2), conn, &mut BytesMut::from(NOSCRIPT));
        assert_eq!(write(engine, conn), b"*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n");
    };
    refused(&mut engine, 1);
    engine.handle_data(at(SECOND / 2), conn, &mut BytesMut::from(NOSCRIPT));
    assert_eq!(ended(&mut engine), [(1, Some(Delivery::Rejected))], "nothing else can be tried");
    refused(&mut engine, 2);
    engine.handle_timeout(at(SECOND));
    assert_eq!(ended(&mut engine), [(2, Some(Delivery::MaybeExecuted))]);
}
