//! Calls that wait at the server, and sessions, in the simulated world: on side connections, given up at any time.
//!
//! Items come into lists, each with a number of its own. Every one of them is in its list in the end or came to one
//! caller, unless it was on a connection that failed. Every session and every call names itself in what it sends: so it
//! is known whose a connection is, and that the next user finds it as new.

mod caller;
mod oracles;
mod server;

use std::cell::RefCell;
use std::rc::Rc;

use fastrand::Rng;
use redstart_core::config::PoolOptions;

use super::oracles::{Verdict, Violation, demand};
use super::seeds::report;
use super::setup::{Setup, ms};
use super::tally::Tally;
use super::world::{Event, MS};
use super::{Class, Done, Report, Sim};
use caller::{Caller, Manner, hold};
use server::LISTS;

pub(super) use server::{Store, Use, is_no_handshake};

/// What more there is to say of a run with side connections.
#[derive(Clone, Debug)]
pub struct Leases {
    /// How many callers there are.
    pub callers: usize,
    /// See [`PoolOptions::max`].
    pub max: usize,
    /// The rest of the pool's options.
    pub pool: PoolOptions,
    /// Whether connections of the pool are closed for their age.
    pub sides_age: bool,
}

impl Leases {
    fn draw(rng: &mut Rng, setup: &Setup) -> Self {
        let max = rng.usize(1..5);
        let pool = PoolOptions::new().max(max).min_idle(rng.usize(..2)).queue(rng.usize(max..40));
        // Other credentials are told to connections that have nothing to do, and these are replaced for it.
        let sides_age = rng.bool() || setup.tokens.is_some();
        let pool = if sides_age {
            let lifetime = if rng.bool() { Some(ms(rng.u64(100..400))) } else { None };
            pool.idle_timeout(ms(rng.u64(30..200))).max_lifetime(lifetime)
        } else {
            pool.idle_timeout(None).max_lifetime(None)
        };
        Self { callers: rng.usize(2..8), max, pool, sides_age }
    }
}

/// Runs a seed with calls that wait, and with sessions.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_leases(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut setup = Setup::draw(seed, &mut rng, with_text);
    // A call that waits for ever on a connection that is dead finds out by its health alone.
    setup.health_interval.get_or_insert(ms(300));
    setup.queue_commands = setup.queue_commands.max(60);
    setup.leases = Some(Leases::draw(&mut rng, &setup));
    let mut sim = Sim::new(setup);
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}

impl Sim {
    /// Draws who waits and when items come.
    pub(super) fn plan_leases(&mut self, rng: &mut Rng, trouble: u64) {
        let Some(leases) = self.setup.leases.clone() else { return };
        let faults = self.setup.faults;
        let manner = Manner {
            gives_up: faults.has(Class::Cancels),
            is_tame: !faults.are_harmful(),
            is_lossy: faults.has(Class::Missing) || faults.has(Class::DeadMutes),
        };
        for _ in 0..leases.callers {
            let caller = Caller {
                world: Rc::clone(&self.world),
                client: self.client.clone().expect("the handle is there"),
                rng: rng.fork(),
                manner,
            };
            let task = self.executor.spawn(async move {
                caller.run().await;
                Done::Lessee
            });
            self.start_lessee(task);
        }
        for _ in 0..rng.usize(10..120) {
            let (at, list) = (rng.u64(..trouble), rng.usize(..LISTS));
            self.world().schedule(at, Event::Produce(list));
        }
    }

    fn start_lessee(&mut self, task: usize) {
        self.call_of.resize(task + 1, None);
        self.executor.wake(task);
        self.lessees.push(task);
    }

    /// No more calls are made.
    pub(super) fn stop_lessees(&mut self) {
        self.world().store.iter_mut().for_each(|store| store.rests = true);
    }

    /// All who wait are gone.
    pub(super) fn drop_lessees(&mut self) {
        for task in &self.lessees {
            self.executor.drop_task(*task);
        }
    }

    fn are_lessees_done(&self) -> bool {
        self.lessees.iter().all(|task| !self.executor.is_alive(*task))
    }

    /// All is well again: everybody gets what there is to have, nothing is lost, and no connection is.
    pub(super) fn recover_leases(&mut self, patience: u64) -> Verdict {
        let Some(leases) = self.setup.leases.clone() else { return Ok(()) };
        self.stop_lessees();
        let until = self.now() + 4 * patience;
        while !self.are_lessees_done() && self.now() < until {
            let now = self.now();
            (0..LISTS).for_each(|list| self.world().produce(list));
            self.live_until(now + 20 * MS)?;
        }
        demand(self.are_lessees_done(), "e1_calls_end_in_time", || {
            "a call that waits has not ended although there are items for all".to_owned()
        })?;
        let now = self.now();
        self.live_until(now + patience)?;
        {
            let world = self.world.borrow();
            let store = world.store.as_ref().expect("a world with lists");
            let nobody = demand(!store.is_awaited(), "a2_no_item_is_eaten", || {
                "the server waits for somebody who is gone".to_owned()
            });
            nobody.and_then(|()| oracles::a2_no_item_is_eaten(store, &world.conns))?;
        }
        self.lease_all(leases.max, patience)
    }

    fn lease_all(&mut self, max: usize, patience: u64) -> Verdict {
        let kept = Rc::new(RefCell::new(Vec::new()));
        for number in 0..max {
            let client = self.client.clone().expect("the handle is there");
            let (kept, world) = (Rc::clone(&kept), Rc::clone(&self.world));
            let task = self.executor.spawn(async move {
                let verdict = hold(client, number, kept).await;
                world.borrow_mut().judge(verdict);
                Done::Lessee
            });
            self.start_lessee(task);
        }
        let now = self.now();
        self.live_until(now + patience)?;
        let leased = kept.borrow().len();
        kept.borrow_mut().clear();
        oracles::h3_no_lease_is_lost(leased, max)
    }

    /// How much of what this is about has happened.
    pub(super) fn note_leases(&self, tally: &mut Tally) {
        let world = self.world.borrow();
        let Some(store) = &world.store else { return };
        for (what, count) in [
            ("items", store.items),
            ("items delivered", store.delivered.values().sum()),
            ("items given back", store.given_back),
            ("waits ended", store.unblocked),
            ("sessions", store.leases),
        ] {
            (0..count).for_each(|_| tally.note(what, true));
        }
    }
}
