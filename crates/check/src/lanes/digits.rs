//! A secret scalar in windows.

use zeroize::Zeroize as _;

/// A scalar's digits to the base 16, from -8 to 8: the least significant first. Wiped when dropped.
pub(super) struct Digits([i8; 64]);

impl Digits {
    /// Of a scalar below 2^255, little-endian. Its time does not depend on the scalar.
    pub(super) fn new(scalar: &[u8; 32]) -> Self {
        let mut digits = Self([0; 64]);
        for (pair, byte) in digits.0.as_chunks_mut::<2>().0.iter_mut().zip(scalar) {
            *pair = [(byte & 15).cast_signed(), (byte >> 4).cast_signed()];
        }
        let mut carry = 0;
        for digit in &mut digits.0[..63] {
            *digit += carry;
            carry = (*digit + 8) >> 4;
            *digit -= carry << 4;
        }
        digits.0[63] += carry;
        digits
    }

    /// The most significant digit, and the others down to the least.
    pub(super) fn last_first(&self) -> (i8, impl Iterator<Item = i8>) {
        let [others @ .., last] = &self.0;
        (*last, others.iter().rev().copied())
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The scalar that the digits are of, from the top.
    fn put_together(digits: &Digits) -> [u8; 32] {
        let mut bytes = [0_u8; 32];
        let (last, others) = digits.last_first();
        for digit in [last].into_iter().chain(others) {
            let mut carry = i16::from(digit);
            for byte in &mut bytes {
                carry += i16::from(*byte) * 16;
                *byte = carry as u8;
                carry >>= 8;
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_scalar(mut scalar: [u8; 32], top in prop::sample::select(vec![0_u8, 0x0F, 0x10, 0x7F])) {
            scalar[31] = top;
            let digits = Digits::new(&scalar);
            prop_assert!(digits.0.iter().all(|digit| (-8..=8).contains(digit)));
            prop_assert_eq!(put_together(&digits), scalar);
        }
    }
}
