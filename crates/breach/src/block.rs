//! The first 32 bytes of a short value, asked together: one bit for each byte.
//!
//! Values are 5 to 40 bytes long, and stand in a text that goes on behind them: 32 bytes from where a value begins can be
//! read in most cases, and what is not the value's is masked away. A loop over its bytes would end where no processor can
//! guess it.

#![expect(
    clippy::inline_always,
    reason = "vectors stay in registers, and what is compiled for more instructions reaches them, only where nothing is called"
)]

/// Bytes of a block.
pub(crate) const BLOCK: usize = 32;

/// The lowest bits, as many as a value has bytes. All, for longer ones.
#[inline]
pub(crate) fn low(length: usize) -> u32 {
    ((1_u64 << length.min(BLOCK)) - 1) as u32
}

/// 32 bytes.
///
/// All is inlined always: what is compiled for more instructions calls it, and vectors are passed in registers only
/// where nothing is called.
pub(crate) trait Block: Copy {
    /// These bytes.
    fn of(bytes: &[u8; BLOCK]) -> Self;

    /// Which bytes are one of these.
    fn any<const N: usize>(self, bytes: [u8; N]) -> u32;

    /// Which bytes lie between these two, or are one of them.
    fn within(self, first: u8, last: u8) -> u32;

    /// With capital letters made small. Of other bytes, some become others, and none becomes a letter that was none.
    fn small(self) -> Self;

    /// The sum of the first 16 bytes, each less `'0'` and times its weight.
    fn weighed(self, weights: &[i16; 16]) -> u32;

    /// The first bytes of a text; behind its end, zeros.
    #[inline(always)]
    fn before(text: &[u8]) -> Self {
        match text.first_chunk() {
            Some(bytes) => Self::of(bytes),
            None => Self::of(&end(text)),
        }
    }

    /// Which bytes are this one.
    #[inline(always)]
    fn equal(self, byte: u8) -> u32 {
        self.any([byte])
    }

    /// Which bytes are decimal digits.
    #[inline(always)]
    fn digits(self) -> u32 {
        self.within(b'0', b'9')
    }

    /// Which bytes are ASCII letters.
    #[inline(always)]
    fn letters(self) -> u32 {
        self.small().within(b'a', b'z')
    }

    /// Which bytes are hexadecimal digits.
    #[inline(always)]
    fn hex_digits(self) -> u32 {
        self.digits() | self.small().within(b'a', b'f')
    }
}

/// The bytes of a text that is shorter than a block.
#[cold]
fn end(text: &[u8]) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    bytes.iter_mut().zip(text).for_each(|(byte, of_text)| *byte = *of_text);
    bytes
}

