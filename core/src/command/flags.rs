//! What is known of a command besides its arguments.

use core::fmt;

/// Which nodes of a cluster get a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Route {
    /// The node that serves its keys; without keys, any primary.
    #[default]
    Keys,
    /// Any node will do.
    AnyNode,
    /// Every primary, and the replies are joined.
    AllPrimaries,
    /// Every node, and the replies are joined.
    AllNodes,
}

/// What a command is, as far as routing and repeating it go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
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
    /// Said of one request, not of the command: it was sent whole, and its connection was lost.
    pub(crate) const SENT_BEFORE: Self = Self(1 << 5);
    /// Said of one request: it is a transaction, from `MULTI` to `EXEC`.
    pub(crate) const TRANSACTION: Self = Self(1 << 6);
    /// Said of one request: `ASKING` goes before it.
    pub(crate) const ASKING: Self = Self(1 << 7);

    const ROUTE_SHIFT: u16 = 8;

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

    /// Whether a command may be sent again although it may have run.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        self.0 & (Self::READ_ONLY.0 | Self::IDEMPOTENT.0) != 0
    }

    /// The same flags with another route.
    #[must_use]
    pub const fn with_route(self, route: Route) -> Self {
        Self(self.0 & ((1 << Self::ROUTE_SHIFT) - 1) | (route as u16) << Self::ROUTE_SHIFT)
    }

    /// Which nodes get the command.
    #[must_use]
    pub const fn route(self) -> Route {
        match self.0 >> Self::ROUTE_SHIFT {
            1 => Route::AnyNode,
            2 => Route::AllPrimaries,
            3 => Route::AllNodes,
            _ => Route::Keys,
        }
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
        ];
        for (flag, word) in words {
            if self.has(flag) {
                f.write_str(word)?;
            }
        }
        f.write_str(match self.route() {
            Route::Keys => "",
            Route::AnyNode => " any-node",
            Route::AllPrimaries => " all-primaries",
            Route::AllNodes => " all-nodes",
        })
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
    fn flags_and_route_do_not_disturb_each_other() {
        let flags = Flags::READ_ONLY.with(Flags::CACHEABLE).with_route(Route::AllNodes);
        assert_eq!(flags.to_string(), "read cacheable all-nodes");
        assert_eq!(flags.with_route(Route::Keys).to_string(), "read cacheable");
        for route in [Route::Keys, Route::AnyNode, Route::AllPrimaries, Route::AllNodes] {
            assert_eq!(Flags::SCRIPT.with_route(route).route(), route);
        }
        assert!(flags.may_repeat() && Flags::IDEMPOTENT.may_repeat() && !Flags::SCRIPT.may_repeat());
    }
}
