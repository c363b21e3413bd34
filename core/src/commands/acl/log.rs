//! What was refused.

use alloc::string::String;
use core::time::Duration;

use super::super::ClientInfo;
use crate::command::{FromReply, UnixTime, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What was refused to a user, the same thing perhaps several times within a minute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AclLogEntry {
    /// How often.
    pub count: u64,
    /// Why: `command`, `key`, `channel`, or `auth` if the password was wrong.
    pub reason: String,
    /// Where: `toplevel`, `multi`, `lua` or `module`.
    pub context: String,
    /// What: the command, the key or the channel.
    pub object: String,
    /// To whom.
    pub username: String,
    /// How long ago, the last time.
    pub age: Duration,
    /// The connection on which it was refused last.
    pub client: ClientInfo,
    /// The server's number of the entry; since 7.2.
    pub entry_id: Option<u64>,
    /// When it was refused first; since 7.2.
    pub created: Option<UnixTime>,
    /// When it was refused last; since 7.2.
    pub updated: Option<UnixTime>,
}

impl FromReply for AclLogEntry {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut count, mut client, mut age) = (None, None, Duration::ZERO);
        let (mut reason, mut context, mut object) = (String::new(), String::new(), String::new());
        let (mut username, mut entry_id, mut created, mut updated) = (String::new(), None, None, None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"count" => count = FromReply::from_reply(value)?,
                b"reason" => reason = text(value)?,
                b"context" => context = text(value)?,
                b"object" => object = text(value)?,
                b"username" => username = text(value)?,
                b"age-seconds" => {
                    age = Duration::try_from_secs_f64(f64::from_reply(value)?)
                        .map_err(|_| unexpected("an age in seconds", value))?;
                }
                b"client-info" => client = Some(ClientInfo::from_reply(value)?),
                b"entry-id" => entry_id = FromReply::from_reply(value)?,
                b"timestamp-created" => created = Some(UnixTime::from_millis(FromReply::from_reply(value)?)),
                b"timestamp-last-updated" => {
                    updated = Some(UnixTime::from_millis(FromReply::from_reply(value)?));
                }
                _ => {}
            }
        }
        let (Some(count), Some(client)) = (count, client) else {
            return Err(unexpected("an entry of the log of refusals", item));
        };
        Ok(Self { count, reason, context, object, username, age, client, entry_id, created, updated })
    }
}

/// Names of users and keys can be any bytes; one that is no text must not hide all other entries.
fn text(item: Item<'_>) -> Result<String, ConversionError> {
    Ok(String::from_utf8_lossy(&expect_text("a text", item)?).into_owned())
}
