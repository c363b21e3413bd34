//! What is secret is shown by nothing: not by `Debug`, not by `Display`, not by any error, whatever state it is seen in.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use redstart_core::auth::TokenManager;
use redstart_core::client::Options;
use redstart_core::command::{Batch, Command, Prepare as p, Run, Value};
use redstart_core::commands::{
    KeyCommands, MigrateOptions, Script, ScriptingCommands, ServerCommands, StringCommands,
};
use redstart_core::config::{Credentials, Endpoint, Secret, SentinelOptions, Token, TokenOptions};
use redstart_core::engine::{Action, Engine, Outgoing, Request, RequestId};
use redstart_core::error::ServerError;
use redstart_core::lock::Locks;
use redstart_core::{Config, Error, Instant};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::live::for_each_target;
use redstart_tests::server::{ServerConfig, Version};

const CANARY: &str = "hunter2";

/// All that was shown.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn debug(&mut self, shown: impl std::fmt::Debug) -> &mut Self {
        write!(self.0, "{shown:?} {shown:#?} ").expect("memory");
        self
    }

    fn error(&mut self, error: &Error) -> &mut Self {
        write!(self.0, "{error} {error:?} {:?} ", error.kind()).expect("memory");
        self.0.extend(error.cause().map(|cause| format!("{cause} {cause:?} ")));
        self
    }

    fn around(&self, at: usize) -> String {
        self.0.chars().skip(at.saturating_sub(200)).take(300).collect()
    }

    #[track_caller]
    fn is_clean(&self) {
        let at = self.0.find(CANARY);
        assert!(at.is_none(), "a secret was shown: {}", self.around(at.unwrap_or(0)));
        assert!(self.0.len() > 10, "nothing was shown");
    }
}

/// Commands that carry secrets, by the methods that there are and by hand.
fn commands() -> Vec<Command<Value>> {
    let migrate = MigrateOptions::new().user("ann", CANARY);
    vec![
        Command::new("AUTH").arg(CANARY),
        Command::new("AUTH").arg("ann").arg(CANARY),
        Command::new("HELLO").arg(3).arg("AUTH").arg("ann").arg(CANARY),
        Command::new("ACL SETUSER").arg("ann").arg(format!(">{CANARY}")).arg("nonsense"),
        p.config_set([("requirepass", CANARY), ("masterauth", CANARY)]).reply_as(),
        p.migrate("127.0.0.1", 1, "k", 0, Duration::from_millis(10), migrate).reply_as(),
        Command::new("SET").key("k").arg(CANARY.repeat(5_000)),
        p.run_script::<Value>(&Script::new(format!("return '{CANARY}'")), "k", CANARY),
        p.set("k", CANARY).reply_as(),
    ]
}

#[test]
fn values_are_silent() {
    let mut seen = Seen::default();
    let credentials = Credentials::new("ann", CANARY);
    let token = Token::new("ann", CANARY, Duration::from_secs(9));
    let mut manager = TokenManager::new(TokenOptions::new(), 1, Instant::ORIGIN);
    let number = manager.poll_request(Instant::ORIGIN).expect("one is due");
    assert!(manager.handle_token(Instant::ORIGIN, number, Some(token.clone())));
    let at_once = |_: &Endpoint| Ok(Credentials::new("ann", CANARY));
    let tokens = || Ok(Token::new("ann", CANARY, Duration::from_secs(9)));
    let sentinel =
        SentinelOptions::new("main", [Endpoint::tcp("h", 1)]).credentials(Credentials::password(CANARY));
    let configs = [
        Config::default().credentials(credentials.clone()),
        Config::default().credential_provider(at_once),
        Config::default().token_provider(tokens, TokenOptions::new()),
        Config::default().deployment(sentinel).credentials(credentials.clone()),
    ];
    seen.debug(&credentials).debug(Secret::from(CANARY)).debug(&token).debug(&manager).debug(&configs);
    write!(seen.0, "{}", Secret::from(CANARY)).expect("memory");
    for command in commands() {
        seen.debug(&command).debug(command.packed()).debug(command.packed().name());
        seen.debug(vec![command].pack());
    }
    seen.debug(Script::new(CANARY))
        .debug((MigrateOptions::new().password(CANARY), MigrateOptions::new().user("ann", CANARY)));
    seen.is_clean();
}

