//! Bytes to frames.

use bytes::BytesMut;

use super::error::ProtocolError;
use super::frame::Frame;
use super::limits::Limits;
use super::scan::Scanner;

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
#[derive(Debug)]
pub struct Decoder {
    scanner: Scanner,
    failed: Option<ProtocolError>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { scanner: Scanner::new(limits), failed: None }
    }

    /// Takes the first reply off `read`, without copying it. `None` means that more bytes are needed.
    ///
    /// # Errors
    /// The bytes are not RESP or pass a limit. They stay in `read`.
    pub fn decode(&mut self, read: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let found = match self.scanner.scan(read) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.failed = Some(error);
                return Err(error);
            }
        };
        let bytes = read.split_to(found.len).freeze();
        if self.scanner.tape.is_empty() {
            return Ok(Some(Frame::scalar(bytes, found.root)));
        }
        let tape = core::mem::take(&mut self.scanner.tape);
        Ok(Some(Frame::aggregate(bytes, found.root, tape, found.root_at)))
    }

    /// How many more bytes are needed, at the least, before a reply can be complete; given what is in
    /// the buffer now. Reserving that much makes one read of a large string instead of many.
    #[must_use]
    pub fn missing(&self, buffered: usize) -> usize {
        self.scanner.need().saturating_sub(buffered)
    }
}
