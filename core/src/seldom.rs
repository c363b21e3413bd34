//! Parts that most clients never use, and hold nothing for until they do.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};

/// What can be there without holding anything.
pub(crate) trait Vacant: Default + 'static {
    /// The part as it is before it is used.
    const VACANT: &'static Self;
}

/// A part in a box that is made by the first change. To look at it makes none; what may have nothing to change asks
/// for [`made`](Self::made) first.
#[derive(Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T> Seldom<T> {
    /// Nothing is there yet.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// The part, if it was ever used.
    #[inline]
    pub(crate) fn made(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Gives back the box of a part that `is_vacant` again.
    pub(crate) fn shrink(&mut self, is_vacant: impl FnOnce(&T) -> bool) {
        self.0.take_if(|part| is_vacant(part));
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Vacant> Deref for Seldom<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::VACANT)
    }
}

impl<T: Vacant> DerefMut for Seldom<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(make)
    }
}

/// Apart, so that those who change a part that is there are small enough to be inlined.
#[cold]
#[inline(never)]
fn make<T: Default>() -> Box<T> {
    Box::default()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[derive(Debug, Default)]
    struct Part {
        list: Vec<u8>,
    }

    impl Vacant for Part {
        const VACANT: &'static Self = &Self { list: Vec::new() };
    }

    #[test]
    fn a_part_is_made_by_the_first_change_alone() {
        let mut part = Seldom::<Part>::new();
        assert!(part.list.is_empty() && part.made().is_none(), "to look at it has made it");
        part.list.push(1);
        assert!(part.made().is_some_and(|part| part.list == [1]));
        part.shrink(|part| part.list.is_empty());
        assert!(part.made().is_some(), "it is used");
        part.list.clear();
        part.shrink(|part| part.list.is_empty());
        assert!(part.made().is_none());
    }
}
