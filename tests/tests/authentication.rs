//! Who a client is, against real servers: credentials that are written down, asked for, or replaced on connections
//! that are there.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::*;
use redstart_core::config::{
    CredentialProvider, Credentials, Endpoint, Protocol, Renewals, SentinelOptions, Supply,
};
use redstart_core::error::{CredentialError, Delivery, ErrorKind, ServerCode, Waiting};
use redstart_core::pubsub::Event;
use redstart_core::{Config, Error};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime, tokio};
use redstart_tests::live::for_each_target;
use redstart_tests::server::hostile::{Fault, Script};
use redstart_tests::server::sentinel::{NAME, SentinelConfig};
use redstart_tests::server::{Server, ServerConfig, Version, poll_until};

fn at(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.port())
}

fn config(server: &Server) -> Config {
    Config::new(at(server)).response_timeout(Duration::from_secs(10))
}

/// Makes a user who may do anything.
fn add_user(server: &Server, name: &str, password: &str) {
    assert_eq!(
        server.cli(&["ACL", "SETUSER", name, "on", &format!(">{password}"), "~*", "&*", "+@all"]),
        "OK"
    );
}

fn whoami(client: &AnyClient) -> String {
    client.run(Command::new("ACL WHOAMI")).expect("a name")
}

/// Credentials that are pushed by hand, and what was heard of errors.
#[derive(Clone, Default)]
struct Hand(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Option<Credentials>,
    pushed: Vec<Credentials>,
    waker: Option<Waker>,
    asked: usize,
    errors: Vec<Error>,
}

impl Hand {
    fn new(name: &str, password: &str) -> Self {
        let hand = Self::default();
        hand.0.lock().expect("no panic").now = Some(Credentials::new(name, password));
        hand
    }

    /// These are the credentials from now on, also of connections that are there.
    fn push(&self, name: &str, password: &str) {
        let mut state = self.0.lock().expect("no panic");
        let credentials = Credentials::new(name, password);
        state.now = Some(credentials.clone());
        state.pushed.push(credentials);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    fn asked(&self) -> usize {
        self.0.lock().expect("no panic").asked
    }

    fn errors(&self) -> Vec<Error> {
        self.0.lock().expect("no panic").errors.clone()
    }
}

struct Pushes(Hand);

impl futures_lite::Stream for Pushes {
    type Item = Credentials;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Credentials>> {
        let mut state = self.0.0.lock().expect("no panic");
        if state.pushed.is_empty() {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Some(state.pushed.remove(0)))
    }
}

impl CredentialProvider for Hand {
    fn credentials(&self, _: &Endpoint) -> Supply<Credentials> {
        let mut state = self.0.lock().expect("no panic");
        state.asked += 1;
        let credentials = state.now.clone().ok_or_else(|| CredentialError::new("none at hand"));
        // It comes from elsewhere, and later.
        let (answer, waker) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None::<Waker>)));
        let (answered, woken) = (Arc::clone(&answer), Arc::clone(&waker));
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            *answered.lock().expect("no panic") = Some(credentials);
            woken.lock().expect("no panic").take().into_iter().for_each(Waker::wake);
        });
        Box::pin(poll_fn(move |cx| {
            *waker.lock().expect("no panic") = Some(cx.waker().clone());
            answer.lock().expect("no panic").take().map_or(Poll::Pending, Poll::Ready)
        }))
    }

    fn renewals(&self) -> Option<Renewals> {
        Some(Box::pin(Pushes(self.clone())))
    }

    fn handle_error(&self, error: &Error) {
        self.0.lock().expect("no panic").errors.push(error.clone());
    }
}

#[test]
fn a_provider_is_asked_for_each_connection() {
    for_each_target(|target| {
        add_user(target, "ann", "one");
        for_each_runtime(|runtime| {
            let protocol = if target.protocol().number() == 2 { Protocol::Resp2 } else { Protocol::Resp3 };
            let hand = Hand::new("ann", "one");
            let client =
                runtime.connect(config(target).protocol(protocol).credential_provider(hand.clone())).unwrap();
            assert_eq!((whoami(&client), hand.asked()), ("ann".to_owned(), 1));
            target.cli(&["CLIENT", "KILL", "USER", "ann"]);
            poll_until("another connection", || client.ping().ok());
            assert_eq!((whoami(&client), hand.asked()), ("ann".to_owned(), 2));

            let calls = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&calls);
            let at_once = move |node: &Endpoint| {
                counted.fetch_add(1, Ordering::SeqCst);
                assert!(node.to_string().starts_with("127.0.0.1:"));
                Ok(Credentials::new("ann", "one"))
            };
            let client =
                runtime.connect(config(target).protocol(protocol).credential_provider(at_once)).unwrap();
            assert_eq!((whoami(&client), calls.load(Ordering::SeqCst)), ("ann".to_owned(), 1));
        });
    });
}

