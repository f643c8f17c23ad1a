//! One column: what its values are and how many.

mod distinct;
mod first_seen;
mod frequent;
mod keeping;
mod report;
mod shape;

pub(crate) use distinct::Distinct;
pub(crate) use first_seen::FirstSeen;
pub(crate) use frequent::Frequent;
pub use report::{ColumnReport, DistinctReport, KindRows, ShapeShare};

use crate::key::{Key, ShortDigests};
use crate::kind::{self, Checker, Kind};
use crate::password::Stored;
use crate::scan::Tally;
pub(crate) use shape::ShapeRoom;
use shape::Shapes;

/// Filled values after which a column whose sample was empty is typed after all.
const LATE: usize = 64;
/// Of so many values one is looked at again: for its shape, and for what it is where it is not of the column's kind.
const SAMPLED: u64 = 61;

/// Digests by what they are of: the same value in two columns of one kind has one digest.
pub(crate) struct Digests {
    kinds: Vec<ShortDigests>,
    other: ShortDigests,
    /// Of mail hosts.
    pub(crate) hosts: ShortDigests,
}

impl Digests {
    /// Digests under a key.
    pub(crate) fn new(key: &Key) -> Self {
        let kinds = Kind::ALL.iter().map(|kind| key.short(kind.name())).collect();
        Self { kinds, other: key.short("value"), hosts: key.short("mail host") }
    }

    /// The digest of a canonical value of a kind.
    #[inline]
    pub(crate) fn of(&self, kind: Kind, canonical: &[u8]) -> u64 {
        self.kinds.get(kind as usize).unwrap_or(&self.other).of(canonical)
    }

    /// The digest of a value that has no canonical form.
    #[inline]
    pub(crate) fn of_value(&self, value: &[u8]) -> u64 {
        self.other.of(value)
    }
}

/// Columns before this one are counted with all the memory that a column may take.
const AMPLE: usize = 1024;

/// Where a column is among those of all tables, which share memory.
pub(crate) struct Place {
    /// How many columns came before.
    pub(crate) before: usize,
    pub(crate) room: ShapeRoom,
}

/// Counts of a column.
pub(crate) struct Column {
    pub(crate) header: Option<String>,
    pub(crate) kind: Kind,
    null: u64,
    empty: u64,
    filled: u64,
    /// Filled fields of the cell of the dump that is read.
    in_cell: u64,
    valid: u64,
    shortest: usize,
    longest: usize,
    distinct: Distinct,
    shapes: Shapes,
    /// Of the values looked at again and not of the kind: what they are.
    others: [u64; Kind::ALL.len()],
    looked_at: u64,
    pub(crate) stored: Option<Box<Stored>>,
    ample: bool,
    late: Option<Late>,
    oldest: i64,
    newest: i64,
}

/// The first values of a column of which the sample showed too few.
#[derive(Default)]
struct Late {
    values: Vec<Vec<u8>>,
    /// The cell in which the first of them came.
    since: u64,
    /// How many there are to be read again, because what was counted was written without them.
    missing: usize,
}

/// What a part of a dump has to know of a column to count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownColumn {
    kind: Kind,
    /// Whether its first values still decide on the kind.
    is_open: bool,
    /// What no register is below of an estimate of the different values; `None` where they are counted.
    floor: Option<u8>,
}

/// What is counted beside in a column of passwords.
fn stored(kind: Kind, ample: bool) -> Option<Box<Stored>> {
    let frequent = || if ample { Frequent::new() } else { Frequent::small() };
    has_passwords(kind).then(|| Box::new(Stored::new(frequent())))
}

fn has_passwords(kind: Kind) -> bool {
    matches!(kind, Kind::Password | Kind::PasswordHash | Kind::Digest)
}

/// A field that is there and not empty.
#[derive(Clone, Copy)]
pub(crate) struct Filled<'a> {
    /// Which of the rows that are counted together.
    pub(crate) row: usize,
    pub(crate) value: &'a [u8],
}

