//! The way to one node: its connection, the backoff between connections, the requests that wait for one.
//!
//! ```text
//!            connect at                    handshake done
//! Waiting ----------------> Connecting ------------------> Ready
//!    ^  retry_at, backoff       | failed                     | lost
//!    `--------------------------+----------------------------'
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::BytesMut;

use crate::command::{Flags, name_on_wire};
use crate::config::{Config, Endpoint};
use crate::connection::{Answer, ConnId, Connection, Entries, Entry, Outgoing, RequestId, ServerInfo};
use crate::error::{Delivery, Error, ErrorKind, ServerCode, Waiting};
use crate::retry;
use crate::time::Instant;

/// A connection that lived this long was a good one: the next failure starts with a short delay again.
const STABLE: core::time::Duration = core::time::Duration::from_secs(1);

/// Requests that have ended, and how.
pub(super) type Ended = Vec<(Entry, Error)>;

#[derive(Debug)]
pub(super) struct Link {
    endpoint: Endpoint,
    name: String,
    connection: Option<(ConnId, Connection)>,
    ready_at: Option<Instant>,
    /// The connection takes nothing new and is closed once it is idle.
    retiring: bool,
    parked: Entries,
    parked_bytes: Outgoing,
    /// When to connect, while there is no connection.
    retry_at: Instant,
    failures: u32,
    last_error: Option<Error>,
}