#[test]
fn other_credentials_are_told_to_connections_that_are_there() {
    for_each_target(|target| {
        add_user(target, "ann", "one");
        add_user(target, "bob", "two");
        for_each_runtime(|runtime| {
            let protocol = if target.protocol().number() == 2 { Protocol::Resp2 } else { Protocol::Resp3 };
            let hand = Hand::new("ann", "one");
            let client =
                runtime.connect(config(target).protocol(protocol).credential_provider(hand.clone())).unwrap();
            let id = client.client_id().unwrap();
            hand.push("bob", "two");
            poll_until("the connection to be bob's", || (whoami(&client) == "bob").then_some(()));
            hand.push("bob", "wrong");
            poll_until("the refusal", || {
                client.ping().unwrap();
                hand.errors().first().cloned()
            });
            let [error] = &hand.errors()[..] else { panic!("one error: {:?}", hand.errors()) };
            assert_eq!((error.code(), error.command()), (Some(ServerCode::WrongPass), Some("AUTH")));
            assert_eq!(
                (whoami(&client), client.client_id().unwrap()),
                ("bob".to_owned(), id),
                "it is kept as it was"
            );
            hand.push("ann", "one");
            poll_until("the connection to be ann's", || (whoami(&client) == "ann").then_some(()));
            assert_eq!((client.client_id().unwrap(), hand.asked()), (id, 1));
        });
    });
}

/// Those who wait at the server go on as who they were; then their connections are used no more.
#[test]
fn connections_of_commands_that_wait_are_replaced() {
    let server = Server::start(Version::V8);
    add_user(&server, "ann", "one");
    add_user(&server, "bob", "two");
    for_each_runtime(|runtime| {
        let hand = Hand::new("ann", "one");
        let client = runtime.connect(config(&server).credential_provider(hand.clone())).unwrap();
        let stop = AtomicUsize::new(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                while stop.load(Ordering::SeqCst) == 0 {
                    let none = client.blpop::<String, String>("list", Duration::from_millis(50)).unwrap();
                    assert_eq!(none, None);
                }
            });
            let users = |name: &str| server.cli(&["CLIENT", "LIST"]).matches(&format!("user={name}")).count();
            poll_until("two connections of ann's", || (users("ann") == 2).then_some(()));
            hand.push("bob", "two");
            poll_until("two connections of bob's", || (users("bob") == 2 && users("ann") == 0).then_some(()));
            stop.store(1, Ordering::SeqCst);
            waiting.join().expect("no call has failed");
        });
        client.close();
    });
}

/// With RESP2 a connection with subscriptions cannot be told: it is replaced, and that is announced.
#[test]
fn subscriptions_go_along_with_other_credentials() {
    for_each_target(|target| {
        add_user(target, "ann", "one");
        add_user(target, "bob", "two");
        let is_resp2 = target.protocol().number() == 2;
        let protocol = if is_resp2 { Protocol::Resp2 } else { Protocol::Resp3 };
        let hand = Hand::new("ann", "one");
        let config = config(target).protocol(protocol).credential_provider(hand.clone());
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(config).await.unwrap();
            let mut news = client.subscribe("news").await.unwrap();
            hand.push("bob", "two");
            let users = || target.cli(&["CLIENT", "LIST"]).matches("user=ann").count();
            poll_until("all connections to be bob's", || (users() == 0).then_some(()));
            let mut next = async || news.next_timeout(Duration::from_secs(5)).await.unwrap();
            if is_resp2 {
                assert!(matches!(next().await, Event::Interrupted));
                assert!(matches!(next().await, Event::Resumed));
            }
            let heard: u64 = client.publish("news", "rain").await.unwrap();
            assert_eq!(heard, 1);
            let Event::Message(message) = next().await else { panic!("a message") };
            assert_eq!(message.payload(), b"rain");
        });
    });
}

