//! Eight elements of ristretto255 side by side (RFC 9496, section 4), as points of edwards25519.

#![expect(clippy::many_single_char_names, reason = "they are the names in the RFC and in the papers")]

use super::digits::Digits;
use super::field::{D, FieldElements, ONE, SQRT_M1, TWO};
use std::arch::x86_64::{
    _mm512_abs_epi64, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask, _mm512_set1_epi64, _mm512_setzero_si512,
};

/// `2 * D`.
const D2: [u64; 5] =
    [0x0006_9b94_26b2_f159, 0x0003_5050_762a_dd7a, 0x0003_cf44_c003_8052, 0x0006_738c_c740_7977, 0x0002_406d_9dc5_6dff];
/// `ONE_MINUS_D_SQ` (RFC 9496, section 4.1), as the next three.
const ONE_MINUS_D_SQ: [u64; 5] =
    [0x0004_09c1_945f_c176, 0x0007_19ab_c6a1_fc4f, 0x0001_c37f_90b2_0684, 0x0000_6bcc_ca55_eedf, 0x0000_2907_2a8b_2b3e];
const D_MINUS_ONE_SQ: [u64; 5] =
    [0x0005_5aaa_44ed_4d20, 0x0005_9603_c333_2635, 0x0002_6d3b_af4a_7928, 0x0001_20a6_6e69_97a9, 0x0005_968b_37af_66c2];
const SQRT_AD_MINUS_ONE: [u64; 5] =
    [0x0007_f6a0_497b_2e1b, 0x0001_836f_0a97_afd2, 0x0007_d747_f6be_7638, 0x0004_5607_9e7e_6498, 0x0003_7693_1bf2_b834];
const INVSQRT_A_MINUS_D: [u64; 5] =
    [0x0000_fdaa_805d_40ea, 0x0002_eb48_2e57_d339, 0x0000_0761_0274_bc58, 0x0006_510b_613d_c8ff, 0x0007_86c8_905c_faff];

/// A point in extended coordinates (Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited", section 3).
#[derive(Clone, Copy)]
struct Extended {
    x: FieldElements,
    y: FieldElements,
    z: FieldElements,
    t: FieldElements,
}

/// The factors that the formulas of addition and doubling end with: `x = ef`, `y = gh`, `z = fg`, `t = eh`.
#[derive(Clone, Copy)]
struct Completed {
    e: FieldElements,
    f: FieldElements,
    g: FieldElements,
    h: FieldElements,
}

/// A point that is doubled: it needs no `t`.
#[derive(Clone, Copy)]
struct Projective {
    x: FieldElements,
    y: FieldElements,
    z: FieldElements,
}

/// The left side of an addition.
#[derive(Clone, Copy)]
struct Summand {
    y_plus_x: FieldElements,
    y_minus_x: FieldElements,
    z: FieldElements,
    t: FieldElements,
}

/// The right side of an addition.
#[derive(Clone, Copy)]
struct Cached {
    y_plus_x: FieldElements,
    y_minus_x: FieldElements,
    z2: FieldElements,
    t2d: FieldElements,
}

/// The one-way map of 64 bytes each (RFC 9496, section 4.3.4), multiplied by the scalar, encoded.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn hashed_times(uniform: &[[[u64; 4]; 8]; 2], scalar: &Digits) -> [[u64; 4]; 8] {
    let [first, second] = uniform.each_ref().map(|half| elligator(&FieldElements::from_words(half)));
    first.summand().plus(&second.extended().cached()).extended().times(scalar).encoded()
}

/// Encodings, decoded, multiplied by the scalar, encoded: `None` where one of them is none.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn times(encodings: &[[u64; 4]; 8], scalar: &Digits) -> Option<[[u64; 4]; 8]> {
    Some(Extended::decoded(encodings)?.times(scalar).encoded())
}

