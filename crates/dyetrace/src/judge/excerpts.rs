//! The evidence read a second time: samples of the records of its runs for spikes, and the bytes around those
//! sightings that a page shows.

use crate::explain::page::levels;
use crate::intake::Intake;
use crate::spike::{Spread, each_record};
use dyetrace_case::{Practice, Range as Place, Record, Sighting, SightingId};
use dyetrace_judge::RunFacts;
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
    /// Records for spikes, of each run.
    pub(super) samples: Vec<Vec<Record>>,
    /// Bytes around sightings.
    pub(super) excerpts: Excerpts,
}

/// Reads everything again.
pub(super) fn read_again(
    intake: &mut Intake,
    scanner: &Scanner,
    practices: &[Practice],
    samples: &Samples,
    reveal: bool,
) -> Again {
    let mut spreads: Vec<Spread> = (0..samples.runs).map(|_| Spread::new(samples.of_each)).collect();
    let mut number = 0;
    let wanted = wanted(practices);
    let mut excerpts = Excerpts::new();
    let mut scratch = Scratch::default();
    each_record(intake, &mut |exhibit, record| {
        number += 1;
        if let Some(ids) = wanted.get(&number) {
            for sighting in scanner.search(&record, &mut scratch).sightings {
                let id = sighting.id();
                if ids.contains(&id) {
                    let shown = of_sighting(scanner, &record, &sighting, reveal);
                    excerpts.insert(id, shown);
                }
            }
        }
        let run = samples.run_of.get(exhibit).copied().flatten();
        if let Some(spread) = run.and_then(|run| spreads.get_mut(run)) {
            spread.offer(record);
        }
    });
    Again { samples: spreads.into_iter().map(Spread::records).collect(), excerpts }
}

/// Which records are kept for spikes.
pub(super) struct Samples {
    /// The run of each exhibit, where it is judged.
    run_of: Vec<Option<usize>>,
    /// Runs of which records are kept.
    runs: usize,
    /// The most records of one run.
    of_each: usize,
}

/// The most runs in whose records values are hidden: each takes as long as the first. Of what happened in further ones
/// nothing can be supported.
const MOST_RUNS: usize = 64;
/// Records of a run, however many runs share in the number that was asked for.
const LEAST: usize = 16;

impl Samples {
    /// Of the runs that are judged, so many records of all of them together.
    pub(super) fn of(intake: &Intake, judged: &[RunFacts], records: usize) -> Self {
        let named = judged.iter().enumerate();
        let runs: BTreeMap<&str, usize> =
            named.flat_map(|(at, run)| run.exhibits.iter().map(move |path| (path.as_str(), at))).collect();
        let run_of = intake.exhibits.iter().map(|opened| runs.get(opened.exhibit().path.as_str()).copied());
        let share = records / judged.len().max(1);
        Self { run_of: run_of.collect(), runs: judged.len().min(MOST_RUNS), of_each: share.max(LEAST).min(records) }
    }
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
