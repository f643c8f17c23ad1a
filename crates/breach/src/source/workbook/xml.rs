//! XML as workbooks are written in, pulled item by item: no document type, no entities but XML's own (XML 1.0, 4.6), and
//! no item so long or so deep that memory grows with it.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The longest tag or run of text: a cell's text has 32,767 characters, each of at most ten bytes (`&#x10FFFF;`).
const LONGEST: usize = 1 << 20;
/// Sheets and shared strings are nested to less than ten.
const DEEPEST: usize = 64;

/// What stands next.
pub(super) enum Item<'b> {
    Open(BytesStart<'b>),
    Close(Name),
    Text(Cow<'b, str>),
    End,
}

/// The elements that rows are read from, whatever their prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Row,
    Cell,
    Value,
    Text,
    Phonetic,
    SharedString,
    SheetData,
    Other,
}

impl Name {
    pub(super) fn of(local: &str) -> Self {
        match local {
            "row" => Self::Row,
            "c" => Self::Cell,
            "v" => Self::Value,
            "t" => Self::Text,
            "rPh" => Self::Phonetic,
            "si" => Self::SharedString,
            "sheetData" => Self::SheetData,
            _ => Self::Other,
        }
    }
}

/// Why reading ends before the end.
pub(super) enum Stop {
    /// The bytes cannot be read on.
    Io(io::ErrorKind),
    /// They are not such XML.
    Broken,
}

pub(super) struct Xml<R: Read> {
    reader: Reader<Capped<BufReader<R>>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl<R: Read> Xml<R> {
    pub(super) fn new(source: R) -> Self {
        let mut reader = Reader::from_reader(Capped { inner: BufReader::with_capacity(32 << 10, source), taken: 0 });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Item<'_>, Stop> {
        self.buffer.clear();
        self.reader.get_mut().taken = 0;
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => Stop::Io(error.kind()),
            _ => Stop::Broken,
        })?;
        Ok(match event {
            Event::Start(_) if self.depth == DEEPEST => return Err(Stop::Broken),
            Event::Start(start) => {
                self.depth += 1;
                Item::Open(start)
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                Item::Close(Name::of(end.local_name().as_ref()))
            }
            Event::Text(text) => Item::Text(text.into_inner()),
            Event::CData(text) => Item::Text(text.into_inner()),
            Event::GeneralRef(reference) => {
                Item::Text(Cow::Owned(character(&reference.into_inner()).ok_or(Stop::Broken)?.to_string()))
            }
            Event::DocType(_) => return Err(Stop::Broken),
            Event::Eof if self.depth > 0 => return Err(Stop::Broken),
            Event::Eof => Item::End,
            _ => Item::Text(Cow::Borrowed("")),
        })
    }
}

/// The character of a reference (XML 1.0, 4.1 and 4.6), without `&` and `;`.
fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = reference.strip_prefix('#')?;
            let hex = number.strip_prefix('x').map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)
        }
    }
}

/// The value of an attribute, whatever its prefix. References in it are left: none of those asked for has any but in
/// formats of numbers, where they stand in quotes.
pub(super) fn attribute<'a>(start: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let mut attributes = start.attributes();
    let found = attributes.with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name);
    found.map(|attribute| attribute.value)
}

/// Gives no more than [`LONGEST`] bytes for one item.
struct Capped<R> {
    inner: R,
    taken: usize,
}

impl<R: BufRead> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Capped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.taken += count;
        self.inner.consume(count);
    }
}
