//! A run out of a seed: trouble for a while, then none, then the end.

use std::collections::VecDeque;

use fastrand::Rng;
use redstart_core::config::WhenFull;

use super::faults::Class;
use super::oracles::{self, Violation};
use super::request::Op;
use super::setup::Setup;
use super::tally::Tally;
use super::workload::Plan;
use super::world::{Event, MS};
use super::{Sim, cluster, sentinel, trace::Note};

/// How long trouble lasts.
const TROUBLE: u64 = 800 * MS;
/// How many requests must succeed when all is well again.
const PROBES: usize = 100;

/// How the client is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Close,
    DropHandle,
    DropDriver,
    /// The driver is dropped while the client closes.
    CloseAndDropDriver,
}

/// What a run was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Equal for two runs of the same seed.
    pub hash: u64,
    /// What it has reached.
    pub tally: Tally,
    /// What happened, if it was to be kept.
    pub text: String,
}

/// Runs a seed.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut sim = Sim::new(Setup::draw(seed, &mut rng, with_text));
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}

/// What a run was like that is over.
pub(super) fn report(sim: &Sim, verdict: Result<(), Violation>) -> Result<Report, (Violation, String)> {
    let text = sim.text();
    match verdict {
        Err(violation) => Err((violation, text)),
        Ok(()) => Ok(Report { hash: sim.world.borrow().trace.hash(), tally: sim.tally(), text }),
    }
}

impl Sim {
    /// All of a run.
    pub(super) fn live(&mut self, rng: &mut Rng) -> Result<(), Violation> {
        self.plan_trouble(rng);
        let trouble = self.length_of_trouble();
        let early = rng.u8(..3) == 0;
        let ends_at = if early { rng.u64(..trouble) } else { u64::MAX };
        let ending = match rng.u8(..6) {
            0 | 1 => Ending::Close,
            2 | 3 => Ending::DropHandle,
            4 => Ending::DropDriver,
            _ => Ending::CloseAndDropDriver,
        };
        self.live_until(ends_at.min(trouble))?;
        if !early {
            self.world().heal();
            self.recover()?;
        }
        self.end(ending, rng.u64(..50 * MS))?;
        self.judge()
    }

    fn length_of_trouble(&self) -> u64 {
        match (&self.setup.cluster, &self.setup.service) {
            (Some(_), _) => cluster::TROUBLE,
            (None, Some(_)) => sentinel::TROUBLE,
            (None, None) => TROUBLE,
        }
    }

    /// Draws what the callers do and when trouble strikes.
    fn plan_trouble(&mut self, rng: &mut Rng) {
        let faults = self.setup.faults;
        let trouble = self.length_of_trouble();
        let tags = self.setup.cluster.as_ref().map(|setup| setup.tags);
        let (callers, calls) = if tags.is_some() { (4..12, 8..24) } else { (1..10, 1..16) };
        for caller in 0..rng.usize(callers) {
            let draw = |rng: &mut Rng| {
                let plan = Plan::draw(rng, faults);
                if let Some(tags) = tags { plan.spread(rng, tags) } else { plan }
            };
            let plans = (0..rng.usize(calls.clone())).map(|_| draw(rng)).collect();
            self.callers.push(plans);
            let at = rng.u64(..trouble / 2);
            self.world().schedule(at, Event::Call(caller));
        }
        for class in Class::TIMED.into_iter().filter(|&class| faults.has(class)) {
            for _ in 0..rng.u8(1..3) {
                let at = rng.u64(..trouble);
                self.world().schedule(at, Event::Strike(class));
            }
        }
        self.plan_readers(rng, trouble);
        self.plan_leases(rng, trouble);
        self.plan_cluster(rng);
        self.plan_service(rng);
    }

    /// Lets everything happen until `until`.
    pub(super) fn live_until(&mut self, until: u64) -> Result<(), Violation> {
        // A call that is polled late may have ended without anybody knowing.
        let counts = self.setup.when_full == WhenFull::Fail && !self.setup.faults.has(Class::LatePolls);
        self.settle();
        while self.is_sound() && self.world.borrow().next_at().is_some_and(|at| at <= until) {
            self.step();
            if counts {
                self.judge_load();
            }
        }
        self.world().sleep_until(until);
        self.sound()
    }

    /// The violation that was found while running, if one was.
    fn sound(&self) -> Result<(), Violation> {
        self.world.borrow().violation.clone().map_or(Ok(()), Err)
    }

