//! The examples of the guide, run against real servers.
#![expect(unreachable_pub, reason = "the examples are written for documentation")]

#[path = "../../core/src/guide/credentials.rs"]
mod credentials;
#[path = "../../core/src/guide/locks.rs"]
mod locks;
#[path = "../../core/src/guide/scripts.rs"]
mod scripts;

use redstart_core::command::{Command, Run};
use redstart_core::config::Endpoint;
use redstart_core::{Client, Config};
use redstart_tests::clients::tokio;
use redstart_tests::live::for_each_target;

/// Runs an example on a client of its own, for each version and protocol.
fn run<F: Future<Output = Result<(), E>>, E: std::fmt::Debug>(example: impl Fn(Client) -> F) {
    for_each_target(|target| {
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(&*target.url()).await.expect("a client");
            example(Client::clone(&client)).await.expect("no error");
        });
    });
}

#[test]
fn locks() {
    run(|client| async move { locks::example(&client).await });
}

#[test]
fn scripts() {
    run(|client| async move { scripts::example(&client).await });
}

#[test]
fn credentials() {
    for_each_target(|target| {
        target.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all"]);
        let config = Config::new(Endpoint::tcp("127.0.0.1", target.port()));
        tokio().block_on(async {
            let with_token = credentials::by_tokens(config.clone(), || "secret".to_owned());
            let client = redstart_tokio::Client::connect(with_token).await.unwrap();
            assert_eq!(client.run(Command::new("ACL WHOAMI")).await, Ok("ann".to_owned()));
            let missing =
                redstart_tokio::Client::connect(credentials::from_a_file(config)).await.unwrap_err();
            assert!(missing.to_string().contains("the file cannot be read"), "{missing}");
        });
    });
}
