//! What the decoders read from and write to: a body of any size, and one under limits.

use crate::layer::Limits;
use dyetrace_case::{Blob, BlobWriter};
use std::io::{self, BufRead, Read};

/// Bytes read from a spooled body, and decoded, at a time.
pub(super) const PIECE: usize = 32 << 10;

/// How a coded body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At the end its coding marks.
    Complete,
    /// Before that end.
    Truncated,
    /// At bytes the coding does not allow.
    Corrupt,
    /// At a limit on what may come out.
    Full,
}

/// A body being read.
pub(super) struct Source<'b> {
    blob: &'b Blob,
    /// Offset of the next byte to give.
    offset: u64,
    /// The bytes of a spooled body around `offset`.
    buffer: Vec<u8>,
    /// Position in `buffer` that `offset` stands for.
    position: usize,
}

impl<'b> Source<'b> {
    pub(super) fn new(blob: &'b Blob) -> Self {
        Self { blob, offset: 0, buffer: Vec::new(), position: 0 }
    }

    /// Bytes not consumed.
    pub(super) fn left(&self) -> u64 {
        self.blob.len().saturating_sub(self.offset)
    }

    /// Bytes consumed.
    pub(super) fn consumed(&self) -> u64 {
        self.offset
    }

    /// The next `N` bytes without consuming them, where there are as many.
    pub(super) fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        let length = self.blob.read_at(self.offset, &mut bytes).unwrap_or(0);
        (length == N).then_some(bytes)
    }

    /// The next bytes, none at the end. A temporary file that cannot be read ends the body.
    pub(super) fn window(&mut self) -> &[u8] {
        if let Some(bytes) = self.blob.as_slice() {
            return bytes.get(self.offset as usize..).unwrap_or_default();
        }
        if self.position >= self.buffer.len() {
            self.buffer.resize(PIECE, 0);
            let length = self.blob.read_at(self.offset, &mut self.buffer).unwrap_or(0);
            self.buffer.truncate(length);
            self.position = 0;
        }
        self.buffer.get(self.position..).unwrap_or_default()
    }

    /// Marks `count` bytes of the window, or as many beyond it, as read.
    pub(super) fn advance(&mut self, count: usize) {
        self.offset = self.offset.saturating_add(count as u64).min(self.blob.len());
        self.position = self.position.saturating_add(count);
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let window = self.window();
        let length = window.len().min(buffer.len());
        buffer[..length].copy_from_slice(&window[..length]);
        self.advance(length);
        Ok(length)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.window())
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

/// A decoded body being written.
pub(super) struct Target {
    writer: BlobWriter,
    ratio: u64,
    free: u64,
}

impl Target {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { writer: BlobWriter::new(limits.decoded), ratio: limits.inflate_ratio, free: limits.inflate_free }
    }

    /// Appends decoded bytes, `consumed` being the coded bytes read so far. False once a limit is
    /// reached.
    pub(super) fn push(&mut self, bytes: &[u8], consumed: u64) -> bool {
        self.writer.push(bytes);
        let allowed = consumed.saturating_mul(self.ratio).saturating_add(self.free);
        self.writer.dropped() == 0 && self.writer.len() <= allowed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.writer.dropped()
    }

    pub(super) fn finish(self) -> Blob {
        self.writer.finish()
    }
}
