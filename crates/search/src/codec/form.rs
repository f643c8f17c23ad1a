//! Forms and queries: `name=value&…`, URL Living Standard section 5.1.

use super::table::About;
use super::{Coding, Field, Label, Structure};
use std::ops::{ControlFlow, Range};

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "form",
    undoes: "values of a form, with percent escapes and `+` for space",
    place: "documents",
    exact: true,
    source: "URL Living Standard section 5.1",
};

/// An application/x-www-form-urlencoded body.
pub(crate) struct Form;

/// Bytes looked at to recognise a form.
const LOOKED_AT: usize = 256;

/// True where the bytes begin with a name made of the characters that encoders leave, then `=`,
/// and hold no bare space, control character or angle bracket near the start.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    if memchr::memchr(b'=', start).is_none() {
        return false;
    }
    let name = start.iter().take_while(|byte| in_name(**byte)).count();
    let text = start.iter().take_while(|byte| **byte != b'{' && **byte != b'[');
    name > 0
        && start.get(name) == Some(&b'=')
        && start.get(name + 1..).is_none_or(|rest| rest.iter().any(|byte| *byte != b'='))
        && text.clone().all(|byte| *byte > b' ' && !matches!(byte, b'<' | b'>' | b'"' | 0x7f))
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'[' | b']' | b'$' | b'~' | b':')
}

impl Structure for Form {
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>) {
        let _ = walk_pairs("form", bytes, 0..bytes.len(), b'&', Coding::Form, visit);
    }

    fn plus_is_space(&self) -> bool {
        true
    }
}

/// Visits the value of each `name=value` between separators. A text without `=` is a value
/// without a name.
pub(super) fn walk_pairs(
    codec: &'static str,
    bytes: &[u8],
    range: Range<usize>,
    separator: u8,
    coding: Coding,
    visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let text = bytes.get(..range.end).unwrap_or(bytes);
    let mut start = range.start;
    while start < text.len() {
        let rest = &text[start..];
        let length = memchr::memchr(separator, rest).unwrap_or(rest.len());
        let pair = &rest[..length];
        let blank = pair.iter().take_while(|byte| **byte == b' ').count();
        let equals = memchr::memchr(b'=', pair);
        let label = equals.map_or(Label::None, |at| Label::Name(pair.get(blank..at).unwrap_or_default()));
        let value = start + equals.map_or(blank, |at| at + 1)..start + length;
        if !value.is_empty() {
            visit(&Field::new(codec, label, value, coding))?;
        }
        start += length + 1;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_named() {
        let text = b"a=1&user%5Bid%5D=x+y&flag&b=";
        let mut found = Vec::new();
        Form.walk(text, &mut |field| {
            found.push((field.label.detail(), field.range.clone()));
            ControlFlow::Continue(())
        });
        assert_eq!(found, [(Some("a".to_owned()), 2..3), (Some("user[id]".to_owned()), 17..20), (None, 21..25)]);
    }

    #[test]
    fn prose_and_padding_are_not_forms() {
        assert!(begins(b"a=1&b=2") && begins(b"data={\"a b\":1}"));
        assert!(!begins(b"x = 5") && !begins(b"MTM4MA==") && !begins(b"a=1\nb=2") && !begins(b"<a href=x>"));
    }
}
