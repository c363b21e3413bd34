//! Commands as values: what to send, how to route it, what comes back.
//!
//! [`Command<T>`] holds the arguments already in wire form, marks which of them are keys, and says by its
//! type what the reply becomes. Giving it to anything that can [`Run`] it is all that is left.

mod args;
mod batch;
mod buffer;
mod change;
mod collections;
mod flags;
mod join;
#[cfg(feature = "std")]
mod name;
mod outcomes;
mod packed;
mod pool;
mod reply;
mod run;
pub mod slot;
mod split;
mod target;
mod time;
mod tuple;
mod undo;
mod value;
mod wire;

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use bytes::Bytes;

use crate::config::Endpoint;

pub(crate) use args::Double;
pub use args::{Arg, ArgSink, ArgSlot, Args, PairSink, Pairs};
pub(crate) use batch::name_on_wire;
pub use batch::{Batch, BatchEntry, Each, PackedBatch};
pub(crate) use change::Change;
use change::may_change;
pub use flags::{Flags, Join, Route};
pub use join::{Part, join};
#[cfg(feature = "std")]
pub(crate) use name::Name;
pub use outcomes::{Outcomes, Results};
pub use packed::Packed;
pub(crate) use packed::{ScriptText, by_text};
pub(crate) use pool::Boxed;
pub use reply::FromReply;
pub(crate) use reply::{elements, expect_text, pairs, unexpected};
pub use run::{OnSession, Prepare, Run};
pub use split::{Gather, Split};
pub use target::Target;
pub use time::UnixTime;
pub(crate) use time::{BlockSecs, block_millis, whole_millis, whole_secs};
pub(crate) use undo::Undo;
pub use value::Value;
pub(crate) use wire::{WireSink, bulk_header};

/// A command whose reply becomes a `T`.
///
/// ```
/// use redstart_core::command::Command;
///
/// let command: Command<u64> = Command::new("MY.COMMAND").key("k").arg(3);
/// assert_eq!(command.packed().name(), "MY.COMMAND");
/// ```
#[must_use = "a command does nothing until it is run"]
#[derive(Clone)]
pub struct Command<T> {
    packed: Boxed,
    reply: PhantomData<fn() -> T>,
}

impl<T> Command<T> {
    /// Starts a command. Words of the name that are separated by a space, as in `CONFIG SET`, become
    /// arguments of their own.
    #[inline]
    pub fn new(name: &str) -> Self {
        let mut packed = Boxed::empty();
        packed.push_name(name);
        if may_change(name) {
            packed.flags = Flags::CHANGES;
        }
        Self { packed, reply: PhantomData }
    }

    /// Appends a key: an argument by which the command is routed.
    #[inline]
    pub fn key(mut self, key: impl Arg) -> Self {
        self.packed.push_key(&key);
        self
    }

    /// Appends any number of keys.
    #[inline]
    pub fn keys(mut self, keys: impl Args) -> Self {
        keys.write_to(&mut ArgSink::keys(&mut self.packed));
        self
    }

    /// Appends how many keys follow, and the keys.
    pub fn counted_keys(self, keys: impl Args) -> Self {
        self.arg(keys.count()).keys(keys)
    }

    /// Appends one argument.
    #[inline]
    pub fn arg(mut self, arg: impl Arg) -> Self {
        self.packed.push(&arg);
        self
    }

    /// Appends any number of arguments.
    #[inline]
    pub fn args(mut self, args: impl Args) -> Self {
        args.write_to(&mut ArgSink::new(&mut self.packed));
        self
    }

    /// Appends how many arguments follow, and the arguments.
    pub fn counted_args(self, args: impl Args) -> Self {
        self.arg(args.count()).args(args)
    }

    /// Appends pairs of a key and a value.
    pub fn key_values(mut self, pairs: impl Pairs) -> Self {
        pairs.write_to(&mut PairSink::keys(&mut self.packed));
        self
    }

    /// Appends pairs of a field and a value.
    pub fn pairs(mut self, pairs: impl Pairs) -> Self {
        pairs.write_to(&mut PairSink::new(&mut self.packed));
        self
    }

    /// Appends `word` if `condition` holds.
    pub fn arg_if(self, condition: bool, word: &str) -> Self {
        if condition { self.arg(word) } else { self }
    }

