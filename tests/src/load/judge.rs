//! What came of a load.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use redstart_core::Error;
use redstart_core::error::{Delivery, ErrorKind};

use super::{Call, Log};

/// What came of a load.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Writes in all.
    pub writes: usize,
    /// Writes that were acknowledged.
    pub acked: usize,
    /// Acknowledged, and not there.
    pub lost: Vec<Lost>,
    /// There more than once.
    pub duplicated: usize,
    /// There, although the error said that it was not sent, or rejected.
    pub phantom: usize,
    /// Writes and reads with a reply that is not their own, and elements that nobody wrote.
    pub misled: usize,
    /// There, of those whose error said that they might be.
    pub applied: usize,
    /// Errors of writes.
    pub failed_writes: Vec<Error>,
    /// Errors of reads.
    pub failed_reads: Vec<Error>,
    /// The longest that any call took.
    pub slowest: Duration,
    /// The longest time in which no write to a list was acknowledged, although its worker tried.
    pub gap: Duration,
    /// When each write and read began, how long it took, and its worker.
    calls: Vec<(usize, Instant, Duration)>,
}

/// A write that was acknowledged and is not there.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The list that it is missing from.
    pub list: String,
    /// When it was acknowledged.
    pub acked: Instant,
}

/// How calls went over some time.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Calls that began in it, for each of its seconds.
    pub per_second: f64,
    /// What 99 of 100 of them did not exceed.
    pub p99: Duration,
    /// The longest of them.
    pub slowest: Duration,
}

pub(super) fn judge(logs: Vec<Log>, mut read: impl FnMut(&str) -> Vec<String>) -> Verdict {
    let mut verdict = Verdict::default();
    for (worker, log) in logs.into_iter().enumerate() {
        let lists = log.lists.iter().map(|list| read(list)).collect::<Vec<_>>();
        verdict.add_writes(&log, &lists);
        verdict.add_gaps(&log);
        for read in &log.reads {
            match &read.outcome {
                Ok(name) => verdict.misled += usize::from(*name != Some(worker)),
                Err(error) => verdict.failed_reads.push(error.clone()),
            }
        }
        let timed = log.writes.iter().map(timing).chain(log.reads.iter().map(timing));
        verdict.calls.extend(timed.map(|(start, took)| (worker, start, took)));
    }
    verdict.slowest = verdict.calls.iter().map(|call| call.2).max().unwrap_or_default();
    verdict
}

fn timing<T>(call: &Call<T>) -> (Instant, Duration) {
    (call.start, call.took())
}

impl Verdict {
    fn add_writes(&mut self, log: &Log, lists: &[Vec<String>]) {
        // In which list, and where.
        let mut places = vec![Vec::new(); log.writes.len()];
        for (list, elements) in lists.iter().enumerate() {
            for (place, element) in elements.iter().enumerate() {
                let number = element.strip_prefix(&*log.ids).and_then(|number| number.parse::<usize>().ok());
                match number.and_then(|number| places.get_mut(number)) {
                    Some(places) => places.push((list, place)),
                    None => self.misled += 1,
                }
            }
        }
        for (number, (write, places)) in log.writes.iter().zip(places).enumerate() {
            let list = number % lists.len();
            self.writes += 1;
            self.duplicated += usize::from(places.len() > 1);
            match &write.outcome {
                Ok(length) => {
                    self.acked += 1;
                    match places.first() {
                        Some(place) => {
                            self.misled += usize::from((place.0, place.1 as u64 + 1) != (list, *length));
                        }
                        None => self.lost.push(Lost { list: log.lists[list].clone(), acked: write.end }),
                    }
                }
                Err(error) => {
                    let applied = if error.may_have_run() { &mut self.applied } else { &mut self.phantom };
                    *applied += usize::from(!places.is_empty());
                    self.failed_writes.push(error.clone());
                }
            }
        }
    }

    /// A list that no write was acknowledged for at the end has a gap too.
    fn add_gaps(&mut self, log: &Log) {
        let mut last = BTreeMap::<usize, Instant>::new();
        for (number, write) in log.writes.iter().enumerate() {
            let since = last.entry(number % log.lists.len()).or_insert(write.start);
            if write.outcome.is_ok() {
                self.gap = self.gap.max(write.end - *since);
                *since = write.end;
            }
        }
        last.values().for_each(|since| self.gap = self.gap.max(log.stopped - *since));
    }

