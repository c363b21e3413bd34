//! A socket as the writer that rustls wants.

use core::task::{Context, Poll};
use std::io::{self, IoSlice, Write};

use bytes::Buf;

use crate::drive::net::Socket;

/// A socket that is written to by blocking calls, which say that they would block.
pub(super) struct Outlet<'a, 'b, S> {
    pub(super) socket: &'a mut S,
    pub(super) cx: &'a mut Context<'b>,
}

impl<S: Socket> Outlet<'_, '_, S> {
    fn put(&mut self, mut from: impl Buf) -> io::Result<usize> {
        match self.socket.poll_write(self.cx, &mut from) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: Socket> Write for Outlet<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.put(Slices { slices, at: 0 })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes of several slices, one after the other, from `at` of the first.
struct Slices<'a> {
    slices: &'a [IoSlice<'a>],
    at: usize,
}

impl Buf for Slices<'_> {
    fn remaining(&self) -> usize {
        self.slices.iter().map(|slice| slice.len()).sum::<usize>() - self.at
    }

    fn chunk(&self) -> &[u8] {
        self.slices.first().map_or(&[], |first| &first[self.at..])
    }

    fn chunks_vectored<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let mut at = self.at;
        let places = into.iter_mut().zip(self.slices);
        places
            .map(|(place, slice)| {
                *place = IoSlice::new(&slice[at..]);
                at = 0;
            })
            .count()
    }

    fn advance(&mut self, count: usize) {
        self.at += count;
        while let Some((first, rest)) = self.slices.split_first()
            && self.at >= first.len()
        {
            self.at -= first.len();
            self.slices = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn slices_are_taken_in_any_steps() {
        let parts: [&[u8]; 4] = [b"ab", b"", b"cdefg", b"h"];
        let slices = parts.map(IoSlice::new);
        for step in 1..9 {
            let mut buf = Slices { slices: &slices, at: 0 };
            let mut seen = Vec::new();
            while buf.has_remaining() {
                let mut pieces = [IoSlice::new(&[]); 3];
                let used = buf.chunks_vectored(&mut pieces);
                let bytes: Vec<u8> = pieces[..used].iter().flat_map(|piece| piece.to_vec()).collect();
                let count = step.min(bytes.len());
                seen.extend_from_slice(&bytes[..count]);
                assert!(bytes.starts_with(buf.chunk()));
                buf.advance(count);
            }
            assert_eq!(seen, b"abcdefgh", "step {step}");
        }
    }
}
