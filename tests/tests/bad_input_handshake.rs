//! Greetings that go wrong, to the client of each runtime: refused, misunderstood, answered by something else.

use redstart_core::commands::{ConnectionCommands, StringCommands};
use redstart_core::config::{Config, Credentials, Endpoint, Protocol};
use redstart_core::error::{ConnectionError, Delivery, ServerCode};
use redstart_core::resp::ProtocolError;
use redstart_core::{Error, ErrorKind};
use redstart_tests::clients::{Runtime, for_each_runtime};
use redstart_tests::live::for_each_target;
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::{Server, ServerConfig, Version, poll_until};

const PROTOCOLS: [Protocol; 3] = [Protocol::Auto, Protocol::Resp2, Protocol::Resp3];

fn config(port: u16) -> Config {
    Config::new(Endpoint::tcp("127.0.0.1", port))
}

/// `connect` fails, and all that the error says is that nothing of the user's was sent.
#[track_caller]
fn refused(runtime: Runtime, config: Config) -> Error {
    let error = runtime.connect(config).expect_err("the server refuses");
    assert_eq!(error.delivery(), Delivery::NotSent, "{error}");
    error
}

#[track_caller]
fn refused_by(runtime: Runtime, config: Config) -> (ServerCode, String) {
    let error = refused(runtime, config);
    let code = error.code().unwrap_or_else(|| panic!("the server says why: {error}"));
    (code, error.command().unwrap_or_default().to_owned())
}

#[test]
fn a_wrong_password_is_told_at_once_and_tried_once() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).requirepass("right").start();
        server.cli(&["ACL", "SETUSER", "ann", "on", ">hers", "~*", "+@all"]);
        for_each_runtime(|runtime| {
            for protocol in PROTOCOLS {
                let command = if protocol == Protocol::Resp2 { "AUTH" } else { "HELLO" };
                let config = config(server.port()).protocol(protocol);
                for (user, password) in [(None, "wrong"), (Some("ann"), "right"), (Some("bob"), "hers")] {
                    let credentials = match user {
                        Some(user) => Credentials::new(user, password),
                        None => Credentials::password(password),
                    };
                    let error = refused(runtime, config.clone().credentials(credentials));
                    assert_eq!(error.code(), Some(ServerCode::WrongPass), "{error}");
                    assert_eq!((error.command(), error.is_auth()), (Some(command), true));
                    let told = format!("{error} {error:?}");
                    assert!(!told.contains(password), "{told}");
                }
                for credentials in [Credentials::password("right"), Credentials::new("ann", "hers")] {
                    let client = runtime.connect(config.clone().credentials(credentials)).unwrap();
                    client.set("k", 1).unwrap();
                }
            }
        });
    }
}

#[test]
fn a_password_that_is_missing() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).requirepass("right").start();
        for_each_runtime(|runtime| {
            let refusal = refused_by(runtime, config(server.port()));
            assert_eq!(refusal, (ServerCode::NoAuth, "HELLO".to_owned()));
            // Nothing is asked that would tell, so the first command does.
            let client = runtime.connect(config(server.port()).protocol(Protocol::Resp2)).unwrap();
            let error = client.get::<String>("k").unwrap_err();
            assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NoAuth), Delivery::Rejected));
        });
    }
}

#[test]
fn refused_credentials_at_servers_old_and_new() {
    let wrong = (ServerCode::WrongPass, "AUTH".to_owned());
    for_each_runtime(|runtime| {
        for script in [Script::new().resp2(), Script::new().on("HELLO", Fault::error("NOPROTO no"))] {
            let server = script.on("AUTH", Fault::wrong_password()).start();
            let config = config(server.port()).credentials(Credentials::password("wrong"));
            assert_eq!(refused_by(runtime, config), wrong);
            let (greeted, asked) = (server.count("HELLO"), server.count("AUTH"));
            // The client may have begun to try again before it is dropped.
            let once_each = asked..=asked + 1;
            assert!(asked > 0 && once_each.contains(&greeted), "{greeted} times HELLO, {asked} times AUTH");
        }
    });
}

#[test]
fn a_user_who_may_do_little_connects_and_is_told_what_is_refused() {
    for version in Version::ALL {
        let server = Server::start(version);
        server.cli(&["ACL", "SETUSER", "ann", "on", ">hers", "~k:*", "+get"]);
        for_each_runtime(|runtime| {
            for protocol in PROTOCOLS {
                let config = config(server.port()).protocol(protocol);
                let config = config.credentials(Credentials::new("ann", "hers"));
                let client = runtime.connect(config.clone()).unwrap();
                assert_eq!(client.get::<String>("k:1"), Ok(None));
                for (error, command) in [
                    (client.get::<String>("other").unwrap_err(), "GET"),
                    (client.set("k:1", 1).unwrap_err(), "SET"),
                ] {
                    assert_eq!((error.code(), error.command()), (Some(ServerCode::NoPerm), Some(command)));
                    assert_eq!((error.delivery(), error.is_auth()), (Delivery::Rejected, true));
                }
                let refusal = refused_by(runtime, config.database(1));
                assert_eq!(refusal, (ServerCode::NoPerm, "SELECT".to_owned()));
            }
        });
    }
}

