//! What the server says of functions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::command::{FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A library.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FunctionLibrary {
    /// Its name.
    pub name: String,
    /// Its language, such as `LUA`.
    pub engine: String,
    /// Its functions.
    pub functions: Vec<FunctionInfo>,
    /// Its code, if it was asked for.
    pub code: Option<String>,
}

impl FromReply for FunctionLibrary {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut library, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"library_name" => name = FromReply::from_reply(value)?,
                b"engine" => library.engine = FromReply::from_reply(value)?,
                b"functions" => library.functions = FromReply::from_reply(value)?,
                b"library_code" => library.code = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        library.name = name.ok_or_else(|| unexpected("a library", item))?;
        Ok(library)
    }
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// What it does, if it was said.
    pub description: Option<String>,
    /// `no-writes`, `allow-oom`, `allow-stale`, `no-cluster`, `allow-cross-slot-keys`, those that hold.
    pub flags: BTreeSet<String>,
}

impl FromReply for FunctionInfo {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut function, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"description" => function.description = FromReply::from_reply(value)?,
                b"flags" => function.flags = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        function.name = name.ok_or_else(|| unexpected("a function", item))?;
        Ok(function)
    }
}

/// What functions are doing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FunctionStats {
    /// The function that is running.
    pub running: Option<RunningFunction>,
    /// What there is of each language.
    pub engines: BTreeMap<String, FunctionEngine>,
}

impl FromReply for FunctionStats {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut running, mut engines) = (None, None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"running_script" => running = FromReply::from_reply(value)?,
                b"engines" => engines = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        Ok(Self { running, engines: engines.ok_or_else(|| unexpected("statistics of functions", item))? })
    }
}

/// A function that is running.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunningFunction {
    /// Its name.
    pub name: String,
    /// The command that called it, with its arguments.
    pub command: Vec<Bytes>,
    /// For how long it has been running.
    pub duration: Duration,
}

impl FromReply for RunningFunction {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut running, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"command" => running.command = FromReply::from_reply(value)?,
                b"duration_ms" => running.duration = Duration::from_millis(FromReply::from_reply(value)?),
                _ => {}
            }
        }
        running.name = name.ok_or_else(|| unexpected("a function that is running", item))?;
        Ok(running)
    }
}

/// What there is of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct FunctionEngine {
    /// How many libraries.
    pub libraries: u64,
    /// How many functions.
    pub functions: u64,
}

impl FromReply for FunctionEngine {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut engine = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"libraries_count" => engine.libraries = FromReply::from_reply(value)?,
                b"functions_count" => engine.functions = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        Ok(engine)
    }
}
