//! The evidence read a second time: a sample of its records for spikes, and the bytes around those
//! sightings that a page shows.

use crate::explain::page::levels;
use crate::intake::Intake;
use crate::spike::{Sample, sample_with};
use dyetrace_case::{Practice, Range as Place, Record, Sighting, SightingId};
use dyetrace_report::html::{Excerpt, Excerpts};
use dyetrace_search::{Proof, Scanner, Scratch};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes shown before and after the value.
const CONTEXT: usize = 32;
/// Most bytes shown of one level.
const MOST: usize = 256;
/// Sightings of one practice whose bytes are shown.
const OF_EACH: usize = 2;
/// Sightings in all whose bytes are shown: more would only make the page long.
const IN_ALL: usize = 400;

/// What the second reading gave.
pub(super) struct Again {
    /// Records for spikes.
    pub(super) sample: Sample,
    /// Bytes around sightings.
    pub(super) excerpts: Excerpts,
}

/// Reads everything again.
pub(super) fn read_again(
    intake: &mut Intake,
    scanner: &Scanner,
    practices: &[Practice],
    records: usize,
    reveal: bool,
) -> Again {
    let wanted = wanted(practices);
    let mut excerpts = Excerpts::new();
    let mut scratch = Scratch::default();
    let sample = sample_with(intake, records, &mut |number, record| {
        let Some(ids) = wanted.get(&number) else { return };
        for sighting in scanner.search(record, &mut scratch).sightings {
            let id = sighting.id();
            if ids.contains(&id) {
                let shown = of_sighting(scanner, record, &sighting, reveal);
                excerpts.insert(id, shown);
            }
        }
    });
    Again { sample, excerpts }
}

/// The first sightings of each practice, by the number of their record.
fn wanted(practices: &[Practice]) -> BTreeMap<u64, BTreeSet<SightingId>> {
    let first = practices.iter().flat_map(|practice| practice.shown.iter().take(OF_EACH));
    let mut wanted: BTreeMap<u64, BTreeSet<SightingId>> = BTreeMap::new();
    for shown in first.take(IN_ALL) {
        wanted.entry(shown.record).or_default().insert(shown.sighting.clone());
    }
    wanted
}

fn of_sighting(scanner: &Scanner, record: &Record, sighting: &Sighting, reveal: bool) -> Vec<Excerpt> {
    let proof = scanner.prove(record, sighting);
    let levels = levels(&proof);
    let read = proof.steps.len() + 1 - levels.len().min(proof.steps.len() + 1);
    let named = levels.iter().enumerate();
    let excerpt = |(at, (value, bytes)): (usize, &(Range<usize>, &[u8]))| {
        excerpt(scanner, name(scanner, &proof, read, at, reveal), bytes, value, reveal)
    };
    named.filter_map(excerpt).collect()
}

fn name(scanner: &Scanner, proof: &Proof, read: usize, level: usize, reveal: bool) -> String {
    let step = level.checked_sub(1).and_then(|before| proof.steps.get(read + before));
    let Some(step) = step else { return "as sent".to_owned() };
    let detail = step.detail.as_ref().map(|detail| if reveal { detail.clone() } else { scanner.redact(detail) });
    [Some(step.codec.clone()), detail].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The bytes around the value; `None` where not everything in them could be searched for what must be hidden.
fn excerpt(scanner: &Scanner, level: String, bytes: &[u8], value: &Range<usize>, reveal: bool) -> Option<Excerpt> {
    let mut hidden = if reveal { Vec::new() } else { scanner.hidden(bytes)? };
    if !reveal {
        hidden.push(value.clone());
    }
    let start = value.start.saturating_sub(CONTEXT).min(bytes.len());
    let end = value.end.saturating_add(CONTEXT).min(bytes.len()).min(start.saturating_add(MOST));
    let byte = |at: usize| bytes.get(at).copied().filter(|_| !hidden.iter().any(|range| range.contains(&at)));
    Some(Excerpt {
        level,
        start: start as u64,
        bytes: (start..end).map(byte).collect(),
        value: Place::new(value.start as u64, value.end as u64),
    })
}
