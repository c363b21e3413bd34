//! Several commands given at once: one contiguous write, replies of the same shape.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use super::Command;
use super::flags::Flags;
use super::packed::{Packed, WireSink};
use super::reply::{FromReply, missing};
use super::split::{Gather, Split};
use super::target::Target;
use crate::error::{Delivery, Error, ErrorKind};
#[cfg(feature = "std")]
use crate::resp::Frame;
use crate::resp::Item;

/// Commands in a tuple, an array or a vector, whose replies come back in the same shape.
pub trait Batch {
    /// The replies, if all commands succeed.
    type Replies;
    /// One result per command.
    type Results;

    /// Encodes the commands one behind the other.
    fn pack_into(self, batch: &mut PackedBatch);

    /// Encodes the commands as a batch.
    fn pack(self) -> PackedBatch
    where
        Self: Sized,
    {
        let mut batch = PackedBatch::default();
        self.pack_into(&mut batch);
        batch
    }

    /// Reads the results in the order of the commands.
    fn results(results: &mut Results<'_>) -> Self::Results;

    /// The replies, or the first error.
    ///
    /// # Errors
    /// The first error among the results.
    fn replies(results: Self::Results) -> Result<Self::Replies, Error>;
}

/// The results of a batch before they have their types.
pub type Results<'a> = dyn ExactSizeIterator<Item = Answer<'a>> + 'a;

/// What came of one command of a batch: an element of a reply, or an error.
#[derive(Debug)]
pub struct Answer<'a> {
    outcome: Result<Item<'a>, Error>,
    batch: &'a PackedBatch,
    index: usize,
}

impl<'a> Answer<'a> {
    /// The outcome of the command at `index` of `batch`.
    #[must_use]
    pub const fn new(outcome: Result<Item<'a>, Error>, batch: &'a PackedBatch, index: usize) -> Self {
        Self { outcome, batch, index }
    }

    /// The reply as a `T`.
    ///
    /// # Errors
    /// The command failed, or its reply is no `T`. The error names the command.
    pub fn read<T: FromReply>(self) -> Result<T, Error> {
        let converted = |item| {
            T::from_reply(item)
                .map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
        };
        self.outcome.and_then(converted).map_err(|error| match self.batch.name(self.index) {
            Some(name) if error.command().is_none() => error.with_command(&name),
            _ => error,
        })
    }
}

pub(super) fn read_next<T: FromReply>(results: &mut Results<'_>) -> Result<T, Error> {
    results.next().map_or_else(|| Err(missing()), Answer::read)
}

impl<T: FromReply> Batch for Vec<Command<T>> {
    type Replies = Vec<T>;
    type Results = Vec<Result<T, Error>>;

    fn pack_into(self, batch: &mut PackedBatch) {
        self.iter().for_each(|command| batch.push(command.packed()));
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        (0..results.len()).map(|_| read_next(results)).collect()
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        results.into_iter().collect()
    }
}

impl<T: FromReply, const N: usize> Batch for [Command<T>; N] {
    type Replies = [T; N];
    type Results = [Result<T, Error>; N];

    fn pack_into(self, batch: &mut PackedBatch) {
        self.iter().for_each(|command| batch.push(command.packed()));
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        core::array::from_fn(|_| read_next(results))
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        let replies: Vec<T> = results.into_iter().collect::<Result<_, _>>()?;
        replies.try_into().map_err(|_| missing())
    }
}

/// How one command ended.
#[cfg(feature = "std")]
type Outcome = Result<Frame, Error>;

/// Commands encoded one behind the other.
#[derive(Clone, Default)]
pub struct PackedBatch {
    bytes: Vec<u8>,
    shared: Vec<(usize, Bytes)>,
    entries: Vec<BatchEntry>,
    routing: Routing,
    /// For the commands that were cut: their first entries, in ascending order, and how the replies to their
    /// parts become one.
    gathers: Vec<(usize, Gather)>,
}

/// What is done about the slots of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Routing {
    #[default]
    None,
    BySlot,
    /// By slot, and commands that can be cut are cut.
    Split,
}

