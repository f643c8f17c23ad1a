//! Whether bytes can begin a DEFLATE stream (RFC 1951), told without inflating: making an inflater
//! costs more than looking at the first block, and nearly all bytes that are asked about are not
//! compressed.

/// Symbols of a block with fixed codes that are looked at.
const SYMBOLS: usize = 32;
/// Shorter streams are expected to be one block.
const LONGEST_SINGLE_BLOCK: usize = 4096;

/// False where the first block breaks a rule of the format.
pub(super) fn begins_deflate(bytes: &[u8]) -> bool {
    may_begin_deflate(bytes) && first_block(bytes).is_some()
}

/// The same told by the first bytes alone, so that fewer are turned away.
#[inline]
pub(super) fn may_begin_deflate(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    let is_last = first & 1 == 1 || bytes.len() >= LONGEST_SINGLE_BLOCK;
    // No block is of the last of four kinds.
    is_last && first & 6 != 6 && (first & 6 != 0 || is_stored(bytes))
}

/// Section 3.2.4, for a block that begins the stream: the length stands there twice.
fn is_stored(bytes: &[u8]) -> bool {
    matches!(bytes, [_, low, high, not_low, not_high, ..] if *low == !not_low && *high == !not_high)
}

/// False where the stream breaks a rule or ends more than so many bytes before the end.
pub(super) fn fills_with_deflate(bytes: &[u8], tolerated: usize) -> bool {
    first_block(bytes).is_some_and(|end| bytes.len() <= end + tolerated)
}

/// Where the stream ends, or the bytes' end where its own was not seen in the first block; `None` where
/// that breaks a rule.
fn first_block(bytes: &[u8]) -> Option<usize> {
    let mut bits = Bits { bytes, at: 0, block_ended: false };
    let (last, kind) = (bits.number(1)?, bits.number(2)?);
    if last == 0 && bytes.len() < LONGEST_SINGLE_BLOCK {
        return None;
    }
    let may_be = match kind {
        0 => is_stored(bytes),
        1 => fixed(&mut bits).unwrap_or(true),
        2 => dynamic(&mut bits).unwrap_or(false),
        _ => false,
    };
    may_be.then(|| if bits.block_ended && last == 1 { bits.at.div_ceil(8) } else { bytes.len() })
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
    /// The end of the block was read.
    block_ended: bool,
}

impl Bits<'_> {
    /// A number of that many bits, at most 32, lowest first.
    fn number(&mut self, count: u32) -> Option<u32> {
        let end = self.at + count as usize;
        if end > self.bytes.len() * 8 {
            return None;
        }
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let eight = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0; 8];
            padded.iter_mut().zip(rest).for_each(|(padded, byte)| *padded = *byte);
            padded
        });
        let number = u64::from_le_bytes(eight) >> (self.at % 8) & ((1 << count) - 1);
        self.at = end;
        Some(number as u32)
    }

    /// A code of that many bits, highest first.
    fn code(&mut self, count: u32) -> Option<u32> {
        let number = self.number(count)?;
        Some(number.reverse_bits() >> (32 - count.clamp(1, 32)))
    }

    fn bit(&mut self) -> Option<u32> {
        self.number(1)
    }
}

/// Section 3.2.6: no length symbols over 285, no distance symbols over 29, and no copy from before
/// the start. `None` where the bytes end first.
fn fixed(bits: &mut Bits<'_>) -> Option<bool> {
    let mut written = 0;
    for _ in 0..SYMBOLS {
        let seven = bits.code(7)?;
        let length_symbol = match seven {
            0 => {
                bits.block_ended = true;
                return Some(true);
            }
            1..=23 => 256 + seven,
            24..=95 | 100..=127 => {
                // Literals take eight bits, those from 144 on nine.
                bits.code(if seven < 96 { 1 } else { 2 })?;
                written += 1;
                continue;
            }
            _ => 280 + (seven << 1 | bits.bit()?) - 192,
        };
        let (length, extra) = length_of(length_symbol)?;
        let length = length + bits.number(extra)?;
        let distance_symbol = bits.code(5)?;
        if length_symbol > 285 || distance_symbol > 29 || distance(distance_symbol, bits)? > written {
            return Some(false);
        }
        written += length;
    }
    Some(true)
}

/// Shortest length of a symbol and its extra bits (table in section 3.2.5).
fn length_of(symbol: u32) -> Option<(u32, u32)> {
    let number = symbol.checked_sub(257)?;
    Some(match number {
        0..8 => (number + 3, 0),
        28.. => (258, 0),
        _ => {
            let extra = number / 4 - 1;
            (3 + ((4 + number % 4) << extra), extra)
        }
    })
}

fn distance(symbol: u32, bits: &mut Bits<'_>) -> Option<u32> {
    if symbol < 4 {
        return Some(symbol + 1);
    }
    let extra = symbol / 2 - 1;
    Some(1 + ((2 + symbol % 2) << extra) + bits.number(extra)?)
}

/// Section 3.2.7: at most 286 length and 30 distance codes, and the code for code lengths is
/// complete.
fn dynamic(bits: &mut Bits<'_>) -> Option<bool> {
    let (lengths, distances, count) = (bits.number(5)?, bits.number(5)?, bits.number(4)? + 4);
    if lengths > 29 || distances > 29 {
        return Some(false);
    }
    let (mut space, mut left) = (0, count);
    while left > 0 {
        let some = left.min(LENGTHS_AT_ONCE);
        space += space_of(bits.number(3 * some)?);
        // Once there is no room, the rest is of no interest.
        if space > ALL_SPACE {
            return Some(false);
        }
        left -= some;
    }
    Some(space == ALL_SPACE)
}

/// Lengths of codes, three bits each, that are read as one number.
const LENGTHS_AT_ONCE: u32 = 10;
/// What all codes of a complete code for code lengths take.
const ALL_SPACE: u32 = 128;

/// What codes of these lengths take.
fn space_of(mut lengths: u32) -> u32 {
    let mut space = 0;
    while lengths != 0 {
        let length = lengths & 7;
        space += if length == 0 { 0 } else { ALL_SPACE >> length };
        lengths >>= 3;
    }
    space
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::deflate::wrap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_encoders_write_is_plausible(
            bytes in proptest::collection::vec(any::<u8>(), 1..600),
            text in "[a-f]{1,600}",
        ) {
            prop_assert!(begins_deflate(&wrap("deflate", &bytes)) && may_begin_deflate(&wrap("deflate", &bytes)));
            prop_assert!(fills_with_deflate(&wrap("deflate", &bytes[..bytes.len().min(20)]), 0));
            prop_assert!(begins_deflate(&wrap("deflate", text.as_bytes())));
        }
    }

    proptest! {
        #[test]
        fn the_first_bytes_turn_away_no_stream(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(may_begin_deflate(&bytes) || first_block(&bytes).is_none());
        }
    }

    #[test]
    fn a_stream_that_ends_early_does_not_fill_the_bytes() {
        // Section 3.2.6: a last block with fixed codes that holds nothing but its end.
        let bytes = [3, 0, 1, 2, 3, 4];
        assert!(begins_deflate(&bytes) && fills_with_deflate(&bytes, 4) && !fills_with_deflate(&bytes, 3));
    }

    #[test]
    fn few_other_bytes_are() {
        let plausible = (0..10_000u64).filter(|seed| {
            let bytes: Vec<u8> =
                (0..4).flat_map(|n| (seed * 4 + n).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).collect();
            begins_deflate(&bytes)
        });
        assert!(plausible.count() < 300);
    }
}