/// One by one.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[derive(Clone, Copy)]
pub(crate) struct Plain([u8; BLOCK]);

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Block for Plain {
    fn of(bytes: &[u8; BLOCK]) -> Self {
        Self(*bytes)
    }

    fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
        self.0.iter().rev().fold(0, |found, byte| found << 1 | u32::from(bytes.contains(byte)))
    }

    fn within(self, first: u8, last: u8) -> u32 {
        self.0.iter().rev().fold(0, |found, byte| found << 1 | u32::from((first..=last).contains(byte)))
    }

    fn small(self) -> Self {
        Self(self.0.map(|byte| byte | 0x20))
    }

    fn weighed(self, weights: &[i16; 16]) -> u32 {
        let weigh = |(byte, weight): (&u8, &i16)| i32::from(byte.wrapping_sub(b'0')) * i32::from(*weight);
        self.0.iter().zip(weights).map(weigh).sum::<i32>() as u32
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use Plain as Common;
/// What every processor has.
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::Sse2 as Common;

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86_64 {
    use super::{BLOCK, Block};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi32, _mm_cmpeq_epi8, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_min_epu8,
        _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi32,
        _mm_sub_epi8, _mm_unpackhi_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi8, _mm256_castsi256_si128,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_setzero_si256, _mm256_sub_epi8,
    };

    /// Whether the processor has what code for [`Avx2`] is compiled for: `avx2,bmi2`.
    #[inline]
    pub(crate) fn has_avx2() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2")
    }

    /// Calls what needs SSE2.
    macro_rules! sse2 {
        ($call:expr) => {{
            #[expect(unsafe_code, reason = "all processors of this architecture have SSE2, which is all that it needs")]
            unsafe {
                $call
            }
        }};
    }

    /// Calls what needs AVX2.
    macro_rules! avx2 {
        ($call:expr) => {{
            #[expect(unsafe_code, reason = "a block of this kind is made only where AVX2 was found")]
            unsafe {
                $call
            }
        }};
    }

    /// In two vectors of 16 bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Sse2([__m128i; 2]);

    impl Block for Sse2 {
        #[inline(always)]
        fn of(bytes: &[u8; BLOCK]) -> Self {
            let (halves, _) = bytes.as_chunks();
            match halves {
                [first, second] => Self([half(first), half(second)]),
                _ => Self([half(&[0; 16]); 2]),
            }
        }

        #[inline(always)]
        fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
            let [low, high] = self.0;
            half_any(low, bytes) | half_any(high, bytes) << 16
        }

        #[inline(always)]
        fn within(self, first: u8, last: u8) -> u32 {
            let [low, high] = self.0;
            half_within(low, first, last) | half_within(high, first, last) << 16
        }

        #[inline(always)]
        fn small(self) -> Self {
            let [low, high] = self.0;
            sse2!({
                let bit = _mm_set1_epi8(0x20);
                Self([_mm_or_si128(low, bit), _mm_or_si128(high, bit)])
            })
        }

        #[inline(always)]
        fn weighed(self, weights: &[i16; 16]) -> u32 {
            half_weighed(self.0[0], weights)
        }
    }

    /// In one vector. Only code that is compiled for AVX2, and called where [`has_avx2`], makes one.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256i);

    impl Block for Avx2 {
        #[inline(always)]
        fn of(bytes: &[u8; BLOCK]) -> Self {
            Self(avx2!(_mm256_loadu_si256(bytes.as_ptr().cast())))
        }

        #[inline(always)]
        fn within(self, first: u8, last: u8) -> u32 {
            avx2!({
                let from = _mm256_sub_epi8(self.0, _mm256_set1_epi8(first.cast_signed()));
                let width = _mm256_set1_epi8((last - first).cast_signed());
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(from, _mm256_min_epu8(from, width))).cast_unsigned()
            })
        }

        #[inline(always)]
        fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
            avx2!({
                let mut found = _mm256_setzero_si256();
                for byte in bytes {
                    let equal = _mm256_cmpeq_epi8(self.0, _mm256_set1_epi8(byte.cast_signed()));
                    found = _mm256_or_si256(found, equal);
                }
                _mm256_movemask_epi8(found).cast_unsigned()
            })
        }

        #[inline(always)]
        fn small(self) -> Self {
            Self(avx2!(_mm256_or_si256(self.0, _mm256_set1_epi8(0x20))))
        }

        #[inline(always)]
        fn weighed(self, weights: &[i16; 16]) -> u32 {
            half_weighed(avx2!(_mm256_castsi256_si128(self.0)), weights)
        }
    }

    #[inline(always)]
    fn half(bytes: &[u8; 16]) -> __m128i {
        let bytes = u128::from_le_bytes(*bytes);
        sse2!(_mm_set_epi64x((bytes >> 64) as i64, bytes as i64))
    }

    #[inline(always)]
    fn half_any<const N: usize>(half: __m128i, bytes: [u8; N]) -> u32 {
        sse2!({
            let mut found = _mm_setzero_si128();
            for byte in bytes {
                found = _mm_or_si128(found, _mm_cmpeq_epi8(half, _mm_set1_epi8(byte.cast_signed())));
            }
            _mm_movemask_epi8(found).cast_unsigned()
        })
    }

    #[inline(always)]
    fn half_within(half: __m128i, first: u8, last: u8) -> u32 {
        sse2!({
            let from = _mm_sub_epi8(half, _mm_set1_epi8(first.cast_signed()));
            let width = _mm_set1_epi8((last - first).cast_signed());
            _mm_movemask_epi8(_mm_cmpeq_epi8(from, _mm_min_epu8(from, width))).cast_unsigned()
        })
    }

    /// Eight of the weights.
    #[inline(always)]
    fn eight(weights: &[i16]) -> __m128i {
        let mut bits = 0;
        for weight in weights.iter().take(8).rev() {
            bits = bits << 16 | u128::from(weight.cast_unsigned());
        }
        half(&bits.to_le_bytes())
    }

    #[inline(always)]
    fn half_weighed(half: __m128i, weights: &[i16; 16]) -> u32 {
        let (first, second) = weights.split_at(8);
        let (first, second) = (eight(first), eight(second));
        sse2!({
            let values = _mm_sub_epi8(half, _mm_set1_epi8(b'0'.cast_signed()));
            let zero = _mm_setzero_si128();
            let low = _mm_madd_epi16(_mm_unpacklo_epi8(values, zero), first);
            let high = _mm_madd_epi16(_mm_unpackhi_epi8(values, zero), second);
            let sums = _mm_add_epi32(low, high);
            let sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
            let sums = _mm_add_epi32(sums, _mm_shuffle_epi32::<1>(sums));
            _mm_cvtsi128_si32(sums).cast_unsigned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that is told of some bytes.
    fn told<B: Block>(bytes: &[u8], (one, other): (u8, u8), weights: &[i16; 16]) -> [u32; 7] {
        let block = B::before(bytes);
        let (first, last) = (one.min(other), one.max(other));
        [
            block.within(first, last),
            block.equal(one),
            block.any([one, other]),
            block.digits(),
            block.letters(),
            block.hex_digits(),
            block.weighed(weights),
        ]
    }

    proptest! {
        #[test]
        fn every_byte_is_told_as_it_is_told_alone(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            two in any::<(u8, u8)>(),
            weights in proptest::array::uniform16(0..16_i16),
        ) {
            let plain = told::<Plain>(&bytes, two, &weights);
            let bit = |is: fn(&u8) -> bool| bytes.iter().take(BLOCK).rev().fold(0, |bits, byte| bits << 1 | u32::from(is(byte)));
            prop_assert_eq!(&plain[3..6], &[bit(u8::is_ascii_digit), bit(u8::is_ascii_alphabetic), bit(u8::is_ascii_hexdigit)]);
            prop_assert_eq!(told::<Common>(&bytes, two, &weights), plain);
            #[cfg(target_arch = "x86_64")]
            if x86_64::has_avx2() {
                prop_assert_eq!(told::<x86_64::Avx2>(&bytes, two, &weights), plain);
            }
        }
    }

    #[test]
    fn the_lowest_bits_are_as_many_as_the_bytes() {
        assert_eq!([0, 1, 31, 32, 1000].map(low), [0, 1, u32::MAX >> 1, u32::MAX, u32::MAX]);
    }
}
