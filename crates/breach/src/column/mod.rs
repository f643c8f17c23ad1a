//! One column: what its values are and how many.

mod distinct;
mod frequent;
mod report;
mod shape;

pub(crate) use distinct::Distinct;
pub(crate) use frequent::Frequent;
pub use report::{ColumnReport, DistinctReport, KindRows, ShapeShare};

use crate::key::{Key, ShortDigests};
use crate::kind::{self, Checker, Kind, Verdict};
use crate::password::Stored;
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
}

impl Digests {
    /// Digests under a key.
    pub(crate) fn new(key: &Key) -> Self {
        Self { kinds: Kind::ALL.iter().map(|kind| key.short(kind.name())).collect(), other: key.short("value") }
    }

    /// The digest of a canonical value of a kind.
    #[inline]
    pub(crate) fn of(&self, kind: Kind, canonical: &[u8]) -> u64 {
        self.kinds.get(kind as usize).unwrap_or(&self.other).of(canonical)
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
    /// The first values of a column of which the sample showed too few.
    late: Option<Vec<Vec<u8>>>,
    oldest: i64,
    newest: i64,
}

/// What is counted beside in a column of passwords.
fn stored(kind: Kind, ample: bool) -> Option<Box<Stored>> {
    let frequent = || if ample { Frequent::new() } else { Frequent::small() };
    matches!(kind, Kind::Password | Kind::PasswordHash | Kind::Digest).then(|| Box::new(Stored::new(frequent())))
}

/// What a column says of a value: its digest, and whether it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) digest: u64,
    pub(crate) verdict: Verdict,
}

impl Column {
    /// A column of a kind. `sampled` values were there to tell it.
    pub(crate) fn new(header: Option<String>, kind: Kind, sampled: usize, place: Place) -> Self {
        let late = (sampled < LATE / 4 && matches!(kind, Kind::Text | Kind::Number)).then(Vec::new);
        let ample = place.before < AMPLE;
        Self {
            header,
            kind,
            null: 0,
            empty: 0,
            filled: 0,
            valid: 0,
            shortest: usize::MAX,
            longest: 0,
            distinct: if ample { Distinct::new() } else { Distinct::small() },
            shapes: Shapes::new(place.room),
            others: [0; Kind::ALL.len()],
            looked_at: 0,
            stored: stored(kind, ample),
            ample,
            late,
            oldest: i64::MAX,
            newest: i64::MIN,
        }
    }

    /// Counts a field that is not there.
    #[inline]
    pub(crate) fn add_null(&mut self) {
        self.null += 1;
    }

    /// Counts a field that is there.
    #[inline]
    pub(crate) fn add(&mut self, value: &[u8], checker: &mut Checker, digests: &Digests) -> Option<Seen> {
        if value.is_empty() {
            self.empty += 1;
            return None;
        }
        self.filled += 1;
        self.shortest = self.shortest.min(value.len());
        self.longest = self.longest.max(value.len());
        let verdict = checker.check(self.kind, value);
        self.valid += u64::from(verdict.is_valid());
        let digest = match verdict {
            Verdict::Canonical => digests.of(self.kind, checker.canonical()),
            _ => digests.other.of(value),
        };
        self.distinct.add(digest);
        if let Some(stored) = &mut self.stored {
            stored.add(value, digest);
        }
        if self.filled % SAMPLED == 1 || self.filled < 256 {
            self.look_at(value, verdict, checker);
        }
        if self.late.is_some() {
            self.type_late(value, checker);
        }
        Some(Seen { digest, verdict })
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
    fn look_at(&mut self, value: &[u8], verdict: Verdict, checker: &mut Checker) {
        self.looked_at += 1;
        self.shapes.add(value);
        if verdict.is_valid() && !matches!(self.kind, Kind::Text | Kind::Number | Kind::Username | Kind::Password) {
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

    /// Types the column anew once it has shown enough values; they are few enough to be counted again.
    #[cold]
    fn type_late(&mut self, value: &[u8], checker: &mut Checker) {
        let Some(late) = &mut self.late else { return };
        late.push(value.get(..value.len().min(256)).unwrap_or_default().to_vec());
        if late.len() < LATE {
            return;
        }
        let late = self.late.take().unwrap_or_default();
        let values: Vec<&[u8]> = late.iter().map(Vec::as_slice).collect();
        let kind = kind::decide(&kind::Column { header: self.header.as_deref(), values: &values }, checker);
        if kind != self.kind {
            self.kind = kind;
            self.stored = stored(kind, self.ample);
            self.valid = values.iter().filter(|value| checker.check(kind, value).is_valid()).count() as u64;
        }
    }
}
