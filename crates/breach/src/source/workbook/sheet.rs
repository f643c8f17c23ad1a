//! A worksheet's rows (ECMA-376 part 1, 18.3.1) as text, row by row: what [`crate::dialect::sheet`] reads.

use std::io::{self, Read};

use quick_xml::events::BytesStart;

use super::text::Text;
use super::xml::{Item, Name, Stop, Xml, attribute};
use super::{Book, number};
use crate::dialect::sheet::{FIELD_END, NOTHING, ROW_END};

/// Excel's last column is XFD.
const MOST_COLUMNS: usize = 16_384;
/// The longest row that is given, in bytes of text.
const LONGEST_ROW: usize = 4 << 20;

/// What was wrong in a sheet, each told once.
#[derive(Clone, Copy)]
enum Note {
    NoString,
    DigitsLost,
    Misplaced,
    Cut,
    RowTooLong,
    Broken,
}

const NOTES: [&str; 6] = [
    "cells name shared strings that are not there: they are left empty",
    "numbers of more than 15 digits lost their last ones when the workbook was written: they are left empty",
    "cells stand beyond the last column or not in their order: they are not read",
    "a cell's text is longer than Excel's 32,767 characters: cut",
    "a row is longer than any row: lost",
    "the sheet is no XML of a worksheet from some point on: the rest is not read",
];

/// What a cell's value is (18.18.11).
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Shared,
    Boolean,
    Other,
}

struct Cell {
    column: usize,
    kind: Kind,
    style: usize,
    has_value: bool,
}

/// The rows of a sheet, as they are asked for.
pub(super) struct Sheet<'a> {
    xml: Xml<&'a mut dyn Read>,
    book: &'a Book,
    text: Text,
    cell: Option<Cell>,
    /// The row being made, then given.
    row: Vec<u8>,
    given: usize,
    /// How many fields the row has.
    fields: usize,
    /// The column after the last cell, which may have had no value.
    next: usize,
    is_too_long: bool,
    end: Option<Result<(), io::ErrorKind>>,
    notes: [bool; NOTES.len()],
}

impl<'a> Sheet<'a> {
    pub(super) fn new(source: &'a mut dyn Read, book: &'a Book) -> Self {
        Self {
            xml: Xml::new(source),
            book,
            text: Text::default(),
            cell: None,
            row: Vec::new(),
            given: 0,
            fields: 0,
            next: 0,
            is_too_long: false,
            end: None,
            notes: [false; NOTES.len()],
        }
    }

