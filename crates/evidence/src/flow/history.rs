//! The last bytes delivered, over all connections: what a retransmission is compared with.
//!
//! Two different contents for the same sequence numbers are what an injected answer looks like.
//! Keeping every stream for the comparison is out of the question; forged segments race the true
//! ones within a round trip, so the most recent bytes of the whole capture are enough.

/// A ring of the most recently delivered bytes.
pub(crate) struct History {
    ring: Vec<u8>,
    written: u64,
}

/// Bytes of the ring; at first it is not allocated at all.
const RING: usize = 1 << 20;
/// Pieces that one direction remembers; those that follow each other in the ring count as one.
const PIECES: usize = 8;

/// What one direction of a connection has in the ring. The oldest piece is overwritten.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    pieces: [Piece; PIECES],
    last: usize,
}

/// Stream bytes that lie in the ring as they were delivered. The length is 0 where there are none.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    offset: u64,
    length: u64,
    /// Bytes written to the ring before these.
    place: u64,
}

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
        recent.add(offset, bytes.len() as u64, self.written);
        self.written += bytes.len() as u64;
    }

    /// How many of these bytes differ from those delivered at the same offsets, as far as they are
    /// still remembered.
    pub(crate) fn differing(&self, recent: &Recent, offset: u64, bytes: &[u8]) -> u64 {
        let end = offset + bytes.len() as u64;
        let mut count = 0;
        let oldest = self.written.saturating_sub(RING as u64);
        for piece in recent.pieces {
            // What the ring has overwritten of the piece is forgotten.
            let kept = piece.offset + oldest.saturating_sub(piece.place);
            let (from, to) = (offset.max(kept), end.min(piece.offset + piece.length));
            if from < to {
                let again = &bytes[(from - offset) as usize..(to - offset) as usize];
                count += self.unequal(piece.place + (from - piece.offset), again);
            }
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

impl Recent {
    fn add(&mut self, offset: u64, length: u64, place: u64) {
        let last = &mut self.pieces[self.last];
        if last.length > 0 && last.offset + last.length == offset && last.place + last.length == place {
            last.length += length;
            return;
        }
        self.last = (self.last + 1) % PIECES;
        self.pieces[self.last] = Piece { offset, length, place };
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
