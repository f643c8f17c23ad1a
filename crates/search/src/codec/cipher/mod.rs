//! Ciphers whose keys the tester has. A cipher proves itself by its tag or its padding, and where
//! that says little by what comes out.

mod blocks;
mod padding;
mod rsa;
mod wrap;

use self::blocks::{Blocks, Gcm};
use super::content::looks_like_content;
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use crate::map::Map;
use dyetrace_case::{Cipher, CipherKey, Iv, Secret};
use std::ops::Range;

/// The row in the table.
pub(crate) const ABOUT: About = About {
    name: "aes-128-cbc, aes-256-gcm …",
    undoes: "AES in CBC, ECB, CTR and GCM, DES and triple DES in CBC and ECB, SM4 in CBC and ECB, RC4, XOR with a \
             repeating key, RSA with OAEP or PKCS#1 v1.5 and AES under a key wrapped with it; with the tester's keys",
    place: "a whole body, field or decoded run",
    exact: true,
    source: "FIPS 197, NIST SP 800-38A, 800-38D and 800-67, GB/T 32907-2016, RFC 6229, RFC 8017",
};

/// Cost of one RSA decryption, in bytes of searching.
const RSA_COST: u64 = 128 << 10;
/// Padding that is right by chance less than once in four thousand million times.
const PADDING_THAT_PROVES: usize = 4;
/// Bytes decrypted to see whether the rest is worth it.
const HEAD: usize = 256;
/// Shortest text that a cipher without padding can prove itself by.
const SHORTEST_STREAM: usize = 8;
/// So many odd signs may a short text have where it was encrypted from the key's first byte on.
const MOST_LEANING: usize = 4;
/// Length of a GCM tag.
const TAG: usize = 16;

/// A cipher with a key.
pub(crate) struct Keyed {
    name: &'static str,
    key_name: String,
    method: Method,
}

/// How it decrypts.
enum Method {
    Cbc(Box<dyn Blocks>, Start),
    Ecb(Box<dyn Blocks>),
    Ctr(Box<dyn Blocks>, Start),
    Gcm(Box<dyn Gcm>, Start),
    Rc4(Vec<u8>),
    Xor(Vec<u8>),
    Rsa(rsa::PrivateKey),
}

/// Where an initialisation vector is.
enum Start {
    /// In so many bytes before the ciphertext.
    Prefix(usize),
    Given(Vec<u8>),
}

/// The ciphers of the keys, and the names of those keys that are none.
pub(crate) fn keyed(keys: &[CipherKey]) -> (Vec<Keyed>, Vec<String>) {
    let (mut all, mut unusable) = (Vec::new(), Vec::new());
    for key in keys {
        match Keyed::new(key) {
            Some(keyed) => all.push(keyed),
            None => unusable.push(key.name.clone()),
        }
    }
    (all, unusable)
}

/// AES with what was decrypted with RSA, in the ways such keys are used: as they are or in
/// hexadecimal or base64; with an initialisation vector before the ciphertext, of zeros, from the
/// key, or behind the key.
pub(crate) fn session(plain: &[u8], key_name: &str) -> Vec<Keyed> {
    let mut all = Vec::new();
    let mut add = |cipher, key: &[u8], iv| {
        let key = CipherKey { name: format!("{key_name}, session"), cipher, key: Secret::new(key), iv };
        all.extend(Keyed::new(&key));
    };
    for secret in rsa::readings(plain) {
        if matches!(secret.len(), 16 | 24 | 32) {
            for iv in [Iv::Prefix, Iv::Zero, Iv::Key] {
                add(Cipher::AesCbc, &secret, iv);
            }
            add(Cipher::AesEcb, &secret, Iv::None);
            add(Cipher::AesGcm, &secret, Iv::Prefix);
            add(Cipher::AesCtr, &secret, Iv::Prefix);
        }
        if let (32 | 48, Some((key, iv))) = (secret.len(), secret.split_last_chunk::<16>()) {
            add(Cipher::AesCbc, key, Iv::Given(Secret::new(*iv)));
        }
    }
    all
}

