//! What the rows of a password column say together.

use super::common::Commonest;
use super::form::{FAMILIES, Family, form};
use super::verify::{Origin, Owner, verify};
use crate::column::Frequent;
use crate::kind::Kind;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most different work factors counted one by one.
const MOST_WORKS: usize = 64;
/// How many of the most repeated stored forms are looked at together.
const REPEATED: usize = 10;

/// Counts of a column of passwords.
pub(crate) struct Stored {
    /// By family: without and with a salt in the form.
    forms: Vec<[u64; 2]>,
    works: BTreeMap<(u8, u32), u64>,
    commonest: &'static Commonest,
    of_commonest: BTreeMap<&'static str, u64>,
    origins: BTreeMap<Origin, u64>,
    tried: u64,
    typed_commonest: u64,
    frequent: Frequent,
}

impl Stored {
    /// Nothing counted.
    pub(crate) fn new(frequent: Frequent) -> Self {
        Self {
            forms: vec![[0; 2]; FAMILIES.len()],
            works: BTreeMap::new(),
            commonest: Commonest::known(),
            of_commonest: BTreeMap::new(),
            origins: BTreeMap::new(),
            tried: 0,
            typed_commonest: 0,
            frequent,
        }
    }

    /// Counts a value with its keyed digest.
    pub(crate) fn add(&mut self, value: &[u8], digest: u64) {
        let form = form(value);
        if let Some(count) = self.forms.get_mut(usize::from(form.family)) {
            count[usize::from(form.salted)] += 1;
        }
        if let Some(work) = form.work
            && (self.works.len() < MOST_WORKS || self.works.contains_key(&(form.family, work)))
        {
            *self.works.entry((form.family, work)).or_default() += 1;
        }
        if !form.is_stored() {
            self.typed_commonest += u64::from(super::is_commonest(value));
        } else if !form.salted
            && let Some(scheme) = self.commonest.scheme(value)
        {
            *self.of_commonest.entry(scheme).or_default() += 1;
        }
        self.frequent.add(digest);
    }

    /// Tries what a value is a digest of, with the fields of its row.
    pub(crate) fn examine(&mut self, value: &[u8], owner: &Owner<'_>) {
        self.tried += 1;
        if let Some(origin) = verify(value, owner) {
            *self.origins.entry(origin).or_default() += 1;
        }
    }

    /// What was found. `salt_column` where the table has a column of salts beside.
    pub(crate) fn report(&self, salt_column: bool) -> StorageReport {
        let (rows, repeated) = self.frequent.of_most(REPEATED);
        let families =
            FAMILIES.iter().zip(&self.forms).enumerate().filter(|(_, (_, counts))| counts[0] + counts[1] > 0);
        let mut families: Vec<_> =
            families.map(|(index, (family, counts))| self.family(index, family, *counts)).collect();
        families.sort_by_key(|family| std::cmp::Reverse(family.rows));
        StorageReport {
            families,
            salt_column,
            repeated_rows_at_least: repeated,
            repeated_share: repeated as f64 / rows.max(1) as f64,
            commonest_typed: self.typed_commonest,
            commonest_unsalted: self
                .of_commonest
                .iter()
                .map(|(scheme, rows)| SchemeRows { scheme, rows: *rows })
                .collect(),
            tried: self.tried,
            composed: self.origins.iter().filter_map(composed).collect(),
            digest_of: self.origins.iter().filter_map(digest_of).collect(),
        }
    }

    fn family(&self, index: usize, family: &'static Family, counts: [u64; 2]) -> FamilyRows {
        let works = self.works.range((index as u8, 0)..=(index as u8, u32::MAX));
        FamilyRows {
            family: *family,
            rows: counts[0] + counts[1],
            salted: counts[1],
            work: works.map(|((_, work), rows)| WorkRows { work: *work, rows: *rows }).collect(),
        }
    }
}

fn composed((origin, rows): (&Origin, &u64)) -> Option<SchemeRows> {
    match origin {
        Origin::Commonest(scheme) => Some(SchemeRows { scheme, rows: *rows }),
        Origin::Field(..) => None,
    }
}

fn digest_of((origin, rows): (&Origin, &u64)) -> Option<DigestOf> {
    match origin {
        Origin::Field(kind, digest) => Some(DigestOf { kind: *kind, digest, rows: *rows }),
        Origin::Commonest(_) => None,
    }
}

/// How a column stores passwords.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StorageReport {
    /// Families of stored forms, the most frequent first.
    pub families: Vec<FamilyRows>,
    /// Whether the table has a column of salts.
    pub salt_column: bool,
    /// Rows that share one of the ten most repeated stored forms, at least. Equal forms of different people mean that
    /// there is no salt, or one for all.
    pub repeated_rows_at_least: u64,
    /// The same as a share of the rows that have a password.
    pub repeated_share: f64,
    /// Rows whose password as typed is one of the commonest.
    pub commonest_typed: u64,
    /// Rows whose stored form is the unsalted digest of a commonest password, by how it was computed.
    pub commonest_unsalted: Vec<SchemeRows>,
    /// Rows of which it was tried what their digest is of.
    pub tried: u64,
    /// Of those tried: digests of a commonest password and the row's salt, by composition.
    pub composed: Vec<SchemeRows>,
    /// Of those tried: digests of another field of the row, which are no protection of it.
    pub digest_of: Vec<DigestOf>,
}

/// Rows of one family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FamilyRows {
    /// The family.
    #[serde(flatten)]
    pub family: Family,
    /// Rows with it.
    pub rows: u64,
    /// Rows of these whose form holds a salt.
    pub salted: u64,
    /// Work factors the forms state.
    pub work: Vec<WorkRows>,
}

/// Rows of one work factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WorkRows {
    /// bcrypt: logarithm of rounds; Argon2: KiB of memory; others: rounds.
    pub work: u32,
    /// Rows with it.
    pub rows: u64,
}

/// Rows of one composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemeRows {
    /// How the digest was computed.
    pub scheme: &'static str,
    /// Rows with it.
    pub rows: u64,
}

/// Rows in which a digest is one of another field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DigestOf {
    /// The kind of that field.
    pub kind: Kind,
    /// The digest function.
    pub digest: &'static str,
    /// Rows, of those tried.
    pub rows: u64,
}

#[cfg(test)]
mod tests {
    use super::super::common::hex;
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn unsalted_digests_of_few_passwords_are_seen_to_be_repeated_and_common() {
        let mut stored = Stored::new(Frequent::new());
        for n in 0..1000u64 {
            let password = if n % 4 == 0 { "123456".to_owned() } else { format!("own{n}") };
            let digest = hex(&Md5::digest(&password));
            stored.add(&digest, u64::from_be_bytes(*Md5::digest(&digest).first_chunk().unwrap()));
        }
        let report = stored.report(false);
        assert_eq!(
            (report.families[0].family.name, report.families[0].rows, report.families[0].salted),
            ("MD5", 1000, 0)
        );
        assert!((200..=250).contains(&report.repeated_rows_at_least));
        assert_eq!(report.commonest_unsalted, [SchemeRows { scheme: "MD5", rows: 250 }]);
    }

    #[test]
    fn a_slow_form_states_its_cost_and_its_salt() {
        let mut stored = Stored::new(Frequent::new());
        stored.add(b"$2y$10$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou", 1);
        let report = stored.report(false);
        assert_eq!((report.families[0].salted, report.families[0].work[0].work), (1, 10));
    }
}
