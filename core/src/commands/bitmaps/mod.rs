//! Bitmaps: strings seen as bits, of which the first is the highest of the first byte.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{BitRange, BitmapCommands};
//!
//! let command = p.bitcount_with("seen", BitRange::bits(0, 99));
//! assert_eq!(command.packed().name(), "BITCOUNT");
//! ```

mod bitfield;
mod range;

use alloc::vec::Vec;

pub use bitfield::{BitOffset, BitType, Bitfield, Overflow};
pub use range::{BitOp, BitPosition, BitRange, BitSearch};

use crate::command::{Arg, Args, Command, Run};

/// Commands on bitmaps. <https://redis.io/docs/latest/commands/?group=bitmap>
pub trait BitmapCommands: Run {
    /// Sets the bit at `offset`, below 2^32; returns what it was.
    ///
    /// The value grows with zeros until it holds the bit, at once and up to 512 MiB.
    ///
    /// `SETBIT key offset value` · 2.2.0 · O(1)
    fn setbit(self, key: impl Arg, offset: u64, bit: bool) -> Self::Output<bool> {
        self.run(Command::new("SETBIT").key(key).arg(offset).arg(u32::from(bit)))
    }

    /// Returns the bit at `offset`, below 2^32; `false` past the end.
    ///
    /// `GETBIT key offset` · 2.2.0 · O(1)
    fn getbit(self, key: impl Arg, offset: u64) -> Self::Output<bool> {
        self.run(Command::new("GETBIT").key(key).arg(offset).cacheable())
    }

    /// Returns how many bits are set.
    ///
    /// `BITCOUNT key` · 2.6.0 · O(n)
    fn bitcount(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("BITCOUNT").key(key).cacheable())
    }

    /// Returns how many bits are set within a range.
    ///
    /// `BITCOUNT key start end [BIT]` · 2.6.0, `BIT` 7.0.0 · O(n)
    fn bitcount_with(self, key: impl Arg, range: BitRange) -> Self::Output<u64> {
        self.run(Command::new("BITCOUNT").key(key).args(range).cacheable())
    }

    /// Returns where the first bit of this kind is.
    ///
    /// A value without a clear bit goes on with clear bits after its end: the first of them is found.
    ///
    /// `BITPOS key bit` · 2.8.7 · O(n)
    fn bitpos(self, key: impl Arg, bit: bool) -> Self::Output<BitPosition> {
        self.run(Command::new("BITPOS").key(key).arg(u32::from(bit)).cacheable())
    }

    /// Returns where the first bit of this kind within a range is, counted from the start of the value.
    ///
    /// `BITPOS key bit start [end [BIT]]` · 2.8.7, `BIT` 7.0.0 · O(n)
    fn bitpos_with(self, key: impl Arg, bit: bool, search: BitSearch) -> Self::Output<BitPosition> {
        self.run(Command::new("BITPOS").key(key).arg(u32::from(bit)).args(search).cacheable())
    }

    /// Writes the bits of `sources`, joined, to `destination`; returns how many bytes it has.
    ///
    /// Shorter sources count as if zeros followed. An empty result removes `destination`.
    ///
    /// `BITOP operation destkey key [key ...]` · 2.6.0 · O(n)
    fn bitop(self, operation: BitOp, destination: impl Arg, sources: impl Args) -> Self::Output<u64> {
        self.run(Command::new("BITOP").args(operation).key(destination).keys(sources))
    }

    /// Reads and writes integers of any width; returns one value for each operation: what was read, what
    /// was there before a set, the sum after an addition. `None` where [`Overflow::Fail`] held.
    ///
    /// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value |
    /// INCRBY type offset increment ...]` · 3.2.0 · O(1) each
    fn bitfield(self, key: impl Arg, operations: Bitfield) -> Self::Output<Vec<Option<i64>>> {
        self.run(Command::new("BITFIELD").key(key).args(operations))
    }

    /// Reads integers of any width, on a replica too.
    ///
    /// `BITFIELD_RO key [GET type offset [GET type offset ...]]` · 6.0.0 · O(1) each
    fn bitfield_ro(
        self,
        key: impl Arg,
        reads: impl IntoIterator<Item = (BitType, BitOffset)>,
    ) -> Self::Output<Vec<i64>> {
        let operations = reads.into_iter().fold(Bitfield::new(), |all, (ty, at)| all.get(ty, at));
        self.run(Command::new("BITFIELD_RO").key(key).args(operations).cacheable())
    }
}

impl<R: Run> BitmapCommands for R {}
