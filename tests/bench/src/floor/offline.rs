//! The floors in the rows that need no socket.

use super::encode;
use super::scan::{Entries, Pair, Pairs, Scan, Sink, Values};
use crate::contender::{Decode, Encode, Owned};
use crate::measure::Result;
use crate::rows::decode::reads;

/// floor-scan.
#[derive(Default)]
pub struct Scanning {
    buffer: Vec<u8>,
    scan: Scan,
}

impl Decode for Scanning {
    fn feed(&mut self, bytes: &[u8]) -> Result<usize> {
        self.buffer.extend_from_slice(bytes);
        let mut replies = 0;
        while self.scan.next(&self.buffer, &mut ()) {
            replies += 1;
        }
        if self.scan.end() == self.buffer.len() {
            self.buffer.clear();
            self.scan = Scan::default();
        }
        Ok(replies)
    }
}

/// floor-owned.
#[derive(Default)]
pub struct Owning {
    buffer: Vec<u8>,
}

impl Owning {
    fn fill<S: Sink + Default>(&mut self, bytes: &[u8]) -> S {
        let (mut sink, mut scan) = (S::default(), Scan::default());
        self.buffer.clear();
        for read in reads(bytes) {
            self.buffer.extend_from_slice(read);
            scan.next(&self.buffer, &mut sink);
        }
        sink
    }
}

impl Owned for Owning {
    fn array(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(self.fill::<Values>(bytes).0)
    }

    fn map(&mut self, bytes: &[u8]) -> Result<Vec<Pair>> {
        Ok(self.fill::<Pairs>(bytes).pairs)
    }

    fn stream(&mut self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Vec<Pair>)>> {
        Ok(self.fill::<Entries>(bytes).entries)
    }
}

/// The encode floor.
#[derive(Default)]
pub struct Encoding(Vec<u8>);

impl Encode for Encoding {
    fn get(&mut self, key: &str) -> Result<()> {
        encode::command(&mut self.0, [b"GET", key.as_bytes()].into_iter());
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        encode::command(&mut self.0, [b"SET", key.as_bytes(), value.as_bytes()].into_iter());
        Ok(())
    }

    fn mset(&mut self, pairs: &[(String, String)]) -> Result<()> {
        encode::header(&mut self.0, b'*', 1 + 2 * pairs.len());
        encode::argument(&mut self.0, b"MSET");
        self.pairs(pairs);
        Ok(())
    }

    fn hset(&mut self, key: &str, fields: &[(String, String)]) -> Result<()> {
        encode::header(&mut self.0, b'*', 2 + 2 * fields.len());
        encode::argument(&mut self.0, b"HSET");
        encode::argument(&mut self.0, key.as_bytes());
        self.pairs(fields);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

impl Encoding {
    fn pairs(&mut self, pairs: &[(String, String)]) {
        for (name, value) in pairs {
            encode::argument(&mut self.0, name.as_bytes());
            encode::argument(&mut self.0, value.as_bytes());
        }
    }
}
