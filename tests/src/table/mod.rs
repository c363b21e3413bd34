//! Every command as it goes on the wire: one row per call worth showing, made through `Prepare`.
//!
//! The rows are the source of `tests/snapshots/commands/`, of the list that `--bin commands` prints
//! and of the completeness test. A method without a row is a method that no test has seen.

mod acl;
mod bitmaps;
mod cluster;
mod connection;
mod functions;
mod geo;
mod hashes;
mod hyperloglog;
mod introspection;
mod keys;
mod latency;
mod lists;
mod modules;
mod pubsub;
mod replication;
mod scripting;
mod sentinel;
mod server;
mod sessions;
mod sets;
mod sorted_sets;
mod streams;
mod strings;

use std::fmt::Write;

use redstart_core::command::{Command, Packed};

/// One call: the method's name and the command that it makes.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name of the method.
    pub method: &'static str,
    /// What it sends.
    pub command: Packed,
}

/// Adds the rows of a family.
type Rows = fn(&mut Table);

/// The families.
const FAMILIES: &[(&str, Rows)] = &[
    ("acl", acl::rows),
    ("bitmaps", bitmaps::rows),
    ("cluster", cluster::rows),
    ("connection", connection::rows),
    ("functions", functions::rows),
    ("geo", geo::rows),
    ("hashes", hashes::rows),
    ("hyperloglog", hyperloglog::rows),
    ("introspection", introspection::rows),
    ("keys", keys::rows),
    ("latency", latency::rows),
    ("lists", lists::rows),
    ("modules", modules::rows),
    ("pubsub", pubsub::rows),
    ("replication", replication::rows),
    ("scripting", scripting::rows),
    ("sentinel", sentinel::rows),
    ("server", server::rows),
    ("sessions", sessions::rows),
    ("sets", sets::rows),
    ("sorted_sets", sorted_sets::rows),
    ("streams", streams::rows),
    ("strings", strings::rows),
];

/// The rows of one family.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// In the order of the family's methods.
    pub rows: Vec<Row>,
}

impl Table {
    /// The rows of every family, with the family's name.
    pub fn families() -> impl Iterator<Item = (&'static str, Self)> {
        FAMILIES.iter().map(|(name, rows)| {
            let mut table = Self::default();
            rows(&mut table);
            (*name, table)
        })
    }

    /// Adds a call.
    pub fn row<T>(&mut self, method: &'static str, command: Command<T>) {
        self.rows.push(Row { method, command: command.into_packed() });
    }

    /// The rows as text: `method: ARGUMENTS · keys · flags`, one per line.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for Row { method, command } in &self.rows {
            let args: Vec<String> = command.args().map(|arg| show(&arg)).collect();
            let keys: Vec<String> = command.key_indexes().map(|index| args[index].clone()).collect();
            let keys = match (keys.is_empty(), command.slot()) {
                (true, Ok(Some(slot))) => format!("slot {slot}"),
                (true, _) => "no key".to_owned(),
                (false, _) => format!("keys {}", keys.join(" ")),
            };
            writeln!(text, "{method}: {} · {keys} · {}", args.join(" "), command.flags())
                .expect("writing to memory does not fail");
        }
        text
    }
}

/// An argument as a reader wants it: quoted where it is empty or has blanks, escaped where it is binary.
fn show(arg: &[u8]) -> String {
    let text = arg.escape_ascii().to_string();
    if text.is_empty() || text.contains(' ') { format!("\"{text}\"") } else { text }
}
