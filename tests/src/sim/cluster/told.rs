//! What the client was told of the slots, true or not: it sends a command nowhere else.

use std::collections::BTreeSet;

use redstart_core::command::Value;
use redstart_core::command::slot::SLOTS;
use redstart_core::config::Endpoint;

use super::{Cluster, node, oracles};
use crate::sim::request::Request;
use crate::sim::world::World;

/// Slots and a node that was said to have them.
type Claim = (u16, u16, usize);

/// All that a client was told.
#[derive(Debug, Default)]
pub(in crate::sim) struct Told {
    claims: BTreeSet<Claim>,
    /// Primaries and their replicas.
    follows: BTreeSet<(usize, usize)>,
}

impl Told {
    fn covers(&self, slot: u16, node: usize) -> bool {
        let claims = self.claims.range(..=(slot, u16::MAX, usize::MAX));
        let mut owners = claims.filter(|(_, last, _)| *last >= slot).map(|(_, _, owner)| *owner);
        owners.any(|owner| owner == node || self.follows.contains(&(owner, node)))
    }
}

impl World {
    /// A node answers the client. Who has which slot by that, if it makes sense, the client may believe.
    pub(in crate::sim) fn tell_of_slots(&mut self, conn: usize, request: &Request, reply: &Value) {
        let node = self.conns[conn].server;
        let Some(cluster) = &mut self.cluster else { return };
        let told = match reply {
            Value::Array(entries) if request.name() == b"CLUSTER" && request.arg(1) == b"SLOTS" => {
                cluster.read_slots(node, entries).unwrap_or_default()
            }
            Value::Error(error) => cluster.read_redirect(node, error.text()).unwrap_or_default(),
            _ => return,
        };
        cluster.told.claims.extend(told.claims);
        cluster.told.follows.extend(told.follows);
    }

    /// Judges whether a command goes where its slot was said to be.
    pub(in crate::sim) fn judge_way(&mut self, conn: usize, request: &Request) {
        let node = self.conns[conn].server;
        let Some(cluster) = &self.cluster else { return };
        let strays = |slot: &u16| !cluster.told.covers(*slot, node);
        // What the server does not know is sent without a key.
        let id = request.id().filter(|_| request.name() != b"NOSUCH");
        let stray = id.and_then(|_| request.keys().map(|key| node::key(key).0).find(strays));
        self.judge(oracles::c5_commands_go_where_somebody_said(node, stray));
    }
}

impl Cluster {
    /// What an answer to `CLUSTER SLOTS` says. `None`: some of it cannot be.
    fn read_slots(&self, asked: usize, entries: &[Value]) -> Option<Told> {
        let mut told = Told::default();
        let mut served: Vec<(u16, u16)> = Vec::new();
        for entry in entries {
            let Value::Array(entry) = entry else { return None };
            let [Value::Integer(first), Value::Integer(last), nodes @ ..] = &entry[..] else { return None };
            let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
            if first > last || last >= SLOTS || served.iter().any(|(from, to)| first <= *to && *from <= last)
            {
                return None;
            }
            served.push((first, last));
            let nodes: Option<Vec<_>> = nodes.iter().map(|node| self.named(asked, node)).collect();
            let mut nodes = nodes?.into_iter();
            if let Some(Some(primary)) = nodes.next() {
                told.claims.insert((first, last, primary));
                told.follows.extend(nodes.flatten().map(|replica| (primary, replica)));
            }
        }
        Some(told)
    }

    /// The node that a part of the answer names, if it does. `None`: it is no name.
    fn named(&self, asked: usize, node: &Value) -> Option<Option<usize>> {
        let Value::Array(node) = node else { return None };
        let [host, Value::Integer(port), ..] = &node[..] else { return None };
        let host = match host {
            Value::Bulk(host) => String::from_utf8_lossy(host).into_owned(),
            _ => String::new(),
        };
        let port = u16::try_from(*port).ok().filter(|port| *port != 0)?;
        Some(self.resolve(asked, &host, port))
    }

    /// What `MOVED` and `ASK` say.
    fn read_redirect(&self, asked: usize, text: &str) -> Option<Told> {
        let mut words = text.split(' ');
        let is_redirect = matches!(words.next(), Some("MOVED" | "ASK"));
        let slot = words.next().filter(|_| is_redirect)?.parse().ok()?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        let claim = (slot, slot, self.resolve(asked, host, port.parse().ok()?)?);
        Some(Told { claims: BTreeSet::from([claim]), ..Told::default() })
    }

    /// The node at a place as `asked` calls it; all where nobody is are one.
    fn resolve(&self, asked: usize, host: &str, port: u16) -> Option<usize> {
        let host = match host {
            "?" => return None,
            "" => &*self.nodes.get(asked)?.host,
            host => host,
        };
        Some(self.find(&Endpoint::tcp(host, port)).unwrap_or(self.nodes.len()))
    }
}
