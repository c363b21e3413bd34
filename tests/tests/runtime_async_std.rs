//! The async-std adapter against real servers: both kinds of socket, large values, many tasks, lost and silent
//! servers, and a foreign executor.

use std::future::poll_fn;
use std::net::TcpListener;
use std::time::Duration;

use async_std::task::{block_on, spawn};
use bytes::{Buf, Bytes, BytesMut};
use redstart_async_std::command::{Command, Prepare as p};
use redstart_async_std::config::{Config, Endpoint};
use redstart_async_std::core::client::Options;
use redstart_async_std::core::drive::Socket;
use redstart_async_std::error::{ConnectionError, Delivery, Waiting};
use redstart_async_std::{AsyncStdSocket, Client, Driver, ErrorKind, commands::*};
use redstart_tests::live::for_each_target;
use redstart_tests::server::{RefusingPort, Server, ServerConfig, Version, poll_until};

#[test]
fn commands_pipelines_and_transactions_on_every_target() {
    for_each_target(|target| {
        block_on(async {
            let client = Client::connect(target.url()).await.unwrap();
            let info = client.connected().await.unwrap();
            assert_eq!(info.protocol, target.protocol().number());
            client.set("greeting", "hello").await.unwrap();
            let batch = (p.get::<String>("greeting"), p.incr("hits"));
            assert_eq!(client.pipeline(batch).await.unwrap(), (Some("hello".to_owned()), 1));
            assert_eq!(client.transaction((p.incr("hits"), p.incr("hits"))).await.unwrap(), (2, 3));
            let error = client.incr("greeting").await.unwrap_err();
            assert_eq!((error.command(), error.delivery()), (Some("INCR"), Delivery::Rejected));
        });
        assert_eq!(target.cli(&["GET", "hits"]), "3");
    });
}

#[test]
fn a_unix_socket_serves_like_tcp() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).unix_socket().start();
        let path = server.unix_path().to_str().unwrap().to_owned();
        let value = Bytes::from(noise(3_000_001));
        block_on(async {
            let client = Client::connect(Config::new(Endpoint::unix(path.as_str()))).await.unwrap();
            client.set("k", value.clone()).await.unwrap();
            assert_eq!(client.get::<Bytes>("k").await.unwrap(), Some(value));
            let error = client.incr("k").await.unwrap_err();
            assert_eq!(error.node(), Some(path.as_str()));
        });
    }
}

#[test]
fn large_values_arrive_whole_between_small_ones() {
    let server = Server::start(Version::V7);
    // Several segments in one write; replies below, at and above what one read takes.
    let values = [1, 65_535, 65_536, 65_537, 5_000_003].map(|len| Bytes::from(noise(len)));
    block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        let sets = values.iter().enumerate().map(|(n, value)| p.set(n, value.clone())).collect::<Vec<_>>();
        client.pipeline(sets).await.unwrap();
        let gets = (0..values.len()).map(|n| p.get::<Bytes>(n)).collect::<Vec<_>>();
        assert!(client.pipeline(gets).await.unwrap() == values.map(Some));
    });
}

#[test]
fn many_tasks_share_one_connection_and_get_their_own_replies() {
    const TASKS: usize = 64;
    const CALLS: usize = 100;
    let server = Server::start(Version::V8);
    block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        let tasks = (0..TASKS).map(|task| {
            let client = client.clone();
            spawn(async move {
                for call in 0..CALLS {
                    let said = format!("{task}:{call}");
                    let echo = Command::<String>::new("ECHO").arg(&said);
                    let (heard, _) = client.pipeline((echo, p.incr("calls"))).await.unwrap();
                    assert_eq!(heard, said);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await;
        }
    });
    assert_eq!(server.cli(&["GET", "calls"]), (TASKS * CALLS).to_string());
    assert!(server.cli(&["INFO", "clients"]).contains("connected_clients:1\r\n"), "redis-cli alone is left");
}

#[test]
fn a_restarted_server_is_found_again() {
    let mut server = Server::start(Version::V7);
    block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        client.set("k", "before").await.unwrap();
        server.restart();
        // It waits for the new connection, within its deadline.
        assert_eq!(client.get::<String>("k").await.unwrap(), None);
        client.set("k", "after").await.unwrap();
    });
    assert_eq!(server.cli(&["GET", "k"]), "after");
}

#[test]
fn a_silent_server_costs_a_call_its_own_timeout_and_mixes_no_replies_up() {
    let server = Server::start(Version::V8);
    block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
        server.stop_signal();
        let error = hasty.set("k", "late").await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Timeout(Waiting::Reply));
        assert_eq!(error.delivery(), Delivery::MaybeExecuted);
        server.cont_signal();
        assert_eq!(client.get::<String>("k").await.unwrap(), Some("late".to_owned()));
    });
}

#[test]
fn nobody_listening_is_told_at_once() {
    let port = RefusingPort::take();
    let error = block_on(Client::connect(format!("redis://127.0.0.1:{}/", port.number()))).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Connection(ConnectionError::Refused));
    assert_eq!(error.delivery(), Delivery::NotSent);
}

#[test]
fn connecting_to_a_peer_that_says_nothing_times_out() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}/?connect_timeout=50ms", mute.local_addr().unwrap());
    let error = block_on(Client::connect(url)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout(Waiting::Connection));
}

#[test]
fn the_driver_runs_on_another_executor_and_ends_with_the_last_handle() {
    let server = Server::start(Version::V7);
    let (client, driver): (Client, Driver) = Client::with_driver(server.url()).unwrap();
    let driver = std::thread::spawn(|| futures_lite::future::block_on(driver));
    let hits = futures_lite::future::block_on(async { client.clone().incr("hits").await.unwrap() });
    assert_eq!(hits, 1);
    drop(client);
    driver.join().unwrap();
}

#[test]
fn sockets_are_probed_after_the_configured_silence() {
    let server = Server::start(Version::V7);
    // What the kernel keeps of the client's end: 01 is an open connection, 02 the timer for the next probe.
    let probed = || {
        let peer = format!("0100007F:{:04X}", server.port());
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[2] == peer && row[3] == "01")?;
        Some(row[5].starts_with("02:"))
    };
    for (option, expected) in [("40", true), ("none", false)] {
        block_on(async {
            let client = Client::connect(format!("{}?tcp_keepalive={option}", server.url())).await.unwrap();
            // The timer for what was just sent takes the place until it is acknowledged.
            poll_until("the timer", || (probed() == Some(expected)).then_some(()));
            client.close().await;
        });
        poll_until("the end of the connection", || probed().is_none().then_some(()));
    }
}

#[test]
fn a_read_takes_what_came_and_leaves_no_zeros() {
    let stream = futures_lite::io::Cursor::new(noise(100_000));
    let mut socket = AsyncStdSocket::new(stream);
    let mut read = BytesMut::from(&b"kept"[..]);
    let mut counts = Vec::new();
    loop {
        read.reserve(40_000);
        let count = block_on(poll_fn(|cx| socket.poll_read(cx, &mut read))).unwrap();
        if count == 0 {
            break;
        }
        counts.push(count);
    }
    assert!(counts.iter().all(|&count| count <= 65_536), "{counts:?}");
    assert_eq!(&read[..4], b"kept");
    read.advance(4);
    assert!(read == noise(100_000));
}

/// Bytes in which a piece that is missing, repeated or displaced shows.
fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(len as u64);
    std::iter::repeat_with(|| rng.u8(..)).take(len).collect()
}
