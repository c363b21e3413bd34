//! Scripts that a server does not know by their digests, and errors that scripts give themselves.

use alloc::collections::BTreeMap;

use bytes::Bytes;

use super::{Engine, NodeId, Outgoing};
use crate::command::{ScriptText, WireSink, bulk_header, by_text};
use crate::connection::{Entry, RequestId};
use crate::error::{ServerCode, ServerError};
use crate::resp::put_length;
use crate::time::Instant;

/// The texts of scripts that are under way by their digests.
#[derive(Debug, Default)]
pub(super) struct Texts(BTreeMap<(RequestId, u32), ScriptText>);

impl Texts {
    pub(super) fn forget(&mut self, entry: &Entry) {
        self.0.remove(&(entry.id, entry.part));
    }

    /// Forgets those that nobody waits for; `ids` are sorted.
    pub(super) fn cancel(&mut self, ids: &[RequestId]) {
        if !self.0.is_empty() {
            self.0.retain(|(id, _), _| ids.binary_search(id).is_err());
        }
    }

    /// The request that runs by its text the script that this one, whose bytes are those in `bytes`, runs by its
    /// digest. `None`: that is not known, or was done.
    fn by_text(&mut self, mut entry: Entry, bytes: &mut Outgoing) -> Option<(Entry, Outgoing)> {
        let ScriptText(text) = self.0.remove(&(entry.id, entry.part))?;
        let head = bytes.peek();
        let line = head.iter().position(|&byte| byte == b'\n')? + 1;
        let (name_len, rest) = bulk_header(head.get(line..)?)?;
        let name = by_text(rest.get(..name_len)?)?;
        let (digest_len, rest) = bulk_header(rest.get(name_len + 2..)?)?;
        let head_len = head.len() - rest.len() + digest_len + 2;
        let mut other = Outgoing::default();
        let mut start = head[..line].to_vec();
        put_length(&mut start, b'$', name.len());
        start.extend_from_slice(name);
        start.extend_from_slice(b"\r\n");
        put_length(&mut start, b'$', text.len());
        other.copied(&start);
        other.shared(&text);
        other.copied(b"\r\n");
        bytes.release(head_len);
        bytes.transfer(entry.wire_len as usize - head_len, &mut other);
        entry.wire_len = u32::try_from(other.held()).ok()?;
        Some((entry, other))
    }
}

impl Engine {
    /// Takes the text of the script that a request runs by its digest, before the request itself. A node that does
    /// not know the digest is sent the text.
    pub fn keep_text(&mut self, id: RequestId, part: u32, text: Bytes) {
        self.texts.0.insert((id, part), ScriptText(text));
    }

    /// A node does not know a script. Returns whether it is sent the text instead.
    pub(super) fn tell_script(
        &mut self,
        now: Instant,
        node: NodeId,
        entry: Entry,
        bytes: &mut Outgoing,
    ) -> bool {
        let Some((entry, mut bytes)) = self.texts.by_text(entry, bytes) else { return false };
        self.submit_to(now, node, entry, &mut bytes);
        true
    }
}

/// Whether an error that a script was answered with is one of the server, given before the script was begun or
/// where none can have changed anything. A script can end with any error, so the server's own words count.
pub(super) fn precedes_scripts(error: &ServerError) -> bool {
    let words = match error.code() {
        ServerCode::NoScript => "No matching script",
        ServerCode::Loading => "is loading the dataset in memory",
        ServerCode::Busy => "is busy running a script",
        ServerCode::NoAuth => "Authentication required",
        ServerCode::NoPerm => "ermission",
        ServerCode::Moved | ServerCode::Ask => ":",
        ServerCode::TryAgain => "during rehashing of slot",
        ServerCode::ClusterDown => "slot not served",
        ServerCode::CrossSlot => "hash to the same slot",
        ServerCode::MasterDown => "Link with MASTER is down",
        ServerCode::ReadOnly => "against a read only replica",
        _ => return false,
    };
    let is_down = error.code() == ServerCode::ClusterDown && error.text().contains("cluster is down");
    is_down || error.text().contains(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_words_tell_that_a_script_was_not_begun() {
        let table = [
            ("NOSCRIPT No matching script. Please use EVAL.", true),
            ("NOSCRIPT mine", false),
            ("LOADING Redis is loading the dataset in memory", true),
            ("LOADING the truck", false),
            ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true),
            ("BUSY the lock is taken", false),
            ("TRYAGAIN Multiple keys request during rehashing of slot", true),
            ("TRYAGAIN later", false),
            ("MOVED 1 127.0.0.1:7000", true),
            ("MOVED house", false),
            ("CLUSTERDOWN The cluster is down", true),
            ("CLUSTERDOWN Hash slot not served", true),
            ("CLUSTERDOWN so it seems", false),
            ("READONLY You can't write against a read only replica.", true),
            ("NOPERM User u has no permissions to run the 'eval' command", true),
            ("NOPERM No permissions to access a key", true),
            ("NOAUTH Authentication required.", true),
            ("OOM command not allowed when used memory > 'maxmemory'.", false),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
            ("ERR anything", false),
        ];
        for (text, expected) in table {
            assert_eq!(precedes_scripts(&ServerError::new(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn what_follows_the_digest_stays_as_it_is() {
        let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        for (name, by_text) in [("EVALSHA", "EVAL"), ("EVALSHA_RO", "EVAL_RO")] {
            let command = crate::command::Command::<()>::new(name).arg(digest).arg(1).key("k").arg("a\r\nb");
            let id = RequestId { slot: 3, generation: 7 };
            let (mut bytes, mut texts) = (Outgoing::default(), Texts::default());
            let request = super::super::Request::new(id, command.packed(), &mut bytes);
            let entry = request.into_entry(Instant::ORIGIN, &crate::Config::default());
            texts.0.insert((id, 0), ScriptText(Bytes::from_static(b"return 1")));
            let (entry, mut other) = texts.by_text(entry, &mut bytes).expect("the text is known");
            let expected =
                crate::command::Command::<()>::new(by_text).arg("return 1").arg(1).key("k").arg("a\r\nb");
            let mut wire = alloc::vec::Vec::new();
            expected.packed().encode(&mut wire);
            assert_eq!((entry.wire_len as usize, other.peek()), (wire.len(), wire));
            assert!(texts.by_text(entry, &mut other).is_none(), "a text is tried once");
        }
    }
}