impl Column {
    /// A column of a kind. `sampled` values were there to tell it, since a cell.
    pub(crate) fn new(header: Option<String>, kind: Kind, sampled: usize, since: u64, place: Place) -> Self {
        let is_open = sampled < LATE / 4 && matches!(kind, Kind::Text | Kind::Number);
        let ample = place.before < AMPLE;
        Self {
            header,
            kind,
            null: 0,
            empty: 0,
            filled: 0,
            in_cell: 0,
            valid: 0,
            shortest: usize::MAX,
            longest: 0,
            distinct: if ample { Distinct::new() } else { Distinct::small() },
            shapes: Shapes::new(place.room),
            others: [0; Kind::ALL.len()],
            looked_at: 0,
            stored: stored(kind, ample),
            ample,
            late: is_open.then(|| Late { since, ..Late::default() }),
            oldest: i64::MAX,
            newest: i64::MIN,
        }
    }

    /// The same column in a part of the dump that is merged later.
    pub(crate) fn of_part(known: KnownColumn) -> Self {
        let place = Place { before: 0, room: ShapeRoom::default() };
        Self {
            distinct: known.floor.map_or_else(Distinct::new, Distinct::estimating),
            shapes: Shapes::default(),
            stored: has_passwords(known.kind).then(|| Box::new(Stored::of_part())),
            late: known.is_open.then(Late::default),
            ..Self::new(None, known.kind, LATE, 0, place)
        }
    }

    /// What a part has to know.
    pub(crate) fn known(&self) -> KnownColumn {
        KnownColumn { kind: self.kind, is_open: self.late.is_some(), floor: self.distinct.floor() }
    }

    /// Whether a part that was counted with what it knew comes out as if it had been counted here.
    pub(crate) fn takes(&self, part: &Self) -> bool {
        let values = part.late.as_ref().map_or(0, |late| late.values.len());
        let stays_open = self.late.as_ref().is_none_or(|late| late.values.len() + values < LATE);
        self.kind == part.kind && stays_open && (self.late.is_none() || part.late.is_some())
    }

    /// Counts what was counted of the column in a part that comes after this.
    pub(crate) fn merge(&mut self, part: &Self, cell: u64) {
        self.null += part.null;
        self.empty += part.empty;
        self.filled += part.filled;
        self.in_cell += part.in_cell;
        self.valid += part.valid;
        self.shortest = self.shortest.min(part.shortest);
        self.longest = self.longest.max(part.longest);
        self.distinct.merge(&part.distinct);
        self.shapes.merge(&part.shapes);
        self.others.iter_mut().zip(part.others).for_each(|(count, part)| *count += part);
        self.looked_at += part.looked_at;
        self.oldest = self.oldest.min(part.oldest);
        self.newest = self.newest.max(part.newest);
        if let (Some(stored), Some(part)) = (&mut self.stored, &part.stored) {
            stored.merge(part);
        }
        if let (Some(late), Some(part)) = (&mut self.late, &part.late) {
            part.values.iter().for_each(|value| late.push(value, cell));
        }
    }

    /// What the shapes of a part take, and all that it takes and that grows with the part.
    pub(crate) fn held(&self) -> (usize, usize) {
        let stored = self.stored.as_ref().map_or(0, |stored| stored.held());
        (self.shapes.held, self.shapes.held + stored + self.distinct.held())
    }

    /// A cell begins. Where the first values are too far apart to be held, the column stays what it is.
    pub(crate) fn begin_cell(&mut self, cell: u64) {
        self.in_cell = 0;
        if self.late.as_ref().is_some_and(|late| !late.values.is_empty() && late.since + 1 < cell) {
            self.late = None;
        }
    }

    /// No more values come.
    pub(crate) fn close(&mut self) {
        self.late = None;
    }

    /// Whether each value may decide on the kind of the next.
    pub(crate) fn is_open(&self) -> bool {
        self.late.is_some()
    }

    /// Counts fields that are not there, and empty ones.
    pub(crate) fn add_none(&mut self, null: u64, empty: u64) {
        self.null += null;
        self.empty += empty;
    }

