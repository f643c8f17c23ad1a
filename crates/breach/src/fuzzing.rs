//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

#![allow(clippy::missing_panics_doc, reason = "an entry panics where a reader breaks its promise")]

use crate::dialect::{State, of_number};
use crate::entry::{Bounds, EntryReader};
use crate::read::{Checkpoint, Known};
use crate::rows::{Batch, Damage, Entry, Sink, Table, TableId};
use crate::window::Charset;
use crate::{Key, Options, Scan, ScanOptions, read_from};

/// Small limits, so that few bytes reach them.
fn options() -> Options {
    Options { block: 16 << 10, sample: 2 << 10, examine_every: 4 << 10, longest_row: 8 << 10, ..Options::default() }
}

/// Bytes that claim to be a dump, in any container, encoding and dialect.
pub fn scan(data: &[u8]) {
    let mut scan = Scan::new(&Key::from_bytes([7; 32]), ScanOptions::default());
    let mut read = data;
    read_from("dump", &mut read, &options(), &mut scan);
    let report = scan.finish();
    assert!(report.tables.iter().all(|table| table.columns.iter().all(|column| column.filled <= table.rows)));
    assert!(!report.to_string().is_empty(), "a report says something");
}

/// Bytes that are read as one dialect, told by the first of them, whatever they look like.
pub fn dialects(data: &[u8]) {
    let Some((&number, text)) = data.split_first() else { return };
    let state = of_number(number);
    let whole = rows_of(text, state.clone(), 16 << 10);
    assert!(whole == rows_of(text, state, 1 << 20), "rows depend on how much is read at once");
}

fn rows_of(text: &[u8], state: State, block: usize) -> Checked {
    let charset = Charset::of(text);
    // Far enough not to be guessed anew.
    let known = Known { charset, state, examined: u64::MAX >> 1, looked: 0 };
    let from = Some(Checkpoint { entry: 0, offset: 0, known: Some(known) });
    let mut checked = Checked { length: text.len() as u64, ..Checked::default() };
    let mut source = text;
    let options = Options { block, longest_row: 1 << 20, ..options() };
    let bounds = Bounds { from, until: None, placed: true };
    let end = EntryReader::new(0, &mut source, bounds, &options, &mut checked, &|| 0).run();
    assert!(end.at.offset <= text.len() as u64, "reading ends within the entry");
    checked
}

/// Counts what it is given.
#[derive(Default, PartialEq)]
struct Checked {
    length: u64,
    rows: usize,
    fields: usize,
    bytes: usize,
}

impl Sink for Checked {
    fn entry(&mut self, _: u32, _: &Entry) {}

    fn table(&mut self, _: &Table) -> TableId {
        TableId(0)
    }

    fn batch(&mut self, _: TableId, batch: &Batch<'_>) {
        assert!(batch.place.offset <= self.length, "a batch begins within the entry");
        self.rows += batch.len();
        for row in batch.rows() {
            self.fields += row.len();
            for field in (0..row.len()).filter_map(|column| row.field(column)) {
                assert!(std::str::from_utf8(field).is_ok(), "fields are text");
                self.bytes += field.len();
            }
        }
    }

    fn damage(&mut self, damage: Damage) {
        assert!(damage.place.offset <= self.length, "damage is within the entry");
    }
}
