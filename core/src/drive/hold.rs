//! Whether to write now, or to let those go first who are about to add to it.
//!
//! Callers that were answered together mostly ask again together, each as soon as its task runs. On a runtime with
//! several threads the driver runs between the first two of them, and would spend a system call on each command.

/// What is known of callers that have something to ask.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Callers that were woken and have not asked again.
    awaited: usize,
    /// Something was taken that is not written.
    taken: bool,
    /// What there was to write was held back the last time.
    held: bool,
}

impl Hold {
    /// So many callers are woken now, and so many requests were taken.
    pub(super) fn note(&mut self, woken: usize, taken: usize) {
        self.awaited = self.awaited.saturating_sub(taken) + woken;
        self.taken |= taken > 0;
    }

    /// Whether there is something to write, and more is to be expected once other tasks have run. It is never said
    /// twice in turn.
    pub(super) fn is_worth_it(&mut self) -> bool {
        self.held = self.taken && self.awaited > 0 && !self.held;
        if self.held {
            // Who does not ask now may have nothing to ask.
            self.awaited = 0;
        } else {
            self.taken = false;
        }
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_caller_never_waits() {
        let mut hold = Hold::default();
        for _ in 0..3 {
            hold.note(0, 1);
            assert!(!hold.is_worth_it());
            hold.note(1, 0);
            assert!(!hold.is_worth_it());
        }
    }

    #[test]
    fn those_who_were_answered_together_are_waited_for_once() {
        let mut hold = Hold::default();
        hold.note(3, 0);
        assert!(!hold.is_worth_it(), "there is nothing to write");
        hold.note(0, 1);
        assert!(hold.is_worth_it());
        hold.note(5, 1);
        assert!(!hold.is_worth_it(), "twice in turn");
        hold.note(0, 5);
        assert!(!hold.is_worth_it(), "all have asked");
    }
}
