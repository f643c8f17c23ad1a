//! What the search cannot see by itself: planted files, and what picture files tell beside the picture.

use crate::each_picture::Looked;
use crate::misread::{Amount, Sought};
use crate::originals::Originals;
use crate::picture_faces::PictureFaces;
use crate::picture_text::{PictureText, TextLine};
use dyetrace_case::{Datum, DatumId, Secret, Strength, Subject};
use dyetrace_faces::Face;
use dyetrace_pictures::{Embedded, Note, Notes, Shows, notes, shows};
use dyetrace_search::{Beside, LookedBeside, ReadBeside, Reading, SeenBeside, Told};
use std::sync::Arc;

/// Degrees between a planted position and one in a picture's notes that may be the same, one metre: cameras write
/// hundredths of seconds of arc, some of them cut off.
const NEAR: f64 = 1e-5;
/// Degrees that no notes are more exact than.
const EXACT: f64 = 1e-6;

/// Bytes of the smallest picture with notes.
const SHORTEST_PICTURE: usize = 64;

/// Small pictures of one body that are held against the pictures around them.
const MOST_COMPARED: usize = 8;
/// Pixels that are decoded while the search goes through one byte.
const PIXELS_A_BYTE: u64 = 32;

/// Names of facts about a picture; see [`Told::facts`].
pub(crate) mod fact {
    /// `jpeg`, `png` and so on.
    pub(crate) const FORMAT: &str = "format";
    /// Pixels.
    pub(crate) const WIDTH: &str = "width";
    /// Pixels.
    pub(crate) const HEIGHT: &str = "height";
    /// `width×height` of the small picture inside.
    pub(crate) const EMBEDDED: &str = "embedded";
    /// What that shows.
    pub(crate) const SHOWS: &str = "shows";
    /// One face: left, top, width, height in pixels of the upright picture, and how sure it is.
    pub(crate) const FACE: &str = "face";
}

/// Whoever looks at pictures beside the search.
pub(crate) struct Onlooker {
    originals: Option<Arc<Originals>>,
    positions: Vec<Position>,
    /// Planted values as they are looked for in text in pictures.
    sought: Vec<Sought>,
    models: Models,
}

/// Who looks at the pixels of pictures with models that are installed; nobody where they are not.
#[derive(Clone, Default)]
pub(crate) struct Models {
    /// Reads text.
    pub(crate) text: Option<Arc<PictureText>>,
    /// Looks for faces.
    pub(crate) faces: Option<Arc<PictureFaces>>,
}

/// A planted position.
struct Position {
    datum: DatumId,
    degrees: (f64, f64),
    /// Decimals it was planted with.
    decimals: usize,
}

impl Onlooker {
    /// For a subject and its planted files.
    pub(crate) fn new(subject: &Subject, originals: Option<Arc<Originals>>, models: Models) -> Self {
        let positions = subject.data.iter().filter_map(position).collect();
        let values = subject.data.iter().filter(|datum| datum.file.is_none() && models.text.is_some());
        let sought = values.filter_map(Sought::of).collect();
        Self { originals, positions, sought, models }
    }

    /// A planted position in a picture's notes that no text shows, because the fractions there round to another one.
    fn near(&self, told: &Notes) -> Option<SeenBeside> {
        let note = told.notes.iter().find(|note| note.name == POSITION)?;
        let here = degrees(&note.text)?;
        self.positions.iter().find_map(|planted| {
            let off = (planted.degrees.0 - here.0).abs().max((planted.degrees.1 - here.1).abs());
            let rounds_to_it =
                ways(note).any(|way| degrees(way) == Some(planted.degrees) && decimals(way) == planted.decimals);
            (off <= NEAR && !rounds_to_it).then(|| {
                let box_side = 2.0 * off.max(EXACT);
                SeenBeside {
                    datum: planted.datum.clone(),
                    range: told.range.clone(),
                    form: format!("a position within a metre of it, in its {} {POSITION}", note.block),
                    strength: Strength::Derived,
                    bits: (180.0 / box_side).log2() + (360.0 / box_side).log2(),
                }
            })
        })
    }
}