    /// What was wrong in what was read.
    pub(super) fn notes(&self) -> impl Iterator<Item = &'static str> {
        let noted = self.notes;
        NOTES.into_iter().zip(noted).filter_map(|(what, is_so)| is_so.then_some(what))
    }

    fn note(&mut self, note: Note) {
        self.notes[note as usize] = true;
    }

    /// Makes the next row that has a cell, or finds the end.
    fn make_row(&mut self) {
        self.start_row();
        while self.end.is_none() {
            let closed = match self.xml.next() {
                Ok(Item::Open(start)) => {
                    let name = Name::of(start.local_name().as_ref());
                    self.text.open(name);
                    match name {
                        Name::Cell => self.cell = Some(cell(&start, self.next)),
                        Name::Value | Name::Text => mark_value(&mut self.cell),
                        _ => {}
                    }
                    continue;
                }
                Ok(Item::Text(part)) => {
                    self.text.push(&part);
                    continue;
                }
                Ok(Item::Close(name)) => name,
                Ok(Item::End) => {
                    self.end = Some(Ok(()));
                    continue;
                }
                Err(Stop::Io(kind)) => {
                    self.end = Some(Err(kind));
                    continue;
                }
                Err(Stop::Broken) => {
                    self.note(Note::Broken);
                    self.end = Some(Ok(()));
                    continue;
                }
            };
            self.text.close(closed);
            match closed {
                Name::Cell => self.finish_cell(),
                Name::Row if self.finish_row() => return,
                _ => {}
            }
        }
        // A row that was not closed is not whole.
        self.start_row();
    }

    fn start_row(&mut self) {
        self.row.clear();
        (self.given, self.fields, self.next) = (0, 0, 0);
        (self.is_too_long, self.cell) = (false, None);
    }

    fn finish_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        if cell.column < self.next || cell.column >= MOST_COLUMNS {
            return self.note(Note::Misplaced);
        }
        self.next = cell.column + 1;
        if self.text.was_cut() {
            self.note(Note::Cut);
        }
        if self.row.len() > LONGEST_ROW {
            self.is_too_long = true;
        }
        if !cell.has_value || self.is_too_long {
            return;
        }
        while self.fields < cell.column {
            self.start_field();
            self.row.push(NOTHING);
        }
        self.start_field();
        self.value(&cell);
    }

    fn start_field(&mut self) {
        if self.fields > 0 {
            self.row.push(FIELD_END);
        }
        self.fields += 1;
    }

    fn value(&mut self, cell: &Cell) {
        let text = String::from_utf8_lossy(self.text.bytes());
        let lost = match cell.kind {
            Kind::Shared => {
                let index = text.trim().parse().ok();
                let shared = index.and_then(|index| self.book.strings.get(index));
                self.row.extend_from_slice(shared.unwrap_or(&[NOTHING]));
                shared.is_none().then_some(Note::NoString)
            }
            // A formula that was never worked out.
            Kind::Number if text.trim().is_empty() => {
                self.row.push(NOTHING);
                None
            }
            Kind::Number => {
                let date = self.book.styles.is_date(cell.style).then(|| number::date(text.trim(), self.book.from_1904));
                let date = date.flatten().map(Into::into);
                let number = date.or_else(|| number::plain(text.trim()));
                self.row.extend_from_slice(number.as_deref().map_or(&[NOTHING], str::as_bytes));
                number.is_none().then_some(Note::DigitsLost)
            }
            Kind::Boolean => {
                self.row.extend_from_slice(if text.trim() == "1" { b"TRUE" } else { b"FALSE" });
                None
            }
            Kind::Other => {
                self.row.extend_from_slice(self.text.bytes());
                None
            }
        };
        if let Some(note) = lost {
            self.note(note);
        }
    }

    /// Whether there is a row to give.
    fn finish_row(&mut self) -> bool {
        if self.is_too_long {
            self.note(Note::RowTooLong);
        }
        if self.is_too_long || self.fields == 0 {
            self.start_row();
            return false;
        }
        self.row.extend_from_slice(ROW_END);
        true
    }
}

impl Read for Sheet<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.row.len() && self.end.is_none() {
            self.make_row();
        }
        let rest = self.row.get(self.given..).unwrap_or_default();
        if let (true, Some(Err(kind))) = (rest.is_empty(), self.end) {
            return Err(kind.into());
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

fn mark_value(cell: &mut Option<Cell>) {
    if let Some(cell) = cell {
        cell.has_value = true;
    }
}

/// A cell that begins (18.3.1.4); `next` is its column where it names none.
fn cell(start: &BytesStart<'_>, next: usize) -> Cell {
    let kind = match attribute(start, "t").as_deref() {
        None | Some("n") => Kind::Number,
        Some("s") => Kind::Shared,
        Some("b") => Kind::Boolean,
        _ => Kind::Other,
    };
    let style = attribute(start, "s").and_then(|style| style.parse().ok()).unwrap_or(0);
    let column = attribute(start, "r").map_or(next, |place| column_of(&place).unwrap_or(usize::MAX));
    Cell { column, kind, style, has_value: false }
}

/// The column, from 0, of a place such as `AB12`.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.take(4).fold(0, |number, letter| number * 26 + usize::from(letter & 0x1F));
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_by_letters() {
        let columns = ["A1", "Z9", "AA1", "XFD1", "7", ""].map(column_of);
        assert_eq!(columns, [Some(0), Some(25), Some(26), Some(16_383), None, None]);
    }
}
