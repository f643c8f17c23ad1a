//! dyetrace's search, used as a library, held against the cases.

use super::cases::Case;
use super::material;
use super::values::Value;
use dyetrace_case::{KeyMaterial, Secret, Sighting, Subject};
use dyetrace_search::{Options, Scanner, Scratch};
use std::collections::BTreeMap;
use std::error::Error;

/// How the search did on the cases of one wrapping.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    /// Cases.
    pub(crate) cases: usize,
    /// The value was seen, as a sighting or a hint, in bytes that carry it.
    pub(crate) found: usize,
    /// It was only a hint.
    pub(crate) hints: usize,
    /// Cases with places of their own among those found.
    pub(crate) placed: usize,
    /// The place named is exactly right.
    pub(crate) exact: usize,
}

/// Scores by wrapping, and what was missed.
#[derive(Default)]
pub(crate) struct Scores {
    /// By class and wrapping.
    pub(crate) by_wrapping: BTreeMap<(&'static str, String), Score>,
    /// By kind.
    pub(crate) by_datum: BTreeMap<String, Score>,
    /// Identifiers of cases in which nothing was found.
    pub(crate) misses: Vec<String>,
    /// Identifiers of cases with another place, with the places wanted and named.
    pub(crate) misplaced: Vec<String>,
    /// Sightings that are no hints, of other values than the case holds.
    pub(crate) strangers: Vec<String>,
}

/// The search, ready.
pub(crate) struct Judge {
    scanner: Scanner,
    scratch: Scratch,
    /// What it found out.
    pub(crate) scores: Scores,
}

/// The subject of these values.
pub(crate) fn subject(values: &[Value]) -> Result<Subject, Box<dyn Error>> {
    let mut subject = Subject::default();
    for value in values {
        let kind = value.kind.parse().map_err(|error| format!("{}: {error}", value.kind))?;
        subject.add(kind, Secret::new(value.text.as_str()));
    }
    Ok(subject)
}

impl Judge {
    /// For these values, with the keys, salts and alphabet of the cases, or without: then the search takes short cuts
    /// that it cannot take where any field may be a ciphertext.
    pub(crate) fn new(values: &[Value], with_keys: bool) -> Result<Self, Box<dyn Error>> {
        let material = if with_keys { material::material()? } else { KeyMaterial::default() };
        let scanner = Scanner::with_key_material(&subject(values)?, &material, Options::default());
        Ok(Self { scanner, scratch: Scratch::default(), scores: Scores::default() })
    }

    /// Searches the case.
    pub(crate) fn take(&mut self, case: Case) {
        let (part, place) = (case.carried.part.clone(), case.carried.place.clone());
        let outcome = self.scanner.search(&case.carried.record(), &mut self.scratch);
        let wanted = dyetrace_case::Range::new(place.start as u64, place.end as u64);
        let here = |sighting: &&Sighting| {
            sighting.datum.0 == case.datum && sighting.place.part == part && sighting.place.range.overlaps(wanted)
        };
        let found: Vec<&Sighting> = outcome.sightings.iter().filter(here).collect();
        let firm = found.iter().any(|sighting| !sighting.is_hint());
        let exact = found.iter().any(|sighting| sighting.place.range == wanted);
        for stranger in outcome.sightings.iter().filter(|one| one.datum.0 != case.datum && !one.is_hint()) {
            self.scores.strangers.push(format!("{} : {} {}", case.id, stranger.datum, stranger.form));
        }
        if found.is_empty() {
            self.scores.misses.push(case.id.clone());
        } else if case.exact && !exact {
            let named: Vec<String> =
                found.iter().map(|one| format!("{}..{}", one.place.range.start, one.place.range.end)).collect();
            self.scores.misplaced.push(format!("{} : {place:?} but {}", case.id, named.join(" ")));
        }
        let by_wrapping = self.scores.by_wrapping.entry((case.class.name(), case.wrapping)).or_default();
        let by_datum = self.scores.by_datum.entry(case.datum).or_default();
        for score in [by_wrapping, by_datum] {
            score.cases += 1;
            score.found += usize::from(!found.is_empty());
            score.hints += usize::from(!found.is_empty() && !firm);
            score.placed += usize::from(!found.is_empty() && case.exact);
            score.exact += usize::from(case.exact && exact);
        }
    }

    /// Sightings and hints in a record that holds none of the values.
    pub(crate) fn false_ones(&mut self, record: &dyetrace_case::Record) -> (Vec<String>, usize) {
        let outcome = self.scanner.search(record, &mut self.scratch);
        let (hints, firm): (Vec<&Sighting>, Vec<&Sighting>) =
            outcome.sightings.iter().partition(|sighting| sighting.is_hint());
        let told = |one: &&Sighting| format!("{} {} ({:.0} bits, {})", one.datum, one.form, one.bits, one.trail);
        (firm.iter().map(told).collect(), hints.len())
    }
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.found += other.found;
        self.hints += other.hints;
        self.placed += other.placed;
        self.exact += other.exact;
    }
}

impl Scores {
    /// The scores of each class, then of all.
    pub(crate) fn totals(&self) -> BTreeMap<&'static str, Score> {
        let mut totals: BTreeMap<&'static str, Score> = BTreeMap::new();
        for ((class, _), score) in &self.by_wrapping {
            totals.entry(class).or_default().add(score);
            totals.entry("all").or_default().add(score);
        }
        totals
    }
}
