//! Points of the curve of ristretto255 (RFC 9496), eight at once, in extended coordinates (Hisil, Wong, Carter and Dawson
//! 2008, "Twisted Edwards curves revisited"; their formulas hold for all points).

use super::LANES;
use super::field::{
    Field, ONE, SQRT_M1, ZERO, absolute, add, all, are_negative, from_bytes, multiply, negate, select, sqrt_ratio,
    square, subtract, to_bytes,
};
use std::arch::x86_64::__mmask8;

const D: [u64; 5] =
    [929_955_233_495_203, 466_365_720_129_213, 1_662_059_464_998_953, 2_033_849_074_728_123, 1_442_794_654_840_575];
const TWICE_D: [u64; 5] =
    [1_859_910_466_990_425, 932_731_440_258_426, 1_072_319_116_312_658, 1_815_898_335_770_999, 633_789_495_995_903];
const ONE_LESS_D_SQUARED: [u64; 5] =
    [1_136_626_929_484_150, 1_998_550_399_581_263, 496_427_632_559_748, 118_527_312_129_759, 45_110_755_273_534];
const D_LESS_ONE_SQUARED: [u64; 5] =
    [1_507_062_230_895_904, 1_572_317_787_530_805, 683_053_064_812_840, 317_374_165_784_489, 1_572_899_562_415_810];
const SQRT_AD_LESS_ONE: [u64; 5] =
    [2_241_493_124_984_347, 425_987_919_032_274, 2_207_028_919_301_688, 1_220_490_630_685_848, 974_799_131_293_748];
const INVSQRT_A_LESS_D: [u64; 5] =
    [278_908_739_862_762, 821_645_201_101_625, 8_113_234_426_968, 1_777_959_178_193_151, 2_118_520_810_568_447];

/// Maps, multiplies, encodes: as [`super::multiply_hashed`].
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
pub(super) fn multiply_hashed(uniform: &[[u8; 64]; LANES], digits: &[i8; 64]) -> [[u8; 32]; LANES] {
    let mut halves = [[[0; 32]; LANES]; 2];
    for (lane, uniform) in uniform.iter().enumerate() {
        let (first, second) = uniform.split_at(32);
        halves[0][lane].copy_from_slice(first);
        halves[1][lane].copy_from_slice(second);
    }
    let [first, second] = [map(&from_bytes(&halves[0])), map(&from_bytes(&halves[1]))];
    encode(&times(&sum(&first, &summand(&second)), digits))
}

/// Points: x is X / Z, y is Y / Z, x y is T / Z.
#[derive(Clone, Copy)]
struct Points {
    x: Field,
    y: Field,
    z: Field,
    t: Field,
}

/// Points as they are added to others.
#[derive(Clone, Copy)]
struct Summands {
    y_plus_x: Field,
    y_less_x: Field,
    z: Field,
    t_2d: Field,
}

/// What an addition or a doubling gives before its fractions are made one: x is X / Z, y is Y / T.
struct Completed {
    x: Field,
    y: Field,
    z: Field,
    t: Field,
}

/// `MAP` (RFC 9496, section 4.3.4).
#[expect(clippy::many_single_char_names, reason = "they are those of the RFC")]
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
fn map(t: &Field) -> Points {
    let (one, d) = (all(ONE), all(D));
    let r = multiply(&all(SQRT_M1), &square(t));
    let u = multiply(&add(&r, &one), &all(ONE_LESS_D_SQUARED));
    let v = multiply(&subtract(&negate(&one), &multiply(&r, &d)), &add(&r, &d));
    let (was_square, s) = sqrt_ratio(&u, &v);
    let s_prime = negate(&absolute(&multiply(&s, t)));
    let s = select(&s_prime, &s, was_square);
    let c = select(&r, &negate(&one), was_square);
    let n = subtract(&multiply(&multiply(&c, &subtract(&r, &one)), &all(D_LESS_ONE_SQUARED)), &v);
    let s2 = square(&s);
    completed(&Completed {
        x: multiply(&add(&s, &s), &v),
        z: multiply(&n, &all(SQRT_AD_LESS_ONE)),
        y: subtract(&one, &s2),
        t: add(&one, &s2),
    })
}