impl Keyed {
    fn new(key: &CipherKey) -> Option<Self> {
        let secret = key.key.reveal();
        let start = || start(key);
        let blocks = || blocks::make(key.cipher, secret);
        let method = match key.cipher {
            Cipher::AesCbc | Cipher::DesCbc | Cipher::TripleDesCbc | Cipher::Sm4Cbc => Method::Cbc(blocks()?, start()?),
            Cipher::AesEcb | Cipher::DesEcb | Cipher::TripleDesEcb | Cipher::Sm4Ecb => Method::Ecb(blocks()?),
            Cipher::AesCtr => Method::Ctr(blocks()?, start()?),
            Cipher::AesGcm => Method::Gcm(blocks::gcm(secret)?, start()?),
            Cipher::Rc4 => Method::Rc4(secret.to_vec()),
            Cipher::Xor => Method::Xor(secret.to_vec()),
            Cipher::Rsa => Method::Rsa(rsa::PrivateKey::from_pem(secret)?),
        };
        Some(Self { name: name(key.cipher, secret.len()), key_name: key.name.clone(), method })
    }

    /// What the tester calls the key.
    pub(crate) fn key_name(&self) -> &str {
        &self.key_name
    }

    /// True where what comes out may be the key of something else.
    pub(crate) fn is_rsa(&self) -> bool {
        matches!(self.method, Method::Rsa(_))
    }

    /// True where a ciphertext may be text, too.
    pub(crate) fn is_xor(&self) -> bool {
        matches!(self.method, Method::Xor(_))
    }

    /// True where a ciphertext may have any length.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.method, Method::Ctr(..) | Method::Gcm(..) | Method::Rc4(_) | Method::Xor(_))
    }

    /// What an attempt costs, in bytes of searching.
    pub(crate) fn cost(&self, length: usize) -> u64 {
        match &self.method {
            Method::Rsa(_) => RSA_COST,
            Method::Cbc(..) | Method::Ecb(_) => 64,
            Method::Xor(key) => (key.len() * HEAD.min(length)) as u64,
            Method::Ctr(..) | Method::Gcm(..) | Method::Rc4(_) => length as u64,
        }
    }

    /// Decrypts a whole node: the bytes, and where in it the first of them stands.
    fn open(&self, text: &[u8], room: usize) -> Option<(Vec<u8>, usize)> {
        match &self.method {
            Method::Cbc(blocks, start) => {
                let (iv, at) = start.of(text)?;
                Some((chained(&**blocks, Some(iv), text.get(at..)?, room)?, at))
            }
            Method::Ecb(blocks) => Some((chained(&**blocks, None, text, room)?, 0)),
            Method::Ctr(blocks, start) => {
                let (counter, at) = start.of(text)?;
                let mut plain = text.get(at..)?.to_vec();
                blocks::count(&**blocks, counter, &mut plain);
                Some((proved(plain)?, at))
            }
            Method::Gcm(gcm, start) => open_gcm(&**gcm, start, text),
            Method::Rc4(key) => {
                let mut plain = text.to_vec();
                blocks::rc4(key, &mut plain)?;
                Some((proved(plain)?, 0))
            }
            Method::Xor(key) => Some((open_xor(key, text)?, 0)),
            Method::Rsa(key) => Some((key.decrypt(text)?, 0)),
        }
    }
}

impl Codec for Keyed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn find(&self, bytes: &[u8], _marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        let length = bytes.len();
        let fits = match &self.method {
            Method::Cbc(blocks, start) => start.holds(length, blocks.size()) && length.is_multiple_of(blocks.size()),
            Method::Ecb(blocks) => length > 0 && length.is_multiple_of(blocks.size()),
            Method::Ctr(_, start) => start.holds(length, SHORTEST_STREAM),
            Method::Gcm(_, start) => start.holds(length, TAG + 1),
            Method::Rc4(_) | Method::Xor(_) => length >= SHORTEST_STREAM,
            Method::Rsa(key) => length == key.length(),
        };
        if fits {
            visit(0..length);
        }
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let (mut plain, at) = self.open(bytes.get(span.clone())?, room)?;
        let cut = plain.len() > room;
        plain.truncate(room);
        let map = if self.is_rsa() { Map::Whole(span) } else { Map::shift(span.start + at) };
        (!plain.is_empty()).then(|| Unwrapped { bytes: plain, map, cut, detail: Some(self.key_name.clone()) })
    }
}

impl Start {
    /// The vector, and where the ciphertext begins.
    fn of<'a>(&'a self, text: &'a [u8]) -> Option<(&'a [u8], usize)> {
        match self {
            Self::Prefix(length) => Some((text.get(..*length)?, *length)),
            Self::Given(iv) => Some((iv, 0)),
        }
    }

    /// True where so many bytes are left for the ciphertext.
    fn holds(&self, length: usize, least: usize) -> bool {
        let prefix = if let Self::Prefix(prefix) = self { *prefix } else { 0 };
        length >= prefix + least
    }
}

