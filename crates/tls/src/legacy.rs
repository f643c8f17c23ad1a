//! Record protection of SSL 3.0 to TLS 1.2.
//!
//! Sources: RFC 6101 section 5.2.3, RFC 2246 section 6.2.3, RFC 5246 section 6.2.3, RFC 7366
//! (encrypt-then-MAC), RFC 5288 and 6655 (GCM, CCM), RFC 7905 (ChaCha20-Poly1305).

use crate::cipher::{self, Aead, Cbc};
use crate::event::Side;
use crate::hash::{Hash, Keyed};
use crate::prf::{Prf, Randoms};
use crate::suite::{Bulk, Suite};
use crate::version::Version;
use rc4::{KeyInit, Rc4, StreamCipher};
use std::ops::Range;

/// What a handshake settled about its records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) version: Version,
    pub(crate) suite: Suite,
    pub(crate) randoms: Randoms,
    /// RFC 7366.
    pub(crate) encrypt_then_mac: bool,
    /// RFC 6066 section 7: MACs cut to ten bytes.
    pub(crate) truncated_mac: bool,
}

/// One direction's keys.
pub(crate) struct LegacyKeys(Kind);

enum Kind {
    Aead {
        aead: Box<dyn Aead>,
        tag: usize,
        iv: Vec<u8>,
    },
    Cbc(CbcKeys),
    Rc4 {
        stream: Box<Rc4>,
        mac: RecordMac,
    },
    /// No encryption; the MAC is verified where its key is known.
    Null {
        mac: Option<RecordMac>,
        length: usize,
    },
}

struct CbcKeys {
    cbc: Box<dyn Cbc>,
    block: usize,
    mac: RecordMac,
    /// The last block of the record before, where records do not start with their own IV.
    chained: Option<Vec<u8>>,
    encrypt_then_mac: bool,
    /// SSL 3.0 leaves the padding's bytes open.
    loose_padding: bool,
}

impl LegacyKeys {
    /// The keys with which `side` protects its records.
    pub(crate) fn derive(terms: &Terms, side: Side, master: &[u8]) -> Option<Self> {
        let Terms { version, suite, randoms, .. } = *terms;
        let mac = mac_length(suite);
        let key = suite.export.unwrap_or(suite.bulk.key_length());
        let iv = iv_length(suite.bulk);
        let prf = Prf { version, hash: suite.schedule_hash() };
        let keys = prf.key_block(master, &randoms, 2 * (mac + key + iv));
        let of = |start: usize, length: usize| {
            let start = start + if side == Side::Client { 0 } else { length };
            keys.get(start..start + length)
        };
        let (mac, key, iv) = (of(0, mac)?, of(2 * mac, key)?, of(2 * (mac + key), iv)?);
        if suite.export.is_none() {
            return Self::from_parts(terms, mac, key, iv);
        }
        let (key, iv) = prf.export(key, side, &randoms, suite.bulk.key_length(), iv.len());
        Self::from_parts(terms, mac, &key, &iv)
    }

    /// Reads the records of a NULL suite without any key, and without verifying them.
    pub(crate) fn unverified(terms: &Terms) -> Option<Self> {
        let length = if terms.truncated_mac { 10 } else { terms.suite.hash.length() };
        (terms.suite.bulk == Bulk::Null).then_some(Self(Kind::Null { mac: None, length }))
    }

    /// True where a record that opens proves the key.
    pub(crate) fn verifies(&self) -> bool {
        !matches!(self.0, Kind::Null { mac: None, .. })
    }

    /// True where a lost record makes all later ones unreadable.
    pub(crate) fn needs_every_byte(&self) -> bool {
        matches!(self.0, Kind::Rc4 { .. })
    }

