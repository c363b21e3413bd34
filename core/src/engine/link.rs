//! The way to one node: its connection, the backoff between connections, the requests that wait for one.
//!
//! ```text
//!            connect at                    handshake done
//! Waiting ----------------> Connecting ------------------> Ready --silent--> Suspect
//!    ^  retry_at, backoff       | failed                     | lost   <-heard-'
//!    `--------------------------+----------------------------'
//! ```
//!
//! A link takes requests at any time; it sends them while it is ready and not suspect, and parks them else.
//!
//! What becomes of a suspect is in [`suspicion`].

mod suspicion;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use super::logins::is_refused;
use super::parked::Parked;
use super::recall::RETURN;
use crate::command::{Flags, name_on_wire};
use crate::config::{Config, Credentials, Endpoint, Login, Tls};
use crate::connection::{
    Answer, ConnId, Connection, Entries, Entry, Outgoing, Purpose, RequestId, ServerInfo,
};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, SentinelFault, ServerCode, Waiting};
use crate::retry;
use crate::time::Instant;
use crate::topology::Health;

/// A connection that lived this long was a good one: the next failure starts with a short delay again.
pub(super) const STABLE: core::time::Duration = core::time::Duration::from_secs(1);

/// Requests that have ended, and how.
pub(super) type Ended = Vec<(Entry, Error)>;

/// What a new connection is called, where it leads, and how it is secured.
pub(super) type Opening = (ConnId, Endpoint, Option<Arc<Tls>>);

/// When a link connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connects {
    /// At once, and again whenever the connection is lost.
    Always,
    /// When a request is parked.
    OnDemand,
}

#[derive(Debug)]
pub(super) struct Link {
    endpoint: Endpoint,
    config: Arc<Config>,
    purpose: Purpose,
    connects: Connects,
    connection: Option<(ConnId, Connection)>,
    /// Earlier connections, on which the node has fallen silent. They are closed once they have answered.
    elders: Vec<(ConnId, Connection)>,
    ready_at: Option<Instant>,
    /// Requests are sent: the connection is ready, not retiring, and the node not suspect.
    open: bool,
    /// The connection takes nothing new and is closed once it is idle.
    retiring: bool,
    /// The node owes something and is silent.
    suspect: bool,
    /// Credentials that the connection is to be told, once it owes nothing; until then it takes nothing new.
    renewal: Option<Box<Credentials>>,
    parked: Parked,
    /// There is to be a connection although nothing is parked.
    held: bool,
    /// When to connect, while there is no connection.
    retry_at: Instant,
    failures: u32,
    last_error: Option<Error>,
}

impl Link {
    /// The same link with connections that are for something else.
    pub(super) const fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    pub(super) fn new(endpoint: Endpoint, config: &Arc<Config>, connects: Connects, now: Instant) -> Self {
        Self {
            endpoint,
            config: Arc::clone(config),
            purpose: Purpose::default(),
            connects,
            connection: None,
            elders: Vec::new(),
            ready_at: None,
            open: false,
            retiring: false,
            suspect: false,
            renewal: None,
            parked: Parked::default(),
            held: false,
            retry_at: now,
            failures: 0,
            last_error: None,
        }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn name(&self) -> String {
        self.endpoint.to_string()
    }

    pub(super) const fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready_at.is_some()
    }

    pub(super) fn conn_id(&self) -> Option<ConnId> {
        self.connection.as_ref().map(|(id, _)| *id)
    }

    pub(super) fn connection(&mut self, id: ConnId) -> Option<&mut Connection> {
        match &mut self.connection {
            Some((mine, connection)) if *mine == id => Some(connection),
            _ => self.elders.iter_mut().find(|(elder, _)| *elder == id).map(|(_, connection)| connection),
        }
    }

    /// The connections that have something to write.
    pub(super) fn unwritten(&mut self) -> impl Iterator<Item = ConnId> {
        let all = self.connection.iter_mut().chain(&mut self.elders);
        all.filter_map(|(id, connection)| connection.outgoing().has_remaining().then_some(*id))
    }

