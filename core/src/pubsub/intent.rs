//! What handles want of the machine.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::Kind;

/// Names one subscription. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// A wish of a subscription's handle. The last one counts.
#[derive(Clone, Debug)]
pub enum Intent {
    /// To hear of topics.
    Subscribe {
        /// Who.
        subscription: SubscriptionId,
        /// The number of the call that waits for the confirmation, never used again.
        call: u64,
        /// What the names are.
        kind: Kind,
        /// At least one.
        names: Vec<Bytes>,
        /// To hear of them on every primary of a cluster.
        everywhere: bool,
        /// How long the call may take; `None`: as long as it takes.
        within: Option<Duration>,
    },
    /// To hear of topics no longer: of all of this kind, if there is no name.
    Unsubscribe {
        /// Who.
        subscription: SubscriptionId,
        /// What the names are.
        kind: Kind,
        /// Which.
        names: Vec<Bytes>,
    },
    /// Nobody waits for a call any more. What it has not brought by now is not wanted.
    GiveUp {
        /// Which.
        call: u64,
    },
    /// To hear of nothing any more.
    Close {
        /// Who.
        subscription: SubscriptionId,
    },
}
