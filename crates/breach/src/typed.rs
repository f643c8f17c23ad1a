//! Rows of a dump whose columns are typed, for what compares rows and does not count columns.

use crate::cores::Merging;
use crate::kind::{Checker, Kind};
use crate::rows::{Batch, Damage, Place, Row, Sink, Table, TableId};
use crate::sample::{Held, Sample};
use dyetrace_search::{RecogniseOptions, ResidentIdMode};
use std::collections::HashMap;
use std::sync::Arc;

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

/// What takes typed rows in any order, so that parts of a dump can be read at the same time.
pub(crate) trait TypedParts: TypedRows {
    /// What parts have to know.
    type Known: Clone + Send + Sync;
    /// What takes the rows of a part.
    type Part: TypedRows + Send;

    /// What parts from here on have to know.
    fn known(&self) -> Self::Known;

    /// Nothing taken yet.
    fn part(known: &Self::Known) -> Self::Part;

    /// False where a part took more than it may hold: then its rows are taken one by one.
    fn is_small(part: &Self::Part) -> bool;

    /// Takes what a part took.
    fn merge(&mut self, part: &mut Self::Part);
}

/// Types the columns of each table by its first rows, and passes all of them on.
pub(crate) struct Typed<'t, T: TypedRows> {
    rows: &'t mut T,
    checker: Checker,
    resident_ids: ResidentIdMode,
    tables: Vec<Typing>,
    /// Where each table is in `tables`: a dump may name a table before every row.
    known: HashMap<Table, u32>,
    held: Held,
    /// What parts have to know of the tables, until another is typed.
    told: Option<Arc<Tables>>,
    has_further: bool,
}

struct Typing {
    table: Table,
    held: Option<Sample>,
    kinds: Arc<[Kind]>,
}

/// Tables for a part: what their columns hold; `None` where that is not known yet.
struct Tables {
    all: HashMap<Table, Option<Arc<[Kind]>>>,
    resident_ids: ResidentIdMode,
}

fn checker(resident_ids: ResidentIdMode) -> Checker {
    Checker::new(RecogniseOptions { resident_ids, least_bits: 0.0, ..RecogniseOptions::default() })
}

impl<'t, T: TypedRows> Typed<'t, T> {
    pub(crate) fn new(rows: &'t mut T, resident_ids: ResidentIdMode) -> Self {
        Self {
            rows,
            checker: checker(resident_ids),
            resident_ids,
            tables: Vec::new(),
            known: HashMap::new(),
            held: Held::default(),
            told: None,
            has_further: false,
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
        self.told = None;
        let headers = &table.table.columns;
        let kinds = held.kinds(held.width(headers.len()), headers, &mut self.checker);
        table.kinds = kinds.into_iter().map(|(kind, _)| kind).collect();
        self.rows.table(&table.kinds);
        for row in held.batch().rows() {
            self.rows.row(&row, &table.kinds, &mut self.checker);
        }
    }

    /// Rows of tables that are too many are not looked at: a part of the dump that is missing, which is told once.
    fn tell_further(&mut self, entry: u32) {
        if !std::mem::replace(&mut self.has_further, true) {
            let what = format!("more than {MOST_TABLES} tables: the rows of others are not compared");
            self.rows.damage(Damage { place: Place { entry, offset: 0 }, bytes: None, what });
        }
    }
}

impl<T: TypedRows> Sink for Typed<'_, T> {
    fn table(&mut self, table: &Table) -> TableId {
        if let Some(index) = self.known.get(table) {
            return TableId(*index);
        }
        if self.tables.len() >= MOST_TABLES {
            self.tell_further(table.entry);
            return TableId(u32::MAX);
        }
        let index = self.tables.len() as u32;
        self.known.insert(table.clone(), index);
        self.told = None;
        self.tables.push(Typing { table: table.clone(), held: Some(Sample::default()), kinds: Arc::default() });
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

/// What parts of a dump have to know.
pub(crate) struct Knowledge<K> {
    tables: Arc<Tables>,
    rows: K,
}

/// A part of a dump, read beside others. It is of no use where it meets a table whose columns are not typed yet.
pub(crate) struct TypedPart<R> {
    known: Arc<Tables>,
    rows: R,
    checker: Checker,
    tables: Vec<Arc<[Kind]>>,
    places: HashMap<Table, u32>,
    is_unfit: bool,
}

impl<T: TypedParts> Typed<'_, T> {
    /// What is known of the tables, in a form that parts share.
    fn told(&mut self) -> Arc<Tables> {
        let Self { tables, resident_ids, told, .. } = self;
        let tell = || {
            let kinds = |typing: &Typing| typing.held.is_none().then(|| Arc::clone(&typing.kinds));
            let all = tables.iter().map(|typing| (typing.table.clone(), kinds(typing))).collect();
            Arc::new(Tables { all, resident_ids: *resident_ids })
        };
        Arc::clone(told.get_or_insert_with(tell))
    }
}

impl<T: TypedParts> Merging for Typed<'_, T> {
    type Knowledge = Knowledge<T::Known>;
    type Part = TypedPart<T::Part>;

