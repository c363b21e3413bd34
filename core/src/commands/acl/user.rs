//! What the server says of a user.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::command::{FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// The rules of a user.
///
/// Hashes of passwords are not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AclUser {
    /// `on` or `off`, and of `nopass`, `sanitize-payload`, `skip-sanitize-payload` those that hold; before 7.0 also
    /// `allkeys`, `allchannels`, `allcommands`.
    pub flags: BTreeSet<String>,
    /// The SHA-256 of each password.
    pub passwords: Vec<String>,
    /// What the user may do.
    pub permissions: AclSelector,
    /// Permissions that are looked at by themselves; since 7.0.
    pub selectors: Vec<AclSelector>,
}

impl AclUser {
    /// Whether the user may log in.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.flags.contains("on")
    }
}

impl fmt::Debug for AclUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AclUser");
        shown.field("flags", &self.flags).field("passwords", &self.passwords.len());
        shown.field("permissions", &self.permissions).field("selectors", &self.selectors).finish()
    }
}

/// What a user may do, as rules with blanks between them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AclSelector {
    /// Which commands, such as `-@all +@read +config|get`.
    pub commands: String,
    /// Which keys, such as `~a:* %R~b:*`.
    pub keys: String,
    /// Which channels, such as `&news:*`.
    pub channels: String,
}

impl AclSelector {
    /// Takes a field; returns whether it is one of these.
    fn set(&mut self, field: &[u8], value: Item<'_>) -> Result<bool, ConversionError> {
        match field {
            b"commands" => self.commands = FromReply::from_reply(value)?,
            b"keys" => self.keys = patterns(value, '~')?,
            b"channels" => self.channels = patterns(value, '&')?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Rules, or before 7.0 a list of patterns.
fn patterns(item: Item<'_>, sign: char) -> Result<String, ConversionError> {
    if !item.kind().is_aggregate() {
        return String::from_reply(item);
    }
    let mut rules = String::new();
    for pattern in Vec::<String>::from_reply(item)? {
        if !rules.is_empty() {
            rules.push(' ');
        }
        rules.push(sign);
        rules.push_str(&pattern);
    }
    Ok(rules)
}

impl FromReply for AclSelector {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut selector = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            selector.set(&expect_text("a field's name", field)?, value)?;
        }
        Ok(selector)
    }
}

impl FromReply for AclUser {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut user = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"flags" => user.flags = FromReply::from_reply(value)?,
                b"passwords" => user.passwords = FromReply::from_reply(value)?,
                b"selectors" => user.selectors = FromReply::from_reply(value)?,
                field => _ = user.permissions.set(field, value)?,
            }
        }
        if user.flags.is_empty() { Err(unexpected("the flags of a user", item)) } else { Ok(user) }
    }
}

/// Whether a user may run a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AclVerdict {
    /// The user may.
    Allowed,
    /// The user may not, for this reason, which names what is missing.
    Denied(String),
}

impl FromReply for AclVerdict {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Ok(match &*expect_text("OK or a reason", item)? {
            b"OK" => Self::Allowed,
            reason => Self::Denied(String::from_utf8_lossy(reason).into_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read(wire: &str) -> Result<AclUser, ConversionError> {
        let mut bytes = BytesMut::from(wire);
        let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
        AclUser::from_reply(frame.item())
    }

    #[test]
    fn patterns_of_an_older_server() {
        let keys = "+keys\r\n*2\r\n+a:*\r\n+b:*\r\n+channels\r\n*1\r\n+*\r\n";
        let user = read(&format!("*8\r\n+flags\r\n*1\r\n+on\r\n+passwords\r\n*1\r\n+c0ffee\r\n{keys}"));
        let user = user.expect("a user");
        assert_eq!((&*user.permissions.keys, &*user.permissions.channels), ("~a:* ~b:*", "&*"));
        assert!(user.is_enabled() && !format!("{user:?}").contains("c0ffee"));
    }

    #[test]
    fn what_is_no_user_is_refused() {
        for wrong in
            ["*0\r\n", "+on\r\n", "*1\r\n+flags\r\n", "*2\r\n+flags\r\n+on\r\n", "*2\r\n:1\r\n:2\r\n"]
        {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
