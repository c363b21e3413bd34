//! What can stand as an argument: [`Arg`] writes exactly one, [`Args`] any number, [`Pairs`] two by two.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::packed::{Packed, SHARED_MIN};

/// Room for one argument. Taking it by value makes it impossible to write two.
#[derive(Debug)]
pub struct ArgSlot<'a> {
    packed: &'a mut Packed,
}

impl<'a> ArgSlot<'a> {
    #[inline]
    pub(super) const fn new(packed: &'a mut Packed) -> Self {
        Self { packed }
    }

    #[inline(always)]
    fn push(self, payload: &[u8]) {
        self.packed.push_bytes(payload);
    }

    /// Writes bytes, whatever they are.
    #[inline]
    pub fn bytes(self, payload: &[u8]) {
        self.push(payload);
    }

    /// Writes bytes that are shared: large ones are sent from where they are.
    #[inline]
    pub fn shared(self, payload: &Bytes) {
        self.packed.push_shared(payload.clone());
    }

    /// Writes an integer in decimal.
    #[inline]
    pub fn integer(self, value: impl itoa::Integer) {
        self.push(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Writes a double in the shortest form that reads back as the same value; `inf`, `-inf`, `NaN`.
    pub fn double(self, value: f64) {
        self.display(Double(value));
    }

    /// Writes what `value` displays as.
    pub fn display(self, value: impl fmt::Display) {
        let mut text = Text(SmallVec::new());
        // Writing to memory does not fail; a `Display` that fails on its own account is cut there.
        let _ = write!(text, "{value}");
        self.push(&text.0);
    }
}

/// A double as servers read it, in the shortest form.
pub(crate) struct Double(pub(crate) f64);

impl fmt::Display for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        let short = value == 0.0 || !value.is_finite() || (1e-5..1e17).contains(&value.abs());
        if short { write!(f, "{value}") } else { write!(f, "{value:e}") }
    }
}

struct Text(SmallVec<[u8; 32]>);

impl Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.extend_from_slice(part.as_bytes());
        Ok(())
    }
}

/// Room for any number of arguments.
#[derive(Debug)]
pub struct ArgSink<'a> {
    packed: &'a mut Packed,
    are_keys: bool,
}

impl<'a> ArgSink<'a> {
    pub(super) const fn new(packed: &'a mut Packed) -> Self {
        Self { packed, are_keys: false }
    }

    pub(super) const fn keys(packed: &'a mut Packed) -> Self {
        Self { packed, are_keys: true }
    }

    /// Appends one argument.
    #[inline]
    pub fn arg(&mut self, arg: impl Arg) -> &mut Self {
        if self.are_keys {
            self.packed.mark_key();
        }
        self.packed.push(&arg);
        self
    }

    /// Appends arguments of one kind: room is made for all of them at once, by the length of the first one.
    pub(super) fn each(&mut self, mut args: impl ExactSizeIterator<Item = impl Arg>) {
        let count = args.len();
        if self.are_keys {
            self.packed.mark_keys(count, 1);
        }
        if let Some(first) = args.next() {
            self.packed.reserve(count, size_hint(&first));
            self.packed.push(&first);
        }
        args.for_each(|arg| self.packed.push_listed(&arg));
    }

    /// As [`each`](Self::each), two at a time.
    pub(super) fn each_pair(&mut self, pairs: impl ExactSizeIterator<Item = (impl Arg, impl Arg)>) {
        if self.are_keys {
            self.packed.mark_keys(pairs.len().saturating_mul(2), 1);
        }
        push_pairs(self.packed, pairs);
    }

    /// Appends one argument that is a key.
    pub fn key(&mut self, key: impl Arg) -> &mut Self {
        self.packed.push_key(&key);
        self
    }

    /// Appends any number of arguments.
    pub fn args(&mut self, args: impl Args) -> &mut Self {
        args.write_to(self);
        self
    }
}

/// Room for any number of pairs.
#[derive(Debug)]
pub struct PairSink<'a> {
    packed: &'a mut Packed,
    are_keys: bool,
}

impl<'a> PairSink<'a> {
    pub(super) const fn new(packed: &'a mut Packed) -> Self {
        Self { packed, are_keys: false }
    }

    /// Room for pairs of a key and a value.
    pub(super) const fn keys(packed: &'a mut Packed) -> Self {
        Self { packed, are_keys: true }
    }

    /// Appends one pair.
    #[inline]
    pub fn pair(&mut self, first: impl Arg, second: impl Arg) -> &mut Self {
        if self.are_keys {
            self.packed.mark_key();
        }
        self.packed.push(&first);
        self.packed.push(&second);
        self
    }

