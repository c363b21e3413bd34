//! A run with a cluster out of a seed.

use fastrand::Rng;

use super::faults::Trouble;
use super::{Cluster, Step, oracles};
use crate::sim::ledger::Ledger;
use crate::sim::oracles::Violation;
use crate::sim::request::Op;
use crate::sim::tally::Tally;
use crate::sim::workload::{End, Plan};
use crate::sim::world::{Event, MS, World};
use crate::sim::{Report, Setup, Sim, report};

/// How long trouble lasts.
pub(in crate::sim) const TROUBLE: u64 = 1500 * MS;

/// Runs a seed with a cluster.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_cluster(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut sim = Sim::new(Setup::draw_cluster(seed, &mut rng, with_text));
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}

impl World {
    /// Judges that a caller's request is sent to a node.
    pub(in crate::sim) fn judge_sending(&mut self, conn: usize) {
        let Self { cluster: Some(cluster), servers, now, .. } = self else { return };
        let node = self.conns[conn].server;
        if !servers[node].frozen {
            return;
        }
        let owes_since = *servers[node].owes_since.get_or_insert(*now);
        let by_force = cluster.promotions.iter().filter(|promotion| !promotion.graceful);
        let replaced =
            by_force.filter(|promotion| promotion.from == node).map(|promotion| promotion.at).max();
        let others = cluster.truth.members.keys().filter(|&&other| other != node);
        let mut well = others.map(|&other| !servers[other].down && !servers[other].frozen);
        if let (Some(replaced), Some(patience)) = (replaced, cluster.patience)
            && well.all(|well| well)
            && !cluster.truth.serves(node)
        {
            let since = replaced.max(owes_since);
            let verdict = oracles::c6_the_replaced_are_left_alone(node, since, *now, patience);
            self.judge(verdict);
        }
    }
}

impl Cluster {
    /// Counts what has happened.
    pub(in crate::sim) fn note_history(&self, ledger: &Ledger, tally: &mut Tally) {
        for promotion in &self.promotions {
            tally.note("primary handed over", promotion.graceful);
            tally.note("primary replaced", !promotion.graceful);
        }
        for applied in &self.applied {
            let writes = ledger.get(applied.id).job.writes();
            tally.note("ran and was lost", writes && self.survivors(applied.id) == 0);
        }
        let recycled = self.nodes.iter().filter(|node| node.foreign).count() > 0;
        tally.note("strangers came", recycled);
    }
}

impl Sim {
    /// Draws when what happens in the cluster, if there is one.
    pub(in crate::sim) fn plan_cluster(&mut self, rng: &mut Rng) {
        let Some(setup) = &self.setup.cluster else { return };
        let all = Trouble::HARMLESS.into_iter().chain(Trouble::HARMFUL);
        for trouble in all.filter(|&trouble| setup.troubles.has(trouble)).collect::<Vec<_>>() {
            for _ in 0..rng.u8(1..4) {
                let at = rng.u64(..TROUBLE);
                self.world().schedule(at, Event::Cluster(Step::Strike(trouble)));
            }
        }
    }

    /// Uses every connection that the client could have, once all nodes agree: reads may go to replicas,
    /// writes do not.
    pub(in crate::sim) fn warm_up_cluster(&mut self) -> Result<(), Violation> {
        let Some(setup) = &self.setup.cluster else { return Ok(()) };
        let (tags, agreed_at) = (setup.tags, self.now() + setup.options.gossip + 100 * MS);
        self.live_until(agreed_at)?;
        for tag in 0..tags {
            self.call(Plan::single(Op::Get).tagged(tag));
            self.call(Plan::single(Op::Incr).tagged(tag));
        }
        Ok(())
    }

    /// Judges what has to do with the cluster when a run is over.
    pub(in crate::sim) fn judge_cluster(&self) -> Result<(), Violation> {
        let world = self.world.borrow();
        let (Some(cluster), Some(setup)) = (&world.cluster, &self.setup.cluster) else { return Ok(()) };
        let undisturbed = !self.setup.faults.are_harmful();
        oracles::c3_other_clusters_are_left_alone(cluster)?;
        for call in &self.calls {
            for (part, id) in call.commands().enumerate() {
                if undisturbed {
                    oracles::c1_redirects_are_bounded(id, world.ledger.get(id))?;
                }
                if let Some(End { outcomes: Some(outcomes), .. }) = &call.end {
                    oracles::b3_acknowledged_writes_survive(id, &world.ledger, &outcomes[part], cluster)?;
                }
            }
        }
        let interval = setup.refresh.interval.as_nanos() as u64;
        for node in 0..cluster.nodes.len() {
            let asked = cluster.questions.iter().filter(|(_, asked)| *asked == node);
            let asked: Vec<_> = asked.map(|(at, _)| *at).collect();
            if undisturbed && !setup.troubles.are_harmful() {
                oracles::c8_refreshes_keep_their_interval(node, &asked, interval, self.slack() + 20 * MS)?;
            }
        }
        Ok(())
    }
}
