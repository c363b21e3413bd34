//! The model server: what Redis answers, with a count of what it ran.

use redstart_core::command::Value;
use redstart_core::error::ServerError;

use super::cluster::Key;
use super::ledger::Ledger;
use super::pubsub::{Change, Told, Topics};
use super::request::Request;
use super::tokens::Tokens;

/// Why a server turns commands away for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It reads its data set.
    Loading,
    /// It is a replica, so it takes no writes.
    ReadOnly,
    /// Keys are being moved.
    TryAgain,
    /// It serves nothing while its cluster is not whole.
    ClusterDown,
    /// It is a replica without its primary.
    MasterDown,
    /// A script runs.
    Busy,
    /// It has no memory left.
    OutOfMemory,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Loading,
        Self::ReadOnly,
        Self::TryAgain,
        Self::ClusterDown,
        Self::MasterDown,
        Self::Busy,
        Self::OutOfMemory,
    ];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Loading => "LOADING Redis is loading the dataset in memory",
            Self::ReadOnly => "READONLY You can't write against a read only replica.",
            Self::TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot",
            Self::ClusterDown => "CLUSTERDOWN The cluster is down",
            Self::MasterDown => {
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            Self::Busy => "BUSY Redis is busy running a script.",
            Self::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
        }
    }

    pub(super) const fn refuses(self, write: bool) -> bool {
        write || !matches!(self, Self::ReadOnly | Self::OutOfMemory)
    }
}

/// What kind of server it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// It knows neither `HELLO` nor `CLIENT SETINFO`.
    pub old: bool,
    /// The password of its default user.
    pub password: Option<&'static str>,
    /// The tokens that it takes.
    pub tokens: Option<Tokens>,
    /// The user may not use `MULTI`.
    pub no_multi: bool,
}

/// What a server knows of one connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The server's number of it.
    pub(super) number: usize,
    /// Whether the client asked for RESP3.
    pub(super) resp3: bool,
    authenticated: bool,
    /// By which token.
    token: u64,
    pub(super) database: u32,
    pub(super) multi: Option<Multi>,
    /// The next command may use a slot that is being imported.
    pub(super) asking: bool,
    /// Commands may read from a replica.
    pub(super) read_only: bool,
    /// The client is to hear of new primaries.
    pub(super) subscribed: bool,
    /// What the client is subscribed to.
    pub(super) topics: Topics,
}

impl Session {
    /// A command of a transaction is turned away: it is spoilt, or over if that was its end.
    fn forget_transaction(&mut self, ends: bool) {
        match &mut self.multi {
            Some(_) if ends => self.multi = None,
            Some(multi) => multi.broken = true,
            None => {}
        }
    }
}

/// A transaction that is being queued.
#[derive(Debug, Default)]
pub(super) struct Multi {
    pub(super) queued: Vec<usize>,
    /// The keys of the queued commands, if their slots matter.
    pub(super) keys: Vec<Vec<Key>>,
    pub(super) broken: bool,
}

/// A server and the trouble that it has. Its data are elsewhere, so they outlive its connections.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) settings: Settings,
    /// Why it turns commands away.
    pub(super) refusal: Option<Refusal>,
    /// It stands still.
    pub(super) frozen: bool,
    /// It is dead.
    pub(super) down: bool,
    /// Since when it owes a reply, standing still.
    pub(super) owes_since: Option<u64>,
    /// There is no server at its address.
    pub(super) absent: bool,
    /// It has too many clients.
    pub(super) full: bool,
    /// The next reply of a handshake is left out.
    pub(super) skip_handshake: bool,
    /// What was published while it stood still.
    pub(super) unheard: Vec<Told>,
}

impl Server {
    /// A server without trouble.
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Whether it takes part in anything, as far as it can be seen from outside.
    pub(super) const fn is_up(&self) -> bool {
        !self.down && !self.frozen && !self.absent
    }

