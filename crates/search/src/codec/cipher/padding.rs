//! Padding of block ciphers.

/// How many bytes of padding end the last block (RFC 5652 section 6.3, PKCS#7).
pub(super) fn pkcs7(last: &[u8]) -> Option<usize> {
    let count = usize::from(*last.last()?);
    let padding = last.get(last.len().checked_sub(count)?..)?;
    (count > 0 && padding.iter().all(|byte| usize::from(*byte) == count)).then_some(count)
}

/// The text without the zero bytes that fill its last block.
pub(super) fn without_zeros(text: &[u8], block: usize) -> &[u8] {
    let zeros = text.iter().rev().take(block.saturating_sub(1)).take_while(|byte| **byte == 0).count();
    text.get(..text.len() - zeros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_counted() {
        assert_eq!(pkcs7(b"abcde\x03\x03\x03"), Some(3));
        assert_eq!(pkcs7(&[8; 8]), Some(8));
        assert_eq!(pkcs7(b"abcdef\x03\x03"), None);
        assert_eq!(pkcs7(b"abcdefg\x00"), None);
        assert_eq!(pkcs7(&[9; 8]), None);
        assert_eq!(without_zeros(b"ab\0c\0\0\0\0", 4), b"ab\0c\0");
        assert_eq!(without_zeros(b"", 4), b"");
    }
}
