//! Servers of which one is the primary, and sentinels that watch over them.
//!
//! ```text
//! truth: primary and epoch --- hellos, which take time ---> Watcher: what one sentinel knows
//! Data (primary) --- writes, which take time ---> Data (replica)
//! ```
//!
//! A primary that is silent is replaced after a while. When it is back it takes itself for the primary until
//! it is told otherwise. Every server has the numbers of the writes that it has done, in order: what was lost
//! or done twice can be counted at the end.

mod answers;
mod data;
mod failover;
mod faults;
pub(super) mod oracles;
mod scenario;
mod seeds;
mod setup;

use std::collections::BTreeMap;

use redstart_core::command::Value;
use redstart_core::config::Endpoint;

pub use self::answers::Lie;
use self::answers::Watcher;
use self::data::Data;
pub(super) use self::failover::Promotion;
pub use self::faults::{Mishap, Mishaps};
pub use self::seeds::run_service;
pub(super) use self::seeds::{PAUSE, TROUBLE};
pub use self::setup::ServiceSetup;
use super::request::Request;
use super::server::{Refusal, Server, Settings, error};
use super::world::{MS, World};

/// The name of the service.
pub(super) const SERVICE: &str = "main";

/// What kind of service it is. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// How many replicas the primary has at first.
    pub replicas: usize,
    /// How many sentinels there are.
    pub sentinels: usize,
    /// The longest time until a sentinel, or a server, hears of a change.
    pub gossip: u64,
    /// The longest time until a replica has what its primary has.
    pub lag: u64,
    /// How long a server must be silent until the sentinels agree that it is down.
    pub down_after: u64,
    /// How long a server that was replaced may take itself for the primary.
    pub stale: u64,
    /// Whether the sentinels close the connections of clients with a server that they give another part.
    pub closes: bool,
    /// The password that the sentinels want.
    pub password: Option<&'static str>,
}

impl Default for Service {
    /// Two replicas and three sentinels; everybody knows everything within 10 ms.
    fn default() -> Self {
        Self {
            replicas: 2,
            sentinels: 3,
            gossip: 10 * MS,
            lag: MS,
            down_after: 100 * MS,
            stale: 50 * MS,
            closes: true,
            password: None,
        }
    }
}

/// Something that happens in the service at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The sentinels agree that a server is down.
    Fail(usize),
    /// The second server takes the place of the first.
    Promote(usize, usize),
    /// A server is told whom to follow.
    Follow(usize),
    /// A server that stands still goes on.
    Thaw(usize),
    /// A server that is dead comes back.
    Restart(usize),
    /// A sentinel hears what is true.
    Learn(usize),
    /// A sentinel tells the truth again.
    Calm(usize),
    /// Something goes wrong.
    Strike(Mishap),
}

/// One command that a server has run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Applied {
    pub(super) id: usize,
    pub(super) server: usize,
    pub(super) at: u64,
}

/// All servers and sentinels. A sentinel's number is behind those of the servers.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) options: Service,
    /// By the number of the server.
    pub(super) servers: Vec<Data>,
    pub(super) sentinels: Vec<Watcher>,
    /// The server that the sentinels have agreed on.
    pub(super) primary: usize,
    /// How often they have agreed on another one.
    pub(super) epoch: u64,
    pub(super) promotions: Vec<Promotion>,
    pub(super) applied: Vec<Applied>,
    /// What the client has written, when, and to which server.
    pub(super) sent: Vec<(u64, usize, usize)>,
    /// Questions for the primary: when, and which sentinel was asked.
    pub(super) questions: Vec<(u64, usize)>,
    /// How often a sentinel has told a client of a new primary.
    pub(super) pushes: usize,
    /// The connections on which servers have said what they are, and whether that was the primary at some time.
    pub(super) told: BTreeMap<usize, bool>,
}

impl Watch {
    fn new(options: Service) -> Self {
        let servers = (0..=options.replicas).map(|index| Data::new((index > 0).then_some(0))).collect();
        let sentinels = (0..options.sentinels).map(|_| Watcher::default()).collect();
        Self {
            options,
            servers,
            sentinels,
            primary: 0,
            epoch: 0,
            promotions: Vec::new(),
            applied: Vec::new(),
            sent: Vec::new(),
            questions: Vec::new(),
            pushes: 0,
            told: BTreeMap::new(),
        }
    }

    /// The sentinel with this number among all servers, unless its address belongs to another server now.
    pub(super) fn sentinel(&self, server: usize) -> Option<usize> {
        let index = server.checked_sub(self.servers.len())?;
        self.sentinels.get(index).filter(|watcher| !watcher.recycled).map(|_| index)
    }

    /// The number of a sentinel among all servers.
    pub(super) fn number_of(&self, sentinel: usize) -> usize {
        self.servers.len() + sentinel
    }

    /// Where a server or a sentinel is.
    pub(super) fn place(&self, server: usize) -> (String, u16) {
        match server.checked_sub(self.servers.len()) {
            None => (format!("10.1.0.{}", server + 1), 6379),
            Some(sentinel) => (format!("10.2.0.{}", sentinel + 1), 26379),
        }
    }

    pub(super) fn endpoint(&self, server: usize) -> Endpoint {
        let (host, port) = self.place(server);
        Endpoint::tcp(host, port)
    }

