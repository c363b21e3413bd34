//! A guide by subjects: one page each, with an example that runs.
//!
//! The examples are written for an async client. On a blocking one they are the same without `async` and `.await`,
//! except where it is said.

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
