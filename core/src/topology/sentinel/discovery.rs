//! When to ask which sentinel for the primary, and which server to ask whether it is one.
//!
//! ```text
//!          trigger, or the period is over             a server is named
//!             not before the interval                  .-------------.
//! Idle (due) ------------------------> Asking a sentinel             v
//!   ^ ^                                   | ^ |        '--- Checking the server's role
//!   | |            nobody is left: Failed | | | no use:      |          |
//!   | '-----------------------------------' | | the next     |          |
//!   |                                       '-+--------------'          |
//!   '-------------------------------------------------------------------' master: Found
//! ```

mod round;
mod trigger;

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use self::round::{Round, Step};
pub use self::trigger::Trigger;
use super::line::Line;
use super::part::Part;
use super::word::Word;
use crate::config::{Backoff, Endpoint, SentinelOptions};
use crate::error::{Delivery, Error, ErrorKind, SentinelFault, Waiting};
use crate::retry;
use crate::time::Instant;

/// A sentinel is to be asked [`Questions`](super::Questions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which search it is for; its answer is of no use to another.
    pub round: u64,
    /// The sentinel.
    pub sentinel: Endpoint,
}

/// What a search has found out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The primary is this one: another than before, or still the same.
    Found {
        /// It has said itself that it is the primary.
        primary: Endpoint,
        /// The servers that follow it and can be read from, by a sentinel's word alone.
        replicas: Vec<Endpoint>,
    },
    /// No sentinel named a server that is the primary, for the reasons in
    /// [`ErrorKind::NoPrimary`]. There will be another search.
    Failed(Error),
}

/// When to ask which sentinel for the primary, and which server to ask whether it is one.
///
/// Sentinels are asked one at a time, in order; who is silent, wrong or out of date stands at the end of the
/// line from then on, and so does who has said the same for a while: it may be cut off together with the
/// primary that it names. However many [triggers](Trigger) there are, there is one search at a time, and they
/// start no closer together than a quarter of a second.
///
/// While there is no primary, or it is suspected, searches go on: for a minute at that interval, later a second
/// apart. Where sentinels disagree, the word of the later failover counts; an older one is better than nothing
/// only if nobody has a newer one and the primary does not answer.
///
/// After every input [`poll_ask`](Self::poll_ask), [`poll_check`](Self::poll_check) and
/// [`poll_outcome`](Self::poll_outcome) are to be drained before the next one.
#[derive(Clone, Debug)]
pub struct Discovery {
    poll_interval: Duration,
    ask_timeout: Duration,
    rng: fastrand::Rng,
    line: Line,
    primary: Option<Endpoint>,
    replicas: Vec<Endpoint>,
    /// Of the failover that made the primary one.
    epoch: Option<u64>,
    /// How often in a row the primary was found to be still the same.
    confirmed: u32,
    /// Since when there is no primary, or it is suspected.
    lost_since: Option<Instant>,
    /// The last server to be checked and who named it. Its role counts even if it comes late.
    candidate: Option<(Endpoint, Word)>,
    round: Option<Round>,
    rounds: u64,
    /// When the last round started.
    started: Instant,
    /// When the next round may start, whatever calls for it.
    not_before: Instant,
    /// Rounds in a row in which no sentinel named anything.
    failures: u32,
    /// When the next round starts, while there is none.
    due: Instant,
    /// Whether there was a trigger since the last round started.
    called: bool,
    checks: VecDeque<Endpoint>,
    outcomes: VecDeque<Outcome>,
}

impl Discovery {
    /// A search that is due `now`. `rng` is its only source of randomness.
    #[must_use]
    pub fn new(options: &SentinelOptions, rng: fastrand::Rng, now: Instant) -> Self {
        Self {
            poll_interval: options.poll_interval,
            ask_timeout: options.ask_timeout.max(TIME_MIN),
            rng,
            line: Line::new(options.sentinels.clone()),
            primary: None,
            replicas: Vec::new(),
            epoch: None,
            confirmed: 0,
            lost_since: Some(now),
            candidate: None,
            round: None,
            rounds: 0,
            started: now,
            not_before: now,
            failures: 0,
            due: now,
            called: false,
            checks: VecDeque::new(),
            outcomes: VecDeque::new(),
        }
    }

