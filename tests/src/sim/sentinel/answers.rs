//! What sentinels know, and what they say.

use redstart_core::command::Value;

use super::{SERVICE, Watch};
use crate::sim::request::Request;
use crate::sim::server::error;

/// What a sentinel can say that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lie {
    /// A replica is the primary.
    Replica,
    /// The primary is where nobody is.
    Nobody,
    /// It is the primary itself.
    Itself,
    /// The primary's host is none.
    BadHost,
    /// The primary's port is none.
    BadPort,
    /// Its answers are of another shape.
    Shape,
    /// It knows no such service.
    Unknown,
    /// It knows no other sentinel.
    Alone,
    /// It refuses to say.
    Refusal,
    /// It knows more sentinels than there are.
    Crowd,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Replica,
        Self::Nobody,
        Self::Itself,
        Self::BadHost,
        Self::BadPort,
        Self::Shape,
        Self::Unknown,
        Self::Alone,
        Self::Refusal,
        Self::Crowd,
    ];
}

/// One sentinel.
#[derive(Debug, Default)]
pub(in crate::sim) struct Watcher {
    /// The primary and the epoch that it knows.
    pub(super) knows: (usize, u64),
    pub(super) lie: Option<Lie>,
    pub(super) has_lied: bool,
    /// It hears nothing.
    pub(super) deaf: bool,
    /// Its address belongs to a server of another service.
    pub(super) recycled: bool,
}

impl Watch {
    /// What a sentinel says; `up` tells which servers are.
    pub(super) fn answer_as_sentinel(
        &self,
        sentinel: usize,
        name: &[u8],
        request: &Request,
        up: &[bool],
    ) -> Value {
        let unknown = || error("ERR No such master with that name");
        let Watcher { lie, .. } = self.sentinels[sentinel];
        if name == b"ROLE" {
            return Value::Array(vec![bulk("sentinel"), Value::Array(vec![bulk(SERVICE)])]);
        }
        if name != b"SENTINEL" {
            return error("ERR unknown command");
        }
        let is_known = request.arg(2) == SERVICE.as_bytes() && lie != Some(Lie::Unknown);
        match (request.arg(1), lie) {
            (_, Some(Lie::Refusal)) => {
                error("NOPERM this user has no permissions to run the 'sentinel' command")
            }
            (_, Some(Lie::Shape)) => Value::Array(vec![Value::Integer(7)]),
            (b"GET-MASTER-ADDR-BY-NAME", _) if !is_known => Value::Nil,
            (_, _) if !is_known => unknown(),
            (b"GET-MASTER-ADDR-BY-NAME", _) => {
                let (host, port) = self.named(sentinel);
                Value::Array(vec![bulk(&host), bulk(&port.to_string())])
            }
            (b"MASTER", _) => self.primary_record(sentinel, up),
            (b"REPLICAS", _) => {
                let (primary, _) = self.sentinels[sentinel].knows;
                let replicas = (0..self.servers.len()).filter(|&server| server != primary);
                Value::Array(replicas.map(|replica| self.replica_record(replica, primary, up)).collect())
            }
            (b"SENTINELS", _) => Value::Array(self.peer_records(sentinel, up)),
            _ => error("ERR Unknown sentinel subcommand"),
        }
    }

    /// The address that a sentinel gives for the primary.
    fn named(&self, sentinel: usize) -> (String, u16) {
        let Watcher { knows: (primary, _), lie, .. } = self.sentinels[sentinel];
        let (host, port) = self.place(primary);
        match lie {
            Some(Lie::Replica) => self.place((primary + 1) % self.servers.len()),
            Some(Lie::Nobody) => ("10.9.9.9".to_owned(), 6379),
            Some(Lie::Itself) => self.place(self.number_of(sentinel)),
            Some(Lie::BadHost) => ("?".to_owned(), port),
            Some(Lie::BadPort) => (host, 0),
            _ => (host, port),
        }
    }

    fn primary_record(&self, sentinel: usize, up: &[bool]) -> Value {
        let Watcher { knows: (primary, epoch), lie, .. } = self.sentinels[sentinel];
        let others = if lie == Some(Lie::Alone) { 0 } else { self.sentinels.len() - 1 };
        let mut record = self.record(primary, "master", up);
        record.extend([
            ("config-epoch", epoch.to_string()),
            ("num-slaves", self.options.replicas.to_string()),
            ("num-other-sentinels", others.to_string()),
            ("quorum", "2".to_owned()),
        ]);
        map(record)
    }

    fn replica_record(&self, replica: usize, primary: usize, up: &[bool]) -> Value {
        let is_linked = self.servers[replica].follows == Some(primary) && up[primary];
        let mut record = self.record(replica, "slave", up);
        let link = if is_linked { "ok" } else { "err" };
        let (host, port) = self.place(primary);
        record.extend([
            ("master-link-status", link.to_owned()),
            ("master-host", host),
            ("master-port", port.to_string()),
            ("slave-priority", "100".to_owned()),
        ]);
        map(record)
    }

    fn peer_records(&self, sentinel: usize, up: &[bool]) -> Vec<Value> {
        let record = |server: usize| {
            let mut record = self.record(server, "sentinel", up);
            record.push(("voted-leader-epoch", "0".to_owned()));
            map(record)
        };
        match self.sentinels[sentinel].lie {
            Some(Lie::Alone) => Vec::new(),
            Some(Lie::Crowd) => (1000..1100).map(|nobody| self.stranger(nobody)).collect(),
            _ => {
                let others = (0..self.sentinels.len()).filter(|&other| other != sentinel);
                others.map(|other| record(self.number_of(other))).collect()
            }
        }
    }

    /// A sentinel that does not exist.
    fn stranger(&self, number: usize) -> Value {
        let fields = [
            ("name", format!("s{number}")),
            ("ip", "10.9.9.9".to_owned()),
            ("port", number.to_string()),
            ("flags", "sentinel".to_owned()),
            ("down-after-milliseconds", "1000".to_owned()),
            ("voted-leader-epoch", "0".to_owned()),
        ];
        map(fields.to_vec())
    }

    fn record(&self, server: usize, kind: &str, up: &[bool]) -> Vec<(&'static str, String)> {
        let (host, port) = self.place(server);
        let flags = if up[server] { kind.to_owned() } else { format!("{kind},s_down,disconnected") };
        vec![
            ("name", format!("{host}:{port}")),
            ("ip", host),
            ("port", port.to_string()),
            ("runid", format!("{:040}", server + 1)),
            ("flags", flags),
            ("down-after-milliseconds", "1000".to_owned()),
        ]
    }
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.to_owned().into())
}

fn map(fields: Vec<(&'static str, String)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (bulk(name), bulk(&value))).collect())
}
