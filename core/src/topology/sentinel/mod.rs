//! Sentinel: which server is the primary of a service, and how that is found out.
//!
//! ```text
//! Questions --ask--> a sentinel --answers--> Word: checked --> Discovery: whom to ask, and when;
//!                                                              |  which server to check by ROLE
//!                       the server --ROLE: master--------------'--> Found: primary and replicas
//! ```
//!
//! Nothing here connects or waits. A [`Word`] is what one sentinel says of the service; what cannot be is
//! refused as a whole. [`Discovery`] says when to ask which sentinel, and which server to ask for its
//! role: a sentinel can be wrong, or late, so that a server is taken for the primary only if it says so
//! itself.
//!
//! <https://redis.io/docs/latest/develop/reference/sentinel-clients/>

// Nearly every byte that comes here is a peer's.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod discovery;
mod line;
mod nodes;
mod part;
mod service;
mod word;

pub use discovery::{Ask, Discovery, Outcome, Trigger};
pub use line::LEARNT_MAX;
pub use part::Part;
pub(crate) use service::{News, Service, part_of};
pub use word::{NAMED_MAX, QUESTIONS, Questions, Word};
