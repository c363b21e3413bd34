//! Introspection: which commands the server has, and what it says of them.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{CommandFilter, IntrospectionCommands};
//!
//! let command = p.command_list(CommandFilter::Pattern("h*".into()));
//! assert_eq!(command.packed().name(), "COMMAND LIST");
//! ```

mod docs;
mod info;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

pub use docs::{CommandArgument, CommandDocs};
pub use info::{BeginSearch, CommandInfo, FindKeys, KeySpec};

use crate::command::{ArgSink, Args, Command, FromReply, Route, Run};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands about commands. <https://redis.io/docs/latest/commands/command/>
///
/// Names are in lower case, and a subcommand's name is joined to its container's as in `config|get`.
pub trait IntrospectionCommands: Run {
    /// Returns what the server knows of every command.
    ///
    /// `COMMAND` · 2.8.13 · O(n) in the server's commands
    fn command(self) -> Self::Output<Vec<CommandInfo>> {
        self.run(Command::new("COMMAND").read_only().route(Route::AnyNode))
    }

    /// Returns how many commands the server has, subcommands not counted.
    ///
    /// `COMMAND COUNT` · 2.8.13 · O(1)
    fn command_count(self) -> Self::Output<u64> {
        self.run(Command::new("COMMAND COUNT").read_only().route(Route::AnyNode))
    }

    /// Returns the documentation of the commands named, or of all for `()`; unknown ones are left out.
    ///
    /// `COMMAND DOCS [name [name ...]]` · 7.0.0 · O(n) in the commands
    fn command_docs(self, names: impl Args) -> Self::Output<BTreeMap<String, CommandDocs>> {
        self.run(Command::new("COMMAND DOCS").args(names).read_only().route(Route::AnyNode))
    }

    /// Returns which arguments of a command are keys. The command is given whole, its name first.
    ///
    /// Fails when the command has none, or cannot have that many arguments.
    ///
    /// `COMMAND GETKEYS command [argument ...]` · 2.8.13 · O(n) in the arguments
    fn command_getkeys<T: FromReply>(self, command: impl Args) -> Self::Output<Vec<T>> {
        self.run(Command::new("COMMAND GETKEYS").args(command).read_only().route(Route::AnyNode))
    }

    /// Returns which arguments of a command are keys, and what it does to them. The command is given whole,
    /// its name first.
    ///
    /// Fails when the command has none, or cannot have that many arguments.
    ///
    /// `COMMAND GETKEYSANDFLAGS command [argument ...]` · 7.0.0 · O(n) in the arguments
    fn command_getkeysandflags<T: FromReply>(self, command: impl Args) -> Self::Output<Vec<KeyFlags<T>>> {
        self.run(Command::new("COMMAND GETKEYSANDFLAGS").args(command).read_only().route(Route::AnyNode))
    }

    /// Returns what the server knows of the commands named, in their order and `None` for unknown ones; of all
    /// for `()`, which needs Redis 7.0.
    ///
    /// `COMMAND INFO [name [name ...]]` · 2.8.13 · O(n) in the commands
    fn command_info(self, names: impl Args) -> Self::Output<Vec<Option<CommandInfo>>> {
        self.run(Command::new("COMMAND INFO").args(names).read_only().route(Route::AnyNode))
    }

    /// Returns the names of commands, subcommands included, in no particular order.
    ///
    /// `COMMAND LIST [FILTERBY <MODULE name | ACLCAT category | PATTERN pattern>]` · 7.0.0 · O(n) in the server's
    /// commands
    fn command_list(self, filter: CommandFilter) -> Self::Output<Vec<String>> {
        self.run(Command::new("COMMAND LIST").args(filter).read_only().route(Route::AnyNode))
    }
}

impl<R: Run> IntrospectionCommands for R {}

/// Choices for [`command_list`](IntrospectionCommands::command_list).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CommandFilter {
    /// All commands.
    #[default]
    All,
    /// Those of one module (`MODULE`).
    Module(String),
    /// Those of one category of access control, such as `read` (`ACLCAT`).
    AclCategory(String),
    /// Those whose name matches a pattern such as `h*` (`PATTERN`).
    Pattern(String),
}

impl Args for CommandFilter {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        let (word, value) = match self {
            Self::All => return,
            Self::Module(name) => ("MODULE", name),
            Self::AclCategory(category) => ("ACLCAT", category),
            Self::Pattern(pattern) => ("PATTERN", pattern),
        };
        out.arg("FILTERBY").arg(word).arg(value);
    }
}

/// A key of a command, and what the command does to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFlags<T> {
    /// The key.
    pub key: T,
    /// `RO`, `RW`, `OW` or `RM`, with `access`, `update`, `insert` or `delete`.
    pub flags: BTreeSet<String>,
}

impl<T: FromReply> FromReply for KeyFlags<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (key, flags) = FromReply::from_reply(item)?;
        Ok(Self { key, flags })
    }
}
