//! Digests looked up for many places together: asked about one by one, each would wait for a fetch from far memory.

use crate::digest::{Digests, MOST_STARTS};

/// Places that wait to be looked up.
pub(crate) struct Lookups<'d> {
    digests: &'d Digests,
    starts: [u64; MOST_STARTS],
    /// An item by its number, and an offset in it.
    places: [(usize, usize); MOST_STARTS],
    count: usize,
    /// Where known digests begin.
    found: Vec<(usize, usize)>,
}

impl<'d> Lookups<'d> {
    /// No places yet.
    pub(crate) fn new(digests: &'d Digests) -> Self {
        Self { digests, starts: [0; MOST_STARTS], places: [(0, 0); MOST_STARTS], count: 0, found: Vec::new() }
    }

    /// Adds a place in an item and the eight bytes that begin there, the first one highest.
    #[inline]
    pub(crate) fn add(&mut self, item: usize, at: usize, start: u64) {
        if let (Some(known), Some(place)) = (self.starts.get_mut(self.count), self.places.get_mut(self.count)) {
            *known = start;
            *place = (item, at);
            self.count += 1;
        }
        if self.count == MOST_STARTS {
            self.ask();
        }
    }

    /// The same for a place in the item's bytes, unless it is too near to their end.
    #[inline]
    pub(crate) fn add_at(&mut self, item: usize, at: usize, bytes: &[u8]) {
        if let Some(start) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            self.add(item, at, u64::from_be_bytes(*start));
        }
    }

    fn ask(&mut self) {
        let starts = self.starts.get(..self.count).unwrap_or_default();
        let mut known = self.digests.known_starts(starts);
        while known != 0 {
            self.found.extend(self.places.get(known.trailing_zeros() as usize));
            known &= known - 1;
        }
        self.count = 0;
    }

    /// The places at which a digest that is looked for may begin, in the order in which they were added.
    pub(crate) fn finish(mut self) -> Vec<(usize, usize)> {
        self.ask();
        self.found
    }
}
