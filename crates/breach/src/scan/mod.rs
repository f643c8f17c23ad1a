//! Triage of a dump: rows in, counts out.

mod cells;
mod count;
mod keeping;
mod part;
#[cfg(test)]
mod tests;
mod valid;

use crate::column::{Column, ColumnReport, Digests, Distinct, Place, ShapeRoom};
use crate::damages::Damages;
use crate::hosts::Hosts;
use crate::key::Key;
use crate::kind::{self, Checker, Day, Kind};
use crate::law::{self, Indication};
use crate::people::{People, PeopleReport};
use crate::read::Checkpoint;
use crate::rows::{Batch, Damage, Dialect, Entry, Sink, Table, TableId};
use crate::sample::{Held, Sample};
pub use cells::{Job, ScanError, scan_files};
use count::{Counter, RowCounts};
use dyetrace_search::{RecogniseOptions, ResidentIdMode};
use keeping::Again;
pub use keeping::Refused;
use part::{Knowledge, Part};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
pub(crate) use valid::Tally;

/// Most tables, and most columns of all of them, counted one by one.
const MOST_TABLES: usize = 4096;
const MOST_COLUMNS: usize = 16_384;

/// How a dump is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScanOptions {
    /// Which identity numbers count.
    pub resident_ids: ResidentIdMode,
    /// The latest year of birth.
    pub year: u16,
    /// Groups of people smaller than this are not told.
    pub k: u64,
    /// The day for which minors are counted, as year, month and day. `None`: the newest moment in the dump.
    pub minors_on: Option<(u16, u16, u16)>,
    /// Count only which values are valid: no different values, no shapes, no passwords and no people.
    pub only_valid: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { resident_ids: ResidentIdMode::Historical, year: 2026, k: 10, minors_on: None, only_valid: false }
    }
}

/// What is told of a dump. No value of it is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The files, and files inside of containers, in the order they were read.
    pub entries: Vec<EntryReport>,
    /// Its tables.
    pub tables: Vec<TableReport>,
    /// Tables that were too many to be counted one by one.
    pub further_tables: u64,
    /// How many people, and of which groups.
    pub people: PeopleReport,
    /// The newest moment in the dump, in seconds since 1970.
    pub newest: Option<i64>,
    /// Whether the counts reach thresholds of the law.
    pub indications: Vec<Indication>,
    /// Parts that were skipped, the first thousand.
    pub damages: Vec<DamageReport>,
    /// How many more were skipped.
    pub further_damages: u64,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryReport {
    /// Its number, from 0.
    pub index: u32,
    /// Its path as given; a path inside a container follows after `!`.
    pub path: String,
}

/// What is told of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// Which entry of the containers it is in.
    pub entry: u32,
    /// Its name.
    pub name: Option<String>,
    /// How its rows are written.
    pub dialect: String,
    /// Its encoding.
    pub encoding: &'static str,
    /// Its rows.
    pub rows: u64,
    /// Rows with more fields than the table has columns.
    pub longer_rows: u64,
    /// Its columns.
    pub columns: Vec<ColumnReport>,
}

/// A part that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamageReport {
    /// Which entry.
    pub entry: u32,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes.
    pub bytes: Option<u64>,
    /// What was wrong.
    pub what: String,
}

/// Counts what is read of a dump.
///
/// A dump is counted in cells of [`crate::Options::cell`] bytes of each entry. What is counted depends on the cells and
/// on the key, and not on how many of them were read at the same time, nor on where a scan was stopped and went on.
pub struct Scan {
    options: ScanOptions,
    counter: Counter,
    entries: Vec<EntryReport>,
    progress: Box<dyn FnMut(u64) + Send>,
    tables: Vec<Counting>,
    /// Tables by a digest of what makes them the same.
    known: HashMap<u64, u32>,
    columns: usize,
    held: Held,
    room: ShapeRoom,
    further_tables: Distinct,
    people: People,
    hosts: Hosts,
    damages: Damages,
    /// The cell of its entry that is read.
    cell: u64,
    again: Option<Again>,
}

