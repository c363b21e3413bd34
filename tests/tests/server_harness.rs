//! The harness for real servers does what the tests that use it rely on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use redstart_tests::server::{Module, Server, ServerConfig, Version, free_port, poll_until};

/// Sends an inline PING and returns whether the server answers it within `wait`.
fn pings(addr: SocketAddr, wait: Duration) -> bool {
    let Ok(mut stream) = TcpStream::connect(addr) else { return false };
    stream.set_read_timeout(Some(wait)).expect("the wait is not zero");
    let mut reply = [0; 7];
    stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut reply).is_ok() && &reply == b"+PONG\r\n"
}

const SOON: Duration = Duration::from_secs(5);

#[test]
fn each_version_starts_and_answers() {
    for version in Version::ALL {
        let server = Server::start(version);
        assert!(pings(server.addr(), SOON));
        assert_eq!(server.version(), version);
        assert_eq!(server.url(), format!("redis://127.0.0.1:{}/", server.port()));
        let info = server.cli(&["INFO", "server"]);
        assert!(info.contains(&format!("redis_version:{}\r\n", version.number())), "{info}");
        assert!(info.contains(&format!("process_id:{}\r\n", server.pid())), "{info}");
    }
}

#[test]
fn a_server_saves_nothing_and_takes_debug() {
    for version in Version::ALL {
        let server = Server::start(version);
        assert_eq!(server.cli(&["CONFIG", "GET", "save"]), "save\n");
        assert_eq!(server.cli(&["CONFIG", "GET", "appendonly"]), "appendonly\nno");
        assert_eq!(server.cli(&["DEBUG", "SLEEP", "0"]), "OK");
    }
}

#[test]
fn servers_of_one_test_are_apart() {
    let (one, other) = (Server::start(Version::V7), Server::start(Version::V7));
    assert_ne!(one.port(), other.port());
    assert_eq!(one.cli(&["SET", "k", "v"]), "OK");
    assert_eq!(other.cli(&["EXISTS", "k"]), "0");
}

#[test]
fn restart_keeps_the_port_and_loses_the_data() {
    for version in Version::ALL {
        let mut server = Server::start(version);
        let (addr, pid) = (server.addr(), server.pid());
        assert_eq!(server.cli(&["SET", "k", "v"]), "OK");
        server.kill9();
        assert!(!pings(addr, SOON));
        server.restart();
        assert_eq!(server.addr(), addr);
        assert_ne!(server.pid(), pid);
        assert_eq!(server.cli(&["EXISTS", "k"]), "0");
    }
}

#[test]
fn restart_ends_a_server_that_is_up() {
    let mut server = Server::start(Version::V7);
    let first = server.pid();
    server.restart();
    assert_ne!(server.pid(), first);
    assert!(pings(server.addr(), SOON));
}

#[test]
fn restart_keeps_data_that_the_configuration_saves() {
    let mut server =
        ServerConfig::new(Version::V7).arg("appendonly", "yes").arg("appendfsync", "always").start();
    assert_eq!(server.cli(&["SET", "k", "v"]), "OK");
    server.restart();
    assert_eq!(server.cli(&["GET", "k"]), "v");
}

#[test]
fn a_stopped_server_answers_nothing_until_it_goes_on() {
    for version in Version::ALL {
        let server = Server::start(version);
        server.stop_signal();
        assert!(!pings(server.addr(), Duration::from_millis(100)));
        server.cont_signal();
        assert!(pings(server.addr(), SOON));
    }
}

#[test]
fn a_stopped_server_can_be_killed() {
    let mut server = Server::start(Version::V7);
    server.stop_signal();
    server.kill9();
    assert!(TcpStream::connect(server.addr()).is_err());
}

#[test]
fn drop_kills_the_server_and_removes_its_folder() {
    for version in Version::ALL {
        let server = Server::start(version);
        let (addr, pid, dir) = (server.addr(), server.pid(), server.dir().to_owned());
        assert!(dir.is_dir());
        drop(server);
        assert!(!pings(addr, SOON));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        assert!(!dir.exists());
    }
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let thread = thread::spawn(|| (Server::start(Version::V7), std::fs::read_link("/proc/thread-self")));
    let (server, id) = thread.join().expect("the thread starts a server");
    let task = std::path::Path::new("/proc").join(id.expect("this is Linux"));
    // A thread that was joined is not quite gone; what its end sends to its children is sent by then.
    poll_until("the thread to be gone", || (!task.exists()).then_some(()));
    assert_eq!(server.cli(&["PING"]), "PONG");
}

