//! How many values of a column are valid, where nothing else is asked of them.

use crate::kind::{Checker, Kind, Value, valid};
use crate::rows::Batch;

/// What the fields of a column are, in some rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    /// Fields that are not there.
    pub(crate) null: u64,
    /// Empty ones.
    pub(crate) empty: u64,
    /// The others.
    pub(crate) filled: u64,
    /// Those of them that are of the kind.
    pub(crate) valid: u64,
    /// Length of the shortest filled one.
    pub(crate) shortest: usize,
    /// Length of the longest.
    pub(crate) longest: usize,
}

/// Tests the fields of a column. Of those that are filled, the one with the number `first` (from 0) and each `step`
/// after it are put into `sampled`.
pub(super) fn tally<'b>(
    kind: Kind,
    (rows, column): (&Batch<'b>, usize),
    checker: &mut Checker,
    every: (u64, u64),
    sampled: &mut Vec<&'b [u8]>,
) -> Tally {
    let mut fields = Fields { rows, column, checker, every, sampled };
    match kind {
        Kind::Email => fields.tally(valid::email),
        Kind::Phone => fields.tally(valid::phone),
        Kind::ResidentId => fields.tally(valid::resident_id),
        Kind::Qq => fields.tally(valid::qq),
        Kind::Time => fields.tally(valid::time),
        Kind::BirthDate => fields.tally(valid::birth_date),
        Kind::Name => fields.tally(valid::name),
        Kind::Address => fields.tally(valid::address),
        Kind::PasswordHash => fields.tally(valid::password_hash),
        Kind::Digest => fields.tally(valid::digest),
        Kind::Number => fields.tally(valid::number),
        Kind::Username => fields.tally(valid::username),
        Kind::Text | Kind::Password | Kind::Salt => fields.tally(|_, _| true),
        kind => fields.tally(|checker, value| valid::other(kind, checker, value)),
    }
}

/// The fields of a column in some rows.
struct Fields<'a, 'b> {
    rows: &'a Batch<'b>,
    column: usize,
    checker: &'a mut Checker,
    every: (u64, u64),
    sampled: &'a mut Vec<&'b [u8]>,
}

impl<'b> Fields<'_, 'b> {
    #[inline]
    fn tally(&mut self, is_valid: impl Fn(&mut Checker, Value<'b>) -> bool) -> Tally {
        let (mut next, step) = self.every;
        let mut tally = Tally { null: 0, empty: 0, filled: 0, valid: 0, shortest: usize::MAX, longest: 0 };
        for row in self.rows.rows() {
            let Some(value) = row.value(self.column) else {
                tally.null += 1;
                continue;
            };
            if value.len() == 0 {
                tally.empty += 1;
                continue;
            }
            tally.valid += u64::from(is_valid(self.checker, value));
            tally.shortest = tally.shortest.min(value.len());
            tally.longest = tally.longest.max(value.len());
            if tally.filled == next {
                self.sampled.push(value.bytes());
                next += step;
            }
            tally.filled += 1;
        }
        tally
    }
}
