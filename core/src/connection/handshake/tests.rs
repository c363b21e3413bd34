//! Whole handshakes, told by what is written and what comes back.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use super::*;
use crate::resp::{Decoder, Limits};

/// What is not written yet, as commands on one line.
fn write(out: &mut Outgoing) -> String {
    let mut bytes = BytesMut::new();
    while out.has_remaining() {
        let len = out.chunk().len();
        bytes.extend_from_slice(out.chunk());
        out.advance(len);
    }
    let mut decoder = Decoder::new(Limits::default());
    let commands = core::iter::from_fn(|| decoder.decode(&mut bytes).expect("legal"));
    let words = |frame: Frame| Vec::<String>::from_reply(frame.item()).expect("words").join(" ");
    commands.map(words).collect::<Vec<_>>().join(", ")
}

fn config(protocol: Protocol) -> Config {
    Config::default().protocol(protocol).library_name(None).library_version(None)
}

/// Plays a handshake: each time what must be written, and the replies to it.
fn play(config: &Config, purpose: Purpose, turns: &[(&str, &str)]) -> Result<ServerInfo, Error> {
    let mut out = Outgoing::default();
    let mut handshake = Handshake::start(config, purpose, false, config.login.fixed().cloned(), &mut out);
    let mut over = None;
    for (written, replies) in turns {
        assert_eq!((write(&mut out), over.is_some()), ((*written).into(), false));
        let mut decoder = Decoder::new(Limits::default());
        let mut bytes = BytesMut::from(*replies);
        while let Some(frame) = decoder.decode(&mut bytes).expect("legal") {
            assert!(over.is_none(), "a reply is left");
            over = handshake.handle_reply(&frame, config, &mut out)?;
        }
    }
    assert_eq!((write(&mut out), out.held()), (String::new(), 0));
    over.or_else(|| handshake.take_info()).ok_or_else(|| panic!("it is not over"))
}

const HELLO: &str = "%2\r\n+proto\r\n:3\r\n+role\r\n+master\r\n";
const REPLICA: &str = "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n";
const PRIMARY: &str = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
const NO_PERM: &str = "-NOPERM no\r\n";
const UNKNOWN: &str = "-ERR unknown command\r\n";

#[test]
fn a_server_is_what_it_says_itself() {
    let three = config(Protocol::Auto).database(2);
    let two = config(Protocol::Resp2);
    let by = |config: &Config, turns: &[(&str, String)]| {
        let turns = turns.iter().map(|(written, replies)| (*written, &**replies)).collect::<Vec<_>>();
        play(config, Purpose::Checked, &turns).map(|info| info.role)
    };
    let asked = "HELLO 3, SELECT 2, ROLE";
    // The connection can have come to another server than the one that HELLO spoke of only by a mistake of
    // the server; ROLE is what counts.
    assert_eq!(by(&three, &[(asked, [HELLO, "+OK\r\n", REPLICA].concat())]).as_deref(), Ok("replica"));
    assert_eq!(by(&three, &[(asked, [HELLO, "+OK\r\n", PRIMARY].concat())]).as_deref(), Ok("master"));
    assert_eq!(by(&three, &[(asked, [HELLO, "+OK\r\n", NO_PERM].concat())]).as_deref(), Ok("master"));
    assert_eq!(by(&two, &[("ROLE", REPLICA.into())]).as_deref(), Ok("replica"));
    let sentinel = "*2\r\n$8\r\nsentinel\r\n*0\r\n";
    assert_eq!(by(&two, &[("ROLE", sentinel.into())]).as_deref(), Ok("sentinel"));
    // What was said together with a HELLO that is not known is said again.
    let refused = [UNKNOWN, NO_PERM, NO_PERM].concat();
    let again = [(asked, refused), ("SELECT 2, ROLE", ["+OK\r\n", PRIMARY].concat())];
    assert_eq!(by(&three, &again).as_deref(), Ok("master"));

    let error = by(&two, &[("ROLE", NO_PERM.into())]).expect_err("nobody says what it is");
    assert_eq!((error.command(), error.code()), (Some("ROLE"), Some(ServerCode::NoPerm)));
    for wrong in ["+OK\r\n", "*0\r\n", "*1\r\n$5\r\nother\r\n"] {
        let error = by(&two, &[("ROLE", wrong.into())]).expect_err(wrong);
        assert!(matches!(error.kind(), ErrorKind::Conversation(_)), "{wrong:?}: {error}");
    }
}

#[test]
fn a_sentinel_is_to_tell_of_new_primaries_if_that_leaves_it_open_to_questions() {
    let auto = config(Protocol::Auto);
    let play = |config: &Config, turns: &[(&str, &str)]| play(config, Purpose::Sentinel, turns);
    let subscribe = "SUBSCRIBE +switch-master, PING";
    let info = play(&auto, &[("HELLO 3", HELLO), (subscribe, "+PONG\r\n")]).expect("ready");
    assert_eq!(info.protocol, 3);
    // The user may not subscribe: the answer to PING is still to come.
    let refused = [NO_PERM, "+PONG\r\n"].concat();
    assert!(play(&auto, &[("HELLO 3", HELLO), (subscribe, &refused)]).is_ok());
    // Not even PING is allowed.
    assert!(play(&auto, &[("HELLO 3", HELLO), (subscribe, &[NO_PERM, NO_PERM].concat())]).is_ok());
    let error = play(&auto, &[("HELLO 3", HELLO), (subscribe, "*0\r\n")]).expect_err("no PONG");
    assert!(matches!(error.kind(), ErrorKind::Conversation(_)), "{error}");
    // With RESP2 it is only asked.
    assert!(play(&config(Protocol::Resp2), &[]).is_ok());
    assert!(play(&auto, &[("HELLO 3", UNKNOWN)]).is_ok());
    let named = config(Protocol::Resp2).client_name("me");
    assert!(play(&named, &[("CLIENT SETNAME me", "+OK\r\n")]).is_ok());
}

#[test]
fn an_answer_to_half_a_question_is_none() {
    let config = config(Protocol::Auto);
    let mut out = Outgoing::default();
    let mut handshake = Handshake::start(&config, Purpose::Sentinel, false, None, &mut out);
    write(&mut out);
    let read = |wire: &str, handshake: &mut Handshake, out: &mut Outgoing| {
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
        handshake.handle_reply(&frame.expect("legal").expect("whole"), &config, out)
    };
    assert_eq!(read(HELLO, &mut handshake, &mut out), Ok(None));
    // All but the last byte of PING is written.
    let len = out.remaining();
    out.advance(len - 1);
    assert!(handshake.is_asked(&out));
    let error = read("+PONG\r\n", &mut handshake, &mut out).expect_err("it is not asked");
    assert_eq!(error.kind(), &ErrorKind::Conversation("an answer came before its question"));
}
