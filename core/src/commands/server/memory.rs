//! What a server uses memory for.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::command::{FromReply, expect_text, pairs};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a server uses memory for, from `MEMORY STATS`. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct MemoryStats {
    /// The most that was ever allocated.
    pub peak_allocated: u64,
    /// What is allocated.
    pub total_allocated: u64,
    /// What was allocated when the server had started.
    pub startup_allocated: u64,
    /// What is not data: buffers, tables, scripts and what was there at the start.
    pub overhead_total: u64,
    /// How many keys there are in all databases.
    pub keys_count: u64,
    /// What is data.
    pub dataset_bytes: u64,
    /// Data as a share of what was allocated since the start, in percent.
    pub dataset_percentage: f64,
    /// What is allocated as a share of the peak, in percent.
    pub peak_percentage: f64,
    /// What the process occupies, divided by what is allocated.
    pub fragmentation: f64,
    /// What the process occupies beyond what is allocated; negative if memory is swapped out.
    pub fragmentation_bytes: i64,
    /// The overhead of each database that has keys.
    pub databases: BTreeMap<u32, DatabaseMemory>,
    /// All other figures, by the server's names.
    pub other: BTreeMap<String, f64>,
}

/// What a database costs besides its data, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DatabaseMemory {
    /// The table of its keys.
    pub hashtable_main: u64,
    /// The table of its expiries.
    pub hashtable_expires: u64,
}

impl FromReply for MemoryStats {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut stats = Self::default();
        for pair in pairs(item)? {
            let (name, value) = pair?;
            let name = String::from_reply(name)?;
            if let Some(index) = name.strip_prefix("db.").and_then(|index| index.parse().ok()) {
                stats.databases.insert(index, FromReply::from_reply(value)?);
                continue;
            }
            match name.as_str() {
                "peak.allocated" => stats.peak_allocated = FromReply::from_reply(value)?,
                "total.allocated" => stats.total_allocated = FromReply::from_reply(value)?,
                "startup.allocated" => stats.startup_allocated = FromReply::from_reply(value)?,
                "overhead.total" => stats.overhead_total = FromReply::from_reply(value)?,
                "keys.count" => stats.keys_count = FromReply::from_reply(value)?,
                "dataset.bytes" => stats.dataset_bytes = FromReply::from_reply(value)?,
                "dataset.percentage" => stats.dataset_percentage = FromReply::from_reply(value)?,
                "peak.percentage" => stats.peak_percentage = FromReply::from_reply(value)?,
                "fragmentation" => stats.fragmentation = FromReply::from_reply(value)?,
                "fragmentation.bytes" => stats.fragmentation_bytes = FromReply::from_reply(value)?,
                // What newer servers add need not be a number.
                _ => drop(f64::from_reply(value).map(|value| stats.other.insert(name, value))),
            }
        }
        Ok(stats)
    }
}

impl FromReply for DatabaseMemory {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut memory = Self::default();
        for pair in pairs(item)? {
            let (name, value) = pair?;
            match &*expect_text("the name of a table", name)? {
                b"overhead.hashtable.main" => memory.hashtable_main = FromReply::from_reply(value)?,
                b"overhead.hashtable.expires" => memory.hashtable_expires = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        Ok(memory)
    }
}
