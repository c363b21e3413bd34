//! What is said on a new connection before any user's command.
//!
//! ```text
//! RESP3   HELLO 3 [AUTH user pass] [SETNAME name], CLIENT SETINFO x 2, SELECT db      one round trip
//! RESP2   AUTH alone, if there is a password; then CLIENT SETNAME, CLIENT SETINFO x 2, SELECT db,
//!         CLIENT ID if others have to name the connection, as in RESP3 it is told by HELLO
//!
//! then    READONLY to a replica of a cluster; ROLE to a server that sentinels have named;
//!         SUBSCRIBE +switch-master, PING to a sentinel, when RESP3 is spoken for sure
//! ```
//!
//! A server that does not know `HELLO` is spoken to as in RESP2, when the answers to the first try are
//! in. `HELLO` and `AUTH` are written only when nothing is unanswered: some servers drop their error
//! reply otherwise, and every later reply would be taken for the one before it.

use alloc::borrow::Cow;
use alloc::collections::VecDeque;
use alloc::string::String;

use super::outgoing::Outgoing;
use crate::command::{Command, FromReply, pairs};
use crate::commands::Role;
use crate::config::{Config, Credentials, Protocol};
use crate::error::{Delivery, Error, ErrorKind, ServerCode, ServerError};
use crate::resp::{Frame, Item, Kind};

/// What the server says of itself in its reply to `HELLO`. Empty where it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Version of the protocol spoken, 2 or 3.
    pub protocol: u8,
    /// `redis`, `valkey` or another.
    pub server: Cow<'static, str>,
    /// Version of the server.
    pub version: Cow<'static, str>,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: Cow<'static, str>,
    /// `master`, `replica` or `sentinel`.
    pub role: Cow<'static, str>,
    /// The server's id for this connection.
    pub client_id: u64,
    /// Where the server runs, if it says so.
    pub availability_zone: Cow<'static, str>,
}

/// The channel on which sentinels tell of new primaries.
pub(crate) const SWITCH_MASTER: &str = "+switch-master";

/// What a connection is for, as far as its handshake goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Whatever the server takes.
    #[default]
    Plain,
    /// Reads from a replica of a cluster, which serves none unless it is told to.
    ClusterReads,
    /// Requests to a server that sentinels have named, which may be another than they say:
    /// [`ServerInfo::role`] is what it says itself, or the connection is refused.
    Checked,
    /// Questions to a sentinel, which is to tell of new primaries besides.
    Sentinel,
    /// Subscriptions and nothing else, in RESP2.
    Subscriber,
}

/// A step whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Hello,
    Auth,
    SetName,
    /// Refusals are ignored: the information is a courtesy.
    SetInfo,
    Select,
    /// A refusal is ignored: without it, less can be done.
    ClientId,
    ReadOnly,
    Role,
    /// To hear of new primaries. It is confirmed by a push, which is no reply; a refusal is ignored, since the
    /// sentinel is asked besides.
    Subscribe,
    /// Whose answer, whatever it is, tells that the subscription is through.
    Ping,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::Auth => "AUTH",
            Self::SetName => "CLIENT SETNAME",
            Self::SetInfo => "CLIENT SETINFO",
            Self::Select => "SELECT",
            Self::ClientId => "CLIENT ID",
            Self::ReadOnly => "READONLY",
            Self::Role => "ROLE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Ping => "PING",
        }
    }
}

/// What follows once all answers are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// `AUTH`, then the rest: `HELLO` was not understood.
    Authenticate,
    /// The steps that come after `AUTH`.
    Introduce,
    /// The subscription, if RESP3 is spoken.
    Subscribe,
    Done,
}

/// The conversation of one new connection.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// Each with its bytes on the wire.
    awaited: VecDeque<(Step, usize)>,
    next: Next,
    purpose: Purpose,
    /// The connection is to be named to the server from other ones.
    wants_id: bool,
    credentials: Option<Credentials>,
    info: ServerInfo,
}

impl Handshake {
    /// Writes the first step.
    pub(crate) fn start(
        config: &Config,
        purpose: Purpose,
        wants_id: bool,
        credentials: Option<Credentials>,
        out: &mut Outgoing,
    ) -> Self {
        let info = ServerInfo { protocol: 2, ..ServerInfo::default() };
        let (awaited, next) = (VecDeque::new(), Next::Done);
        let mut handshake = Self { awaited, next, purpose, wants_id, credentials, info };
        if config.protocol == Protocol::Resp2 {
            handshake.authenticate(config, out);
        } else {
            handshake.say(Step::Hello, &hello(config, handshake.credentials.as_ref()), out);
            handshake.introduce(config, true, out);
        }
        handshake
    }

