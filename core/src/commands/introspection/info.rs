//! What a server knows of a command: arity, flags, where its keys are.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{FromReply, elements, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a server knows of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandInfo {
    /// Its name, such as `get` or `config|get`.
    pub name: String,
    /// How many arguments it takes, its name included; negative if it takes at least that many.
    pub arity: i64,
    /// Such as `readonly`, `write`, `blocking`.
    pub flags: BTreeSet<String>,
    /// Where the first key is; 0 if there is none or [`key_specs`](Self::key_specs) must tell.
    pub first_key: i64,
    /// Where the last key is; negative if it is counted from the end.
    pub last_key: i64,
    /// How far keys are from each other.
    pub key_step: i64,
    /// Such as `@read`, `@string`.
    pub acl_categories: BTreeSet<String>,
    /// How clients may treat it, such as `request_policy:all_shards`; empty before Redis 7.0.
    pub tips: Vec<String>,
    /// Where its keys are; empty before Redis 7.0.
    pub key_specs: Vec<KeySpec>,
    /// Its subcommands; empty before Redis 7.0.
    pub subcommands: Vec<Self>,
}

/// One rule by which keys are found among a command's arguments.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeySpec {
    /// A remark.
    pub notes: Option<String>,
    /// What the command does to these keys, such as `RO` and `access`.
    pub flags: BTreeSet<String>,
    /// Where to begin.
    pub begin_search: BeginSearch,
    /// How to go on from there.
    pub find_keys: FindKeys,
}

/// Where the search for keys begins.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BeginSearch {
    /// The server does not say.
    #[default]
    Unknown,
    /// At this argument, the name being 0.
    Index(i64),
    /// At the argument after a word.
    Keyword {
        /// The word.
        keyword: String,
        /// From which argument the word is looked for; negative if counted from the end, and backwards.
        start_from: i64,
    },
}

/// How keys are found from where the search begins.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FindKeys {
    /// The server does not say.
    #[default]
    Unknown,
    /// From the beginning to an end.
    Range {
        /// The last key, counted from the beginning; negative if counted from the end.
        last_key: i64,
        /// How far keys are from each other.
        key_step: i64,
        /// The share of the remaining arguments that are keys: a half for 2; all for 0 and 1.
        limit: i64,
    },
    /// As many as an argument says. All places are counted from the beginning.
    KeyNum {
        /// Where the count is.
        key_num_index: i64,
        /// Where the first key is.
        first_key: i64,
        /// How far keys are from each other.
        key_step: i64,
    },
}

impl FromReply for CommandInfo {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut info = read(item)?;
        // A container's subcommands have none of their own, so there is no recursion here.
        if let Some(subcommands) = item.items().nth(9) {
            info.subcommands = elements(subcommands)?.map(read).collect::<Result<_, _>>()?;
        }
        Ok(info)
    }
}

/// Reads a command without its subcommands.
fn read(item: Item<'_>) -> Result<CommandInfo, ConversionError> {
    let mut parts = elements(item)?;
    let mut next = || parts.next().ok_or_else(|| unexpected("at least 7 elements", item));
    Ok(CommandInfo {
        name: FromReply::from_reply(next()?)?,
        arity: FromReply::from_reply(next()?)?,
        flags: FromReply::from_reply(next()?)?,
        first_key: FromReply::from_reply(next()?)?,
        last_key: FromReply::from_reply(next()?)?,
        key_step: FromReply::from_reply(next()?)?,
        acl_categories: FromReply::from_reply(next()?)?,
        tips: parts.next().map_or(Ok(Vec::new()), FromReply::from_reply)?,
        key_specs: parts.next().map_or(Ok(Vec::new()), FromReply::from_reply)?,
        subcommands: Vec::new(),
    })
}

impl FromReply for KeySpec {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut spec = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"notes" => spec.notes = FromReply::from_reply(value)?,
                b"flags" => spec.flags = FromReply::from_reply(value)?,
                b"begin_search" => spec.begin_search = FromReply::from_reply(value)?,
                b"find_keys" => spec.find_keys = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        Ok(spec)
    }
}

impl FromReply for BeginSearch {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (kind, spec) = typed(item)?;
        Ok(match kind.as_str() {
            "index" => Self::Index(field(spec, b"index")?),
            "keyword" => {
                Self::Keyword { keyword: field(spec, b"keyword")?, start_from: field(spec, b"startfrom")? }
            }
            _ => Self::Unknown,
        })
    }
}

impl FromReply for FindKeys {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (kind, spec) = typed(item)?;
        Ok(match kind.as_str() {
            "range" => Self::Range {
                last_key: field(spec, b"lastkey")?,
                key_step: field(spec, b"keystep")?,
                limit: field(spec, b"limit")?,
            },
            "keynum" => Self::KeyNum {
                key_num_index: field(spec, b"keynumidx")?,
                first_key: field(spec, b"firstkey")?,
                key_step: field(spec, b"keystep")?,
            },
            _ => Self::Unknown,
        })
    }
}

/// The two fields of a rule: its type, and what the type needs.
fn typed(item: Item<'_>) -> Result<(String, Item<'_>), ConversionError> {
    Ok((field(item, b"type")?, find(item, b"spec")?))
}

fn field<T: FromReply>(map: Item<'_>, name: &[u8]) -> Result<T, ConversionError> {
    find(map, name).and_then(T::from_reply)
}

fn find<'a>(map: Item<'a>, name: &[u8]) -> Result<Item<'a>, ConversionError> {
    for pair in pairs(map)? {
        let (field, value) = pair?;
        if *expect_text("a field's name", field)? == *name {
            return Ok(value);
        }
    }
    Err(unexpected("a rule of where keys are", map))
}
