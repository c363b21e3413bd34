//! The whole client in a simulated world: the real handle, mailbox, driver loop and engine, under virtual
//! time, on one thread, with everything left to chance decided by one seed.
//!
//! ```text
//! Plan --> Client, Driver<SimNet> <--> World: clock, connections, model server
//!             |                          |
//!             `--- outcomes ---> oracles <--- Ledger: what was sent, what ran, what was answered
//! ```
//!
//! - [`run`] makes a run out of a seed: which trouble strikes ([`Class`]), what is asked for ([`Plan`]), how
//!   the client is configured ([`Setup`]). The trouble ends, the client must be well again, then it is ended
//!   in one of several ways.
//! - [`Sim`] is the same world for scenarios written by hand.
//! - The oracles judge while it runs and at the end. Each is a function named for the promise it checks.
//!
//! Nothing here may depend on anything but the seed: two runs of one seed have the same trace.

mod cluster;
mod conn;
mod executor;
mod faults;
mod judge;
mod leases;
mod ledger;
mod many;
mod net;
mod oracles;
mod pubsub;
mod request;
mod scenario;
mod seeds;
mod sentinel;
mod server;
mod setup;
mod strike;
mod tally;
mod tls;
mod tokens;
mod trace;
mod traffic;
mod workload;
mod world;

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;

use fastrand::Rng;
use redstart_core::client::Client;
use redstart_core::drive::Driver;

pub use cluster::{
    Addresses, Afterlife, ClusterSetup, Lie, Options, Trouble, Troubles, run_cluster, slot_of,
};
pub use faults::{Class, Faults};
pub use leases::{Leases, run_leases};
pub use many::{Runner, attempt, demand_all, run_all};
pub use oracles::Violation;
pub use pubsub::{run_cluster_pubsub, run_pubsub, run_service_pubsub, slot_of_channel};
pub use request::{Job, Op};
pub use seeds::{Report, run};
pub use sentinel::{Lie as SentinelLie, Mishap, Mishaps, Service, ServiceSetup, run_service};
pub use server::{Refusal, Settings};
pub use setup::Setup;
pub use tally::Tally;
pub use tls::{run_secured, run_secured_cluster, run_secured_service};
pub use tokens::Tokens;
pub use workload::{Cancel, Outcome, Patience, Plan, Shape};

use executor::Executor;
use net::SimNet;
use seeds::report;
use server::Server;
use trace::{Note, Trace};
use workload::{Call, End, perform};
use world::{Event, MS, World};

/// What a task of the simulation gives when it ends.
enum Done {
    Driver,
    Call(Vec<Outcome>),
    Reader,
    Lessee,
    Closed,
}

/// A client in its world.
pub struct Sim {
    world: Rc<RefCell<World>>,
    executor: Executor<Done>,
    client: Option<Client>,
    driver: usize,
    driver_polls: u64,
    driver_ended: Option<u64>,
    /// Tasks that wait for the client to be closed, and when they were told.
    closers: Vec<(usize, Option<u64>)>,
    calls: Vec<Call>,
    /// Which task is which call.
    call_of: Vec<Option<usize>>,
    callers: Vec<VecDeque<Plan>>,
    readers: Vec<pubsub::Reader>,
    /// Tasks that wait for items and have sessions.
    lessees: Vec<usize>,
    setup: Setup,
}

