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

    use super::super::args::{Arg, ArgSink, Args, PairSink, Pairs};
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
            out.each(self.iter());
        }

        fn count(&self) -> usize {
            self.len()
        }
    }

    impl<A: Arg, B: Arg, S> Args for HashMap<A, B, S> {
        fn write_to(&self, out: &mut ArgSink<'_>) {
            out.each_pair(self.iter());
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

        fn write_to(&self, out: &mut PairSink<'_>) {
            out.each(self.iter());
        }

        fn count(&self) -> usize {
            self.len()
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt::Debug;
    use std::collections::{HashMap, HashSet};

    use bytes::BytesMut;

    use super::*;
    use crate::command::{Args, Command, Pairs};
    use crate::resp::{Decoder, Limits};

    fn read<T: FromReply + Debug>(wire: &str) -> Result<T, ConversionError> {
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
        T::from_reply(frame.expect("a legal reply").expect("a whole reply").item())
    }

    #[test]
    fn hashed_sets_and_maps_from_every_spelling() {
        for wire in ["~2\r\n:3\r\n:1\r\n", "*3\r\n$1\r\n3\r\n:1\r\n:3\r\n"] {
            assert_eq!(read(wire), Ok(HashSet::<i64>::from([1, 3])), "{wire:?}");
        }
        let map =
            HashMap::<_, _>::from([(String::from("a"), b"x".to_vec()), (String::from("b"), Vec::new())]);
        for wire in [
            "%2\r\n+a\r\n+x\r\n+b\r\n+\r\n",
            "*4\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\nb\r\n$0\r\n\r\n",
            "*2\r\n*2\r\n+a\r\n+x\r\n*2\r\n+b\r\n+\r\n",
        ] {
            assert_eq!(read(wire).as_ref(), Ok(&map), "{wire:?}");
        }
        assert!(read::<HashSet<i64>>("_\r\n").is_err());
        assert!(read::<HashMap<String, i64>>("*1\r\n+a\r\n").is_err());
    }

    #[test]
    fn hashed_sets_and_maps_as_arguments() {
        fn texts(command: &Command<()>) -> Vec<String> {
            let args = command.packed().args().skip(1);
            args.map(|arg| String::from_utf8_lossy(&arg).into_owned()).collect()
        }
        let (set, map) = (HashSet::<&str>::from(["a"]), HashMap::<_, _>::from([("a", 1)]));
        assert_eq!(
            (texts(&Command::new("X").args(&set)), Args::count(&set)),
            (["a"].map(String::from).into(), 1)
        );
        let pair: Vec<_> = ["a", "1"].map(String::from).into();
        assert_eq!((texts(&Command::new("X").args(&map)), Args::count(&map)), (pair.clone(), 2));
        assert_eq!((texts(&Command::new("X").pairs(&map)), Pairs::count(&map)), (pair, 1));
    }
}
