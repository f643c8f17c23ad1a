//! Whether decoded bytes are worth a search of their own. Codecs without a signature (base32, base58,
//! base85) decode ordinary words too, and what comes out is noise.

/// Lengths of digests: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const DIGESTS: [usize; 6] = [16, 20, 28, 32, 48, 64];
/// Bytes looked at to reject noise before all is decoded.
pub(crate) const LOOKED_AT: usize = 16;
/// Shortest result that counts as text: three printable bytes are an accident too often.
const SHORTEST_TEXT: usize = 4;

/// True where the bytes are text for the most part, begin like a format that carries more, or have
/// the length of a digest.
pub(crate) fn makes_sense(bytes: &[u8]) -> bool {
    DIGESTS.contains(&bytes.len()) || begins_sensibly(bytes)
}

/// The same without the lengths of digests, for the first bytes of a longer result.
pub(crate) fn begins_sensibly(bytes: &[u8]) -> bool {
    match bytes {
        [0x1f, 0x8b, 8, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        // A message of protocol buffers whose first field is a string.
        [0x0a, length, rest @ ..] if *length > 0 && usize::from(*length) <= rest.len() => true,
        _ => is_mostly_text(bytes),
    }
}

/// True where at least four of five bytes are printable ASCII or all are UTF-8 without control
/// characters. The last character may be cut.
pub(crate) fn is_mostly_text(bytes: &[u8]) -> bool {
    // Counted in bytes, as vector instructions can.
    let in_one = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(is_printable(*byte))).sum::<u8>();
    let printable = bytes.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_one(chunk))).sum::<usize>();
    bytes.len() >= SHORTEST_TEXT && (printable * 5 >= bytes.len() * 4 || is_text(bytes))
}

fn is_text(bytes: &[u8]) -> bool {
    let is_valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    is_valid && bytes.iter().all(|byte| *byte >= 0x80 || is_printable(*byte))
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_beginnings_of_formats_make_sense_and_noise_does_not() {
        for bytes in
            [&b"13800000427"[..], "张小明".as_bytes(), &"张小明".as_bytes()[..8], b"\x1f\x8b\x08\0\0", b"\x0a\x02ab"]
        {
            assert!(makes_sense(bytes), "{bytes:?}");
        }
        for bytes in [&b"\x91\x02\xf3\x10\x81"[..], b"", b"abc", b"\x0a\xffab\x01\x02\x03"] {
            assert!(!makes_sense(bytes), "{bytes:?}");
        }
        assert!(makes_sense(&[0x91; 32]) && !begins_sensibly(&[0x91; 16]));
    }
}
