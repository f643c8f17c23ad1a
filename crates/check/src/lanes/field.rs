//! Eight elements of the field of 2^255 - 19 side by side: one in each 64-bit lane, in radix 2^51.

#![expect(clippy::many_single_char_names, reason = "limbs and words are told apart by their order alone")]

use std::arch::x86_64::{
    __m512i, __mmask8, _mm256_extract_epi64, _mm512_add_epi64, _mm512_and_si512, _mm512_castsi512_si256,
    _mm512_extracti64x4_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64,
    _mm512_mullo_epi64, _mm512_or_si512, _mm512_set_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64,
    _mm512_srli_epi64, _mm512_sub_epi64, _mm512_test_epi64_mask, _mm512_testn_epi64_mask,
};

/// Bits of a limb that count.
const LOW: u64 = (1 << 51) - 1;

/// The field's order times 2^10. Each limb is larger than one of a product, or of an element.
const BIAS: [u64; 5] = [(LOW - 18) << 10, LOW << 10, LOW << 10, LOW << 10, LOW << 10];

/// Constants of the curve (RFC 9496, section 4.1), and what multiplication wants of them.
pub(super) const ONE: [u64; 5] = [1, 0, 0, 0, 0];
pub(super) const TWO: [u64; 5] = [2, 0, 0, 0, 0];
/// `D`.
pub(super) const D: [u64; 5] =
    [0x0003_4dca_1359_78a3, 0x0001_a828_3b15_6ebd, 0x0005_e7a2_6001_c029, 0x0007_39c6_63a0_3cbb, 0x0005_2036_cee2_b6ff];
/// `SQRT_M1`.
pub(super) const SQRT_M1: [u64; 5] =
    [0x0006_1b27_4a0e_a0b0, 0x0000_d5a5_fc8f_189d, 0x0007_ef5e_9cbd_0c60, 0x0007_8595_a680_4c9e, 0x0002_b832_4804_fc1d];

/// Eight elements, multiplied as soon as they are made: each limb is less than 2^51 + 2^18, so the numbers are less
/// than twice the order. Whatever else multiplies asks for limbs less than 2^52 and no more.
#[derive(Clone, Copy)]
pub(super) struct FieldElements([__m512i; 5]);

/// Sums whose limbs are too large to be multiplied: [`Unreduced::reduce`] makes elements of them.
///
/// A limb of a product is less than 267 * 2^52 < 2^61 (see [`FieldElements::times`]), one of [`BIAS`] is less than
/// 2^61 too, and up to eight such numbers are less than 2^64. So up to four terms may be added, of which any but the
/// first may be subtracted, if each that is subtracted is one product or one element: that is seven numbers at most.
#[derive(Clone, Copy)]
pub(super) struct Unreduced([__m512i; 5]);