/// `MAP` (RFC 9496, section 4.3.4).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn elligator(t: &FieldElements) -> Completed {
    let (one, d) = (FieldElements::all(ONE), FieldElements::all(D));
    let r = FieldElements::all(SQRT_M1).by(&t.square().reduce());
    let u = r.term().plus(&one.term()).reduce().by(&FieldElements::all(ONE_MINUS_D_SQ));
    let minus_one = one.negated();
    let v = minus_one.term().minus(&r.times(&d)).reduce().by(&r.term().plus(&d.term()).reduce());
    let (square, root) = FieldElements::sqrt_ratio_m1(&u, &v);
    let s = root.by(t).absolute().negated().or_else(square, &root);
    let c = r.or_else(square, &minus_one);
    let n = c.by(&r.term().minus(&one.term()).reduce());
    let n = n.times(&FieldElements::all(D_MINUS_ONE_SQ)).minus(&v.term()).reduce();
    let (sv, ss) = (s.times(&v), s.square());
    Completed {
        e: sv.plus(&sv).reduce(),
        f: one.term().plus(&ss).reduce(),
        g: n.by(&FieldElements::all(SQRT_AD_MINUS_ONE)),
        h: one.term().minus(&ss).reduce(),
    }
}

impl Extended {
    /// `Decode` (RFC 9496, section 4.3.1): `None` where it fails in a lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn decoded(encodings: &[[u64; 4]; 8]) -> Option<Self> {
        let (s, one) = (FieldElements::from_words(encodings), FieldElements::all(ONE));
        let ss = s.square();
        let u1 = one.term().minus(&ss).reduce();
        let u2 = one.term().plus(&ss).reduce();
        let u2_squared = u2.square();
        let minus_d = FieldElements::all(D).negated();
        let v = minus_d.times(&u1.square().reduce()).minus(&u2_squared).reduce();
        let (square, root) = FieldElements::sqrt_ratio_m1(&one, &v.by(&u2_squared.reduce()));
        let den_x = root.by(&u2);
        let sx = s.times(&den_x);
        let x = sx.plus(&sx).reduce().absolute();
        let y = u1.by(&root.by(&den_x).by(&v));
        let t = x.by(&y);
        let wrong = !square | s.negative() | t.negative() | y.same(&FieldElements::all([0; 5]));
        (wrong == 0 && s.to_words() == *encodings).then_some(Self { x, y, z: one, t })
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn cached(&self) -> Cached {
        Cached {
            y_plus_x: self.y.term().plus(&self.x.term()).reduce(),
            y_minus_x: self.y.term().minus(&self.x.term()).reduce(),
            z2: self.z.term().plus(&self.z.term()).reduce(),
            t2d: self.t.by(&FieldElements::all(D2)),
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn summand(&self) -> Summand {
        Summand {
            y_plus_x: self.y.term().plus(&self.x.term()).reduce(),
            y_minus_x: self.y.term().minus(&self.x.term()).reduce(),
            z: self.z,
            t: self.t,
        }
    }

    /// Multiplied by one scalar, with windows of four bits. No branch and no place in memory depends on the scalar or
    /// the points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn times(&self, scalar: &Digits) -> Self {
        let table = self.multiples();
        let (last, others) = scalar.last_first();
        let mut sum = Completed::identity().summand().plus(&look_up(&table, last));
        for digit in others {
            let sixteenfold = sum.projective().doubled().projective().doubled();
            let sixteenfold = sixteenfold.projective().doubled().projective().doubled();
            sum = sixteenfold.summand().plus(&look_up(&table, digit));
        }
        sum.extended()
    }

    /// The point, its double and so on up to eight times.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiples(&self) -> [Cached; 8] {
        let summand = self.summand();
        let mut table = [self.cached(); 8];
        for at in 1..table.len() {
            table[at] = summand.plus(&table[at - 1]).extended().cached();
        }
        table
    }

