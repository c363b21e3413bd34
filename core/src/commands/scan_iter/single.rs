//! A walk through what is at one node: a collection, or all keys of a single server.

use alloc::string::String;
use core::mem;

use super::failure::{RESTARTS_MAX, may_pass, restarted, wrong};
use super::reply::{Ask, Told};
use crate::error::{Error, ErrorKind};

/// One cursor from 0 to 0.
///
/// Where another node can take over, the process that serves is asked for its name before and after, if there is
/// more than one page. If the two differ, cursors of the one were given to the other, and the walk begins anew.
#[derive(Debug)]
pub(super) struct Single {
    /// `None` when all pages were taken.
    cursor: Option<u64>,
    guard: Guard,
    /// The name of the process is asked for.
    asking: bool,
    restarts: usize,
}

#[derive(Debug, PartialEq)]
enum Guard {
    /// Nobody takes over.
    Off,
    /// Nobody was asked: perhaps one page is all that there is.
    New,
    /// This process served the first page, if it told.
    Begun(Option<String>),
}

impl Single {
    /// A walk, where another node `can_take_over` or not.
    pub(super) const fn new(can_take_over: bool) -> Self {
        let guard = if can_take_over { Guard::New } else { Guard::Off };
        Self { cursor: Some(0), guard, asking: false, restarts: 0 }
    }

    pub(super) const fn cursor(&self) -> Option<u64> {
        self.cursor
    }

    pub(super) fn ask(&self) -> Option<Ask<'_>> {
        if self.asking {
            return Some(Ask::Process { node: None });
        }
        Some(Ask::Page { cursor: self.cursor?, node: None })
    }

    /// A page came, with the cursor of the next one. Returns whether it counts.
    pub(super) fn handle_page(&mut self, next: u64) -> Result<bool, Error> {
        if self.asking {
            return Err(self.end(wrong("the name of a process")));
        }
        let is_last = next == 0;
        match self.guard {
            // The process that is asked now may be another already: the page is asked for again.
            Guard::New if !is_last => {
                self.asking = true;
                return Ok(false);
            }
            Guard::Begun(_) => self.asking = is_last,
            Guard::New | Guard::Off => {}
        }
        self.cursor = (!is_last).then_some(next);
        Ok(true)
    }

    /// Something else came.
    pub(super) fn handle_told(&mut self, told: Told) -> Result<(), Error> {
        if !self.asking {
            return Err(self.end(wrong("a page")));
        }
        self.asking = false;
        let process = match told {
            Told::Process(process) => Some(process),
            _ => None,
        };
        let before = mem::replace(&mut self.guard, Guard::Begun(process));
        if before == self.guard {
            return Ok(());
        }
        self.cursor = Some(0);
        if before == Guard::New {
            return Ok(());
        }
        self.restarts += 1;
        if self.restarts < RESTARTS_MAX {
            return Ok(());
        }
        self.restarts = 0;
        Err(restarted(None))
    }

    /// What was asked for has failed. An error is the caller's, who may ask for more if it can pass.
    pub(super) fn handle_error(&mut self, error: Error) -> Result<(), Error> {
        // Where it must not be asked, or is an old version's, the process stays unknown.
        if self.asking && matches!(error.kind(), ErrorKind::Server(_)) {
            return self.handle_told(Told::Nothing);
        }
        Err(if may_pass(&error) { error } else { self.end(error) })
    }

    fn end(&mut self, why: Error) -> Error {
        (self.cursor, self.asking) = (None, false);
        why
    }
}