    fn knowledge(&mut self) -> Arc<Self::Knowledge> {
        Arc::new(Knowledge { tables: self.told(), rows: self.rows.known() })
    }

    fn part(knowledge: Arc<Self::Knowledge>) -> Self::Part {
        let known = Arc::clone(&knowledge.tables);
        let checker = checker(known.resident_ids);
        let rows = T::part(&knowledge.rows);
        TypedPart { known, rows, checker, tables: Vec::new(), places: HashMap::new(), is_unfit: false }
    }

    fn merge(&mut self, part: &mut Self::Part) -> bool {
        let is_of_use = !part.is_unfit && T::is_small(&part.rows);
        if is_of_use {
            self.rows.merge(&mut part.rows);
        }
        is_of_use
    }
}

impl<R: TypedRows> Sink for TypedPart<R> {
    fn wants_more(&self) -> bool {
        !self.is_unfit
    }

    fn table(&mut self, table: &Table) -> TableId {
        if let Some(place) = self.places.get(table) {
            return TableId(*place);
        }
        let Some(Some(kinds)) = self.known.all.get(table) else {
            self.is_unfit = true;
            return TableId(u32::MAX);
        };
        let place = self.tables.len() as u32;
        self.tables.push(Arc::clone(kinds));
        self.places.insert(table.clone(), place);
        TableId(place)
    }

    fn batch(&mut self, table: TableId, batch: &Batch<'_>) {
        let Self { rows, checker, tables, .. } = self;
        let Some(kinds) = tables.get(table.0 as usize) else { return };
        batch.rows().for_each(|row| rows.row(&row, kinds, checker));
    }

    fn damage(&mut self, damage: Damage) {
        self.rows.damage(damage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Dialect, Span};

    #[derive(Default)]
    struct Count {
        rows: u64,
        merged: u64,
    }

    impl TypedRows for Count {
        fn table(&mut self, _: &[Kind]) {}

        fn row(&mut self, _: &Row<'_>, _: &[Kind], _: &mut Checker) {
            self.rows += 1;
        }

        fn damage(&mut self, _: Damage) {}
    }

    impl TypedParts for Count {
        type Known = ();
        type Part = Self;

        fn known(&self) {}

        fn part((): &()) -> Self {
            Self::default()
        }

        fn is_small(_: &Self) -> bool {
            true
        }

        fn merge(&mut self, part: &mut Self) {
            self.rows += part.rows;
            self.merged += part.rows;
        }
    }

    fn rows(sink: &mut dyn Sink, table: &str, count: usize) {
        let name = Some(table.to_owned());
        let id = sink.table(&Table { entry: 0, name, columns: Vec::new(), dialect: Dialect::SqlInsert, encoding: "" });
        let starts: Vec<u32> = (0..=count as u32).collect();
        let spans = vec![Span::new(0, 1); count];
        sink.batch(id, &Batch { bytes: b"x", spans: &spans, starts: &starts, place: Place { entry: 0, offset: 0 } });
    }

    #[test]
    fn a_part_is_taken_where_its_tables_are_typed_and_else_read_again() {
        let mut count = Count::default();
        let mut typed = Typed::new(&mut count, ResidentIdMode::Historical);
        rows(&mut typed, "typed", 2000);
        rows(&mut typed, "begun", 10);
        let part = |typed: &mut Typed<'_, Count>, table: &str| {
            let mut part = <Typed<'_, Count> as Merging>::part(typed.knowledge());
            rows(&mut part, "typed", 5);
            rows(&mut part, table, 7);
            typed.merge(&mut part)
        };
        assert!(part(&mut typed, "typed"));
        assert!(!part(&mut typed, "begun") && !part(&mut typed, "unknown"));
        rows(&mut typed, "begun", 2000);
        assert!(part(&mut typed, "begun"), "it is typed by now, and parts know it");
        typed.finish();
        assert_eq!((count.rows, count.merged), (2000 + 10 + 2000 + 24, 24));
    }
}
