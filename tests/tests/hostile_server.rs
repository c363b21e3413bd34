//! The scripted server misbehaves exactly as its script says, and well otherwise.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::{PATIENCE, Server, Version, poll_until};

const HELLO: &[&str] = &["HELLO", "3"];

fn connect(server: &Hostile) -> TcpStream {
    let stream = TcpStream::connect(server.addr()).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("the wait is not zero");
    stream
}

fn send(stream: &mut TcpStream, words: &[&str]) {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(command.as_bytes()).expect("the server reads");
}

/// Reads as many bytes as `expected` has and compares them.
#[track_caller]
fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut reply = vec![0; expected.len()];
    stream.read_exact(&mut reply).expect("the reply is as long as expected");
    assert_eq!(String::from_utf8_lossy(&reply), String::from_utf8_lossy(expected));
}

#[track_caller]
fn ask(stream: &mut TcpStream, words: &[&str], expected: &str) {
    send(stream, words);
    expect(stream, expected.as_bytes());
}

#[track_caller]
fn expect_end(stream: &mut TcpStream) {
    assert_eq!(stream.read(&mut [0]).expect("the end comes in good order"), 0);
}

#[track_caller]
fn expect_silence(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("the wait is not zero");
    let error = stream.read(&mut [0]).expect_err("nothing is sent");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn without_faults_it_is_healthy_and_records_each_connection() {
    let server = Script::new().start();
    let (mut one, mut other) = (connect(&server), connect(&server));
    ask(&mut one, &["PING"], "+PONG\r\n");
    ask(&mut one, &["ping", "hi"], "$2\r\nhi\r\n");
    ask(&mut other, &["ECHO", "a b"], "$3\r\na b\r\n");
    ask(&mut one, &["CLIENT", "SETNAME", "me"], "+OK\r\n");
    ask(&mut other, &["client", "id"], ":2\r\n");
    ask(&mut one, &["SELECT", "1"], "+OK\r\n");
    let first = ["PING", "ping hi", "CLIENT SETNAME me", "SELECT 1"].map(str::to_owned).to_vec();
    let second = ["ECHO a b", "client id"].map(str::to_owned).to_vec();
    assert_eq!(server.received(), [first, second]);
    assert_eq!(server.count("PING"), 2);
    assert_eq!(server.count("CLIENT ID"), 1);
    assert_eq!(server.count("CLI"), 0);
    poll_until("every answer", || (server.answered() == 6).then_some(()));
    assert_eq!(server.open(), 2);
    drop(one);
    poll_until("the end of one connection", || (server.open() == 1).then_some(()));
}

/// The first connection to a fresh 7.0.15 and to the scripted server must not tell them apart by `HELLO`.
#[test]
fn hello_is_answered_as_by_a_real_server() {
    let (real, scripted) = (Server::start(Version::V7), Script::new().start());
    for protocol in ["2", "3", "9"] {
        let mut to_real = TcpStream::connect(real.addr()).expect("the server listens");
        let mut to_scripted = connect(&scripted);
        let mut replies = [&mut to_real, &mut to_scripted].map(|stream| {
            stream.set_read_timeout(Some(PATIENCE)).expect("the wait is not zero");
            send(stream, &["HELLO", protocol]);
            // What follows the greeting marks its end.
            send(stream, &["ECHO", "end"]);
            let mut reply = Vec::new();
            while !reply.ends_with(b"$3\r\nend\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("the reply goes on");
                reply.extend(byte);
            }
            String::from_utf8(reply).expect("the greeting is text")
        });
        for reply in &mut replies {
            if let Some((before, after)) = reply.split_once("$2\r\nid\r\n:") {
                let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
                *reply = format!("{before}$2\r\nid\r\n:N{rest}");
            }
        }
        assert_eq!(replies[0], replies[1]);
    }
}

#[test]
fn a_resp2_server_knows_no_hello() {
    let server = Script::new().resp2().start();
    let mut stream = connect(&server);
    ask(&mut stream, HELLO, "-ERR unknown command 'HELLO', with args beginning with: '3' \r\n");
    ask(&mut stream, &["AUTH", "secret"], "+OK\r\n");
}

#[test]
fn bytes_replace_the_reply_of_the_named_command_only() {
    let server = Script::new().on("BAD", Fault::Send(b"?what\r\n".to_vec())).start();
    let mut stream = connect(&server);
    ask(&mut stream, &["bad", "1"], "?what\r\n");
    ask(&mut stream, &["BADGER"], "+OK\r\n");
    ask(&mut stream, &["GET", "BAD"], "+OK\r\n");
}

#[test]
fn a_rule_may_name_a_subcommand_and_the_first_that_fits_wins() {
    let server = Script::new()
        .on("CLUSTER SLOTS", Fault::error("CLUSTERDOWN"))
        .on("CLUSTER", Fault::error("ERR other"))
        .start();
    let mut stream = connect(&server);
    ask(&mut stream, &["cluster", "slots"], "-CLUSTERDOWN\r\n");
    ask(&mut stream, &["CLUSTER", "NODES"], "-ERR other\r\n");
}

#[test]
fn a_rule_may_apply_a_few_times_over_all_connections() {
    let server = Script::new().on_first(2, "GET", Fault::loading()).start();
    for expected in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "+OK\r\n",
    ] {
        ask(&mut connect(&server), &["GET", "k"], expected);
    }
}

