//! Rows of the bitmap commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    BitOffset, BitOp, BitRange, BitSearch, BitType, Bitfield, BitmapCommands, Overflow,
};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("setbit", p.setbit("k", 7, true));
    t.row("setbit", p.setbit("k", 7, false));
    t.row("getbit", p.getbit("k", 7));
    t.row("bitcount", p.bitcount("k"));
    t.row("bitcount_with", p.bitcount_with("k", BitRange::bytes(0, -1)));
    t.row("bitcount_with", p.bitcount_with("k", BitRange::bits(5, 30)));
    t.row("bitpos", p.bitpos("k", true));
    t.row("bitpos_with", p.bitpos_with("k", false, BitSearch::From(2)));
    t.row("bitpos_with", p.bitpos_with("k", true, BitSearch::In(BitRange::bytes(2, -1))));
    t.row("bitpos_with", p.bitpos_with("k", true, BitSearch::In(BitRange::bits(7, 15))));
    operations(t);
    fields(t);
}

fn operations(t: &mut Table) {
    for operation in [BitOp::And, BitOp::Or, BitOp::Xor, BitOp::Diff, BitOp::Diff1, BitOp::AndOr, BitOp::One]
    {
        t.row("bitop", p.bitop(operation, "d", ["k", "l"]));
    }
    t.row("bitop", p.bitop(BitOp::Not, "d", "k"));
}

fn fields(t: &mut Table) {
    let operations = Bitfield::new()
        .set(BitType::Signed(8), 0, -7)
        .get(BitType::Unsigned(4), BitOffset::Element(2))
        .incrby(BitType::Signed(5), 100, 1)
        .overflow(Overflow::Saturate)
        .incrby(BitType::Unsigned(2), 102, 1)
        .overflow(Overflow::Fail)
        .set(BitType::Unsigned(63), 0, 1)
        .overflow(Overflow::Wrap)
        .incrby(BitType::Signed(64), BitOffset::Bit(0), i64::MIN);
    t.row("bitfield", p.bitfield("k", operations));
    let reads = [(BitType::Unsigned(8), BitOffset::Bit(4)), (BitType::Signed(8), BitOffset::Element(1))];
    t.row("bitfield_ro", p.bitfield_ro("k", reads));
}
