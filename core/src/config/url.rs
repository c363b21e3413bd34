//! Settings from a URL.
//!
//! An error names the part or the option and never repeats what stood there: in a URL with a slip in it,
//! any part may be a piece of the password.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::str::FromStr;

use percent_encoding::percent_decode_str;

use super::options::{Draft, OPTIONS, Setting};
use super::{Config, Endpoint};
use crate::error::ConfigError;

impl Config {
    /// Reads a URL.
    ///
    /// ```text
    /// redis://[[user]:[password]@]host[:port][/db][?option=value&...]
    /// unix://[[user]:[password]@]/path/of.sock[?option=value&...]
    /// ```
    ///
    /// The scheme may be in any case. An IPv6 address stands in brackets. User, password, host, path and
    /// the values of options are percent-decoded once; a `+` is a plus, and `/ ? # & % @` within them are
    /// written `%2F %3F %23 %26 %25 %40`. Everything that is not understood is refused: an unknown or
    /// repeated option, a path that is no number, a database given twice with different numbers.
    ///
    /// | Options | Values |
    /// |---|---|
    /// | `db`, `retries`, `queue_commands`, `max_elements`, `max_depth` | a whole number |
    /// | `username`, `password` | text |
    /// | `client_name`, `library_name`, `library_version` | text, or `none` |
    /// | `protocol` | `auto`, `2`, `3` |
    /// | `when_full` | `wait`, `fail` |
    /// | `connect_timeout`, `liveness_timeout`, `close_timeout`, `backoff_base`, `backoff_cap` | `500ms`, `5s`, `2m`, or seconds such as `0.5` |
    /// | `response_timeout`, `health_interval`, `tcp_keepalive` | the same, or `none` |
    /// | `queue_bytes`, `max_reply_bytes`, `max_bulk_bytes`, `max_line_bytes` | bytes, or with `k`, `m`, `g` (powers of 1024) |
    ///
    /// The options are named after the setters; the `max_` ones are the [`reply_limits`](Self::reply_limits).
    ///
    /// # Errors
    /// The part or the option that cannot be used, and why; its value is left out.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        if url.contains(|char: char| char.is_whitespace() || char.is_control()) {
            return Err(refused("url", "has a space or a control character, which must be percent-encoded"));
        }
        if url.contains('#') {
            return Err(refused("url", "has a #, which must be written %23"));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("url", "has no scheme://"))?;
        let over_tcp = is_tcp(scheme)?;
        let parts = Parts::split(rest)?;
        let mut draft = Draft::default();
        if over_tcp {
            draft.config.endpoint = tcp_endpoint(parts.host)?;
            set_unless_empty(&mut draft, ("db", Draft::database), parts.path)?;
        } else {
            draft.config.endpoint = unix_endpoint(&parts)?;
        }
        let (username, password) = parts.user.split_once(':').unwrap_or((parts.user, ""));
        set_unless_empty(&mut draft, ("username", Draft::username), username)?;
        set_unless_empty(&mut draft, ("password", Draft::password), password)?;
        set_options(&mut draft, parts.query)?;
        let config = draft.finish();
        config.validate()?;
        Ok(config)
    }
}

impl FromStr for Config {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Self::from_url(url)
    }
}

impl TryFrom<&str> for Config {
    type Error = ConfigError;

    fn try_from(url: &str) -> Result<Self, ConfigError> {
        Self::from_url(url)
    }
}

fn refused(option: &str, reason: &'static str) -> ConfigError {
    ConfigError { option: option.into(), reason }
}

fn is_tcp(scheme: &str) -> Result<bool, ConfigError> {
    let reason = match &*scheme.to_ascii_lowercase() {
        "redis" => return Ok(true),
        "unix" => return Ok(false),
        "rediss" => "rediss is not supported: TLS is not built in yet",
        "redis-cluster" => "redis-cluster is not supported yet",
        "redis-sentinel" => "redis-sentinel is not supported yet",
        _ => "unknown scheme",
    };
    Err(refused("scheme", reason))
}

