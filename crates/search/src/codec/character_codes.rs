//! Text as the decimal codes of its bytes or characters: `[49,51,56]` in documents, `49 51 56`,
//! `String.fromCharCode(49,51,56)`, and the signed bytes that Java prints (`[-27, -68, -96]`).

use super::number_list::{self, List};
use super::table::About;
use super::{Codec, Unwrapped};
use crate::classify::Marks;
use std::ops::Range;

/// Decimal codes of bytes or characters.
pub(crate) struct CharacterCodes;

/// The name in trails.
pub(crate) const NAME: &str = "character codes";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: NAME,
    undoes: "decimal codes of bytes (0 to 255, or -128 to 127), or of Unicode characters where one is over 255, \
             separated by `,`, `;`, `:` or white space; four or more",
    place: "anywhere in text",
    exact: true,
    source: "JavaScript String.fromCharCode, Java Arrays.toString, JSON arrays of bytes",
};

impl Codec for CharacterCodes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&self, _bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        marks.candidates_of(NAME).for_each(visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped> {
        let list = next(bytes.get(span.clone())?, 0)?;
        let wide = list.items.iter().any(|(_, code)| *code > 255);
        let mut decoded = Vec::new();
        let mut lengths = Vec::with_capacity(list.items.len());
        for (range, code) in &list.items {
            let before = decoded.len();
            push(*code, wide, &mut decoded)?;
            lengths.push((range.clone(), (decoded.len() - before) as u8));
        }
        let cut = decoded.len() > room;
        decoded.truncate(room);
        Some(Unwrapped { cut, ..Unwrapped::new(decoded, number_list::map(&span, &lengths, |length| *length)) })
    }

    fn is_certain(&self) -> bool {
        false
    }
}

/// Appends a byte or, in a list with a code over 255, a character in UTF-8.
fn push(code: i32, wide: bool, out: &mut Vec<u8>) -> Option<()> {
    if wide {
        let c = char::from_u32(u32::try_from(code).ok()?)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push((code & 0xff) as u8);
    }
    Some(())
}

/// Calls `visit` for each list in a stretch of nothing but digits and separators.
pub(super) fn candidates(bytes: &[u8], stretch: &Range<usize>, visit: &mut dyn FnMut(Range<usize>)) {
    let text = &bytes[..stretch.end];
    let mut from = stretch.start;
    while let Some(list) = next(text, from) {
        from = list.range.end;
        if is_likely(&list) {
            visit(number_list::with_brackets(bytes, &list.range));
        }
    }
}

fn next(text: &[u8], from: usize) -> Option<List<i32>> {
    number_list::next_list(text, from, number)
}

/// Small numbers are counts and measurements far more often than codes: a list of them that has no
/// printable character at all is left alone.
fn is_likely(list: &List<i32>) -> bool {
    list.items.iter().any(|(_, code)| (0x20..0x7f).contains(code) || *code < 0 || *code > 0x7f)
}

/// A decimal number from -128 to the last character.
fn number(text: &[u8]) -> Option<(usize, i32)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let digits = text.get(sign..)?.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let plain = text.get(sign..sign + digits).filter(|digits| (1..8).contains(&digits.len()))?;
    let value = plain.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    let code = if sign == 1 { -value } else { value };
    (-128..=0x0010_FFFF).contains(&code).then_some((sign + digits, code))
}

/// Writes the decimal code of each byte with `,` between.
pub(crate) fn wrap(bytes: &[u8]) -> Vec<u8> {
    let codes: Vec<String> = bytes.iter().map(u8::to_string).collect();
    codes.join(",").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(text: &[u8]) -> Option<(Range<usize>, Unwrapped)> {
        let mut found = None;
        CharacterCodes.find(text, &Marks::find(text), &mut |span| found = found.take().or(Some(span)));
        let span = found?;
        Some((span.clone(), CharacterCodes.unwrap(text, span, usize::MAX)?))
    }

    #[test]
    fn every_notation_is_read() {
        for (text, plain) in [
            ("[49,51,56,48]", "1380"),
            ("String.fromCharCode(49, 51, 56, 48)", "1380"),
            ("49 51 56 48", "1380"),
            ("[-27, -68, -96, 33]", "张!"),
            ("[24352, 23567, 26126, 33]", "张小明!"),
        ] {
            assert_eq!(first(text.as_bytes()).unwrap().1.bytes, plain.as_bytes(), "{text}");
        }
        for text in ["[1,2,3,4,5]", "1,2,3", "10:20:30", "[1380000042,1380000042,1380000042,1380000042]"] {
            assert!(first(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_back(text in "[ -~é]{4,40}") {
            let wrapped = [b"f([".to_vec(), wrap(text.as_bytes()), b"])".to_vec()].concat();
            let (span, found) = first(&wrapped).unwrap();
            prop_assert_eq!(span, 2..wrapped.len() - 1);
            prop_assert_eq!(&found.bytes, text.as_bytes());
            for (at, byte) in text.bytes().enumerate() {
                let code = byte.to_string();
                prop_assert_eq!(&wrapped[found.map.outer(&(at..at + 1))], code.as_bytes());
            }
        }

        #[test]
        fn characters_over_255_map_back(text in "[一-龠]{4,20}") {
            let codes: Vec<String> = text.chars().map(|c| u32::from(c).to_string()).collect();
            let wrapped = codes.join(" ");
            let (_, found) = first(wrapped.as_bytes()).unwrap();
            prop_assert_eq!(&found.bytes, text.as_bytes());
            for (number, (at, c)) in text.char_indices().enumerate() {
                let outer = found.map.outer(&(at..at + c.len_utf8()));
                prop_assert_eq!(&wrapped[outer], &codes[number]);
            }
        }
    }
}
