//! What a walk asks, and what is answered.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::slots::Slots;
use crate::command::slot;
use crate::command::{Command, FromReply, Prepare, Route, elements, unexpected};
use crate::commands::cluster::{ClusterHost, ClusterNode, ClusterSlots, SlotRange};
use crate::commands::{
    ClusterCommands, HashCommands, KeyCommands, KeyScanOptions, ScanOptions, ScanPage, ScriptingCommands,
    ServerCommands, SetCommands, SortedSetCommands,
};
use crate::config::Endpoint;
use crate::error::ConversionError;
use crate::resp::{Item, Kind};

/// What is walked through.
pub(super) enum Source {
    Keys(KeyScanOptions),
    Set(Vec<u8>, ScanOptions),
    Hash(Vec<u8>, ScanOptions),
    HashFields(Vec<u8>, ScanOptions),
    SortedSet(Vec<u8>, ScanOptions),
}

/// What a walk has to know next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask<'a> {
    /// A page, of the node if there are several.
    Page { cursor: u64, node: Option<&'a Endpoint> },
    /// The process that serves the node, or else what is walked through.
    Process { node: Option<&'a Endpoint> },
    /// What a node says of itself.
    Word { node: &'a Endpoint },
    /// Who serves which slots: by the word of the node that serves this one, or of any.
    Slots { of: Option<u16> },
    /// That a slot is on its way to nobody, and that the client knows where it is.
    AtRest { slot: u16 },
}

impl Source {
    /// The command that asks.
    pub(super) fn command<T: FromReply>(&self, ask: &Ask<'_>) -> Command<ScanReply<T>> {
        let p = Prepare;
        match *ask {
            Ask::Page { cursor, node } => at(self.page(cursor), node),
            Ask::Process { node } => at(self.process(), node),
            Ask::Word { node } => at(p.cluster_nodes().reply_as(), Some(node)),
            Ask::Slots { of: None } => p.cluster_slots().reply_as(),
            Ask::Slots { of: Some(slot) } => p.cluster_slots().slot(slot).route(Route::Primary).reply_as(),
            Ask::AtRest { slot } => at_rest(slot),
        }
    }

    fn page<T: FromReply>(&self, cursor: u64) -> Command<ScanReply<T>> {
        let p = Prepare;
        match self {
            Self::Keys(options) => p.scan::<T>(cursor, options.clone()).reply_as(),
            Self::Set(key, options) => p.sscan::<T>(key, cursor, options.clone()).reply_as(),
            Self::Hash(key, options) => p.hscan::<(), ()>(key, cursor, options.clone()).reply_as(),
            Self::HashFields(key, options) => p.hscan_novalues::<T>(key, cursor, options.clone()).reply_as(),
            Self::SortedSet(key, options) => p.zscan::<()>(key, cursor, options.clone()).reply_as(),
        }
    }

    /// A key can be at a node for a while that does not serve its slot: only what has the key goes there.
    fn process<T: FromReply>(&self) -> Command<ScanReply<T>> {
        const TELL: &str = "return string.match(redis.call('INFO', 'server'), 'run_id:%x+')";
        let command = match self {
            Self::Keys(_) => Prepare.info("server").reply_as(),
            Self::Set(key, _) | Self::Hash(key, _) | Self::HashFields(key, _) | Self::SortedSet(key, _) => {
                Prepare.eval_ro::<()>(TELL, key, ()).reply_as()
            }
        };
        command.route(Route::Primary)
    }
}

fn at<T>(command: Command<T>, node: Option<&Endpoint>) -> Command<T> {
    node.into_iter().fold(command, Command::node)
}

/// Two keys that are not there, of a slot that is on its way: the servers answer `TRYAGAIN` until it has arrived,
/// so the call waits. And they redirect to the node that has it.
fn at_rest<T: FromReply>(slot: u16) -> Command<ScanReply<T>> {
    let tag = tag_of(slot);
    let keys = [1, 2].map(|number| alloc::format!("{{{tag}}}:redstart:{number}"));
    Command::new("EXISTS").keys(keys).read_only().route(Route::Primary)
}

/// A number whose digits are in this slot. There is one below 200,000 for each.
fn tag_of(slot: u16) -> u32 {
    let is_there = |number: &u32| slot::of(alloc::format!("{number}").as_bytes()) == slot;
    (0..u32::MAX).find(is_there).unwrap_or_default()
}

/// The reply to whatever a walk asks, for executors to hand over.
#[derive(Debug)]
pub struct ScanReply<T>(pub(super) Answer<T>);

/// What is answered.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Page(ScanPage<T>),
    Told(Told),
}

/// What is answered besides pages.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// Which slots are served by which node.
    Slots(Vec<Holding>),
    /// What a node says of itself.
    Node(Box<ClusterNode>),
    /// The name of a process.
    Process(String),
    /// Nothing that would matter.
    Nothing,
}