impl Link {
    pub(super) fn new(endpoint: Endpoint, now: Instant) -> Self {
        Self {
            name: endpoint.to_string(),
            endpoint,
            connection: None,
            ready_at: None,
            retiring: false,
            parked: Entries::default(),
            parked_bytes: Outgoing::default(),
            retry_at: now,
            failures: 0,
            last_error: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn connection(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.connection.as_mut().filter(|(mine, _)| *mine == id).map(|(_, connection)| connection)
    }

    /// Starts a connection if one is due.
    pub(super) fn poll_connect(
        &mut self,
        now: Instant,
        next_id: &mut u64,
        config: &Config,
    ) -> Option<(ConnId, Endpoint)> {
        if self.connection.is_some() || now < self.retry_at {
            return None;
        }
        *next_id += 1;
        let id = ConnId(*next_id);
        self.connection = Some((id, Connection::new(config, now)));
        Some((id, self.endpoint.clone()))
    }

    /// Sends a request, or keeps it until there is a connection. Its bytes are the first in `bytes`.
    #[inline]
    pub(super) fn submit(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        match &mut self.connection {
            Some((_, connection)) if connection.is_ready() && !self.retiring => {
                connection.send(now, entry, bytes);
            }
            _ => {
                bytes.transfer(entry.wire_len as usize, &mut self.parked_bytes);
                self.parked.push(entry);
            }
        }
    }

    /// The socket is open. Returns what is known of the server if there was nothing to say to it.
    pub(super) fn handle_connected(&mut self, now: Instant, config: &Config) -> Option<ServerInfo> {
        let (_, connection) = self.connection.as_mut()?;
        let info = connection.handle_connected(now, config)?;
        self.handle_ready(now);
        Some(info)
    }

    /// The handshake is over: what was parked goes out.
    pub(super) fn handle_ready(&mut self, now: Instant) {
        self.ready_at = Some(now);
        self.last_error = None;
        let Some((_, connection)) = &mut self.connection else { return };
        while let Some(entry) = self.parked.pop() {
            if entry.id.is_awaited() {
                connection.send(now, entry, &mut self.parked_bytes);
            } else {
                self.parked_bytes.release(entry.wire_len as usize);
            }
        }
        self.parked = Entries::default();
        self.parked_bytes.shrink();
    }

    pub(super) fn next_answer(
        &mut self,
        now: Instant,
        config: &Config,
        read: &mut BytesMut,
    ) -> Result<Option<Answer>, Error> {
        match &mut self.connection {
            Some((_, connection)) => connection.next_answer(now, config, read),
            None => Ok(None),
        }
    }

    /// Takes nothing more on this connection, and replaces it when it has answered all.
    pub(super) fn retire(&mut self) {
        self.retiring = true;
    }

    /// The connection to close now because it has retired and is idle.
    pub(super) fn poll_retired(&mut self, now: Instant) -> Option<ConnId> {
        let (id, connection) = self.connection.as_ref()?;
        if !self.retiring || !connection.is_idle() {
            return None;
        }
        let id = *id;
        self.connection = None;
        self.ready_at = None;
        self.retiring = false;
        self.retry_at = now;
        Some(id)
    }

    /// The connection is gone. Requests that certainly did not run, and reads, wait for the next one; the
    /// others end here. Returns whether it had been ready.
    pub(super) fn handle_lost(
        &mut self,
        now: Instant,
        error: &Error,
        config: &Config,
        rng: &mut fastrand::Rng,
        ended: &mut Ended,
    ) -> bool {
        let Some((_, connection)) = self.connection.take() else { return false };
        let was_ready = connection.is_ready();
        self.retiring = false;
        let stable = self.ready_at.take().is_some_and(|since| now - since >= STABLE);
        self.failures = if stable { 0 } else { self.failures.saturating_add(1) };
        self.retry_at = now + retry::delay(&config.backoff, self.failures.saturating_sub(1), rng);
        self.last_error = Some(error.clone());
        if was_ready {
            let (entries, bytes) = connection.into_requests();
            self.park_again(entries, bytes, error, config, ended);
        } else if is_permanent(error) {
            self.fail_parked(error, ended);
        }
        was_ready
    }

    /// Puts what may be sent again before what is parked already, in its order.
    ///
    /// The request whose reply was no RESP, or passed a limit, is not sent again: its reply would be the
    /// same, and each time cost all others their connection. Nor is any command of a pipeline behind one
    /// that ends here: a pipeline is not resumed behind a gap.
    fn park_again(
        &mut self,
        mut entries: Entries,
        mut bytes: Outgoing,
        error: &Error,
        config: &Config,
        ended: &mut Ended,
    ) {
        let mut parked = Entries::default();
        let mut parked_bytes = Outgoing::default();
        let mut written = bytes.in_flight();
        let mut is_culprit = matches!(error.kind(), ErrorKind::Protocol(_));
        let mut interrupted = RequestId::ABANDONED;
        while let Some(mut entry) = entries.pop() {
            let len = entry.wire_len as usize;
            let may_have_run = may_have_run(&entry, written);
            written = written.saturating_sub(len);
            let may_repeat = entry.flags.may_repeat() && entry.replies == 1 && !is_culprit;
            is_culprit = false;
            let tries_left = u32::from(entry.attempts) < config.retries;
            let goes_on = entry.id != interrupted && (!may_have_run || (may_repeat && tries_left));
            if entry.id.is_awaited() && goes_on {
                if may_have_run {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.flags = entry.flags.with(Flags::SENT_BEFORE);
                }
                bytes.transfer(len, &mut parked_bytes);
                parked.push(entry);
                continue;
            }
            if entry.id.is_awaited() {
                interrupted = entry.id;
                let error = error.clone().with_delivery(fate(may_have_run));
                ended.push((entry, name(error, &bytes, &entry)));
            }
            bytes.release(len);
        }
        while let Some(entry) = self.parked.pop() {
            self.parked_bytes.transfer(entry.wire_len as usize, &mut parked_bytes);
            parked.push(entry);
        }
        (self.parked, self.parked_bytes) = (parked, parked_bytes);
    }

    /// Ends all that is parked.
    pub(super) fn fail_parked(&mut self, error: &Error, ended: &mut Ended) {
        while let Some(entry) = self.parked.pop() {
            if entry.id.is_awaited() {
                let error = error.clone().with_delivery(Delivery::NotSent);
                ended.push((entry, name(error, &self.parked_bytes, &entry)));
            }
            self.parked_bytes.release(entry.wire_len as usize);
        }
    }

    /// Ends all that is in flight: the client closes and waits no longer.
    pub(super) fn fail_in_flight(&mut self, error: &Error, ended: &mut Ended) {
        let Some((_, connection)) = self.connection.take() else { return };
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

    /// Ends the requests whose deadline has come, and checks the connection.
    ///
    /// # Errors
    /// The connection is beyond use.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        config: &Config,
        ended: &mut Ended,
    ) -> Result<(), Error> {
        let timeout = |waiting, delivery| Error::new(ErrorKind::Timeout(waiting), delivery);
        for (_, entry) in self.parked.expire(now) {
            let error = timeout(Waiting::Connection, Delivery::NotSent).with_cause(self.last_error.clone());
            ended.push((entry, error.with_node(&self.name)));
        }
        self.forget_parked();
        let Some((_, connection)) = &mut self.connection else { return Ok(()) };
        for (_, entry) in connection.in_flight().expire(now) {
            // Even if it is not written yet, it will be: it lies in the middle of the bytes to write.
            let error = timeout(Waiting::Reply, Delivery::MaybeExecuted);
            ended.push((entry, error.with_node(&self.name)));
        }
        connection.handle_timeout(now, config)
    }

    pub(super) fn poll_timeout(&self, config: &Config) -> Instant {
        let parked = self.parked.earliest();
        match &self.connection {
            Some((_, connection)) => parked.min(connection.poll_timeout(config)),
            None => parked.min(self.retry_at),
        }
    }

    /// Forgets requests that nobody waits for any more; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        self.parked.cancel(ids);
        self.forget_parked();
        if let Some((_, connection)) = &mut self.connection {
            connection.in_flight().cancel(ids);
        }
    }

    /// Gives room back that is taken by requests which have ended, as far as they are first. With one
    /// timeout for all, they are.
    fn forget_parked(&mut self) {
        while let Some(entry) = self.parked.front().filter(|entry| !entry.id.is_awaited()) {
            self.parked_bytes.release(entry.wire_len as usize);
            self.parked.pop();
        }
    }

    /// Whether nothing is under way for which somebody waits.
    pub(super) fn is_drained(&mut self) -> bool {
        let busy =
            self.connection.as_mut().is_some_and(|(_, connection)| connection.in_flight().any_awaited());
        !busy && !self.parked.any_awaited()
    }

    /// How many commands and bytes are held.
    pub(super) fn load(&self) -> (usize, usize) {
        let parked = (self.parked.len(), self.parked_bytes.held());
        match &self.connection {
            Some((_, connection)) => {
                let (commands, bytes) = connection.load();
                (parked.0 + commands, parked.1 + bytes)
            }
            None => parked,
        }
    }

    pub(super) fn conn_id(&self) -> Option<ConnId> {
        self.connection.as_ref().map(|(id, _)| *id)
    }
}

/// Whether a request may have run of which at most `written` bytes are written. Half a command never runs;
/// half a transaction does, command by command, if the server refuses `MULTI`.
const fn may_have_run(entry: &Entry, written: usize) -> bool {
    if entry.replies == 1 { written >= entry.wire_len as usize } else { written > 0 }
}

const fn fate(may_have_run: bool) -> Delivery {
    if may_have_run { Delivery::MaybeExecuted } else { Delivery::NotSent }
}

/// Puts the name of the command at the head of `bytes` into `error`.
pub(super) fn name(error: Error, bytes: &Outgoing, entry: &Entry) -> Error {
    match name_on_wire(&bytes.peek(), entry.name_words) {
        Some(name) => error.with_command(&name),
        None => error,
    }
}

/// Whether trying again will most likely fail in the same way, so that callers are told at once.
fn is_permanent(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Server(refusal) => {
            let passing = retry::passes_by_itself(refusal.code()) || refusal.code() == ServerCode::Busy;
            !passing && !refusal.text().contains("max number of clients")
        }
        ErrorKind::Conversation(_) | ErrorKind::Protocol(_) => true,
        _ => false,
    }
}
