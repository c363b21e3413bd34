//! Several commands given at once: one contiguous write, replies of the same shape.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use super::Command;
use super::flags::Flags;
use super::packed::{Packed, WireSink};
use super::reply::FromReply;
use crate::error::{Delivery, Error, ErrorKind};
use crate::resp::Item;

/// Commands in a tuple, an array or a vector, whose replies come back in the same shape.
pub trait Batch {
    /// The replies, if all commands succeed.
    type Replies;
    /// One result per command.
    type Results;

    /// Encodes the commands one behind the other.
    fn pack(self) -> PackedBatch;

    /// Reads the results in the order of the commands.
    fn results(results: &mut Results<'_>) -> Self::Results;

    /// The replies, or the first error.
    ///
    /// # Errors
    /// The first error among the results.
    fn replies(results: Self::Results) -> Result<Self::Replies, Error>;
}

/// The results of a batch before they have their types: an element of a reply each, or an error.
pub type Results<'a> = dyn ExactSizeIterator<Item = Result<Item<'a>, Error>> + 'a;

pub(super) fn read_next<T: FromReply>(results: &mut Results<'_>) -> Result<T, Error> {
    let missing = || Err(Error::new(ErrorKind::Conversation("a reply is missing"), Delivery::MaybeExecuted));
    let item = results.next().unwrap_or_else(missing)?;
    T::from_reply(item).map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
}

impl<T: FromReply> Batch for Vec<Command<T>> {
    type Replies = Vec<T>;
    type Results = Vec<Result<T, Error>>;

    fn pack(self) -> PackedBatch {
        self.iter().map(Command::packed).collect()
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

    fn pack(self) -> PackedBatch {
        self.iter().map(Command::packed).collect()
    }

    fn results(results: &mut Results<'_>) -> Self::Results {
        core::array::from_fn(|_| read_next(results))
    }

    fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
        let replies: Vec<T> = results.into_iter().collect::<Result<_, _>>()?;
        let short = |_| Error::new(ErrorKind::Conversation("a reply is missing"), Delivery::MaybeExecuted);
        replies.try_into().map_err(short)
    }
}

/// Commands encoded one behind the other.
#[derive(Clone, Default)]
pub struct PackedBatch {
    bytes: Vec<u8>,
    shared: Vec<(usize, Bytes)>,
    entries: Vec<BatchEntry>,
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
    timeout: Option<Duration>,
}

impl BatchEntry {
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
    /// Appends a command.
    pub fn push(&mut self, command: &Packed) {
        let start = self.bytes.len();
        let wire_len = command.wire_len();
        self.entries.push(BatchEntry {
            start,
            wire_len,
            flags: command.flags(),
            name_words: command.name_words(),
            oversize: command.is_oversize(),
            timeout: command.own_timeout(),
        });
        command.write_to(self);
    }

    /// The commands.
    #[must_use]
    pub fn entries(&self) -> &[BatchEntry] {
        &self.entries
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

    /// The longest time that one of the commands asks for; `None` if none asks.
    #[must_use]
    pub fn own_timeout(&self) -> Option<Duration> {
        self.entries.iter().filter_map(|entry| entry.timeout).max()
    }

    /// The name of the command at `index`.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<String> {
        let entry = self.entries.get(index)?;
        name_on_wire(self.bytes.get(entry.start..)?, entry.name_words)
    }

    /// Appends the wire form of all commands to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.write_to(&mut super::packed::Copied(out));
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
