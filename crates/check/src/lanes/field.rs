//! The field of 2^255 - 19, eight elements at once: five limbs of 51 bits, each limb of all eight in one vector.
//!
//! `madd52` multiplies the low 52 bits of its operands. So every element that is given to another function has limbs
//! below 2^51 + 2^14: what sums and differences are more is carried at once.

use std::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_mov_epi64, _mm512_mul_epu32, _mm512_mullo_epi64, _mm512_or_si512,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
    _mm512_test_epi64_mask, _mm512_testn_epi64_mask,
};

/// Eight elements.
#[derive(Clone, Copy)]
pub(super) struct Field([__m512i; 5]);

const BITS: u32 = 51;
const MASK: u64 = (1 << BITS) - 1;

/// Twice the prime, in limbs none of which is smaller than one of an element.
const TWO_PRIMES: [u64; 5] = [2 * (MASK - 18), 2 * MASK, 2 * MASK, 2 * MASK, 2 * MASK];

pub(super) const ZERO: [u64; 5] = [0; 5];
pub(super) const ONE: [u64; 5] = [1, 0, 0, 0, 0];
/// A square root of -1.
pub(super) const SQRT_M1: [u64; 5] =
    [1_718_705_420_411_056, 234_908_883_556_509, 2_233_514_472_574_048, 2_117_202_627_021_982, 765_476_049_583_133];

/// The same element in all lanes.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn all(limbs: [u64; 5]) -> Field {
    let mut field = Field([_mm512_setzero_si512(); 5]);
    for (vector, limb) in field.0.iter_mut().zip(limbs) {
        *vector = _mm512_set1_epi64(limb.cast_signed());
    }
    field
}

/// Elements of 32 bytes, little-endian, without their highest bit.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn from_bytes(bytes: &[[u8; 32]; 8]) -> Field {
    let mut limbs = [[0; 8]; 5];
    for (lane, bytes) in bytes.iter().enumerate() {
        let mut word = [0; 4];
        for (word, bytes) in word.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let of_lane = [
            word[0],
            word[0] >> 51 | word[1] << 13,
            word[1] >> 38 | word[2] << 26,
            word[2] >> 25 | word[3] << 39,
            word[3] >> 12,
        ];
        for (limbs, limb) in limbs.iter_mut().zip(of_lane) {
            limbs[lane] = limb & MASK;
        }
    }
    let mut field = Field([_mm512_setzero_si512(); 5]);
    for (vector, limbs) in field.0.iter_mut().zip(&limbs) {
        #[expect(unsafe_code, reason = "eight limbs are as many bytes as the vector has")]
        let loaded = unsafe { _mm512_loadu_si512(limbs.as_ptr().cast()) };
        *vector = loaded;
    }
    field
}

