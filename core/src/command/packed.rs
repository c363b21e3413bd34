//! The arguments of one command in wire form.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::args::{Arg, ArgSlot};
use super::buffer::Buffer;
use super::change::{Change, may_change};
use super::flags::{Flags, Route};
use super::slot;
use super::target::Target;
use super::time::block_millis;
use crate::config::Endpoint;
use crate::resp::{length_line, parse_i64};

/// A shared value of this size or more is kept as it is instead of being copied into the command.
const SHARED_MIN: usize = 16 << 10;

/// No server takes a longer argument.
const ARGUMENT_MAX: usize = 512 << 20;

/// A run of keys at the same distance from each other, as in `MSET k v k v`.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySpan {
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) step: u32,
}

/// An argument as it lies in a command.
#[derive(Clone, Copy)]
pub(super) enum Stored<'a> {
    Copied(&'a [u8]),
    Shared(&'a Bytes),
}

impl<'a> Stored<'a> {
    pub(super) fn payload(self) -> &'a [u8] {
        match self {
            Self::Copied(payload) => payload,
            Self::Shared(value) => value,
        }
    }
}

/// The text of a script, which is not shown: it can hold secrets.
#[derive(Clone)]
pub(crate) struct ScriptText(pub(crate) Bytes);

impl fmt::Debug for ScriptText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptText({} bytes)", self.0.len())
    }
}

/// What few commands have.
#[derive(Clone, Default)]
pub(super) struct Extra {
    /// Said by the caller: it goes to this node.
    pub(super) node: Option<Endpoint>,
    /// The text of the script that it runs by a digest, its first argument.
    pub(super) script: Option<Bytes>,
}

/// A command without the type of its reply: its arguments, encoded, and what is known of it.
#[derive(Clone)]
pub struct Packed {
    /// The arguments as bulk strings, without the array's header and without the shared values.
    bytes: Buffer,
    /// Large values, each with the place in `bytes` where it belongs, in ascending order.
    shared: Vec<(usize, Bytes)>,
    keys: SmallVec<[KeySpan; 1]>,
    /// Said by the caller, instead of found by the keys.
    pub(super) slot: Option<u16>,
    extra: Option<Box<Extra>>,
    argc: u32,
    /// How long it may wait at the server, in milliseconds; 0 is for ever. Said only of what is blocking.
    block_millis: u32,
    name_words: u8,
    oversize: bool,
    pub(crate) flags: Flags,
    pub(crate) timeout: Option<Duration>,
}

impl Packed {
    #[inline]
    pub(super) fn new(name: &str) -> Self {
        let mut packed = Self {
            bytes: Buffer::new(),
            shared: Vec::new(),
            keys: SmallVec::new(),
            slot: None,
            extra: None,
            argc: 0,
            block_millis: 0,
            name_words: 0,
            oversize: false,
            flags: if may_change(name) { Flags::CHANGES } else { Flags::default() },
            timeout: None,
        };
        for word in name.as_bytes().split(|&byte| byte == b' ') {
            packed.push_bytes(word);
            packed.name_words = packed.name_words.saturating_add(1);
        }
        packed
    }

    #[inline]
    pub(super) fn push(&mut self, arg: &(impl Arg + ?Sized)) {
        arg.write_to(ArgSlot::new(self));
    }

    pub(super) fn push_key(&mut self, key: &(impl Arg + ?Sized)) {
        self.mark_key();
        self.push(key);
    }

    /// Notes that the next argument is a key.
    pub(super) fn mark_key(&mut self) {
        let at = self.argc;
        match self.keys.last_mut() {
            Some(span) if span.count == 1 => {
                span.step = at - span.first;
                span.count = 2;
            }
            Some(span) if at == span.first + span.step * span.count => span.count += 1,
            _ => self.keys.push(KeySpan { first: at, count: 1, step: 1 }),
        }
    }

    #[inline]
    pub(super) fn push_bytes(&mut self, payload: &[u8]) {
        self.count(payload.len());
        self.bytes.put_string(payload);
    }

    pub(super) fn push_stored(&mut self, arg: Stored<'_>) {
        match arg {
            Stored::Copied(payload) => self.push_bytes(payload),
            Stored::Shared(value) => self.push_shared(value.clone()),
        }
    }

    pub(super) fn push_shared(&mut self, payload: Bytes) {
        let is_key =
            self.keys.last().is_some_and(|span| span.first + span.step * (span.count - 1) == self.argc);
        if payload.len() < SHARED_MIN || is_key {
            return self.push_bytes(&payload);
        }
        self.count(payload.len());
        let at = self.bytes.put_frame(payload.len());
        self.shared.push((at, payload));
    }

