//! Reading an index: the head once, a bucket when it is asked for.

use super::{MAGIC, MOST_HEAD, PREFIX, first_bucket};
use crate::manifest::{Manifest, NotTrusted, SignedManifest};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// An index that is open.
#[derive(Debug)]
pub struct Index {
    file: File,
    signed: SignedManifest,
    manifest: Manifest,
    first: u64,
}

/// Why a file is not served.
#[derive(Debug)]
pub enum NotAnIndex {
    /// It could not be read.
    Io(io::Error),
    /// It has not the form of an index.
    Form,
    /// It is shorter or longer than its manifest says.
    Length,
    /// Its manifest is not to be believed.
    Trust(NotTrusted),
}

impl fmt::Display for NotAnIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the index could not be read: {error}"),
            Self::Form => formatter.write_str("this is no check index"),
            Self::Length => formatter.write_str("the index is shorter or longer than its manifest says"),
            Self::Trust(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for NotAnIndex {}

impl From<io::Error> for NotAnIndex {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The signed manifest at the beginning of a file's bytes. `None` where they are none.
pub(crate) fn head(bytes: &[u8]) -> Option<SignedManifest> {
    let (magic, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let head = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (magic == MAGIC && head.len() <= MOST_HEAD).then(|| serde_json::from_slice(head).ok())?
}

impl Index {
    /// Opens a file: its signature and its length are checked, buckets are checked by those who fetch them.
    pub fn open(path: &Path) -> Result<Self, NotAnIndex> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut prefix = [0; PREFIX];
        file.read_exact_at(&mut prefix, 0).map_err(|_| NotAnIndex::Form)?;
        let head_length = prefix.last_chunk().map_or(0, |length| u32::from_le_bytes(*length)) as usize;
        if head_length > MOST_HEAD || (PREFIX + head_length) as u64 > length {
            return Err(NotAnIndex::Form);
        }
        let mut bytes = vec![0; PREFIX + head_length];
        file.read_exact_at(&mut bytes, 0)?;
        let signed = head(&bytes).ok_or(NotAnIndex::Form)?;
        let manifest = signed.trusted(None).map_err(NotAnIndex::Trust)?;
        let first = first_bucket(head_length);
        if first + u64::from(manifest.buckets()) * manifest.frame_bytes() as u64 != length {
            return Err(NotAnIndex::Length);
        }
        Ok(Self { file, signed, manifest, first })
    }

    /// What the index says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The same, with its signature.
    pub fn signed(&self) -> &SignedManifest {
        &self.signed
    }

    /// A bucket with its path. `None` where there is no such bucket.
    pub fn bucket(&self, number: u32) -> io::Result<Option<Vec<u8>>> {
        if number >= self.manifest.buckets() {
            return Ok(None);
        }
        let length = self.manifest.frame_bytes();
        let mut frame = vec![0; length];
        self.file.read_exact_at(&mut frame, self.first + u64::from(number) * length as u64)?;
        Ok(Some(frame))
    }
}

/// What a fuzzer feeds: bytes that claim to begin an index. They are believed only where they are signed.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Some(Ok(manifest)) = head(bytes).map(|signed| signed.trusted(None)) {
        assert!(manifest.frame_bytes() <= crate::manifest::MOST_FRAME, "a manifest out of bounds was believed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, length: u32) {
            fuzz(&bytes);
            fuzz(&[MAGIC.as_slice(), &length.to_le_bytes(), &bytes].concat());
        }
    }
}