    /// Says that the command changes nothing: it may be sent again after a failure, and to a replica.
    #[inline]
    pub fn read_only(self) -> Self {
        self.flag(Flags::READ_ONLY)
    }

    /// Says that running the command twice does what running it once does, so that it may be sent again
    /// even if it may have run.
    #[inline]
    pub fn idempotent(self) -> Self {
        self.flag(Flags::IDEMPOTENT)
    }

    /// Says that the command runs code, so that an error does not prove that nothing was changed.
    #[inline]
    pub fn script(self) -> Self {
        self.flag(Flags::SCRIPT)
    }

    /// Gives the text of the script that the command runs by its digest: `EVALSHA` or `EVALSHA_RO`. A server that
    /// does not know the digest is sent the text instead, within the deadline of the call.
    pub fn script_text(mut self, text: Bytes) -> Self {
        self.packed.extra().script = Some(text);
        self
    }

    /// Says that the reply may be kept in a client-side cache until a key is invalidated.
    #[inline]
    pub fn cacheable(self) -> Self {
        self.flag(Flags::READ_ONLY.with(Flags::CACHEABLE))
    }

    /// Says which nodes of a cluster get the command, where no key tells.
    #[inline]
    pub fn route(mut self, route: Route) -> Self {
        self.packed.flags = self.packed.flags.with_route(route);
        self
    }

    /// Says how the replies become one, if several nodes get the command.
    #[inline]
    pub fn join(mut self, join: Join) -> Self {
        self.packed.flags = self.packed.flags.with_join(join);
        self
    }

    /// Says that the command is for the node of a cluster that serves this slot, as if it had a key there.
    /// A slot that no cluster has, from 16,384 on, says nothing.
    #[inline]
    pub fn slot(mut self, slot: u16) -> Self {
        if slot < slot::SLOTS {
            self.packed.slot = Some(slot);
        }
        self
    }

    /// Says that in a cluster the command becomes one per slot if its keys are in several, and how their
    /// replies become one.
    ///
    /// The keys must be at equal distances, each with the arguments up to the next one. Those before the
    /// first key and behind the last one's go to every part.
    #[inline]
    pub fn split(self, join: Join) -> Self {
        self.flag(Flags::SPLIT).join(join)
    }

    /// Sends the command to the node at `endpoint` and to no other, whatever its keys and its route: of a
    /// cluster any of its nodes, as the client or as the cluster calls it; else only the server itself. A read
    /// may go to a replica.
    ///
    /// A node that is not there is an error of the call, and so is a chosen node in a pipeline or a transaction.
    pub fn node(mut self, endpoint: &Endpoint) -> Self {
        self.packed.extra().node = Some(endpoint.clone());
        self
    }

    #[inline]
    fn flag(mut self, flags: Flags) -> Self {
        self.packed.flags = self.packed.flags.with(flags);
        self
    }

    /// Bounds the time of this command alone, instead of by the client's response timeout.
    #[inline]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.packed.timeout = Some(timeout);
        self
    }

    /// Says that the command waits at the server for up to `time`, so that it must not share a connection: others
    /// would wait behind it. Zero is for ever, and so is all beyond seven weeks.
    ///
    /// This does not write the time as an argument.
    pub fn blocking(mut self, time: Duration) -> Self {
        self.packed.set_block_time(time);
        self
    }

    /// The same command with its reply read as another type.
    #[inline]
    pub fn reply_as<U: FromReply>(self) -> Command<U> {
        Command { packed: self.packed, reply: PhantomData }
    }

    /// The command without the type of its reply.
    #[inline]
    #[must_use]
    pub fn packed(&self) -> &Packed {
        &self.packed
    }

    /// Gives up the type of the reply.
    #[must_use]
    pub fn into_packed(mut self) -> Packed {
        core::mem::replace(&mut self.packed, Packed::empty())
    }

    /// As [`into_packed`](Self::into_packed), where it lies.
    #[inline]
    #[cfg(feature = "std")]
    pub(crate) fn into_boxed(self) -> Boxed {
        self.packed
    }
}

impl<T> fmt::Debug for Command<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packed.fmt(f)
    }
}
