//! A service as the engine sees it: where a request goes, whom to ask for the primary, what their answers
//! change.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::nodes::{Kind, Nodes};
use super::{Ask, Discovery, Outcome, Part, QUESTIONS, Questions, Trigger};
use crate::command::{FromReply, Target};
use crate::commands::Role;
use crate::config::{Backoff, Config, Endpoint, SentinelOptions};
use crate::connection::{Purpose, SWITCH_MASTER};
use crate::error::{Error, SentinelFault};
use crate::resp::Frame;
use crate::time::Instant;
use crate::topology::NodeId;
use crate::topology::reads::{Health, Readable};

/// What a sentinel was asked, and has answered so far.
#[derive(Debug)]
struct Inquiry {
    ask: Ask,
    node: NodeId,
    number: u32,
    answers: [Option<Result<Frame, Error>>; QUESTIONS],
}

/// News of the service.
#[derive(Debug)]
pub(crate) enum News {
    /// The primary was found.
    Found {
        /// It or its replicas are others than before.
        is_new: bool,
    },
    /// It was not found.
    Failed(Error),
}

/// The servers of a service and the sentinels that watch them.
#[derive(Debug)]
pub(crate) struct Service {
    options: SentinelOptions,
    /// How to connect to sentinels.
    config: Arc<Config>,
    discovery: Discovery,
    nodes: Nodes,
    primary: Option<NodeId>,
    replicas: Vec<NodeId>,
    /// What servers have said that they are, on the connections that there are.
    parts: BTreeMap<NodeId, Part>,
    /// The zones that servers have said that they are in.
    zones: BTreeMap<NodeId, Box<str>>,
    /// Which of several nodes is next.
    turn: usize,
    /// The sentinel that was asked last.
    sentinel: Option<NodeId>,
    inquiry: Option<Inquiry>,
    inquiries: u32,
    last_failure: Option<Error>,
}

impl Service {
    pub(crate) fn new(config: &Config, options: &SentinelOptions, rng: fastrand::Rng, now: Instant) -> Self {
        Self {
            options: options.clone(),
            config: Arc::new(for_sentinels(config, options)),
            discovery: Discovery::new(options, rng, now),
            nodes: Nodes::default(),
            primary: None,
            replicas: Vec::new(),
            parts: BTreeMap::new(),
            zones: BTreeMap::new(),
            turn: 0,
            sentinel: None,
            inquiry: None,
            inquiries: 0,
            last_failure: None,
        }
    }

    /// Where a request goes that a caller makes, or the engine itself. `None`: nobody knows yet.
    pub(crate) fn route(
        &mut self,
        target: Target,
        is_callers: bool,
        health: impl Fn(NodeId) -> Health,
    ) -> Option<NodeId> {
        match target {
            Target::Node(node) => {
                let node = NodeId(node.into());
                (!is_callers || self.nodes.server(node).is_some()).then_some(node)
            }
            Target::Read { from, .. } => {
                self.turn = self.turn.wrapping_add(1);
                let readable = Readable { primary: self.primary?, replicas: &self.replicas };
                readable.choose(from, self.turn, health, |node| self.is_in_own_zone(node))
            }
            _ => self.primary,
        }
    }

    fn is_in_own_zone(&self, node: NodeId) -> bool {
        let Some(endpoint) = self.nodes.server(node) else { return false };
        let zone = self.config.zones.get(endpoint).map(|zone| &**zone);
        let zone = zone.or_else(|| self.zones.get(&node).map(|zone| &**zone));
        zone.is_some() && zone == self.config.zone.as_deref()
    }

    /// A server has said which zone it is in.
    pub(crate) fn handle_zone(&mut self, node: NodeId, zone: &str) {
        if !zone.is_empty() {
            self.zones.insert(node, zone.into());
        }
    }

    /// The server that was last found to be the primary.
    #[inline]
    pub(crate) const fn primary(&self) -> Option<NodeId> {
        self.primary
    }

    /// The server at `endpoint`, as the client or as the sentinels call it. `None`: it is of no use.
    pub(crate) fn find(&self, endpoint: &Endpoint) -> Option<NodeId> {
        let mapped = || self.options.address_map.as_ref().map(|map| map.map(endpoint));
        let server = |endpoint: &Endpoint| self.nodes.find(Kind::Server, endpoint);
        server(endpoint).or_else(|| server(&mapped()?)).filter(|&node| self.uses(node))
    }

    /// Where to connect to a node, how and what for; `config` is that for servers.
    pub(crate) fn way_to(
        &self,
        node: NodeId,
        config: &Arc<Config>,
    ) -> Option<(Endpoint, Arc<Config>, Purpose)> {
        let (kind, endpoint) = self.nodes.get(node)?;
        Some(match kind {
            Kind::Sentinel => (endpoint.clone(), Arc::clone(&self.config), Purpose::Sentinel),
            Kind::Server => (endpoint.clone(), Arc::clone(config), Purpose::Checked),
        })
    }

