//! What nodes say of their cluster: `CLUSTER SLOTS`, `SHARDS` and `INFO`, true or not.

use redstart_core::command::Value;

use super::Cluster;
use super::view::{Span, View};

/// How a node's word on the slots is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nobody serves anything.
    Empty,
    /// It knows half of the slots.
    Partial,
    /// Two nodes serve the same slots.
    Overlap,
    /// Nodes listen on port 0.
    PortZero,
    /// Nodes listen on ports beyond 65,535.
    PortHuge,
    /// There are slots beyond 16,383.
    SlotBeyond,
    /// No node's host is known: `?`.
    UnknownHosts,
    /// Hosts are empty, which means that all nodes are where it is.
    EmptyHosts,
    /// Hosts are nil, which means the same.
    NilHosts,
    /// It serves everything by itself.
    AllMine,
    /// The answer has another shape.
    Shapeless,
    /// The answer is an error.
    Refused,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Empty,
        Self::Partial,
        Self::Overlap,
        Self::PortZero,
        Self::PortHuge,
        Self::SlotBeyond,
        Self::UnknownHosts,
        Self::EmptyHosts,
        Self::NilHosts,
        Self::AllMine,
        Self::Shapeless,
        Self::Refused,
    ];
}

/// How nodes tell where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Each has an address of its own.
    #[default]
    Addresses,
    /// Each has a name of its own.
    Names,
    /// All have one address, which they do not know: hosts are nil, or left out.
    Unknown,
}

fn bulk(text: impl Into<String>) -> Value {
    Value::Bulk(text.into().into())
}

fn number(number: impl Into<i64>) -> Value {
    Value::Integer(number.into())
}

/// A node's id, which it keeps wherever it is.
fn name(node: usize) -> Value {
    bulk(format!("{:040x}", 0xabcd_0000 + node))
}

impl Cluster {
    /// The answer of `node` to `CLUSTER SLOTS`.
    pub(super) fn slots(&self, node: usize) -> Value {
        let lie = self.nodes[node].lie;
        let view = &*self.nodes[node].view;
        let mut entries: Vec<_> = match lie {
            Some(Lie::Refused) => return crate::sim::server::error("ERR internal error"),
            Some(Lie::Empty) => Vec::new(),
            Some(Lie::Shapeless) => vec![number(0), bulk("16383"), Value::Nil],
            Some(Lie::AllMine) => {
                let all = Span { first: 0, last: 16_383, owner: Some(node) };
                vec![self.slots_entry(all, &[node], lie)]
            }
            _ => {
                let replicas = view.all_replicas();
                let entry = |(span, owner): (Span, usize)| {
                    let well = replicas.get(&owner).into_iter().flatten().filter(|&&node| !view.failed(node));
                    let nodes: Vec<_> = std::iter::once(owner).chain(well.copied()).collect();
                    self.slots_entry(span, &nodes, lie)
                };
                view.served().map(entry).collect()
            }
        };
        match lie {
            Some(Lie::Partial) => entries.truncate(entries.len().div_ceil(2)),
            Some(Lie::Overlap) => {
                let mut served = view.served();
                if let (Some((span, _)), Some((_, other))) = (served.next(), served.last()) {
                    entries.push(self.slots_entry(span, &[other], lie));
                }
            }
            _ => {}
        }
        Value::Array(entries)
    }

    fn slots_entry(&self, span: Span, nodes: &[usize], lie: Option<Lie>) -> Value {
        let last = if lie == Some(Lie::SlotBeyond) { 99_999 } else { i64::from(span.last) };
        let nodes = nodes.iter().map(|&node| self.slots_node(node, lie));
        Value::Array([number(span.first), number(last)].into_iter().chain(nodes).collect())
    }

    fn slots_node(&self, node: usize, lie: Option<Lie>) -> Value {
        let place = &self.nodes[node];
        let host = match lie {
            Some(Lie::UnknownHosts) => bulk("?"),
            Some(Lie::EmptyHosts) => bulk(""),
            Some(Lie::NilHosts) => Value::Nil,
            _ if self.options.addresses == Addresses::Unknown => Value::Nil,
            _ => bulk(&*place.host),
        };
        let port = match lie {
            Some(Lie::PortZero) => 0,
            Some(Lie::PortHuge) => 70_000,
            _ => i64::from(place.port),
        };
        Value::Array(vec![host, number(port), name(node), Value::Map(Vec::new())])
    }

    /// The answer of `node` to `CLUSTER SHARDS`.
    pub(super) fn shards(&self, node: usize) -> Value {
        let view = &*self.nodes[node].view;
        let primaries = view.members.iter().filter(|(_, member)| member.primary.is_none());
        let shard = |(&primary, _)| {
            let slots = view.spans_of(primary).flat_map(|span| [number(span.first), number(span.last)]);
            let nodes = std::iter::once(primary).chain(view.replicas(primary));
            Value::Map(vec![
                (bulk("slots"), Value::Array(slots.collect())),
                (bulk("nodes"), Value::Array(nodes.map(|node| self.shards_node(view, node)).collect())),
            ])
        };
        Value::Array(primaries.map(shard).collect())
    }

    fn shards_node(&self, view: &View, node: usize) -> Value {
        let place = &self.nodes[node];
        let unknown = self.options.addresses == Addresses::Unknown;
        let replica = view.members.get(&node).is_some_and(|member| member.primary.is_some());
        Value::Map(vec![
            (bulk("id"), name(node)),
            (bulk("port"), number(place.port)),
            (bulk("ip"), bulk(&*place.host)),
            (bulk("endpoint"), bulk(if unknown { "" } else { &*place.host })),
            (bulk("role"), bulk(if replica { "replica" } else { "master" })),
            (bulk("replication-offset"), number(14)),
            (bulk("health"), bulk(if view.failed(node) { "fail" } else { "online" })),
        ])
    }

    /// The answer of `node` to `CLUSTER INFO`.
    pub(super) fn info(&self, node: usize, now: u64) -> Value {
        let view = &*self.nodes[node].view;
        let (slots, owners) = view.coverage();
        let state = if self.is_down(node, now) { "fail" } else { "ok" };
        let mine = view.members.get(&node).map_or(0, |member| member.epoch);
        let text = format!(
            "cluster_state:{state}\r\ncluster_slots_assigned:{slots}\r\ncluster_slots_ok:{slots}\r\n\
             cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:{}\r\n\
             cluster_size:{owners}\r\ncluster_current_epoch:{}\r\ncluster_my_epoch:{mine}\r\n",
            view.members.len(),
            view.epoch,
        );
        Value::Verbatim { format: "txt".to_owned(), text }
    }

    /// A node as `MOVED` and `ASK` name it.
    pub(super) fn address(&self, node: usize) -> String {
        let Some(node) = self.nodes.get(node) else { return ":0".to_owned() };
        let host = if self.options.addresses == Addresses::Unknown { "" } else { &*node.host };
        format!("{host}:{}", node.port)
    }
}
