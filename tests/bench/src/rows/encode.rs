//! Encoding: from a user's arguments to bytes in an outgoing buffer that is reused.

use std::hint::black_box;
use std::sync::LazyLock;

use super::{Choice, Group, Row};
use crate::contender::{Encode, Suite};
use crate::floor;
use crate::floor::offline::Encoding;
use crate::measure::{self, Lane, Result};
use crate::rows::e2e::{KEYS, VALUE};

#[derive(Clone, Copy)]
pub enum Command {
    Get,
    Set,
    Mset,
    Hset,
}

const COMMANDS: [(Command, &str); 4] = [
    (Command::Get, "GET"),
    (Command::Set, "SET 64 B"),
    (Command::Mset, "MSET of 100 pairs"),
    (Command::Hset, "HSET of 20 fields"),
];

static PAIRS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| KEYS.iter().take(100).map(|key| (key.clone(), VALUE.to_owned())).collect());

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    let mut rows = Vec::new();
    for (command, title) in COMMANDS {
        if choice.wants(title) {
            let lanes = suite.encoders.iter().map(|(name, lane)| lane(name, command));
            let figures = measure::lanes(lanes.collect::<Result<_>>()?, choice.plan)?;
            rows.push(Row { title: title.to_owned(), figures });
        }
    }
    let title = "Encode, CPU ns per command (allocations)";
    Ok(Group { title, floor: floor::ENCODE, throughput: false, rows })
}

impl Command {
    fn encode(self, encoder: &mut impl Encode) -> Result<()> {
        let (key, pairs) = (black_box(KEYS[7].as_str()), black_box(PAIRS.as_slice()));
        match self {
            Self::Get => encoder.get(key),
            Self::Set => encoder.set(key, black_box(VALUE)),
            Self::Mset => encoder.mset(pairs),
            Self::Hset => encoder.hset(key, &pairs[..20]),
        }
    }
}

/// A lane that encodes one command per pass; its bytes are compared with the floor's.
pub fn lane<E: Encode>(name: &'static str, command: Command) -> Result<Lane> {
    let (mut encoder, mut floor) = (E::default(), Encoding::default());
    command.encode(&mut encoder)?;
    command.encode(&mut floor)?;
    if encoder.bytes() != floor.bytes() {
        return Err(format!("{name} encodes {:?}", String::from_utf8_lossy(encoder.bytes())).into());
    }
    Ok(Lane::new(name, move |passes| {
        for _ in 0..passes {
            encoder.clear();
            command.encode(&mut encoder)?;
            black_box(encoder.bytes());
        }
        Ok(passes)
    }))
}
