//! Whether bytes look like content at all: the proof of a decoding whose format proves nothing
//! (brotli, a cipher without a tag).

/// Characters of a hundred that must be printable.
const PRINTABLE_OF_100: usize = 90;
/// Bytes that are looked at.
const LOOKED_AT: usize = 1024;
/// Shortest text inside a protobuf message that makes it believable.
const SHORTEST_TEXT: usize = 6;
/// Highest number of a field in a believable protobuf message.
const HIGHEST_FIELD: u64 = 1 << 16;

/// Beginnings of formats: gzip, zstd, an LZ4 frame, zip, PNG, a binary property list.
const MAGICS: [&[u8]; 6] =
    [&[0x1f, 0x8b, 8], &[0x28, 0xb5, 0x2f, 0xfd], &[0x04, 0x22, 0x4d, 0x18], b"PK\x03\x04", b"\x89PNG", b"bplist00"];

/// True for text in UTF-8, for what begins like a known format, and for protobuf messages with
/// text in them.
pub(crate) fn looks_like_content(bytes: &[u8]) -> bool {
    is_text(bytes)
        || MAGICS.iter().any(|magic| bytes.starts_with(magic))
        || begins_json(bytes)
        || begins_zlib(bytes)
        || is_protobuf(bytes)
}

/// True for UTF-8 of which nine characters in ten can be printed.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let text = match std::str::from_utf8(looked_at) {
        Ok(text) => text,
        // A character may be cut where looking stops.
        Err(error) if error.error_len().is_none() && looked_at.len() < bytes.len() => {
            looked_at.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let all = text.chars().count();
    let printable = text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).count();
    all > 0 && printable * 100 >= all * PRINTABLE_OF_100
}

/// True where a JSON object with a plain key begins, whatever the encoding of what follows.
fn begins_json(bytes: &[u8]) -> bool {
    let key = [&b"{\""[..], b"[{\""].iter().find_map(|start| bytes.strip_prefix(*start)).unwrap_or_default();
    let length = key.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    length > 0 && key.get(length..).is_some_and(|rest| rest.starts_with(b"\":"))
}

fn begins_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [0x78, 0x01 | 0x5e | 0x9c | 0xda, rest @ ..] if super::plausible::begins_deflate(rest))
}

/// True where fields fill the bytes exactly and one of them is text.
fn is_protobuf(bytes: &[u8]) -> bool {
    let (mut rest, mut texts) = (bytes, false);
    while !rest.is_empty() {
        let Some((field, after)) = protobuf_field(rest) else { return false };
        texts |= field.len() >= SHORTEST_TEXT && is_text(field);
        rest = after;
    }
    texts
}

/// The bytes of a length-delimited field, or none of another, and what follows.
fn protobuf_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, rest) = varint(bytes)?;
    if !(1..=HIGHEST_FIELD).contains(&(key >> 3)) {
        return None;
    }
    let length = match key & 7 {
        0 => return Some((&[], varint(rest)?.1)),
        1 => 8,
        2 => {
            let (length, rest) = varint(rest)?;
            return rest.split_at_checked(usize::try_from(length).ok()?);
        }
        5 => 4,
        _ => return None,
    };
    Some((&[], rest.get(length..)?))
}

/// A number in base 128, lowest group first, and what follows it.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * index as u32);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::deflate;

    #[test]
    fn texts_and_known_formats_are_content() {
        for content in [
            "plain words".as_bytes(),
            "张小明".as_bytes(),
            b"{\"a\":1}",
            &deflate::wrap("gzip", b"x"),
            &deflate::wrap("zlib", b"xyzzy"),
            b"\x08\x96\x01\x12\x06a text",
        ] {
            assert!(looks_like_content(content), "{content:?}");
        }
        let long = format!("{}é", "a".repeat(LOOKED_AT - 1));
        assert!(looks_like_content(long.as_bytes()));
    }

    #[test]
    fn few_random_bytes_are_content() {
        let random = |seed: u64| {
            let word = |n: u64| (seed * 4 + n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
            (0..4).flat_map(|n| word(n).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_be_bytes()).collect::<Vec<u8>>()
        };
        let taken = (0..10_000).filter(|seed| looks_like_content(&random(*seed))).count();
        assert!(taken < 20, "{taken}");
    }
}
