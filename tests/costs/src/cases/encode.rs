//! A user's arguments to bytes in an outgoing buffer that is used again.

use std::hint::black_box;

use redstart_core::command::{Command, Prepare};
use redstart_core::commands::{HashCommands, StringCommands};

use super::{Case, Outcome};
use crate::world::{VALUE, key};

const PASSES: u64 = 500;

pub(super) fn cases() -> Vec<Case> {
    let pairs = |count| (0..count).map(|i| (key(i), VALUE.to_owned())).collect::<Vec<_>>();
    vec![
        Case::new("encode GET", PASSES, || encoding(key(7), |key| Prepare.get::<String>(key))),
        Case::new("encode SET 64 B", PASSES, || encoding(key(7), |key| Prepare.set(key, black_box(VALUE)))),
        Case::new("encode MSET of 100 pairs", 50, move || encoding(pairs(100), |pairs| Prepare.mset(pairs))),
        Case::new("encode HSET of 20 fields", PASSES, move || {
            encoding((key(7), pairs(20)), |(key, fields)| Prepare.hset(key, fields))
        }),
    ]
}

fn encoding<A, T>(args: A, command: impl Fn(&A) -> Command<T>) -> impl FnMut(u64) -> Outcome {
    let mut buffer = Vec::new();
    move |passes| {
        for _ in 0..passes {
            buffer.clear();
            command(black_box(&args)).packed().encode(&mut buffer);
            black_box(&buffer);
        }
        Outcome { operations: passes, socket_calls: 0 }
    }
}
