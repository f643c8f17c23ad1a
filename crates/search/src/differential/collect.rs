//! What is kept of the runs: for each field, which content was sent in which run.
//!
//! *Invariant*: what is kept depends on the records alone, never on their order or on which thread
//! took them. So where there is too much, the fields with the smallest digests are kept (bottom-k
//! sampling; Cohen and Kaplan, PODC 2007), which also treats all runs alike.

use super::fields::{Class, Content, Leaf, fields_of, first_half};
use super::partition::{MOST_RUNS, Runs};
use super::shape::shape_of;
use dyetrace_case::{Record, Shape, Sighting, Time};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Different contents kept of one field, over all runs. A field with more is noise as far as its
/// contents go; its lengths are kept all the same.
const MOST_CONTENTS: usize = 256;
/// Different lengths kept of one field.
const MOST_LENGTHS: usize = 256;
/// Contents, lengths and fields kept together, each field counting for several.
const MOST_KEPT: usize = 400_000;
/// What a field itself counts for.
const FIELD_WEIGHT: usize = 8;

/// The fields of all runs. Threads fill one each, and [`Collector::merge`] joins them.
#[derive(Debug, Default)]
pub struct Collector {
    pub(super) fields: BTreeMap<u128, Kept>,
    /// Time of the first record of each run.
    pub(super) began: BTreeMap<usize, Time>,
    /// Runs that gave any record.
    pub(super) seen: Runs,
    kept: usize,
    /// The smallest digest of a field that was dropped.
    dropped_from: Option<u128>,
    /// Records of which not every field was taken.
    pub(super) cut_records: u64,
}

/// One field over all runs.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) shape: Arc<Shape>,
    pub(super) name: String,
    /// Runs in which it was sent.
    pub(super) sent_in: Runs,
    /// Its contents by digest; empty where there were too many.
    pub(super) contents: BTreeMap<u128, Seen>,
    pub(super) too_many: bool,
    /// What its contents are made of, taken together.
    pub(super) class: Class,
    /// Its lengths, and in which runs each occurred.
    pub(super) lengths: BTreeMap<u64, Runs>,
    /// Ordinary search saw a planted value in it.
    pub(super) also_seen: bool,
}

/// One content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) runs: Runs,
    pub(super) length: u64,
    pub(super) class: Class,
}

impl Kept {
    fn new(shape: Arc<Shape>, name: String) -> Self {
        let (contents, lengths) = (BTreeMap::new(), BTreeMap::new());
        Self { shape, name, sent_in: 0, contents, too_many: false, class: Class::Digits, lengths, also_seen: false }
    }

    fn weight(&self) -> usize {
        let contents = if self.too_many { MOST_CONTENTS } else { self.contents.len() };
        FIELD_WEIGHT + contents + self.lengths.len().min(MOST_LENGTHS)
    }

    fn add(&mut self, digest: u128, seen: Seen) {
        self.sent_in |= seen.runs;
        self.class = self.class.max(seen.class);
        *self.lengths.entry(seen.length).or_default() |= seen.runs;
        if !self.too_many {
            self.contents.entry(digest).or_insert(Seen { runs: 0, ..seen }).runs |= seen.runs;
        }
        self.bound();
    }

    fn merge(&mut self, other: Self) {
        self.sent_in |= other.sent_in;
        self.also_seen |= other.also_seen;
        self.class = self.class.max(other.class);
        self.too_many |= other.too_many;
        for (length, runs) in other.lengths {
            *self.lengths.entry(length).or_default() |= runs;
        }
        for (digest, seen) in other.contents {
            self.contents.entry(digest).or_insert(Seen { runs: 0, ..seen }).runs |= seen.runs;
        }
        self.bound();
    }

    /// Beyond the limit nothing is kept rather than a part, so that the order cannot matter.
    /// Too many lengths leave one more than the limit, which tells that there were too many.
    fn bound(&mut self) {
        self.too_many |= self.contents.len() > MOST_CONTENTS;
        if self.too_many {
            self.contents.clear();
        }
        while self.lengths.len() > MOST_LENGTHS + 1 {
            self.lengths.pop_last();
        }
    }

