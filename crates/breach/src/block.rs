//! The first 32 bytes of a short value, asked together: one bit for each byte.
//!
//! Values are 5 to 40 bytes long, and stand in a text that goes on behind them: 32 bytes from where a value begins can be
//! read in most cases, and what is not the value's is masked away. A loop over its bytes would end where no processor can
//! guess it.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 32;

/// 32 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Block([Half; 2]);

/// The lowest bits, as many as a value has bytes. All, for longer ones.
#[inline]
pub(crate) fn low(length: usize) -> u32 {
    ((1_u64 << length.min(BLOCK)) - 1) as u32
}

impl Block {
    /// These bytes.
    #[inline]
    pub(crate) fn of(bytes: &[u8; BLOCK]) -> Self {
        let (halves, _) = bytes.as_chunks();
        match halves {
            [first, second] => Self([half(first), half(second)]),
            _ => Self([half(&[0; 16]); 2]),
        }
    }

    /// The first bytes of a text; behind its end, zeros.
    #[inline]
    pub(crate) fn before(text: &[u8]) -> Self {
        text.first_chunk().map_or_else(|| Self::of_end(text), Self::of)
    }

    #[cold]
    fn of_end(rest: &[u8]) -> Self {
        let mut bytes = [0; BLOCK];
        bytes.iter_mut().zip(rest).for_each(|(byte, of_rest)| *byte = *of_rest);
        Self::of(&bytes)
    }

    /// Which bytes are this one.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> u32 {
        self.within(byte, byte)
    }

    /// Which bytes are one of these.
    #[inline]
    pub(crate) fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
        bytes.into_iter().fold(0, |found, byte| found | self.equal(byte))
    }

    /// Which bytes lie between these two, or are one of them.
    #[inline]
    pub(crate) fn within(self, first: u8, last: u8) -> u32 {
        let [low, high] = self.0.map(|half| within(half, first, last));
        low | high << 16
    }

    /// Which bytes are decimal digits.
    #[inline]
    pub(crate) fn digits(self) -> u32 {
        self.within(b'0', b'9')
    }

    /// Which bytes are ASCII letters.
    #[inline]
    pub(crate) fn letters(self) -> u32 {
        self.small().within(b'a', b'z')
    }

    /// Which bytes are hexadecimal digits.
    #[inline]
    pub(crate) fn hex_digits(self) -> u32 {
        self.digits() | self.small().within(b'a', b'f')
    }

    /// With capital letters made small. Of other bytes, some become others, and none becomes a letter that was none.
    #[inline]
    fn small(self) -> Self {
        Self(self.0.map(small))
    }

    /// The sum of the first 16 bytes, each less `'0'` and times its weight.
    #[inline]
    pub(crate) fn weighed(self, weights: &[i16; 16]) -> u32 {
        weighed(self.0[0], weights)
    }
}

#[cfg(target_arch = "x86_64")]
use of_sse2::{Half, half, small, weighed, within};

