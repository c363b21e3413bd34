//! What is secret is in no log, at the level at which everything is logged. Redstart itself logs nothing; what it is
//! built on does.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};
use redstart_core::Config;
use redstart_core::command::{Command, Run};
use redstart_core::commands::StringCommands;
use redstart_core::config::{Credentials, Endpoint, Tls, Token, TokenOptions};
use redstart_tests::clients::{AnyClient, for_each_runtime};
use redstart_tests::server::pki::{Authority, Issue};
use redstart_tests::server::{ServerConfig, ServerTls, Version, poll_until};

const CANARY: &str = "hunter2";

/// Keeps all that is logged.
struct Keeper(Mutex<Vec<String>>);

static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Whatever is told beside the text counts as well.
        let line = format!("{} {}: {} {record:?}", record.level(), record.target(), record.args());
        self.0.lock().expect("no thread panics").push(line);
    }

    fn flush(&self) {}
}

/// All that carries a secret to the server.
fn use_secrets(client: &AnyClient) {
    client.set("k", CANARY).expect("it is allowed");
    client.run(Command::<()>::new("AUTH").arg(CANARY)).expect_err("others share the connection");
    let wrong = Command::<()>::new("ACL SETUSER").arg("ann").arg(format!(">{CANARY}")).arg("nonsense");
    client.run(wrong).expect_err("it is nonsense");
    client.run(Command::<String>::new("GET").arg(CANARY).arg(CANARY)).expect_err("it is one too many");
    client.close();
}

#[test]
fn no_log_has_a_secret() {
    log::set_logger(&KEEPER).expect("it is the only one");
    log::set_max_level(LevelFilter::Trace);
    log::trace!(target: "test", "kept");

    let ca = Authority::root("ca");
    let tls = ServerTls::new(&ca.issue(&Issue::localhost()), &ca);
    let server = ServerConfig::new(Version::V7).requirepass(CANARY).tls(&tls).start();
    for_each_runtime(|runtime| {
        let plain = Config::new(Endpoint::tcp("127.0.0.1", server.port()));
        let secured = Config::new(Endpoint::tcp("localhost", server.tls_port()));
        for config in [plain.clone(), secured.tls(Tls::new().ca_pem(&ca.pem()))] {
            let known = config.clone().credentials(Credentials::new("default", CANARY));
            use_secrets(&runtime.connect(known).expect("the password is right"));
            let asked = Arc::new(AtomicU32::new(0));
            let tokens = {
                let asked = Arc::clone(&asked);
                move || {
                    asked.fetch_add(1, Ordering::Relaxed);
                    Ok(Token::new("default", CANARY, Duration::from_millis(60)))
                }
            };
            let config = config.token_provider(tokens, TokenOptions::new());
            let client = runtime.connect(config).expect("the token is right");
            poll_until("the token to be renewed", || {
                client.get::<String>("k").expect("it is allowed");
                (asked.load(Ordering::Relaxed) > 2).then_some(())
            });
            use_secrets(&client);
        }
        let wrong = plain.credentials(Credentials::new("ann", CANARY));
        runtime.connect(wrong).expect_err("there is no such user");
    });

    let lines = KEEPER.0.lock().expect("no thread panics");
    assert!(lines.iter().any(|line| line.contains("test: kept")), "what is logged is kept");
    let shown = lines.iter().find(|line| line.contains(CANARY));
    assert_eq!(shown, None, "a secret was logged");
    let own = lines.iter().find(|line| line.contains(" redstart"));
    assert_eq!(own, None, "Redstart logs nothing");
}
