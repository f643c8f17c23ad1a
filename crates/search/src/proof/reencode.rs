//! Writing what came out of a step again, and comparing it with the evidence.

use super::Reencodes;
use crate::codec::{base64, encoders, hex};
use std::ops::Range;

/// Longest bytes that are written again in codings where a part of them cannot be written alone.
const LONGEST: usize = 64 << 10;

/// Compares over the value's range where the coding is one of letters, and over all of it elsewhere.
pub(super) fn reencodes(codec: &str, encoded: &[u8], decoded: &[u8], value: &Range<usize>) -> Reencodes {
    let same = match codec {
        base64::NAME => same_base64(encoded, decoded, value),
        hex::NAME => same_hex(encoded, decoded, value),
        _ if encoded == decoded => true,
        "reversed" => encoded.iter().rev().eq(decoded),
        "rot13" => encoded.iter().map(|byte| crate::needles::rot13(*byte)).eq(decoded.iter().copied()),
        // One key for all bytes: the first pair gives it, and the others must agree.
        "xor" => constant(encoded, decoded, |outer, inner| outer ^ inner),
        "shift" => constant(encoded, decoded, u8::wrapping_sub),
        "percent" | "form" | "query" | "path" | "cookie" => same_percent(encoded, decoded),
        _ => same_by_encoder(codec, encoded, decoded),
    };
    if same { Reencodes::Same } else { Reencodes::Differs }
}

fn constant(encoded: &[u8], decoded: &[u8], key: impl Fn(u8, u8) -> u8) -> bool {
    let mut keys = encoded.iter().zip(decoded).map(|(outer, inner)| key(*outer, *inner));
    let first = keys.next();
    encoded.len() == decoded.len() && keys.all(|key| Some(key) == first)
}

/// The characters that carry a bit of the value. Groups of three bytes are written alone.
fn same_base64(encoded: &[u8], decoded: &[u8], value: &Range<usize>) -> bool {
    let letters: Vec<u8> = encoded.iter().copied().filter(|byte| base64::is_character(*byte)).collect();
    let groups = value.start / 3 * 3..decoded.len().min(value.end.div_ceil(3) * 3);
    let (Some(bytes), first) = (decoded.get(groups.clone()), groups.start / 3 * 4) else { return false };
    let written = base64::wrap(bytes, false, false);
    let range = value.start * 4 / 3..(value.end * 4).div_ceil(3);
    let ordinary = |letter: u8| match letter {
        b'-' => b'+',
        b'_' => b'/',
        letter => letter,
    };
    range.into_iter().all(|at| {
        let found = letters.get(at).copied().map(ordinary);
        found.is_some() && found == at.checked_sub(first).and_then(|at| written.get(at)).copied()
    })
}

fn same_hex(encoded: &[u8], decoded: &[u8], value: &Range<usize>) -> bool {
    let digits: Vec<u8> = encoded.iter().copied().filter(|byte| *byte != b'-').collect();
    let (Some(bytes), Some(found)) = (decoded.get(value.clone()), digits.get(value.start * 2..value.end * 2)) else {
        return false;
    };
    hex::wrap(bytes).eq_ignore_ascii_case(found)
}

/// Which bytes are escaped is the writer's choice, and so is `+` for a space; the rest is not.
fn same_percent(encoded: &[u8], decoded: &[u8]) -> bool {
    let mut rest = encoded;
    for byte in decoded {
        let escape = format!("%{byte:02x}");
        rest = match rest {
            [first, after @ ..] if first == byte && *first != b'%' => after,
            [b'+', after @ ..] if *byte == b' ' => after,
            _ => match rest.split_at_checked(3) {
                Some((found, after)) if found.eq_ignore_ascii_case(escape.as_bytes()) => after,
                _ => return false,
            },
        };
    }
    rest.is_empty()
}

fn same_by_encoder(codec: &str, encoded: &[u8], decoded: &[u8]) -> bool {
    let unpadded = |bytes: &[u8]| bytes.iter().rev().skip_while(|byte| **byte == b'=').count();
    let letters = &encoded[..unpadded(encoded)];
    decoded.len() <= LONGEST
        && encoders::encoders(codec)
            .filter_map(|encoder| (encoder.wrap)(decoded))
            .any(|written| written == encoded || written.get(..unpadded(&written)) == Some(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writers_choices_are_no_difference_and_other_bytes_are() {
        let same = |codec, encoded: &[u8], decoded: &[u8], value| {
            reencodes(codec, encoded, decoded, &value) == Reencodes::Same
        };
        assert!(same("base64", b"MTM4MDAwMDA0Mjc=", b"13800000427", 0..11));
        assert!(same("base64", b"MTM4\r\nMDAwMDA0Mjc", b"13800000427", 2..9));
        assert!(!same("base64", b"MTM4MDAwMDA0Mjd=", b"13800000427", 0..11), "bits that stand for nothing");
        assert!(same("hex", b"3133AB", b"13\xab", 0..3) && !same("hex", b"3133AB", b"14\xab", 0..3));
        assert!(same("percent", b"%61b%2b+", b"ab+ ", 0..4) && !same("percent", b"%61b%2bc", b"ab+d", 0..4));
        assert!(same("xor", b"`ac", b"013", 0..3) && !same("xor", b"`ad", b"013", 0..3));
        assert!(!same("gzip", b"\x1f\x8b\x08", b"", 0..0));
    }
}