#[cfg(target_arch = "x86_64")]
mod of_sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_cmpeq_epi8, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi32, _mm_sub_epi8,
        _mm_unpackhi_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi8,
    };

    pub(super) type Half = __m128i;

    /// Calls what needs SSE2.
    macro_rules! sse2 {
        ($call:expr) => {{
            #[expect(unsafe_code, reason = "all processors of this architecture have SSE2, which is all that it needs")]
            unsafe {
                $call
            }
        }};
    }

    #[inline]
    pub(super) fn half(bytes: &[u8; 16]) -> Half {
        let bytes = u128::from_le_bytes(*bytes);
        sse2!(_mm_set_epi64x((bytes >> 64) as i64, bytes as i64))
    }

    #[inline]
    pub(super) fn within(half: Half, first: u8, last: u8) -> u32 {
        sse2!({
            let from = _mm_sub_epi8(half, _mm_set1_epi8(first as i8));
            let width = _mm_set1_epi8((last - first) as i8);
            _mm_movemask_epi8(_mm_cmpeq_epi8(from, _mm_min_epu8(from, width))) as u32
        })
    }

    #[inline]
    pub(super) fn small(half: Half) -> Half {
        sse2!(_mm_or_si128(half, _mm_set1_epi8(0x20)))
    }

    /// Eight of the weights.
    #[inline]
    fn eight(weights: &[i16]) -> Half {
        let place = |sum, (place, weight): (usize, &i16)| sum | u128::from(weight.cast_unsigned()) << (16 * place);
        let bits: u128 = weights.iter().take(8).enumerate().fold(0, place);
        half(&bits.to_le_bytes())
    }

    #[inline]
    pub(super) fn weighed(half: Half, weights: &[i16; 16]) -> u32 {
        let (first, second) = weights.split_at(8);
        let (first, second) = (eight(first), eight(second));
        sse2!({
            let values = _mm_sub_epi8(half, _mm_set1_epi8(b'0' as i8));
            let zero = _mm_setzero_si128();
            let low = _mm_madd_epi16(_mm_unpacklo_epi8(values, zero), first);
            let high = _mm_madd_epi16(_mm_unpackhi_epi8(values, zero), second);
            let sums = _mm_add_epi32(low, high);
            let sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
            let sums = _mm_add_epi32(sums, _mm_shuffle_epi32::<1>(sums));
            _mm_cvtsi128_si32(sums) as u32
        })
    }
}

#[cfg(not(target_arch = "x86_64"))]
use of_bytes::{Half, half, small, weighed, within};

#[cfg(any(test, not(target_arch = "x86_64")))]
mod of_bytes {
    pub(super) type Half = [u8; 16];

    pub(super) fn half(bytes: &[u8; 16]) -> Half {
        *bytes
    }

    pub(super) fn within(half: Half, first: u8, last: u8) -> u32 {
        half.iter().rev().fold(0, |found, byte| found << 1 | u32::from((first..=last).contains(byte)))
    }

    pub(super) fn small(half: Half) -> Half {
        half.map(|byte| byte | 0x20)
    }

    pub(super) fn weighed(half: Half, weights: &[i16; 16]) -> u32 {
        let weigh = |(byte, weight): (&u8, &i16)| i32::from(byte.wrapping_sub(b'0')) * i32::from(*weight);
        half.iter().zip(weights).map(weigh).sum::<i32>() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_is_told_as_it_is_told_alone(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            one in any::<u8>(), other in any::<u8>(),
            weights in proptest::array::uniform16(0..16_i16),
        ) {
            let block = Block::before(&bytes);
            let mut padded = bytes.clone();
            padded.resize(BLOCK.max(bytes.len()), 0);
            let bits = |is: &dyn Fn(u8) -> bool| {
                padded[..BLOCK].iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(is(*byte)))
            };
            let (first, last) = (one.min(other), one.max(other));
            prop_assert_eq!(block.within(first, last), bits(&|byte| (first..=last).contains(&byte)));
            prop_assert_eq!(block.any([one, other]), bits(&|byte| byte == one || byte == other));
            prop_assert_eq!(block.digits(), bits(&|byte| byte.is_ascii_digit()));
            prop_assert_eq!(block.letters(), bits(&|byte| byte.is_ascii_alphabetic()));
            prop_assert_eq!(block.hex_digits(), bits(&|byte| byte.is_ascii_hexdigit()));
            let plain = of_bytes::half(padded.first_chunk().unwrap());
            prop_assert_eq!(block.within(first, last) & 0xFFFF, of_bytes::within(plain, first, last));
            prop_assert_eq!(block.letters() & 0xFFFF, of_bytes::within(of_bytes::small(plain), b'a', b'z'));
            prop_assert_eq!(block.weighed(&weights), of_bytes::weighed(plain, &weights));
        }
    }

    #[test]
    fn the_lowest_bits_are_as_many_as_the_bytes() {
        assert_eq!([0, 1, 31, 32, 1000].map(low), [0, 1, u32::MAX >> 1, u32::MAX, u32::MAX]);
    }
}
