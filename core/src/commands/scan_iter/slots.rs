//! Sets of slots.

use alloc::boxed::Box;

use crate::command::slot::SLOTS;
use crate::commands::cluster::SlotRange;

/// A set of slots in 2 KiB.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slots(Box<[u64; WORDS]>);

const WORDS: usize = SLOTS as usize / 64;

impl Slots {
    pub(super) fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    /// Those of the ranges that there are.
    pub(super) fn of(ranges: &[SlotRange]) -> Self {
        let mut slots = Self::new();
        for &range in ranges {
            slots.add(range);
        }
        slots
    }

    /// Adds the slots of a range. Returns whether all of them are slots, and new here.
    pub(super) fn add(&mut self, range: SlotRange) -> bool {
        let (first, last) = (range.start, range.end.min(SLOTS - 1));
        let mut new = range.start <= range.end && range.end < SLOTS;
        for (index, word) in (0..).step_by(64).zip(self.0.iter_mut()) {
            if first > index + 63 || last < index || first > last {
                continue;
            }
            let from = u64::MAX << first.saturating_sub(index);
            let to = u64::MAX >> (63 - (last - index).min(63));
            new &= *word & from & to == 0;
            *word |= from & to;
        }
        new
    }

    pub(super) fn contains(&self, slot: u16) -> bool {
        self.0.get(usize::from(slot / 64)).is_some_and(|word| word & 1 << (slot % 64) != 0)
    }

    pub(super) fn remove(&mut self, slot: u16) {
        if let Some(word) = self.0.get_mut(usize::from(slot / 64)) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// Those that are in the other set, too.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(word, other)| *word &= other);
        self
    }

    /// Adds those of the other set.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(word, other)| *word |= other);
    }

    /// The slots of the range that are not in it, in order.
    pub(super) fn gaps(&self, range: SlotRange) -> impl Iterator<Item = u16> {
        let mut next = range.start;
        core::iter::from_fn(move || {
            while next <= range.end {
                let word = self.0.get(usize::from(next / 64))?;
                let gaps = !word & u64::MAX << (next % 64);
                if gaps == 0 {
                    next = (next / 64 + 1) * 64;
                    continue;
                }
                let gap = next / 64 * 64 + gaps.trailing_zeros() as u16;
                next = gap + 1;
                return (gap <= range.end).then_some(gap);
            }
            None
        })
    }

    pub(super) fn count(&self) -> u16 {
        // At most 16,384.
        self.0.iter().map(|word| word.count_ones() as u16).sum()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn slots(set: &Slots) -> Vec<u16> {
        (0..=u16::MAX).filter(|&slot| set.contains(slot)).collect()
    }

    #[test]
    fn ranges_are_added_as_slot_by_slot() {
        let ends = [0, 1, 62, 63, 64, 65, 127, 128, 8_191, 16_320, 16_382, 16_383, 16_384, u16::MAX];
        for start in ends {
            for end in ends {
                let mut set = Slots::new();
                let all_there = start <= end && end < SLOTS;
                assert_eq!(set.add(SlotRange::new(start, end)), all_there, "{start} {end}");
                let expected: Vec<u16> = (start..=end).filter(|&slot| slot < SLOTS).collect();
                assert_eq!(slots(&set), expected, "{start} {end}");
                assert_eq!(usize::from(set.count()), expected.len());
            }
        }
    }

    #[test]
    fn gaps_are_what_is_not_there() {
        let sets =
            [&[][..], &[(0, 16_383)], &[(0, 63), (65, 127)], &[(1, 16_382)], &[(10, 20), (16_320, 16_383)]];
        let ends = [0, 1, 9, 20, 63, 64, 128, 16_319, 16_320, 16_382, 16_383, 16_384, u16::MAX];
        for ranges in sets {
            let set =
                Slots::of(&Vec::from_iter(ranges.iter().map(|&(start, end)| SlotRange::new(start, end))));
            for (start, end) in ends.into_iter().flat_map(|start| ends.map(|end| (start, end))) {
                let gaps = set.gaps(SlotRange::new(start, end));
                let naive = (start..=end).filter(|&slot| slot < SLOTS && !set.contains(slot));
                assert!(gaps.eq(naive), "{ranges:?}: {start} {end}");
            }
        }
    }

    #[test]
    fn what_is_added_twice_is_told() {
        let mut set = Slots::of(&[SlotRange::new(0, 99), SlotRange::new(200, 299)]);
        for (range, new) in [((100, 199), true), ((50, 51), false), ((299, 400), false), ((401, 500), true)] {
            assert_eq!(set.add(SlotRange::new(range.0, range.1)), new, "{range:?}");
        }
        assert_eq!(set.count(), 501);
    }

    #[test]
    fn sets_of_sets() {
        let (a, b) = (Slots::of(&[SlotRange::new(10, 20)]), Slots::of(&[SlotRange::new(15, 80)]));
        let mut both = a.clone().and(&b);
        assert!(slots(&both).into_iter().eq(15..=20));
        both.remove(17);
        both.remove(u16::MAX);
        assert_eq!(slots(&both), [15, 16, 18, 19, 20]);
        both.extend(&a);
        assert!(slots(&both).into_iter().eq(10..=20));
    }
}
