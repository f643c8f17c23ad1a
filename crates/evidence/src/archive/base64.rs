//! Base64 (RFC 4648) as recorders write it.

/// Decodes either alphabet, padded or not, with line breaks allowed. `None` where another
/// character occurs or the length is impossible: then the text is no base64.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u32);
    let mut padding = false;
    for character in text.iter().filter(|c| !c.is_ascii_whitespace()) {
        let value = match character {
            b'=' => {
                padding = true;
                continue;
            }
            _ if padding => return None,
            other => sextet(*other)?,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    (held < 6).then_some(bytes)
}

fn sextet(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_spelling_of_the_same_bytes_is_read() {
        for text in ["+/9h", "-_9h", "+/\r\n9h", "+/9h===="] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(&b"\xfb\xffa"[..]), "{text}");
        }
        assert_eq!(decode(b"YQ").as_deref(), Some(&b"a"[..]));
        assert_eq!(decode(b"").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["Y", "YQ==YQ", "a b!", "\u{e9}"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
