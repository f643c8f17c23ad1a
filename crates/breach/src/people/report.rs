//! What is told of people: groups, none of them so small that it points at somebody.

use super::{NO_BIRTH, People};
use crate::hosts::Hosts;
use crate::kind::{Day, Kind, PROVINCES};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// How many people, and of which groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeopleReport {
    /// People who have an identifier. An estimate where `one_in` is more than 1.
    pub people: u64,
    /// Of how many people one was kept to count them; 1 where all were.
    pub one_in: u64,
    /// Standard error of estimates as a share of `people`; 0 where all were counted.
    pub standard_error: f64,
    /// Rows read.
    pub rows: u64,
    /// Rows without e-mail address, telephone, identity or QQ number. Nobody can tell whose they are.
    pub rows_without_identifier: u64,
    /// Joins that were refused because an identifier stood beside too many others, as placeholders do.
    pub joins_refused: u64,
    /// Groups smaller than this are not told.
    pub k: u64,
    /// People by kind of field.
    pub fields: Groups,
    /// People by province, where an identity number or a field tells it.
    pub provinces: Groups,
    /// People by year of birth.
    pub birth_years: Groups,
    /// People by the host of an e-mail address.
    pub mail_hosts: Groups,
    /// People under 18 on the day `minors_on`, where days of birth are known.
    pub minors: Group,
    /// The day for which minors were counted, as year, month and day.
    pub minors_on: Option<String>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many; `None` where that would point at few, or let somebody compute what few are.
    pub people: Option<u64>,
}

/// Groups by one property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Groups {
    /// The groups that are told.
    pub told: Vec<Group>,
    /// How many groups are not.
    pub hidden: usize,
}

/// Groups of at least `k`. Where just one is smaller, and somebody could compute it from the others and their sum, the
/// smallest of the others is not told either.
fn told(mut groups: Vec<(String, u64)>, k: u64) -> Groups {
    groups.retain(|(_, people)| *people > 0);
    let all = groups.len();
    let small = groups.iter().filter(|(_, people)| *people < k).count();
    groups.retain(|(_, people)| *people >= k);
    if small == 1
        && let Some(smallest) = groups.iter().map(|(_, people)| *people).min()
        && let Some(at) = groups.iter().position(|(_, people)| *people == smallest)
    {
        groups.remove(at);
    }
    let hidden = all - groups.len();
    Groups { told: groups.into_iter().map(|(name, people)| Group { name, people: Some(people) }).collect(), hidden }
}

/// Most mail hosts told.
const HOSTS: usize = 30;

impl People {
    /// What is told. `on` is the day for which minors are counted.
    pub(crate) fn report(&self, hosts: &Hosts, on: Option<Day>, k: u64) -> PeopleReport {
        let scale = 1u64 << self.thinned.min(40);
        let kept = self.everybody().count() as u64;
        let error = if scale == 1 { 0.0 } else { 1.0 / (kept.max(1) as f64).sqrt() };
        let minors = on.map(|on| self.minors(on) * scale);
        PeopleReport {
            people: kept * scale,
            one_in: scale,
            standard_error: error,
            rows: self.rows,
            rows_without_identifier: self.rows_without,
            joins_refused: self.refused,
            k,
            fields: told(self.fields(scale), k),
            provinces: told(self.named(scale, |person| person.province.into(), province), k),
            birth_years: told(self.named(scale, |person| person.birth, year), k),
            mail_hosts: self.hosts(hosts, scale, k),
            minors: Group { name: "under 18".to_owned(), people: minors.filter(|minors| *minors == 0 || *minors >= k) },
            minors_on: on.map(|on| {
                let (year, month, day) = on.date();
                format!("{year:04}-{month:02}-{day:02}")
            }),
        }
    }

    /// People by kind of personal field, not suppressed: for thresholds.
    pub(crate) fn with(&self, kinds: u32) -> u64 {
        self.everybody().filter(|person| person.kinds & kinds != 0).count() as u64 * (1 << self.thinned.min(40))
    }

    fn fields(&self, scale: u64) -> Vec<(String, u64)> {
        // Few sets of kinds are many people's.
        let mut sets: HashMap<u32, u64> = HashMap::new();
        let mut last = (0, 0);
        for person in self.everybody() {
            if person.kinds != last.0 {
                *sets.entry(last.0).or_default() += last.1;
                last = (person.kinds, 0);
            }
            last.1 += 1;
        }
        *sets.entry(last.0).or_default() += last.1;
        let having = |kind: Kind| sets.iter().filter(move |(kinds, _)| **kinds & kind.bit() != 0);
        let of = |kind: Kind| having(kind).map(|(_, people)| people).sum::<u64>() * scale;
        Kind::ALL.into_iter().filter(|kind| kind.is_personal()).map(|kind| (kind.name().to_owned(), of(kind))).collect()
    }

    /// How many people have each number of a property, of those that somebody has.
    fn by(&self, property: impl Fn(&super::Person) -> u16) -> impl Iterator<Item = (u16, u64)> {
        let mut counts = vec![0; 1 << 16];
        for person in self.everybody() {
            counts[usize::from(property(person))] += 1;
        }
        (0..=u16::MAX).zip(counts).filter(|(_, people)| *people > 0)
    }

    /// The same by the names of the numbers, of those that have one.
    fn named(
        &self,
        scale: u64,
        property: impl Fn(&super::Person) -> u16,
        name: impl Fn(u16) -> Option<String>,
    ) -> Vec<(String, u64)> {
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for (number, people) in self.by(property) {
            if let Some(name) = name(number) {
                *groups.entry(name).or_default() += people * scale;
            }
        }
        groups.into_iter().collect()
    }

    fn hosts(&self, hosts: &Hosts, scale: u64, k: u64) -> Groups {
        let name = |host| hosts.name(host, k).map(str::to_owned);
        let mut groups = told(self.named(scale, |person| person.host, name), k);
        groups.told.sort_by(|one, other| (other.people, &one.name).cmp(&(one.people, &other.name)));
        groups.hidden += groups.told.len().saturating_sub(HOSTS);
        groups.told.truncate(HOSTS);
        groups
    }

    fn minors(&self, on: Day) -> u64 {
        let days = self.by(|person| person.birth);
        let minors = days.filter(|(day, _)| birth(*day).is_some_and(|day| day.is_minor_on(on)));
        minors.map(|(_, people)| people).sum()
    }
}

fn year(day: u16) -> Option<String> {
    birth(day).map(|day| day.year().to_string())
}

fn birth(day: u16) -> Option<Day> {
    (day != NO_BIRTH).then_some(Day(day))
}

fn province(code: u16) -> Option<String> {
    let code = u8::try_from(code).ok()?;
    let found = PROVINCES.binary_search_by_key(&code, |(code, ..)| *code).ok()?;
    PROVINCES.get(found).map(|(_, name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(counts: &[u64]) -> Groups {
        told(counts.iter().enumerate().map(|(n, count)| (n.to_string(), *count)).collect(), 10)
    }

    #[test]
    fn small_groups_are_not_told_and_cannot_be_computed() {
        assert_eq!(groups(&[50, 20, 30]).hidden, 0);
        let one_small = groups(&[50, 9, 30]);
        assert_eq!((one_small.hidden, one_small.told.len()), (2, 1), "the next smallest goes with it");
        assert_eq!(one_small.told[0].people, Some(50));
        let two_small = groups(&[50, 9, 3, 30]);
        assert_eq!((two_small.hidden, two_small.told.len()), (2, 2));
        assert_eq!(groups(&[9]).told, []);
    }
}