    /// Appends pairs of one kind, as [`ArgSink::each`] does.
    pub(super) fn each(&mut self, pairs: impl ExactSizeIterator<Item = (impl Arg, impl Arg)>) {
        if self.are_keys {
            self.packed.mark_keys(pairs.len(), 2);
        }
        push_pairs(self.packed, pairs);
    }
}

/// How many bytes the argument has, as far as that is known without writing it.
fn size_hint(arg: &impl Arg) -> usize {
    arg.payload().map_or(0, <[u8]>::len)
}

/// Appends pairs of one kind: room is made for all of them at once, by the lengths of the first one.
fn push_pairs(packed: &mut Packed, mut pairs: impl ExactSizeIterator<Item = (impl Arg, impl Arg)>) {
    let count = pairs.len();
    if let Some((first, second)) = pairs.next() {
        packed.reserve(2 * count, size_hint(&first).saturating_add(size_hint(&second)) / 2);
        packed.push(&first);
        packed.push(&second);
    }
    pairs.for_each(|(first, second)| {
        packed.push_listed(&first);
        packed.push_listed(&second);
    });
}

/// A value that is one argument of a command: strings and bytes as they are, numbers in decimal.
///
/// `u8` is not among the integers: arrays and vectors of it are bytes.
pub trait Arg {
    /// Writes the argument.
    fn write_to(&self, out: ArgSlot<'_>);

    /// The bytes that [`write_to`](Self::write_to) writes, if they are there without it and are to be copied: for room
    /// that is made at once, and for long lists.
    #[inline]
    fn payload(&self) -> Option<&[u8]> {
        None
    }
}

/// Any number of arguments: one, a tuple, an array, slice, vector, set or map of them, or none.
pub trait Args {
    /// Appends the arguments.
    fn write_to(&self, out: &mut ArgSink<'_>);

    /// How many arguments [`write_to`](Self::write_to) appends.
    fn count(&self) -> usize {
        let mut scratch = Packed::empty();
        let before = scratch.argc();
        self.write_to(&mut ArgSink::new(&mut scratch));
        scratch.argc() - before
    }
}

/// Pairs of arguments: an array, slice or vector of tuples, or a map.
pub trait Pairs {
    /// Calls `each` with every pair in order.
    fn for_each(&self, each: &mut dyn FnMut(&dyn Arg, &dyn Arg));

    /// Appends the pairs in order.
    fn write_to(&self, out: &mut PairSink<'_>) {
        self.for_each(&mut |first, second| _ = out.pair(first, second));
    }

    /// How many pairs there are.
    fn count(&self) -> usize {
        let mut pairs = 0;
        self.for_each(&mut |_, _| pairs += 1);
        pairs
    }
}

/// Bytes of one type, as one argument.
macro_rules! bytes_arg {
    ($($type:ty),+) => { $(
        impl Arg for $type {
            #[inline]
            fn write_to(&self, out: ArgSlot<'_>) {
                out.bytes(self.as_ref());
            }

            #[inline]
            fn payload(&self) -> Option<&[u8]> {
                Some(self.as_ref())
            }
        }
        one_arg!($type);
    )+ };
}

/// What is one argument is also a list of one.
macro_rules! one_arg {
    ($type:ty) => {
        impl Args for $type {
            #[inline]
            fn write_to(&self, out: &mut ArgSink<'_>) {
                out.arg(self);
            }

            fn count(&self) -> usize {
                1
            }
        }
    };
}

macro_rules! integer_arg {
    ($($type:ty),+) => { $(
        impl Arg for $type {
            #[inline]
            fn write_to(&self, out: ArgSlot<'_>) {
                out.integer(*self);
            }
        }
        one_arg!($type);
    )+ };
}

/// A pointer to an argument.
macro_rules! pointer_arg {
    ($([$($generics:tt)*] $type:ty),+) => { $(
        impl<$($generics)*> Arg for $type {
            #[inline]
            fn write_to(&self, out: ArgSlot<'_>) {
                (**self).write_to(out);
            }

            #[inline]
            fn payload(&self) -> Option<&[u8]> {
                (**self).payload()
            }
        }

        impl<$($generics)*> Args for $type {
            #[inline]
            fn write_to(&self, out: &mut ArgSink<'_>) {
                out.arg(&**self);
            }

            fn count(&self) -> usize {
                1
            }
        }
    )+ };
}

bytes_arg!(str, [u8], String, Vec<u8>, BytesMut);
pointer_arg!([T: Arg + ?Sized] Box<T>, [T: Arg + ?Sized] Arc<T>, [T: Arg + ToOwned + ?Sized] Cow<'_, T>);
integer_arg!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);
one_arg!(Bytes);
one_arg!(f32);
one_arg!(f64);

impl Arg for Bytes {
    #[inline]
    fn write_to(&self, out: ArgSlot<'_>) {
        out.shared(self);
    }

