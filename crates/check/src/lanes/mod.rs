//! What one secret scalar makes of many elements, eight at a time: one in each 64-bit lane of AVX-512, with its
//! multiplication of 52 bits (IFMA).

mod digits;
mod field;
mod ristretto;

use crate::oprf::Element;
use curve25519_dalek::scalar::Scalar;
use digits::Digits;
use zeroize::Zeroizing;

/// Each 64 bytes mapped to the group, as by `RistrettoPoint::from_uniform_bytes`, and multiplied: `None` where the
/// processor lacks the instructions. An incomplete group of eight costs as much as a whole one.
///
/// Neither the course of what is computed nor a place in memory depends on the scalar. Its digits are wiped; what was
/// computed with them is not.
pub(crate) fn hashed_times(uniform: &[[u8; 64]], scalar: &Scalar) -> Option<Vec<Element>> {
    let multiplier = Multiplier::new(scalar)?;
    in_groups(uniform, |group| {
        let halves = [0, 32].map(|from| filled(group, |uniform| words(&uniform[from..])));
        Some(multiplier.hashed_times(&halves))
    })
}

/// Each element multiplied, in the same way. `None` also where one of them is no element.
pub(crate) fn times(elements: &[Element], scalar: &Scalar) -> Option<Vec<Element>> {
    let multiplier = Multiplier::new(scalar)?;
    in_groups(elements, |group| multiplier.times(&filled(group, |element| words(element))))
}

/// The scalar, where the processor has all that the functions of this folder are compiled for: there is none elsewhere.
struct Multiplier(Digits);

impl Multiplier {
    fn new(scalar: &Scalar) -> Option<Self> {
        let has_instructions = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma");
        has_instructions.then(|| Self(Digits::new(&Zeroizing::new(scalar.to_bytes()))))
    }

    #[expect(
        unsafe_code,
        reason = "the processor has the instructions, as `new` asked, which is all that the call needs"
    )]
    fn hashed_times(&self, uniform: &[[[u64; 4]; 8]; 2]) -> [[u64; 4]; 8] {
        unsafe { ristretto::hashed_times(uniform, &self.0) }
    }

    #[expect(
        unsafe_code,
        reason = "the processor has the instructions, as `new` asked, which is all that the call needs"
    )]
    fn times(&self, encodings: &[[u64; 4]; 8]) -> Option<[[u64; 4]; 8]> {
        unsafe { ristretto::times(encodings, &self.0) }
    }
}

/// What is made of each group of up to eight.
fn in_groups<T>(all: &[T], times: impl Fn(&[T]) -> Option<[[u64; 4]; 8]>) -> Option<Vec<Element>> {
    let mut elements = Vec::with_capacity(all.len());
    for group in all.chunks(8) {
        elements.extend(times(group)?.map(bytes).into_iter().take(group.len()));
    }
    Some(elements)
}

/// A lane for each of a group, and the last one's in those that are left.
fn filled<T>(group: &[T], lane: impl Fn(&T) -> [u64; 4]) -> [[u64; 4]; 8] {
    std::array::from_fn(|at| lane(&group[at.min(group.len() - 1)]))
}

