//! Tuples: as replies of a fixed length, and as batches of commands.

use alloc::format;
use alloc::vec::Vec;

use super::Command;
use super::batch::{Batch, PackedBatch};
use super::outcomes::Results;
use super::reply::{FromReply, elements, is_nested, read_all, unexpected};
use crate::error::{ConversionError, Error};
use crate::resp::{Item, Items, Kind};

/// The elements of a list taken as tuples of `N`: each an array of its own, or one after the other.
fn rows<'a, T>(
    item: Item<'a>,
    width: usize,
    read: impl Fn(&mut Items<'a>) -> Result<T, ConversionError>,
) -> Result<Vec<T>, ConversionError> {
    let mut items = elements(item)?;
    if item.kind() != Kind::Map && is_nested(item) {
        let row = |row: Item<'a>| {
            if row.len() == width { read(&mut row.items()) } else { Err(wrong_width(width, row)) }
        };
        return read_all(items.len(), items.map(row));
    }
    if items.len() % width != 0 {
        return Err(unexpected(format!("groups of {width}"), item));
    }
    let count = items.len() / width;
    read_all(count, (0..count).map(|_| read(&mut items)))
}

fn wrong_width(width: usize, item: Item<'_>) -> ConversionError {
    unexpected(format!("{width} elements"), item)
}

/// Whether there is no tuple: nil, or an array without elements.
fn is_absent(item: Item<'_>) -> bool {
    item.is_null() || (item.kind() == Kind::Array && item.is_empty())
}

macro_rules! tuple {
    ($n:literal: $($type:ident $value:ident),+) => {
        impl<$($type: FromReply),+> FromReply for ($($type,)+) {
            fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
                let mut items = elements(item)?;
                if items.len() != $n {
                    return Err(wrong_width($n, item));
                }
                $(let $value = match items.next() {
                        Some(next) => $type::from_reply(next)?,
                        None => return Err(wrong_width($n, item)),
                    };)+
                Ok(($($value,)+))
            }

            fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
                rows(item, $n, |items| {
                    $(let $value = match items.next() {
                        Some(next) => $type::from_reply(next)?,
                        None => return Err(wrong_width($n, item)),
                    };)+
                    Ok(($($value,)+))
                })
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