    /// Whether it is in a state in which any connection to it may fail.
    pub(super) const fn is_troubled(&self) -> bool {
        self.frozen || self.down || self.absent || self.full || self.skip_handshake || self.refusal.is_some()
    }

    /// Answers one request, as a server that belongs to no other.
    pub(super) fn answer(
        &self,
        session: &mut Session,
        conn: usize,
        request: &Request,
        ledger: &mut Ledger,
    ) -> Value {
        self.greet(session, request).unwrap_or_else(|| match request.name() {
            b"EXEC" => self.exec(session, conn, ledger),
            _ => self.serve(session, conn, request, ledger),
        })
    }

    /// Answers a request that has to do with the connection alone.
    pub(super) fn greet(&self, session: &mut Session, request: &Request) -> Option<Value> {
        let allowed = self.allows(session);
        Some(match request.name() {
            b"HELLO" if self.settings.old => error("ERR unknown command 'HELLO'"),
            b"HELLO" => self.hello(session, request),
            b"AUTH" => self.authenticate(session, request.args.last().map_or(&[], |password| password)),
            name if !allowed => {
                session.forget_transaction(name == b"EXEC");
                error("NOAUTH Authentication required.")
            }
            b"CLIENT" if self.settings.old && request.arg(1) == b"SETINFO" => {
                error("ERR Unknown subcommand for 'CLIENT'")
            }
            b"CLIENT" => ok(),
            b"SELECT" => {
                let number = std::str::from_utf8(request.arg(1)).ok().and_then(|text| text.parse().ok());
                number.map_or_else(
                    || error("ERR invalid DB index"),
                    |database| {
                        session.database = database;
                        ok()
                    },
                )
            }
            b"PING" if self.refusal.is_some_and(|refusal| refusal.refuses(false)) => self.refuse(),
            b"PING" if !session.resp3 && !session.topics.is_empty() => {
                Value::Array(["pong", ""].map(|text| Value::Bulk(text.to_owned().into())).into())
            }
            b"PING" => Value::Status("PONG".into()),
            name if Change::of(name).is_some() => {
                let is_refused = self.refusal.is_some_and(|refusal| refusal.refuses(false));
                if is_refused { self.refuse() } else { ok() }
            }
            b"MULTI" if self.settings.no_multi => {
                error("NOPERM this user has no permissions to run the 'multi' command")
            }
            b"MULTI" => {
                session.multi = Some(Multi::default());
                ok()
            }
            _ => return None,
        })
    }

    fn hello(&self, session: &mut Session, request: &Request) -> Value {
        let auth = request.args.iter().position(|arg| &arg[..] == b"AUTH");
        if let Some(at) = auth {
            let answer = self.authenticate(session, request.arg(at + 2));
            if answer != ok() {
                return answer;
            }
        }
        if !self.allows(session) {
            return error("NOAUTH HELLO must be called with the client already authenticated");
        }
        session.resp3 = request.arg(1) == b"3";
        let text = |text: &str| Value::Bulk(text.to_owned().into());
        let proto = Value::Integer(if session.resp3 { 3 } else { 2 });
        Value::Map(vec![
            (text("server"), text("redis")),
            (text("version"), text("8.2.0")),
            (text("proto"), proto),
            (text("id"), Value::Integer(session.number as i64)),
            (text("mode"), text("standalone")),
            (text("role"), text("master")),
            (text("modules"), Value::Array(Vec::new())),
        ])
    }

    /// Whether it takes commands from whoever is there.
    pub(super) fn allows(&self, session: &Session) -> bool {
        match &self.settings.tokens {
            Some(tokens) => session.authenticated && tokens.takes(session.token),
            None => session.authenticated || self.settings.password.is_none(),
        }
    }

