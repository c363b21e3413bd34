//! What can go wrong, and what became of the command when it did.
//!
//! Every [`Error`] says three things: what happened ([`kind`](Error::kind)), what became of the command
//! ([`delivery`](Error::delivery)), and where ([`node`](Error::node), [`command`](Error::command)). It
//! never holds an argument, so it can be logged.

mod conversion;
mod credential;
mod sentinel;
mod server;
mod tls;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use conversion::ConversionError;
pub use credential::CredentialError;
pub use sentinel::SentinelFault;
pub use server::{ServerCode, ServerError};
pub use tls::{CertificateError, TlsAlert, TlsError};

use crate::resp::ProtocolError;

/// What became of a command that ended in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// No byte of it reached a server that could run it. It is safe to send again.
    NotSent,
    /// The server answered that it did not run it. It is safe to send again.
    Rejected,
    /// It was sent and may have run, or did run: sending it again could run it twice.
    MaybeExecuted,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::MaybeExecuted => "may have run",
        })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The network failed, or the peer closed the connection.
    Connection(ConnectionError),
    /// The deadline passed. [`Error::cause`] has the last error met before, if there was one.
    Timeout(Waiting),
    /// The server answered with an error.
    Server(ServerError),
    /// The peer did not speak RESP, or answered what nobody asked; its connection was closed.
    Protocol(ProtocolError),
    /// The peer spoke RESP but broke the conversation, for the reason given; its connection was closed.
    Conversation(&'static str),
    /// The reply came but is not of the type that was asked for.
    Conversion(ConversionError),
    /// A limit of this client was met; before anything was sent, unless it is said otherwise.
    Limit(Limit),
    /// `EXEC` was refused because the command at `index` was; [`Error::cause`] has the server's reason.
    TransactionAborted {
        /// Which command of the transaction, counted from 0.
        index: usize,
    },
    /// The nodes of a cluster went on sending the request from one to the other; [`Error::cause`] has the
    /// last redirect.
    TooManyRedirects {
        /// The nodes that it was sent to, in order.
        path: Vec<String>,
    },
    /// No sentinel named a server that is the primary.
    NoPrimary {
        /// The sentinels that were asked, in order, and what was wrong with each of them.
        sentinels: Vec<(String, SentinelFault)>,
    },
    /// The keys of the command are in different slots of the cluster, and it is not one of those that are
    /// run slot by slot. Keys with the same part in braces, as in `{user:1}:name`, are in the same slot.
    CrossSlot {
        /// Two of the slots, in the order of the keys.
        slots: (u16, u16),
    },
    /// Whoever was asked had no credentials.
    Credentials(CredentialError),
    /// The configuration cannot be used.
    Config(ConfigError),
    /// The client is closed.
    Closed,
    /// The call cannot be done as it was made, for the reason given.
    Usage(&'static str),
}

/// How the network failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Nobody listens there.
    Refused,
    /// The peer or the network broke the connection.
    Reset,
    /// The peer closed the connection.
    ClosedByPeer,
    /// The host or network cannot be reached.
    Unreachable,
    /// The name of the host could not be resolved.
    NotResolved,
    /// Replies were due and no byte came for the liveness interval.
    Silent,
    /// The health check was answered wrongly or not at all.
    Unhealthy,
    /// The connection was given up by this client to be replaced.
    Replaced,
    /// The connection of a [session](crate::command::OnSession) is gone, and with it what was set on it.
    SessionLost,
    /// The server says that it is something else than it was taken for, such as a replica.
    WrongRole,
    /// What is to be secured by TLS cannot be, or was broken.
    Tls(TlsError),
    /// Anything else, in the system's words.
    Other(String),
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::Reset => "connection reset",
            Self::ClosedByPeer => "connection closed by the server",
            Self::Unreachable => "host unreachable",
            Self::NotResolved => "host name not resolved",
            Self::Silent => "no byte came although replies are due",
            Self::Unhealthy => "health check failed",
            Self::Replaced => "connection replaced",
            Self::SessionLost => "the session is over",
            Self::WrongRole => "the server has another role",
            Self::Tls(error) => return error.fmt(f),
            Self::Other(text) => return write!(f, "connection failed: {}", text.escape_default()),
        })
    }
}

impl core::error::Error for ConnectionError {}

/// What was waited for when the deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// Room in the client's queue.
    Queue,
    /// A connection: name resolution, connecting and the handshake together.
    Connection,
    /// A side connection: all that there may be are in use.
    SideConnection,
    /// Credentials, from whoever was asked.
    Credentials,
    /// The reply.
    Reply,
    /// Replies still due while the client closed.
    Drain,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "room in the queue",
            Self::Connection => "a connection",
            Self::SideConnection => "a side connection",
            Self::Credentials => "credentials",
            Self::Reply => "the reply",
            Self::Drain => "the last replies",
        })
    }
}

