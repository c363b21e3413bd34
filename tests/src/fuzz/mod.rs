//! What must hold of any input: the checks that the fuzz targets run.
//!
//! - [`redirect`]: lines that send a request elsewhere.
//! - [`replies`]: replies that become types of their own.
//! - [`topology`]: what nodes say of their cluster.
//! - [`url`]: settings as users write them.
//!
//! That of the decoder is [`resp::split`](crate::resp::split).

pub mod redirect;
pub mod replies;
pub mod topology;
pub mod url;

use redstart_core::config::Endpoint;

/// Whether a peer's word can lead there: to a host with a name or address, and to a port.
fn is_place(endpoint: &Endpoint) -> bool {
    let Endpoint::Tcp { host, port } = endpoint else { return false };
    let odd = |char: char| char.is_whitespace() || char.is_control() || "/?#@[]\\".contains(char);
    !host.is_empty() && host.len() <= 255 && !host.contains(odd) && *port != 0
}