/// A table while it is counted.
struct Counting {
    table: Table,
    identity: u64,
    counts: RowCounts,
    /// The first rows, until columns are typed, and the cell of the first of them.
    sample: Option<(Sample, u64)>,
    columns: Vec<Column>,
}

impl Scan {
    /// Nothing counted yet. All digests are under the key.
    pub fn new(key: &Key, options: ScanOptions) -> Self {
        Self {
            options,
            counter: Counter::new(Arc::new(Digests::new(key)), &options),
            entries: Vec::new(),
            progress: Box::new(|_| ()),
            tables: Vec::new(),
            known: HashMap::new(),
            columns: 0,
            held: Held::default(),
            room: ShapeRoom::default(),
            further_tables: Distinct::new(),
            people: People::new(),
            hosts: Hosts::default(),
            damages: Damages::default(),
            cell: 0,
            again: None,
        }
    }

    /// Also tells how many bytes of the files have been read, now and then.
    #[must_use]
    pub fn with_progress(self, progress: impl FnMut(u64) + Send + 'static) -> Self {
        Self { progress: Box::new(progress), ..self }
    }

    /// What was counted.
    pub fn finish(mut self) -> Report {
        self.type_all(u64::MAX);
        let newest = self.tables.iter().flat_map(|table| &table.columns).filter_map(Column::newest).max();
        let given = self.options.minors_on.and_then(|(year, month, day)| Day::new(year, month, day));
        let on = given.or_else(|| newest.and_then(Day::of_moment));
        let people = self.people.report(&self.hosts, on, self.options.k);
        let indications = law::indications(|kinds| self.people.with(kinds));
        let (damages, further_damages) = self.damages.report();
        Report {
            entries: self.entries,
            tables: self.tables.iter().map(|table| table.report(self.options.k)).collect(),
            further_tables: self.further_tables.count().0,
            people,
            newest,
            indications,
            damages,
            further_damages,
        }
    }

    /// Types the columns of all tables that began before a cell.
    fn type_all(&mut self, before: u64) {
        for index in 0..self.tables.len() {
            let sample = self.tables.get(index).and_then(|table| table.sample.as_ref());
            if sample.is_some_and(|(_, since)| *since < before) {
                self.type_columns(index);
            }
        }
    }

    /// Types the columns of a table by the rows held, and counts these.
    fn type_columns(&mut self, index: usize) {
        let Some(table) = self.tables.get_mut(index) else { return };
        let Some((sample, since)) = table.sample.take() else { return };
        let checker = &mut self.counter.checker;
        self.held.change(sample.held() + table.table.held(), 0);
        let width = sample.width(table.table.columns.len()).min(MOST_COLUMNS.saturating_sub(self.columns));
        // A statement whose quotes slipped may name a value.
        let name = table.table.name.take();
        table.table.name = name.filter(|name| is_header(name, checker));
        let mut headers = std::mem::take(&mut table.table.columns);
        for header in &mut headers {
            *header = header.take().filter(|header| is_header(header, checker));
        }
        let kinds = sample.kinds(width, &headers, checker);
        let headers = headers.into_iter().chain(std::iter::repeat(None));
        for (column, (header, (kind, sampled))) in headers.zip(kinds).enumerate() {
            let place = Place { before: self.columns + column, room: self.room.clone() };
            table.columns.push(Column::new(header, kind, sampled, since, place));
        }
        self.columns += width;
        self.count(index, &sample.batch(), since, true);
    }

    /// Counts rows of a table whose columns are typed.
    fn count(&mut self, index: usize, batch: &Batch<'_>, cell: u64, are_first: bool) {
        let Self { counter, tables, people, hosts, .. } = self;
        let Some(Counting { columns, counts, .. }) = tables.get_mut(index) else { return };
        counter.count(columns, counts, batch, (cell, are_first), |facts, noted| {
            hosts.learn(noted.take());
            people.add(facts, hosts);
        });
    }

