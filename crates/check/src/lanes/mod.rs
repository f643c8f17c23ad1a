//! Eight identifiers at once: each hashed to the group and multiplied with the same scalar, one in each lane of a vector
//! of 512 bits.
//!
//! A crate for one point at a time has to share its work out over the four coordinates of that point. An index is made
//! of millions of points and one scalar: nothing has to be shared, every lane does the same at the same time. That all
//! comes out as curve25519-dalek says is tested. The scalar is secret: no branch and no place in memory depends on it.

#[cfg(target_arch = "x86_64")]
mod field;
#[cfg(target_arch = "x86_64")]
mod point;

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroize as _;

/// Points that are multiplied at once.
pub(crate) const LANES: usize = 8;

/// A scalar in 64 signed digits of base 16, from -8 to 8, the lowest first.
pub(crate) struct Digits([i8; 64]);

impl Digits {
    /// The digits of a scalar.
    pub(crate) fn of(scalar: &Scalar) -> Self {
        let mut bytes = scalar.to_bytes();
        let mut digits = [0; 64];
        let mut carry = 0;
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(&bytes) {
            for (digit, nibble) in pair.iter_mut().zip([byte & 0xF, byte >> 4]) {
                let sum = nibble.cast_signed() + carry;
                carry = (sum + 8) >> 4;
                *digit = sum - (carry << 4);
            }
        }
        // A scalar is below 2^253, so nothing is carried out of the last digit.
        bytes.zeroize();
        Self(digits)
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether the processor has what [`multiply_hashed`] needs.
pub(crate) fn are_there() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512ifma")
        && is_x86_feature_detected!("avx512dq");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Maps uniform strings to the group (RFC 9496, section 4.3.4), multiplies each with the scalar, and encodes it (section
/// 4.3.2). `None` where the processor cannot do eight at once.
pub(crate) fn multiply_hashed(uniform: &[[u8; 64]; LANES], scalar: &Digits) -> Option<[[u8; 32]; LANES]> {
    #[cfg(target_arch = "x86_64")]
    if are_there() {
        #[expect(unsafe_code, reason = "the features that it is compiled for were found in the line before")]
        return Some(unsafe { point::multiply_hashed(uniform, &scalar.0) });
    }
    let _ = (uniform, scalar);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::ristretto::RistrettoPoint;
    use proptest::prelude::*;

    fn alone(uniform: &[u8; 64], scalar: &Scalar) -> [u8; 32] {
        (RistrettoPoint::from_uniform_bytes(uniform) * scalar).compress().to_bytes()
    }

    #[expect(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
    fn agree(uniform: &[[u8; 64]; LANES], scalar: &Scalar) {
        let Some(together) = multiply_hashed(uniform, &Digits::of(scalar)) else {
            eprintln!("skipped: this processor has no AVX-512 with IFMA");
            return;
        };
        assert_eq!(together, uniform.map(|uniform| alone(&uniform, scalar)));
    }

    #[test]
    fn digits_add_up_to_the_scalar() {
        let sixteen = Scalar::from(16_u8);
        for scalar in edge_scalars() {
            let digits = Digits::of(&scalar);
            assert!(digits.0.iter().all(|digit| (-8..=8).contains(digit)));
            let sum = digits.0.iter().rev().fold(Scalar::ZERO, |sum, digit| {
                let digit_of = Scalar::from(digit.unsigned_abs());
                sum * sixteen + if *digit < 0 { -digit_of } else { digit_of }
            });
            assert_eq!(sum, scalar);
        }
    }

    fn edge_scalars() -> Vec<Scalar> {
        let one = Scalar::ONE;
        let mut scalars = vec![Scalar::ZERO, one, one + one, -one, -one - one, Scalar::from(u64::MAX)];
        scalars.extend([[0x88; 32], [0x77; 32], [0xFF; 32], [0x80; 32]].map(Scalar::from_bytes_mod_order));
        scalars
    }

    /// Strings of which one half is the field's 0, 1, -1, largest, or larger than its prime; both the same (the sum is a
    /// doubling); and the same but for the sign (the sum is the identity, as the map of r and of -r is the same).
    #[test]
    fn strings_at_the_edges_of_the_field_are_mapped_as_alone() {
        let mut prime = [0xFF; 32];
        (prime[0], prime[31]) = (0xED, 0x7F);
        let less = |by: u8| {
            let mut bytes = prime;
            bytes[0] -= by;
            bytes
        };
        let mut two = [0; 32];
        two[0] = 2;
        let halves = [[0; 32], [0xFF; 32], prime, less(1), less(2), two, [0x7F; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }];
        for scalar in edge_scalars() {
            for turn in 0..halves.len() {
                let join = |at: usize| {
                    let mut joined = [0; 64];
                    joined[..32].copy_from_slice(&halves[at]);
                    joined[32..].copy_from_slice(&halves[(at + turn) % halves.len()]);
                    joined
                };
                agree(&std::array::from_fn(join), &scalar);
            }
        }
    }

    proptest! {
        #[test]
        fn eight_together_are_what_they_are_alone(
            seeds in proptest::array::uniform8(any::<[u8; 32]>()), other in any::<[u8; 32]>(), scalar in any::<[u8; 32]>(),
        ) {
            let uniform = seeds.map(|seed| {
                let mut uniform = [0; 64];
                uniform[..32].copy_from_slice(&seed);
                uniform[32..].iter_mut().zip(seed.iter().rev().zip(&other)).for_each(|(to, (one, other))| *to = one ^ other);
                uniform
            });
            agree(&uniform, &Scalar::from_bytes_mod_order(scalar));
        }
    }
}
