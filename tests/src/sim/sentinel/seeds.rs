//! A run with a service out of a seed.

use fastrand::Rng;

use super::{Mishap, Step, Watch, oracles};
use crate::sim::ledger::Ledger;
use crate::sim::oracles::Violation;
use crate::sim::request::Op;
use crate::sim::tally::Tally;
use crate::sim::workload::{End, Plan};
use crate::sim::world::{Event, MS};
use crate::sim::{Report, Setup, Sim, report};

/// How long trouble lasts.
pub(in crate::sim) const TROUBLE: u64 = 2500 * MS;

/// The client's shortest time between two searches.
pub(super) const INTERVAL: u64 = 250 * MS;

/// The client's longest time between two searches.
pub(in crate::sim) const PAUSE: u64 = 2000 * MS + INTERVAL;

/// Runs a seed with a service.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_service(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut sim = Sim::new(Setup::draw_service(seed, &mut rng, with_text));
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}

impl Watch {
    /// Counts what has happened.
    pub(in crate::sim) fn note_history(&self, ledger: &Ledger, tally: &mut Tally) {
        for promotion in &self.promotions {
            tally.note("primary replaced", true);
            let later =
                |&&(at, server, _): &&(u64, usize, usize)| at > promotion.at && server == promotion.to;
            tally.note("primary replaced, and used", self.sent.iter().any(|sent| later(&sent)));
        }
        for applied in &self.applied {
            let writes = ledger.get(applied.id).job.writes();
            tally.note("ran and was lost", writes && self.survivors(applied.id) == 0);
            tally.note("read from a replica", self.servers[applied.server].follows.is_some());
        }
        for _ in &self.questions {
            tally.note("questions to sentinels", true);
        }
        for watcher in &self.sentinels {
            tally.note("sentinels that lied", watcher.has_lied);
            tally.note("sentinels whose address is another's", watcher.recycled);
        }
        tally.note("told of a new primary unasked", self.pushes > 0);
    }
}

impl Sim {
    /// Draws when what happens in the service, if there is one.
    pub(in crate::sim) fn plan_service(&mut self, rng: &mut Rng) {
        let Some(setup) = &self.setup.service else { return };
        let all = Mishap::HARMLESS.into_iter().chain(Mishap::HARMFUL);
        for mishap in all.filter(|&mishap| setup.mishaps.has(mishap)).collect::<Vec<_>>() {
            for _ in 0..rng.u8(1..4) {
                let at = rng.u64(..TROUBLE);
                self.world().schedule(at, Event::Service(Step::Strike(mishap)));
            }
        }
    }

    /// Uses every connection that the client could have.
    pub(in crate::sim) fn warm_up_service(&mut self) {
        let Some(setup) = &self.setup.service else { return };
        for _ in 0..2 * setup.options.replicas + 2 {
            self.call(Plan::single(Op::Get));
        }
    }

    /// Judges what has to do with the service when a run is over.
    pub(in crate::sim) fn judge_service(&self) -> Result<(), Violation> {
        let world = self.world.borrow();
        let (Some(watch), Some(setup)) = (&world.service, &self.setup.service) else { return Ok(()) };
        for call in &self.calls {
            let Some(End { outcomes: Some(outcomes), .. }) = &call.end else { continue };
            for (id, outcome) in call.commands().zip(outcomes) {
                oracles::b3_acknowledged_writes_survive(id, &world.ledger, outcome, watch)?;
            }
        }
        let undisturbed = !self.setup.faults.are_harmful();
        if undisturbed && !setup.mishaps.delay_news() {
            // The longest time between two questions, one in vain to each sentinel, and the way.
            let poll = setup.poll_interval.as_nanos() as u64 * 5 / 4 + INTERVAL * 5 / 4 + 1000 * MS;
            let asks = setup.ask_timeout.as_nanos() as u64 * 2 * watch.sentinels.len() as u64;
            let patience = watch.options.gossip + poll + asks + self.slack() + 100 * MS;
            oracles::c9_the_replaced_are_left_alone(watch, patience)?;
        }
        for sentinel in 0..watch.sentinels.len() {
            let asked = watch.questions.iter().filter(|(_, asked)| *asked == sentinel);
            let asked: Vec<_> = asked.map(|(at, _)| *at).collect();
            // What is held up on the way arrives together.
            if undisturbed && !setup.mishaps.has(Mishap::SentinelStalls) {
                oracles::c8_searches_keep_their_interval(sentinel, &asked, self.slack() + 50 * MS)?;
            }
        }
        Ok(())
    }
}
