//! RSA private keys and what they decrypt (RFC 8017 sections 5.1.2 and 7.2.2).
//!
//! Nothing here is constant in time: the reader of a capture has no attacker to answer.

use crate::der;
use num_bigint::BigUint;

/// The largest modulus in bytes that is worked with: 16,384 bits.
const LARGEST: usize = 2048;

/// An RSA private key.
pub(crate) struct RsaKey {
    modulus: Vec<u8>,
    exponent: BigUint,
}

impl RsaKey {
    pub(crate) fn from_der(bytes: &[u8]) -> Option<Self> {
        let (modulus, exponent) = der::rsa_private_key(bytes)?;
        let sound = (32..=LARGEST).contains(&modulus.len()) && exponent.len() <= modulus.len();
        sound.then(|| Self { modulus: modulus.to_vec(), exponent: BigUint::from_bytes_be(exponent) })
    }

    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Undoes PKCS#1 v1.5 encryption.
    pub(crate) fn decrypt(&self, secret: &[u8]) -> Option<Vec<u8>> {
        if secret.len() != self.modulus.len() {
            return None;
        }
        let number = BigUint::from_bytes_be(secret).modpow(&self.exponent, &BigUint::from_bytes_be(&self.modulus));
        let plain = number.to_bytes_be();
        // The leading zero byte is not part of the number.
        let padded = plain.strip_prefix(&[2]).filter(|_| plain.len() + 1 == self.modulus.len())?;
        let end = padded.iter().position(|byte| *byte == 0)?;
        padded.get(end + 1..).map(<[u8]>::to_vec)
    }
}

/// The DER of each unencrypted private key in PEM text, and how many other blocks of keys there are.
pub(crate) fn private_keys(pem: &[u8]) -> (Vec<RsaKey>, usize) {
    let (mut keys, mut skipped) = (Vec::new(), 0);
    let text = String::from_utf8_lossy(pem);
    for block in text.split("-----BEGIN ").skip(1) {
        let Some((label, rest)) = block.split_once("-----") else { continue };
        if !label.ends_with("PRIVATE KEY") {
            continue;
        }
        let body = rest.split("-----END").next().unwrap_or_default();
        match base64(body).as_deref().and_then(RsaKey::from_der) {
            Some(key) => keys.push(key),
            None => skipped += 1,
        }
    }
    (keys, skipped)
}

/// Base64 with line breaks; `None` where anything else is inside, as in encrypted PKCS#1 with its
/// `Proc-Type` lines.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        bits = bits << 6 | sextet(byte)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
