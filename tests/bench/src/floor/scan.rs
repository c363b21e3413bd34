//! The decode floors: `floor-scan` finds where a reply ends and builds nothing; `floor-owned` does the same
//! and makes one `Vec` per bulk string. They trust their input: what is not RESP is not noticed.

/// What to do with the parts of a reply as they are passed. `()` does nothing.
pub trait Sink {
    /// A collection of `len` elements begins (for a map: keys and values).
    fn open(&mut self, _len: usize) {}
    /// A string, number or other value without elements.
    fn value(&mut self, _bytes: &[u8]) {}
}

impl Sink for () {}

/// Keeps one value: what a reply to GET is.
impl Sink for Option<Vec<u8>> {
    fn value(&mut self, bytes: &[u8]) {
        *self = Some(bytes.to_vec());
    }
}

/// Keeps the length of the last value: that of a message's payload.
#[derive(Default)]
pub struct Last(pub usize);

impl Sink for Last {
    fn value(&mut self, bytes: &[u8]) {
        self.0 = bytes.len();
    }
}

/// Finds replies in a buffer that grows at its end. It never starts a reply again.
#[derive(Default)]
pub struct Scan {
    /// Where the next element begins.
    at: usize,
    /// No use looking before the buffer has this many bytes.
    need: usize,
    /// Elements still missing from the current reply; 0 between replies.
    missing: usize,
    /// Where the last whole reply ended.
    end: usize,
}

impl Scan {
    /// Goes on where it stopped; true once a whole reply has been passed.
    pub fn next(&mut self, buffer: &[u8], sink: &mut impl Sink) -> bool {
        if buffer.len() < self.need {
            return false;
        }
        let mut missing = self.missing.max(1);
        while missing > 0 {
            match element(buffer, self.at, sink) {
                Ok((end, elements)) => {
                    self.at = end;
                    missing = missing - 1 + elements;
                }
                Err(need) => {
                    self.need = need;
                    self.missing = missing;
                    return false;
                }
            }
        }
        self.missing = 0;
        self.end = self.at;
        true
    }

    /// How long the buffer must be for anything to be found.
    pub fn need(&self) -> usize {
        self.need
    }

    /// Where the last whole reply ended.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Where the last whole element ended: a sink has what it wants of everything before.
    pub fn passed(&self) -> usize {
        self.at
    }

    /// The front `count` bytes were removed from the buffer.
    pub fn shift(&mut self, count: usize) {
        self.at -= count;
        self.need = self.need.saturating_sub(count);
        self.end = self.end.saturating_sub(count);
    }
}

/// Passes one element: where it ends and how many elements it announces, or how long the buffer must be.
fn element(buffer: &[u8], at: usize, sink: &mut impl Sink) -> Result<(usize, usize), usize> {
    let Some((&mark, line)) = buffer[at..].split_first() else { return Err(at + 1) };
    match mark {
        b'$' | b'=' | b'!' => {
            let (length, used) = number(line).ok_or(buffer.len() + 1)?;
            let start = at + 1 + used;
            let Some(length) = length else { return Ok((start, 0)) };
            let end = start + length;
            sink.value(buffer.get(start..end).filter(|_| buffer.len() >= end + 2).ok_or(end + 2)?);
            Ok((end + 2, 0))
        }
        b'*' | b'%' | b'~' | b'>' => {
            let (length, used) = number(line).ok_or(buffer.len() + 1)?;
            let elements = length.unwrap_or(0) << u32::from(mark == b'%');
            sink.open(elements);
            Ok((at + 1 + used, elements))
        }
        _ => {
            let end = memchr::memchr(b'\n', line).ok_or(buffer.len() + 1)?;
            sink.value(&line[..end - 1]);
            Ok((at + 1 + end + 1, 0))
        }
    }
}

/// Reads `<digits>\r\n`, or `-1\r\n` as no number; also says how long that was.
fn number(line: &[u8]) -> Option<(Option<usize>, usize)> {
    let mut number = 0;
    for (i, &byte) in line.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let end = i + 2;
            return match byte {
                b'-' if line.len() >= 4 => Some((None, 4)),
                b'\r' if line.len() >= end => Some((Some(number), end)),
                _ => None,
            };
        }
        number = number * 10 + usize::from(digit);
    }
    None
}

/// A flat array.
#[derive(Default)]
pub struct Values(pub Vec<Vec<u8>>);

impl Sink for Values {
    fn open(&mut self, len: usize) {
        self.0.reserve(len);
    }

    fn value(&mut self, bytes: &[u8]) {
        self.0.push(bytes.to_vec());
    }
}

pub type Pair = (Vec<u8>, Vec<u8>);

/// A map, or the fields of a stream entry.
#[derive(Default)]
pub struct Pairs {
    pub pairs: Vec<Pair>,
    key: Option<Vec<u8>>,
}

impl Sink for Pairs {
    fn open(&mut self, len: usize) {
        self.pairs.reserve(len / 2);
    }

    fn value(&mut self, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        match self.key.take() {
            Some(key) => self.pairs.push((key, bytes)),
            None => self.key = Some(bytes),
        }
    }
}

/// A reply to XRANGE: an array of `[id, [field, value, ...]]`.
#[derive(Default)]
pub struct Entries {
    pub entries: Vec<(Vec<u8>, Vec<Pair>)>,
    opened: bool,
    id: Option<Vec<u8>>,
    fields: Pairs,
    /// Strings still to come in the current list of fields.
    left: usize,
}

impl Sink for Entries {
    fn open(&mut self, len: usize) {
        if !self.opened {
            self.opened = true;
            self.entries.reserve(len);
        } else if self.id.is_some() {
            self.left = len;
            self.fields.open(len);
        }
    }

    fn value(&mut self, bytes: &[u8]) {
        if self.left == 0 {
            self.id = Some(bytes.to_vec());
            return;
        }
        self.fields.value(bytes);
        self.left -= 1;
        if self.left == 0
            && let Some(id) = self.id.take()
        {
            self.entries.push((id, std::mem::take(&mut self.fields.pairs)));
        }
    }
}
