//! A moving window over a stream: look ahead without copying, then move on.

use std::io::{ErrorKind, Read};
use std::ops::Range;

/// Buffered bytes of a stream. Ranges into it stay valid until the next [`Window::peek`].
pub(crate) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    fault: Option<String>,
}

impl<R: Read> Window<R> {
    /// A window at the start of `source`.
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; 1 << 20], start: 0, end: 0, offset: 0, ended: false, fault: None }
    }

    /// Offset of the window's first byte in the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Position of the window's first byte in the buffer, the base of ranges for [`Window::at`].
    pub(crate) fn base(&self) -> usize {
        self.start
    }

    /// The next `length` bytes, or fewer where the stream ends before.
    pub(crate) fn peek(&mut self, length: usize) -> &[u8] {
        if self.end - self.start < length && !self.ended {
            self.fill(length);
        }
        let available = length.min(self.end - self.start);
        self.buffer.get(self.start..self.start + available).unwrap_or_default()
    }

    /// Moves on by `length` bytes, at most to the end of what was peeked at.
    pub(crate) fn consume(&mut self, length: usize) {
        let length = length.min(self.end - self.start);
        self.start += length;
        self.offset += length as u64;
    }

    /// Moves on by `length` bytes, reading on where needed; returns how many there were.
    pub(crate) fn skip(&mut self, length: u64) -> u64 {
        let mut left = length;
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(64 << 10);
            let available = self.peek(step).len();
            if available == 0 {
                break;
            }
            self.consume(available);
            left -= available as u64;
        }
        length - left
    }

    /// Buffered bytes by position; empty where the range is out of the buffer.
    pub(crate) fn at(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Why the stream ended before its end, told once.
    pub(crate) fn take_fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    fn fill(&mut self, length: usize) {
        if self.buffer.len() - self.start < length {
            self.make_room(length);
        }
        while self.end - self.start < length && !self.ended {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.read(free) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fault = Some(error.to_string());
                    self.ended = true;
                }
            }
        }
    }

    /// Moves the unread bytes to the front. The buffer is kept twice as large as what is looked at,
    /// so that a byte is moved a bounded number of times.
    fn make_room(&mut self, length: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < length.saturating_mul(2) {
            self.buffer.resize(length.saturating_mul(2), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_ahead_further_than_the_buffer_keeps_every_byte() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut window = Window::new(bytes.as_slice());
        assert_eq!(window.peek(1000).len(), 1000);
        window.consume(999);
        assert_eq!(window.peek(2_000_000), &bytes[999..2_000_999]);
        assert_eq!(window.skip(2_500_000), 2_500_000);
        assert_eq!((window.offset(), window.peek(600_000).len()), (2_500_999, 499_001));
        assert_eq!(window.skip(u64::MAX), 499_001);
    }
}
