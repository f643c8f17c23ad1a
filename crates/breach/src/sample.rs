//! The first rows of a table, held until they are enough to type its columns by.

use crate::kind::{self, Checker, Kind};
use crate::rows::{Batch, Place, Span};

/// Rows of a table that its columns are typed by.
const ROWS: usize = 1024;
/// Bytes of rows that are held for it.
const BYTES: usize = 8 << 20;
/// Fields of rows that are held for it.
const FIELDS: usize = 1 << 17;
/// Longest value looked at for its kind.
const VALUE: usize = 512;
/// Most columns of one table.
pub(crate) const MOST_COLUMNS: usize = 1024;

/// What the samples of all tables may hold together: then tables are typed by what there is of them.
const ALL_BYTES: usize = 256 << 20;

/// What the samples of all tables hold together.
#[derive(Default)]
pub(crate) struct Held(usize);

impl Held {
    /// A sample holds so many bytes, and no longer as many as before.
    pub(crate) fn change(&mut self, before: usize, now: usize) {
        self.0 = (self.0 + now).saturating_sub(before);
    }

    /// True where no sample may wait for more rows.
    pub(crate) fn is_full(&self) -> bool {
        self.0 > ALL_BYTES
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.0
    }
}

/// Rows held.
#[derive(Default)]
pub(crate) struct Sample {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    starts: Vec<u32>,
}

impl Sample {
    /// The rows.
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch { bytes: &self.bytes, spans: &self.spans, starts: &self.starts, place: Place { entry: 0, offset: 0 } }
    }

    /// Holds rows, until there are enough; gives how many it took.
    pub(crate) fn take(&mut self, batch: &Batch<'_>) -> usize {
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

    /// How much memory it takes.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>() + self.starts.capacity() * size_of::<u32>()
    }

    /// True where no more is needed.
    pub(crate) fn is_full(&self) -> bool {
        self.starts.len() > ROWS || self.bytes.len() >= BYTES || self.spans.len() >= FIELDS
    }

    /// The columns that the rows have, or the table says it has.
    pub(crate) fn width(&self, named: usize) -> usize {
        self.batch().rows().map(|row| row.len()).max().unwrap_or(0).max(named).min(MOST_COLUMNS)
    }

    /// What the columns are, so many of them, and how many of its values told each. `headers` are as the table says them;
    /// where it says none, columns may also be told by those beside them.
    pub(crate) fn kinds(&self, width: usize, headers: &[Option<String>], checker: &mut Checker) -> Vec<(Kind, usize)> {
        let header = |column: usize| headers.get(column).and_then(Option::as_deref);
        let mut kinds: Vec<_> = (0..width).map(|column| self.kind(column, header(column), checker)).collect();
        if headers.iter().all(Option::is_none) {
            let alone: Vec<Kind> = kinds.iter().map(|(kind, _)| *kind).collect();
            let names = kind::column_of_names(&alone, |column| self.values(column));
            if let Some((kind, _)) = names.and_then(|column| kinds.get_mut(column)) {
                *kind = Kind::Username;
            }
        }
        kinds
    }

    fn kind(&self, column: usize, header: Option<&str>, checker: &mut Checker) -> (Kind, usize) {
        let values = self.values(column);
        (kind::decide(&kind::Column { header, values: &values }, checker), values.len())
    }

    /// The beginnings of a column's values.
    fn values(&self, column: usize) -> Vec<&[u8]> {
        let batch = self.batch();
        let filled = batch.rows().filter_map(|row| row.field(column)).filter(|value| !value.is_empty());
        filled.map(|value| value.get(..value.len().min(VALUE)).unwrap_or_default()).collect()
    }
}
