//! What becomes of a request that was answered with an error: tried again, here or elsewhere, if that is
//! safe and has a chance; else ended.

use alloc::string::String;
use core::time::Duration;

use super::fan_out::CHILD;
use super::link;
use super::recall::RETURN;
use super::scripts::precedes_scripts;
use super::{ConnId, Engine, Outgoing};
use crate::command::{Flags, Target, WireSink};
use crate::connection::{ASKING, Entry, RequestId};
use crate::error::{Delivery, Error, ErrorKind, ServerCode, ServerError};
use crate::resp::Frame;
use crate::retry;
use crate::time::Instant;
use crate::topology::cluster::Decision;
use crate::topology::{NodeId, Topology, Verdict};

impl Engine {
    /// A request was answered with an error.
    ///
    /// # Errors
    /// The error makes no sense: the connection is beyond use.
    pub(super) fn handle_refusal(
        &mut self,
        now: Instant,
        node: NodeId,
        conn: ConnId,
        entry: Entry,
        outcome: Result<Frame, Error>,
    ) -> Result<(), Error> {
        let Some(link) = self.links.get(node) else { return Ok(()) };
        if entry.id == RequestId::SUBSCRIPTION {
            let name = link.name();
            if let Some(connection) = link.connection(conn) {
                connection.finish_front();
            }
            return match self.pubsub.conn(node) == Some(conn) {
                true => self.handle_subscription_refused(now, node, &name, outcome),
                false => {
                    self.attend(node);
                    Ok(())
                }
            };
        }
        let mut bytes = Outgoing::default();
        if let Some(connection) = link.connection(conn) {
            connection.take_front(&mut bytes);
        }
        let name = link.name();
        self.follow_refusal(now, (node, conn), name, (entry, bytes), outcome)
    }

    /// Decides what becomes of a request that the node of this name answered with an error on this connection.
    ///
    /// # Errors
    /// The error makes no sense: the connection is beyond use.
    pub(super) fn follow_refusal(
        &mut self,
        now: Instant,
        (node, conn): (NodeId, ConnId),
        name: String,
        (mut entry, mut bytes): (Entry, Outgoing),
        outcome: Result<Frame, Error>,
    ) -> Result<(), Error> {
        forget_asking(&mut entry, &mut bytes);
        let error = match outcome {
            Ok(frame) => refusal(&frame, entry.flags),
            Err(error) => error,
        };
        let error = self.end_of_wait(&error).unwrap_or(error).with_node(&name);
        if error.code() == Some(ServerCode::NoScript) && self.tell_script(now, node, entry, &mut bytes) {
            return Ok(());
        }
        let error = if error.command().is_some() { error } else { link::name(error, &bytes, &entry) };
        let may_wait = entry.id.is_callers() || matches!(entry.id.slot, CHILD | RETURN);
        if may_wait && is_ended_by_failover(&error) {
            // The server closes the connection behind this answer, now or soon.
            if let Some(side) = self.sides.get(conn) {
                side.close_after_use();
            }
            self.send_again(now, entry, bytes, error);
            return Ok(());
        }
        if !may_wait || error.delivery() != Delivery::Rejected {
            self.end(now, entry, Err(error));
            return Ok(());
        }
        if error.code() == Some(ServerCode::NoAuth)
            && entry.attempts < NOAUTH_TRIES
            && self.links.peek(node).is_some_and(|link| link.login().is_some())
        {
            // The server has forgotten who this is: it is told on another connection.
            self.disown(now, node, conn);
            self.send_again(now, entry, bytes, error);
            return Ok(());
        }
        match &self.topology {
            Topology::Single(single) => {
                let code = error.code().filter(|_| !entry.is_transaction());
                let verdict = code.map_or(Verdict::Deliver, |code| single.verdict(code, entry.attempts));
                self.follow_verdict(now, node, (entry, bytes), verdict, error);
                Ok(())
            }
            Topology::Cluster(_) => self.follow_decision(now, node, (entry, bytes), error),
            Topology::Sentinel(_) => {
                self.follow_service_refusal(now, node, (entry, bytes), error);
                Ok(())
            }
        }
    }

    fn follow_verdict(
        &mut self,
        now: Instant,
        node: NodeId,
        (entry, bytes): (Entry, Outgoing),
        verdict: Verdict,
        error: Error,
    ) {
        match verdict {
            Verdict::Deliver => return self.end(now, entry, Err(error)),
            Verdict::Later => {}
            Verdict::Reconnect => {
                self.retire(now, node);
            }
        }
        self.send_later(now, entry, bytes, error, Duration::MAX);
    }