/// The bytes of each element below the prime.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn to_bytes(field: &Field) -> [[u8; 32]; 8] {
    let mut limbs = [[0_u64; 8]; 5];
    for (limbs, vector) in limbs.iter_mut().zip(canonical(field).0) {
        #[expect(unsafe_code, reason = "the vector has as many bytes as eight limbs")]
        unsafe {
            _mm512_storeu_si512(limbs.as_mut_ptr().cast(), vector);
        }
    }
    let mut all = [[0; 32]; 8];
    for (lane, bytes) in all.iter_mut().enumerate() {
        let limb = |place: usize| limbs[place][lane];
        let words = [
            limb(0) | limb(1) << 51,
            limb(1) >> 13 | limb(2) << 38,
            limb(2) >> 26 | limb(3) << 25,
            limb(3) >> 39 | limb(4) << 12,
        ];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
    }
    all
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn add(one: &Field, other: &Field) -> Field {
    let mut sum = *one;
    for (limb, other) in sum.0.iter_mut().zip(other.0) {
        *limb = _mm512_add_epi64(*limb, other);
    }
    carried(&sum)
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn subtract(one: &Field, other: &Field) -> Field {
    let mut difference = add_without_carry(one, &all(TWO_PRIMES));
    for (limb, other) in difference.0.iter_mut().zip(other.0) {
        *limb = _mm512_sub_epi64(*limb, other);
    }
    carried(&difference)
}

#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn negate(field: &Field) -> Field {
    subtract(&all(ZERO), field)
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
pub(super) fn multiply(one: &Field, other: &Field) -> Field {
    let mut sums = [_mm512_setzero_si512(); 10];
    let mut before = _mm512_setzero_si512();
    for (place, sum) in sums.iter_mut().enumerate() {
        let mut low = _mm512_add_epi64(before, before);
        let mut high = _mm512_setzero_si512();
        for i in place.saturating_sub(4)..=place.min(4) {
            low = _mm512_madd52lo_epu64(low, one.0[i], other.0[place - i]);
            high = _mm512_madd52hi_epu64(high, one.0[i], other.0[place - i]);
        }
        (*sum, before) = (low, high);
    }
    folded(&sums)
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
pub(super) fn square(field: &Field) -> Field {
    let mut sums = [_mm512_setzero_si512(); 10];
    let mut before = _mm512_setzero_si512();
    for (place, sum) in sums.iter_mut().enumerate() {
        // What stands twice in the square is multiplied once and doubled.
        let (mut low, mut high) = (before, _mm512_setzero_si512());
        for i in place.saturating_sub(4)..place.div_ceil(2) {
            low = _mm512_madd52lo_epu64(low, field.0[i], field.0[place - i]);
            high = _mm512_madd52hi_epu64(high, field.0[i], field.0[place - i]);
        }
        (low, high) = (_mm512_add_epi64(low, low), _mm512_add_epi64(high, high));
        if place.is_multiple_of(2) {
            let root = field.0[place / 2];
            low = _mm512_madd52lo_epu64(low, root, root);
            high = _mm512_madd52hi_epu64(high, root, root);
        }
        (*sum, before) = (low, high);
    }
    folded(&sums)
}

/// Squared so many times.
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
fn squared(field: &Field, times: u32) -> Field {
    let mut power = *field;
    for _ in 0..times {
        power = square(&power);
    }
    power
}

/// To the power of (p - 5) / 8.
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
fn power_p58(x: &Field) -> Field {
    // From `five` on, a name says how many of the lowest bits of its exponent are set.
    let second = square(x);
    let ninth = multiply(x, &squared(&second, 2));
    let eleventh = multiply(&second, &ninth);
    let five = multiply(&ninth, &square(&eleventh));
    let ten = multiply(&squared(&five, 5), &five);
    let twenty = multiply(&squared(&ten, 10), &ten);
    let forty = multiply(&squared(&twenty, 20), &twenty);
    let fifty = multiply(&squared(&forty, 10), &ten);
    let hundred = multiply(&squared(&fifty, 50), &fifty);
    let two_hundred = multiply(&squared(&hundred, 100), &hundred);
    let all_but_five = multiply(&squared(&two_hundred, 50), &fifty);
    multiply(x, &squared(&all_but_five, 2))
}

/// `SQRT_RATIO_M1` (RFC 9496, section 4.2): where `u / v` is a square, and its root or that of `i u / v` that is not
/// negative.
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
pub(super) fn sqrt_ratio(u: &Field, v: &Field) -> (__mmask8, Field) {
    let v3 = multiply(&square(v), v);
    let v7 = multiply(&square(&v3), v);
    let root = multiply(&multiply(u, &v3), &power_p58(&multiply(u, &v7)));
    let check = multiply(v, &square(&root));
    let i = all(SQRT_M1);
    let less_u = negate(u);
    let is_right = are_equal(&check, u);
    let is_flipped = are_equal(&check, &less_u);
    let is_turned = are_equal(&check, &multiply(&less_u, &i));
    let root = select(&root, &multiply(&root, &i), is_flipped | is_turned);
    (is_right | is_flipped, absolute(&root))
}

/// The one that is not negative of an element and its negative.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn absolute(field: &Field) -> Field {
    select(field, &negate(field), are_negative(field))
}

/// In each lane that is set the other.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn select(one: &Field, other: &Field, lanes: __mmask8) -> Field {
    let mut selected = *one;
    for (limb, other) in selected.0.iter_mut().zip(other.0) {
        *limb = _mm512_mask_mov_epi64(*limb, lanes, other);
    }
    selected
}

