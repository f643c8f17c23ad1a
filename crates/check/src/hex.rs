//! Bytes as lower-case hexadecimal digits, the only way in which this crate writes them into text.

/// Two lower-case digits for each byte.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

/// Exactly `N` bytes. `None` where the text has another length or other characters.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |place: usize| char::from(*pair.get(place)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written_and_nothing_else_is() {
        assert_eq!(to_hex(&[0, 0xAF, 0x10]), "00af10");
        assert_eq!(from_hex::<3>("00aF10"), Some([0, 0xAF, 0x10]));
        assert_eq!(from_hex::<3>("00af1"), None);
        assert_eq!(from_hex::<3>("00af1g"), None);
        assert_eq!(from_hex::<1>("+1"), None);
    }
}
