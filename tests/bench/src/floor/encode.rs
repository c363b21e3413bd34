//! The encode floor: a command's bytes appended to a buffer that is reused.

/// Appends one command.
pub fn command<'a>(out: &mut Vec<u8>, args: impl ExactSizeIterator<Item = &'a [u8]>) {
    header(out, b'*', args.len());
    for arg in args {
        argument(out, arg);
    }
}

/// Appends one argument.
pub fn argument(out: &mut Vec<u8>, arg: &[u8]) {
    header(out, b'$', arg.len());
    out.extend_from_slice(arg);
    out.extend_from_slice(b"\r\n");
}

/// Appends a mark and a number. Arrays of a known size, so that the common lengths are two plain stores.
pub fn header(out: &mut Vec<u8>, mark: u8, number: usize) {
    let digit = |n: usize| b'0' + (n % 10) as u8;
    match number {
        0..10 => out.extend_from_slice(&[mark, digit(number), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[mark, digit(number / 10), digit(number), b'\r', b'\n']),
        100..1000 => {
            let (hundreds, tens) = (digit(number / 100), digit(number / 10));
            out.extend_from_slice(&[mark, hundreds, tens, digit(number), b'\r', b'\n']);
        }
        _ => {
            out.push(mark);
            out.extend_from_slice(number.to_string().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}
