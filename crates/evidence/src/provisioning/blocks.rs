//! Blocks of four bytes, as `AirKiss` and Tuya EZ spell them: 128 + a CRC of seven bits, 128 + the block's
//! number, then 256 + each byte. Before them, lengths and CRCs are spelt in fours of four bits.

use super::votes::{Votes, crc8};

/// Blocks that either scheme can need: 111 bytes of Tuya EZ.
const BLOCKS: usize = 32;
/// Bytes of a block; the last may be shorter.
const SIZE: usize = 4;
/// Different hearings of one block that are kept, and how many of them are put together in pairs.
const HEARINGS: usize = 48;
const PAIRED: usize = 12;

/// What was heard of each block.
pub(super) struct Blocks(Vec<Block>);

/// Bytes as they were heard between two heads, some of them lost, with how often; and the CRC before them.
#[derive(Debug, Clone, Default)]
struct Block {
    crc: Votes,
    heard: Vec<(Vec<u8>, u32)>,
}

impl Blocks {
    /// Listens for the blocks of `total` bytes.
    pub(super) fn listen(lengths: &[u16], total: usize) -> Self {
        let count = total.div_ceil(SIZE).min(BLOCKS);
        let mut blocks = Self(vec![Block::default(); count]);
        let (mut head, mut bytes) = (Vec::new(), Vec::new());
        for length in lengths.iter().chain([&0]) {
            match *length {
                byte @ 256..512 => bytes.push(byte as u8),
                code => {
                    if !bytes.is_empty() {
                        blocks.count(std::mem::take(&mut head), std::mem::take(&mut bytes));
                    }
                    match code {
                        128..256 => head.push((code & 127) as u8),
                        _ => head.clear(),
                    }
                }
            }
        }
        blocks
    }

    /// Counts what was heard between two heads. The two codes before the bytes are the block's; more are of
    /// blocks whose bytes were lost, or repeated.
    fn count(&mut self, mut head: Vec<u8>, mut bytes: Vec<u8>) {
        if head.len() > 2 {
            head.dedup();
        }
        let Some([crc, number]) = head.last_chunk().copied() else { return };
        if bytes.len() > SIZE {
            bytes.dedup();
        }
        let block = self.0.get_mut(usize::from(number)).filter(|_| bytes.len() <= SIZE);
        if let Some(block) = block {
            block.crc.add(crc, 1);
            block.hear(bytes);
        }
    }

    /// The first `total` bytes, where each block was heard with its CRC. `padded`: the CRC of a last block that
    /// is short covers zeros in place of what is missing; otherwise it covers what is there.
    pub(super) fn read(&self, total: usize, padded: bool) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(total);
        for (number, block) in self.0.iter().enumerate() {
            let size = (total - bytes.len()).min(SIZE);
            bytes.extend(block.read(number as u8, size, padded)?);
        }
        (bytes.len() == total).then_some(bytes)
    }
}

impl Block {
    fn hear(&mut self, bytes: Vec<u8>) {
        if let Some((_, count)) = self.heard.iter_mut().find(|(known, _)| *known == bytes) {
            *count += 1;
        } else if self.heard.len() < HEARINGS {
            self.heard.push((bytes, 1));
        }
    }

