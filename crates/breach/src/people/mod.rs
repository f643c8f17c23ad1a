//! How many people: rows joined by what only one person has.
//!
//! Rows that share an e-mail address, a telephone, identity or QQ number are one person's, also over other rows
//! (union-find over keyed digests; no value is kept). A number that stands in as a placeholder would join everybody:
//! a person takes no more than [`MOST_KEYS`] identifiers, and joins beyond that are refused and counted.
//!
//! Memory is bounded: where the table is full, only people are kept whose first identifier has a digest that ends in
//! one more zero bit, and counts stand for that many times as many. Which people are kept depends on the key, not on
//! where they stand in the dump.

mod keeping;
mod report;
mod table;

pub use report::{Group, Groups, PeopleReport};

use crate::hosts::Hosts;
use crate::kind::{Day, Kind};
use table::{Free, Table};

/// Identifiers of one row that are looked at.
pub(crate) const ROW_KEYS: usize = 6;
/// Most identifiers that one person takes.
const MOST_KEYS: u16 = 64;
/// Identifiers held before people are thinned out: 13 bytes each in a table at most two thirds full, and 24 for each of
/// at most two thirds as many people. With what thinning needs for a moment that is 360 MiB.
const MOST_HELD: usize = 6 << 20;

/// What one row says of its person.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    /// Keyed digests of its identifiers, the most telling first; 0 for none.
    pub(crate) keys: [u64; ROW_KEYS],
    /// Kinds of fields that are filled and valid, as bits.
    pub(crate) kinds: u32,
    /// Day of birth.
    pub(crate) birth: Option<Day>,
    /// Province by GB/T 2260.
    pub(crate) province: u8,
    /// Digest of its mail host, 0 for none.
    pub(crate) host: u64,
}

impl Facts {
    /// Nothing said.
    pub(crate) const NONE: Self = Self { keys: [0; ROW_KEYS], kinds: 0, birth: None, province: 0, host: 0 };

    /// Adds an identifier of a kind where it belongs: identity numbers tell more than telephones, these more than
    /// addresses and QQ numbers.
    pub(crate) fn add_key(&mut self, kind: Kind, digest: u64) {
        let from = match kind {
            Kind::ResidentId | Kind::Permit => 0,
            Kind::Phone => 1,
            Kind::Email => 3,
            _ => 5,
        };
        let free = |index: &usize| self.keys[*index] == 0;
        let place = (from..ROW_KEYS).find(free).or_else(|| (0..from).rev().find(free));
        if let Some(place) = place {
            self.keys[place] = digest.max(1);
        }
    }
}

/// One person, or a part of one that was joined to another.
#[derive(Clone, Copy)]
struct Person {
    /// Another of the same, or itself.
    parent: u32,
    /// Identifiers of it.
    keys: u16,
    birth: u16,
    /// Digest of the first identifier.
    first: u64,
    kinds: u32,
    host: u16,
    province: u8,
}

/// No day of birth known. No such day exists in the range.
const NO_BIRTH: u16 = u16::MAX;

/// Counts people.
pub(crate) struct People {
    table: Table,
    persons: Vec<Person>,
    limit: usize,
    /// People are kept whose first identifier ends in so many zero bits.
    thinned: u32,
    rows: u64,
    rows_without: u64,
    refused: u64,
}

