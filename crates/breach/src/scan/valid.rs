//! How many values of a column are valid, where nothing else is asked of them.

#![expect(
    clippy::inline_always,
    reason = "what is compiled for more instructions reaches vectors only where nothing is called"
)]

#[cfg(target_arch = "x86_64")]
use crate::block::x86_64;
use crate::block::{Block, Common};
use crate::kind::{Checker, Kind, Test, tests_of};
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

/// Tests the fields of a column.
pub(super) fn tally(kind: Kind, rows: &Batch<'_>, column: usize, checker: &mut Checker) -> Tally {
    let fields = Fields { rows, column, checker };
    #[cfg(target_arch = "x86_64")]
    if x86_64::has_avx2() {
        #[expect(unsafe_code, reason = "what it is compiled for was found in the line before")]
        return unsafe { with_avx2(kind, fields) };
    }
    with::<Common>(kind, fields)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi2")]
fn with_avx2(kind: Kind, fields: Fields<'_, '_>) -> Tally {
    with::<x86_64::Avx2>(kind, fields)
}

#[inline(always)]
fn with<B: Block>(kind: Kind, mut fields: Fields<'_, '_>) -> Tally {
    match kind {
        Kind::Email => fields.tally::<B>(&tests_of::Email),
        Kind::Phone => fields.tally::<B>(&tests_of::Phone),
        Kind::ResidentId => fields.tally::<B>(&tests_of::ResidentId),
        Kind::Qq => fields.tally::<B>(&tests_of::Qq),
        Kind::Time => fields.tally::<B>(&tests_of::Time),
        Kind::BirthDate => fields.tally::<B>(&tests_of::BirthDate),
        Kind::Name => fields.tally::<B>(&tests_of::Name),
        Kind::Address => fields.tally::<B>(&tests_of::Address),
        Kind::PasswordHash => fields.tally::<B>(&tests_of::PasswordHash),
        Kind::Digest => fields.tally::<B>(&tests_of::Digest),
        Kind::Number => fields.tally::<B>(&tests_of::Number),
        Kind::Username => fields.tally::<B>(&tests_of::Username),
        Kind::Text | Kind::Password | Kind::Salt => fields.tally::<B>(&tests_of::Any),
        kind => fields.tally::<B>(&tests_of::Other(kind)),
    }
}

/// The fields of a column in some rows.
struct Fields<'a, 'b> {
    rows: &'a Batch<'b>,
    column: usize,
    checker: &'a mut Checker,
}

impl Fields<'_, '_> {
    #[inline(always)]
    fn tally<B: Block>(&mut self, test: &impl Test) -> Tally {
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
            tally.valid += u64::from(test.is_valid::<B>(self.checker, value));
            tally.shortest = tally.shortest.min(value.len());
            tally.longest = tally.longest.max(value.len());
            tally.filled += 1;
        }
        tally
    }
}
