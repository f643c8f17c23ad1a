//! What the rows of a password column say together.

use super::common::{Commonest, unsalted};
use super::form::{FAMILIES, Family, form};
use super::verify::{Origin, Owner, verify};
use crate::column::{FirstSeen, Frequent};
use crate::kept::{In, Out, invalid};
use crate::kind::Kind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Most different work factors counted one by one.
const MOST_WORKS: usize = 64;
/// How many of the most repeated stored forms are looked at together.
const REPEATED: usize = 10;
/// More ways to make a digest than are tried.
const MOST_SCHEMES: usize = 1000;

/// Counts of a column of passwords.
pub(crate) struct Stored {
    /// By family: without and with a salt in the form.
    forms: Vec<[u64; 2]>,
    works: FirstSeen<(u8, u32)>,
    commonest: &'static Commonest,
    of_commonest: BTreeMap<&'static str, u64>,
    origins: BTreeMap<Origin, u64>,
    tried: u64,
    typed_commonest: u64,
    repeated: Repeated,
}

/// How the most repeated stored forms are found.
enum Repeated {
    Counted(Frequent),
    /// All digests in their order, to be counted behind those of another part: the counts depend on the order.
    Listed(Vec<u64>),
}

impl Stored {
    /// Nothing counted.
    pub(crate) fn new(frequent: Frequent) -> Self {
        Self::with(Repeated::Counted(frequent))
    }

    /// Nothing counted, for a part that is merged behind another.
    pub(crate) fn of_part() -> Self {
        Self::with(Repeated::Listed(Vec::new()))
    }

    fn with(repeated: Repeated) -> Self {
        Self {
            forms: vec![[0; 2]; FAMILIES.len()],
            works: FirstSeen::default(),
            commonest: Commonest::known(),
            of_commonest: BTreeMap::new(),
            origins: BTreeMap::new(),
            tried: 0,
            typed_commonest: 0,
            repeated,
        }
    }

    /// Counts a value with its keyed digest.
    pub(crate) fn add(&mut self, value: &[u8], digest: u64) {
        let form = form(value);
        if let Some(count) = self.forms.get_mut(usize::from(form.family)) {
            count[usize::from(form.salted)] += 1;
        }
        if let Some(work) = form.work {
            self.count_work((form.family, work), 1);
        }
        if !form.is_stored() {
            self.typed_commonest += u64::from(super::is_commonest(value));
        } else if !form.salted
            && let Some(scheme) = self.commonest.scheme(value)
        {
            *self.of_commonest.entry(scheme).or_default() += 1;
        }
        match &mut self.repeated {
            Repeated::Counted(frequent) => frequent.add(digest),
            Repeated::Listed(digests) => digests.push(digest),
        }
    }

    fn count_work(&mut self, work: (u8, u32), times: u64) {
        let has_room = matches!(self.repeated, Repeated::Listed(_)) || self.works.len() < MOST_WORKS;
        if !self.works.again(&work, times) && has_room {
            self.works.first(work, times);
        }
    }

    /// Counts what a part counted that comes after this.
    pub(crate) fn merge(&mut self, part: &Self) {
        for (counts, parts) in self.forms.iter_mut().zip(&part.forms) {
            counts.iter_mut().zip(parts).for_each(|(count, part)| *count += part);
        }
        part.works.in_order().into_iter().for_each(|(work, times)| self.count_work(*work, times));
        part.of_commonest.iter().for_each(|(scheme, rows)| *self.of_commonest.entry(scheme).or_default() += rows);
        part.origins.iter().for_each(|(origin, rows)| *self.origins.entry(*origin).or_default() += rows);
        self.tried += part.tried;
        self.typed_commonest += part.typed_commonest;
        if let (Repeated::Counted(frequent), Repeated::Listed(digests)) = (&mut self.repeated, &part.repeated) {
            for digest in digests {
                frequent.add(*digest);
            }
        }
    }

    /// What it takes of memory, about.
    pub(crate) fn held(&self) -> usize {
        let listed = match &self.repeated {
            Repeated::Counted(_) => 0,
            Repeated::Listed(digests) => digests.capacity() * size_of::<u64>(),
        };
        listed + self.works.len() * 32
    }

    /// Writes what was counted.
    pub(crate) fn keep(&self, out: &mut Out<'_>) -> io::Result<()> {
        self.forms.iter().try_for_each(|counts| out.numbers(counts))?;
        self.works.keep(out, |(family, work), out| out.numbers(&[u64::from(*family), u64::from(*work)]))?;
        out.number(self.of_commonest.len() as u64)?;
        for (scheme, rows) in &self.of_commonest {
            out.text(scheme)?;
            out.number(*rows)?;
        }
        out.number(self.origins.len() as u64)?;
        for (origin, rows) in &self.origins {
            origin.keep(out)?;
            out.number(*rows)?;
        }
        out.numbers(&[self.tried, self.typed_commonest])?;
        match &self.repeated {
            Repeated::Counted(frequent) => frequent.keep(out),
            Repeated::Listed(_) => Err(invalid()),
        }
    }

    /// Reads what was written.
    pub(crate) fn kept(from: &mut In<'_>) -> io::Result<Self> {
        let mut stored = Self::of_part();
        for counts in &mut stored.forms {
            *counts = [from.number()?, from.number()?];
        }
        stored.works = FirstSeen::kept(from, MOST_WORKS, |from| Ok((from.small()?, from.small()?)))?;
        for _ in 0..from.length(MOST_SCHEMES)? {
            let name = from.text()?;
            let scheme = unsalted().find(|known| *known == name).ok_or_else(invalid)?;
            stored.of_commonest.insert(scheme, from.number()?);
        }
        for _ in 0..from.length(MOST_SCHEMES)? {
            stored.origins.insert(Origin::kept(from)?, from.number()?);
        }
        (stored.tried, stored.typed_commonest) = (from.number()?, from.number()?);
        stored.repeated = Repeated::Counted(Frequent::kept(from)?);
        Ok(stored)
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
        let (rows, repeated) = match &self.repeated {
            Repeated::Counted(frequent) => frequent.of_most(REPEATED),
            Repeated::Listed(_) => (0, 0),
        };
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
        let of_family = self.works.iter().filter(|((family, _), _)| usize::from(*family) == index);
        let mut work: Vec<_> = of_family.map(|((_, work), rows)| WorkRows { work: *work, rows }).collect();
        work.sort_unstable_by_key(|work| work.work);
        FamilyRows { family: *family, rows: counts[0] + counts[1], salted: counts[1], work }
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