/// What is known of one command of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchEntry {
    /// Where the command begins in the copied bytes.
    start: usize,
    wire_len: usize,
    flags: Flags,
    name_words: u8,
    oversize: bool,
    chosen: bool,
    timeout: Option<Duration>,
    target: Result<Target, (u16, u16)>,
}

impl BatchEntry {
    /// Which node of a cluster it is for, if the batch was made [for one](PackedBatch::routed).
    ///
    /// # Errors
    /// Two slots, if its keys are in different ones.
    pub const fn target(&self) -> Result<Target, (u16, u16)> {
        self.target
    }

    /// How many bytes the command has on the wire.
    #[must_use]
    pub const fn wire_len(&self) -> usize {
        self.wire_len
    }

    /// What is known of the command.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.flags
    }

    /// How many of its arguments are its name.
    #[must_use]
    pub const fn name_words(&self) -> u8 {
        self.name_words
    }
}

impl PackedBatch {
    /// A batch whose commands are to be routed by their keys.
    #[must_use]
    pub fn routed() -> Self {
        Self { routing: Routing::BySlot, ..Self::default() }
    }

    /// As [`routed`](Self::routed), and commands whose keys are in several slots are [cut](Packed::split), if
    /// they can be: each part is an entry of its own, and [`gather`](Self::gather) makes one reply of theirs.
    #[cfg(feature = "std")]
    pub(crate) fn split() -> Self {
        Self { routing: Routing::Split, ..Self::default() }
    }

    /// Appends a command.
    pub fn push(&mut self, command: &Packed) {
        if self.routing == Routing::Split
            && let Ok(Some(Split { parts, gather })) = command.split()
        {
            self.gathers.push((self.entries.len(), gather));
            parts.iter().for_each(|part| self.push_entry(part));
        } else {
            self.push_entry(command);
        }
    }

    fn push_entry(&mut self, command: &Packed) {
        let start = self.bytes.len();
        let wire_len = command.wire_len();
        self.entries.push(BatchEntry {
            start,
            wire_len,
            flags: command.flags(),
            name_words: command.name_words(),
            oversize: command.is_oversize(),
            chosen: command.node().is_some(),
            timeout: command.own_timeout(),
            target: if self.routing == Routing::None { Ok(Target::default()) } else { command.target() },
        });
        command.write_to(self);
    }

    /// The commands as they are sent: of one that was cut, its parts.
    #[must_use]
    pub fn entries(&self) -> &[BatchEntry] {
        &self.entries
    }

