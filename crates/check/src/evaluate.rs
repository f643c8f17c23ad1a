//! The holder of the key: evaluates for others what it cannot read, and for the index what it can.
//!
//! The arithmetic stands here and not in the crate `voprf` because a service answers many elements at once: the proof
//! for a batch costs one multi-scalar multiplication instead of a multiplication for each element, and points are
//! serialised together. That both compute the same is tested, with the RFC's own vectors and against `voprf`.

#[cfg(target_arch = "x86_64")]
use crate::lanes;
use crate::oprf::{Element, Evaluation, Output, PROOF};
use crate::suite::{CONTEXT, finalize, hash_to_scalar, uniform_bytes};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use sha2::{Digest as _, Sha512};
use std::fmt;
use std::sync::LazyLock;
use zeroize::Zeroize as _;

/// Elements that are evaluated at once, at most.
pub const MOST_ELEMENTS: usize = 1024;
/// Eight multiplications side by side cost less than two, one after the other.
#[cfg(target_arch = "x86_64")]
const FEWEST_IN_LANES: usize = 2;

/// The private key of the function. Whoever has it can ask the index for anybody; without it nobody can.
pub struct Key {
    secret: Scalar,
    /// The secret over two: points are doubled while they are serialised together, which saves an inversion each.
    half: Scalar,
    public: Element,
}

/// Why elements were not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEvaluated {
    /// None, or more than [`MOST_ELEMENTS`].
    Count,
    /// One of them is no element of the group, or its identity.
    Element,
}

impl fmt::Display for NotEvaluated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(formatter, "between 1 and {MOST_ELEMENTS} elements are evaluated at once"),
            Self::Element => formatter.write_str("this is no element of ristretto255"),
        }
    }
}

impl std::error::Error for NotEvaluated {}

impl Key {
    /// `DeriveKeyPair` (RFC 9497, section 3.2.1). `None` with a chance of 2^-252.
    pub fn derive(seed: &[u8; 32], info: &[u8]) -> Option<Self> {
        let length = u16::try_from(info.len()).ok()?.to_be_bytes();
        let candidates =
            (0..=255_u8).map(|counter| hash_to_scalar(&[seed, &length, info, &[counter]], b"DeriveKeyPair"));
        candidates.into_iter().find(|secret| *secret != Scalar::ZERO).map(Self::new)
    }

