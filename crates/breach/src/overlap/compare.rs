//! Two dumps side by side: what they share.

use super::Dump;
use super::collect::{Collected, Entry};
use super::family::{self, Copied};
use crate::kind::Kind;
use serde::Serialize;
use std::cmp::Ordering;

/// What is told of dumps that were compared. Counts are of identifiers; of so many, one was looked at where `one_of` is
/// more than 1, and the counts are what that stands for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverlapReport {
    /// One of so many identifiers was compared; 1 means all: the counts are exact.
    pub one_of: u64,
    /// Each dump.
    pub dumps: Vec<DumpReport>,
    /// Each pair of them, in their order.
    pub pairs: Vec<PairReport>,
    /// Which is a copy of which, as far as what they share tells.
    pub family: Vec<Copied>,
}

/// One dump.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DumpReport {
    /// What it is called.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Rows in which no identifier is.
    pub rows_without: u64,
    /// Personal data that it has columns of.
    pub kinds: Vec<Kind>,
    /// Rows with a password as typed.
    pub passwords_typed: u64,
    /// Rows with a password in a stored form.
    pub passwords_stored: u64,
    /// The newest moment in it, in seconds since 1970.
    pub newest: Option<i64>,
    /// Parts that were skipped.
    pub damages: u64,
}

/// Two dumps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairReport {
    /// Index of the first in `dumps`.
    pub a: usize,
    /// Index of the second.
    pub b: usize,
    /// By kind of identifier that both have.
    pub shared: Vec<SharedKind>,
    /// Passwords of those that both have.
    pub passwords: PasswordsReport,
    /// Personal data of the first that the second has no column of.
    pub only_in_a: Vec<Kind>,
    /// And the other way round.
    pub only_in_b: Vec<Kind>,
}

/// What two dumps share of one kind of identifier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedKind {
    /// The kind.
    pub kind: Kind,
    /// Different ones in the first.
    pub in_a: u64,
    /// In the second.
    pub in_b: u64,
    /// In both; `None` where they are fewer than are told.
    pub in_both: Option<u64>,
    /// Share of the first's that the second has.
    pub a_in_b: f64,
    /// Share of the second's that the first has; the rest are padding, or from elsewhere.
    pub b_in_a: f64,
    /// In both, of those in either (Jaccard 1901).
    pub jaccard: f64,
}

/// Passwords beside the same identifier in two dumps; `None` where they are fewer than are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PasswordsReport {
    /// Identifiers that have one in both.
    pub compared: Option<u64>,
    /// The same in both.
    pub same: Option<u64>,
    /// As typed in the first, and its MD5 in the second.
    pub cracked_in_a: Option<u64>,
    /// As typed in the second, and its MD5 in the first.
    pub cracked_in_b: Option<u64>,
    /// Different, as far as can be told: stored forms with a salt differ by themselves.
    pub differ: Option<u64>,
}

pub(super) fn compare(dumps: &[Dump], all: &[Collected], k: u64) -> OverlapReport {
    let one_of = 1 << all.iter().map(|collected| collected.level).max().unwrap_or(0).min(63);
    let told = Told { one_of, k };
    let reports: Vec<DumpReport> = dumps.iter().zip(all).map(|(dump, collected)| report(dump, collected)).collect();
    let mut pairs = Vec::new();
    for (a, first) in all.iter().enumerate() {
        for (b, second) in all.iter().enumerate().skip(a + 1) {
            pairs.push(pair((a, first), (b, second), told));
        }
    }
    let family = family::family(&reports, &pairs);
    OverlapReport { one_of, dumps: reports, pairs, family }
}

/// How counts are told.
#[derive(Clone, Copy)]
struct Told {
    one_of: u64,
    k: u64,
}

impl Told {
    fn count(self, counted: u64) -> u64 {
        counted.saturating_mul(self.one_of)
    }

    fn enough(self, counted: u64) -> Option<u64> {
        let count = self.count(counted);
        (count == 0 || count >= self.k).then_some(count)
    }
}

fn report(dump: &Dump, collected: &Collected) -> DumpReport {
    DumpReport {
        name: dump.name.clone(),
        rows: collected.rows,
        rows_without: collected.rows_without,
        kinds: collected.kinds.iter().copied().collect(),
        passwords_typed: collected.typed,
        passwords_stored: collected.stored,
        newest: collected.newest,
        damages: collected.damages,
    }
}

/// Counts of one pair: of each kind in the first, in the second, in both; and of passwords.
#[derive(Default)]
struct Counts {
    kinds: [[u64; 3]; Kind::ALL.len()],
    compared: u64,
    same: u64,
    cracked_in_a: u64,
    cracked_in_b: u64,
}

fn pair((a, first): (usize, &Collected), (b, second): (usize, &Collected), told: Told) -> PairReport {
    let counts = count(&first.entries, &second.entries);
    let shared = Kind::ALL.into_iter().zip(&counts.kinds).filter(|(_, [in_a, in_b, _])| *in_a > 0 && *in_b > 0);
    let shared = shared.map(|(kind, [in_a, in_b, both])| {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let in_both = told.enough(*both);
        let hidden = in_both.is_none();
        let share = |part, whole| if hidden { 0.0 } else { share(part, whole) };
        SharedKind {
            kind,
            in_a: told.count(*in_a),
            in_b: told.count(*in_b),
            in_both,
            a_in_b: share(*both, *in_a),
            b_in_a: share(*both, *in_b),
            jaccard: share(*both, in_a + in_b - both),
        }
    });
    let rest = counts.compared - counts.same - counts.cracked_in_a - counts.cracked_in_b;
    let passwords = PasswordsReport {
        compared: told.enough(counts.compared),
        same: told.enough(counts.same),
        cracked_in_a: told.enough(counts.cracked_in_a),
        cracked_in_b: told.enough(counts.cracked_in_b),
        differ: told.enough(rest),
    };
    let only = |these: &Collected, those: &Collected| these.kinds.difference(&those.kinds).copied().collect();
    let (only_in_a, only_in_b) = (only(first, second), only(second, first));
    PairReport { a, b, shared: shared.collect(), passwords, only_in_a, only_in_b }
}

/// Both lists are sorted by digest.
fn count(first: &[Entry], second: &[Entry]) -> Counts {
    let mut counts = Counts::default();
    let (mut left, mut right) = (first.iter().peekable(), second.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return counts,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.id.cmp(&other.id),
        };
        let one = if order == Ordering::Greater { None } else { left.next() };
        let other = if order == Ordering::Less { None } else { right.next() };
        let Some(kind) = one.or(other).map(|entry| entry.kind) else { return counts };
        if let Some(row) = counts.kinds.get_mut(kind as usize) {
            row[0] += u64::from(one.is_some());
            row[1] += u64::from(other.is_some());
            row[2] += u64::from(one.is_some() && other.is_some());
        }
        if let (Some(one), Some(other)) = (one, other) {
            counts.passwords(one, other);
        }
    }
}

impl Counts {
    fn passwords(&mut self, one: &Entry, other: &Entry) {
        if one.password == 0 || other.password == 0 {
            return;
        }
        self.compared += 1;
        match (one.password == other.password, one.is_typed, other.is_typed) {
            (true, true, false) => self.cracked_in_a += 1,
            (true, false, true) => self.cracked_in_b += 1,
            (true, ..) => self.same += 1,
            (false, ..) => {}
        }
    }
}
