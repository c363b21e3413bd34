//! Callers: what they ask for, how long they wait, and when they lose patience.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use redstart_core::client::{Client, Options};
use redstart_core::command::{Command, Join, Run, Value};
use redstart_core::error::Error;

use super::faults::{Class, Faults};
pub use super::ledger::Shape;
use super::request::{Job, Op};
use super::world::MS;

/// How one command ended.
pub type Outcome = Result<Value, Error>;

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The client's response timeout.
    Default,
    /// This long.
    Within(Duration),
    /// For ever.
    Unbounded,
}

/// When a caller drops its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Never.
    Never,
    /// Before it is polled at all.
    Unpolled,
    /// When it was polled once, before the driver has run.
    AtOnce,
    /// After so many nanoseconds.
    After(u64),
    /// Instead of polling it again when it is woken: it was answered, or there is room for it at last.
    WhenWoken,
}

/// One call to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How its commands are sent.
    pub shape: Shape,
    /// Its commands.
    pub jobs: Vec<Job>,
    /// How long it may take.
    pub patience: Patience,
    /// When it is dropped.
    pub cancel: Cancel,
}

impl Plan {
    /// A call that is not dropped and takes as long as the client allows.
    #[must_use]
    pub fn new(shape: Shape, jobs: impl IntoIterator<Item = Job>) -> Self {
        let jobs = jobs.into_iter().collect();
        Self { shape, jobs, patience: Patience::Default, cancel: Cancel::Never }
    }

    /// A call of one command.
    #[must_use]
    pub fn single(op: Op) -> Self {
        Self::new(Shape::Single, [Job::new(op)])
    }

    /// The same call with another patience.
    #[must_use]
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same call, dropped.
    #[must_use]
    pub fn cancel(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// The same call with keys of one hash tag.
    #[must_use]
    pub fn tagged(mut self, tag: u8) -> Self {
        self.jobs.iter_mut().for_each(|job| job.tag = Some(tag));
        self
    }

    /// The same call with keys of some hash tags out of `tags`, and now and then several in one command.
    pub(super) fn spread(mut self, rng: &mut Rng, tags: u8) -> Self {
        let tag = rng.u8(..tags);
        if self.shape == Shape::Pipeline && rng.u8(..4) == 0 {
            return self.split(rng, tags);
        }
        for job in &mut self.jobs {
            job.tag = Some(if self.shape == Shape::Pipeline { rng.u8(..tags) } else { tag });
            job.op = match (rng.u8(..12), job.op) {
                (0, Op::Get) => Op::MGet,
                (0, Op::Set(_)) => Op::MSet,
                (_, op) => op,
            };
        }
        self
    }

    /// One command instead, with keys of as many hash tags as there were commands.
    fn split(mut self, rng: &mut Rng, tags: u8) -> Self {
        self.shape = Shape::Split;
        let step = rng.u8(1..4);
        let first = Job { op: if rng.bool() { Op::MGet } else { Op::MSet }, ..self.jobs[0] };
        let tag = rng.u8(..tags);
        for (nth, job) in (0..).zip(&mut self.jobs) {
            *job = Job { tag: Some((tag + nth * step) % tags), ..first };
        }
        self
    }

    /// Any call that suits the trouble of a run.
    pub(super) fn draw(rng: &mut Rng, faults: Faults) -> Self {
        let shape = match rng.u8(..10) {
            0..=5 => Shape::Single,
            6 | 7 => Shape::Pipeline,
            _ => Shape::Transaction,
        };
        let count = if shape == Shape::Single { 1 } else { rng.usize(1..6) };
        let plan = Self::new(shape, (0..count).map(|_| draw_job(rng, faults)));
        plan.patience(draw_patience(rng, faults)).cancel(draw_cancel(rng, faults))
    }

    /// The names of the commands, for the trace.
    pub(super) fn text(&self, first: usize) -> String {
        let jobs = self.jobs.iter().zip(first..).map(|(job, id)| {
            let command = job.command(id);
            let idempotent = if job.idempotent { " (idempotent)" } else { "" };
            format!("{} #{id}{idempotent}", command.packed().name())
        });
        let jobs = jobs.collect::<Vec<_>>().join(", ");
        match self.shape {
            Shape::Single => jobs,
            Shape::Pipeline => format!("pipeline of {jobs}"),
            Shape::Transaction => format!("transaction of {jobs}"),
            Shape::Split => format!("one command for {jobs}"),
        }
    }

    /// How many commands and bytes the queue has to hold for it at the least while it has not ended: of a
    /// pipeline all commands but one may have.
    pub(super) fn room(&self, first: usize) -> (usize, usize) {
        let lens = self.jobs.iter().zip(first..).map(|(job, id)| job.command(id).packed().wire_len());
        let bytes = match self.shape {
            Shape::Single | Shape::Pipeline | Shape::Split => lens.min().unwrap_or(0),
            Shape::Transaction => lens.sum::<usize>() + b"*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n".len(),
        };
        (1, bytes)
    }
}

fn draw_job(rng: &mut Rng, faults: Faults) -> Job {
    // What is written a few bytes at a time had better be small.
    let large = if faults.has(Class::SmallBuffers) { 500..1000 } else { 16_000..20_000 };
    let op = match rng.u8(..32) {
        0..=8 => Op::Get,
        9 => Op::Range(rng.u16(..200)),
        10..=15 => Op::Set(rng.u32(..60)),
        16 => Op::Set(rng.u32(..3000)),
        17..=23 => Op::Incr,
        24..=28 => Op::Push,
        29 => Op::Set(rng.u32(large)),
        30 => Op::Fail,
        _ => Op::Unknown,
    };
    let job = Job::new(op);
    Job { idempotent: !matches!(op, Op::Get | Op::Range(_)) && rng.u8(..4) == 0, ..job }
}

fn draw_patience(rng: &mut Rng, faults: Faults) -> Patience {
    // Where replies can fail to come for ever, a call without a deadline may wait for ever.
    let lossy = faults.has(Class::Missing) || faults.has(Class::DeadMutes);
    match rng.u8(..8) {
        0 if !lossy => Patience::Unbounded,
        1..=3 if faults.has(Class::Impatience) => {
            Patience::Within(Duration::from_nanos(rng.u64(..60) * rng.u64(..2) * MS + rng.u64(..2 * MS)))
        }
        4 if faults.has(Class::Impatience) => Patience::Within(Duration::ZERO),
        _ => Patience::Default,
    }
}

fn draw_cancel(rng: &mut Rng, faults: Faults) -> Cancel {
    if !faults.has(Class::Cancels) {
        return Cancel::Never;
    }
    match rng.u8(..12) {
        0 => Cancel::Unpolled,
        1 => Cancel::AtOnce,
        2 => Cancel::WhenWoken,
        3 | 4 => Cancel::After(rng.u64(..30 * MS)),
        _ => Cancel::Never,
    }
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: u64,
    /// One outcome for each command; `None` if the caller dropped it.
    pub(super) outcomes: Option<Vec<Outcome>>,
}

/// A call that was made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) plan: Plan,
    /// The number of its first command.
    pub(super) first: usize,
    /// How many commands and bytes the queue has to hold for it at the least.
    pub(super) room: (usize, usize),
    pub(super) task: usize,
    pub(super) caller: Option<usize>,
    /// How often the driver had been polled when the call was polled first.
    pub(super) begun: Option<u64>,
    pub(super) deadline: Option<u64>,
    /// It was dropped before the driver could see it.
    pub(super) unseen: bool,
    pub(super) end: Option<End>,
}

