//! Base64, RFC 4648 sections 4 and 5: both alphabets, padded or not, also wrapped at a line length
//! (RFC 2045 section 6.8) and inside longer runs.

use super::table::About;
use crate::map::Map;
use std::ops::Range;

/// The name in trails.
pub(crate) const NAME: &str = "base64";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "base64",
    undoes: "both alphabets, padded or not, in lines, inside longer runs; eight characters or more, in whole fields fewer",
    place: "anywhere in text",
    exact: true,
    source: "RFC 4648 sections 4 and 5, RFC 2045 section 6.8",
};

/// Shortest line after which a line end continues the run: MIME wraps at 76, PEM at 64.
const SHORTEST_LINE: usize = 60;

/// Runs over this length are read from their start only.
const LONGEST_REALIGNED: usize = 4096;

/// The six bits of each character; [`SEPARATOR`] is set beside them for those that also separate
/// words.
const VALUES: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut table = [0; 256];
    let mut index = 0;
    while index < letters.len() {
        table[letters[index] as usize] = index as u8;
        index += 1;
    }
    table[b'+' as usize] = 0x3e | SEPARATOR;
    table[b'/' as usize] = 0x3f | SEPARATOR;
    table[b'-' as usize] = 0x3e | SEPARATOR;
    table[b'_' as usize] = 0x3f | SEPARATOR;
    table
};

const SEPARATOR: u8 = 0x80;

/// Appends the bytes that the characters stand for and tells whether one of `+ / - _` is among
/// them. A last single character is left out.
pub(crate) fn decode_into(characters: &[u8], out: &mut Vec<u8>) -> bool {
    let (groups, rest) = characters.as_chunks::<4>();
    let mut all = 0;
    let mut value = |character: u8| {
        let value = VALUES[usize::from(character)];
        all |= value;
        u32::from(value & 63)
    };
    out.reserve(groups.len() * 3 + 2);
    for [first, second, third, fourth] in groups {
        let bits = value(*first) << 18 | value(*second) << 12 | value(*third) << 6 | value(*fourth);
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend_from_slice(&bytes);
    }
    let bits = rest.iter().fold(0, |bits, character| bits << 6 | value(*character));
    match rest.len() {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
    all & SEPARATOR != 0
}

/// The end of the padding behind a run that ends at `end`.
pub(crate) fn padded_end(bytes: &[u8], end: usize) -> usize {
    end + bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count()
}

/// The parts of a run to decode beside the whole: from behind each `/ - _ +` that begins another
/// alignment, because such a character may be a separator (`/v1/MTM4…`, `id-MTM4…`).
pub(crate) fn alignments(bytes: &[u8], run: &Range<usize>, mut visit: impl FnMut(Range<usize>)) {
    if run.len() > LONGEST_REALIGNED {
        return;
    }
    let mut seen = [true, false, false, false];
    for (at, byte) in bytes[run.clone()].iter().enumerate() {
        let alignment = (at + 1) % 4;
        let separates = matches!(byte, b'/' | b'-' | b'_' | b'+');
        if separates && !seen[alignment] && run.len() - at > crate::classify::SHORTEST_RUN {
            seen[alignment] = true;
            visit(run.start + at + 1..run.end);
        }
    }
}

/// True where the run has the length of a line of wrapped text.
pub(crate) fn may_continue(line: &Range<usize>) -> bool {
    line.len() >= SHORTEST_LINE && line.len().is_multiple_of(4)
}

/// True where the next run is the next line of one wrapped text.
pub(crate) fn continues(bytes: &[u8], line: &Range<usize>, next: &Range<usize>) -> bool {
    let between = bytes.get(line.end..next.start);
    may_continue(line) && matches!(between, Some(b"\r\n" | b"\n"))
}

/// From decoded offsets to offsets of characters.
pub(crate) fn map(start: usize, skips: Vec<(usize, usize)>) -> Map {
    Map::Ratio { start, chars: 4, bytes: 3, skips }
}

/// Encodes, with padding where asked.
pub(crate) fn wrap(bytes: &[u8], url: bool, padded: bool) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let used = place <= group.len();
            let letter = match letters[(bits >> (18 - 6 * place)) as usize & 63] {
                b'+' if url => b'-',
                b'/' if url => b'_',
                letter => letter,
            };
            if used || padded {
                out.push(if used { letter } else { b'=' });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers_of_rfc_4648() {
        for (plain, coded) in [("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")] {
            let mut decoded = Vec::new();
            decode_into(coded.as_bytes(), &mut decoded);
            assert_eq!(decoded, plain.as_bytes());
            assert_eq!(wrap(plain.as_bytes(), false, false), coded.as_bytes());
        }
    }

    #[test]
    fn separators_begin_other_alignments() {
        let text = b"a/MTM4MDAwMDA0Mjc";
        let mut found = Vec::new();
        alignments(text, &(0..text.len()), |part| found.push(part));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0], 2..17);
    }

    proptest! {
        #[test]
        fn unwrap_undoes_wrap_and_every_byte_maps_to_characters_that_carry_it(bytes: Vec<u8>, url: bool) {
            let text = wrap(&bytes, url, false);
            let mut decoded = Vec::new();
            decode_into(&text, &mut decoded);
            prop_assert_eq!(&decoded, &bytes);
            for at in 0..bytes.len() {
                let outer = map(0, Vec::new()).outer(&(at..at + 1));
                prop_assert!(outer.start * 6 <= at * 8 && outer.end * 6 >= at * 8 + 8 && outer.len() <= 3);
            }
        }
    }
}
