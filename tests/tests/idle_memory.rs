//! What a connection holds that nobody uses, as the system sees it.
//!
//! One test in a file of its own, since what is resident is that of the whole process.

use std::time::Duration;

use redstart_tests::server::{Server, Version};
use redstart_tokio::Client;
use redstart_tokio::commands::StringCommands;

const CONNECTIONS: u64 = 1000;
/// So long a connection is left alone, by Tokio's clock.
const IDLE: Duration = Duration::from_secs(10);
const KIB: u64 = 1024;
/// A little above what is held, on whatever allocator the system has.
const MOST: u64 = 5 * KIB;

/// Bytes that are resident, but for those of files.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("it is resident");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * KIB
}

async fn used(url: &str) -> Client {
    let client = Client::connect(url).await.expect("the server is there");
    let value: Option<String> = client.get("k").await.expect("it answers");
    assert_eq!(value.map(|value| value.len()), Some(1000));
    client
}

#[tokio::test]
async fn an_idle_connection_holds_little() {
    let server = Server::start(Version::V8);
    let url = server.url();
    let first = Client::connect(url.as_str()).await.unwrap();
    first.set("k", "v".repeat(1000)).await.unwrap();
    let before = resident();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(used(&url).await);
    }
    let busy = resident() - before;
    tokio::time::pause();
    tokio::time::sleep(IDLE).await;
    tokio::time::resume();
    let idle = resident().saturating_sub(before);
    println!("{} bytes each, {} before they were idle", idle / CONNECTIONS, busy / CONNECTIONS);
    assert!(idle <= CONNECTIONS * MOST, "{} bytes each", idle / CONNECTIONS);
}
