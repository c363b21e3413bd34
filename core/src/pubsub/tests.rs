//! The machine against model servers, step by step and by chance.

mod model;

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::*;
use crate::error::{ConnectionError, ServerError};
use crate::resp::{Decoder, Limits};
use model::{Model, Nodes, name};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const ONE: SubscriptionId = SubscriptionId(1);
const TWO: SubscriptionId = SubscriptionId(2);

fn at(millis: u64) -> Instant {
    Instant::ORIGIN + Duration::from_millis(millis)
}

fn wants(subscription: SubscriptionId, call: u64, kind: Kind, names: &[&str]) -> Intent {
    Intent::Subscribe {
        subscription,
        call,
        kind,
        names: names.iter().map(|name| Bytes::copy_from_slice(name.as_bytes())).collect(),
        everywhere: false,
        within: Some(Duration::from_secs(1)),
    }
}

/// The machine with the nodes as they are for it.
struct Bench {
    pubsub: PubSub,
    last_conn: u64,
    nodes: Nodes,
}

impl Bench {
    /// One node is ready, and is the home of everything.
    fn new() -> Self {
        let nodes = Nodes { anchor: Some(A), slots: vec![Some(A); 4], primaries: vec![A, B] };
        Self { pubsub: PubSub::default(), last_conn: 0, nodes }
    }

    /// Somebody listens to the channel `a`.
    fn listening() -> Self {
        let mut bench = Self::new();
        bench.intent(wants(ONE, 1, Kind::Channel, &["a"]));
        bench.said();
        bench.confirm(A, (Kind::Channel, true), "a");
        bench.told();
        bench
    }

    /// Another node is the home of ordinary subscriptions.
    fn move_home(&mut self, node: NodeId) {
        self.nodes.anchor = Some(node);
        self.pubsub.review(&self.nodes);
    }

    fn intent(&mut self, intent: Intent) {
        self.pubsub.handle_intent(at(0), intent, &self.nodes);
        while let Some((node, held)) = self.pubsub.poll_hold() {
            if held && self.pubsub.conn(node).is_none() {
                self.ready(node);
            }
        }
    }

    fn ready(&mut self, node: NodeId) {
        self.last_conn += 1;
        self.pubsub.handle_ready(node, ConnId(self.last_conn));
    }

    fn lost(&mut self, node: NodeId) {
        let conn = self.pubsub.conn(node).expect("it was ready");
        self.pubsub.handle_lost(node, conn);
    }

    fn commands(&mut self) -> Vec<(usize, Vec<u8>)> {
        let mut commands = Vec::new();
        while let Some((node, command)) = self.pubsub.poll_command(|_, _| true) {
            let words: Vec<_> = command.packed().args().map(|arg| arg.into_owned()).collect();
            commands.push((node.0, words.join(&b' ')));
        }
        commands
    }

    fn said(&mut self) -> Vec<alloc::string::String> {
        self.commands().iter().map(|(node, text)| alloc::format!("{node} {}", text.escape_ascii())).collect()
    }

    fn confirm(&mut self, node: NodeId, what: (Kind, bool), name: &str) -> Confirmed {
        self.pubsub.handle_confirmation(node, what, name.as_bytes(), true)
    }

    fn refuse(&mut self, node: NodeId, verdict: Verdict) {
        let error = ErrorKind::Server(ServerError::new(b"NOPERM no"));
        let error = Error::new(error, Fate::Rejected);
        self.pubsub.handle_refusal(node, verdict, &error, |_| at(10), &self.nodes).expect("it makes sense");
    }

