//! The options of the walk through all keys, and of the ways to carry keys elsewhere.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::super::scan::ScanOptions;
use super::key_type::KeyType;
use crate::command::{ArgSink, Args, FromReply, UnixTime, expect_text, unexpected, whole_millis, whole_secs};
use crate::error::ConversionError;
use crate::resp::Item;

/// Choices for one page of a walk through all keys.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct KeyScanOptions {
    page: ScanOptions,
    key_type: Option<KeyType>,
}

impl KeyScanOptions {
    /// No filter, and about ten keys to a page.
    pub const fn new() -> Self {
        Self { page: ScanOptions::new(), key_type: None }
    }

    /// Only keys that match a glob-style pattern (`MATCH`). The server filters after it has taken a page,
    /// so that pages get shorter, down to empty.
    pub fn matching(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.page = self.page.matching(pattern);
        self
    }

    /// About how many keys the server looks at for a page (`COUNT`); it is a hint.
    pub fn count(mut self, count: u64) -> Self {
        self.page = self.page.count(count);
        self
    }

    /// Only keys that hold this type (`TYPE`), filtered after the page is taken.
    pub fn of_type(mut self, key_type: KeyType) -> Self {
        self.key_type = Some(key_type);
        self
    }
}

impl Args for KeyScanOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(&self.page).args(self.key_type.as_ref().map(|key_type| ("TYPE", key_type)));
    }
}

/// Choices for copying a key.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CopyOptions {
    database: Option<u32>,
    replace: bool,
}

impl CopyOptions {
    /// In the same database, to a key that does not exist.
    pub const fn new() -> Self {
        Self { database: None, replace: false }
    }

    /// To another database (`DB`).
    pub const fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// Replaces an existing key (`REPLACE`).
    pub const fn replace(mut self) -> Self {
        self.replace = true;
        self
    }
}

impl Args for CopyOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.database.map(|database| ("DB", database)));
        out.args(self.replace.then_some("REPLACE"));
    }
}

/// Choices for making a key from a dump. Of two expiries, and of two ages, the last one said holds.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RestoreOptions {
    expiry: Option<RestoreExpiry>,
    age: Option<Age>,
    replace: bool,
}

#[derive(Clone, Copy, Debug)]
enum RestoreExpiry {
    After(Duration),
    At(UnixTime),
}

#[derive(Clone, Copy, Debug)]
enum Age {
    Idle(Duration),
    Frequency(u8),
}

impl RestoreOptions {
    /// For ever, and to a key that does not exist.
    pub const fn new() -> Self {
        Self { expiry: None, age: None, replace: false }
    }

    /// The key expires when `span` is over, in whole milliseconds and at least one.
    pub const fn expire_after(mut self, span: Duration) -> Self {
        self.expiry = Some(RestoreExpiry::After(span));
        self
    }

    /// The key expires at `time` (`ABSTTL`); what is past leaves no key.
    pub const fn expire_at(mut self, time: UnixTime) -> Self {
        self.expiry = Some(RestoreExpiry::At(time));
        self
    }

    /// The key was not used for `span`, in whole seconds (`IDLETIME`).
    pub const fn idle_for(mut self, span: Duration) -> Self {
        self.age = Some(Age::Idle(span));
        self
    }

    /// The key is used this often, on the server's logarithmic scale (`FREQ`).
    pub const fn frequency(mut self, frequency: u8) -> Self {
        self.age = Some(Age::Frequency(frequency));
        self
    }

    /// Replaces an existing key (`REPLACE`).
    pub const fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// The argument before the dump, where 0 means for ever.
    pub(super) fn ttl(&self) -> u64 {
        match self.expiry {
            None => 0,
            Some(RestoreExpiry::After(span)) => whole_millis(span).max(1),
            Some(RestoreExpiry::At(time)) => time.as_millis().max(1),
        }
    }
}

impl Args for RestoreOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.replace.then_some("REPLACE"));
        out.args(matches!(self.expiry, Some(RestoreExpiry::At(_))).then_some("ABSTTL"));
        match self.age {
            Some(Age::Idle(span)) => out.args(("IDLETIME", whole_secs(span))),
            Some(Age::Frequency(frequency)) => out.args(("FREQ", u32::from(frequency))),
            None => out,
        };
    }
}

/// Choices for moving keys to another server.
#[derive(Clone, Default)]
#[must_use]
pub struct MigrateOptions {
    copy: bool,
    replace: bool,
    credentials: Option<Credentials>,
}

#[derive(Clone)]
struct Credentials {
    username: Option<String>,
    password: String,
}

impl MigrateOptions {
    /// Moves the keys, none of which may exist there; without a password.
    pub const fn new() -> Self {
        Self { copy: false, replace: false, credentials: None }
    }

    /// Keeps the keys here as well (`COPY`).
    pub const fn copy(mut self) -> Self {
        self.copy = true;
        self
    }

    /// Replaces existing keys there (`REPLACE`).
    pub const fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// The password of the other server's default user (`AUTH`).
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.credentials = Some(Credentials { username: None, password: password.into() });
        self
    }

    /// The name and password of a user of the other server (`AUTH2`).
    pub fn user(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some(Credentials { username: Some(username.into()), password: password.into() });
        self
    }
}

impl Args for MigrateOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.copy.then_some("COPY")).args(self.replace.then_some("REPLACE"));
        if let Some(Credentials { username, password }) = &self.credentials {
            match username {
                Some(username) => out.args(("AUTH2", username, password)),
                None => out.args(("AUTH", password)),
            };
        }
    }
}

impl fmt::Debug for MigrateOptions {
    /// Shows whether there is a password, but not which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrateOptions")
            .field("copy", &self.copy)
            .field("replace", &self.replace)
            .field("credentials", &self.credentials.is_some())
            .finish()
    }
}

/// What became of keys to be moved to another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Migrated {
    /// Those that were there have arrived.
    Done,
    /// None was there.
    NoKey,
}

impl FromReply for Migrated {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match &*expect_text("OK or NOKEY", item)? {
            b"OK" => Ok(Self::Done),
            b"NOKEY" => Ok(Self::NoKey),
            _ => Err(unexpected("OK or NOKEY", item)),
        }
    }
}
