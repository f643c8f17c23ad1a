//! Bytes that hold a value, with the place of the bytes that carry it kept up from wrapping to
//! wrapping. Nothing here is shared with the search: somebody else's encoder and the search's
//! decoder have to agree.

use std::ops::Range;

/// Wrapped bytes.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The bytes among them that carry the value.
    pub(crate) place: Range<usize>,
    /// True where these and no others carry it; false where a finder may rightly name fewer.
    pub(crate) exact: bool,
    /// True where the bytes must be a whole field or body to be understood.
    pub(crate) alone: bool,
}

/// One wrapping: `None` where it does not apply to such bytes.
pub(crate) type Wrap = fn(&Piece) -> Option<Piece>;

/// A wrapping and its name.
pub(crate) type Layer = (&'static str, Wrap);

impl Piece {
    /// A value as it is.
    pub(crate) fn of(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { place: 0..bytes.len(), bytes, exact: true, alone: false }
    }

    /// The text, where it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The number, where the bytes are its decimal digits and nothing else.
    pub(crate) fn number(&self) -> Option<u64> {
        let digits = self.bytes.iter().all(u8::is_ascii_digit) && self.bytes.first() != Some(&b'0');
        self.text().filter(|_| digits)?.parse().ok()
    }

    /// Needs to be a whole field or body from here on.
    pub(crate) fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// A finder may name fewer bytes.
    pub(crate) fn inexact(mut self) -> Self {
        self.exact = false;
        self
    }

    /// Encodes what stands before the value, the value, and what stands after it one by one.
    pub(crate) fn piecewise(&self, encode: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let (before, rest) = self.bytes.split_at(self.place.start);
        let (value, after) = rest.split_at(self.place.len());
        let (before, value, after) = (encode(before), encode(value), encode(after));
        let place = before.len()..before.len() + value.len();
        Self { bytes: [before, value, after].concat(), place, exact: self.exact, alone: false }
    }

    /// The same for text, which has to be UTF-8.
    pub(crate) fn by_char(&self, encode: impl Fn(char) -> String) -> Option<Self> {
        self.text()?;
        Some(self.piecewise(|bytes| {
            String::from_utf8_lossy(bytes).chars().map(&encode).collect::<Vec<_>>().concat().into_bytes()
        }))
    }

    /// An encoding of `characters` for each `bytes`.
    pub(crate) fn ratio(&self, encoded: impl Into<Vec<u8>>, characters: usize, bytes: usize) -> Self {
        let place = self.place.start * characters / bytes..(self.place.end * characters).div_ceil(bytes);
        Self { bytes: encoded.into(), place, exact: self.exact, alone: false }
    }

    /// Bytes around the piece.
    pub(crate) fn between(&self, before: impl AsRef<[u8]>, after: impl AsRef<[u8]>) -> Self {
        let (before, after) = (before.as_ref(), after.as_ref());
        let place = self.place.start + before.len()..self.place.end + before.len();
        Self { bytes: [before, &self.bytes, after].concat(), place, exact: self.exact, alone: false }
    }

    /// An encoding in which no byte of the value has a place of its own.
    pub(crate) fn whole(&self, encoded: impl Into<Vec<u8>>) -> Self {
        let bytes = encoded.into();
        Self { place: 0..bytes.len(), bytes, exact: self.exact, alone: false }
    }

    /// An encoding that holds the piece as it is somewhere.
    pub(crate) fn inside(&self, encoded: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = encoded.into();
        let start = memchr::memmem::find(&bytes, &self.bytes)?;
        let place = start + self.place.start..start + self.place.end;
        Some(Self { bytes, place, exact: self.exact, alone: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_value() {
        let piece = Piece::of("value").between("12", "3");
        assert_eq!(piece.place, 2..7);
        let hex = piece.piecewise(|bytes| bytes.repeat(2));
        assert_eq!(hex.place, 4..14);
        assert_eq!(Piece::of("value").between("1", "").ratio("MXZhbHVl", 4, 3).place, 1..8);
        assert!(piece.inside("nothing of the kind").is_none());
    }
}
