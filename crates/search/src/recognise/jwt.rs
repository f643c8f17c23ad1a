//! JSON web tokens in compact form (RFC 7515 section 3.1, RFC 7519).

use super::{Checks, Pass};
use std::ops::Range;

/// Longest header looked at, in characters of base64url.
const HEADER: usize = 2048;

/// The token that starts with the `eyJ` (`{"` in base64) at that place: three parts, the first a
/// JSON object with an `alg`.
pub(super) fn at(bytes: &[u8], start: usize) -> Option<(Range<usize>, Pass)> {
    if start.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|byte| is_base64url(*byte)) {
        return None;
    }
    let text = bytes.get(start..)?;
    let header = memchr::memchr(b'.', text.get(..text.len().min(HEADER))?)?;
    if !names_algorithm(text.get(..header)?) {
        return None;
    }
    let payload = part(text, header + 1);
    let dot = header + 1 + payload;
    if payload == 0 || text.get(dot) != Some(&b'.') {
        return None;
    }
    let end = dot + 1 + part(text, dot + 1);
    let further = text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(|byte| is_base64url(*byte));
    (!further).then(|| (start..start + end, Pass::new("jwt", Checks::PREFIX, 64.0)))
}

fn part(text: &[u8], from: usize) -> usize {
    text.get(from..).unwrap_or_default().iter().take_while(|byte| is_base64url(**byte)).count()
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// True where the header decodes to text with the member `alg`, which RFC 7515 section 4.1.1
/// requires.
fn names_algorithm(header: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(header.len() / 4 * 3 + 3);
    let mut bits = 0u32;
    let mut count = 0;
    for byte in header {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    decoded.last() == Some(&b'}') && memchr::memmem::find(&decoded, b"\"alg\"").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_and_a_header_with_an_algorithm() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        assert_eq!(at(token.as_bytes(), 0).map(|(range, _)| range), Some(0..token.len()));
        let text = format!("Bearer {token}.");
        assert_eq!(at(text.as_bytes(), 7).map(|(range, _)| range), Some(7..7 + token.len()));
        for bad in ["eyJhbGciOiJIUzI1NiJ9.e30", "eyJ0eXAiOiJKV1QifQ.e30.x", "eyJhbGciOiJIUzI1NiJ9..x"] {
            assert!(at(bad.as_bytes(), 0).is_none(), "{bad}");
        }
        assert!(at(format!("{token}.{token}").as_bytes(), 0).is_none(), "more than three parts");
    }
}