    /// Starts a connection if one is wanted and due.
    pub(super) fn poll_connect(&mut self, now: Instant, next_id: &mut u64) -> Option<Opening> {
        if self.connection.is_some() || !self.is_wanted() || now < self.retry_at {
            return None;
        }
        *next_id += 1;
        let id = ConnId(*next_id);
        self.connection = Some((id, Connection::new(&self.config, self.purpose, now)));
        Some((id, self.endpoint.clone(), self.config.tls.clone()))
    }

    fn is_wanted(&self) -> bool {
        let is_on_trial = self.suspect && !self.elders.is_empty();
        let is_needed = self.held || !self.parked.is_empty();
        self.connects == Connects::Always || is_needed || is_on_trial
    }

    /// The connection, if it takes requests now.
    pub(super) fn open(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut().filter(|_| self.open).map(|(_, connection)| connection)
    }

    /// Sends a request, or keeps it until it can be sent. Its bytes are the first in `bytes`.
    #[inline]
    pub(super) fn submit(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        match &mut self.connection {
            Some((_, connection)) if self.open => connection.send(now, entry, bytes),
            _ => self.parked.push(entry, bytes),
        }
    }

    /// Whether there is to be a connection although nothing is parked.
    pub(super) const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Whether there is a connection that speaks RESP2, for sure.
    pub(super) fn speaks_resp2(&self) -> bool {
        self.connection.as_ref().is_some_and(|(_, connection)| connection.protocol() == Some(2))
    }

    /// Whether requests are sent as they come.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Sends a request by which subscriptions begin or end, if requests are sent as they come. It is not kept.
    pub(super) fn send_subscriptions(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        if let Some((_, connection)) = self.connection.as_mut().filter(|_| self.open) {
            connection.send_subscriptions(now, entry, bytes);
        }
    }

    /// Who to be on its connections.
    pub(super) fn login(&self) -> &Login {
        &self.config.login
    }

