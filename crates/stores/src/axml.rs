//! Android's compiled XML (`AndroidManifest.xml`, layouts): a pool of strings and a tree that names them by number
//! (`ResourceTypes.h` in AOSP's `frameworks/base`).

use crate::out::{Damaged, File, Form, Out, State, Value};
use crate::path::{self, Path};
use crate::place::Place;
use crate::varint::{u16_at, u32_at};
use std::borrow::Cow;
use std::ops::Range;

pub(crate) const MAGIC: &[u8] = &[3, 0, 8, 0];

/// Reads a document: attributes and texts by path, then the strings of the pool that nothing named.
pub(crate) fn read(bytes: &[u8], out: &mut Out<'_>) {
    let mut reader = Reader { bytes, pool: Pool::default(), path: Path::default(), out };
    let mut at = 8;
    while at < bytes.len() {
        let size = u32_at(bytes, at + 4).map_or(0, |size| size as usize);
        let chunk = bytes.get(at..at.saturating_add(size)).filter(|chunk| chunk.len() >= 8);
        let Some(chunk) = chunk else {
            reader.out.damage(File::Main, at as u64..bytes.len() as u64, Damaged::Markup);
            let place = Place::Named { name: "broken markup", at: at as u64 };
            reader.out.raw(place, bytes.get(at..).unwrap_or_default(), at as u64, File::Main, State::Live);
            break;
        };
        match u16_at(chunk, 0) {
            Some(0x0001) if reader.pool.strings.is_empty() => reader.pool = Pool::parse(chunk, at),
            Some(0x0102) => reader.open(chunk),
            Some(0x0103) => reader.path.close(),
            Some(0x0104) => reader.text(chunk),
            // Name spaces and numbers of resources hold no text.
            Some(0x0100 | 0x0101 | 0x0180) => {}
            _ => {
                let place = Place::Named { name: "a part of unknown kind", at: at as u64 };
                reader.out.raw(place, chunk, at as u64, File::Main, State::Live);
            }
        }
        at += size;
    }
    reader.unnamed();
}

/// The strings of a document.
#[derive(Default)]
struct Pool {
    utf8: bool,
    /// Where each string stands, and whether it was given.
    strings: Vec<(Range<usize>, bool)>,
    /// Bytes of strings that were given.
    bytes: usize,
}

impl Pool {
    fn parse(chunk: &[u8], start: usize) -> Self {
        let number = |at| u32_at(chunk, at).map_or(0, |number| number as usize);
        let (count, flags, strings) = (number(8), number(16), number(20));
        let utf8 = flags & 0x100 != 0;
        // No more strings than their table has room for.
        let table = (28..chunk.len().saturating_sub(3)).step_by(4).take(count);
        let string = |at: usize| {
            let local = string_range(chunk, strings.checked_add(number(at))?, utf8)?;
            Some((start + local.start..start + local.end, false))
        };
        Self { utf8, strings: table.map(|at| string(at).unwrap_or((0..0, true))).collect(), bytes: 0 }
    }

    /// A string as UTF-8.
    fn text<'a>(&self, bytes: &'a [u8], range: &Range<usize>) -> Cow<'a, [u8]> {
        let raw = bytes.get(range.clone()).unwrap_or_default();
        if self.utf8 {
            return Cow::Borrowed(raw);
        }
        let units = raw.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(chars.collect::<String>().into_bytes())
    }
}

/// Where the content of a string stands that starts at `at` with its length: in units of 16 bits, or in characters and
/// again in bytes. A length that is marked by its highest bit goes on in the next unit.
fn string_range(chunk: &[u8], at: usize, utf8: bool) -> Option<Range<usize>> {
    let (start, length) = if utf8 {
        let marked = |at: usize| Some(usize::from(*chunk.get(at)?)).map(|first| (first & 0x7f, first & 0x80 != 0));
        let (_, long) = marked(at)?;
        let at = at + 1 + usize::from(long);
        let (length, long) = marked(at)?;
        let low = if long { usize::from(*chunk.get(at + 1)?) } else { 0 };
        (at + 1 + usize::from(long), if long { length << 8 | low } else { length })
    } else {
        let first = usize::from(u16_at(chunk, at)?);
        let long = first & 0x8000 != 0;
        let low = if long { usize::from(u16_at(chunk, at + 2)?) } else { 0 };
        (at + 2 + 2 * usize::from(long), 2 * if long { (first & 0x7fff) << 16 | low } else { first })
    };
    let range = start..start.checked_add(length)?;
    chunk.get(range.clone()).map(|_| range)
}

struct Reader<'a, 'r, 'o> {
    bytes: &'a [u8],
    pool: Pool,
    path: Path,
    out: &'r mut Out<'o>,
}

/// Where the attributes of an attribute's own parts stand: its name, its text, and its typed value.
const ATTRIBUTE: usize = 20;

