//! RSA decryption with OAEP and PKCS#1 v1.5 padding (RFC 8017 sections 7.1.2 and 7.2.2), and the
//! keys that are sent so.
//!
//! Nothing here is constant in time: the reader of a capture has no attacker to answer.

use num_bigint::BigUint;
use sha1::Sha1;
use sha2::Sha256;
use sha2::digest::Digest;

/// The largest modulus in bytes that is worked with: 8,192 bits.
const LARGEST: usize = 1024;
/// Shortest padding of PKCS#1 v1.5.
const SHORTEST_PADDING: usize = 8;

/// A private key.
pub(super) struct PrivateKey {
    modulus: BigUint,
    exponent: BigUint,
    length: usize,
}

impl PrivateKey {
    /// The first unencrypted RSA key in PEM text, in PKCS#1 or PKCS#8.
    pub(super) fn from_pem(pem: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(pem);
        text.split("-----BEGIN ").skip(1).find_map(|block| {
            let (label, rest) = block.split_once("-----")?;
            let body = rest.split("-----END").next().filter(|_| label.ends_with("PRIVATE KEY"))?;
            let letters: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
            Self::from_der(&decode_base64(&letters)?)
        })
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let (mut modulus, exponent) = numbers(der, true)?;
        while let [0, rest @ ..] = modulus {
            modulus = rest;
        }
        let sound = (64..=LARGEST).contains(&modulus.len()) && exponent.len() <= modulus.len() + 1;
        sound.then(|| Self {
            length: modulus.len(),
            modulus: BigUint::from_bytes_be(modulus),
            exponent: BigUint::from_bytes_be(exponent),
        })
    }

    /// Bytes of the modulus, and so of everything encrypted.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// What was encrypted, where the padding is right.
    pub(super) fn decrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        let number = BigUint::from_bytes_be(text);
        if text.len() != self.length || number >= self.modulus {
            return None;
        }
        let plain = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut block = vec![0; self.length.checked_sub(plain.len())?];
        block.extend_from_slice(&plain);
        // Java takes SHA-1 for the mask whatever the label is hashed with.
        pkcs1(&block)
            .or_else(|| oaep::<Sha1, Sha1>(&block))
            .or_else(|| oaep::<Sha256, Sha256>(&block))
            .or_else(|| oaep::<Sha256, Sha1>(&block))
    }
}

/// What a decrypted text may mean as a key: itself, or what it is hexadecimal or base64 of.
pub(super) fn readings(plain: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![plain.to_vec()];
    if plain.len().is_multiple_of(2) && plain.iter().all(u8::is_ascii_hexdigit) {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default() as u8;
        all.push(plain.as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect());
    }
    let letters = plain.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    all.extend(plain.get(..letters).and_then(decode_base64));
    all
}

fn pkcs1(block: &[u8]) -> Option<Vec<u8>> {
    let padded = block.strip_prefix(&[0, 2])?;
    let end = padded.iter().position(|byte| *byte == 0).filter(|end| *end >= SHORTEST_PADDING)?;
    padded.get(end + 1..).map(<[u8]>::to_vec)
}

/// With an empty label.
fn oaep<L: Digest, M: Digest>(block: &[u8]) -> Option<Vec<u8>> {
    let size = <L as Digest>::output_size();
    let (seed, data) = block.strip_prefix(&[0])?.split_at_checked(size)?;
    let seed = xor(seed, &mask::<M>(data, size));
    let data = xor(data, &mask::<M>(&seed, data.len()));
    let (label, rest) = data.split_at_checked(size)?;
    if label != L::digest([]).as_slice() {
        return None;
    }
    let one = rest.iter().position(|byte| *byte != 0)?;
    rest.get(one..)?.strip_prefix(&[1]).map(<[u8]>::to_vec)
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// MGF1 (appendix B.2.1).
fn mask<H: Digest>(seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::new();
    let mut counter = 0_u32;
    while mask.len() < length {
        mask.extend_from_slice(&H::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize());
        counter += 1;
    }
    mask.truncate(length);
    mask
}

/// Modulus and private exponent in PKCS#1, or in a PKCS#8 around it.
fn numbers(der: &[u8], may_nest: bool) -> Option<(&[u8], &[u8])> {
    let (0x30, fields, _) = element(der)? else { return None };
    let (0x02, _version, fields) = element(fields)? else { return None };
    match element(fields)? {
        (0x02, modulus, fields) => {
            let (0x02, _public, fields) = element(fields)? else { return None };
            let (0x02, exponent, _) = element(fields)? else { return None };
            Some((modulus, exponent))
        }
        (0x30, _algorithm, fields) if may_nest => {
            let (0x04, key, _) = element(fields)? else { return None };
            numbers(key, false)
        }
        _ => None,
    }
}

/// Tag and content of the first element, and what follows it (X.690 section 8.1).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else { return None };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 3))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `None` where a character is not of the alphabet.
fn decode_base64(letters: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    letters.iter().all(is_base64).then(|| {
        let mut out = Vec::new();
        crate::codec::base64::decode_into(letters, &mut out);
        out
    })
}
