//! Notifications of what happens to keys: the channels to subscribe to, and what their messages say.
//!
//! Servers notify of nothing unless they are told to by `notify-keyspace-events` (`CONFIG SET`), and then each of what
//! happens to its own keys alone: of a cluster, [`Client::notifications`](crate::Client::notifications) subscribes at
//! every primary.
//!
//! ```
//! use bytes::Bytes;
//! use redstart_core::pubsub::{KeyChannel, Message, Notification};
//!
//! let channel = KeyChannel::key("user:1");
//! assert_eq!(channel.name(), "__keyspace@0__:user:1");
//! let message = Message::new(channel.name(), "expired");
//! let Some(Notification { database: 0, key, event, .. }) = Notification::read(&message) else { panic!() };
//! assert_eq!((&key[..], &event[..]), (&b"user:1"[..], &b"expired"[..]));
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use super::event::Message;
use crate::command::{Arg, Command};
use crate::resp::parse_i64;

/// Which notifications to hear of. Database 0 unless it is said otherwise; a cluster has no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChannel {
    kind: &'static str,
    /// `None`: any.
    database: Option<u32>,
    /// What follows behind the colon; literal, or a pattern.
    rest: Vec<u8>,
    is_pattern: bool,
    name: Bytes,
}

impl KeyChannel {
    /// Whatever happens to this key.
    pub fn key(key: impl Arg) -> Self {
        Self::new("keyspace", text(key), false)
    }

    /// Whatever happens to keys that match a pattern, such as `user:*`.
    pub fn keys(pattern: impl Arg) -> Self {
        Self::new("keyspace", text(pattern), true)
    }

    /// This event, such as `expired` or `del`, of any key.
    pub fn event(event: impl Arg) -> Self {
        Self::new("keyevent", text(event), false)
    }

    /// Events that match a pattern, such as `h*`, of any key.
    pub fn events(pattern: impl Arg) -> Self {
        Self::new("keyevent", text(pattern), true)
    }

    /// Whatever happens to parts of this key, such as the fields of a hash, with the names of the parts. Since 8.8.
    pub fn parts_of(key: impl Arg) -> Self {
        Self::new("subkeyspace", text(key), false)
    }

    /// This event of parts of any key, with the names of the parts. Since 8.8.
    pub fn event_of_parts(event: impl Arg) -> Self {
        Self::new("subkeyevent", text(event), false)
    }

    /// Whatever happens to this part of this key. Since 8.8.
    pub fn part(key: impl Arg, part: impl Arg) -> Self {
        Self::new("subkeyspaceitem", [&text(key)[..], b"\n", &text(part)].concat(), false)
    }

    /// This event of parts of this key, with the names of the parts. Since 8.8.
    pub fn event_of_parts_of(event: impl Arg, key: impl Arg) -> Self {
        Self::new("subkeyspaceevent", [&text(event)[..], b"|", &text(key)].concat(), false)
    }

    fn new(kind: &'static str, rest: Vec<u8>, is_pattern: bool) -> Self {
        Self { kind, database: Some(0), rest, is_pattern, name: Bytes::new() }.named()
    }

    /// The same of another database.
    #[must_use]
    pub fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self.named()
    }

    /// The same of all databases.
    #[must_use]
    pub fn any_database(mut self) -> Self {
        self.database = None;
        self.named()
    }

    fn named(mut self) -> Self {
        let database = self.database.map_or_else(|| String::from("*"), |database| format!("{database}"));
        let mut name = format!("__{}@{database}__:", self.kind).into_bytes();
        if self.database.is_none() && !self.is_pattern {
            self.rest.iter().for_each(|&byte| {
                name.extend(b"*?[]\\^-".contains(&byte).then_some(b'\\'));
                name.push(byte);
            });
        } else {
            name.extend_from_slice(&self.rest);
        }
        self.name = name.into();
        self
    }

    /// The channel, or the pattern of channels.
    #[must_use]
    pub const fn name(&self) -> &Bytes {
        &self.name
    }

    /// Whether the name is a pattern.
    #[must_use]
    pub const fn is_pattern(&self) -> bool {
        self.is_pattern || self.database.is_none()
    }
}

fn text(arg: impl Arg) -> Vec<u8> {
    let command = Command::<()>::new("").arg(arg);
    command.packed().args().nth(1).map_or_else(Vec::new, |arg| arg.into_owned())
}

/// What has happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The database of the key.
    pub database: u32,
    /// The key.
    pub key: Bytes,
    /// What has happened, such as `set`, `del`, `expired`. It is the server's word, and most often the name of a command.
    pub event: Bytes,
    /// The parts of the key that are concerned, such as fields of a hash; none where the channel does not tell.
    pub parts: Vec<Bytes>,
}

