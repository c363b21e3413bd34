use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::commands::cluster::{ClusterHost, ClusterNode, SlotRange};
use crate::commands::scan_iter::reply::Holding;
use crate::config::AddressMap;
use crate::error::{Limit, ServerError, Waiting};

mod model;

fn holding(start: u16, end: u16, id: &str, port: u16) -> Holding {
    let host = ClusterHost::Named("h".to_owned());
    Holding { range: SlotRange::new(start, end), id: Some(id.to_owned()), host, port }
}

fn timeout() -> Error {
    Error::new(ErrorKind::Timeout(Waiting::Reply), Delivery::NotSent)
}

fn unknown_node() -> Error {
    Error::new(ErrorKind::Usage("the node that was chosen is not part of the deployment"), Delivery::NotSent)
}

fn refused() -> Error {
    Error::new(ErrorKind::Server(ServerError::new(b"NOPERM no")), Delivery::Rejected)
}

/// The question in short.
fn short(ask: &Ask<'_>) -> String {
    match ask {
        Ask::Page { cursor, node } => format!("page {cursor} of {}", node.expect("a node")),
        Ask::Process { node } => format!("process of {}", node.expect("a node")),
        Ask::Word { node } => format!("word of {node}"),
        Ask::Slots { of: None } => "slots".to_owned(),
        Ask::Slots { of: Some(slot) } => format!("slots by {slot}"),
        Ask::AtRest { slot } => format!("rest of {slot}"),
    }
}

/// A walk that is told by the test what is answered.
struct Dialogue(Tour);

impl Dialogue {
    fn new() -> Self {
        Self::with(&ClusterOptions::new([Endpoint::tcp("seed", 1), Endpoint::tcp("other", 1)]))
    }

    fn with(options: &ClusterOptions) -> Self {
        Self(Tour::new(options))
    }

    fn asks(&self, expected: &str) {
        assert_eq!(self.0.ask().as_ref().map(short).as_deref(), Some(expected));
    }

    fn ends(&self) {
        assert_eq!(self.0.ask(), None);
    }

    fn try_told(&mut self, question: &str, told: Told) -> Result<(), Error> {
        self.asks(question);
        self.0.handle_told(told)
    }

    fn told(&mut self, question: &str, told: Told) {
        self.try_told(question, told).expect("an answer that fits");
    }

    fn fails(&mut self, question: &str, error: Error) -> Result<(), Error> {
        self.asks(question);
        self.0.handle_error(error)
    }

    fn slots(&mut self, question: &str, holdings: &[(u16, u16, &str, u16)]) {
        let holdings = holdings.iter().map(|&(start, end, id, port)| holding(start, end, id, port));
        self.told(question, Told::Slots(holdings.collect()));
    }

    fn page(&mut self, question: &str, next: u64) {
        self.asks(question);
        assert_eq!(self.0.handle_page(next), Ok(true));
    }

    /// The node says who it is: its process, its epoch and its slots.
    fn word(&mut self, port: u16, process: &str, node: ClusterNode) {
        self.told(&format!("process of h:{port}"), Told::Process(process.to_owned()));
        self.told(&format!("word of h:{port}"), Told::Node(node.into()));
    }

    /// A node is gone through.
    fn visit(&mut self, port: u16, node: &ClusterNode) {
        self.word(port, "p", node.clone());
        self.page(&format!("page 0 of h:{port}"), 0);
        self.word(port, "p", node.clone());
    }
}

fn node(id: &str, slots: &[(u16, u16)]) -> ClusterNode {
    let slots = slots.iter().map(|&(start, end)| SlotRange::new(start, end)).collect();
    ClusterNode { id: id.to_owned(), slots, ..ClusterNode::default() }
}

const TWO: [(u16, u16, &str, u16); 2] = [(0, 8_191, "a", 1), (8_192, 16_383, "b", 2)];

fn a() -> ClusterNode {
    node("a", &[(0, 8_191)])
}

fn b() -> ClusterNode {
    node("b", &[(8_192, 16_383)])
}

#[test]
fn in_a_quiet_cluster_each_node_is_visited_once() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.word(1, "p", a());
    walk.page("page 0 of h:1", 17);
    assert_eq!((walk.0.cursor(), walk.0.covered()), (Some(17), 0));
    walk.page("page 17 of h:1", 5);
    walk.page("page 5 of h:1", 0);
    walk.word(1, "p", a());
    assert_eq!((walk.0.cursor(), walk.0.covered()), (None, 8_192));
    walk.visit(2, &b());
    walk.ends();
}

