//! The text of a cell or shared string: the runs of rich text together, phonetic hints left out (ECMA-376 part 1, 18.4),
//! and what XML cannot hold, written as `_xHHHH_`, undone (22.9.2.19, `ST_Xstring`).

use super::xml::Name;
use memchr::memmem;

/// Excel's most characters of a cell, each of at most three bytes for one unit of UTF-16.
const LONGEST: usize = 32_767 * 3;

#[derive(Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Where the run that is collected begins.
    run: usize,
    collects: bool,
    is_hint: bool,
    was_cut: bool,
}

impl Text {
    pub(super) fn open(&mut self, name: Name) {
        match name {
            Name::SharedString | Name::Cell => self.clear(),
            Name::Phonetic => self.is_hint = true,
            Name::Text | Name::Value => (self.run, self.collects) = (self.bytes.len(), !self.is_hint),
            _ => {}
        }
    }

    pub(super) fn close(&mut self, name: Name) {
        match name {
            Name::Phonetic => self.is_hint = false,
            Name::Text | Name::Value => {
                self.collects = false;
                undo_escapes(&mut self.bytes, self.run);
            }
            _ => {}
        }
    }

    pub(super) fn push(&mut self, part: &str) {
        if !self.collects {
            return;
        }
        let room = LONGEST.saturating_sub(self.bytes.len());
        let end = part.floor_char_boundary(room);
        self.was_cut |= end < part.len();
        // Control characters part the fields that are made of this.
        self.bytes.extend(part[..end].bytes().map(|byte| if is_control(byte) { b' ' } else { byte }));
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.run = 0;
        (self.collects, self.is_hint) = (false, false);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn was_cut(&self) -> bool {
        self.was_cut
    }
}

fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// Undoes the escapes from a place on, each once: `_x005F_x000D_` stands for the seven characters `_x000D_`.
fn undo_escapes(bytes: &mut Vec<u8>, from: usize) {
    let Some(first) = memmem::find(bytes.get(from..).unwrap_or_default(), b"_x") else { return };
    let text = bytes.split_off(from + first);
    let mut rest = text.as_slice();
    while let Some(place) = memmem::find(rest, b"_x") {
        let (before, escape) = rest.split_at(place);
        bytes.extend_from_slice(before);
        // What is no escape stays as it is.
        let (character, length) = escaped(escape).unwrap_or(('_', 1));
        let character = if u8::try_from(character).is_ok_and(is_control) { ' ' } else { character };
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
}

/// Bytes of one escape.
const ESCAPE: usize = 7;

/// The character of an escape, and how long that is: of two, where they are the halves of one character in UTF-16.
fn escaped(bytes: &[u8]) -> Option<(char, usize)> {
    let first = unit(bytes)?;
    let second = bytes.get(ESCAPE..).and_then(unit);
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    if let Some(pair) = pair.filter(|pair| pair.len_utf16() == 2) {
        return Some((pair, 2 * ESCAPE));
    }
    Some((char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER), ESCAPE))
}

fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..ESCAPE)?.strip_prefix(b"_x")?.strip_suffix(b"_")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> String {
        let mut bytes = format!("_x0041_{text}").into_bytes();
        undo_escapes(&mut bytes, 7);
        let text = String::from_utf8(bytes).unwrap();
        text.strip_prefix("_x0041_").unwrap().to_owned()
    }

    #[test]
    fn escapes_of_xml_are_undone_once() {
        assert_eq!(undone("a_x000D_\nb"), "a\r\nb");
        assert_eq!(undone("_x005F_x000D_"), "_x000D_");
        assert_eq!(undone("_x0041__x005f_"), "A_");
        assert_eq!(undone("_xD83D__xDE00_!"), "\u{1F600}!");
        assert_eq!(undone("_xD83D_!_xDE00_"), "\u{FFFD}!\u{FFFD}");
        assert_eq!(undone("a_x0001_b"), "a b", "control characters part fields");
        for plain in ["_x00_", "_x+041_", "_xé000_", "_x000D", "_x", "my_x_x0", "_X0041_"] {
            assert_eq!(undone(plain), plain);
        }
    }
}
