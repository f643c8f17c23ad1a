//! Position maps: from a range of decoded bytes back to the encoded bytes that hold it.

use std::ops::Range;

/// How decoded offsets relate to the encoded bytes they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Map {
    /// Every decoded byte depends on the whole encoding (compression).
    Whole(Range<usize>),
    /// Fixed ratio: `chars` encoded characters for each `bytes` decoded bytes, from `start` on.
    Ratio {
        /// Offset of the first encoded character.
        start: usize,
        /// Characters in one group.
        chars: usize,
        /// Bytes in one group.
        bytes: usize,
        /// Ignored bytes between characters (line ends): number of the first character after
        /// them, and how many bytes were ignored up to there.
        skips: Vec<(usize, usize)>,
    },
    /// The last byte first.
    Reversed {
        /// Offset of the first encoded byte.
        start: usize,
        /// Number of bytes.
        length: usize,
    },
    /// Stretches of units: text in another character encoding, groups with shortcuts between them.
    Stretches {
        /// Offset of the first encoded byte.
        start: usize,
        /// The stretches in order.
        stretches: Vec<Stretch>,
    },
    /// Literal bytes with escapes between them.
    Escapes {
        /// Offset of the first encoded byte.
        start: usize,
        /// The escapes in order.
        escapes: Vec<Escape>,
    },
}

/// One escape sequence and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Escape {
    /// Offset of its first byte in the decoded bytes.
    pub(crate) decoded: usize,
    /// Offset of its first byte in the encoded bytes, counted from the map's start.
    pub(crate) encoded: usize,
    /// Number of decoded bytes.
    pub(crate) decoded_len: u8,
    /// Number of encoded bytes.
    pub(crate) encoded_len: u8,
}

/// Units of one size in a row: each holds `decoded_unit` decoded bytes in `encoded_unit` encoded ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Offset of its first byte in the decoded bytes.
    pub(crate) decoded: usize,
    /// Offset of its first byte in the encoded bytes, counted from the map's start.
    pub(crate) encoded: usize,
    /// Decoded bytes of one unit, at least 1.
    pub(crate) decoded_unit: u8,
    /// Encoded bytes of one unit.
    pub(crate) encoded_unit: u8,
}

/// Builds a [`Map::Stretches`] unit by unit.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    all: Vec<Stretch>,
    decoded: usize,
    encoded: usize,
}

impl Stretches {
    /// The next unit. One that stands for nothing is skipped.
    pub(crate) fn unit(&mut self, encoded_unit: u8, decoded_unit: u8) {
        if decoded_unit > 0 {
            let next = Stretch { decoded: self.decoded, encoded: self.encoded, decoded_unit, encoded_unit };
            let continues = |last: &Stretch| {
                let units = (next.decoded - last.decoded) / usize::from(decoded_unit);
                (last.decoded_unit, last.encoded_unit) == (decoded_unit, encoded_unit)
                    && last.encoded + units * usize::from(encoded_unit) == next.encoded
            };
            if !self.all.last().is_some_and(continues) {
                self.all.push(next);
            }
        }
        self.decoded += usize::from(decoded_unit);
        self.encoded += usize::from(encoded_unit);
    }

    /// The map, for encoded bytes that begin at `start`.
    pub(crate) fn finish(self, start: usize) -> Map {
        Map::Stretches { start, stretches: self.all }
    }
}

impl Map {
    /// The bytes themselves, moved by `start`.
    pub(crate) fn shift(start: usize) -> Self {
        Self::Escapes { start, escapes: Vec::new() }
    }

    /// The smallest range of encoded bytes that holds the decoded range.
    pub(crate) fn outer(&self, inner: &Range<usize>) -> Range<usize> {
        match self {
            Self::Whole(range) => range.clone(),
            Self::Ratio { start, chars, bytes, skips } => {
                let first = inner.start.saturating_mul(*chars) / bytes;
                let last = inner.end.saturating_mul(*chars).div_ceil(*bytes).max(first + 1) - 1;
                start + at_char(skips, first)..start + at_char(skips, last) + 1
            }
            Self::Reversed { start, length } => {
                start + length.saturating_sub(inner.end)..start + length.saturating_sub(inner.start)
            }
            Self::Stretches { start, stretches } => {
                let first = unit(stretches, inner.start).start;
                let last = unit(stretches, inner.end.saturating_sub(1).max(inner.start)).end;
                start + first..start + last
            }
            Self::Escapes { start, escapes } => {
                let first = position(escapes, inner.start).0;
                let last = position(escapes, inner.end.saturating_sub(1).max(inner.start)).1;
                start + first..start + last
            }
        }
    }

