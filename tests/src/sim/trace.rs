//! What happened in a run: a hash to compare two runs by, and text for people.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};

/// Something that happened. Connections and calls are counted from 1, as they were made.
#[derive(Hash)]
pub(super) enum Note<'a> {
    Connect(usize),
    Opened(usize),
    /// Bytes that the client wrote.
    Wrote(usize, &'a [u8]),
    /// Bytes that the client read.
    Read(usize, &'a [u8]),
    /// The client has read the end, or met an error.
    Ended(usize, &'a str),
    /// The client has closed its socket.
    Closed(usize),
    /// Something was done to a connection.
    Fault(usize, &'a str),
    /// Something was done to the server, or to all of them.
    Server(&'a str),
    /// A call was made.
    Call(usize, &'a str),
    Cancelled(usize),
    Outcome(usize, &'a str),
    /// What the user or the runtime did to the client as a whole.
    Client(&'a str),
    /// Where a connection leads to.
    Leads(usize, &'a str),
    /// Something was done to one of several servers.
    Node(usize, &'a str),
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(conn) => write!(f, "#{} connect", conn + 1),
            Self::Opened(conn) => write!(f, "#{} open", conn + 1),
            Self::Wrote(conn, bytes) => write!(f, "#{} > {}", conn + 1, Wire(bytes)),
            Self::Read(conn, bytes) => write!(f, "#{} < {}", conn + 1, Wire(bytes)),
            Self::Ended(conn, what) => write!(f, "#{} < [{what}]", conn + 1),
            Self::Closed(conn) => write!(f, "#{} closed by the client", conn + 1),
            Self::Fault(conn, what) => write!(f, "#{} fault: {what}", conn + 1),
            Self::Server(what) => write!(f, "server: {what}"),
            Self::Leads(conn, to) => write!(f, "#{} is to {to}", conn + 1),
            Self::Node(server, what) => write!(f, "node {}: {what}", server + 1),
            Self::Call(call, what) => write!(f, "call {}: {what}", call + 1),
            Self::Cancelled(call) => write!(f, "call {} dropped by its caller", call + 1),
            Self::Outcome(call, what) => write!(f, "call {} ended: {what}", call + 1),
            Self::Client(what) => write!(f, "client: {what}"),
        }
    }
}

/// Bytes of the wire: a space for each CRLF, anything unprintable escaped, the middle of long ones left out.
struct Wire<'a>(&'a [u8]);

impl fmt::Display for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX: usize = 400;
        let (head, tail) = self.0.split_at(self.0.len().min(MAX));
        let text = head.escape_ascii().to_string().replace("\\r\\n", " ");
        f.write_str(text.trim_end())?;
        if tail.is_empty() { Ok(()) } else { write!(f, " and {} bytes more", tail.len()) }
    }
}

/// The record of a run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: Fnv,
    text: Option<String>,
}

impl Trace {
    /// A record that keeps text only if asked for.
    pub(super) fn new(with_text: bool) -> Self {
        Self { hash: Fnv(0xcbf2_9ce4_8422_2325), text: with_text.then(String::new) }
    }

    pub(super) fn note(&mut self, now: u64, note: &Note<'_>) {
        now.hash(&mut self.hash);
        note.hash(&mut self.hash);
        if let Some(text) = &mut self.text {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:>10}  {note}", Millis(now));
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash.0
    }

    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// Nanoseconds shown as milliseconds, exact to the microsecond.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0 / 1000;
        f.pad(&format!("{}.{:03}", micros / 1000, micros % 1000))
    }
}

/// FNV-1a: the same in every run, unlike the standard library's.
#[derive(Debug)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
