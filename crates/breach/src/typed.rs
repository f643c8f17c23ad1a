//! Rows of a dump whose columns are typed, for what compares rows and does not count columns.

use crate::kind::{self, Checker, Kind};
use crate::rows::{Batch, Damage, Place, Row, Sink, Span, Table, TableId};
use dyetrace_search::{RecogniseOptions, ResidentIdMode};

/// Rows that columns are typed by.
const SAMPLE_ROWS: usize = 1024;
/// Bytes of rows that are held for it.
const SAMPLE_BYTES: usize = 8 << 20;
/// Longest value looked at for its kind.
const SAMPLE_VALUE: usize = 512;
/// Most tables of a dump, and columns of one.
const MOST_TABLES: usize = 4096;
const MOST_COLUMNS: usize = 1024;

/// What takes typed rows.
pub(crate) trait TypedRows {
    /// The columns of a table are typed; its rows follow, among those of other tables.
    fn table(&mut self, kinds: &[Kind]);

    /// A row, with what its columns hold. The checker says whether a field is valid, and its canonical form.
    fn row(&mut self, row: &Row<'_>, kinds: &[Kind], checker: &mut Checker);

    /// Something was skipped.
    fn damage(&mut self, damage: Damage);
}

/// Types the columns of each table by its first rows, and passes all of them on.
pub(crate) struct Typed<'t, T: TypedRows> {
    rows: &'t mut T,
    checker: Checker,
    tables: Vec<Typing>,
}

struct Typing {
    table: Table,
    held: Option<Held>,
    kinds: Vec<Kind>,
}

/// The first rows of a table.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    starts: Vec<u32>,
}

impl<'t, T: TypedRows> Typed<'t, T> {
    pub(crate) fn new(rows: &'t mut T, resident_ids: ResidentIdMode) -> Self {
        let recognise = RecogniseOptions { resident_ids, least_bits: 0.0, ..RecogniseOptions::default() };
        Self { rows, checker: Checker::new(recognise), tables: Vec::new() }
    }

    /// Passes on what is still held. To be called when the dump is read.
    pub(crate) fn finish(mut self) {
        for index in 0..self.tables.len() {
            self.type_columns(index);
        }
    }

    fn type_columns(&mut self, index: usize) {
        let Some(table) = self.tables.get_mut(index) else { return };
        let Some(held) = table.held.take() else { return };
        let batch = held.batch();
        let widest = batch.rows().map(|row| row.len()).max().unwrap_or(0).max(table.table.columns.len());
        for column in 0..widest.min(MOST_COLUMNS) {
            let header = table.table.columns.get(column).and_then(Option::as_deref);
            let filled = batch.rows().filter_map(|row| row.field(column)).filter(|value| !value.is_empty());
            let values: Vec<&[u8]> =
                filled.map(|value| value.get(..value.len().min(SAMPLE_VALUE)).unwrap_or_default()).collect();
            table.kinds.push(kind::decide(&kind::Column { header, values: &values }, &mut self.checker));
        }
        self.rows.table(&table.kinds);
        for row in batch.rows() {
            self.rows.row(&row, &table.kinds, &mut self.checker);
        }
    }
}

impl<T: TypedRows> Sink for Typed<'_, T> {
    fn table(&mut self, table: &Table) -> TableId {
        let known = self.tables.iter().position(|other| other.table == *table);
        let index = known.unwrap_or(self.tables.len());
        if known.is_none() && index < MOST_TABLES {
            self.tables.push(Typing { table: table.clone(), held: Some(Held::default()), kinds: Vec::new() });
        }
        TableId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let index = table.0 as usize;
        let Some(typing) = self.tables.get_mut(index) else { return };
        let taken = typing.held.as_mut().map_or(0, |held| held.take(batch));
        if typing.held.as_ref().is_some_and(Held::is_full) {
            self.type_columns(index);
        }
        let Some(typing) = self.tables.get(index).filter(|typing| typing.held.is_none()) else { return };
        for row in batch.rows().skip(taken) {
            self.rows.row(&row, &typing.kinds, &mut self.checker);
        }
    }

    fn damage(&mut self, damage: Damage) {
        self.rows.damage(damage);
    }
}

impl Held {
    fn batch(&self) -> Batch<'_> {
        Batch { bytes: &self.bytes, spans: &self.spans, starts: &self.starts, place: Place { entry: 0, offset: 0 } }
    }

    /// Holds rows until there are enough; gives how many it took.
    fn take(&mut self, batch: &Batch<'_>) -> usize {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        let mut taken = 0;
        for row in batch.rows() {
            if self.is_full() {
                break;
            }
            for column in 0..row.len().min(MOST_COLUMNS) {
                let span = row.field(column).map_or(Span::NULL, |value| {
                    let start = self.bytes.len() as u32;
                    self.bytes.extend_from_slice(value);
                    Span::new(start, value.len() as u32)
                });
                self.spans.push(span);
            }
            self.starts.push(self.spans.len() as u32);
            taken += 1;
        }
        taken
    }

    fn is_full(&self) -> bool {
        self.starts.len() > SAMPLE_ROWS || self.bytes.len() >= SAMPLE_BYTES || self.spans.len() >= 1 << 17
    }
}
