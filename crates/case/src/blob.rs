//! Bodies of any size: short ones in memory, long ones in one unnamed temporary file.
//!
//! Two bounds hold whatever the evidence: one body keeps at most its writer's limit in memory, and
//! all unfinished bodies together keep `HELD_IN_ALL`; past that, bodies go to disk early. All
//! spooled bodies share one file, so that many of them cannot use up the process's descriptors.

use crate::spool::Extents;
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of one body. Cloning shares them.
#[derive(Clone)]
pub enum Blob {
    /// Held in memory.
    Memory(Arc<Vec<u8>>),
    /// In the temporary file.
    Spooled(Arc<Extents>),
}

/// Bytes that unfinished bodies may hold in memory together before they are spooled early.
const HELD_IN_ALL: usize = 48 << 20;

/// What each unfinished body may still hold once `HELD_IN_ALL` is used up.
const HELD_UNDER_PRESSURE: usize = 4 << 10;

/// Bytes written to the temporary file at a time.
const EXTENT: usize = 256 << 10;

static HELD: AtomicUsize = AtomicUsize::new(0);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = if matches!(self, Self::Memory(_)) { "memory" } else { "spooled" };
        write!(f, "Blob({} bytes, {held})", self.len())
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(Arc::new(bytes))
    }
}

impl Blob {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled(spool) => spool.len(),
        }
    }

    /// True for a body of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are in memory.
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self {
            Self::Memory(bytes) => Some(bytes),
            Self::Spooled(_) => None,
        }
    }

    /// Copies bytes from `offset` on into `buffer` and returns how many; 0 only at the end or for
    /// an empty buffer.
    ///
    /// # Errors
    /// Reading the temporary file failed.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len().saturating_sub(offset);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match self {
            Self::Memory(bytes) => {
                let start = bytes.len() - left as usize;
                buffer[..length].copy_from_slice(&bytes[start..start + length]);
            }
            Self::Spooled(spool) => spool.read_exact_at(&mut buffer[..length], offset)?,
        }
        Ok(length)
    }

    /// Calls `visit(offset, window)` over windows of at most `size` bytes, each repeating the last
    /// `overlap` bytes of the one before it. A body in memory comes as one window. An empty body
    /// gives no window.
    ///
    /// # Errors
    /// Reading the temporary file failed.
    pub fn windows(&self, size: usize, overlap: usize, mut visit: impl FnMut(u64, &[u8])) -> io::Result<()> {
        let size = size.max(1);
        let overlap = overlap.min(size - 1);
        let spool = match self {
            Self::Memory(bytes) => {
                if !bytes.is_empty() {
                    visit(0, bytes);
                }
                return Ok(());
            }
            Self::Spooled(spool) => spool,
        };
        let mut buffer = vec![0; size.min(spool.len() as usize)];
        let mut offset = 0;
        loop {
            let length = buffer.len().min((spool.len() - offset) as usize);
            spool.read_exact_at(&mut buffer[..length], offset)?;
            visit(offset, &buffer[..length]);
            if offset + length as u64 >= spool.len() {
                return Ok(());
            }
            offset += (length - overlap) as u64;
        }
    }

    /// SHA-256 of the bytes.
    ///
    /// # Errors
    /// Reading the temporary file failed.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        self.windows(1 << 20, 0, |_, window| hash.update(window))?;
        Ok(hash.finalize().into())
    }
}

/// Where a [`BlobWriter`] goes to disk and where it stops.
#[derive(Debug, Clone, Copy)]
pub struct BlobWriterLimits {
    /// Bytes held in memory before the body is spooled.
    pub memory: usize,
    /// Bytes after which the rest is dropped and counted.
    pub total: u64,
}

impl Default for BlobWriterLimits {
    /// 4 MiB in memory, 16 GiB in all.
    fn default() -> Self {
        Self { memory: 4 << 20, total: 16 << 30 }
    }
}

/// Collects a body piece by piece.
#[derive(Default)]
pub struct BlobWriter {
    limits: BlobWriterLimits,
    memory: Vec<u8>,
    spool: Option<Extents>,
    len: u64,
    dropped: u64,
}

impl BlobWriter {
    /// An empty body under the given limits.
    pub fn new(limits: BlobWriterLimits) -> Self {
        Self { limits, memory: Vec::new(), spool: None, len: 0, dropped: 0 }
    }

    /// The same for a body of which it is said that it has so many bytes: what is kept in memory is not moved while
    /// it grows.
    pub fn expecting(limits: BlobWriterLimits, bytes: u64) -> Self {
        let memory = if bytes <= limits.memory as u64 { bytes as usize } else { 0 };
        Self { limits, memory: Vec::with_capacity(memory), spool: None, len: 0, dropped: 0 }
    }

