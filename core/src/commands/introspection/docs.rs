//! What a server's documentation says of a command.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{FromReply, elements, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a server's documentation says of a command.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CommandDocs {
    /// What it does, in one sentence.
    pub summary: String,
    /// The version of Redis, or of the module, that brought it.
    pub since: String,
    /// The family that it belongs to, such as `string`.
    pub group: String,
    /// What it costs.
    pub complexity: Option<String>,
    /// The module that it comes from.
    pub module: Option<String>,
    /// `deprecated`, `syscmd`.
    pub flags: BTreeSet<String>,
    /// The version since which it should not be used.
    pub deprecated_since: Option<String>,
    /// What to use instead.
    pub replaced_by: Option<String>,
    /// Versions, and what they changed.
    pub history: Vec<(String, String)>,
    /// Its arguments.
    pub arguments: Vec<CommandArgument>,
    /// Its subcommands, by names such as `config|get`.
    pub subcommands: BTreeMap<String, Self>,
}

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CommandArgument {
    /// Its name, which is not sent.
    pub name: String,
    /// `string`, `integer`, `double`, `key`, `pattern`, `unix-time`, `pure-token` for a word alone; `oneof`
    /// and `block` for arguments made of others.
    pub kind: String,
    /// The name to show; since Redis 7.2.
    pub display_text: Option<String>,
    /// The word that comes before it, or is it.
    pub token: Option<String>,
    /// Which of the command's rules finds it, if it is a key.
    pub key_spec_index: Option<u32>,
    /// A remark.
    pub summary: Option<String>,
    /// The version that brought it.
    pub since: Option<String>,
    /// The version since which it should not be used.
    pub deprecated_since: Option<String>,
    /// `optional`, `multiple`, `multiple_token`.
    pub flags: BTreeSet<String>,
    /// The arguments of a `oneof` or `block`.
    pub arguments: Vec<Self>,
}

/// Arguments are made of arguments; deeper ones are refused. No server goes beyond five.
const DEPTH_MAX: usize = 16;

impl FromReply for CommandDocs {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut docs = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            if *expect_text("a field's name", field)? == *b"subcommands" {
                docs.subcommands = subcommands(value)?;
            } else {
                docs.set(field, value)?;
            }
        }
        Ok(docs)
    }
}

/// Subcommands have none of their own, so there is no recursion here.
fn subcommands(item: Item<'_>) -> Result<BTreeMap<String, CommandDocs>, ConversionError> {
    let read = |docs| {
        let mut subcommand = CommandDocs::default();
        for pair in pairs(docs)? {
            let (field, value) = pair?;
            subcommand.set(field, value)?;
        }
        Ok(subcommand)
    };
    pairs(item)?
        .map(|pair| pair.and_then(|(name, docs)| Ok((FromReply::from_reply(name)?, read(docs)?))))
        .collect()
}

impl CommandDocs {
    fn set(&mut self, field: Item<'_>, value: Item<'_>) -> Result<(), ConversionError> {
        match &*expect_text("a field's name", field)? {
            b"summary" => self.summary = FromReply::from_reply(value)?,
            b"since" => self.since = FromReply::from_reply(value)?,
            b"group" => self.group = FromReply::from_reply(value)?,
            b"complexity" => self.complexity = FromReply::from_reply(value)?,
            b"module" => self.module = FromReply::from_reply(value)?,
            b"doc_flags" => self.flags = FromReply::from_reply(value)?,
            b"deprecated_since" => self.deprecated_since = FromReply::from_reply(value)?,
            b"replaced_by" => self.replaced_by = FromReply::from_reply(value)?,
            b"history" => self.history = FromReply::from_reply(value)?,
            b"arguments" => self.arguments = arguments(value, DEPTH_MAX)?,
            _ => {}
        }
        Ok(())
    }
}

fn arguments(item: Item<'_>, depth: usize) -> Result<Vec<CommandArgument>, ConversionError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(unexpected("at most 16 levels of arguments", item));
    };
    elements(item)?.map(|argument| read_argument(argument, depth)).collect()
}

fn read_argument(item: Item<'_>, depth: usize) -> Result<CommandArgument, ConversionError> {
    let mut argument = CommandArgument::default();
    for pair in pairs(item)? {
        let (field, value) = pair?;
        match &*expect_text("a field's name", field)? {
            b"name" => argument.name = FromReply::from_reply(value)?,
            b"type" => argument.kind = FromReply::from_reply(value)?,
            b"display_text" => argument.display_text = FromReply::from_reply(value)?,
            b"token" => argument.token = FromReply::from_reply(value)?,
            b"key_spec_index" => argument.key_spec_index = FromReply::from_reply(value)?,
            b"summary" => argument.summary = FromReply::from_reply(value)?,
            b"since" => argument.since = FromReply::from_reply(value)?,
            b"deprecated_since" => argument.deprecated_since = FromReply::from_reply(value)?,
            b"flags" => argument.flags = FromReply::from_reply(value)?,
            b"arguments" => argument.arguments = arguments(value, depth)?,
            _ => {}
        }
    }
    Ok(argument)
}