#[test]
fn a_server_ends_with_a_killed_test_process() {
    let folder = tempfile::tempdir().expect("a folder for what the killed process cannot remove");
    let mut process = Command::new(env!("CARGO_BIN_EXE_server"))
        .arg("7")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program was built with this test");
    let mut line = String::new();
    let output = process.stdout.take().expect("standard output is piped");
    BufReader::new(output).read_line(&mut line).expect("the program prints a line");
    let addr = line.strip_prefix("redis://").and_then(|rest| rest.split('/').next()).expect("a URL");
    let addr = addr.parse().expect("an address");
    assert!(pings(addr, SOON));
    process.kill().expect("the program still runs");
    process.wait().expect("the program is our child");
    poll_until("the orphaned server to end", || TcpStream::connect(addr).is_err().then_some(()));
}

#[test]
fn a_directive_reaches_the_server() {
    let server = ServerConfig::new(Version::V7)
        .arg("client-output-buffer-limit", "pubsub 1mb 512kb 7")
        .arg("maxclients", 5)
        .start();
    assert_eq!(server.cli(&["CONFIG", "GET", "maxclients"]), "maxclients\n5");
    let limits = server.cli(&["CONFIG", "GET", "client-output-buffer-limit"]);
    assert!(limits.ends_with("pubsub 1048576 524288 7"), "{limits}");
}

#[test]
fn the_start_leaves_no_connection_behind() {
    let server = ServerConfig::new(Version::V7).arg("maxclients", 1).start();
    assert!(pings(server.addr(), SOON), "the only place is free at once");
}

#[test]
fn a_password_is_asked_for_and_known_to_the_harness() {
    let server = ServerConfig::new(Version::V8).requirepass("sesame").start();
    assert_eq!(server.url(), format!("redis://:sesame@127.0.0.1:{}/", server.port()));
    assert!(!pings(server.addr(), SOON), "PING without AUTH is refused");
    assert_eq!(server.cli(&["PING"]), "PONG");
}

#[test]
fn a_unix_socket_is_served() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).unix_socket().start();
        let mut stream = UnixStream::connect(server.unix_path()).expect("the socket is there");
        stream.write_all(b"PING\r\nQUIT\r\n").expect("the server reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("the server answers and closes");
        assert_eq!(reply, "+PONG\r\n+OK\r\n");
    }
}

#[test]
fn each_module_answers() {
    let config = Module::ALL.into_iter().fold(ServerConfig::new(Version::V8), ServerConfig::module);
    let server = config.start();
    assert_eq!(server.cli(&["JSON.SET", "doc", "$", r#"{"a":1}"#]), "OK");
    assert_eq!(server.cli(&["FT.CREATE", "index", "SCHEMA", "title", "TEXT"]), "OK");
    assert_eq!(server.cli(&["TS.ADD", "series", "1", "2"]), "1");
    assert_eq!(server.cli(&["BF.ADD", "filter", "x"]), "1");
}

#[test]
fn resident_memory_grows_with_the_data() {
    let server = Server::start(Version::V7);
    let before = server.rss_bytes();
    assert_eq!(server.cli(&["SETRANGE", "big", "50000000", "x"]), "50000001");
    let after = server.rss_bytes();
    assert!(after > before + 40_000_000, "{before} then {after}");
}

#[test]
#[should_panic(expected = "Bad directive")]
fn a_server_that_refuses_its_configuration_fails_the_test_with_its_words() {
    let _server = ServerConfig::new(Version::V7).arg("no-such-directive", "1").start();
}

#[test]
fn free_ports_differ_and_stay_clear_of_outgoing_connections() {
    let (one, other) = (free_port(), free_port());
    assert_ne!(one, other);
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("this is Linux");
    let first: u16 = range.split_whitespace().next().and_then(|n| n.parse().ok()).expect("two numbers");
    assert!(one < first && other < first, "{one} and {other} are below {first}");
}