fn start(key: &CipherKey) -> Option<Start> {
    let length = key.cipher.iv_length()?;
    Some(match &key.iv {
        Iv::None | Iv::Prefix => Start::Prefix(length),
        Iv::Zero => Start::Given(vec![0; length]),
        Iv::Key => Start::Given(key.key.reveal().get(..length)?.to_vec()),
        Iv::Given(iv) => Start::Given(iv.reveal().to_vec()),
    })
}

/// CBC, or ECB where there is no vector. The last block and the first are decrypted before the
/// others, because nearly every text was not encrypted with this key.
fn chained(blocks: &dyn Blocks, iv: Option<&[u8]>, text: &[u8], room: usize) -> Option<Vec<u8>> {
    let size = blocks.size();
    let last = text.len().checked_sub(size)?;
    let padding = padding::pkcs7(&blocks::decrypted(blocks, iv, text, last..text.len()));
    let head = blocks::decrypted(blocks, iv, text, 0..text.len().min(HEAD));
    if padding.is_none() && !looks_like_content(padding::without_zeros(&head, size)) {
        return None;
    }
    // A block more than there is room for, so that it is seen that there was more.
    let whole = text.len().min(room.saturating_add(size) / size * size);
    let mut plain = blocks::decrypted(blocks, iv, text, 0..whole);
    if whole == text.len() {
        let kept = padding.map_or_else(|| padding::without_zeros(&plain, size).len(), |padding| whole - padding);
        plain.truncate(kept);
    }
    let proved = padding.is_some_and(|padding| padding >= PADDING_THAT_PROVES) || looks_like_content(&plain);
    proved.then_some(plain)
}

fn proved(plain: Vec<u8>) -> Option<Vec<u8>> {
    looks_like_content(&plain).then_some(plain)
}

/// The tag stands behind the ciphertext or before it.
fn open_gcm(gcm: &dyn Gcm, start: &Start, text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (nonce, at) = start.of(text)?;
    let rest = text.get(at..)?;
    let behind = rest.split_last_chunk::<TAG>().and_then(|(text, tag)| gcm.open(nonce, text, tag));
    if let Some(plain) = behind {
        return Some((plain, at));
    }
    let (tag, text) = rest.split_first_chunk::<TAG>()?;
    Some((gcm.open(nonce, text, tag)?, at + TAG))
}

/// The key is tried from each of its places on.
fn open_xor(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let from = |phase: usize, text: &[u8]| -> Vec<u8> {
        text.iter().zip(key.iter().cycle().skip(phase)).map(|(byte, mask)| byte ^ mask).collect()
    };
    let head = text.get(..HEAD).unwrap_or(text);
    // Of a short text several phases may make letters and signs; most letters are right.
    // Most texts were encrypted from the key's first byte on.
    let words = |phase: &usize| {
        let text = from(*phase, head);
        let usual = |byte: &&u8| byte.is_ascii_alphanumeric() || b" {}[]\":,.@-_=&/%".contains(byte);
        let leaning = if *phase == 0 { MOST_LEANING.min(text.len() / 4) } else { 0 };
        text.iter().filter(usual).count() + leaning
    };
    let phases = (0..key.len()).rev().filter(|phase| looks_like_content(&from(*phase, head)));
    proved(from(phases.max_by_key(words)?, text))
}

fn name(cipher: Cipher, key: usize) -> &'static str {
    match (cipher, key) {
        (Cipher::AesCbc, 16) => "aes-128-cbc",
        (Cipher::AesCbc, 24) => "aes-192-cbc",
        (Cipher::AesCbc, 32) => "aes-256-cbc",
        (Cipher::AesEcb, 16) => "aes-128-ecb",
        (Cipher::AesEcb, 24) => "aes-192-ecb",
        (Cipher::AesEcb, 32) => "aes-256-ecb",
        (Cipher::AesCtr, 16) => "aes-128-ctr",
        (Cipher::AesCtr, 24) => "aes-192-ctr",
        (Cipher::AesCtr, 32) => "aes-256-ctr",
        (Cipher::AesGcm, 16) => "aes-128-gcm",
        (Cipher::AesGcm, 24) => "aes-192-gcm",
        (Cipher::AesGcm, 32) => "aes-256-gcm",
        _ => cipher.name(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
