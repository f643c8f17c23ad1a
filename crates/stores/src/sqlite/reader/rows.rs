//! Rows: records with their overflow pages, and their columns.

use super::super::bytes::u32_at;
use super::super::cell::Local;
use super::super::images::Image;
use super::super::record::{self, Payload, Piece};
use super::super::schema::Table;
use super::{Reader, Reading, piece};
use crate::out::{Damaged, File, Form, State, Value};
use crate::place::{Column, Origin, PageAt, Part, Place, Within};
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

impl<'a> Reader<'a, '_, '_> {
    /// A record with its overflow pages.
    pub(super) fn payload(&mut self, image: &Image<'a>, local: &Local, reading: Reading) -> Payload<'a> {
        let mut payload = Payload { pieces: vec![piece(image, 0, local.range.clone())], file: image.file() };
        let Some((first, frames)) = local.overflow.zip(reading.as_of) else { return payload };
        let (mut next, mut chain) = (first, Vec::new());
        let mut available = payload.available();
        while available < local.total {
            let page = self.images.as_of(next, frames).filter(|page| self.may_take(page, reading.strict));
            let Some(page) = page else { break };
            let length = (self.header.usable - 4).min(usize::try_from(local.total - available).unwrap_or(usize::MAX));
            let piece = piece(&page, available, 4..4 + length);
            available += length as u64;
            next = u32_at(page.bytes, 0).unwrap_or(0);
            chain.push((page, piece, 4 + length));
        }
        let ends_well = available == local.total && next == 0;
        if reading.strict && !ends_well {
            return payload;
        }
        if !ends_well {
            let at = image.at(local.range.start);
            self.out.damage(image.file(), at..image.at(local.range.end), Damaged::Chain);
        }
        self.take(&mut payload, &chain);
        payload
    }

    /// Whether a page may be overflow of a record: it was given to nobody, and no chain has tried it. The second keeps
    /// many removed records from walking along the same broken chain.
    fn may_take(&mut self, page: &Image<'_>, strict: bool) -> bool {
        let Some(id) = page.id else { return false };
        let taken = self.claimed.get(id) != Some(&false);
        let Some(tried) = self.tried.get_mut(id) else { return false };
        if taken || *tried && strict {
            return false;
        }
        *tried = true;
        if !strict && let Some(claimed) = self.claimed.get_mut(id) {
            *claimed = true;
        }
        true
    }

    fn take(&mut self, payload: &mut Payload<'a>, chain: &[(Image<'a>, Piece<'a>, usize)]) {
        for (page, piece, end) in chain {
            self.claim(page);
            payload.pieces.push(*piece);
            self.raw(page, *end, page.bytes.len(), None, State::Unallocated, Part::Slack);
        }
    }

    /// Gives the columns of a record.
    pub(super) fn record(
        &mut self,
        payload: &Payload<'_>,
        table: Option<&Rc<Table>>,
        row: Option<i64>,
        total: u64,
        reading: Reading,
    ) {
        let Some(header) = record::Header::of(payload) else {
            return self.broken_record(payload, reading);
        };
        let mut start = header.length;
        for (index, serial) in header.types().enumerate() {
            let is_row = serial.is_null() && table.is_some_and(|table| table.row_id == Some(index));
            let Some(end) = serial.size().and_then(|size| start.checked_add(size)) else { break };
            let column = Field { table: table.map(AsRef::as_ref), index, row };
            match row.filter(|_| is_row) {
                Some(row) => self.row_id(payload, column, row, reading.state),
                None if !serial.is_null() => self.column(payload, column, serial, start..end, reading.state),
                None => {}
            }
            start = end;
        }
        if start != total && !reading.strict {
            self.broken_record(payload, reading);
        }
    }

    /// A live record that does not add up: its bytes are given raw, because columns may be missing.
    fn broken_record(&mut self, payload: &Payload<'_>, reading: Reading) {
        for piece in payload.pieces.iter().filter(|_| !reading.strict) {
            let file = file_of(piece.page.origin);
            self.out.damage(file, piece.at..piece.at + piece.bytes.len() as u64, Damaged::Entry);
            let place = Place::Page { part: Part::Gap, within: Within::Unknown, page: piece.page };
            self.out.raw(place, piece.bytes, piece.at, file, reading.state);
        }
    }

    /// The column that is the row's id.
    fn row_id(&mut self, payload: &Payload<'_>, column: Field<'_>, row: i64, state: State) {
        let Some(first) = payload.pieces.first() else { return };
        let bytes = Cow::Owned(row.to_string().into_bytes());
        let form = Form::Integer;
        self.out.value(Value { place: column.place(first.page), bytes, file: payload.file, at: None, state, form });
    }

    fn column(
        &mut self,
        payload: &Payload<'_>,
        column: Field<'_>,
        serial: record::Serial,
        range: Range<u64>,
        state: State,
    ) {
        let (start, end) = (range.start, range.end);
        let part = match payload.part(range, self.out.limits.value) {
            Some(part) => part,
            // 0 and 1 are in the type alone.
            None if start == end && serial.0 < 10 => {
                let Some(first) = payload.pieces.first() else { return };
                record::Part { bytes: Cow::Borrowed(b""), page: first.page, at: None }
            }
            None => return,
        };
        let cut = part.at.is_none() && part.bytes.len() as u64 + start < end.min(payload.available());
        if cut && let Some(first) = payload.pieces.first() {
            self.out.damage(payload.file, first.at..first.at + first.bytes.len() as u64, Damaged::Limit);
        }
        let (form, bytes) = serial.value(part.bytes, self.header.encoding);
        let place = column.place(part.page);
        let file = file_of(part.page.origin);
        self.out.value(Value { place, bytes, file, at: part.at, state, form });
    }
}

fn file_of(origin: Origin) -> File {
    match origin {
        Origin::Database => File::Main,
        Origin::Frame(_) => File::Wal,
        Origin::Journal(_) => File::Journal,
    }
}

pub(super) fn within(table: Option<&Table>) -> Within<'_> {
    table.map_or(Within::Unknown, Table::within)
}

/// Which column of which row.
#[derive(Clone, Copy)]
struct Field<'t> {
    table: Option<&'t Table>,
    index: usize,
    row: Option<i64>,
}

impl<'t> Field<'t> {
    fn place(self, page: PageAt) -> Place<'t> {
        let name = self.table.and_then(|table| table.columns.get(self.index)).filter(|name| !name.is_empty());
        let column = name.map_or(Column::Position(self.index as u32 + 1), |name| Column::Name(name));
        Place::Column { within: within(self.table), row: self.row, column, page }
    }
}
