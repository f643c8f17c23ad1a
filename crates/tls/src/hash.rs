//! The hash functions of TLS, chosen at run time, and HMAC over them (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;

/// A hash function a suite names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sm3,
}

/// HMAC whose key is set; each record starts from a copy.
pub(crate) trait Keyed: Send + Sync {
    fn sum(&self, parts: &[&[u8]]) -> Vec<u8>;
}

impl<M: Mac + Clone + Send + Sync> Keyed for M {
    fn sum(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = self.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

impl Hash {
    /// Length of a digest in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
        }
    }

    pub(crate) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => digest::<md5::Md5>(parts),
            Self::Sha1 => digest::<sha1::Sha1>(parts),
            Self::Sha256 => digest::<sha2::Sha256>(parts),
            Self::Sha384 => digest::<sha2::Sha384>(parts),
            Self::Sm3 => digest::<sm3::Sm3>(parts),
        }
    }

    pub(crate) fn hmac(self, key: &[u8]) -> Option<Box<dyn Keyed>> {
        Some(match self {
            Self::Md5 => Box::new(Hmac::<md5::Md5>::new_from_slice(key).ok()?),
            Self::Sha1 => Box::new(Hmac::<sha1::Sha1>::new_from_slice(key).ok()?),
            Self::Sha256 => Box::new(Hmac::<sha2::Sha256>::new_from_slice(key).ok()?),
            Self::Sha384 => Box::new(Hmac::<sha2::Sha384>::new_from_slice(key).ok()?),
            Self::Sm3 => Box::new(Hmac::<sm3::Sm3>::new_from_slice(key).ok()?),
        })
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}
