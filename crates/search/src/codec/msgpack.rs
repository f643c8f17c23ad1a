//! MessagePack, <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use super::table::About;
use super::tree::{self, Announces, Dialect, Item, big_endian, span};
use super::{Field, Structure, Typed};
use std::ops::{ControlFlow, Range};

/// Maps and arrays, one or several behind one another.
pub(crate) struct MessagePack;

/// What the documentation says.
pub(crate) const ABOUT: About = About {
    name: <MessagePack as Dialect>::NAME,
    undoes: "maps and arrays: strings, binary, extensions, timestamps, whole and floating-point numbers, keys",
    place: "whole bodies and whole fields",
    exact: true,
    source: "MessagePack specification",
};

/// Type of the extension that holds a timestamp.
const TIMESTAMP: u8 = 0xff;

/// True where the bytes are nothing but maps and arrays that hold a string or two items.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| is_first(*first))
        && tree::may_be_whole::<MessagePack>(bytes)
        && tree::summary::<MessagePack>(bytes).is_some_and(|found| {
            let enough = found.strings > 0 || found.leaves > 1;
            // Old writers put bytes into strings; where nothing is text, it is chance.
            enough && found.odd_keys == 0 && found.broken * 2 <= found.strings && found.roots <= found.leaves
        })
}

/// True for the heads of maps and arrays.
pub(super) const fn is_first(byte: u8) -> bool {
    matches!(byte, 0x80..=0x9f | 0xdc..=0xdf)
}

impl Structure for MessagePack {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = tree::walk::<Self>(bytes, visit);
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }

    fn is_certain(&self) -> bool {
        false
    }
}

impl Dialect for MessagePack {
    const NAME: &'static str = "msgpack";

    fn item(bytes: &[u8], at: usize) -> Option<(Item, usize)> {
        let head = *bytes.get(at)?;
        let after = at + 1;
        let count = |width| Some((big_endian(bytes, after, width)?, after + width));
        match head {
            0..=0x7f => Some(number(at..after, Typed::Integer(i128::from(head)))),
            0x80..=0x8f => Some((Item::Map(Some(u64::from(head & 15))), after)),
            0x90..=0x9f => Some((Item::Array(Some(u64::from(head & 15))), after)),
            0xa0..=0xbf => string(bytes, after, u64::from(head & 31), true),
            0xc0 | 0xc2 | 0xc3 => Some(number(after..after, Typed::Bytes)),
            0xc1 => None,
            0xc4..=0xc6 => count(1 << (head - 0xc4)).and_then(|(length, at)| string(bytes, at, length, false)),
            0xc7..=0xc9 => count(1 << (head - 0xc7)).and_then(|(length, at)| extension(bytes, at, length)),
            0xca => Some(number(after..after + 4, Typed::Single(f32::from_bits(big_endian(bytes, after, 4)? as u32)))),
            0xcb => Some(number(after..after + 8, Typed::Double(f64::from_bits(big_endian(bytes, after, 8)?)))),
            0xcc..=0xcf => integer(bytes, after, 1 << (head - 0xcc), false),
            0xd0..=0xd3 => integer(bytes, after, 1 << (head - 0xd0), true),
            0xd4..=0xd8 => extension(bytes, after, 1 << (head - 0xd4)),
            0xd9..=0xdb => count(1 << (head - 0xd9)).and_then(|(length, at)| string(bytes, at, length, true)),
            0xdc | 0xdd => count(2 << (head - 0xdc)).map(|(length, at)| (Item::Array(Some(length)), at)),
            0xde | 0xdf => count(2 << (head - 0xde)).map(|(length, at)| (Item::Map(Some(length)), at)),
            0xe0..=0xff => Some(number(at..after, Typed::Integer(i128::from(head as i8)))),
        }
    }

