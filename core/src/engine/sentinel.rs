//! The engine's part of a service that sentinels watch: it asks them for the primary, asks the servers for
//! their role, and sends requests to the one that is the primary.

use alloc::vec::Vec;

use super::link::is_permanent;
use super::{ConnId, Ended, Engine, Entry, Event, NodeId, Outgoing, RequestId, ServerInfo};
use crate::command::{Command, Flags, Packed, Target};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, ServerCode};
use crate::resp::Frame;
use crate::retry::passes_by_itself;
use crate::time::Instant;
use crate::topology::Topology;
use crate::topology::sentinel::{News, Part, QUESTIONS, part_of};

/// The places of the questions to a sentinel; their generation is the number of the inquiry.
const QUESTION: u32 = RequestId::ENGINE + 8;
/// The place of a question for the role; its generation is the number of the node.
const ROLE: u32 = QUESTION + QUESTIONS as u32;

impl Engine {
    /// Sends a request that is not simply for the primary.
    #[cold]
    pub(super) fn submit_to_service(&mut self, now: Instant, entry: Entry, bytes: &mut Outgoing) {
        let Topology::Sentinel(service) = &mut self.topology else { return };
        if matches!(entry.target, Target::Nowhere | Target::Session(_)) {
            return self.submit_to_none(now, entry, bytes);
        }
        match service.route(entry.target, entry.id.is_callers(), |node| self.links.health(node)) {
            Some(node) => self.submit_to(now, node, entry, bytes),
            None => self.submit_unrouted(now, entry, bytes),
        }
    }

    /// Asks whom the service wants to be asked, and does what its news demand.
    pub(super) fn follow_service(&mut self, now: Instant) {
        loop {
            let Topology::Sentinel(service) = &mut self.topology else { return };
            if let Some((node, number)) = service.poll_inquiry() {
                self.ask_sentinel(now, node, number);
            } else if let Some(node) = service.poll_check() {
                self.ask_role(now, node);
            } else {
                match service.poll_news() {
                    Some(News::Found { is_new }) => self.handle_found(now, is_new),
                    Some(News::Failed(cause)) => self.handle_not_found(now, cause),
                    None => return,
                }
            }
        }
    }

    fn ask_sentinel(&mut self, now: Instant, node: NodeId, number: u32) {
        let Topology::Sentinel(service) = &self.topology else { return };
        let deadline = now + service.ask_timeout();
        for (slot, question) in (QUESTION..).zip(service.questions().commands()) {
            let id = RequestId { slot, generation: number };
            let (entry, mut bytes) = own(id, node, deadline, &question);
            self.submit_to(now, node, entry, &mut bytes);
        }
    }

    /// Asks a server for its role, unless it is about to tell.
    fn ask_role(&mut self, now: Instant, node: NodeId) {
        let Topology::Sentinel(service) = &self.topology else { return };
        let deadline = now + service.ask_timeout();
        let Some(link) = self.link_to(now, node) else { return };
        let is_greeting = link.conn_id().is_some() && !link.is_ready();
        if !is_greeting && !link.is_suspect() {
            let (entry, mut bytes) = role(node, deadline);
            self.submit_to(now, node, entry, &mut bytes);
        }
    }

    /// A question of the engine's own was answered, or not.
    pub(super) fn handle_sentinel_answer(
        &mut self,
        now: Instant,
        entry: Entry,
        result: Result<Frame, Error>,
    ) {
        let RequestId { slot, generation } = entry.id;
        if slot == ROLE {
            return self.handle_role(now, NodeId(generation as usize), result);
        }
        let Topology::Sentinel(service) = &mut self.topology else { return };
        service.handle_answer(now, generation, (slot - QUESTION) as usize, result);
    }

    /// A server that is connected was asked for its role.
    fn handle_role(&mut self, now: Instant, node: NodeId, result: Result<Frame, Error>) {
        let Some(link) = self.links.get(node) else { return };
        let Topology::Sentinel(service) = &mut self.topology else { return };
        let part = match &result {
            Ok(frame) => part_of(frame),
            // Who may not ask has the part from the handshake, and a suspect has to shake hands again.
            Err(error) if error.delivery() == Delivery::Rejected => {
                service.part(node).filter(|_| !link.is_suspect())
            }
            Err(_) => return,
        };
        if part.is_some_and(|part| service.handle_part(now, node, part)) {
            self.acquit(now, node);
        } else {
            link.retire();
            self.close_retired(now, node);
        }
    }