impl FieldElements {
    /// One element in all lanes. Its limbs must be less than 2^51.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn all(limbs: [u64; 5]) -> Self {
        Self(limbs.map(|limb| _mm512_set1_epi64(limb.cast_signed())))
    }

    /// Of 32 bytes each, in words of 64 bits, little-endian. The highest bit is not looked at; numbers that are not
    /// below the order are taken as what they are modulo it.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_words(words: &[[u64; 4]; 8]) -> Self {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| vector(words.map(|words| words[at])));
        let low = _mm512_set1_epi64(LOW.cast_signed());
        Self([
            _mm512_and_si512(a, low),
            _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64::<51>(a), _mm512_slli_epi64::<13>(b)), low),
            _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64::<38>(b), _mm512_slli_epi64::<26>(c)), low),
            _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64::<25>(c), _mm512_slli_epi64::<39>(d)), low),
            _mm512_and_si512(_mm512_srli_epi64::<12>(d), low),
        ])
    }

    /// The numbers below the order, in words of 64 bits, little-endian.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_words(self) -> [[u64; 4]; 8] {
        let [a, b, c, d, e] = self.canonical();
        let words = [
            _mm512_or_si512(a, _mm512_slli_epi64::<51>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<13>(b), _mm512_slli_epi64::<38>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<26>(c), _mm512_slli_epi64::<25>(d)),
            _mm512_or_si512(_mm512_srli_epi64::<39>(d), _mm512_slli_epi64::<12>(e)),
        ]
        .map(|word| lanes(word));
        std::array::from_fn(|lane| words.map(|word| word[lane]))
    }

    /// The product.
    ///
    /// `madd52lo` and `madd52hi` read 52 bits of each factor and add the low and the high 52 bits of their product. A
    /// high half weighs 2^52, which is twice a limb: it counts twice in the next limb. Of ten limbs the n-th is the sum
    /// of as many low halves as there are pairs of limbs with places that sum up to n, and of twice as many high halves
    /// as there are with n - 1: from the fifth on at most 4 + 2 * 5 = 14 numbers below 2^52. The upper five weigh
    /// 2^255 = 19 more than the lower five, of which the first has 1 and the others at most 5 + 2 * 4 = 13 numbers, and
    /// together most has the first: 1 + 19 * 14 = 267 numbers below 2^52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn times(&self, other: &Self) -> Unreduced {
        let (x, y) = (&self.0, &other.0);
        let mut sums = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in 0..5 {
                sums[i + j + 1] = _mm512_madd52hi_epu64(sums[i + j + 1], x[i], y[j]);
            }
        }
        for sum in &mut sums {
            *sum = _mm512_add_epi64(*sum, *sum);
        }
        for i in 0..5 {
            for j in 0..5 {
                sums[i + j] = _mm512_madd52lo_epu64(sums[i + j], x[i], y[j]);
            }
        }
        Unreduced::folded(&sums)
    }

    /// The square: the same sums as in [`FieldElements::times`], where what two different limbs give is doubled
    /// instead of being computed twice.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn square(&self) -> Unreduced {
        let x = &self.0;
        let mut sums = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                sums[i + j + 1] = _mm512_madd52hi_epu64(sums[i + j + 1], x[i], x[j]);
            }
        }
        for sum in &mut sums {
            *sum = _mm512_add_epi64(*sum, *sum);
        }
        for i in 0..5 {
            for j in i + 1..5 {
                sums[i + j] = _mm512_madd52lo_epu64(sums[i + j], x[i], x[j]);
            }
            sums[2 * i + 1] = _mm512_madd52hi_epu64(sums[2 * i + 1], x[i], x[i]);
        }
        for sum in &mut sums {
            *sum = _mm512_add_epi64(*sum, *sum);
        }
        for i in 0..5 {
            sums[2 * i] = _mm512_madd52lo_epu64(sums[2 * i], x[i], x[i]);
        }
        Unreduced::folded(&sums)
    }

    /// [`FieldElements::times`], reduced.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn by(&self, other: &Self) -> Self {
        self.times(other).reduce()
    }

    /// A term of a sum.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn term(&self) -> Unreduced {
        Unreduced(self.0)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn negated(&self) -> Self {
        Unreduced([_mm512_setzero_si512(); 5]).minus(&self.term()).reduce()
    }

    /// In lanes of the mask the other's.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn or_else(&self, mask: __mmask8, other: &Self) -> Self {
        let mut chosen = self.0;
        for (chosen, other) in chosen.iter_mut().zip(other.0) {
            *chosen = _mm512_mask_blend_epi64(mask, *chosen, other);
        }
        Self(chosen)
    }

    /// In lanes of the mask negated.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn negated_where(&self, mask: __mmask8) -> Self {
        self.or_else(mask, &self.negated())
    }

    /// `CT_ABS`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn absolute(&self) -> Self {
        self.negated_where(self.negative())
    }

    /// `IS_NEGATIVE` (RFC 9496, section 4.1): lanes whose least number is odd.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn negative(&self) -> __mmask8 {
        _mm512_test_epi64_mask(self.canonical()[0], _mm512_set1_epi64(1))
    }

    /// Lanes that are the same.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn same(&self, other: &Self) -> __mmask8 {
        let [first, others @ ..] = self.term().minus(&other.term()).reduce().canonical();
        let mut bits = first;
        for limb in others {
            bits = _mm512_or_si512(bits, limb);
        }
        _mm512_testn_epi64_mask(bits, bits)
    }

    /// `SQRT_RATIO_M1` (RFC 9496, section 4.2): lanes in which `u / v` is a square, and the root that is not negative,
    /// there of `u / v` and elsewhere of `SQRT_M1 * u / v`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sqrt_ratio_m1(u: &Self, v: &Self) -> (__mmask8, Self) {
        let i = Self::all(SQRT_M1);
        let v3 = v.square().reduce().by(v);
        let v7 = v3.square().reduce().by(v);
        let root = u.by(&v3).by(&u.by(&v7).to_p58());
        let check = v.by(&root.square().reduce());
        let minus_u = u.negated();
        let flipped = check.same(&minus_u);
        let flipped_i = check.same(&minus_u.by(&i));
        let square = check.same(u) | flipped;
        (square, root.or_else(flipped | flipped_i, &root.by(&i)).absolute())
    }

    /// The power with the exponent `(p - 5) / 8` = 2^252 - 3.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn to_p58(self) -> Self {
        // The names tell how many ones the exponent has, in binary.
        let x2 = self.squared(1).by(&self);
        let x4 = x2.squared(2).by(&x2);
        let x5 = x4.squared(1).by(&self);
        let x10 = x5.squared(5).by(&x5);
        let x20 = x10.squared(10).by(&x10);
        let x40 = x20.squared(20).by(&x20);
        let x50 = x40.squared(10).by(&x10);
        let x100 = x50.squared(50).by(&x50);
        x100.squared(100).by(&x100).squared(50).by(&x50).squared(2).by(&self)
    }

    /// Squared so many times.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn squared(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.square().reduce();
        }
        power
    }

    /// The limbs of the number below the order. The elements are less than twice the order.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn canonical(&self) -> [__m512i; 5] {
        // One where 19 more reach 2^255: there the order is taken off, which is to add 19 and to leave out 2^255.
        let mut carry = _mm512_set1_epi64(19);
        for limb in self.0 {
            carry = _mm512_srli_epi64::<51>(_mm512_add_epi64(limb, carry));
        }
        carry = _mm512_mullo_epi64(carry, _mm512_set1_epi64(19));
        let mut limbs = self.0;
        for limb in &mut limbs {
            let sum = _mm512_add_epi64(*limb, carry);
            carry = _mm512_srli_epi64::<51>(sum);
            *limb = _mm512_and_si512(sum, _mm512_set1_epi64(LOW.cast_signed()));
        }
        limbs
    }
}

