//! Which nodes reads go to.

/// Which of the nodes that have a key is to answer reads of it. Writes always go to the primary.
///
/// Replicas lag behind their primary, so what they answer may be old, and two reads may go to nodes that lag
/// differently. Nodes that cannot be reached are passed over where there is a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadFrom {
    /// The primary.
    #[default]
    Primary,
    /// Any replica; the primary if there is none.
    PreferReplica,
    /// Any replica. Without one, reads wait until there is, within their deadline.
    Replica,
    /// The primary and its replicas in turn.
    RoundRobin,
    /// The one of them that answers soonest.
    LowestLatency,
    /// A replica in the client's own [availability zone](super::Config::zone); else any replica; else the
    /// primary. Which zone a node is in is said by [`Config::zones`](super::Config::zones), or by the node
    /// itself, from Valkey 9.1 on.
    SameZone,
}