/// Slots, and the node that serves them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Holding {
    pub(super) range: SlotRange,
    pub(super) id: Option<String>,
    pub(super) host: ClusterHost,
    pub(super) port: u16,
}

impl<T: FromReply> FromReply for ScanReply<T> {
    /// All answers look different: a page begins with a cursor, slots with a list, all else is no list.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Ok(Self(match item.kind() {
            Kind::Error => return Err(unexpected("a page", item)),
            kind if !kind.is_aggregate() => Answer::Told(Told::from_text(item)),
            _ => match elements(item)?.next() {
                Some(first) if !first.kind().is_aggregate() => Answer::Page(ScanPage::from_reply(item)?),
                _ => Answer::Told(Told::Slots(holdings(item)?)),
            },
        }))
    }
}

impl Told {
    fn from_text(item: Item<'_>) -> Self {
        let text = item.text().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let told = |line: &str| match line.strip_prefix("run_id:") {
            Some(id) => Some(Self::Process(id.trim_end().into())),
            None if !line.contains("myself") => None,
            None => Some(Self::Node(Box::new(ClusterNode::parse(line).filter(ClusterNode::is_myself)?))),
        };
        text.lines().find_map(told).unwrap_or(Self::Nothing)
    }
}

fn holdings(item: Item<'_>) -> Result<Vec<Holding>, ConversionError> {
    let (mut holdings, mut known) = (Vec::new(), Slots::new());
    for slots in elements(item)? {
        let mut slots = ClusterSlots::from_reply(slots)?;
        if !known.add(slots.range) {
            return Err(unexpected("slots, and none of them twice", item));
        }
        if !slots.nodes.is_empty() {
            let primary = slots.nodes.swap_remove(0);
            let (host, port) = (primary.host, primary.port);
            holdings.push(Holding { range: slots.range, id: primary.id, host, port });
        }
    }
    Ok(holdings)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read(wire: &str) -> Result<Answer<String>, ConversionError> {
        let mut bytes = BytesMut::from(wire);
        let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
        ScanReply::from_reply(frame.item()).map(|reply| reply.0)
    }

    fn told(wire: &str) -> Told {
        match read(wire).expect("an answer") {
            Answer::Told(told) => told,
            Answer::Page(page) => panic!("{page:?}"),
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let page = read("*2\r\n$1\r\n7\r\n*1\r\n+k\r\n").expect("a page");
        assert!(matches!(page, Answer::Page(page) if page.cursor == 7 && page.items == ["k"]));
        assert_eq!(told("*0\r\n"), Told::Slots(Vec::new()));
        for nothing in ["$-1\r\n", "_\r\n", ":2\r\n", "+OK\r\n", "$7\r\nmyself,\r\n"] {
            assert_eq!(told(nothing), Told::Nothing, "{nothing:?}");
        }
        for process in ["+run_id:f0\r\n", "=13\r\ntxt:run_id:f0\r\n", "$14\r\na:b\r\nrun_id:f0\r\n"] {
            assert_eq!(told(process), Told::Process("f0".into()), "{process:?}");
        }
        let Told::Node(node) = told("+a h:1@2 myself,slave b 0 0 7 connected\r\n") else { panic!("a node") };
        assert_eq!((&*node.id, node.config_epoch), ("a", 7));
        for wrong in ["*2\r\n+x\r\n*0\r\n", "*1\r\n+0\r\n", "*1\r\n*0\r\n"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn slots_are_served_once_and_by_somebody() {
        let entry = |start: u16, end: u16| alloc::format!("*3\r\n:{start}\r\n:{end}\r\n*2\r\n+h\r\n:1\r\n");
        let two = |first: (u16, u16), second: (u16, u16)| {
            read(&alloc::format!("*2\r\n{}{}", entry(first.0, first.1), entry(second.0, second.1)))
        };
        assert!(two((0, 5), (6, 16_383)).is_ok());
        for wrong in [((0, 5), (5, 6)), ((0, 5), (9, 8)), ((0, 16_384), (3, 3)), ((7, 7), (7, 7))] {
            assert!(two(wrong.0, wrong.1).is_err(), "{wrong:?}");
        }
        let nobodys = alloc::format!("*2\r\n*2\r\n:0\r\n:3\r\n{}", entry(4, 4));
        let Told::Slots(holdings) = told(&nobodys) else { panic!("slots") };
        assert_eq!(holdings.iter().map(|holding| holding.range).collect::<Vec<_>>(), [SlotRange::new(4, 4)]);
    }

    #[test]
    fn there_is_a_tag_for_each_slot() {
        let slots = (0..200_000_u32).map(|number| slot::of(alloc::format!("{number}").as_bytes()));
        assert_eq!(slots.collect::<BTreeSet<_>>().len(), usize::from(slot::SLOTS));
        for slot in [0, 1, 8_000, slot::SLOTS - 1] {
            let command = at_rest::<String>(slot);
            assert_eq!(command.packed().slot(), Ok(Some(slot)));
            assert_eq!(command.packed().args().count(), 3, "two keys");
        }
    }
}
