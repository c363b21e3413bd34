//! Commands of the workload: each carries its number, and the model server's reply can be told by it.

use bytes::Bytes;
use redstart_core::command::{Command, Value};

/// What a command does on the model server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `GET`: a string that holds the command's number.
    Get,
    /// `LRANGE`: so many strings that hold the command's number.
    Range(u16),
    /// `SET` of a value of so many bytes.
    Set(u32),
    /// `INCR` of a counter of its own, which starts at a thousand times the command's number.
    Incr,
    /// `RPUSH` to the list that all share.
    Push,
    /// `MGET` of two strings of one slot: the first holds the command's number, the second is shared.
    MGet,
    /// `MSET` of two such strings.
    MSet,
    /// A command that is always refused with `WRONGTYPE`.
    Fail,
    /// A command that the server does not know.
    Unknown,
}

/// One command of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// What it does.
    pub op: Op,
    /// Whether the caller says that it may run twice.
    pub idempotent: bool,
    /// The hash tag of its keys, if they have one.
    pub tag: Option<u8>,
}

impl Job {
    /// A command that its caller says nothing about.
    #[must_use]
    pub const fn new(op: Op) -> Self {
        Self { op, idempotent: false, tag: None }
    }

    /// Whether it may be sent again although it may have run.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        self.idempotent || !self.writes()
    }

    /// Whether it changes data.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self.op, Op::Get | Op::Range(_) | Op::MGet)
    }

    /// Whether the server can run it at all.
    #[must_use]
    pub const fn can_run(self) -> bool {
        !matches!(self.op, Op::Fail | Op::Unknown)
    }

    /// The keys of `MGET` and `MSET`: the first holds the command's number.
    pub(super) fn pair_of_keys(self, id: usize) -> [String; 2] {
        let tag = self.tag.map(|tag| format!("{{{tag}}}")).unwrap_or_default();
        let kind = if self.op == Op::MGet { 'g' } else { 's' };
        [format!("{kind}{tag}#{id}"), format!("m{tag}")]
    }

    /// The command with the number `id`.
    pub(super) fn command(self, id: usize) -> Command<Value> {
        let tag = self.tag.map(|tag| format!("{{{tag}}}")).unwrap_or_default();
        let own = |kind: char| format!("{kind}{tag}#{id}");
        let shared = |kind: char| format!("{kind}{tag}");
        let command = match self.op {
            Op::Get => Command::new("GET").key(own('g')).read_only(),
            Op::Range(len) => Command::new("LRANGE").key(own('r')).arg(0).arg(len).read_only(),
            Op::Set(len) => Command::new("SET").key(own('s')).arg(Bytes::from(vec![b'x'; len as usize])),
            Op::Incr => Command::new("INCR").key(own('n')),
            Op::Push => {
                let list = if self.tag.is_some() { shared('l') } else { "list".to_owned() };
                Command::new("RPUSH").key(list).arg(format!("#{id}"))
            }
            Op::MGet => Command::new("MGET").keys(self.pair_of_keys(id)).read_only(),
            Op::MSet => {
                let [own, shared] = self.pair_of_keys(id);
                Command::new("MSET").key(own).arg("x").key(shared).arg("x")
            }
            Op::Fail => Command::new("SADD").key(own('w')).arg("x"),
            Op::Unknown => Command::new("NOSUCH").arg(own('u')),
        };
        if self.idempotent { command.idempotent() } else { command }
    }
}

/// A command as the server reads it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) args: Vec<Bytes>,
}

impl Request {
    pub(super) fn name(&self) -> &[u8] {
        self.args.first().map_or(&[], |name| name)
    }

    /// The number of the workload's command; `None` for what the client sends on its own.
    pub(super) fn id(&self) -> Option<usize> {
        self.args.iter().skip(1).take(2).find_map(|arg| {
            let at = arg.iter().take(8).position(|&byte| byte == b'#')?;
            std::str::from_utf8(&arg[at + 1..]).ok()?.parse().ok()
        })
    }

    pub(super) fn arg(&self, index: usize) -> &[u8] {
        self.args.get(index).map_or(&[], |arg| arg)
    }
}

impl Request {
    /// The keys of a command of the workload.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Bytes> {
        let (count, step) = match self.name() {
            b"MGET" => (usize::MAX, 1),
            b"MSET" => (usize::MAX, 2),
            _ => (1, 1),
        };
        self.args.iter().skip(1).step_by(step).take(count)
    }
}

/// Cuts the bytes of one connection into requests, whatever the pieces they come in.
#[derive(Debug, Default)]
pub(super) struct Reader {
    partial: Vec<u8>,
    /// A request needs at least so many bytes.
    need: usize,
}

impl Reader {
    /// How many bytes there are of a request that is not whole.
    pub(super) fn len(&self) -> usize {
        self.partial.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
    }

    /// The next whole request and how many bytes it has.
    ///
    /// # Errors
    /// The bytes are not a request.
    pub(super) fn next(&mut self) -> Result<Option<(Request, usize)>, &'static str> {
        if self.partial.len() < self.need.max(1) {
            return Ok(None);
        }
        let mut at = 0;
        let Some(count) = self.header(&mut at, b'*')? else { return Ok(None) };
        let mut args = Vec::with_capacity(count.min(16));
        for _ in 0..count {
            let Some(len) = self.header(&mut at, b'$')? else { return Ok(None) };
            if self.partial.len() < at + len + 2 {
                self.need = at + len + 2;
                return Ok(None);
            }
            if &self.partial[at + len..at + len + 2] != b"\r\n" {
                return Err("an argument does not end where it should");
            }
            args.push(Bytes::copy_from_slice(&self.partial[at..at + len]));
            at += len + 2;
        }
        self.partial.drain(..at);
        self.need = 0;
        Ok(Some((Request { args }, at)))
    }

    /// Reads a line such as `*3`; `None` if it is not whole.
    fn header(&self, at: &mut usize, kind: u8) -> Result<Option<usize>, &'static str> {
        let rest = &self.partial[*at..];
        let Some(&first) = rest.first() else { return Ok(None) };
        if first != kind {
            return Err("a request does not start where it should");
        }
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return if rest.len() < 16 { Ok(None) } else { Err("a length does not end") };
        };
        let digits = std::str::from_utf8(&rest[1..end.saturating_sub(1)]).ok();
        let number = digits.and_then(|digits| digits.parse().ok()).ok_or("a length is no number")?;
        *at += end + 1;
        Ok(Some(number))
    }
}
