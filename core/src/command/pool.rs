//! Commands lie in boxes that are used again, so that moving one is moving a pointer and making one allocates
//! nothing. So are buffers for what has no room in a box.

use alloc::boxed::Box;
use core::fmt;
use core::ops::{Deref, DerefMut};

use super::packed::Packed;

pub(super) use free::{keep_buffer, take_buffer};

/// A command in a box that goes back to where it came from.
pub(crate) struct Boxed(
    /// `None` once the box has gone back.
    Option<Box<Packed>>,
);

impl Boxed {
    /// A command that has not even a name.
    #[inline]
    pub(super) fn empty() -> Self {
        Self(Some(free::take().unwrap_or_else(|| Box::new(Packed::empty()))))
    }

    #[inline]
    pub(super) fn release(&mut self) {
        if let Some(mut packed) = self.0.take() {
            packed.clear();
            free::put(packed);
        }
    }
}

impl Drop for Boxed {
    #[inline]
    fn drop(&mut self) {
        self.release();
    }
}

impl Deref for Boxed {
    type Target = Packed;

    #[inline]
    fn deref(&self) -> &Packed {
        static NOTHING: Packed = Packed::empty();
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Boxed {
    #[inline]
    fn deref_mut(&mut self) -> &mut Packed {
        self.0.get_or_insert_with(|| Box::new(Packed::empty()))
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Clone for Boxed {
    fn clone(&self) -> Self {
        let mut copy = Self::empty();
        copy.clone_from(self);
        copy
    }

    fn clone_from(&mut self, from: &Self) {
        (**self).clone_from(from);
    }
}

/// The boxes of one thread that are free, and a buffer.
#[cfg(feature = "std")]
mod free {
    use alloc::boxed::Box;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};

    use super::Packed;

    /// So many are kept.
    const KEPT: usize = 128;
    /// A buffer is kept if it is no larger.
    const KEPT_BYTES: usize = 16 << 10;

    std::thread_local! {
        #[expect(clippy::vec_box, reason = "what is kept is the boxes")]
        static FREE: RefCell<Vec<Box<Packed>>> = const { RefCell::new(Vec::new()) };
        static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }

    /// An empty buffer, perhaps one with room.
    pub(in super::super) fn take_buffer() -> Vec<u8> {
        BUFFER.try_with(Cell::take).unwrap_or_default()
    }

    /// Gives a buffer back that is not used any more.
    pub(in super::super) fn keep_buffer(mut buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT_BYTES {
            buffer.clear();
            // A thread that ends keeps nothing.
            let _ = BUFFER.try_with(|kept| kept.set(buffer));
        }
    }

    #[inline]
    pub(super) fn take() -> Option<Box<Packed>> {
        FREE.try_with(|free| free.try_borrow_mut().ok()?.pop()).ok()?
    }

    #[inline]
    pub(super) fn put(packed: Box<Packed>) {
        // A thread that ends keeps nothing.
        let _ = FREE.try_with(|free| {
            if let Ok(mut free) = free.try_borrow_mut()
                && free.len() < KEPT
            {
                free.push(packed);
            }
        });
    }
}

/// Without threads to tell apart, nothing is kept.
#[cfg(not(feature = "std"))]
mod free {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::Packed;

    pub(super) const fn take() -> Option<Box<Packed>> {
        None
    }

    pub(super) fn put(_: Box<Packed>) {}

    pub(in super::super) const fn take_buffer() -> Vec<u8> {
        Vec::new()
    }

    pub(in super::super) fn keep_buffer(_: Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use crate::command::Command;

    #[test]
    fn a_name_is_kept_and_is_the_same_however_long() {
        for (name, kept) in [
            ("GET", Some("GET")),
            ("SUBSTRLEN", Some("SUBSTRLEN")),
            ("ZRANGEBYLEX", None),
            ("CONFIG GET", None),
        ] {
            let mut command = Command::<()>::new(name).key("k").arg([b'x'; 500]).into_boxed();
            let short = command.keep_name();
            assert_eq!(short.get(), kept);
            assert_eq!(short.get().map_or_else(|| command.name(), ToString::to_string), name);
        }
    }
}