    fn find(&self, endpoint: &Endpoint) -> Option<usize> {
        (0..self.servers.len() + self.sentinels.len()).find(|&server| self.endpoint(server) == *endpoint)
    }

    /// How often a write is there at last.
    pub(super) fn survivors(&self, id: usize) -> usize {
        self.servers[self.primary].log.iter().filter(|&&other| other == id).count()
    }
}

impl World {
    /// The service.
    ///
    /// # Panics
    /// There is none.
    pub(super) fn watch(&mut self) -> &mut Watch {
        self.service.as_mut().expect("a world with a service")
    }

    /// Makes the servers a service.
    pub(super) fn form_service(&mut self, options: Service) {
        let settings = self.servers[0].settings.clone();
        let of_sentinels = Settings { password: options.password, tokens: None, ..settings.clone() };
        let watch = Watch::new(options);
        self.servers = watch.servers.iter().map(|_| Server::new(settings.clone())).collect();
        self.servers.extend(watch.sentinels.iter().map(|_| Server::new(of_sentinels.clone())));
        // The last one stands for all addresses where nobody is.
        self.servers.push(Server { absent: true, ..Server::default() });
        self.service = Some(Box::new(watch));
    }

    /// The server at an endpoint.
    pub(super) fn find_in_service(&self, endpoint: &Endpoint) -> usize {
        let found = self.service.as_ref().and_then(|watch| watch.find(endpoint));
        found.unwrap_or(self.servers.len() - 1)
    }

    /// Whether a connection leads to a sentinel, or to where one was.
    pub(super) fn is_sentinel(&self, id: usize) -> bool {
        self.service.as_ref().is_some_and(|watch| self.conns[id].server >= watch.servers.len())
    }

    /// What a server or a sentinel says to a request.
    pub(super) fn answer_in_service(&mut self, id: usize, request: &Request) -> Value {
        let Self { conns, servers, service, now, .. } = self;
        let Some(watch) = service else { return error("ERR no service") };
        let (server, session) = (conns[id].server, &mut conns[id].session);
        let is_data = server < watch.servers.len();
        if let Some(greeting) = servers[server].greet(session, request) {
            return greeting;
        }
        match (watch.sentinel(server), request.name()) {
            (Some(sentinel), name) => {
                if request.arg(1) == b"GET-MASTER-ADDR-BY-NAME" {
                    watch.questions.push((*now, sentinel));
                }
                let up: Vec<bool> = servers.iter().map(Server::is_up).collect();
                watch.answer_as_sentinel(sentinel, name, request, &up)
            }
            (None, b"ROLE") => {
                let is_primary = !is_data || watch.servers[server].follows.is_none();
                *watch.told.entry(id).or_insert(false) |= is_primary;
                watch.role(server)
            }
            (None, _) if is_data => self.run_in_service(id, request),
            // Another service has this address now.
            (None, _) => error("ERR unknown command"),
        }
    }

    /// A command of the workload comes to a server.
    fn run_in_service(&mut self, id: usize, request: &Request) -> Value {
        let Self { conns, servers, service, ledger, rng, now, .. } = self;
        let Some(watch) = service else { return error("ERR no service") };
        let (server, session) = (conns[id].server, &mut conns[id].session);
        watch.servers[server].catch_up(*now);
        let is_replica = watch.servers[server].follows.is_some();
        let refusal = servers[server].refusal.or_else(|| is_replica.then_some(Refusal::ReadOnly));
        let settings = servers[server].settings.clone();
        let queued = session.multi.iter().flat_map(|multi| multi.queued.iter().copied());
        let concerned: Vec<usize> =
            if request.name() == b"EXEC" { queued.collect() } else { request.id().into_iter().collect() };
        let runs = |ledger: &super::ledger::Ledger| {
            concerned.iter().map(|&id| ledger.get(id).runs.len()).collect::<Vec<_>>()
        };
        let before = runs(ledger);
        let stand_in = Server { refusal, ..Server::new(settings) };
        let reply = stand_in.answer(session, id, request, ledger);
        for ((&id, before), after) in concerned.iter().zip(before).zip(runs(ledger)) {
            if after > before {
                watch.apply(id, server, *now, ledger.get(id).job.writes(), rng);
            }
        }
        reply
    }

    /// The client has written a command of the workload.
    pub(super) fn follow_command(&mut self, id: usize, command: usize) {
        let Some(watch) = &mut self.service else { return };
        let server = self.conns[id].server;
        watch.sent.push((self.now, server, command));
        let told = watch.told.get(&id).copied();
        let is_server = server < watch.servers.len();
        let writes = self.ledger.get(command).job.writes();
        self.judge(oracles::c10_roles_are_checked(id, told, is_server, writes));
    }

    /// Something happens in the service.
    pub(super) fn handle_service_step(&mut self, step: Step) {
        match step {
            Step::Fail(server) => self.fail_server(server),
            Step::Promote(from, to) => self.promote_server(from, to),
            Step::Follow(server) => self.follow_primary(server),
            Step::Thaw(server) => self.thaw(server),
            Step::Restart(server) => self.restart(server),
            Step::Learn(sentinel) => self.enlighten(sentinel),
            Step::Calm(sentinel) => self.calm_sentinel(sentinel),
            Step::Strike(mishap) => self.strike_service(mishap),
        }
    }
}
