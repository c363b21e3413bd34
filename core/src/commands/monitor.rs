//! Lines of `MONITOR`: what a server says of each command that it runs.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str;
use core::time::Duration;

use crate::error::ConversionError;

/// Who has made a command run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caller {
    /// The connection from this address, such as `127.0.0.1:50000`.
    Address(String),
    /// The connection over a Unix socket at this path.
    Unix(String),
    /// A script or a function.
    Script,
}

/// A command that a server has run, as [`MONITOR`](crate::client::monitor::Monitors) tells.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MonitorLine {
    /// When it was run, by the server's clock, since the beginning of 1970; in microseconds.
    pub time: Duration,
    /// In which logical database.
    pub database: u32,
    /// Who made it run.
    pub caller: Caller,
    /// The command's name and its arguments, as they were sent. The server says `(redacted)` instead of some that are
    /// secret.
    pub args: Vec<Vec<u8>>,
}

impl MonitorLine {
    /// Reads a line, without what RESP puts around it:
    /// `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(line: &[u8]) -> Result<Self, ConversionError> {
        read(line).ok_or_else(|| ConversionError::Unexpected {
            expected: "a line of MONITOR".into(),
            got: alloc::format!("one of {} bytes", line.len()),
        })
    }
}

impl fmt::Debug for MonitorLine {
    /// Shows the name of the command and the number of its arguments: they can be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.args.first().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
        f.debug_struct("MonitorLine")
            .field("time", &self.time)
            .field("database", &self.database)
            .field("caller", &self.caller)
            .field("command", &name)
            .field("arguments", &self.args.len().saturating_sub(1))
            .finish()
    }
}

fn read(line: &[u8]) -> Option<MonitorLine> {
    let open = memchr::memchr(b'[', line)?;
    let time = time(str::from_utf8(line.get(..open)?).ok()?.strip_suffix(' ')?)?;
    let rest = line.get(open + 1..)?;
    // A path may hold anything; the arguments begin with the first quote behind a bracket.
    let close = memchr::memmem::find(rest, b"] \"")?;
    let (database, caller) = str::from_utf8(&rest[..close]).ok()?.split_once(' ')?;
    let caller = match caller.strip_prefix("unix:") {
        Some(path) => Caller::Unix(path.to_owned()),
        None if caller == "lua" => Caller::Script,
        None => Caller::Address(caller.to_owned()),
    };
    let args = args(&rest[close + 2..])?;
    Some(MonitorLine { time, database: database.parse().ok()?, caller, args })
}

/// Seconds, a dot, and six digits.
fn time(text: &str) -> Option<Duration> {
    let (secs, micros) = text.split_once('.')?;
    let micros = (micros.len() == 6).then(|| micros.parse::<u64>().ok())??;
    Duration::from_secs(secs.parse().ok()?).checked_add(Duration::from_micros(micros))
}

/// Quoted strings with a space between them.
fn args(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    loop {
        let (arg, after) = unquoted(rest.strip_prefix(b"\"")?)?;
        args.push(arg);
        if after.is_empty() {
            return Some(args);
        }
        rest = after.strip_prefix(b" ")?;
    }
}

/// What stands before the next quote, without its escapes, and what follows behind that quote.
fn unquoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    loop {
        let special = memchr::memchr2(b'"', b'\\', rest)?;
        text.extend_from_slice(&rest[..special]);
        if rest[special] == b'"' {
            return Some((text, &rest[special + 1..]));
        }
        let (&escaped, after) = rest[special + 1..].split_first()?;
        rest = after;
        text.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 0x07,
            b'b' => 0x08,
            b'x' => {
                let digits = str::from_utf8(rest.get(..2)?).ok()?;
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).ok()?
            }
            b'"' | b'\\' => escaped,
            _ => return None,
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn lines_of_servers() {
        let line =
            MonitorLine::parse(br#"1339518083.107412 [0 127.0.0.1:60866] "keys" "*""#).expect("a line");
        assert_eq!(line.time, Duration::from_micros(1_339_518_083_107_412));
        assert_eq!((line.database, line.caller), (0, Caller::Address("127.0.0.1:60866".into())));
        assert_eq!(line.args, [&b"keys"[..], b"*"]);
        let callers = [
            ("[15 lua]", Caller::Script),
            ("[15 unix:/tmp/a [b] c]", Caller::Unix("/tmp/a [b] c".into())),
            ("[15 [::1]:6379]", Caller::Address("[::1]:6379".into())),
        ];
        for (text, caller) in callers {
            let line =
                MonitorLine::parse(format!("1.000001 {text} \"GET\" \"\"").as_bytes()).expect("a line");
            assert_eq!((line.database, line.caller), (15, caller), "{text}");
            assert_eq!(line.args, [&b"GET"[..], b""]);
        }
    }

    #[test]
    fn escapes() {
        let line = br#"1.000000 [0 lua] "set" "a \"b\" \\ \n\r\t\a\b\x00\xff" "] \"x""#;
        let line = MonitorLine::parse(line).expect("a line");
        assert_eq!(line.args, [&b"set"[..], b"a \"b\" \\ \n\r\t\x07\x08\x00\xff", b"] \"x"]);
    }

    #[test]
    fn what_is_no_line() {
        let table: [&[u8]; 12] = [
            b"",
            b"OK",
            b"1.5 [0 lua] \"a\"",
            b"1.000000[0 lua] \"a\"",
            b"1.000000 [0 lua]",
            b"1.000000 [0] \"a\"",
            b"1.000000 [x lua] \"a\"",
            b"1.000000 [0 lua] \"a",
            b"1.000000 [0 lua] \"a\\",
            b"1.000000 [0 lua] \"\\x0\"",
            b"1.000000 [0 lua] \"\\q\"",
            b"1.000000 [0 lua] \"a\"\"b\"",
        ];
        for line in table {
            let error = MonitorLine::parse(line).expect_err("no line").to_string();
            assert!(error.contains("a line of MONITOR"), "{error}");
        }
    }

    #[test]
    fn arguments_are_not_shown() {
        let line = MonitorLine::parse(br#"1.000000 [0 lua] "SET" "hunter2" "x""#).expect("a line");
        let shown = format!("{line:?}");
        assert!(
            shown.contains("SET") && shown.contains("arguments: 2") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
