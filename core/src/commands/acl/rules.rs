//! What is said of a user.

use alloc::vec::Vec;
use core::fmt;

use crate::command::{ArgSink, Args};

/// Rules of a user, in the order in which they are to hold: each changes what was said before it.
///
/// Neither passwords nor their hashes are shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct AclRules(Vec<Vec<u8>>);

impl AclRules {
    /// No rule.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes away all that the user has: the user is disabled, without passwords, and may do nothing (`reset`).
    pub fn reset(self) -> Self {
        self.word("reset")
    }

    /// The user may log in (`on`).
    pub fn enable(self) -> Self {
        self.word("on")
    }

    /// The user may not log in any more; connections stay as they are (`off`).
    pub fn disable(self) -> Self {
        self.word("off")
    }

    /// Adds a password (`>password`).
    pub fn password(self, password: impl AsRef<[u8]>) -> Self {
        self.rule(b">", password.as_ref())
    }

    /// Takes a password away, which the user must have (`<password`).
    pub fn remove_password(self, password: impl AsRef<[u8]>) -> Self {
        self.rule(b"<", password.as_ref())
    }

    /// Adds a password by its SHA-256, 64 hexadecimal digits in lower case (`#hash`).
    pub fn password_hash(self, hash: impl AsRef<[u8]>) -> Self {
        self.rule(b"#", hash.as_ref())
    }

    /// Takes a password away by its SHA-256, which the user must have (`!hash`).
    pub fn remove_password_hash(self, hash: impl AsRef<[u8]>) -> Self {
        self.rule(b"!", hash.as_ref())
    }

    /// Any password will do, and the user has none of their own (`nopass`).
    pub fn any_password(self) -> Self {
        self.word("nopass")
    }

    /// Takes all passwords away: nobody can log in as the user before one is added (`resetpass`).
    pub fn reset_passwords(self) -> Self {
        self.word("resetpass")
    }

    /// What the user may do, besides what was said before.
    pub fn permissions(mut self, permissions: AclPermissions) -> Self {
        self.0.extend(permissions.0);
        self
    }

    /// Permissions that are looked at by themselves: a command is allowed if these allow it, or if all others do,
    /// but not by parts of both (since 7.0).
    ///
    /// A pattern with a blank cannot be said here.
    pub fn selector(self, permissions: AclPermissions) -> Self {
        self.rule(b"", &[b"(", &permissions.0.join(&b' ')[..], b")"].concat())
    }

    /// Takes all selectors away (`clearselectors`, since 7.0).
    pub fn clear_selectors(self) -> Self {
        self.word("clearselectors")
    }

    /// What the user restores is looked through before it is trusted, or not (`sanitize-payload`,
    /// `skip-sanitize-payload`, since 6.2).
    pub fn sanitize_payload(self, sanitize: bool) -> Self {
        self.word(if sanitize { "sanitize-payload" } else { "skip-sanitize-payload" })
    }

    fn word(self, word: &str) -> Self {
        self.rule(b"", word.as_bytes())
    }

    fn rule(mut self, prefix: &[u8], rest: &[u8]) -> Self {
        self.0.push([prefix, rest].concat());
        self
    }
}

impl Args for AclRules {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(&self.0);
    }
}

impl fmt::Debug for AclRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AclRules({} rules)", self.0.len())
    }
}

/// What a user may do: which commands, on which keys and channels. Each rule changes what was said before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct AclPermissions(Vec<Vec<u8>>);

impl AclPermissions {
    /// No rule.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Allows a command, such as `get`, or a subcommand, such as `config|get` (`+command`).
    pub fn allow_command(self, command: impl AsRef<[u8]>) -> Self {
        self.rule(b"+", command.as_ref())
    }

    /// Forbids a command, such as `get`, or a subcommand, such as `config|get` (`-command`).
    pub fn deny_command(self, command: impl AsRef<[u8]>) -> Self {
        self.rule(b"-", command.as_ref())
    }

    /// Allows the commands of a category, such as `read` (`+@category`).
    pub fn allow_category(self, category: impl AsRef<[u8]>) -> Self {
        self.rule(b"+@", category.as_ref())
    }

    /// Forbids the commands of a category, such as `dangerous` (`-@category`).
    pub fn deny_category(self, category: impl AsRef<[u8]>) -> Self {
        self.rule(b"-@", category.as_ref())
    }

    /// Allows all commands, those of modules to come among them (`allcommands`).
    pub fn all_commands(self) -> Self {
        self.rule(b"", b"allcommands")
    }

    /// Forbids all commands (`nocommands`).
    pub fn no_commands(self) -> Self {
        self.rule(b"", b"nocommands")
    }

    /// Allows keys that match a glob-style pattern (`~pattern`).
    pub fn keys(self, pattern: impl AsRef<[u8]>) -> Self {
        self.rule(b"~", pattern.as_ref())
    }

    /// Allows to read keys that match a glob-style pattern (`%R~pattern`, since 7.0).
    pub fn read_keys(self, pattern: impl AsRef<[u8]>) -> Self {
        self.rule(b"%R~", pattern.as_ref())
    }

    /// Allows to write keys that match a glob-style pattern (`%W~pattern`, since 7.0).
    pub fn write_keys(self, pattern: impl AsRef<[u8]>) -> Self {
        self.rule(b"%W~", pattern.as_ref())
    }

    /// Allows all keys (`allkeys`).
    pub fn all_keys(self) -> Self {
        self.rule(b"", b"allkeys")
    }

    /// Forbids all keys (`resetkeys`).
    pub fn reset_keys(self) -> Self {
        self.rule(b"", b"resetkeys")
    }

    /// Allows channels that match a glob-style pattern (`&pattern`, since 6.2).
    pub fn channels(self, pattern: impl AsRef<[u8]>) -> Self {
        self.rule(b"&", pattern.as_ref())
    }

    /// Allows all channels (`allchannels`, since 6.2).
    pub fn all_channels(self) -> Self {
        self.rule(b"", b"allchannels")
    }

    /// Forbids all channels (`resetchannels`, since 6.2).
    pub fn reset_channels(self) -> Self {
        self.rule(b"", b"resetchannels")
    }

    fn rule(mut self, prefix: &[u8], rest: &[u8]) -> Self {
        self.0.push([prefix, rest].concat());
        self
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn rules_are_not_shown() {
        let rules = AclRules::new().enable().password("hunter2").password_hash("c0ffee");
        assert_eq!(format!("{rules:?}"), "AclRules(3 rules)");
    }
}
