//! The line of figures, and what is wrong with them.

use std::fmt;
use std::time::{Duration, Instant};

use super::Settings;
use crate::load::Verdict;

/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_millis(250);

/// The same where nothing is timed.
const AMPLE_SLACK: Duration = Duration::from_secs(2);

/// What came of one run.
#[derive(Debug)]
pub struct Report {
    title: String,
    settings: Settings,
    verdict: Verdict,
    past_deadline: usize,
    /// How long after the fault another server had taken over, and how many writes were lost that were acknowledged
    /// later still.
    promotion: Option<(Duration, usize)>,
    notes: Vec<String>,
    broken: Vec<String>,
}

impl Report {
    /// Holds the figures against the gates that every scenario has: nothing is done twice, nothing is told wrongly,
    /// and no call ends after its deadline.
    pub(super) fn new(settings: &Settings, verdict: Verdict) -> Self {
        let slack = if settings.extent.timed { SLACK } else { AMPLE_SLACK };
        let past_deadline = verdict.longer_than(settings.deadline + slack);
        let Verdict { duplicated, phantom, misled, .. } = verdict;
        let mut report = Self {
            title: String::new(),
            settings: settings.clone(),
            verdict,
            past_deadline,
            promotion: None,
            notes: Vec::new(),
            broken: Vec::new(),
        };
        report.check(duplicated == 0, "writes were done twice");
        report.check(phantom == 0, "writes were done that were said not to be");
        report.check(misled == 0, "replies were not their own");
        report.check(past_deadline == 0, "calls ended after their deadlines");
        report.check(report.verdict.acked > 0, "no write was acknowledged");
        report
    }

    /// With the name of the scenario.
    pub(super) fn titled(mut self, name: &str) -> Self {
        let Settings { version, runtime, deadline, seed, .. } = &self.settings;
        self.title = format!("{name} {} {runtime:?} {deadline:?} seed {seed}", version.number());
        self
    }

    fn check(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.broken.push(otherwise.into());
        }
    }

    /// Another gate.
    pub(super) fn gate(mut self, holds: bool, otherwise: impl Into<String>) -> Self {
        self.check(holds, otherwise);
        self
    }

    /// Another figure.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// At most so many writes and no read failed, all of which may have been done; unless calls may not take as long
    /// as the faults do.
    pub(super) fn errors_at_most(mut self, most: usize) -> Self {
        if self.settings.is_patient() {
            let (writes, reads) = (self.verdict.failed_writes.len(), self.verdict.failed_reads.len());
            self.check(writes <= most, format!("{writes} writes failed, {most} may"));
            self.check(reads == 0, format!("{reads} reads failed"));
            self = self.only_ambiguous();
        }
        self
    }

    /// What failed was on its way.
    pub(super) fn only_ambiguous(mut self) -> Self {
        let certain = self.verdict.failed_writes.len() - self.verdict.ambiguous();
        self.check(certain == 0, format!("{certain} writes failed that were not on their way"));
        self
    }

    /// Nothing acknowledged was lost.
    pub(super) fn lost_none(mut self) -> Self {
        let lost = self.verdict.lost.len();
        self.check(lost == 0, format!("{lost} acknowledged writes were lost"));
        self
    }

    /// Another server took over: nothing that was acknowledged afterwards was lost, and writes to each list went on
    /// soon.
    pub(super) fn promoted(mut self, fault: Instant, promoted: Instant, soon: Duration) -> Self {
        let lost = self.verdict.lost.iter().filter(|lost| lost.acked > promoted).count();
        let promotion = promoted - fault;
        self.promotion = Some((promotion, lost));
        self.check(lost == 0, format!("{lost} writes were lost that the old server took"));
        let most = promotion + soon;
        if self.settings.extent.timed {
            self.check(self.verdict.gap <= most, format!("the gap is longer than {most:.2?}"));
        }
        self
    }

    /// Whether all gates held.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.broken.is_empty()
    }

    /// All gates held.
    ///
    /// # Panics
    /// If one did not.
    #[track_caller]
    pub fn assert_good(&self) {
        eprintln!("{self}");
        assert!(self.is_good(), "{self}");
    }

    /// What came of the load.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { acked, lost, duplicated, phantom, misled, applied, slowest, gap, .. } = &self.verdict;
        let errors = self.verdict.errors_by_kind();
        write!(f, "{}: acked {acked}, errors {}", self.title, errors.values().sum::<usize>())?;
        if !errors.is_empty() {
            let errors = errors.iter().map(|((delivery, kind), count)| format!("{count} {delivery}: {kind}"));
            write!(f, " ({})", errors.collect::<Vec<_>>().join(", "))?;
        }
        write!(f, ", lost {}", lost.len())?;
        if let Some((_, after)) = self.promotion {
            write!(f, " ({after} after promotion)")?;
        }
        write!(f, ", duplicated {duplicated}, phantom {phantom}, misled {misled}, applied {applied} of ")?;
        write!(f, "{} maybe, gap {gap:.2?}", self.verdict.ambiguous())?;
        if let Some((promotion, _)) = self.promotion {
            write!(f, ", promotion {promotion:.2?}")?;
        }
        write!(f, ", slowest {slowest:.2?}, past deadline {}", self.past_deadline)?;
        self.notes.iter().try_for_each(|note| write!(f, ", {note}"))?;
        match self.broken.as_slice() {
            [] => f.write_str(": ok"),
            broken => write!(f, ": FAILED: {}", broken.join("; ")),
        }
    }
}
