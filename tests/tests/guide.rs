//! The programs of the guide do what its pages say.
#![expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]

#[path = "../../core/src/guide/credentials.rs"]
mod credentials;
#[path = "../../core/src/guide/locks.rs"]
mod locks;
#[path = "../../core/src/guide/monitor.rs"]
mod monitor;
#[path = "../../core/src/guide/pubsub.rs"]
mod pubsub;
#[path = "../../core/src/guide/scripts.rs"]
mod scripts;
#[path = "../../core/src/guide/sessions.rs"]
mod sessions;
#[path = "../../core/src/guide/streams.rs"]
mod streams;
#[path = "../../core/src/guide/waiting.rs"]
mod waiting;

use redstart_core::command::{Command, Run};
use redstart_core::commands::{KeyCommands, ListCommands, StringCommands};
use redstart_core::config::Endpoint;
use redstart_tests::clients::tokio;
use redstart_tests::server::{Server, Version};
use redstart_tokio::{Client, Config};

/// Runs the test with a client of a server of each version.
fn with_client(test: impl AsyncFn(&Client)) {
    for version in Version::ALL {
        let server = Server::start(version);
        tokio().block_on(async {
            let client = Client::connect(server.url()).await.expect("the server is up");
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

#[test]
fn credentials() {
    let server = Server::start(Version::V8);
    server.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all"]);
    let config = Config::new(Endpoint::tcp("127.0.0.1", server.port()));
    tokio().block_on(async {
        let with_token = credentials::by_tokens(config.clone(), || "secret".to_owned());
        let client = Client::connect(with_token).await.unwrap();
        assert_eq!(client.run(Command::new("ACL WHOAMI")).await, Ok("ann".to_owned()));
        let missing = Client::connect(credentials::from_a_file(config)).await.unwrap_err();
        assert!(missing.to_string().contains("the file cannot be read"), "{missing}");
    });
}

#[test]
fn locks() {
    with_client(async |client| locks::example(client).await.unwrap());
}

#[test]
fn publish_and_subscribe() {
    with_client(async |client| {
        let told = pubsub::example(client).await.unwrap();
        assert_eq!(told, ["news said rain", "weather.oslo said snow"]);
    });
}

#[test]
fn scripts() {
    with_client(async |client| scripts::example(client).await.unwrap());
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
    with_client(async |client| streams::example(client).await.unwrap());
}
