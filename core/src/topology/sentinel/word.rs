//! What one sentinel says of a service, checked.

use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{FromReply, Packed, Prepare, unexpected};
use crate::commands::{SentinelCommands, SentinelNode, SentinelPeer, SentinelPrimary, SentinelReplica};
use crate::config::{Endpoint, SentinelOptions};
use crate::error::{Error, SentinelFault};
use crate::resp::{Frame, Kind};
use crate::topology::host::parse_host;

/// How many commands a sentinel is asked at once.
pub const QUESTIONS: usize = 4;

/// A sentinel that names more replicas or sentinels than this is not believed.
pub const NAMED_MAX: usize = 1000;

/// What one sentinel says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// The server that it takes for the primary.
    pub primary: Endpoint,
    /// The number of the failover that made it one: the higher, the newer. `None` if the sentinel does not
    /// tell.
    pub epoch: Option<u64>,
    /// The replicas that can be read from, by endpoint.
    pub replicas: Vec<Endpoint>,
    /// Other sentinels; those that it finds down come last.
    pub peers: Vec<Endpoint>,
}

impl Word {
    /// The word that `primary` is the primary, and nothing else.
    #[must_use]
    pub const fn new(primary: Endpoint) -> Self {
        Self { primary, epoch: None, replicas: Vec::new(), peers: Vec::new() }
    }
}

/// What a sentinel is asked about a service, and how its answers are read.
#[derive(Clone, Copy, Debug)]
pub struct Questions<'a>(&'a SentinelOptions);

impl<'a> Questions<'a> {
    /// Questions about the service that `options` name.
    #[must_use]
    pub const fn new(options: &'a SentinelOptions) -> Self {
        Self(options)
    }

    /// The commands to send, all at once.
    #[must_use]
    pub fn commands(&self) -> [Packed; QUESTIONS] {
        let (p, service) = (Prepare, &*self.0.service);
        [
            p.sentinel_get_master_addr_by_name(service).into_packed(),
            p.sentinel_master(service).into_packed(),
            p.sentinel_replicas(service).into_packed(),
            p.sentinel_sentinels(service).into_packed(),
        ]
    }

    /// Reads the replies to [`commands`](Self::commands), in their order. An error of the sentinel is an `Err`.
    ///
    /// A sentinel that says where the primary is, but will not tell the rest, is believed; unless it is to
    /// know other sentinels.
    ///
    /// # Errors
    /// The sentinel cannot say, or what it says cannot be; nothing of it should be used.
    pub fn read(&self, replies: &[Result<Frame, Error>; QUESTIONS]) -> Result<Word, SentinelFault> {
        let [address, primary, replicas, peers] = replies;
        let address: Option<(String, u16)> = granted(address)?;
        let (host, port) = address.ok_or(SentinelFault::UnknownService)?;
        let located = self.locate(&host, port).ok_or(SentinelFault::BadAddress)?;
        let mut word = Word::new(located);
        word.epoch = self.check_standing(primary)?;
        word.replicas = self.replicas(replicas, &word.primary)?;
        word.peers = self.peers(peers)?;
        Ok(word)
    }

    /// Whether the sentinel knows enough others; returns the epoch of the last failover.
    fn check_standing(&self, primary: &Result<Frame, Error>) -> Result<Option<u64>, SentinelFault> {
        let wanted = self.0.min_other_sentinels as u64;
        match granted::<SentinelPrimary>(primary) {
            Ok(primary) if primary.other_sentinels < wanted => {
                Err(SentinelFault::TooFewSentinels { known: primary.other_sentinels, wanted })
            }
            Ok(primary) => Ok(Some(primary.config_epoch)),
            Err(fault) if is_refusal(&fault) && wanted == 0 => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn replicas(
        &self,
        list: &Result<Frame, Error>,
        primary: &Endpoint,
    ) -> Result<Vec<Endpoint>, SentinelFault> {
        let list: Vec<SentinelReplica> = granted_list(list)?;
        let serves =
            |replica: &&SentinelReplica| is_well(&replica.node) && replica.is_linked && replica.is_announced;
        let mut replicas: Vec<Endpoint> =
            list.iter().filter(serves).filter_map(|replica| self.locate_node(&replica.node)).collect();
        replicas.retain(|replica| replica != primary);
        replicas.sort();
        replicas.dedup();
        Ok(replicas)
    }

    fn peers(&self, list: &Result<Frame, Error>) -> Result<Vec<Endpoint>, SentinelFault> {
        let mut list: Vec<SentinelPeer> = granted_list(list)?;
        list.sort_by_key(|peer| !is_well(&peer.node));
        Ok(list.iter().filter_map(|peer| self.locate_node(&peer.node)).collect())
    }

    fn locate_node(&self, node: &SentinelNode) -> Option<Endpoint> {
        self.locate(&node.host, node.port)
    }

    /// Where to connect, or `None` if this is no address.
    fn locate(&self, host: &str, port: u16) -> Option<Endpoint> {
        let host = parse_host(host.as_bytes()).filter(|_| port != 0)?;
        let endpoint = Endpoint::tcp(host, port);
        Some(match &self.0.address_map {
            Some(map) => map.map(&endpoint),
            None => endpoint,
        })
    }
}

fn is_well(node: &SentinelNode) -> bool {
    !node.is_down() && !node.is_disconnected()
}

/// The answer, unless the sentinel refuses it or it is of another shape.
fn granted<T: FromReply>(reply: &Result<Frame, Error>) -> Result<T, SentinelFault> {
    let frame = reply.as_ref().map_err(|error| SentinelFault::Failed(error.clone()))?;
    T::from_reply(frame.item()).map_err(SentinelFault::Malformed)
}

/// A list, which is empty if the sentinel refuses it.
fn granted_list<T: FromReply>(reply: &Result<Frame, Error>) -> Result<Vec<T>, SentinelFault> {
    if let Ok(frame) = reply
        && matches!(frame.kind(), Kind::Array | Kind::Set)
        && frame.item().len() > NAMED_MAX
    {
        return Err(SentinelFault::Malformed(unexpected("1000 elements at the most", frame.item())));
    }
    match granted(reply) {
        Err(fault) if is_refusal(&fault) => Ok(Vec::new()),
        other => other,
    }
}

/// Whether the sentinel answered that it will not tell.
fn is_refusal(fault: &SentinelFault) -> bool {
    matches!(fault, SentinelFault::Failed(error) if error.server().is_some())
}

#[cfg(test)]
mod tests;
