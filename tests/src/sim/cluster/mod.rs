//! Servers that form a cluster: slots, replicas, views that differ, keys on their way.
//!
//! ```text
//! truth: View, what most nodes agree on --- gossip, which takes time ---> Node: its own view
//! Node (primary): Data --- changes, which take time ---> Node (replica)
//! ```
//!
//! A node answers by what it believes itself, so nodes contradict each other whenever something has changed.
//! Each key holds the numbers of the commands that have changed it: what was lost or done twice can be
//! counted at the end.

mod answers;
mod failover;
mod faults;
mod membership;
mod migration;
mod node;
pub(super) mod oracles;
mod route;
mod scenario;
mod seeds;
mod setup;
#[cfg(test)]
mod tests;
mod told;
mod view;

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use fastrand::Rng;
use redstart_core::command::Value;
use redstart_core::config::Endpoint;
use redstart_core::error::ServerCode;

pub use answers::{Addresses, Lie};
pub(super) use failover::Promotion;
pub use faults::{Trouble, Troubles};
pub use membership::Afterlife;
pub(super) use migration::Migration;
pub(super) use node::Key;
use node::{Change, Node};
use route::{Elsewhere, Errand};
pub use scenario::slot_of;
pub(super) use seeds::TROUBLE;
pub use seeds::run_cluster;
pub use setup::ClusterSetup;
use told::Told;
pub(super) use view::View;

use super::ledger::{Ledger, Turn};
use super::pubsub::Change as PubSubChange;
use super::request::{Op, Request};
use super::server::{Server, Session, error, ok};
use super::tally::Tally;
use super::world::{MS, World};

/// What kind of cluster it is. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many primaries there are at first, which share the slots.
    pub primaries: usize,
    /// How many replicas each has.
    pub replicas: usize,
    /// How many nodes may join.
    pub spares: usize,
    /// Whether neighbouring slots belong to different primaries.
    pub scattered: bool,
    /// How nodes tell where they are.
    pub addresses: Addresses,
    /// The longest time until a node hears of a change.
    pub gossip: u64,
    /// The longest time until a replica has what its primary has.
    pub lag: u64,
    /// How long a node must be silent until the others give it up.
    pub node_timeout: u64,
    /// Whether all nodes refuse everything while some slots are not served.
    pub full_coverage: bool,
    /// Whether a node says `TRYAGAIN` of keys of which some have left it, as since 7.2.
    pub try_again: bool,
}

impl Default for Options {
    /// Three primaries with a replica each; everybody knows everything within 10 ms.
    fn default() -> Self {
        Self {
            primaries: 3,
            replicas: 1,
            spares: 1,
            scattered: false,
            addresses: Addresses::Addresses,
            gossip: 10 * MS,
            lag: MS,
            node_timeout: 100 * MS,
            full_coverage: false,
            try_again: true,
        }
    }
}

/// Something that happens in the cluster at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The others notice that a node is silent.
    Fail(usize),
    /// A replica takes the place of the first node.
    Promote(usize, usize),
    /// A node that stands still goes on.
    Thaw(usize),
    /// A node that is dead comes back.
    Restart(usize),
    /// The next key of a slot leaves for another node.
    Migrate(u16),
    /// Slots go back to a node which they have left.
    Return(u16, u16, usize),
    /// A node hears something.
    Learn(usize),
    /// A node that has left is switched off, once nobody waits for it.
    Vanish(usize),
    /// The address of a node that has left belongs to another cluster.
    Recycle(usize),
    /// A node tells the truth again.
    Calm(usize),
    /// Trouble strikes.
    Strike(Trouble),
}

/// One change of data by a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Applied {
    pub(super) id: usize,
    pub(super) node: usize,
    pub(super) slot: u16,
    pub(super) at: u64,
    /// The node belonged to another cluster.
    pub(super) foreign: bool,
}

/// How many nodes belong to another cluster.
const STRANGERS: usize = 2;

