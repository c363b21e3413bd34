//! redis-protocol: fred's decoder, by the functions that fred calls. It starts a partial reply again from
//! its beginning, so it is spared large replies in small pieces.

use std::hint::black_box;

use bytes::BytesMut;
use redis_protocol::resp2::decode::decode_bytes_mut as decode2;
use redis_protocol::resp2::types::BytesFrame as Frame2;
use redis_protocol::resp3::decode::streaming::decode_bytes_mut as decode3;
use redis_protocol::resp3::types::{BytesFrame as Frame3, DecodedFrame};

use super::{Decode, Owned, Suite};
use crate::floor::scan::Pair;
use crate::measure::Result;
use crate::rows::decode::reads;

pub fn register(suite: &mut Suite) {
    suite.decoder::<Resp2>("redis-protocol 2");
    suite.decoder::<Resp3>("redis-protocol 3");
    suite.owned::<Resp2>("redis-protocol 2");
    suite.owned::<Resp3>("redis-protocol 3");
}

#[derive(Default)]
struct Resp2(BytesMut);

#[derive(Default)]
struct Resp3(BytesMut);

impl Decode for Resp2 {
    const RESUMES: bool = false;
    const MAPS: bool = false;

    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.extend_from_slice(bytes);
        let mut replies = 0;
        while let Some((frame, ..)) = &decode2(&mut self.0)? {
            black_box(frame);
            replies += 1;
        }
        Ok(replies)
    }
}

impl Decode for Resp3 {
    const RESUMES: bool = false;

    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.extend_from_slice(bytes);
        let mut replies = 0;
        while let Some((frame, ..)) = &decode3(&mut self.0)? {
            black_box(frame);
            replies += 1;
        }
        Ok(replies)
    }
}

impl Resp2 {
    fn frame(&mut self, bytes: &[u8]) -> Result<Frame2> {
        for read in reads(bytes) {
            self.0.extend_from_slice(read);
            if let Some((frame, ..)) = decode2(&mut self.0)? {
                return Ok(frame);
            }
        }
        Err("the reply is incomplete".into())
    }
}

impl Resp3 {
    fn frame(&mut self, bytes: &[u8]) -> Result<Frame3> {
        for read in reads(bytes) {
            self.0.extend_from_slice(read);
            if let Some((DecodedFrame::Complete(frame), ..)) = decode3(&mut self.0)? {
                return Ok(frame);
            }
        }
        Err("the reply is incomplete".into())
    }
}

/// What both kinds of frame are taken apart into.
trait Parts: Sized {
    fn string(self) -> Result<Vec<u8>>;
    fn elements(self) -> Result<Vec<Self>>;
}

impl Parts for Frame2 {
    fn string(self) -> Result<Vec<u8>> {
        match self {
            Self::BulkString(data) => Ok(data.to_vec()),
            _ => Err("not a string".into()),
        }
    }

    fn elements(self) -> Result<Vec<Self>> {
        match self {
            Self::Array(data) => Ok(data),
            _ => Err("not an array".into()),
        }
    }
}

impl Parts for Frame3 {
    fn string(self) -> Result<Vec<u8>> {
        match self {
            Self::BlobString { data, .. } => Ok(data.to_vec()),
            _ => Err("not a string".into()),
        }
    }

    fn elements(self) -> Result<Vec<Self>> {
        match self {
            Self::Array { data, .. } => Ok(data),
            _ => Err("not an array".into()),
        }
    }
}

fn strings<F: Parts>(frame: F) -> Result<Vec<Vec<u8>>> {
    frame.elements()?.into_iter().map(F::string).collect()
}

fn entries<F: Parts>(frame: F) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
    let entry = |entry: F| {
        let mut parts = entry.elements()?.into_iter();
        let (Some(id), Some(fields)) = (parts.next(), parts.next()) else {
            return Err("not an entry".into());
        };
        let mut fields = fields.elements()?.into_iter();
        let mut pairs = Vec::with_capacity(fields.len() / 2);
        while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
            pairs.push((field.string()?, value.string()?));
        }
        Ok((id.string()?, pairs))
    };
    frame.elements()?.into_iter().map(entry).collect()
}

impl Owned for Resp2 {
    const MAPS: bool = false;

    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        strings(self.frame(bytes)?)
    }

    fn map(&mut self, _bytes: &[u8]) -> Result<Vec<Pair>> {
        Err("RESP2 has no maps".into())
    }

    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
        entries(self.frame(bytes)?)
    }
}

impl Owned for Resp3 {
    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        strings(self.frame(bytes)?)
    }

    fn map(&mut self, bytes: &[u8]) -> Result<Vec<Pair>> {
        let Frame3::Map { data, .. } = self.frame(bytes)? else { return Err("not a map".into()) };
        data.into_iter().map(|(key, value)| Ok((key.string()?, value.string()?))).collect()
    }

    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
        entries(self.frame(bytes)?)
    }
}
