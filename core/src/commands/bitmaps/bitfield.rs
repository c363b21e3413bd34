//! `BITFIELD`: a bitmap as an array of integers of any width.

use alloc::vec::Vec;
use core::fmt;

use crate::command::{Arg, ArgSink, ArgSlot, Args};

/// The width of an integer, and whether it has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitType {
    /// With a sign, of 1 to 64 bits.
    Signed(u8),
    /// Without a sign, of 1 to 63 bits.
    Unsigned(u8),
}

impl fmt::Display for BitType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed(bits) => write!(f, "i{bits}"),
            Self::Unsigned(bits) => write!(f, "u{bits}"),
        }
    }
}

impl Arg for BitType {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.display(self);
    }
}

/// Where an integer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitOffset {
    /// At this bit.
    Bit(u64),
    /// At this element of an array of integers of the same width (`#`).
    Element(u64),
}

impl From<u64> for BitOffset {
    fn from(bit: u64) -> Self {
        Self::Bit(bit)
    }
}

impl Arg for BitOffset {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self {
            Self::Bit(bit) => out.integer(*bit),
            Self::Element(index) => out.display(format_args!("#{index}")),
        }
    }
}

/// What a value that does not fit becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// It loses its high bits: the default.
    Wrap,
    /// It becomes the greatest or smallest that fits.
    Saturate,
    /// It is not written, and the reply is `None`.
    Fail,
}

/// Operations on integers in a bitmap, done in order and in one step.
///
/// ```
/// use redstart_core::command::Prepare as p;
/// use redstart_core::commands::{BitOffset, BitType, Bitfield, BitmapCommands, Overflow};
///
/// let operations = Bitfield::new()
///     .get(BitType::Unsigned(4), 0)
///     .overflow(Overflow::Saturate)
///     .incrby(BitType::Signed(5), BitOffset::Element(2), 1);
/// let command = p.bitfield("counters", operations);
/// assert_eq!(command.packed().argc(), 11);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Bitfield(Vec<Operation>);

#[derive(Clone, Copy, Debug)]
enum Operation {
    Get(BitType, BitOffset),
    Set(BitType, BitOffset, i64),
    Incrby(BitType, BitOffset, i64),
    Overflow(Overflow),
}

impl Bitfield {
    /// No operation.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the integer at `offset` (`GET`).
    pub fn get(self, ty: BitType, offset: impl Into<BitOffset>) -> Self {
        self.then(Operation::Get(ty, offset.into()))
    }

    /// Sets the integer at `offset` and returns what it was (`SET`).
    pub fn set(self, ty: BitType, offset: impl Into<BitOffset>, value: i64) -> Self {
        self.then(Operation::Set(ty, offset.into(), value))
    }

    /// Adds to the integer at `offset` and returns the sum (`INCRBY`).
    pub fn incrby(self, ty: BitType, offset: impl Into<BitOffset>, increment: i64) -> Self {
        self.then(Operation::Incrby(ty, offset.into(), increment))
    }

    /// Says what happens to values that do not fit, from here on (`OVERFLOW`).
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.then(Operation::Overflow(overflow))
    }

    fn then(mut self, operation: Operation) -> Self {
        self.0.push(operation);
        self
    }
}

impl Args for Bitfield {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        for operation in &self.0 {
            match *operation {
                Operation::Get(ty, at) => out.args(("GET", ty, at)),
                Operation::Set(ty, at, value) => out.args(("SET", ty, at)).arg(value),
                Operation::Incrby(ty, at, value) => out.args(("INCRBY", ty, at)).arg(value),
                Operation::Overflow(Overflow::Wrap) => out.args(("OVERFLOW", "WRAP")),
                Operation::Overflow(Overflow::Saturate) => out.args(("OVERFLOW", "SAT")),
                Operation::Overflow(Overflow::Fail) => out.args(("OVERFLOW", "FAIL")),
            };
        }
    }
}
