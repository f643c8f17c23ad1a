//! What a file's bytes are, in one pass.

use dyetrace_case::ExhibitId;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Digest, checksum and length of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// SHA-256.
    pub sha256: ExhibitId,
    /// CRC-32 as zip has it (ISO 3309).
    pub crc32: u32,
    /// Length in bytes.
    pub bytes: u64,
}

/// SHA-256 of bytes that are at hand.
pub fn sha256(bytes: &[u8]) -> ExhibitId {
    ExhibitId(Sha256::digest(bytes).into())
}

/// Reads to the end. `piece` gets the bytes as they go by.
///
/// # Errors
/// Reading failed, or `piece` did.
pub fn measure(reader: &mut dyn Read, piece: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<Measured> {
    let mut sha = Sha256::new();
    let mut crc = flate2::Crc::new();
    let mut bytes = 0u64;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let read = buffer.get(..length).unwrap_or_default();
        sha.update(read);
        crc.update(read);
        bytes = bytes.saturating_add(length as u64);
        piece(read)?;
    }
    Ok(Measured { sha256: ExhibitId(sha.finalize().into()), crc32: crc.sum(), bytes })
}

/// Reads 64 hexadecimal digits.
pub fn parse(text: &str) -> Option<ExhibitId> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut id = [0; 32];
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(ExhibitId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let measured = measure(&mut &b"abc"[..], &mut |_| Ok(())).unwrap();
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((measured.sha256.to_string().as_str(), measured.bytes), (sha, 3), "FIPS 180-2, B.1");
        assert_eq!(measured.crc32, 0x3524_41c2);
        assert_eq!(parse(sha), Some(measured.sha256));
        assert_eq!(parse(&sha[1..]), None);
        assert_eq!(parse(&sha.replacen('b', "+", 1)), None);
    }
}