#[test]
fn a_slot_that_moved_to_a_node_that_was_visited_is_looked_for_there() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.visit(1, &a());
    walk.word(2, "p", b());
    walk.page("page 0 of h:2", 0);
    walk.word(2, "p", node("b", &[(8_193, 16_383)]));
    let moved = [(0, 8_192, "a", 1), (8_193, 16_383, "b", 2)];
    walk.slots("slots by 8192", &moved);
    walk.visit(1, &node("a", &[(0, 8_192)]));
    walk.ends();
}

#[test]
fn a_node_that_was_restarted_is_visited_again() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.word(1, "p", a());
    walk.page("page 0 of h:1", 0);
    walk.word(1, "q", a());
    walk.slots("slots by 0", &TWO);
    walk.visit(1, &a());
    walk.visit(2, &b());
    walk.ends();
}

#[test]
fn a_slot_on_its_way_takes_two_visits_and_a_word() {
    let leaving = ClusterNode { migrating: [(7, "b".to_owned())].into(), ..a() };
    let coming = ClusterNode { importing: [(7, "a".to_owned())].into(), ..b() };
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.visit(1, &leaving);
    assert_eq!(walk.0.covered(), 8_191);
    walk.visit(2, &coming);
    walk.told("word of h:1", Told::Node(leaving.into()));
    walk.ends();
}

#[test]
fn a_slot_on_its_way_to_a_node_without_slots_is_waited_for() {
    let leaving = ClusterNode { migrating: [(7, "c".to_owned())].into(), ..a() };
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.visit(1, &leaving);
    walk.visit(2, &b());
    assert_eq!(walk.fails("rest of 7", timeout()), Err(timeout()), "the caller may ask again");
    walk.told("rest of 7", Told::Nothing);
    let arrived = [(0, 6, "a", 1), (7, 7, "c", 3), (8, 8_191, "a", 1), (8_192, 16_383, "b", 2)];
    walk.slots("slots by 7", &arrived);
    walk.visit(3, &node("c", &[(7, 7)]));
    walk.ends();
}

#[test]
fn a_node_that_is_not_what_it_was_said_to_be_is_looked_for() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    // A replica by now.
    walk.word(1, "p", node("a", &[]));
    walk.told("rest of 0", Told::Nothing);
    let heir = [(0, 8_191, "c", 3), (8_192, 16_383, "b", 2)];
    walk.slots("slots by 0", &heir);
    // The client does not know it yet; when it has sent the slot a command, it does.
    assert_eq!(walk.fails("process of h:3", unknown_node()), Ok(()));
    // Nor may it send one.
    assert_eq!(walk.fails("rest of 0", refused()), Ok(()));
    walk.slots("slots by 0", &heir);
    walk.visit(3, &node("c", &[(0, 8_191)]));
    walk.visit(2, &b());
    walk.ends();
}

#[test]
fn an_error_that_can_pass_is_the_callers_if_the_node_is_still_the_one() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    walk.word(1, "p", a());
    walk.page("page 0 of h:1", 17);
    assert_eq!(walk.fails("page 17 of h:1", timeout()), Ok(()));
    let lost = Error::new(ErrorKind::Connection(ConnectionError::Reset), Delivery::NotSent);
    assert_eq!(walk.fails("slots by 0", lost.clone()), Err(lost));
    let told = TWO.map(|(start, end, id, port)| holding(start, end, id, port));
    assert_eq!(walk.try_told("slots by 0", Told::Slots(told.into())), Err(timeout()));
    // It goes on where it was.
    assert_eq!(walk.fails("page 17 of h:1", timeout()), Ok(()));
    walk.slots("slots by 0", &[(0, 8_191, "c", 3), (8_192, 16_383, "b", 2)]);
    walk.visit(3, &node("c", &[(0, 8_191)]));
    walk.visit(2, &b());
    walk.ends();
}

#[test]
fn any_other_error_ends_the_walk() {
    let mut walk = Dialogue::new();
    assert_eq!(walk.fails("slots", refused()), Err(refused()));
    walk.ends();
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    // But nobody has to tell the name of its process.
    assert_eq!(walk.fails("process of h:1", refused()), Ok(()));
    walk.told("word of h:1", Told::Node(a().into()));
    assert_eq!(walk.fails("page 0 of h:1", refused()), Err(refused()));
    walk.ends();
    let mut walk = Dialogue::new();
    assert!(walk.0.handle_page(0).is_err(), "nobody asked for a page");
    walk.ends();
    let mut walk = Dialogue::new();
    assert!(walk.try_told("slots", Told::Nothing).is_err(), "that is no answer");
    walk.ends();
}