    /// Takes the next reply, and its question off `out`. `Some` once the conversation is over.
    pub(crate) fn handle_reply(
        &mut self,
        frame: &Frame,
        config: &Config,
        out: &mut Outgoing,
    ) -> Result<Option<ServerInfo>, Error> {
        let mut step = self.next_step(frame, out)?;
        if step == Step::Subscribe && frame.kind() != Kind::Error {
            step = self.next_step(frame, out)?;
        }
        self.take_answer(step, frame.item(), config)?;
        if !self.awaited.is_empty() {
            return Ok(None);
        }
        match self.next {
            Next::Authenticate => self.authenticate(config, out),
            Next::Introduce => self.introduce(config, false, out),
            Next::Subscribe => self.subscribe(out),
            Next::Done => {}
        }
        Ok(self.take_info())
    }

    /// The step that is answered next; its question is taken off `out`.
    fn next_step(&mut self, frame: &Frame, out: &mut Outgoing) -> Result<Step, Error> {
        match self.awaited.pop_front() {
            Some((step, len)) if out.in_flight() >= len => {
                out.release(len);
                Ok(step)
            }
            _ => Err(premature(frame)),
        }
    }

    /// Whether the step whose answer is awaited is written.
    pub(super) fn is_asked(&self, out: &Outgoing) -> bool {
        self.awaited.front().is_some_and(|(_, len)| out.in_flight() >= *len)
    }

    fn take_answer(&mut self, step: Step, answer: Item<'_>, config: &Config) -> Result<(), Error> {
        if answer.kind() == Kind::Error {
            let error = ServerError::new(&answer.text().unwrap_or_default());
            return self.take_refusal(step, error, config);
        }
        match step {
            Step::Hello => self.take_hello(answer),
            Step::Role => self.take_role(answer),
            Step::ClientId => {
                self.info.client_id = u64::from_reply(answer).unwrap_or_default();
                Ok(())
            }
            _ if answer.kind() == Kind::SimpleString => Ok(()),
            _ => Err(broken("the handshake was answered with something else than OK")),
        }
    }

    fn take_refusal(&mut self, step: Step, error: ServerError, config: &Config) -> Result<(), Error> {
        let may_fall_back = config.protocol != Protocol::Resp3;
        match step {
            Step::Hello if may_fall_back && is_unknown(&error) => {
                self.next = Next::Authenticate;
                Ok(())
            }
            Step::SetInfo | Step::ClientId | Step::Subscribe | Step::Ping => Ok(()),
            // Said together with a HELLO that was refused; said again later.
            _ if self.next == Next::Authenticate => Ok(()),
            // A user who may not ask for the role has it by the reply to HELLO.
            Step::Role if error.code() == ServerCode::NoPerm && !self.info.role.is_empty() => Ok(()),
            _ => Err(Error::new(ErrorKind::Server(error), Delivery::NotSent).with_command(step.name())),
        }
    }

    fn take_hello(&mut self, answer: Item<'_>) -> Result<(), Error> {
        let wrong = |_| broken("HELLO was answered with something else than a map");
        for pair in pairs(answer).map_err(wrong)? {
            let (key, value) = pair.map_err(wrong)?;
            let text = || word(value);
            match &*key.text().unwrap_or_default() {
                b"proto" => self.info.protocol = u8::from_reply(value).map_err(wrong)?,
                b"server" => self.info.server = text(),
                b"version" => self.info.version = text(),
                b"mode" => self.info.mode = text(),
                b"role" => self.info.role = text(),
                b"id" => self.info.client_id = u64::from_reply(value).unwrap_or_default(),
                b"availability_zone" => self.info.availability_zone = text(),
                _ => {}
            }
        }
        if self.info.protocol == 3 {
            Ok(())
        } else {
            Err(broken("HELLO 3 was answered with another protocol"))
        }
    }

    fn take_role(&mut self, answer: Item<'_>) -> Result<(), Error> {
        let role = Role::from_reply(answer).map_err(|_| broken("ROLE was answered with what is no role"))?;
        self.info.role = match role {
            Role::Primary { .. } => "master".into(),
            Role::Replica { .. } => "replica".into(),
            Role::Sentinel { .. } => "sentinel".into(),
        };
        Ok(())
    }

