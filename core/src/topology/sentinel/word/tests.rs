//! Answers of sentinels, lawful and not, as RESP2 and RESP3 spell them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use bytes::BytesMut;

use super::*;
use crate::config::AddressMap;
use crate::error::{Delivery, ErrorKind, ServerError};
use crate::resp::{Decoder, Frame, Limits};

fn options() -> SentinelOptions {
    SentinelOptions::new("main", [])
}

fn at(host: &str, port: u16) -> Endpoint {
    Endpoint::tcp(host, port)
}

fn reply(wire: &str) -> Result<Frame, Error> {
    let mut bytes = BytesMut::from(wire.as_bytes());
    let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
    assert!(bytes.is_empty());
    if frame.kind() == Kind::Error {
        let error = ServerError::new(&frame.item().text().unwrap_or_default());
        return Err(Error::new(ErrorKind::Server(error), Delivery::Rejected));
    }
    Ok(frame)
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn address(host: &str, port: &str) -> String {
    format!("*2\r\n{}{}", bulk(host), bulk(port))
}

/// `name=value` pairs as a record: a flat array or a map.
fn record(fields: &str, resp3: bool) -> String {
    let pairs: Vec<(&str, &str)> =
        fields.split(' ').map(|pair| pair.split_once('=').expect("a pair")).collect();
    let head = if resp3 { format!("%{}\r\n", pairs.len()) } else { format!("*{}\r\n", 2 * pairs.len()) };
    head + &pairs.iter().map(|(name, value)| bulk(name) + &bulk(value)).collect::<String>()
}

fn list(records: &[String], resp3: bool) -> String {
    let records = records.iter().map(|fields| record(fields, resp3)).collect::<Vec<_>>();
    format!("*{}\r\n{}", records.len(), records.concat())
}

fn node(host: &str, port: u16, flags: &str) -> String {
    format!("name=n ip={host} port={port} runid=r flags={flags} down-after-milliseconds=30000")
}

fn primary(epoch: u64, others: u64) -> String {
    node("h", 1, "master") + &format!(" quorum=2 config-epoch={epoch} num-other-sentinels={others}")
}

fn replica(host: &str, port: u16, flags: &str, link: &str) -> String {
    node(host, port, flags)
        + &format!(" master-link-status={link} master-host=h master-port=1 slave-priority=100")
}

fn peer(host: &str, port: u16, flags: &str) -> String {
    node(host, port, flags) + " voted-leader=? voted-leader-epoch=0"
}

/// The replies of a sentinel where all is well.
#[derive(Clone)]
struct Replies {
    address: String,
    primary: String,
    replicas: Vec<String>,
    peers: Vec<String>,
}

impl Replies {
    fn new() -> Self {
        Self { address: address("h", "1"), primary: primary(7, 2), replicas: vec![], peers: vec![] }
    }

    fn wires(&self, resp3: bool) -> [String; QUESTIONS] {
        [
            self.address.clone(),
            record(&self.primary, resp3),
            list(&self.replicas, resp3),
            list(&self.peers, resp3),
        ]
    }

    fn read(&self, options: &SentinelOptions) -> Result<Word, SentinelFault> {
        let [two, three] = [false, true].map(|resp3| read(&self.wires(resp3), options));
        assert_eq!(two, three);
        three
    }
}

fn read(wires: &[String; QUESTIONS], options: &SentinelOptions) -> Result<Word, SentinelFault> {
    Questions::new(options).read(&wires.each_ref().map(|wire| reply(wire)))
}

#[test]
fn what_is_asked() {
    let commands = Questions::new(&options()).commands();
    let names = commands.map(|command| command.name().to_string());
    let expected = ["GET-MASTER-ADDR-BY-NAME", "MASTER", "REPLICAS", "SENTINELS"];
    assert_eq!(names, expected.map(|name| format!("SENTINEL {name}")));
}

#[test]
fn a_word() {
    let replies = Replies {
        replicas: vec![
            replica("h", 4, "slave", "ok"),
            replica("::1", 3, "slave", "ok"),
            replica("h", 5, "slave,s_down", "ok"),
            replica("h", 6, "slave,o_down,s_down", "ok"),
            replica("h", 7, "slave,disconnected", "ok"),
            replica("h", 8, "slave", "err"),
            replica("h", 9, "slave", "ok") + " replica-announced=0",
            // The server that is being promoted is still in the list.
            replica("h", 1, "slave,promoted", "ok"),
            replica("h", 4, "slave", "ok"),
        ],
        peers: vec![
            peer("s", 2, "sentinel,s_down"),
            peer("s", 1, "sentinel"),
            peer("s", 3, "sentinel,disconnected"),
        ],
        ..Replies::new()
    };
    let expected = Word {
        primary: at("h", 1),
        epoch: Some(7),
        replicas: vec![at("::1", 3), at("h", 4)],
        peers: vec![at("s", 1), at("s", 2), at("s", 3)],
    };
    assert_eq!(replies.read(&options()), Ok(expected));
    assert_eq!(Replies::new().read(&options()), Ok(Word { epoch: Some(7), ..Word::new(at("h", 1)) }));
}

#[test]
fn every_address_is_mapped() {
    let map = AddressMap::new(|told| match told {
        Endpoint::Tcp { port, .. } => at("outside", port + 1000),
        other => other.clone(),
    });
    let replies = Replies {
        replicas: vec![replica("h", 4, "slave", "ok")],
        peers: vec![peer("s", 2, "sentinel")],
        ..Replies::new()
    };
    let word = replies.read(&options().address_map(map)).unwrap();
    assert_eq!(word.primary, at("outside", 1001));
    assert_eq!((word.replicas, word.peers), (vec![at("outside", 1004)], vec![at("outside", 1002)]));
}

#[test]
fn addresses_that_are_none() {
    let long = "h".repeat(256);
    for (host, port) in
        [("", "1"), ("?", "1"), ("a b", "1"), ("a/b", "1"), ("[::1]", "1"), (&long, "1"), ("h", "0")]
    {
        let replies = Replies { address: address(host, port), ..Replies::new() };
        assert_eq!(replies.read(&options()), Err(SentinelFault::BadAddress), "{host}:{port}");
    }
    for port in ["65536", "-1", "x", ""] {
        let replies = Replies { address: address("h", port), ..Replies::new() };
        let fault = replies.read(&options()).unwrap_err();
        assert!(matches!(fault, SentinelFault::Malformed(_)), "{port}: {fault}");
    }
    // Of others, the one that has it is left out.
    let replies = Replies {
        replicas: vec![
            replica("?", 4, "slave", "ok"),
            replica("h", 0, "slave", "ok"),
            replica("h", 5, "slave", "ok"),
        ],
        peers: vec![peer("a@b", 1, "sentinel"), peer("s", 0, "sentinel"), peer("s", 3, "sentinel")],
        ..Replies::new()
    };
    let word = replies.read(&options()).unwrap();
    assert_eq!((word.replicas, word.peers), (vec![at("h", 5)], vec![at("s", 3)]));
}

#[test]
fn a_service_that_is_not_known() {
    let unknown = "-ERR No such master with that name\r\n";
    for nil in ["*-1\r\n", "$-1\r\n", "_\r\n"] {
        let wires = [nil, unknown, unknown, unknown].map(ToString::to_string);
        assert_eq!(read(&wires, &options()), Err(SentinelFault::UnknownService));
    }
}

#[test]
fn what_is_refused() {
    let wires = Replies::new().wires(true);
    let refusal = "-NOPERM User x has no permissions\r\n".to_string();
    let with = |at: usize, wire: &str| {
        let mut wires = wires.clone();
        wires[at] = wire.to_string();
        wires
    };
    // Without an address there is nothing.
    let fault = read(&with(0, &refusal), &options()).unwrap_err();
    assert!(matches!(&fault, SentinelFault::Failed(error) if error.is_auth()), "{fault}");
    // The rest is not needed, unless it is.
    for at in 1..QUESTIONS {
        let word = read(&with(at, &refusal), &options()).unwrap();
        assert_eq!((word.primary, word.epoch), (super::tests::at("h", 1), (at != 1).then_some(7)));
    }
    let strict = options().min_other_sentinels(1);
    let fault = read(&with(1, &refusal), &strict).unwrap_err();
    assert!(matches!(&fault, SentinelFault::Failed(error) if error.is_auth()), "{fault}");
    assert!(read(&with(2, &refusal), &strict).is_ok() && read(&with(3, &refusal), &strict).is_ok());
}

#[test]
fn answers_of_another_shape() {
    let wires = Replies::new().wires(true);
    let table: [(usize, &[&str]); QUESTIONS] = [
        (
            0,
            &[
                "+OK\r\n",
                ":1\r\n",
                "*1\r\n$1\r\nh\r\n",
                "*3\r\n$1\r\nh\r\n:1\r\n:1\r\n",
                "*2\r\n$1\r\n\u{7f}\r\n*0\r\n",
            ],
        ),
        (1, &["+OK\r\n", "_\r\n", "*0\r\n", "*1\r\n$1\r\nh\r\n", "%1\r\n$4\r\nname\r\n$1\r\nn\r\n"]),
        (2, &["+OK\r\n", "_\r\n", "*1\r\n:1\r\n", "*1\r\n%0\r\n", "*1\r\n%1\r\n$4\r\nname\r\n$1\r\nn\r\n"]),
        (3, &["+OK\r\n", "_\r\n", "*1\r\n:1\r\n", "*1\r\n%0\r\n"]),
    ];
    for (at, bad) in table {
        for wire in bad {
            let mut wires = wires.clone();
            wires[at] = (*wire).to_string();
            let fault = read(&wires, &options()).unwrap_err();
            assert!(matches!(fault, SentinelFault::Malformed(_)), "{at} {wire:?}: {fault}");
        }
    }
    let crowd = vec![peer("s", 1, "sentinel"); NAMED_MAX + 1];
    for replies in [
        Replies { peers: crowd.clone(), ..Replies::new() },
        Replies { replicas: vec![replica("h", 2, "slave", "ok"); NAMED_MAX + 1], ..Replies::new() },
    ] {
        assert!(matches!(replies.read(&options()), Err(SentinelFault::Malformed(_))));
    }
    assert!(Replies { peers: crowd[1..].to_vec(), ..Replies::new() }.read(&options()).is_ok());
}

#[test]
fn who_knows_too_few_others_is_not_believed() {
    for (others, wanted, is_believed) in [(0, 0, true), (2, 2, true), (1, 2, false), (0, 1, false)] {
        let replies = Replies { primary: primary(7, others), ..Replies::new() };
        let word = replies.read(&options().min_other_sentinels(wanted));
        let fault = SentinelFault::TooFewSentinels { known: others, wanted: wanted as u64 };
        assert_eq!(word.map(|_| ()), if is_believed { Ok(()) } else { Err(fault) });
    }
}