impl Notification {
    /// What a message says, if it is a notification.
    #[must_use]
    pub fn read(message: &Message) -> Option<Self> {
        let (channel, payload) = (message.channel(), message.part(message.payload()));
        let at = memchr(b'@', channel)?;
        let kind = channel.get(..at)?.strip_prefix(b"__")?;
        let rest = channel.get(at + 1..)?;
        let (digits, rest) = rest.split_at_checked(memchr(b'_', rest)?)?;
        let database = u32::try_from(parse_i64(digits)?).ok()?;
        let rest = message.part(rest.strip_prefix(b"__:")?);
        let (key, event, parts) = match kind {
            b"keyspace" => (rest, payload, Vec::new()),
            b"keyevent" => (payload, rest, Vec::new()),
            b"subkeyspace" => {
                let (event, list) = split(&payload, b'|')?;
                (rest, event, parts(list)?)
            }
            b"subkeyevent" => {
                let (key, after) = counted(payload)?;
                (key, rest, parts(after.strip_prefix(b"|").map(|list| after.slice_ref(list))?)?)
            }
            b"subkeyspaceitem" => {
                let (key, part) = split(&rest, b'\n')?;
                (key, payload, alloc::vec![part])
            }
            b"subkeyspaceevent" => {
                let (event, key) = split(&rest, b'|')?;
                (key, event, parts(payload)?)
            }
            _ => return None,
        };
        Some(Self { database, key, event, parts })
    }
}

/// What lies before and behind the first `mark`.
fn split(text: &Bytes, mark: u8) -> Option<(Bytes, Bytes)> {
    let at = memchr(mark, text)?;
    Some((text.slice(..at), text.slice(at + 1..)))
}

/// The string whose length stands before it, with a colon between, and what follows.
fn counted(text: Bytes) -> Option<(Bytes, Bytes)> {
    let (len, mut rest) = split(&text, b':')?;
    let len = usize::try_from(parse_i64(&len)?).ok().filter(|len| *len <= rest.len())?;
    let string = rest.split_to(len);
    Some((string, rest))
}

/// Such strings with commas between.
fn parts(mut list: Bytes) -> Option<Vec<Bytes>> {
    let mut parts = Vec::new();
    loop {
        let (part, rest) = counted(list)?;
        parts.push(part);
        match rest.first() {
            None => return Some(parts),
            Some(b',') => list = rest.slice(1..),
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_channels() {
        let table = [
            (KeyChannel::key("a*"), "__keyspace@0__:a*", false),
            (KeyChannel::keys("a*").database(3), "__keyspace@3__:a*", true),
            (KeyChannel::key("a*[b]").any_database(), r"__keyspace@*__:a\*\[b\]", true),
            (KeyChannel::keys("a*").any_database(), "__keyspace@*__:a*", true),
            (KeyChannel::event("expired"), "__keyevent@0__:expired", false),
            (KeyChannel::events("h*"), "__keyevent@0__:h*", true),
            (KeyChannel::parts_of("h"), "__subkeyspace@0__:h", false),
            (KeyChannel::event_of_parts("hset"), "__subkeyevent@0__:hset", false),
            (KeyChannel::part("h", "f"), "__subkeyspaceitem@0__:h\nf", false),
            (KeyChannel::event_of_parts_of("hset", "h"), "__subkeyspaceevent@0__:hset|h", false),
        ];
        for (channel, name, is_pattern) in table {
            assert_eq!((&channel.name()[..], channel.is_pattern()), (name.as_bytes(), is_pattern));
        }
    }

    /// Database, key, event and parts.
    type Said = (u32, &'static str, &'static str, &'static [&'static str]);

    #[test]
    fn what_messages_say() {
        let table: [(&str, &str, Option<Said>); 19] = [
            ("__keyspace@0__:k", "set", Some((0, "k", "set", &[]))),
            ("__keyspace@12__:a__:b", "set", Some((12, "a__:b", "set", &[]))),
            ("__keyevent@0__:expired", "k:1", Some((0, "k:1", "expired", &[]))),
            ("__subkeyspace@0__:h", "hset|1:a,3:b,c", Some((0, "h", "hset", &["a", "b,c"]))),
            ("__subkeyevent@0__:hdel", "3:a|b|1:f", Some((0, "a|b", "hdel", &["f"]))),
            ("__subkeyspaceitem@0__:h\nf", "hset", Some((0, "h", "hset", &["f"]))),
            ("__subkeyspaceevent@0__:hset|h", "1:a,0:", Some((0, "h", "hset", &["a", ""]))),
            ("__subkeyspace@0__:h", "hset", None),
            ("__subkeyspace@0__:h", "hset|2:a", None),
            ("__subkeyspace@0__:h", "hset|1:ab", None),
            ("__subkeyspace@0__:h", "hset|-1:", None),
            ("__subkeyevent@0__:hdel", "3:a|b", None),
            ("__subkeyspaceitem@0__:h", "hset", None),
            ("__keyspace@x__:k", "set", None),
            ("__keyspace@0_:k", "set", None),
            ("__keyspace@-1__:k", "set", None),
            ("__other@0__:k", "set", None),
            ("news", "set", None),
            ("__keyspace@0", "set", None),
        ];
        for (channel, payload, said) in table {
            let payload = Bytes::from_static(payload.as_bytes());
            let message = Message::new(channel, payload);
            let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
            let expected = said.map(|(database, key, event, parts)| Notification {
                database,
                key: bytes(key),
                event: bytes(event),
                parts: parts.iter().map(|part| bytes(part)).collect(),
            });
            assert_eq!(Notification::read(&message), expected, "{channel}: {:?}", message.payload());
        }
    }
}
