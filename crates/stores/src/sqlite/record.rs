//! Records and the pieces they stand in (SQLite file format, sections 2.1 and 1.7).

use super::bytes::varint;
use super::header::Encoding;
use crate::out::{File, Form};
use crate::place::PageAt;
use std::borrow::Cow;
use std::ops::Range;

/// One piece of a record: in its cell, or on an overflow page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Where in the record it starts.
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
    pub(super) page: PageAt,
    /// Offset in the file.
    pub(super) at: u64,
}

/// A record in its pieces, in order and without gaps. Never empty.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) file: File,
}

/// Bytes of a record.
pub(super) struct Part<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) page: PageAt,
    /// Where they stand in the file, when in one piece.
    pub(super) at: Option<Range<u64>>,
}

impl<'a> Payload<'a> {
    /// Bytes that there are; a broken chain leaves fewer than the record announces.
    pub(super) fn available(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.start + piece.bytes.len() as u64)
    }

    /// The bytes in a range, of which no more than `most` are put together from pieces. None where the range is
    /// empty or begins beyond the end.
    pub(super) fn part(&self, range: Range<u64>, most: usize) -> Option<Part<'a>> {
        let first = self.pieces.partition_point(|piece| piece.start <= range.start).checked_sub(1)?;
        let piece = self.pieces.get(first)?;
        let inside = (range.start - piece.start) as usize;
        let wanted = range.end.min(self.available()).checked_sub(range.start).filter(|length| *length > 0)? as usize;
        let page = PageAt { offset: piece.page.offset.saturating_add(inside as u32), ..piece.page };
        let head = piece.bytes.get(inside..).filter(|head| !head.is_empty())?;
        if let Some(bytes) = head.get(..wanted) {
            let at = piece.at + inside as u64;
            return Some(Part { bytes: Cow::Borrowed(bytes), page, at: Some(at..at + wanted as u64) });
        }
        let wanted = wanted.min(most);
        let mut bytes = head.get(..wanted).unwrap_or(head).to_vec();
        for piece in self.pieces.get(first + 1..)? {
            let missing = wanted.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.bytes.get(..missing).unwrap_or(piece.bytes));
            if bytes.len() >= wanted {
                break;
            }
        }
        Some(Part { bytes: Cow::Owned(bytes), page, at: None })
    }
}

/// Most bytes of a record's header: 32767 columns with types of nine bytes.
const LONGEST_HEADER: u64 = 32_767 * 9 + 9;

/// The header of a record: its length and the columns' types.
pub(super) struct Header<'a> {
    types: Cow<'a, [u8]>,
    pub(super) length: u64,
}

impl<'a> Header<'a> {
    pub(super) fn of(payload: &Payload<'a>) -> Option<Self> {
        let start = payload.part(0..9, 9)?;
        let (length, varint_length) = varint(&start.bytes)?;
        if !(1..=LONGEST_HEADER).contains(&length) {
            return None;
        }
        let types = payload.part(varint_length as u64..length, LONGEST_HEADER as usize);
        let types = types.map_or(Cow::Borrowed(&b""[..]), |part| part.bytes);
        Some(Self { types, length })
    }

    /// The columns' types, in order.
    pub(super) fn types(&self) -> impl Iterator<Item = Serial> {
        let mut rest: &[u8] = &self.types;
        std::iter::from_fn(move || {
            let (serial, length) = varint(rest)?;
            rest = rest.get(length..)?;
            Some(Serial(serial))
        })
    }
}

/// Whether bytes are a whole record of `total` bytes, as far as its first part shows: its header is there, and the
/// lengths that it gives add up. What is left of removed records is held against this before it is called one.
pub(super) fn is_record(local: &[u8], total: u64) -> bool {
    let Some((length, varint_length)) = varint(local) else { return false };
    let Some(mut rest) = usize::try_from(length).ok().and_then(|length| local.get(varint_length..length)) else {
        return false;
    };
    let (mut sum, mut columns) = (length, 0);
    while let Some((serial, length)) = varint(rest) {
        rest = rest.get(length..).unwrap_or_default();
        let Some(size) = Serial(serial).size() else { return false };
        sum = sum.saturating_add(size);
        columns += 1;
    }
    rest.is_empty() && columns > 0 && sum == total
}

/// The type of a column (section 2.1, "Serial Type Codes Of The Record Format").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Serial(pub(super) u64);

