//! The parts of RFC 9497 that both sides share: suite ristretto255-SHA512 in verifiable mode (VOPRF, mode 1).

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

/// The suite and mode, as manifests name it.
pub const SUITE: &str = "ristretto255-SHA512 VOPRF";

/// Bytes of a group element.
pub const ELEMENT: usize = 32;
/// Bytes of a proof: two scalars.
pub const PROOF: usize = 64;
/// Bytes of the function's output.
pub const OUTPUT: usize = 64;

/// A serialised group element.
pub type Element = [u8; ELEMENT];
/// What the function gives for an input.
pub type Output = [u8; OUTPUT];

/// `contextString` (RFC 9497, section 3.1): version, mode, suite.
pub(crate) const CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

/// What the holder of the key answers: the evaluated elements, in the order of the blinded ones, and one proof for all
/// that the published key was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The blinded elements times the key.
    pub elements: Vec<Element>,
    /// `c ‖ s` of RFC 9497, section 2.2.1.
    pub proof: [u8; PROOF],
}

/// `HashToGroup` (RFC 9497, section 4.1).
pub(crate) fn hash_to_group(input: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&expand(&[input], b"HashToGroup-"))
}

/// `HashToScalar` (RFC 9497, section 4.1), with the domain's prefix to the context.
pub(crate) fn hash_to_scalar(parts: &[&[u8]], domain: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(parts, domain))
}

/// The last step of `Finalize` and of `Evaluate` (RFC 9497, section 3.3.1).
pub(crate) fn finalize(input: &[u8], issued: &Element) -> Output {
    let mut hash = Sha512::new();
    for part in [input, issued] {
        hash.update(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(b"Finalize");
    hash.finalize().into()
}

/// `expand_message_xmd` of RFC 9380, section 5.3.1, with SHA-512 and 64 bytes of output: one block.
fn expand(parts: &[&[u8]], domain: &[u8]) -> [u8; 64] {
    let tag_length = [(domain.len() + CONTEXT.len()) as u8];
    let tagged = |hash: Sha512| hash.chain_update(domain).chain_update(CONTEXT).chain_update(tag_length);
    let mut first = Sha512::new_with_prefix([0; 128]);
    parts.iter().for_each(|part| first.update(part));
    let first = tagged(first.chain_update(64_u16.to_be_bytes()).chain_update([0])).finalize();
    tagged(Sha512::new_with_prefix(first).chain_update([1])).finalize().into()
}