/// What a server answers to these commands, written at once; until nothing comes for a while.
fn answers(server: &Server, commands: &[u8], expected: usize) -> String {
    let mut stream = TcpStream::connect(server.addr()).expect("a server that is up");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a server that is up");
    stream.write_all(commands).expect("a server that is up");
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    while read.iter().filter(|&&byte| byte == b'\n').count() < expected {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    String::from_utf8(read).expect("a server that is up")
}

/// Of some servers a refusal of AUTH gets lost behind commands that are unanswered, so that each later reply would be
/// taken for the one before it.
#[test]
fn a_server_that_drops_the_refusal_of_auth_shifts_no_reply() {
    let server = ServerConfig::new(Version::V8).start();
    add_user(&server, "ann", "one");
    let at_once = b"PING\r\nAUTH ann wrong\r\nECHO last\r\n";
    let said = answers(&server, at_once, 4);
    assert!(!said.contains("WRONGPASS") && said.contains("last"), "this server has the defect: {said}");

    for_each_runtime(|runtime| {
        let hand = Hand::new("ann", "one");
        let client = runtime.connect(config(&server).credential_provider(hand.clone())).unwrap();
        let stop = Instant::now() + Duration::from_millis(700);
        thread::scope(|scope| {
            for worker in 0..4 {
                let client = &client;
                scope.spawn(move || {
                    for number in 0.. {
                        let text = format!("{worker}:{number}");
                        let echoes: Vec<_> =
                            (0..20).map(|nth| p.echo::<String>(format!("{text}:{nth}"))).collect();
                        for (nth, echo) in client.pipeline(echoes).unwrap().into_iter().enumerate() {
                            assert_eq!(echo, format!("{text}:{nth}"));
                        }
                        if Instant::now() >= stop {
                            break;
                        }
                    }
                });
            }
            let mut pushes = 0;
            while Instant::now() < stop {
                hand.push("ann", &format!("wrong {pushes}"));
                pushes += 1;
                thread::sleep(Duration::from_millis(10));
            }
        });
        poll_until("refusals", || {
            client.ping().unwrap();
            (hand.errors().len() >= 5).then_some(())
        });
        assert_eq!(whoami(&client), "ann");
    });
}

#[test]
fn credentials_that_do_not_come_are_waited_for_as_long_as_for_a_connection() {
    struct Never;
    impl CredentialProvider for Never {
        fn credentials(&self, _: &Endpoint) -> Supply<Credentials> {
            Box::pin(std::future::pending())
        }
    }
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let config = config(&server).connect_timeout(Duration::from_millis(100));
        let error = runtime.connect(config.clone().credential_provider(Never)).unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (&ErrorKind::Timeout(Waiting::Credentials), Delivery::NotSent)
        );

        let hand = Hand::default();
        let error = runtime.connect(config.credential_provider(hand.clone())).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Credentials(CredentialError::new("none at hand")));
        assert!(hand.errors().iter().all(|heard| heard.kind() == error.kind()));
    });
}

#[test]
fn a_wrong_password_fails_at_once_and_its_correction_is_taken() {
    let server = Server::start(Version::V8);
    add_user(&server, "ann", "one");
    for_each_runtime(|runtime| {
        let start = Instant::now();
        let fixed = config(&server).credentials(Credentials::new("ann", "wrong"));
        let error = runtime.connect(fixed).unwrap_err();
        assert_eq!((error.code(), error.delivery()), (Some(ServerCode::WrongPass), Delivery::NotSent));

        let hand = Hand::new("ann", "one");
        let client = runtime.connect(config(&server).credential_provider(hand.clone())).unwrap();
        hand.0.lock().unwrap().now = Some(Credentials::new("ann", "wrong"));
        server.cli(&["CLIENT", "KILL", "USER", "ann"]);
        let error =
            poll_until("a refusal", || client.get::<String>("k").err().filter(|it| !it.is_connection()));
        assert_eq!(error.code(), Some(ServerCode::WrongPass));
        // The connection may have been cut after it was sent on it.
        assert_ne!(error.delivery(), Delivery::Rejected);
        assert!(start.elapsed() < Duration::from_secs(5), "calls fail long before their deadline");
        hand.0.lock().unwrap().now = Some(Credentials::new("ann", "one"));
        poll_until("the client to be well", || client.get::<String>("k").ok());
    });
}

