//! What the server knows of one connection.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::fields::Fields;
use super::TrackingRedirect;
use crate::command::{FromReply, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A connection, as `CLIENT LIST` and `CLIENT INFO` show it.
///
/// What an older server does not know is `None`, or zero where every version since 6.2 knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The server's number of it, never used twice.
    pub id: u64,
    /// Where it comes from: `ip:port`, or the path of a Unix socket.
    pub addr: String,
    /// Which address of the server it goes to.
    pub laddr: String,
    /// The server's file descriptor.
    pub fd: i64,
    /// The name that was given to it.
    pub name: Option<String>,
    /// How long it exists, in whole seconds.
    pub age: Duration,
    /// How long ago its last command was, in whole seconds.
    pub idle: Duration,
    /// One letter per property, such as `N` for none, `P` for subscribed, `S` for a replica.
    pub flags: String,
    /// The database that it uses.
    pub db: u32,
    /// How many channels it listens to.
    pub channels: u64,
    /// How many patterns of channels it listens to.
    pub patterns: u64,
    /// How many shard channels it listens to; since 7.0.3.
    pub shard_channels: Option<u64>,
    /// How many commands are queued in its transaction; `None` outside one.
    pub multi: Option<u64>,
    /// How many keys it watches; since 7.4.
    pub watch: Option<u64>,
    /// Bytes in the buffer of what it sent.
    pub query_buffer: u64,
    /// Bytes free in the buffer of what it sent.
    pub query_buffer_free: u64,
    /// Bytes of the arguments of the command under way.
    pub argv_memory: u64,
    /// Bytes of the commands in its transaction; since 7.0.
    pub multi_memory: Option<u64>,
    /// Size of the buffer of replies; since 7.0.
    pub reply_buffer_size: Option<u64>,
    /// Highest recent use of the buffer of replies; since 7.0.
    pub reply_buffer_peak: Option<u64>,
    /// Bytes in the buffer of replies.
    pub output_buffer: u64,
    /// How many replies wait outside the buffer.
    pub output_list: u64,
    /// Bytes of the replies that wait outside the buffer.
    pub output_memory: u64,
    /// Bytes that it costs in all.
    pub total_memory: u64,
    /// What the server waits for on its socket: `r` to read, `w` to write.
    pub events: String,
    /// The command under way or the last one, such as `client|list`.
    pub cmd: Option<String>,
    /// The user that it belongs to.
    pub user: String,
    /// Where its invalidation messages go.
    pub redirect: TrackingRedirect,
    /// The version of RESP that it speaks; since 7.0.
    pub resp: Option<u8>,
    /// The name of the client library; since 7.2.
    pub lib_name: Option<String>,
    /// The version of the client library; since 7.2.
    pub lib_version: Option<String>,
    /// The thread that serves it; since 8.0.
    pub io_thread: Option<u32>,
    /// Bytes that it sent in all; since 8.2.
    pub total_net_in: Option<u64>,
    /// Bytes that it was sent in all; since 8.2.
    pub total_net_out: Option<u64>,
    /// Commands that it ran in all; since 8.2.
    pub total_commands: Option<u64>,
    /// Fields that this version of Redstart does not know.
    pub other: BTreeMap<String, String>,
}

impl FromReply for ClientInfo {
    /// One line of `name=value` fields.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let text = text(item)?;
        Self::parse(text.trim_end()).ok_or_else(|| unexpected("fields of a connection", item))
    }

    /// One line per connection.
    fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
        let wrong = || unexpected("a line of fields per connection", item);
        text(item)?.lines().map(|line| Self::parse(line).ok_or_else(wrong)).collect()
    }
}

fn text(item: Item<'_>) -> Result<String, ConversionError> {
    let bytes = expect_text("lines about connections", item)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl ClientInfo {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = Fields::of_line(line);
        let seconds = |fields: &mut Fields, name| fields.number(name).map(Duration::from_secs);
        let info = Self {
            id: fields.optional("id")??,
            addr: fields.text("addr").unwrap_or_default(),
            laddr: fields.text("laddr").unwrap_or_default(),
            fd: fields.number("fd")?,
            name: fields.text("name"),
            age: seconds(&mut fields, "age")?,
            idle: seconds(&mut fields, "idle")?,
            flags: fields.text("flags").unwrap_or_default(),
            db: fields.number("db")?,
            channels: fields.number("sub")?,
            patterns: fields.number("psub")?,
            shard_channels: fields.optional("ssub")?,
            multi: fields.optional("multi")?.and_then(|count: i64| count.try_into().ok()),
            watch: fields.optional("watch")?,
            query_buffer: fields.number("qbuf")?,
            query_buffer_free: fields.number("qbuf-free")?,
            argv_memory: fields.number("argv-mem")?,
            multi_memory: fields.optional("multi-mem")?,
            reply_buffer_size: fields.optional("rbs")?,
            reply_buffer_peak: fields.optional("rbp")?,
            output_buffer: fields.number("obl")?,
            output_list: fields.number("oll")?,
            output_memory: fields.number("omem")?,
            total_memory: fields.number("tot-mem")?,
            events: fields.text("events").unwrap_or_default(),
            cmd: fields.text("cmd").filter(|name| name != "NULL"),
            user: fields.text("user").unwrap_or_default(),
            redirect: TrackingRedirect::of(fields.optional("redir")?.unwrap_or(-1)),
            resp: fields.optional("resp")?,
            lib_name: fields.text("lib-name"),
            lib_version: fields.text("lib-ver"),
            io_thread: fields.optional("io-thread")?,
            total_net_in: fields.optional("tot-net-in")?,
            total_net_out: fields.optional("tot-net-out")?,
            total_commands: fields.optional("tot-cmds")?,
            other: fields.rest(),
        };
        Some(info)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    use super::*;

    #[test]
    fn missing_unknown_and_blank_fields() {
        let line = "id=7 addr=/run/my redis:0 name= multi=-1 cmd=NULL new=x redir=3";
        let info = ClientInfo::parse(line).expect("a connection");
        assert_eq!(info.addr, "/run/my redis:0");
        assert_eq!((info.name, info.multi, info.cmd), (None, None, None));
        assert_eq!((info.fd, info.io_thread), (0, None));
        assert_eq!(info.redirect, TrackingRedirect::To(3));
        assert_eq!(info.other, BTreeMap::from([("new".to_owned(), "x".to_owned())]));
    }

    #[test]
    fn what_is_no_connection_is_refused() {
        assert_eq!(ClientInfo::parse(""), None);
        assert_eq!(ClientInfo::parse("addr=127.0.0.1:1"), None);
        assert_eq!(ClientInfo::parse("id=x"), None);
        assert_eq!(ClientInfo::parse("id=1 db=x"), None);
    }
}
