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

/// A server, and a client of it.
fn start() -> (Server, Client) {
    let server = Server::start(Version::V8);
    let client = tokio().block_on(Client::connect(server.url())).expect("the server is up");
    (server, client)
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
    let (_server, client) = start();
    tokio().block_on(locks::example(&client)).unwrap();
}

#[test]
fn publish_and_subscribe() {
    let (_server, client) = start();
    let told = tokio().block_on(pubsub::example(&client)).unwrap();
    assert_eq!(told, ["news said rain", "weather.oslo said snow"]);
}

#[test]
fn scripts() {
    let (_server, client) = start();
    tokio().block_on(scripts::example(&client)).unwrap();
}

#[test]
fn streams_and_their_consumers() {
    let server = Server::start(Version::V7);
    tokio().block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        streams::example(&client).await.unwrap();
    });
}

#[test]
fn commands_that_wait() {
    let (_server, client) = start();
    tokio().block_on(async {
        assert_eq!(waiting::work(&client).await, Ok(3));
        assert_eq!(waiting::work_surely(&client).await, Ok(2));
        assert_eq!((client.llen("jobs").await, client.llen("doing").await), (Ok(0), Ok(0)));
    });
}

#[test]
fn sessions_and_optimistic_transactions() {
    let (_server, client) = start();
    tokio().block_on(async {
        client.set("stock", 2).await.unwrap();
        assert_eq!(sessions::sell(&client).await, Ok(Some(1)));
        assert_eq!(sessions::sell_by_hand(&client).await, Ok(Some(2)));
        assert_eq!(sessions::sell(&client).await, Ok(None));
        assert_eq!(sessions::sell_by_hand(&client).await, Ok(None));
        assert_eq!(sessions::write_carefully(&client).await, Ok(0));
        assert_eq!(client.del(["stock", "sold", "balance"]).await, Ok(3));
    });
}

#[test]
fn watching_a_server() {
    let (_server, client) = start();
    let seen = tokio().block_on(monitor::look(&client));
    assert_eq!(seen, Ok(["SET", "greeting", "hello"].map(String::from).to_vec()));
}
