//! Typed netstrings, the container of mitmproxy's flow files: `11:hello world,`.
//!
//! The tag that says what a value is stands behind it, so one top-level value is taken as a whole
//! (to disk where it is long) before it is looked into. Lengths are nested: damage inside a list or
//! dictionary costs the rest of that container and nothing beside it.

use crate::layer::Limits;
use dyetrace_case::{Blob, BlobWriter};
use std::io::{BufRead, BufReader, Read};

/// Lists and dictionaries inside each other; mitmproxy's go seven deep.
const DEPTH: usize = 64;

/// Values of one top-level value.
const VALUES: usize = 1 << 20;

/// Strings up to this length are held as they are, longer ones as a [`Blob`].
const SHORT: u64 = 64 << 10;

/// One value. Byte strings and texts are not told apart: mitmproxy changed its mind about most
/// fields over the years.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Bytes(Vec<u8>),
    /// A long string, and how many of its bytes a limit dropped.
    Long(Blob, u64),
    List(Vec<Value>),
    /// Members in the order of the file.
    Dict(Vec<(Vec<u8>, Value)>),
}

impl Value {
    /// The member of that name, unless it is null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let Self::Dict(members) = self else { return None };
        let member = members.iter().find(|(key, _)| key == name.as_bytes());
        member.map(|(_, value)| value).filter(|value| !matches!(value, Self::Null))
    }

    /// The first of several members that is there and not null.
    pub(super) fn first(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Value] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// A short string.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// A short string that is not empty, as text.
    pub(super) fn string(&self) -> Option<String> {
        let bytes = self.bytes().filter(|bytes| !bytes.is_empty())?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// A whole or broken number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// A string of any length, and how many of its bytes a limit dropped.
    pub(super) fn blob(&self) -> Option<(Blob, u64)> {
        match self {
            Self::Bytes(bytes) => Some((Blob::from(bytes.clone()), 0)),
            Self::Long(blob, dropped) => Some((blob.clone(), *dropped)),
            _ => None,
        }
    }
}

/// Why a value, or part of it, could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The file ends within it.
    Ended,
    /// A length or tag is wrong.
    Malformed,
    /// It has more values, or holds more text, than the limits allow.
    TooLarge,
}

/// One top-level value of a file.
#[derive(Debug)]
pub(super) struct Top {
    /// What could be read of it.
    pub(super) value: Value,
    /// Offset of its first byte.
    pub(super) start: u64,
    /// Bytes it takes up in the file.
    pub(super) length: u64,
    /// The first thing that was wrong with it.
    pub(super) fault: Option<Fault>,
}

/// The top-level values of a file, one after the other.
pub(super) struct Reader<R> {
    input: BufReader<R>,
    at: u64,
    limits: Limits,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self { input: BufReader::with_capacity(64 << 10, input), at: 0, limits }
    }

    /// The next value; `None` at the end of the file, the offset where no value begins.
    pub(super) fn next(&mut self) -> Option<Result<Top, u64>> {
        let start = self.at;
        let header = match self.header() {
            Ok(0) => return None,
            Ok(length) => length,
            Err(()) => return Some(Err(start)),
        };
        let mut writer = BlobWriter::new(self.limits.body);
        let whole = header.saturating_add(1);
        self.copy(whole, &mut writer);
        let blob = writer.finish();
        let tag = read_exact::<1>(&blob, header).map(|[tag]| tag);
        let mut parser = Parser { blob: &blob, limits: &self.limits, values: 0, held: 0, fault: None };
        let value = parser.payload(0, header, tag.unwrap_or(b'}'), 0);
        let fault = if tag.is_none() { Some(Fault::Ended) } else { parser.fault };
        Some(Ok(Top { value, start, length: self.at - start, fault }))
    }

    /// The length before the colon plus the length of nothing else; 0 at the end of the file.
    fn header(&mut self) -> Result<u64, ()> {
        let mut length: u64 = 0;
        for digits in 0..=12 {
            let Some(byte) = self.byte() else { return if digits == 0 { Ok(0) } else { Err(()) } };
            match byte {
                b'0'..=b'9' if digits < 12 => length = length * 10 + u64::from(byte - b'0'),
                // Nothing that means anything is empty at the top.
                b':' if length > 0 => return Ok(length),
                _ => break,
            }
        }
        Err(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.input.fill_buf().ok()?.first()?;
        self.input.consume(1);
        self.at += 1;
        Some(byte)
    }

    fn copy(&mut self, mut left: u64, writer: &mut BlobWriter) {
        while left > 0 {
            let Ok(piece) = self.input.fill_buf() else { return };
            let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if length == 0 {
                return;
            }
            writer.push(&piece[..length]);
            self.input.consume(length);
            self.at += length as u64;
            left -= length as u64;
        }
    }
}