    /// Who its connection was told to be.
    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.connection.as_ref()?.1.credentials()
    }

    /// It is known who to be on a new connection.
    pub(super) fn handle_credentials(&mut self, now: Instant, conn: ConnId, credentials: Credentials) {
        if let Some((_, connection)) = self.connection.as_mut().filter(|(mine, _)| *mine == conn) {
            connection.handle_credentials(now, &self.config, credentials);
        }
    }

    /// There are other credentials for the connections, if there is one that knows who to be.
    pub(super) fn renew(&mut self, now: Instant, credentials: &Credentials) {
        let mut known = self.connection.iter().chain(&self.elders).filter_map(|(_, it)| it.credentials());
        if known.any(|known| known != credentials) {
            self.renewal = Some(Box::new(credentials.clone()));
            self.open = false;
            self.follow_renewal(now);
        }
    }

    /// Tells the connection its new credentials, if it has some and owes nothing.
    #[inline]
    pub(super) fn follow_renewal(&mut self, now: Instant) {
        if let Some(credentials) = &self.renewal
            && let Some((_, connection)) = &mut self.connection
            && connection.is_ready()
            && connection.is_idle()
            && !self.retiring
        {
            connection.authenticate(now, &self.config, credentials);
        }
    }

    /// A connection was told credentials, and its server has answered. What was parked goes out, unless there are yet
    /// others.
    pub(super) fn handle_renewed(&mut self, now: Instant, conn: ConnId, told: &Credentials) {
        // What an elder was told says nothing of the connection that is used.
        if self.conn_id() == Some(conn) {
            self.renewal.take_if(|renewal| **renewal == *told);
            self.send_parked(now);
        }
    }

    /// What its connections are for from here on.
    pub(super) fn change_purpose(&mut self, now: Instant, purpose: Purpose) {
        if self.purpose != purpose {
            self.purpose = purpose;
            if let Some((_, connection)) = &mut self.connection {
                connection.change_purpose(now, purpose);
            }
        }
    }

    pub(super) const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether subscriptions that were asked for on its connection are not confirmed.
    pub(super) fn owes_confirmations(&self) -> bool {
        let is_subscription = |entry: &Entry| entry.id == RequestId::SUBSCRIPTION;
        self.connection.as_ref().is_some_and(|(_, connection)| connection.any(is_subscription))
    }

    /// What is known of the way to the node.
    pub(super) fn health(&self) -> Health {
        let latency = self.connection.as_ref().and_then(|(_, connection)| connection.latency());
        Health { usable: !self.suspect && (self.is_ready() || self.failures == 0), latency }
    }

    /// The socket is open. Returns what is known of the server if there was nothing to say to it.
    pub(super) fn handle_connected(&mut self, now: Instant) -> Option<ServerInfo> {
        let (_, connection) = self.connection.as_mut()?;
        let info = connection.handle_connected(now, &self.config)?;
        if self.suspect {
            // The system opens connections for a process that stands still.
            connection.ping(now, &self.config);
            self.ready_at = Some(now);
        } else {
            self.handle_ready(now);
        }
        Some(info)
    }

    /// The handshake is over: what was parked goes out.
    pub(super) fn handle_ready(&mut self, now: Instant) {
        self.ready_at = Some(now);
        self.last_error = None;
        self.suspect = false;
        self.send_parked(now);
        self.follow_renewal(now);
    }

    fn send_parked(&mut self, now: Instant) {
        let is_telling = self.connection.as_ref().is_some_and(|(_, it)| it.is_authenticating());
        let may_open = !self.retiring && !self.suspect && self.renewal.is_none() && !is_telling;
        self.open = self.is_ready() && may_open;
        let Some((_, connection)) = self.connection.as_mut().filter(|_| self.open) else { return };
        let mut parked = core::mem::take(&mut self.parked);
        while let Some(entry) = parked.pop() {
            if entry.id.is_awaited() {
                connection.send(now, entry, parked.bytes());
            } else {
                parked.bytes().release(entry.wire_len as usize);
            }
        }
    }

    /// What waits here, to be routed anew.
    pub(super) fn take_parked(&mut self) -> Parked {
        core::mem::take(&mut self.parked)
    }

    pub(super) fn next_answer(
        &mut self,
        now: Instant,
        conn: ConnId,
        read: &mut BytesMut,
    ) -> Result<Option<Answer>, Error> {
        let current = self.connection.as_mut().filter(|(id, _)| *id == conn);
        match current.or_else(|| self.elders.iter_mut().find(|(id, _)| *id == conn)) {
            Some((_, connection)) => connection.next_answer(now, &self.config, read),
            None => Ok(None),
        }
    }

    /// Takes nothing more on this connection, and replaces it when it has answered all.
    pub(super) fn retire(&mut self) {
        self.retiring = self.connection.is_some();
        self.open = false;
    }

    /// A connection to close now because it has retired, or is an elder, and is idle.
    pub(super) fn poll_retired(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Option<ConnId> {
        if let Some(place) = self.elders.iter().position(|(_, elder)| elder.is_idle()) {
            return self.take_elder(place).map(|(id, _)| id);
        }
        let (id, connection) = self.connection.as_ref()?;
        if !self.retiring || !connection.is_idle() {
            return None;
        }
        let id = *id;
        // What makes connections retire may be so on the next one.
        if self.is_stable(now) {
            self.retry_at = now;
        } else {
            self.pause(now, rng);
        }
        self.disconnect();
        Some(id)
    }

    /// Whether the connection has been there for so long that the next one needs no pause.
    fn is_stable(&self, now: Instant) -> bool {
        self.ready_at.is_some_and(|since| now - since >= STABLE)
    }

    /// Has the next connection wait, longer each time that one did not last.
    fn pause(&mut self, now: Instant, rng: &mut fastrand::Rng) {
        self.failures = if self.is_stable(now) { 0 } else { self.failures.saturating_add(1) };
        self.retry_at = now + retry::delay(&self.config.backoff, self.failures.saturating_sub(1), rng);
    }

    /// Forgets the connection and all that is known by it.
    fn disconnect(&mut self) -> Option<Connection> {
        self.ready_at = None;
        self.open = false;
        self.retiring = false;
        self.suspect &= !self.elders.is_empty();
        self.renewal.take_if(|_| self.elders.is_empty());
        self.connection.take().map(|(_, connection)| connection)
    }

    /// A connection is gone. Requests that certainly did not run, and reads, wait for the next one; the
    /// others end here. Returns whether it had been ready.
    pub(super) fn handle_lost(
        &mut self,
        now: Instant,
        conn: ConnId,
        error: &Error,
        rng: &mut fastrand::Rng,
        ended: &mut Ended,
    ) -> bool {
        if self.lose_elder(conn, error, ended) {
            return true;
        }
        let was_ready = self.is_ready();
        if self.connection.is_some() {
            self.pause(now, rng);
        }
        let Some(connection) = self.disconnect() else { return false };
        self.last_error = Some(error.clone());
        if was_ready {
            let (entries, bytes) = connection.into_requests();
            self.park_again(entries, bytes, error, ended);
        } else if is_permanent(error) && !may_have_others(self.login(), error) {
            // What is put back has nobody who could try again.
            self.parked.fail_those(|id| id.slot != RETURN, error, ended);
        }
        self.parked.fail_those(RequestId::is_question, error, ended);
        was_ready
    }

    /// Puts what may be sent again before what is parked already, in its order.
    ///
    /// The request whose reply was no RESP, or passed a limit, is not sent again: its reply would be the
    /// same, and each time cost all others their connection. Nor is any command of a pipeline behind one
    /// that ends here: a pipeline is not resumed behind a gap.
    fn park_again(&mut self, mut entries: Entries, mut bytes: Outgoing, error: &Error, ended: &mut Ended) {
        let mut parked = Parked::default();
        let mut written = bytes.in_flight();
        let mut is_culprit = matches!(error.kind(), ErrorKind::Protocol(_));
        let mut interrupted = RequestId::ABANDONED;
        while let Some(mut entry) = entries.pop() {
            let len = entry.wire_len as usize;
            let may_have_run = may_have_run(&entry, written);
            written = written.saturating_sub(len);
            let may_repeat = entry.flags.may_repeat() && !entry.is_transaction() && !is_culprit;
            is_culprit = false;
            let tries_left = u32::from(entry.attempts) < self.config.retries;
            let goes_on = entry.id != interrupted && (!may_have_run || (may_repeat && tries_left));
            if entry.id.is_awaited() && goes_on {
                if may_have_run {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.flags = entry.flags.with(Flags::SENT_BEFORE);
                }
                parked.push(entry, &mut bytes);
                continue;
            }
            if entry.id.is_awaited() {
                interrupted = entry.id;
                let error = error.clone().with_delivery(fate(may_have_run));
                ended.push((entry, name(error, &bytes, &entry)));
            }
            bytes.release(len);
        }
        parked.append(core::mem::take(&mut self.parked));
        self.parked = parked;
    }

    /// Ends all that is parked.
    pub(super) fn fail_parked(&mut self, error: &Error, ended: &mut Ended) {
        self.parked.fail(error, ended);
    }

    /// Ends all that is in flight: the client closes and waits no longer.
    pub(super) fn fail_in_flight(&mut self, error: &Error, ended: &mut Ended) {
        let elders = core::mem::take(&mut self.elders).into_iter().map(|(_, elder)| elder);
        for connection in elders.chain(self.disconnect()) {
            let (mut entries, mut bytes) = connection.into_requests();
            let mut written = bytes.in_flight();
            while let Some(entry) = entries.pop() {
                let len = entry.wire_len as usize;
                let delivery = fate(may_have_run(&entry, written));
                written = written.saturating_sub(len);
                if entry.id.is_awaited() {
                    ended.push((entry, name(error.clone().with_delivery(delivery), &bytes, &entry)));
                }
                bytes.release(len);
            }
        }
    }

    /// Ends the requests whose deadline has come, and checks the connections. Returns how many requests the one in
    /// use left without a reply in time, and which connections are beyond use.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        ended: &mut Ended,
    ) -> (usize, Vec<(ConnId, Error)>) {
        let timeout = |waiting, delivery| Error::new(ErrorKind::Timeout(waiting), delivery);
        for entry in self.parked.expire(now) {
            let error = match self.suspect {
                true => Some(Error::new(ErrorKind::Connection(ConnectionError::Silent), Delivery::NotSent)),
                false => self.last_error.clone(),
            };
            let error = timeout(Waiting::Connection, Delivery::NotSent).with_cause(error);
            ended.push((entry, error.with_node(&self.endpoint.to_string())));
        }
        let current = self.conn_id();
        let (mut late, mut broken) = (0, Vec::new());
        for (id, connection) in self.connection.iter_mut().chain(&mut self.elders) {
            for (_, entry) in connection.in_flight().expire(now) {
                late += usize::from(Some(*id) == current);
                // Even if it is not written yet, it will be: it lies in the middle of the bytes to write.
                let error = timeout(Waiting::Reply, Delivery::MaybeExecuted);
                ended.push((entry, error.with_node(&self.endpoint.to_string())));
            }
            if let Err(error) = connection.handle_timeout(now, &self.config) {
                broken.push((*id, error));
            }
        }
        (late, broken)
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        let elders = self.elders.iter().map(|(_, elder)| elder.poll_timeout(&self.config));
        let earliest = elders.min().unwrap_or(Instant::FAR).min(self.parked.earliest());
        match &self.connection {
            Some((_, connection)) => {
                earliest.min(connection.poll_timeout(&self.config)).min(self.suspect_at())
            }
            None if self.is_wanted() => earliest.min(self.retry_at),
            None => earliest,
        }
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        self.parked.cancel(ids);
        for (_, connection) in self.connection.iter_mut().chain(&mut self.elders) {
            connection.in_flight().cancel(ids);
        }
    }

    /// Whether nothing is under way for which a caller waits.
    pub(super) fn is_drained(&self) -> bool {
        let busy = self.connection.iter().chain(&self.elders).any(|(_, it)| it.any_awaited());
        !busy && !self.parked.any_awaited()
    }

    /// Whether nothing at all is here.
    pub(super) fn is_vacant(&self) -> bool {
        self.connection.is_none() && self.elders.is_empty() && self.parked.is_empty()
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.connection.iter_mut().chain(&mut self.elders).for_each(|(_, it)| it.shrink());
        self.elders.shrink_to_fit();
        self.parked.shrink();
    }

    /// How many commands and bytes are held.
    pub(super) fn load(&self) -> (usize, usize) {
        let loads = self.connection.iter().chain(&self.elders).map(|(_, connection)| connection.load());
        loads.fold(self.parked.load(), |sum, load| (sum.0 + load.0, sum.1 + load.1))
    }
}

