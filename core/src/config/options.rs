//! The options of a URL: their names, how their values read, and the settings they set.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use super::{Config, Credentials, Protocol, WhenFull};

type Reason = &'static str;

/// An option: its name, and what reads and sets its value.
pub(super) type Setting = (&'static str, fn(&mut Draft, &str) -> Result<(), Reason>);

const TOO_LARGE: Reason = "too large";

/// The settings while a URL is read. What may stand in two places of a URL is kept apart until the end.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) config: Config,
    database: Option<u32>,
    username: Option<String>,
    password: Option<String>,
}

/// All options.
pub(super) const OPTIONS: [Setting; 24] = [
    ("db", Draft::database),
    ("username", Draft::username),
    ("password", Draft::password),
    ("protocol", |draft, value| protocol(value).map(|it| draft.config.protocol = it)),
    ("client_name", |draft, value| optional(value, text).map(|it| draft.config.client_name = it)),
    ("library_name", |draft, value| optional(value, text).map(|it| draft.config.library_name = it)),
    ("library_version", |draft, value| optional(value, text).map(|it| draft.config.library_version = it)),
    ("connect_timeout", |draft, value| duration(value).map(|it| draft.config.connect_timeout = it)),
    ("response_timeout", |draft, value| {
        optional(value, duration).map(|it| draft.config.response_timeout = it)
    }),
    ("liveness_timeout", |draft, value| duration(value).map(|it| draft.config.liveness_timeout = it)),
    ("health_interval", |draft, value| optional(value, duration).map(|it| draft.config.health_interval = it)),
    ("close_timeout", |draft, value| duration(value).map(|it| draft.config.close_timeout = it)),
    ("tcp_keepalive", |draft, value| optional(value, duration).map(|it| draft.config.tcp_keepalive = it)),
    ("backoff_base", |draft, value| duration(value).map(|it| draft.config.backoff.base = it)),
    ("backoff_cap", |draft, value| duration(value).map(|it| draft.config.backoff.cap = it)),
    ("retries", |draft, value| number(value).map(|it| draft.config.retries = it)),
    ("queue_commands", |draft, value| number(value).map(|it| draft.config.queue_commands = it)),
    ("queue_bytes", |draft, value| size(value).map(|it| draft.config.queue_bytes = it)),
    ("when_full", |draft, value| when_full(value).map(|it| draft.config.when_full = it)),
    ("max_reply_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.reply = it)),
    ("max_bulk_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.bulk = it)),
    ("max_elements", |draft, value| number(value).map(|it| draft.config.reply_limits.elements = it)),
    ("max_line_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.line = it)),
    ("max_depth", |draft, value| number(value).map(|it| draft.config.reply_limits.depth = it)),
];

impl Draft {
    pub(super) fn database(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.database, number(value)?)
    }

    pub(super) fn username(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.username, value.to_owned())
    }

    pub(super) fn password(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.password, value.to_owned())
    }

    /// The settings, not validated.
    pub(super) fn finish(self) -> Config {
        let Self { mut config, database, username, password } = self;
        config.database = database.unwrap_or(0);
        let username = username.filter(|name| !name.is_empty());
        let password = password.unwrap_or_default();
        if username.is_some() || !password.is_empty() {
            config.credentials =
                Some(Credentials { username: username.map(Arc::from), password: password.into() });
        }
        config
    }
}

/// For what may stand twice, if both agree.
fn once<T: PartialEq>(slot: &mut Option<T>, value: T) -> Result<(), Reason> {
    match slot {
        Some(before) if *before != value => Err("given twice, with different values"),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn optional<T>(value: &str, read: fn(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    if value == "none" { Ok(None) } else { read(value).map(Some) }
}

fn text(value: &str) -> Result<Arc<str>, Reason> {
    Ok(value.into())
}

fn protocol(value: &str) -> Result<Protocol, Reason> {
    match value {
        "auto" => Ok(Protocol::Auto),
        "2" => Ok(Protocol::Resp2),
        "3" => Ok(Protocol::Resp3),
        _ => Err("none of auto, 2, 3"),
    }
}

fn when_full(value: &str) -> Result<WhenFull, Reason> {
    match value {
        "wait" => Ok(WhenFull::Wait),
        "fail" => Ok(WhenFull::Fail),
        _ => Err("neither wait nor fail"),
    }
}

fn number<T: TryFrom<u64>>(value: &str) -> Result<T, Reason> {
    // `parse` would take a sign as well.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number");
    }
    let number: u64 = value.parse().map_err(|_| TOO_LARGE)?;
    T::try_from(number).map_err(|_| TOO_LARGE)
}

/// Bytes, or a number with a unit.
fn size<T: TryFrom<u64>>(value: &str) -> Result<T, Reason> {
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
fn duration(value: &str) -> Result<Duration, Reason> {
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
