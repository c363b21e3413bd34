//! The programs of the guide do what its pages say.

use redstart_tests::clients::tokio;
use redstart_tests::server::{Server, Version};
use redstart_tokio::Client;

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod pubsub {
    include!("../../core/src/guide/pubsub.rs");
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
