//! The first of a few bytes in short fields, 32 bytes at a time.
//!
//! Fields are 5 to 30 bytes long: a call to `memchr` costs as much as the field, and a loop that ends with the field ends
//! where no processor can guess it.

#![expect(clippy::inline_always, reason = "a call costs as much as a field")]

use crate::block::{BLOCK, Block, Common};

/// Bytes that [`Ahead`] looks at together.
const AHEAD: usize = 2 * BLOCK;
/// How many blocks are looked at before `memchr` is the faster.
const BLOCKS: usize = 2;

/// The place of the first `a` or `b` at or after `at`.
#[inline]
pub(crate) fn either(text: &[u8], at: usize, a: u8, b: u8) -> Option<usize> {
    match near(text, at, [a, b]) {
        Ok(place) => Some(place),
        Err(from) => memchr::memchr2(a, b, text.get(from..)?).map(|length| from + length),
    }
}

/// The place of the first `a`, `b` or `c` at or after `at`.
#[inline]
pub(crate) fn any(text: &[u8], at: usize, [a, b, c]: [u8; 3]) -> Option<usize> {
    match near(text, at, [a, b, c]) {
        Ok(place) => Some(place),
        Err(from) => memchr::memchr3(a, b, c, text.get(from..)?).map(|length| from + length),
    }
}

/// The places of two bytes in a text, asked for in order: what was looked at is remembered up to 64 bytes ahead.
pub(crate) struct Ahead {
    bytes: [u8; 2],
    /// Where the bytes begin that were looked at last.
    from: usize,
    /// One bit for each of them.
    hits: u64,
}

impl Ahead {
    /// Nothing looked at yet.
    #[inline(always)]
    pub(crate) fn of(bytes: [u8; 2]) -> Self {
        Self { bytes, from: 0, hits: 0 }
    }

    /// The second of the bytes.
    #[inline(always)]
    pub(crate) fn second(&self) -> u8 {
        self.bytes[1]
    }

    /// The place of the first of the bytes at or after `at`, which is not before what was asked last.
    #[inline(always)]
    pub(crate) fn next(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let ahead = at.wrapping_sub(self.from);
        if ahead < AHEAD {
            let hits = self.hits >> ahead;
            if hits != 0 {
                return Some(at + hits.trailing_zeros() as usize);
            }
        }
        self.look(text, at)
    }

    #[inline(always)]
    fn look(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let [a, b] = self.bytes;
        let mut from = at;
        for _ in 0..BLOCKS {
            let Some(bytes) = text.get(from..).and_then(<[u8]>::first_chunk::<AHEAD>) else { break };
            let (Some(first), Some(second)) = (bytes.first_chunk(), bytes.last_chunk()) else { break };
            let (first, second) = (Common::of(first).any([a, b]), Common::of(second).any([a, b]));
            (self.from, self.hits) = (from, u64::from(first) | u64::from(second) << BLOCK);
            if self.hits != 0 {
                return Some(from + self.hits.trailing_zeros() as usize);
            }
            from += AHEAD;
        }
        memchr::memchr2(a, b, text.get(from..)?).map(|length| from + length)
    }
}

/// The place of the first of the bytes in the next blocks; or up to where there is none.
#[inline]
fn near<const N: usize>(text: &[u8], at: usize, bytes: [u8; N]) -> Result<usize, usize> {
    let (blocks, _) = text.get(at..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut from = at;
    for block in blocks.iter().take(BLOCKS) {
        let hits = Common::of(block).any(bytes);
        if hits != 0 {
            return Ok(from + hits.trailing_zeros() as usize);
        }
        from += BLOCK;
    }
    Err(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Asked for all of them, or from a place behind the last one on.
        #[test]
        fn what_was_looked_at_is_remembered_rightly(
            text in proptest::collection::vec(0u8..40, 0..700), gaps in proptest::collection::vec(1usize..90, 1..60),
        ) {
            let mut ahead = Ahead::of([1, 2]);
            let mut at = 0;
            for gap in gaps {
                let slow = text.get(at..).and_then(|rest| memchr::memchr2(1, 2, rest)).map(|length| at + length);
                proptest::prop_assert_eq!(ahead.next(&text, at), slow);
                at = slow.unwrap_or(at) + if gap % 3 == 0 { gap } else { 1 };
            }
        }

        #[test]
        fn as_memchr_does(text in proptest::collection::vec(0u8..6, 0..150), at in 0usize..160, a in 0u8..6, b in 0u8..6) {
            let slow = text.get(at..).and_then(|rest| memchr::memchr2(a, b, rest)).map(|length| at + length);
            proptest::prop_assert_eq!(either(&text, at, a, b), slow);
            let slow = text.get(at..).and_then(|rest| memchr::memchr3(a, b, 5, rest)).map(|length| at + length);
            proptest::prop_assert_eq!(any(&text, at, [a, b, 5]), slow);
        }
    }
}
