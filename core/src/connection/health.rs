//! The health of a connection: whether the server still answers, and how soon.

use core::time::Duration;

use super::{Connection, RequestId, State, fault};
use crate::command::Command;
use crate::config::Config;
use crate::error::{ConnectionError, Error, ErrorKind, TlsError, Waiting};
use crate::time::Instant;

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) must be called at the latest. Early calls are harmless.
    pub(crate) fn poll_timeout(&self, config: &Config) -> Instant {
        if !self.is_ready() {
            return self.opened_at + config.connect_timeout;
        }
        match self.in_flight.front() {
            Some(_) => self.in_flight.earliest().min(self.silent_at(config)),
            None => config.health_interval.map_or(Instant::FAR, |interval| self.heard_at + interval),
        }
    }

    /// How long the server takes to answer, once it was seen.
    pub(crate) const fn latency(&self) -> Option<Duration> {
        self.latency
    }

    pub(super) fn measure(&mut self, now: Instant) {
        if let Some(asked_at) = self.asked_at.take() {
            let sample = now - asked_at;
            self.latency = Some(self.latency.map_or(sample, |latency| (latency * 7 + sample) / 8));
        }
    }

    /// Since when the server owes something and is silent.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        match self.state {
            State::Ready => self.in_flight.front().map(|_| self.heard_at),
            State::Connecting | State::Securing | State::Handshake(_) => {
                Some(self.opened_at.max(self.heard_at))
            }
            // It is not the server that is waited for.
            State::Nameless => None,
        }
    }

    /// Whether something has come at this time that is due.
    pub(crate) fn was_heard(&self, now: Instant) -> bool {
        self.heard_at >= now
    }

    /// When silence becomes too long: never before the request that waits longest has timed out. What nobody waits for
    /// may have no time of its own.
    fn silent_at(&self, config: &Config) -> Instant {
        let due = self.heard_at + config.liveness_timeout;
        match self.in_flight.front() {
            None => Instant::FAR,
            Some(front) if front.deadline == Instant::FAR && !front.id.is_callers() => due,
            Some(front) => due.max(front.deadline),
        }
    }

    /// Checks the connection's health.
    ///
    /// # Errors
    /// It is beyond use: not there in time, or silent for too long.
    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) -> Result<(), Error> {
        if !self.is_ready() {
            let late = now >= self.opened_at + config.connect_timeout;
            return if late { Err(self.too_late()) } else { Ok(()) };
        }
        if !self.in_flight.is_empty() {
            let silent = now >= self.silent_at(config);
            return if silent { Err(fault(ErrorKind::Connection(ConnectionError::Silent))) } else { Ok(()) };
        }
        self.out.shrink();
        if config.health_interval.is_some_and(|interval| now >= self.heard_at + interval) {
            self.ping(now, config);
        }
        Ok(())
    }

    fn too_late(&self) -> Error {
        let unanswered = || fault(ErrorKind::Connection(ConnectionError::Tls(TlsError::Unanswered)));
        let (waiting, cause) = match self.state {
            State::Nameless => (Waiting::Credentials, None),
            State::Securing => (Waiting::Connection, Some(unanswered())),
            _ => (Waiting::Connection, None),
        };
        fault(ErrorKind::Timeout(waiting)).with_cause(cause)
    }

    /// Tries whether the server answers.
    pub(crate) fn ping(&mut self, now: Instant, config: &Config) {
        let deadline = now + config.liveness_timeout;
        self.send_own(now, RequestId::HEALTH, deadline, &Command::new("PING"));
    }
}