    /// Whether the node has said that it is the primary, as sentinels do.
    pub(crate) fn is_primary(&self, node: NodeId) -> bool {
        self.nodes.server(node).is_some_and(|endpoint| self.discovery.primary() == Some(endpoint))
    }

    pub(crate) fn is_sentinel(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(node), Some((Kind::Sentinel, _)))
    }

    /// How long a question may take.
    pub(crate) const fn ask_timeout(&self) -> Duration {
        self.options.ask_timeout
    }

    /// Why there is no primary, if that is known.
    pub(crate) const fn last_failure(&self) -> Option<&Error> {
        self.last_failure.as_ref()
    }

    /// Whether the node is of use as things are.
    pub(crate) fn uses(&self, node: NodeId) -> bool {
        match self.nodes.get(node) {
            Some((Kind::Sentinel, _)) => {
                self.sentinel == Some(node) || self.inquiry.as_ref().is_some_and(|it| it.node == node)
            }
            Some((Kind::Server, _)) => self.takes(node, Part::Primary) || self.takes(node, Part::Replica),
            None => false,
        }
    }

    /// Whether a server is of use if it is of this part.
    fn takes(&self, node: NodeId, part: Part) -> bool {
        match part {
            Part::Primary => {
                let endpoint = self.nodes.server(node);
                let is_candidate = endpoint.is_some() && self.discovery.candidate() == endpoint;
                self.primary == Some(node) || is_candidate
            }
            Part::Replica => self.primary != Some(node) && self.replicas.contains(&node),
            Part::Sentinel => false,
        }
    }

    /// Whether a node with which there is a connection is of use, as what it was when that was made.
    pub(crate) fn is_fit(&self, node: NodeId) -> bool {
        match self.parts.get(&node) {
            Some(&part) => self.takes(node, part),
            None => self.uses(node),
        }
    }

    /// What a server has said that it is, on the connection that there is.
    pub(crate) fn part(&self, node: NodeId) -> Option<Part> {
        self.parts.get(&node).copied()
    }

    /// Whether a server is of use as a replica.
    pub(crate) fn is_replica(&self, node: NodeId) -> bool {
        self.takes(node, Part::Replica)
    }

    /// The servers to read from besides the primary.
    pub(crate) fn replicas(&self) -> &[NodeId] {
        &self.replicas
    }

    /// All nodes that are known.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.nodes.ids()
    }

    /// Forgets a node that is of no use. Returns whether it was none.
    pub(crate) fn release(&mut self, node: NodeId) -> bool {
        let is_useless = !self.uses(node);
        if is_useless {
            self.nodes.release(node);
            self.parts.remove(&node);
            self.zones.remove(&node);
        }
        is_useless
    }

    /// A server has said what it is. Returns whether requests may go to it.
    pub(crate) fn handle_part(&mut self, now: Instant, node: NodeId, part: Part) -> bool {
        let Some(endpoint) = self.nodes.server(node) else { return false };
        let is_wanted = self.takes(node, part);
        self.discovery.handle_role(now, endpoint, Ok(part));
        self.parts.insert(node, part);
        is_wanted
    }

    /// The connection with a node is lost, or could not be made.
    pub(crate) fn handle_lost(&mut self, now: Instant, node: NodeId, error: &Error) {
        match self.nodes.get(node) {
            Some((Kind::Server, endpoint)) => {
                self.discovery.handle_role(now, endpoint, Err(error));
                if self.parts.remove(&node).is_some() {
                    self.discovery.handle_trigger(now, Trigger::Suspect(endpoint));
                }
            }
            Some((Kind::Sentinel, _)) => {
                if let Some(inquiry) = self.inquiry.take_if(|inquiry| inquiry.node == node) {
                    let fault = SentinelFault::Failed(error.clone());
                    self.discovery.handle_answer(now, &inquiry.ask, Err(fault));
                }
            }
            None => {}
        }
    }

    /// A server is silent although it owes something, or turned a request away as only a replica does.
    pub(crate) fn handle_suspect(&mut self, now: Instant, node: NodeId) {
        if let Some(endpoint) = self.nodes.server(node) {
            self.discovery.handle_trigger(now, Trigger::Suspect(endpoint));
        }
    }

    /// A sentinel has said something unasked.
    pub(crate) fn handle_push(&mut self, now: Instant, node: NodeId, push: &Frame) {
        let Some((Kind::Sentinel, sentinel)) = self.nodes.get(node) else { return };
        if is_switch(push, &self.options.service) {
            self.discovery.handle_trigger(now, Trigger::Switched(sentinel));
        }
    }

    /// The answer to one question of an inquiry.
    pub(crate) fn handle_answer(
        &mut self,
        now: Instant,
        number: u32,
        question: usize,
        answer: Result<Frame, Error>,
    ) {
        let Some(inquiry) = self.inquiry.as_mut().filter(|inquiry| inquiry.number == number) else { return };
        if let Some(place) = inquiry.answers.get_mut(question) {
            *place = Some(answer);
        }
        if inquiry.answers.iter().any(Option::is_none) {
            return;
        }
        let Some(Inquiry { ask, answers: [Some(a), Some(b), Some(c), Some(d)], .. }) = self.inquiry.take()
        else {
            return;
        };
        let word = Questions::new(&self.options).read(&[a, b, c, d]);
        self.discovery.handle_answer(now, &ask, word);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.discovery.handle_timeout(now);
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.discovery.poll_timeout().unwrap_or(Instant::FAR)
    }

    /// The next sentinel to ask, and the number of the inquiry. An earlier one is over.
    pub(crate) fn poll_inquiry(&mut self) -> Option<(NodeId, u32)> {
        let ask = self.discovery.poll_ask()?;
        let node = self.nodes.admit(Kind::Sentinel, &ask.sentinel);
        self.inquiries = self.inquiries.wrapping_add(1);
        let number = self.inquiries;
        self.inquiry = Some(Inquiry { ask, node, number, answers: Default::default() });
        self.sentinel = Some(node);
        Some((node, number))
    }

    /// The number of the last inquiry.
    pub(crate) const fn last_inquiry(&self) -> u32 {
        self.inquiries
    }

    /// What the sentinels are asked.
    pub(crate) fn questions(&self) -> Questions<'_> {
        Questions::new(&self.options)
    }

    /// The next server to be asked for its role.
    pub(crate) fn poll_check(&mut self) -> Option<NodeId> {
        let endpoint = self.discovery.poll_check()?;
        Some(self.nodes.admit(Kind::Server, &endpoint))
    }

    /// What has come of asking.
    pub(crate) fn poll_news(&mut self) -> Option<News> {
        Some(match self.discovery.poll_outcome()? {
            Outcome::Found { primary, replicas } => {
                let mut admit = |endpoint: &Endpoint| self.nodes.admit(Kind::Server, endpoint);
                let found = (Some(admit(&primary)), replicas.iter().map(admit).collect());
                let known = (self.primary, core::mem::take(&mut self.replicas));
                let is_new = found != known;
                (self.primary, self.replicas) = found;
                self.last_failure = None;
                News::Found { is_new }
            }
            Outcome::Failed(error) => {
                self.last_failure = Some(error.clone());
                News::Failed(error)
            }
        })
    }
}