#[test]
fn urls_that_are_refused_are_not_quoted() {
    let mut seen = Seen::default();
    let urls = [
        "redis://ann:hunter2@/?x",
        "redis://ann:hunter2@h:port",
        "redis://ann:hun%zzhunter2@h",
        "redis://:hunter2/x@h",
        "redis://h/hunter2",
        "redis://h?hunter2",
        "redis://h?db=hunter2",
        "hunter2://h",
        "hunter2",
        "redis://h?password=hunter2&password=b",
        "redis://ann:hunter2@h?password=other",
        "redis://h:hunter2",
        "redis://[hunter2]",
        "redis://ann:hunter2@h#",
        "redis://ann:hunter2 @h",
        "redis://h?password=a&hunter2",
        "redis-cluster://ann:hunter2@h,bob:hunter2@i",
        "redis-sentinel://h/main?sentinel_password=hunter2&sentinel_password=x",
        "unix://ann:hunter2@h/path",
        "redis://ann:hunter2@h?connect_timeout=hunter2",
    ];
    for url in urls {
        let error = Config::from_url(url).expect_err(url);
        seen.debug(&error).error(&error.into());
    }
    seen.is_clean();
}

#[test]
fn the_machine_is_silent_in_every_state() {
    let config = Config::default()
        .credentials(Credentials::new("ann", CANARY))
        .response_timeout(Duration::from_secs(1));
    let mut engine = Engine::new(Arc::new(config), 1, Instant::ORIGIN);
    let mut seen = Seen::default();
    let Some(action) = engine.poll_action() else { panic!("it connects") };
    seen.debug(&action);
    let Action::Connect(conn, ..) = action else { panic!("it connects") };
    let submit = |engine: &mut Engine, seen: &mut Seen| {
        for (slot, command) in (0..).zip(commands()) {
            let mut bytes = Outgoing::default();
            let id = RequestId { slot, generation: 0 };
            let request = Request::new(id, command.packed(), &mut bytes);
            if let Some(text) = command.packed().script() {
                engine.keep_text(id, 0, text.clone());
            }
            seen.debug(request).debug(&bytes);
            engine.handle_request(Instant::ORIGIN, request, &mut bytes);
        }
        seen.debug(&*engine);
    };
    submit(&mut engine, &mut seen);
    engine.handle_connected(Instant::ORIGIN, conn);
    seen.debug(&engine);
    let refusal = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    let written = engine.outgoing(conn).expect("it shakes hands");
    written.advance(written.remaining());
    engine.handle_data(Instant::ORIGIN, conn, &mut BytesMut::from(&refusal[..]));
    seen.debug(&engine);
    for event in engine.drain_events().collect::<Vec<_>>() {
        seen.debug(event);
    }
    while engine.poll_action().is_some() {}
    submit(&mut engine, &mut seen);
    engine.close(Instant::ORIGIN, Duration::ZERO);
    engine.handle_timeout(Instant::ORIGIN + Duration::from_secs(2));
    for event in engine.drain_events().collect::<Vec<_>>() {
        seen.debug(event);
    }
    seen.debug(&engine).is_clean();
}

#[test]
fn what_a_server_quotes_is_left_out() {
    let mut seen = Seen::default();
    let texts = [
        "ERR unknown command 'AUHT', with args beginning with: 'ann' 'hunter2' ",
        "ERR Error in ACL SETUSER modifier '>hunter2': Syntax error",
        "ERR Syntax error in HELLO option 'hunter2'",
    ];
    for text in texts {
        let error = ServerError::new(text.as_bytes());
        assert!(error.text().starts_with("ERR "), "{error}");
        seen.debug(&error);
        write!(seen.0, "{error} {}", error.text()).expect("memory");
    }
    seen.is_clean();
}

#[test]
fn clients_and_their_errors_are_silent() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let mut seen = Seen::default();
            let config = Config::new(Endpoint::tcp("127.0.0.1", target.port())).credentials(None);
            let client = runtime.connect(config).expect("a client");
            let hasty = client.with(Options::new().timeout(Duration::from_secs(5)));
            for command in commands() {
                match hasty.run(command.clone()) {
                    Ok(_) => {}
                    Err(error) => {
                        seen.error(&error);
                    }
                }
                // It may have set a password.
                client.config_set([("requirepass", "")]).expect("the default user");
            }
            // Those of the connection itself are none for a pipeline: some servers drop their errors there.
            let commands = commands().into_iter().skip(3).collect::<Vec<_>>();
            for (nth, error) in hasty.try_pipeline(commands).into_iter().enumerate() {
                if let Err(error) = error {
                    seen.error(&error).debug(nth);
                }
            }
            client.config_set([("requirepass", "")]).expect("the default user");
            let mut lock = client.lock(CANARY, Duration::from_secs(1));
            seen.debug(&client).debug(&hasty).debug(&lock).debug(lock.try_acquire()).debug(lock.release());
            seen.is_clean();
        });
    });
}

#[test]
fn connections_that_fail_tell_no_secret() {
    let server = ServerConfig::new(Version::V8).requirepass("other").start();
    for_each_runtime(|runtime| {
        let mut seen = Seen::default();
        for user in ["ann", "default"] {
            let config = Config::new(Endpoint::tcp("127.0.0.1", server.port()))
                .credentials(Credentials::new(user, CANARY));
            let error = runtime.connect(config).expect_err("the password is wrong");
            seen.error(&error);
        }
        seen.is_clean();
    });
}
