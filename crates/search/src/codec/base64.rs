//! Base64, RFC 4648 sections 4 and 5: both alphabets, padded or not, also wrapped at a line length
//! (RFC 2045 section 6.8) and inside longer runs.

use super::table::About;
use crate::kernel;
use crate::map::Map;
use std::ops::Range;

/// The name in trails.
pub(crate) const NAME: &str = "base64";

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "base64",
    undoes: "both alphabets, padded or not, in lines, at any alignment inside longer runs; eight characters or more, in whole fields fewer",
    place: "anywhere in text",
    exact: true,
    source: "RFC 4648 sections 4 and 5, RFC 2045 section 6.8",
};

/// Shortest line after which a line end continues the run: MIME wraps at 76, PEM at 64, others elsewhere.
const SHORTEST_LINE: usize = 16;

/// Appends the six bits of each character; those of a byte that is no base64 character are
/// anything.
pub(crate) fn sextets_into(characters: &[u8], out: &mut Vec<u8>) {
    kernel::sextets(characters, out);
}

/// The six bits of a character. Without branches, so that compilers make a loop over it into vector
/// instructions.
#[inline]
pub(crate) const fn sextet(character: u8) -> u8 {
    let c = character;
    let upper = mask(c.wrapping_sub(b'A') < 26) & c.wrapping_sub(b'A');
    let lower = mask(c.wrapping_sub(b'a') < 26) & c.wrapping_sub(b'a' - 26);
    let digit = mask(c.wrapping_sub(b'0') < 10) & c.wrapping_add(4);
    let plus = mask(c == b'+' || c == b'-') & 0x3E;
    let slash = mask(c == b'/' || c == b'_') & 0x3F;
    upper | lower | digit | plus | slash
}

const fn mask(is: bool) -> u8 {
    (is as u8).wrapping_neg()
}

/// Appends the bytes that the sextets stand for. A last single sextet is left out.
pub(crate) fn pack_into(sextets: &[u8], out: &mut Vec<u8>) {
    let packed = kernel::pack(sextets, out);
    plain_pack_into(sextets.get(packed..).unwrap_or_default(), out);
}

pub(crate) fn plain_pack_into(sextets: &[u8], out: &mut Vec<u8>) {
    let (eights, rest) = sextets.as_chunks::<8>();
    let start = out.len();
    out.resize(start + eights.len() * 6, 0);
    for (bytes, eight) in out[start..].as_chunks_mut::<6>().0.iter_mut().zip(eights) {
        // Neighbours are joined in three rounds: 6 to 12, 24 and 48 bits.
        let [_, _, packed @ ..] = packed(u64::from_be_bytes(*eight)).to_be_bytes();
        *bytes = packed;
    }
    for group in rest.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, sextet| bits << 6 | u32::from(*sextet)) << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..][..group.len() * 6 / 8]);
    }
}

/// Eight sextets without the two bits above each.
#[inline]
fn packed(x: u64) -> u64 {
    let x = (x >> 2 & 0x0fc0_0fc0_0fc0_0fc0) | (x & 0x003f_003f_003f_003f);
    let x = (x >> 4 & 0x00ff_f000_00ff_f000) | (x & 0x0000_0fff_0000_0fff);
    (x >> 8 & 0x0000_ffff_ff00_0000) | (x & 0x0000_0000_00ff_ffff)
}

/// Appends the bytes that the characters stand for. A last single character is left out.
pub(crate) fn decode_into(characters: &[u8], out: &mut Vec<u8>) {
    let mut sextets = Vec::with_capacity(characters.len());
    sextets_into(characters, &mut sextets);
    pack_into(&sextets, out);
}

/// Calls `visit` with the place of each character that is neither letter nor digit.
pub(crate) fn separators(sextets: &[u8], visit: impl FnMut(usize)) {
    kernel::over_61(sextets, visit);
}

/// The first eight bytes that eleven sextets stand for, as a number; of fewer nothing.
pub(crate) fn first_eight(sextets: &[u8]) -> Option<u64> {
    let [ninth, tenth, last] = *sextets.get(8..11)?.first_chunk()?;
    let bits = packed(u64::from_be_bytes(*sextets.first_chunk()?));
    // Eleven sextets have two bits more.
    Some(bits << 16 | u64::from(ninth) << 10 | u64::from(tenth) << 4 | u64::from(last) >> 2)
}

