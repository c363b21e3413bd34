//! Decoding: replies from memory, first into whatever a decoder makes of them, then into owned values.

use std::fmt::Write as _;
use std::hint::black_box;
use std::rc::Rc;

use super::{Choice, Group, Row};
use crate::contender::{Decode, Owned, Suite, redstart};
use crate::floor;
use crate::floor::offline::Owning;
use crate::measure::{self, Lane, Result};
use crate::quantity::{Goal, Quantity, Than};

/// Bytes that a server might send.
pub struct Reply {
    title: &'static str,
    pub bytes: Vec<u8>,
    /// How many replies they are.
    pub replies: usize,
    /// How many strings, which is what the figures are told by.
    pub values: usize,
    pub map: bool,
    /// At most so many times the floor.
    factor: f64,
}

fn string(out: &mut Vec<u8>, text: &str) {
    floor::encode::argument(out, text.as_bytes());
}

fn numbered(prefix: &str, number: usize, width: usize) -> String {
    let mut text = String::from(prefix);
    // Writing to a String cannot fail.
    let _ = write!(text, "{number:0rest$}", rest = width - prefix.len());
    text
}

fn simple() -> Reply {
    Reply {
        title: "`+OK` x 1,000",
        bytes: b"+OK\r\n".repeat(1000),
        replies: 1000,
        values: 1000,
        map: false,
        factor: 2.0,
    }
}

fn bulk() -> Reply {
    let mut bytes = Vec::new();
    (0..1000).for_each(|i| string(&mut bytes, &numbered("value:", i, 64)));
    Reply { title: "64 B bulk x 1,000", bytes, replies: 1000, values: 1000, map: false, factor: 2.0 }
}

fn array() -> Reply {
    let mut bytes = b"*10000\r\n".to_vec();
    (0..10_000).for_each(|i| string(&mut bytes, &numbered("element:", i, 32)));
    Reply { title: "array of 10,000 x 32 B", bytes, replies: 1, values: 10_000, map: false, factor: 1.3 }
}

fn map() -> Reply {
    let mut bytes = b"%5000\r\n".to_vec();
    for i in 0..5000 {
        string(&mut bytes, &numbered("field:", i, 16));
        string(&mut bytes, &numbered("value:", i, 32));
    }
    Reply { title: "map of 5,000 pairs", bytes, replies: 1, values: 10_000, map: true, factor: 1.3 }
}

fn stream() -> Reply {
    let mut bytes = b"*10000\r\n".to_vec();
    for i in 0..10_000 {
        bytes.extend_from_slice(b"*2\r\n");
        string(&mut bytes, &format!("{}-0", 1_700_000_000_000u64 + i as u64));
        bytes.extend_from_slice(b"*2\r\n");
        string(&mut bytes, "temperature");
        string(&mut bytes, &numbered("reading:", i, 32));
    }
    Reply { title: "XRANGE of 10,000 entries", bytes, replies: 1, values: 30_000, map: false, factor: 1.3 }
}

/// What a read from a socket brings at the most.
pub const READ: usize = 16 * 1024;

/// The bytes as reads from a socket would bring them.
pub fn reads(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(READ)
}

fn goal(floor: &'static str, factor: f64) -> Goal {
    Goal { who: redstart::NAME, what: Quantity::Cpu, than: Than::Floor(floor), factor }
}

pub fn group(suite: &Suite, choice: &Choice) -> Result<Group> {
    choice.cpus.pin(true)?;
    let mut rows = Vec::new();
    for reply in [simple(), bulk(), array(), map(), stream()].map(Rc::new) {
        for (how, piece) in [("whole", reply.bytes.len()), ("16 B pieces", 16)] {
            let title = format!("{}, {how}", reply.title);
            if !choice.wants(&title) {
                continue;
            }
            let mut lanes = Vec::new();
            for (name, lane) in &suite.decoders {
                lanes.extend(lane(name, reply.clone(), piece)?);
            }
            let figures = measure::lanes(lanes, choice.offline)?;
            rows.push(Row { title, figures, goals: vec![goal(floor::SCAN, reply.factor)] });
        }
    }
    Ok(Group {
        name: "decode",
        title: "Decode",
        note: "Pinned, without a server. Bytes are copied into the decoder's buffer as by a read, then every reply is \
               taken out in the decoder's own form; per value.",
        floor: floor::SCAN,
        main: Quantity::Cpu,
        beside: &[Quantity::Allocations],
        rows,
    })
}

