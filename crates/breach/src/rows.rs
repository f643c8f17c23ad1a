//! The seam between what reads dumps and what counts them: tables, and their rows in batches.

use std::fmt;

use crate::kind::Value;
use crate::read::Checkpoint;

/// Where in a dump something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which entry of the containers, counted from 0 in the order they are read.
    pub entry: u32,
    /// Bytes into that entry, unpacked and before any change of encoding.
    pub offset: u64,
}

/// What could not be read, and went unread. It never holds bytes of the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins.
    pub place: Place,
    /// How many bytes of the entry were skipped; `None` where nobody can tell.
    pub bytes: Option<u64>,
    /// What was wrong, in words for the responder.
    pub what: String,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `INSERT INTO` statements, as mysqldump and `pg_dump --inserts` write them.
    SqlInsert,
    /// `COPY … FROM stdin` blocks, as `pg_dump` writes them.
    SqlCopy,
    /// RFC 4180: quoted fields, doubled quotes; the separator is given.
    Csv(u8),
    /// One row a line, fields parted by these bytes (`----`, `:`, `|`, a tab), no quoting.
    Separated(&'static str),
    /// One JSON object a line, or an array of objects.
    JsonLines,
    /// PHP's `serialize` of an array, one a line or nested in another dialect's field.
    PhpSerialized,
    /// The rows of a worksheet.
    Worksheet,
}

/// What is known of a table before its rows come.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// Which entry it is in.
    pub entry: u32,
    /// Its name, where the dialect gives one.
    pub name: Option<String>,
    /// The names of its columns, from a schema, a header line or the keys of objects; `None` where a
    /// column has no name.
    pub columns: Vec<Option<String>>,
    /// How its rows are written.
    pub dialect: Dialect,
    /// The encoding its text was in, by its WHATWG name (`UTF-8`, `gb18030`, `Big5`, `UTF-16LE`).
    pub encoding: &'static str,
}

/// Without the names: where quotes slipped, a name is a value.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("entry", &self.entry)
            .field("columns", &self.columns.len())
            .field("dialect", &self.dialect)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl Table {
    /// How much memory its names take.
    pub(crate) fn held(&self) -> usize {
        let names: usize = self.columns.iter().flatten().map(String::len).sum();
        names + self.columns.len() * size_of::<Option<String>>()
    }
}

/// A table as its sink knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

/// One field of a batch: bytes of [`Batch::bytes`], or nothing at all (SQL's `NULL`, JSON's `null`, a
/// key that is not there). Nothing and empty are different facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// No value.
    pub const NULL: Self = Self { start: 0, length: u32::MAX };

    /// `length` bytes from `start`. A length of `u32::MAX` is [`Self::NULL`].
    pub fn new(start: u32, length: u32) -> Self {
        Self { start, length }
    }

    /// Where the field is. `None` for [`Self::NULL`].
    pub(crate) fn range(self) -> Option<std::ops::Range<usize>> {
        (self != Self::NULL).then(|| self.start as usize..(self.start as usize).saturating_add(self.length as usize))
    }

    /// The field's bytes. `None` for [`Self::NULL`] and for what lies outside of `bytes`.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        if self.length == u32::MAX {
            return None;
        }
        let start = self.start as usize;
        bytes.get(start..start.checked_add(self.length as usize)?)
    }
}

/// Rows of one table, in the order of the dump. Its `Debug` is not there: it would print values.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The text the fields are in: UTF-8 where the encoding is known, unescaped.
    pub bytes: &'a [u8],
    /// The fields of all rows, one row after the other.
    pub spans: &'a [Span],
    /// Where in `spans` each row begins, and one more: where the last one ends.
    pub starts: &'a [u32],
    /// Where the first row begins.
    pub place: Place,
}

impl<'a> Batch<'a> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, in order. A row may have fewer fields than its table has columns, or more.
    pub fn rows(&self) -> impl Iterator<Item = Row<'a>> + '_ {
        let (bytes, spans) = (self.bytes, self.spans);
        self.starts.windows(2).map(move |ends| {
            let fields = ends[0] as usize..ends[1] as usize;
            Row { bytes, spans: spans.get(fields).unwrap_or_default() }
        })
    }
}

/// The fields of one row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Row<'a> {
    /// How many fields the row has.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The field of a column. `None` where it is null or the row is too short.
    #[inline]
    pub fn field(&self, column: usize) -> Option<&'a [u8]> {
        self.spans.get(column)?.of(self.bytes)
    }

    /// The same field, and what stands behind it.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> Option<Value<'a>> {
        // A null's length is longer than any text.
        let span = self.spans.get(column)?;
        Value::of(self.bytes, span.start as usize, span.length as usize)
    }
}

/// A file, or a file inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path as given; a path inside a container follows after `!`: `dump.zip!users/a.sql`.
    pub path: String,
    /// How many bytes it has unpacked, as its container says. `None` where that is not said.
    pub size: Option<u64>,
}

/// What counts rows.
pub trait Sink {
    /// An entry begins. Entries are counted from 0 in the order they are read; those a reading that
    /// begins at a [`Checkpoint`] passes over are named too.
    fn entry(&mut self, index: u32, entry: &Entry) {
        let _ = (index, entry);
    }

    /// A table begins, or goes on after another: the same table (entry, name, columns) gets the same id. A table that
    /// goes on need not be told again.
    fn table(&mut self, table: &Table) -> TableId;

    /// Rows of a table.
    fn batch(&mut self, table: TableId, batch: &Batch<'_>);

    /// Something was skipped.
    fn damage(&mut self, damage: Damage);

    /// Everything before this point has been given, and reading can begin again here. `read` counts the
    /// bytes of the files as they are on disk that have been read so far, for showing progress.
    fn checkpoint(&mut self, checkpoint: &Checkpoint, read: u64) {
        let _ = (checkpoint, read);
    }

    /// The same at the first point between statements or lines in another cell ([`crate::Options::cell`]) of the entry,
    /// which are numbered from 0. However often and wherever a dump is read from, these points are the same.
    fn edge(&mut self, cell: u64, checkpoint: &Checkpoint, read: u64) {
        let _ = (cell, checkpoint, read);
    }

    /// False where nothing that follows is of use any more: reading may end.
    fn wants_more(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_different_and_a_short_row_has_no_field() {
        let spans = [Span::new(0, 3), Span::NULL, Span::new(3, 0), Span::new(2, 9)];
        let place = Place { entry: 0, offset: 0 };
        let batch = Batch { bytes: b"abc", spans: &spans, starts: &[0, 3, 4], place };
        let rows: Vec<_> = batch.rows().collect();
        assert_eq!(batch.len(), 2);
        assert_eq!((rows[0].field(0), rows[0].field(1), rows[0].field(2)), (Some(&b"abc"[..]), None, Some(&b""[..])));
        assert_eq!((rows[1].field(0), rows[1].field(1)), (None, None), "outside of the bytes, and beyond the row");
    }
}