/// Two groups of sextets that stand for ASCII have none of these bits: the first of each byte.
const BEYOND_ASCII: u64 = 0x2008_0200_2008_0200;
/// Steps of eight characters in a row that must stand for ASCII at another alignment: two, and more
/// where the run is so long that chance would give two. A step has six bits.
fn least_steps(length: usize) -> usize {
    (length.max(64).ilog2() as usize + 6) / 6
}

/// Where text begins at an alignment other than that of the run: at least twelve bytes of ASCII.
/// Calls `visit` with the number of the first sextet, at most once for each alignment.
pub(crate) fn realigned(sextets: &[u8], mut visit: impl FnMut(usize)) {
    let least = least_steps(sextets.len());
    for shift in 1..4 {
        let Some(shifted) = sextets.get(shift..) else { return };
        let found = kernel::row_without(BEYOND_ASCII, shifted, least);
        if let Some(last) = found {
            visit(shift + (last + 1 - least) * 8);
        }
    }
}

/// The characters of a value's base64 that do not depend on its neighbours, where the value begins
/// `shift` bytes into a group of three.
pub(crate) fn stable(value: &[u8], shift: u8, url: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len().div_ceil(3) * 4);
    stable_into(value, shift, url, &mut out);
    out
}

/// Appends what [`stable`] gives.
pub(crate) fn stable_into(value: &[u8], shift: u8, url: bool, out: &mut Vec<u8>) {
    let letters = letters(url);
    let shift = usize::from(shift);
    let byte = |at: usize| at.checked_sub(shift).and_then(|at| value.get(at)).map_or(0, |byte| u32::from(*byte));
    // A character is six bits of two neighbouring bytes.
    let character = |place: usize| {
        let bits = byte(place * 6 / 8) << 8 | byte(place * 6 / 8 + 1);
        letters[(bits >> (10 - place * 6 % 8)) as usize & 63]
    };
    out.extend((first_stable(shift)..(value.len() + shift) * 8 / 6).map(character));
}

/// The alphabet of RFC 4648 section 5 or 4.
fn letters(url: bool) -> &'static [u8; 64] {
    if url {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    } else {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    }
}

/// Characters of the group that are not stable at that shift.
fn first_stable(shift: usize) -> usize {
    [0, 2, 3][shift % 3]
}

/// How far a run is followed to the left.
const FURTHEST: usize = 4096;

/// A value whose stable characters lie at `found`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aligned {
    /// The run from the alignment at which the value is read, with padding.
    pub(crate) encoded: Range<usize>,
    /// The value in what the run stands for.
    pub(crate) decoded: Range<usize>,
}

/// The run of base64 characters around a range, with padding behind it, or before it where the text
/// is reversed.
pub(crate) fn run_around(bytes: &[u8], range: &Range<usize>, reversed: bool) -> Range<usize> {
    let member = |byte: &&u8| is_character(**byte);
    let floor = range.start.saturating_sub(FURTHEST);
    let start = range.start - bytes[floor..range.start].iter().rev().take_while(member).count();
    let end = range.end + bytes[range.end..].iter().take(FURTHEST).take_while(member).count();
    if reversed {
        let padding = bytes[..start].iter().rev().take(2).take_while(|byte| **byte == b'=').count();
        start - padding..end
    } else {
        start..padded_end(bytes, end)
    }
}