/// A lane that feeds the reply in pieces of a given size, if `D` can take part.
pub fn lane<D: Decode>(name: &'static str, reply: Rc<Reply>, piece: usize) -> Result<Option<Lane>> {
    let large = piece < reply.bytes.len() && reply.values > reply.replies;
    if (reply.map && !D::MAPS) || (large && !D::RESUMES) {
        return Ok(None);
    }
    let mut decoder = D::default();
    Ok(Some(Lane::new(name, move |passes| {
        for _ in 0..passes {
            let mut replies = 0;
            for piece in black_box(&reply.bytes).chunks(piece) {
                replies += decoder.feed(piece)?;
            }
            if replies != reply.replies {
                return Err(format!("{name} found {replies} replies, not {}", reply.replies).into());
            }
        }
        Ok(passes * reply.values as u64)
    })))
}

/// The shape of a reply that becomes owned values.
#[derive(Clone, Copy)]
enum Shape {
    Array,
    Map,
    Stream,
}

pub struct OwnedReply {
    shape: Shape,
    pub reply: Rc<Reply>,
}

pub fn owned_group(suite: &Suite, choice: &Choice) -> Result<Group> {
    choice.cpus.pin(true)?;
    let mut rows = Vec::new();
    for (shape, reply) in [(Shape::Array, array()), (Shape::Map, map()), (Shape::Stream, stream())] {
        let title = reply.title.to_owned();
        if !choice.wants(&title) {
            continue;
        }
        let reply = Rc::new(OwnedReply { shape, reply: Rc::new(reply) });
        let mut lanes = Vec::new();
        for (name, lane) in &suite.owned {
            lanes.extend(lane(name, reply.clone())?);
        }
        let figures = measure::lanes(lanes, choice.offline)?;
        rows.push(Row { title, figures, goals: vec![goal(floor::OWNED, 1.15)] });
    }
    Ok(Group {
        name: "owned",
        title: "Decode into owned values",
        note: "Pinned, without a server. Reads of 16 KiB, then a block of memory for each string, in vectors of \
               strings, pairs, or entries; per value.",
        floor: floor::OWNED,
        main: Quantity::Cpu,
        beside: &[Quantity::Allocations],
        rows,
    })
}

/// A lane that decodes the reply, if `D` can take part; what it makes is compared with what the floor makes.
pub fn owned_lane<D: Owned>(name: &'static str, reply: Rc<OwnedReply>) -> Result<Option<Lane>> {
    let (shape, bytes) = (reply.shape, &reply.reply.bytes);
    if matches!(shape, Shape::Map) && !D::MAPS {
        return Ok(None);
    }
    let (mut decoder, mut floor) = (D::default(), Owning::default());
    let same = match shape {
        Shape::Array => decoder.array(bytes)? == floor.array(bytes)?,
        Shape::Map => {
            let mut pairs = decoder.map(bytes)?;
            // Some keep maps in a hash table; the floor's reply is in order already.
            pairs.sort_unstable();
            pairs == floor.map(bytes)?
        }
        Shape::Stream => decoder.stream(bytes)? == floor.stream(bytes)?,
    };
    if !same {
        return Err(format!("{name} decodes something else").into());
    }
    Ok(Some(Lane::new(name, move |passes| {
        let bytes = black_box(&reply.reply.bytes);
        for _ in 0..passes {
            match reply.shape {
                Shape::Array => drop(black_box(decoder.array(bytes)?)),
                Shape::Map => drop(black_box(decoder.map(bytes)?)),
                Shape::Stream => drop(black_box(decoder.stream(bytes)?)),
            }
        }
        Ok(passes * reply.reply.values as u64)
    })))
}