/// The name of text in pictures in trails.
pub(crate) const PICTURE_TEXT: &str = "picture text";

/// How much text was read in all pictures of the same bytes.
fn amount(all: &[Told]) -> Amount {
    let readings = all.iter().flat_map(|told| &told.readings).filter(|reading| reading.codec == PICTURE_TEXT);
    readings.filter_map(line).map(Amount::of).fold(Amount::default(), Amount::and)
}

/// What a reading says, as text.
fn line(reading: &Reading) -> Option<&str> {
    std::str::from_utf8(reading.ways.first()?.reveal()).ok()
}

const POSITION: &str = "GPSPosition";

fn position(datum: &Datum) -> Option<Position> {
    let is_position = matches!(datum.kind.as_str().rsplit('.').next(), Some("gps" | "location" | "coordinates"));
    let text = std::str::from_utf8(datum.value.reveal()).ok().filter(|_| is_position)?;
    Some(Position { datum: datum.id.clone(), degrees: degrees(text)?, decimals: decimals(text) })
}

fn degrees(text: &str) -> Option<(f64, f64)> {
    let (north, east) = text.split_once(',')?;
    Some((north.trim().parse().ok()?, east.trim().parse().ok()?))
}

/// Of the second number, which in what is planted has as many as the first.
fn decimals(text: &str) -> usize {
    text.rsplit_once('.').map_or(0, |(_, decimals)| decimals.len())
}

fn ways(note: &Note) -> impl Iterator<Item = &str> {
    std::iter::once(note.text.as_str()).chain(note.also.iter().map(String::as_str))
}

impl Beside for Onlooker {
    fn shortest(&self) -> usize {
        if self.originals.is_some() || !self.positions.is_empty() { 1 } else { usize::MAX }
    }

    fn look(&self, bytes: &[u8]) -> LookedBeside {
        let mut looked = self.originals.as_ref().map(|originals| originals.look(bytes)).unwrap_or_default();
        if !self.positions.is_empty() && may_be_picture(bytes) {
            looked.seen.extend(notes(bytes).asked.iter().filter_map(|told| self.near(told)));
        }
        looked
    }

    fn read(&self, bytes: &[u8]) -> ReadBeside {
        let files = notes(bytes);
        let is_cut = files.is_cut || !files.left.is_empty();
        let text = self.models.text.as_ref().map(|text| text.lines(bytes, &files)).unwrap_or_default();
        let faces = self.models.faces.as_ref().map(|faces| faces.faces(bytes, &files)).unwrap_or_default();
        let (mut text, mut faces) = (text.into_iter(), faces.into_iter());
        let mut compared = 0;
        let told = files.asked.into_iter().map(|told| {
            compared += usize::from(told.embedded.is_some());
            let seen = Seen { text: text.next().unwrap_or_default(), faces: faces.next().unwrap_or_default() };
            in_words(bytes, told, compared <= MOST_COMPARED, &seen)
        });
        ReadBeside { told: told.collect(), is_cut }
    }

    fn nearly(&self, all: &[Told], reading: &Reading) -> Vec<SeenBeside> {
        let Some(line) = line(reading).filter(|_| reading.codec == PICTURE_TEXT) else { return Vec::new() };
        let amount = amount(all);
        let seen = |sought: &Sought| {
            let found = sought.in_line(line, amount)?;
            let strength = if found.differ == 0 { Strength::Exact } else { Strength::Derived };
            let (form, datum) = (found.in_words(), sought.datum.clone());
            Some(SeenBeside { datum, range: found.range, form, strength, bits: found.bits })
        };
        self.sought.iter().filter_map(seen).collect()
    }

