//! Choices for the commands about functions.

use alloc::vec::Vec;

use crate::command::{ArgSink, Args};

/// What becomes of a library that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum LibraryLoad {
    /// It stays: loading another of its name is an error.
    #[default]
    New,
    /// It is replaced (`REPLACE`).
    Replace,
}

impl Args for LibraryLoad {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(match self {
            Self::New => None,
            Self::Replace => Some("REPLACE"),
        });
    }
}

/// What becomes of the libraries that are there when others are restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FunctionRestore {
    /// They stay; one of the same name is an error, and then none is restored (`APPEND`).
    #[default]
    Append,
    /// Those of the same name are replaced; a function of the same name in another library is an error (`REPLACE`).
    Replace,
    /// They go (`FLUSH`).
    Flush,
}

impl Args for FunctionRestore {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::Append => "APPEND",
            Self::Replace => "REPLACE",
            Self::Flush => "FLUSH",
        });
    }
}

/// Choices for listing libraries.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct FunctionListOptions {
    pattern: Option<Vec<u8>>,
    with_code: bool,
}

impl FunctionListOptions {
    /// All libraries, without their code.
    pub const fn new() -> Self {
        Self { pattern: None, with_code: false }
    }

    /// Libraries whose names match a glob-style pattern (`LIBRARYNAME`).
    pub fn matching(mut self, pattern: impl AsRef<[u8]>) -> Self {
        self.pattern = Some(pattern.as_ref().to_vec());
        self
    }

    /// Their code as well (`WITHCODE`).
    pub const fn with_code(mut self) -> Self {
        self.with_code = true;
        self
    }
}

impl Args for FunctionListOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.pattern.as_ref().map(|pattern| ("LIBRARYNAME", pattern)));
        out.args(self.with_code.then_some("WITHCODE"));
    }
}
