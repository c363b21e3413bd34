//! Networks that fail, to the client of each runtime: what `connect` says and when, and what calls say while
//! there is no server.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use redstart_core::client::Options;
use redstart_core::commands::StringCommands;
use redstart_core::config::{Config, Endpoint};
use redstart_core::error::{ConnectionError, Delivery, ServerCode, Waiting};
use redstart_core::{Error, ErrorKind};
use redstart_tests::clients::{Runtime, for_each_runtime};
use redstart_tests::server::hostile::{Fault, Script};
use redstart_tests::server::{RefusingPort, Server, Version};
use socket2::{Domain, Socket, Type};

const TIMEOUT: Duration = Duration::from_millis(100);
/// What a loaded machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(3);

#[track_caller]
fn refused(runtime: Runtime, config: Config) -> Error {
    let error = runtime.connect(config).expect_err("there is no server");
    assert_eq!(error.delivery(), Delivery::NotSent);
    error
}

/// `connect` fails for its timeout, and not long after.
#[track_caller]
fn times_out(runtime: Runtime, port: u16) {
    let start = Instant::now();
    let error = refused(runtime, Config::new(Endpoint::tcp("127.0.0.1", port)).connect_timeout(TIMEOUT));
    assert!(start.elapsed() < TIMEOUT + SLACK, "{error} after {:?}", start.elapsed());
    assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Connection));
}

/// A listener whose queue is full, so that the system lets further attempts to connect go unanswered.
struct BlackHole {
    addr: SocketAddr,
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        listener.listen(0).expect("it is bound");
        let addr = listener.local_addr().expect("it is bound").as_socket().expect("an address of IPv4");
        let fill = || TcpStream::connect_timeout(&addr, Duration::from_millis(300)).ok();
        let waiting = std::iter::from_fn(fill).take(100).collect::<Vec<_>>();
        assert!(waiting.len() < 100, "the queue has an end");
        Self { addr, _listener: listener, _waiting: waiting }
    }
}

#[test]
fn nobody_listens() {
    let port = RefusingPort::take();
    for_each_runtime(|runtime| {
        let error = refused(runtime, Config::new(Endpoint::tcp("127.0.0.1", port.number())));
        assert_eq!(error.kind(), &ErrorKind::Connection(ConnectionError::Refused));
        let error = refused(runtime, Config::new(Endpoint::unix("/nowhere/redis.sock")));
        let ErrorKind::Connection(ConnectionError::Other(text)) = error.kind() else { panic!("{error}") };
        assert!(text.contains("No such file"), "{text}");
    });
}

#[test]
fn a_name_that_nobody_knows() {
    // No label is that long, so nobody is asked.
    let name = "x".repeat(64);
    for_each_runtime(|runtime| {
        let error = refused(runtime, Config::new(Endpoint::tcp(&*name, 6379)));
        assert_eq!(error.kind(), &ErrorKind::Connection(ConnectionError::NotResolved));
        assert_eq!(error.node(), Some(&*format!("{name}:6379")));
    });
}

#[test]
fn an_address_that_never_answers() {
    let hole = BlackHole::new();
    for_each_runtime(|runtime| times_out(runtime, hole.addr.port()));
}

#[test]
fn a_server_that_accepts_and_never_answers() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let frozen = Server::start(Version::V8);
    frozen.stop_signal();
    let mute = Script::new().on("HELLO", Fault::Silence).start();
    let half = Script::new().on("CLIENT", Fault::Silence).start();
    let ports = [deaf.local_addr().unwrap().port(), frozen.port(), mute.port(), half.port()];
    for_each_runtime(|runtime| ports.into_iter().for_each(|port| times_out(runtime, port)));
}

#[test]
fn calls_while_there_is_no_server_end_by_their_deadline_with_the_reason() {
    for_each_runtime(|runtime| {
        let mut server = Server::start(Version::V7);
        let client = runtime.connect(server.url()).unwrap();
        let hasty = client.with(Options::new().timeout(TIMEOUT));
        server.kill9();
        // The first may meet the connection before its end is known.
        let _ = hasty.get::<String>("k");
        let start = Instant::now();
        let error = hasty.set("k", 1).unwrap_err();
        assert!(start.elapsed() < TIMEOUT + SLACK);
        assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Connection));
        assert_eq!((error.delivery(), error.command()), (Delivery::NotSent, Some("SET")));
        let cause = error.cause().expect("why there is no connection").kind();
        assert!(matches!(cause, ErrorKind::Connection(_)), "{error}");
        server.restart();
        // Within its deadline it waits for the connection.
        client.set("k", 2).unwrap();
        assert_eq!(server.cli(&["GET", "k"]), "2");
    });
}

#[test]
fn a_greeting_refused_for_a_while_is_said_again() {
    let good = Fault::Before(Vec::new());
    for_each_runtime(|runtime| {
        let server = Script::new()
            .on_first(1, "HELLO", good.clone())
            .on_first(3, "HELLO", Fault::loading())
            .on("SET last", Fault::CloseAfter(Vec::new()))
            .start();
        let client = runtime.connect(server.url()).unwrap();
        client.set("last", 1).unwrap_err();
        client.set("k", 1).unwrap();
        assert_eq!(server.count("HELLO"), 5);
    });
}

#[test]
fn a_server_that_loads_for_a_while_is_waited_for() {
    for_each_runtime(|runtime| {
        let server = Script::new().on_first(3, "SET k", Fault::loading()).start();
        let client = runtime.connect(server.url()).unwrap();
        client.set("k", 1).unwrap();
        assert_eq!((server.count("SET k"), server.received().len()), (4, 1));
    });
}

#[test]
fn a_server_that_loads_for_too_long_is_named_in_the_timeout() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("SET k", Fault::loading()).start();
        // The pauses are long, so that the deadline finds it in one and not on its way.
        let client = runtime.connect(format!("{}?backoff_base=1m&backoff_cap=1m", server.url())).unwrap();
        let start = Instant::now();
        let error = client.with(Options::new().timeout(TIMEOUT)).set("k", 1).unwrap_err();
        assert!(start.elapsed() < TIMEOUT + SLACK);
        assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Reply));
        assert_eq!((error.delivery(), error.command()), (Delivery::Rejected, Some("SET")));
        let cause = error.cause().expect("the last refusal");
        assert_eq!((cause.code(), cause.delivery()), (Some(ServerCode::Loading), Delivery::Rejected));
    });
}

/// Unlike a refusal, a lost connection may be the fault of what was sent on it.
#[test]
fn a_read_that_costs_every_connection_is_sent_a_few_times_only() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("GET k", Fault::CloseAfter(Vec::new())).start();
        let client = runtime.connect(format!("{}?backoff_cap=10ms&retries=2", server.url())).unwrap();
        let error = client.get::<String>("k").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connection(ConnectionError::ClosedByPeer));
        assert_eq!((error.delivery(), server.count("GET k")), (Delivery::MaybeExecuted, 3));
    });
}
