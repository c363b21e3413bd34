//! Replies that become types of their own: whatever comes is one, or an error.

use bytes::BytesMut;
use redstart_core::command::FromReply;
use redstart_core::commands::{
    AclLogEntry, AclUser, AclVerdict, Autoclaimed, ConsumerReply, EntryRemoval, FunctionLibrary,
    FunctionStats, LatencyEvent, LatencyHistogram, LatencySample, ModuleInfo, OnDisk, PendingEntry,
    PendingSummary, SlowlogEntry, StreamConsumer, StreamDetails, StreamEntries, StreamEntry, StreamGroup,
    StreamId, StreamInfo,
};
use redstart_core::error::ConversionError;
use redstart_core::resp::{Decoder, Item, Kind, Limits};

type Fields = Vec<(String, String)>;
type Read = fn(Item<'_>) -> Result<(), ConversionError>;

fn read<T: FromReply>(item: Item<'_>) -> Result<(), ConversionError> {
    T::from_reply(item).map(drop)
}

/// What reads the replies to which command.
pub const READERS: &[(&str, Read)] = &[
    ("acl_dryrun", read::<AclVerdict>),
    ("acl_getuser", read::<Option<AclUser>>),
    ("acl_log", read::<Vec<AclLogEntry>>),
    ("function_list", read::<Vec<FunctionLibrary>>),
    ("function_stats", read::<FunctionStats>),
    ("latency_histogram", read::<Vec<(String, LatencyHistogram)>>),
    ("latency_history", read::<Vec<LatencySample>>),
    ("latency_latest", read::<Vec<LatencyEvent>>),
    ("module_list", read::<Vec<ModuleInfo>>),
    ("slowlog_get", read::<Vec<SlowlogEntry>>),
    ("waitaof", read::<OnDisk>),
    ("xautoclaim", read::<Autoclaimed<StreamEntry<Fields>>>),
    ("xautoclaim_ids", read::<Autoclaimed<StreamId>>),
    ("xconsume", read::<ConsumerReply<Fields>>),
    ("xdelex", read::<Vec<EntryRemoval>>),
    ("xinfo_consumers", read::<Vec<StreamConsumer>>),
    ("xinfo_groups", read::<Vec<StreamGroup>>),
    ("xinfo_stream", read::<StreamInfo<Fields>>),
    ("xinfo_stream_full", read::<StreamDetails<Fields>>),
    ("xpending", read::<PendingSummary>),
    ("xpending_range", read::<Vec<PendingEntry>>),
    ("xrange", read::<Vec<StreamEntry<Fields>>>),
    ("xread", read::<Option<StreamEntries<String, Fields>>>),
    ("xreadgroup", read::<Option<StreamEntries<String, Fields>>>),
    ("xreadgroup_pending", read::<StreamEntries<String, Option<Fields>>>),
];

/// Reads every reply of a stream as whatever there is.
///
/// # Panics
/// An error of the server is taken for a reply, or reading panics.
pub fn check_input(input: &[u8]) {
    let mut decoder = Decoder::new(Limits::default());
    let mut bytes = BytesMut::from(input);
    while let Ok(Some(frame)) = decoder.decode(&mut bytes) {
        for (name, read) in READERS {
            let outcome = read(frame.item());
            assert!(outcome.is_err() || frame.kind() != Kind::Error, "{name} takes an error for a reply");
        }
    }
}