/// What follows the scheme, still encoded.
struct Parts<'a> {
    /// What stands before the `@`, if there is one.
    user: &'a str,
    /// Host and port.
    host: &'a str,
    /// Without the slash that it starts with.
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn split(rest: &'a str) -> Result<Self, ConfigError> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        // A password with a bare / or ? ends the authority too early, and its rest would pass for a
        // database or an option.
        if !authority.is_empty() && (path.contains('@') || query.contains('@')) {
            return Err(refused("url", "has an @ after the host; in it write @ as %40, / as %2F, ? as %3F"));
        }
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Ok(Self { user, host, path, query })
    }
}

fn tcp_endpoint(text: &str) -> Result<Endpoint, ConfigError> {
    let (host, port) = split_port(text)?;
    if host.is_empty() {
        return Err(refused("host", "missing"));
    }
    let bad_port = || refused("port", "not a number from 1 to 65535");
    let port = match port {
        None => Endpoint::DEFAULT_PORT,
        // `parse` would take a sign as well.
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().map_err(|_| bad_port())?
        }
        Some(_) => return Err(bad_port()),
    };
    Ok(Endpoint::tcp(decoded("host", host)?, port))
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), ConfigError> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                Err(refused("host", "an IPv6 address must stand in brackets"))
            }
            Some((host, port)) => Ok((host, Some(port))),
            None => Ok((text, None)),
        };
    };
    let (host, after) = bracketed.split_once(']').ok_or_else(|| refused("host", "a ] is missing"))?;
    if !host.contains(':') {
        return Err(refused("host", "only an IPv6 address stands in brackets"));
    }
    match after.strip_prefix(':') {
        None if !after.is_empty() => Err(refused("port", "no : before it")),
        port => Ok((host, port)),
    }
}

fn unix_endpoint(parts: &Parts<'_>) -> Result<Endpoint, ConfigError> {
    if !parts.host.is_empty() {
        return Err(refused("host", "a Unix socket has none: the path starts with a third /"));
    }
    if parts.path.is_empty() {
        return Err(refused("path", "missing"));
    }
    Ok(Endpoint::unix(format!("/{}", decoded("path", parts.path)?)))
}

fn set_unless_empty(draft: &mut Draft, setting: Setting, value: &str) -> Result<(), ConfigError> {
    if value.is_empty() { Ok(()) } else { apply(draft, setting, value) }
}

fn set_options(draft: &mut Draft, query: &str) -> Result<(), ConfigError> {
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| refused("query", "an option has no value"))?;
        let Some(&option) = OPTIONS.iter().find(|(option, _)| *option == name) else {
            return Err(unknown(name, seen.last() == Some(&"password")));
        };
        if seen.contains(&name) {
            return Err(refused(name, "given more than once"));
        }
        seen.push(name);
        apply(draft, option, value)?;
    }
    Ok(())
}

fn apply(draft: &mut Draft, (name, set): Setting, value: &str) -> Result<(), ConfigError> {
    set(draft, &decoded(name, value)?).map_err(|reason| refused(name, reason))
}

/// Names an unknown option only if it looks like one and cannot be the end of a password.
fn unknown(name: &str, after_password: bool) -> ConfigError {
    let looks_like_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if after_password {
        refused("query", "an unknown option after password; an & in a value is written %26")
    } else if name.is_empty() || name.len() > 32 || !name.bytes().all(looks_like_one) {
        refused("query", "an option has a malformed name")
    } else {
        refused(name, "unknown option")
    }
}

fn decoded<'a>(option: &str, text: &'a str) -> Result<Cow<'a, str>, ConfigError> {
    let is_escape = |after: &str| {
        after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(refused(option, "a % without two hexadecimal digits; a % itself is written %25"));
    }
    percent_decode_str(text).decode_utf8().map_err(|_| refused(option, "not UTF-8 once decoded"))
}