    fn authenticate(&mut self, config: &Config, out: &mut Outgoing) {
        match &self.credentials {
            None => self.introduce(config, false, out),
            Some(credentials) => {
                let auth = auth(credentials);
                self.say(Step::Auth, &auth, out);
                self.next = Next::Introduce;
            }
        }
    }

    fn introduce(&mut self, config: &Config, named: bool, out: &mut Outgoing) {
        self.next = if self.purpose == Purpose::Sentinel { Next::Subscribe } else { Next::Done };
        if let (Some(name), false) = (&config.client_name, named) {
            self.say(Step::SetName, &Command::new("CLIENT SETNAME").arg(name), out);
        }
        let about = [("LIB-NAME", &config.library_name), ("LIB-VER", &config.library_version)];
        for (what, value) in about {
            if let Some(value) = value {
                self.say(Step::SetInfo, &Command::new("CLIENT SETINFO").arg(what).arg(&**value), out);
            }
        }
        if config.database != 0 {
            self.say(Step::Select, &Command::new("SELECT").arg(config.database), out);
        }
        if self.wants_id && !named {
            self.say(Step::ClientId, &Command::new("CLIENT ID"), out);
        }
        match self.purpose {
            Purpose::Plain | Purpose::Subscriber => {}
            Purpose::ClusterReads => self.say(Step::ReadOnly, &Command::new("READONLY"), out),
            Purpose::Checked => self.say(Step::Role, &Command::new("ROLE"), out),
            Purpose::Sentinel => {}
        }
    }

    /// Asks to be told of new primaries. With RESP2 the connection could then be asked nothing more.
    fn subscribe(&mut self, out: &mut Outgoing) {
        self.next = Next::Done;
        if self.info.protocol == 3 {
            let subscribe = Command::<()>::new("SUBSCRIBE").arg(SWITCH_MASTER);
            self.say(Step::Subscribe, &subscribe, out);
            self.say(Step::Ping, &Command::new("PING"), out);
        }
    }

    fn say(&mut self, step: Step, command: &Command<()>, out: &mut Outgoing) {
        command.packed().write_to(out);
        self.awaited.push_back((step, command.packed().wire_len()));
    }

    /// What is known of the server, once no answer is awaited any more.
    pub(crate) fn take_info(&mut self) -> Option<ServerInfo> {
        self.awaited.is_empty().then(|| core::mem::take(&mut self.info))
    }
}

/// The command by which a connection says who it is.
pub(super) fn auth(credentials: &Credentials) -> Command<()> {
    let auth = Command::new("AUTH");
    let auth = match &credentials.username {
        Some(user) => auth.arg(user),
        None => auth,
    };
    auth.arg(credentials.password.expose())
}

fn hello(config: &Config, credentials: Option<&Credentials>) -> Command<()> {
    let mut hello = Command::new("HELLO").arg(3);
    if let Some(credentials) = credentials {
        let user = credentials.username.as_deref().unwrap_or("default");
        hello = hello.arg("AUTH").arg(user).arg(credentials.password.expose());
    }
    match &config.client_name {
        Some(name) => hello.arg("SETNAME").arg(name),
        None => hello,
    }
}

/// Whether a refusal of `HELLO` means that this server, or this user, has only RESP2.
fn is_unknown(error: &ServerError) -> bool {
    match error.code() {
        ServerCode::NoProto | ServerCode::NoPerm => true,
        ServerCode::Err => error.text().contains("unknown command"),
        _ => false,
    }
}

/// The error for an answer that came before its question. A server without room for one more client says
/// so before it is asked anything.
fn premature(frame: &Frame) -> Error {
    if frame.kind() == Kind::Error {
        let error = ServerError::new(&frame.item().text().unwrap_or_default());
        return Error::new(ErrorKind::Server(error), Delivery::NotSent);
    }
    broken("an answer came before its question")
}

/// A text that the server says of itself. What most servers say takes no memory for each connection.
fn word(value: Item<'_>) -> Cow<'static, str> {
    const USUAL: [&str; 7] = ["redis", "valkey", "standalone", "cluster", "sentinel", "master", "replica"];
    let text = String::from_reply(value).unwrap_or_default();
    match USUAL.iter().find(|usual| **usual == text) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(text),
    }
}

fn broken(reason: &'static str) -> Error {
    Error::new(ErrorKind::Conversation(reason), Delivery::NotSent)
}

#[cfg(test)]
mod tests;