    /// Bytes kept so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True where nothing was kept so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes dropped: over the limit, or because the temporary file could not be written.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of memory it may hold whatever the other bodies hold; what it holds above that is
    /// spooled once all together hold too much.
    pub fn held(&self) -> usize {
        self.memory.capacity().min(2 * HELD_UNDER_PRESSURE)
    }

    /// Appends bytes. What does not fit is counted in [`BlobWriter::dropped`].
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.limits.total.saturating_sub(self.len);
        let kept = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        if self.dropped > 0 || self.append(kept).is_err() {
            self.dropped += bytes.len() as u64;
        } else {
            self.len += kept.len() as u64;
            self.dropped += (bytes.len() - kept.len()) as u64;
        }
    }

    /// Memory is filled first; once past its limit the body moves to the file extent by extent.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let crowded = HELD.fetch_add(bytes.len(), Ordering::Relaxed) > HELD_IN_ALL;
        self.memory.extend_from_slice(bytes);
        let limit = match (&self.spool, crowded) {
            (_, true) => HELD_UNDER_PRESSURE,
            (Some(_), false) => EXTENT,
            (None, false) => self.limits.memory,
        };
        if self.memory.len() > limit { self.spool_memory() } else { Ok(()) }
    }

    fn spool_memory(&mut self) -> io::Result<()> {
        let memory = std::mem::take(&mut self.memory);
        HELD.fetch_sub(memory.len(), Ordering::Relaxed);
        self.spool.get_or_insert_default().append(&memory)
    }

    /// The finished body.
    pub fn finish(mut self) -> Blob {
        if self.spool.is_some() {
            // What could not be written cannot be read back either, and reading says so.
            let _ = self.spool_memory();
        }
        match self.spool.take() {
            Some(extents) => Blob::Spooled(Arc::new(extents)),
            None => Blob::from(self.take_memory()),
        }
    }

    fn take_memory(&mut self) -> Vec<u8> {
        HELD.fetch_sub(self.memory.len(), Ordering::Relaxed);
        let mut memory = std::mem::take(&mut self.memory);
        // A body may be shorter than what was said of it.
        if memory.capacity() / 2 > memory.len() {
            memory.shrink_to_fit();
        }
        memory
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        self.take_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spooled(bytes: &[u8]) -> Blob {
        let mut writer = BlobWriter::new(BlobWriterLimits { memory: 4, total: 1000 });
        bytes.chunks(3).for_each(|piece| writer.push(piece));
        writer.finish()
    }

    #[test]
    fn a_spooled_body_equals_one_in_memory() {
        let bytes: Vec<u8> = (0..=255).collect();
        let blob = spooled(&bytes);
        assert!(blob.as_slice().is_none());
        assert_eq!(blob.sha256().unwrap(), Blob::from(bytes.clone()).sha256().unwrap());
        let mut joined = Vec::new();
        blob.windows(100, 10, |offset, window| joined.extend_from_slice(&window[joined.len() - offset as usize..]))
            .unwrap();
        assert_eq!(joined, bytes);
    }

    #[test]
    fn bodies_that_grow_side_by_side_stay_apart() {
        let mut writers: Vec<BlobWriter> =
            (0..3).map(|_| BlobWriter::new(BlobWriterLimits { memory: 4, total: 10_000 })).collect();
        for round in 0..50u8 {
            writers.iter_mut().zip(0u8..).for_each(|(writer, index)| writer.push(&[round, index]));
        }
        for (writer, index) in writers.into_iter().zip(0u8..) {
            let expected: Vec<u8> = (0..50).flat_map(|round| [round, index]).collect();
            assert_eq!(writer.finish().sha256().unwrap(), Blob::from(expected).sha256().unwrap());
        }
    }

    #[test]
    fn reading_at_an_offset_stops_at_the_end() {
        let bytes: Vec<u8> = (0..100).collect();
        for blob in [spooled(&bytes), Blob::from(bytes)] {
            let mut buffer = [0; 8];
            assert_eq!(blob.read_at(95, &mut buffer).unwrap(), 5);
            assert_eq!(&buffer[..5], [95, 96, 97, 98, 99]);
            assert_eq!(blob.read_at(100, &mut buffer).unwrap(), 0);
            assert_eq!(blob.read_at(1000, &mut buffer).unwrap(), 0);
        }
    }

    #[test]
    fn what_is_over_the_limit_is_counted() {
        let mut writer = BlobWriter::new(BlobWriterLimits { memory: 4, total: 10 });
        writer.push(b"123456");
        writer.push(b"123456");
        writer.push(b"1");
        assert_eq!((writer.len(), writer.dropped()), (10, 3));
        assert_eq!(writer.finish().len(), 10);
    }
}
