//! What is kept of a command that is on its way: its name.

use core::fmt;

use super::packed::Packed;
use super::pool::Boxed;

/// A short name of a command, or none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Name {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Name {
    const MAX: usize = 9;

    /// The name of a command, if it is one word and short.
    #[inline]
    fn of(command: &Packed) -> Option<Self> {
        let (len, from) = command.short_name()?;
        // What lies behind it is copied as well: a copy of a known size is the cheapest.
        let bytes = from.first_chunk().copied()?;
        Some(Self { bytes, len })
    }

    /// The name; `None` if there is none.
    pub(crate) fn get(&self) -> Option<&str> {
        let word = self.bytes.get(..usize::from(self.len))?;
        core::str::from_utf8(word).ok().filter(|word| !word.is_empty())
    }
}

impl fmt::Debug for Name {
    /// Shows nothing of what lies behind the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.get())
    }
}

impl Boxed {
    /// Gives up all but the name: the command is on its way, its bytes are kept elsewhere, and only errors still ask
    /// for it. The box can be used again at once, while it is still warm.
    #[inline]
    pub(crate) fn keep_name(&mut self) -> Name {
        let name = Name::of(self);
        match name {
            Some(_) => self.release(),
            None => self.forget_arguments(),
        }
        name.unwrap_or_default()
    }
}