    /// A cell of the entry begins. What is held of rows is not held longer than two cells.
    fn begin_cell(&mut self, cell: u64) {
        self.cell = cell;
        self.type_all(cell.saturating_sub(1));
        for table in &mut self.tables {
            table.counts.in_cell = 0;
            table.columns.iter_mut().for_each(|column| column.begin_cell(cell));
        }
    }

    /// What parts of the dump have to know to be counted at the same time.
    fn knowledge(&self) -> Arc<Knowledge> {
        let is_typed = |table: &&Counting| table.sample.is_none();
        let known = |table: &Counting| (table.identity, table.columns.iter().map(Column::known).collect());
        let tables = self.tables.iter().filter(is_typed).map(known).collect();
        let untyped = self.tables.iter().filter(|table| table.sample.is_some()).map(|table| table.identity).collect();
        let digests = Arc::clone(&self.counter.digests);
        Arc::new(Knowledge {
            options: self.options,
            tables,
            untyped,
            is_full: self.tables.len() >= MOST_TABLES,
            digests,
        })
    }

    /// Adds what was counted of a part of the dump that comes after all that was counted here. `false` where reading it
    /// here would count something else; then nothing is added.
    fn merge(&mut self, part: &mut Part) -> bool {
        let Some(places) = part.tables().map(|table| self.takes(table)).collect::<Option<Vec<_>>>() else {
            return false;
        };
        if part.is_unfit() || !self.room.does_not_mind(part.shapes()) {
            return false;
        }
        for (index, table) in places.into_iter().zip(part.tables()) {
            let Some(counting) = self.tables.get_mut(index) else { continue };
            counting.counts.rows += table.counts.rows;
            counting.counts.longer += table.counts.longer;
            counting.counts.in_cell += table.counts.in_cell;
            for (column, part) in counting.columns.iter_mut().zip(&table.columns) {
                column.merge(part, self.cell);
            }
        }
        self.hosts.learn(part.take_hosts());
        part.give_people(&mut self.people, &mut self.hosts);
        part.further.iter().for_each(|identity| self.further_tables.add(*identity));
        self.damages.merge(&part.damages);
        true
    }

    /// The place of a part's table, where it was counted as this one.
    fn takes(&self, table: &part::PartTable) -> Option<usize> {
        let index = *self.known.get(&table.identity)? as usize;
        let counting = self.tables.get(index).filter(|counting| counting.sample.is_none())?;
        let fits = counting.columns.len() == table.columns.len()
            && counting.columns.iter().zip(&table.columns).all(|(column, part)| column.takes(part));
        fits.then_some(index)
    }

    /// Everything of the entries before has been read.
    fn begin_entry(&mut self) {
        self.type_all(u64::MAX);
        // No more rows come to their tables, so that values that are still held decide nothing.
        self.tables.iter_mut().flat_map(|table| &mut table.columns).for_each(Column::close);
        self.begin_cell(0);
    }
}

/// False for what is no name of a column but looks like a value of a dump, so that it must not be shown.
pub fn is_column_name(name: &str) -> bool {
    let recognise = RecogniseOptions { least_bits: 0.0, ..RecogniseOptions::default() };
    is_header(name, &mut Checker::new(recognise))
}

/// False for what is no name of a column but a value: a first line taken for a header would be shown.
fn is_header(header: &str, checker: &mut Checker) -> bool {
    let digits = header.chars().filter(|letter| letter.is_numeric()).count();
    digits < 5 && header.len() <= 64 && kind::kinds_of(header.as_bytes(), checker) == 0
}