    /// How many commands were pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        let more: usize = self.gathers.iter().map(|(_, gather)| gather.parts() - 1).sum();
        self.entries.len() - more
    }

    /// Whether no command was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The outcomes of the commands that were pushed, out of those of the entries.
    #[cfg(feature = "std")]
    pub(crate) fn gather(&self, outcomes: Vec<Option<Outcome>>) -> Vec<Option<Outcome>> {
        if self.gathers.is_empty() {
            return outcomes;
        }
        let mut outcomes = outcomes.into_iter();
        let mut gathered = Vec::with_capacity(self.len());
        let mut taken = 0;
        for (first, gather) in &self.gathers {
            gathered.extend(outcomes.by_ref().take(first - taken));
            let parts = outcomes.by_ref().take(gather.parts());
            gathered.push(Some(gather.join(parts.map(|part| part.unwrap_or_else(|| Err(missing()))))));
            taken = first + gather.parts();
        }
        gathered.extend(outcomes);
        gathered
    }

    /// How many bytes all of them have on the wire.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        self.entries.iter().map(|entry| entry.wire_len).sum()
    }

    /// Whether an argument is longer than any server takes.
    #[must_use]
    pub fn is_oversize(&self) -> bool {
        self.entries.iter().any(|entry| entry.oversize)
    }

    /// Whether one of the commands is for a node of its own choice, which no batch can heed.
    #[must_use]
    pub fn has_chosen_node(&self) -> bool {
        self.entries.iter().any(|entry| entry.chosen)
    }

    /// The longest time that one of the commands asks for; `None` if none asks.
    #[must_use]
    pub fn own_timeout(&self) -> Option<Duration> {
        self.entries.iter().filter_map(|entry| entry.timeout).max()
    }

    /// Which node of a cluster the commands are for, if they are for one.
    ///
    /// # Errors
    /// Two slots, if keys are in different ones.
    pub fn common_target(&self) -> Result<Target, (u16, u16)> {
        let mut common = Target::default();
        for entry in &self.entries {
            match (common, entry.target?) {
                (Target::Slot(first), Target::Slot(other)) if first != other => return Err((first, other)),
                (Target::AnyPrimary, target @ Target::Slot(_)) => common = target,
                _ => {}
            }
        }
        Ok(common)
    }

    /// The first command whose keys are in slots that do not go together: two of them, and its name.
    #[cfg(feature = "std")]
    pub(crate) fn refused(&self) -> Option<((u16, u16), String)> {
        let (entry, slots) = self.entries.iter().find_map(|entry| Some((entry, entry.target.err()?)))?;
        Some((slots, self.name_of(entry)?))
    }

    /// The name of the command at `index`, those that were pushed counted.
    #[must_use]
    pub fn name(&self, mut index: usize) -> Option<String> {
        for (first, gather) in &self.gathers {
            if *first < index {
                index += gather.parts() - 1;
            }
        }
        self.name_of(self.entries.get(index)?)
    }

    fn name_of(&self, entry: &BatchEntry) -> Option<String> {
        name_on_wire(self.bytes.get(entry.start..)?, entry.name_words)
    }

    /// Appends the wire form of all commands to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.write_to(&mut super::packed::Copied(out));
    }

    /// Gives up the memory of all arguments but the names: the commands are on their way, their bytes are
    /// kept elsewhere, and only errors still ask for them.
    pub fn forget_arguments(&mut self) {
        /// Below, the names are a good part of it.
        const WORTH_IT: usize = 128;
        self.shared = Vec::new();
        if self.bytes.len() < WORTH_IT * self.entries.len() {
            return;
        }
        let mut names = Vec::new();
        for entry in &mut self.entries {
            let head = name_on_wire_len(&self.bytes[entry.start..], entry.name_words).unwrap_or(0);
            let name = entry.start..entry.start + head;
            entry.start = names.len();
            names.extend_from_slice(&self.bytes[name]);
        }
        self.bytes = names;
    }

    pub(crate) fn write_to(&self, out: &mut impl WireSink) {
        let mut from = 0;
        for (at, value) in &self.shared {
            out.copied(&self.bytes[from..*at]);
            out.shared(value);
            from = *at;
        }
        out.copied(&self.bytes[from..]);
    }
}

/// How many bytes the command that starts at `wire[0]` has up to the end of its name.
fn name_on_wire_len(wire: &[u8], words: u8) -> Option<usize> {
    let line = wire.iter().position(|&byte| byte == b'\n')? + 1;
    Some(line + super::packed::name_len(wire.get(line..)?, words)?)
}

/// The name of the command that starts at `wire[0]`: its first `words` arguments.
pub(crate) fn name_on_wire(wire: &[u8], words: u8) -> Option<String> {
    let line = wire.iter().position(|&byte| byte == b'\n')?;
    let mut rest = wire.get(line + 1..)?;
    let mut name = String::new();
    for _ in 0..words {
        let (len, after) = super::packed::bulk_header(rest)?;
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(&String::from_utf8_lossy(after.get(..len)?));
        rest = after.get(len + 2..)?;
    }
    Some(name)
}

impl WireSink for PackedBatch {
    fn copied(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn shared(&mut self, value: &Bytes) {
        self.shared.push((self.bytes.len(), value.clone()));
    }
}

impl<'a> FromIterator<&'a Packed> for PackedBatch {
    fn from_iter<I: IntoIterator<Item = &'a Packed>>(commands: I) -> Self {
        let mut batch = Self::default();
        commands.into_iter().for_each(|command| batch.push(command));
        batch
    }
}

impl fmt::Debug for PackedBatch {
    /// Shows the size only: arguments can be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedBatch({} commands)", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::{format, vec};

    use bytes::BytesMut;

    use super::*;
    use crate::command::Join;
    use crate::resp::{Decoder, Limits};

    fn get(key: &str) -> Command<String> {
        Command::new("GET").key(key).read_only()
    }

    /// The batch on the wire.
    fn wire(batch: &PackedBatch) -> Vec<u8> {
        let mut wire = Vec::new();
        batch.encode(&mut wire);
        wire
    }