impl People {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        Self::with_limit(MOST_HELD)
    }

    fn with_limit(limit: usize) -> Self {
        // Room is reserved and not written to: neither is copied to grow.
        let (table, persons) = (Table::with_limit(limit), Vec::with_capacity(limit / 3 * 2));
        Self { table, persons, limit, thinned: 0, rows: 0, rows_without: 0, refused: 0 }
    }

    /// Counts rows. Their places in the table are fetched some rows before they are looked at.
    pub(crate) fn add(&mut self, rows: &[Facts], hosts: &mut Hosts) {
        const AHEAD: usize = 16;
        let fetch = |people: &Self, row: &Facts| row.keys.iter().for_each(|key| people.table.fetch(*key));
        rows.iter().take(AHEAD).for_each(|row| fetch(self, row));
        for (index, row) in rows.iter().enumerate() {
            if let Some(later) = rows.get(index + AHEAD) {
                fetch(self, later);
            }
            let host = hosts.number(row.host);
            self.add_row(row, host);
        }
    }

    /// Counts rows that say of nobody whose they are.
    pub(crate) fn add_without(&mut self, rows: u64) {
        self.rows += rows;
        self.rows_without += rows;
    }

    fn add_row(&mut self, row: &Facts, host: u16) {
        self.rows += 1;
        if row.keys.iter().all(|key| *key == 0) {
            self.rows_without += 1;
            return;
        }
        let mut found: Option<u32> = None;
        let mut free: [Option<Free>; ROW_KEYS] = [None; ROW_KEYS];
        for (key, free) in row.keys.iter().copied().zip(&mut free).filter(|(key, _)| *key != 0) {
            let person = match self.table.look_up(key) {
                Ok(person) => self.root(person),
                Err(place) => {
                    *free = Some(place);
                    continue;
                }
            };
            found = Some(match found {
                Some(other) if other != person => self.join(other, person),
                _ => person,
            });
        }
        let person = match self.not_full(found, row) {
            Ok(person) => person,
            Err(first) if first.trailing_zeros() < self.thinned => return,
            Err(first) => self.born(first),
        };
        self.learn(person, row, host, free);
        if self.table.len() >= self.limit || self.persons.len() >= self.limit / 3 * 2 {
            self.thin();
        }
    }

    /// The person that was found for a row; or, where there is none, or one that takes no more identifiers although
    /// the row has another, the identifier that a new person begins with.
    fn not_full(&mut self, found: Option<u32>, row: &Facts) -> Result<u32, u64> {
        let mut keys = row.keys.iter().copied().filter(|key| *key != 0);
        let Some(person) = found else { return Err(keys.next().unwrap_or(1)) };
        if self.persons.get(person as usize).is_some_and(|person| person.keys < MOST_KEYS) {
            return Ok(person);
        }
        let Some(new) = keys.find(|key| self.table.get(*key).is_none()) else { return Ok(person) };
        self.refused += 1;
        Err(new)
    }

    fn born(&mut self, first: u64) -> u32 {
        let parent = self.persons.len() as u32;
        self.persons.push(Person { parent, keys: 0, birth: NO_BIRTH, first, kinds: 0, host: 0, province: 0 });
        parent
    }

    /// Adds what the row says to the person, and the identifiers that are nobody's yet and may be at these places.
    fn learn(&mut self, index: u32, row: &Facts, host: u16, free: [Option<Free>; ROW_KEYS]) {
        let Some(person) = self.persons.get_mut(index as usize) else { return };
        person.kinds |= row.kinds;
        if person.birth == NO_BIRTH {
            person.birth = row.birth.map_or(NO_BIRTH, |day| day.0);
        }
        if person.province == 0 {
            person.province = row.province;
        }
        if person.host == 0 {
            person.host = host;
        }
        for (key, free) in row.keys.iter().copied().zip(free) {
            let Some(free) = free else { continue };
            if person.keys < MOST_KEYS {
                person.keys += u16::from(self.table.insert_at(free, key, index));
            } else if self.table.get(key).is_none() {
                self.refused += 1;
            }
        }
    }

    fn root(&mut self, mut index: u32) -> u32 {
        loop {
            let parent = self.parent(index);
            if parent == index {
                return index;
            }
            let grandparent = self.parent(parent);
            if let Some(person) = self.persons.get_mut(index as usize) {
                person.parent = grandparent;
            }
            index = grandparent;
        }
    }

    fn parent(&self, index: u32) -> u32 {
        self.persons.get(index as usize).map_or(index, |person| person.parent)
    }

    /// Makes one person of two, unless it had too many identifiers. The one with more of them stays.
    fn join(&mut self, one: u32, other: u32) -> u32 {
        let (Some(a), Some(b)) = (self.persons.get(one as usize).copied(), self.persons.get(other as usize).copied())
        else {
            return one;
        };
        let keys = a.keys.saturating_add(b.keys);
        if keys > MOST_KEYS {
            self.refused += 1;
            // Of the two, the person with fewer identifiers is a person; the other is a placeholder's.
            return if a.keys <= b.keys { one } else { other };
        }
        let (stays, goes, index, gone) = if a.keys >= b.keys { (a, b, one, other) } else { (b, a, other, one) };
        let joined = Person {
            parent: index,
            keys,
            birth: if stays.birth == NO_BIRTH { goes.birth } else { stays.birth },
            first: if stays.first.trailing_zeros() >= goes.first.trailing_zeros() { stays.first } else { goes.first },
            kinds: stays.kinds | goes.kinds,
            host: if stays.host == 0 { goes.host } else { stays.host },
            province: if stays.province == 0 { goes.province } else { stays.province },
        };
        if let Some(person) = self.persons.get_mut(index as usize) {
            *person = joined;
        }
        if let Some(person) = self.persons.get_mut(gone as usize) {
            person.parent = index;
        }
        index
    }

    /// Keeps the people whose first identifier ends in one more zero bit.
    fn thin(&mut self) {
        self.thinned += 1;
        let stays = |person: &Person| person.first.trailing_zeros() >= self.thinned;
        let mut kept = 0;
        // Of everybody, and then of those who were joined to somebody: where they will be.
        let mut places: Vec<u32> = vec![u32::MAX; self.persons.len()];
        for (index, (person, place)) in self.persons.iter().zip(&mut places).enumerate() {
            if person.parent as usize == index && stays(person) {
                *place = kept;
                kept += 1;
            }
        }
        for index in 0..places.len() {
            let root = self.root(index as u32) as usize;
            places[index] = places[root];
        }
        self.table.retain(|person| places.get(person as usize).copied().filter(|place| *place != u32::MAX));
        let mut index = 0;
        let mut place = 0;
        self.persons.retain_mut(|person| {
            let stays = person.parent == index && person.first.trailing_zeros() >= self.thinned;
            index += 1;
            if stays {
                person.parent = place;
                place += 1;
            }
            stays
        });
    }

    /// Everybody.
    fn everybody(&self) -> impl Iterator<Item = &Person> {
        self.persons
            .iter()
            .enumerate()
            .filter(|(index, person)| person.parent as usize == *index)
            .map(|(_, person)| person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn digest(n: u64) -> u64 {
        let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        n ^ n >> 31
    }

    fn row(phone: u64, mail: u64) -> Facts {
        let mut facts = Facts { kinds: Kind::Phone.bit(), ..Facts::NONE };
        if phone != 0 {
            facts.add_key(Kind::Phone, digest(phone));
        }
        if mail != 0 {
            facts.add_key(Kind::Email, digest(1_000_000 + mail));
        }
        facts
    }

    fn hosts() -> Hosts {
        Hosts::default()
    }

    fn count(people: &People) -> usize {
        people.everybody().count()
    }

    #[test]
    fn rows_that_share_an_identifier_are_one_person_also_over_other_rows() {
        let mut people = People::new();
        people.add(&[row(1, 1), row(2, 2), row(3, 0), row(0, 0)], &mut hosts());
        assert_eq!((count(&people), people.rows_without), (3, 1));
        people.add(&[row(1, 2)], &mut hosts());
        assert_eq!(count(&people), 2, "the first and the second were the same person");
    }

    #[test]
    fn a_placeholder_does_not_make_one_person_of_all() {
        let mut people = People::new();
        let rows: Vec<Facts> = (1..=10_000).map(|mail| row(7, mail)).collect();
        people.add(&rows, &mut hosts());
        let people_found = count(&people);
        assert!((9_900..=10_000).contains(&people_found), "{people_found}");
        assert!(people.refused > 9_000);
    }

    #[test]
    fn memory_is_bounded_and_the_count_becomes_an_estimate() {
        let mut people = People::with_limit(4096);
        let rows: Vec<Facts> = (1..=100_000).map(|n| row(n, n)).collect();
        rows.chunks(1000).for_each(|rows| people.add(rows, &mut hosts()));
        rows.chunks(1000).for_each(|rows| people.add(rows, &mut hosts()));
        let estimate = count(&people) << people.thinned;
        assert!(people.table.len() <= 4096 && people.thinned > 0);
        assert!((90_000..=110_000).contains(&estimate), "{estimate}");
    }

    proptest! {
        #[test]
        fn people_are_the_connected_groups_of_rows(rows in proptest::collection::vec((0u64..30, 0u64..30), 0..60)) {
            let mut people = People::new();
            let facts: Vec<Facts> = rows.iter().map(|(phone, mail)| row(*phone, *mail)).collect();
            people.add(&facts, &mut hosts());
            prop_assert_eq!(count(&people), groups(&rows));
        }
    }

    /// The same by going around every group, slowly.
    fn groups(rows: &[(u64, u64)]) -> usize {
        let mut label: BTreeMap<(u8, u64), usize> = BTreeMap::new();
        for (index, (phone, mail)) in rows.iter().enumerate() {
            let keys: Vec<_> = [(0, *phone), (1, *mail)].into_iter().filter(|(_, value)| *value != 0).collect();
            let old: BTreeSet<usize> = keys.iter().filter_map(|key| label.get(key).copied()).collect();
            label.values_mut().filter(|group| old.contains(group)).for_each(|group| *group = index);
            for key in keys {
                label.insert(key, index);
            }
        }
        label.values().collect::<BTreeSet<_>>().len()
    }
}
