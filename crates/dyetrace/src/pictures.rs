//! Pictures that tell more than they show, as rows of the report.

use crate::onlooker::{PICTURE_TEXT, fact};
use crate::pipeline::Plan;
use dyetrace_case::{DatumId, Sighting, Step};
use dyetrace_report::audit::{EmbeddedPicture, FaceSeen, PictureNote, PictureRow, Summary};
use dyetrace_search::{Reading, Told, ToldAt};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Notes of one picture that are listed.
const MOST_NOTES: usize = 200;
/// Characters that are shown of one note.
const LONGEST: usize = 120;

/// True where a picture tells more than its pixels do, or shows a face.
pub(crate) fn is_telling(told: &Told) -> bool {
    !told.readings.is_empty() || [fact::EMBEDDED, fact::FACE].iter().any(|name| of(told, name).is_some())
}

/// One row. What the evidence says of somebody is masked like what nobody planted: it may be true.
pub(crate) fn row(
    found: &ToldAt,
    sightings: &[Sighting],
    plan: &Plan<'_>,
    (exhibit, record): (usize, &Arc<Summary>),
) -> PictureRow {
    let told = &found.told;
    let number = |name| of(told, name).and_then(|text| text.parse().ok());
    let note = |reading: &Reading| {
        let detail = reading.detail.as_deref()?;
        let value = reading.ways.first()?.reveal();
        let text: String = String::from_utf8_lossy(value).chars().take(LONGEST).collect();
        let shown = match reading.codec {
            _ if plan.reveal => text,
            PICTURE_TEXT => characters(text.chars().count()),
            _ => plan.redact(&mask(&text)),
        };
        let planted = planted(found, reading, sightings);
        if reading.codec == PICTURE_TEXT && planted.is_empty() && !plan.reveal {
            return None;
        }
        Some(PictureNote { block: reading.codec.to_owned(), name: plan.redact(detail), shown, planted })
    };
    PictureRow {
        format: of(told, fact::FORMAT).unwrap_or_default().to_owned(),
        size: number(fact::WIDTH).zip(number(fact::HEIGHT)),
        notes: text_in_sum(told).into_iter().chain(told.readings.iter().filter_map(note)).take(MOST_NOTES).collect(),
        embedded: of(told, fact::EMBEDDED)
            .map(|size| EmbeddedPicture { size: size.to_owned(), shows: of(told, fact::SHOWS).map(str::to_owned) }),
        faces: told.facts.iter().filter(|(name, _)| *name == fact::FACE).filter_map(|(_, text)| face(text)).collect(),
        place: found.place.clone(),
        trail: found.trail.clone(),
        exhibit,
        record: record.clone(),
    }
}

/// As the onlooker writes one.
fn face(text: &str) -> Option<FaceSeen> {
    let (box_, score) = text.rsplit_once(' ')?;
    let numbers: Vec<u32> = box_.split(' ').map_while(|number| number.parse().ok()).collect();
    let [left, top, width, height] = numbers[..] else { return None };
    Some(FaceSeen { left, top, width, height, score: score.parse().ok()? })
}

/// How much text was read. Its lines are listed where planted values are in them: what else stands there may be true.
fn text_in_sum(told: &Told) -> Option<PictureNote> {
    let lines = told.readings.iter().filter(|reading| reading.codec == PICTURE_TEXT);
    let length =
        |reading: &Reading| reading.ways.first().map(|way| String::from_utf8_lossy(way.reveal()).chars().count());
    let (count, length) = lines.filter_map(length).fold((0, 0), |(count, all), length| (count + 1, all + length));
    let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    (count > 0).then(|| PictureNote {
        block: PICTURE_TEXT.to_owned(),
        name: "read".to_owned(),
        shown: format!("{lines}, {}", characters(length)),
        planted: Vec::new(),
    })
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

fn of<'t>(told: &'t Told, name: &str) -> Option<&'t str> {
    told.facts.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

/// The first and last characters, of long values alone; of numbers such as positions none.
fn mask(text: &str) -> String {
    let length = text.chars().count();
    let is_number = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | ' '));
    let (head, tail) = match length {
        0..8 => (0, 0),
        _ if is_number => (0, 0),
        8..11 => (1, 1),
        _ => (3, 2),
    };
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}****{end}")
}

/// Planted values, hints left out, whose trails lead through the reading, or that the onlooker found in it.
fn planted(found: &ToldAt, reading: &Reading, sightings: &[Sighting]) -> Vec<DatumId> {
    let outer = found.trail.0.len();
    let is_at = |at: dyetrace_case::Range, range: &std::ops::Range<usize>| {
        (at.start, at.end) == (range.start as u64, range.end as u64)
    };
    let leads_through = |step: &Step| {
        step.codec == reading.codec && step.detail == reading.detail && is_at(step.encoded, &reading.range)
    };
    // What stands in the file as it is read needs no step; what the onlooker found names the note.
    let is_there = |sighting: &Sighting| {
        let (at, name) = (sighting.place.decoded, reading.detail.as_deref().unwrap_or_default());
        let inside = reading.range.start as u64 <= at.start && at.end <= reading.range.end as u64;
        let is_near = sighting.form.ends_with(&format!("{} {name}", reading.codec));
        inside || (is_near && is_at(at, &found.told.range))
    };
    let through = |sighting: &&Sighting| {
        !sighting.is_hint()
            && sighting.place.part == found.place.part
            && sighting.trail.0.get(..outer) == Some(&found.trail.0[..])
            && sighting.trail.0.get(outer).map_or_else(|| is_there(sighting), leads_through)
    };
    let data: BTreeSet<DatumId> = sightings.iter().filter(through).map(|sighting| sighting.datum.clone()).collect();
    data.into_iter().collect()
}
