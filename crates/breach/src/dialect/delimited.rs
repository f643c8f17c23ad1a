//! One row a line, fields parted by a separator; with quotes as RFC 4180 has them, or without.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fields::{Escape, Fields};
use super::{Step, Text, find};
use crate::rows::Dialect;

/// The separators that dumps are written with, the longer before those they contain. The empty one
/// means that the whole line is one field.
pub(crate) const SEPARATORS: &[&str] =
    &["----", "---", "--", "||", "::", "==", "\t", "|", ",", ";", ":", "~", "^", "#", "\u{1}", " ", ""];

/// One of [`SEPARATORS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separator(pub(crate) &'static str);

impl Serialize for Separator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Separator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let known = SEPARATORS.iter().find(|separator| **separator == written);
        known.map(|separator| Self(separator)).ok_or_else(|| serde::de::Error::custom("no separator of dumps"))
    }
}

/// How lines are parted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delimited {
    pub(crate) separator: Separator,
    /// Whether a field that begins with `"` ends with one. Only where the separator is one byte.
    pub(crate) quotes: bool,
    /// How many fields most rows have.
    pub(crate) columns: usize,
}

/// The longest quoted field: a quote that is not closed must not swallow the rest of the dump.
const LONGEST_QUOTED: usize = 64 << 10;

/// Why a line could not be taken apart.
enum Stop {
    More,
    Unclosed,
}

impl Delimited {
    pub(crate) fn dialect(&self) -> Dialect {
        match self.separator.0.as_bytes() {
            [byte] if self.quotes => Dialect::Csv(*byte),
            _ => Dialect::Separated(self.separator.0),
        }
    }

    #[inline]
    pub(crate) fn step(&self, text: Text<'_>, at: usize, fields: &mut Fields) -> Step {
        match text.bytes.get(at..) {
            Some([b'\n', ..]) => return Step::Skip(at + 1),
            Some([b'\r', b'\n', ..]) => return Step::Skip(at + 2),
            _ => {}
        }
        let row = match self.separator.0.as_bytes() {
            [byte] if self.quotes => quoted(text, at, *byte, fields),
            [byte] => plain(text, at, *byte, fields),
            [] => plain(text, at, b'\n', fields),
            separator => parted(text, at, separator, fields),
        };
        match row {
            Ok(_) if text.examine && fields.open() != self.columns => {
                fields.abandon();
                Step::Misfit
            }
            Ok(next) => Step::Row(next),
            Err(stop) => {
                fields.abandon();
                match (stop, text.line_end(at)) {
                    (Stop::Unclosed, Some(end)) => Step::Lost(end, "a quote is not closed: the line is lost"),
                    _ => Step::More,
                }
            }
        }
    }
}

/// Where a field ends that a line end may follow: without the carriage return.
#[inline]
fn trimmed(text: &[u8], start: usize, end: usize) -> usize {
    if end > start && text.get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}

#[inline]
fn push(text: &[u8], start: usize, end: usize, fields: &mut Fields) {
    if end == start + 2 && text.get(start..end) == Some(b"\\N") {
        fields.push_null();
    } else {
        fields.push(start, end);
    }
}

#[inline]
fn plain(text: Text<'_>, at: usize, separator: u8, fields: &mut Fields) -> Result<usize, Stop> {
    let mut start = at;
    loop {
        let (end, is_last) = match find::either(text.bytes, start, separator, b'\n') {
            Some(end) => (end, text.bytes[end] == b'\n'),
            None if text.ended => (text.bytes.len(), true),
            None => return Err(Stop::More),
        };
        let end_of_field = if is_last { trimmed(text.bytes, start, end) } else { end };
        push(text.bytes, start, end_of_field, fields);
        start = end + 1;
        if is_last {
            return Ok(start.min(text.bytes.len()));
        }
    }
}

fn parted(text: Text<'_>, at: usize, separator: &[u8], fields: &mut Fields) -> Result<usize, Stop> {
    let next = text.line_end(at).ok_or(Stop::More)?;
    let end = if text.bytes.get(next - 1) == Some(&b'\n') { next - 1 } else { next };
    let end = trimmed(text.bytes, at, end);
    let mut start = at;
    let mut from = at;
    while let Some(found) = find::either(&text.bytes[..end], from, separator[0], separator[0]) {
        if text.bytes[found..end].starts_with(separator) {
            push(text.bytes, start, found, fields);
            start = found + separator.len();
            from = start;
        } else {
            from = found + 1;
        }
    }
    push(text.bytes, start, end, fields);
    Ok(next)
}

#[inline]
fn quoted(text: Text<'_>, at: usize, separator: u8, fields: &mut Fields) -> Result<usize, Stop> {
    let mut start = at;
    loop {
        let mut from = start;
        if text.bytes.get(start) == Some(&b'"') {
            let (end, doubled) = closing_quote(text, start + 1)?;
            from = end + 1;
            let is_whole = matches!(text.bytes.get(from), Some(byte) if [separator, b'\n', b'\r'].contains(byte));
            if is_whole || from == text.bytes.len() && text.ended {
                if doubled {
                    fields.push_escaped(start + 1, end, Escape::Doubled(b'"'));
                } else {
                    fields.push(start + 1, end);
                }
                start = usize::MAX;
            } else if from == text.bytes.len() {
                return Err(Stop::More);
            }
        }
        let (end, is_last) = match find::either(text.bytes, from, separator, b'\n') {
            Some(end) => (end, text.bytes[end] == b'\n'),
            None if text.ended => (text.bytes.len(), true),
            None => return Err(Stop::More),
        };
        if start != usize::MAX {
            let end_of_field = if is_last { trimmed(text.bytes, start, end) } else { end };
            push(text.bytes, start, end_of_field, fields);
        }
        start = end + 1;
        if is_last {
            return Ok(start.min(text.bytes.len()));
        }
    }
}

/// The place of the quote that closes a field, and whether there are doubled ones inside.
fn closing_quote(text: Text<'_>, start: usize) -> Result<(usize, bool), Stop> {
    let until = text.bytes.len().min(start + LONGEST_QUOTED);
    let mut from = start;
    while let Some(found) = text.bytes.get(from..until).and_then(|rest| memchr::memchr(b'"', rest)) {
        let quote = from + found;
        if text.bytes.get(quote + 1) != Some(&b'"') {
            let undecided = quote + 1 == text.bytes.len() && !text.ended;
            return if undecided { Err(Stop::More) } else { Ok((quote, from > start)) };
        }
        from = quote + 2;
    }
    let enough = text.ended || text.bytes.len() >= start + LONGEST_QUOTED;
    Err(if enough { Stop::Unclosed } else { Stop::More })
}
