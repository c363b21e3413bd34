//! Events that wait for whoever reads them.

use alloc::collections::VecDeque;
use core::ops::Range;

use bytes::{Buf, Bytes};

use super::event::{Event, Message};
use crate::connection::Layout;
use crate::resp::{Alike, CRLF};

/// So many messages of a run are found, and then made.
#[cfg(feature = "std")]
const AT_ONCE: usize = 16;

/// Where the text of a message begins, its payload, and where both end.
#[derive(Clone, Copy, Default)]
struct Spot {
    text: usize,
    payload: usize,
    end: usize,
}

/// Messages of one channel as they lay in what was read, each of which is made when it is taken.
#[derive(Debug)]
pub(super) struct Run {
    /// As it came, but for the end of the last message.
    wire: Bytes,
    /// Where the next one begins.
    at: usize,
    /// Those that are left, more than none.
    left: Alike,
    /// Where the text is in each of them, if they are all of one length; else where it begins.
    text: Range<usize>,
    /// Where all is in the text; the payload only if they are all of one length.
    layout: Layout,
}

impl Run {
    /// Messages as they came, but for the end of the last. The first has its `text` here.
    pub(super) const fn new(wire: Bytes, text: Range<usize>, layout: Layout, left: Alike) -> Self {
        Self { wire, at: 0, left, text, layout }
    }

    /// How much [room](Event::room) they take.
    fn room(&self) -> usize {
        let each = size_of::<Event>().saturating_add(self.layout.channel_len());
        self.left.count.saturating_mul(each).saturating_add(self.left.payload)
    }

    /// Where the next one is.
    #[inline(always)]
    fn first(&self) -> Option<Spot> {
        let text = self.at + self.text.start;
        if self.left.is_even {
            return Some(Spot {
                text,
                payload: text + self.layout.payload_at(),
                end: self.at + self.text.end,
            });
        }
        let payload = Alike::first(self.at + self.left.head, &self.wire)?;
        Some(Spot { text, payload: payload.start, end: payload.end })
    }

    /// Goes on to the next of several. Returns where the one before is.
    #[inline(always)]
    fn pass(&mut self) -> Option<Spot> {
        let spot = self.first()?;
        self.at = spot.end.checked_add(CRLF).filter(|at| *at <= self.wire.len())?;
        self.left.count -= 1;
        self.left.payload = self.left.payload.saturating_sub(spot.end.saturating_sub(spot.payload));
        Some(spot)
    }

    /// Makes all but the last, as long as there is room for them. Returns whether it has made any.
    #[cfg(feature = "std")]
    fn make(&mut self, into: &mut VecDeque<Event>) -> bool {
        let most = (into.capacity() - into.len()).min(self.left.count.saturating_sub(1));
        let mut found = 0;
        let mut spots = [Spot::default(); AT_ONCE];
        for spot in spots.iter_mut().take(most) {
            let Some(next) = self.pass() else { break };
            *spot = next;
            found += 1;
        }
        // A queue that knows how many come has them made where they are to lie.
        into.extend(spots[..found].iter().map(|spot| self.message(*spot)));
        found > 0
    }

    #[inline]
    fn message(&self, Spot { text, payload, end }: Spot) -> Event {
        let layout = self.layout.with_payload_at(payload.saturating_sub(text));
        Event::Message(Message::of(self.wire.slice(text..end), layout))
    }

    /// The only one that is left.
    fn into_last(mut self) -> Option<Message> {
        let Spot { text, payload, .. } = self.first().filter(|spot| spot.end == self.wire.len())?;
        self.wire.advance(text);
        Some(Message::of(self.wire, self.layout.with_payload_at(payload.saturating_sub(text))))
    }
}

#[derive(Debug)]
enum Item {
    Event(Event),
    Run(Run),
}

impl Item {
    fn room(&self) -> usize {
        match self {
            Self::Event(event) => event.room(),
            Self::Run(run) => run.room(),
        }
    }
}

/// Events in their order. To iterate over it takes them out.
#[derive(Debug, Default)]
pub struct Backlog(VecDeque<Item>);

impl Backlog {
    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is more than one event.
    #[cfg(feature = "std")]
    pub(crate) fn has_several(&self) -> bool {
        match self.0.front() {
            Some(Item::Run(run)) if run.left.count > 1 => true,
            _ => self.0.len() > 1,
        }
    }

