//! Multipart bodies: RFC 2046 section 5.1, RFC 7578. The boundary is read off the first line.

use super::table::About;
use super::{Coding, Field, Label, Structure};
use std::ops::{ControlFlow, Range};

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "multipart",
    undoes: "parts by their names, each a body of its own",
    place: "documents",
    exact: true,
    source: "RFC 2046 section 5.1, RFC 7578",
};

/// A multipart body of any subtype.
pub(crate) struct Multipart;

/// Longest delimiter line: 70 characters (RFC 2046) and the dashes, with room for offenders.
const LONGEST_DELIMITER: usize = 200;

/// True where the first line is a delimiter and a header field follows.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    delimiter(bytes).is_some()
}

/// `--boundary` without its line end.
fn delimiter(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let line = start.get(..LONGEST_DELIMITER).unwrap_or(start);
    let end = memchr::memchr(b'\n', line)?;
    let line = line[..end].trim_ascii_end();
    let next = start.get(end + 1..)?;
    let is_field = next.iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    (line.len() > 3 && line.starts_with(b"--") && is_field > 0 && next.get(is_field) == Some(&b':')).then_some(line)
}

impl Structure for Multipart {
    /// The header block of each part is a field without a name, its content one with the name.
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let Some(delimiter) = delimiter(bytes) else { return };
        let finder = memchr::memmem::Finder::new(delimiter);
        let mut start = None;
        let mut from = 0;
        while let Some(found) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + found;
            from = at + delimiter.len();
            if at > 0 && bytes[at - 1] != b'\n' {
                continue;
            }
            if start.is_some_and(|start| part(bytes, start..at, true, visit).is_break()) {
                return;
            }
            start = Some(from);
        }
        let _ = start.map(|start| part(bytes, start..bytes.len(), false, visit));
    }

    fn fields_are_bodies(&self) -> bool {
        true
    }
}

/// Visits one part: what lies between two delimiters.
fn part(
    bytes: &[u8],
    range: Range<usize>,
    delimited: bool,
    visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let text = &bytes[range.clone()];
    let (head_end, body_start) = [&b"\r\n\r\n"[..], b"\n\n"]
        .iter()
        .filter_map(|blank| memchr::memmem::find(text, blank).map(|at| (at, at + blank.len())))
        .min()
        .unwrap_or((text.len(), text.len()));
    let head = range.start..range.start + head_end;
    let line_end = if delimited { line_end_length(&text[body_start..]) } else { 0 };
    let body = range.start + body_start..range.end - line_end;
    let label = name(&text[..head_end]).map_or(Label::None, Label::Name);
    if !head.is_empty() {
        visit(&Field::new("multipart", Label::None, head, Coding::Plain))?;
    }
    if !body.is_empty() {
        visit(&Field::new("multipart", label, body, Coding::Plain))?;
    }
    ControlFlow::Continue(())
}

fn line_end_length(text: &[u8]) -> usize {
    match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

/// The `name` parameter of Content-Disposition.
fn name(head: &[u8]) -> Option<&[u8]> {
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.get(..20).is_some_and(|field| field.eq_ignore_ascii_case(b"content-disposition:")))?;
    let at = memchr::memmem::find_iter(line, b"name=")
        .find(|at| line[..*at].ends_with(b" ") || line[..*at].ends_with(b";"))?;
    let value = &line[at + 5..];
    match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|byte| *byte == b'"').next(),
        None => value.split(|byte| matches!(byte, b';' | b'\r' | b' ')).next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(Option<String>, String)> {
        let mut found = Vec::new();
        Multipart.walk(text.as_bytes(), &mut |field| {
            found.push((field.label.detail(), text[field.range.clone()].to_owned()));
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn parts_are_named_by_their_disposition() {
        let text = "--XX\r\nContent-Disposition: form-data; filename=\"f\"; name=\"ssid\"\r\n\r\nHome\r\n--XX\r\nContent-Type: text/plain\r\n\r\nline --XX line\r\n--XX--\r\n";
        let found: Vec<_> = fields(text).into_iter().filter(|(_, body)| !body.contains("Content")).collect();
        assert_eq!(found[..2], [(Some("ssid".to_owned()), "Home".to_owned()), (None, "line --XX line".to_owned())]);
    }

    #[test]
    fn a_body_that_ends_within_a_part_is_read_to_its_end() {
        let found = fields("--b-\nContent-Disposition: form-data; name=a\n\n1380000");
        assert_eq!(found.last(), Some(&(Some("a".to_owned()), "1380000".to_owned())));
    }

    #[test]
    fn a_signature_or_a_list_is_not_multipart() {
        assert!(!begins(b"-- \nBest regards") && !begins(b"--\n--\n") && !begins(b"-----BEGIN KEY-----\nMIIB"));
    }
}
