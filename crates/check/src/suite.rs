//! The hashes of RFC 9497's suite ristretto255-SHA512 in verifiable mode, for the holder of the key.

use crate::oprf::{Element, Output};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

/// `contextString` (RFC 9497, section 3.1): version, mode, suite.
pub(crate) const CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

/// What `HashToGroup` (RFC 9497, section 4.1) maps to the group.
pub(crate) fn uniform_bytes(input: &[u8]) -> [u8; 64] {
    expand(&[input], b"HashToGroup-")
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
    for part in parts {
        first.update(part);
    }
    let first = tagged(first.chain_update(64_u16.to_be_bytes()).chain_update([0])).finalize();
    tagged(Sha512::new_with_prefix(first).chain_update([1])).finalize().into()
}
