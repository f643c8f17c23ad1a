//! Digests, salted ones and digests of digests.

use super::piece::{Layer, Piece};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::digest::Digest;

/// The salt that the tester knows.
pub(crate) const SALT: &[u8] = b"x7#pepper";
/// The HMAC key that the tester knows.
pub(crate) const HMAC_KEY: &[u8] = b"hmac-key-of-bench";

pub(crate) const LAYERS: &[Layer] =
    &[
        ("md5", |p| Some(lower(p, md5))),
        ("sha1", |p| Some(lower(p, sha1))),
        ("sha256", |p| Some(lower(p, sha256))),
        ("md2", |p| Some(lower(p, hash::<md2::Md2>))),
        ("md4", |p| Some(lower(p, hash::<md4::Md4>))),
        ("sha224", |p| Some(lower(p, hash::<sha2::Sha224>))),
        ("sha384", |p| Some(lower(p, hash::<sha2::Sha384>))),
        ("sha512", |p| Some(lower(p, hash::<sha2::Sha512>))),
        ("sha512/256", |p| Some(lower(p, hash::<sha2::Sha512_256>))),
        ("sha3-256", |p| Some(lower(p, hash::<sha3::Sha3_256>))),
        ("sha3-512", |p| Some(lower(p, hash::<sha3::Sha3_512>))),
        ("keccak-256", |p| Some(lower(p, hash::<sha3::Keccak256>))),
        ("blake2b-512", |p| Some(lower(p, hash::<blake2::Blake2b512>))),
        ("blake2s-256", |p| Some(lower(p, hash::<blake2::Blake2s256>))),
        ("blake3", |p| Some(lower(p, |b| blake3::hash(b).as_bytes().to_vec()))),
        ("sm3", |p| Some(lower(p, hash::<sm3::Sm3>))),
        ("ripemd-160", |p| Some(lower(p, hash::<ripemd::Ripemd160>))),
        ("whirlpool", |p| Some(lower(p, hash::<whirlpool::Whirlpool>))),
        ("xxh3-128", |p| Some(lower(p, |b| xxhash_rust::xxh3::xxh3_128(b).to_be_bytes().to_vec()))),
        ("xxh3-64", |p| Some(lower(p, |b| xxhash_rust::xxh3::xxh3_64(b).to_be_bytes().to_vec()).alone())),
        ("xxh64", |p| Some(lower(p, |b| xxhash_rust::xxh64::xxh64(b, 0).to_be_bytes().to_vec()).alone())),
        ("xxh32", |p| Some(lower(p, |b| xxhash_rust::xxh32::xxh32(b, 0).to_be_bytes().to_vec()).alone())),
        ("crc32", |p| Some(lower(p, |b| crc32fast::hash(b).to_be_bytes().to_vec()).alone())),
        ("crc32 decimal", |p| Some(p.whole(crc32fast::hash(&p.bytes).to_string()).alone())),
        ("murmur3-32", |p| Some(lower(p, |b| murmur3(b).to_be_bytes().to_vec()).alone())),
        ("fnv1a-32", |p| Some(lower(p, |b| fnv1a_32(b).to_be_bytes().to_vec()).alone())),
        ("fnv1a-64", |p| Some(lower(p, |b| fnv1a_64(b).to_be_bytes().to_vec()).alone())),
        ("md5 upper", |p| Some(upper(p, md5))),
        ("sha1 upper", |p| Some(upper(p, sha1))),
        ("sha256 upper", |p| Some(upper(p, sha256))),
        ("md5 dashed", |p| Some(p.whole(dashed(&md5(&p.bytes))))),
        ("md5 base64", |p| Some(padded(p, &md5(&p.bytes)))),
        ("sha1 base64", |p| Some(padded(p, &sha1(&p.bytes)))),
        ("sha256 base64", |p| Some(padded(p, &sha256(&p.bytes)))),
        ("sha256 base64url", |p| Some(p.whole(URL_SAFE_NO_PAD.encode(sha256(&p.bytes))))),
        ("md5 base64url", |p| Some(p.whole(URL_SAFE_NO_PAD.encode(md5(&p.bytes))))),
        ("md5 raw", |p| Some(p.whole(md5(&p.bytes)))),
        ("sha1 raw", |p| Some(p.whole(sha1(&p.bytes)))),
        ("sha256 raw", |p| Some(p.whole(sha256(&p.bytes)))),
        ("md5 colons", |p| {
            Some(p.whole(
                hex(&md5(&p.bytes)).as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":"),
            ))
        }),
        ("md5 first 16", |p| Some(p.whole(&hex(&md5(&p.bytes))[..16]).alone())),
        ("md5 middle 16", |p| Some(p.whole(&hex(&md5(&p.bytes))[8..24]).alone())),
        ("md5 last 16", |p| Some(p.whole(&hex(&md5(&p.bytes))[16..]).alone())),
        ("sha1 first 16", |p| Some(p.whole(&hex(&sha1(&p.bytes))[..16]).alone())),
        ("sha256 first 32", |p| Some(p.whole(&hex(&sha256(&p.bytes))[..32]).alone())),
        ("sha256 first 16", |p| Some(p.whole(&hex(&sha256(&p.bytes))[..16]).alone())),
        ("md5 of base64", |p| Some(lower(p, |b| md5(STANDARD.encode(b).as_bytes())))),
        ("sha256 of base64", |p| Some(lower(p, |b| sha256(STANDARD.encode(b).as_bytes())))),
        ("md5 of md5", |p| Some(lower(p, |b| md5(hex(&md5(b)).as_bytes())))),
        ("md5 of upper md5", |p| Some(lower(p, |b| md5(hex(&md5(b)).to_uppercase().as_bytes())))),
        ("md5 of raw md5", |p| Some(lower(p, |b| md5(&md5(b))))),
        ("md5 of md5 of md5", |p| Some(lower(p, |b| md5(hex(&md5(hex(&md5(b)).as_bytes())).as_bytes())))),
        ("sha1 of md5", |p| Some(lower(p, |b| sha1(hex(&md5(b)).as_bytes())))),
        ("md5 of sha1", |p| Some(lower(p, |b| md5(hex(&sha1(b)).as_bytes())))),
        ("sha256 of md5", |p| Some(lower(p, |b| sha256(hex(&md5(b)).as_bytes())))),
        ("sha256 of sha1", |p| Some(lower(p, |b| sha256(hex(&sha1(b)).as_bytes())))),
        ("md5 of sha256", |p| Some(lower(p, |b| md5(hex(&sha256(b)).as_bytes())))),
        ("sha256 of sha256", |p| Some(lower(p, |b| sha256(hex(&sha256(b)).as_bytes())))),
        ("sha256 of raw sha256", |p| Some(lower(p, |b| sha256(&sha256(b))))),
        ("md5 salt before", |p| Some(lower(p, |b| md5(&[SALT, b].concat())))),
        ("md5 salt after", |p| Some(lower(p, |b| md5(&[b, SALT].concat())))),
        ("md5 salt around", |p| Some(lower(p, |b| md5(&[SALT, b, SALT].concat())))),
        ("md5 of md5 and salt", |p| Some(lower(p, |b| md5(&[hex(&md5(b)).as_bytes(), SALT].concat())))),
        ("sha1 salt before", |p| Some(lower(p, |b| sha1(&[SALT, b].concat())))),
        ("sha1 salt after", |p| Some(lower(p, |b| sha1(&[b, SALT].concat())))),
        ("sha256 salt before", |p| Some(lower(p, |b| sha256(&[SALT, b].concat())))),
        ("sha256 salt after", |p| Some(lower(p, |b| sha256(&[b, SALT].concat())))),
        ("sha256 salt colon", |p| Some(lower(p, |b| sha256(&[SALT, b":", b].concat())))),
        ("sm3 salt before", |p| Some(lower(p, |b| hash::<sm3::Sm3>(&[SALT, b].concat())))),
        ("hmac-md5", |p| Some(lower(p, hmac_of::<Hmac<md5::Md5>>))),
        ("hmac-sha1", |p| Some(lower(p, hmac_of::<Hmac<sha1::Sha1>>))),
        ("hmac-sha256", |p| Some(lower(p, hmac_of::<Hmac<sha2::Sha256>>))),
        ("sha512 base64", |p| Some(padded(p, &hash::<sha2::Sha512>(&p.bytes)))),
        ("sha1 base64url", |p| Some(p.whole(URL_SAFE_NO_PAD.encode(sha1(&p.bytes))))),
        ("sm3 upper", |p| Some(upper(p, hash::<sm3::Sm3>))),
        ("sm3 base64", |p| Some(padded(p, &hash::<sm3::Sm3>(&p.bytes)))),
        ("sha3-224", |p| Some(lower(p, hash::<sha3::Sha3_224>))),
        ("sha3-384", |p| Some(lower(p, hash::<sha3::Sha3_384>))),
        ("ripemd-128", |p| Some(lower(p, hash::<ripemd::Ripemd128>))),
        ("blake2b-256", |p| Some(lower(p, hash::<blake2::Blake2b256>))),
        ("hmac-sha512", |p| Some(lower(p, hmac_of::<Hmac<sha2::Sha512>>))),
        ("hmac-sm3", |p| Some(lower(p, hmac_of::<Hmac<sm3::Sm3>>))),
        ("hmac-sha1 base64", |p| Some(padded(p, &hmac_of::<Hmac<sha1::Sha1>>(&p.bytes)))),
        ("hmac-md5 upper", |p| Some(upper(p, hmac_of::<Hmac<md5::Md5>>))),
        ("md5 salt before, upper", |p| Some(upper(p, |b| md5(&[SALT, b].concat())))),
        ("sha512 salt before", |p| Some(lower(p, |b| hash::<sha2::Sha512>(&[SALT, b].concat())))),
        ("sha256 after colon salt", |p| Some(lower(p, |b| sha256(&[b, b":", SALT].concat())))),
        ("sha256 salt dash", |p| Some(lower(p, |b| sha256(&[SALT, b"-", b].concat())))),
        ("sha256 salt bar", |p| Some(lower(p, |b| sha256(&[b, b"|", SALT].concat())))),
        ("md5 salt underscore", |p| Some(lower(p, |b| md5(&[b, b"_", SALT].concat())))),
        ("md5 of salt and md5", |p| Some(lower(p, |b| md5(&[SALT, hex(&md5(b)).as_bytes()].concat())))),
        ("sha256 of md5 and salt", |p| Some(lower(p, |b| sha256(&[hex(&md5(b)).as_bytes(), SALT].concat())))),
        ("sha256 of sha256 and salt", |p| Some(lower(p, |b| sha256(&[hex(&sha256(b)).as_bytes(), SALT].concat())))),
        ("md5 salt before middle 16", |p| Some(p.whole(&hex(&md5(&[SALT, &p.bytes].concat()))[8..24]).alone())),
        ("md5 dashed upper", |p| Some(p.whole(dashed(&md5(&p.bytes)).to_uppercase()))),
        ("md5 spaces", |p| {
            Some(p.whole(
                hex(&md5(&p.bytes)).as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "),
            ))
        }),
        ("sha256 0x", |p| Some(lower(p, sha256).between("0x", ""))),
        ("md5 middle 16 upper", |p| Some(p.whole(hex(&md5(&p.bytes))[8..24].to_uppercase()).alone())),
        ("sha256 first 24", |p| Some(p.whole(&hex(&sha256(&p.bytes))[..24]).alone())),
        ("sha256 of upper sha256", |p| Some(lower(p, |b| sha256(hex(&sha256(b)).to_uppercase().as_bytes())))),
        ("crc32 upper", |p| Some(upper(p, |b| crc32fast::hash(b).to_be_bytes().to_vec()).alone())),
        ("crc32 0x", |p| Some(p.whole(format!("0x{:08x}", crc32fast::hash(&p.bytes))).alone())),
        ("crc32 signed", |p| Some(p.whole(crc32fast::hash(&p.bytes).cast_signed().to_string()).alone())),
        ("xxh64 decimal", |p| Some(p.whole(xxhash_rust::xxh64::xxh64(&p.bytes, 0).to_string()).alone())),
        ("murmur3-32 decimal", |p| Some(p.whole(murmur3(&p.bytes).to_string()).alone())),
        ("fnv1a-64 decimal", |p| Some(p.whole(fnv1a_64(&p.bytes).to_string()).alone())),
        ("crc32 number", |p| {
            Some(p.whole(crc32fast::hash(&p.bytes).to_string()).between("{\"ver\":5,\"sum\":", "}").alone())
        }),
        ("hmac-sha256 base64", |p| Some(padded(p, &hmac_of::<Hmac<sha2::Sha256>>(&p.bytes)))),
    ];

