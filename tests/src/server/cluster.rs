//! Real clusters, private to a test.
//!
//! The nodes are numbered as they were made: the primaries first, then the replicas. A number stays with its node,
//! whatever becomes of the node, and every question here is asked of nodes that are up.

mod admin;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use redstart_core::command::slot::{self, SLOTS};
use redstart_core::commands::{
    ClusterCommands, ClusterFailover, ClusterNode, KeyCommands, ListCommands, MigrateOptions, ReplicaLink,
    Role, ServerCommands, SetSlot, SlotRange,
};

use super::{Server, ServerConfig, ServerTls, Version, poll_within};
use crate::wire::Wire;

/// How long the nodes of a cluster may take until they agree. A fresh node alone refuses to serve for two seconds.
pub const AGREEMENT: Duration = Duration::from_secs(40);

/// How long two nodes may take to meet: what a busy machine delays for longer they give up, and nobody tells.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How to start a [`Cluster`].
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    version: Version,
    primaries: usize,
    replicas: usize,
    node_timeout: Duration,
    tls: Option<ServerTls>,
    directives: Vec<(String, String)>,
}

impl ClusterConfig {
    /// Three primaries without replicas. Nodes that are not heard of for two seconds are taken to fail.
    #[must_use]
    pub fn new(version: Version) -> Self {
        let node_timeout = Duration::from_secs(2);
        Self { version, primaries: 3, replicas: 0, node_timeout, tls: None, directives: Vec::new() }
    }

    /// How many primaries share the slots; a majority of them must be up for replicas to take over.
    #[must_use]
    pub fn primaries(mut self, count: usize) -> Self {
        self.primaries = count;
        self
    }

    /// How many replicas there are in all, dealt out to the primaries in turn.
    #[must_use]
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// How long a node is not heard of until it is taken to fail. It should be far above the pauses of a busy
    /// machine, unless a test is about nodes that fail.
    #[must_use]
    pub fn node_timeout(mut self, timeout: Duration) -> Self {
        self.node_timeout = timeout;
        self
    }

    /// All nodes listen for TLS besides, and speak it among themselves.
    #[must_use]
    pub fn tls(mut self, tls: &ServerTls) -> Self {
        self.tls = Some(tls.clone());
        self
    }

    /// Adds a line to the configuration file of every node.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.directives.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts the nodes and returns once they are a cluster that serves all slots.
    ///
    /// # Panics
    /// If the programs are missing, or the nodes do not agree within [`AGREEMENT`].
    #[must_use]
    pub fn start(&self) -> Cluster {
        let node = ServerConfig::new(self.version)
            .cluster_node(self.node_timeout)
            .arg("repl-diskless-sync-delay", 0)
            // Replicas that were sent nothing are not told to clients: so they are sent pings, often.
            .arg("repl-ping-replica-period", 1);
        let node = self.tls.iter().fold(node, ServerConfig::tls);
        let node = self.directives.iter().fold(node, |node, (name, value)| node.arg(name, value));
        let nodes = (0..self.primaries + self.replicas).map(|_| {
            let server = node.start();
            let id = connect(&server).cluster_myid().expect("the node has an id");
            Node { server, id }
        });
        let nodes = nodes.collect();
        let cluster = Cluster { nodes, config: node };
        cluster.join(self.primaries);
        cluster
    }
}

/// A cluster of real servers, which end when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    config: ServerConfig,
}

#[derive(Debug)]
struct Node {
    server: Server,
    id: String,
}

fn connect(server: &Server) -> Wire {
    Wire::connect(server.addr(), 3)
}

/// Has all nodes meet, each of which has told this of itself.
fn introduce(wires: &[Wire], own: &[ClusterNode]) {
    for (index, node) in own.iter().enumerate() {
        for earlier in &wires[..index] {
            earlier.cluster_meet("127.0.0.1", node.port, node.bus_port).expect("a node to meet");
        }
    }
}

impl Cluster {
    /// Makes the nodes a cluster: slots for the first `primaries`, the others follow them in turn.
    fn join(&self, primaries: usize) {
        let wires: Vec<Wire> = self.up().map(|node| connect(&node.server)).collect();
        let share = |index: usize| (usize::from(SLOTS) * index / primaries) as u16;
        for (index, wire) in wires.iter().enumerate() {
            // Without epochs of their own they would have to find out that they need them.
            wire.cluster_set_config_epoch(index as u64 + 1).expect("a fresh node");
            if index < primaries {
                let slots = share(index)..=share(index + 1) - 1;
                wire.cluster_addslotsrange([slots]).expect("free slots");
            }
        }
        let own: Vec<_> = wires.iter().map(|wire| wire.cluster_nodes().expect("a list").remove(0)).collect();
        introduce(&wires, &own);
        let introduced = Cell::new(Instant::now());
        self.until("the nodes to know each other", || {
            let knows_all = |wire: &Wire| {
                let nodes = wire.cluster_nodes().expect("a list");
                nodes.len() == self.len() && nodes.iter().all(|node| !node.flags.contains("handshake"))
            };
            let is_done = wires.iter().all(knows_all);
            if !is_done && introduced.get().elapsed() > HANDSHAKE {
                introduce(&wires, &own);
                introduced.set(Instant::now());
            }
            is_done
        });
        for (index, wire) in wires.iter().enumerate().skip(primaries) {
            wire.cluster_replicate(self.id(index % primaries)).expect("a primary to follow");
        }
        self.await_ok();
    }