    /// The key of its 32 bytes, little-endian. `None` where they are no scalar, or zero.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let secret = Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes))?;
        (secret != Scalar::ZERO).then(|| Self::new(secret))
    }

    /// The secret: for the key file, and nothing else.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }

    /// What clients check proofs against.
    pub fn public(&self) -> Element {
        self.public
    }

    /// `BlindEvaluate` (RFC 9497, section 3.3.2) of a batch. `random` is used once; whoever knows it, or sees it used
    /// twice, has the key.
    pub fn evaluate(&self, blinded: &[Element], random: &[u8; 64]) -> Result<Evaluation, NotEvaluated> {
        if blinded.is_empty() || blinded.len() > MOST_ELEMENTS {
            return Err(NotEvaluated::Count);
        }
        let points: Vec<_> = blinded.iter().map(decode).collect::<Option<_>>().ok_or(NotEvaluated::Element)?;
        let elements = self.multiply(blinded, &points);
        let proof = self.prove(blinded, &points, &elements, Scalar::from_bytes_mod_order_wide(random));
        Ok(Evaluation { elements, proof })
    }

    /// As [`Key::evaluate`], without the proof: what the proof costs is measured by leaving it out.
    #[doc(hidden)]
    pub fn evaluate_unproved(&self, blinded: &[Element]) -> Option<Vec<Element>> {
        let points: Vec<_> = blinded.iter().map(decode).collect::<Option<_>>()?;
        Some(self.multiply(blinded, &points))
    }

    /// `Evaluate` (RFC 9497, section 3.3.1) of inputs that are known, as when an index is made. Its time may depend on
    /// the key: not for answering others.
    pub fn outputs(&self, inputs: &[&[u8]]) -> Vec<Output> {
        let uniform: Vec<_> = inputs.iter().map(|input| uniform_bytes(input)).collect();
        let issued = self.hashed_times(&uniform);
        inputs.iter().zip(issued).map(|(input, issued)| finalize(input, &issued)).collect()
    }

    fn hashed_times(&self, uniform: &[[u8; 64]]) -> Vec<Element> {
        #[cfg(target_arch = "x86_64")]
        if let Some(issued) = lanes::hashed_times(uniform, &self.secret) {
            return issued;
        }
        self.hashed_times_one_by_one(uniform)
    }

    /// In variable time.
    fn hashed_times_one_by_one(&self, uniform: &[[u8; 64]]) -> Vec<Element> {
        let times = |uniform: &[u8; 64]| {
            let point = RistrettoPoint::from_uniform_bytes(uniform);
            RistrettoPoint::vartime_double_scalar_mul_basepoint(&self.half, &point, &Scalar::ZERO)
        };
        let halves: Vec<_> = uniform.iter().map(times).collect();
        doubled(&halves)
    }

    fn new(secret: Scalar) -> Self {
        let public = (&secret * RISTRETTO_BASEPOINT_TABLE).compress().to_bytes();
        Self { secret, half: secret * half(), public }
    }

    /// Elements, and what they were decoded to, by the key. Its time depends on how many they are, and not on the key.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "what was decoded is enough elsewhere"))]
    fn multiply(&self, elements: &[Element], points: &[RistrettoPoint]) -> Vec<Element> {
        #[cfg(target_arch = "x86_64")]
        if elements.len() >= FEWEST_IN_LANES
            && let Some(evaluated) = lanes::times(elements, &self.secret)
        {
            return evaluated;
        }
        self.multiply_one_by_one(points)
    }

    fn multiply_one_by_one(&self, points: &[RistrettoPoint]) -> Vec<Element> {
        let halves: Vec<_> = points.iter().map(|point| point * self.half).collect();
        doubled(&halves)
    }

    /// `GenerateProof` and `ComputeCompositesFast` (RFC 9497, section 2.2.1). All points are kept halved until they
    /// are serialised.
    fn prove(
        &self,
        blinded: &[Element],
        points: &[RistrettoPoint],
        evaluated: &[Element],
        mut r: Scalar,
    ) -> [u8; PROOF] {
        let half = half();
        let weights: Vec<_> = self.weights(blinded, evaluated).map(|weight| weight * half).collect();
        let half_m = RistrettoPoint::vartime_multiscalar_mul(&weights, points);
        let half_r = r * half;
        let halves = [half_m, half_m * self.secret, &half_r * RISTRETTO_BASEPOINT_TABLE, half_m * r];
        let parts = RistrettoPoint::double_and_compress_batch(halves.iter());
        let mut transcript = prefixed(&self.public);
        for part in &parts {
            transcript.extend(prefixed(part.as_bytes()));
        }
        transcript.extend(b"Challenge");
        let c = hash_to_scalar(&[&transcript], b"HashToScalar-");
        let s = r - c * self.secret;
        r.zeroize();
        let mut proof = [0; PROOF];
        proof[..32].copy_from_slice(c.as_bytes());
        proof[32..].copy_from_slice(s.as_bytes());
        proof
    }

    /// The weights of `ComputeComposites`: each depends on its pair and on the key.
    fn weights(&self, blinded: &[Element], evaluated: &[Element]) -> impl Iterator<Item = Scalar> {
        let domain = [b"Seed-".as_slice(), CONTEXT].concat();
        let seed: [u8; 64] = Sha512::digest([prefixed(&self.public), prefixed(&domain)].concat()).into();
        blinded.iter().zip(evaluated).zip(0_u16..).map(move |((blinded, evaluated), place)| {
            let pair = [prefixed(blinded), prefixed(evaluated)].concat();
            hash_to_scalar(&[&prefixed(&seed), &place.to_be_bytes(), &pair, b"Composite"], b"HashToScalar-")
        })
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.half.zeroize();
    }
}

/// Points are halved by it again and again, and its making costs as much as a fifth of a multiplication.
fn half() -> Scalar {
    static HALF: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(2_u8).invert());
    *HALF
}

fn doubled(points: &[RistrettoPoint]) -> Vec<Element> {
    RistrettoPoint::double_and_compress_batch(points).iter().map(CompressedRistretto::to_bytes).collect()
}

