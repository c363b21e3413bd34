//! What became of every command of the workload, as the server's side sees it.

use redstart_core::command::Value;
use redstart_core::error::ServerError;

use super::request::{Job, Op};
use super::server::{TOO_MANY, error};

/// How a call sends its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One command.
    Single,
    /// Several commands at once.
    Pipeline,
    /// Several commands between `MULTI` and `EXEC`.
    Transaction,
    /// One `MGET` or `MSET` of keys in several slots, which the client cuts into one for each.
    Split,
}

/// One time that a command ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// On which connection it had come.
    pub(super) conn: usize,
    /// Its place among all commands that ran.
    pub(super) order: u64,
    /// Whether it ran by itself although it belongs to a transaction.
    pub(super) alone: bool,
}

/// One command.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) shape: Shape,
    pub(super) job: Job,
    /// The connections on which the client wrote all of it, in order; of a transaction's command, those
    /// on which it wrote all of the transaction.
    pub(super) sends: Vec<usize>,
    pub(super) runs: Vec<Run>,
    /// What the server answered, whether it ran or was refused.
    pub(super) replies: Vec<Value>,
    /// How many of the replies say that it was turned away.
    pub(super) refusals: usize,
    /// How many answers in a row have named another node, as far as the client has read them.
    pub(super) redirects: usize,
    /// The most of them.
    pub(super) most_redirects: usize,
}

/// What an answer means to the way of a command, once it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is sent elsewhere.
    Elsewhere(usize),
    /// It is kept waiting.
    Rest(usize),
}

/// All commands, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    records: Vec<Record>,
    order: u64,
    /// How long the list is.
    pushed: usize,
    /// What was said to a connection as such, which ends all calls that wait for it.
    greetings: Vec<Value>,
    /// What the answer that is being made means to the way of commands.
    pub(super) turns: Vec<Turn>,
}

impl Ledger {
    /// A new command; its number.
    pub(super) fn enter(&mut self, shape: Shape, job: Job) -> usize {
        let (sends, runs, replies) = (Vec::new(), Vec::new(), Vec::new());
        self.records.push(Record {
            shape,
            job,
            sends,
            runs,
            replies,
            refusals: 0,
            redirects: 0,
            most_redirects: 0,
        });
        self.records.len() - 1
    }

    /// The client has read what a command was told.
    pub(super) fn take(&mut self, turn: Turn) {
        let (id, redirects) = match turn {
            Turn::Elsewhere(id) => (id, self.records[id].redirects + 1),
            Turn::Rest(id) => (id, 0),
        };
        let record = self.get_mut(id);
        record.redirects = redirects;
        record.most_redirects = record.most_redirects.max(redirects);
    }

    /// Notes an answer to a handshake, if it is an error.
    pub(super) fn refused_handshake(&mut self, answer: &Value) {
        if matches!(answer, Value::Error(_)) && !self.greetings.contains(answer) {
            self.greetings.push(answer.clone());
        }
    }

    /// Whether this was said to a connection as such.
    pub(super) fn is_greeting(&self, error: &ServerError) -> bool {
        error.text() == TOO_MANY || self.greetings.contains(&Value::Error(error.clone()))
    }

    pub(super) fn get(&self, id: usize) -> &Record {
        &self.records[id]
    }

    pub(super) fn get_mut(&mut self, id: usize) -> &mut Record {
        &mut self.records[id]
    }

    /// Runs a command; its reply.
    pub(super) fn run(&mut self, id: usize, conn: usize, in_multi: bool) -> Value {
        self.order += 1;
        let order = self.order;
        let record = &mut self.records[id];
        let number = |index| Value::Bulk(format!("#{id}:{index}").into());
        let count = |number: usize| Value::Integer(number as i64);
        let alone = record.shape == Shape::Transaction && !in_multi;
        if record.job.can_run() {
            record.runs.push(Run { conn, order, alone });
        }
        match record.job.op {
            Op::Get => number(0),
            Op::Range(len) => Value::Array((0..len).map(number).collect()),
            Op::MGet => Value::Array((0..2).map(number).collect()),
            Op::Set(_) | Op::MSet => Value::Status("OK".into()),
            Op::Incr => count(id * 1000 + record.runs.len()),
            Op::Push => {
                self.pushed += 1;
                count(self.pushed)
            }
            Op::Fail | Op::Unknown => error(&format!("WRONGTYPE #{id} holds another type")),
        }
    }
}