/// The first 32 bytes.
fn words(bytes: &[u8]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

fn bytes(words: [u64; 4]) -> Element {
    let mut bytes = [0; 32];
    bytes.as_chunks_mut::<8>().0.copy_from_slice(&words.map(u64::to_le_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_hex;
    use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
    use curve25519_dalek::traits::IsIdentity as _;
    use proptest::prelude::*;

    /// Whether there is something to test; where not, it is said.
    #[expect(clippy::print_stderr, reason = "a test that has nothing to test says so")]
    pub(super) fn has_instructions() -> bool {
        let has_instructions = Multiplier::new(&Scalar::ONE).is_some();
        if !has_instructions {
            eprintln!("not tested: this processor has no AVX-512 with DQ and IFMA");
        }
        has_instructions
    }

    /// Compares with the library for the curve.
    fn assert_same(uniform: &[[u8; 64]], scalar: &Scalar) {
        if !has_instructions() {
            return;
        }
        let points: Vec<_> = uniform.iter().map(RistrettoPoint::from_uniform_bytes).collect();
        let expected = encoded(points.iter().map(|point| point * scalar));
        assert_eq!(hashed_times(uniform, scalar).unwrap(), expected, "{uniform:?} by {scalar:?}");
        assert_eq!(times(&encoded(points.into_iter()), scalar).unwrap(), expected, "{uniform:?} by {scalar:?}");
    }

    fn encoded(points: impl Iterator<Item = RistrettoPoint>) -> Vec<Element> {
        points.map(|point| point.compress().to_bytes()).collect()
    }

    /// Scalars whose digits are all zero, or whose carries run through, among others.
    fn scalars() -> impl Strategy<Value = Scalar> {
        let eight = Scalar::from(8_u8);
        let edges = vec![Scalar::ZERO, Scalar::ONE, Scalar::from(2_u8), eight, -Scalar::ONE, -eight];
        let repeated =
            |byte: u8| Scalar::from_bytes_mod_order(std::array::from_fn(|at| if at < 31 { byte } else { 0 }));
        prop_oneof![
            prop::sample::select(edges),
            any::<u8>().prop_map(repeated),
            any::<[u8; 32]>().prop_map(Scalar::from_bytes_mod_order),
        ]
    }

    /// 32 bytes, often such as the map treats otherwise: zero, one, about the order, all ones.
    fn halves() -> impl Strategy<Value = [u8; 32]> {
        let of = |first: u8, others: u8, last: u8| -> [u8; 32] {
            [[first].as_slice(), &[others; 30], &[last]].concat().try_into().unwrap()
        };
        let about = (0xEC..=0xEE).map(|first| of(first, 0xFF, 0x7F));
        let edges: Vec<[u8; 32]> =
            about.chain([of(0, 0, 0), of(1, 0, 0), of(0xFF, 0xFF, 0xFF), of(0xFF, 0xFF, 0x7F)]).collect();
        prop_oneof![prop::sample::select(edges), any::<[u8; 32]>()]
    }

    /// Also two halves that are the same, whose points are doubled.
    fn uniform() -> impl Strategy<Value = [u8; 64]> {
        let both = |(first, second): ([u8; 32], [u8; 32])| [first, second].concat().try_into().unwrap();
        prop_oneof![(halves(), halves()).prop_map(both), halves().prop_map(move |half| both((half, half)))]
    }

    #[test]
    fn points_that_cancel_each_other_give_the_identity() {
        // `SQRT_M1 / t` is mapped to the inverse of what `t` is mapped to.
        let inverse = from_hex::<32>("585007a5930d77623cf29756038ca197d3ebfd9e4c80a69585efe0274092c115").unwrap();
        let mut cancelled = [0; 64];
        cancelled[0] = 2;
        cancelled[32..].copy_from_slice(&inverse);
        assert!(RistrettoPoint::from_uniform_bytes(&cancelled).is_identity());
        for scalar in [Scalar::ONE, Scalar::from(2_u8), -Scalar::ONE, Scalar::from(u64::MAX)] {
            assert_same(&[cancelled, [7; 64]], &scalar);
        }
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        if has_instructions() {
            assert_eq!(times(&[], &Scalar::ONE), Some(Vec::new()));
            assert_eq!(hashed_times(&[], &Scalar::ONE), Some(Vec::new()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn lanes_give_what_the_library_gives(uniform in prop::collection::vec(uniform(), 1..20), scalar in scalars()) {
            assert_same(&uniform, &scalar);
        }

        #[test]
        fn what_the_library_refuses_is_refused(half in halves(), good: [u8; 64], lane in 0_usize..8) {
            if has_instructions() {
                let mut elements = encoded([RistrettoPoint::from_uniform_bytes(&good); 8].into_iter());
                elements[lane] = half;
                let decoded = CompressedRistretto(half).decompress();
                let expected = decoded.map(|point| encoded([point * Scalar::from(5_u8)].into_iter())[0]);
                prop_assert_eq!(times(&elements, &Scalar::from(5_u8)).map(|elements| elements[lane]), expected);
            }
        }
    }
}