    /// The bytes that explain what was heard: with the right CRC, in most hearings, some lost, and in more of them
    /// than any others.
    fn read(&self, number: u8, size: usize, padded: bool) -> Option<Vec<u8>> {
        let crc = self.crc.first()?;
        let filling = if padded { SIZE - size } else { 0 };
        let is_right = |bytes: &Vec<u8>| {
            let covered = bytes.iter().copied().chain(std::iter::repeat_n(0, filling));
            crc8([number].into_iter().chain(covered)) & 127 == crc
        };
        // Some apps fill a short block with zeros: of these, too, some may be lost.
        let cut = |mut bytes: Vec<u8>| {
            let is_filled = bytes.get(size..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
            bytes.truncate(size);
            is_filled.then_some(bytes)
        };
        let whole = self.candidates(size).into_iter().chain(self.candidates(SIZE)).filter_map(cut);
        let mut candidates: Vec<Vec<u8>> = whole.filter(is_right).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut scored: Vec<_> = candidates.into_iter().map(|bytes| (self.explained(&bytes), bytes)).collect();
        scored.sort_unstable_by(|one, other| other.cmp(one));
        let next = scored.get(1).map_or(0, |(score, _)| *score);
        let (score, bytes) = scored.into_iter().next()?;
        let all: u32 = self.heard.iter().map(|(_, count)| count).sum();
        (score >= 2 && score > next && score * 3 >= all * 2).then_some(bytes)
    }

    /// Hearings that `bytes` explain.
    fn explained(&self, bytes: &[u8]) -> u32 {
        let filled: Vec<u8> = bytes.iter().copied().chain(std::iter::repeat(0)).take(SIZE).collect();
        self.heard.iter().filter(|(heard, _)| is_part(heard, &filled)).map(|(_, count)| count).sum()
    }

    /// What was heard whole, and what has two different hearings of one byte less as its parts. A hearing that came
    /// only once may be of two blocks, or with a byte twice.
    fn candidates(&self, size: usize) -> Vec<Vec<u8>> {
        let of = |length| self.heard.iter().filter(move |(heard, _)| heard.len() == length);
        let whole = of(size).map(|(heard, _)| heard.clone());
        let mut parts: Vec<_> = of(size - 1).filter(|(_, count)| *count >= 2).collect();
        parts.sort_by_key(|(_, count)| u32::MAX - count);
        parts.truncate(PAIRED);
        let pairs = parts.iter().flat_map(|one| parts.iter().map(move |other| (&one.0, &other.0)));
        let merged = pairs.filter(|(one, other)| one != other).flat_map(|(one, other)| merged(one, other));
        whole.chain(merged).collect()
    }
}

/// True where all of `part` stands in `whole` in the same order.
fn is_part(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

/// Everything one byte longer than `one` that has both as its parts.
fn merged(one: &[u8], other: &[u8]) -> Vec<Vec<u8>> {
    let places = (0..=one.len()).flat_map(|place| other.iter().map(move |byte| (place, *byte)));
    let longer = places.map(|(place, byte)| {
        let (before, after) = one.split_at(place);
        [before, &[byte], after].concat()
    });
    longer.filter(|bytes| is_part(other, bytes)).collect()
}

/// Length and CRC out of fours of four bits, which `marks` in the higher bits tell apart.
pub(super) fn nibbles(lengths: &[u16], marks: [u16; 4]) -> Option<[u8; 2]> {
    let mut votes = <[Votes; 4]>::default();
    for length in lengths {
        let place = marks.iter().position(|mark| length >> 4 == *mark);
        if let Some(votes) = place.and_then(|place| votes.get_mut(place)) {
            votes.add((length & 15) as u8, 1);
        }
    }
    let [length_high, length_low, crc_high, crc_low] = votes.map(|votes| votes.first());
    Some([length_high? << 4 | length_low?, crc_high? << 4 | crc_low?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block as it is sent.
    fn block(number: u8, bytes: [u8; 4]) -> Vec<u16> {
        let crc = crc8([number].into_iter().chain(bytes));
        let head = [crc | 0x80, number | 0x80].map(u16::from);
        head.into_iter().chain(bytes.map(|byte| u16::from(byte) | 0x100)).collect()
    }

    fn read(lengths: &[u16]) -> Option<Vec<u8>> {
        Blocks::listen(lengths, 8).read(8, true)
    }

    #[test]
    fn blocks_that_were_never_heard_whole_are_put_together() {
        let (first, second) = (block(0, *b"made"), block(1, *b"-up!"));
        let without = |block: &[u16], lost: usize| [&block[..lost], &block[lost + 1..]].concat();
        let rounds: Vec<u16> =
            (2..6).flat_map(|lost| [without(&first, lost), without(&second, lost)].concat()).collect();
        assert_eq!(read(&rounds), None, "each hearing came only once");
        assert_eq!(read(&rounds.repeat(2)), Some(b"made-up!".to_vec()));
    }

    #[test]
    fn one_hearing_is_not_enough_and_a_repeated_frame_does_no_harm() {
        let round = [block(0, *b"made"), block(1, *b"-up!")].concat();
        assert_eq!(read(&round), None);
        let repeated: Vec<u16> = round.iter().flat_map(|length| [*length, *length]).collect();
        assert_eq!(read(&[repeated, round].concat()), Some(b"made-up!".to_vec()));
    }

    #[test]
    fn a_short_block_may_be_filled_with_zeros_or_not() {
        let (first, short) = (block(0, *b"made"), block(1, *b"-up\0"));
        for sent in [5, 6] {
            let round = [&first[..], &short[..sent], &[0x41]].concat();
            let read = Blocks::listen(&round.repeat(2), 7).read(7, true);
            assert_eq!(read, Some(b"made-up".to_vec()));
        }
    }

    #[test]
    fn zeros_that_fill_a_short_block_may_be_lost_or_heard_without_what_they_follow() {
        let (first, short) = (block(0, *b"made"), block(1, *b"u!\0\0"));
        let without = |lost: usize| [&first[..], &short[..lost], &short[lost + 1..]].concat();
        let rounds = [2, 3, 3, 3, 4, 5].map(without).concat();
        let whole = [&first[..], &short[..]].concat();
        let read = Blocks::listen(&[rounds, whole].concat(), 6).read(6, true);
        assert_eq!(read, Some(b"madeu!".to_vec()));
    }

    #[test]
    fn lengths_in_fours_are_told_apart_by_their_marks() {
        let lengths = [0x21, 0x17, 0x42, 0x33, 0x17, 0x2c, 0x17, 0x2c, 0x42];
        assert_eq!(nibbles(&lengths, [1, 2, 3, 4]), Some([0x7c, 0x32]));
        assert_eq!(nibbles(&lengths[..3], [1, 2, 3, 4]), None);
    }
}
