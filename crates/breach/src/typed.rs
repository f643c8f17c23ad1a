//! Rows of a dump whose columns are typed, for what compares rows and does not count columns.

use crate::kind::{Checker, Kind};
use crate::rows::{Batch, Damage, Row, Sink, Table, TableId};
use crate::sample::{Held, Sample};
use dyetrace_search::{RecogniseOptions, ResidentIdMode};
use std::collections::HashMap;

/// Most tables of a dump.
const MOST_TABLES: usize = 4096;

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
    /// Where each table is in `tables`: a dump may name a table before every row.
    known: HashMap<Table, u32>,
    held: Held,
}

struct Typing {
    table: Table,
    held: Option<Sample>,
    kinds: Vec<Kind>,
}

impl<'t, T: TypedRows> Typed<'t, T> {
    pub(crate) fn new(rows: &'t mut T, resident_ids: ResidentIdMode) -> Self {
        let recognise = RecogniseOptions { resident_ids, least_bits: 0.0, ..RecogniseOptions::default() };
        Self {
            rows,
            checker: Checker::new(recognise),
            tables: Vec::new(),
            known: HashMap::new(),
            held: Held::default(),
        }
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
        self.held.change(held.held(), 0);
        let headers = &table.table.columns;
        let kinds = held.kinds(held.width(headers.len()), headers, &mut self.checker);
        table.kinds = kinds.into_iter().map(|(kind, _)| kind).collect();
        self.rows.table(&table.kinds);
        for row in held.batch().rows() {
            self.rows.row(&row, &table.kinds, &mut self.checker);
        }
    }
}

impl<T: TypedRows> Sink for Typed<'_, T> {
    fn table(&mut self, table: &Table) -> TableId {
        if let Some(index) = self.known.get(table) {
            return TableId(*index);
        }
        if self.tables.len() >= MOST_TABLES {
            return TableId(u32::MAX);
        }
        let index = self.tables.len() as u32;
        self.known.insert(table.clone(), index);
        self.tables.push(Typing { table: table.clone(), held: Some(Sample::default()), kinds: Vec::new() });
        TableId(index)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let index = table.0 as usize;
        let Some(typing) = self.tables.get_mut(index) else { return };
        let mut taken = 0;
        if let Some(held) = &mut typing.held {
            let before = held.held();
            taken = held.take(batch);
            self.held.change(before, held.held());
            if held.is_full() || self.held.is_full() {
                self.type_columns(index);
            }
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
