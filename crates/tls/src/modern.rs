//! Record protection and key schedule of TLS 1.3 (RFC 8446 sections 5.2 and 7) and its drafts
//! from 18 on.

use crate::cipher::{self, Aead};
use crate::hash::{Hash, Keyed};
use crate::legacy::mixed_nonce;
use crate::suite::{Bulk, Suite};
use std::ops::Range;

/// One traffic secret's keys.
pub(crate) struct ModernKeys {
    cipher: Cipher,
    iv: Vec<u8>,
    secret: Vec<u8>,
    suite: Suite,
    draft: u8,
}

enum Cipher {
    Aead {
        aead: Box<dyn Aead>,
        tag: usize,
    },
    /// RFC 9150: integrity only.
    Mac(Box<dyn Keyed>, usize),
}

impl ModernKeys {
    /// The record keys under a traffic secret; `None` where its length does not fit the suite.
    pub(crate) fn derive(suite: Suite, draft: u8, secret: &[u8]) -> Option<Self> {
        let hash = suite.schedule_hash();
        if !suite.modern || secret.len() != hash.length() {
            return None;
        }
        let length = if suite.bulk == Bulk::Null { hash.length() } else { suite.bulk.key_length() };
        let key = expand_label(hash, draft, secret, b"key", length)?;
        let cipher = match cipher::aead(suite.bulk, &key) {
            Some((aead, tag)) => Cipher::Aead { aead, tag },
            None if suite.bulk == Bulk::Null => Cipher::Mac(hash.hmac(&key)?, hash.length()),
            None => return None,
        };
        Some(Self { cipher, iv: expand_label(hash, draft, secret, b"iv", 12)?, secret: secret.to_vec(), suite, draft })
    }

    /// The keys after a KeyUpdate: RFC 8446 section 7.2.
    pub(crate) fn next(&self) -> Option<Self> {
        let hash = self.suite.schedule_hash();
        let label: &[u8] =
            if self.draft == 0 || self.draft >= 20 { b"traffic upd" } else { b"application traffic secret" };
        let secret = expand_label(hash, self.draft, &self.secret, label, hash.length())?;
        Self::derive(self.suite, self.draft, &secret)
    }

    /// Decrypts a record in place: its inner content type and where its content is.
    pub(crate) fn open(&self, sequence: u64, header: [u8; 5], body: &mut [u8]) -> Option<(u8, Range<usize>)> {
        let nonce = mixed_nonce(&self.iv, sequence)?;
        // Before draft 25 the header was not authenticated.
        let extra: &[u8] = if self.draft == 0 || self.draft >= 25 { &header } else { &[] };
        let length = match &self.cipher {
            Cipher::Aead { aead, tag } => {
                let (text, tag) = body.split_at_mut_checked(body.len().checked_sub(*tag)?)?;
                aead.open(&nonce, extra, text, tag).then_some(text.len())?
            }
            Cipher::Mac(mac, length) => {
                let (text, tag) = body.split_at_checked(body.len().checked_sub(*length)?)?;
                (mac.sum(&[&nonce, extra, text]) == tag).then_some(text.len())?
            }
        };
        // The type is the last byte that is not padding: RFC 8446 section 5.4.
        let end = body.get(..length)?.iter().rposition(|byte| *byte != 0)?;
        Some((*body.get(end)?, 0..end))
    }
}

/// HKDF-Expand-Label with an empty context: RFC 8446 section 7.1.
fn expand_label(hash: Hash, draft: u8, secret: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    let prefix: &[u8] = if draft == 0 || draft >= 20 { b"tls13 " } else { b"TLS 1.3, " };
    let mut info = (length as u16).to_be_bytes().to_vec();
    info.push((prefix.len() + label.len()) as u8);
    info.extend([prefix, label, &[0]].concat());
    let mac = hash.hmac(secret)?;
    let mut out = Vec::with_capacity(length + hash.length());
    let mut block = Vec::new();
    for counter in 1..=u8::MAX {
        if out.len() >= length {
            break;
        }
        block = mac.sum(&[&block, &info, &[counter]]);
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// RFC 8448 section 3, "{server} derive write traffic keys for handshake data".
    #[test]
    fn keys_of_rfc_8448() {
        let secret = [
            0xb6, 0x7b, 0x7d, 0x69, 0x0c, 0xc1, 0x6c, 0x4e, 0x75, 0xe5, 0x42, 0x13, 0xcb, 0x2d, 0x37, 0xb4, 0xe9, 0xc9,
            0x12, 0xbc, 0xde, 0xd9, 0x10, 0x5d, 0x42, 0xbe, 0xfd, 0x59, 0xd3, 0x91, 0xad, 0x38,
        ];
        let expand = |label, length| hex(&expand_label(Hash::Sha256, 0, &secret, label, length).unwrap());
        assert_eq!(expand(b"key", 16), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(expand(b"iv", 12), "5d313eb2671276ee13000b30");
    }
}
