//! What is measured.

mod calls;
mod decode;
mod encode;
mod growth;
mod messages;

/// Does the work so many times and returns how many operations that were.
pub type Work = Box<dyn FnMut(u64) -> Outcome>;

/// What some passes of a work came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Commands, or values decoded.
    pub operations: u64,
    /// Reads and writes of sockets that have moved bytes, since the beginning.
    pub socket_calls: u64,
}

/// One line of the table.
pub struct Case {
    /// What is done.
    pub title: String,
    /// How often, at the least, for its costs to have settled.
    pub passes: u64,
    make: Box<dyn Fn() -> Work + Send + Sync>,
}

impl Case {
    fn new<W>(title: impl Into<String>, passes: u64, make: impl Fn() -> W + Send + Sync + 'static) -> Self
    where
        W: FnMut(u64) -> Outcome + 'static,
    {
        Self { title: title.into(), passes, make: Box::new(move || Box::new(make())) }
    }

    /// Makes ready for the work.
    #[must_use]
    pub fn work(&self) -> Work {
        (self.make)()
    }
}

/// All cases, in the order of the table.
#[must_use]
pub fn all() -> Vec<Case> {
    [decode::cases(), encode::cases(), calls::cases(), messages::cases(), growth::cases()]
        .into_iter()
        .flatten()
        .collect()
}