#[test]
fn a_server_that_is_full_says_so() {
    const TEXT: &str = "ERR max number of clients reached";
    for_each_runtime(|runtime| {
        let server = Script::new().at_accept(Fault::max_clients()).start();
        let error = refused(runtime, config(server.port()));
        assert_eq!(error.server().expect("the server's error").text(), TEXT);
        for version in Version::ALL {
            let server = ServerConfig::new(version).arg("maxclients", 1).start();
            let first = std::net::TcpStream::connect(server.addr()).unwrap();
            // It closes at once, and what it says must be heard all the same.
            for _ in 0..20 {
                let error = refused(runtime, config(server.port()));
                assert_eq!(error.server().unwrap_or_else(|| panic!("not heard: {error}")).text(), TEXT);
            }
            drop(first);
            poll_until("room at the server", || runtime.connect(config(server.port())).ok());
        }
    });
}

#[test]
fn hello_answered_with_something_else() {
    for_each_runtime(|runtime| {
        for answer in [
            ":1\r\n",
            "+OK\r\n",
            "$-1\r\n",
            "*1\r\n+x\r\n",
            "%0\r\n",
            "%1\r\n+proto\r\n:2\r\n",
            "%1\r\n+proto\r\n+three\r\n",
            "%1\r\n*0\r\n+x\r\n",
        ] {
            let server = Script::new().on("HELLO", Fault::Send(answer.into())).start();
            let error = refused(runtime, config(server.port()));
            assert!(matches!(error.kind(), ErrorKind::Conversation(_)), "{answer:?}: {error}");
        }
    });
}

#[test]
fn other_steps_answered_with_something_else() {
    for_each_runtime(|runtime| {
        for step in ["SELECT", "CLIENT SETINFO", "CLIENT SETNAME", "AUTH"] {
            let server = Script::new().resp2().on(step, Fault::Send(b":1\r\n".to_vec())).start();
            let config = config(server.port()).database(1).client_name("me");
            let error = refused(runtime, config.credentials(Credentials::password("secret")));
            assert!(matches!(error.kind(), ErrorKind::Conversation(_)), "{step}: {error}");
        }
    });
}

#[test]
fn a_server_without_hello_is_spoken_to_as_of_old() {
    for_each_runtime(|runtime| {
        let setinfo = Fault::error("ERR Unknown subcommand or wrong number of arguments for 'SETINFO'");
        let server = Script::new().resp2().on("CLIENT SETINFO", setinfo).start();
        let config = config(server.port()).database(3).client_name("me");
        let config = config.credentials(Credentials::password("secret"));
        let client = runtime.connect(config.clone()).unwrap();
        assert_eq!(client.connected().unwrap().protocol, 2);
        assert_eq!(client.client_id(), Ok(1));
        let said = server.received().remove(0);
        assert!(said[0].starts_with("HELLO 3 AUTH default secret SETNAME me"), "{said:?}");
        let again = said.iter().position(|command| command == "AUTH secret").expect("AUTH follows");
        let steps =
            ["AUTH secret", "CLIENT SETNAME me", "CLIENT SETINFO", "CLIENT SETINFO", "SELECT 3", "CLIENT ID"];
        assert!(said[again..].iter().zip(steps).all(|(said, step)| said.starts_with(step)), "{said:?}");
        assert_eq!(said[again..].len(), steps.len());
        let refusal = refused_by(runtime, config.protocol(Protocol::Resp3));
        assert_eq!(refusal, (ServerCode::Err, "HELLO".to_owned()));
    });
}

#[test]
fn a_peer_that_is_no_redis_or_hangs_up() {
    let closed = |reason| ErrorKind::Connection(reason);
    let alien = |byte| ErrorKind::Protocol(ProtocolError::UnknownType(byte));
    for_each_runtime(|runtime| {
        for (fault, kind) in [
            (Fault::CloseAfter(Vec::new()), closed(ConnectionError::ClosedByPeer)),
            (Fault::ResetAfter(Vec::new()), closed(ConnectionError::Reset)),
            (Fault::CloseAfter(b"-ERR half".to_vec()), closed(ConnectionError::ClosedByPeer)),
            // The alert of a server that expects TLS.
            (Fault::CloseAfter(b"\x15\x03\x01\x00\x02\x02\x46".to_vec()), alien(0x15)),
            (Fault::CloseAfter(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), alien(b'H')),
            (Fault::CloseAfter(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), alien(b'S')),
        ] {
            let server: Hostile = Script::new().at_accept(fault).start();
            let error = refused(runtime, config(server.port()));
            // A write that meets the reset takes it off the socket, and the read finds an end like any other.
            let is_reset = kind == closed(ConnectionError::Reset);
            let found_late = is_reset && *error.kind() == closed(ConnectionError::ClosedByPeer);
            assert!(found_late || *error.kind() == kind, "{error}");
            assert_eq!(error.node(), Some(&*server.addr().to_string()));
        }
    });
}

#[test]
fn a_database_that_does_not_exist() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let error = runtime.connect(format!("{}&db=9999", target.url())).unwrap_err();
            assert_eq!((error.code(), error.command()), (Some(ServerCode::Err), Some("SELECT")));
            assert_eq!(error.server().expect("its words").text(), "ERR DB index is out of range");
        });
    });
}

#[test]
fn urls_that_cannot_be_used() {
    for_each_runtime(|runtime| {
        for (url, option) in [
            ("http://127.0.0.1/", "scheme"),
            ("127.0.0.1:6379", "url"),
            ("redis://127.0.0.1/abc", "db"),
            ("redis://127.0.0.1:99999/", "port"),
            ("redis://127.0.0.1/?no_such=1", "no_such"),
            ("redis://127.0.0.1/?queue_bytes=0", "queue_bytes"),
        ] {
            let error = runtime.connect(url).expect_err("the URL cannot be used");
            let ErrorKind::Config(told) = error.kind() else { panic!("{url}: {error}") };
            assert_eq!((told.option.as_str(), error.delivery()), (option, Delivery::NotSent));
        }
    });
}