#[test]
fn a_reply_may_be_left_out_or_come_twice() {
    let server = Script::new().on("LESS", Fault::Send(Vec::new())).on("MORE", Fault::extra_reply()).start();
    let mut stream = connect(&server);
    send(&mut stream, &["LESS"]);
    ask(&mut stream, &["PING"], "+PONG\r\n");
    ask(&mut stream, &["MORE"], "+OK\r\n+EXTRA\r\n");
}

#[test]
fn a_drip_comes_byte_by_byte() {
    let interval = Duration::from_millis(5);
    let server = Script::new().on("BAD", Fault::Drip { bytes: b"$3\r\nabc\r\n".to_vec(), interval }).start();
    let mut stream = connect(&server);
    let start = Instant::now();
    ask(&mut stream, &["BAD"], "$3\r\nabc\r\n");
    assert!(start.elapsed() >= interval * 8, "nine bytes have eight gaps");
    ask(&mut stream, &["PING"], "+PONG\r\n");
}

#[test]
fn a_close_comes_after_what_was_sent_even_over_unread_commands() {
    let server = Script::new().on("BAD", Fault::CloseAfter(b"$10\r\nhalf".to_vec())).start();
    let mut stream = connect(&server);
    send(&mut stream, &["BAD"]);
    send(&mut stream, &["SET", "k", &"v".repeat(100_000)]);
    expect(&mut stream, b"$10\r\nhalf");
    expect_end(&mut stream);
    assert_eq!(server.received(), [["BAD"]]);
}

#[test]
fn a_reset_ends_the_connection_with_an_error() {
    let server = Script::new().on("BAD", Fault::ResetAfter(b"$10\r\nhalf".to_vec())).start();
    let mut stream = connect(&server);
    send(&mut stream, &["BAD"]);
    let error = stream.read_to_end(&mut Vec::new()).expect_err("no good end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_silent_connection_still_records() {
    let server = Script::new().on("BAD", Fault::Silence).start();
    let mut stream = connect(&server);
    ask(&mut stream, &["PING"], "+PONG\r\n");
    send(&mut stream, &["BAD"]);
    send(&mut stream, &["PING"]);
    poll_until("both commands", || (server.received()[0].len() == 3).then_some(()));
    expect_silence(&mut stream);
    ask(&mut connect(&server), &["PING"], "+PONG\r\n");
}

#[test]
fn a_server_may_accept_and_never_answer() {
    let server = Script::new().at_accept(Fault::Silence).start();
    let mut stream = connect(&server);
    send(&mut stream, HELLO);
    poll_until("the command", || (server.count("HELLO") == 1).then_some(()));
    expect_silence(&mut stream);
}

#[test]
fn a_server_may_turn_clients_away() {
    let server = Script::new().at_accept(Fault::max_clients()).start();
    let mut stream = connect(&server);
    send(&mut stream, HELLO);
    expect(&mut stream, b"-ERR max number of clients reached\r\n");
    expect_end(&mut stream);
}

#[test]
fn an_endless_line_ends_with_the_peer_or_the_server() {
    let server = Script::new().on("BAD", Fault::endless_line()).start();
    let mut stream = connect(&server);
    send(&mut stream, &["BAD"]);
    let mut line = vec![0; 1 << 20];
    stream.read_exact(&mut line).expect("a megabyte comes");
    assert!(line.starts_with(b"+x") && line[1..].iter().all(|byte| *byte == b'x'));
    // With the other end still open, the server must not wait for it.
    drop(server);
}

#[test]
fn nesting_and_lengths_are_as_hostile_as_asked() {
    let server = Script::new().on("DEEP", Fault::nested(1000)).on("HUGE", Fault::huge_array()).start();
    let mut stream = connect(&server);
    ask(&mut stream, &["DEEP"], &("*1\r\n".repeat(1000) + ":1\r\n"));
    ask(&mut stream, &["HUGE"], "*2000000000\r\n");
    ask(&mut stream, &["PING"], "+PONG\r\n");
}

#[test]
fn pushes_come_before_the_reply() {
    let server = Script::new().on("GET", Fault::pushes(2)).start();
    let push = ">3\r\n$7\r\nmessage\r\n$5\r\nflood\r\n$1\r\nx\r\n";
    ask(&mut connect(&server), &["GET", "k"], &format!("{push}{push}+OK\r\n"));
}

#[test]
fn a_handshake_may_be_refused_or_of_the_wrong_type() {
    let server = Script::new()
        .on("AUTH", Fault::wrong_password())
        .on("HELLO", Fault::Send(b":1\r\n".to_vec()))
        .start();
    let mut stream = connect(&server);
    ask(
        &mut stream,
        &["AUTH", "user", "no"],
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    );
    ask(&mut stream, HELLO, ":1\r\n");
}

#[test]
#[should_panic(expected = "a client sent what is no command")]
fn what_is_no_command_fails_the_test() {
    let server = Script::new().start();
    let mut stream = connect(&server);
    stream.write_all(b"*1\r\n:1\r\n").expect("the server reads");
    expect_end(&mut stream);
}

#[test]
fn a_command_cut_short_is_not_held_against_the_client() {
    let server = Script::new().start();
    let mut stream = connect(&server);
    stream.write_all(b"*2\r\n$3\r\nGET\r\n$100\r\nk").expect("the server reads");
    drop(stream);
    ask(&mut connect(&server), &["PING"], "+PONG\r\n");
    assert_eq!(server.received(), [vec![], vec!["PING".to_owned()]]);
}