    /// A node has a message of the channel `a`.
    fn message(&mut self, node: NodeId, payload: &str) {
        let wire = alloc::format!(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n{payload}\r\n");
        let push = Decoder::new(Limits::default()).decode(&mut bytes::BytesMut::from(wire.as_str()));
        self.pubsub.handle_push(node, &push.expect("legal").expect("whole"));
    }

    /// What subscriptions were told, in the order of their names.
    fn told(&mut self) -> Vec<(u64, alloc::string::String)> {
        let mut told = Vec::new();
        while let Some((id, delivery)) = self.pubsub.poll_delivery() {
            for event in delivery.take_events(Backlog::default()).0 {
                let text = match event {
                    Event::Message(message) => alloc::format!("{}", message.payload().escape_ascii()),
                    event => alloc::format!("{event:?}"),
                };
                told.push((id.0, text));
            }
            for (call, outcome) in delivery.outcomes.drain(..) {
                let outcome = outcome.map_or_else(|error| alloc::format!("{error}"), |()| "ok".into());
                told.push((id.0, alloc::format!("call {call}: {outcome}")));
            }
            if core::mem::take(&mut delivery.ended) {
                told.push((id.0, "ended".into()));
            }
        }
        told.sort_by_key(|(id, _)| *id);
        told
    }
}

#[test]
fn a_call_ends_when_all_its_channels_are_confirmed_and_others_join_at_once() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Channel, &["a", "b", "a"]));
    assert_eq!(bench.said(), ["0 SUBSCRIBE a b"]);
    assert_eq!(bench.confirm(A, (Kind::Channel, true), "a"), Confirmed::Part);
    assert!(bench.told().is_empty());
    assert_eq!(bench.confirm(A, (Kind::Channel, true), "b"), Confirmed::Last);
    assert_eq!(bench.told(), [(1, "call 1: ok".into())]);
    bench.intent(wants(TWO, 2, Kind::Channel, &["b"]));
    assert_eq!(bench.told(), [(2, "call 2: ok".into())]);
    bench.intent(Intent::Close { subscription: ONE });
    assert_eq!(bench.said(), ["0 UNSUBSCRIBE a"], "the other one has another user");
    bench.intent(Intent::Unsubscribe { subscription: TWO, kind: Kind::Channel, names: Vec::new() });
    assert_eq!(bench.said(), ["0 UNSUBSCRIBE b"]);
}

#[test]
fn the_last_wish_wins_whatever_it_meets() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Channel, &["a"]));
    assert_eq!(bench.said(), ["0 SUBSCRIBE a"]);
    bench.intent(Intent::Unsubscribe { subscription: ONE, kind: Kind::Channel, names: vec![name("a")] });
    assert!(bench.said().is_empty(), "one command at a time for a channel");
    bench.confirm(A, (Kind::Channel, true), "a");
    assert_eq!(bench.said(), ["0 UNSUBSCRIBE a"]);
    bench.intent(wants(ONE, 2, Kind::Channel, &["a"]));
    bench.confirm(A, (Kind::Channel, false), "a");
    assert_eq!(bench.said(), ["0 SUBSCRIBE a"]);
    bench.lost(A);
    bench.ready(A);
    assert_eq!(bench.said(), ["0 SUBSCRIBE a"], "what was asked on another connection does not count");
}

#[test]
fn a_gap_is_told_before_what_follows_it_and_once() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Channel, &["a", "b"]));
    bench.said();
    bench.confirm(A, (Kind::Channel, true), "a");
    bench.confirm(A, (Kind::Channel, true), "b");
    bench.told();
    bench.lost(A);
    assert_eq!(bench.told(), [(1, "Interrupted".into())]);
    bench.ready(A);
    bench.said();
    bench.confirm(A, (Kind::Channel, true), "a");
    bench.lost(A);
    bench.ready(A);
    bench.said();
    bench.confirm(A, (Kind::Channel, true), "a");
    assert!(bench.told().is_empty());
    bench.confirm(A, (Kind::Channel, true), "b");
    assert_eq!(bench.told(), [(1, "Resumed".into())]);
}