    /// The value the next record's decryption depends on besides its number.
    pub(crate) fn chain(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Cbc(keys) => keys.chained.clone(),
            _ => None,
        }
    }

    /// Sets what [`Self::chain`] gave.
    pub(crate) fn set_chain(&mut self, chain: Option<Vec<u8>>) {
        if let Kind::Cbc(keys) = &mut self.0 {
            keys.chained = chain;
        }
    }

    /// Takes a record that cannot be verified as the predecessor of the next one.
    pub(crate) fn pass(&mut self, body: &[u8]) {
        if let Kind::Cbc(CbcKeys { chained: Some(chained), block, .. }) = &mut self.0
            && let Some(last) = body.len().checked_sub(*block).and_then(|at| body.get(at..))
        {
            *chained = last.to_vec();
        }
    }

    /// Decrypts and verifies a record in place and says where in `body` its content is.
    pub(crate) fn open(&mut self, sequence: u64, header: [u8; 5], body: &mut [u8]) -> Option<Range<usize>> {
        match &mut self.0 {
            Kind::Aead { aead, tag, iv } => open_aead(aead.as_ref(), *tag, iv, sequence, header, body),
            Kind::Cbc(keys) => keys.open(sequence, header, body),
            Kind::Rc4 { stream, mac } => {
                stream.apply_keystream(body);
                mac.check_tail(sequence, header, body)
            }
            Kind::Null { mac: Some(mac), .. } => mac.check_tail(sequence, header, body),
            Kind::Null { mac: None, length } => body.len().checked_sub(*length).map(|end| 0..end),
        }
    }

    fn from_parts(terms: &Terms, mac: &[u8], key: &[u8], iv: &[u8]) -> Option<Self> {
        let bulk = terms.suite.bulk;
        if let Some((aead, tag)) = cipher::aead(bulk, key) {
            return Some(Self(Kind::Aead { aead, tag, iv: iv.to_vec() }));
        }
        let mac = RecordMac::new(terms, mac)?;
        Some(Self(match bulk {
            Bulk::Cbc(block) => Kind::Cbc(CbcKeys {
                cbc: cipher::cbc(block, key)?,
                block: block.length(),
                mac,
                chained: (!terms.version.has_explicit_iv()).then(|| iv.to_vec()),
                encrypt_then_mac: terms.encrypt_then_mac,
                loose_padding: terms.version == Version::Ssl3,
            }),
            Bulk::Rc4 => Kind::Rc4 { stream: Box::new(Rc4::new_from_slice(key).ok()?), mac },
            _ => Kind::Null { length: mac.length, mac: Some(mac) },
        }))
    }
}

fn mac_length(suite: Suite) -> usize {
    match suite.bulk {
        Bulk::Gcm(_) | Bulk::Ccm(..) | Bulk::ChaCha20Poly1305 => 0,
        Bulk::Null | Bulk::Rc4 | Bulk::Cbc(_) => suite.hash.length(),
    }
}

fn iv_length(bulk: Bulk) -> usize {
    match bulk {
        Bulk::Null | Bulk::Rc4 => 0,
        Bulk::Cbc(block) => block.length(),
        Bulk::Gcm(_) | Bulk::Ccm(..) => 4,
        Bulk::ChaCha20Poly1305 => 12,
    }
}

fn open_aead(
    aead: &dyn Aead,
    tag: usize,
    iv: &[u8],
    sequence: u64,
    header: [u8; 5],
    body: &mut [u8],
) -> Option<Range<usize>> {
    // GCM and CCM carry eight bytes of the nonce in the record; ChaCha20 makes them from the number.
    let explicit = 12_usize.checked_sub(iv.len())?;
    let (front, text) = body.split_at_mut_checked(explicit)?;
    let (text, tag) = text.split_at_mut_checked(text.len().checked_sub(tag)?)?;
    let nonce = if explicit == 0 { mixed_nonce(iv, sequence)? } else { [iv, front].concat().try_into().ok()? };
    let extra = pseudo_header(sequence, header, text.len());
    aead.open(&nonce, &extra, text, tag).then_some(explicit..explicit + text.len())
}

/// The IV with the record's number mixed into its end: RFC 7905 section 2, RFC 8446 section 5.3.
pub(crate) fn mixed_nonce(iv: &[u8], sequence: u64) -> Option<[u8; 12]> {
    let mut nonce: [u8; 12] = iv.try_into().ok()?;
    for (byte, number) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
        *byte ^= number;
    }
    Some(nonce)
}

