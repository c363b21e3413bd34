use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use core::cell::RefCell;
use core::pin::pin;
use core::task::Waker;

use bytes::BytesMut;

use super::*;
use crate::commands::KeyType;
use crate::config::{ClusterOptions, Endpoint, SentinelOptions};
use crate::error::{Delivery, ErrorKind, Limit, ServerError, Waiting};
use crate::resp::{Decoder, Limits};

/// Answers with what it was given, and notes what it was asked.
#[derive(Default)]
struct Server {
    replies: RefCell<VecDeque<String>>,
    asked: RefCell<Vec<String>>,
    deployment: Deployment,
}

impl Server {
    fn new<const N: usize>(replies: [&str; N]) -> Self {
        Self { replies: RefCell::new(replies.map(String::from).into()), ..Self::default() }
    }

    fn deployed(self, deployment: impl Into<Deployment>) -> Self {
        Self { deployment: deployment.into(), ..self }
    }

    fn answer<T: FromReply>(&self, command: &Command<T>) -> Result<T, Error> {
        let args = command.packed().args().map(|arg| String::from_utf8_lossy(&arg).into_owned());
        let node = command.packed().node().map(|node| format!("at {node}"));
        self.asked.borrow_mut().push(args.chain(node).collect::<Vec<_>>().join(" "));
        let reply = self.replies.borrow_mut().pop_front().expect("one reply more");
        let failure = match reply.as_str() {
            "fail" => Some(ErrorKind::Closed),
            "late" => Some(ErrorKind::Timeout(Waiting::Reply)),
            "refuse" => Some(ErrorKind::Server(ServerError::new(b"NOPERM no"))),
            _ => None,
        };
        if let Some(kind) = failure {
            return Err(Error::new(kind, Delivery::NotSent));
        }
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(reply.as_str()));
        let frame = frame.expect("a legal reply").expect("a whole reply");
        T::from_reply(frame.item())
            .map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
    }
}

impl Run for &Server {
    type Output<T: FromReply> = Result<T, Error>;

    fn run<T: FromReply>(self, command: Command<T>) -> Result<T, Error> {
        self.answer(&command)
    }

    fn deployed(&self) -> &Deployment {
        &self.deployment
    }
}

/// The same server behind futures that are ready when they are polled for the second time.
#[derive(Clone, Copy)]
struct Slow<'a>(&'a Server);

struct SlowReply<T>(Option<Result<T, Error>>, bool);

impl<T> Unpin for SlowReply<T> {}

impl<T> Future for SlowReply<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !core::mem::replace(&mut self.1, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0.take().expect("not polled after the end"))
    }
}