fn hash<D: Digest>(bytes: &[u8]) -> Vec<u8> {
    D::digest(bytes).to_vec()
}

fn md5(bytes: &[u8]) -> Vec<u8> {
    hash::<md5::Md5>(bytes)
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    hash::<sha1::Sha1>(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    hash::<sha2::Sha256>(bytes)
}

fn hmac_of<M: Mac + KeyInit>(bytes: &[u8]) -> Vec<u8> {
    let keyed = <M as KeyInit>::new_from_slice(HMAC_KEY);
    keyed.map_or_else(|_| Vec::new(), |mac| mac.chain_update(bytes).finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// In base64; the padding carries nothing.
fn padded(piece: &Piece, digest: &[u8]) -> Piece {
    let mut encoded = piece.whole(STANDARD.encode(digest));
    encoded.place.end = (digest.len() * 4).div_ceil(3);
    encoded
}

fn lower(piece: &Piece, digest: impl Fn(&[u8]) -> Vec<u8>) -> Piece {
    piece.whole(hex(&digest(&piece.bytes)))
}

fn upper(piece: &Piece, digest: impl Fn(&[u8]) -> Vec<u8>) -> Piece {
    piece.whole(hex(&digest(&piece.bytes)).to_uppercase())
}

/// In the shape of a GUID.
fn dashed(bytes: &[u8]) -> String {
    let hex = hex(bytes);
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &hex[range]).join("-")
}

/// MurmurHash3 x86 32 bits, seed 0 (Appleby, public domain).
fn murmur3(bytes: &[u8]) -> u32 {
    let mixed = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = 0_u32;
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        hash ^= mixed(u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = chunks.remainder().iter().rev().fold(0, |rest, byte| rest << 8 | u32::from(*byte));
    hash ^= mixed(rest);
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

/// draft-eastlake-fnv.
fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn fnv1a_64(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The pre-shared key of WPA2 (IEEE 802.11i annex H.4): PBKDF2-HMAC-SHA-1, 4,096 rounds, 32 bytes.
pub(crate) fn wpa2(password: &[u8], ssid: &[u8]) -> Vec<u8> {
    let Ok(keyed) = Hmac::<sha1::Sha1>::new_from_slice(password) else { return Vec::new() };
    let mut key = Vec::new();
    for block in 1_u32..=2 {
        let mut round = keyed.clone().chain_update(ssid).chain_update(block.to_be_bytes()).finalize().into_bytes();
        let mut sum = round;
        for _ in 1..4096 {
            round = keyed.clone().chain_update(round).finalize().into_bytes();
            sum.iter_mut().zip(round).for_each(|(sum, byte)| *sum ^= byte);
        }
        key.extend(sum);
    }
    key.truncate(32);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert_eq!(murmur3(b"hello"), 0x248b_fa47);
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
        // IEEE 802.11i annex H.4.1.
        assert_eq!(
            hex(&wpa2(b"password", b"IEEE")),
            "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
        );
    }

    #[test]
    fn truncations_are_parts_of_the_digest() {
        let of = |name: &str| {
            let wrap = LAYERS.iter().find(|layer| layer.0 == name).unwrap().1;
            String::from_utf8(wrap(&Piece::of("abc")).unwrap().bytes).unwrap()
        };
        assert_eq!(of("md5"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of("md5 middle 16"), "3cd24fb0d6963f7d");
        assert_eq!(of("md5 dashed"), "90015098-3cd2-4fb0-d696-3f7d28e17f72");
    }
}
