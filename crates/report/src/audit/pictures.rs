//! What pictures give away: the section of the report.

use super::json::{Each, direction, place, step, summary};
use super::model::{Audit, Summary};
use super::terminal::{Page, byte_range, request_line, who};
use crate::text::{clean, count};
use dyetrace_case::{DatumId, Place, Protocol, Trail};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;

/// What asking the pictures gave.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// Pictures in what was read; one that is sent twice counts twice.
    pub seen: u64,
    /// Those that tell more than they show, or show faces.
    pub telling: u64,
    /// The first of these, in the order of the evidence.
    pub rows: Vec<PictureRow>,
    /// Why the text in them was not read; absent where it was.
    pub text_not_examined: Option<String>,
    /// How much of it was read; absent where it was not examined.
    pub text_read: Option<TextRead>,
    /// Why no faces were looked for in them; absent where they were.
    pub faces_not_examined: Option<String>,
    /// How many were found; absent where none were looked for.
    pub faces_sought: Option<FacesSought>,
}

/// How many faces were found in pictures. A picture counts once, however often it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FacesSought {
    /// Pictures that were looked at.
    pub pictures: u64,
    /// Faces that were found in them.
    pub faces: u64,
    /// Why others were left, or looked at in part, and how many.
    pub left: Vec<(String, u64)>,
}

/// How much text was read in pictures. A picture counts once, however often it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRead {
    /// Pictures that were looked at.
    pub pictures: u64,
    /// Lines that were read in them.
    pub lines: u64,
    /// Why others were left, or read in part, and how many.
    pub left: Vec<(String, u64)>,
}

/// One picture that tells more than it shows, or shows a face.
#[derive(Debug, Clone)]
pub struct PictureRow {
    /// `jpeg`, `png` and so on.
    pub format: String,
    /// Width and height in pixels, as stored.
    pub size: Option<(u32, u32)>,
    /// What is written in it.
    pub notes: Vec<PictureNote>,
    /// The small picture inside.
    pub embedded: Option<EmbeddedPicture>,
    /// Faces that it shows, the surest first.
    pub faces: Vec<FaceSeen>,
    /// Where; names within were redacted.
    pub place: Place,
    /// How it was wrapped, redacted.
    pub trail: Trail,
    /// Index into [`Audit::exhibits`].
    pub exhibit: usize,
    /// The record.
    pub record: Arc<Summary>,
}

/// One thing that a picture tells.
#[derive(Debug, Clone)]
pub struct PictureNote {
    /// `exif` or `xmp`.
    pub block: String,
    /// Its name there.
    pub name: String,
    /// The masked value, or the value itself where the user asked for it.
    pub shown: String,
    /// Planted values that were seen in it.
    pub planted: Vec<DatumId>,
}

/// The small picture inside a picture.
#[derive(Debug, Clone)]
pub struct EmbeddedPicture {
    /// `160×120`.
    pub size: String,
    /// `same`, `another-shape`, `other-contents`; absent where it could not be told.
    pub shows: Option<String>,
}

/// One face in a picture, in pixels of the upright picture. Nothing says whose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceSeen {
    /// To the right.
    pub left: u32,
    /// Down.
    pub top: u32,
    /// At least 1.
    pub width: u32,
    /// At least 1.
    pub height: u32,
    /// How sure the model is; of what is listed, at least 3.
    pub score: f64,
}

/// Lines of one picture at a terminal.
const NOTES: usize = 24;

/// The section at a terminal; nothing where there was no picture.
pub(super) fn section(audit: &Audit, page: &mut Page<'_>) -> io::Result<()> {
    let found = &audit.pictures;
    if found.seen == 0 {
        return Ok(());
    }
    page.heading("What pictures give away")?;
    let (seen, telling) = (count(found.seen), count(found.telling));
    let what = match (found.text_read.is_some(), found.faces_sought.is_some()) {
        (false, false) => "",
        (true, false) => ", or text",
        (false, true) => ", or faces",
        (true, true) => ", text or faces",
    };
    page.line(&match found.telling {
        0 => format!("  Pictures: {seen}. None was found to tell more than it shows."),
        _ => format!("  Pictures: {seen}. With notes of a camera or a program{what}: {telling}."),
    })?;
    text_in_sum(found, page)?;
    faces_in_sum(found, page)?;
    let rows: Vec<&PictureRow> = found.rows.iter().collect();
    for row in rows.iter().take(page.limit()) {
        picture(audit, row, page)?;
    }
    page.rest(rows.len())
}

fn text_in_sum(found: &Pictures, page: &mut Page<'_>) -> io::Result<()> {
    if let Some(why) = &found.text_not_examined {
        page.line(&format!("  The text in them was not examined: {}.", clean(why)))?;
    }
    let Some(read) = &found.text_read else { return Ok(()) };
    let (pictures, lines) = (count(read.pictures), count(read.lines));
    page.line(&format!("  Text was read in different pictures: {pictures}. Lines: {lines}. Reading may err."))?;
    left("Text not examined", &read.left, page)
}

fn faces_in_sum(found: &Pictures, page: &mut Page<'_>) -> io::Result<()> {
    if let Some(why) = &found.faces_not_examined {
        page.line(&format!("  Faces in them were not examined: {}.", clean(why)))?;
    }
    let Some(sought) = &found.faces_sought else { return Ok(()) };
    let (pictures, faces) = (count(sought.pictures), count(sought.faces));
    page.line(&format!(
        "  Faces were looked for in different pictures: {pictures}. Found: {faces}. Whose they are is not asked."
    ))?;
    left("Faces not examined", &sought.left, page)
}