    /// Adds an event. Returns how much room it takes.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) -> usize {
        self.add(Item::Event(event))
    }

    /// Adds messages.
    #[inline]
    pub(super) fn push_run(&mut self, run: Run) -> usize {
        self.add(Item::Run(run))
    }

    #[inline]
    fn add(&mut self, item: Item) -> usize {
        let room = item.room();
        self.0.push_back(item);
        room
    }

    /// Moves all events of another one behind those of this one.
    #[cfg(feature = "std")]
    pub(crate) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Moves the first events, of so much room, or one if that has more; or some more that came with the last of them.
    /// Returns how much room they took.
    #[cfg(feature = "std")]
    pub(crate) fn move_to(&mut self, other: &mut Self, most: usize) -> usize {
        let mut room: usize = 0;
        while room < most
            && let Some(item) = self.0.pop_front()
        {
            room = room.saturating_add(item.room());
            other.0.push_back(item);
        }
        room
    }

    /// Makes the first events, as many as `into` has room for, and puts them there.
    #[cfg(feature = "std")]
    pub(crate) fn make(&mut self, into: &mut VecDeque<Event>) {
        while into.len() < into.capacity() {
            if let Some(Item::Run(run)) = self.0.front_mut()
                && run.make(into)
            {
                continue;
            }
            let Some(event) = self.next() else { return };
            into.push_back(event);
        }
    }

    /// Forgets all events.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// The next event where there is none of several in a run.
    #[inline(never)]
    fn next_item(&mut self) -> Option<Event> {
        loop {
            match self.0.pop_front()? {
                Item::Event(event) => return Some(event),
                Item::Run(run) => {
                    let message = run.into_last();
                    debug_assert!(message.is_some(), "a message that was there is gone");
                    if let Some(message) = message {
                        return Some(Event::Message(message));
                    }
                }
            }
        }
    }
}

impl Iterator for Backlog {
    type Item = Event;

    #[inline]
    fn next(&mut self) -> Option<Event> {
        if let Some(Item::Run(run)) = self.0.front_mut()
            && run.left.count > 1
            && let Some(spot) = run.pass()
        {
            return Some(run.message(spot));
        }
        self.next_item()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::connection::Heard;
    use crate::resp::{Decoder, Limits};

    fn message(channel: &str, payload: &str) -> Event {
        Event::Message(Message::new(channel, payload))
    }

    /// Messages as they come in one read.
    fn run(channel: &str, payloads: &[&str]) -> Run {
        let each = payloads.iter().map(|payload| {
            let (name, len) = (channel.len(), payload.len());
            alloc::format!(">3\r\n$7\r\nmessage\r\n${name}\r\n{channel}\r\n${len}\r\n{payload}\r\n")
        });
        let wire: alloc::string::String = each.collect();
        let strings =
            Decoder::new(Limits::default()).few_strings(b'>', wire.as_bytes()).expect("it is whole");
        let Heard { text, layout, run, .. } = Heard::new(&strings, wire.as_bytes()).expect("messages");
        assert_eq!(run.count, payloads.len());
        Run::new(Bytes::copy_from_slice(&wire.as_bytes()[..wire.len() - CRLF]), text, layout, run)
    }

    /// A backlog, and the events that are in it.
    fn backlog() -> (Backlog, Vec<Event>) {
        let mut backlog = Backlog::default();
        backlog.push(message("a", "1"));
        backlog.push_run(run("a", &["2", "", "a longer one"]));
        backlog.push(Event::Interrupted);
        backlog.push_run(run("b", &["3"]));
        backlog.push_run(run("b", &["4", "5"]));
        let events =
            [("a", "1"), ("a", "2"), ("a", ""), ("a", "a longer one"), ("b", "3"), ("b", "4"), ("b", "5")];
        let mut events: Vec<_> = events.iter().map(|(channel, payload)| message(channel, payload)).collect();
        events.insert(4, Event::Interrupted);
        (backlog, events)
    }

    #[test]
    fn messages_of_a_run_are_like_others() {
        let (backlog, events) = backlog();
        assert_eq!(backlog.collect::<Vec<_>>(), events);
    }

    #[test]
    fn as_many_are_made_as_there_is_room_for() {
        for room in 1..12 {
            let (mut backlog, events) = backlog();
            let (mut all, mut made) = (Vec::new(), VecDeque::with_capacity(room));
            let room = made.capacity();
            loop {
                backlog.make(&mut made);
                if made.is_empty() {
                    break;
                }
                assert!(made.len() == room || backlog.is_empty());
                all.extend(made.drain(..));
            }
            assert_eq!(all, events, "{room} at once");
        }
    }

    #[test]
    fn a_run_takes_the_room_of_its_messages() {
        let (mut backlog, events) = backlog();
        let room: usize = events.iter().map(Event::room).sum();
        assert_eq!(backlog.move_to(&mut Backlog::default(), usize::MAX), room);
        for taken in 0..=3 {
            let mut run = run("a", &["1", "22", "", "4444"]);
            let all = run.room();
            let events = (0..taken).map_while(|_| run.pass().map(|spot| run.message(spot)));
            let expected: usize = events.map(|event| event.room()).sum();
            assert_eq!(all - run.room(), expected);
        }
    }

    #[test]
    fn several_events_are_more_than_one() {
        let (mut backlog, events) = backlog();
        for left in (0..events.len()).rev() {
            assert!(backlog.next().is_some());
            assert_eq!((backlog.has_several(), backlog.is_empty()), (left > 1, left == 0));
        }
    }
}
