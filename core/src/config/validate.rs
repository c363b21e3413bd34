//! What cannot work, told before anything is tried.

use alloc::collections::BTreeSet;
use core::net::Ipv6Addr;
use core::time::Duration;

use super::{ClusterOptions, Config, Deployment, Endpoint, ReadFrom, SentinelOptions, Tls};
use crate::error::ConfigError;
use crate::resp::Limits;

const ZERO: &str = "zero";
const NAME: &str = "not printable ASCII without spaces";
const NOT_BUILT_IN: &str = "not built in: TLS needs the feature `tls`";
const ZONE: &str = "empty, or longer than 255 bytes";

/// The name of an option, whether it is refused, and why it would be.
type Check = (&'static str, bool, &'static str);

impl Config {
    /// Refuses settings that cannot work, each by the name of its option in a [URL](Self::from_url).
    ///
    /// # Errors
    /// The first setting found that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check_peers()?;
        match &self.deployment {
            Deployment::Single => {}
            Deployment::Cluster(options) => options.check()?,
            Deployment::Sentinel(options) => options.check()?,
        }
        self.tls.iter().try_for_each(|tls| tls.check())?;
        self.check_settings()
    }

    fn check_peers(&self) -> Result<(), ConfigError> {
        let peers = self.peers();
        let is_single = matches!(self.deployment, Deployment::Single);
        let is_cluster = matches!(self.deployment, Deployment::Cluster(_));
        let mut known = BTreeSet::new();
        check([
            ("host", peers.is_empty(), "missing"),
            ("host", !peers.iter().all(has_host), "neither a host name nor an address"),
            ("port", peers.iter().any(|peer| matches!(peer, Endpoint::Tcp { port: 0, .. })), ZERO),
            ("path", !peers.iter().all(has_path), "empty, or holds a NUL"),
            ("host", !(is_single || peers.iter().all(is_tcp)), "a Unix socket, which leads to no other node"),
            ("host", !peers.iter().all(|peer| known.insert(peer)), "given more than once"),
            ("tls", self.tls.is_some() && !peers.iter().all(is_tcp), "a Unix socket has none"),
            ("db", is_cluster && self.database != 0, "a cluster has no other than 0"),
        ])
    }

    fn check_settings(&self) -> Result<(), ConfigError> {
        let limits = &self.reply_limits;
        check([
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
            ("suspect_after", self.suspect_after.is_zero(), ZERO),
            ("token", !self.login.is_sound(), "a ratio that is not between 0 and 1, or no time to ask"),
            ("zone", self.zone.as_deref().is_some_and(|zone| !is_zone(zone)), ZONE),
            ("zone", self.read_from == ReadFrom::SameZone && self.zone.is_none(), "missing"),
            ("zones", !self.zones.values().all(|zone| is_zone(zone)), ZONE),
            ("queue_commands", self.queue_commands == 0, ZERO),
            ("queue_bytes", self.queue_bytes == 0, ZERO),
            ("subscription_bytes", self.subscription_bytes == 0, ZERO),
            ("pool_max", self.pool.max == 0, ZERO),
            ("pool_min_idle", self.pool.min_idle > self.pool.max, "more than pool_max"),
            ("pool_idle_timeout", zero(self.pool.idle_timeout), ZERO),
            ("pool_max_lifetime", zero(self.pool.max_lifetime), ZERO),
            ("max_conflicts", self.max_conflicts == 0, ZERO),
            ("max_reply_bytes", limits.reply == 0, ZERO),
            ("max_bulk_bytes", limits.bulk == 0, ZERO),
            ("max_elements", limits.elements == 0, ZERO),
            ("max_line_bytes", limits.line == 0, ZERO),
            ("max_depth", limits.depth == 0, ZERO),
            ("max_depth", limits.depth > Limits::DEPTH_MAX, "more than 1024"),
        ])
    }
}

impl ClusterOptions {
    fn check(&self) -> Result<(), ConfigError> {
        let refresh = &self.refresh;
        check([
            ("refresh_interval", refresh.interval.is_zero(), ZERO),
            ("refresh_period", zero(refresh.period), ZERO),
            ("refresh_deadline", refresh.deadline.is_zero(), ZERO),
            ("refresh_asks", refresh.asks == 0, ZERO),
            ("refresh_timeouts", refresh.timeouts == 0, ZERO),
        ])
    }
}

impl SentinelOptions {
    fn check(&self) -> Result<(), ConfigError> {
        check([
            ("service", self.service.is_empty(), "missing"),
            ("service", !is_name(Some(&self.service)), NAME),
            ("poll_interval", self.poll_interval.is_zero(), ZERO),
            ("ask_timeout", self.ask_timeout.is_zero(), ZERO),
        ])?;
        self.tls.iter().filter_map(|own| own.0.as_ref()).try_for_each(|tls| tls.check())
    }
}

impl Tls {
    fn check(&self) -> Result<(), ConfigError> {
        let no_roots = self.roots.is_empty() && self.system_roots == Some(false);
        check([
            ("tls", !cfg!(feature = "tls"), NOT_BUILT_IN),
            ("tls_system_roots", no_roots, "there are no other roots"),
            ("tls_cert_file", self.chain.is_none() && self.key.is_some(), "missing"),
            ("tls_key_file", self.key.is_none() && self.chain.is_some(), "missing"),
            (
                "tls_server_name",
                !self.server_name.as_deref().is_none_or(is_host),
                "neither a host name nor an address",
            ),
        ])
    }
}

fn check<const N: usize>(checks: [Check; N]) -> Result<(), ConfigError> {
    match checks.into_iter().find(|&(_, refused, _)| refused) {
        Some((option, _, reason)) => Err(ConfigError { option: option.into(), reason }),
        None => Ok(()),
    }
}

fn zero(time: Option<Duration>) -> bool {
    time.is_some_and(|time| time.is_zero())
}

/// A name that a node could have for its zone.
fn is_zone(zone: &str) -> bool {
    (1..=255).contains(&zone.len())
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

fn is_tcp(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Tcp { .. })
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