    /// Counts fields that are there, of which so many are valid. `digests` are those of their values.
    pub(crate) fn add(&mut self, filled: &[Filled<'_>], valid: u64, digests: &[u64], at: At, checker: &mut Checker) {
        let before = self.in_cell;
        self.filled += filled.len() as u64;
        self.in_cell += filled.len() as u64;
        self.valid += valid;
        for Filled { value, .. } in filled {
            self.shortest = self.shortest.min(value.len());
            self.longest = self.longest.max(value.len());
        }
        self.distinct.add_all(digests);
        if let Some(stored) = &mut self.stored {
            filled.iter().zip(digests).for_each(|(filled, digest)| stored.add(filled.value, *digest));
        }
        // The first value of a cell is looked at, and every 61st after it.
        let (first, step) = if at.is_first { (0, 1) } else { (before.next_multiple_of(SAMPLED) - before, SAMPLED) };
        for Filled { value, .. } in filled.iter().skip(first as usize).step_by(step as usize) {
            self.look_at(value, checker);
        }
        if self.is_open() {
            for Filled { value, .. } in filled {
                self.type_late(value, at.cell, checker);
            }
        }
    }

    /// Counts fields of which nothing was asked but whether they are valid.
    pub(crate) fn add_tally(&mut self, tally: Tally) {
        self.add_none(tally.null, tally.empty);
        self.filled += tally.filled;
        self.in_cell += tally.filled;
        self.valid += tally.valid;
        self.shortest = self.shortest.min(tally.shortest);
        self.longest = self.longest.max(tally.longest);
    }

    /// The newest moment seen, in seconds since 1970.
    pub(crate) fn newest(&self) -> Option<i64> {
        (self.newest != i64::MIN).then_some(self.newest)
    }

    /// How many values are of the kind.
    pub(crate) fn valid(&self) -> u64 {
        self.valid
    }

    #[cold]
    fn look_at(&mut self, value: &[u8], checker: &mut Checker) {
        self.looked_at += 1;
        if matches!(self.kind, Kind::PasswordHash | Kind::Digest) {
            self.shapes.add_length(value);
        } else {
            self.shapes.add(value);
        }
        let is_valid = checker.check(self.kind, value).is_valid();
        if is_valid && !matches!(self.kind, Kind::Text | Kind::Number | Kind::Username | Kind::Password) {
            return;
        }
        let kinds = kind::kinds_of(value, checker);
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kinds & kind.bit() != 0) {
            self.others[kind as usize] += 1;
        }
    }

    /// A moment of the column; every one is looked at, because the newest may be the last.
    #[inline]
    pub(crate) fn add_moment(&mut self, seconds: i64) {
        self.oldest = self.oldest.min(seconds);
        self.newest = self.newest.max(seconds);
    }

    /// Types the column anew once it has shown enough values; they are few enough to be counted again. A part only
    /// holds them: it is not merged where they decide.
    #[cold]
    fn type_late(&mut self, value: &[u8], cell: u64, checker: &mut Checker) {
        let Some(late) = &mut self.late else { return };
        late.push(value, cell);
        if late.values.len() < LATE {
            return;
        }
        let late = self.late.take().unwrap_or_default();
        let values: Vec<&[u8]> = late.values.iter().map(Vec::as_slice).collect();
        let kind = kind::decide(&kind::Column { header: self.header.as_deref(), values: &values }, checker);
        if kind != self.kind {
            self.kind = kind;
            self.stored = stored(kind, self.ample);
            self.valid = values.iter().filter(|value| checker.check(kind, value).is_valid()).count() as u64;
        }
    }
}

impl Late {
    fn push(&mut self, value: &[u8], cell: u64) {
        if self.values.is_empty() {
            self.since = cell;
        }
        if self.values.len() < LATE {
            self.values.push(value.get(..value.len().min(256)).unwrap_or_default().to_vec());
        }
    }
}

/// Where in the dump a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// Whether among the first rows of its table, which are all looked at.
    pub(crate) is_first: bool,
    /// Which cell of its entry is read.
    pub(crate) cell: u64,
}
