//! Choices for the commands about the server.

use crate::command::{ArgSink, Args};

/// Who frees the memory of what is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FlushMode {
    /// As the server is configured (`lazyfree-lazy-user-flush`).
    #[default]
    Configured,
    /// A background thread, so that other clients do not wait (`ASYNC`).
    Async,
    /// The command itself (`SYNC`, since 6.2).
    Sync,
}

impl Args for FlushMode {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(match self {
            Self::Configured => None,
            Self::Async => Some("ASYNC"),
            Self::Sync => Some("SYNC"),
        });
    }
}

/// Choices for [`bgsave`](super::ServerCommands::bgsave).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SaveMode {
    /// At once, or fail if a background job is under way.
    #[default]
    Now,
    /// Once a rewrite of the append-only file is done, if one is under way (`SCHEDULE`, since 3.2.2).
    Schedule,
}

impl Args for SaveMode {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(match self {
            Self::Now => None,
            Self::Schedule => Some("SCHEDULE"),
        });
    }
}

/// Choices for [`memory_usage`](super::ServerCommands::memory_usage): how many elements of an aggregate are
/// measured to estimate the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Samples {
    /// As many as the server thinks fit, which is five.
    #[default]
    Few,
    /// This many; zero is [`All`](Self::All) (`SAMPLES`).
    Count(u64),
    /// All of them, so that the figure is exact (`SAMPLES 0`).
    All,
}

impl Args for Samples {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        let count = match self {
            Self::Few => None,
            Self::Count(count) => Some(*count),
            Self::All => Some(0),
        };
        out.args(count.map(|count| ("SAMPLES", count)));
    }
}

/// Choices for [`shutdown`](super::ServerCommands::shutdown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[must_use]
pub struct ShutdownOptions {
    save: Option<bool>,
    now: bool,
    force: bool,
}

impl ShutdownOptions {
    /// As the server is configured: it saves if it has a rule for when to, and waits for its replicas.
    pub const fn new() -> Self {
        Self { save: None, now: false, force: false }
    }

    /// Saves in any case, or in none (`SAVE`, `NOSAVE`).
    pub const fn save(mut self, save: bool) -> Self {
        self.save = Some(save);
        self
    }

    /// Does not wait for replicas that lag behind (`NOW`, since 7.0).
    pub const fn now(mut self) -> Self {
        self.now = true;
        self
    }

    /// Ends even if the data cannot be saved (`FORCE`, since 7.0).
    pub const fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Args for ShutdownOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.save.map(|save| if save { "SAVE" } else { "NOSAVE" }));
        out.args(self.now.then_some("NOW")).args(self.force.then_some("FORCE"));
    }
}