impl Counting {
    fn report(&self, k: u64) -> TableReport {
        let salt = self.columns.iter().any(|column| column.kind == Kind::Salt && column.valid() > 0);
        TableReport {
            entry: self.table.entry,
            name: self.table.name.clone(),
            dialect: dialect(self.table.dialect),
            encoding: self.table.encoding,
            rows: self.counts.rows,
            longer_rows: self.counts.longer,
            columns: self.columns.iter().map(|column| column.report(salt, k)).collect(),
        }
    }
}

/// Entry, name and columns of a table, each part with its length.
fn identity(table: &Table) -> Vec<u8> {
    let mut bytes = table.entry.to_le_bytes().to_vec();
    for part in std::iter::once(&table.name).chain(&table.columns) {
        let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
        bytes.extend(length.to_le_bytes());
        bytes.extend(part.iter().flat_map(|part| part.bytes()));
    }
    bytes
}

/// A dialect in words.
fn dialect(dialect: Dialect) -> String {
    match dialect {
        Dialect::SqlInsert => "SQL INSERT".to_owned(),
        Dialect::SqlCopy => "SQL COPY".to_owned(),
        Dialect::Csv(separator) => format!("CSV with {:?}", char::from(separator)),
        Dialect::Separated(separator) => format!("lines parted by {separator:?}"),
        Dialect::JsonLines => "JSON objects".to_owned(),
        Dialect::PhpSerialized => "PHP serialize".to_owned(),
        Dialect::Worksheet => "worksheet".to_owned(),
    }
}

impl Sink for Scan {
    fn entry(&mut self, index: u32, entry: &Entry) {
        if self.entries.len() < MOST_TABLES {
            self.entries.push(EntryReport { index, path: entry.path.clone() });
        }
        if self.again.is_none() {
            self.begin_entry();
        }
    }

    fn checkpoint(&mut self, _: &Checkpoint, read: u64) {
        (self.progress)(read);
    }

    fn edge(&mut self, cell: u64, checkpoint: &Checkpoint, _: u64) {
        if self.again.is_some() {
            return self.was_read_again(checkpoint);
        }
        self.begin_cell(cell);
    }

    fn wants_more(&self) -> bool {
        self.again.as_ref().is_none_or(Again::wants_more)
    }

    fn table(&mut self, table: &Table) -> TableId {
        let identity = self.counter.digests.of(Kind::Text, &identity(table));
        if let Some(index) = self.known.get(&identity) {
            let index = *index;
            self.name_again(index as usize, table);
            return TableId(index);
        }
        if let Some(again) = &mut self.again {
            if self.tables.len() < MOST_TABLES {
                again.meets_another_table();
            }
            return TableId(u32::MAX);
        }
        if self.tables.len() >= MOST_TABLES {
            self.further_tables.add(identity);
            return TableId(u32::MAX);
        }
        self.held.change(0, table.held());
        let sample = Some((Sample::default(), self.cell));
        let counts = RowCounts::default();
        self.tables.push(Counting { table: table.clone(), identity, counts, sample, columns: Vec::new() });
        let index = self.tables.len() as u32 - 1;
        self.known.insert(identity, index);
        if self.held.is_full() {
            self.type_columns(index as usize);
        }
        TableId(index)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let index = table.0 as usize;
        if self.again.is_some() {
            return self.hold_again(index, batch);
        }
        let Some(counting) = self.tables.get_mut(index) else { return };
        let mut taken = 0;
        if let Some((sample, _)) = &mut counting.sample {
            let before = sample.held();
            taken = sample.take(batch);
            self.held.change(before, sample.held());
            if !sample.is_full() && !self.held.is_full() {
                return;
            }
            self.type_columns(index);
        }
        if let Some(starts) = batch.starts.get(taken..) {
            self.count(index, &Batch { starts, ..*batch }, self.cell, false);
        }
    }

    fn damage(&mut self, damage: Damage) {
        if self.again.is_none() {
            self.damages.add(damage);
        }
    }
}
