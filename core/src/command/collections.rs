//! Sets and maps, ordered and hashed, as replies and as arguments.

use alloc::collections::{BTreeMap, BTreeSet};

use super::reply::{FromReply, elements, pairs};
use crate::error::ConversionError;
use crate::resp::Item;

impl<T: FromReply + Ord> FromReply for BTreeSet<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        elements(item)?.map(T::from_reply).collect()
    }
}

impl<K: FromReply + Ord, V: FromReply> FromReply for BTreeMap<K, V> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        read_pairs(item)?.collect()
    }
}

fn read_pairs<'a, K: FromReply, V: FromReply>(
    item: Item<'a>,
) -> Result<impl Iterator<Item = Result<(K, V), ConversionError>> + use<'a, K, V>, ConversionError> {
    Ok(pairs(item)?.map(|pair| {
        let (key, value) = pair?;
        Ok((K::from_reply(key)?, V::from_reply(value)?))
    }))
}

/// Hashed collections exist only with the standard library. They are the user's own types here; no
/// machine iterates over one.
#[cfg(feature = "std")]
mod hashed {
    use core::hash::{BuildHasher, Hash};
    use std::collections::{HashMap, HashSet};

    use super::super::args::{Arg, ArgSink, Args, Pairs};
    use super::{ConversionError, FromReply, Item, elements, read_pairs};

    impl<T: FromReply + Eq + Hash, S: BuildHasher + Default> FromReply for HashSet<T, S> {
        fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
            elements(item)?.map(T::from_reply).collect()
        }
    }

    impl<K: FromReply + Eq + Hash, V: FromReply, S: BuildHasher + Default> FromReply for HashMap<K, V, S> {
        fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
            read_pairs(item)?.collect()
        }
    }

    impl<T: Arg, S> Args for HashSet<T, S> {
        fn write_to(&self, out: &mut ArgSink<'_>) {
            for arg in self {
                out.arg(arg);
            }
        }

        fn count(&self) -> usize {
            self.len()
        }
    }

    impl<A: Arg, B: Arg, S> Args for HashMap<A, B, S> {
        fn write_to(&self, out: &mut ArgSink<'_>) {
            for (a, b) in self {
                out.arg(a).arg(b);
            }
        }

        fn count(&self) -> usize {
            self.len() * 2
        }
    }

    impl<A: Arg, B: Arg, S> Pairs for HashMap<A, B, S> {
        fn for_each(&self, each: &mut dyn FnMut(&dyn Arg, &dyn Arg)) {
            for (a, b) in self {
                each(a, b);
            }
        }

        fn count(&self) -> usize {
            self.len()
        }
    }
}
