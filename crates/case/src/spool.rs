//! One temporary file without a name that all spooled bodies share.
//!
//! The file is created on first use, readable by its owner only, and its name is removed at once:
//! it vanishes with the process, also when that is killed. Space is given back when no body is
//! left in it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Arc, Mutex, PoisonError};

/// The ranges of the temporary file that hold one body, in order.
#[derive(Default)]
pub struct Extents {
    file: Option<Arc<File>>,
    /// Offset in the body, offset in the file, length.
    ranges: Vec<(u64, u64, u64)>,
    len: u64,
}

/// The file and how much of it is in use.
struct Shared {
    file: Option<Arc<File>>,
    end: u64,
    live: u64,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { file: None, end: 0, live: 0 });

impl Extents {
    /// Bytes of the body.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True for a body of no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes bytes behind those already there.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = bytes.len() as u64;
        let (file, start) = reserve(length)?;
        let written = file.write_all_at(bytes, start);
        self.file = Some(file);
        match self.ranges.last_mut() {
            Some((_, last, last_length)) if *last + *last_length == start => *last_length += length,
            _ => self.ranges.push((self.len, start, length)),
        }
        self.len += length;
        written
    }

    /// Reads bytes of the body from `offset` on.
    pub(crate) fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        let first = self.ranges.partition_point(|(start, _, length)| start + length <= offset);
        for (start, in_file, length) in &self.ranges[first..] {
            let skip = offset - start;
            let count = usize::try_from(length - skip).unwrap_or(usize::MAX).min(buffer.len());
            let (head, rest) = buffer.split_at_mut(count);
            self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?.read_exact_at(head, in_file + skip)?;
            buffer = rest;
            offset += count as u64;
        }
        if buffer.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Drop for Extents {
    fn drop(&mut self) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.live -= self.len;
        if shared.live == 0
            && let Some(file) = &shared.file
            && file.set_len(0).is_ok()
        {
            shared.end = 0;
        }
    }
}

/// Takes `length` bytes at the end of the file.
fn reserve(length: u64) -> io::Result<(Arc<File>, u64)> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let file = if let Some(file) = &shared.file { file.clone() } else { Arc::new(unnamed_file()?) };
    shared.file = Some(file.clone());
    let start = shared.end;
    shared.end += length;
    shared.live += length;
    Ok((file, start))
}

fn unnamed_file() -> io::Result<File> {
    let folder = std::env::temp_dir();
    for number in 0.. {
        let path = folder.join(format!("dyetrace-{}-{number}.spool", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
