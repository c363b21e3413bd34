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
#[cfg(feature = "std")]
use super::buffer::NAME_HEAD;
use super::buffer::{Buffer, LONG, put_string};
use super::change::Change;
use super::flags::{Flags, Route};
use super::slot;
use super::target::Target;
use super::time::block_millis;
use super::wire::{Copied, WireSink, bulk_header, name_len};
use crate::config::Endpoint;
use crate::resp::put_length;

/// A shared value of this size or more is kept as it is instead of being copied into the command.
pub(super) const SHARED_MIN: usize = 16 << 10;

/// No server takes a longer argument.
const ARGUMENT_MAX: usize = 512 << 20;

/// A run of keys at the same distance from each other, as in `MSET k v k v`.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySpan {
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) step: u32,
}

impl KeySpan {
    const NONE: Self = Self { first: 0, count: 0, step: 1 };

    /// Whether the argument of this number is one of the keys.
    const fn has(self, at: u32) -> bool {
        let Some(distance) = at.checked_sub(self.first) else { return false };
        distance % self.step == 0 && distance / self.step < self.count
    }
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
    /// Large values, each with the place in the bytes where it belongs, in ascending order.
    shared: SmallVec<[(usize, Bytes); 1]>,
    /// The runs of keys after the first one.
    keys: Vec<KeySpan>,
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
    argc: u32,
    /// The first run of keys; it has none if there is no key.
    keys: KeySpan,
    /// Where the first key is in `bytes`.
    key_at: u32,
    /// What few commands have.
    extra: Option<Box<Extra>>,
    /// A box for that, to use again.
    spare: Option<Box<Extra>>,
    /// Said by the caller, instead of found by the keys.
    pub(super) slot: Option<u16>,
    /// How long it may wait at the server, in milliseconds; 0 is for ever. Said only of what is blocking.
    block_millis: u32,
    name_words: u8,
    oversize: bool,
    pub(crate) flags: Flags,
    pub(crate) timeout: Option<Duration>,
}

impl Packed {
    /// A command that has not even a name.
    #[inline]
    pub(super) const fn empty() -> Self {
        Self {
            bytes: Buffer::new(),
            argc: 0,
            keys: KeySpan::NONE,
            key_at: 0,
            extra: None,
            spare: None,
            slot: None,
            block_millis: 0,
            name_words: 0,
            oversize: false,
            flags: Flags::NONE,
            timeout: None,
        }
    }

