//! Base85 of whole fields: Ascii85 (btoa and Adobe, with `z`, `y` and `<~ ~>`), Z85 (ZeroMQ RFC 32)
//! and the alphabet of RFC 1924 as Python and git use it.

use super::Leaf;
use super::sense::{LOOKED_AT, begins_sensibly, makes_sense};
use super::table::About;
use crate::map::{Map, Stretches};

/// One of the alphabets.
pub(crate) struct Base85 {
    name: &'static str,
    values: [u8; 256],
    /// Ascii85: shortcuts, white space and brackets.
    is_ascii85: bool,
    letters: [u8; 85],
}

/// Shortest field: eight bytes.
const SHORTEST: usize = 10;
/// Longest field.
const LONGEST: usize = 1 << 20;
/// Not a character of the alphabet.
const NONE: u8 = 0xff;

/// Ascii85.
pub(crate) static ASCII85: Base85 = Base85::new("ascii85", ascii85(), true);
/// Z85.
pub(crate) static Z85: Base85 = Base85::new(
    "z85",
    *b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    false,
);
/// RFC 1924's alphabet, in groups of five.
pub(crate) static RFC1924: Base85 = Base85::new(
    "base85",
    *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    false,
);

/// The rows of the table of wrappings.
pub(crate) const ABOUT: [About; 3] = [
    about(
        "ascii85",
        "Ascii85 with `z`, `y`, white space, with or without `<~ ~>`",
        "Adobe PostScript Reference section 3.13",
    ),
    about("z85", "ZeroMQ's alphabet, the last group cut or whole", "ZeroMQ RFC 32"),
    about("base85", "the alphabet of Python's b85encode and git", "RFC 1924, in groups of five characters"),
];

const fn about(name: &'static str, undoes: &'static str, source: &'static str) -> About {
    let place = "whole fields of ten characters or more";
    About { name, undoes, place, exact: true, source }
}

const fn ascii85() -> [u8; 85] {
    let mut letters = [0; 85];
    let mut value = 0;
    while value < 85 {
        letters[value] = b'!' + value as u8;
        value += 1;
    }
    letters
}

/// What [`u8::is_ascii_whitespace`] takes, and the vertical tab.
const fn is_space(character: u8) -> bool {
    matches!(character, b' ' | b'\t'..=b'\r')
}

impl Base85 {
    const fn new(name: &'static str, letters: [u8; 85], is_ascii85: bool) -> Self {
        let mut values = [NONE; 256];
        let mut value = 0;
        while value < 85 {
            values[letters[value] as usize] = value as u8;
            value += 1;
        }
        Self { name, values, is_ascii85, letters }
    }

    /// True for characters of such fields.
    pub(crate) const fn has(&self, character: u8) -> bool {
        let is_other = matches!(character, b'z' | b'y' | b'~') || is_space(character);
        self.values[character as usize] != NONE || self.is_ascii85 && is_other
    }

    /// Calls `visit` with each group: characters taken, with what is ignored behind them, and the
    /// bytes. `None` for what is no base85; else whether all of the field was taken.
    fn groups(&self, field: &[u8], mut visit: impl FnMut(u8, &[u8]) -> bool) -> Option<()> {
        let mut group = Group::default();
        for character in field {
            group.taken = group.taken.checked_add(1)?;
            let value = self.values[usize::from(*character)];
            let shortcut = match character {
                b'z' => [0; 4],
                b'y' => [b' '; 4],
                _ => [0xff; 4],
            };
            if value != NONE {
                group.number = group.number * 85 + u64::from(value);
                group.count += 1;
            } else if self.is_ascii85 && matches!(character, b'z' | b'y') && group.count == 0 {
                if !visit(std::mem::take(&mut group).taken, &shortcut) {
                    return Some(());
                }
                continue;
            } else if !self.is_ascii85 || !character.is_ascii_whitespace() {
                return None;
            }
            if group.count == 5 && !visit(group.taken, &group.bytes()?[..4]) {
                return Some(());
            }
            if group.count == 5 {
                group = Group::default();
            }
        }
        group.last(&mut visit)
    }

    /// The field without the brackets of Adobe and without white space around it, and how many bytes
    /// were left out before it.
    fn inside<'f>(&self, field: &'f [u8]) -> (usize, &'f [u8]) {
        if !self.is_ascii85 {
            return (0, field);
        }
        let trimmed = field.trim_ascii();
        let before = field.len() - field.trim_ascii_start().len();
        match trimmed.strip_prefix(b"<~") {
            Some(rest) => (before + 2, rest.strip_suffix(b"~>").unwrap_or(rest)),
            None => (before, trimmed.strip_suffix(b"~>").unwrap_or(trimmed)),
        }
    }

    /// Encodes, without brackets.
    pub(crate) fn wrap(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for group in bytes.chunks(4) {
            let mut padded = [0; 4];
            padded[..group.len()].copy_from_slice(group);
            let number = u32::from_be_bytes(padded);
            if self.is_ascii85 && number == 0 && group.len() == 4 {
                out.push(b'z');
                continue;
            }
            let digits = (0..5u32).rev().map(|place| self.letters[(number / 85u32.pow(place) % 85) as usize]);
            out.extend(digits.take(group.len() + 1));
        }
        out
    }
}

