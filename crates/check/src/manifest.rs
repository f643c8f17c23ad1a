//! What an index says of itself, signed: its keys, its shape, what it tells of.

use crate::identifier::Identifier;
use crate::merkle::{self, DIGEST};
use crate::oprf::{Element, SUITE};
use crate::record::{self, MOST_FIELDS, MOST_SOURCES};
use crate::{from_hex, to_hex};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// The form of manifests and files that this version writes and reads.
pub const FORMAT: &str = "dyetrace-check/1";
/// What is signed begins with this, so that no other thing signed by the same key can be taken for a manifest.
pub(crate) const SIGNED_AS: &[u8] = b"dyetrace-check/1 manifest\0";
/// Bits of a bucket's number, at most.
pub const MOST_BITS: u32 = 20;
/// Bytes of a manifest, at most.
pub const MOST_BYTES: usize = 64 << 10;
/// Bytes of a bucket with its path, at most.
pub const MOST_FRAME: usize = 8 << 20;

/// A dump that the index tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What the dump is called, in words for the affected.
    pub name: String,
    /// Of when it is, as the operator writes it; `None` where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// What an index says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The index's own number: 16 random bytes in hexadecimal.
    pub index: String,
    /// [`SUITE`].
    pub suite: String,
    /// The public key of the function, in hexadecimal.
    pub public_key: String,
    /// The key of the hash that chooses buckets, in hexadecimal. It is public; it is there so that buckets of one index
    /// are not those of another.
    pub bucket_key: String,
    /// Bits of a bucket's number: there are 2^bits buckets.
    pub bits: u32,
    /// Entries of each bucket, real ones and padding.
    pub capacity: u32,
    /// At least so many real entries are in each bucket.
    pub k: u32,
    /// Identifiers in the index.
    pub identifiers: u64,
    /// People whose identifiers these are, as often as they were given.
    pub people: u64,
    /// The dumps it tells of.
    pub sources: Vec<Source>,
    /// The names of the fields it tells of; their bits in a record are in this order.
    pub fields: Vec<String>,
    /// The root of the tree over the buckets, in hexadecimal.
    pub root: String,
}

impl Manifest {
    /// The bucket that an identifier is in: the first bits of HMAC-SHA-256.
    pub fn bucket_of(&self, identifier: &Identifier) -> Option<u32> {
        Some(bucket_bits(&from_hex(&self.bucket_key)?, identifier) >> (MOST_BITS - self.bits.min(MOST_BITS)))
    }

    /// Bytes of a bucket's entries.
    pub fn entries_bytes(&self) -> usize {
        self.capacity as usize * record::entry_bytes(self.sources.len())
    }

    /// Bytes of a bucket with its path: the size of every answer.
    pub fn frame_bytes(&self) -> usize {
        self.entries_bytes() + self.bits as usize * DIGEST
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> u32 {
        1 << self.bits.min(MOST_BITS)
    }

    /// The entries of a fetched bucket, where it has the right size and its path leads to the signed root.
    pub fn entries<'a>(&self, number: u32, frame: &'a [u8]) -> Option<&'a [u8]> {
        let (entries, path) = frame.split_at_checked(self.entries_bytes())?;
        let right = path.len() == self.bits as usize * DIGEST
            && number < self.buckets()
            && to_hex(&merkle::root_of(entries, number, path)) == self.root;
        right.then_some(entries)
    }

    /// The public key of the function.
    pub fn element(&self) -> Option<Element> {
        from_hex(&self.public_key)
    }

    /// The index's own number.
    pub fn id(&self) -> Option<[u8; 16]> {
        from_hex(&self.index)
    }

    /// Whether all of it is in bounds, so that nothing computed from it is out of them.
    fn is_sound(&self) -> bool {
        self.format == FORMAT
            && self.suite == SUITE
            && self.bits <= MOST_BITS
            && (1..=1 << 20).contains(&self.capacity)
            && (1..=MOST_SOURCES).contains(&self.sources.len())
            && self.fields.len() <= MOST_FIELDS
            && self.frame_bytes() <= MOST_FRAME
            && self.id().is_some()
            && self.element().is_some()
            && from_hex::<32>(&self.bucket_key).is_some()
            && from_hex::<DIGEST>(&self.root).is_some()
    }
}

/// The first [`MOST_BITS`] bits of the hash that chooses buckets.
pub(crate) fn bucket_bits(key: &[u8; 32], identifier: &Identifier) -> u32 {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return 0 };
    mac.update(identifier.bytes());
    let [a, b, c, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
    u32::from_be_bytes([0, a, b, c]) >> (24 - MOST_BITS)
}

/// A manifest as it is published: its exact text, and the signature of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedManifest {
    /// The manifest in JSON; the signature is over these bytes.
    pub manifest: String,
    /// The Ed25519 key of whoever answers for the index, in hexadecimal.
    pub signer: String,
    /// The signature (RFC 8032), in hexadecimal.
    pub signature: String,
}

/// Why a manifest is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTrusted {
    /// It is not readable, or of another version, or out of bounds.
    Form,
    /// The signature is not the signer's.
    Signature,
    /// It was signed by somebody else than was asked for.
    Signer,
}

impl fmt::Display for NotTrusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Form => "this is no manifest of a check index that this version can read",
            Self::Signature => "the signature of the manifest is wrong",
            Self::Signer => "the manifest was signed by another key than the one asked for",
        })
    }
}

impl std::error::Error for NotTrusted {}

impl SignedManifest {
    /// The manifest, once its signature is checked. With a `signer`, only what that key signed is believed; without,
    /// the signature shows no more than that the file is whole.
    pub fn trusted(&self, signer: Option<&[u8; 32]>) -> Result<Manifest, NotTrusted> {
        let given = from_hex::<32>(&self.signer).ok_or(NotTrusted::Form)?;
        let signature = from_hex::<64>(&self.signature).ok_or(NotTrusted::Form)?;
        if signer.is_some_and(|signer| *signer != given) {
            return Err(NotTrusted::Signer);
        }
        if self.manifest.len() > MOST_BYTES {
            return Err(NotTrusted::Form);
        }
        let key = VerifyingKey::from_bytes(&given).map_err(|_| NotTrusted::Signature)?;
        let message = [SIGNED_AS, self.manifest.as_bytes()].concat();
        key.verify_strict(&message, &Signature::from_bytes(&signature)).map_err(|_| NotTrusted::Signature)?;
        let manifest: Manifest = serde_json::from_str(&self.manifest).map_err(|_| NotTrusted::Form)?;
        if manifest.is_sound() { Ok(manifest) } else { Err(NotTrusted::Form) }
    }
}
