//! The work of a scan, counted by what the scanner remembers between calls.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use super::*;

/// Feeds `wire` byte by byte; returns how many bytes the scans looked at together.
///
/// A scan looks at what lies behind `pos` and, in a line, behind `searched`; the decoder
/// asks for none while fewer bytes than `need` are there.
fn looked_at(wire: &[u8]) -> usize {
    let mut scanner = Scanner::new(Limits::default());
    let mut looked_at = 0;
    for end in 1..=wire.len() {
        if end < scanner.need {
            assert!(end < wire.len(), "no more than the reply is needed");
            continue;
        }
        looked_at += end - (scanner.pos + scanner.searched);
        assert_eq!(scanner.scan(&wire[..end]), end == wire.len(), "the reply ends with the last byte");
    }
    assert!(scanner.take().expect("legal bytes").is_some());
    looked_at
}

#[test]
fn work_is_linear_in_the_bytes_however_they_come() {
    const SIZE: usize = 1 << 20;
    let bulk = [&b"$1048576\r\n"[..], &[b'x'; SIZE], b"\r\n"].concat();
    let line = [&b"+"[..], &[b'x'; 60_000], b"\r\n"].concat();
    let nils = [&b"*100000\r\n"[..], &b"_\r\n".repeat(100_000)].concat();
    let strings =
        [&b"*10000\r\n"[..], &b"$40\r\n0123456789012345678901234567890123456789\r\n".repeat(10_000)];
    let chunks = [&b"$?\r\n"[..], &b";10\r\n0123456789\r\n".repeat(10_000), b";0\r\n"].concat();
    let nested = [&b"*1\r\n".repeat(128)[..], b"_\r\n"].concat();
    let attributes = [&b"|1\r\n+k\r\n+v\r\n".repeat(10_000)[..], b"_\r\n"].concat();
    for wire in [bulk, line, nils, strings.concat(), chunks, nested, attributes] {
        // Each byte once, and those of a type and a length again for each byte of them.
        let (bytes, start) = (wire.len(), wire[..12].escape_ascii());
        let looked_at = looked_at(&wire);
        assert!(looked_at <= 4 * bytes, "{looked_at} bytes looked at of {bytes} in {start}");
    }
}

#[test]
fn what_comes_before_a_payload_is_read_once() {
    let table = [
        ("*1\r\n$3\r\n", "????????abc\r\n"),
        ("*1\r\n$3\r\nabc\r", "????????abc\r\n"),
        ("*2\r\n$1\r\na\r\n$12\r\nabc", "????????????????abcdefghijkl\r\n"),
        ("%1\r\n$1\r\na\r\n*1\r\n$3\r\na", "???????????????????abc\r\n"),
    ];
    for (part, whole) in table {
        let mut scanner = Scanner::new(Limits::default());
        assert!(!scanner.scan(part.as_bytes()), "{part:?}");
        assert_eq!(scanner.need, whole.len(), "{part:?}");
        assert!(scanner.scan(whole.as_bytes()), "{part:?}");
        let found = scanner.take().expect("it was read");
        assert_eq!(found.map(|found| found.len), Some(whole.len()), "{part:?}");
    }
    let mut scanner = Scanner::new(Limits::default());
    assert!(matches!(scanner.lone(b"$3\r\na"), Lone::Part));
    assert!(matches!(scanner.lone(b"????abc\r\n"), Lone::Whole(9, Node { start: 4, len: 3, .. })));
    assert!(matches!(scanner.lone(b"????abc\r\n"), Lone::Other), "it is forgotten with its reply");
}