impl Sim {
    /// A client that has not done anything yet.
    ///
    /// # Panics
    /// The configuration cannot be used.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let rng = Rng::with_seed(setup.seed);
        let servers = vec![Server::new(setup.server.clone())];
        let trace = Trace::new(setup.with_text);
        let world = World::new(rng, setup.faults, setup.expected(), servers, trace);
        let mut world = world;
        world.store = setup.leases.as_ref().map(|_| Box::default());
        if let Some(cluster) = &setup.cluster {
            world.form_cluster(cluster.options.clone());
            world.cluster().seeds.clone_from(&cluster.seeds);
            world.cluster().patience = (!setup.faults.are_harmful()).then(|| cluster.patience());
        }
        if let Some(service) = &setup.service {
            world.form_service(service.options.clone());
        }
        let world = Rc::new(RefCell::new(world));
        let net = SimNet { world: Rc::clone(&world), tls: setup.tls.then(tls::server) };
        let (client, driver) = Driver::new(setup.config(), net, setup.seed).expect("a configuration of use");
        let mut executor = Executor::new();
        let driver = executor.spawn(async move {
            driver.await;
            Done::Driver
        });
        executor.wake(driver);
        Self {
            world,
            executor,
            client: Some(client),
            driver,
            driver_polls: 0,
            driver_ended: None,
            closers: Vec::new(),
            calls: Vec::new(),
            call_of: vec![None],
            callers: Vec::new(),
            readers: Vec::new(),
            lessees: Vec::new(),
            setup,
        }
    }

    fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    fn now(&self) -> u64 {
        self.world.borrow().now
    }

    /// Makes a call; its number. Nothing of it happens before time moves on.
    ///
    /// # Panics
    /// The handle was dropped.
    pub fn call(&mut self, plan: Plan) -> usize {
        let client = self.client.clone().expect("the handle is there");
        self.call_by(client, plan, None)
    }

    fn call_by(&mut self, client: Client, plan: Plan, caller: Option<usize>) -> usize {
        let number = self.calls.len();
        let first = {
            let ledger = &mut self.world().ledger;
            let ids: Vec<_> = plan.jobs.iter().map(|&job| ledger.enter(plan.shape, job)).collect();
            ids[0]
        };
        let text = if self.setup.with_text { plan.text(first) } else { String::new() };
        self.world().note(&Note::Call(number, &text));
        let (future, cancel) = (perform(client, plan.clone(), first), plan.cancel);
        let task = self.executor.spawn(async move { Done::Call(future.await) });
        self.call_of.resize(task, None);
        self.call_of.push(Some(number));
        let (begun, deadline, end) = (None, None, None);
        let room = plan.room(first);
        self.calls.push(Call { plan, first, room, task, caller, begun, deadline, unseen: false, end });
        match cancel {
            Cancel::Unpolled => {
                self.calls[number].unseen = true;
                self.cancel(number);
            }
            Cancel::After(time) => {
                let at = self.now() + time;
                self.world().schedule(at, Event::Cancel(number));
                self.executor.wake(task);
            }
            Cancel::Never | Cancel::AtOnce | Cancel::WhenWoken => self.executor.wake(task),
        }
        number
    }

    /// Drops a call where it stands.
    pub fn cancel(&mut self, number: usize) {
        if !self.executor.drop_task(self.calls[number].task) {
            return;
        }
        let now = self.now();
        let call = &mut self.calls[number];
        // The driver has not been polled since: it cannot know of the call.
        call.unseen |= call.begun.is_none_or(|polls| polls == self.driver_polls);
        call.end = Some(End { at: now, outcomes: None });
        self.world().note(&Note::Cancelled(number));
        self.call_next(number);
    }

    /// Drops every call that has not ended.
    fn cancel_all(&mut self) {
        for number in 0..self.calls.len() {
            self.cancel(number);
        }
    }

    /// Asks for the client to be closed.
    pub fn close(&mut self) {
        let Some(client) = self.client.clone() else { return };
        self.world().closing = true;
        self.world().note(&Note::Client("closed"));
        let task = self.executor.spawn(async move {
            client.close().await;
            Done::Closed
        });
        self.call_of.resize(task + 1, None);
        self.closers.push((task, None));
        self.executor.wake(task);
    }

    /// Drops the handle; those of calls under way are left.
    pub fn drop_handle(&mut self) {
        self.world().closing = true;
        self.world().note(&Note::Client("handle dropped"));
        self.client = None;
    }

    /// Drops the driver where it stands.
    pub fn drop_driver(&mut self) {
        self.world().closing = true;
        self.world().note(&Note::Client("driver dropped"));
        if self.executor.drop_task(self.driver) {
            self.driver_ended = Some(self.now());
        }
    }

    /// Lets time pass, and everything happen that happens in it.
    pub fn run_for(&mut self, millis: u64) {
        let until = self.now() + millis * MS;
        self.run_until(until);
    }

    fn run_until(&mut self, until: u64) {
        self.settle();
        while self.is_sound() && self.world.borrow().next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.world().sleep_until(until);
    }

    fn is_sound(&self) -> bool {
        self.world.borrow().violation.is_none()
    }

    /// Moves on to the next event and all that follows from it at once.
    fn step(&mut self) {
        let Some(event) = self.world().pop() else { return };
        match event {
            Event::Poll(task) => self.poll(task),
            Event::Call(caller) => self.call_from(caller),
            Event::Cancel(number) => self.cancel(number),
            other => self.world().handle(other),
        }
        self.settle();
    }

    /// Polls tasks until none is ready.
    fn settle(&mut self) {
        const POLLS_MAX: u32 = 20_000;
        for _ in 0..POLLS_MAX {
            let next = {
                let world = &mut *self.world.borrow_mut();
                let Some(task) = self.executor.next(&mut world.rng) else {
                    return;
                };
                if world.faults.strikes(Class::LatePolls, &mut world.rng, 4) {
                    let at = world.now + world.rng.u64(..2 * MS);
                    world.schedule(at, Event::Poll(task));
                    continue;
                }
                task
            };
            self.poll(next);
        }
        let what = format!("after {POLLS_MAX} polls the tasks are still not at rest");
        self.world().judge(Err(Violation { oracle: "e2_tasks_come_to_rest", what }));
    }

    fn poll(&mut self, task: usize) {
        if !self.executor.is_alive(task) {
            return;
        }
        let call = self.call_of[task];
        if let Some(number) = call {
            let call = &self.calls[number];
            if call.begun.is_some() && call.plan.cancel == Cancel::WhenWoken {
                return self.cancel(number);
            }
            self.begin(number);
        }
        self.driver_polls += u64::from(task == self.driver);
        let moved = {
            let world = &mut *self.world.borrow_mut();
            world.faults.strikes(Class::MovedTasks, &mut world.rng, 4)
        };
        if moved {
            self.executor.move_task(task);
        }
        let done = self.executor.poll(task);
        let now = self.now();
        match (done, call) {
            (Some(Done::Driver), _) => self.driver_ended = Some(now),
            (Some(Done::Closed), _) => {
                let closer = self.closers.iter_mut().find(|(closer, _)| *closer == task);
                closer.into_iter().for_each(|closer| closer.1 = Some(now));
            }
            (Some(Done::Call(outcomes)), Some(number)) => self.finish(number, outcomes),
            (None, Some(number)) if self.calls[number].plan.cancel == Cancel::AtOnce => self.cancel(number),
            _ => {}
        }
    }

    /// A call is polled; the first time is when its time begins.
    fn begin(&mut self, number: usize) {
        let now = self.now();
        let call = &mut self.calls[number];
        if call.begun.is_none() {
            call.begun = Some(self.driver_polls);
            let timeout = match call.plan.patience {
                Patience::Default => Some(self.setup.response_timeout),
                Patience::Within(timeout) => Some(timeout),
                Patience::Unbounded => None,
            };
            call.deadline = timeout.map(|timeout| now + timeout.as_nanos() as u64);
        }
    }

    fn finish(&mut self, number: usize, outcomes: Vec<Outcome>) {
        let now = self.now();
        if self.setup.with_text {
            let text: Vec<_> = outcomes.iter().map(workload::show).collect();
            self.world().note(&Note::Outcome(number, &text.join(" | ")));
        } else {
            let ok = outcomes.iter().map(|outcome| if outcome.is_ok() { '+' } else { '-' });
            self.world().note(&Note::Outcome(number, &ok.collect::<String>()));
        }
        for (id, outcome) in self.calls[number].commands().zip(&outcomes) {
            let world = &mut *self.world.borrow_mut();
            let verdict = oracles::a1_replies_are_ones_own(id, &world.ledger, outcome);
            world.judge(verdict);
        }
        self.calls[number].end = Some(End { at: now, outcomes: Some(outcomes) });
        self.call_next(number);
    }

    /// The caller of a call that has ended makes its next one, now or later.
    fn call_next(&mut self, number: usize) {
        let Some(caller) = self.calls[number].caller else { return };
        let world = &mut *self.world();
        let pause = match world.rng.u8(..8) {
            0..4 => 0,
            4..7 => world.rng.u64(..10 * MS),
            _ => world.rng.u64(..100 * MS),
        };
        world.schedule(world.now + pause, Event::Call(caller));
    }

    fn call_from(&mut self, caller: usize) {
        if let Some(client) = self.client.clone()
            && let Some(plan) = self.callers[caller].pop_front()
        {
            self.call_by(client, plan, Some(caller));
        }
    }

    /// How a call ended, command by command; `None` if it has not, or was dropped.
    #[must_use]
    pub fn outcomes(&self, call: usize) -> Option<&[Outcome]> {
        self.calls[call].end.as_ref()?.outcomes.as_deref()
    }

    /// How often each command of a call has run.
    #[must_use]
    pub fn runs(&self, call: usize) -> Vec<usize> {
        let world = self.world.borrow();
        self.calls[call].commands().map(|id| world.ledger.get(id).runs.len()).collect()
    }

    /// All that has happened so far, for people to read.
    #[must_use]
    pub fn text(&self) -> String {
        self.world.borrow().trace.text().to_owned()
    }
}
