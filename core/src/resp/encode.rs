//! Headers of the wire. A command is an array of bulk strings, always; a string's length goes before it,
//! so no argument can end another or begin a command of its own.

use smallvec::SmallVec;

/// `<type><n>\r\n`, the header of an array (`*`) or a bulk string (`$`).
#[must_use]
pub fn length_line(kind: u8, length: usize) -> SmallVec<[u8; 24]> {
    let mut digits = itoa::Buffer::new();
    let mut line = SmallVec::new();
    line.push(kind);
    line.extend_from_slice(digits.format(length).as_bytes());
    line.extend_from_slice(b"\r\n");
    line
}
