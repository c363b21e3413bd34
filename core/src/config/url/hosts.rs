//! Hosts and ports.

use alloc::vec::Vec;

use super::{decoded, refused};
use crate::config::options::Scheme;
use crate::config::{Endpoint, SentinelOptions};
use crate::error::ConfigError;

/// Where to connect, in the order given.
pub(super) fn endpoints(hosts: &str, scheme: Scheme) -> Result<Vec<Endpoint>, ConfigError> {
    if hosts.contains(',') && !scheme.has_several_hosts() {
        return Err(refused("host", "a list, as only redis-cluster:// and redis-sentinel:// have"));
    }
    let default_port = match scheme {
        Scheme::Sentinel => SentinelOptions::DEFAULT_PORT,
        _ => Endpoint::DEFAULT_PORT,
    };
    hosts.split(',').map(|host| endpoint(host, default_port)).collect()
}

fn endpoint(text: &str, default_port: u16) -> Result<Endpoint, ConfigError> {
    let (host, port) = split_port(text)?;
    if host.is_empty() {
        return Err(refused("host", "missing"));
    }
    let bad_port = || refused("port", "not a number from 1 to 65535");
    let port = match port {
        None => default_port,
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
