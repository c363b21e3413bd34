//! How the values of options read.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

use super::Reason;
use crate::config::{Ocsp, Protocol, ReadFrom, TlsVersion, WhenFull};

const TOO_LARGE: Reason = "too large";

pub(super) fn optional<T>(value: &str, read: fn(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    if value == "none" { Ok(None) } else { read(value).map(Some) }
}

pub(super) fn name(value: &str) -> Result<Cow<'static, str>, Reason> {
    Ok(Cow::Owned(value.to_string()))
}

pub(super) fn text(value: &str) -> Result<Arc<str>, Reason> {
    Ok(value.into())
}

pub(super) fn protocol(value: &str) -> Result<Protocol, Reason> {
    match value {
        "auto" => Ok(Protocol::Auto),
        "2" => Ok(Protocol::Resp2),
        "3" => Ok(Protocol::Resp3),
        _ => Err("none of auto, 2, 3"),
    }
}

pub(super) fn when_full(value: &str) -> Result<WhenFull, Reason> {
    match value {
        "wait" => Ok(WhenFull::Wait),
        "fail" => Ok(WhenFull::Fail),
        _ => Err("neither wait nor fail"),
    }
}

pub(super) fn yes_or_no(value: &str) -> Result<bool, Reason> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("neither yes nor no"),
    }
}

pub(super) fn tls_version(value: &str) -> Result<TlsVersion, Reason> {
    match value {
        "1.2" => Ok(TlsVersion::V1_2),
        "1.3" => Ok(TlsVersion::V1_3),
        _ => Err("neither 1.2 nor 1.3"),
    }
}

pub(super) fn ocsp(value: &str) -> Result<Ocsp, Reason> {
    match value {
        "ignored" => Ok(Ocsp::Ignored),
        "if_stapled" => Ok(Ocsp::IfStapled),
        "required" => Ok(Ocsp::Required),
        _ => Err("none of ignored, if_stapled, required"),
    }
}

pub(super) fn read_from(value: &str) -> Result<ReadFrom, Reason> {
    match value {
        "primary" => Ok(ReadFrom::Primary),
        "prefer_replica" => Ok(ReadFrom::PreferReplica),
        "replica" => Ok(ReadFrom::Replica),
        "round_robin" => Ok(ReadFrom::RoundRobin),
        "lowest_latency" => Ok(ReadFrom::LowestLatency),
        "same_zone" => Ok(ReadFrom::SameZone),
        _ => Err("none of primary, prefer_replica, replica, round_robin, lowest_latency, same_zone"),
    }
}

pub(super) fn number<T: TryFrom<u64>>(value: &str) -> Result<T, Reason> {
    // `parse` would take a sign as well.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number");
    }
    let number: u64 = value.parse().map_err(|_| TOO_LARGE)?;
    T::try_from(number).map_err(|_| TOO_LARGE)
}

/// Bytes, or a number with a unit.
pub(super) fn size<T: TryFrom<u64>>(value: &str) -> Result<T, Reason> {
    let units = [(['k', 'K'], 1 << 10), (['m', 'M'], 1 << 20), (['g', 'G'], 1 << 30)];
    let with_unit = units.into_iter().find_map(|(unit, bytes)| Some((value.strip_suffix(unit)?, bytes)));
    let (digits, unit) = with_unit.unwrap_or((value, 1));
    let count: u64 = number(digits).map_err(|reason| match reason {
        TOO_LARGE => reason,
        _ => "not a size such as 65536, 64k, 16m or 1g",
    })?;
    count.checked_mul(unit).and_then(|bytes| T::try_from(bytes).ok()).ok_or(TOO_LARGE)
}

/// Seconds, or a number with a unit.
pub(super) fn duration(value: &str) -> Result<Duration, Reason> {
    const REASON: Reason = "not a duration such as 500ms, 0.5, 5s or 2m";
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let with_unit = units.into_iter().find_map(|(unit, seconds)| Some((value.strip_suffix(unit)?, seconds)));
    let (number, unit) = with_unit.unwrap_or((value, 1.0));
    // `parse` would take signs, exponents and infinity as well.
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(REASON);
    }
    let number: f64 = number.parse().map_err(|_| REASON)?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| TOO_LARGE)
}
