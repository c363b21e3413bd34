//! Redis Cluster: which node serves which slot, and how that is found out.
//!
//! ```text
//! CLUSTER SLOTS ---> View: one node's answer, checked --.
//!                                                       |  Refresh: when to ask, whom, and which
//! MOVED --> Redirect ---> decide: what next?            v  answer is the best
//!              `--------> SlotMap: slot -> node <--- adopt
//! ```
//!
//! Nothing here connects or waits. A [`View`] is what one node says of the cluster; what cannot be is
//! refused as a whole. [`SlotMap`] is what the client goes by: it takes over the best view, and between
//! views the single slots that `MOVED` tells of. [`decide`] says what becomes of a request that a node
//! turned away. [`Refresh`] says when to ask the nodes again.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>

// Nearly every byte that comes here is a peer's.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod asked;
mod draft;
mod nodes;
mod parse;
mod redirect;
mod refresh;
mod routing;
mod slots;
mod view;

pub use asked::Asked;
pub use parse::epoch;
pub use redirect::{Decision, Hops, Redirect, decide};
pub use refresh::{Ask, Outcome, Refresh, Trigger};
pub(crate) use routing::{Cluster, News};
pub use slots::{Change, SlotMap};
pub use view::{NODES_MAX, Node, Shard, View, ViewError};
