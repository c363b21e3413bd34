//! What a server is in its deployment, by its own word.

use crate::commands::Role;

/// What a server says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It takes writes.
    Primary,
    /// It follows a primary.
    Replica,
    /// It watches over primaries.
    Sentinel,
}

impl Part {
    /// The word for it in the reply to `ROLE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "master",
            Self::Replica => "slave",
            Self::Sentinel => "sentinel",
        }
    }

    /// The part of this name, in the words of `ROLE` or `HELLO`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "master" => Some(Self::Primary),
            "slave" | "replica" => Some(Self::Replica),
            "sentinel" => Some(Self::Sentinel),
            _ => None,
        }
    }
}

impl From<&Role> for Part {
    fn from(role: &Role) -> Self {
        match role {
            Role::Primary { .. } => Self::Primary,
            Role::Replica { .. } => Self::Replica,
            Role::Sentinel { .. } => Self::Sentinel,
        }
    }
}