    /// How many nodes there are, those that are down among them.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is no cluster without nodes")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The server of a node.
    #[must_use]
    pub fn server(&self, index: usize) -> &Server {
        &self.nodes[index].server
    }

    /// The id of a node.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        &self.nodes[index].id
    }

    /// The number of the node with this id.
    ///
    /// # Panics
    /// If it is none of this cluster.
    #[must_use]
    pub fn index_of(&self, id: &str) -> usize {
        self.nodes.iter().position(|node| node.id == id).expect("an id of this cluster")
    }

    /// A connection to one node, over RESP3.
    ///
    /// # Panics
    /// If the node does not answer.
    #[must_use]
    pub fn wire(&self, index: usize) -> Wire {
        connect(self.server(index))
    }

    /// `redis://127.0.0.1:PORT/` of every node, as seeds for a client.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| node.server.url())
    }

    /// `redis-cluster://127.0.0.1:PORT,.../` with all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let nodes = self.nodes.iter().map(|node| node.server.addr().to_string()).collect::<Vec<_>>();
        format!("redis-cluster://{}/", nodes.join(","))
    }

    /// `rediss-cluster://127.0.0.1:PORT,.../` with the TLS ports of all nodes.
    ///
    /// # Panics
    /// If the nodes have no TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let nodes = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.server.tls_port()));
        format!("rediss-cluster://{}/", nodes.collect::<Vec<_>>().join(","))
    }

    /// What reads whole lists from those who have them, as long as no slot moves.
    pub fn reader(&self) -> impl FnMut(&str) -> Vec<String> {
        let mut wires = BTreeMap::new();
        move |list| {
            let node = self.primary_of(slot::of(list.as_bytes()));
            let wire = wires.entry(node).or_insert_with(|| self.wire(node));
            wire.lrange(list, 0, -1).expect("a list of strings")
        }
    }

    /// Kills a node with SIGKILL. It keeps its id and what it knows of the cluster, but no data.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].server.kill9();
    }

    /// Starts a node again that was killed.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn restart(&mut self, index: usize) {
        self.nodes[index].server.restart();
    }

    /// Stops a node with SIGSTOP: it is silent, but its connections stay open.
    ///
    /// # Panics
    /// If it is down.
    pub fn freeze(&self, index: usize) {
        self.server(index).stop_signal();
    }

    /// Lets a frozen node go on.
    ///
    /// # Panics
    /// If it is down.
    pub fn thaw(&self, index: usize) {
        self.server(index).cont_signal();
    }

    /// Makes a replica take the place of its primary, and waits until all nodes that are up have noticed.
    ///
    /// # Panics
    /// If the node is no replica, or it does not happen within [`AGREEMENT`].
    pub fn fail_over(&self, index: usize, mode: ClusterFailover) {
        self.wire(index).cluster_failover(mode).expect("a replica");
        self.await_primary(index);
    }

    /// Waits until all nodes that are up take this one for a primary that serves slots, and agree.
    ///
    /// # Panics
    /// If it does not happen within [`AGREEMENT`].
    pub fn await_primary(&self, index: usize) {
        self.until("the node to be a primary", || {
            self.up().all(|node| {
                let view = connect(&node.server).cluster_nodes().unwrap_or_default();
                view.iter().any(|seen| seen.id == self.id(index) && !seen.slots.is_empty())
            })
        });
        self.await_ok();
    }

    /// Waits until all slots are served, all nodes that are up agree by whom and who works, and the replicas among
    /// them have caught up and are told to clients.
    ///
    /// # Panics
    /// If that takes longer than [`AGREEMENT`].
    pub fn await_ok(&self) {
        self.until("the nodes to agree", || {
            let first = self.up().next().map(|node| self.view(node)).expect("a node that is up");
            first.iter().all(|node| node.works == self.is_up(&node.id))
                && first.iter().map(Seen::slots).sum::<u16>() == SLOTS
                && self.up().all(|node| self.view(node) == first && self.is_ready(node, &first))
        });
    }

    /// What a node thinks of all; nothing while it reads what its new primary has, when it refuses to say.
    fn view(&self, node: &Node) -> Vec<Seen> {
        let nodes = connect(&node.server).cluster_nodes().unwrap_or_default();
        let mut view: Vec<Seen> = nodes.into_iter().map(Seen::of).collect();
        view.sort();
        view
    }

    fn is_up(&self, id: &str) -> bool {
        self.up().any(|node| node.id == id)
    }

    /// Whether a node serves, follows its primary if it has one that is up, and tells clients of all who serve slots.
    fn is_ready(&self, node: &Node, view: &[Seen]) -> bool {
        let wire = connect(&node.server);
        let follows = match wire.role().expect("a role") {
            Role::Replica { port, link, .. } => {
                link == ReplicaLink::Connected || !self.up().any(|node| node.server.told_port() == port)
            }
            _ => true,
        };
        let slots = wire.cluster_slots().unwrap_or_default();
        let told: BTreeSet<&str> =
            slots.iter().flat_map(|slots| &slots.nodes).filter_map(|node| node.id.as_deref()).collect();
        let serves = |node: &&Seen| node.primary.is_some() || node.slots() > 0;
        follows
            && view.iter().filter(serves).all(|node| told.contains(&*node.id))
            && wire.cluster_info().is_ok_and(|info| info.is_ok)
    }

    fn up(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.server.is_running())
    }

    fn until(&self, what: &str, ask: impl Fn() -> bool) {
        poll_within(AGREEMENT, Duration::from_millis(20), what, || ask().then_some(()));
    }

    /// Which node serves a slot, by the word of the first node that is up.
    ///
    /// # Panics
    /// If none does.
    #[must_use]
    pub fn primary_of(&self, slot: u16) -> usize {
        let node = self.up().next().expect("a node that is up");
        let nodes = connect(&node.server).cluster_nodes().expect("a list");
        let serves = |node: &&ClusterNode| node.slots.iter().any(|range| range.contains(slot));
        self.index_of(&nodes.iter().find(serves).expect("a node that serves the slot").id)
    }

    /// Which slots a node serves, by its own word.
    ///
    /// # Panics
    /// If the node is down.
    #[must_use]
    pub fn slots_of(&self, index: usize) -> Vec<SlotRange> {
        let nodes = self.wire(index).cluster_nodes().expect("a list");
        nodes.into_iter().find(|node| node.id == self.id(index)).expect("the node itself").slots
    }

    /// Which nodes follow a primary, by its own word.
    ///
    /// # Panics
    /// If the node is down or no primary.
    #[must_use]
    pub fn replicas_of(&self, primary: usize) -> Vec<usize> {
        let nodes = self.wire(primary).cluster_replicas(self.id(primary)).expect("a primary");
        nodes.iter().map(|node| self.index_of(&node.id)).collect()
    }

    /// Puts a slot on its way from the node that serves it: from now on that one answers `ASK` for keys that it
    /// does not have.
    ///
    /// # Panics
    /// If one of the two is down, or no primary.
    pub fn begin_move(&self, slot: u16, to: usize) {
        let from = self.primary_of(slot);
        self.wire(to).cluster_setslot(slot, SetSlot::Importing(self.id(from).into())).expect("a primary");
        self.wire(from).cluster_setslot(slot, SetSlot::Migrating(self.id(to).into())).expect("a primary");
    }

    /// Moves all keys of a slot that is on its way, ends the move, and waits until all nodes know.
    ///
    /// # Panics
    /// If one of the two is down, or the slot is not on its way.
    pub fn end_move(&self, slot: u16, to: usize) {
        let from = self.primary_of(slot);
        let (source, target) = (self.wire(from), self.wire(to));
        loop {
            let keys: Vec<Vec<u8>> = source.cluster_getkeysinslot(slot, 100).expect("keys");
            if keys.is_empty() {
                break;
            }
            let (port, patience) = (self.server(to).told_port(), Duration::from_secs(5));
            let options = MigrateOptions::new();
            source.migrate("127.0.0.1", port, keys, 0, patience, options).expect("keys that move");
        }
        for wire in [target, source] {
            wire.cluster_setslot(slot, SetSlot::Node(self.id(to).into())).expect("a slot on its way");
        }
        self.until("the nodes to know who has the slot", || {
            self.up().all(|node| {
                let slots = connect(&node.server).cluster_slots().expect("slots");
                let holder = slots.iter().find(|slots| slots.range.contains(slot));
                holder.and_then(|slots| slots.primary()?.id.as_deref()) == Some(self.id(to))
            })
        });
        self.await_ok();
    }
}

/// What one node thinks of another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    id: String,
    works: bool,
    primary: Option<String>,
    slots: Vec<SlotRange>,
}

impl Seen {
    fn of(node: ClusterNode) -> Self {
        let works = node.is_connected && !["fail", "fail?"].iter().any(|flag| node.flags.contains(*flag));
        // Of a node that failed, each other one remembers what it heard last.
        let (primary, slots) = if works { (node.primary, node.slots) } else { (None, Vec::new()) };
        Self { id: node.id, works, primary, slots }
    }

    fn slots(&self) -> u16 {
        self.slots.iter().map(|range| range.end - range.start + 1).sum()
    }
}