/// Whether the credentials were refused, and others are on their way.
pub(super) fn may_have_others(login: &Login, error: &Error) -> bool {
    is_refused(error) && matches!(login, Login::Tokens(..))
}

/// Whether a request may have run of which at most `written` bytes are written. Half a command never runs;
/// half a transaction does, command by command, if the server refuses `MULTI`.
pub(super) const fn may_have_run(entry: &Entry, written: usize) -> bool {
    if entry.is_transaction() { written > 0 } else { written >= entry.wire_len as usize }
}

pub(super) const fn fate(may_have_run: bool) -> Delivery {
    if may_have_run { Delivery::MaybeExecuted } else { Delivery::NotSent }
}

/// Puts the name of the command at the head of `bytes` into `error`.
pub(super) fn name(error: Error, bytes: &Outgoing, entry: &Entry) -> Error {
    match name_on_wire(bytes.peek().get(entry.prefix_len()..).unwrap_or_default(), entry.name_words) {
        Some(name) => error.with_command(&name),
        None => error,
    }
}

/// Whether trying again will most likely fail in the same way, so that callers are told at once.
pub(super) fn is_permanent(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Server(refusal) => {
            let passing = retry::passes_by_itself(refusal.code()) || refusal.code() == ServerCode::Busy;
            !passing && !refusal.text().contains("max number of clients")
        }
        ErrorKind::Conversation(_) | ErrorKind::Protocol(_) => true,
        ErrorKind::Connection(ConnectionError::Tls(error)) => error.is_permanent(),
        ErrorKind::NoPrimary { sentinels } => {
            !sentinels.is_empty() && sentinels.iter().all(|(_, fault)| is_permanent_fault(fault))
        }
        _ => false,
    }
}

/// Whether the sentinel will most likely say the same again.
fn is_permanent_fault(fault: &SentinelFault) -> bool {
    match fault {
        SentinelFault::UnknownService => true,
        SentinelFault::Failed(error) | SentinelFault::Unchecked { error, .. } => is_permanent(error),
        _ => false,
    }
}
