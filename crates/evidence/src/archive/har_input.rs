//! The text of a HAR file, whatever it was written in: UTF-8 or UTF-16, with a byte order mark or without.

use std::io::{self, Read};

/// The file as UTF-8 text. Bytes that are no UTF-8 pass through.
pub(super) fn open<'r>(input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let (head, mut text) = peek(input)?;
    match head {
        [0xef, 0xbb, 0xbf, _] => {
            text.read_exact(&mut [0; 3])?;
            Ok(Box::new(text))
        }
        [0xff, 0xfe, ..] | [b'{', 0, ..] => Ok(Box::new(Utf16::new(text, u16::from_le_bytes))),
        [0xfe, 0xff, ..] | [0, b'{', ..] => Ok(Box::new(Utf16::new(text, u16::from_be_bytes))),
        _ => Ok(Box::new(text)),
    }
}

/// An input whose first bytes were looked at.
type Peeked<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// The first four bytes (zeros where there are fewer) without consuming them.
fn peek<R: Read>(mut input: R) -> io::Result<([u8; 4], Peeked<R>)> {
    let mut start = Vec::new();
    let taken = input.by_ref().take(4).read_to_end(&mut start);
    let mut head = [0; 4];
    head[..start.len()].copy_from_slice(&start);
    // Compression that breaks off within the first bytes still shows them.
    if start.is_empty() {
        taken?;
    }
    Ok((head, io::Cursor::new(start).chain(input)))
}

/// UTF-16 (RFC 2781) to UTF-8, a buffer at a time.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    /// Up to three bytes that wait for the rest of their character.
    waiting: Vec<u8>,
    text: io::Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    fn new(input: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { input, unit, waiting: Vec::new(), text: io::Cursor::default() }
    }

    /// Fills `text`; leaves it empty at the end of the input.
    fn fill(&mut self) -> io::Result<()> {
        loop {
            let mut piece = [0; 8192];
            let length = self.input.read(&mut piece)?;
            self.waiting.extend_from_slice(piece.get(..length).unwrap_or_default());
            let text = self.convert(length == 0);
            if !text.is_empty() || length == 0 {
                self.text = io::Cursor::new(text.into_bytes());
                return Ok(());
            }
        }
    }

    fn convert(&mut self, at_end: bool) -> String {
        let mut units: Vec<u16> =
            self.waiting.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(self.unit).collect();
        let splits = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        if splits && !at_end {
            units.pop();
        }
        self.waiting.drain(..units.len() * 2);
        let decoded = char::decode_utf16(units);
        let text = decoded.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.filter(|character| *character != '\u{feff}').collect()
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.text.read(buffer)? {
            0 if !buffer.is_empty() => {
                self.fill()?;
                self.text.read(buffer)
            }
            length => Ok(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: &[u8]) -> String {
        let mut text = String::new();
        open(input).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let plain = format!("{{\"log\": \"{}\"}}", "é😀".repeat(5000));
        let marked = format!("\u{feff}{plain}");
        for written in [
            plain.clone().into_bytes(),
            marked.clone().into_bytes(),
            utf16(&plain, u16::to_le_bytes),
            utf16(&plain, u16::to_be_bytes),
            utf16(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(text(&written), plain);
        }
    }

    #[test]
    fn short_and_empty_files_are_read() {
        assert_eq!(text(b""), "");
        assert_eq!(text(b"{}"), "{}");
    }
}