impl Call {
    /// The numbers of its commands.
    pub(super) fn commands(&self) -> Range<usize> {
        self.first..self.first + self.plan.jobs.len()
    }
}

/// Makes the call.
pub(super) async fn perform(client: Client, plan: Plan, first: usize) -> Vec<Outcome> {
    let client = match plan.patience {
        Patience::Default => client,
        Patience::Within(timeout) => client.with(Options::new().timeout(timeout)),
        Patience::Unbounded => client.with(Options::new().no_timeout()),
    };
    let count = plan.jobs.len();
    let mut commands = plan.jobs.iter().zip(first..).map(|(job, id)| job.command(id));
    match plan.shape {
        Shape::Single => match commands.next() {
            Some(command) => vec![client.run(command).await],
            None => Vec::new(),
        },
        Shape::Pipeline => client.try_pipeline(commands.collect::<Vec<_>>()).await,
        Shape::Split => match client.run(join(&plan.jobs, first)).await {
            Ok(Value::Array(values)) => {
                values.chunks(2).map(|pair| Ok(Value::Array(pair.to_vec()))).collect()
            }
            outcome => vec![outcome; count],
        },
        Shape::Transaction => match client.try_transaction(commands.collect::<Vec<_>>()).await {
            Ok(outcomes) => outcomes,
            Err(error) => vec![Err(error); count],
        },
    }
}

/// One command for the keys of several.
fn join(jobs: &[Job], first: usize) -> Command<Value> {
    let keys = jobs.iter().zip(first..).flat_map(|(job, id)| job.pair_of_keys(id));
    let command = match jobs[0].op {
        Op::MGet => Command::new("MGET").keys(keys.collect::<Vec<_>>()).read_only().split(Join::Merge),
        _ => {
            let pairs = keys.map(|key| (key, "x"));
            Command::new("MSET").key_values(pairs.collect::<Vec<_>>()).split(Join::AllSucceeded)
        }
    };
    if jobs[0].idempotent { command.idempotent() } else { command }
}

/// An outcome for the trace.
pub(super) fn show(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => show_value(value),
        Err(error) => format!("error: {error}"),
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Status(text) => text.clone(),
        Value::Bulk(bytes) => bytes.escape_ascii().to_string(),
        Value::Array(values) => values.iter().map(show_value).collect::<Vec<_>>().join(" "),
        Value::Error(error) => format!("error: {error}"),
        other => format!("{other:?}"),
    }
}
