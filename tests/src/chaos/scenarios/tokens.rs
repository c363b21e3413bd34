//! Tokens expire while calls are made.
//!
//! Each token is a user of its own, who is deleted when the token expires: that is when a server disconnects whoever
//! still is that user. So every connection must be told the next token in time.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use redstart_core::Config;
use redstart_core::command::{Command, Run};
use redstart_core::commands::{ListCommands, ServerCommands};
use redstart_core::config::{Supply, Token, TokenOptions, TokenProvider};
use redstart_core::error::CredentialError;

use super::cluster;
use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::load::Logs;
use crate::server::Server;
use crate::wire::Wire;

/// How long a token lives.
const LIFE: Duration = Duration::from_secs(2);
/// What every token holds, and nothing else may.
const CANARY: &str = "hunter2";

pub(super) fn on_one(settings: &Settings) -> Report {
    let server = Server::start(settings.version);
    let (issuer, logs) = renew(settings, &server.url(), vec![server.addr()]);
    let wire = Wire::connect(server.addr(), 3);
    let verdict = logs.judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    issuer.report(Report::new(settings, verdict))
}

pub(super) fn on_cluster(settings: &Settings) -> Report {
    let cluster = cluster(settings, settings.extent.node_timeout);
    let nodes = (0..cluster.len()).map(|node| cluster.server(node).addr()).collect();
    let (issuer, logs) = renew(settings, &cluster.url(), nodes);
    let verdict = logs.judge(cluster.reader());
    issuer.report(Report::new(settings, verdict))
}

/// Lets the load go on for as long as several tokens live, one after the other.
fn renew(settings: &Settings, url: &str, nodes: Vec<SocketAddr>) -> (Arc<Issuer>, Logs) {
    let issuer = Arc::new(Issuer::new(nodes));
    let options = settings.options.join("&");
    let config = Config::from_url(&format!("{url}?{options}")).expect("options of a URL");
    let config = config.token_provider(Shared(Arc::clone(&issuer)), TokenOptions::new());
    let shown = format!("{config:?}");
    let stage = Stage::begin_as(settings, config, lists(settings.workers));
    let before = issuer.connections();
    thread::sleep(settings.extent.tokens);
    issuer.made.store(issuer.connections() - before, Ordering::SeqCst);
    issuer.shown.fetch_or(shown.contains(CANARY), Ordering::SeqCst);
    let logs = stage.end();
    issuer.retire();
    (issuer, logs)
}

/// Who makes the users.
struct Issuer {
    admins: Mutex<Vec<Wire>>,
    issued: AtomicUsize,
    /// What went wrong, as the client has told it.
    errors: Mutex<Vec<String>>,
    /// Connections that were made while tokens were renewed.
    made: AtomicUsize,
    /// Whether a secret was seen.
    shown: AtomicBool,
}

impl Issuer {
    fn new(nodes: Vec<SocketAddr>) -> Self {
        Self {
            admins: Mutex::new(nodes.into_iter().map(|node| Wire::connect(node, 3)).collect()),
            issued: AtomicUsize::new(0),
            errors: Mutex::default(),
            made: AtomicUsize::new(0),
            shown: AtomicBool::new(false),
        }
    }

    /// On every node.
    fn administer<T>(&self, ask: impl Fn(&Wire) -> T) -> Vec<T> {
        self.admins.lock().unwrap_or_else(PoisonError::into_inner).iter().map(ask).collect()
    }

    /// From now on tokens are nobody's to end: the nodes are about to go.
    fn retire(&self) {
        self.admins.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn issue(self: &Arc<Self>) -> Token {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let (user, secret) = (format!("user-{number}"), format!("{CANARY}-{number}"));
        let asked = Instant::now();
        let rules = ["on", &format!(">{secret}"), "~*", "&*", "+@all"];
        let add = |admin: &Wire| admin.run::<()>(Command::new("ACL SETUSER").arg(&user).args(rules));
        self.administer(add).into_iter().for_each(|added| added.expect("the server is up"));
        let (this, name) = (Arc::clone(self), user.clone());
        thread::spawn(move || {
            thread::sleep(LIFE.saturating_sub(asked.elapsed()));
            this.administer(|admin| admin.run::<u64>(Command::new("ACL DELUSER").arg(&name)).is_ok());
        });
        Token::new(user, secret, LIFE)
    }

    /// How many connections the nodes have taken so far.
    fn connections(&self) -> usize {
        let taken = |admin: &Wire| {
            let stats = admin.info("stats").expect("statistics");
            stats.parse::<usize>("total_connections_received").expect("a number")
        };
        self.administer(taken).into_iter().sum()
    }

    fn report(&self, report: Report) -> Report {
        let (issued, made) = (self.issued.load(Ordering::SeqCst), self.made.load(Ordering::SeqCst));
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let shown =
            format!("{report} {report:?} {errors:?}").contains(CANARY) || self.shown.load(Ordering::SeqCst);
        report
            .errors_at_most(0)
            .lost_none()
            .note(format!("{issued} tokens, {made} connections made anew"))
            .gate(issued > 2, "tokens were not renewed")
            .gate(made == 0, "connections were lost")
            .gate(errors.is_empty(), format!("refused: {errors:?}"))
            .gate(!shown, "a secret was shown")
    }
}

/// A provider whose tokens come from another thread, after a while.
struct Shared(Arc<Issuer>);

/// An answer, and whom to wake when it is there.
type Answer = Arc<Mutex<(Option<Token>, Option<Waker>)>>;

impl TokenProvider for Shared {
    fn token(&self) -> Supply<Token> {
        let issuer = Arc::clone(&self.0);
        let answer = Answer::default();
        let answered = Arc::clone(&answer);
        thread::spawn(move || {
            let token = issuer.issue();
            let mut answer = answered.lock().unwrap_or_else(PoisonError::into_inner);
            answer.0 = Some(token);
            answer.1.take().into_iter().for_each(Waker::wake);
        });
        Box::pin(poll_fn(move |cx| {
            let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer.1 = Some(cx.waker().clone());
            answer.0.take().map_or(Poll::Pending, |token| Poll::Ready(Ok::<_, CredentialError>(token)))
        }))
    }

    fn handle_error(&self, error: &redstart_core::Error) {
        let mut errors = self.0.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.push(error.to_string());
    }
}
