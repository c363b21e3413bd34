//! The programs of the guide do what its pages say.

use redstart_core::config::Tls;
use redstart_tests::clients::tokio;
use redstart_tests::server::pki::{Authority, Issue};
use redstart_tests::server::{Server, ServerConfig, ServerTls, Version};
use redstart_tokio::Client;

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod pubsub {
    include!("../../core/src/guide/pubsub.rs");
}

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod tls {
    include!("../../core/src/guide/tls.rs");
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
fn secured_connections() {
    let ca = Authority::root("ca");
    let (own, client) = (ca.issue(&Issue::localhost()), ca.issue(&Issue::names(["client"])));
    let server = ServerConfig::new(Version::V7).tls(&ServerTls::new(&own, &ca).ask_clients()).start();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("ca.pem", &ca.pem()), ("client.pem", &client.chain), ("client.key", &client.key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    tokio().block_on(async {
        let connect = async |host, port| {
            let by_setters = Client::connect(tls::config(host, port, folder)).await.map(drop);
            assert_eq!(by_setters, Client::connect(tls::url(host, port, folder)).await.map(drop));
            by_setters
        };
        assert_eq!(connect("localhost", server.tls_port()).await, Ok(()));
        let error = connect("127.0.0.2", server.tls_port()).await.unwrap_err();
        assert_eq!(tls::advice(&error), "it is not TLS that failed", "nobody listens there");
        let config = tls::config("localhost", server.tls_port(), folder).tls(Tls::new().ca_pem(&ca.pem()));
        let error = Client::connect(config).await.unwrap_err();
        assert_eq!(tls::advice(&error), "give a certificate with identity_files");
    });
}