    #[inline]
    fn payload(&self) -> Option<&[u8]> {
        (self.len() < SHARED_MIN).then_some(self)
    }
}

impl Arg for f64 {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.double(*self);
    }
}

impl Arg for f32 {
    /// In the shortest form that reads back as the same `f32`.
    fn write_to(&self, out: ArgSlot<'_>) {
        let size = self.abs();
        let short = *self == 0.0 || !self.is_finite() || (1e-5..1e9).contains(&size);
        if short { out.display(self) } else { out.display(format_args!("{self:e}")) }
    }
}

impl<const N: usize> Arg for [u8; N] {
    #[inline]
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(self);
    }

    #[inline]
    fn payload(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl<const N: usize> Args for [u8; N] {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }

    fn count(&self) -> usize {
        1
    }
}

impl<T: Arg + ?Sized> Arg for &T {
    #[inline]
    fn write_to(&self, out: ArgSlot<'_>) {
        (**self).write_to(out);
    }

    #[inline]
    fn payload(&self) -> Option<&[u8]> {
        (**self).payload()
    }
}

impl<T: Args + ?Sized> Args for &T {
    #[inline]
    fn write_to(&self, out: &mut ArgSink<'_>) {
        (**self).write_to(out);
    }

    fn count(&self) -> usize {
        (**self).count()
    }
}

impl<T: Pairs + ?Sized> Pairs for &T {
    fn for_each(&self, each: &mut dyn FnMut(&dyn Arg, &dyn Arg)) {
        (**self).for_each(each);
    }

    fn write_to(&self, out: &mut PairSink<'_>) {
        (**self).write_to(out);
    }

    fn count(&self) -> usize {
        (**self).count()
    }
}

impl Args for () {
    fn write_to(&self, _: &mut ArgSink<'_>) {}

    fn count(&self) -> usize {
        0
    }
}

impl<T: Args> Args for Option<T> {
    /// Nothing, or what is there.
    fn write_to(&self, out: &mut ArgSink<'_>) {
        if let Some(args) = self {
            args.write_to(out);
        }
    }

    fn count(&self) -> usize {
        self.as_ref().map_or(0, Args::count)
    }
}

/// A list of one-argument elements.
macro_rules! list_args {
    ($([$($generics:tt)*] $type:ty),+ $(,)?) => { $(
        impl<$($generics)*> Args for $type {
            #[inline]
            fn write_to(&self, out: &mut ArgSink<'_>) {
                out.each(self.iter());
            }

            fn count(&self) -> usize {
                self.len()
            }
        }
    )+ };
}

list_args!([T: Arg, const N: usize] [T; N], [T: Arg] [T], [T: Arg] Vec<T>, [T: Arg] BTreeSet<T>);

/// A list of elements that are pairs: arguments in turn, and pairs.
macro_rules! pair_list {
    ($([$($generics:tt)*] $type:ty),+ $(,)?) => { $(
        impl<A: Arg, B: Arg, $($generics)*> Args for $type {
            fn write_to(&self, out: &mut ArgSink<'_>) {
                out.each_pair(self.iter().map(|(a, b)| (a, b)));
            }

            fn count(&self) -> usize {
                self.len() * 2
            }
        }

        impl<A: Arg, B: Arg, $($generics)*> Pairs for $type {
            fn for_each(&self, each: &mut dyn FnMut(&dyn Arg, &dyn Arg)) {
                for (a, b) in self {
                    each(a, b);
                }
            }

            fn write_to(&self, out: &mut PairSink<'_>) {
                out.each(self.iter().map(|(a, b)| (a, b)));
            }

            fn count(&self) -> usize {
                self.len()
            }
        }
    )+ };
}

pair_list!([const N: usize] [(A, B); N], [] [(A, B)], [] Vec<(A, B)>, [] BTreeMap<A, B>);

/// A list of elements that are three arguments each, such as longitude, latitude and member.
macro_rules! triple_list {
    ($([$($generics:tt)*] $type:ty),+ $(,)?) => { $(
        impl<A: Arg, B: Arg, C: Arg, $($generics)*> Args for $type {
            fn write_to(&self, out: &mut ArgSink<'_>) {
                for (a, b, c) in self {
                    out.arg(a).arg(b).arg(c);
                }
            }

            fn count(&self) -> usize {
                self.len() * 3
            }
        }
    )+ };
}

triple_list!([const N: usize] [(A, B, C); N], [] [(A, B, C)], [] Vec<(A, B, C)>);

impl<A: Arg, B: Arg> Args for (A, B) {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(&self.0).arg(&self.1);
    }

    fn count(&self) -> usize {
        2
    }
}

impl<A: Arg, B: Arg, C: Arg> Args for (A, B, C) {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(&self.0).arg(&self.1).arg(&self.2);
    }

    fn count(&self) -> usize {
        3
    }
}

#[cfg(test)]
mod tests;
