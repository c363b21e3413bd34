//! What can be wrong with the bytes of a peer.

use core::fmt;

/// Bytes that are not RESP, or that pass a [limit](super::Limits). The connection they came on is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reply starts with a byte that is no type of RESP.
    UnknownType(u8),
    /// A type that is legal elsewhere only, such as a push inside an array.
    Misplaced(u8),
    /// A length or count that is not a plain decimal number.
    BadLength,
    /// The text of an integer, double, big number, boolean or null is malformed.
    BadScalar(&'static str),
    /// A line or a string does not end in CR LF.
    MissingCrLf(&'static str),
    /// A streamed map ended after a key.
    OddMap,
    /// The reply passes the named limit.
    Limit {
        /// Which limit: `levels`, `bytes in a string`, `elements`, `bytes in a line`, `bytes`.
        what: &'static str,
        /// Its value.
        limit: u64,
    },
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(byte) => write!(f, "byte {byte:#04x} starts no RESP type"),
            Self::Misplaced(byte) => write!(f, "RESP type {:?} cannot stand here", char::from(*byte)),
            Self::BadLength => f.write_str("malformed length"),
            Self::BadScalar(what) => write!(f, "malformed {what}"),
            Self::MissingCrLf(what) => write!(f, "CR LF is missing after {what}"),
            Self::OddMap => f.write_str("a streamed map ended after a key"),
            Self::Limit { what, limit } => write!(f, "reply passes the limit of {limit} {what}"),
        }
    }
}

impl core::error::Error for ProtocolError {}