/// `Encode` (RFC 9496, section 4.3.2).
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
fn encode(Points { x, y, z, t }: &Points) -> [[u8; 32]; LANES] {
    let u1 = multiply(&add(z, y), &subtract(z, y));
    let u2 = multiply(x, y);
    let (_, inverse_root) = sqrt_ratio(&all(ONE), &multiply(&u1, &square(&u2)));
    let den1 = multiply(&inverse_root, &u1);
    let den2 = multiply(&inverse_root, &u2);
    let z_inverse = multiply(&den1, &multiply(&den2, t));
    let i = all(SQRT_M1);
    let rotates: __mmask8 = are_negative(&multiply(t, &z_inverse));
    let rotated_x = select(x, &multiply(y, &i), rotates);
    let rotated_y = select(y, &multiply(x, &i), rotates);
    let den = select(&den2, &multiply(&den1, &all(INVSQRT_A_LESS_D)), rotates);
    let y = select(&rotated_y, &negate(&rotated_y), are_negative(&multiply(&rotated_x, &z_inverse)));
    to_bytes(&absolute(&multiply(&den, &subtract(z, &y))))
}

/// All points times the number of these digits.
#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
fn times(points: &Points, digits: &[i8; 64]) -> Points {
    let mut multiples = [summand(points); 8];
    for place in 1..8 {
        multiples[place] = summand(&sum(points, &multiples[place - 1]));
    }
    let (zero, one) = (all(ZERO), all(ONE));
    let mut product = Points { x: zero, y: one, z: one, t: zero };
    for digit in digits.iter().rev() {
        for _ in 0..3 {
            let Completed { x, y, z, t } = doubled(&product);
            // The next doubling does not ask for T.
            product = Points { x: multiply(&x, &t), y: multiply(&y, &z), z: multiply(&z, &t), t: zero };
        }
        product = completed(&doubled(&product));
        product = sum(&product, &choose(&multiples, *digit));
    }
    product
}

/// The multiple of this digit. All are looked at, whatever the digit is.
#[target_feature(enable = "avx512f")]
fn choose(multiples: &[Summands; 8], digit: i8) -> Summands {
    let (zero, one) = (all(ZERO), all(ONE));
    let mut chosen = Summands { y_plus_x: one, y_less_x: one, z: one, t_2d: zero };
    let is_negative: __mmask8 = (digit >> 7).cast_unsigned();
    for (multiple, number) in multiples.iter().zip(1_u8..) {
        // Zero less one has its highest bit set, and no other of these differences has.
        let differs = digit.unsigned_abs() ^ number;
        let lanes: __mmask8 = (differs.wrapping_sub(1).cast_signed() >> 7).cast_unsigned();
        chosen = Summands {
            y_plus_x: select(&chosen.y_plus_x, &multiple.y_plus_x, lanes),
            y_less_x: select(&chosen.y_less_x, &multiple.y_less_x, lanes),
            z: select(&chosen.z, &multiple.z, lanes),
            t_2d: select(&chosen.t_2d, &multiple.t_2d, lanes),
        };
    }
    Summands {
        y_plus_x: select(&chosen.y_plus_x, &chosen.y_less_x, is_negative),
        y_less_x: select(&chosen.y_less_x, &chosen.y_plus_x, is_negative),
        z: chosen.z,
        t_2d: select(&chosen.t_2d, &negate(&chosen.t_2d), is_negative),
    }
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
fn summand(points: &Points) -> Summands {
    Summands {
        y_plus_x: add(&points.y, &points.x),
        y_less_x: subtract(&points.y, &points.x),
        z: points.z,
        t_2d: multiply(&points.t, &all(TWICE_D)),
    }
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
fn sum(one: &Points, other: &Summands) -> Points {
    let plus = multiply(&add(&one.y, &one.x), &other.y_plus_x);
    let less = multiply(&subtract(&one.y, &one.x), &other.y_less_x);
    let t_2d = multiply(&one.t, &other.t_2d);
    let z = multiply(&one.z, &other.z);
    let z_twice = add(&z, &z);
    completed(&Completed {
        x: subtract(&plus, &less),
        y: add(&plus, &less),
        z: add(&z_twice, &t_2d),
        t: subtract(&z_twice, &t_2d),
    })
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
fn doubled(points: &Points) -> Completed {
    let (x2, y2, z2) = (square(&points.x), square(&points.y), square(&points.z));
    let both = square(&add(&points.x, &points.y));
    let (y, z) = (add(&y2, &x2), subtract(&y2, &x2));
    Completed { x: subtract(&both, &y), t: subtract(&add(&z2, &z2), &z), y, z }
}

#[target_feature(enable = "avx512f,avx512ifma,avx512dq")]
#[inline]
fn completed(Completed { x, y, z, t }: &Completed) -> Points {
    Points { x: multiply(x, t), y: multiply(y, z), z: multiply(z, t), t: multiply(x, y) }
}
