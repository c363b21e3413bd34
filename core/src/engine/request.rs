//! What goes into the engine and what comes out of it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::link::Link;
use super::recall::Taken;
use super::{Engine, Phase};
use crate::command::{Flags, Packed, Target};
use crate::config::{Config, Endpoint, Tls};
use crate::connection::{ConnId, Entry, Outgoing, RequestId, ServerInfo};
use crate::error::Error;
use crate::resp::{Frame, Items};
use crate::time::Instant;
use crate::topology::{Single, Topology};

/// How long a request may take from its submission to its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Patience {
    /// The configured response timeout.
    #[default]
    Default,
    /// This long.
    Within(Duration),
    /// The configured response timeout on top of this time, which the command spends waiting at the server.
    Beyond(Duration),
    /// Until then: it has waited before.
    Until(Instant),
    /// For ever.
    Unbounded,
}

impl Patience {
    /// How long a request may take; `None`: as long as it takes, or until a time that is set.
    #[cfg(feature = "std")]
    pub(crate) fn within(self, config: &Config) -> Option<Duration> {
        match self {
            Self::Default => config.response_timeout,
            Self::Beyond(wait) => config.response_timeout.map(|timeout| timeout + wait),
            Self::Within(timeout) => Some(timeout),
            Self::Until(_) | Self::Unbounded => None,
        }
    }

    /// When a request that is made now must have ended.
    pub(crate) fn deadline(self, now: Instant, config: &Config) -> Instant {
        match self {
            Self::Default => config.response_timeout.map_or(Instant::FAR, |timeout| now + timeout),
            Self::Within(timeout) => now + timeout,
            Self::Beyond(wait) => {
                config.response_timeout.map_or(Instant::FAR, |timeout| now + timeout + wait)
            }
            Self::Until(deadline) => deadline,
            Self::Unbounded => Instant::FAR,
        }
    }
}

/// A command under way, as it is handed to the engine; its bytes are handed over beside it.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Who waits.
    pub id: RequestId,
    /// Which command of a batch this is.
    pub part: u32,
    /// How many bytes it has on the wire.
    pub wire_len: u32,
    /// How many replies it takes: 1, or `n + 2` for a transaction of `n` commands, which is part 0.
    pub replies: u32,
    /// Which node of a cluster it is for.
    pub target: Target,
    /// What is known of the command.
    pub flags: Flags,
    /// How many of its arguments are its name.
    pub name_words: u8,
    /// How long it may take.
    pub patience: Patience,
}

impl Request {
    /// A request for one command, whose wire form is appended to `bytes`, under the configured timeout.
    ///
    /// The command must be one that servers take: not [oversize](Packed::is_oversize), and below 4 GiB. Of a
    /// cluster, all its keys must be in one [slot](Packed::slot).
    #[inline]
    #[must_use]
    pub fn new(id: RequestId, command: &Packed, bytes: &mut Outgoing) -> Self {
        let before = bytes.held();
        command.write_to(bytes);
        Self {
            id,
            part: 0,
            wire_len: (bytes.held() - before) as u32,
            replies: 1,
            target: command.target().unwrap_or_default(),
            flags: command.flags(),
            name_words: command.name_words(),
            patience: Patience::Default,
        }
    }

    /// The request, made now.
    #[inline]
    pub(super) fn into_entry(self, now: Instant, config: &Config) -> Entry {
        self.into_entry_by(self.patience.deadline(now, config))
    }

    /// The request, which has to end by `deadline`.
    #[inline]
    pub(super) fn into_entry_by(self, deadline: Instant) -> Entry {
        let (part, flags) = match self.replies {
            1 => (self.part, self.flags.without(Flags::CHANGES)),
            replies => (replies, self.flags.without(Flags::CHANGES).with(Flags::TRANSACTION)),
        };
        Entry {
            id: self.id,
            part,
            wire_len: self.wire_len,
            deadline,
            target: self.target,
            flags,
            name_words: self.name_words,
            attempts: 0,
        }
    }
}

impl Engine {
    /// Takes requests one behind the other, as [`handle_request`](Self::handle_request) takes one.
    pub fn handle_requests(&mut self, now: Instant, requests: &mut Vec<Request>, bytes: &mut Outgoing) {
        if requests.is_empty() {
            return;
        }
        let is_usual =
            |request: &Request| request.target == Target::default() && !request.flags.has(Flags::BLOCKING);
        if self.phase == Phase::Open
            && matches!(self.topology, Topology::Single(_))
            && requests.iter().all(is_usual)
            && let Some(connection) = self.links.get(Single::NODE).and_then(Link::open)
        {
            let config = &self.config;
            let usual = Patience::Default.deadline(now, config);
            let entries = requests.drain(..).map(|request| match request.patience {
                Patience::Default => request.into_entry_by(usual),
                _ => request.into_entry(now, config),
            });
            return connection.send_all(now, entries, bytes);
        }
        for request in requests.drain(..) {
            self.handle_request(now, request, bytes);
        }
    }
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a socket to the endpoint, resolving its name now; secure it by TLS, if there are settings for that,
    /// before anything is said of it.
    Connect(ConnId, Endpoint, Option<Arc<Tls>>),
    /// Close the socket, or give up opening it. Nothing is to be reported of it any more.
    Close(ConnId),
}

/// The replies to several commands in one piece.
#[derive(Debug)]
pub struct Run(pub(crate) Frame);

impl Run {
    /// The replies, in the order of the commands.
    #[must_use]
    pub fn items(&self) -> Items<'_> {
        self.0.of_run()
    }
}

/// What the engine has to say.
#[derive(Debug)]
pub enum Event {
    /// A request has ended.
    Reply {
        /// Which.
        id: RequestId,
        /// Which command of its batch.
        part: u32,
        /// How. An error of the server is an `Err`.
        result: Result<Frame, Error>,
    },
    /// Commands of one batch have succeeded.
    Replies {
        /// Which batch.
        id: RequestId,
        /// The first of the commands; the others are those behind it.
        first: u32,
        /// How many they are, two at the least.
        count: u32,
        /// Their replies.
        run: Run,
    },
    /// A [blocking](Flags::BLOCKING) request has ended by taking something away from the server. If nobody waits for it
    /// any more, [give it back](super::Engine::give_back).
    Taken {
        /// Which.
        id: RequestId,
        /// What it took.
        taken: Taken,
    },
    /// A connection that a session has made a stream (`MONITOR`) has brought something.
    Line {
        /// Which.
        conn: ConnId,
        /// What it brought.
        line: Frame,
    },
    /// The connection of a session is lost.
    SessionLost {
        /// Which.
        conn: ConnId,
        /// Why.
        error: Error,
    },
    /// A connection is ready.
    Connected(ServerInfo),
    /// A connection could not be made ready. The engine goes on trying.
    ConnectFailed(Error),
    /// A connection that was ready is lost. The engine makes a new one.
    Disconnected(Error),
    /// The server sent something unasked.
    Push(Frame),
}
