//! The evidence read a second time: samples of the records of its runs for spikes, and the bytes around those
//! sightings that a page shows.

use crate::explain::page::levels;
use crate::intake::Intake;
use crate::spike::{Spread, each_record};
use dyetrace_case::{Practice, Range as Place, Record, SightingId, Subject};
use dyetrace_judge::RunFacts;
use dyetrace_pictures::thumbnail;
use dyetrace_report::html::{Excerpt, Excerpts, Pictures};
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
    /// Planted pictures, and what was seen of them.
    pub(super) pictures: Pictures,
}

/// Reads everything again.
pub(super) fn read_again(
    intake: &mut Intake,
    (scanner, subject): (&Scanner, &Subject),
    practices: &[Practice],
    samples: &Samples,
    reveal: bool,
) -> Again {
    let mut spreads: Vec<Spread> = (0..samples.runs).map(|_| Spread::new(samples.of_each)).collect();
    let mut number = 0;
    let wanted = wanted(practices);
    let (mut excerpts, mut pictures) = (Excerpts::new(), originals(subject, reveal));
    let mut scratch = Scratch::default();
    each_record(intake, &mut |exhibit, record| {
        number += 1;
        if let Some(ids) = wanted.get(&number) {
            for sighting in scanner.search(&record, &mut scratch).sightings {
                let id = sighting.id();
                if ids.contains(&id) {
                    let proof = scanner.prove(&record, &sighting);
                    if pictures.originals.contains_key(&sighting.datum)
                        && let Some(picture) = of_picture(&proof, reveal)
                    {
                        pictures.found.insert(id.clone(), picture);
                    }
                    excerpts.insert(id, of_proof(scanner, &proof, reveal));
                }
            }
        }
        let run = samples.run_of.get(exhibit).copied().flatten();
        if let Some(spread) = run.and_then(|run| spreads.get_mut(run)) {
            spread.offer(record);
        }
    });
    Again { samples: spreads.into_iter().map(Spread::records).collect(), excerpts, pictures }
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

/// Pixels of the longer side of a picture: so few that nothing can be read on it, or enough to see what it is.
fn pixels(reveal: bool) -> usize {
    if reveal { 480 } else { 10 }
}

fn originals(subject: &Subject, reveal: bool) -> Pictures {
    let planted = subject.data.iter().filter_map(|datum| {
        let content = datum.file.as_ref()?.content.as_ref()?;
        Some((datum.id.clone(), thumbnail(content.reveal(), pixels(reveal)).ok()?))
    });
    Pictures { originals: planted.collect(), ..Pictures::default() }
}

/// What was seen, where it is a picture that can be shown.
fn of_picture(proof: &Proof, reveal: bool) -> Option<Vec<u8>> {
    let levels = levels(proof);
    let (value, bytes) = levels.last()?;
    thumbnail(bytes.get(value.clone())?, pixels(reveal)).ok()
}

fn of_proof(scanner: &Scanner, proof: &Proof, reveal: bool) -> Vec<Excerpt> {
    let levels = levels(proof);
    let read = proof.steps.len() + 1 - levels.len().min(proof.steps.len() + 1);
    let named = levels.iter().enumerate();
    let excerpt = |(at, (value, bytes)): (usize, &(Range<usize>, &[u8]))| {
        excerpt(scanner, name(scanner, proof, read, at, reveal), bytes, value, reveal)
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