    fn skip(bytes: &[u8], at: usize) -> Option<(Announces, usize)> {
        let head = *bytes.get(at)?;
        let after = at + 1;
        Some(match head {
            0..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => (Announces::Items(0), after),
            0x80..=0x8f => (Announces::Items(2 * u64::from(head & 15)), after),
            0x90..=0x9f => (Announces::Items(u64::from(head & 15)), after),
            0xa0..=0xbf => (Announces::Items(0), span(bytes, after, u64::from(head & 31))?.end),
            _ => {
                let (item, next) = Self::item(bytes, at)?;
                (tree::announced(&item), next)
            }
        })
    }
}

fn number(range: Range<usize>, typed: Typed) -> (Item, usize) {
    let end = range.end;
    (Item::Number(range, typed), end)
}

fn integer(bytes: &[u8], at: usize, width: usize, signed: bool) -> Option<(Item, usize)> {
    let unsigned = big_endian(bytes, at, width)?;
    let unused = 64 - 8 * width as u32;
    let value = if signed { i128::from((unsigned << unused) as i64 >> unused) } else { i128::from(unsigned) };
    Some(number(at..at + width, Typed::Integer(value)))
}

fn string(bytes: &[u8], at: usize, length: u64, is_text: bool) -> Option<(Item, usize)> {
    let range = span(bytes, at, length)?;
    let end = range.end;
    Some((Item::String(range, is_text), end))
}

