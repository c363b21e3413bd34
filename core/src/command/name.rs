//! What is kept of a command that is on its way: its name.

use core::fmt;

use super::buffer::NAME_HEAD;
use super::pool::Boxed;

/// A short name of a command, or none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Name(
    /// The bytes with which the command's strings begin: a copy of a known size is cheaper than that of the name alone.
    [u8; NAME_HEAD],
);

impl Name {
    /// The name; `None` if there is none.
    pub(crate) fn get(&self) -> Option<&str> {
        let [b'$', len @ b'1'..=b'9', b'\r', b'\n', from @ ..] = &self.0 else { return None };
        core::str::from_utf8(from.get(..usize::from(len - b'0'))?).ok()
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
        let Some(head) = self.name_head() else {
            self.forget_arguments();
            return Name::default();
        };
        self.release();
        Name(head)
    }
}
