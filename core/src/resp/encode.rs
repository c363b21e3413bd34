//! Headers of the wire. A command is an array of bulk strings, always; a string's length goes before it,
//! so no argument can end another or begin a command of its own.

use bytes::BufMut;

/// Appends `<type><n>\r\n`, the header of an array (`*`) or a bulk string (`$`).
#[inline(always)]
pub fn put_length(out: &mut impl BufMut, kind: u8, length: usize) {
    // Arrays of a known size, so that the common lengths are plain stores.
    match length {
        0..10 => out.put_slice(&[kind, digit(length), b'\r', b'\n']),
        10..100 => out.put_slice(&[kind, digit(length / 10), digit(length), b'\r', b'\n']),
        100..1000 => {
            let (hundreds, tens) = (digit(length / 100), digit(length / 10));
            out.put_slice(&[kind, hundreds, tens, digit(length), b'\r', b'\n']);
        }
        _ => put_long_length(out, kind, length),
    }
}

/// [`put_length`] for any length.
#[inline(never)]
fn put_long_length(out: &mut impl BufMut, kind: u8, length: usize) {
    out.put_slice(&[kind]);
    out.put_slice(itoa::Buffer::new().format(length).as_bytes());
    out.put_slice(b"\r\n");
}

/// The last decimal digit of `number`.
#[inline]
#[expect(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "it is below 10")]
const fn digit(number: usize) -> u8 {
    b'0' + (number % 10) as u8
}
