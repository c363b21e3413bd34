//! Several commands given at once: one contiguous write, replies of the same shape.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use super::Command;
use super::flags::Flags;
use super::outcomes::Results;
use super::packed::Packed;
use super::reply::FromReply;
use super::split::{Gather, Split};
use super::target::Target;
use super::wire::{Copied, WireSink, bulk_header, name_len};
use crate::error::Error;
use crate::resp::Frame;

/// Commands in a tuple, an array or a vector, or [made one by one](Each), whose replies come back in the same shape.
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

    /// Reads the replies in the order of the commands, as [`results`](Self::results) and
    /// [`replies`](Self::replies) do one after the other.
    ///
    /// # Errors
    /// The first error among the results.
    fn read(results: &mut Results<'_>) -> Result<Self::Replies, Error> {
        Self::replies(Self::results(results))
    }
}

impl<T: FromReply> Batch for Vec<Command<T>> {
    type Replies = Vec<T>;
    type Results = Vec<Result<T, Error>>;

    fn pack_into(self, batch: &mut PackedBatch) {
        Each(self).pack_into(batch);
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        (0..results.len()).map(|_| results.read()).collect()
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        results.into_iter().collect()
    }

    fn read(results: &mut Results<'_>) -> Result<Self::Replies, Error> {
        let mut replies = Vec::with_capacity(results.len());
        while !results.is_empty() {
            replies.push(results.read()?);
        }
        Ok(replies)
    }
}

/// A batch of commands that are made one by one, each when it is encoded: for long pipelines, of which nothing is
/// held but the bytes. Results are those of a `Vec` of the commands.
///
/// ```
/// use redstart_core::command::{Batch, Each, Prepare as p};
/// use redstart_core::commands::StringCommands;
///
/// let commands = (0..10_000).map(|number| p.get::<String>(format!("key:{number}")));
/// assert_eq!(Each(commands).pack().len(), 10_000);
/// ```
#[derive(Clone, Debug)]
pub struct Each<I>(
    /// What makes the commands.
    pub I,
);

impl<T: FromReply, I: IntoIterator<Item = Command<T>>> Batch for Each<I> {
    type Replies = Vec<T>;
    type Results = Vec<Result<T, Error>>;

    fn pack_into(self, batch: &mut PackedBatch) {
        let mut commands = self.0.into_iter();
        if let Some(first) = commands.next() {
            batch.reserve_alike(first.packed(), commands.size_hint().0.saturating_add(1));
            batch.push(first.packed());
        }
        commands.for_each(|command| batch.push(command.packed()));
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        Vec::<Command<T>>::results(results)
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        Vec::<Command<T>>::replies(results)
    }

    fn read(results: &mut Results<'_>) -> Result<Self::Replies, Error> {
        Vec::<Command<T>>::read(results)
    }
}

impl<T: FromReply, const N: usize> Batch for [Command<T>; N] {
    type Replies = [T; N];
    type Results = [Result<T, Error>; N];

    fn pack_into(self, batch: &mut PackedBatch) {
        Each(self).pack_into(batch);
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        core::array::from_fn(|_| results.read())
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        let replies: Vec<T> = results.into_iter().collect::<Result<_, _>>()?;
        replies.try_into().map_err(|_| Error::missing_reply())
    }
}

/// Commands encoded one behind the other.
#[derive(Clone, Default)]
pub struct PackedBatch {
    bytes: Vec<u8>,
    shared: Vec<(usize, Bytes)>,
    entries: Vec<BatchEntry>,
    sum: Sum,
    routing: Routing,
    /// For the commands that were cut: their first entries, in ascending order, and how the replies to their
    /// parts become one.
    gathers: Vec<(usize, Gather)>,
    /// Scripts that were pushed by their texts, each with the slot of its keys.
    scripts: BTreeSet<(Bytes, Option<u16>)>,
    /// For the commands that run a script by its digest: their entries, in ascending order, and its text.
    texts: Vec<(usize, Bytes)>,
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

/// What is known of all commands of a batch together.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    wire_len: usize,
    oversize: bool,
    chosen: bool,
    changes: bool,
    blocking: bool,
    timeout: Option<Duration>,
}

