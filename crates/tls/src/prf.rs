//! Key derivation of SSL 3.0 to TLS 1.2 (RFC 6101 section 6.2, RFC 2246 section 5, RFC 5246
//! section 5, RFC 7627).

use crate::event::Side;
use crate::hash::Hash;
use crate::version::Version;

/// Both sides' random values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

/// Derives secrets the way a version does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prf {
    pub(crate) version: Version,
    /// The suite's hash; versions before TLS 1.2 do not use it.
    pub(crate) hash: Hash,
}

impl Prf {
    /// Keys, MAC keys and IVs of both sides: RFC 5246 section 6.3.
    pub(crate) fn key_block(self, master: &[u8], randoms: &Randoms, length: usize) -> Vec<u8> {
        self.expand(master, b"key expansion", &[&randoms.server, &randoms.client], length)
    }

    /// Master secret from premaster secret: RFC 5246 section 8.1.
    pub(crate) fn master(self, premaster: &[u8], randoms: &Randoms) -> Vec<u8> {
        self.expand(premaster, b"master secret", &[&randoms.client, &randoms.server], 48)
    }

    /// Extended master secret over the handshake so far: RFC 7627 section 4.
    pub(crate) fn extended_master(self, premaster: &[u8], handshake: &[&[u8]]) -> Vec<u8> {
        let session = if self.has_one_hash() {
            self.hash.digest(handshake)
        } else {
            [Hash::Md5.digest(handshake), Hash::Sha1.digest(handshake)].concat()
        };
        self.expand(premaster, b"extended master secret", &[&session], 48)
    }

    /// Key and IV of an export cipher: RFC 2246 section 6.3.1, RFC 6101 section 6.2.2.1.
    pub(crate) fn export(
        self,
        secret: &[u8],
        side: Side,
        randoms: &Randoms,
        key: usize,
        iv: usize,
    ) -> (Vec<u8>, Vec<u8>) {
        let Randoms { client, server } = randoms;
        if self.version == Version::Ssl3 {
            let (own, other) = if side == Side::Client { (client, server) } else { (server, client) };
            let digest = |parts: &[&[u8]], length| Hash::Md5.digest(parts).into_iter().take(length).collect();
            return (digest(&[secret, own, other], key), digest(&[own, other], iv));
        }
        let label: &[u8] = if side == Side::Client { b"client write key" } else { b"server write key" };
        let ivs = self.expand(b"", b"IV block", &[client, server], 2 * iv);
        let iv = if side == Side::Client { ivs.get(..iv) } else { ivs.get(iv..) };
        (self.expand(secret, label, &[client, server], key), iv.unwrap_or_default().to_vec())
    }

    fn has_one_hash(self) -> bool {
        matches!(self.version, Version::Tls12 | Version::Tlcp)
    }

    fn expand(self, secret: &[u8], label: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
        let mut parts = vec![label];
        parts.extend(seed);
        if self.version == Version::Ssl3 {
            return ssl3(secret, seed, length);
        }
        if self.has_one_hash() {
            return p_hash(self.hash, secret, &parts, length);
        }
        let half = secret.len().div_ceil(2);
        let (first, second) = (secret.get(..half), secret.get(secret.len() - half..));
        let md5 = p_hash(Hash::Md5, first.unwrap_or_default(), &parts, length);
        let sha1 = p_hash(Hash::Sha1, second.unwrap_or_default(), &parts, length);
        md5.iter().zip(sha1).map(|(a, b)| a ^ b).collect()
    }
}

/// `MD5(secret + SHA1("A" + secret + seed)) + MD5(secret + SHA1("BB" + …)) …`
fn ssl3(secret: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 16);
    for (count, letter) in (b'A'..=b'Z').enumerate().map(|(index, letter)| (index + 1, letter)) {
        if out.len() >= length {
            break;
        }
        let prefix = vec![letter; count];
        let mut parts = vec![prefix.as_slice(), secret];
        parts.extend(seed);
        out.extend(Hash::Md5.digest(&[secret, &Hash::Sha1.digest(&parts)]));
    }
    out.truncate(length);
    out
}

fn p_hash(hash: Hash, secret: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
    let Some(mac) = hash.hmac(secret) else { return Vec::new() };
    let mut out = Vec::with_capacity(length + hash.length());
    let mut a = mac.sum(seed);
    while out.len() < length {
        let mut parts = vec![a.as_slice()];
        parts.extend(seed);
        out.extend(mac.sum(&parts));
        a = mac.sum(&[&a]);
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector for P_SHA256 that the working group's list gave for RFC 5246.
    #[test]
    fn the_known_vector_of_tls_1_2() {
        let secret = [0x9b, 0xbe, 0x43, 0x6b, 0xa9, 0x40, 0xf0, 0x17, 0xb1, 0x76, 0x52, 0x84, 0x9a, 0x71, 0xdb, 0x35];
        let seed = [0xa0, 0xba, 0x9f, 0x93, 0x6c, 0xda, 0x31, 0x18, 0x27, 0xa6, 0xf7, 0x96, 0xff, 0xd5, 0x19, 0x8c];
        let prf = Prf { version: Version::Tls12, hash: Hash::Sha256 };
        let out = prf.expand(&secret, b"test label", &[&seed], 100);
        assert_eq!(out[..8], [0xe3, 0xf2, 0x29, 0xba, 0x72, 0x7b, 0xe1, 0x7b]);
        assert_eq!(out[96..], [0x87, 0x34, 0x7b, 0x66]);
    }
}