    fn authenticate(&self, session: &mut Session, password: &[u8]) -> Value {
        if let Some(tokens) = &self.settings.tokens {
            let Some(number) = tokens.read(password) else { return error(WRONG_PASS) };
            (session.authenticated, session.token) = (true, number);
            return ok();
        }
        if self.settings.password.is_none_or(|right| right.as_bytes() == password) {
            session.authenticated = true;
            return ok();
        }
        error(WRONG_PASS)
    }

    /// A command of the workload: refused, queued or run.
    fn serve(&self, session: &mut Session, conn: usize, request: &Request, ledger: &mut Ledger) -> Value {
        let Some(id) = request.id() else { return error("ERR unknown command") };
        let job = ledger.get(id).job;
        let refused = if request.name() == b"NOSUCH" {
            Some(error(&format!("ERR unknown command 'NOSUCH' #{id}")))
        } else {
            self.refusal.filter(|refusal| refusal.refuses(job.writes())).map(|_| self.refuse())
        };
        let reply = match (refused, &mut session.multi) {
            (Some(refused), multi) => {
                if let Some(multi) = multi {
                    multi.broken = true;
                }
                ledger.get_mut(id).refusals += 1;
                refused
            }
            (None, Some(multi)) => {
                multi.queued.push(id);
                return Value::Status("QUEUED".into());
            }
            (None, None) => ledger.run(id, conn, false),
        };
        ledger.get_mut(id).replies.push(reply.clone());
        reply
    }

    fn exec(&self, session: &mut Session, conn: usize, ledger: &mut Ledger) -> Value {
        let Some(multi) = session.multi.take() else { return error("ERR EXEC without MULTI") };
        let refuses =
            |refusal: &Refusal| multi.queued.iter().any(|&id| refusal.refuses(ledger.get(id).job.writes()));
        let reason = match self.refusal.filter(refuses) {
            _ if multi.broken => Some("because of previous errors.".to_owned()),
            refusal => refusal.map(|refusal| format!("because of: {}", refusal.text())),
        };
        if let Some(reason) = reason {
            multi.queued.iter().for_each(|&id| ledger.get_mut(id).refusals += 1);
            return error(&format!("EXECABORT Transaction discarded {reason}"));
        }
        let run = |&id: &usize| {
            let reply = ledger.run(id, conn, true);
            ledger.get_mut(id).replies.push(reply.clone());
            reply
        };
        Value::Array(multi.queued.iter().map(run).collect())
    }

    pub(super) fn refuse(&self) -> Value {
        self.refusal.map_or_else(ok, |refusal| error(refusal.text()))
    }
}

const WRONG_PASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// What a server says to a client that is one too many.
pub(super) const TOO_MANY: &str = "ERR max number of clients reached";

/// What a server says unasked in RESP3.
pub(super) const PUSH: &[u8] = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n";

/// What a sentinel says to a subscription.
pub(super) const SUBSCRIBED: &[u8] = b">3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n";

pub(super) fn ok() -> Value {
    Value::Status("OK".into())
}

pub(super) fn error(text: &str) -> Value {
    Value::Error(ServerError::new(text.as_bytes()))
}

/// Appends a reply as it goes on the wire of a connection that speaks RESP3, or RESP2.
pub(super) fn write(reply: &Value, resp3: bool, out: &mut Vec<u8>) {
    match reply {
        Value::Nil if !resp3 => out.extend_from_slice(b"$-1\r\n"),
        Value::Verbatim { text, .. } if !resp3 => {
            crate::resp::write::write(&Value::Bulk(text.clone().into()), out);
        }
        Value::Array(elements) if !resp3 => write_array(elements.iter(), elements.len(), out),
        Value::Map(pairs) if !resp3 => {
            write_array(pairs.iter().flat_map(|(key, value)| [key, value]), 2 * pairs.len(), out);
        }
        reply => crate::resp::write::write(reply, out),
    }
}

fn write_array<'a>(elements: impl Iterator<Item = &'a Value>, len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{len}\r\n").as_bytes());
    elements.for_each(|element| write(element, false, out));
}
