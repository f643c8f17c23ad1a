//! E-mail addresses (RFC 5321 section 4.1.2, without quoted local parts and address literals).

use super::{Checks, Pass};
use std::ops::Range;

/// Longest local part and longest domain (RFC 5321 section 4.5.3.1).
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
/// Longest address (RFC 5321 section 4.5.3.1.3: a path of 256 with its brackets).
const ADDRESS: usize = 254;

/// Endings of file names, which look like domains in `logo@2x.png`.
const FILES: [&[u8]; 12] =
    [b"png", b"jpg", b"jpeg", b"gif", b"webp", b"svg", b"css", b"js", b"json", b"html", b"xml", b"ttf"];

/// The address around the `@` at that place. An `@` and a dot among 64 characters in text, and a
/// domain of letters behind it.
pub(super) fn around(bytes: &[u8], at: usize) -> Option<(Range<usize>, Pass)> {
    let before = bytes.get(at.saturating_sub(LOCAL + 1)..at)?;
    let local = before.iter().rev().take_while(|byte| is_local(**byte)).count();
    let start = trim_local(bytes, at - local, at);
    let after = bytes.get(at + 1..)?;
    let reach = after.iter().take(DOMAIN + 1).take_while(|byte| is_domain(**byte)).count();
    let domain = domain(after.get(..reach)?, after.get(reach).copied())?;
    let local = bytes.get(start..at)?;
    if local.is_empty()
        || local.len() > LOCAL
        || local.len() + 1 + domain > ADDRESS
        || local.windows(2).any(|pair| pair == b"..")
    {
        return None;
    }
    let end = at + 1 + domain;
    Some((start..end, Pass::new("email", Checks::default(), 12.0)))
}

/// RFC 5321 `atext` and dots. Those that text has beside an address as often as in it (`'`, `/`,
/// `=`, `?`, `&`, `#`, `%`, `` ` ``, braces, `!`, `$`, `*`, `^`) are taken for text.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'|' | b'~')
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

/// Signs at the start are the text's: `- name@host`, `...name@host`.
fn trim_local(bytes: &[u8], start: usize, at: usize) -> usize {
    let part = bytes.get(start..at).unwrap_or_default();
    if part.last() == Some(&b'.') {
        return at;
    }
    start + part.iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'+' | b'|' | b'~')).count()
}

/// Length of the domain at the start of a run of its characters: labels of 1 to 63 characters, at
/// least two of them, the last of letters and at least two.
fn domain(run: &[u8], next: Option<u8>) -> Option<usize> {
    let trimmed = run.len() - run.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
    let run = run.get(..trimmed)?;
    if trimmed > DOMAIN || matches!(next, Some(b'@' | b'_')) {
        return None;
    }
    let labels_ok = run
        .split(|byte| *byte == b'.')
        .all(|label| (1..=63).contains(&label.len()) && label.first() != Some(&b'-') && label.last() != Some(&b'-'));
    let top = run.rsplit(|byte| *byte == b'.').next()?;
    let top_ok = top.len() >= 2
        && top.len() < run.len()
        && (top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--"))
        && !FILES.iter().any(|file| top.eq_ignore_ascii_case(file));
    (labels_ok && top_ok).then_some(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<&str> {
        let at = text.find('@')?;
        around(text.as_bytes(), at).map(|(range, _)| &text[range])
    }

    #[test]
    fn addresses_end_where_text_goes_on() {
        assert_eq!(address("mail li.na+shop@mail.example.com."), Some("li.na+shop@mail.example.com"));
        assert_eq!(address("邮箱lina@example.com，"), Some("lina@example.com"));
        assert_eq!(address("\"e\":\"x@x.au\","), Some("x@x.au"));
    }

    #[test]
    fn versions_and_files_are_not_addresses() {
        for text in ["lodash@4.17.21", "logo@2x.png", "@name", "a@b", "a.@b.com", "a..b@c.com", "a@b..com", "a@-b.com"]
        {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