/// A group of up to five characters.
#[derive(Default)]
struct Group {
    number: u64,
    count: usize,
    taken: u8,
}

impl Group {
    /// The number's four bytes, where it has no more.
    fn bytes(&self) -> Option<[u8; 4]> {
        u32::try_from(self.number).ok().map(u32::to_be_bytes)
    }

    /// A last group of fewer than five characters: as if filled with the last character.
    fn last(mut self, visit: &mut impl FnMut(u8, &[u8]) -> bool) -> Option<()> {
        match self.count {
            0 => return Some(()),
            1 => return None,
            _ => {}
        }
        let count = self.count;
        for _ in count..5 {
            self.number = self.number * 85 + 84;
        }
        visit(self.taken, &self.bytes()?[..count - 1]);
        Some(())
    }
}

impl Leaf for Base85 {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decode(&self, field: &[u8], out: &mut Vec<u8>) -> bool {
        let (_, inside) = self.inside(field);
        if !(SHORTEST..=LONGEST).contains(&inside.len()) {
            return false;
        }
        let start = out.len();
        let is_digest = matches!(inside.len(), 20 | 25 | 35 | 40 | 60 | 80);
        let mut is_noise = false;
        let done = self.groups(inside, |_, bytes| {
            out.extend_from_slice(bytes);
            let so_far = &out[start..];
            is_noise = so_far.len() == LOOKED_AT && !is_digest && !begins_sensibly(so_far);
            !is_noise
        });
        let is_kept = done.is_some() && !is_noise && makes_sense(&out[start..]);
        if !is_kept {
            out.truncate(start);
        }
        is_kept
    }

    fn map(&self, field: &[u8], start: usize) -> Map {
        let (before, inside) = self.inside(field);
        let mut map = Stretches::default();
        let _ = self.groups(inside, |characters, bytes| {
            map.unit(characters, bytes.len() as u8);
            true
        });
        map.finish(start + before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [&Base85; 3] = [&ASCII85, &Z85, &RFC1924];

    fn decoded(codec: &Base85, field: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        codec.decode(field, &mut out).then_some(out)
    }

    #[test]
    fn known_answers() {
        // Wikipedia, Ascii85, the first sentence of the example; ZeroMQ RFC 32, test case.
        let leviathan = b"<~9jqo^BlbD-BleB1DJ+*+F(f,q/0JhKF<GL>Cj@.4Gp$d7F!,L7@<6@)/0JDEF<G%<+EV:2F!,\nO<DJ+*.@<*K0@<6L(Df-\\0Ec5e;DffZ(EZee.~>";
        let plain = b"Man is distinguished, not only by his reason, but by this singular passion from other a";
        assert!(decoded(&ASCII85, leviathan).unwrap().starts_with(&plain[..80]));
        let mut bytes = Vec::new();
        Z85.groups(b"HelloWorld", |_, group| {
            bytes.extend_from_slice(group);
            true
        });
        assert_eq!(bytes, [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]);
        assert_eq!(decoded(&ASCII85, b"<~9jqo^yyy9jqo^~>").unwrap(), b"Man             Man ");
    }

    #[test]
    fn words_are_not_numbers() {
        for word in
            ["application/json", "https://example.com/a", "13800000427", "someone.new@example.com", "a b c d e f g"]
        {
            assert!(ALL.iter().all(|codec| decoded(codec, word.as_bytes()).is_none()), "{word}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_to_its_group(text in "[ -~]{8,60}", which in 0..3usize, framed: bool) {
            let codec = ALL[which];
            let mut wrapped = codec.wrap(text.as_bytes());
            let framed = framed && which == 0;
            if framed {
                wrapped = [b"<~", &wrapped[..], b"~>"].concat();
            }
            prop_assert_eq!(decoded(codec, &wrapped), Some(text.as_bytes().to_vec()));
            let map = codec.map(&wrapped, 0);
            for at in 0..text.len() {
                let group = at / 4 * 4;
                let outer = map.outer(&(at..at + 1));
                prop_assert_eq!(&wrapped[outer], &codec.wrap(&text.as_bytes()[group..text.len().min(group + 4)])[..]);
            }
        }
    }
}