/// `N` bytes at an offset, where there are as many.
fn read_exact<const N: usize>(blob: &Blob, at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (blob.read_at(at, &mut bytes).ok()? == N).then_some(bytes)
}

struct Parser<'b> {
    blob: &'b Blob,
    limits: &'b Limits,
    values: usize,
    held: u64,
    fault: Option<Fault>,
}

impl Parser<'_> {
    fn fail<T>(&mut self, fault: Fault) -> Option<T> {
        self.fault.get_or_insert(fault);
        None
    }

    /// The value at `at` of a container that ends at `end`, and the offset behind it. `key` is the
    /// name it has in its dictionary.
    fn value(&mut self, at: u64, end: u64, key: &[u8], depth: usize) -> Option<(Value, u64)> {
        self.values += 1;
        if self.values > VALUES || self.held > self.limits.held as u64 {
            return self.fail(Fault::TooLarge);
        }
        let (start, length) = self.header(at)?;
        let stop = start.checked_add(length).filter(|stop| *stop < end);
        let Some(stop) = stop else { return self.fail(Fault::Malformed) };
        let tag = read_exact::<1>(self.blob, stop).map(|[tag]| tag);
        let Some(tag) = tag.or_else(|| cut_tag(key)) else { return self.fail(Fault::Ended) };
        Some((self.payload(start, stop, tag, depth), stop + 1))
    }

    /// Start and length of the payload at `at`.
    fn header(&mut self, at: u64) -> Option<(u64, u64)> {
        let mut bytes = [0; 16];
        let Ok(length) = self.blob.read_at(at, &mut bytes) else { return self.fail(Fault::Ended) };
        let bytes = &bytes[..length];
        let Some(colon) = bytes.iter().position(|byte| *byte == b':') else {
            return self.fail(if length < 16 { Fault::Ended } else { Fault::Malformed });
        };
        let digits = &bytes[..colon];
        if digits.is_empty() || digits.len() > 12 || !digits.iter().all(u8::is_ascii_digit) {
            return self.fail(Fault::Malformed);
        }
        let value = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        Some((at + colon as u64 + 1, value))
    }

    fn payload(&mut self, start: u64, stop: u64, tag: u8, depth: usize) -> Value {
        match tag {
            b']' | b'}' if depth >= DEPTH => self.refuse(Fault::TooLarge),
            b']' => self.list(start, stop, depth),
            b'}' => self.dict(start, stop, depth),
            b',' | b';' => self.text(start, stop),
            b'~' => Value::Null,
            b'!' => Value::Bool(stop - start == 4),
            b'#' | b'^' => self.number(start, stop),
            _ => self.refuse(Fault::Malformed),
        }
    }

    fn refuse(&mut self, fault: Fault) -> Value {
        self.fault.get_or_insert(fault);
        Value::Null
    }

    fn list(&mut self, start: u64, stop: u64, depth: usize) -> Value {
        let (mut at, mut items) = (start, Vec::new());
        while at < stop {
            let Some((item, next)) = self.value(at, stop, b"", depth + 1) else { break };
            items.push(item);
            at = next;
        }
        Value::List(items)
    }

    fn dict(&mut self, start: u64, stop: u64, depth: usize) -> Value {
        let (mut at, mut members) = (start, Vec::new());
        while at < stop {
            let Some((Value::Bytes(key), next)) = self.value(at, stop, b"", depth + 1) else {
                self.fault.get_or_insert(Fault::Malformed);
                break;
            };
            let Some((value, next)) = self.value(next, stop, &key, depth + 1) else { break };
            members.push((key, value));
            at = next;
        }
        Value::Dict(members)
    }

    fn text(&mut self, start: u64, stop: u64) -> Value {
        let there = stop.min(self.blob.len());
        if there < stop {
            self.fault.get_or_insert(Fault::Ended);
        }
        let length = there.saturating_sub(start);
        if length <= SHORT {
            self.held += length;
            let mut bytes = vec![0; length as usize];
            let read = self.blob.read_at(start, &mut bytes).unwrap_or(0);
            bytes.truncate(read);
            return Value::Bytes(bytes);
        }
        let mut writer = BlobWriter::new(self.limits.body);
        let (mut at, mut buffer) = (start, vec![0; SHORT as usize]);
        while at < there {
            let want = (there - at).min(SHORT) as usize;
            let Ok(read @ 1..) = self.blob.read_at(at, &mut buffer[..want]) else { break };
            writer.push(&buffer[..read]);
            at += read as u64;
        }
        let dropped = writer.dropped();
        Value::Long(writer.finish(), dropped)
    }

    fn number(&mut self, start: u64, stop: u64) -> Value {
        let mut bytes = [0; 40];
        let length = (stop - start).min(40) as usize;
        let read = self.blob.read_at(start, &mut bytes[..length]).unwrap_or(0);
        let text = std::str::from_utf8(&bytes[..read]).unwrap_or_default();
        let whole = text.parse().map(Value::Integer);
        whole.or_else(|_| text.parse().map(Value::Float)).unwrap_or(Value::Null)
    }
}