fn decode(element: &Element) -> Option<RistrettoPoint> {
    CompressedRistretto(*element).decompress().filter(|point| !point.is_identity())
}

/// `I2OSP(len(part), 2) ‖ part`.
fn prefixed(part: &[u8]) -> Vec<u8> {
    [&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes(), part].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_hex;

    /// RFC 9497, appendix A.1.2: the key, then blinded elements, evaluated ones, proof, random scalar.
    const SEED: [u8; 32] = [0xA3; 32];
    const SECRET: &str = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
    const PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
    const INPUTS: [&[u8]; 2] = [&[0], &[0x5A; 17]];
    const OUTPUTS: [&str; 2] = [
        "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
        "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
    ];
    const ONE: [&str; 4] = [
        "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
        "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
    ];
    const TWO: [&str; 6] = [
        "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
        "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
        "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
        "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
    ];

    fn key() -> Key {
        Key::derive(&SEED, b"test key").unwrap()
    }

    /// A scalar below the order, as 64 bytes that reduce to it.
    fn wide(scalar: &str) -> [u8; 64] {
        let mut wide = [0; 64];
        wide[..32].copy_from_slice(&from_hex::<32>(scalar).unwrap());
        wide
    }

    #[test]
    fn the_key_is_derived_as_in_the_rfc() {
        assert_eq!(key().to_bytes(), from_hex(SECRET).unwrap());
        assert_eq!(key().public(), from_hex(PUBLIC).unwrap());
        assert_eq!(Key::from_bytes(from_hex(SECRET).unwrap()).unwrap().public(), key().public());
        assert!(Key::from_bytes([0; 32]).is_none() && Key::from_bytes([0xFF; 32]).is_none());
    }

    #[test]
    fn outputs_are_those_of_the_rfc() {
        let expected = OUTPUTS.map(|output| from_hex::<64>(output).unwrap());
        for count in [0, 1, 2, 7, 8, 9, 17] {
            let inputs: Vec<_> = INPUTS.into_iter().cycle().take(count).collect();
            assert_eq!(key().outputs(&inputs), expected.into_iter().cycle().take(count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn whether_side_by_side_or_one_by_one_all_is_the_same() {
        let key = key();
        let uniform: Vec<_> = (0..20_u8).map(|number| uniform_bytes(&[number])).collect();
        assert_eq!(key.hashed_times(&uniform), key.hashed_times_one_by_one(&uniform));
        let points: Vec<_> = uniform.iter().map(RistrettoPoint::from_uniform_bytes).collect();
        let elements: Vec<_> = points.iter().map(|point| point.compress().to_bytes()).collect();
        for count in [0, 1, 2, 3, 8, 9, 20] {
            let one_by_one = key.multiply_one_by_one(&points[..count]);
            assert_eq!(key.multiply(&elements[..count], &points[..count]), one_by_one);
        }
    }

    #[test]
    fn evaluations_and_proofs_are_those_of_the_rfc() {
        let one = key().evaluate(&[from_hex(ONE[0]).unwrap()], &wide(ONE[3])).unwrap();
        assert_eq!((one.elements[0], one.proof), (from_hex(ONE[1]).unwrap(), from_hex(ONE[2]).unwrap()));
        let two = key().evaluate(&[from_hex(TWO[0]).unwrap(), from_hex(TWO[1]).unwrap()], &wide(TWO[5])).unwrap();
        assert_eq!(two.elements, [from_hex(TWO[2]).unwrap(), from_hex(TWO[3]).unwrap()]);
        assert_eq!(two.proof, from_hex(TWO[4]).unwrap());
    }

    #[test]
    fn what_is_no_element_is_refused() {
        let identity = [0; 32];
        let right = from_hex(ONE[0]).unwrap();
        assert_eq!(key().evaluate(&[right, identity], &[7; 64]), Err(NotEvaluated::Element));
        assert_eq!(key().evaluate(&[[0xFF; 32]], &[7; 64]), Err(NotEvaluated::Element));
        assert_eq!(key().evaluate(&[], &[7; 64]), Err(NotEvaluated::Count));
        assert_eq!(key().evaluate(&vec![right; MOST_ELEMENTS + 1], &[7; 64]), Err(NotEvaluated::Count));
    }
}
