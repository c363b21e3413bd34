//! Encoding: from a user's arguments to bytes in an outgoing buffer that is reused.

use std::hint::black_box;
use std::sync::LazyLock;

use super::{Choice, Group, Row};
use crate::contender::{Encode, Suite, redstart};
use crate::floor;
use crate::floor::offline::Encoding;
use crate::measure::{self, Lane, Result};
use crate::quantity::{Goal, Quantity, Than};
use crate::rows::work::{KEYS, VALUE};

#[derive(Clone, Copy)]
pub enum Command {
    Get,
    Set,
    Mset,
    Hset,
}

/// With what is asked of Redstart: at most so many times the floor, and so many allocations.
const COMMANDS: [(Command, &str, f64, f64); 4] = [
    (Command::Get, "GET", 1.5, 0.0),
    (Command::Set, "SET of 64 B", 1.5, 0.0),
    (Command::Mset, "MSET of 100 pairs", 1.2, f64::INFINITY),
    (Command::Hset, "HSET of 20 fields", 1.2, f64::INFINITY),
];

static PAIRS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| KEYS.iter().take(100).map(|key| (key.clone(), VALUE.to_owned())).collect());

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    choice.cpus.pin(true)?;
    let mut rows = Vec::new();
    for (command, title, factor, allocations) in COMMANDS {
        if choice.wants(title) {
            let lanes = suite.encoders.iter().map(|(name, lane)| lane(name, command));
            let figures = measure::lanes(lanes.collect::<Result<_>>()?, choice.offline)?;
            let goal = |what, than, factor| Goal { who: redstart::NAME, what, than, factor };
            let mut goals = vec![goal(Quantity::Cpu, Than::Floor(floor::ENCODE), factor)];
            if allocations.is_finite() {
                goals.push(goal(Quantity::Allocations, Than::Fixed, allocations));
            }
            rows.push(Row { title: title.to_owned(), figures, goals });
        }
    }
    Ok(Group {
        name: "encode",
        title: "Encode",
        note: "Pinned, without a server. From a user's arguments to bytes in an outgoing buffer that is used again.",
        floor: floor::ENCODE,
        main: Quantity::Cpu,
        beside: &[Quantity::Allocations],
        rows,
    })
}

impl Command {
    /// In small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Mset => "mset",
            Self::Hset => "hset",
        }
    }

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