    /// The server that was last found to be the primary.
    #[must_use]
    pub const fn primary(&self) -> Option<&Endpoint> {
        self.primary.as_ref()
    }

    /// The server that is, or was last, asked whether it is the primary, if it has not said so.
    #[must_use]
    pub fn candidate(&self) -> Option<&Endpoint> {
        self.candidate.as_ref().map(|(_, word)| &word.primary)
    }

    /// Whether the primary is known and answers, as far as that was told.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.lost_since.is_none()
    }

    /// Whether this sentinel would be asked.
    #[must_use]
    pub fn knows_sentinel(&self, sentinel: &Endpoint) -> bool {
        self.line.contains(sentinel)
    }

    /// Something tells that the primary may be another one.
    pub fn handle_trigger(&mut self, now: Instant, trigger: Trigger<'_>) {
        match trigger {
            Trigger::Switched(sentinel) => {
                self.line.bring_forward(sentinel);
                // Failures are no reason to wait longer: somebody speaks.
                self.not_before = self.started + INTERVAL;
                self.call(now);
            }
            Trigger::Suspect(server) if self.primary.as_ref() == Some(server) => {
                self.suspect(now);
                if self.round.as_ref().is_some_and(|round| round.is_checking(server)) {
                    let fault = SentinelFault::NoAnswer { node: server.to_string() };
                    self.refute(now, fault, false);
                }
            }
            Trigger::Suspect(server) if self.replicas.contains(server) => self.call(now),
            Trigger::Suspect(_) => {}
        }
    }

    /// From now on searches go on by themselves. That a suspect is suspected again is no news.
    fn suspect(&mut self, now: Instant) {
        if self.lost_since.is_none() {
            self.lost_since = Some(now);
            // A search that is under way goes by this from here on.
            if self.round.is_none() {
                self.call(now);
            }
        }
    }

    /// There is to be a search. One call is as good as many.
    fn call(&mut self, now: Instant) {
        self.called = true;
        if self.round.is_none() {
            self.schedule(now, Duration::ZERO);
        }
    }

    /// A round starts after `pause`, or sooner if that is settled already, but not before one may. It starts
    /// a little later than that, so that clients who see the same event do not ask all at once.
    fn schedule(&mut self, now: Instant, pause: Duration) {
        let earliest = self.not_before.max(now + pause);
        if self.due > earliest + INTERVAL / 4 {
            self.due = earliest + retry::random(&mut self.rng, INTERVAL / 4);
        }
    }

    /// The answer to an [`Ask`], or why there is none.
    pub fn handle_answer(&mut self, now: Instant, ask: &Ask, answer: Result<Word, SentinelFault>) {
        let Some(round) = &mut self.round else { return };
        if round.number != ask.round || !round.is_asking(&ask.sentinel) {
            return;
        }
        match answer {
            Ok(word) => self.weigh(now, ask.sentinel.clone(), word),
            Err(fault) => self.dismiss(now, &ask.sentinel, fault, true),
        }
    }

    /// Decides what a sentinel's word is worth.
    fn weigh(&mut self, now: Instant, sentinel: Endpoint, word: Word) {
        let Some(round) = &mut self.round else { return };
        round.heard = true;
        let node = word.primary.to_string();
        let is_known = self.primary.as_ref() == Some(&word.primary);
        if is_known {
            self.line.learn(&sentinel, &word.peers);
        }
        if is_known && self.lost_since.is_some() {
            // It is not lying: the others have not noticed, or not agreed yet.
            if !core::mem::replace(&mut round.has_asked_suspect, true) {
                self.checks.push_back(word.primary);
            }
            self.dismiss(now, &sentinel, SentinelFault::NoAnswer { node }, false);
        } else if let Some(fault) = round.refuted.get(&word.primary) {
            let fault = fault.clone();
            self.dismiss(now, &sentinel, fault, true);
        } else if !is_known && is_older(word.epoch, self.epoch) {
            round.keep_outdated(sentinel.clone(), word);
            self.dismiss(now, &sentinel, SentinelFault::Outdated { node }, true);
        } else {
            self.check(now, sentinel, word);
        }
    }

    /// Notes what is wrong with a sentinel and goes on to the next one.
    fn dismiss(&mut self, now: Instant, sentinel: &Endpoint, fault: SentinelFault, is_its_own: bool) {
        if is_its_own {
            self.line.send_back(sentinel);
        }
        if let Some(round) = &mut self.round {
            round.faults.push((sentinel.clone(), fault));
        }
        self.ask_next(now);
    }

    /// Has the server asked for its role that a sentinel has named.
    fn check(&mut self, now: Instant, sentinel: Endpoint, word: Word) {
        let Some(round) = &mut self.round else { return };
        let server = word.primary.clone();
        self.candidate = Some((sentinel.clone(), word));
        self.checks.push_back(server.clone());
        round.step = Step::Checking { sentinel, server };
        round.until = now + self.ask_timeout;
    }

    /// The role that a server has told on its connection, be it because of [`poll_check`](Self::poll_check)
    /// or because the connection is new; or why it could not be asked.
    pub fn handle_role(&mut self, now: Instant, server: &Endpoint, part: Result<Part, &Error>) {
        let is_primary = part == Ok(Part::Primary);
        let is_known = self.primary.as_ref() == Some(server);
        if is_primary && self.candidate() == Some(server) {
            return self.adopt(now);
        }
        match is_known {
            true if is_primary => self.clear(),
            true => self.suspect(now),
            false if is_primary && self.replicas.contains(server) => self.call(now),
            false => {}
        }
        if is_primary || !self.round.as_ref().is_some_and(|round| round.is_checking(server)) {
            return;
        }
        let node = server.to_string();
        match part {
            Ok(part) => {
                self.candidate = None;
                self.refute(now, SentinelFault::NotPrimary { node, role: part.name() }, true);
            }
            // Whoever names a primary that has failed just now is not to blame.
            Err(error) => {
                self.refute(now, SentinelFault::Unchecked { node, error: error.clone() }, !is_known);
            }
        }
    }

    /// The suspected primary is one.
    fn clear(&mut self) {
        if self.lost_since.take().is_some() {
            self.report();
        }
    }

    /// The server that is checked is not the primary, or cannot say so.
    fn refute(&mut self, now: Instant, fault: SentinelFault, is_its_own: bool) {
        let Some(round) = &mut self.round else { return };
        let Step::Checking { sentinel, server } = core::mem::replace(&mut round.step, Step::Next) else {
            return;
        };
        round.refuted.insert(server, fault.clone());
        self.dismiss(now, &sentinel, fault, is_its_own);
    }

    /// The candidate has said that it is the primary.
    fn adopt(&mut self, now: Instant) {
        let Some((sentinel, word)) = self.candidate.take() else { return };
        self.line.learn(&sentinel, &word.peers);
        self.confirmed += 1;
        let is_new = self.primary.as_ref() != Some(&word.primary);
        if is_new || self.confirmed >= CONFIRMED_MAX {
            self.confirmed = 0;
            if !is_new {
                self.line.send_back(&sentinel);
            }
        }
        self.primary = Some(word.primary);
        self.replicas = word.replicas;
        self.epoch = word.epoch.or(self.epoch);
        self.lost_since = None;
        self.failures = 0;
        self.report();
        self.round = None;
        let period = self.poll_interval;
        let pause = period / 4 * 3 + retry::random(&mut self.rng, period / 2);
        self.due = self.not_before.max(now + pause);
        if self.called {
            self.schedule(now, Duration::ZERO);
        }
    }

    fn report(&mut self) {
        if let Some(primary) = self.primary.clone() {
            self.outcomes.push_back(Outcome::Found { primary, replicas: self.replicas.clone() });
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(round) = &self.round else {
            if now >= self.due {
                self.start_round(now);
            }
            return;
        };
        if now < round.until {
            return;
        }
        match &round.step {
            Step::Next => self.ask_next(now),
            Step::Asking(sentinel) => {
                let sentinel = sentinel.clone();
                self.dismiss(now, &sentinel, SentinelFault::Silent, true);
            }
            Step::Checking { server, .. } => {
                let is_known = self.primary.as_ref() == Some(server);
                let error = Error::new(ErrorKind::Timeout(Waiting::Connection), Delivery::NotSent);
                let fault = SentinelFault::Unchecked { node: server.to_string(), error };
                if is_known {
                    self.suspect(now);
                }
                self.refute(now, fault, !is_known);
            }
        }
    }

    fn start_round(&mut self, now: Instant) {
        self.rounds += 1;
        self.started = now;
        self.not_before = now + INTERVAL;
        self.due = Instant::FAR;
        self.called = false;
        self.round = Some(Round::new(self.rounds));
        self.ask_next(now);
    }

    /// Asks the first in the line who was not asked in this round.
    fn ask_next(&mut self, now: Instant) {
        let Some(round) = &mut self.round else { return };
        if let Some(sentinel) = self.line.iter().find(|sentinel| !round.has_asked(sentinel)) {
            return round.ask(sentinel.clone(), now + self.ask_timeout);
        }
        match round.outdated.take() {
            Some((sentinel, word)) if self.lost_since.is_some() => self.check(now, sentinel, word),
            _ => self.fail_round(now),
        }
    }

    fn fail_round(&mut self, now: Instant) {
        let Some(round) = self.round.take() else { return };
        let sentinels = round.faults.into_iter().map(|(sentinel, fault)| (sentinel.to_string(), fault));
        let kind = ErrorKind::NoPrimary { sentinels: sentinels.collect() };
        self.outcomes.push_back(Outcome::Failed(Error::new(kind, Delivery::NotSent)));
        let pause = match self.lost_since {
            Some(since) if round.heard => {
                self.failures = 0;
                pause_for_successor(now - since)
            }
            _ => {
                let backoff = Backoff { base: INTERVAL, cap: FAILURE_PAUSE_MAX };
                let pause = retry::delay(&backoff, self.failures, &mut self.rng);
                self.failures = self.failures.saturating_add(1);
                self.not_before = self.not_before.max(now + pause);
                pause
            }
        };
        self.schedule(now, if self.called { Duration::ZERO } else { pause });
    }

    /// The sentinel to ask.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        let round = self.round.as_mut()?;
        Some(Ask { round: round.number, sentinel: round.ask.take()? })
    }

    /// The next server to ask for its role: on the connection to it if there is one, else on a new one.
    pub fn poll_check(&mut self) -> Option<Endpoint> {
        self.checks.pop_front()
    }

    /// The next thing that was found out.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let at = self.round.as_ref().map_or(self.due, |round| round.until);
        (at != Instant::FAR).then_some(at)
    }
}

/// The shortest time between the starts of two searches.
const INTERVAL: Duration = Duration::from_millis(250);

/// Shorter times are taken for this one.
const TIME_MIN: Duration = Duration::from_millis(1);

/// How often in a row one sentinel is believed before another one is asked.
const CONFIRMED_MAX: u32 = 8;

/// How long to wait before asking again for the successor of a primary that has been lost for so long.
fn pause_for_successor(lost: Duration) -> Duration {
    if lost < TAKEOVER_MAX { INTERVAL } else { WATCH_PAUSE }
}

/// By then sentinels that take a primary for down after the usual 30 s have replaced it, if they can.
const TAKEOVER_MAX: Duration = Duration::from_secs(60);

/// The wait between searches after that, while sentinels answer but the primary does not.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait after searches in which no sentinel named anything: sentinels that are well again are found within
/// this time.
const FAILURE_PAUSE_MAX: Duration = Duration::from_millis(500);

/// Whether a word is of an earlier failover than what is known.
fn is_older(epoch: Option<u64>, known: Option<u64>) -> bool {
    matches!((epoch, known), (Some(epoch), Some(known)) if epoch < known)
}

#[cfg(test)]
mod tests;