impl Serial {
    /// Bytes of the value; none for the two codes that are reserved.
    pub(super) fn size(self) -> Option<u64> {
        match self.0 {
            0 | 8 | 9 => Some(0),
            small @ 1..=4 => Some(small),
            5 => Some(6),
            6 | 7 => Some(8),
            10 | 11 => None,
            long => Some((long - 12) / 2),
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == 0
    }

    /// What the value is, and as which bytes it is given.
    pub(super) fn value(self, bytes: Cow<'_, [u8]>, encoding: Encoding) -> (Form, Cow<'_, [u8]>) {
        match self.0 {
            8 | 9 => (Form::Integer, Cow::Owned((self.0 - 8).to_string().into_bytes())),
            1..=6 => (Form::Integer, Cow::Owned(integer(&bytes).to_string().into_bytes())),
            7 => (Form::Real, real(&bytes).map_or(bytes, |real| Cow::Owned(real.to_string().into_bytes()))),
            long if long % 2 == 1 => (Form::Text, text(bytes, encoding)),
            _ => (Form::Blob, bytes),
        }
    }
}

/// A big-endian number in two's complement.
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { -1 } else { 0 };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

fn real(bytes: &[u8]) -> Option<f64> {
    Some(f64::from_be_bytes(bytes.try_into().ok()?))
}

fn text(bytes: Cow<'_, [u8]>, encoding: Encoding) -> Cow<'_, [u8]> {
    let unit = |pair: &[u8]| match (encoding, pair) {
        (Encoding::Utf16Be, &[high, low]) | (_, &[low, high]) => u16::from_be_bytes([high, low]),
        _ => 0xfffd,
    };
    if encoding == Encoding::Utf8 {
        return bytes;
    }
    let units = bytes.chunks_exact(2).map(unit);
    let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(chars.collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Origin;

    fn given(serial: u64, bytes: &'static [u8], encoding: Encoding) -> (Form, String) {
        let (form, bytes) = Serial(serial).value(Cow::Borrowed(bytes), encoding);
        (form, String::from_utf8(bytes.into_owned()).unwrap())
    }

    #[test]
    fn numbers_are_given_in_decimal() {
        let given = |serial, bytes| given(serial, bytes, Encoding::Utf8).1;
        assert_eq!(given(1, &[0xff]), "-1");
        assert_eq!(given(3, &[0x01, 0x00, 0x00]), "65536");
        assert_eq!(given(5, &[0x80, 0, 0, 0, 0, 0]), "-140737488355328");
        assert_eq!(given(6, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "9223372036854775807");
        assert_eq!(given(7, &[0x40, 0x5e, 0xdd, 0x2f, 0x1a, 0x9f, 0xbe, 0x77]), "123.456");
        assert_eq!(given(9, &[]), "1");
    }

    #[test]
    fn text_of_both_orders_is_given_as_utf8() {
        let expected = (Form::Text, "é中".to_owned());
        assert_eq!(given(21, &[0xe9, 0x00, 0x2d, 0x4e], Encoding::Utf16Le), expected);
        assert_eq!(given(21, &[0x00, 0xe9, 0x4e, 0x2d], Encoding::Utf16Be), expected);
    }

    #[test]
    fn parts_inside_a_piece_are_borrowed_and_across_pieces_put_together() {
        let page = PageAt { number: 2, offset: 10, origin: Origin::Database };
        let next = PageAt { number: 3, offset: 4, origin: Origin::Database };
        let pieces = vec![
            Piece { start: 0, bytes: b"abc", page, at: 100 },
            Piece { start: 3, bytes: b"defg", page: next, at: 200 },
        ];
        let payload = Payload { pieces, file: File::Main };
        let part = |range| payload.part(range, 5).map(|part| (part.bytes.into_owned(), part.at, part.page.offset));
        assert_eq!(part(1..3), Some((b"bc".to_vec(), Some(101..103), 11)));
        assert_eq!(part(4..7), Some((b"efg".to_vec(), Some(201..204), 5)));
        assert_eq!(part(2..5), Some((b"cde".to_vec(), None, 12)));
        assert_eq!(part(0..7), Some((b"abcde".to_vec(), None, 10)), "no more than the limit");
        assert_eq!(part(5..90), Some((b"fg".to_vec(), Some(202..204), 6)), "what there is");
        assert_eq!(part(7..9), None);
        assert_eq!(part(2..2), None);
    }

    #[test]
    fn only_what_adds_up_is_a_record() {
        assert!(is_record(&[3, 1, 15, 7, b'x'], 5));
        assert!(!is_record(&[3, 1, 15, 7, b'x'], 6));
        assert!(!is_record(&[3, 1, 10, 7, b'x'], 5), "a reserved type");
        assert!(!is_record(&[1], 1), "no columns");
        assert!(!is_record(&[0, 0, 0, 0], 4));
    }
}