    /// The handshake with a node is over.
    ///
    /// # Errors
    /// The node is not what it was taken for: the connection must not be used.
    pub(super) fn check_part(&mut self, now: Instant, node: NodeId, info: &ServerInfo) -> Result<(), Error> {
        let Topology::Sentinel(service) = &mut self.topology else { return Ok(()) };
        let mut takes = |part| service.handle_part(now, node, part);
        let is_wanted = Part::named(&info.role).is_some_and(&mut takes) || service.is_sentinel(node);
        if !is_wanted {
            return Err(fault(ConnectionError::WrongRole));
        }
        // Whoever waits to ask for the role need not any more.
        if let Some(link) = self.links.get(node) {
            link.cancel(&[RequestId { slot: ROLE, generation: node.0 as u32 }]);
        }
        Ok(())
    }

    /// The connection with a node is lost: what the engine itself asked there is asked elsewhere.
    pub(super) fn handle_service_lost(&mut self, now: Instant, node: NodeId, error: &Error) {
        let Topology::Sentinel(service) = &mut self.topology else { return };
        let number = service.last_inquiry();
        service.handle_lost(now, node, error);
        let generation = |slot| if slot == ROLE { node.0 as u32 } else { number };
        let ids = (QUESTION..=ROLE).map(|slot| RequestId { slot, generation: generation(slot) });
        let Some(link) = self.links.get(node) else { return };
        link.cancel(&ids.collect::<Vec<_>>());
        if service.is_replica(node) {
            self.route_anew(now);
        }
    }

    /// A node owes something and has been silent for long.
    pub(super) fn handle_service_silent(&mut self, now: Instant, node: NodeId) {
        let Topology::Sentinel(service) = &mut self.topology else { return };
        service.handle_suspect(now, node);
        let Some(link) = self.links.get(node) else { return };
        let Some(conn) = link.conn_id() else { return };
        link.suspect(now, &mut self.rng);
        if service.is_sentinel(node) || !service.uses(node) {
            self.drop_connection(now, node);
            return self.route_anew(now);
        }
        let is_replica = service.is_replica(node);
        // It comes behind what is due: when it is answered, the server has caught up and says what it is.
        let (entry, mut bytes) = role(node, now + self.config.liveness_timeout);
        link.submit_to_suspect(now, conn, entry, &mut bytes);
        if is_replica {
            self.route_anew(now);
        }
    }

    /// Asks a suspect for its role that has answered all that it owed, if too late for what it was asked then.
    #[inline]
    pub(super) fn ask_suspect(&mut self, now: Instant, node: NodeId, conn: ConnId) {
        if let Some(link) = self.links.get(node)
            && link.is_suspect_without_debts(conn)
        {
            let (entry, mut bytes) = role(node, now + self.config.liveness_timeout);
            link.submit_to_suspect(now, conn, entry, &mut bytes);
        }
    }

    fn drop_connection(&mut self, now: Instant, node: NodeId) {
        self.drop_silent(now, node);
        self.handle_service_lost(now, node, &fault(ConnectionError::Silent));
    }

    /// A sentinel has said something unasked, which is none of the callers' business. Returns whether this
    /// node is a sentinel.
    pub(super) fn handle_sentinel_push(&mut self, now: Instant, node: NodeId, push: &Frame) -> bool {
        let Topology::Sentinel(service) = &mut self.topology else { return false };
        service.handle_push(now, node, push);
        service.is_sentinel(node)
    }

    /// The primary has said that it is one.
    fn handle_found(&mut self, now: Instant, is_new: bool) {
        for node in self.links.ids() {
            self.review_service(now, node);
        }
        if is_new {
            self.review_subscriptions();
            self.route_anew(now);
            self.send_delayed_early(now);
        }
        self.probe_replicas(now);
        self.forget_useless();
    }

    /// Connects again to replicas that were lost, since reads go elsewhere until there is a connection.
    fn probe_replicas(&mut self, now: Instant) {
        let Topology::Sentinel(service) = &self.topology else { return };
        let is_lost = |node: &NodeId| self.links.peek(*node).is_some_and(|link| link.conn_id().is_none());
        for node in service.replicas().iter().copied().filter(is_lost).collect::<Vec<_>>() {
            self.ask_role(now, node);
        }
    }

