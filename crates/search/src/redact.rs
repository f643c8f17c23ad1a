//! Texts that reports print, without the planted values that may be in them.

use crate::needles::Needles;
use crate::scanner::{Options, text_ranges};
use std::ops::Range;

/// What stands for a hidden range.
const STARS: &str = "****";

/// Shortest value that is hidden inside a text; a shorter one only where it is the whole text.
const SHORTEST_HIDDEN: usize = 3;

/// The text with stars for every range in which a planted value is seen. Where a limit of the
/// search is reached the whole text is hidden.
pub(crate) fn redact(needles: &Needles, options: &Options, text: &str) -> String {
    let Some(mut ranges) = hidden(needles, options, text.as_bytes()) else { return STARS.to_owned() };
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        let start = text.floor_char_boundary(range.start).max(from);
        let end = text.ceil_char_boundary(range.end);
        if end <= from {
            continue;
        }
        let touches = start == from && out.ends_with(STARS);
        out.push_str(text.get(from..start).unwrap_or_default());
        if !touches {
            out.push_str(STARS);
        }
        from = end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The ranges in which a planted value is seen, in any order; `None` where a limit of the search was
/// reached.
pub(crate) fn hidden(needles: &Needles, options: &Options, text: &[u8]) -> Option<Vec<Range<usize>>> {
    let found = text_ranges(needles, options, text)?;
    let mut ranges: Vec<Range<usize>> =
        found.into_iter().map(|range| range.start as usize..range.end as usize).collect();
    let lower = text.to_ascii_lowercase();
    for needle in needles.short().filter(|needle| needle.len() >= SHORTEST_HIDDEN) {
        ranges.extend(standing_alone(&lower, &needle.to_ascii_lowercase()));
    }
    for form in &needles.folded {
        ranges.extend(form.find_iter(&lower).map(|at| at..at + form.needle().len()));
    }
    Some(ranges)
}

/// Occurrences without a letter or digit beside them.
fn standing_alone(text: &[u8], needle: &[u8]) -> Vec<Range<usize>> {
    let part_of_word = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    memchr::memmem::find_iter(text, needle)
        .map(|at| at..at + needle.len())
        .filter(|range| !part_of_word(range.start.checked_sub(1)) && !part_of_word(Some(range.end)))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::{Options, Scanner};
    use dyetrace_case::{Secret, Subject};

    fn scanner() -> Scanner {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13800000427"));
        subject.add("email".parse().unwrap(), Secret::new("someone.new@example.com"));
        subject.add("pin".parse().unwrap(), Secret::new("4821"));
        Scanner::new(&subject, Options::default())
    }

    #[test]
    fn no_planted_value_survives() {
        for (text, expected) in [
            ("https://x.example/u/13800000427?e=1", "https://x.example/u/****?e=1"),
            ("https://x.example/?t=%2B86138%2D0000%2D0427&n=5", "https://x.example/?t=%2B86****&n=5"),
            ("/user/someone%2Enew%40example.com/key", "/user/****/key"),
            ("13800000427.x.example", "****.x.example"),
            ("/pin/4821/48210", "/pin/****/48210"),
            ("json /users/+8613800000427/name", "json /users/****/name"),
            ("a=MTM4MDAwMDA0Mjc=", "a=****="),
            ("nothing here 中文", "nothing here 中文"),
        ] {
            assert_eq!(scanner().redact(text), expected);
        }
    }

    #[test]
    fn a_value_in_another_case_is_hidden_though_it_is_not_the_same_value() {
        let mut subject = Subject::default();
        subject.add("wifi.password".parse().unwrap(), Secret::new("Correct-Horse"));
        subject.add("wifi.ssid".parse().unwrap(), Secret::new("AbC"));
        let scanner = Scanner::new(&subject, Options::default());
        assert_eq!(scanner.redact("x-correct-horse: CORRECT-HORSE abc"), "x-****: **** ****");
    }

    #[test]
    fn base64_is_hidden_in_any_case_and_alignment() {
        for before in ["", "a", "ab", "abc"] {
            let coded = crate::codec::base64::wrap(format!("{before}13800000427xyz").as_bytes(), false, true);
            let name = String::from_utf8(coded).unwrap().to_lowercase();
            let redacted = scanner().redact(&format!("{name}.x.example"));
            let left = redacted.trim_end_matches(".x.example").len();
            assert!(redacted.contains("****") && left <= "****".len() + 10, "{redacted}");
        }
    }

    #[test]
    fn digests_are_hidden_too() {
        let text = "/d/2a7d6ac6d1e2d5b2b1f1ab9f7e3a8a55";
        assert_eq!(scanner().redact(text), text);
        let digest = md5_hex("13800000427");
        assert_eq!(scanner().redact(&format!("/d/{digest}/x")), "/d/****/x");
    }

    fn md5_hex(text: &str) -> String {
        use sha2::Digest as _;
        dyetrace_case::hex(&md5::Md5::digest(text.as_bytes()))
    }
}