/// The run around stable characters, where the characters at both edges carry the value's bits, too.
pub(crate) fn aligned(bytes: &[u8], found: &Range<usize>, value: &[u8], shift: u8) -> Option<Aligned> {
    let shift = usize::from(shift);
    let group = found.start.checked_sub(first_stable(shift))?;
    let first = group + shift * 8 / 6;
    let last = group + ((shift + value.len()) * 8).div_ceil(6);
    let characters = bytes.get(first..last)?;
    let mut decoded = Vec::with_capacity(value.len() + 3);
    // Characters before the value's own stand for nothing that is compared.
    let mut padded = vec![b'A'; first - group];
    padded.extend_from_slice(characters);
    padded.extend(std::iter::repeat_n(b'A', padded.len().wrapping_neg() % 4));
    decode_into(&padded, &mut decoded);
    let same = decoded.get(shift..shift + value.len()) == Some(value);
    if !same || !characters.iter().all(|character| is_character(*character)) {
        return None;
    }
    let floor = group.saturating_sub(FURTHEST);
    let before = bytes[floor..first].iter().rev().take_while(|character| is_character(**character)).count();
    let start = first - before;
    let start = if start > group { group } else { start + (group - start) % 4 };
    let after = bytes[last..].iter().take(FURTHEST).take_while(|character| is_character(**character)).count();
    let offset = (group - start) / 4 * 3 + shift;
    Some(Aligned { encoded: start..padded_end(bytes, last + after), decoded: offset..offset + value.len() })
}

/// True for the characters of both alphabets.
pub(crate) fn is_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The end of the padding behind a run that ends at `end`.
pub(crate) fn padded_end(bytes: &[u8], end: usize) -> usize {
    end + bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count()
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
    let letters = letters(url);
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        let characters = [18, 12, 6, 0].map(|shift| letters[(bits >> shift) as usize & 63]);
        out.extend_from_slice(&characters[..=group.len()]);
        if padded {
            out.extend_from_slice(&b"=="[..3 - group.len()]);
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
    fn separators_are_the_last_two_of_either_alphabet() {
        let text = b"ab+cdefghijklm/nop-qrs_t";
        let mut sextets = Vec::new();
        sextets_into(text, &mut sextets);
        let mut found = Vec::new();
        separators(&sextets, |at| found.push(at));
        assert_eq!(found, [2, 14, 18, 22]);
        let mut decoded = Vec::new();
        pack_into(&sextets[3..15], &mut decoded);
        assert_eq!(first_eight(&sextets[3..]).map(u64::to_be_bytes), decoded[..8].try_into().ok());
        assert_eq!(first_eight(&sextets[..10]), None);
    }

    #[test]
    fn text_is_found_at_every_alignment() {
        for shift in 1..4 {
            let text = [&b"QZx"[..shift], &wrap(b"a text of some length", false, false)].concat();
            let mut sextets = Vec::new();
            sextets_into(&text, &mut sextets);
            let mut found = Vec::new();
            realigned(&sextets, |start| found.push(start));
            assert!(found.contains(&shift), "{shift}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_found_by_its_stable_characters_whatever_stands_beside_it(
            before in proptest::collection::vec(any::<u8>(), 0..9),
            value in proptest::collection::vec(any::<u8>(), 6..20),
            after in proptest::collection::vec(any::<u8>(), 0..9),
            glued in "[A-Za-z0-9]{0,5}",
            url: bool,
        ) {
            let shift = (before.len() % 3) as u8;
            let coded = wrap(&[&before[..], &value, &after].concat(), url, true);
            let text = [glued.as_bytes(), &coded].concat();
            let stable = stable(&value, shift, url);
            let at = glued.len() + before.len() / 3 * 4 + first_stable(usize::from(shift));
            prop_assert_eq!(&text[at..at + stable.len()], &stable[..]);
            let found = aligned(&text, &(at..at + stable.len()), &value, shift).unwrap();
            let mut decoded = Vec::new();
            let characters: Vec<u8> = text[found.encoded.clone()].iter().copied().filter(|b| *b != b'=').collect();
            decode_into(&characters, &mut decoded);
            prop_assert_eq!(&decoded[found.decoded.clone()], &value[..]);
            let other: Vec<u8> = value.iter().map(|byte| byte ^ 0x80).collect();
            prop_assert_eq!(aligned(&text, &(at..at + stable.len()), &other, shift), None);
        }

        #[test]
        fn vectors_put_the_same_bytes_together(sextets in proptest::collection::vec(0u8..64, 0..200)) {
            let (mut found, mut expected) = (vec![7], vec![7]);
            pack_into(&sextets, &mut found);
            plain_pack_into(&sextets, &mut expected);
            prop_assert_eq!(found, expected);
        }

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
