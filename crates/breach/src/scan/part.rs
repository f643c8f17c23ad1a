//! A part of a dump, counted without the parts before it, and then merged behind them.
//!
//! What depends on the order of the dump (who is joined to whom, which values are counted as the most repeated) is only
//! listed here, as digests, and counted when the part is merged. A part is of no use where it meets a table whose columns
//! are not typed yet: then the scan itself reads it.

use super::count::{Counter, RowCounts};
use super::{ScanOptions, identity};
use crate::column::{Column, Digests, KnownColumn};
use crate::damages::Damages;
use crate::hosts::Hosts;
use crate::key::ByDigest;
use crate::kind::{Day, Kind};
use crate::people::{Facts, People, ROW_KEYS};
use crate::rows::{Batch, Damage, Sink, Table, TableId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a part may take of memory beside its text before it is given up.
const MOST_HELD: usize = 24 << 20;

/// What a part has to know of the tables before it.
pub(super) struct Knowledge {
    pub(super) options: ScanOptions,
    /// Tables whose columns are typed.
    pub(super) tables: HashMap<u64, Vec<KnownColumn>>,
    /// Tables whose columns are not.
    pub(super) untyped: HashSet<u64>,
    /// Whether further tables are only counted.
    pub(super) is_full: bool,
    /// The digests of the scan.
    pub(super) digests: Arc<Digests>,
}

/// A part of a dump.
pub(super) struct Part {
    known: Arc<Knowledge>,
    counter: Counter,
    tables: Vec<PartTable>,
    /// What their columns take of memory, kept up to date: a dump may name another table before every row.
    held: usize,
    places: HashMap<u64, u32>,
    people: Listed,
    pub(super) damages: Damages,
    /// Tables that are too many to be counted one by one.
    pub(super) further: HashSet<u64>,
    is_unfit: bool,
}

/// A table of a part.
pub(super) struct PartTable {
    pub(super) identity: u64,
    pub(super) counts: RowCounts,
    pub(super) columns: Vec<Column>,
}

impl Part {
    pub(super) fn new(known: Arc<Knowledge>) -> Self {
        Self {
            counter: Counter::new(Arc::clone(&known.digests), &known.options),
            known,
            tables: Vec::new(),
            held: 0,
            places: HashMap::new(),
            people: Listed::default(),
            damages: Damages::default(),
            further: HashSet::new(),
            is_unfit: false,
        }
    }

    pub(super) fn is_unfit(&self) -> bool {
        self.is_unfit
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &PartTable> {
        self.tables.iter()
    }

    /// What the shapes of its columns take.
    pub(super) fn shapes(&self) -> usize {
        self.tables.iter().flat_map(|table| &table.columns).map(|column| column.held().0).sum()
    }

    pub(super) fn take_hosts(&mut self) -> ByDigest<String> {
        self.counter.noted.take()
    }

    /// Counts its people behind all others.
    pub(super) fn give_people(&self, people: &mut People, hosts: &mut Hosts) {
        people.add_without(self.people.without);
        let mut words = self.people.words.as_slice();
        let mut rows = Vec::with_capacity(256);
        while let Some((row, rest)) = Listed::next(words) {
            words = rest;
            rows.push(row);
            if rows.len() == 256 || words.is_empty() {
                people.add(&rows, hosts);
                rows.clear();
            }
        }
    }
}

impl PartTable {
    fn held(&self) -> usize {
        #[cfg(test)]
        tests::LOOKED.set(tests::LOOKED.get() + self.columns.len());
        self.columns.iter().map(|column| column.held().1).sum()
    }
}

impl Sink for Part {
    fn wants_more(&self) -> bool {
        !self.is_unfit
    }

    fn table(&mut self, table: &Table) -> TableId {
        let identity = self.counter.digests.of(Kind::Text, &identity(table));
        if let Some(place) = self.places.get(&identity) {
            return TableId(*place);
        }
        let Some(columns) = self.known.tables.get(&identity) else {
            if self.known.is_full && !self.known.untyped.contains(&identity) {
                self.further.insert(identity);
            } else {
                self.is_unfit = true;
            }
            return TableId(u32::MAX);
        };
        let columns = columns.iter().map(|known| Column::of_part(*known)).collect();
        let place = self.tables.len() as u32;
        let begun = PartTable { identity, counts: RowCounts::default(), columns };
        self.held += begun.held();
        self.tables.push(begun);
        self.places.insert(identity, place);
        TableId(place)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let Self { counter, tables, people, held, .. } = self;
        let Some(table) = tables.get_mut(table.0 as usize).filter(|_| !self.is_unfit) else { return };
        let before = table.held();
        counter.count(&mut table.columns, &mut table.counts, batch, (0, false), |facts, _| people.add(facts));
        *held = (*held + table.held()).saturating_sub(before);
        let listed = people.words.len() * size_of::<u64>();
        self.is_unfit = counter.noted.is_full() || *held + listed > MOST_HELD;
    }

    fn damage(&mut self, damage: Damage) {
        self.damages.add(damage);
    }
}

/// What rows say of their people, listed: a word of small facts, the identifiers, the digest of the mail host.
#[derive(Default)]
struct Listed {
    words: Vec<u64>,
    /// Rows that say of nobody whose they are.
    without: u64,
}

/// No day of birth.
const NO_BIRTH: u64 = 0xFFFF;

impl Listed {
    fn add(&mut self, rows: &[Facts]) {
        for row in rows {
            let keys = row.keys.iter().filter(|key| **key != 0);
            let count = keys.clone().count() as u64;
            if count == 0 {
                self.without += 1;
                continue;
            }
            let birth = row.birth.map_or(NO_BIRTH, |day| u64::from(day.0));
            let small = u64::from(row.kinds) << 32 | birth << 16 | u64::from(row.province) << 8;
            self.words.push(small | count << 1 | u64::from(row.host != 0));
            self.words.extend(keys);
            self.words.extend((row.host != 0).then_some(row.host));
        }
    }

    /// The first of the rows, and the words of the others.
    fn next(words: &[u64]) -> Option<(Facts, &[u64])> {
        let (small, rest) = words.split_first()?;
        let count = (small >> 1 & 7) as usize;
        let (listed, rest) = rest.split_at_checked(count.min(ROW_KEYS))?;
        let mut keys = [0; ROW_KEYS];
        keys.iter_mut().zip(listed).for_each(|(key, listed)| *key = *listed);
        let (host, rest) = match rest.split_first() {
            Some((host, rest)) if small & 1 == 1 => (*host, rest),
            _ => (0, rest),
        };
        let birth = small >> 16 & 0xFFFF;
        let birth = (birth != NO_BIRTH).then_some(Day(birth as u16));
        Some((Facts { keys, kinds: (small >> 32) as u32, birth, province: (small >> 8) as u8, host }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::rows::{Dialect, Place, Span};
    use crate::scan::Scan;
    use std::cell::Cell;

    thread_local! {
        /// Columns that were asked what they hold.
        pub(super) static LOOKED: Cell<usize> = const { Cell::new(0) };
    }

    const TABLES: usize = 500;
    const TURNS: usize = 20;

    fn row(sink: &mut dyn Sink, table: usize, number: usize) {
        let columns = vec![Some("mail".to_owned()), Some("pass".to_owned())];
        let name = Some(format!("t{table}"));
        let table = Table { entry: 0, name, columns, dialect: Dialect::SqlInsert, encoding: "UTF-8" };
        let text = format!("u{number}@example.test{:032x}", number * 7919);
        let mail = text.len() - 32;
        let spans = [Span::new(0, mail as u32), Span::new(mail as u32, 32)];
        let id = sink.table(&table);
        let place = Place { entry: 0, offset: 0 };
        sink.batch(id, &Batch { bytes: text.as_bytes(), spans: &spans, starts: &[0, 2], place });
    }

    #[test]
    fn tables_that_take_turns_row_by_row_cost_no_more_than_their_rows() {
        let mut scan = Scan::new(&Key::from_bytes([3; 32]), ScanOptions::default());
        (0..TABLES).for_each(|table| row(&mut scan, table, table));
        scan.type_all(u64::MAX);
        let mut part = Part::new(scan.knowledge());
        for number in 0..TABLES * TURNS {
            row(&mut part, number % TABLES, number);
        }
        let looked = LOOKED.get();
        assert!(!part.is_unfit() && part.tables.len() == TABLES);
        assert!(looked <= 2 * TABLES + 4 * TABLES * TURNS, "{looked} columns were looked at");
        let held: usize = part.tables.iter().map(PartTable::held).sum();
        assert_eq!(part.held, held, "what is kept up to date is what is held");
        assert!(scan.merge(&mut part));
        assert_eq!(scan.finish().people.rows, (TABLES + TABLES * TURNS) as u64);
    }
}
