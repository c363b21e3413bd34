//! The commands of Redis that Redstart does not offer, each with the reason.
//!
//! The completeness test compares this list with what real servers have: a command that is neither
//! implemented nor here fails it, and so does one that is both.

/// `XINFO HELP` and its like are left out as a group.
pub const HELP: &str = "text for people at a prompt: the documentation says the same";

const HANDSHAKE: &str = "part of connecting: set in the configuration of the client";
const SUBSCRIPTION: &str =
    "`Client` has methods for subscriptions, which see to it whatever becomes of the connection";
const INTERNAL: &str = "for servers among themselves";
const DEVELOPMENT: &str = "for the development of Redis itself";

/// Names as `NAME` or `CONTAINER SUBCOMMAND`, in alphabetical order, with the reasons.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("ASKING", "part of following a redirect"),
    ("CLIENT REPLY", "sent around a batch by `Session::without_replies`"),
    ("CLIENT SETINFO", HANDSHAKE),
    ("DEBUG", DEVELOPMENT),
    ("HELLO", HANDSHAKE),
    ("MONITOR", "turns the connection into a stream: `Monitors::monitor`"),
    ("PFDEBUG", DEVELOPMENT),
    ("PFSELFTEST", DEVELOPMENT),
    ("PSUBSCRIBE", SUBSCRIPTION),
    ("PSYNC", INTERNAL),
    ("PUNSUBSCRIBE", SUBSCRIPTION),
    ("QUIT", "deprecated: close the client instead"),
    ("REPLCONF", INTERNAL),
    ("RESTORE-ASKING", INTERNAL),
    ("SCRIPT DEBUG", "turns the connection into a debugger's"),
    ("SSUBSCRIBE", SUBSCRIPTION),
    ("SUBSCRIBE", SUBSCRIPTION),
    ("SUNSUBSCRIBE", SUBSCRIPTION),
    ("SYNC", INTERNAL),
    ("UNSUBSCRIBE", SUBSCRIPTION),
];
