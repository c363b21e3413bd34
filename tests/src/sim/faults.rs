//! What can go wrong, and which of it goes wrong in one run.

use fastrand::Rng;

/// A kind of trouble. A run has each with a probability of one half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Class {
    // A client must not be disturbed by any of these.
    /// Bytes come and go in pieces cut anywhere.
    Cuts,
    /// Each piece takes another time.
    Jitter,
    /// Sockets take few bytes, so that writes block.
    SmallBuffers,
    /// The server says things unasked, between any two replies.
    Pushes,
    /// The clock wakes late.
    LateTimers,
    /// Tasks are polled late.
    LatePolls,
    /// Tasks change their waker.
    MovedTasks,
    /// Callers drop their calls.
    Cancels,

    // From here on calls may fail.
    /// Calls have short timeouts.
    Impatience,
    /// Nobody listens.
    Refused,
    /// Connecting never ends.
    Hanging,
    /// Connecting takes long.
    SlowConnect,
    /// The connection breaks before, in or after a write.
    TornWrites,
    /// The connection breaks.
    Resets,
    /// The server closes the connection.
    Fins,
    /// One direction, or both, falls silent for a while.
    Mutes,
    /// One direction, or both, falls silent for ever.
    DeadMutes,
    /// The server stands still for a while.
    Freezes,
    /// The server dies and comes back.
    Crashes,
    /// A reply and all that follow it on its connection never come.
    Missing,
    /// A reply comes that nobody asked for.
    Extra,
    /// One reply of a handshake is left out.
    MissingHandshake,
    /// The server turns commands away for a while.
    Refusals,
    /// The server has too many clients for a while.
    MaxClients,
    /// The user may not use `MULTI` for a while.
    NoMulti,
}

impl Class {
    /// All classes that a client must not be disturbed by.
    pub const HARMLESS: [Self; 8] = [
        Self::Cuts,
        Self::Jitter,
        Self::SmallBuffers,
        Self::Pushes,
        Self::LateTimers,
        Self::LatePolls,
        Self::MovedTasks,
        Self::Cancels,
    ];

    /// All others.
    pub const HARMFUL: [Self; 17] = [
        Self::Impatience,
        Self::Refused,
        Self::Hanging,
        Self::SlowConnect,
        Self::TornWrites,
        Self::Resets,
        Self::Fins,
        Self::Mutes,
        Self::DeadMutes,
        Self::Freezes,
        Self::Crashes,
        Self::Missing,
        Self::Extra,
        Self::MissingHandshake,
        Self::Refusals,
        Self::MaxClients,
        Self::NoMulti,
    ];

    /// Those that strike at a point in time, instead of whenever something is done.
    pub(super) const TIMED: [Self; 13] = [
        Self::Pushes,
        Self::Resets,
        Self::Fins,
        Self::Mutes,
        Self::DeadMutes,
        Self::Freezes,
        Self::Crashes,
        Self::Missing,
        Self::Extra,
        Self::MissingHandshake,
        Self::Refusals,
        Self::MaxClients,
        Self::NoMulti,
    ];
}

impl Class {
    /// Whether it strikes a server instead of a connection.
    pub(super) const fn strikes_servers(self) -> bool {
        use Class::{Crashes, Freezes, MaxClients, MissingHandshake, NoMulti, Refusals};
        matches!(self, Freezes | Crashes | Refusals | MaxClients | NoMulti | MissingHandshake)
    }
}

/// The classes of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    on: u32,
}

impl Faults {
    /// No trouble at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { on: 0 }
    }

    /// Each class with a probability of one half; in one run of eight none that makes calls fail.
    pub fn draw(rng: &mut Rng) -> Self {
        let mut faults = Self::none();
        let tame = rng.u8(..8) == 0;
        let harmful = if tame { &[][..] } else { &Class::HARMFUL };
        for &class in Class::HARMLESS.iter().chain(harmful) {
            if rng.bool() {
                faults = faults.with(class);
            }
        }
        faults
    }

    /// These and `class`.
    #[must_use]
    pub const fn with(self, class: Class) -> Self {
        Self { on: self.on | 1 << class as u32 }
    }

    /// Whether `class` is on.
    #[must_use]
    pub const fn has(self, class: Class) -> bool {
        self.on & 1 << class as u32 != 0
    }

    /// Whether a call may fail for another reason than its caller.
    #[must_use]
    pub fn are_harmful(self) -> bool {
        Class::HARMFUL.iter().any(|&class| self.has(class))
    }

    /// Only those that neither make a call fail nor make it slow.
    #[must_use]
    pub fn tamed(self) -> Self {
        let slow = |class: &&Class| matches!(class, Class::SmallBuffers | Class::Jitter);
        let mild = Class::HARMLESS.iter().filter(|class| self.has(**class) && !slow(class));
        mild.fold(Self::none(), |sum, &class| sum.with(class))
    }

    /// Whether `class` is on and strikes now, once in `one_in` times.
    pub(super) fn strikes(self, class: Class, rng: &mut Rng, one_in: u32) -> bool {
        self.has(class) && rng.u32(..one_in) == 0
    }
}