/// What a value is whose tag was cut off, by its name in the dictionary. Only contents and what
/// leads to them are worth half: half a host name is a different host.
fn cut_tag(key: &[u8]) -> Option<u8> {
    match key {
        b"request" | b"response" | b"client_conn" | b"server_conn" | b"websocket" => Some(b'}'),
        b"headers" | b"messages" => Some(b']'),
        b"content" | b"body" => Some(b','),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value as mitmproxy writes it; long strings have to be in memory.
    pub(in crate::archive) fn write(value: &Value) -> Vec<u8> {
        let (payload, tag) = match value {
            Value::Null => (Vec::new(), '~'),
            Value::Bool(truth) => (truth.to_string().into_bytes(), '!'),
            Value::Integer(number) => (number.to_string().into_bytes(), '#'),
            Value::Float(number) => (format!("{number:?}").into_bytes(), '^'),
            Value::Bytes(bytes) => (bytes.clone(), ','),
            Value::Long(blob, _) => (blob.as_slice().unwrap().to_vec(), ';'),
            Value::List(items) => (items.iter().flat_map(write).collect(), ']'),
            Value::Dict(members) => {
                let member =
                    |(key, value): &(Vec<u8>, Value)| [write(&Value::Bytes(key.clone())), write(value)].concat();
                (members.iter().flat_map(member).collect(), '}')
            }
        };
        let mut written = format!("{}:", payload.len()).into_bytes();
        written.extend(payload);
        written.push(tag as u8);
        written
    }

    fn all(data: &[u8]) -> Vec<Result<Top, u64>> {
        let mut reader = Reader::new(data, Limits::default());
        std::iter::from_fn(|| reader.next()).take(1000).collect()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            (-1e9..1e9f64).prop_map(Value::Float),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            let key = prop::collection::vec(any::<u8>(), 0..6);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::vec((key, inner), 0..6).prop_map(Value::Dict),
            ]
        })
    }

    #[test]
    fn a_nesting_bomb_is_refused() {
        let mut bomb = b"0:~".to_vec();
        for _ in 0..5000 {
            bomb = [format!("{}:", bomb.len()).into_bytes(), bomb, b"]".to_vec()].concat();
        }
        let tops = all(&bomb);
        assert_eq!(tops[0].as_ref().unwrap().fault, Some(Fault::TooLarge));
    }

    #[test]
    fn damage_inside_a_container_costs_the_rest_of_that_container_only() {
        let tops = all(b"24:1:a,9:x:a,3:abc]1:b,1:7#}");
        let top = tops[0].as_ref().unwrap();
        assert_eq!((top.fault, top.value.get("b").unwrap().integer()), (Some(Fault::Malformed), Some(7)));
    }

    #[test]
    fn what_is_no_netstring_gives_its_offset() {
        for data in [&b"x"[..], b":", b"12", b"0:~", b"9999999999999:", b"-1:a,"] {
            assert_eq!(all(data)[0].as_ref().unwrap_err(), &0, "{data:?}");
        }
        assert_eq!(all(b"1:a,x")[1].as_ref().unwrap_err(), &4);
        assert!(all(b"").is_empty());
    }

    #[test]
    fn a_long_string_becomes_a_blob() {
        let long = Value::Bytes(vec![7; 200_000]);
        let tops = all(&write(&Value::List(vec![long])));
        let (blob, dropped) = tops[0].as_ref().unwrap().value.items()[0].blob().unwrap();
        assert_eq!((blob.len(), dropped), (200_000, 0));
        assert!(blob.as_slice().unwrap().iter().all(|byte| *byte == 7));
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(values in prop::collection::vec(value(), 0..4)) {
            let values: Vec<Value> = values.into_iter().map(|value| Value::List(vec![Value::Null, value])).collect();
            let written: Vec<u8> = values.iter().flat_map(write).collect();
            let read: Vec<Top> = all(&written).into_iter().map(Result::unwrap).collect();
            prop_assert!(read.iter().all(|top| top.fault.is_none()));
            let again: Vec<u8> = read.iter().flat_map(|top| write(&top.value)).collect();
            prop_assert_eq!(again, written);
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(prop::sample::select(&b"0123456789:,;#^!~]}a"[..]), 0..80)) {
            let _ = all(&data);
        }
    }
}
