//! The ways to misbehave.

use std::time::Duration;

/// What a [`Hostile`](super::Hostile) server does in place of a good reply.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Sends these bytes as the reply. With none it leaves the reply out, and answers the next command.
    Send(Vec<u8>),
    /// Sends these bytes, then the good reply.
    Before(Vec<u8>),
    /// Sends the good reply, then these bytes.
    After(Vec<u8>),
    /// Sends these bytes one by one.
    Drip {
        /// What is sent in all.
        bytes: Vec<u8>,
        /// The time after each byte.
        interval: Duration,
    },
    /// Sends these bytes and closes the connection in good order (FIN).
    CloseAfter(Vec<u8>),
    /// The same without the last word of TLS.
    CutAfter(Vec<u8>),
    /// Sends these bytes and resets the connection (RST).
    ResetAfter(Vec<u8>),
    /// Answers neither this nor any later command of the connection, but keeps it open and reads on.
    Silence,
    /// Sends the head, then the rest again and again until the peer hangs up.
    Endless {
        /// What is sent once.
        head: Vec<u8>,
        /// What never ends; not empty.
        repeated: Vec<u8>,
    },
}

impl Fault {
    /// An error reply, given without its `-` and line end.
    #[must_use]
    pub fn error(message: &str) -> Self {
        Self::Send(format!("-{message}\r\n").into_bytes())
    }

    /// The server is still reading its data set.
    #[must_use]
    pub fn loading() -> Self {
        Self::error("LOADING Redis is loading the dataset in memory")
    }

    /// The refusal of `AUTH` and `HELLO ... AUTH`.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::error("WRONGPASS invalid username-password pair or user is disabled.")
    }

    /// For [`at_accept`](super::Script::at_accept): turned away, as over `maxclients`.
    #[must_use]
    pub fn max_clients() -> Self {
        Self::CloseAfter(b"-ERR max number of clients reached\r\n".to_vec())
    }

    /// A simple string whose line never ends.
    #[must_use]
    pub fn endless_line() -> Self {
        Self::Endless { head: b"+".to_vec(), repeated: b"x".to_vec() }
    }

    /// Arrays of one element, `depth` deep, around one integer.
    #[must_use]
    pub fn nested(depth: usize) -> Self {
        Self::Send([b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat())
    }

    /// The head of an array of 2 000 000 000 elements, none of which follows until another command's reply.
    #[must_use]
    pub fn huge_array() -> Self {
        Self::Send(b"*2000000000\r\n".to_vec())
    }

    /// The good reply after this many push frames, which are messages of a channel `flood`.
    #[must_use]
    pub fn pushes(count: usize) -> Self {
        Self::Before(b">3\r\n$7\r\nmessage\r\n$5\r\nflood\r\n$1\r\nx\r\n".repeat(count))
    }

    /// The good reply and a second one that nobody asked for.
    #[must_use]
    pub fn extra_reply() -> Self {
        Self::After(b"+EXTRA\r\n".to_vec())
    }
}
