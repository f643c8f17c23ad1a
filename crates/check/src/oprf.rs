//! What both sides of RFC 9497 send each other: suite ristretto255-SHA512 in verifiable mode (VOPRF, mode 1).

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

/// What the holder of the key answers: the evaluated elements, in the order of the blinded ones, and one proof for all
/// that the published key was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The blinded elements times the key.
    pub elements: Vec<Element>,
    /// `c ‖ s` of RFC 9497, section 2.2.1.
    pub proof: [u8; PROOF],
}