    /// Parts from a node that is of no use any more: it may answer what it owes, unless it is silent.
    fn review_service(&mut self, now: Instant, node: NodeId) {
        let Topology::Sentinel(service) = &self.topology else { return };
        if service.is_fit(node) {
            return;
        }
        self.retire_aside(now, node);
        let Some(link) = self.links.get(node) else { return };
        if !link.silent_conns().is_empty() {
            self.drop_connection(now, node);
        } else if link.is_ready() {
            link.retire();
            self.close_retired(now, node);
        }
    }

    /// No sentinel led to the primary.
    fn handle_not_found(&mut self, now: Instant, cause: Error) {
        self.forget_useless();
        let Topology::Sentinel(service) = &self.topology else { return };
        if service.primary().is_some() {
            return;
        }
        if is_permanent(&cause) {
            let mut ended = Ended::new();
            self.unrouted.fail(&cause, &mut ended);
            self.end_all(now, ended);
        }
        self.events.push(Event::ConnectFailed(cause));
    }

    /// Forgets nodes that are of no use and with which there is nothing under way.
    pub(super) fn forget_useless(&mut self) {
        let Topology::Sentinel(service) = &self.topology else { return };
        for node in service.nodes() {
            if self.is_unused(node)
                && let Topology::Sentinel(service) = &mut self.topology
                && service.release(node)
            {
                self.links.remove(node);
            }
        }
    }

    /// A server turned a request away.
    pub(super) fn follow_service_refusal(
        &mut self,
        now: Instant,
        node: NodeId,
        (entry, bytes): (Entry, Outgoing),
        error: Error,
    ) {
        let Topology::Sentinel(service) = &mut self.topology else { return };
        if is_of_replica(&error) {
            service.handle_suspect(now, node);
            // The next connection is used only if it is with a primary.
            if let Some(link) = self.links.get(node).filter(|_| !service.is_replica(node)) {
                link.retire();
            }
        } else if !error.code().is_some_and(passes_by_itself) {
            return self.end(now, entry, Err(error));
        }
        self.send_again(now, entry, bytes, error);
    }
}

/// Whether only a replica says so.
fn is_of_replica(error: &Error) -> bool {
    let Some(refusal) = error.server() else { return false };
    match refusal.code() {
        ServerCode::ReadOnly | ServerCode::MasterDown => true,
        // It was a primary when the transaction began.
        ServerCode::ExecAbort => refusal.text().contains("because of: READONLY"),
        _ => false,
    }
}

fn fault(reason: ConnectionError) -> Error {
    Error::new(ErrorKind::Connection(reason), Delivery::NotSent)
}

fn role(node: NodeId, deadline: Instant) -> (Entry, Outgoing) {
    let id = RequestId { slot: ROLE, generation: node.0 as u32 };
    own(id, node, deadline, Command::<()>::new("ROLE").packed())
}

/// A request of the engine's own for one node.
fn own(id: RequestId, node: NodeId, deadline: Instant, command: &Packed) -> (Entry, Outgoing) {
    let mut bytes = Outgoing::default();
    command.write_to(&mut bytes);
    let entry = Entry {
        id,
        part: 0,
        wire_len: bytes.held() as u32,
        deadline,
        target: Target::Node(node.0 as u16),
        flags: Flags::READ_ONLY,
        name_words: command.name_words(),
        attempts: 0,
    };
    (entry, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    #[test]
    fn what_only_a_replica_says() {
        let table = [
            ("READONLY You can't write against a read only replica.", true),
            ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true),
            (
                "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
                true,
            ),
            ("EXECABORT Transaction discarded because of previous errors.", false),
            ("LOADING Redis is loading the dataset in memory", false),
            ("ERR READONLY", false),
        ];
        for (text, expected) in table {
            let refusal = ErrorKind::Server(ServerError::new(text.as_bytes()));
            assert_eq!(is_of_replica(&Error::new(refusal, Delivery::Rejected)), expected, "{text}");
        }
        assert!(!is_of_replica(&fault(ConnectionError::Reset)));
    }
}
