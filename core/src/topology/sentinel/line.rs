//! The sentinels in the order in which they are asked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::config::Endpoint;

/// How many sentinels are learnt from others, besides those that were given.
pub const LEARNT_MAX: usize = 32;

/// The sentinels in the order in which they are asked: who was of no use stands at the end.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Those that were given stay, whatever others say.
    given: Vec<Endpoint>,
    /// All, each once.
    order: VecDeque<Endpoint>,
}

impl Line {
    /// The sentinels that were given, in their order.
    pub(super) fn new(given: Vec<Endpoint>) -> Self {
        let mut order = VecDeque::new();
        for sentinel in &given {
            if !order.contains(sentinel) {
                order.push_back(sentinel.clone());
            }
        }
        Self { given, order }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.order.iter()
    }

    pub(super) fn contains(&self, sentinel: &Endpoint) -> bool {
        self.order.contains(sentinel)
    }

    /// Moves one to the end.
    pub(super) fn send_back(&mut self, sentinel: &Endpoint) {
        if let Some(sentinel) = self.take(sentinel) {
            self.order.push_back(sentinel);
        }
    }

    /// Moves one to the front.
    pub(super) fn bring_forward(&mut self, sentinel: &Endpoint) {
        if let Some(sentinel) = self.take(sentinel) {
            self.order.push_front(sentinel);
        }
    }

    fn take(&mut self, sentinel: &Endpoint) -> Option<Endpoint> {
        let at = self.order.iter().position(|other| other == sentinel)?;
        self.order.remove(at)
    }

    /// The sentinel `teller` names these others: they take the place of those learnt before. Who was known
    /// keeps its place.
    pub(super) fn learn(&mut self, teller: &Endpoint, peers: &[Endpoint]) {
        let mut learnt: Vec<&Endpoint> = Vec::new();
        for peer in core::iter::once(teller).chain(peers) {
            if learnt.len() < LEARNT_MAX && !self.given.contains(peer) && !learnt.contains(&peer) {
                learnt.push(peer);
            }
        }
        let given = &self.given;
        self.order.retain(|sentinel| given.contains(sentinel) || learnt.contains(&sentinel));
        for sentinel in learnt {
            if !self.order.contains(sentinel) {
                self.order.push_back(sentinel.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn s(port: u16) -> Endpoint {
        Endpoint::tcp("s", port)
    }

    fn ports(line: &Line) -> Vec<u16> {
        let port = |sentinel: &Endpoint| match sentinel {
            Endpoint::Tcp { port, .. } => *port,
            Endpoint::Unix { .. } => 0,
        };
        line.iter().map(port).collect()
    }

    #[test]
    fn who_is_of_no_use_goes_to_the_end() {
        let mut line = Line::new(vec![s(1), s(2), s(1), s(3)]);
        assert_eq!(ports(&line), [1, 2, 3]);
        line.send_back(&s(1));
        assert_eq!(ports(&line), [2, 3, 1]);
        line.bring_forward(&s(1));
        line.send_back(&s(3));
        line.send_back(&s(9));
        line.bring_forward(&s(9));
        assert_eq!(ports(&line), [1, 2, 3]);
    }

    #[test]
    fn sentinels_are_learnt_and_forgotten_but_not_those_that_were_given() {
        let mut line = Line::new(vec![s(1), s(2)]);
        line.learn(&s(1), &[s(5), s(2), s(4), s(5)]);
        assert_eq!(ports(&line), [1, 2, 5, 4]);
        line.send_back(&s(1));
        line.learn(&s(4), &[s(6)]);
        assert_eq!(ports(&line), [2, 4, 1, 6]);
        line.learn(&s(1), &[]);
        assert_eq!(ports(&line), [2, 1]);
    }

    #[test]
    fn no_more_are_learnt_than_can_be_asked() {
        let mut line = Line::new(vec![s(1)]);
        let many: Vec<Endpoint> = (2..=1000).map(s).collect();
        line.learn(&s(1), &many);
        assert_eq!(ports(&line), (1..=33).collect::<Vec<_>>());
        line.learn(&s(33), &many);
        assert_eq!(ports(&line).len(), 33);
        assert!(line.contains(&s(33)), "who tells stays");
    }
}