    /// Whatever happened, replies and errors told the truth, and what was acknowledged is there.
    ///
    /// # Panics
    /// If one did not.
    #[track_caller]
    pub fn assert_true(&self) {
        let untrue = [self.lost.len(), self.duplicated, self.phantom, self.misled];
        assert_eq!(untrue, [0; 4], "lost, duplicated, phantom, misled: {self}");
    }

    /// Errors that said that the write may have been done.
    #[must_use]
    pub fn ambiguous(&self) -> usize {
        self.failed_writes.iter().filter(|error| error.may_have_run()).count()
    }

    /// Calls that took longer than this.
    #[must_use]
    pub fn longer_than(&self, time: Duration) -> usize {
        self.calls.iter().filter(|call| call.2 > time).count()
    }

    /// How the calls went that these workers began between two instants.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn window(&self, workers: Range<usize>, time: Range<Instant>) -> Window {
        let chosen = self.calls.iter().filter(|call| workers.contains(&call.0) && time.contains(&call.1));
        let mut took = chosen.map(|call| call.2).collect::<Vec<_>>();
        took.sort();
        let per_second = took.len() as f64 / (time.end - time.start).as_secs_f64();
        let slowest = *took.last().expect("calls in this time");
        Window { per_second, p99: took[took.len() * 99 / 100], slowest }
    }

    /// The errors of writes and reads by delivery and what happened, without command and node.
    #[must_use]
    pub fn errors_by_kind(&self) -> BTreeMap<(&'static str, String), usize> {
        let mut kinds = BTreeMap::new();
        let reads = self.failed_reads.iter().map(|error| ("read", error));
        for (delivery, error) in self.failed_writes.iter().map(|error| (delivery(error), error)).chain(reads)
        {
            *kinds.entry((delivery, describe(error))).or_default() += 1;
        }
        kinds
    }
}

fn delivery(error: &Error) -> &'static str {
    match error.delivery() {
        Delivery::MaybeExecuted => "maybe",
        Delivery::Rejected => "rejected",
        Delivery::NotSent => "not sent",
    }
}

fn describe(error: &Error) -> String {
    let kind = match error.kind() {
        ErrorKind::Connection(reason) => reason.to_string(),
        ErrorKind::Timeout(waiting) => format!("timed out waiting for {waiting}"),
        ErrorKind::Server(error) => format!("{:?}", error.code()),
        other => format!("{other:?}"),
    };
    match error.cause() {
        Some(cause) => format!("{kind} after {}", describe(cause)),
        None => kind,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writes, acked, lost, duplicated, phantom, misled, applied, slowest, gap, .. } = self;
        write!(f, "{acked} of {writes} writes acknowledged; {} lost, {duplicated} duplicated, ", lost.len())?;
        write!(f, "{phantom} phantom, {misled} misled; {} reads failed; ", self.failed_reads.len())?;
        write!(f, "slowest {slowest:?}, longest gap {gap:?}; ")?;
        write!(f, "{applied} applied of the {} ambiguous", self.ambiguous())?;
        let mut texts = BTreeMap::<String, usize>::new();
        for error in self.failed_writes.iter().chain(&self.failed_reads) {
            *texts.entry(error.to_string()).or_default() += 1;
        }
        texts.iter().try_for_each(|(text, count)| write!(f, "\n    {count} x {text}"))
    }
}

#[cfg(test)]
mod tests {
    use redstart_core::Result;
    use redstart_core::error::Waiting;

    use super::*;

    fn late(delivery: Delivery) -> Error {
        Error::new(ErrorKind::Timeout(Waiting::Reply), delivery)
    }