/// What is known of one command of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchEntry {
    /// Where the command begins in the copied bytes.
    start: usize,
    wire_len: usize,
    flags: Flags,
    name_words: u8,
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
    #[must_use]
    pub fn splitting() -> Self {
        Self { routing: Routing::Split, ..Self::default() }
    }

    /// Appends a command.
    #[inline]
    pub fn push(&mut self, command: &Packed) {
        match command.usual_wire() {
            Some(wire) if self.routing == Routing::None => self.push_usual(command, wire),
            _ => self.push_any(command),
        }
    }

    #[inline(never)]
    fn push_any(&mut self, command: &Packed) {
        let target = self.target_of(command);
        if target.is_err()
            && self.routing == Routing::Split
            && let Ok(Some(Split { parts, gather })) = command.split()
        {
            self.gathers.push((self.entries.len(), gather));
            parts.iter().for_each(|part| self.push_entry(part, self.target_of(part)));
        } else if let Some(text) = command.script() {
            self.push_script(command, text, target);
        } else {
            self.push_entry(command, target);
        }
    }

    fn target_of(&self, command: &Packed) -> Result<Target, (u16, u16)> {
        if self.routing == Routing::None { Ok(Target::default()) } else { command.target() }
    }

    /// Of several commands that run the same script, the first one does so by its text: then the server knows the
    /// digest by the time it comes to the others, and none of them is turned away and run out of its order.
    fn push_script(&mut self, command: &Packed, text: &Bytes, target: Result<Target, (u16, u16)>) {
        let slot = command.slot().unwrap_or_default();
        match command.by_text() {
            Some(by_text) if self.scripts.insert((text.clone(), slot)) => self.push_entry(&by_text, target),
            _ => {
                self.texts.push((self.entries.len(), text.clone()));
                self.push_entry(command, target);
            }
        }
    }

    /// Appends a command that goes with its wire form in one piece, to a batch that is not routed.
    #[inline]
    fn push_usual(&mut self, command: &Packed, wire: &[u8]) {
        self.note(command, wire.len(), Ok(Target::default()));
        self.bytes.extend_from_slice(wire);
    }

    fn push_entry(&mut self, command: &Packed, target: Result<Target, (u16, u16)>) {
        self.note(command, command.wire_len(), target);
        let sum = &mut self.sum;
        sum.oversize |= command.is_oversize();
        sum.chosen |= command.node().is_some();
        sum.changes |= command.change().is_some();
        sum.blocking |= command.flags().has(Flags::BLOCKING);
        command.write_to(self);
    }

    /// Notes what is known of a command whose bytes are appended next.
    #[inline]
    fn note(&mut self, command: &Packed, wire_len: usize, target: Result<Target, (u16, u16)>) {
        let (flags, name_words) = (command.flags(), command.name_words());
        self.entries.push(BatchEntry { start: self.bytes.len(), wire_len, flags, name_words, target });
        self.sum.wire_len += wire_len;
        self.sum.timeout = self.sum.timeout.max(command.own_timeout());
    }

    /// Makes room for so many commands like this one. It is a guess, so it is bounded.
    fn reserve_alike(&mut self, command: &Packed, count: usize) {
        const GUESS_MAX: usize = 16 << 10;
        let count = count.min(GUESS_MAX);
        self.entries.reserve(count);
        self.bytes.reserve(command.copied_len().min(GUESS_MAX / 64).saturating_mul(count));
    }

    /// The commands as they are sent: of one that was cut, its parts.
    #[must_use]
    pub fn entries(&self) -> &[BatchEntry] {
        &self.entries
    }

    /// The texts of scripts that are run by their digests, each with the place of its entry.
    pub fn texts(&self) -> impl Iterator<Item = (usize, &Bytes)> {
        self.texts.iter().map(|(at, text)| (*at, text))
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

    /// The outcomes of the commands that were pushed, out of those of the entries; `None` is for one that is
    /// missing.
    #[must_use]
    pub fn gather(&self, outcomes: Vec<Option<Result<Frame, Error>>>) -> Vec<Option<Result<Frame, Error>>> {
        if self.gathers.is_empty() {
            return outcomes;
        }
        let mut outcomes = outcomes.into_iter();
        let mut gathered = Vec::with_capacity(self.len());
        let mut taken = 0;
        for (first, gather) in &self.gathers {
            gathered.extend(outcomes.by_ref().take(first - taken));
            let parts = outcomes.by_ref().take(gather.parts());
            gathered.push(Some(
                gather.join(parts.map(|part| part.unwrap_or_else(|| Err(Error::missing_reply())))),
            ));
            taken = first + gather.parts();
        }
        gathered.extend(outcomes);
        gathered
    }

    /// Whether a command was cut, so that outcomes are to be [gathered](Self::gather).
    #[cfg(feature = "std")]
    pub(crate) const fn is_cut(&self) -> bool {
        !self.gathers.is_empty()
    }

    /// How many bytes all of them have on the wire.
    #[must_use]
    pub const fn wire_len(&self) -> usize {
        self.sum.wire_len
    }

    /// Whether an argument is longer than any server takes.
    #[must_use]
    pub const fn is_oversize(&self) -> bool {
        self.sum.oversize
    }

    /// Whether one of the commands is for a node of its own choice, which no batch can heed.
    #[must_use]
    pub const fn has_chosen_node(&self) -> bool {
        self.sum.chosen
    }

    /// Whether one of the commands changes the connection it comes on.
    #[must_use]
    pub const fn has_changes(&self) -> bool {
        self.sum.changes
    }

    /// Whether one of the commands waits at the server, unless it is in a transaction.
    #[must_use]
    pub const fn has_blocking(&self) -> bool {
        self.sum.blocking
    }

    /// The longest time that one of the commands asks for; `None` if none asks.
    #[must_use]
    pub const fn own_timeout(&self) -> Option<Duration> {
        self.sum.timeout
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
    #[must_use]
    pub fn refused(&self) -> Option<((u16, u16), String)> {
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
        self.write_to(&mut Copied(out));
    }

    /// Gives up the memory of all arguments but the names: the commands are on their way, their bytes are
    /// kept elsewhere, and only errors still ask for them.
    pub fn forget_arguments(&mut self) {
        /// Below, the names are a good part of it.
        const WORTH_IT: usize = 128;
        self.shared = Vec::new();
        self.texts = Vec::new();
        self.scripts = BTreeSet::new();
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
    Some(line + name_len(wire.get(line..)?, words)?)
}

/// The name of the command that starts at `wire[0]`: its first `words` arguments.
pub(crate) fn name_on_wire(wire: &[u8], words: u8) -> Option<String> {
    let line = wire.iter().position(|&byte| byte == b'\n')?;
    let mut rest = wire.get(line + 1..)?;
    let mut name = String::new();
    for _ in 0..words {
        let (len, after) = bulk_header(rest)?;
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
mod tests;
