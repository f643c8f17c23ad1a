//! The canonical form of a value: the same for all its spellings, so that digests of it are equal where the value is.

/// A short text without an allocation. It has no `Debug`: it would print a value.
#[derive(Clone, Copy)]
pub(crate) struct Canonical {
    bytes: [u8; Self::MOST],
    length: u8,
}

impl Canonical {
    /// Longest canonical form in bytes: that of an e-mail address (RFC 5321 section 4.5.3.1.3).
    pub(crate) const MOST: usize = 254;

    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { bytes: [0; Self::MOST], length: 0 }
    }

    /// The form so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds a byte; false where there is no room.
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        let Some(place) = self.bytes.get_mut(usize::from(self.length)) else { return false };
        *place = byte;
        self.length += 1;
        true
    }

    /// Becomes these bytes; false where there is no room.
    pub(crate) fn set(&mut self, bytes: &[u8]) -> bool {
        self.length = 0;
        let Some(place) = self.bytes.get_mut(..bytes.len()) else { return false };
        place.copy_from_slice(bytes);
        self.length = bytes.len() as u8;
        true
    }

    /// Becomes the one behind the other; false where there is no room.
    pub(crate) fn set_joined(&mut self, one: &[u8], other: &[u8]) -> bool {
        self.length = 0;
        let length = one.len() + other.len();
        let places = self.bytes.get_mut(..length).and_then(|bytes| bytes.split_at_mut_checked(one.len()));
        let Some((first, second)) = places else { return false };
        first.copy_from_slice(one);
        second.copy_from_slice(other);
        self.length = length as u8;
        true
    }

    /// Becomes these bytes with ASCII letters made capitals; false where there is no room.
    pub(crate) fn set_upper(&mut self, bytes: &[u8]) -> bool {
        let fits = self.set(bytes);
        if let Some(bytes) = self.bytes.get_mut(..usize::from(self.length)) {
            bytes.make_ascii_uppercase();
        }
        fits
    }

    /// Becomes these bytes with ASCII letters made small; false where there is no room.
    pub(crate) fn set_lower(&mut self, bytes: &[u8]) -> bool {
        let fits = self.set(bytes);
        if let Some(bytes) = self.bytes.get_mut(..usize::from(self.length)) {
            bytes.make_ascii_lowercase();
        }
        fits
    }

    /// Becomes the text with full-width forms (U+FF01 to U+FF5E, U+3000) made ASCII, as NFKC does, without blanks at
    /// either end. False where there is no room, or a character is neither ASCII nor full-width.
    pub(crate) fn set_narrow(&mut self, text: &[u8]) -> bool {
        self.length = 0;
        let mut rest = text;
        loop {
            let (byte, more) = match rest {
                [] => break,
                [0xef, 0xbc, low @ 0x81..=0xbf, more @ ..] => (low - 0x60, more),
                [0xef, 0xbd, low @ 0x80..=0x9e, more @ ..] => (low - 0x20, more),
                [0xe3, 0x80, 0x80, more @ ..] => (b' ', more),
                [byte @ ..0x80, more @ ..] => (*byte, more),
                _ => return false,
            };
            rest = more;
            let leading = byte == b' ' && self.length == 0;
            if !(leading || self.push(byte)) {
                return false;
            }
        }
        while self.bytes().last() == Some(&b' ') {
            self.length -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_letters_digits_and_signs_become_ascii() {
        let mut canonical = Canonical::new();
        assert!(canonical.set_narrow("　１３８００１３８０００ ".as_bytes()));
        assert_eq!(canonical.bytes(), b"13800138000");
        assert!(canonical.set_narrow("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ".as_bytes()));
        assert_eq!(canonical.bytes(), b"li@example.com");
        assert!(!canonical.set_narrow("李".as_bytes()), "a Chinese character has no ASCII form");
    }

    #[test]
    fn what_is_too_long_does_not_fit() {
        assert!(!Canonical::new().set(&[b'a'; 255]) && Canonical::new().set(&[b'a'; 254]));
        assert!(!Canonical::new().set_narrow(&[b'a'; 255]));
    }
}