    /// # Errors
    /// The redirect makes no sense.
    fn follow_decision(
        &mut self,
        now: Instant,
        node: NodeId,
        (mut entry, mut bytes): (Entry, Outgoing),
        error: Error,
    ) -> Result<(), Error> {
        let Topology::Cluster(cluster) = &mut self.topology else { return Ok(()) };
        let hops = self.delayed.hops(&entry);
        let mut decision = cluster.decide(now, node, &error, hops);
        let goes_anywhere = !matches!(entry.target, Target::Node(_));
        if !goes_anywhere && matches!(decision, Decision::SendTo { .. } | Decision::Reconnect) {
            decision = Decision::Deliver;
        }
        match decision {
            Decision::Deliver => self.end(now, entry, Err(error)),
            Decision::SendTo { endpoint, slot, asking } => {
                let next = match asking {
                    true => cluster.admit(&endpoint),
                    false => cluster.handle_moved(now, slot, &endpoint),
                };
                if let Some(from) = cluster.endpoint(node) {
                    self.delayed.hop(&entry, from.clone());
                }
                self.delayed.note(&mut entry, error);
                if asking {
                    bytes = put_asking(&mut entry, bytes);
                }
                match next {
                    Some(next) => self.submit_to(now, next, entry, &mut bytes),
                    None => self.submit_unrouted(now, entry, &mut bytes),
                }
            }
            Decision::Reconnect => {
                if let Some(from) = cluster.endpoint(node) {
                    self.delayed.hop(&entry, from.clone());
                }
                self.retire(now, node);
                self.send_later(now, entry, bytes, error, Duration::MAX);
            }
            Decision::RefreshThenRetry | Decision::Later => {
                self.delayed.rest(&entry);
                // The next look at the cluster may tell another place to try, so it is not waited for long.
                self.send_later(now, entry, bytes, error, RETRY_MAX);
            }
            Decision::TooManyRedirects => {
                let name = error.command().map(String::from);
                let error = self.delayed.too_many_hops(&entry, error);
                let error = name.iter().fold(error, |error, name| error.with_command(name));
                self.end(now, entry, Err(error));
            }
            Decision::Malformed(reason) => {
                self.end(now, entry, Err(error));
                return Err(Error::new(ErrorKind::Conversation(reason), Delivery::NotSent));
            }
        }
        Ok(())
    }

    /// Sends nothing more on the connections with a node that have said the same of who they are as this one.
    fn disown(&mut self, now: Instant, node: NodeId, conn: ConnId) {
        let link = self.links.get(node);
        let shared = link.and_then(|link| Some(link.connection(conn)?.credentials().cloned()));
        let aside = self.sides.get(conn).map(|side| side.connection.credentials().cloned());
        let Some(Some(unknown)) = shared.or(aside) else { return };
        for conn in self.sides.disown(now, node, &unknown, &mut self.rng) {
            self.close_aside(now, conn);
        }
        if let Some(link) = self.links.get(node).filter(|link| link.credentials() == Some(&unknown)) {
            link.retire();
        }
    }

    /// Sends nothing more on the connections that there are with a node.
    fn retire(&mut self, now: Instant, node: NodeId) {
        self.retire_aside(now, node);
        if let Some(link) = self.links.get(node) {
            link.retire();
        }
    }

    /// Keeps a request for a short while, and sends it where it then belongs.
    pub(super) fn send_again(&mut self, now: Instant, entry: Entry, bytes: Outgoing, why: Error) {
        self.send_later(now, entry, bytes, why, RETRY_MAX);
    }

    /// Keeps a request for a while, `longest` at most, and sends it where it then belongs.
    fn send_later(&mut self, now: Instant, mut entry: Entry, bytes: Outgoing, why: Error, longest: Duration) {
        let pause = retry::delay(&self.config.backoff, entry.attempts.into(), &mut self.rng).min(longest);
        self.delayed.note(&mut entry, why);
        self.delayed.push(now, pause, (entry, bytes));
    }
}

/// The longest pause between two tries of a request that one of several nodes turned away.
const RETRY_MAX: Duration = Duration::from_millis(250);

/// Whether a wait at the server was ended because the server has become a replica.
fn is_ended_by_failover(error: &Error) -> bool {
    error.server().is_some_and(|refusal| {
        refusal.code() == ServerCode::Unblocked && refusal.text().contains("instance state changed")
    })
}

/// How often a request is sent again that met a server which did not know who it was from, although it was told.
const NOAUTH_TRIES: u8 = 3;

/// Puts `ASKING` before a request.
fn put_asking(entry: &mut Entry, mut bytes: Outgoing) -> Outgoing {
    let mut asking = Outgoing::default();
    asking.copied(ASKING);
    bytes.transfer(entry.wire_len as usize, &mut asking);
    entry.wire_len += ASKING.len() as u32;
    entry.flags = entry.flags.with(Flags::ASKING);
    asking
}

/// Takes the `ASKING` off that was put before a request, whose bytes are the first in `bytes`.
pub(super) fn forget_asking(entry: &mut Entry, bytes: &mut Outgoing) {
    let len = entry.prefix_len();
    bytes.release(len);
    entry.wire_len -= len as u32;
    entry.flags = entry.flags.without(Flags::ASKING);
}

/// The error of a request that the server answered with an error frame.
pub(super) fn refusal(frame: &Frame, flags: Flags) -> Error {
    let error = ServerError::new(&frame.item().text().unwrap_or_default());
    // What a script did before it failed stays done.
    let may_have_run = flags.has(Flags::SCRIPT) && !precedes_scripts(&error);
    let delivery = if may_have_run { Delivery::MaybeExecuted } else { Delivery::Rejected };
    Error::new(ErrorKind::Server(error), delivery)
}
