//! What is listed one by one, whatever the size of the evidence; the rest is counted.
//!
//! *Invariant*: what is listed depends on the order of the evidence alone, never on which thread
//! was first.

use dyetrace_case::{DatumId, Record, Side, Sighting, Transfer};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sightings listed one by one, give or take those of one record.
pub(crate) const SIGHTINGS: usize = 50_000;

/// Values that nobody planted listed one by one, give or take those of one record.
pub(crate) const UNPLANTED: usize = 20_000;

/// Pictures that tell something listed one by one, give or take those of one record.
pub(crate) const PICTURES: usize = 5_000;

/// Recipients told apart; whoever comes later is one recipient of each protocol.
const RECIPIENTS: usize = 20_000;

/// Rows by the number of their record, shared by the searching threads.
pub(crate) struct Rows<T> {
    first: Mutex<First<T>>,
    most: usize,
}

/// The rows of the first records of the evidence, as far as they were searched.
struct First<T> {
    rows: BTreeMap<u64, Vec<T>>,
    count: usize,
}

impl<T> Rows<T> {
    /// Room for that many rows.
    pub(crate) fn new(most: usize) -> Self {
        Self { first: Mutex::new(First { rows: BTreeMap::new(), count: 0 }), most }
    }

    fn lock(&self) -> MutexGuard<'_, First<T>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False where enough rows of records before this one are listed.
    pub(crate) fn wants(&self, number: u64) -> bool {
        let first = self.lock();
        first.count < self.most || first.rows.last_key_value().is_some_and(|(last, _)| number < *last)
    }

    /// Adds a record's rows, and drops those of the last record while there are enough without it.
    pub(crate) fn add(&self, number: u64, rows: Vec<T>) {
        let mut first = self.lock();
        first.count += rows.len();
        first.rows.insert(number, rows);
        while let Some(last) = first.rows.last_entry() {
            let last = last.get().len();
            if first.count - last < self.most {
                return;
            }
            first.rows.pop_last();
            first.count -= last;
        }
    }

    /// The rows in the order of the evidence.
    pub(crate) fn finish(self) -> Vec<T> {
        let first = self.first.into_inner().unwrap_or_else(PoisonError::into_inner);
        first.rows.into_values().flatten().collect()
    }
}

/// Whether the recording's own guard kept it from going on.
pub(crate) fn is_held_back(record: &Record, sighting: &Sighting) -> bool {
    let side = sighting.place.part.side();
    side == Side::Request && Transfer::of(record, side, &sighting.datum) == Transfer::HeldBack
}

/// How often a planted value was seen, listed or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// In what was sent, hints left out.
    pub(crate) sent: usize,
    /// In what was received, hints left out.
    pub(crate) received: usize,
    /// In stored files, hints left out.
    pub(crate) kept: usize,
    /// In what the recording's own guard stopped, hints left out.
    pub(crate) held_back: usize,
    /// Hints.
    pub(crate) hints: usize,
}

impl Counts {
    /// All of them.
    pub(crate) fn total(self) -> usize {
        self.sent + self.received + self.kept + self.held_back + self.hints
    }

    /// Counts sightings by datum.
    pub(crate) fn count(counts: &mut BTreeMap<DatumId, Self>, record: &Record, sightings: &[Sighting]) {
        for sighting in sightings {
            let counts = counts.entry(sighting.datum.clone()).or_default();
            match sighting.place.part.side() {
                _ if sighting.is_hint() => counts.hints += 1,
                _ if sighting.place.part.is_stored() => counts.kept += 1,
                Side::Request if is_held_back(record, sighting) => counts.held_back += 1,
                Side::Request => counts.sent += 1,
                Side::Response => counts.received += 1,
            }
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(counts: &mut BTreeMap<DatumId, Self>, others: BTreeMap<DatumId, Self>) {
        for (datum, other) in others {
            let counts = counts.entry(datum).or_default();
            counts.sent += other.sent;
            counts.received += other.received;
            counts.kept += other.kept;
            counts.held_back += other.held_back;
            counts.hints += other.hints;
        }
    }
}

/// Who was seen so far, asked in the order of the evidence.
#[derive(Default)]
pub(crate) struct Seen(HashSet<u64>);

impl Seen {
    /// True for a recipient, and an app that talks to it, that is told apart from others.
    pub(crate) fn is_listed(&mut self, record: &Record) -> bool {
        let mut hash = DefaultHasher::new();
        let server = &record.server;
        match &server.name {
            Some((name, _)) => name.to_ascii_lowercase().hash(&mut hash),
            None => server.address.hash(&mut hash),
        }
        (server.port, record.protocol, record.channel.kind, &record.channel.version, &record.app).hash(&mut hash);
        let hash = hash.finish();
        self.0.contains(&hash) || self.0.len() < RECIPIENTS && self.0.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{
        Channel, Endpoint, ExhibitId, NameSource, PartName, Place, Protocol, Range, RecordId, SightingId, Strength,
        Trail,
    };
    use dyetrace_report::audit::{SightingRow, Summary};
    use std::sync::Arc;

    fn record(host: usize) -> Record {
        Record {
            id: RecordId("tcp:0/http:0".to_owned()),
            exhibit: ExhibitId([0; 32]),
            protocol: Protocol::Http11,
            time: None,
            client: Endpoint::default(),
            server: Endpoint { name: Some((format!("{host}.Example"), NameSource::Host)), ..Endpoint::default() },
            channel: Channel::clear(),
            app: None,
            request: None,
            response: None,
            flags: Vec::new(),
        }
    }

    fn rows(count: usize) -> Vec<SightingRow> {
        let record = record(0);
        let range = Range::new(0, 1);
        let (part, exhibit) = (PartName::Body(Side::Request), record.exhibit);
        let sighting = Sighting {
            datum: DatumId("phone".to_owned()),
            place: Place { exhibit, record: record.id.clone(), part, range, decoded: range },
            trail: Trail(Vec::new()),
            strength: Strength::Exact,
            form: String::new(),
            bits: 50.0,
            witness: None,
        };
        let id = SightingId(String::new());
        let record = Arc::new(Summary::of(&record, &|text| text.to_owned()));
        vec![SightingRow { id, sighting, side: Side::Request, is_held_back: false, exhibit: 0, record }; count]
    }

    #[test]
    fn the_rows_of_the_first_records_are_kept_whoever_came_first() {
        for order in [[1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]] {
            let kept = Rows::new(SIGHTINGS);
            for number in order {
                if kept.wants(number) {
                    kept.add(number, rows(SIGHTINGS / 2));
                }
            }
            assert_eq!(kept.first.lock().unwrap().rows.keys().copied().collect::<Vec<_>>(), [1, 2], "{order:?}");
            assert_eq!(kept.finish().len(), SIGHTINGS);
        }
    }

    #[test]
    fn recipients_beyond_the_limit_are_not_told_apart() {
        let mut seen = Seen::default();
        assert!((0..RECIPIENTS).all(|host| seen.is_listed(&record(host))));
        assert!(!seen.is_listed(&record(RECIPIENTS)));
        assert!(seen.is_listed(&record(0)), "who is listed stays listed");
    }
}
