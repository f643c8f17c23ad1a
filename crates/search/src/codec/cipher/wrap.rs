//! Encrypting, for spikes: what the tester's keys would have made of a planted value.

use super::blocks::Blocks;
use super::{Keyed, Method, Start, blocks};

impl Keyed {
    /// The text encrypted as an app with this key would do it, padded where the mode asks for it. An
    /// initialisation vector that is the app's choice is counted up from a constant: the same text always gives
    /// the same bytes. `None` for RSA and GCM, of which only the opening direction is here.
    pub(crate) fn wrap(&self, text: &[u8]) -> Option<Vec<u8>> {
        match &self.method {
            Method::Cbc(blocks, start) => {
                let iv = start.vector();
                let mut coded = padded(text, blocks.size());
                chain(&**blocks, &iv, &mut coded);
                Some(start.with_prefix(iv, coded))
            }
            Method::Ecb(blocks) => {
                let mut coded = padded(text, blocks.size());
                blocks.encrypt(&mut coded);
                Some(coded)
            }
            Method::Ctr(blocks, start) => {
                let iv = start.vector();
                let mut coded = text.to_vec();
                blocks::count(&**blocks, &iv, &mut coded);
                Some(start.with_prefix(iv, coded))
            }
            Method::Rc4(key) => {
                let mut coded = text.to_vec();
                blocks::rc4(key, &mut coded)?;
                Some(coded)
            }
            Method::Xor(key) => Some(text.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()),
            Method::Gcm(..) | Method::Rsa(_) => None,
        }
    }
}

impl Start {
    fn vector(&self) -> Vec<u8> {
        match self {
            Self::Prefix(length) => (0..*length).map(|at| (at as u8).wrapping_mul(37).wrapping_add(0x5b)).collect(),
            Self::Given(iv) => iv.clone(),
        }
    }

    fn with_prefix(&self, mut iv: Vec<u8>, coded: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Prefix(_) => {
                iv.extend(coded);
                iv
            }
            Self::Given(_) => coded,
        }
    }
}

/// Cipher block chaining (NIST SP 800-38A section 6.2).
pub(super) fn chain(blocks: &dyn Blocks, iv: &[u8], text: &mut [u8]) {
    let mut before = iv.to_vec();
    for block in text.chunks_mut(blocks.size()) {
        block.iter_mut().zip(&before).for_each(|(byte, mask)| *byte ^= mask);
        blocks.encrypt(block);
        before = block.to_vec();
    }
}

/// PKCS#7 padding (RFC 5652 section 6.3).
pub(super) fn padded(text: &[u8], size: usize) -> Vec<u8> {
    let padding = size - text.len() % size.max(1);
    let mut padded = text.to_vec();
    padded.resize(text.len() + padding, padding as u8);
    padded
}
