//! An error that the server answered.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// The first word of an error, as far as Redstart gives it a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerCode {
    /// `ERR`: anything without a code of its own.
    Err,
    /// `WRONGTYPE`: the key holds another type.
    WrongType,
    /// `NOAUTH`: authentication is needed.
    NoAuth,
    /// `WRONGPASS`: user or password is wrong, or the user is disabled.
    WrongPass,
    /// `NOPERM`: the user may not do this.
    NoPerm,
    /// `LOADING`: the server is still reading its data set.
    Loading,
    /// `BUSY`: a script is running.
    Busy,
    /// `NOSCRIPT`: no script of this digest is cached.
    NoScript,
    /// `READONLY`: a write was sent to a replica.
    ReadOnly,
    /// `MASTERDOWN`: a replica has lost its primary and serves nothing stale.
    MasterDown,
    /// `CLUSTERDOWN`: the cluster cannot serve this slot.
    ClusterDown,
    /// `TRYAGAIN`: the keys are being moved.
    TryAgain,
    /// `CROSSSLOT`: the keys are in different slots.
    CrossSlot,
    /// `MOVED`: the slot is served by another node.
    Moved,
    /// `ASK`: this once, the key is at another node.
    Ask,
    /// `EXECABORT`: a command of the transaction was refused.
    ExecAbort,
    /// `OOM`: `maxmemory` is reached.
    OutOfMemory,
    /// `MISCONF`: the server cannot persist and so takes no writes.
    Misconf,
    /// `NOREPLICAS`: too few replicas for a write.
    NoReplicas,
    /// `NOPROTO`: the protocol version is not supported.
    NoProto,
    /// `BUSYGROUP`: the consumer group exists.
    BusyGroup,
    /// `NOGROUP`: the consumer group does not exist.
    NoGroup,
    /// `BUSYKEY`: the key to restore exists.
    BusyKey,
    /// `NOTBUSY`: no script is running.
    NotBusy,
    /// `UNKILLABLE`: the script has written already.
    Unkillable,
    /// `UNBLOCKED`: another client unblocked this command.
    Unblocked,
    /// `INPROG`: a failover is in progress.
    InProgress,
    /// `NOTREADY`, `NOMASTERLINK`, `NOGOODSLAVE` and other codes without a meaning here.
    Other,
}

const CODES: [(&str, ServerCode); 26] = [
    ("ERR", ServerCode::Err),
    ("WRONGTYPE", ServerCode::WrongType),
    ("NOAUTH", ServerCode::NoAuth),
    ("WRONGPASS", ServerCode::WrongPass),
    ("NOPERM", ServerCode::NoPerm),
    ("LOADING", ServerCode::Loading),
    ("BUSY", ServerCode::Busy),
    ("NOSCRIPT", ServerCode::NoScript),
    ("READONLY", ServerCode::ReadOnly),
    ("MASTERDOWN", ServerCode::MasterDown),
    ("CLUSTERDOWN", ServerCode::ClusterDown),
    ("TRYAGAIN", ServerCode::TryAgain),
    ("CROSSSLOT", ServerCode::CrossSlot),
    ("MOVED", ServerCode::Moved),
    ("ASK", ServerCode::Ask),
    ("EXECABORT", ServerCode::ExecAbort),
    ("OOM", ServerCode::OutOfMemory),
    ("MISCONF", ServerCode::Misconf),
    ("NOREPLICAS", ServerCode::NoReplicas),
    ("NOPROTO", ServerCode::NoProto),
    ("BUSYGROUP", ServerCode::BusyGroup),
    ("NOGROUP", ServerCode::NoGroup),
    ("BUSYKEY", ServerCode::BusyKey),
    ("NOTBUSY", ServerCode::NotBusy),
    ("UNKILLABLE", ServerCode::Unkillable),
    ("UNBLOCKED", ServerCode::Unblocked),
];

