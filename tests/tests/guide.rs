//! The programs of the guide do what its pages say.

use redstart_tests::clients::tokio;
use redstart_tests::server::{Server, Version};
use redstart_tokio::Client;

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod pubsub {
    include!("../../core/src/guide/pubsub.rs");
}

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod streams {
    include!("../../core/src/guide/streams.rs");
}

#[test]
fn publish_and_subscribe() {
    let server = Server::start(Version::V8);
    tokio().block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        let told = pubsub::example(&client).await.unwrap();
        assert_eq!(told, ["news said rain", "weather.oslo said snow"]);
    });
}

#[test]
fn streams_and_their_consumers() {
    let server = Server::start(Version::V7);
    tokio().block_on(async {
        let client = Client::connect(server.url()).await.unwrap();
        streams::example(&client).await.unwrap();
    });
}
