//! What is known of a command besides its arguments.

use core::fmt;

/// Which nodes of a cluster get a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Route {
    /// The node that serves its keys; without keys, any primary.
    #[default]
    Keys,
    /// The primary that serves its keys, even if reads go to replicas; without keys, any primary.
    Primary,
    /// Any node will do.
    AnyNode,
    /// Every primary, and the replies are joined.
    AllPrimaries,
    /// Every node, and the replies are joined.
    AllNodes,
}

/// How the replies of several nodes, or of the parts of a command that was [split](super::Command::split),
/// become one. See [`join`](super::join()) for each in full.
///
/// These are the response policies of <https://redis.io/docs/latest/develop/reference/command-tips/>, and
/// [`FirstNonNil`](Self::FirstNonNil), which is one of those called special there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Join {
    /// All elements of all replies, where nothing else is said; of a split command, in the order of its keys.
    #[default]
    Merge,
    /// The first reply that is no error.
    OneSucceeded,
    /// The first reply, unless one is an error.
    AllSucceeded,
    /// The sum.
    Sum,
    /// The least number.
    Min,
    /// The greatest number.
    Max,
    /// Whether all are true.
    And,
    /// Whether one is true.
    Or,
    /// The first reply that is not nil.
    FirstNonNil,
}

impl Join {
    /// By their numbers.
    const ALL: [Self; 9] = [
        Self::Merge,
        Self::OneSucceeded,
        Self::AllSucceeded,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::And,
        Self::Or,
        Self::FirstNonNil,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::OneSucceeded => "one-succeeded",
            Self::AllSucceeded => "all-succeeded",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::And => "and",
            Self::Or => "or",
            Self::FirstNonNil => "first-non-nil",
        }
    }
}

/// What a command is, as far as routing and repeating it go.
///
/// ```text
/// 15     12  11  10     8 7             0
/// +--------+-----+-------+--------------+
/// |  join  |split| route | other flags  |
/// +--------+-----+-------+--------------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    /// Changes nothing.
    pub const READ_ONLY: Self = Self(1);
    /// Running it twice does what running it once does.
    pub const IDEMPOTENT: Self = Self(1 << 1);
    /// Runs code: its error does not prove that nothing was changed.
    pub const SCRIPT: Self = Self(1 << 2);
    /// Its reply may be kept in a client-side cache.
    pub const CACHEABLE: Self = Self(1 << 3);
    /// Waits at the server, so it never shares a connection.
    pub const BLOCKING: Self = Self(1 << 4);
    /// Said of one request of a session, where no reply is cached: its connection had been changed when it was sent, so
    /// what it takes may be from another database.
    pub(crate) const ELSEWHERE: Self = Self(1 << 3);
    /// Said of one request, not of the command: it was sent whole, and its connection was lost.
    pub(crate) const SENT_BEFORE: Self = Self(1 << 5);
    /// Becomes one command per slot in a cluster, if its keys are in several.
    pub const SPLIT: Self = Self(1 << 11);
    /// Said of one request: it is a transaction, from `MULTI` to `EXEC`.
    pub(crate) const TRANSACTION: Self = Self(1 << 6);
    /// Said of one request: `ASKING` goes before it.
    pub(crate) const ASKING: Self = Self(1 << 7);
    /// Said of one command, of no request: its name is one of those that change the connection they come on.
    pub(crate) const CHANGES: Self = Self(1 << 7);

    const ROUTE_SHIFT: u16 = 8;
    const ROUTE_MASK: u16 = 0b111 << Self::ROUTE_SHIFT;
    const JOIN_SHIFT: u16 = 12;
    const JOIN_MASK: u16 = 0b1111 << Self::JOIN_SHIFT;

    /// These and the `other` flags.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without the `other` flags.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of `other` is set.
    #[must_use]
    pub(crate) const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a command may be sent again although it may have run.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        self.0 & (Self::READ_ONLY.0 | Self::IDEMPOTENT.0) != 0
    }

    /// The same flags with another route.
    #[must_use]
    pub const fn with_route(self, route: Route) -> Self {
        Self(self.0 & !Self::ROUTE_MASK | (route as u16) << Self::ROUTE_SHIFT)
    }

    /// Which nodes get the command.
    #[must_use]
    pub const fn route(self) -> Route {
        match (self.0 & Self::ROUTE_MASK) >> Self::ROUTE_SHIFT {
            1 => Route::Primary,
            2 => Route::AnyNode,
            3 => Route::AllPrimaries,
            4 => Route::AllNodes,
            _ => Route::Keys,
        }
    }

    /// The same flags with another way to join replies.
    #[must_use]
    pub const fn with_join(self, join: Join) -> Self {
        Self(self.0 & !Self::JOIN_MASK | (join as u16) << Self::JOIN_SHIFT)
    }

    /// How replies become one, if there are several.
    #[must_use]
    pub fn join(self) -> Join {
        let number = usize::from((self.0 & Self::JOIN_MASK) >> Self::JOIN_SHIFT);
        Join::ALL.get(number).copied().unwrap_or_default()
    }

    /// Whether several replies can come for one command.
    const fn is_joined(self) -> bool {
        matches!(self.route(), Route::AllPrimaries | Route::AllNodes) || self.has(Self::SPLIT)
    }
}

impl fmt::Display for Flags {
    /// The flags as words, `write` where nothing else is said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has(Self::READ_ONLY) { "read" } else { "write" })?;
        let words = [
            (Self::IDEMPOTENT, " idempotent"),
            (Self::SCRIPT, " script"),
            (Self::CACHEABLE, " cacheable"),
            (Self::BLOCKING, " blocking"),
            (Self::SPLIT, " split"),
            (Self::CHANGES, " changes"),
        ];
        for (flag, word) in words {
            if self.has(flag) {
                f.write_str(word)?;
            }
        }
        f.write_str(match self.route() {
            Route::Keys => "",
            Route::Primary => " primary",
            Route::AnyNode => " any-node",
            Route::AllPrimaries => " all-primaries",
            Route::AllNodes => " all-nodes",
        })?;
        if self.is_joined() { write!(f, " {}", self.join().name()) } else { Ok(()) }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn flags_route_and_join_do_not_disturb_each_other() {
        let flags = Flags::READ_ONLY.with(Flags::CACHEABLE).with_join(Join::Sum).with_route(Route::AllNodes);
        assert_eq!(flags.to_string(), "read cacheable all-nodes sum");
        assert_eq!(flags.with_route(Route::Keys).to_string(), "read cacheable");
        let split = flags.with_route(Route::Keys).with(Flags::SPLIT);
        assert_eq!(split.to_string(), "read cacheable split sum");
        for route in [Route::Keys, Route::Primary, Route::AnyNode, Route::AllPrimaries, Route::AllNodes] {
            for join in Join::ALL {
                let flags = Flags::SCRIPT.with_join(Join::FirstNonNil).with_route(route).with_join(join);
                assert_eq!((flags.route(), flags.join()), (route, join));
                assert!(flags.has(Flags::SCRIPT) && !flags.has(Flags::SPLIT));
            }
        }
        assert!(flags.may_repeat() && Flags::IDEMPOTENT.may_repeat() && !Flags::SCRIPT.may_repeat());
    }
}
