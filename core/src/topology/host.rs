//! Hosts as servers write them.

use crate::config::is_host;

/// A host as a server writes it, or `None` if it cannot be one: an IPv6 address stands without brackets.
pub(super) fn parse_host(host: &[u8]) -> Option<&str> {
    /// No name is longer (RFC 1035).
    const LEN_MAX: usize = 255;
    if host.len() > LEN_MAX {
        return None;
    }
    core::str::from_utf8(host).ok().filter(|host| is_host(host))
}