    /// Writes to two lists in turn that ended one, two, three seconds after the start.
    fn log(outcomes: Vec<Result<u64>>, reads: Vec<Result<Option<usize>>>) -> (Log, Instant) {
        let start = Instant::now();
        let at = |second: usize| start + Duration::from_secs(second as u64);
        let stopped = at(outcomes.len());
        let write = |(n, outcome)| Call { start: at(n), end: at(n + 1), outcome };
        let writes = outcomes.into_iter().enumerate().map(write).collect();
        let reads = reads.into_iter().map(|outcome| Call { start, end: start, outcome }).collect();
        let lists = vec!["a".to_owned(), "b".to_owned()];
        (Log { ids: "id-".to_owned(), lists, writes, reads, stopped }, start)
    }

    fn judged(log: Log, a: &[&str], b: &[&str]) -> Verdict {
        let list = |list: &[&str]| list.iter().map(|&id| id.to_owned()).collect();
        judge(vec![log], |name| list(if name == "a" { a } else { b }))
    }

    #[test]
    fn what_went_well_is_found_well() {
        let (log, _) = log(vec![Ok(1), Ok(1), Ok(2), Ok(2)], vec![Ok(Some(0))]);
        let verdict = judged(log, &["id-0", "id-2"], &["id-1", "id-3"]);
        verdict.assert_true();
        assert_eq!((verdict.writes, verdict.acked, verdict.gap), (4, 4, Duration::from_secs(2)));
    }

    #[test]
    fn what_is_missing_was_lost_only_if_it_was_acknowledged() {
        let (log, start) = log(vec![Ok(1), Ok(1), Err(late(Delivery::MaybeExecuted))], vec![]);
        let verdict = judged(log, &["id-0"], &[]);
        assert_eq!((verdict.lost.len(), verdict.applied, verdict.ambiguous()), (1, 0, 1));
        assert_eq!((&*verdict.lost[0].list, verdict.lost[0].acked - start), ("b", Duration::from_secs(2)));
    }

    #[test]
    fn what_is_there_twice_is_found_whatever_the_caller_was_told() {
        let (log, _) = log(vec![Ok(1), Err(late(Delivery::MaybeExecuted))], vec![]);
        let verdict = judged(log, &["id-0", "id-0"], &["id-1", "id-1"]);
        assert_eq!((verdict.duplicated, verdict.applied), (2, 1));
    }

    #[test]
    fn what_is_there_although_it_was_denied_is_a_phantom() {
        let (log, _) = log(vec![Err(late(Delivery::NotSent)), Err(late(Delivery::Rejected))], vec![]);
        let verdict = judged(log, &["id-0"], &["id-1"]);
        assert_eq!((verdict.phantom, verdict.applied), (2, 0));
    }

    #[test]
    fn replies_of_others_are_found() {
        // The length of the list is wrong; the list is; nobody wrote it; two reads.
        let (log, _) = log(vec![Ok(2), Ok(1), Ok(2)], vec![Ok(Some(1)), Ok(None), Ok(Some(0))]);
        let verdict = judged(log, &["id-0", "id-2", "id-1", "other-5", "id-77"], &[]);
        assert_eq!((verdict.misled, verdict.lost.len()), (1 + 1 + 2 + 2, 0));
    }

    #[test]
    fn a_list_that_is_never_written_again_has_a_gap_up_to_the_end() {
        let refused = || Err(late(Delivery::NotSent));
        let (log, _) = log(vec![Ok(1), Ok(1), refused(), Ok(2), refused(), Ok(3), refused()], vec![]);
        let verdict = judged(log, &["id-0"], &["id-1", "id-3", "id-5"]);
        assert_eq!(verdict.gap, Duration::from_secs(6));
        assert_eq!(verdict.failed_writes.len(), 3);
    }

    #[test]
    fn a_window_has_the_calls_that_began_in_it() {
        let (log, start) = log((0..10).map(|n| Ok(n / 2 + 1)).collect(), vec![]);
        let verdict = judged(log, &[], &[]);
        let window = verdict.window(0..1, start + Duration::from_secs(2)..start + Duration::from_secs(6));
        assert_eq!((window.per_second, window.p99), (1.0, Duration::from_secs(1)));
        assert_eq!(
            (verdict.longer_than(Duration::from_secs(1)), verdict.slowest),
            (0, Duration::from_secs(1))
        );
        assert_eq!(verdict.longer_than(Duration::from_millis(999)), 10);
    }
}
