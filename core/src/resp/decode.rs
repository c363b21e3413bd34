//! Bytes to frames.

use core::fmt;

use bytes::{Buf, BytesMut};

use super::error::ProtocolError;
use super::frame::{Frame, Node, Run, Small, front};
use super::limits::Limits;
use super::scan::{Lone, Scanned, Scanner, Strings};

/// Cuts a stream of bytes into replies, whatever the pieces it comes in.
///
/// ```
/// use bytes::BytesMut;
/// use redstart_core::resp::{Decoder, Limits};
///
/// let mut decoder = Decoder::new(Limits::default());
/// let mut read = BytesMut::from("*2\r\n:1\r\n$5\r\nhel");
/// assert_eq!(decoder.decode(&mut read), Ok(None)); // more is needed
/// read.extend_from_slice(b"lo\r\n");
/// let frame = decoder.decode(&mut read)?.expect("the reply is complete");
/// assert_eq!(frame.item().items().count(), 2);
/// assert!(read.is_empty());
/// # Ok::<(), redstart_core::resp::ProtocolError>(())
/// ```
///
/// After an error the stream has no meaning any more, so the decoder repeats that error for ever.
pub struct Decoder(Scanner);

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Scanner::new(limits))
    }

    /// Takes the first reply off `read`, without copying it unless it is small. `None` means that more bytes are needed;
    /// those in `read` must stay in front of them.
    ///
    /// # Errors
    /// The bytes are not RESP or pass a limit. They stay in `read`.
    #[inline]
    pub fn decode(&mut self, read: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        if read.len() < self.0.need() {
            return Ok(None);
        }
        if self.0.is_at_start() { self.decode_lone(read) } else { self.decode_any(read) }
    }

    /// Most replies are alone and small.
    #[inline(never)]
    fn decode_lone(&mut self, read: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        match self.0.lone(read) {
            Lone::Whole(len, root) => match Small::new(len, root) {
                Some(small) => {
                    let bytes = front(read, len);
                    read.advance(len);
                    Ok(Some(small.framed(bytes)))
                }
                None => self.decode_any(read),
            },
            Lone::Part => Ok(None),
            Lone::Other => self.decode_any(read),
        }
    }

    /// In two steps, since that a reply has not ended is said for each piece of it.
    #[inline]
    fn decode_any(&mut self, read: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        if self.0.scan(read) { self.take(read) } else { Ok(None) }
    }

    /// Takes the reply that has ended.
    #[inline(never)]
    fn take(&mut self, read: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        let Some(Scanned { len, root, tape }) = self.0.take()? else { return Ok(None) };
        match Small::new(len, root) {
            Some(small) if tape.is_empty() => {
                let frame = small.frame(read);
                read.advance(len);
                Ok(Some(frame))
            }
            _ => Ok(Some(Frame::take(read, len, root, tape))),
        }
    }

    /// The reply at the front of `read`, if it is a small one that most replies are
    /// like: a string, a status, an integer, or nil. It is left where it is: whoever takes several takes them off
    /// `read` at once.
    #[inline]
    pub(crate) fn peek_usual(&mut self, read: &[u8]) -> Option<Small> {
        let (len, root) = self.lone(read)?;
        Small::new(len, root)
    }

    /// Adds the reply behind those of `run`, which are the first in `read`, if it is like them. At most
    /// `expected` are to come, this one counted.
    #[inline]
    pub(crate) fn add_usual(&mut self, read: &[u8], run: &mut Run, expected: usize) -> bool {
        if !run.is_open() {
            return false;
        }
        let rest = read.get(run.len()..).unwrap_or_default();
        let Some((len, root)) = self.lone(rest) else { return false };
        if run.is_empty() {
            // Most likely they are of about the same length.
            let there = rest.len().checked_div(len).unwrap_or_default();
            run.reserve(there.min(expected));
        }
        run.push(len, root);
        true
    }

    /// The length and the root of the reply at the front of `read`, if it is alone, short and whole.
    #[inline(always)]
    fn lone(&mut self, read: &[u8]) -> Option<(usize, Node)> {
        if read.len() < self.0.need() || !self.0.is_at_start() {
            return None;
        }
        if let Lone::Whole(len, root) = self.0.lone(read) { Some((len, root)) } else { None }
    }

    /// The reply at the front of `read`, if it is a push or an array, whichever `kind` begins, of up to four short
    /// strings and whole; and those behind it that are like it. They stay in `read`: whoever uses them takes them off.
    #[inline]
    pub(crate) fn few_strings(&mut self, kind: u8, read: &[u8]) -> Option<Strings> {
        self.0.few_strings(kind, read)
    }

    /// How many bytes to make room for, now that `decode` has returned `None` with `buffered` bytes in
    /// the buffer: so many are still missing at the least, and a large string comes in few reads.
    ///
    /// It is never more than is buffered already and a quarter, or 4 KiB if that is more: a string that was only
    /// announced makes nobody allocate.
    #[must_use]
    pub fn missing(&self, buffered: usize) -> usize {
        const STEP_MIN: usize = 4 << 10;
        let rest = self.0.need().saturating_sub(buffered);
        // With a last step for a few bytes, what was made by doubling would be doubled for them.
        let step = buffered.max(STEP_MIN);
        if rest <= step.saturating_add(step / 4) { rest } else { step }
    }
}

impl Frame {
    /// The reply that `wire` holds, which this client has put together; `None` if it passes what a frame can
    /// be at all, 4 GiB.
    pub(crate) fn assembled(mut wire: BytesMut) -> Option<Self> {
        let bounds = Limits {
            depth: Limits::DEPTH_MAX,
            bulk: u32::MAX,
            elements: u32::MAX,
            line: u32::MAX,
            reply: u32::MAX,
        };
        Decoder::new(bounds).decode(&mut wire).ok().flatten()
    }
}

impl fmt::Debug for Decoder {
    /// Shows the error only, if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("error", &self.0.error()).finish_non_exhaustive()
    }
}