    /// True where every length is kept.
    pub(super) fn knows_lengths(&self) -> bool {
        self.lengths.len() <= MOST_LENGTHS
    }
}

impl Collector {
    /// Takes what the client sent in one record of the run with that number (from 0). `sightings`
    /// are those of ordinary search in the same record.
    pub fn add(&mut self, run: usize, record: &Record, sightings: &[Sighting]) {
        if run >= MOST_RUNS {
            return;
        }
        self.seen |= 1 << run;
        if let Some(time) = record.time {
            let began = self.began.entry(run).or_insert(time);
            *began = (*began).min(time);
        }
        let (leaves, capped) = fields_of(record);
        self.cut_records += u64::from(capped);
        let shape = Arc::new(shape_of(record));
        let places = places(record, sightings);
        for leaf in leaves {
            let also_seen = places.iter().any(|(part, range)| {
                *part == leaf.part && range.start < leaf.range.end && leaf.range.start < range.end
            });
            self.leaf(run, &shape, leaf, also_seen);
        }
        self.bound();
    }

    /// Adds what another collector holds of the same runs.
    pub fn merge(&mut self, other: Self) {
        self.seen |= other.seen;
        self.cut_records += other.cut_records;
        for (run, time) in other.began {
            let began = self.began.entry(run).or_insert(time);
            *began = (*began).min(time);
        }
        self.dropped_from = [self.dropped_from, other.dropped_from].into_iter().flatten().min();
        for (key, theirs) in other.fields {
            if let Some(ours) = self.fields.get_mut(&key) {
                self.kept -= ours.weight();
                ours.merge(theirs);
                self.kept += ours.weight();
            } else {
                self.kept += theirs.weight();
                self.fields.insert(key, theirs);
            }
        }
        self.bound();
    }

    /// True where fields were dropped because there were too many.
    pub(super) fn is_cut(&self) -> bool {
        self.dropped_from.is_some()
    }

    fn leaf(&mut self, run: usize, shape: &Arc<Shape>, leaf: Leaf, also_seen: bool) {
        let key = key(shape, &leaf.name);
        if self.dropped_from.is_some_and(|from| key >= from) {
            return;
        }
        let Content { digest, length, class } = leaf.content;
        let kept = self.fields.entry(key).or_insert_with(|| Kept::new(shape.clone(), leaf.name));
        let before = if kept.sent_in == 0 { 0 } else { kept.weight() };
        kept.add(digest, Seen { runs: 1 << run, length, class });
        kept.also_seen |= also_seen;
        self.kept = self.kept - before + kept.weight();
    }

    fn bound(&mut self) {
        let from = self.dropped_from;
        while let Some(last) = self.fields.last_entry()
            && (self.kept > MOST_KEPT || from.is_some_and(|from| *last.key() >= from))
        {
            let (key, dropped) = last.remove_entry();
            self.kept -= dropped.weight();
            self.dropped_from = Some(self.dropped_from.map_or(key, |from| from.min(key)));
        }
    }
}

/// The digest of a field's shape and name.
fn key(shape: &Shape, name: &str) -> u128 {
    let mut hash = Sha256::new();
    for text in [&shape.host, &shape.method, &shape.path, name] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    first_half(&hash.finalize())
}

/// Where planted values were seen, in the content of the parts by index. Hints do not count.
fn places(record: &Record, sightings: &[Sighting]) -> Vec<(usize, dyetrace_case::Range)> {
    let parts = record.parts();
    let place = |sighting: &Sighting| {
        let at = parts.iter().position(|part| part.name == sighting.place.part)?;
        let undone = parts.get(at)?.prefix.len();
        let range = match sighting.trail.0.get(undone) {
            _ if undone == 0 => sighting.place.range,
            Some(step) => step.encoded,
            None => sighting.place.decoded,
        };
        Some((at, range))
    };
    sightings.iter().filter(|sighting| !sighting.is_hint()).filter_map(place).collect()
}