    fn is_nearly(&self, datum: &DatumId, form: &str, bytes: &[u8]) -> bool {
        let Ok(line) = std::str::from_utf8(bytes) else { return false };
        let mut sought = self.sought.iter().filter(|sought| sought.datum == *datum);
        sought.any(|sought| sought.in_line(line, Amount::of(line)).is_some_and(|found| found.in_words() == form))
    }
}

/// Text is none, and most of what is searched is text.
fn may_be_picture(bytes: &[u8]) -> bool {
    let head = bytes.get(..SHORTEST_PICTURE).unwrap_or_default();
    head.iter().any(|byte| !matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// What models saw in one picture.
struct Seen {
    text: Looked<TextLine>,
    faces: Looked<Face>,
}

/// A picture's notes, the small picture inside where it may show more, its lines of text and its faces.
fn in_words(bytes: &[u8], told: Notes, compares: bool, seen: &Seen) -> Told {
    let mut facts = vec![(fact::FORMAT, told.format.to_owned())];
    if let Some((width, height)) = told.size {
        facts.extend([(fact::WIDTH, width.to_string()), (fact::HEIGHT, height.to_string())]);
    }
    let reading = |note: &Note| Reading {
        codec: note.block,
        detail: Some(note.name.to_owned()),
        range: note.range.clone(),
        ways: ways(note).map(Secret::new).collect(),
    };
    let mut readings: Vec<Reading> = told.notes.iter().map(reading).collect();
    let mut pixels = seen.text.pixels.saturating_add(seen.faces.pixels);
    facts.extend(seen.faces.found.iter().map(|face| (fact::FACE, face_in_words(face))));
    if let Some(small) = &told.embedded {
        let part = |range: &std::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let (shown, decoded) = if compares { shows(part(&told.range), part(&small.range)) } else { (None, 0) };
        pixels = pixels.saturating_add(decoded);
        facts.push((fact::EMBEDDED, format!("{}×{}", small.size.0, small.size.1)));
        facts.extend(shown.map(|shown| (fact::SHOWS, shows_in_words(shown).to_owned())));
        readings.extend(if shown == Some(Shows::Same) { None } else { thumbnail(bytes, small) });
    }
    let line = |(number, line): (usize, &TextLine)| Reading {
        codec: PICTURE_TEXT,
        detail: Some(format!("line {} at {}", number + 1, line.place)),
        range: told.range.clone(),
        ways: vec![Secret::new(line.text.as_str())],
    };
    readings.extend(seen.text.found.iter().enumerate().map(line));
    Told { range: told.range, facts, readings, work: pixels / PIXELS_A_BYTE }
}

/// The small picture is looked at by itself only where it may show more than the picture around it.
fn thumbnail(bytes: &[u8], small: &Embedded) -> Option<Reading> {
    let content = bytes.get(small.range.clone())?;
    Some(Reading { codec: "thumbnail", detail: None, range: small.range.clone(), ways: vec![Secret::new(content)] })
}

fn face_in_words(face: &Face) -> String {
    let Face { left, top, width, height, score } = face;
    format!("{left} {top} {width} {height} {score:.1}")
}

fn shows_in_words(shows: Shows) -> &'static str {
    match shows {
        Shows::Same => "same",
        Shows::AnotherShape => "another-shape",
        Shows::OtherContents => "other-contents",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lab's photographs as an app would keep them in one file.
    fn photographs(count: usize) -> Vec<u8> {
        let photo = dyetrace_lab::gallery::originals().iter().find(|one| one.unique_id.is_some()).unwrap();
        photo.bytes.repeat(count)
    }

    #[test]
    fn pictures_behind_the_sixty_fourth_are_said_to_be_left() {
        let onlooker = Onlooker::new(&Subject::default(), None, Models::default());
        let read = |count| onlooker.read(&photographs(count));
        let (all, some) = (read(64), read(65));
        assert_eq!((all.told.len(), all.is_cut, some.told.len(), some.is_cut), (64, false, 64, true));
    }
}
