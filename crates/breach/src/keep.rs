//! Checkpoints: who keeps them, and what they are of.

use crate::key::Key;
use crate::read::Options;
use crate::scan::Refused;
use crate::seal::Opened;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Bytes of a file's beginning that tell it from others.
const HEAD: u64 = 64 << 10;

/// Keeps checkpoints, each whole or not at all: what was kept last stays until the next one has ended.
pub trait Keep {
    /// The bytes of a checkpoint follow.
    ///
    /// # Errors
    /// It cannot be kept; the work goes on without.
    fn begin(&mut self) -> io::Result<()>;

    /// Some bytes.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// These were all.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn end(&mut self) -> io::Result<()>;
}

/// Gives bytes to who keeps them.
pub(crate) struct Given<'k>(pub(crate) &'k mut dyn Keep);

impl Write for Given<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bytes(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Path, size, time of change and a digest of the beginning, of each file; and how it is read.
pub(crate) fn identity<'f>(
    what: &str,
    files: impl IntoIterator<Item = &'f PathBuf>,
    key: &Key,
    reading: &Options,
) -> Result<[u8; 32], (PathBuf, io::Error)> {
    let mut all = Vec::new();
    for path in files {
        add(path, key, &mut all).map_err(|error| (path.clone(), error))?;
    }
    let Options { block, sample, examine_every, longest_row, cell, .. } = reading;
    for number in [*block as u64, *sample as u64, *examine_every, *longest_row as u64, *cell] {
        all.extend(number.to_le_bytes());
    }
    Ok(key.digest(what, &all))
}

/// Opens a checkpoint that begins with a line and is of these files: what follows.
pub(crate) fn open<'r>(
    from: &'r mut dyn Read,
    first_line: &[u8],
    key: &Key,
    of_files: &[u8; 32],
) -> Result<Opened<'r>, Refused> {
    let not_ours = |_| Refused::NotOurs;
    let (mut line, mut random, mut identity) = (vec![0; first_line.len()], [0; 16], [0; 32]);
    from.read_exact(&mut line).map_err(not_ours)?;
    if line != first_line {
        let is_other = line.starts_with(b"dyetrace breach checkpoint ");
        return Err(if is_other { Refused::Version } else { Refused::NotOurs });
    }
    from.read_exact(&mut random).map_err(not_ours)?;
    let mut opened = Opened::new(&key.of_file(&random), from);
    opened.read_exact(&mut identity).map_err(not_ours)?;
    if identity == *of_files { Ok(opened) } else { Err(Refused::Files) }
}

fn add(path: &Path, key: &Key, all: &mut Vec<u8>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let data = file.metadata()?;
    let changed = data.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head)?;
    let path = path.as_os_str().as_encoded_bytes();
    all.extend((path.len() as u64).to_le_bytes());
    all.extend(path);
    all.extend(data.len().to_le_bytes());
    all.extend(changed.to_le_bytes());
    all.extend(key.digest("beginning of a file", &head));
    Ok(())
}
