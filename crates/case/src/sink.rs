//! How readers hand on what they read: by pushing, so that nothing waits in memory.

use crate::{Damage, Opaque, Record};

/// One thing read from an exhibit.
#[derive(Debug)]
pub enum Item {
    /// A record.
    Record(Box<Record>),
    /// Bytes that could not be read.
    Opaque(Box<Opaque>),
    /// Evidence that could not be parsed.
    Damage(Damage),
}

/// The receiver wants no more; the reader returns as soon as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Where a reader pushes what it reads, in the order of the evidence.
pub trait Sink {
    /// Takes one item. `Err(Stop)` ends the reading.
    fn take(&mut self, item: Item) -> Result<(), Stop>;
}

impl<F: FnMut(Item) -> Result<(), Stop>> Sink for F {
    fn take(&mut self, item: Item) -> Result<(), Stop> {
        self(item)
    }
}