fn left(what: &str, all: &[(String, u64)], page: &mut Page<'_>) -> io::Result<()> {
    for (why, pictures) in all {
        page.line(&format!("  {what} in different pictures: {} ({}).", count(*pictures), clean(why)))?;
    }
    Ok(())
}

fn picture(audit: &Audit, row: &PictureRow, page: &mut Page<'_>) -> io::Result<()> {
    let size = row.size.map_or(String::new(), |(width, height)| format!(" {width}×{height}"));
    let whose = if row.record.protocol == Protocol::File { "stored files".to_owned() } else { who(&row.record.server) };
    let way = page.styled("1", &format!("{} {}", way(row), whose));
    page.line(&format!("\n    {way}, {}{size}", clean(&row.format)))?;
    page.line(&format!("      {}", request_line(&row.record)))?;
    for note in row.notes.iter().take(if page.all() { usize::MAX } else { NOTES }) {
        let name = page.styled("33", &clean(&format!("{} {}", note.block, note.name)));
        let planted: Vec<String> = note.planted.iter().map(|datum| clean(&datum.0)).collect();
        let planted = if planted.is_empty() {
            String::new()
        } else {
            page.styled("1;31", &format!("  planted: {}", planted.join(", ")))
        };
        page.line(&format!("        {name}  {}{planted}", clean(&note.shown)))?;
    }
    for face in row.faces.iter().take(if page.all() { usize::MAX } else { NOTES }) {
        let name = page.styled("33", "face");
        page.line(&format!("        {name}  {}", face_in_words(face)))?;
    }
    if let Some(small) = &row.embedded {
        let shows = shows_in_words(small.shows.as_deref());
        page.line(&format!("        small picture inside, {}: {shows}", clean(&small.size)))?;
    }
    let path = audit.exhibits.get(row.exhibit).map_or("", |exhibit| exhibit.exhibit.path.as_str());
    let part = clean(&row.place.part.to_string());
    let at = format!("{part} {} of {} in {}", byte_range(row.place.range), row.place.record, clean(path));
    let at = page.styled("2", &at);
    page.line(&format!("        {at}"))
}

/// `at 381,692 120×118, score 12.3`.
pub(crate) fn face_in_words(face: &FaceSeen) -> String {
    let FaceSeen { left, top, width, height, score } = face;
    format!("at {left},{top} {width}×{height}, score {score:.1}")
}

/// `sent to`, `received from`, `kept in`.
fn way(row: &PictureRow) -> &'static str {
    match direction(&row.place.part) {
        "kept" => "kept in",
        "sent" => "sent to",
        _ => "received from",
    }
}

pub(crate) fn shows_in_words(shows: Option<&str>) -> &'static str {
    match shows {
        Some("same") => "shows the same",
        Some("another-shape") => "has another shape: the picture was cropped or turned after it was taken",
        Some("other-contents") => "shows something else: the picture was cropped or changed after it was taken",
        _ => "what it shows cannot be told",
    }
}

/// The section in JSON.
pub(super) struct Json<'a>(pub(super) &'a Audit);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let found = &self.0.pictures;
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("seen", &found.seen)?;
        document.serialize_entry("telling", &found.telling)?;
        document.serialize_entry("text_not_examined", &found.text_not_examined)?;
        document.serialize_entry("text_read", &found.text_read.as_ref().map(text_json))?;
        document.serialize_entry("faces_not_examined", &found.faces_not_examined)?;
        document.serialize_entry("faces_sought", &found.faces_sought.as_ref().map(faces_json))?;
        document.serialize_entry("found", &Each(&found.rows, |row: &PictureRow| row_json(self.0, row)))?;
        document.end()
    }
}

fn text_json(read: &TextRead) -> Value {
    json!({"pictures": read.pictures, "lines": read.lines, "left": left_json(&read.left)})
}

fn faces_json(sought: &FacesSought) -> Value {
    json!({"pictures": sought.pictures, "faces": sought.faces, "left": left_json(&sought.left)})
}

fn left_json(left: &[(String, u64)]) -> Vec<Value> {
    left.iter().map(|(why, pictures)| json!({"why": why, "pictures": pictures})).collect()
}

fn row_json(audit: &Audit, row: &PictureRow) -> Value {
    let note = |note: &PictureNote| {
        let planted: Vec<&str> = note.planted.iter().map(|datum| datum.0.as_str()).collect();
        json!({"block": note.block, "name": note.name, "shown": note.shown, "planted": planted})
    };
    let face = |face: &FaceSeen| {
        let FaceSeen { left, top, width, height, score } = face;
        json!({"left": left, "top": top, "width": width, "height": height, "score": score})
    };
    json!({
        "format": row.format,
        "width": row.size.map(|size| size.0),
        "height": row.size.map(|size| size.1),
        "direction": direction(&row.place.part),
        "notes": row.notes.iter().map(note).collect::<Vec<_>>(),
        "embedded": row.embedded.as_ref().map(|small| json!({"size": small.size, "shows": small.shows})),
        "faces": row.faces.iter().map(face).collect::<Vec<_>>(),
        "place": place(audit, &row.place, row.exhibit),
        "trail": row.trail.to_string(),
        "steps": row.trail.0.iter().map(step).collect::<Vec<_>>(),
        "record": summary(&row.record),
    })
}