    /// Makes it a command that has not even a name.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.argc, self.keys.count, self.name_words) = (0, 0, 0);
        (self.slot, self.timeout, self.block_millis) = (None, None, 0);
        (self.flags, self.oversize) = (Flags::NONE, false);
        if let Some(mut extra) = self.extra.take() {
            *extra = Extra::default();
            self.spare = Some(extra);
        }
    }

    /// Appends the name: words that a space separates are arguments of their own.
    // A name that is known when this is compiled becomes a few stores.
    #[inline(always)]
    pub(super) fn push_name(&mut self, name: &str) {
        if name.bytes().any(|byte| byte == b' ') {
            self.push_words(name);
        } else {
            self.push_bytes(name.as_bytes());
        }
        self.name_words = u8::try_from(self.argc).unwrap_or(u8::MAX);
    }

    #[inline(never)]
    fn push_words(&mut self, name: &str) {
        name.split(' ').for_each(|word| self.push_bytes(word.as_bytes()));
    }

    #[inline]
    pub(super) fn push(&mut self, arg: &(impl Arg + ?Sized)) {
        arg.write_to(ArgSlot::new(self));
    }

    /// As [`push`](Self::push), for one of several arguments of a kind, which lie on the heap most likely.
    // In a loop over many, a call for each would cost as much as what it does.
    #[inline(always)]
    pub(super) fn push_listed(&mut self, arg: &(impl Arg + ?Sized)) {
        if arg.payload().is_some_and(|payload| self.put_short_on_heap(payload)) {
            self.argc += 1;
        } else {
            self.push(arg);
        }
    }

    #[inline]
    pub(super) fn push_key(&mut self, key: &(impl Arg + ?Sized)) {
        self.mark_key();
        self.push(key);
    }

    /// Notes that the next argument is a key.
    #[inline]
    pub(super) fn mark_key(&mut self) {
        if self.keys.count > 0 {
            return self.mark_keys(1, 1);
        }
        self.keys = KeySpan { first: self.argc, count: 1, step: 1 };
        self.key_at = self.bytes.len() as u32;
    }

    /// Notes that of the arguments to come every one at a distance of `step` is a key, the next one being the first,
    /// and that there are so many of them.
    pub(super) fn mark_keys(&mut self, count: usize, step: u32) {
        let (first, count) = (self.argc, count as u32);
        if count == 0 {
            return;
        }
        if self.keys.count == 0 {
            self.key_at = self.bytes.len() as u32;
        }
        let more = self.extra.as_mut().and_then(|extra| extra.keys.last_mut());
        let last = more.unwrap_or(&mut self.keys);
        let span = KeySpan { first, count, step };
        let distance = if last.count == 1 { first - last.first } else { last.step };
        if last.count == 0 {
            *last = span;
        } else if first == last.first + distance * last.count && (count == 1 || distance == step) {
            (last.step, last.count) = (distance, last.count + count);
        } else {
            self.extra().keys.push(span);
        }
    }

    /// Large values and where they belong.
    fn shared(&self) -> &[(usize, Bytes)] {
        self.extra.as_ref().map_or(&[], |extra| &extra.shared)
    }

    #[inline(always)]
    pub(super) fn push_bytes(&mut self, payload: &[u8]) {
        self.argc += 1;
        if !self.bytes.put_inline(self.argc, payload) {
            self.push_on_heap(payload);
        }
    }

    /// Appends bytes, if they are few and there are others on the heap.
    #[inline(always)]
    fn put_short_on_heap(&mut self, payload: &[u8]) -> bool {
        match &mut self.bytes {
            Buffer::Heap(heap) if payload.len() < LONG && heap.len() < ARGUMENT_MAX => {
                put_string(heap, payload);
                true
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn push_on_heap(&mut self, payload: &[u8]) {
        if self.put_short_on_heap(payload) {
            return;
        }
        self.measure(payload.len());
        self.bytes.put_string(payload);
    }

    /// Makes room for `count` arguments of about `len` bytes each. It is a guess, so it is bounded.
    pub(super) fn reserve(&mut self, count: usize, len: usize) {
        const GUESS_MAX: usize = 64 << 10;
        let each = len.saturating_add(b"$99\r\n\r\n".len());
        self.bytes.reserve(each.saturating_mul(count).min(GUESS_MAX));
    }

    /// How many bytes the arguments have so far that are copied.
    pub(super) fn copied_len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push_stored(&mut self, arg: Stored<'_>) {
        match arg {
            Stored::Copied(payload) => self.push_bytes(payload),
            Stored::Shared(value) => self.push_shared(value.clone()),
        }
    }

    pub(super) fn push_shared(&mut self, payload: Bytes) {
        let is_key = self.key_spans().last().is_some_and(|span| span.has(self.argc));
        if payload.len() < SHARED_MIN || is_key {
            return self.push_bytes(&payload);
        }
        self.argc += 1;
        self.measure(payload.len());
        let at = self.bytes.put_frame(payload.len());
        self.extra().shared.push((at, payload));
    }

    /// Notes whether an argument of `len` bytes is too long, or the command.
    fn measure(&mut self, len: usize) {
        self.oversize |= len > ARGUMENT_MAX || self.bytes.len() > ARGUMENT_MAX;
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
        let digits = if self.argc < 10 { 1 } else { self.argc.ilog10() as usize + 1 };
        let shared = self.shared().iter().map(|(_, value)| value.len()).sum::<usize>();
        b"*\r\n".len() + digits + self.bytes.strings().len() + shared
    }

    /// Hands the wire form out piece by piece: copied bytes, and large values as they are.
    #[inline]
    pub(crate) fn write_to(&self, out: &mut impl WireSink) {
        match self.bytes.array(self.argc) {
            Some(array) => out.copied(array),
            None => self.write_parts(out),
        }
    }

    fn write_parts(&self, out: &mut impl WireSink) {
        let mut header = [0; b"*18446744073709551615\r\n".len()];
        let mut room = &mut header[..];
        put_length(&mut room, b'*', self.argc());
        let left = room.len();
        out.copied(&header[..header.len() - left]);
        let (bytes, mut from) = (self.bytes.strings(), 0);
        for (at, value) in self.shared() {
            out.copied(&bytes[from..*at]);
            out.shared(value);
            from = *at;
        }
        out.copied(&bytes[from..]);
    }

    /// Gives up the memory of all arguments but the name: the command is on its way, its bytes are kept
    /// elsewhere, and only errors still ask for it.
    #[inline]
    pub fn forget_arguments(&mut self) {
        if matches!(self.bytes, Buffer::Heap(_)) {
            if let Some(extra) = &mut self.extra {
                extra.shared = SmallVec::new();
            }
            let name_len = name_len(self.bytes.strings(), self.name_words).unwrap_or(0);
            self.bytes = self.bytes.cut(name_len);
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
        let bytes = self.bytes.strings();
        let mut rest = bytes;
        let mut shared = self.shared().iter().peekable();
        core::iter::from_fn(move || {
            let (len, after) = bulk_header(rest)?;
            let at = bytes.len() - after.len();
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
            argc: 0,
            keys: KeySpan::NONE,
            extra: None,
            spare: None,
            slot: Some(slot),
            oversize: false,
            ..*self
        };
        if let Some(Extra { node, script, .. }) = self.extra.as_deref() {
            let (node, script) = (node.clone(), script.clone());
            part.extra = Some(Box::new(Extra { node, script, ..Extra::default() }));
        }
        head.iter().for_each(|&arg| part.push_stored(arg));
        for unit in units {
            part.mark_key();
            unit.iter().for_each(|&arg| part.push_stored(arg));
        }
        tail.iter().for_each(|&arg| part.push_stored(arg));
        part
    }

    /// Where the keys are.
    pub(super) fn key_spans(&self) -> impl DoubleEndedIterator<Item = KeySpan> {
        let more = self.extra.iter().flat_map(|extra| &extra.keys);
        core::iter::once(&self.keys).chain(more).copied().filter(|span| span.count > 0)
    }

    /// The indexes of the arguments that are keys, the name being 0.
    pub fn key_indexes(&self) -> impl Iterator<Item = usize> {
        self.key_spans().flat_map(|KeySpan { first, count, step }| {
            (0..count).map(move |nth| (first + step * nth) as usize)
        })
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
        if self.keys.count == 1 && self.extra.is_none() {
            let key = self.bytes.get(self.key_at as usize..).and_then(bulk_header);
            return Ok(key.and_then(|(len, after)| after.get(..len)).map(slot::of));
        }
        self.common_slot()
    }

    /// The slot of all keys.
    fn common_slot(&self) -> Result<Option<u16>, (u16, u16)> {
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
        self.extra.get_or_insert_with(|| self.spare.take().unwrap_or_default())
    }

    /// The wire form in one piece, if the command is short and nothing is special about it: no large value, no node,
    /// no script, no wait, no change of its connection.
    #[inline]
    pub(crate) fn usual_wire(&self) -> Option<&[u8]> {
        const SPECIAL: Flags = Flags::BLOCKING.with(Flags::CHANGES);
        if self.extra.is_some() || self.flags.has_any(SPECIAL) {
            return None;
        }
        self.bytes.array(self.argc)
    }

    /// The first bytes of the strings, if the name is among them: one word of less than ten letters.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn name_head(&self) -> Option<[u8; NAME_HEAD]> {
        let head = self.bytes.head()?;
        let is_short = self.name_words == 1 && matches!(head, [b'$', b'1'..=b'9', b'\r', ..]);
        is_short.then_some(head)
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
            argc: 0,
            keys: KeySpan::NONE,
            extra: None,
            spare: None,
            oversize: false,
            ..*self
        };
        other.push_bytes(name);
        other.push_shared(text.clone());
        let mut keys = self.key_indexes().peekable();
        for (index, arg) in (2..).zip(args.skip(1)) {
            if keys.next_if_eq(&index).is_some() {
                other.mark_key();
            }
            other.push_stored(arg);
        }
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

impl fmt::Debug for Packed {
    /// Shows the name and the count only: arguments can be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({} with {} arguments)", self.name(), self.argc - u32::from(self.name_words))
    }
}

#[cfg(test)]
mod tests;
