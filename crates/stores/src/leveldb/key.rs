//! Keys as Chromium's `localStorage` writes them: `_`, the origin, a zero, and the page's own key as text.
//! (`components/services/storage/dom_storage`: 0 before text of UTF-16, 1 before text of Latin-1.)

use crate::path::label;
use std::borrow::Cow;

/// How a place shows a key, and for `localStorage` the key's text as UTF-8.
pub(super) fn shown(key: &[u8]) -> (Cow<'_, str>, Option<Vec<u8>>) {
    let Some((origin, own)) = local_storage(key) else {
        return (label(key), None);
    };
    let Some(own) = text(own) else { return (label(origin), None) };
    let origin = String::from_utf8_lossy(origin);
    let joined = format!("{origin} {}", String::from_utf8_lossy(&own));
    (Cow::Owned(label(joined.as_bytes()).into_owned()), Some(joined.into_bytes()))
}

/// A value of `localStorage` as UTF-8; none where the key is not one of it.
pub(super) fn browser_text(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    local_storage(key)?;
    text(value)
}

/// The origin and the page's own key, which still has the mark of its encoding.
fn local_storage(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = key.strip_prefix(b"_")?;
    let zero = memchr::memchr(0, rest)?;
    let (origin, own) = (rest.get(..zero)?, rest.get(zero + 1..)?);
    (origin.contains(&b':') && origin.is_ascii()).then_some((origin, own))
}

fn text(marked: &[u8]) -> Option<Vec<u8>> {
    let (mark, text) = marked.split_first()?;
    match mark {
        0 if text.len() % 2 == 0 => {
            let units = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            Some(chars.collect::<String>().into_bytes())
        }
        1 => Some(text.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_storage_is_given_as_text() {
        let key = b"_https://shop.example\0\x01phone";
        assert_eq!(shown(key).0, "https://shop.example phone");
        assert_eq!(browser_text(key, b"\x01caf\xe9"), Some("café".as_bytes().to_vec()));
        assert_eq!(browser_text(key, b"\0\x2d\x4e"), Some("中".as_bytes().to_vec()));
        assert_eq!(browser_text(b"phone", b"\x01x"), None, "not one of localStorage's keys");
        assert_eq!(shown(b"VERSION").0, "VERSION");
    }
}
