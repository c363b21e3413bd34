//! Keeps a token that lives.
//!
//! ```text
//!            due                     token
//! Resting ---------> Asking(number) -------> Resting until the next one is due
//!    ^                  | failed, or timed out
//!    `-- after a pause -'   the old token serves on for as long as it lives
//! ```

use core::time::Duration;

use crate::config::{Credentials, Token, TokenOptions};
use crate::retry;
use crate::time::Instant;

/// Names one request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenNumber(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The next token is asked for then.
    Resting(Instant),
    /// It was asked for.
    Asking { since: Instant },
}

/// Says when to ask for a token, and which one is good. It asks for as long as it is asked to, whatever fails.
///
/// As every machine it is told the time: [`poll_request`](Self::poll_request) after every input, whose answer goes to
/// [`handle_token`](Self::handle_token).
#[derive(Debug)]
pub struct TokenManager {
    options: TokenOptions,
    rng: fastrand::Rng,
    state: State,
    last: u64,
    failures: u32,
    /// The token and until when it lives.
    token: Option<(Credentials, Instant)>,
}

impl TokenManager {
    /// A manager without a token: one is due now. `seed` is for the pauses after failures.
    #[must_use]
    pub fn new(options: TokenOptions, seed: u64, now: Instant) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { options, rng, state: State::Resting(now), last: 0, failures: 0, token: None }
    }

    /// The request to make now, if one is due. An earlier one that was not answered is to be dropped.
    pub fn poll_request(&mut self, now: Instant) -> Option<TokenNumber> {
        match self.state {
            State::Resting(due) if due <= now => {
                self.state = State::Asking { since: now };
                self.last += 1;
                Some(TokenNumber(self.last))
            }
            _ => None,
        }
    }

    /// A request was answered, or failed. Returns whether there is a new token; late answers are ignored.
    pub fn handle_token(&mut self, now: Instant, number: TokenNumber, token: Option<Token>) -> bool {
        let State::Asking { since } = self.state else { return false };
        if number.0 != self.last {
            return false;
        }
        // It has lived since it was asked for, as far as anybody knows.
        let Some(token) = token.filter(|token| since + token.life > now) else {
            self.fail(now);
            return false;
        };
        self.failures = 0;
        self.state =
            State::Resting((since + self.renewed_after(token.life)).max(now + self.options.backoff.base));
        self.token = Some((token.credentials, since + token.life));
        true
    }

    /// How long after it was asked for a token of this life is replaced.
    fn renewed_after(&self, life: Duration) -> Duration {
        let ratio = self.options.ratio;
        let part = if ratio > 0.0 { life.mul_f64(ratio.min(1.0)) } else { Duration::ZERO };
        part.min(life.saturating_sub(self.options.lead))
    }

    /// A server has refused `credentials`: if these are those of the token, it is no good, and the next one is due.
    pub fn handle_refused(&mut self, now: Instant, credentials: &Credentials) {
        if self.token.as_ref().is_some_and(|(known, _)| known == credentials) {
            self.token = None;
            if matches!(self.state, State::Resting(_)) {
                self.fail(now);
            }
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Returns whether a request has timed out.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let late = matches!(self.state, State::Asking { since } if since + self.options.timeout <= now);
        if late {
            self.fail(now);
        }
        late
    }

    fn fail(&mut self, now: Instant) {
        let pause = retry::delay(&self.options.backoff, self.failures, &mut self.rng);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting(now + pause);
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_request`](Self::poll_request) are to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        match self.state {
            State::Resting(due) => due,
            State::Asking { since } => since + self.options.timeout,
        }
    }

    /// The credentials of the token, while it lives.
    #[must_use]
    pub fn credentials(&self, now: Instant) -> Option<&Credentials> {
        self.token.as_ref().filter(|(_, until)| now < *until).map(|(credentials, _)| credentials)
    }
}

#[cfg(test)]
mod tests;
