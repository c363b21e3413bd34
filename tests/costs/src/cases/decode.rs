//! Bytes to frames, and frames to owned values.

use std::hint::black_box;

use bytes::BytesMut;
use redstart_core::command::FromReply;
use redstart_core::resp::{Decoder, Frame, Limits};

use super::{Case, Outcome};
use crate::replies::{self, KINDS, Replies};

type Strings = Vec<Vec<u8>>;
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
type Entries = Vec<(Vec<u8>, Pairs)>;

/// What a read from a socket brings.
const READ: usize = 16 << 10;

pub(super) fn cases() -> Vec<Case> {
    let framed = KINDS.into_iter().flat_map(|(title, make)| {
        let case =
            |how: &str, piece| Case::new(format!("decode {title}{how}"), 4, move || frames(make(), piece));
        [case("", usize::MAX), case(", 16 B pieces", 16)]
    });
    let owned = [
        Case::new("own array of 10,000 x 32 B", 4, || owns::<Strings>(replies::array())),
        Case::new("own map of 5,000 pairs", 4, || owns::<Pairs>(replies::map())),
        Case::new("own XRANGE of 10,000 entries", 4, || owns::<Entries>(replies::stream())),
    ];
    framed.chain(owned).collect()
}

/// Decodes what comes in such pieces, and drops the frames.
fn frames(replies: Replies, piece: usize) -> impl FnMut(u64) -> Outcome {
    decoding(replies, piece, |frame| drop(black_box(frame)))
}

/// Decodes and converts.
fn owns<T: FromReply>(replies: Replies) -> impl FnMut(u64) -> Outcome {
    decoding(replies, READ, |frame| {
        let value = T::from_reply(frame.item());
        drop(black_box(value.unwrap_or_else(|error| panic!("{error}"))));
    })
}

fn decoding(replies: Replies, piece: usize, mut take: impl FnMut(Frame)) -> impl FnMut(u64) -> Outcome {
    let (mut decoder, mut buffer) = (Decoder::new(Limits::default()), BytesMut::new());
    move |passes| {
        let mut found = 0;
        for _ in 0..passes {
            for piece in black_box(&replies.bytes).chunks(piece) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = decoder.decode(&mut buffer).unwrap_or_else(|error| panic!("{error}"))
                {
                    take(frame);
                    found += 1;
                }
            }
        }
        assert_eq!(found, passes * replies.replies as u64);
        Outcome { operations: passes * replies.values as u64, socket_calls: 0 }
    }
}
