//! The servers' part: who is subscribed to what, what is published, and who hears of it.

use std::collections::BTreeMap;

use redstart_core::command::slot;
use redstart_core::pubsub::Kind;

use super::super::cluster::Cluster;
use super::super::conn::{Conn, Stage};
use super::super::request::Request;
use super::super::trace::Note;
use super::super::world::World;
use super::CHANNELS;

/// What a connection is subscribed to, and since which view of its node: see [`Cluster::has_lost`].
pub(in super::super) type Topics = BTreeMap<(Kind, Vec<u8>), u64>;

/// Where something is published: [`Kind::Channel`] or [`Kind::Shard`], and the number of the channel.
pub(in super::super) type Channel = (Kind, usize);

/// When the messages of each channel were published, in their order.
#[derive(Debug, Default)]
pub(in super::super) struct Published(BTreeMap<Channel, Vec<u64>>);

impl Published {
    /// How many messages a channel has had.
    pub(super) fn count(&self, channel: Channel) -> u64 {
        self.0.get(&channel).map_or(0, |times| times.len() as u64)
    }

    /// When the message with this number was published, of which the first is 1.
    pub(super) fn time(&self, channel: Channel, number: u64) -> Option<u64> {
        self.0.get(&channel)?.get((number as usize).checked_sub(1)?).copied()
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Told {
    channel: Channel,
    number: u64,
}

/// What a command does to subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Change {
    kind: Kind,
    begin: bool,
}

impl Change {
    /// What this command does, if it is about subscriptions.
    pub(in super::super) fn of(name: &[u8]) -> Option<Self> {
        let (kind, begin) = match name {
            b"SUBSCRIBE" => (Kind::Channel, true),
            b"UNSUBSCRIBE" => (Kind::Channel, false),
            b"PSUBSCRIBE" => (Kind::Pattern, true),
            b"PUNSUBSCRIBE" => (Kind::Pattern, false),
            b"SSUBSCRIBE" => (Kind::Shard, true),
            b"SUNSUBSCRIBE" => (Kind::Shard, false),
            _ => return None,
        };
        Some(Self { kind, begin })
    }

    /// Whether it is of slots where it may be.
    pub(in super::super) fn is_sharded(self) -> bool {
        self.kind == Kind::Shard
    }

    /// Does it on a connection whose node has this view, and appends what the server says to it.
    pub(in super::super) fn confirm(
        self,
        topics: &mut Topics,
        view: u64,
        request: &Request,
        resp3: bool,
        out: &mut Vec<u8>,
    ) {
        for name in request.args.iter().skip(1) {
            let topic = (self.kind, name.to_vec());
            if self.begin {
                topics.insert(topic, view)
            } else {
                topics.remove(&topic)
            };
            let verb = request.name().to_ascii_lowercase();
            confirm(&verb, name, topics, resp3, out);
        }
    }
}

/// The name of a channel. Sharded ones are in the slots of some of the keys.
pub(super) fn name((kind, number): Channel) -> String {
    if kind == Kind::Shard { format!("{{{}}}sh", 5 * number) } else { format!("ch:{number}") }
}

/// The channel of this name.
pub(super) fn channel(kind: Kind, text: &[u8]) -> Option<Channel> {
    let kind = if kind == Kind::Shard { kind } else { Kind::Channel };
    (0..CHANNELS).map(|number| (kind, number)).find(|channel| name(*channel).as_bytes() == text)
}

/// The slots of the sharded channels.
pub(in super::super) fn slots() -> impl Iterator<Item = u16> {
    (0..CHANNELS).map(|number| slot::of(name((Kind::Shard, number)).as_bytes()))
}

impl World {
    /// Something is published, if there is a server that takes it.
    pub(in super::super) fn publish(&mut self, channel: Channel) {
        let servers = self.hearers(channel);
        if !servers.iter().any(|&server| self.servers[server].is_up()) {
            return;
        }
        let times = self.published.0.entry(channel).or_default();
        times.push(self.now);
        let told = Told { channel, number: times.len() as u64 };
        self.note(&Note::Server(&format!("{} is told {}", name(channel), told.number)));
        for server in servers {
            if self.servers[server].frozen {
                self.servers[server].unheard.push(told);
            } else if self.servers[server].is_up() {
                self.spread(server, told);
            }
        }
    }