/// All nodes: those of the cluster, those that may join it, and strangers.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) options: Options,
    /// By the number of the server.
    pub(super) nodes: Vec<Node>,
    /// What all will agree on.
    pub(super) truth: Rc<View>,
    pub(super) migrations: Vec<Migration>,
    pub(super) promotions: Vec<Promotion>,
    /// Slots of sharded channels that changed hands, and the version of the view that says so.
    pub(super) moves: Vec<(u64, u16)>,
    /// The nodes that the client knows at first: one of them never leaves.
    pub(super) seeds: Vec<usize>,
    /// How long the client may need to see that a node was replaced, if nothing disturbs it.
    pub(super) patience: Option<u64>,
    pub(super) applied: Vec<Applied>,
    pub(super) tally: Tally,
    /// Questions for the slots: when, and which node was asked.
    pub(super) questions: Vec<(u64, usize)>,
    told: Told,
}

/// A request on its way through a node.
struct Visit<'a> {
    node: usize,
    conn: usize,
    now: u64,
    session: &'a mut Session,
    server: &'a Server,
    ledger: &'a mut Ledger,
    rng: &'a mut Rng,
}

impl Cluster {
    /// A cluster in which all is well.
    pub(super) fn new(options: Options) -> Self {
        let members = options.primaries * (1 + options.replicas);
        let truth = Rc::new(View::first(&options));
        let node = |index: usize| {
            let (host, port) = match options.addresses {
                Addresses::Unknown => ("10.0.0.1".to_owned(), 7000 + index as u16),
                _ if index >= members + options.spares => {
                    (format!("10.9.9.{}", index + 1 - members - options.spares), 7000)
                }
                Addresses::Addresses => (format!("10.0.{}.{}", index / 250, index % 250 + 1), 7000),
                Addresses::Names => (format!("node-{}.sim", index + 1), 7000),
            };
            let view = if index < members { Rc::clone(&truth) } else { Rc::new(View::alone(index)) };
            let mut node = Node::new(host, port, view);
            node.follows = truth.members.get(&index).and_then(|member| member.primary);
            node
        };
        let nodes = (0..members + options.spares + STRANGERS).map(node).collect();
        Self {
            options,
            nodes,
            truth,
            migrations: Vec::new(),
            promotions: Vec::new(),
            moves: Vec::new(),
            seeds: Vec::new(),
            patience: None,
            applied: Vec::new(),
            tally: Tally::default(),
            questions: Vec::new(),
            told: Told::default(),
        }
    }

    /// Nodes that may join or have joined.
    fn spares(&self) -> std::ops::Range<usize> {
        let strangers = self.nodes.len() - STRANGERS;
        strangers - self.options.spares..strangers
    }

    /// Nodes that are there only for an address to be recycled.
    fn strangers(&self) -> std::ops::Range<usize> {
        self.nodes.len() - STRANGERS..self.nodes.len()
    }

