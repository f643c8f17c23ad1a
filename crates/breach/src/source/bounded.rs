//! Bombs: what unpacks to far more than text does.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Deflate packs no more than 1,032 to one (runs of 258 bytes, RFC 1951), Zstandard and LZMA far more;
/// dumps are packed 3 to 30 to one, and repeated fillings 200. Beyond this a file is a bomb.
const MOST_TO_ONE: u64 = 2000;
/// A file is let unpack to this, whatever the ratio.
const ALWAYS: u64 = 256 << 20;

/// What has been unpacked from a file, all its containers together, against what was read of it.
#[derive(Clone)]
pub(crate) struct Budget {
    read: Rc<Cell<u64>>,
    unpacked: Rc<Cell<u64>>,
}

impl Budget {
    /// `read` counts what was read of the file itself.
    pub(crate) fn new(read: Rc<Cell<u64>>) -> Self {
        Self { read, unpacked: Rc::default() }
    }

    pub(super) fn unpacked(&self) -> u64 {
        self.unpacked.get()
    }

    /// For what is gone through twice: the second time counts.
    pub(super) fn set_unpacked(&self, unpacked: u64) {
        self.unpacked.set(unpacked);
    }

    fn is_spent(&self) -> bool {
        let unpacked = self.unpacked.get();
        unpacked > ALWAYS && unpacked / MOST_TO_ONE > self.read.get()
    }
}

/// Ends with an error where too much comes out of too little.
pub(super) struct Bounded<R> {
    inner: R,
    budget: Budget,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, budget: &Budget) -> Self {
        Self { inner, budget: budget.clone() }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.budget.is_spent() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.inner.read(buffer)?;
        self.budget.unpacked.set(self.budget.unpacked.get().saturating_add(count as u64));
        Ok(count)
    }
}
