//! Tuples: as replies of a fixed length, and as batches of commands.

use alloc::format;
use alloc::vec::Vec;

use super::Command;
use super::batch::{Batch, PackedBatch};
use super::outcomes::Results;
use super::reply::{FromReply, elements, is_nested, unexpected};
use crate::error::{ConversionError, Error};
use crate::resp::{Item, Items, Kind};

/// A tuple, made of the elements of a list that come next.
trait Row: Sized {
    const WIDTH: usize;

    /// `item` is what an error tells of.
    fn read<'a>(items: &mut Items<'a>, item: Item<'a>) -> Result<Self, ConversionError>;
}

/// The elements of a list taken as tuples: each an array of its own, or one after the other.
fn rows<T: Row>(item: Item<'_>) -> Result<Vec<T>, ConversionError> {
    let mut items = elements(item)?;
    if item.kind() != Kind::Map && is_nested(item) {
        let mut list = Vec::with_capacity(items.len());
        for row in items {
            if row.len() != T::WIDTH {
                return Err(wrong_width(T::WIDTH, row));
            }
            list.push(T::read(&mut row.items(), row)?);
        }
        return Ok(list);
    }
    if items.len() % T::WIDTH != 0 {
        return Err(unexpected(format!("groups of {}", T::WIDTH), item));
    }
    let mut list = Vec::with_capacity(items.len() / T::WIDTH);
    while items.len() > 0 {
        list.push(T::read(&mut items, item)?);
    }
    Ok(list)
}

/// The next of `width` elements of `item`.
#[inline(always)]
fn next<'a, T: FromReply>(items: &mut Items<'a>, width: usize, item: Item<'a>) -> Result<T, ConversionError> {
    match items.next() {
        Some(next) => T::from_reply(next),
        None => Err(wrong_width(width, item)),
    }
}

#[cold]
fn wrong_width(width: usize, item: Item<'_>) -> ConversionError {
    unexpected(format!("{width} elements"), item)
}

/// Whether there is no tuple: nil, or an array without elements.
fn is_absent(item: Item<'_>) -> bool {
    item.is_null() || (item.kind() == Kind::Array && item.is_empty())
}

macro_rules! tuple {
    ($n:literal: $($type:ident $value:ident),+) => {
        impl<$($type: FromReply),+> Row for ($($type,)+) {
            const WIDTH: usize = $n;

            // What it makes goes to its place in a list and nowhere before.
            #[inline(always)]
            fn read<'a>(items: &mut Items<'a>, item: Item<'a>) -> Result<Self, ConversionError> {
                Ok(($(next::<$type>(items, $n, item)?,)+))
            }
        }

        impl<$($type: FromReply),+> FromReply for ($($type,)+) {
            fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
                let mut items = elements(item)?;
                if items.len() != $n {
                    return Err(wrong_width($n, item));
                }
                Self::read(&mut items, item)
            }

            fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
                rows(item)
            }

            fn option_from_reply(item: Item<'_>) -> Result<Option<Self>, ConversionError> {
                if is_absent(item) { Ok(None) } else { Self::from_reply(item).map(Some) }
            }
        }

        impl<$($type: FromReply),+> Batch for ($(Command<$type>,)+) {
            type Replies = ($($type,)+);
            type Results = ($(Result<$type, Error>,)+);

            fn pack_into(self, batch: &mut PackedBatch) {
                let ($($value,)+) = self;
                $(batch.push(&$value.into_packed());)+
            }

            fn results(results: &mut Results<'_>) -> Self::Results {
                ($(results.read::<$type>(),)+)
            }

            fn replies(results: Self::Results) -> Result<Self::Replies, Error> {
                let ($($value,)+) = results;
                Ok(($($value?,)+))
            }
        }
    };
}

tuple!(1: A a);
tuple!(2: A a, B b);
tuple!(3: A a, B b, C c);
tuple!(4: A a, B b, C c, D d);
tuple!(5: A a, B b, C c, D d, E e);
tuple!(6: A a, B b, C c, D d, E e, F f);
tuple!(7: A a, B b, C c, D d, E e, F f, G g);
tuple!(8: A a, B b, C c, D d, E e, F f, G g, H h);
tuple!(9: A a, B b, C c, D d, E e, F f, G g, H h, I i);
tuple!(10: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
tuple!(11: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
tuple!(12: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use core::fmt::Debug;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read<T: FromReply>(wire: &str) -> Result<T, ConversionError> {
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
        T::from_reply(frame.expect("a legal reply").expect("a whole reply").item())
    }

    /// Reads `wire`, which holds the integers from 1 on, as a tuple and as a list of it in two spellings.
    fn check<T: FromReply + PartialEq + Debug>(width: usize, tuple: T) {
        let numbers: String = (1..=width).map(|n| format!(":{n}\r\n")).collect();
        let row = format!("*{width}\r\n{numbers}");
        assert_eq!(read::<T>(&row).as_ref(), Ok(&tuple));
        assert_eq!(read::<T>(&row.replacen('*', "~", 1)).as_ref(), Ok(&tuple));
        let nested = read::<Vec<T>>(&format!("*2\r\n{row}{row}")).expect("rows one by one");
        let flat = read::<Vec<T>>(&format!("*{}\r\n{numbers}{numbers}", 2 * width)).expect("rows in turn");
        assert_eq!(nested, flat);
        assert_eq!((nested.len(), &nested[1]), (2, &tuple));
        let short = read::<T>(&format!("*{}\r\n{numbers}:0\r\n", width + 1)).expect_err("one too many");
        let text = format!("expected {width} elements, got array of {} elements", width + 1);
        assert_eq!(short.to_string(), text);
    }

    #[test]
    fn every_width() {
        check(1, (1,));
        check(2, (1, 2));
        check(3, (1, 2, 3));
        check(4, (1, 2, 3, 4));
        check(5, (1, 2, 3, 4, 5));
        check(6, (1, 2, 3, 4, 5, 6));
        check(7, (1, 2, 3, 4, 5, 6, 7));
        check(8, (1, 2, 3, 4, 5, 6, 7, 8));
        check(9, (1, 2, 3, 4, 5, 6, 7, 8, 9));
        check(10, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        check(11, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
        check(12, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    }
}