impl ServerCode {
    /// The code of an error's text.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let word = text.split(|&byte| byte == b' ').next().unwrap_or_default();
        let known = CODES.iter().find(|(name, _)| name.as_bytes() == word);
        match (known, word) {
            (Some(&(_, code)), _) => code,
            (None, b"INPROG") => Self::InProgress,
            _ => Self::Other,
        }
    }

    /// Whether an error of this code proves that the command was not run, whatever the command is.
    ///
    /// These are the codes with which the server turns a command away before it looks at it. Such an
    /// error can also come out of a script that has written before; the command's own flags tell.
    #[must_use]
    pub const fn is_turned_away(self) -> bool {
        matches!(
            self,
            Self::Loading
                | Self::TryAgain
                | Self::ClusterDown
                | Self::MasterDown
                | Self::Moved
                | Self::Ask
                | Self::ReadOnly
                | Self::Busy
                | Self::NoAuth
                | Self::NoScript
                | Self::CrossSlot
                | Self::ExecAbort
                | Self::Misconf
                | Self::NoReplicas
        )
    }

    /// Whether user, password or permission was refused.
    #[must_use]
    pub const fn is_auth(self) -> bool {
        matches!(self, Self::NoAuth | Self::WrongPass | Self::NoPerm)
    }
}

/// An error that the server answered, in the server's words.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    code: ServerCode,
    text: Box<str>,
}

impl ServerError {
    /// Longer texts are cut.
    pub const TEXT_MAX: usize = 512;

    /// Reads an error's text, which starts with its code.
    ///
    /// What the server quotes of the command's arguments is left out: it can be a secret.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        const QUOTE: &str = ", with args beginning with:";
        // What stands at the wrong place can be a password.
        const RULES: [&[u8]; 2] =
            [b"ERR Error in ACL SETUSER modifier '", b"ERR Syntax error in HELLO option '"];
        let cut = text.get(..Self::TEXT_MAX).unwrap_or(text);
        let mut owned: String = String::from_utf8_lossy(cut).into_owned();
        if let Some(at) = owned.find(QUOTE) {
            owned.truncate(at);
        } else if let Some((rule, rest)) =
            RULES.iter().find_map(|rule| Some((rule, text.strip_prefix(*rule)?)))
        {
            let end = rest.windows(3).rposition(|window| window == b"': ");
            let reason = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
            owned = String::from_utf8_lossy(&[&rule[..rule.len() - 2], reason].concat()).into_owned();
        }
        Self { code: ServerCode::of(text), text: owned.into() }
    }

    /// The meaning of the first word.
    #[must_use]
    pub const fn code(&self) -> ServerCode {
        self.code
    }

    /// The first word, as the server spelt it.
    #[must_use]
    pub fn code_text(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The whole text, with its code.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A server's text may hold anything; a log line must stay one line.
        for part in self.text.chars() {
            if part.is_control() { write!(f, "{}", part.escape_default())? } else { write!(f, "{part}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerError({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn codes_and_texts() {
        let error = ServerError::new(b"WRONGTYPE Operation against a key holding the wrong kind of value");
        assert_eq!(error.code(), ServerCode::WrongType);
        assert_eq!(error.code_text(), "WRONGTYPE");
        assert_eq!(ServerCode::of(b"INPROG x"), ServerCode::InProgress);
        assert_eq!(ServerCode::of(b"SOMETHING else"), ServerCode::Other);
        assert_eq!(ServerCode::of(b""), ServerCode::Other);
    }

    #[test]
    fn text_is_capped_escaped_and_free_of_arguments() {
        let error = ServerError::new(b"ERR unknown command 'FOO', with args beginning with: 'hunter2' ");
        assert_eq!(error.to_string(), "ERR unknown command 'FOO'");
        let error =
            ServerError::new(b"ERR Error in ACL SETUSER modifier '<hunter2': y': The password is not there");
        assert_eq!(error.to_string(), "ERR Error in ACL SETUSER modifier: The password is not there");
        let error = ServerError::new(b"ERR Error in ACL SETUSER modifier '>hunter2");
        assert_eq!(error.to_string(), "ERR Error in ACL SETUSER modifier");
        let error = ServerError::new(b"ERR a\x07b\x1b[31m");
        assert_eq!(error.to_string(), "ERR a\\u{7}b\\u{1b}[31m");
        let long = ServerError::new(&[b'x'; 10_000]);
        assert_eq!(long.text().len(), ServerError::TEXT_MAX);
    }
}