    /// How often a command's change is there at last.
    pub(super) fn survivors(&self, id: usize) -> usize {
        let Some(applied) = self.applied.iter().find(|applied| applied.id == id) else { return 0 };
        let slot = applied.slot;
        let underway =
            self.migrations.iter().filter(|running| (running.first..=running.last).contains(&slot));
        let holders = self.truth.owner(slot).into_iter().chain(underway.map(|running| running.to));
        let mut counts: BTreeMap<&Key, usize> = BTreeMap::new();
        for holder in holders {
            let keys = self.nodes[holder].data.range((slot, Bytes::new())..);
            for (key, ids) in keys.take_while(|(key, _)| key.0 == slot) {
                *counts.entry(key).or_default() += ids.iter().filter(|&&other| other == id).count();
            }
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// Where to connect to a node.
    pub(super) fn endpoint(&self, node: usize) -> Endpoint {
        Endpoint::tcp(&*self.nodes[node].host, self.nodes[node].port)
    }

    /// The node at an endpoint.
    pub(super) fn find(&self, endpoint: &Endpoint) -> Option<usize> {
        let Endpoint::Tcp { host, port } = endpoint else { return None };
        self.nodes.iter().position(|node| node.port == *port && *node.host == **host)
    }

    /// Lets a node hear what it has to hear by now, and take over what it has to take over.
    pub(super) fn catch_up(&mut self, index: usize, now: u64) {
        self.nodes[index].learn(now);
        let node = &self.nodes[index];
        let primary = node.view.members.get(&index).and_then(|member| member.primary);
        let keeps_up = match primary {
            Some(primary) => node.keeps_up_with(primary, &self.nodes[primary]),
            None => node.follows.is_none(),
        };
        if !keeps_up {
            let data = primary.map(|primary| {
                self.nodes[primary].catch_up(now);
                (primary, self.nodes[primary].era, self.nodes[primary].data.clone())
            });
            self.nodes[index].follow(data);
        }
        self.nodes[index].catch_up(now);
    }

    /// Whether a node serves nothing.
    fn is_down(&self, index: usize, now: u64) -> bool {
        let node = &self.nodes[index];
        node.unwell_until > now || (self.options.full_coverage && !node.view.is_whole())
    }

    fn answer(&mut self, visit: &mut Visit<'_>, request: &Request) -> Value {
        match (request.name(), request.arg(1)) {
            (b"ASKING", _) => {
                visit.session.asking = true;
                ok()
            }
            (b"READONLY" | b"READWRITE", _) => {
                visit.session.read_only = request.name() == b"READONLY";
                ok()
            }
            (b"CLUSTER", b"SLOTS") => {
                self.tally.note("asked for the slots", true);
                self.tally.note("asked for the slots, and lied", self.nodes[visit.node].lie.is_some());
                self.questions.push((visit.now, visit.node));
                self.slots(visit.node)
            }
            (b"CLUSTER", b"SHARDS") => self.shards(visit.node),
            (b"CLUSTER", b"INFO") => self.info(visit.node, visit.now),
            (b"EXEC", _) => self.exec(visit),
            (b"SSUBSCRIBE" | b"SUNSUBSCRIBE", _) => self.direct(visit, request),
            _ => self.serve(visit, request),
        }
    }

    /// A command of the workload: sent elsewhere, refused, queued or run.
    fn serve(&mut self, visit: &mut Visit<'_>, request: &Request) -> Value {
        let Some(id) = request.id() else { return error("ERR unknown command") };
        let writes = visit.ledger.get(id).job.writes();
        let keys: Vec<Key> = request.keys().map(node::key).collect();
        let refused = if request.name() == b"NOSUCH" {
            Some(error(&format!("ERR unknown command 'NOSUCH' #{id}")))
        } else {
            let refusal = visit.server.refusal.filter(|refusal| refusal.refuses(writes));
            let elsewhere = self.route(visit, &keys, writes).err();
            visit.ledger.turns.extend(match elsewhere {
                Some(Elsewhere::Moved(..) | Elsewhere::Ask(..) | Elsewhere::Astray(..)) => {
                    Some(Turn::Elsewhere(id))
                }
                None if refusal.is_none() => None,
                _ => Some(Turn::Rest(id)),
            });
            let said = elsewhere.map(|elsewhere| self.say(&elsewhere));
            said.or_else(|| refusal.map(|_| visit.server.refuse()))
        };
        let reply = match (refused, &mut visit.session.multi) {
            (Some(refused), multi) => {
                multi.iter_mut().for_each(|multi| multi.broken = true);
                visit.ledger.get_mut(id).refusals += 1;
                refused
            }
            (None, Some(multi)) => {
                multi.queued.push(id);
                multi.keys.push(keys);
                return Value::Status("QUEUED".into());
            }
            (None, None) => self.run(visit, id, keys, false),
        };
        visit.ledger.get_mut(id).replies.push(reply.clone());
        reply
    }

    fn exec(&mut self, visit: &mut Visit<'_>) -> Value {
        let Some(multi) = visit.session.multi.take() else { return error("ERR EXEC without MULTI") };
        let writes = multi.queued.iter().any(|&id| visit.ledger.get(id).job.writes());
        let refusal = visit.server.refusal.filter(|refusal| refusal.refuses(writes));
        let refused = match (self.route(visit, &multi.keys.concat(), writes), refusal) {
            (Err(elsewhere), _) => Some(self.say(&elsewhere)),
            _ if multi.broken => Some(error("EXECABORT Transaction discarded because of previous errors.")),
            (Ok(()), Some(refusal)) => {
                Some(error(&format!("EXECABORT Transaction discarded because of: {}", refusal.text())))
            }
            (Ok(()), None) => None,
        };
        if let Some(refused) = refused {
            let rests = matches!(&refused, Value::Error(error) if error.code() == ServerCode::TryAgain);
            for &id in &multi.queued {
                visit.ledger.get_mut(id).refusals += 1;
                visit.ledger.turns.extend(rests.then_some(Turn::Rest(id)));
            }
            return refused;
        }
        let run = |(&id, keys)| {
            let reply = self.run(visit, id, keys, true);
            visit.ledger.get_mut(id).replies.push(reply.clone());
            reply
        };
        Value::Array(multi.queued.iter().zip(multi.keys).map(run).collect())
    }

    fn route(&self, visit: &Visit<'_>, keys: &[Key], writes: bool) -> Result<(), Elsewhere> {
        let Session { asking, read_only, .. } = *visit.session;
        let errand = Errand { keys, writes, asking, read_only, channels: false };
        let is_down = self.is_down(visit.node, visit.now);
        self.nodes[visit.node].route(visit.node, errand, is_down, self.options.try_again)
    }

    /// A sharded channel: at the node that serves its slot, or a replica of that.
    fn direct(&mut self, visit: &Visit<'_>, request: &Request) -> Value {
        let keys: Vec<Key> = request.args.iter().skip(1).map(node::key).collect();
        let errand = Errand { keys: &keys, writes: false, asking: false, read_only: true, channels: true };
        let is_down = self.is_down(visit.node, visit.now);
        let way = self.nodes[visit.node].route(visit.node, errand, is_down, self.options.try_again);
        way.map_or_else(|elsewhere| self.say(&elsewhere), |()| ok())
    }

    /// Runs a command; its reply.
    fn run(&mut self, visit: &mut Visit<'_>, id: usize, keys: Vec<Key>, in_multi: bool) -> Value {
        let job = visit.ledger.get(id).job;
        let mut reply = visit.ledger.run(id, visit.conn, in_multi);
        if !job.can_run() {
            return reply;
        }
        let foreign = self.nodes[visit.node].foreign;
        let slot = keys.first().map_or(0, |(slot, _)| *slot);
        let rightful = self.truth.owner(slot) == Some(visit.node) || visit.session.asking;
        self.tally.note("written to a primary that had been replaced", job.writes() && !rightful);
        let replica = self.nodes[visit.node].follows.is_some();
        self.tally.note("read from a replica", replica);
        self.tally.note("ran behind ASKING", visit.session.asking);
        self.applied.push(Applied { id, node: visit.node, slot, at: visit.now, foreign });
        if job.writes() {
            for key in keys {
                if job.op == Op::Push {
                    let before = self.nodes[visit.node].data.get(&key).map_or(0, Vec::len);
                    reply = Value::Integer(before as i64 + 1);
                }
                self.change(visit.node, visit.now, visit.rng, Change::Append(key, id));
            }
        }
        reply
    }

    /// Changes the data of a primary, and later those of its replicas.
    fn change(&mut self, primary: usize, now: u64, rng: &mut Rng, change: Change) {
        for node in self.nodes.iter_mut().filter(|node| node.follows == Some(primary)) {
            node.replicate(now + rng.u64(..=self.options.lag), change.clone());
        }
        change.apply(&mut self.nodes[primary].data);
    }

    /// What a node says that does not serve a command.
    fn say(&mut self, elsewhere: &Elsewhere) -> Value {
        self.tally.note(
            match elsewhere {
                Elsewhere::Moved(..) => "moved",
                Elsewhere::Astray(..) => "sent astray",
                Elsewhere::Ask(..) => "asked to ask",
                Elsewhere::TryAgain => "asked to try again",
                Elsewhere::Unbound | Elsewhere::Down => "cluster down",
                Elsewhere::CrossSlot => "keys of several slots",
            },
            true,
        );
        error(&match elsewhere {
            Elsewhere::Moved(slot, to) => format!("MOVED {slot} {}", self.address(*to)),
            Elsewhere::Astray(slot, to) => format!("MOVED {slot} {to}"),
            Elsewhere::Ask(slot, to) => format!("ASK {slot} {}", self.address(*to)),
            Elsewhere::TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot".to_owned(),
            Elsewhere::Unbound => "CLUSTERDOWN Hash slot not served".to_owned(),
            Elsewhere::Down => "CLUSTERDOWN The cluster is down".to_owned(),
            Elsewhere::CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot".to_owned(),
        })
    }
}

impl World {
    /// Makes the servers a cluster, and as many of them as it has nodes.
    pub(super) fn form_cluster(&mut self, options: Options) {
        let cluster = Cluster::new(options);
        let settings = self.servers[0].settings.clone();
        self.servers = cluster.nodes.iter().map(|_| Server::new(settings.clone())).collect();
        for (index, server) in self.servers.iter_mut().enumerate() {
            server.absent = !cluster.truth.members.contains_key(&index);
        }
        // The last one stands for all addresses where nobody is.
        self.servers.push(Server { absent: true, ..Server::default() });
        self.cluster = Some(Box::new(cluster));
    }

    /// The server at an endpoint.
    pub(super) fn find(&self, endpoint: &Endpoint) -> usize {
        let Some(cluster) = &self.cluster else { return 0 };
        cluster.find(endpoint).unwrap_or(cluster.nodes.len())
    }

    /// What a node of the cluster says to a request.
    pub(super) fn answer_in_cluster(&mut self, id: usize, request: &Request) -> Value {
        let Self { conns, servers, ledger, cluster, rng, now, .. } = self;
        let Some(cluster) = cluster else { return error("ERR no cluster") };
        let conn = &mut conns[id];
        let (node, now, session) = (conn.server, *now, &mut conn.session);
        let server = &servers[node];
        cluster.catch_up(node, now);
        // Where sharded channels are is a matter of slots.
        let is_sharded = PubSubChange::of(request.name()).is_some_and(PubSubChange::is_sharded);
        let greeting = server.greet(session, request).filter(|reply| !is_sharded || *reply != ok());
        let reply = greeting.unwrap_or_else(|| {
            let mut visit = Visit { node, conn: id, now, session, server, ledger, rng };
            cluster.answer(&mut visit, request)
        });
        let conn = &mut self.conns[id];
        let session = &mut conn.session;
        session.asking &= session.multi.is_some() || request.name() == b"ASKING";
        reply
    }

    /// Something happens in the cluster.
    pub(super) fn handle_step(&mut self, step: Step) {
        match step {
            Step::Fail(node) => self.fail(node),
            Step::Promote(from, to) => self.promote(from, to),
            Step::Thaw(node) => self.thaw(node),
            Step::Restart(node) => self.restart(node),
            Step::Migrate(first) => self.migrate_next(first),
            Step::Return(first, last, to) => self.return_slots(first, last, to),
            Step::Learn(node) => self.learn(node),
            Step::Vanish(node) => self.vanish(node),
            Step::Recycle(node) => self.recycle(node),
            Step::Calm(node) => self.tell_truth(node),
            Step::Strike(trouble) => self.strike_cluster(trouble),
        }
    }
}
