//! One side connection and its use.
//!
//! ```text
//! Opening --ready--> Idle <---------------- answered, and whoever was asked to end the wait has said so
//!                     |  ^                                  |
//!               taken |  | answered                         |
//!                     v  |                                  |
//!                    Busy --given up, or late--> Recalled --'--> not in time, or unclear: closed
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::pool::Way;
use crate::command::{Change, Flags};
use crate::config::{Config, Credentials};
use crate::connection::{Connection, Entry, Outgoing, RequestId};
use crate::engine::link::STABLE;
use crate::engine::parked::Parked;
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};
use crate::time::Instant;
use crate::topology::NodeId;

/// What a side connection is doing.
#[derive(Debug)]
pub(in crate::engine) enum Use {
    /// It is not ready yet.
    Opening,
    /// Nothing, since then.
    Idle(Instant),
    /// It has a request that somebody waits for.
    Busy,
    /// It has a request, or several, that nobody waits for any more: the server is asked to end them.
    Recalled(Recall),
    /// A session has it.
    Leased(Lease),
}

/// The end of a wait at the server before its time.
#[derive(Debug)]
pub(in crate::engine) struct Recall {
    /// The server is being asked: until it answers, it could end the wait of the next request.
    pub(in crate::engine) asking: bool,
    /// How often it was asked.
    asked: u32,
    /// The request itself is answered.
    pub(in crate::engine) answered: bool,
    /// The wait is in a session, which is over.
    pub(in crate::engine) of_session: bool,
    /// Nobody knows whether the server will end one more wait.
    pub(in crate::engine) unclear: bool,
    /// When to ask again: the request may have come to the server after the question.
    again_at: Instant,
    /// When to give up.
    until: Instant,
}

/// What a session has done to its connection.
#[derive(Debug)]
pub(in crate::engine) struct Lease {
    seat: u16,
    watching: bool,
    queuing: bool,
    changed: bool,
    /// It says itself who it is, or has no replies in their order any more.
    own: bool,
}

impl Lease {
    pub(super) const fn new(seat: u16) -> Self {
        Self { seat, watching: false, queuing: false, changed: false, own: false }
    }

    pub(super) const fn seat(&self) -> u16 {
        self.seat
    }

    /// A command that does this is sent.
    pub(in crate::engine) const fn note(&mut self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Watch) => self.watching = true,
            Some(Change::Unwatch) => self.watching = false,
            Some(Change::Multi) => self.queuing = true,
            Some(Change::End) => (self.watching, self.queuing) = (false, false),
            Some(Change::State) => self.changed = true,
            Some(Change::Login | Change::Stream) => (self.changed, self.own) = (true, true),
        }
    }

    /// Whether the connection can be told other credentials: what comes behind `MULTI` is queued.
    const fn may_be_told(&self) -> bool {
        !self.queuing && !self.own
    }

    /// Whether something is set that stays.
    pub(in crate::engine) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether the connection is as it was when it was new.
    pub(in crate::engine) const fn is_clean(&self) -> bool {
        !self.watching && !self.queuing && !self.changed
    }
}

/// The first pause before the server is asked again; it doubles each time.
const PAUSE: Duration = Duration::from_millis(1);
/// How long a node that is of no use any more has for its answers. One that has become a replica ends its waits at
/// once.
const GRACE: Duration = Duration::from_secs(1);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_millis(256);

impl Recall {
    /// The server is asked now.
    pub(super) const fn begin(until: Instant) -> Self {
        let again_at = Instant::FAR;
        Self { asking: true, asked: 1, answered: false, of_session: false, unclear: false, again_at, until }
    }

    /// The server has not ended the wait.
    pub(in crate::engine) fn handle_in_vain(&mut self, now: Instant) {
        let doubled = PAUSE.saturating_mul(1_u32.checked_shl(self.asked).unwrap_or(u32::MAX));
        self.again_at = now + doubled.min(PAUSE_MAX);
    }

    /// Whether it is time to ask again.
    fn poll_again(&mut self, now: Instant) -> bool {
        let due = now >= self.again_at && !self.asking && !self.answered;
        if due {
            (self.asking, self.again_at) = (true, Instant::FAR);
            self.asked += 1;
        }
        due
    }
}

