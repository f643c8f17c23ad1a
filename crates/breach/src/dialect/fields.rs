//! The fields of the rows that are waiting to be given.

use crate::rows::Span;

/// How a field's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// MySQL's backslashes (MySQL manual 11.1.1) and doubled quotes.
    Backslash,
    /// A doubled quote stands for one.
    Doubled(u8),
    /// Hexadecimal digits; text where they stand for text.
    Hex,
    /// `COPY`'s and `SELECT INTO OUTFILE`'s backslashes (PostgreSQL manual, COPY).
    Copy,
    /// JSON's backslashes (RFC 8259 section 7).
    Json,
}

/// Rows, and one that is being made.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) spans: Vec<Span>,
    /// Where each row begins in `spans`, and where the next will.
    pub(crate) starts: Vec<u32>,
    /// Fields of the row being made that must be unescaped.
    escapes: Vec<(u32, Escape)>,
}

impl Fields {
    pub(crate) fn new() -> Self {
        Self { spans: Vec::new(), starts: vec![0], escapes: Vec::new() }
    }

    /// How many complete rows wait.
    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many fields the row being made has.
    pub(crate) fn open(&self) -> usize {
        self.spans.len() - self.starts.last().map_or(0, |&start| start as usize)
    }

    #[inline]
    pub(crate) fn push(&mut self, start: usize, end: usize) {
        self.spans.push(Span::new(start as u32, end.saturating_sub(start) as u32));
    }

    #[inline]
    pub(crate) fn push_null(&mut self) {
        self.spans.push(Span::NULL);
    }

    pub(crate) fn push_escaped(&mut self, start: usize, end: usize, escape: Escape) {
        self.escapes.push((self.spans.len() as u32, escape));
        self.push(start, end);
    }

    /// Whether the row being made has fields that completing it will change.
    pub(crate) fn has_escapes(&self) -> bool {
        !self.escapes.is_empty()
    }

    /// Gives up the row being made.
    pub(crate) fn abandon(&mut self) {
        self.spans.truncate(self.starts.last().map_or(0, |&start| start as usize));
        self.escapes.clear();
    }

    /// The row being made is complete: its fields are unescaped in place.
    #[inline]
    pub(crate) fn commit(&mut self, text: &mut [u8]) {
        if !self.escapes.is_empty() {
            self.unescape(text);
        }
        self.starts.push(self.spans.len() as u32);
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.escapes.clear();
        self.starts.truncate(1);
    }

    fn unescape(&mut self, text: &mut [u8]) {
        for (index, escape) in self.escapes.drain(..) {
            let Some(span) = self.spans.get_mut(index as usize) else { continue };
            let Some(range) = span.range() else { continue };
            let Some(field) = text.get_mut(range.clone()) else { continue };
            let length = match escape {
                Escape::Backslash => unescape(field, mysql, Some(b'\'')),
                Escape::Copy => unescape(field, copy, None),
                Escape::Doubled(quote) => halve(field, quote),
                Escape::Hex => unhex(field),
                Escape::Json => super::json::unescape(field),
            };
            *span = Span::new(range.start as u32, length as u32);
        }
    }
}

/// Unescapes backslashes, and doubled quotes where there are quotes, in place. The bytes left are the
/// first so many.
fn unescape(field: &mut [u8], character: fn(u8) -> u8, quote: Option<u8>) -> usize {
    let (mut read, mut written) = (0, 0);
    while read < field.len() {
        let byte = field[read];
        let next = field.get(read + 1).copied();
        let (taken, byte) = match (byte, next) {
            (b'\\', Some(next)) => (2, character(next)),
            (byte, next) if next == Some(byte) && next == quote => (2, byte),
            _ => (1, byte),
        };
        field[written] = byte;
        read += taken;
        written += 1;
    }
    written
}

fn mysql(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'b' => 8,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'Z' => 26,
        other => other,
    }
}

fn copy(byte: u8) -> u8 {
    match byte {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other => other,
    }
}

fn halve(field: &mut [u8], quote: u8) -> usize {
    let (mut read, mut written) = (0, 0);
    while read < field.len() {
        field[written] = field[read];
        read += if field[read] == quote && field.get(read + 1) == Some(&quote) { 2 } else { 1 };
        written += 1;
    }
    written
}

/// Text where the digits stand for printable UTF-8; else the digits, as a digest is read.
fn unhex(field: &mut [u8]) -> usize {
    let Some(bytes) = decoded_hex(field) else { return field.len() };
    let printable = std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_empty() && !text.contains(char::is_control));
    if !printable {
        return field.len();
    }
    field[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

fn decoded_hex(field: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = field.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}
