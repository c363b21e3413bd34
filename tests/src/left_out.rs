//! The commands of Redis that Redstart does not offer, each with the reason.
//!
//! The completeness test compares this list with what real servers have: a command that is neither
//! implemented nor here fails it, and so does one that is both.

/// `XINFO HELP` and its like are left out as a group.
pub const HELP: &str = "text for people at a prompt: the documentation says the same";

const SESSION: &str = "state of a connection, which is shared and replaced at any time";
const HANDSHAKE: &str = "part of connecting: set in the configuration of the client";
const TRACKING: &str = "state of a connection: part of client-side caching";
const TRANSACTION: &str =
    "state of a connection: transactions are sent as one batch, and WATCH needs a lease";
const SUBSCRIPTION: &str =
    "`Client` has methods for subscriptions, which see to it whatever becomes of the connection";
const INTERNAL: &str = "for servers among themselves";
const DEVELOPMENT: &str = "for the development of Redis itself";

/// Names as `NAME` or `CONTAINER SUBCOMMAND`, in alphabetical order, with the reasons.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("ASKING", SESSION),
    ("AUTH", HANDSHAKE),
    ("CLIENT CACHING", TRACKING),
    ("CLIENT NO-EVICT", SESSION),
    ("CLIENT NO-TOUCH", SESSION),
    ("CLIENT REPLY", SESSION),
    ("CLIENT SETINFO", HANDSHAKE),
    ("CLIENT SETNAME", HANDSHAKE),
    ("CLIENT TRACKING", TRACKING),
    ("DEBUG", DEVELOPMENT),
    ("DISCARD", TRANSACTION),
    ("EXEC", TRANSACTION),
    ("HELLO", HANDSHAKE),
    ("MONITOR", "turns the connection into a stream of what others do"),
    ("MULTI", TRANSACTION),
    ("PFDEBUG", DEVELOPMENT),
    ("PFSELFTEST", DEVELOPMENT),
    ("PSUBSCRIBE", SUBSCRIPTION),
    ("PSYNC", INTERNAL),
    ("PUNSUBSCRIBE", SUBSCRIPTION),
    ("QUIT", "deprecated: close the client instead"),
    ("READONLY", SESSION),
    ("READWRITE", SESSION),
    ("REPLCONF", INTERNAL),
    ("RESET", SESSION),
    ("RESTORE-ASKING", INTERNAL),
    ("SCRIPT DEBUG", "turns the connection into a debugger's"),
    ("SELECT", HANDSHAKE),
    ("SSUBSCRIBE", SUBSCRIPTION),
    ("SUBSCRIBE", SUBSCRIPTION),
    ("SUNSUBSCRIBE", SUBSCRIPTION),
    ("SYNC", INTERNAL),
    ("UNSUBSCRIBE", SUBSCRIPTION),
    ("UNWATCH", TRANSACTION),
    ("WATCH", TRANSACTION),
];