/// What the time that has come asks for.
#[derive(Debug, Default)]
pub(in crate::engine) enum Due {
    #[default]
    Nothing,
    /// These requests are late.
    Late(Vec<Entry>),
    /// The server is to be asked again to end the wait.
    Recall,
    /// It is to be closed.
    Close,
    /// It is beyond use.
    Fail(Error),
}

/// Whether the server waits in it.
pub(in crate::engine) const fn is_blocking(entry: &Entry) -> bool {
    entry.flags.has(Flags::BLOCKING)
}

#[derive(Debug)]
pub(in crate::engine) struct Side {
    pub(in crate::engine) node: NodeId,
    pub(in crate::engine) connection: Connection,
    pub(in crate::engine) config: Arc<Config>,
    /// The server's number of the connection; 0 if it does not tell.
    pub(in crate::engine) client_id: u64,
    pub(in crate::engine) state: Use,
    /// Credentials that the connection of a session is to be told, once it owes nothing.
    renewal: Option<Box<Credentials>>,
    /// What the session asks meanwhile.
    pub(super) parked: Parked,
    /// It is closed instead of being used again, at the latest then.
    retire_by: Option<Instant>,
    born: Instant,
}

impl Side {
    pub(super) fn new(now: Instant, node: NodeId, way: &Way) -> Self {
        Self {
            node,
            connection: Connection::new(&way.config, way.purpose, now).wanting_id(),
            config: Arc::clone(&way.config),
            client_id: 0,
            state: Use::Opening,
            renewal: None,
            parked: Parked::default(),
            retire_by: None,
            born: now,
        }
    }

    pub(super) const fn is_opening(&self) -> bool {
        matches!(self.state, Use::Opening)
    }

