//! The bitmap commands against real servers: both versions, both protocols, the same replies.

use redstart_core::commands::{
    BitOffset, BitOp, BitPosition, BitRange, BitSearch, BitType, Bitfield, BitmapCommands, KeyCommands,
    Overflow, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::wire::for_each_wire;

#[test]
fn single_bits() {
    for_each_wire(|c, _| {
        assert!(!c.setbit("k", 7, true).unwrap());
        assert!(c.setbit("k", 7, true).unwrap());
        assert!(c.getbit("k", 7).unwrap());
        assert!(!c.getbit("k", 6).unwrap());
        assert!(!c.getbit("k", 4_294_967_295).unwrap());
        assert_eq!(c.get("k").unwrap(), Some(vec![1_u8]));
        assert!(c.setbit("k", 7, false).unwrap());
        assert_eq!(c.setbit("k", 1 << 32, true).unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn counts_and_places() {
    for_each_wire(|c, _| {
        c.set("k", b"\x00\xff\xf0").unwrap();
        assert_eq!(c.bitcount("k").unwrap(), 12);
        assert_eq!(c.bitcount("missing").unwrap(), 0);
        assert_eq!(c.bitcount_with("k", BitRange::bytes(1, 1)).unwrap(), 8);
        assert_eq!(c.bitcount_with("k", BitRange::bytes(-1, -1)).unwrap(), 4);
        assert_eq!(c.bitcount_with("k", BitRange::bits(7, 9)).unwrap(), 2);

        assert_eq!(c.bitpos("k", true).unwrap(), BitPosition::At(8));
        assert_eq!(c.bitpos("k", false).unwrap(), BitPosition::At(0));
        assert_eq!(c.bitpos("missing", true).unwrap(), BitPosition::Nowhere);
        assert_eq!(c.bitpos_with("k", true, BitSearch::From(2)).unwrap().at(), Some(16));
        let bytes = |start, end| BitSearch::In(BitRange::bytes(start, end));
        assert_eq!(c.bitpos_with("k", false, bytes(1, 1)).unwrap(), BitPosition::Nowhere);
        assert_eq!(c.bitpos_with("k", false, bytes(1, 2)).unwrap(), BitPosition::At(20));
        let bits = BitSearch::In(BitRange::bits(10, 23));
        assert_eq!(c.bitpos_with("k", true, bits).unwrap(), BitPosition::At(10));

        c.set("k", b"\xff").unwrap();
        assert_eq!(c.bitpos("k", false).unwrap(), BitPosition::At(8));
        assert_eq!(c.bitpos_with("k", false, BitSearch::From(0)).unwrap(), BitPosition::At(8));
        assert_eq!(c.bitpos_with("k", false, bytes(0, -1)).unwrap(), BitPosition::Nowhere);
    });
}

#[test]
fn joined_bitmaps() {
    for_each_wire(|c, version| {
        c.mset([("a", [0b1100_u8]), ("b", [0b1010]), ("c", [0b1001])]).unwrap();
        let join = |operation, sources: &[&str]| {
            c.bitop(operation, "d", sources).map(|len| (len, c.get::<Vec<u8>>("d").unwrap().unwrap()[0]))
        };
        assert_eq!(join(BitOp::And, &["a", "b"]).unwrap(), (1, 0b1000));
        assert_eq!(join(BitOp::Or, &["a", "b"]).unwrap(), (1, 0b1110));
        assert_eq!(join(BitOp::Xor, &["a", "b", "c"]).unwrap(), (1, 0b1111));
        assert_eq!(join(BitOp::Not, &["a"]).unwrap(), (1, 0b1111_0011));
        assert_eq!(c.bitop(BitOp::And, "d", ["missing"]).unwrap(), 0);
        assert_eq!(c.exists("d").unwrap(), 0);

        let of_8_2 =
            [(BitOp::Diff, 0b0100), (BitOp::Diff1, 0b0011), (BitOp::AndOr, 0b1000), (BitOp::One, 0b0111)];
        for (operation, expected) in of_8_2 {
            let joined = join(operation, &["a", "b", "c"]);
            match version {
                Version::V7 => assert_eq!(joined.unwrap_err().code(), Some(ServerCode::Err)),
                Version::V8 => assert_eq!(joined.unwrap(), (1, expected), "{operation:?}"),
            }
        }
    });
}

#[test]
fn integers_in_bitmaps() {
    for_each_wire(|c, _| {
        let (u8, i4, u2) = (BitType::Unsigned(8), BitType::Signed(4), BitType::Unsigned(2));
        let write = Bitfield::new().set(u8, 0, 200).set(u8, BitOffset::Element(1), 100).get(u8, 0);
        assert_eq!(c.bitfield("k", write).unwrap(), [Some(0), Some(0), Some(200)]);
        let reads = [(u8, BitOffset::Bit(0)), (i4, BitOffset::Bit(0)), (u8, BitOffset::Element(1))];
        assert_eq!(c.bitfield_ro("k", reads).unwrap(), [200, -4, 100]);
        assert_eq!(c.bitfield("k", Bitfield::new()).unwrap(), []);

        let add = Bitfield::new()
            .set(u2, 100, 2)
            .incrby(u2, 100, 1)
            .overflow(Overflow::Fail)
            .incrby(u2, 100, 1)
            .overflow(Overflow::Saturate)
            .incrby(u2, 100, 3)
            .overflow(Overflow::Wrap)
            .incrby(u2, 100, 1);
        assert_eq!(c.bitfield("k", add).unwrap(), [Some(0), Some(3), None, Some(3), Some(0)]);

        let widest = Bitfield::new().set(BitType::Signed(64), 0, i64::MIN).get(BitType::Signed(64), 0);
        assert_eq!(c.bitfield("l", widest).unwrap(), [Some(0), Some(i64::MIN)]);
        let too_wide = Bitfield::new().get(BitType::Unsigned(64), 0);
        assert_eq!(c.bitfield("l", too_wide).unwrap_err().code(), Some(ServerCode::Err));
    });
}