impl Reader<'_, '_, '_> {
    fn open(&mut self, chunk: &[u8]) {
        let base = u16_at(chunk, 2).map_or(16, usize::from);
        let name = self.name(u32_at(chunk, base + 4));
        let (start, count) = (u16_at(chunk, base + 8).unwrap_or(0), u16_at(chunk, base + 12).unwrap_or(0));
        let first = base + usize::from(start);
        let attributes = (0..usize::from(count)).map(|index| first + index * ATTRIBUTE);
        let attributes: Vec<&[u8]> = attributes.map_while(|at| chunk.get(at..at + ATTRIBUTE)).collect();
        let named = attributes.iter().find(|attribute| self.name(u32_at(attribute, 4)) == "name");
        let label = named.map(|attribute| self.name(u32_at(attribute, 8))).filter(|label| !label.is_empty());
        self.path.open(&name, label.as_deref(), self.out.limits.depth);
        for attribute in attributes {
            let name = self.name(u32_at(attribute, 4));
            self.attribute(&name, attribute);
        }
    }

    fn attribute(&mut self, name: &str, attribute: &[u8]) {
        let (text, kind, data) = (u32_at(attribute, 8), attribute.get(15), u32_at(attribute, 16).unwrap_or(0));
        let number = match kind {
            _ if text.is_some_and(|text| text != u32::MAX) => return self.give(text, name),
            Some(3) => return self.give(Some(data), name),
            Some(4) => f32::from_bits(data).to_string(),
            Some(0x12) => (data != 0).to_string(),
            Some(0x10 | 0x11) => (data as i32).to_string(),
            _ => return,
        };
        let path = self.path.with(name);
        let (bytes, file, state) = (Cow::Owned(number.into_bytes()), File::Main, State::Live);
        let place = Place::Path(&path);
        self.out.value(Value { place, bytes, file, at: None, state, form: Form::Integer });
    }

    fn text(&mut self, chunk: &[u8]) {
        let base = u16_at(chunk, 2).map_or(16, usize::from);
        self.give(u32_at(chunk, base), "");
    }

    /// Gives a string of the pool.
    fn give(&mut self, index: Option<u32>, attribute: &str) {
        let path = self.path.with(attribute);
        let string = index.and_then(|index| self.pool.strings.get_mut(index as usize));
        let Some((range, given)) = string else { return };
        let again = std::mem::replace(given, true);
        let range = range.clone();
        self.pool.bytes = self.pool.bytes.saturating_add(range.len());
        // Strings may overlap; where they do not, they are no more than there are bytes.
        let repeated = again || self.pool.bytes > self.bytes.len();
        if range.is_empty() || repeated && !self.out.charge_aloud(range.len(), &range) {
            return;
        }
        let at = Some(range.start as u64..range.end as u64);
        let bytes = self.pool.text(self.bytes, &range);
        let (place, file, state, form) = (Place::Path(&path), File::Main, State::Live, Form::Text);
        self.out.value(Value { place, bytes, file, at, state, form });
    }

    /// The strings that no element named as text or attribute: names of elements, and what is left over.
    fn unnamed(&mut self) {
        for (range, given) in &self.pool.strings {
            if *given || range.is_empty() || !self.out.charge_aloud(range.len(), range) {
                continue;
            }
            let place = Place::Named { name: "a string of the pool", at: range.start as u64 };
            let at = Some(range.start as u64..range.end as u64);
            let bytes = self.pool.text(self.bytes, range);
            self.out.value(Value { place, bytes, file: File::Main, at, state: State::Live, form: Form::Text });
        }
    }

    /// A short string for a path.
    fn name(&self, index: Option<u32>) -> String {
        let range = index.and_then(|index| self.pool.strings.get(index as usize)).map(|(range, _)| range.clone());
        let range = range.unwrap_or(0..0);
        // A unit of UTF-16 has at least one byte as UTF-8: what is cut here is cut there.
        let range = range.start..range.end.min(range.start + 2 * path::LONGEST + 2);
        path::label(&self.pool.text(self.bytes, &range)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::{Found, Limits};

    fn chunk(kind: u16, header: u16, content: &[u8]) -> Vec<u8> {
        let size = content.len() as u32 + 8;
        [&kind.to_le_bytes()[..], &header.to_le_bytes(), &size.to_le_bytes(), content].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `<activity name="a.B" exported="true">` from a pool of UTF-16.
    fn document() -> Vec<u8> {
        let strings = ["activity", "name", "exported", "a.B", "unused"];
        let (mut data, mut offsets) = (Vec::new(), Vec::new());
        for string in strings {
            offsets.push(data.len() as u32);
            let units: Vec<u16> = string.encode_utf16().collect();
            data.extend((units.len() as u16).to_le_bytes());
            data.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            data.extend([0, 0]);
        }
        let start = 28 + 4 * strings.len() as u32;
        let head = words(&[strings.len() as u32, 0, 0, start, 0]);
        let pool = chunk(1, 28, &[head, words(&offsets), data].concat());
        let attribute = |name, text, kind: u32, data| words(&[u32::MAX, name, text, 8 | kind << 24, data]);
        let counts = [20_u16, 20, 2, 0, 0, 0].iter().flat_map(|count| count.to_le_bytes()).collect::<Vec<u8>>();
        let element =
            [words(&[1, u32::MAX, u32::MAX, 0]), counts, attribute(1, 3, 3, 3), attribute(2, u32::MAX, 0x12, 1)];
        let element = chunk(0x102, 16, &element.concat());
        chunk(3, 8, &[pool, element].concat())
    }

    #[test]
    fn attributes_have_paths_and_strings_have_places() {
        let document = document();
        let mut values = Vec::new();
        let limits = Limits::default();
        let mut found = |found: Found<'_>| {
            if let Found::Value(value) = found {
                values.push((value.place.to_string(), String::from_utf8_lossy(&value.bytes).into_owned(), value.at));
            }
        };
        read(&document, &mut Out::new(&limits, &mut found));
        assert_eq!((values[0].0.as_str(), values[0].1.as_str()), ("activity \"a.B\"@name", "a.B"));
        let at = values[0].2.clone().unwrap();
        assert_eq!(document[at.start as usize..at.end as usize], *b"a\0.\0B\0");
        assert_eq!((values[1].0.as_str(), values[1].1.as_str()), ("activity \"a.B\"@exported", "true"));
        assert!(values.iter().any(|(_, text, _)| text == "unused"));
    }
}
