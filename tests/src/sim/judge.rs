//! The verdict on a run that is over.

use redstart_core::error::{ErrorKind, Waiting};

use super::Sim;
use super::faults::Class;
use super::oracles::{self, Violation};
use super::workload::{End, Outcome};
use super::world::MS;

impl Sim {
    /// Judges everything that can be judged when a run is over.
    ///
    /// # Errors
    /// The first promise that was not kept.
    pub fn judge(&self) -> Result<(), Violation> {
        let world = self.world.borrow();
        if let Some(violation) = &world.violation {
            return Err(violation.clone());
        }
        let tame = !self.setup.faults.are_harmful()
            && match (&self.setup.cluster, &self.setup.service) {
                (Some(cluster), _) => !cluster.troubles.are_harmful(),
                (None, Some(service)) => !service.mishaps.are_harmful(),
                (None, None) => world.conns.iter().all(|conn| conn.blemish.is_none()),
            };
        // One run's trouble has room for so many pauses, and for ten times as many round trips.
        let one_server = self.setup.cluster.is_none() && self.setup.service.is_none();
        let most_refusals = if one_server { 60 } else { 200 };
        for (number, call) in self.calls.iter().enumerate() {
            oracles::a2_what_is_dropped_at_once_is_never_sent(call, &world.ledger)?;
            oracles::b4_transactions_run_as_a_whole(call, &world.ledger)?;
            oracles::b4_pipelines_run_in_order(call, &world.ledger)?;
            oracles::e1_calls_end_in_time(number, call, self.slack())?;
            for (part, id) in call.commands().enumerate() {
                let record = world.ledger.get(id);
                oracles::b2_writes_run_once(id, record)?;
                oracles::c12_refusals_are_answered_by_patience(id, record, most_refusals)?;
                let Some(End { outcomes: Some(outcomes), .. }) = &call.end else { continue };
                let outcome = &outcomes[part];
                oracles::b3_the_fate_is_true(id, record, outcome)?;
                if !one_server {
                    oracles::c9_what_passes_is_waited_for(id, outcome)?;
                }
                if tame {
                    oracles::a3_dropped_calls_disturb_nobody(id, record, outcome)?;
                }
            }
        }
        // Of several servers the last one stands for many places where nobody is.
        let places = world.servers.len() - usize::from(!one_server);
        for server in 0..places {
            // Those that served a session or a call of their own come and go with these.
            let conns = world.conns.iter().filter(|conn| conn.server == server && !conn.used.was_had());
            let times: Vec<_> = conns.map(|conn| conn.made_at).collect();
            oracles::e4_connecting_takes_pauses(server, &times)?;
        }
        for (id, conn) in world.conns.iter().enumerate() {
            oracles::a4_an_unasked_reply_closes_its_connection(id, conn, self.slack())?;
        }
        drop(world);
        self.judge_readers()?;
        self.judge_cluster()?;
        self.judge_service()
    }

    /// Whether a call was one of the first on a connection that had fallen silent while nobody used it. Without health
    /// checks that is found out only by using it, for the liveness timeout: until then calls end by their own time.
    pub(super) fn finds_out(&self, number: usize) -> bool {
        let call = &self.calls[number];
        let Some(End { outcomes: Some(outcomes), .. }) = &call.end else { return false };
        let is_late = |outcome: &Outcome| matches!(outcome, Err(error) if *error.kind() == ErrorKind::Timeout(Waiting::Reply));
        let world = self.world.borrow();
        let conn = world.ledger.get(call.first).sends.last().map(|&conn| &world.conns[conn]);
        let Some(conn) = conn.filter(|conn| conn.is_mute()) else { return false };
        let timeout = self.setup.response_timeout.as_nanos() as u64;
        let begun = call.deadline.map_or(0, |deadline| deadline.saturating_sub(timeout));
        let known_by = |asked: u64| asked + self.setup.liveness_timeout.as_nanos() as u64 + self.slack();
        self.setup.health_interval.is_none()
            && outcomes.iter().all(is_late)
            && conn.asked_in_vain.is_some_and(|asked| begun <= known_by(asked))
    }

    /// How late something may happen because tasks are polled late and the clock wakes late.
    pub(super) fn slack(&self) -> u64 {
        let faults = self.setup.faults;
        let polls = if faults.has(Class::LatePolls) { 4 * 2 * MS } else { 0 };
        // E3: what was to happen at a time happens when the clock is there again.
        let behind = self.world.borrow().behind;
        behind + polls + if faults.has(Class::LateTimers) { MS } else { 0 }
    }

    /// Judges whether more calls are taken than there is room for.
    pub(super) fn judge_load(&self) {
        let mut world = self.world();
        let under_way = self.calls.iter().filter(|call| call.begun.is_some() && call.end.is_none());
        let (commands, bytes) =
            under_way.map(|call| call.room).fold((0, 0), |sum, room| (sum.0 + room.0, sum.1 + room.1));
        let verdict = oracles::h1_no_more_is_taken_than_may_be(commands, bytes, &world.expected);
        world.judge(verdict);
    }
}
