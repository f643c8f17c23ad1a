//! The type of every planted or leaked value: it can be compared and searched for, not printed.

use std::fmt;

/// A planted value. `Debug` shows only its length, there is no `Display`, and showing the value
/// itself takes [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps the bytes of a value.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves. Every caller either searches for them or was asked to show them.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a value of no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A spelling fit for reports: at most a quarter of the characters at each end and never more
    /// than three and four, the rest as four stars (`138****0427`). Values under eight characters show no character
    /// at all, because two of six would already be most of a PIN.
    pub fn mask(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let chars: Vec<char> = text.chars().collect();
        let (head, tail) = match chars.len() {
            0..8 => (0, 0),
            8..11 => (1, 1),
            length => (3.min(length / 4), 4.min(length / 4)),
        };
        let (head, tail) = if chars.len() == 11 { (3, 4) } else { (head, tail) };
        let start: String = chars[..head].iter().map(|c| printable(*c)).collect();
        let end: String = chars[chars.len() - tail..].iter().map(|c| printable(*c)).collect();
        format!("{start}****{end}")
    }
}

fn printable(c: char) -> char {
    if c.is_control() { '.' } else { c }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter22")), "Secret(8 bytes)");
    }

    #[test]
    fn masks_keep_ends_only_of_long_values() {
        assert_eq!(Secret::new("13800000427").mask(), "138****0427");
        assert_eq!(Secret::new("4821").mask(), "****");
        assert_eq!(Secret::new("Qm7xTr2p").mask(), "Q****p");
        assert_eq!(Secret::new("").mask(), "****");
    }
}