    #[test]
    fn commands_stand_one_behind_the_other() {
        let large = Bytes::from(vec![b'x'; 20_000]);
        let set = Command::<()>::new("SET").key("k").arg(&large).arg(&large);
        let config = Command::<()>::new("CONFIG SET").arg("a").arg("b").timeout(Duration::from_secs(3));
        let ping = Command::<()>::new("PING").timeout(Duration::from_secs(2));
        let batch = (get("a"), set.clone(), config.clone(), ping.clone()).pack();
        let commands = [get("a").into_packed(), set.into_packed(), config.into_packed(), ping.into_packed()];
        let mut expected = Vec::new();
        commands.iter().for_each(|command| command.encode(&mut expected));
        assert!(wire(&batch) == expected, "the same bytes as one by one");
        assert_eq!(batch.wire_len(), expected.len());
        assert!(batch.entries().iter().map(BatchEntry::wire_len).eq(commands.iter().map(Packed::wire_len)));
        let names: Vec<_> = (0..4).filter_map(|index| batch.name(index)).collect();
        assert_eq!(
            (names, batch.name(4)),
            (["GET", "SET", "CONFIG SET", "PING"].map(String::from).into(), None)
        );
        assert_eq!(batch.own_timeout(), Some(Duration::from_secs(3)));
        assert!(
            batch.entries()[0].flags().has(Flags::READ_ONLY)
                && !batch.entries()[1].flags().has(Flags::READ_ONLY)
        );
        assert_eq!(format!("{batch:?}"), "PackedBatch(4 commands)");
    }

