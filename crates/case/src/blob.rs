//! Bodies of any size: short ones in memory, long ones in an unnamed temporary file.

use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one body. Cloning shares them.
#[derive(Clone)]
pub enum Blob {
    /// Held in memory.
    Memory(Arc<Vec<u8>>),
    /// Spooled to a temporary file that has no name any more.
    Spooled(Arc<Spool>),
}

/// A temporary file that vanishes with its last user, also when the process is killed.
pub struct Spool {
    file: File,
    len: u64,
}

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
            Self::Spooled(spool) => spool.len,
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
        let mut buffer = vec![0; size.min(spool.len as usize)];
        let mut offset = 0;
        loop {
            let length = buffer.len().min((spool.len - offset) as usize);
            spool.file.read_exact_at(&mut buffer[..length], offset)?;
            visit(offset, &buffer[..length]);
            if offset + length as u64 >= spool.len {
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
    spool: Option<File>,
    len: u64,
    dropped: u64,
}

impl BlobWriter {
    /// An empty body under the given limits.
    pub fn new(limits: BlobWriterLimits) -> Self {
        Self { limits, ..Self::default() }
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

    /// Appends bytes. What does not fit is counted in [`BlobWriter::dropped`].
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.limits.total - self.len;
        let kept = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        if self.dropped > 0 || self.append(kept).is_err() {
            self.dropped += bytes.len() as u64;
        } else {
            self.len += kept.len() as u64;
            self.dropped += (bytes.len() - kept.len()) as u64;
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.spool.is_none() && self.memory.len() + bytes.len() <= self.limits.memory {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let file = if let Some(file) = self.spool.take() {
            file
        } else {
            let file = unnamed_file()?;
            file.write_all_at(&self.memory, 0)?;
            self.memory = Vec::new();
            file
        };
        let written = file.write_all_at(bytes, self.len);
        self.spool = Some(file);
        written
    }

    /// The finished body.
    pub fn finish(self) -> Blob {
        match self.spool {
            Some(file) => Blob::Spooled(Arc::new(Spool { file, len: self.len })),
            None => Blob::from(self.memory),
        }
    }
}

/// Creates a file readable by its owner only and removes its name at once.
fn unnamed_file() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dyetrace-{}-{number}.spool", std::process::id());
        let path = std::env::temp_dir().join(name);
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
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
    fn what_is_over_the_limit_is_counted() {
        let mut writer = BlobWriter::new(BlobWriterLimits { memory: 4, total: 10 });
        writer.push(b"123456");
        writer.push(b"123456");
        writer.push(b"1");
        assert_eq!((writer.len(), writer.dropped()), (10, 3));
        assert_eq!(writer.finish().len(), 10);
    }
}
