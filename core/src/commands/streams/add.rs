//! How entries are added, and how streams are kept short.

use alloc::vec::Vec;

use super::StreamId;
use crate::command::{Arg, ArgSink, ArgSlot, Args};

/// Choices for adding an entry.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct XaddOptions {
    id: NewId,
    must_exist: bool,
    once: Option<Once>,
    trim: Option<StreamTrim>,
}

#[derive(Clone, Copy, Debug, Default)]
enum NewId {
    #[default]
    Chosen,
    Millis(u64),
    Given(StreamId),
}

impl Arg for NewId {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self {
            Self::Chosen => out.bytes(b"*"),
            Self::Millis(millis) => out.display(format_args!("{millis}-*")),
            Self::Given(id) => out.display(id),
        }
    }
}

/// By what an entry is known that was added before.
#[derive(Clone, Debug)]
enum Once {
    Content { producer: Vec<u8> },
    Id { producer: Vec<u8>, id: Vec<u8> },
}

impl XaddOptions {
    /// The server chooses the id, a stream is made if there is none, and nothing is trimmed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the entry this id, which must be greater than that of any entry before: else it is an error.
    pub const fn id(mut self, id: StreamId) -> Self {
        self.id = NewId::Given(id);
        self
    }

    /// Gives the entry the next id of this millisecond, since 7.0. An entry of a later one is an error.
    pub const fn millis(mut self, millis: u64) -> Self {
        self.id = NewId::Millis(millis);
        self
    }

    /// Adds nothing where there is no stream (`NOMKSTREAM`, since 6.2).
    pub const fn if_stream_exists(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Removes old entries as well.
    pub const fn trim(mut self, trim: StreamTrim) -> Self {
        self.trim = Some(trim);
        self
    }

    /// Adds nothing, and returns the id of the entry that was added before, if `producer` has lately added one under
    /// this `id` of its own (`IDMP`, since 8.6).
    ///
    /// How long and how many of them the server remembers is the stream's setting: 100 seconds and the last 100 of
    /// each producer by default.
    pub fn once(mut self, producer: impl AsRef<[u8]>, id: impl AsRef<[u8]>) -> Self {
        self.once = Some(Once::Id { producer: producer.as_ref().to_vec(), id: id.as_ref().to_vec() });
        self
    }

    /// As [`once`](Self::once), where the fields and their values are what an entry is known by (`IDMPAUTO`, since
    /// 8.6).
    pub fn once_by_content(mut self, producer: impl AsRef<[u8]>) -> Self {
        self.once = Some(Once::Content { producer: producer.as_ref().to_vec() });
        self
    }
}

impl Args for XaddOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.must_exist.then_some("NOMKSTREAM"));
        match &self.once {
            Some(Once::Content { producer }) => _ = out.arg("IDMPAUTO").arg(producer),
            Some(Once::Id { producer, id }) => _ = out.arg("IDMP").arg(producer).arg(id),
            None => {}
        }
        out.args(self.trim).arg(self.id);
    }
}

/// Which entries a stream is to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct StreamTrim {
    keep: Keep,
    effort: Effort,
    refs: Option<StreamRefs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Last(u64),
    From(StreamId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effort {
    Exact,
    Approximate,
    AtMost(u64),
}

impl StreamTrim {
    /// Keeps the last `count` entries (`MAXLEN`).
    pub const fn max_len(count: u64) -> Self {
        Self { keep: Keep::Last(count), effort: Effort::Exact, refs: None }
    }

    /// Keeps the entries from this id on (`MINID`, since 6.2).
    pub const fn min_id(id: StreamId) -> Self {
        Self { keep: Keep::From(id), effort: Effort::Exact, refs: None }
    }

    /// Keeps some more, where removing them costs more than it gains: whole nodes of the server's tree go, or
    /// nothing (`~`).
    pub const fn approximate(mut self) -> Self {
        self.effort = Effort::Approximate;
        self
    }

    /// As [`approximate`](Self::approximate), and removes no more than `entries` at a time; 0 is no limit (`LIMIT`,
    /// since 6.2).
    pub const fn approximate_at_most(mut self, entries: u64) -> Self {
        self.effort = Effort::AtMost(entries);
        self
    }

    /// What becomes of entries that groups have not acknowledged (since 8.2); [`Keep`](StreamRefs::Keep) if this is
    /// not said.
    pub const fn refs(mut self, refs: StreamRefs) -> Self {
        self.refs = Some(refs);
        self
    }
}

impl Args for StreamTrim {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self.keep {
            Keep::Last(_) => "MAXLEN",
            Keep::From(_) => "MINID",
        });
        out.arg(if self.effort == Effort::Exact { "=" } else { "~" });
        match self.keep {
            Keep::Last(count) => out.arg(count),
            Keep::From(id) => out.arg(id),
        };
        if let Effort::AtMost(entries) = self.effort {
            out.arg("LIMIT").arg(entries);
        }
        out.args(self.refs);
    }
}

/// What becomes of the ids that groups hold of entries that go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum StreamRefs {
    /// Groups go on to hold them: such an entry is delivered again without its fields (`KEEPREF`).
    #[default]
    Keep,
    /// They go from all groups as well (`DELREF`).
    Delete,
    /// Only entries go that have been delivered to all groups and acknowledged by all of them (`ACKED`).
    Acked,
}

impl Arg for StreamRefs {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::Keep => b"KEEPREF",
            Self::Delete => b"DELREF",
            Self::Acked => b"ACKED",
        });
    }
}

impl Args for StreamRefs {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }
}