    #[test]
    fn lists_of_commands_are_batches() {
        for batch in
            [vec![get("a"), get("b")].pack(), [get("a"), get("b")].pack(), (get("a"), get("b")).pack()]
        {
            assert_eq!(wire(&batch), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
            assert_eq!((batch.entries().len(), batch.own_timeout(), batch.is_oversize()), (2, None, false));
        }
        let none = Vec::<Command<()>>::new().pack();
        assert_eq!((none.entries().len(), none.wire_len(), wire(&none).len()), (0, 0, 0));
    }

    #[test]
    fn names_are_left_when_the_arguments_are_forgotten() {
        let large = Bytes::from(vec![b'x'; 20_000]);
        let config = Command::<()>::new("CONFIG SET").arg("a").arg(vec![b'y'; 5000]);
        let set = Command::<()>::new("SET").key("k").arg(&large);
        let mut batch = (get("a"), config, set, get("b")).pack();
        batch.forget_arguments();
        let names: Vec<_> = (0..4).filter_map(|index| batch.name(index)).collect();
        assert_eq!(names, ["GET", "CONFIG SET", "SET", "GET"]);
        assert_eq!((batch.shared.len(), batch.entries().len()), (0, 4));
        assert!(batch.bytes.len() < 100, "{} bytes are left", batch.bytes.len());
        batch.forget_arguments();
        assert_eq!(batch.name(1).as_deref(), Some("CONFIG SET"));
    }

    #[test]
    fn one_oversize_argument_makes_the_batch_oversize() {
        let large = Bytes::from(vec![0; (512 << 20) + 1]);
        assert!((get("a"), Command::<()>::new("SET").key("k").arg(large)).pack().is_oversize());
    }

    fn frames(wire: &str) -> Vec<Frame> {
        let mut read = BytesMut::from(wire);
        let mut decoder = Decoder::new(Limits::default());
        core::iter::from_fn(|| decoder.decode(&mut read).expect("legal replies")).collect()
    }

    fn results<B: Batch>(wire: &str) -> B::Results {
        let frames = frames(wire);
        let batch = PackedBatch::default();
        B::results(&mut frames.iter().map(|frame| Answer::new(Ok(frame.item()), &batch, 0)))
    }

    // Slots: foo 12182, bar 5061, hello 866.
    fn mget() -> Command<Vec<Option<String>>> {
        Command::new("MGET").keys(["foo", "bar", "{foo}x", "hello"]).split(Join::Merge)
    }

    #[test]
    fn commands_over_several_slots_are_cut_and_gathered() {
        let del = || Command::<u64>::new("DEL").keys(["foo", "bar"]).split(Join::Sum);
        let mut batch = PackedBatch::split();
        (get("foo"), mget(), del(), get("bar")).pack_into(&mut batch);
        let names: Vec<_> = (0..5).map(|index| batch.name(index)).collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(names, [name("GET"), name("MGET"), name("DEL"), name("GET"), None]);
        assert_eq!((batch.len(), batch.entries().len(), batch.is_empty()), (4, 7, false));
        let targets = batch.entries().iter().map(BatchEntry::target);
        let slots = [12_182, 12_182, 5_061, 866, 12_182, 5_061, 5_061];
        assert!(targets.eq(slots.map(|slot| Ok(Target::Slot(slot)))));
        assert_eq!(batch.refused(), None);

        let replies = "+x\r\n*2\r\n+a\r\n+c\r\n*1\r\n+b\r\n*1\r\n_\r\n:1\r\n:2\r\n+y\r\n";
        let outcomes = || frames(replies).into_iter().map(|frame| Some(Ok(frame))).collect::<Vec<_>>();
        let wires = |outcomes: Vec<Option<Outcome>>| {
            let text = |outcome: Option<Outcome>| match outcome.expect("each has ended") {
                Ok(frame) => String::from_utf8_lossy(frame.wire()).into_owned(),
                Err(error) => error.to_string(),
            };
            outcomes.into_iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(
            wires(batch.gather(outcomes())),
            ["+x\r\n", "*4\r\n+a\r\n+b\r\n+c\r\n_\r\n", ":3\r\n", "+y\r\n"]
        );
        let mut lost = outcomes();
        lost[4] = None;
        assert_eq!(wires(batch.gather(lost))[2], "protocol error: a reply is missing (may have run)");
    }

    #[test]
    fn what_cannot_be_cut_is_refused_by_name() {
        let rename = || Command::<()>::new("RENAME").key("foo").key("bar");
        let refused = |mut batch: PackedBatch| {
            (get("foo"), mget(), rename()).pack_into(&mut batch);
            batch.refused()
        };
        assert_eq!(refused(PackedBatch::split()), Some(((12_182, 5_061), "RENAME".to_owned())));
        assert_eq!(refused(PackedBatch::routed()), Some(((12_182, 5_061), "MGET".to_owned())));
        assert_eq!(refused(PackedBatch::default()), None, "one server has all slots");
    }

    #[test]
    fn results_have_the_shape_of_the_batch() {
        type Pair = (Command<String>, Command<u64>);
        let (name, count) = results::<Pair>("+a\r\n:1\r\n");
        assert_eq!((name.as_deref(), count.as_ref()), (Ok("a"), Ok(&1)));
        assert_eq!(Pair::replies((name, count)), Ok(("a".to_owned(), 1)));
        let list = results::<Vec<Command<u64>>>(":1\r\n:2\r\n:3\r\n");
        assert_eq!(Vec::<Command<u64>>::replies(list), Ok(vec![1, 2, 3]));
        let array = results::<[Command<u64>; 2]>(":1\r\n:2\r\n");
        assert_eq!(<[Command<u64>; 2]>::replies(array), Ok([1, 2]));
    }

    #[test]
    fn one_error_leaves_the_other_results() {
        type Three = [Command<u64>; 3];
        let results = results::<Three>(":1\r\n+a\r\n:3\r\n");
        assert_eq!((results[0].as_ref(), results[2].as_ref()), (Ok(&1), Ok(&3)));
        let error = results[1].clone().expect_err("no integer");
        assert!(error.may_have_run());
        assert_eq!(error.to_string(), "expected an integer, got simple string of 1 bytes (may have run)");
        assert_eq!(Three::replies(results), Err(error));
    }

    #[test]
    fn a_missing_reply_is_an_error() {
        let (first, second) = results::<(Command<u64>, Command<u64>)>(":1\r\n");
        assert_eq!(first, Ok(1));
        let error = second.expect_err("there is none");
        assert_eq!(error.to_string(), "protocol error: a reply is missing (may have run)");
        let array = results::<[Command<u64>; 2]>(":1\r\n");
        assert_eq!(array, [Ok(1), Err(error)]);
    }
}
