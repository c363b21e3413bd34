//! What was read of a socket and not yet taken.

use super::scan::{Scan, Sink};

/// A buffer of which only what is partial is kept from one read to the next.
pub struct Input {
    bytes: Vec<u8>,
    filled: usize,
    scan: Scan,
}

impl Default for Input {
    fn default() -> Self {
        Self { bytes: vec![0; 64 << 10], filled: 0, scan: Scan::default() }
    }
}

impl Input {
    /// Where the next read goes: never empty, and as large as is known to be needed.
    pub fn room(&mut self) -> &mut [u8] {
        let passed = self.scan.passed();
        self.bytes.copy_within(passed..self.filled, 0);
        self.filled -= passed;
        self.scan.shift(passed);
        let size = self.scan.need().max(self.filled + 1).max(self.bytes.len());
        self.bytes.resize(size, 0);
        &mut self.bytes[self.filled..]
    }

    /// So much was read.
    pub fn fill(&mut self, count: usize) {
        self.filled += count;
    }

    /// Passes the rest of a reply, if it is there. The sink is given all parts of a reply once, in several calls if
    /// it comes in several reads.
    pub fn next(&mut self, sink: &mut impl Sink) -> bool {
        self.scan.next(&self.bytes[..self.filled], sink)
    }
}
