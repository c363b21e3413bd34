//! The little RESP that the scripted server needs, apart from the client's own so that one checks the other.

use std::io::{self, BufRead};

/// A command as it came in.
pub(super) type Words = Vec<Vec<u8>>;

/// Redis's own limits: words of a command, bytes of a word.
const WORDS_MAX: usize = 1024 * 1024;
const WORD_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Reads one command, an array of bulk strings; `None` at the end of the stream.
///
/// # Errors
/// `InvalidData` for bytes that are no command; otherwise what the stream says.
pub(super) fn read_command(reader: &mut impl BufRead) -> io::Result<Option<Words>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let count = read_length(reader, b'*', WORDS_MAX)?;
    if count == 0 {
        return Err(invalid("a command without a name"));
    }
    (0..count).map(|_| read_bulk(reader)).collect::<io::Result<_>>().map(Some)
}

fn read_bulk(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let length = read_length(reader, b'$', WORD_BYTES_MAX)?;
    let mut word = vec![0; length + 2];
    reader.read_exact(&mut word)?;
    if !word.ends_with(b"\r\n") {
        return Err(invalid("a word longer than its length"));
    }
    word.truncate(length);
    Ok(word)
}

fn read_length(reader: &mut impl BufRead, mark: u8, max: usize) -> io::Result<usize> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.strip_prefix(&[mark])
        .and_then(|rest| rest.strip_suffix(b"\r\n"))
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .filter(|length| *length <= max)
        .ok_or_else(|| invalid(&format!("{:?} for a length", String::from_utf8_lossy(&line))))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What a healthy server replies: as 7.0.15 to `HELLO`, `PING`, `ECHO` and `CLIENT ID`, and `OK` to all else.
pub(super) fn good_reply(command: &Words, id: usize, resp2: bool) -> Vec<u8> {
    let argument = command.get(1).map(Vec::as_slice);
    match command[0].to_ascii_uppercase().as_slice() {
        b"HELLO" if resp2 => unknown(command),
        b"HELLO" => match argument {
            Some(b"3") => hello("%7", 3, id),
            Some(b"2") | None => hello("*14", 2, id),
            Some(_) => b"-NOPROTO unsupported protocol version\r\n".to_vec(),
        },
        b"PING" => argument.map_or_else(|| b"+PONG\r\n".to_vec(), bulk),
        b"ECHO" => {
            argument.map_or_else(|| b"-ERR wrong number of arguments for 'echo' command\r\n".to_vec(), bulk)
        }
        b"CLIENT" if argument.is_some_and(|word| word.eq_ignore_ascii_case(b"ID")) => {
            format!(":{id}\r\n").into_bytes()
        }
        _ => b"+OK\r\n".to_vec(),
    }
}

fn unknown(command: &Words) -> Vec<u8> {
    let quoted: Vec<_> = command.iter().map(|word| format!("'{}'", String::from_utf8_lossy(word))).collect();
    let arguments: String = quoted[1..].iter().flat_map(|word| [word, " "]).collect();
    format!("-ERR unknown command {}, with args beginning with: {arguments}\r\n", quoted[0]).into_bytes()
}

fn hello(head: &str, protocol: u8, id: usize) -> Vec<u8> {
    format!(
        "{head}\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:{protocol}\r\n\
         $2\r\nid\r\n:{id}\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
    )
    .into_bytes()
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
