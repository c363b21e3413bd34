//! A guide, a page for each subject.
//!
//! The programs are for Tokio. With async-std they are the same; in blocking code `async` and `.await` go away, and
//! streams are iterators. Each is run by the tests as it stands here.

#[doc = include_str!("guide/waiting.md")]
///
/// ```no_run
#[doc = include_str!("guide/waiting.rs")]
/// ```
pub mod waiting {}

#[doc = include_str!("guide/sessions.md")]
///
/// ```no_run
#[doc = include_str!("guide/sessions.rs")]
/// ```
pub mod sessions {}

#[doc = include_str!("guide/monitor.md")]
///
/// ```no_run
#[doc = include_str!("guide/monitor.rs")]
/// ```
pub mod monitor {}

#[doc = include_str!("guide/credentials.md")]
///
/// ```text
#[doc = include_str!("guide/credentials.rs")]
/// ```
pub mod credentials {}

#[doc = include_str!("guide/locks.md")]
///
/// ```text
#[doc = include_str!("guide/locks.rs")]
/// ```
pub mod locks {}

#[doc = include_str!("guide/pubsub.md")]
///
/// ```text
#[doc = include_str!("guide/pubsub.rs")]
/// ```
pub mod pubsub {}

#[doc = include_str!("guide/scripts.md")]
///
/// ```text
#[doc = include_str!("guide/scripts.rs")]
/// ```
pub mod scripts {}

#[doc = include_str!("guide/streams.md")]
///
/// ```text
#[doc = include_str!("guide/streams.rs")]
/// ```
pub mod streams {}

#[doc = include_str!("guide/tls.md")]
///
/// ```text
#[doc = include_str!("guide/tls.rs")]
/// ```
pub mod tls {}
