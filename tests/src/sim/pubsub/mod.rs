//! Subscribers in the simulated world: what they are told, and what a server without luck tells them.
//!
//! Each channel's messages are numbered. Whoever misses a number must have been told of a gap before the next
//! message, or how many were dropped because there was no room for them; and when all is well again, whoever still
//! listens must hear of what is published then.

mod reader;
mod server;

use std::cell::RefCell;
use std::rc::Rc;

use fastrand::Rng;
use redstart_core::config::Protocol;

use super::oracles::{Verdict, Violation, demand};
use super::seeds::report;
use super::setup::{Setup, ms};
use super::world::Event;
use super::{Done, Report, Sim};
use reader::{Log, Plan, read};

pub(super) use server::{Change, Published};

/// How many channels there are.
const CHANNELS: usize = 3;

/// Room for a few messages, of which none is longer than the longest name and number.
const FEW_MESSAGES: usize = 350;

/// A task that listens, and what it was told.
pub(super) struct Reader {
    task: usize,
    plan: Plan,
    log: Rc<RefCell<Log>>,
}

/// Runs a seed with subscribers.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_pubsub(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut setup = Setup::draw(seed, &mut rng, with_text);
    setup.readers = rng.usize(1..5);
    if rng.bool() {
        setup.subscription_bytes = FEW_MESSAGES;
    }
    // A connection on which nothing is due is known to be dead by its health check alone.
    setup.health_interval.get_or_insert(ms(300));
    if setup.protocol == Protocol::Resp2 || setup.server.old {
        // There a connection with subscriptions cannot be told another token: each ends with its own.
        (setup.tokens, setup.server.tokens) = (None, None);
    }
    let mut sim = Sim::new(setup);
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}

impl Sim {
    /// Draws who listens to what, and when something is published.
    pub(super) fn plan_readers(&mut self, rng: &mut Rng, trouble: u64) {
        for _ in 0..self.setup.readers {
            let plan = Plan::draw(rng, self.setup.subscription_bytes == FEW_MESSAGES);
            let log = Rc::new(RefCell::new(Log::default()));
            let client = self.client.clone().expect("the handle is there");
            let reading = read(client, plan.clone(), Rc::clone(&log));
            let task = self.executor.spawn(async move {
                reading.await;
                Done::Reader
            });
            self.call_of.resize(task + 1, None);
            self.executor.wake(task);
            self.readers.push(Reader { task, plan, log });
        }
        if self.setup.readers > 0 {
            for _ in 0..rng.usize(20..300) {
                let (at, channel) = (rng.u64(..trouble), rng.usize(..CHANNELS));
                self.world().schedule(at, Event::Publish(channel));
            }
        }
    }

    /// Nobody listens any more.
    pub(super) fn drop_readers(&mut self) {
        for reader in &self.readers {
            self.executor.drop_task(reader.task);
        }
    }

    /// What readers were told so far is sound.
    pub(super) fn judge_readers(&self) -> Verdict {
        self.readers.iter().try_for_each(|reader| reader.log.borrow().verdict.clone())
    }

    /// F1: all is well again, so whoever listens hears of what is published.
    pub(super) fn recover_readers(&mut self, patience: u64) -> Verdict {
        if self.readers.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.live_until(now + patience)?;
        for channel in 0..CHANNELS {
            self.world().publish(channel);
        }
        self.live_until(now + 2 * patience)?;
        self.judge_readers()?;
        let published = self.world.borrow().published;
        for (number, reader) in self.readers.iter().enumerate() {
            let log = reader.log.borrow();
            let missed = reader.plan.last().topics().find(|topic| !log.has_heard(topic, &published));
            demand(missed.is_none() && !log.is_interrupted(), "f1_subscriptions_are_restored", || {
                format!("reader {number} has not heard the last of {missed:?}, although all is well: {log:?}")
            })?;
        }
        Ok(())
    }

    /// How many messages were read, how many gaps were told, and how many messages were dropped for want of room.
    pub(super) fn heard(&self) -> [u64; 3] {
        let logs = self.readers.iter().map(|reader| reader.log.borrow());
        logs.fold([0; 3], |[read, gaps, dropped], log| {
            [read + log.messages, gaps + log.gaps, dropped + log.dropped]
        })
    }
}
