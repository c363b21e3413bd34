//! Values to bytes, as a server writes them in RESP3.

use redstart_core::command::Value;
use redstart_core::error::ServerError;

/// Appends `value` as it goes on the wire.
///
/// # Panics
/// `value` is of a kind that has no form on the wire.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Nil => line(b'_', "", out),
        Value::Integer(number) => line(b':', number, out),
        Value::Double(number) if number.is_nan() => line(b',', "nan", out),
        Value::Double(number) => line(b',', number, out),
        Value::Boolean(true) => line(b'#', 't', out),
        Value::Boolean(false) => line(b'#', 'f', out),
        Value::BigNumber(digits) => line(b'(', digits, out),
        Value::Status(text) => line(b'+', text, out),
        Value::Bulk(bytes) => string(b'$', bytes, out),
        Value::Verbatim { format, text } => string(b'=', format!("{format}:{text}").as_bytes(), out),
        Value::Error(error) if error.text().contains(['\r', '\n']) => {
            string(b'!', error.text().as_bytes(), out);
        }
        Value::Error(error) => line(b'-', error.text(), out),
        Value::Array(elements) => aggregate(b'*', elements, out),
        Value::Set(elements) => aggregate(b'~', elements, out),
        Value::Map(pairs) => {
            line(b'%', pairs.len(), out);
            pairs.iter().for_each(|(key, value)| {
                write(key, out);
                write(value, out);
            });
        }
        _ => panic!("{value:?} has no form on the wire"),
    }
}

fn line(kind: u8, text: impl std::fmt::Display, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(text.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn string(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    line(kind, payload.len(), out);
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

fn aggregate(kind: u8, elements: &[Value], out: &mut Vec<u8>) {
    line(kind, elements.len(), out);
    elements.iter().for_each(|element| write(element, out));
}

/// A value of any shape with at most `levels` levels, the same for the same state of `random`.
pub fn random(rng: &mut fastrand::Rng, levels: u32) -> Value {
    let kinds = if levels == 0 { 9 } else { 12 };
    match rng.u8(..kinds) {
        0 => Value::Nil,
        1 => Value::Integer(rng.i64(..) >> rng.u32(..64)),
        2 => Value::Double(f64::from(rng.i32(..)) / 8.0),
        3 => Value::Boolean(rng.bool()),
        4 => Value::BigNumber(format!("-{}{}", rng.u128(..), rng.u128(..))),
        5 => Value::Status("OK".to_owned()),
        6 => Value::Bulk((0..rng.usize(..40)).map(|_| rng.u8(..)).collect()),
        7 => Value::Verbatim { format: "txt".to_owned(), text: "a\r\nb".to_owned() },
        8 => Value::Error(ServerError::new(rng.choice([&b"ERR a"[..], b"ERR a\nb"]).unwrap_or_default())),
        9 => Value::Array(several(rng, levels).collect()),
        10 => Value::Set(several(rng, levels).collect()),
        _ => Value::Map(several(&mut rng.fork(), levels).zip(several(rng, levels)).collect()),
    }
}

fn several(rng: &mut fastrand::Rng, levels: u32) -> impl Iterator<Item = Value> {
    (0..rng.usize(..5)).map(move |_| random(rng, levels - 1))
}