#[test]
fn a_message_from_before_a_node_is_subscribed_anew_is_too_late() {
    let mut bench = Bench::listening();
    bench.move_home(B);
    bench.ready(B);
    assert_eq!(bench.said(), ["0 UNSUBSCRIBE a", "1 SUBSCRIBE a"]);
    bench.confirm(B, (Kind::Channel, true), "a");
    bench.message(B, "2");
    assert_eq!(bench.told(), [(1, "Interrupted".into()), (1, "Resumed".into()), (1, "2".into())]);
    bench.move_home(A);
    bench.message(A, "1");
    assert_eq!(bench.told(), [(1, "Interrupted".into())], "it was on its way for long");
    bench.confirm(A, (Kind::Channel, false), "a");
    bench.said();
    bench.confirm(A, (Kind::Channel, true), "a");
    bench.message(A, "3");
    assert_eq!(bench.told(), [(1, "Resumed".into()), (1, "3".into())]);
}

#[test]
fn what_comes_back_to_a_node_that_could_not_be_told_is_subscribed_there_anew() {
    let mut bench = Bench::listening();
    bench.move_home(B);
    bench.move_home(A);
    bench.message(A, "1");
    assert_eq!(bench.told(), [(1, "Interrupted".into())], "it may be older than what came from elsewhere");
    assert_eq!(bench.said(), ["0 UNSUBSCRIBE a"]);
    bench.confirm(A, (Kind::Channel, false), "a");
    assert_eq!(bench.said(), ["0 SUBSCRIBE a"]);
    bench.confirm(A, (Kind::Channel, true), "a");
    bench.message(A, "2");
    assert_eq!(bench.told(), [(1, "Resumed".into()), (1, "2".into())]);
}

#[test]
fn a_refusal_is_told_to_whom_it_concerns_alone() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Channel, &["allowed"]));
    bench.intent(wants(TWO, 2, Kind::Channel, &["forbidden"]));
    assert_eq!(bench.said(), ["0 SUBSCRIBE allowed forbidden"]);
    bench.refuse(A, Verdict::Never);
    assert!(bench.told().is_empty(), "it is not known yet whose fault it is");
    assert_eq!(bench.said(), ["0 SUBSCRIBE allowed", "0 SUBSCRIBE forbidden"]);
    bench.confirm(A, (Kind::Channel, true), "allowed");
    bench.refuse(A, Verdict::Never);
    let told = [(1, "call 1: ok".into()), (2, "call 2: SUBSCRIBE: NOPERM no (rejected)".into())];
    assert_eq!(bench.told(), told);
    assert!(bench.said().is_empty());
}

#[test]
fn what_is_refused_for_a_while_is_tried_again_and_is_the_cause_if_that_is_too_late() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Shard, &["a"]));
    bench.said();
    bench.refuse(A, Verdict::Later);
    assert!(bench.said().is_empty());
    assert_eq!(bench.pubsub.poll_timeout(), at(10));
    bench.pubsub.handle_timeout(at(10), &bench.nodes);
    assert_eq!(bench.said(), ["0 SSUBSCRIBE a"]);
    bench.refuse(A, Verdict::Later);
    bench.pubsub.handle_timeout(at(1000), &bench.nodes);
    let text = "call 1: SSUBSCRIBE: timed out waiting for the reply (rejected); NOPERM no (rejected)";
    assert_eq!(bench.told(), [(1, text.into())]);
    assert!(bench.said().is_empty(), "nobody wants it any more");
}

#[test]
fn a_sharded_channel_follows_its_slot_and_circles_are_slow() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Shard, &["a"]));
    bench.said();
    bench.confirm(A, (Kind::Shard, true), "a");
    bench.told();
    assert_eq!(bench.confirm(A, (Kind::Shard, false), "a"), Confirmed::Unasked);
    assert_eq!(bench.told(), [(1, "Interrupted".into())]);
    for hop in 0..5 {
        let (from, to) = if hop % 2 == 0 { (A, B) } else { (B, A) };
        bench.ready(to);
        assert_eq!(bench.said(), [alloc::format!("{} SSUBSCRIBE a", from.0)], "hop {hop}");
        bench.nodes.slots.fill(Some(to));
        bench.refuse(from, Verdict::Later);
        if hop >= 3 {
            assert!(bench.said().is_empty(), "hop {hop}");
            bench.pubsub.handle_timeout(at(10), &bench.nodes);
        }
        bench.ready(to);
    }
    assert_eq!(bench.said(), ["1 SSUBSCRIBE a"]);
    bench.confirm(B, (Kind::Shard, true), "a");
    assert_eq!(bench.told(), [(1, "Resumed".into())]);
}

