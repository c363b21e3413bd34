//! One server behind one endpoint.

use super::{NodeId, Verdict};
use crate::error::ServerCode;
use crate::retry::passes_by_itself;

/// How often a write that meets a replica is tried on a new connection before its caller is told.
const READONLY_TRIES: u8 = 3;

/// The topology of one endpoint: everything goes there.
#[derive(Debug)]
pub(crate) struct Single;

impl Single {
    /// The only node.
    pub(crate) const NODE: NodeId = NodeId(0);

    /// What to do about a refusal, after `attempts` repetitions.
    ///
    /// `READONLY` behind one name most often means that a failover has moved the name while the
    /// connection stayed with the old primary. It can as well mean that the user did name a replica, so
    /// the tries are few.
    #[expect(clippy::unused_self, reason = "a topology is asked, whatever it knows")]
    pub(crate) const fn verdict(&self, code: ServerCode, attempts: u8) -> Verdict {
        match code {
            ServerCode::ReadOnly if attempts < READONLY_TRIES => Verdict::Reconnect,
            code if passes_by_itself(code) => Verdict::Later,
            _ => Verdict::Deliver,
        }
    }
}
