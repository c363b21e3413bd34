//! What cannot work, told before anything is tried.

use core::net::Ipv6Addr;
use core::time::Duration;

use super::{Config, Endpoint};
use crate::error::ConfigError;
use crate::resp::Limits;

const ZERO: &str = "zero";
const NAME: &str = "not printable ASCII without spaces";

impl Config {
    /// Refuses settings that cannot work, each by the name of its option in a [URL](Self::from_url).
    ///
    /// # Errors
    /// The first setting found that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let zero = |time: Option<Duration>| time.is_some_and(|time| time.is_zero());
        let limits = &self.reply_limits;
        let refusals = [
            ("host", !has_host(&self.endpoint), "neither a host name nor an address"),
            ("port", matches!(self.endpoint, Endpoint::Tcp { port: 0, .. }), ZERO),
            ("path", !has_path(&self.endpoint), "empty, or holds a NUL"),
            ("client_name", !is_name(self.client_name.as_deref()), NAME),
            ("library_name", !is_name(self.library_name.as_deref()), NAME),
            ("library_version", !is_name(self.library_version.as_deref()), NAME),
            ("connect_timeout", self.connect_timeout.is_zero(), ZERO),
            ("response_timeout", zero(self.response_timeout), ZERO),
            ("liveness_timeout", self.liveness_timeout.is_zero(), ZERO),
            ("health_interval", zero(self.health_interval), ZERO),
            (
                "tcp_keepalive",
                self.tcp_keepalive.is_some_and(|idle| idle.as_secs() == 0),
                "less than a second",
            ),
            ("backoff_base", self.backoff.base.is_zero(), ZERO),
            ("backoff_cap", self.backoff.cap < self.backoff.base, "less than backoff_base"),
            ("queue_commands", self.queue_commands == 0, ZERO),
            ("queue_bytes", self.queue_bytes == 0, ZERO),
            ("max_reply_bytes", limits.reply == 0, ZERO),
            ("max_bulk_bytes", limits.bulk == 0, ZERO),
            ("max_elements", limits.elements == 0, ZERO),
            ("max_line_bytes", limits.line == 0, ZERO),
            ("max_depth", limits.depth == 0, ZERO),
            ("max_depth", limits.depth > Limits::DEPTH_MAX, "more than 1024"),
        ];
        match refusals.into_iter().find(|&(_, refused, _)| refused) {
            Some((option, _, reason)) => Err(ConfigError { option: option.into(), reason }),
            None => Ok(()),
        }
    }
}

/// What `CLIENT SETNAME` and `CLIENT SETINFO` take.
fn is_name(name: Option<&str>) -> bool {
    name.is_none_or(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn has_host(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Tcp { host, .. } => is_host(host),
        Endpoint::Unix { .. } => true,
    }
}

/// Names are judged by the resolver; here only what no name can hold is refused. A colon makes an IPv6
/// address, which may carry a zone (`fe80::1%eth0`).
pub(crate) fn is_host(host: &str) -> bool {
    let foreign = |char: char| char.is_whitespace() || char.is_control() || "/?#@[]\\".contains(char);
    if host.is_empty() || host.contains(foreign) {
        return false;
    }
    let address = host.split_once('%').map_or(host, |(address, _zone)| address);
    !host.contains(':') || address.parse::<Ipv6Addr>().is_ok()
}

fn has_path(endpoint: &Endpoint) -> bool {
    let Endpoint::Unix { path } = endpoint else { return true };
    !path.is_empty() && !path.contains('\0')
}
