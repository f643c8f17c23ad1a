//! Bytes around a sighting, as rows of hexadecimal and text.
//!
//! Whoever fills an excerpt in leaves out the bytes that must not be shown; the page cannot show what
//! it was never given.

use super::markup::{Context, escape};
use dyetrace_case::{Range, SightingId};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The excerpts of a page's sightings: for each the levels from the part's bytes to the value's, outermost first.
pub type Excerpts = BTreeMap<SightingId, Vec<Excerpt>>;

/// Bytes around the value at one level of its trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// What these bytes are: `as sent`, or the step that gave them, redacted.
    pub level: String,
    /// Offset of the first byte within the level.
    pub start: u64,
    /// The bytes; `None` for each that is hidden.
    pub bytes: Vec<Option<u8>>,
    /// Where the value, or what it is wrapped in, lies within the level.
    pub value: Range,
}

/// Bytes in one row.
const ROW: usize = 16;
/// Most bytes shown of one level.
const MOST: usize = 512;

/// A level of an excerpt.
pub(super) fn view(context: &Context<'_>, excerpt: &Excerpt) -> String {
    let mut rows = String::new();
    let shown = excerpt.bytes.get(..MOST).unwrap_or(&excerpt.bytes);
    for (index, chunk) in shown.chunks(ROW).enumerate() {
        row(excerpt, index * ROW, chunk, &mut rows);
    }
    let more = excerpt.bytes.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(rows, "{:>10}  … {}", "", context.pick("further bytes are left out", "其余字节从略"));
    }
    let from = excerpt.value.start;
    let to = excerpt.value.end.saturating_sub(1).max(from);
    let label = format!("{}: {}", escape(&excerpt.level), context.pick("bytes", "字节"));
    format!(
        "<figure class=\"hex\"><figcaption>{} · {} {from}–{to}</figcaption>\
         <pre tabindex=\"0\" aria-label=\"{label}\">{rows}</pre></figure>",
        escape(&excerpt.level),
        context.pick("bytes", "字节"),
    )
}

fn row(excerpt: &Excerpt, from: usize, chunk: &[Option<u8>], out: &mut String) {
    let (mut hex, mut text) = (String::new(), String::new());
    let mut marked = false;
    for (index, byte) in chunk.iter().enumerate() {
        let at = excerpt.start.saturating_add((from + index) as u64);
        let inside = excerpt.value.start <= at && at < excerpt.value.end;
        if inside != marked {
            let tag = if inside { "<mark>" } else { "</mark>" };
            hex.push_str(tag);
            text.push_str(tag);
            marked = inside;
        }
        hex.push_str(&byte.map_or_else(|| "** ".to_owned(), |byte| format!("{byte:02x} ")));
        text.push_str(&byte.map_or_else(|| "*".to_owned(), printable));
    }
    if marked {
        hex.push_str("</mark>");
        text.push_str("</mark>");
    }
    let padding = " ".repeat((ROW - chunk.len()) * 3);
    let _ = writeln!(out, "{:>10}  {hex}{padding} {text}", excerpt.start.saturating_add(from as u64));
}

fn printable(byte: u8) -> String {
    if byte.is_ascii_graphic() || byte == b' ' { escape(&char::from(byte).to_string()) } else { ".".to_owned() }
}