    /// The servers that hear of what is published. The first takes it; in a cluster any does that is well, unless
    /// there are slots.
    fn hearers(&self, (kind, number): Channel) -> Vec<usize> {
        if let Some(cluster) = &self.cluster {
            if kind == Kind::Channel {
                return cluster.truth.members.keys().copied().collect();
            }
            let slot = slot::of(name((kind, number)).as_bytes());
            let owner = cluster.truth.owner(slot).filter(|&owner| self.servers[owner].is_up());
            let Some(owner) = owner else { return Vec::new() };
            // A node is known as a replica once it says so itself, and it knows whose by then.
            let knows = |replica: &usize| cluster.nodes[*replica].view.owner(slot) == Some(owner);
            let replicas = cluster.nodes[owner].view.replicas(owner).filter(knows);
            return std::iter::once(owner).chain(replicas).collect();
        }
        match &self.service {
            Some(watch) if self.servers[watch.primary].is_up() => {
                let copies = (0..watch.servers.len()).filter(|&server| watch.is_copy(server));
                std::iter::once(watch.primary).chain(copies).collect()
            }
            Some(_) => Vec::new(),
            None => vec![0],
        }
    }

    /// A server that went on hears of what was published meanwhile.
    pub(in super::super) fn catch_up_on_messages(&mut self, server: usize) {
        let unheard = std::mem::take(&mut self.servers[server].unheard);
        unheard.into_iter().for_each(|told| self.spread(server, told));
    }

    /// A server tells all who are subscribed.
    fn spread(&mut self, server: usize, Told { channel, number }: Told) {
        let (own, payload) = (name(channel), format!("{number} {}", name(channel)));
        for id in self.conns_of(server) {
            let conn = &self.conns[id];
            if !is_heard(conn) || conn.down.silent {
                continue;
            }
            let mut out = Vec::new();
            for (kind, topic) in conn.session.topics.keys() {
                let parts: &[&[u8]] = match kind {
                    Kind::Pattern if channel.0 == Kind::Channel => {
                        &[b"pmessage", topic, own.as_bytes(), payload.as_bytes()]
                    }
                    Kind::Channel if topic == own.as_bytes() => &[b"message", topic, payload.as_bytes()],
                    Kind::Shard if topic == own.as_bytes() => &[b"smessage", topic, payload.as_bytes()],
                    _ => continue,
                };
                header(conn.session.resp3, parts.len(), &mut out);
                parts.iter().for_each(|part| string(part, &mut out));
            }
            self.send_down(id, &out);
        }
    }

    /// A node of a cluster ends the subscriptions of sharded channels whose slots have left it, as far as it has
    /// heard.
    pub(in super::super) fn end_lost_subscriptions(&mut self, node: usize) {
        let now = self.now;
        if !self.expected.readers || !self.is_well(node) {
            return;
        }
        for id in self.conns_of(node) {
            let Self { conns, cluster: Some(cluster), .. } = self else { return };
            cluster.catch_up(node, now);
            let conn = &mut conns[id];
            let topics = &mut conn.session.topics;
            let is_lost = |((kind, name), since): (&(Kind, Vec<u8>), &u64)| {
                (*kind == Kind::Shard && cluster.has_lost(node, slot::of(name), *since)).then(|| name.clone())
            };
            let lost: Vec<_> = topics.iter().filter_map(is_lost).collect();
            let mut out = Vec::new();
            for name in lost {
                topics.remove(&(Kind::Shard, name.clone()));
                confirm(b"sunsubscribe", &name, topics, conn.session.resp3, &mut out);
                cluster.tally.note("sharded subscriptions ended by nodes", true);
            }
            if is_heard(conn) && !conn.down.silent {
                self.send_down(id, &out);
            }
        }
    }
}

impl Cluster {
    /// Whether a slot has left a node since it had a view, by what it has heard.
    fn has_lost(&self, node: usize, slot: u16, since: u64) -> bool {
        let heard = self.nodes[node].view.version;
        let left = |&(version, moved): &(u64, u16)| moved == slot && since < version && version <= heard;
        heard < since || self.moves.iter().any(left)
    }
}

fn is_heard(conn: &Conn) -> bool {
    conn.stage == Stage::Open && !conn.broken && conn.served
}

/// Appends what a server says of a subscription that has begun or ended.
fn confirm(verb: &[u8], name: &[u8], topics: &Topics, resp3: bool, out: &mut Vec<u8>) {
    let is_sharded = verb.starts_with(b"s") && verb != b"subscribe";
    let count = topics.keys().filter(|(kind, _)| (*kind == Kind::Shard) == is_sharded).count();
    header(resp3, 3, out);
    [verb, name].into_iter().for_each(|part| string(part, out));
    out.extend_from_slice(format!(":{count}\r\n").as_bytes());
}

fn header(resp3: bool, len: usize, out: &mut Vec<u8>) {
    out.push(if resp3 { b'>' } else { b'*' });
    out.extend_from_slice(format!("{len}\r\n").as_bytes());
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}
