//! JSON whose characters steer nothing when somebody prints it.

use crate::text::steers;
use std::io::{self, Write};

/// Runs `write` with an output that puts characters which steer a terminal or reorder text (see
/// [`crate::clean`]) as `\uXXXX` (RFC 8259 section 7): the document says the same, and any program reads it.
pub(crate) fn harmless(out: &mut dyn Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut harmless = Harmless::new(out);
    write(&mut harmless)?;
    harmless.finish()
}

/// What is written to it is JSON in UTF-8. Beyond ASCII, JSON has only the insides of strings.
pub(crate) struct Harmless<'w> {
    out: &'w mut dyn Write,
    /// The bytes of a character whose end has not come, three at most.
    part: Vec<u8>,
}

impl<'w> Harmless<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, part: Vec::new() }
    }

    /// Writes what is left, and flushes.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&std::mem::take(&mut self.part))?;
        self.out.flush()
    }

    /// One character, as it is or as its number; all that [`steers`] knows have one of 16 bits.
    fn character(&mut self, bytes: &[u8]) -> io::Result<()> {
        let only = std::str::from_utf8(bytes).ok().and_then(|text| text.chars().next());
        match only.filter(|c| steers(*c)) {
            Some(c) => write!(self.out, "\\u{:04x}", u32::from(c)),
            None => self.out.write_all(bytes),
        }
    }
}

impl Write for Harmless<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(first) = self.part.first().or(rest.first()).copied().filter(|_| !rest.is_empty()) {
            if self.part.is_empty() {
                let plain = rest.iter().position(|byte| may_steer(*byte)).unwrap_or(rest.len());
                let (before, after) = rest.split_at(plain);
                self.out.write_all(before)?;
                rest = after;
                if plain > 0 {
                    continue;
                }
            }
            let missing = length(first).saturating_sub(self.part.len());
            let (more, after) = rest.split_at(missing.min(rest.len()));
            rest = after;
            self.part.extend_from_slice(more);
            if more.len() == missing {
                let character = std::mem::take(&mut self.part);
                self.character(&character)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Does a character that steers begin with this byte? (Delete; U+0080 to U+00BF; U+0600 to U+063F; and those of three
/// bytes from U+1000, U+2000 and U+F000 on.)
fn may_steer(byte: u8) -> bool {
    matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe1 | 0xe2 | 0xef)
}

/// Bytes of a character that begins so (RFC 3629 section 3).
fn length(first: u8) -> usize {
    match first {
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn written(document: &str, piece: usize) -> String {
        let mut out = Vec::new();
        let write = |out: &mut dyn Write| document.as_bytes().chunks(piece).try_for_each(|piece| out.write_all(piece));
        harmless(&mut out, write).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// U+009B begins an escape sequence as ESC [ does, and U+202E turns what follows around.
    #[test]
    fn what_steers_a_terminal_is_written_as_a_number() {
        assert_eq!(written("\"a\u{9b}2J\u{202e}b\u{7f}é数\"", 1), "\"a\\u009b2J\\u202eb\\u007fé数\"");
    }

    #[test]
    fn every_character_that_steers_begins_with_a_known_byte() {
        for c in (0x7f..=0x10_ffff).filter_map(char::from_u32).filter(|c| steers(*c)) {
            let mut bytes = [0; 4];
            let text = c.encode_utf8(&mut bytes).as_bytes();
            assert!(may_steer(text[0]) && length(text[0]) == text.len() && u32::from(c) <= 0xffff, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn a_document_says_the_same_and_steers_nothing(
            texts in proptest::collection::vec("[\\PC\\pC]{0,8}", 0..5), piece in 1..9_usize,
        ) {
            let document = serde_json::to_string(&texts).unwrap();
            let written = written(&document, piece);
            prop_assert!(!written.chars().any(steers), "{written:?}");
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read, serde_json::json!(texts));
        }
    }
}