/// A limit of this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// The queue holds as many commands as it may.
    QueueCommands(usize),
    /// The queue holds as many bytes as it may.
    QueueBytes(usize),
    /// This one command has more bytes than the queue may hold at all.
    CommandBytes(usize),
    /// An argument is longer than 512 MiB, which no server takes.
    ArgumentBytes(usize),
    /// Keys were changed by others so many times in a row while they were to be changed.
    Conflicts(u32),
    /// As many calls as may wait for a side connection.
    PoolQueue(usize),
    /// A [walk](crate::commands::Scan) was begun anew so often in a row, since nodes changed under it. It goes on if
    /// it is asked to.
    Restarts(usize),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueCommands(limit) => write!(f, "the queue is full ({limit} commands)"),
            Self::QueueBytes(limit) => write!(f, "the queue is full ({limit} bytes)"),
            Self::CommandBytes(limit) => write!(f, "the command is larger than the queue ({limit} bytes)"),
            Self::ArgumentBytes(limit) => write!(f, "an argument is longer than {limit} bytes"),
            Self::Conflicts(limit) => write!(f, "others have changed the keys {limit} times"),
            Self::PoolQueue(limit) => write!(f, "{limit} calls wait for a side connection"),
            Self::Restarts(limit) => write!(f, "begun anew {limit} times, as the nodes went on changing"),
        }
    }
}

/// An option that cannot be used: its name and why. The value is left out, since it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The option, as it is spelt in a URL, or the part of the URL.
    pub option: String,
    /// Why it was refused.
    pub reason: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option.escape_default(), self.reason)
    }
}

impl core::error::Error for ConfigError {}

/// Why a call failed. See the [module](self) for what it tells.
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    kind: ErrorKind,
    delivery: Delivery,
    command: Option<Box<str>>,
    node: Option<Box<str>>,
    cause: Option<Error>,
}

impl Error {
    /// An error that has met no command yet.
    #[must_use]
    pub fn new(kind: ErrorKind, delivery: Delivery) -> Self {
        Self(Box::new(Inner { kind, delivery, command: None, node: None, cause: None }))
    }

    /// The error where a reply is due and there is none.
    #[cold]
    pub(crate) fn missing_reply() -> Self {
        Self::new(ErrorKind::Conversation("a reply is missing"), Delivery::MaybeExecuted)
    }

    /// The same error, with the name of the command that it ended.
    #[must_use]
    pub fn with_command(mut self, name: &str) -> Self {
        self.0.command = Some(name.into());
        self
    }

    /// The same error, with the node that it came from.
    #[must_use]
    pub fn with_node(mut self, node: &str) -> Self {
        self.0.node = Some(node.into());
        self
    }

    /// The same error, with what led to it.
    #[must_use]
    pub fn with_cause(mut self, cause: Option<Self>) -> Self {
        self.0.cause = cause;
        self
    }

    /// The same error with another fate of the command.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What became of the command.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// Whether the command may have run.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.delivery == Delivery::MaybeExecuted
    }

    /// The name of the command that failed, such as `GET` or `CONFIG SET`.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The node concerned, as `host:port` or the path of a socket.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// What led to this error: of a timeout, the last error met before.
    #[must_use]
    pub fn cause(&self) -> Option<&Self> {
        self.0.cause.as_ref()
    }

    /// The server's error, if it was the server that refused.
    #[must_use]
    pub fn server(&self) -> Option<&ServerError> {
        match self.kind() {
            ErrorKind::Server(error) => Some(error),
            ErrorKind::TransactionAborted { .. } => self.cause().and_then(Self::server),
            _ => None,
        }
    }

    /// The code of the server's error, such as [`ServerCode::WrongType`].
    #[must_use]
    pub fn code(&self) -> Option<ServerCode> {
        self.server().map(ServerError::code)
    }

    /// Whether the deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout(_))
    }

    /// Whether the network or the peer failed, as opposed to the command.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connection(_) | ErrorKind::Protocol(_) | ErrorKind::Conversation(_))
    }

    /// Whether user, password or permission was refused.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.code().is_some_and(ServerCode::is_auth)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(command) = self.command() {
            write!(f, "{}: ", command.escape_default())?;
        }
        match self.kind() {
            ErrorKind::Connection(error) => error.fmt(f),
            ErrorKind::Timeout(waiting) => write!(f, "timed out waiting for {waiting}"),
            ErrorKind::Server(error) => error.fmt(f),
            ErrorKind::Protocol(error) => write!(f, "protocol error: {error}"),
            ErrorKind::Conversation(reason) => write!(f, "protocol error: {reason}"),
            ErrorKind::Conversion(error) => error.fmt(f),
            ErrorKind::Limit(limit) => limit.fmt(f),
            ErrorKind::TransactionAborted { index } => {
                write!(f, "transaction aborted by its command {index}")
            }
            ErrorKind::TooManyRedirects { path } => {
                write!(f, "redirected too often: {}", path.join(" -> ").escape_default())
            }
            ErrorKind::NoPrimary { sentinels } => sentinel::write_no_primary(sentinels, f),
            ErrorKind::CrossSlot { slots: (first, second) } => {
                write!(f, "the keys are in different slots, such as {first} and {second}")
            }
            ErrorKind::Credentials(error) => error.fmt(f),
            ErrorKind::Config(error) => error.fmt(f),
            ErrorKind::Closed => f.write_str("the client is closed"),
            ErrorKind::Usage(reason) => f.write_str(reason),
        }?;
        if let Some(node) = self.node() {
            write!(f, " ({node}, {})", self.delivery())?;
        } else {
            write!(f, " ({})", self.delivery())?;
        }
        match self.cause() {
            Some(cause) => write!(f, "; {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("delivery", &self.0.delivery)
            .field("command", &self.0.command)
            .field("node", &self.0.node)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Config(error), Delivery::NotSent)
    }
}
