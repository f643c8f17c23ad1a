//! Whole JSON documents under one key: XORed with one byte, with one number added to every byte, or
//! reversed. Their brackets and quotes betray the key, so that everything in them can be undone,
//! not only values that are long enough to be told under an unknown key.

use crate::codec::json;
use crate::filter::Domain;
use crate::map::Map;

/// Shortest document: `{"a":"b"}`.
const SHORTEST: usize = 9;
/// Bytes that must be text.
const LOOKED_AT: usize = 256;

/// A document as it was before.
pub(crate) struct Undone {
    /// The step's name.
    pub(crate) name: &'static str,
    /// The key, in words.
    pub(crate) detail: Option<String>,
    /// The document.
    pub(crate) bytes: Vec<u8>,
    /// Where its bytes are.
    pub(crate) map: Map,
}

#[derive(Clone, Copy)]
enum How {
    Key(Domain, u8),
    Reversed,
}

/// Name and detail of the step that undoes a key.
pub(crate) fn under_key(domain: Domain, key: u8) -> (&'static str, String) {
    match domain {
        Domain::Sum => ("shift", format!("by {:+}", key.cast_signed())),
        Domain::Plain | Domain::Xor => ("xor", format!("key 0x{key:02x}")),
    }
}

/// True where the first and last bytes are those of such a document.
pub(crate) fn may_be(bytes: &[u8]) -> bool {
    // Both kinds of brackets are told by one and the same difference of the first byte and the last.
    let [first, .., last] = bytes else { return false };
    (first ^ last == b'{' ^ b'}' || last.wrapping_sub(*first) == b'}' - b'{') && hows(bytes).next().is_some()
}

/// The document.
pub(crate) fn undo(bytes: &[u8]) -> Option<Undone> {
    let how = hows(bytes).find(|how| {
        let start = restored(bytes, *how, LOOKED_AT);
        start.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace()) && json::begins(&start)
    })?;
    let whole = restored(bytes, how, bytes.len());
    Some(match how {
        How::Reversed => {
            let map = Map::Reversed { start: 0, length: bytes.len() };
            Undone { name: "reversed", detail: None, bytes: whole, map }
        }
        How::Key(domain, key) => {
            let (name, detail) = under_key(domain, key);
            Undone { name, detail: Some(detail), bytes: whole, map: Map::shift(0) }
        }
    })
}

fn restored(bytes: &[u8], how: How, length: usize) -> Vec<u8> {
    let first = bytes.iter().take(length);
    match how {
        How::Reversed => bytes.iter().rev().take(length).copied().collect(),
        How::Key(Domain::Sum, key) => first.map(|byte| byte.wrapping_sub(key)).collect(),
        How::Key(_, key) => first.map(|byte| byte ^ key).collect(),
    }
}

/// An object with a name, or an array of such objects or of texts: the ways in which the first two
/// bytes and the last are theirs.
fn hows(bytes: &[u8]) -> impl Iterator<Item = How> + use<> {
    let ends = match bytes {
        [first, second, .., before, last] if bytes.len() >= SHORTEST && may_be_brackets(*first, *last) => {
            Some([*first, *second, *before, *last])
        }
        _ => None,
    };
    ends.into_iter().flat_map(|[first, second, before, last]| {
        let keyed = [b'{', b'['].into_iter().flat_map(move |bracket| {
            let (key, by) = (first ^ bracket, first.wrapping_sub(bracket));
            let xor =
                (key != 0 && is_document(bracket, second ^ key, last ^ key)).then_some(How::Key(Domain::Xor, key));
            let second = second.wrapping_sub(by);
            let sum =
                (by != 0 && is_document(bracket, second, last.wrapping_sub(by))).then_some(How::Key(Domain::Sum, by));
            xor.into_iter().chain(sum)
        });
        let reversed = is_document(last, before, first).then_some(How::Reversed);
        reversed.into_iter().chain(keyed)
    })
}

/// False for most bytes at a glance: in ASCII the brackets of each pair are two apart, and differ in
/// the same two bits, whatever the key.
fn may_be_brackets(first: u8, last: u8) -> bool {
    last.wrapping_sub(first) == 2 || last ^ first == b'[' ^ b']'
}

fn is_document(first: u8, second: u8, last: u8) -> bool {
    let opens = matches!((first, second), (b'{', b'"' | b'\n') | (b'[', b'{' | b'"'));
    opens && matches!((first, last), (b'{', b'}') | (b'[', b']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &str = r#"{"id":17,"passport":"EK1234567","more":["é"]}"#;

    proptest! {
        #[test]
        fn a_document_under_any_key_is_restored_and_every_byte_has_its_place(key in 1u8.., is_sum: bool) {
            let hide = |byte: u8| if is_sum { byte.wrapping_add(key) } else { byte ^ key };
            let hidden: Vec<u8> = DOCUMENT.bytes().map(hide).collect();
            let undone = undo(&hidden).unwrap();
            prop_assert_eq!(&undone.bytes, DOCUMENT.as_bytes());
            for at in 0..hidden.len() {
                prop_assert_eq!(undone.map.outer(&(at..at + 1)), at..at + 1);
            }
        }
    }

    #[test]
    fn a_reversed_document_is_restored() {
        let hidden: Vec<u8> = DOCUMENT.bytes().rev().collect();
        let undone = undo(&hidden).unwrap();
        assert_eq!((undone.name, undone.bytes.as_slice()), ("reversed", DOCUMENT.as_bytes()));
        assert_eq!(undone.map.outer(&(0..1)), hidden.len() - 1..hidden.len());
    }

    proptest! {
        #[test]
        fn the_first_and_the_last_byte_tell_no_lie(bytes in proptest::collection::vec(any::<u8>(), 0..20), key: u8, by: u8) {
            for text in [bytes, DOCUMENT.bytes().map(|byte| (byte ^ key).wrapping_add(by)).collect()] {
                prop_assert_eq!(may_be(&text), hows(&text).next().is_some());
            }
        }
    }

    #[test]
    fn documents_as_they_are_and_other_texts_are_none() {
        for text in [DOCUMENT, "", "{}", "hello, world", "13800000427", "}{", r#"["a","b","c"]"#] {
            assert!(undo(text.as_bytes()).is_none(), "{text}");
        }
    }
}