/// What a MAC covers before the content: number, type, version, length.
fn pseudo_header(sequence: u64, [kind, major, minor, ..]: [u8; 5], length: usize) -> [u8; 13] {
    let mut pseudo = [0; 13];
    let (number, rest) = pseudo.split_at_mut(8);
    number.copy_from_slice(&sequence.to_be_bytes());
    let [high, low] = (length as u16).to_be_bytes();
    rest.copy_from_slice(&[kind, major, minor, high, low]);
    pseudo
}

impl CbcKeys {
    fn open(&mut self, sequence: u64, header: [u8; 5], body: &mut [u8]) -> Option<Range<usize>> {
        let end = if self.encrypt_then_mac { self.mac.check_tail(sequence, header, body)?.end } else { body.len() };
        let text = self.decrypt(body.get_mut(..end)?)?;
        let content = self.strip_padding(body.get(text.clone())?)?;
        if self.encrypt_then_mac {
            return Some(text.start..text.start + content);
        }
        let checked = self.mac.check_tail(sequence, header, body.get(text.start..text.start + content)?)?;
        Some(text.start..text.start + checked.end)
    }

    /// Decrypts and says where the plaintext is.
    fn decrypt(&mut self, body: &mut [u8]) -> Option<Range<usize>> {
        let length = body.len();
        if let Some(chained) = &mut self.chained {
            let last = body.get(length.checked_sub(self.block)?..)?.to_vec();
            let iv = std::mem::replace(chained, last);
            return self.cbc.decrypt(&iv, body).then_some(0..length);
        }
        let (iv, text) = body.split_at_mut_checked(self.block)?;
        self.cbc.decrypt(iv, text).then_some(self.block..length)
    }

    /// Length without padding.
    fn strip_padding(&self, text: &[u8]) -> Option<usize> {
        let padding = *text.last()?;
        let end = text.len().checked_sub(usize::from(padding) + 1)?;
        let sound = self.loose_padding || text.get(end..)?.iter().all(|byte| *byte == padding);
        sound.then_some(end)
    }
}

/// The MAC over a record's content.
struct RecordMac {
    key: MacKey,
    length: usize,
}

enum MacKey {
    Hmac(Box<dyn Keyed>),
    Ssl3 { hash: Hash, secret: Vec<u8> },
}

impl RecordMac {
    fn new(terms: &Terms, secret: &[u8]) -> Option<Self> {
        let hash = terms.suite.hash;
        let key = match terms.version {
            Version::Ssl3 => MacKey::Ssl3 { hash, secret: secret.to_vec() },
            _ => MacKey::Hmac(hash.hmac(secret)?),
        };
        Some(Self { key, length: if terms.truncated_mac { 10 } else { hash.length() } })
    }

    /// Verifies the MAC at the end of `body` and says what comes before it.
    fn check_tail(&self, sequence: u64, header: [u8; 5], body: &[u8]) -> Option<Range<usize>> {
        let (content, mac) = body.split_at_checked(body.len().checked_sub(self.length)?)?;
        let sum = self.sum(&pseudo_header(sequence, header, content.len()), content);
        (sum.get(..self.length)? == mac).then_some(0..content.len())
    }

    fn sum(&self, pseudo: &[u8; 13], content: &[u8]) -> Vec<u8> {
        match &self.key {
            MacKey::Hmac(mac) => mac.sum(&[pseudo, content]),
            MacKey::Ssl3 { hash, secret } => ssl3_mac(*hash, secret, pseudo, content),
        }
    }
}

/// RFC 6101 section 5.2.3.1: like HMAC's ancestor, and without the version.
fn ssl3_mac(hash: Hash, secret: &[u8], pseudo: &[u8; 13], content: &[u8]) -> Vec<u8> {
    let pad = if hash == Hash::Md5 { 48 } else { 40 };
    let (number, rest) = pseudo.split_at(9);
    let length = rest.get(2..).unwrap_or_default();
    let inner = hash.digest(&[secret, &vec![0x36; pad], number, length, content]);
    hash.digest(&[secret, &vec![0x5c; pad], &inner])
}