    /// Counts an argument of `len` bytes.
    #[inline]
    fn count(&mut self, len: usize) {
        self.oversize |= len > ARGUMENT_MAX || self.bytes.len() > ARGUMENT_MAX;
        self.argc += 1;
    }

    /// How many arguments there are, the name included.
    #[must_use]
    pub const fn argc(&self) -> usize {
        self.argc as usize
    }

    /// What is known of the command.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.flags
    }

    /// The bound on the time of this command alone, if it has one.
    #[must_use]
    pub const fn own_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How long the command may [wait at the server](super::Command::blocking), in whole milliseconds rounded up:
    /// [`Duration::MAX`] if for ever, `None` if it never waits.
    #[must_use]
    pub const fn block_time(&self) -> Option<Duration> {
        match self.block_millis {
            _ if !self.flags.has(Flags::BLOCKING) => None,
            0 => Some(Duration::MAX),
            millis => Some(Duration::from_millis(millis as u64)),
        }
    }

    pub(super) fn set_block_time(&mut self, time: Duration) {
        self.flags = self.flags.with(Flags::BLOCKING);
        self.block_millis = block_millis(time);
    }

    /// What it does to its connection, if anything.
    #[inline]
    pub(crate) fn change(&self) -> Option<Change> {
        if self.flags.has(Flags::CHANGES) { Change::of(self.args()) } else { None }
    }

    /// Whether an argument is longer than any server takes.
    #[must_use]
    pub const fn is_oversize(&self) -> bool {
        self.oversize
    }

    pub(crate) const fn name_words(&self) -> u8 {
        self.name_words
    }

    /// How many bytes the command has on the wire.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        let header = 3 + self.argc.checked_ilog10().unwrap_or(0) as usize + 1;
        header + self.bytes.len() + self.shared.iter().map(|(_, value)| value.len()).sum::<usize>()
    }

    /// Hands the wire form out piece by piece: copied bytes, and large values as they are.
    #[inline]
    pub(crate) fn write_to(&self, out: &mut impl WireSink) {
        length_line(b'*', self.argc as usize, |part| out.copied(part));
        let mut from = 0;
        for (at, value) in &self.shared {
            out.copied(&self.bytes[from..*at]);
            out.shared(value);
            from = *at;
        }
        out.copied(&self.bytes[from..]);
    }

    /// Gives up the memory of all arguments but the name: the command is on its way, its bytes are kept
    /// elsewhere, and only errors still ask for it.
    #[inline]
    pub fn forget_arguments(&mut self) {
        if matches!(self.bytes, Buffer::Heap(_)) || !self.shared.is_empty() {
            self.shared = Vec::new();
            let name_len = name_len(&self.bytes, self.name_words).unwrap_or(0);
            self.bytes = Buffer::copy_of(&self.bytes[..name_len]);
        }
    }

    /// Appends the wire form to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.write_to(&mut Copied(out));
    }

    /// The arguments in order, the name first.
    pub fn args(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.stored().map(|arg| Cow::Borrowed(arg.payload()))
    }

    pub(super) fn stored(&self) -> impl Iterator<Item = Stored<'_>> {
        let mut rest = &self.bytes[..];
        let mut shared = self.shared.iter().peekable();
        core::iter::from_fn(move || {
            let (len, after) = bulk_header(rest)?;
            let at = self.bytes.len() - after.len();
            if let Some((_, value)) = shared.next_if(|(place, _)| *place == at) {
                rest = after.get(2..)?;
                return Some(Stored::Shared(value));
            }
            rest = after.get(len + 2..)?;
            after.get(..len).map(Stored::Copied)
        })
    }

    /// A command like this one with other arguments: `head`, a key with what belongs to it in each of
    /// `units`, and `tail`.
    pub(super) fn part(
        &self,
        slot: u16,
        head: &[Stored<'_>],
        units: &[&[Stored<'_>]],
        tail: &[Stored<'_>],
    ) -> Self {
        let mut part = Self {
            bytes: Buffer::new(),
            shared: Vec::new(),
            keys: SmallVec::new(),
            slot: Some(slot),
            extra: self.extra.clone(),
            argc: 0,
            oversize: false,
            ..*self
        };
        head.iter().for_each(|&arg| part.push_stored(arg));
        for unit in units {
            part.mark_key();
            unit.iter().for_each(|&arg| part.push_stored(arg));
        }
        tail.iter().for_each(|&arg| part.push_stored(arg));
        part
    }

    /// Where the keys are.
    pub(super) fn key_spans(&self) -> &[KeySpan] {
        &self.keys
    }

    /// The indexes of the arguments that are keys, the name being 0.
    pub fn key_indexes(&self) -> impl Iterator<Item = usize> {
        let of_span = |span: &KeySpan| {
            let (first, step) = (span.first, span.step);
            (0..span.count).map(move |nth| (first + step * nth) as usize)
        };
        self.keys.iter().flat_map(of_span)
    }

    /// The slot that the command was [given](super::Command::slot), or else that of its keys; `None` without
    /// keys.
    ///
    /// # Errors
    /// Two slots, if the keys are in different ones.
    pub fn slot(&self) -> Result<Option<u16>, (u16, u16)> {
        if self.slot.is_some() {
            return Ok(self.slot);
        }
        let mut found = None;
        let mut indexes = self.key_indexes().peekable();
        for (index, arg) in self.args().enumerate() {
            let Some(&next) = indexes.peek() else { break };
            if index != next {
                continue;
            }
            indexes.next();
            let slot = slot::of(&arg);
            match found {
                None => found = Some(slot),
                Some(first) if first != slot => return Err((first, slot)),
                Some(_) => {}
            }
        }
        Ok(found)
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// The node that the caller chose.
    #[must_use]
    pub fn node(&self) -> Option<&Endpoint> {
        self.extra.as_ref()?.node.as_ref()
    }

    /// The text of the script that the command runs by its digest, if it was [given](super::Command::script_text).
    #[must_use]
    pub fn script(&self) -> Option<&Bytes> {
        self.extra.as_ref()?.script.as_ref()
    }

    /// The command that runs the same script by its text, if the text was given.
    #[inline]
    pub(crate) fn by_text(&self) -> Option<Self> {
        let text = self.script()?;
        let mut args = self.stored();
        let name = by_text(args.next()?.payload())?;
        let mut other = Self {
            bytes: Buffer::new(),
            shared: Vec::new(),
            keys: self.keys.clone(),
            extra: None,
            argc: 0,
            oversize: false,
            ..*self
        };
        other.push_bytes(name);
        other.push_shared(text.clone());
        args.skip(1).for_each(|arg| other.push_stored(arg));
        Some(other)
    }

    /// Which node of a cluster the command is for, if the caller chose none.
    ///
    /// # Errors
    /// Two slots, if the keys are in different ones.
    pub fn target(&self) -> Result<Target, (u16, u16)> {
        match self.flags.route() {
            Route::AllPrimaries | Route::AllNodes => Ok(Target::new(self.flags, None)),
            _ => Ok(Target::new(self.flags, self.slot()?)),
        }
    }

    /// The name, such as `GET` or `CONFIG SET`.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = String::new();
        for word in self.args().take(self.name_words.into()) {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&String::from_utf8_lossy(&word));
        }
        name
    }
}

/// What runs by its text what `name` runs by its digest.
pub(crate) fn by_text(name: &[u8]) -> Option<&'static [u8]> {
    match name {
        b"EVALSHA" => Some(b"EVAL"),
        b"EVALSHA_RO" => Some(b"EVAL_RO"),
        _ => None,
    }
}

/// Where the wire form of commands goes.
pub(crate) trait WireSink {
    /// Bytes to be copied.
    fn copied(&mut self, bytes: &[u8]);
    /// A large value to be kept as it is.
    fn shared(&mut self, value: &Bytes);
}

/// A plain buffer: copies everything.
pub(super) struct Copied<'a>(pub(super) &'a mut Vec<u8>);

impl WireSink for Copied<'_> {
    fn copied(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn shared(&mut self, value: &Bytes) {
        self.0.extend_from_slice(value);
    }
}

/// How many bytes the first `words` bulk strings have.
pub(super) fn name_len(wire: &[u8], words: u8) -> Option<usize> {
    let mut rest = wire;
    for _ in 0..words {
        let (len, after) = bulk_header(rest)?;
        rest = after.get(len + 2..)?;
    }
    Some(wire.len() - rest.len())
}

/// Reads `$<len>\r\n`; returns the length and what follows.
pub(crate) fn bulk_header(wire: &[u8]) -> Option<(usize, &[u8])> {
    let line = wire.strip_prefix(b"$")?;
    let end = line.iter().position(|&byte| byte == b'\r')?;
    let len = parse_i64(&line[..end])?;
    Some((usize::try_from(len).ok()?, line.get(end + 2..)?))
}

impl fmt::Debug for Packed {
    /// Shows the name and the count only: arguments can be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({} with {} arguments)", self.name(), self.argc - u32::from(self.name_words))
    }
}

#[cfg(test)]
mod tests;
