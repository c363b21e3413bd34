//! Settings from a URL.
//!
//! An error names the part or the option and never repeats what stood there: in a URL with a slip in it,
//! any part may be a piece of the password.

mod hosts;

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::str::FromStr;

use percent_encoding::percent_decode_str;

use self::hosts::endpoints;
use super::options::{self, Draft, Scheme, Setting};
use super::{Config, Endpoint};
use crate::error::ConfigError;

impl Config {
    /// Reads a URL.
    ///
    /// ```text
    /// redis://[[user]:[password]@]host[:port][/db][?option=value&...]
    /// unix://[[user]:[password]@]/path/of.sock[?option=value&...]
    /// redis-cluster://[[user]:[password]@]host[:port][,host[:port]...][?option=value&...]
    /// redis-sentinel://[[user]:[password]@]host[:port][,host[:port]...]/service[/db][?option=value&...]
    /// rediss://...  rediss-cluster://...  rediss-sentinel://...
    /// ```
    ///
    /// The hosts are those of one server, of any nodes of a [cluster](Self::cluster), or of the
    /// [sentinels](Self::sentinel) that watch a service; the user is one of the nodes, not of the sentinels. The
    /// port is 6379 unless given, that of a sentinel 26379. With `rediss` in place of `redis` all connections are
    /// secured by [TLS](Self::tls).
    ///
    /// The scheme may be in any case. An IPv6 address stands in brackets. User, password, hosts, path
    /// and the values of options are percent-decoded once; a `+` is a plus, and `/ ? # & % @` within them are
    /// written `%2F %3F %23 %26 %25 %40`. Everything that is not understood is refused: an unknown or
    /// repeated option, one that its scheme lacks, a path that is no number, a database given twice with different
    /// numbers.
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
    /// | `queue_bytes`, `subscription_bytes`, `max_reply_bytes`, `max_bulk_bytes`, `max_line_bytes` | bytes, or with `k`, `m`, `g` (powers of 1024) |
    ///
    /// Where there are several nodes, with `redis-cluster` and `redis-sentinel`:
    ///
    /// | Options | Values |
    /// |---|---|
    /// | `suspect_after` | as `connect_timeout` |
    /// | `read_from` | `primary`, `prefer_replica`, `replica`, `round_robin`, `lowest_latency`, `same_zone` |
    /// | `zone` | text |
    ///
    /// With `redis-cluster` alone:
    ///
    /// | Options | Values |
    /// |---|---|
    /// | `refresh_interval`, `refresh_deadline`, `refresh_patience`, `refresh_linger` | as `connect_timeout` |
    /// | `refresh_period` | the same, or `none` |
    /// | `refresh_asks`, `refresh_timeouts` | a whole number |
    ///
    /// With `redis-sentinel` alone:
    ///
    /// | Options | Values |
    /// |---|---|
    /// | `sentinel_username`, `sentinel_password` | text |
    /// | `min_other_sentinels` | a whole number |
    /// | `poll_interval`, `ask_timeout` | as `connect_timeout` |
    ///
    /// With `rediss`, `rediss-cluster` and `rediss-sentinel`:
    ///
    /// | Options | Values |
    /// |---|---|
    /// | `tls_ca_file`, `tls_cert_file`, `tls_key_file` | path of a file in the form of PEM |
    /// | `tls_system_roots`, `tls_resumption` | `yes`, `no` |
    /// | `tls_server_name` | a host name or an address |
    /// | `tls_min_version` | `1.2`, `1.3` |
    /// | `tls_ocsp` | `ignored`, `if_stapled`, `required` |
    /// | `tls_dangerously_accept` | `any_name`, `any_certificate` |
    /// | `sentinel_tls`, with `rediss-sentinel` alone | `yes`, `no`: whether connections with sentinels are secured |
    ///
    /// The options are named after the setters of `Config` and of [`SentinelOptions`](super::SentinelOptions);
    /// the `max_` ones are the [`reply_limits`](Self::reply_limits), the `refresh_` ones the
    /// [`RefreshOptions`](super::RefreshOptions), the `tls_` ones those of [`Tls`](super::Tls).
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
        let (scheme, tls) = scheme_of(scheme)?;
        let parts = Parts::split(rest, scheme)?;
        let mut draft = Draft::new(scheme, tls);
        draft.peers = match scheme {
            Scheme::Unix => [unix_endpoint(&parts)?].into(),
            _ => endpoints(parts.hosts, scheme)?,
        };
        let (service, database) = match scheme {
            Scheme::Unix => ("", ""),
            Scheme::Redis | Scheme::Cluster => ("", parts.path),
            Scheme::Sentinel => parts.path.split_once('/').unwrap_or((parts.path, "")),
        };
        set_unless_empty(&mut draft, ("service", Draft::service), service)?;
        set_unless_empty(&mut draft, ("db", Draft::database), database)?;
        let (username, password) = parts.user.split_once(':').unwrap_or((parts.user, ""));
        set_unless_empty(&mut draft, ("username", Draft::username), username)?;
        set_unless_empty(&mut draft, ("password", Draft::password), password)?;
        set_options(&mut draft, scheme, parts.query)?;
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

/// What a URL begins with, and whether that means TLS.
fn scheme_of(name: &str) -> Result<(Scheme, bool), ConfigError> {
    let name = name.to_ascii_lowercase();
    let secured = name.strip_prefix("rediss").map(|rest| format!("redis{rest}"));
    let scheme = match secured.as_deref().unwrap_or(&name) {
        "redis" => Scheme::Redis,
        "unix" => Scheme::Unix,
        "redis-cluster" => Scheme::Cluster,
        "redis-sentinel" => Scheme::Sentinel,
        _ => return Err(refused("scheme", "unknown scheme")),
    };
    Ok((scheme, secured.is_some()))
}

/// What follows the scheme, still encoded.
struct Parts<'a> {
    /// What stands before the `@`, if there is one.
    user: &'a str,
    /// Hosts and ports.
    hosts: &'a str,
    /// Without the slash that it starts with.
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn split(rest: &'a str, scheme: Scheme) -> Result<Self, ConfigError> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        // A password with a bare / or ? ends the authority too early, and its rest would pass for a
        // database or an option.
        if !authority.is_empty() && (path.contains('@') || query.contains('@')) {
            return Err(refused("url", "has an @ after the host; in it write @ as %40, / as %2F, ? as %3F"));
        }
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        // As if each host had a user of its own.
        if scheme.has_several_hosts() && user.contains('@') && user.contains(',') {
            return Err(refused(
                "url",
                "has an @ after the first host, or one in the user that is to be %40",
            ));
        }
        Ok(Self { user, hosts, path, query })
    }
}

fn unix_endpoint(parts: &Parts<'_>) -> Result<Endpoint, ConfigError> {
    if !parts.hosts.is_empty() {
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

fn set_options(draft: &mut Draft, scheme: Scheme, query: &str) -> Result<(), ConfigError> {
    let mut seen: Vec<&str> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| refused("query", "an option has no value"))?;
        let option = match options::find(name, scheme) {
            Some(found) => found.map_err(|reason| refused(name, reason))?,
            None => return Err(unknown(name, seen.last().is_some_and(|last| last.ends_with("password")))),
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

#[cfg(test)]
mod tests;