#[test]
fn who_hears_of_every_primary_is_told_of_no_gap_when_others_leave() {
    let mut bench = Bench::listening();
    bench.nodes.primaries = vec![A];
    let names = vec![Bytes::from_static(b"a")];
    let (kind, within) = (Kind::Channel, None);
    bench.intent(Intent::Subscribe { subscription: TWO, call: 2, kind, names, everywhere: true, within });
    assert_eq!(bench.told(), [(2, "call 2: ok".into())]);
    bench.intent(Intent::Close { subscription: ONE });
    bench.message(A, "1");
    assert_eq!(bench.told(), [(2, "1".into())]);
    assert!(bench.said().is_empty());
}

#[test]
fn batches_are_bounded_and_so_is_what_is_unanswered() {
    let mut bench = Bench::new();
    let names: Vec<_> = (0..20_000).map(|number| alloc::format!("channel {number}")).collect();
    bench.intent(wants(ONE, 1, Kind::Channel, &names.iter().map(|name| &**name).collect::<Vec<_>>()));
    let commands = bench.commands();
    assert_eq!(commands.len(), seat::COMMANDS_MAX);
    let longest = commands.iter().map(|(_, text)| text.len()).max();
    assert!(longest.is_some_and(|len| len <= seat::TOPICS_MAX * 14 + 10), "{longest:?}");
}

#[test]
fn a_partly_confirmed_command_cannot_be_refused() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Channel, &["a", "b"]));
    bench.said();
    bench.confirm(A, (Kind::Channel, true), "a");
    let error = Error::new(ErrorKind::Connection(ConnectionError::Reset), Fate::Rejected);
    assert!(bench.pubsub.handle_refusal(A, Verdict::Later, &error, |_| at(0), &bench.nodes).is_err());
}

#[test]
fn a_confirmation_before_its_command_is_written_confirms_nothing() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Shard, &["a"]));
    bench.said();
    let early = bench.pubsub.handle_confirmation(A, (Kind::Shard, true), b"a", false);
    assert_eq!(early, Confirmed::Unasked);
    assert_eq!(bench.confirm(A, (Kind::Shard, true), "a"), Confirmed::Last);
}

#[test]
fn calls_end_with_the_client() {
    let mut bench = Bench::new();
    bench.intent(wants(ONE, 1, Kind::Pattern, &["a*"]));
    bench.pubsub.end();
    let text = "call 1: PSUBSCRIBE: the client is closed (not sent)";
    assert_eq!(bench.told(), [(1, text.into()), (1, "ended".into())]);
    bench.intent(wants(ONE, 2, Kind::Pattern, &["a*"]));
    assert_eq!(bench.told()[0], (1, "call 2: PSUBSCRIBE: the client is closed (not sent)".into()));
}

#[test]
fn nothing_is_told_once_the_client_has_ended() {
    let mut bench = Bench::listening();
    bench.intent(wants(TWO, 2, Kind::Channel, &["a"]));
    bench.told();
    bench.pubsub.end();
    assert_eq!(bench.told(), [(1, "ended".into()), (2, "ended".into())]);
    bench.intent(Intent::Close { subscription: ONE });
    bench.intent(Intent::Unsubscribe { subscription: TWO, kind: Kind::Channel, names: Vec::new() });
    assert_eq!(bench.told(), []);
    assert_eq!(bench.pubsub.poll_hold(), None);
}

#[test]
fn whatever_happens_what_is_wanted_is_confirmed_in_the_end_and_every_gap_was_told() {
    for seed in 0..1000 {
        Model::new(seed).run();
    }
}
