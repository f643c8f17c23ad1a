//! HTML and XML character references: HTML Living Standard section 13.5, the numeric ones and the
//! few names that every encoder writes.

use super::table::About;
use super::{Codec, Unwrapped, spans_around};
use crate::classify::Marks;
use crate::map::Unescaped;
use std::ops::Range;

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "entity",
    undoes: "numeric character references, also without `;`, and the names that every encoder writes",
    place: "anywhere in text",
    exact: true,
    source: "HTML Living Standard section 13.5",
};

/// Character references in markup.
pub(crate) struct Entity;

/// How far from a reference the text that belongs to it may reach.
const REACH: usize = 4 << 10;

const NAMES: [(&[u8], char); 7] = [
    (b"&amp;", '&'),
    (b"&lt;", '<'),
    (b"&gt;", '>'),
    (b"&quot;", '"'),
    (b"&apos;", '\''),
    (b"&nbsp;", '\u{a0}'),
    (b"&commat;", '@'),
];

impl Codec for Entity {
    fn name(&self) -> &'static str {
        "entity"
    }

    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>)) {
        spans_around(&marks.entity, bytes, REACH, |byte| matches!(byte, b'<' | b'>' | b'"' | b'\n' | 0), visit);
    }

    fn unwrap(&self, bytes: &[u8], span: Range<usize>, _room: usize) -> Option<Unwrapped> {
        let (decoded, map) = unescape(bytes.get(span.clone())?).finish(span.start)?;
        Some(Unwrapped::new(decoded, map))
    }
}

/// The length of the reference that the bytes begin with and its character.
pub(crate) fn decode(bytes: &[u8]) -> Option<(usize, char)> {
    if let Some((name, c)) = NAMES.iter().find(|(name, _)| bytes.starts_with(name)) {
        return Some((name.len(), *c));
    }
    let (prefix, radix) = match bytes {
        [b'&', b'#', b'x' | b'X', ..] => (3, 16),
        [b'&', b'#', ..] => (2, 10),
        _ => return None,
    };
    let is_digit = |byte: &&u8| if radix == 16 { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let digits = bytes.get(prefix..)?.iter().take(8).take_while(is_digit).count();
    let text = std::str::from_utf8(bytes.get(prefix..prefix + digits)?).ok()?;
    let c = char::from_u32(u32::from_str_radix(text, radix).ok()?)?;
    // The semicolon may be missing (section 13.2.5.80).
    let end = prefix + digits;
    Some((end + usize::from(bytes.get(end) == Some(&b';')), c))
}

fn unescape(text: &[u8]) -> Unescaped {
    let mut out = Unescaped::default();
    let mut from = 0;
    for at in memchr::memchr_iter(b'&', text) {
        if let Some((length, c)) = decode(&text[at..]) {
            out.literal(&text[from..at]);
            out.escape(at, length, c.encode_utf8(&mut [0; 4]).as_bytes());
            from = at + length;
        }
    }
    out.literal(&text[from..]);
    out
}

/// Writes every character as a decimal reference.
pub(crate) fn wrap(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| format!("&#{};", u32::from(c)).into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_names_and_numbers_and_leaves_the_rest() {
        assert_eq!(unescape(b"a&amp;b&#49;&#x31;&#;&x;&#xD800;").bytes, b"a&b11&#;&x;&#xD800;");
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_character_maps_back(text in "\\PC{1,20}") {
            let wrapped = wrap(&text);
            let (decoded, map) = unescape(&wrapped).finish(0).unwrap();
            prop_assert_eq!(&decoded, text.as_bytes());
            for (at, c) in text.char_indices() {
                let outer = map.outer(&(at..at + c.len_utf8()));
                prop_assert_eq!(unescape(&wrapped[outer]).bytes, c.to_string().into_bytes());
            }
        }
    }
}
