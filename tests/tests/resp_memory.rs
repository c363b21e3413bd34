//! The memory that a decoder holds is bounded by the bytes that came, whatever they announce.
//!
//! One test in a file of its own, since the allocator counts for the whole process.

use bytes::BytesMut;
use peak_alloc::PeakAlloc;
use redstart_core::resp::{Decoder, Limits, ProtocolError};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Bytes held for each byte that came, at the most, while they double what they are in included.
const FACTOR: usize = 20;
/// Bytes held whatever came: room for one read, and the first nodes of a tape.
const FIXED: usize = 16 << 10;

/// What comes once, and then what comes again and again.
const STREAMS: [(&[u8], &[u8]); 16] = [
    (b"$536870912\r\n", b"a"),
    (b"=536870912\r\ntxt:", b"a"),
    (b"+", b"a"),
    (b"*2147483647\r\n", b"_\r\n"),
    (b"*2147483647\r\n", b"*0\r\n"),
    (b"*2147483647\r\n", b"*1\r\n_\r\n"),
    (b"*2147483647\r\n", b"$-1\r\n"),
    (b"*2147483647\r\n", b"*255\r\n"),
    (b"%1073741823\r\n", b"+\r\n"),
    (b"*?\r\n", b"_\r\n"),
    (b"*?\r\n", b"*?\r\n.\r\n"),
    (b"$?\r\n", b";1\r\na\r\n"),
    (b"", b"|0\r\n"),
    (b"", b"|1\r\n_\r\n_\r\n"),
    (b"|1073741823\r\n", b"_\r\n"),
    (b"", b"*1\r\n_\r\n"),
];

#[test]
fn memory_is_bounded_by_what_came() {
    for (once, again) in STREAMS {
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let mut decoder = Decoder::new(Limits::default());
        let mut read = BytesMut::new();
        let mut came = 0;
        let mut give = |part: &[u8]| -> Result<(), ProtocolError> {
            read.extend_from_slice(part);
            came += part.len();
            while decoder.decode(&mut read)?.is_some() {}
            // As a driver does before it reads.
            read.reserve(decoder.missing(read.len()));
            let held = HEAP.peak_usage() - before;
            assert!(held <= FACTOR * came + FIXED, "{held} bytes for {came} of {}", once.escape_ascii());
            Ok(())
        };
        let parts = std::iter::once(once).chain(std::iter::repeat_n(again, 50_000));
        if parts.into_iter().try_for_each(&mut give).is_err() {
            // A limit was passed, and all but the read buffer is free again.
            let held = HEAP.current_usage() - before;
            assert!(held <= 2 * came + FIXED, "{held} bytes after an error in {}", once.escape_ascii());
        }
    }
}