impl Unreduced {
    /// Five limbs of ten: 2^255 is 19.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn folded(sums: &[__m512i; 10]) -> Self {
        let nineteen = _mm512_set1_epi64(19);
        let mut limbs = [sums[0], sums[1], sums[2], sums[3], sums[4]];
        for (at, limb) in limbs.iter_mut().enumerate() {
            *limb = _mm512_add_epi64(*limb, _mm512_mullo_epi64(sums[at + 5], nineteen));
        }
        Self(limbs)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0;
        for (limb, other) in sum.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, other);
        }
        Self(sum)
    }

    /// The other is one product or one element: its limbs are not larger than those of the bias.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut difference = self.0;
        for ((limb, other), bias) in difference.iter_mut().zip(other.0).zip(BIAS) {
            let positive = _mm512_sub_epi64(_mm512_set1_epi64(bias.cast_signed()), other);
            *limb = _mm512_add_epi64(*limb, positive);
        }
        Self(difference)
    }

    /// Whatever the limbs are, a carry is less than 2^13 and 19 of it less than 2^18.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce(&self) -> FieldElements {
        let mask = _mm512_set1_epi64(LOW.cast_signed());
        let [a, b, c, d, e] = self.0;
        FieldElements([
            _mm512_madd52lo_epu64(_mm512_and_si512(a, mask), _mm512_srli_epi64::<51>(e), _mm512_set1_epi64(19)),
            _mm512_add_epi64(_mm512_and_si512(b, mask), _mm512_srli_epi64::<51>(a)),
            _mm512_add_epi64(_mm512_and_si512(c, mask), _mm512_srli_epi64::<51>(b)),
            _mm512_add_epi64(_mm512_and_si512(d, mask), _mm512_srli_epi64::<51>(c)),
            _mm512_add_epi64(_mm512_and_si512(e, mask), _mm512_srli_epi64::<51>(d)),
        ])
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn vector(lanes: [u64; 8]) -> __m512i {
    let [a, b, c, d, e, f, g, h] = lanes.map(u64::cast_signed);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn lanes(vector: __m512i) -> [u64; 8] {
    let [low, high] = [_mm512_castsi512_si256(vector), _mm512_extracti64x4_epi64::<1>(vector)];
    [
        _mm256_extract_epi64::<0>(low),
        _mm256_extract_epi64::<1>(low),
        _mm256_extract_epi64::<2>(low),
        _mm256_extract_epi64::<3>(low),
        _mm256_extract_epi64::<0>(high),
        _mm256_extract_epi64::<1>(high),
        _mm256_extract_epi64::<2>(high),
        _mm256_extract_epi64::<3>(high),
    ]
    .map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::tests::has_instructions;
    use proptest::prelude::*;

    /// Eight elements' limbs.
    type Limbs = [[u64; 5]; 8];

    /// A number below the order, computed with as plainly as can be.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Plain {
        high: u128,
        low: u128,
    }

    impl Plain {
        const ORDER: Self = Self { high: u128::MAX >> 1, low: u128::MAX - 18 };
        const ZERO: Self = Self { high: 0, low: 0 };

        fn of_limbs(limbs: &[u64; 5]) -> Self {
            limbs.iter().rev().fold(Self::ZERO, |sum, limb| {
                (0..51).fold(sum, |sum, _| sum.plus(sum)).plus(Self { high: 0, low: u128::from(*limb) })
            })
        }

        fn of_words([a, b, c, d]: [u64; 4]) -> Self {
            let wide = |low, high| u128::from(low) | u128::from(high) << 64;
            Self { high: wide(c, d), low: wide(a, b) }
        }

        fn to_words(self) -> [u64; 4] {
            [self.low as u64, (self.low >> 64) as u64, self.high as u64, (self.high >> 64) as u64]
        }

        fn plus(self, other: Self) -> Self {
            let (low, carry) = self.low.overflowing_add(other.low);
            Self { high: self.high + other.high + u128::from(carry), low }.reduced()
        }

        fn reduced(self) -> Self {
            if self < Self::ORDER {
                return self;
            }
            let (low, borrow) = self.low.overflowing_sub(Self::ORDER.low);
            Self { high: self.high - Self::ORDER.high - u128::from(borrow), low }
        }

        fn minus(self, other: Self) -> Self {
            let (low, borrow) = Self::ORDER.low.overflowing_sub(other.low);
            self.plus(Self { high: Self::ORDER.high - other.high - u128::from(borrow), low }.reduced())
        }

        fn times(self, other: Self) -> Self {
            (0..256).rev().fold(Self::ZERO, |sum, bit| {
                let half = if bit < 128 { other.low } else { other.high };
                let doubled = sum.plus(sum);
                if half >> (bit % 128) & 1 == 1 { doubled.plus(self) } else { doubled }
            })
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn load(limbs: &Limbs) -> FieldElements {
        FieldElements(std::array::from_fn(|at| vector(limbs.map(|limbs| limbs[at]))))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn limbs(vectors: &[__m512i; 5]) -> Limbs {
        let vectors = vectors.map(|vector| lanes(vector));
        std::array::from_fn(|lane| vectors.map(|vector| vector[lane]))
    }

    /// The numbers, after the bound of reduced limbs was checked.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn plain(elements: &FieldElements) -> [Plain; 8] {
        let limbs = limbs(&elements.0);
        assert!(limbs.as_flattened().iter().all(|limb| *limb < (1 << 51) + (1 << 18)), "{limbs:x?}");
        let plain = limbs.map(|limbs| Plain::of_limbs(&limbs));
        assert_eq!(elements.to_words(), plain.map(Plain::to_words), "{limbs:x?}");
        plain
    }

    /// Factors with limbs of up to 52 bits.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_products(a: &Limbs, b: &Limbs) {
        let (x, y) = (load(a), load(b));
        let [xx, xy, yy] = [x.square(), x.times(&y), y.square()];
        for product in [xx, xy, yy] {
            assert!(limbs(&product.0).as_flattened().iter().all(|limb| *limb < 267 << 52));
        }
        let [x, y] = [a, b].map(|limbs| limbs.map(|limbs| Plain::of_limbs(&limbs)));
        let expected = |of: fn(Plain, Plain) -> Plain| std::array::from_fn(|lane| of(x[lane], y[lane]));
        assert_eq!(plain(&xx.reduce()), expected(|x, _| x.times(x)));
        assert_eq!(plain(&xy.reduce()), expected(Plain::times));
        // The longest sum of the formulas, and the longest that is allowed.
        let four = xx.plus(&xx).plus(&xy).minus(&yy).reduce();
        assert_eq!(plain(&four), expected(|x, y| x.times(x).plus(x.times(x)).plus(x.times(y)).minus(y.times(y))));
        let four = xx.minus(&xy).minus(&yy).minus(&xx).reduce();
        assert_eq!(plain(&four), expected(|x, y| Plain::ZERO.minus(x.times(y)).minus(y.times(y))));
    }

    /// Reduced elements.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_elements(a: &Limbs, b: &Limbs, mask: u8) {
        let (x, y) = (load(a), load(b));
        let (a, b) = (plain(&x), plain(&y));
        let chosen = |place: usize, yes: Plain, no: Plain| if mask >> place & 1 == 1 { yes } else { no };
        let each = |of: &dyn Fn(usize) -> Plain| std::array::from_fn(of);
        assert_eq!(plain(&x.term().plus(&y.term()).reduce()), each(&|lane| a[lane].plus(b[lane])));
        assert_eq!(plain(&x.term().minus(&y.term()).reduce()), each(&|lane| a[lane].minus(b[lane])));
        let minus = |number: Plain| Plain::ZERO.minus(number);
        assert_eq!(plain(&x.negated()), a.map(minus));
        assert_eq!(plain(&x.negated_where(mask)), each(&|lane| chosen(lane, minus(a[lane]), a[lane])));
        assert_eq!(plain(&x.or_else(mask, &y)), each(&|lane| chosen(lane, b[lane], a[lane])));
        let bits = |of: &dyn Fn(usize) -> bool| (0..8).map(|lane| u8::from(of(lane)) << lane).sum::<u8>();
        assert_eq!(x.negative(), bits(&|lane| a[lane].low & 1 == 1));
        assert_eq!(x.same(&x.or_else(mask, &y)), bits(&|lane| mask >> lane & 1 == 0 || a[lane] == b[lane]));
        assert_eq!(x.absolute().negative(), 0);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_roots(a: &Limbs, b: &Limbs) {
        let (square, root) = FieldElements::sqrt_ratio_m1(&load(a), &load(b));
        let roots = plain(&root);
        for (lane, ((u, v), root)) in a.iter().zip(b).zip(roots).enumerate() {
            let (u, v) = (Plain::of_limbs(u), Plain::of_limbs(v));
            let square = square >> lane & 1 == 1;
            let found = v.times(root.times(root));
            assert_eq!(root.low & 1, 0);
            match (u == Plain::ZERO, v == Plain::ZERO) {
                (true, _) => assert!(square && root == Plain::ZERO),
                (false, true) => assert!(!square && root == Plain::ZERO),
                _ => assert_eq!(found, if square { u } else { u.times(Plain::of_limbs(&SQRT_M1)) }),
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_words(words: &[[u64; 4]; 8]) {
        let expected = words.map(|[a, b, c, d]| Plain::of_words([a, b, c, d & (u64::MAX >> 1)]).reduced());
        assert_eq!(plain(&FieldElements::from_words(words)), expected);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_reduction(any: &Limbs) {
        let expected = any.map(|limbs| Plain::of_limbs(&limbs));
        assert_eq!(plain(&Unreduced(load(any).0).reduce()), expected);
    }

    /// Limbs up to a bound, and often at it.
    fn limbs_below(bound: u64) -> impl Strategy<Value = Limbs> {
        let limb = prop_oneof![4 => 0..bound, 1 => Just(0), 1 => Just(bound - 1), 1 => Just(1)];
        let about = |first: u64| [first, LOW, LOW, LOW, LOW];
        let edges = vec![[bound - 1; 5], [0; 5], ONE, about(LOW - 19), about(LOW - 18), about(LOW - 17), about(LOW)];
        let element = prop_oneof![2 => prop::array::uniform5(limb), 1 => prop::sample::select(edges)];
        // In a box, because eight of them do not fit on the stack of a test.
        prop::array::uniform8(element.boxed())
    }

    fn words() -> impl Strategy<Value = [[u64; 4]; 8]> {
        let edge = |first: u64, last: u64| [first, u64::MAX, u64::MAX, last];
        let order = u64::MAX - 18;
        let edges =
            [order - 1, order, order + 1, u64::MAX].map(|first| [edge(first, u64::MAX >> 1), edge(first, u64::MAX)]);
        let edges = [edges.as_flattened(), &[[0; 4], [1, 0, 0, 0], [0, 0, 0, 1 << 63]]].concat();
        prop::array::uniform8(prop_oneof![prop::sample::select(edges), any::<[u64; 4]>()])
    }

    const REDUCED: u64 = (1 << 51) + (1 << 18);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_are_those_of_plain_numbers(a in limbs_below(1 << 52), b in limbs_below(1 << 52)) {
            if has_instructions() {
                #[expect(unsafe_code, reason = "the processor has the instructions")]
                unsafe { check_products(&a, &b) }
            }
        }

        #[test]
        fn sums_signs_and_choices_are_those_of_plain_numbers(a in limbs_below(REDUCED), b in limbs_below(REDUCED), mask: u8) {
            if has_instructions() {
                #[expect(unsafe_code, reason = "the processor has the instructions")]
                unsafe { check_elements(&a, &b, mask) }
            }
        }

        #[test]
        fn roots_are_roots(a in limbs_below(REDUCED), b in limbs_below(REDUCED)) {
            if has_instructions() {
                #[expect(unsafe_code, reason = "the processor has the instructions")]
                unsafe { check_roots(&a, &b) }
            }
        }

        #[test]
        fn whatever_the_words_are_they_are_read(words in words()) {
            if has_instructions() {
                #[expect(unsafe_code, reason = "the processor has the instructions")]
                unsafe { check_words(&words) }
            }
        }

        #[test]
        fn whatever_the_limbs_are_they_are_reduced(any in limbs_below(u64::MAX)) {
            if has_instructions() {
                #[expect(unsafe_code, reason = "the processor has the instructions")]
                unsafe { check_reduction(&any) }
            }
        }
    }
}
