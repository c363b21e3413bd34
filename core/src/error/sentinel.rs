//! Why a sentinel could not lead to the primary.

use alloc::string::String;
use core::fmt;

use super::{ConversionError, Error};

/// Why a sentinel could not lead to the primary.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SentinelFault {
    /// It could not be asked, or refused to say.
    Failed(Error),
    /// It has not answered in time.
    Silent,
    /// It watches nothing of this name.
    UnknownService,
    /// Its answer is of another shape.
    Malformed(ConversionError),
    /// It gives an address that can be none.
    BadAddress,
    /// It knows so few other sentinels that it may be cut off from the rest.
    TooFewSentinels {
        /// How many it knows.
        known: u64,
        /// How many are wanted.
        wanted: u64,
    },
    /// It names a server that is no primary.
    NotPrimary {
        /// The server.
        node: String,
        /// What the server says that it is, in the words of `ROLE`.
        role: &'static str,
    },
    /// It names a server that could not be asked whether it is the primary.
    Unchecked {
        /// The server.
        node: String,
        /// What went wrong.
        error: Error,
    },
    /// It names a server that does not answer.
    NoAnswer {
        /// The server.
        node: String,
    },
    /// It names a server that was replaced, as other sentinels have said.
    Outdated {
        /// The server.
        node: String,
    },
}

impl fmt::Display for SentinelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Silent => f.write_str("no answer in time"),
            Self::UnknownService => f.write_str("knows no such service"),
            Self::Malformed(error) => error.fmt(f),
            Self::BadAddress => f.write_str("gives an address that is none"),
            Self::TooFewSentinels { known, wanted } => {
                write!(f, "knows {known} other sentinels, {wanted} are wanted")
            }
            Self::NotPrimary { node, role } => write!(f, "names {node}, which is a {role}"),
            Self::Unchecked { node, error } => write!(f, "names {node}: {error}"),
            Self::NoAnswer { node } => write!(f, "names {node}, which does not answer"),
            Self::Outdated { node } => write!(f, "names {node}, which was replaced"),
        }
    }
}

impl core::error::Error for SentinelFault {}

/// Writes what was wrong with each sentinel.
pub(super) fn write_no_primary(
    sentinels: &[(String, SentinelFault)],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str("no primary was found")?;
    for (at, (sentinel, fault)) in sentinels.iter().enumerate() {
        let separator = if at == 0 { ": " } else { ", " };
        write!(f, "{separator}{} {fault}", sentinel.escape_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::error::{ConnectionError, Delivery, ErrorKind};

    #[test]
    fn every_sentinel_is_shown_with_its_fault() {
        let refused = Error::new(ErrorKind::Connection(ConnectionError::Refused), Delivery::NotSent);
        let node = "h:6379".to_string();
        let faults = [
            SentinelFault::Failed(refused.clone()),
            SentinelFault::Silent,
            SentinelFault::UnknownService,
            SentinelFault::TooFewSentinels { known: 0, wanted: 2 },
            SentinelFault::NotPrimary { node: node.clone(), role: "slave" },
            SentinelFault::Unchecked { node: node.clone(), error: refused },
            SentinelFault::NoAnswer { node: node.clone() },
            SentinelFault::Outdated { node },
        ];
        let sentinels = faults.into_iter().enumerate().map(|(at, fault)| (at.to_string(), fault)).collect();
        let error = Error::new(ErrorKind::NoPrimary { sentinels }, Delivery::NotSent);
        assert_eq!(
            error.to_string(),
            "no primary was found: 0 connection refused (not sent), 1 no answer in time, 2 knows no such \
             service, 3 knows 0 other sentinels, 2 are wanted, 4 names h:6379, which is a slave, 5 names \
             h:6379: connection refused (not sent), 6 names h:6379, which does not answer, 7 names h:6379, \
             which was replaced (not sent)"
        );
        let error = Error::new(ErrorKind::NoPrimary { sentinels: vec![] }, Delivery::NotSent);
        assert_eq!(error.to_string(), "no primary was found (not sent)");
    }
}
