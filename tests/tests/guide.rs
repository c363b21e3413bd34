//! The examples of the guide run against a real server and do what they say.

use redstart_core::Client;
use redstart_core::commands::{KeyCommands, ListCommands, StringCommands};
use redstart_tests::clients::tokio;
use redstart_tests::server::{Server, Version};

#[path = "../../core/src/guide/monitor.rs"]
#[expect(unreachable_pub, reason = "it is public in the guide")]
mod monitor;
#[expect(unreachable_pub, reason = "it is public in the guide")]
mod pubsub {
    include!("../../core/src/guide/pubsub.rs");
}
#[path = "../../core/src/guide/sessions.rs"]
#[expect(unreachable_pub, reason = "it is public in the guide")]
mod sessions;
#[path = "../../core/src/guide/waiting.rs"]
#[expect(unreachable_pub, reason = "it is public in the guide")]
mod waiting;

/// Runs the test with a client of a server of each version.
fn with_client(test: impl AsyncFn(&Client)) {
    for version in Version::ALL {
        let server = Server::start(version);
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(&*server.url()).await.expect("the server is up");
            test(&client).await;
        });
    }
}

#[test]
fn commands_that_wait() {
    with_client(async |client| {
        assert_eq!(waiting::work(client).await, Ok(3));
        assert_eq!(waiting::work_surely(client).await, Ok(2));
        assert_eq!((client.llen("jobs").await, client.llen("doing").await), (Ok(0), Ok(0)));
    });
}

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod streams {
    include!("../../core/src/guide/streams.rs");
}

#[test]
fn publish_and_subscribe() {
    let server = Server::start(Version::V8);
    tokio().block_on(async {
        let client = redstart_tokio::Client::connect(server.url()).await.unwrap();
        let told = pubsub::example(&client).await.unwrap();
        assert_eq!(told, ["news said rain", "weather.oslo said snow"]);
    });
}

#[test]
fn sessions_and_optimistic_transactions() {
    with_client(async |client| {
        client.set("stock", 2).await.unwrap();
        assert_eq!(sessions::sell(client).await, Ok(Some(1)));
        assert_eq!(sessions::sell_by_hand(client).await, Ok(Some(2)));
        assert_eq!(sessions::sell(client).await, Ok(None));
        assert_eq!(sessions::sell_by_hand(client).await, Ok(None));
        assert_eq!(sessions::write_carefully(client).await, Ok(0));
        assert_eq!(client.del(["stock", "sold", "balance"]).await, Ok(3));
    });
}

#[test]
fn watching_a_server() {
    with_client(async |client| {
        assert_eq!(monitor::look(client).await, Ok(["SET", "greeting", "hello"].map(String::from).to_vec()));
    });
}

#[test]
fn streams_and_their_consumers() {
    let server = Server::start(Version::V7);
    tokio().block_on(async {
        let client = redstart_tokio::Client::connect(server.url()).await.unwrap();
        streams::example(&client).await.unwrap();
    });
}
