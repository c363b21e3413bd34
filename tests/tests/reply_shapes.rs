//! Replies that servers have given are read; where one part of them is something else, that is an error or another
//! value, but nothing worse.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::BytesMut;
use redstart_core::command::{FromReply, Value};
use redstart_core::error::{ConversionError, ServerError};
use redstart_core::resp::{Decoder, Item, Limits};
use redstart_tests::fuzz::replies::READERS;
use redstart_tests::resp::write::{random, write};

type Read = fn(Item<'_>) -> Result<(), ConversionError>;

/// What servers have answered, with the name of the command and what reads it.
fn recorded() -> Vec<(String, Value, Read)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/replies");
    let mut recorded = Vec::new();
    for file in fs::read_dir(folder).expect("the folder of recorded replies") {
        let path = file.expect("a readable folder").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a text").to_owned();
        let Some((_, read)) = READERS.iter().find(|(of, _)| name.split('.').next() == Some(of)) else {
            continue;
        };
        let bytes = fs::read(&path).expect("a readable file");
        recorded.push((name, decode(&bytes, |item| Value::from_reply(item).expect("a value")), *read));
    }
    recorded
}

fn decode<T>(bytes: &[u8], read: impl FnOnce(Item<'_>) -> T) -> T {
    let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(bytes));
    read(frame.expect("a legal reply").expect("a whole reply").item())
}

fn read(value: &Value, read: Read) -> Result<(), ConversionError> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    decode(&bytes, read)
}

/// How many parts a value has, itself among them.
fn parts(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) | Value::Set(elements) => elements.iter().map(parts).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| parts(key) + parts(value)).sum::<usize>(),
        _ => 0,
    }
}

/// Puts `part` in the place of the part that comes as `nth`.
fn replace(value: &mut Value, nth: &mut usize, part: &Value) {
    if *nth == 0 {
        *value = part.clone();
    }
    let Some(left) = nth.checked_sub(1) else {
        *nth = usize::MAX;
        return;
    };
    *nth = left;
    let mut visit = |inner: &mut Value| {
        if *nth != usize::MAX {
            replace(inner, nth, part);
        }
    };
    match value {
        Value::Array(elements) | Value::Set(elements) => elements.iter_mut().for_each(visit),
        Value::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        _ => {}
    }
}

fn with(value: &Value, nth: usize, part: &Value) -> Value {
    let mut changed = value.clone();
    replace(&mut changed, &mut { nth }, part);
    changed
}

#[test]
fn recorded_replies_are_read() {
    let recorded = recorded();
    let names: BTreeSet<&str> = recorded.iter().filter_map(|(name, ..)| name.split('.').next()).collect();
    for (name, _) in READERS.iter().filter(|(name, _)| *name != "xconsume") {
        assert!(names.contains(name), "{name} is not recorded");
    }
    for (name, value, reader) in &recorded {
        assert_eq!(read(value, *reader), Ok(()), "{name}");
    }
}

#[test]
fn an_error_in_the_place_of_any_part_is_an_error() {
    let error = Value::Error(ServerError::new(b"ERR inside"));
    for (name, value, reader) in recorded() {
        for nth in 0..parts(&value) {
            let changed = with(&value, nth, &error);
            assert!(read(&changed, reader).is_err(), "{name}: {changed:?}");
        }
    }
}

#[test]
fn anything_in_the_place_of_any_part_is_a_value_or_an_error() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    for (_, value, reader) in recorded() {
        for nth in 0..parts(&value) {
            let numbers = [i64::MIN, -1, 0, i64::MAX].map(Value::Integer);
            let doubles = [f64::NAN, f64::INFINITY, -1.0, 1e300].map(Value::Double);
            let others =
                [Value::Nil, Value::Array(Vec::new()), Value::Map(Vec::new()), Value::Bulk("x".into())];
            let any = std::iter::repeat_with(|| random(&mut rng, 3)).take(8);
            for part in numbers.into_iter().chain(doubles).chain(others).chain(any) {
                refused += usize::from(read(&with(&value, nth, &part), reader).is_err());
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}
