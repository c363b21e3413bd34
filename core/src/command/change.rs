//! Commands that change the connection they come on.

use alloc::vec::Vec;

/// What a command does to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// `WATCH`
    Watch,
    /// `UNWATCH`
    Unwatch,
    /// `MULTI`
    Multi,
    /// `EXEC`, `DISCARD`
    End,
    /// Something is set that stays: `SELECT`, `READONLY`, `CLIENT NO-EVICT` and others.
    State,
    /// The same, and a server that owes replies may answer wrongly: `AUTH`, `HELLO`, `RESET`.
    Login,
    /// What comes on the connection are no longer replies in their order: `SUBSCRIBE`, `MONITOR`, `CLIENT REPLY`.
    Stream,
}

/// Whether a command of this name may be one of those; [`Change::of`] tells for sure. Names that are not in capitals
/// may.
#[inline(always)]
pub(super) const fn may_change(name: &str) -> bool {
    match name.as_bytes() {
        b"WATCH" | b"UNWATCH" | b"MULTI" | b"EXEC" | b"DISCARD" | b"SELECT" | b"READONLY" | b"READWRITE"
        | b"ASKING" | b"AUTH" | b"HELLO" | b"RESET" | b"QUIT" | b"MONITOR" | b"SYNC" | b"PSYNC"
        | b"REPLCONF" | b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE"
        | b"SUNSUBSCRIBE" | b"CLIENT" | b"CLIENT CACHING" | b"CLIENT NO-EVICT" | b"CLIENT NO-TOUCH"
        | b"CLIENT REPLY" | b"CLIENT SETINFO" | b"CLIENT SETNAME" | b"CLIENT TRACKING" => true,
        // Three letters tell how a name is written, and cost nothing where it is known beforehand.
        [first, second, .., last] => {
            first.is_ascii_lowercase() || second.is_ascii_lowercase() || last.is_ascii_lowercase()
        }
        _ => false,
    }
}

impl Change {
    /// What a command of these arguments does; `None` if it does nothing to its connection.
    #[cold]
    pub(crate) fn of<A: AsRef<[u8]>>(args: impl IntoIterator<Item = A>) -> Option<Self> {
        let mut words = args.into_iter().map(|word| word.as_ref().to_ascii_uppercase());
        let name: Vec<u8> = words.next()?;
        Some(match name.as_slice() {
            b"WATCH" => Self::Watch,
            b"UNWATCH" => Self::Unwatch,
            b"MULTI" => Self::Multi,
            b"EXEC" | b"DISCARD" => Self::End,
            b"SELECT" | b"READONLY" | b"READWRITE" | b"ASKING" => Self::State,
            b"AUTH" | b"HELLO" | b"RESET" => Self::Login,
            b"QUIT" | b"MONITOR" | b"SYNC" | b"PSYNC" | b"REPLCONF" | b"SUBSCRIBE" | b"PSUBSCRIBE"
            | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE" | b"SUNSUBSCRIBE" => Self::Stream,
            b"CLIENT" => match words.next()?.as_slice() {
                b"REPLY" => Self::Stream,
                b"CACHING" | b"NO-EVICT" | b"NO-TOUCH" | b"SETINFO" | b"SETNAME" | b"TRACKING" => Self::State,
                _ => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Flags};

    #[test]
    fn what_commands_do_to_their_connection() {
        let table = [
            ("WATCH", Some(Change::Watch)),
            ("watch", Some(Change::Watch)),
            ("Exec", Some(Change::End)),
            ("HELLO", Some(Change::Login)),
            ("CLIENT REPLY", Some(Change::Stream)),
            ("client tracking", Some(Change::State)),
            ("CLIENT ID", None),
            ("CLIENT", None),
            ("get", None),
            ("GET", None),
            ("", None),
        ];
        for (name, expected) in table {
            let command = Command::<()>::new(name);
            assert_eq!(command.packed().change(), expected, "{name}");
        }
        let raw = |word: &str| Command::<()>::new("CLIENT").arg(word).packed().change();
        assert_eq!((raw("no-evict"), raw("LIST")), (Some(Change::State), None));
        assert!(
            !Command::<()>::new("GET").packed().flags().has(Flags::CHANGES),
            "an ordinary name costs nothing"
        );
    }
}