#[test]
fn slots_that_two_nodes_know_nothing_of_are_left_out() {
    let mut walk = Dialogue::new();
    let few = [(0, 8_191, "a", 1)];
    walk.slots("slots", &few);
    walk.visit(1, &a());
    walk.slots("slots", &[]);
    // The other node knows more.
    walk.slots("slots", &TWO);
    walk.visit(2, &node("b", &[(8_192, 9_000)]));
    walk.slots("slots by 9001", &[(0, 8_191, "a", 1), (8_192, 9_000, "b", 2)]);
    walk.slots("slots", &few);
    walk.ends();
}

#[test]
fn a_node_without_a_host_is_where_the_cluster_was_found() {
    let unnamed = |host| Told::Slots(vec![Holding { host, ..holding(0, 16_383, "a", 7) }]);
    let all = node("a", &[(0, 16_383)]);
    let mut walk = Dialogue::new();
    walk.told("slots", unnamed(ClusterHost::Asked));
    assert_eq!(walk.fails("process of seed:7", unknown_node()), Ok(()));
    walk.told("process of other:7", Told::Process("p".to_owned()));
    walk.told("word of other:7", Told::Node(all.into()));
    walk.asks("page 0 of other:7");
    // The client knows it no more.
    assert_eq!(walk.fails("page 0 of other:7", unknown_node()), Ok(()));
    walk.told("rest of 0", Told::Nothing);
    let nowhere = walk.try_told("slots by 0", unnamed(ClusterHost::Unknown)).expect_err("it has no name");
    assert_eq!(nowhere.kind(), &ErrorKind::Connection(ConnectionError::NotResolved));
    walk.asks("slots");
}

#[test]
fn nodes_are_called_as_the_client_calls_them() {
    let map =
        AddressMap::new(|told| Endpoint::tcp("outside", if told.to_string() == "h:1" { 11 } else { 12 }));
    let mut walk = Dialogue::with(&ClusterOptions::new([]).address_map(map));
    walk.slots("slots", &TWO);
    walk.told("process of outside:11", Told::Nothing);
    walk.asks("word of outside:11");
}

#[test]
fn a_walk_that_does_not_get_any_further_says_so() {
    let mut walk = Dialogue::new();
    walk.slots("slots", &TWO);
    for round in 1..=2 * RESTARTS_MAX {
        assert_eq!(
            walk.fails("process of h:1", unknown_node()).is_err(),
            round % RESTARTS_MAX == 0,
            "{round}"
        );
        walk.told("rest of 0", Told::Nothing);
        walk.slots("slots by 0", &TWO);
    }
    for round in 1..RESTARTS_MAX {
        walk.word(1, "p", a());
        walk.page("page 0 of h:1", 0);
        walk.word(1, &format!("q{round}"), a());
        walk.slots("slots by 0", &TWO);
    }
    walk.word(1, "p", a());
    walk.page("page 0 of h:1", 0);
    walk.told("process of h:1", Told::Nothing);
    let error = walk.try_told("word of h:1", Told::Node(a().into())).expect_err("once too often");
    assert_eq!(error.kind(), &ErrorKind::Limit(Limit::Restarts(RESTARTS_MAX)));
    assert_eq!(error.command(), Some("SCAN"));
    walk.slots("slots by 0", &TWO);
    walk.visit(1, &a());
    walk.visit(2, &b());
    walk.ends();
}

#[test]
fn slots_that_have_moved_to_a_visited_node_are_seen_after_all_others() {
    let mut walk = Dialogue::new();
    let slots = [(0, 5_000, "a", 1), (5_001, 10_000, "b", 2), (10_001, 16_383, "c", 3)];
    walk.slots("slots", &slots);
    // The one with most slots is the first; another one gives it a slot.
    walk.visit(3, &node("c", &[(10_001, 16_383)]));
    walk.word(1, "p", node("a", &[(0, 5_000)]));
    walk.page("page 0 of h:1", 0);
    walk.word(1, "p", node("a", &[(0, 4_999)]));
    let moved =
        [(0, 4_999, "a", 1), (5_000, 5_000, "c", 3), (5_001, 10_000, "b", 2), (10_001, 16_383, "c", 3)];
    walk.slots("slots by 5000", &moved);
    walk.visit(2, &node("b", &[(5_001, 10_000)]));
    walk.visit(3, &node("c", &[(5_000, 5_000), (10_001, 16_383)]));
    walk.ends();
}