    /// All is well again: within a bounded time everything ends, and requests succeed.
    fn recover(&mut self) -> Result<(), Violation> {
        let setup = &self.setup;
        let health = setup.health_interval.unwrap_or_default();
        let patience = setup.response_timeout + setup.liveness_timeout + setup.connect_timeout + health;
        let patience =
            patience.as_nanos() as u64 + self.setup.service.as_ref().map_or(0, |_| sentinel::PAUSE);
        // What is broken without a sign is found out only by using it.
        let warm_up = Plan::single(Op::Get);
        self.call(warm_up);
        self.warm_up_cluster()?;
        self.warm_up_service();
        let now = self.now();
        self.live_until(now + 2 * patience)?;
        let stuck = self.calls.iter().position(|call| call.end.is_none());
        if let Some(number) = stuck {
            let what = format!("call {} has not ended although all is well", number + 1);
            return Err(Violation { oracle: "requests_succeed_again", what });
        }
        // A health check takes room, too.
        let at_once = (self.setup.queue_commands - 1).min(self.setup.queue_bytes / 64).clamp(1, 10);
        let probes = if self.setup.cluster.is_some() { PROBES / 2 } else { PROBES };
        for _ in 0..probes / at_once {
            self.probe(at_once)?;
        }
        self.recover_leases(2 * patience)?;
        self.recover_readers()
    }

    fn probe(&mut self, count: usize) -> Result<(), Violation> {
        let ops = [Op::Get, Op::Incr, Op::Push, Op::Set(5)];
        let tags = self.setup.cluster.as_ref().map(|setup| setup.tags);
        let plan = |nth: usize| {
            let plan = Plan::single(ops[nth % ops.len()]);
            if let Some(tags) = tags { plan.tagged(nth as u8 % tags) } else { plan }
        };
        let first = self.calls.len();
        (0..count).for_each(|nth| {
            self.call(plan(nth));
        });
        let now = self.now();
        let timeout = self.setup.response_timeout.as_nanos() as u64;
        self.live_until(now)?;
        while self.is_sound() && self.calls[first..].iter().any(|call| call.end.is_none()) {
            let next = self.world.borrow().next_at();
            if next.is_none_or(|at| at > now + 2 * timeout) {
                break;
            }
            self.live_until(next.unwrap_or(now))?;
        }
        for number in first..first + count {
            match self.outcomes(number) {
                Some([_]) if self.finds_out(number) => {}
                Some([outcome]) => oracles::requests_succeed_again(number, outcome)?,
                _ => return oracles::e1_calls_end_in_time(number, &self.calls[number], 0),
            }
        }
        Ok(())
    }

    /// Ends the client and waits for everything to have ended.
    fn end(&mut self, ending: Ending, pause: u64) -> Result<(), Violation> {
        let now = self.now();
        let close_timeout = self.setup.close_timeout.as_nanos() as u64;
        let client = self.client.clone();
        self.stop_lessees();
        match ending {
            Ending::Close | Ending::CloseAndDropDriver => {
                self.close();
                self.close();
            }
            Ending::DropHandle => {}
            Ending::DropDriver => self.drop_driver(),
        }
        let mut by = now + close_timeout + self.slack();
        if ending == Ending::CloseAndDropDriver {
            self.live_until(now + pause)?;
            self.drop_driver();
        }
        if ending == Ending::DropHandle {
            // Calls under way hold handles of their own: the client ends when the last one has.
            self.drop_handle();
            self.drop_readers();
            self.drop_lessees();
            drop(client);
            self.live_until(now + 2 * self.setup.response_timeout.as_nanos() as u64)?;
            self.cancel_all();
            by = self.now() + close_timeout + self.slack();
            self.live_until(by + MS)?;
        } else {
            self.live_until(by + MS)?;
            if let Some(client) = client {
                let late = self.call_by(client, Plan::single(Op::Incr), None);
                let now = self.now();
                self.live_until(now + self.slack())?;
                let outcome = self.outcomes(late).and_then(<[_]>::first);
                oracles::e2_calls_after_the_end_are_refused(outcome)?;
            }
        }
        self.world().note(&Note::Client("must have ended"));
        self.callers.iter_mut().for_each(VecDeque::clear);
        let now = self.now();
        self.live_until(now + self.slack())?;
        let world = self.world.borrow();
        oracles::e2_everything_ends("the driver", self.driver_ended, by, &world.conns)?;
        for (_, told) in &self.closers {
            oracles::e2_everything_ends("close()", *told, by, &[])?;
        }
        Ok(())
    }
}