/// The type byte stands before the content. Timestamps of 32 and 96 bits are seconds, the latter
/// behind nanoseconds.
fn extension(bytes: &[u8], at: usize, length: u64) -> Option<(Item, usize)> {
    let kind = *bytes.get(at)?;
    let seconds = |at: usize, width: usize| integer(bytes, at, width, width == 8);
    match (kind, length) {
        (TIMESTAMP, 4) => seconds(at + 1, 4),
        (TIMESTAMP, 12) => seconds(at + 5, 8),
        _ => string(bytes, at + 1, length, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::testing::{Seen, noise, seen};
    use proptest::prelude::*;

    /// A value that can be written.
    #[derive(Debug, Clone)]
    enum Value {
        Integer(i64),
        Double(f64),
        Text(String),
        Bytes(Vec<u8>),
        Array(Vec<Value>),
        Map(Vec<(String, Value)>),
    }

    fn write(value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Integer(small @ 0..128) => out.push(*small as u8),
            Value::Integer(number) => {
                out.push(0xd3);
                out.extend(number.to_be_bytes());
            }
            Value::Double(number) => {
                out.push(0xcb);
                out.extend(number.to_be_bytes());
            }
            Value::Text(text) if text.len() < 32 => {
                out.push(0xa0 | text.len() as u8);
                out.extend(text.bytes());
            }
            Value::Text(text) => {
                out.extend([0xd9, text.len() as u8]);
                out.extend(text.bytes());
            }
            Value::Bytes(bytes) => {
                out.extend([0xc4, bytes.len() as u8]);
                out.extend(bytes);
            }
            Value::Array(items) => {
                out.push(0x90 | items.len() as u8);
                for item in items {
                    write(item, out);
                }
            }
            Value::Map(pairs) => {
                out.push(0xde);
                out.extend((pairs.len() as u16).to_be_bytes());
                for (key, value) in pairs {
                    write(&Value::Text(key.clone()), out);
                    write(value, out);
                }
            }
        }
    }

    /// Labels and contents in the order of the document.
    fn leaves(value: &Value, path: &str, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    leaves(item, &format!("{path}/{index}"), out);
                }
            }
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    out.push((format!("key in {path}").trim_end().to_owned(), Value::Text(key.clone())));
                    leaves(value, &format!("{path}/{key}"), out);
                }
            }
            leaf => out.push((path.to_owned(), leaf.clone())),
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::Integer),
            (0i64..128).prop_map(Value::Integer),
            (-1e9..1e9).prop_map(Value::Double),
            "[a-z ]{1,40}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 1..40).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec(("[a-z]{1,8}", inner), 0..6).prop_map(Value::Map),
            ]
        })
    }

    fn same(bytes: &[u8], seen: &Seen, label: &str, value: &Value) -> bool {
        let content = &bytes[seen.range.clone()];
        let equal = match value {
            Value::Integer(number) => seen.typed == Typed::Integer(i128::from(*number)),
            Value::Double(number) => seen.typed == Typed::Double(*number) && content == number.to_be_bytes(),
            Value::Text(text) => content == text.as_bytes(),
            Value::Bytes(all) => content == &all[..],
            Value::Array(_) | Value::Map(_) => false,
        };
        equal && seen.label == label
    }

    /// The example on the front page of msgpack.org, and what the specification draws.
    #[test]
    fn the_published_example_is_read() {
        let bytes = b"\x82\xa7compact\xc3\xa6schema\x00";
        assert!(begins(bytes));
        let found = seen(&MessagePack, bytes);
        assert_eq!(found.iter().map(|field| field.label.as_str()).collect::<Vec<_>>(), ["key in", "key in", "/schema"]);
        assert_eq!((found[2].typed, found[2].range.clone()), (Typed::Integer(0), 17..18));
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        let bytes = b"\x99\xcc\xff\xcd\x01\x00\xd0\xff\xd1\xff\xfe\xd2\xff\xff\xff\xfd\xca\x3f\x80\0\0\xff\xd6\xff\0\0\0\x05\xc7\x0c\xff\0\0\0\0\0\0\0\0\0\0\0\x06";
        let typed: Vec<_> = seen(&MessagePack, bytes).into_iter().map(|field| field.typed).collect();
        let integers = |numbers: &[i128]| numbers.iter().map(|number| Typed::Integer(*number)).collect::<Vec<_>>();
        assert_eq!(typed[..5], integers(&[255, 256, -1, -2, -3]));
        assert_eq!(typed[5..], [&[Typed::Single(1.0)][..], &integers(&[-1, 5, 6])].concat());
    }

    /// Fewer than 1 in 200 of any length from eight bytes.
    #[test]
    fn random_bytes_rarely_pass() {
        for length in [4, 8, 16, 20, 32, 64, 1000] {
            let passed = (0..50_000).filter(|seed| begins(&noise(*seed, length))).count();
            assert!(passed < if length < 8 { 500 } else { 250 }, "{passed} of {length} bytes");
        }
    }

    #[test]
    fn deep_nesting_and_many_items_cost_no_more_than_their_bytes() {
        assert!(!begins(&b"\x91".repeat(1_000_000)));
        let many = [&b"\xdd\0\x0f\x42\x40"[..], &b"\x01".repeat(1_000_000)].concat();
        assert!(begins(&many));
        let mut count = 0;
        MessagePack.walk(&many, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(count, 1_000_000);
    }

    proptest! {
        #[test]
        fn what_is_skipped_is_what_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let read = MessagePack::item(&bytes, 0).map(|(item, next)| (tree::announced(&item), next));
            prop_assert_eq!(MessagePack::skip(&bytes, 0), read);
        }

        #[test]
        fn what_was_written_comes_out(value in value()) {
            let root = Value::Map(vec![("root".to_owned(), value), ("other".to_owned(), Value::Text("text".to_owned()))]);
            let mut bytes = Vec::new();
            write(&root, &mut bytes);
            prop_assert!(begins(&bytes));
            let mut expected = Vec::new();
            leaves(&root, "", &mut expected);
            let found = seen(&MessagePack, &bytes);
            prop_assert_eq!(found.len(), expected.len());
            for (seen, (label, value)) in found.iter().zip(&expected) {
                prop_assert!(same(&bytes, seen, label, value), "{:?} is not {} {:?}", seen, label, value);
            }
        }

        #[test]
        fn any_bytes_are_walked_inside_their_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            begins(&bytes);
            seen(&MessagePack, &bytes);
        }
    }
}