/// What a server answered to `ROLE`.
pub(crate) fn part_of(reply: &Frame) -> Option<Part> {
    Role::from_reply(reply.item()).ok().as_ref().map(Part::from)
}

/// The settings for connections with sentinels. They are asked one at a time and only every now and then, so
/// that there is no cause to wait before connecting again.
fn for_sentinels(config: &Config, options: &SentinelOptions) -> Config {
    let soon = Duration::from_millis(1);
    Config {
        login: options.login.clone(),
        database: 0,
        tls: options.tls.as_ref().map_or_else(|| config.tls.clone(), |own| own.0.clone()),
        connect_timeout: options.ask_timeout.max(soon),
        suspect_after: options.ask_timeout.max(soon),
        backoff: Backoff { base: soon, cap: soon },
        ..config.clone()
    }
}

/// Whether a message says that this service has another primary: its payload is
/// `service old-host old-port new-host new-port`.
fn is_switch(push: &Frame, service: &str) -> bool {
    let mut parts = push.item().items().map(|part| part.text().unwrap_or_default());
    let (Some(kind), Some(channel), Some(payload)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let rest = payload.strip_prefix(service.as_bytes());
    *kind == *b"message"
        && *channel == *SWITCH_MASTER.as_bytes()
        && rest.is_some_and(|rest| rest.starts_with(b" "))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    #[test]
    fn a_switch_of_this_service() {
        let table = [
            (">3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$16\r\nmain h 1 other 2\r\n", true),
            (">3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$17\r\nmain2 h 1 other 2\r\n", false),
            (">3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$4\r\nmain\r\n", false),
            (">3\r\n$7\r\nmessage\r\n$7\r\n+sdown \r\n$16\r\nmain h 1 other 2\r\n", false),
            (">3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n", false),
            (">2\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n", false),
            (">1\r\n*0\r\n", false),
        ];
        for (wire, expected) in table {
            let push = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
            let push = push.expect("legal").expect("whole");
            assert_eq!(is_switch(&push, "main"), expected, "{wire:?}");
        }
    }

    #[test]
    fn sentinels_are_told_nothing_that_is_for_servers() {
        let options = SentinelOptions::new("main", []).ask_timeout(Duration::from_millis(70));
        let config = Config::default()
            .credentials(crate::config::Credentials::password("hunter2"))
            .database(3)
            .client_name("me");
        let sentinels = for_sentinels(&config, &options);
        assert_eq!((&sentinels.login, sentinels.database), (&crate::config::Login::None, 0));
        assert_eq!(sentinels.client_name.as_deref(), Some("me"));
        assert_eq!(sentinels.suspect_after, Duration::from_millis(70));
    }
}