/// Which are negative: odd, that is (RFC 9496, section 3.1).
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn are_negative(field: &Field) -> __mmask8 {
    _mm512_test_epi64_mask(canonical(field).0[0], _mm512_set1_epi64(1))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn are_equal(one: &Field, other: &Field) -> __mmask8 {
    let mut any = _mm512_setzero_si512();
    for limb in canonical(&subtract(one, other)).0 {
        any = _mm512_or_si512(any, limb);
    }
    _mm512_testn_epi64_mask(any, any)
}

/// Limbs of 51 bits, of a number below the prime.
#[target_feature(enable = "avx512f")]
#[inline]
fn canonical(field: &Field) -> Field {
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    // The number is below twice the prime. Where it is not below the prime, 19 more carry out of its 255 bits.
    let mut limbs = carried(field).0;
    let mut carry = _mm512_set1_epi64(19);
    for limb in limbs {
        carry = _mm512_srli_epi64::<BITS>(_mm512_add_epi64(limb, carry));
    }
    carry = _mm512_mul_epu32(carry, _mm512_set1_epi64(19));
    for limb in &mut limbs {
        let sum = _mm512_add_epi64(*limb, carry);
        carry = _mm512_srli_epi64::<BITS>(sum);
        *limb = _mm512_and_si512(sum, mask);
    }
    Field(limbs)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add_without_carry(one: &Field, other: &Field) -> Field {
    let mut sum = *one;
    for (limb, other) in sum.0.iter_mut().zip(other.0) {
        *limb = _mm512_add_epi64(*limb, other);
    }
    sum
}

/// What is in the limbs above 51 bits, added to the next. From limbs below 300 * 2^52 come such below 2^51 + 2^14: no
/// carry is above 600, and of the highest comes 19 times as much, because 2^255 is 19.
#[target_feature(enable = "avx512f")]
#[inline]
fn carried(field: &Field) -> Field {
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    let last = _mm512_srli_epi64::<BITS>(field.0[4]);
    let mut carry = _mm512_mul_epu32(last, _mm512_set1_epi64(19));
    let mut carried = *field;
    for limb in &mut carried.0 {
        let next = _mm512_srli_epi64::<BITS>(*limb);
        *limb = _mm512_add_epi64(_mm512_and_si512(*limb, mask), carry);
        carry = next;
    }
    carried
}

/// Sums of products by the sum of their limbs' places, as an element.
///
/// Of limbs of up to 52 bits each sum has the low 52 bits of up to five products, below 5 * 2^52. The high bits stand 52
/// places higher: that is one limb and once doubled. So none reaches 15 * 2^52, and with 19 times the one that is five
/// limbs higher none reaches 300 * 2^52.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn folded(sums: &[__m512i; 10]) -> Field {
    let nineteen = _mm512_set1_epi64(19);
    let mut folded = Field([_mm512_setzero_si512(); 5]);
    for (place, limb) in folded.0.iter_mut().enumerate() {
        *limb = _mm512_add_epi64(sums[place], _mm512_mullo_epi64(sums[place + 5], nineteen));
    }
    carried(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest limbs that an element has.
    const LARGEST: [u64; 5] = [MASK + (1 << 14); 5];

    #[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
    fn results(field: &Field) -> [[[u8; 32]; 8]; 5] {
        let zero = all(ZERO);
        let root = multiply(field, &all(SQRT_M1));
        let results = [multiply(field, field), square(field), subtract(&zero, field), add(field, field), square(&root)];
        let mut bytes = [[[0; 32]; 8]; 5];
        for (bytes, result) in bytes.iter_mut().zip(&results) {
            *bytes = to_bytes(result);
        }
        bytes
    }

    #[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
    fn of_largest_and_canonical() -> [[[[u8; 32]; 8]; 5]; 2] {
        let largest = all(LARGEST);
        [results(&largest), results(&canonical(&largest))]
    }

    #[expect(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
    #[test]
    fn nothing_is_lost_of_the_largest_limbs() {
        if !super::super::are_there() {
            eprintln!("skipped: this processor has no AVX-512 with IFMA");
            return;
        }
        #[expect(unsafe_code, reason = "the features that it is compiled for were found in the line before")]
        let [largest, canonical] = unsafe { of_largest_and_canonical() };
        assert_eq!(largest, canonical);
        assert_eq!(canonical[0], canonical[1], "a square is a product with itself");
        assert_eq!(canonical[4][0], negated(&canonical[1][0]), "the square of i x is - x x");
    }

    /// The prime less an element.
    fn negated(bytes: &[u8; 32]) -> [u8; 32] {
        let mut prime = [0xFF_u8; 32];
        (prime[0], prime[31]) = (0xED, 0x7F);
        let mut borrow = 0_i16;
        std::array::from_fn(|place| {
            let difference = i16::from(prime[place]) - i16::from(bytes[place]) - borrow;
            borrow = i16::from(difference < 0);
            difference.rem_euclid(256) as u8
        })
    }
}