    /// True where places inside the encoding cannot be told apart.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

fn at_char(skips: &[(usize, usize)], index: usize) -> usize {
    let before = skips.partition_point(|(first, _)| *first <= index);
    index + before.checked_sub(1).and_then(|last| skips.get(last)).map_or(0, |(_, ignored)| *ignored)
}

/// The encoded unit that gave the decoded byte at `index`.
fn unit(stretches: &[Stretch], index: usize) -> Range<usize> {
    let before = stretches.partition_point(|stretch| stretch.decoded <= index);
    let Some(stretch) = before.checked_sub(1).and_then(|last| stretches.get(last)) else { return index..index + 1 };
    let units = (index - stretch.decoded) / usize::from(stretch.decoded_unit.max(1));
    let start = stretch.encoded + units * usize::from(stretch.encoded_unit);
    start..start + usize::from(stretch.encoded_unit)
}

/// Encoded start and end of the unit that gave the decoded byte at `index`.
fn position(escapes: &[Escape], index: usize) -> (usize, usize) {
    let before = escapes.partition_point(|escape| escape.decoded <= index);
    let Some(escape) = before.checked_sub(1).and_then(|last| escapes.get(last)) else {
        return (index, index + 1);
    };
    let encoded_end = escape.encoded + usize::from(escape.encoded_len);
    let decoded_end = escape.decoded + usize::from(escape.decoded_len);
    if index < decoded_end {
        (escape.encoded, encoded_end)
    } else {
        let at = encoded_end + (index - decoded_end);
        (at, at + 1)
    }
}

/// Builds decoded bytes and their map side by side.
#[derive(Debug, Default)]
pub(crate) struct Unescaped {
    /// The decoded bytes so far.
    pub(crate) bytes: Vec<u8>,
    escapes: Vec<Escape>,
}

impl Unescaped {
    /// Appends bytes that stand for themselves.
    pub(crate) fn literal(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends what an escape of `encoded_len` bytes at `encoded` stands for. Escapes are short:
    /// both lengths fit a byte.
    pub(crate) fn escape(&mut self, encoded: usize, encoded_len: usize, decoded: &[u8]) {
        self.escapes.push(Escape {
            decoded: self.bytes.len(),
            encoded,
            decoded_len: u8::try_from(decoded.len()).unwrap_or(u8::MAX),
            encoded_len: u8::try_from(encoded_len).unwrap_or(u8::MAX),
        });
        self.bytes.extend_from_slice(decoded);
    }

    /// Decoded bytes and map, where anything was escaped at all.
    pub(crate) fn finish(self, start: usize) -> Option<(Vec<u8>, Map)> {
        (!self.escapes.is_empty()).then_some((self.bytes, Map::Escapes { start, escapes: self.escapes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_map_to_their_whole_sequence() {
        let mut text = Unescaped::default();
        text.literal(b"ab");
        text.escape(2, 3, b"C");
        text.literal(b"d");
        let (bytes, map) = text.finish(10).unwrap();
        assert_eq!(bytes, b"abCd");
        assert_eq!(map.outer(&(0..2)), 10..12);
        assert_eq!(map.outer(&(2..3)), 12..15);
        assert_eq!(map.outer(&(1..4)), 11..16);
    }

    #[test]
    fn stretches_map_to_their_units() {
        // UTF-16: two ASCII characters, one of three bytes in UTF-8, one surrogate pair, one ASCII.
        let mut map = Stretches::default();
        for (encoded, decoded) in [(2, 0), (2, 1), (2, 1), (2, 3), (4, 4), (2, 1)] {
            map.unit(encoded, decoded);
        }
        let map = map.finish(100);
        assert_eq!(map.outer(&(0..2)), 102..106);
        assert_eq!(map.outer(&(2..5)), 106..108);
        assert_eq!(map.outer(&(3..6)), 106..112);
        assert_eq!(map.outer(&(9..10)), 112..114);
    }

    #[test]
    fn reversed_bytes_are_counted_from_the_end() {
        assert_eq!(Map::Reversed { start: 10, length: 8 }.outer(&(0..3)), 15..18);
    }

    #[test]
    fn ratios_cover_every_character_that_carries_a_bit() {
        let base64 = Map::Ratio { start: 5, chars: 4, bytes: 3, skips: vec![(4, 2)] };
        assert_eq!(base64.outer(&(0..1)), 5..7);
        assert_eq!(base64.outer(&(1..3)), 6..9);
        assert_eq!(base64.outer(&(3..4)), 11..13);
    }
}
