//! Numbers of seven bits a byte, the least first, as LevelDB, MMKV and Protocol Buffers write them.

/// A varint and its length.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Bytes with their length before them, and where they start and end.
pub(crate) fn prefixed(bytes: &[u8], at: usize) -> Option<(&[u8], std::ops::Range<usize>)> {
    let (length, before) = varint(bytes.get(at..)?)?;
    let start = at + before;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    Some((bytes.get(start..end)?, start..end))
}

/// A little-endian number of four bytes.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A little-endian number of two bytes.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A little-endian number of eight bytes.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints() {
        assert_eq!(varint(&[0xac, 0x02, 0xff]), Some((300, 2)));
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Some((u64::MAX, 10)));
        assert_eq!(varint(&[0x80; 11]), None);
        assert_eq!(prefixed(b"\x00\x03abcd", 1), Some((&b"abc"[..], 2..5)));
        assert_eq!(prefixed(b"\x09abcd", 0), None);
    }
}