    /// Whether it must not be used any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.retire_by.is_some() || now >= self.expires_at()
    }

    /// Whether it has been there for too short a time to say that its node is well.
    pub(super) fn is_young(&self, now: Instant) -> bool {
        now - self.born < STABLE
    }

    /// The node is of no use any more.
    pub(super) fn retire(&mut self, now: Instant) {
        let by = now + GRACE;
        self.retire_by = Some(self.retire_by.map_or(by, |before| before.min(by)));
    }

    /// There are other credentials. A session's connection is told them, if it was told others before; any other is
    /// closed after its use. Returns whether it is to be closed now.
    pub(super) fn renew(&mut self, now: Instant, credentials: &Credentials) -> bool {
        if self.connection.credentials().is_none_or(|known| known == credentials) {
            return false;
        }
        if matches!(self.state, Use::Leased(_)) {
            self.renewal = Some(Box::new(credentials.clone()));
            self.follow_renewal(now);
        } else {
            self.close_after_use();
        }
        self.is_idle()
    }

    /// It is not used again.
    pub(in crate::engine) fn close_after_use(&mut self) {
        self.retire_by.get_or_insert(Instant::FAR);
    }

    /// Tells the connection its new credentials, if it has some and owes nothing.
    pub(in crate::engine) fn follow_renewal(&mut self, now: Instant) {
        if let Some(credentials) = &self.renewal
            && let Use::Leased(lease) = &self.state
            && lease.may_be_told()
            && self.connection.is_idle()
        {
            self.connection.authenticate(now, &self.config, credentials);
        }
    }

    /// The connection was told credentials, and its server has answered. Returns what the session has asked meanwhile,
    /// unless there are yet others to be told.
    pub(in crate::engine) fn handle_renewed(&mut self, now: Instant, told: &Credentials) -> Parked {
        self.renewal.take_if(|renewal| **renewal == *told);
        self.follow_renewal(now);
        if self.is_telling() { Parked::default() } else { core::mem::take(&mut self.parked) }
    }

    /// Whether what its session asks has to wait until it has been told its new credentials.
    pub(in crate::engine) fn is_telling(&self) -> bool {
        let may_be_told = matches!(&self.state, Use::Leased(lease) if lease.may_be_told());
        self.connection.is_authenticating() || (self.renewal.is_some() && may_be_told)
    }

    /// Keeps a request of its session, whose bytes are the first in `from`, until it has been told.
    pub(in crate::engine) fn park(&mut self, entry: Entry, from: &mut Outgoing) {
        self.parked.push(entry, from);
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.connection.shrink();
        self.parked.shrink();
    }

    /// Whether somebody waits for something that is under way.
    pub(in crate::engine) fn any_awaited(&self) -> bool {
        self.connection.any_awaited() || self.parked.any_awaited()
    }

    /// Whether the server waits for somebody in its only request.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, Use::Busy) && self.connection.next().is_some_and(is_blocking)
    }

    pub(in crate::engine) const fn is_retired(&self) -> bool {
        self.retire_by.is_some()
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.state, Use::Idle(_))
    }

    /// When what is asked of a node that is of no use any more is given up.
    fn given_up_at(&self) -> Instant {
        self.retire_by.unwrap_or(Instant::FAR)
    }

    fn expires_at(&self) -> Instant {
        self.config.pool.max_lifetime.map_or(Instant::FAR, |lifetime| self.born + lifetime)
    }

    /// Whether the server waits in a request that nobody waits for.
    pub(super) fn waits_in_vain(&self) -> bool {
        let front = self.connection.next();
        matches!(self.state, Use::Busy | Use::Leased(_))
            && front.is_some_and(|entry| is_blocking(entry) && !entry.id.is_awaited())
    }

    /// Whether the server waits, or will once it has answered what comes before.
    pub(in crate::engine) fn owes_a_wait(&self) -> bool {
        self.connection.any(is_blocking)
    }

    /// Whether its requests are, or were, those of a session.
    pub(in crate::engine) const fn is_sessions(&self) -> bool {
        matches!(&self.state, Use::Leased(_) | Use::Recalled(Recall { of_session: true, .. }))
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        self.connection.in_flight().cancel(ids);
        self.parked.cancel(ids);
    }

    /// Whether something is under way whose end is worth waiting for.
    pub(super) fn is_drained(&self) -> bool {
        !self.any_awaited() && !matches!(self.state, Use::Recalled(_))
    }

    /// What is to be done now. `is_spare` says that there are more idle ones than are to be kept.
    pub(super) fn handle_timeout(&mut self, now: Instant, is_spare: bool) -> Due {
        let health = |connection: &mut Connection, config: &Config| {
            connection.handle_timeout(now, config).map_or_else(Due::Fail, |()| Due::Nothing)
        };
        let (expires_at, given_up_at) = (self.expires_at(), self.given_up_at());
        match &mut self.state {
            Use::Idle(since) => {
                let idle_timeout = self.config.pool.idle_timeout;
                let is_stale = idle_timeout.is_some_and(|timeout| now >= *since + timeout);
                if is_stale && is_spare || now >= expires_at {
                    return Due::Close;
                }
                if is_stale {
                    *since = now;
                }
                // Nobody waits for anything; it is the deadline of what came before PING that is forgotten.
                let _ = self.connection.in_flight().expire(now);
                health(&mut self.connection, &self.config)
            }
            Use::Recalled(recall) if now >= recall.until => Due::Close,
            Use::Recalled(recall) => {
                if recall.poll_again(now) {
                    Due::Recall
                } else {
                    Due::Nothing
                }
            }
            // What may change the connection may also keep it from answering PING.
            Use::Leased(_) if self.connection.is_idle() && now < given_up_at => Due::Nothing,
            Use::Busy | Use::Leased(_) => {
                let late = self.connection.in_flight().expire(now);
                if late.is_empty() && now >= given_up_at {
                    let reason = ErrorKind::Connection(ConnectionError::Replaced);
                    return Due::Fail(Error::new(reason, Delivery::NotSent));
                }
                if late.is_empty() {
                    return health(&mut self.connection, &self.config);
                }
                Due::Late(late.into_iter().map(|(_, entry)| entry).collect())
            }
            Use::Opening => health(&mut self.connection, &self.config),
        }
    }

    /// No sooner has it to be looked at.
    pub(super) fn poll_timeout(&self) -> Instant {
        let connection = self.connection.poll_timeout(&self.config);
        let state = match &self.state {
            Use::Idle(since) => {
                let idle_timeout = self.config.pool.idle_timeout;
                let stale_at = idle_timeout.map_or(Instant::FAR, |timeout| *since + timeout);
                connection.min(stale_at).min(self.expires_at())
            }
            Use::Recalled(recall) => recall.again_at.min(recall.until),
            Use::Leased(_) if self.connection.is_idle() => self.given_up_at(),
            Use::Busy | Use::Leased(_) => connection.min(self.given_up_at()),
            Use::Opening => connection,
        };
        state.min(self.parked.earliest())
    }
}
