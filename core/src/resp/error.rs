//! What can be wrong with the bytes of a peer.

use thiserror::Error;

/// Bytes that are not RESP, or that pass a [limit](super::Limits). The connection they came on is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reply starts with a byte that is no type of RESP.
    #[error("byte {0:#04x} starts no RESP type")]
    UnknownType(u8),
    /// A type that is legal elsewhere only, such as a push inside an array.
    #[error("RESP type {:?} cannot stand here", char::from(*.0))]
    Misplaced(u8),
    /// A length or count that is not a plain decimal number.
    #[error("malformed length")]
    BadLength,
    /// The text of an integer, double, big number, boolean or null is malformed.
    #[error("malformed {0}")]
    BadScalar(&'static str),
    /// A line or a string does not end in CR LF.
    #[error("CR LF is missing after {0}")]
    MissingCrLf(&'static str),
    /// A streamed map ended after a key.
    #[error("a streamed map ended after a key")]
    OddMap,
    /// The reply passes the named limit.
    #[error("reply passes the limit of {limit} {what}")]
    Limit {
        /// Which limit: `levels`, `bytes in a string`, `elements`, `bytes in a line`, `bytes`.
        what: &'static str,
        /// Its value.
        limit: u64,
    },
}