#[test]
fn users_who_may_do_little_can_connect() {
    for_each_target(|target| {
        let rules = ["on", ">one", "~k*", "resetchannels", "-@all", "+get", "+set"];
        let rules = [&["ACL", "SETUSER", "ann"][..], &rules].concat();
        target.cli(&rules);
        let config = config(target).credentials(Credentials::new("ann", "one")).client_name(None);
        let client = Runtime::Blocking.connect(config).unwrap();
        client.set("k", "v").unwrap();
        assert_eq!(client.get("k"), Ok(Some("v".to_owned())));
        for error in [client.del("k").unwrap_err(), client.get::<String>("other").unwrap_err()] {
            assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NoPerm), Delivery::Rejected));
        }
        let (set, incr) = client.try_pipeline((p.set("k", "w"), p.incr("k")));
        assert_eq!((set, incr.unwrap_err().code()), (Ok(()), Some(ServerCode::NoPerm)));
    });
}

#[test]
fn a_password_may_be_rotated_while_its_user_is_connected() {
    let server = Server::start(Version::V7);
    add_user(&server, "ann", "one");
    let hand = Hand::new("ann", "one");
    let client = Runtime::Tokio.connect(config(&server).credential_provider(hand.clone())).unwrap();
    server.cli(&["ACL", "SETUSER", "ann", "resetpass", ">two"]);
    hand.0.lock().unwrap().now = Some(Credentials::new("ann", "two"));
    assert_eq!(whoami(&client), "ann", "who is connected stays so");
    server.cli(&["CLIENT", "KILL", "USER", "ann"]);
    poll_until("another connection", || client.ping().ok());
    // Whose user is deleted is disconnected; a new one of the same name is as good.
    server.cli(&["ACL", "DELUSER", "ann"]);
    add_user(&server, "ann", "two");
    poll_until("another connection", || client.ping().ok());
    assert_eq!(whoami(&client), "ann");
}

#[test]
fn a_server_that_has_forgotten_who_this_is_is_told_again() {
    let no_auth = || Fault::error("NOAUTH Authentication required.");
    for_each_runtime(|runtime| {
        let server = Script::new().on_first(2, "SET", no_auth()).on("GET", no_auth()).start();
        let nobody = Config::new(Endpoint::tcp("127.0.0.1", server.port()));
        let client = runtime.connect(nobody.clone().credentials(Credentials::new("ann", "one"))).unwrap();
        client.set("k", "v").unwrap();
        assert_eq!((server.count("SET"), server.count("HELLO")), (3, 3), "each time on another connection");
        // A server that goes on so is not asked for ever.
        let error = client.get::<String>("k").unwrap_err();
        assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NoAuth), Delivery::Rejected));
        assert_eq!(server.count("GET"), 4);
        let error = runtime.connect(nobody).unwrap().get::<String>("k").unwrap_err();
        assert_eq!(
            (error.code(), server.count("GET")),
            (Some(ServerCode::NoAuth), 5),
            "there is nothing to tell"
        );
    });
}

#[test]
fn sentinels_have_credentials_of_their_own() {
    let service = SentinelConfig::new(Version::V8).sentinels(2).start();
    for sentinel in service.sentinels() {
        add_user(sentinel, "watch", "dog");
    }
    for server in service.servers() {
        add_user(server, "ann", "one");
    }
    let (nodes, dogs) = (Hand::new("ann", "one"), Hand::new("watch", "dog"));
    let options =
        SentinelOptions::new(NAME, service.sentinels().iter().map(at)).credential_provider(dogs.clone());
    let config = Config::default().deployment(options).credential_provider(nodes.clone());
    for_each_runtime(|runtime| {
        let client = runtime.connect(config.clone()).unwrap();
        assert_eq!(whoami(&client), "ann");
        assert!(nodes.asked() > 0 && dogs.asked() > 0);
        let watchers =
            || service.sentinels().iter().map(|it| it.cli(&["CLIENT", "LIST"])).collect::<String>();
        assert!(watchers().contains("user=watch") && !watchers().contains("user=ann"));
    });
}
