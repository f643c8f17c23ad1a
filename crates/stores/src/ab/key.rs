//! From a password to the master key.

use super::decrypt;
use super::header::Encryption;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The key of the archive. It has no `Debug`.
pub(super) struct Master {
    pub(super) key: [u8; 32],
    pub(super) vector: [u8; 16],
}

/// How Java's characters become the bytes of a password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bytes {
    Utf8,
    /// The low half of each character.
    Low,
}

/// Opens the master key; none where the password is wrong. Devices of the time between two versions write one version
/// and do as the other: the way that belongs to the version is tried first, then the other.
pub(super) fn master(encryption: &Encryption, password: &str, version: u32) -> Option<Master> {
    let ways = if version >= 2 { [Bytes::Utf8, Bytes::Low] } else { [Bytes::Low, Bytes::Utf8] };
    let characters: Vec<u16> = password.encode_utf16().collect();
    let spelt = ways.map(|way| spell(&characters, way));
    let different = if spelt[0] == spelt[1] { 1 } else { 2 };
    spelt.iter().take(different).find_map(|password| {
        let user_key = derive(password, &encryption.user_salt, encryption.rounds)?;
        let vector = *encryption.vector.first_chunk()?;
        let blob = decrypt::whole(&encryption.blob, &Master { key: user_key, vector })?;
        let (master, checksum) = parts(&blob)?;
        // Each byte with its sign: 0x80 becomes U+FF80.
        let characters: Vec<u16> = master.key.iter().map(|byte| i16::from(*byte as i8) as u16).collect();
        let right = ways.iter().any(|way| {
            let sum = derive(&spell(&characters, *way), &encryption.checksum_salt, encryption.rounds);
            sum.is_some_and(|sum| sum == checksum)
        });
        right.then_some(master)
    })
}

/// The vector, the key and its checksum, each with its length before it.
fn parts(blob: &[u8]) -> Option<(Master, &[u8])> {
    let part = |bytes: &mut &'_ [u8]| -> Option<usize> {
        let (length, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(usize::from(*length))
    };
    let mut rest = blob;
    let length = part(&mut rest)?;
    let (vector, mut rest) = rest.split_at_checked(length)?;
    let length = part(&mut rest)?;
    let (key, mut rest) = rest.split_at_checked(length)?;
    let length = part(&mut rest)?;
    let checksum = rest.get(..length)?;
    Some((Master { key: key.try_into().ok()?, vector: vector.try_into().ok()? }, checksum))
}

fn spell(characters: &[u16], way: Bytes) -> Vec<u8> {
    match way {
        Bytes::Low => characters.iter().map(|unit| *unit as u8).collect(),
        Bytes::Utf8 => String::from_utf16_lossy(characters).into_bytes(),
    }
}

/// PBKDF2 with HMAC-SHA-1 (RFC 8018, section 5.2), 256 bits.
fn derive(password: &[u8], salt: &[u8], rounds: u32) -> Option<[u8; 32]> {
    let keyed = Hmac::<Sha1>::new_from_slice(password).ok()?;
    let mut key = [0; 40];
    for (number, block) in (1_u32..).zip(key.chunks_exact_mut(20)) {
        let mut last = keyed.clone().chain_update(salt).chain_update(number.to_be_bytes()).finalize().into_bytes();
        block.copy_from_slice(&last);
        for _ in 1..rounds {
            last = keyed.clone().chain_update(last).finalize().into_bytes();
            block.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
    }
    key.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_bytes_in_two_ways() {
        assert_eq!(spell(&[0x41, 0xff80], Bytes::Utf8), [0x41, 0xef, 0xbe, 0x80]);
        assert_eq!(spell(&[0x41, 0xff80], Bytes::Low), [0x41, 0x80]);
    }

    /// RFC 6070, section 2: the first twenty bytes are its test vectors.
    #[test]
    fn derived_keys_of_the_standard() {
        let first = [0x0c, 0x60, 0xc8, 0x0f, 0x96, 0x1f, 0x0e, 0x71, 0xf3, 0xa9, 0xb5, 0x24, 0xaf, 0x60, 0x12, 0x06];
        assert_eq!(derive(b"password", b"salt", 1).unwrap()[..16], first);
        let many = [0x4b, 0x00, 0x79, 0x01, 0xb7, 0x65, 0x48, 0x9a, 0xbe, 0xad, 0x49, 0xd9, 0x26, 0xf7, 0x21, 0xd0];
        assert_eq!(derive(b"password", b"salt", 4096).unwrap()[..16], many);
    }
}
