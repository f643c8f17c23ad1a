//! CRC-32C (Castagnoli; RFC 3720, appendix B.4) and the mask that LevelDB puts on it (`doc/log_format.md`).

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0x82f6_3b78 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// The masked checksum of parts, one behind the other.
pub(super) fn masked(parts: &[&[u8]]) -> u32 {
    crc32c(parts).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn crc32c(parts: &[&[u8]]) -> u32 {
    let step = |value: u32, byte: &u8| value >> 8 ^ TABLE[usize::from(value as u8 ^ byte)];
    !parts.iter().copied().flatten().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa, "RFC 3720, B.4: 32 bytes of zeros");
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xe306_9283);
    }
}
