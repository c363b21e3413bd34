//! Tuples: as replies of a fixed length, and as batches of commands.

use alloc::format;
use alloc::vec::Vec;

use super::Command;
use super::batch::{Batch, PackedBatch, Results, read_next};
use super::reply::{FromReply, elements, is_nested, unexpected};
use crate::error::{ConversionError, Error};
use crate::resp::{Item, Kind};

/// The elements of a list taken as tuples of `N`: each an array of its own, or one after the other.
fn rows<'a, T>(
    item: Item<'a>,
    width: usize,
    read: impl Fn(&mut dyn Iterator<Item = Item<'a>>) -> Result<T, ConversionError>,
) -> Result<Vec<T>, ConversionError> {
    let mut items = elements(item)?;
    if item.kind() != Kind::Map && is_nested(item) {
        return items
            .map(|row| if row.len() == width { read(&mut row.items()) } else { Err(wrong_width(width, row)) })
            .collect();
    }
    if items.len() % width != 0 {
        return Err(unexpected(format!("groups of {width}"), item));
    }
    (0..items.len() / width).map(|_| read(&mut items)).collect()
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
                $(let $value = items.next().ok_or_else(|| wrong_width($n, item)).and_then($type::from_reply)?;)+
                Ok(($($value,)+))
            }

            fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
                rows(item, $n, |items| {
                    $(let $value = items.next().ok_or_else(|| wrong_width($n, item)).and_then($type::from_reply)?;)+
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

            fn pack(self) -> PackedBatch {
                let ($($value,)+) = self;
                let mut batch = PackedBatch::default();
                $(batch.push(&$value.into_packed());)+
                batch
            }

            fn results(results: &mut Results<'_>) -> Self::Results {
                ($(read_next::<$type>(results),)+)
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