    /// `Encode` (RFC 9496, section 4.3.2).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn encoded(&self) -> [[u64; 4]; 8] {
        let Self { x, y, z, t } = self;
        let z_minus_y = z.term().minus(&y.term()).reduce();
        let u1 = z.term().plus(&y.term()).reduce().by(&z_minus_y);
        let u2 = x.by(y);
        let (_, root) = FieldElements::sqrt_ratio_m1(&FieldElements::all(ONE), &u1.by(&u2.square().reduce()));
        let (den1, den2) = (root.by(&u1), root.by(&u2));
        let z_inverse = den1.by(&den2).by(t);
        let rotate = t.by(&z_inverse).negative();
        let i = FieldElements::all(SQRT_M1);
        let (x, y) = (x.or_else(rotate, &y.by(&i)), y.or_else(rotate, &x.by(&i)));
        let denominator = den2.or_else(rotate, &den1.by(&FieldElements::all(INVSQRT_A_MINUS_D)));
        let y = y.negated_where(x.by(&z_inverse).negative());
        denominator.by(&z.term().minus(&y.term()).reduce()).absolute().to_words()
    }
}

impl Completed {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn identity() -> Self {
        let one = FieldElements::all(ONE);
        Self { e: FieldElements::all([0; 5]), f: one, g: one, h: one }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn extended(&self) -> Extended {
        let Self { e, f, g, h } = self;
        Extended { x: e.by(f), y: g.by(h), z: f.by(g), t: e.by(h) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn projective(&self) -> Projective {
        let Self { e, f, g, h } = self;
        Projective { x: e.by(f), y: g.by(h), z: f.by(g) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn summand(&self) -> Summand {
        let Self { e, f, g, h } = self;
        let (x, y) = (e.times(f), g.times(h));
        Summand { y_plus_x: y.plus(&x).reduce(), y_minus_x: y.minus(&x).reduce(), z: f.by(g), t: e.by(h) }
    }
}

impl Projective {
    /// `dbl-2008-hwcd` with all signs changed, and `2xy` in place of `(x + y)^2 - x^2 - y^2`, which would have to be
    /// reduced before it is squared.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn doubled(&self) -> Completed {
        let (xy, xx, yy, zz) = (self.x.times(&self.y), self.x.square(), self.y.square(), self.z.square());
        Completed {
            e: xy.plus(&xy).reduce(),
            f: zz.plus(&zz).plus(&xx).minus(&yy).reduce(),
            g: yy.minus(&xx).reduce(),
            h: yy.plus(&xx).reduce(),
        }
    }
}

impl Summand {
    /// `add-2008-hwcd-3`: it holds for equal points and the identity too.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn plus(&self, other: &Cached) -> Completed {
        let a = self.y_minus_x.times(&other.y_minus_x);
        let b = self.y_plus_x.times(&other.y_plus_x);
        let c = self.t.times(&other.t2d);
        let d = self.z.times(&other.z2);
        Completed { e: b.minus(&a).reduce(), f: d.minus(&c).reduce(), g: d.plus(&c).reduce(), h: b.plus(&a).reduce() }
    }
}

impl Cached {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn identity() -> Self {
        let one = FieldElements::all(ONE);
        Self { y_plus_x: one, y_minus_x: one, z2: FieldElements::all(TWO), t2d: FieldElements::all([0; 5]) }
    }
}

/// The multiple of a digit from -8 to 8. All of the table is read, and masks choose.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn look_up(table: &[Cached; 8], digit: i8) -> Cached {
    let digit = _mm512_set1_epi64(i64::from(digit));
    let mut found = Cached::identity();
    for (entry, multiple) in table.iter().zip(1..) {
        let mask = _mm512_cmpeq_epi64_mask(_mm512_abs_epi64(digit), _mm512_set1_epi64(multiple));
        found = Cached {
            y_plus_x: found.y_plus_x.or_else(mask, &entry.y_plus_x),
            y_minus_x: found.y_minus_x.or_else(mask, &entry.y_minus_x),
            z2: found.z2.or_else(mask, &entry.z2),
            t2d: found.t2d.or_else(mask, &entry.t2d),
        };
    }
    let negative = _mm512_cmplt_epi64_mask(digit, _mm512_setzero_si512());
    Cached {
        y_plus_x: found.y_plus_x.or_else(negative, &found.y_minus_x),
        y_minus_x: found.y_minus_x.or_else(negative, &found.y_plus_x),
        z2: found.z2,
        t2d: found.t2d.negated_where(negative),
    }
}
