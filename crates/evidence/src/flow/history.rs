//! The last bytes delivered, over all connections: what a retransmission is compared with.
//!
//! Two different contents for the same sequence numbers are what an injected answer looks like.
//! Keeping every stream for the comparison is out of the question; forged segments race the true
//! ones within a round trip, so the most recent bytes of the whole capture are enough.

use std::collections::VecDeque;

/// A ring of the most recently delivered bytes.
pub(crate) struct History {
    ring: Vec<u8>,
    written: u64,
}

/// Bytes of the ring; at first it is not allocated at all.
const RING: usize = 1 << 20;
/// Pieces that one direction remembers.
const PIECES: usize = 32;

/// What one direction of a connection has in the ring: stream offset, length, place in the ring.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(u64, u32, u64)>);

impl History {
    /// An empty history.
    pub(crate) fn new() -> Self {
        Self { ring: Vec::new(), written: 0 }
    }

    /// Remembers bytes delivered at a stream offset.
    pub(crate) fn note(&mut self, recent: &mut Recent, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() || bytes.len() > RING / 8 {
            return;
        }
        if self.ring.is_empty() {
            self.ring = vec![0; RING];
        }
        let start = (self.written % RING as u64) as usize;
        let first = bytes.len().min(RING - start);
        self.ring[start..start + first].copy_from_slice(&bytes[..first]);
        self.ring[..bytes.len() - first].copy_from_slice(&bytes[first..]);
        if recent.0.len() == PIECES {
            recent.0.pop_front();
        }
        recent.0.push_back((offset, bytes.len() as u32, self.written));
        self.written += bytes.len() as u64;
    }

    /// How many of these bytes differ from those delivered at the same offsets, as far as they are
    /// still remembered.
    pub(crate) fn differing(&self, recent: &Recent, offset: u64, bytes: &[u8]) -> u64 {
        let end = offset + bytes.len() as u64;
        let mut count = 0;
        for (start, length, place) in &recent.0 {
            let (from, to) = (offset.max(*start), end.min(start + u64::from(*length)));
            if from >= to || self.written - place > RING as u64 {
                continue;
            }
            let again = &bytes[(from - offset) as usize..(to - offset) as usize];
            count += self.unequal(place + (from - start), again);
        }
        count
    }

    fn unequal(&self, place: u64, bytes: &[u8]) -> u64 {
        let start = (place % RING as u64) as usize;
        let first = bytes.len().min(RING - start);
        let differ = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count() as u64;
        differ(&self.ring[start..start + first], &bytes[..first])
            + differ(&self.ring[..bytes.len() - first], &bytes[first..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_bytes_count_also_where_the_ring_wraps() {
        let mut history = History::new();
        let mut recent = Recent::default();
        let mut offset = 0;
        for byte in 0..40u8 {
            history.note(&mut recent, offset, &vec![byte; 100_000]);
            offset += 100_000;
        }
        let last = offset - 100_000;
        assert_eq!(history.differing(&recent, last, &vec![39; 100_000]), 0);
        assert_eq!(history.differing(&recent, last - 10, &[38; 30]), 20);
        assert_eq!(history.differing(&recent, 0, &[9; 100]), 0, "long forgotten");
    }
}