impl Run for Slow<'_> {
    type Output<T: FromReply> = SlowReply<T>;

    fn run<T: FromReply>(self, command: Command<T>) -> SlowReply<T> {
        SlowReply(Some(self.0.answer(&command)), false)
    }

    fn deployed(&self) -> &Deployment {
        &self.0.deployment
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    let (mut future, mut cx) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

fn page<const N: usize>(cursor: u64, items: [&str; N]) -> String {
    let items: String = items.iter().map(|item| format!("+{item}\r\n")).collect();
    format!("*2\r\n+{cursor}\r\n*{N}\r\n{items}")
}

#[test]
fn pages_follow_each_other_and_may_be_empty() {
    let last = u64::MAX;
    let server =
        Server::new([&page(7, ["a", "b"]), &page(9, []), &page(last, ["b"]), &page(0, ["c"])].map(|p| &**p));
    let mut walk = (&server).scan_iter::<String>(KeyScanOptions::new());
    assert!(server.asked.borrow().is_empty(), "nothing was asked for yet");
    assert_eq!(walk.next().expect("an element").expect("no error"), "a");
    assert_eq!(walk.next().expect("an element").expect("no error"), "b");
    assert_eq!(*server.asked.borrow(), ["SCAN 0"], "one page is enough so far");
    assert_eq!(walk.by_ref().map(|key| key.expect("no error")).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(*server.asked.borrow(), ["SCAN 0", "SCAN 7", "SCAN 9", &format!("SCAN {last}")]);
    assert!(walk.next().is_none() && walk.next().is_none());
}

#[test]
fn an_error_is_yielded_once_and_ends_the_walk() {
    let pages = [&page(7, ["a"]), "fail", &page(0, ["b"])];
    let server = Server::new(pages);
    let mut walk = (&server).scan_iter::<String>(KeyScanOptions::new());
    assert!(walk.next().is_some_and(|key| key.is_ok()));
    assert!(walk.next().is_some_and(|key| key.is_err()));
    assert!(walk.next().is_none());

    let server = Server::new(pages);
    let mut walk = Slow(&server).scan_iter::<String>(KeyScanOptions::new());
    assert!(wait(walk.next()).is_some_and(|key| key.is_ok()));
    assert!(wait(walk.next()).is_some_and(|key| key.is_err()));
    assert!(wait(walk.next()).is_none());
    assert_eq!(server.asked.borrow().len(), 2);
}

#[test]
fn an_error_that_can_pass_leaves_the_walk_where_it_is() {
    let server = Server::new([&page(7, ["a"]), "late", "late", &page(0, ["b"])]);
    let walk = (&server).scan_iter::<String>(KeyScanOptions::new());
    assert_eq!(walk.map(|key| key.is_ok()).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(*server.asked.borrow(), ["SCAN 0", "SCAN 7", "SCAN 7", "SCAN 7"]);
}

fn behind_sentinels() -> SentinelOptions {
    SentinelOptions::new("main", [Endpoint::default()])
}

fn process(name: &str) -> String {
    format!("$27\r\n# Server\r\nrun_id:{name:0>10}\r\n\r\n")
}

#[test]
fn the_process_is_asked_for_where_another_may_take_over() {
    let first = page(7, ["a"]);
    let (p, q) = (process("p"), process("q"));
    let table: [(&[&str], &[&str], &[&str]); 4] = [
        // One page is all there is.
        (&[&page(0, ["a"])], &["SCAN 0"], &["a"]),
        (
            &[&first, &p, &first, &page(0, ["b"]), &p],
            &["SCAN 0", "INFO server", "SCAN 0", "SCAN 7", "INFO server"],
            &["a", "b"],
        ),
        (
            &[&first, &p, &first, &page(0, ["b"]), &q, &first, &page(0, ["c"]), &q],
            &["SCAN 0", "INFO server", "SCAN 0", "SCAN 7", "INFO server", "SCAN 0", "SCAN 7", "INFO server"],
            &["a", "b", "a", "c"],
        ),
        // It must not be asked for.
        (
            &[&first, "refuse", &first, &page(0, ["b"]), "refuse"],
            &["SCAN 0", "INFO server", "SCAN 0", "SCAN 7", "INFO server"],
            &["a", "b"],
        ),
    ];
    for (replies, asked, seen) in table {
        let server = Server {
            replies: RefCell::new(replies.iter().map(|&reply| reply.into()).collect()),
            ..Server::default()
        };
        let server = server.deployed(behind_sentinels());
        let walk: Result<Vec<String>, Error> = (&server).scan_iter(KeyScanOptions::new()).collect();
        assert_eq!(walk.expect("no error"), seen, "{replies:?}");
        assert_eq!(*server.asked.borrow(), asked, "{replies:?}");
    }
}

#[test]
fn a_walk_that_always_begins_anew_says_so() {
    let mut replies: VecDeque<String> = [page(7, ["a"]), process("0")].into();
    for number in 1..=16 {
        replies.extend([page(0, ["a"]), process(&format!("{number}"))]);
    }
    replies.extend([page(0, ["b"]), process("16")]);
    let server = Server { replies: RefCell::new(replies), ..Server::default() }.deployed(behind_sentinels());
    let walk: Vec<_> = (&server).scan_iter::<String>(KeyScanOptions::new()).collect();
    assert_eq!(walk.iter().filter(|key| key.is_ok()).count(), 17);
    let error = walk[16].as_ref().expect_err("once too often");
    assert_eq!(error.kind(), &ErrorKind::Limit(Limit::Restarts(16)));
}

#[test]
fn a_collection_of_a_cluster_is_asked_which_process_has_it() {
    let script = "EVAL_RO return string.match(redis.call('INFO', 'server'), 'run_id:%x+') 1 k";
    let (first, process) = (page(7, ["a", "1"]), "+run_id:5\r\n");
    let server = Server::new([&first, process, &first, &page(0, ["b", "2"]), process]);
    let server = server.deployed(ClusterOptions::new([Endpoint::default()]));
    let walk: Result<Vec<(String, u32)>, Error> = (&server).hscan_iter("k", ScanOptions::new()).collect();
    assert_eq!(walk.expect("no error"), [("a".into(), 1), ("b".into(), 2)]);
    assert_eq!(*server.asked.borrow(), ["HSCAN k 0", script, "HSCAN k 0", "HSCAN k 7", script]);
}

#[test]
fn all_nodes_of_a_cluster_are_asked() {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let nodes = |id: &str, slots: &str| {
        let other = "c 10.0.0.3:1@2 master - 0 0 3 connected\n";
        bulk(&format!("{other}{id} 10.0.0.1:1@2 myself,master - 0 0 1 connected {slots}\n"))
    };
    let slots = "*2\r\n*3\r\n:0\r\n:9999\r\n*3\r\n+h\r\n:1\r\n+a\r\n\
                 *3\r\n:10000\r\n:16383\r\n*3\r\n+h\r\n:2\r\n+b\r\n";
    let (a, b) = (nodes("a", "0-9999"), nodes("b", "10000-16383"));
    let info = bulk("# Server\r\nredis_version:7.0.15\r\nrun_id:15\r\n");
    let replies = [
        slots,
        &info,
        &a,
        &page(7, ["k1", "k2"]),
        &page(0, ["k3"]),
        &info,
        &a,
        &info,
        &b,
        &page(0, ["k4"]),
        &info,
        &b,
    ];
    let asked = [
        "CLUSTER SLOTS",
        "INFO server at h:1",
        "CLUSTER NODES at h:1",
        "SCAN 0 at h:1",
        "SCAN 7 at h:1",
        "INFO server at h:1",
        "CLUSTER NODES at h:1",
        "INFO server at h:2",
        "CLUSTER NODES at h:2",
        "SCAN 0 at h:2",
        "INFO server at h:2",
        "CLUSTER NODES at h:2",
    ];
    let server = Server::new(replies).deployed(ClusterOptions::new([Endpoint::default()]));
    let mut walk = (&server).scan_iter::<String>(KeyScanOptions::new());
    assert_eq!(format!("{walk:?}"), "Scan { cursor: None, slots_seen: 0, at_hand: 0, .. }");
    let keys: Result<Vec<String>, Error> = walk.by_ref().collect();
    assert_eq!(keys.expect("no error"), ["k1", "k2", "k3", "k4"]);
    assert_eq!(*server.asked.borrow(), asked);
    assert_eq!(format!("{walk:?}"), "Scan { cursor: None, slots_seen: 16384, at_hand: 0, .. }");

    let server = Server::new(replies).deployed(ClusterOptions::new([Endpoint::default()]));
    let mut walk = Slow(&server).scan_iter::<String>(KeyScanOptions::new());
    let mut count = 0;
    while let Some(key) = wait(walk.next()) {
        key.expect("no error");
        count += 1;
    }
    assert_eq!((count, &*server.asked.borrow()), (4, &asked.map(String::from).to_vec()));
}

#[test]
fn every_source_asks_in_its_way() {
    let options = || ScanOptions::new().matching("m*").count(5);
    let server = Server::new([&page(0, ["a", "1"]); 5].map(|p| &**p));
    let s = &server;
    let keys = KeyScanOptions::new().matching("m*").count(5).of_type(KeyType::Set);
    assert_eq!(s.scan_iter::<String>(keys).count(), 2);
    assert_eq!(s.sscan_iter::<String>(b"k\xff", options()).count(), 2);
    let hash: Vec<_> =
        s.hscan_iter::<String, i64>("k", options()).collect::<Result<_, _>>().expect("a field");
    assert_eq!(hash, [("a".into(), 1)]);
    assert_eq!(s.hscan_novalues_iter::<String>("k", options()).count(), 2);
    let set: Vec<_> = s.zscan_iter::<String>(7, options()).collect::<Result<_, _>>().expect("a member");
    assert_eq!(set, [("a".into(), 1.0)]);
    assert_eq!(
        *server.asked.borrow(),
        [
            "SCAN 0 MATCH m* COUNT 5 TYPE set",
            "SSCAN k\u{fffd} 0 MATCH m* COUNT 5",
            "HSCAN k 0 MATCH m* COUNT 5",
            "HSCAN k 0 MATCH m* COUNT 5 NOVALUES",
            "ZSCAN 7 0 MATCH m* COUNT 5",
        ]
    );
}

#[test]
fn a_call_that_is_given_up_is_taken_up_again() {
    let server = Server::new([&page(7, ["a"]), &page(0, ["b"])].map(|p| &**p));
    let mut walk = Slow(&server).scan_iter::<String>(KeyScanOptions::new());
    let mut cx = Context::from_waker(Waker::noop());
    for (asked, expected) in [(1, "a"), (2, "b")] {
        assert!(pin!(walk.next()).poll(&mut cx).is_pending());
        assert_eq!(server.asked.borrow().len(), asked);
        let Poll::Ready(Some(Ok(key))) = Pin::new(&mut walk).poll_next(&mut cx) else { panic!("{expected}") };
        assert_eq!(key, expected);
    }
    assert!(matches!(Pin::new(&mut walk).poll_next(&mut cx), Poll::Ready(None)));
    assert_eq!(server.asked.borrow().len(), 2, "no page was asked for twice");
}

#[test]
fn what_is_walked_through_is_not_shown() {
    let server = Server::new([&*page(7, ["secret", "secret"])]);
    let mut walk = (&server).sscan_iter::<String>("secret", ScanOptions::new().matching("secret*"));
    assert_eq!(format!("{walk:?}"), "Scan { cursor: Some(0), at_hand: 0, .. }");
    assert!(walk.next().is_some());
    assert_eq!(format!("{walk:?}"), "Scan { cursor: Some(7), at_hand: 1, .. }");
}
