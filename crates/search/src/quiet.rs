//! Fields of markup in which nothing is escaped but `&`, `<`, `>`, `'` and spaces: the links of a page.
//!
//! Exploring each of them by itself costs more than all the rest of the page. Where nothing in such a
//! field stands out (no short value, no end of a value, no checksum, no run worth decoding), all that
//! can be seen in it are patterns of the textual lane. So the fields are decoded one behind the other
//! and scanned together, and those in which a pattern stands are explored after all.

use crate::codec::{Context, entity, recognise};
use crate::digest;
use crate::filter::{Filter, SHORTEST};
use crate::needles::Needles;
use crate::runs::is_leaf;
use crate::shifted_document;
use std::ops::{Range, RangeInclusive};

/// Lengths of the fields: eight bytes may be a checksum, and what is long deserves a search of its own.
const LENGTHS: RangeInclusive<usize> = 9..=4096;
/// Base64 characters in a row that are worth decoding where a capital letter is among them.
const SHORTEST_BASE64: usize = 10;
/// Hexadecimal digits in a row that may be a checksum, and those that may be a digest.
const SHORTEST_CHECKSUM: usize = 8;
const SHORTEST_DIGEST: usize = 16;
/// Words of one field that are ends of values, without it being explored: each is a reading of the whole field.
const MOST_ENDS: usize = 8;
/// Decoded bytes after which they are scanned.
const FULL: usize = 16 << 10;

/// Fields that wait to be scanned together.
#[derive(Default)]
pub(crate) struct Quiet {
    /// Their decoded texts, with a zero byte behind each.
    text: Vec<u8>,
    /// Each with the offset at which its text ends.
    fields: Vec<(Range<usize>, usize)>,
    /// Fields in which a pattern stands.
    woken: Vec<Range<usize>>,
}

impl Quiet {
    /// Takes the field where nothing in it stands out.
    pub(crate) fn takes(&mut self, needles: &Needles, bytes: &[u8], field: &Range<usize>) -> bool {
        let (start, value) = (self.text.len(), &bytes[field.clone()]);
        let quiet = LENGTHS.contains(&value.len())
            && decode(value, &mut self.text)
            && !stands_out(needles, &self.text[start..]);
        if !quiet {
            self.text.truncate(start);
            return false;
        }
        self.fields.push((field.clone(), self.text.len()));
        self.text.push(0);
        true
    }

    /// True where the fields should be scanned before more are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.text.len() >= FULL
    }

    /// Scans the fields and forgets them. Gives how many bytes that were.
    pub(crate) fn scan(&mut self, filter: &Filter) -> usize {
        let Self { text, fields, woken } = self;
        filter.scan(text, &mut |found| {
            let after = fields.partition_point(|(_, end)| *end < found.range.end);
            let start = after.checked_sub(1).and_then(|before| fields.get(before)).map_or(0, |(_, end)| end + 1);
            if let Some((field, _)) = fields.get(after).filter(|_| found.range.start >= start)
                && woken.last() != Some(field)
            {
                woken.push(field.clone());
            }
        });
        let scanned = text.len();
        text.clear();
        fields.clear();
        scanned
    }

    /// The fields in which a pattern stands, in order.
    pub(crate) fn into_woken(self) -> Vec<Range<usize>> {
        let mut woken = self.woken;
        woken.sort_by_key(|field| field.start);
        woken.dedup();
        woken
    }
}

/// Appends the decoded text. False where anything else is escaped, also once more, where a plus may be a
/// space, and where not all bytes are printable.
fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.iter().any(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t') || *byte == b'+') {
        return false;
    }
    let (start, mut from) = (out.len(), 0);
    for at in memchr::memchr_iter(b'&', value) {
        let Some((length, c)) = entity::decode(&value[at..]) else { continue };
        if !matches!(c, '&' | '<' | '>' | '\'' | '\u{a0}') {
            return false;
        }
        out.extend_from_slice(&value[from..at]);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        from = at + length;
    }
    out.extend_from_slice(&value[from..]);
    let decoded = &out[start..];
    !memchr::memchr_iter(b'&', decoded).any(|at| entity::decode(&decoded[at..]).is_some())
}

/// True where the text holds anything that the textual lane does not see.
fn stands_out(needles: &Needles, text: &[u8]) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'_');
    let has_capitals = text.iter().any(u8::is_ascii_uppercase);
    let wrapped =
        |run: &Range<usize>| run.len() >= SHORTEST_BASE64 && text[run.clone()].iter().any(u8::is_ascii_uppercase);
    holds_known(needles, text)
        || has_capitals && any_run(text, base64, |run| wrapped(&run))
        || recognise(text, Context::Any).is_none() && is_leaf(text)
}

/// True where the text holds a short value, the end of one, one under a key, or digits that are worth a look.
pub(crate) fn holds_known(needles: &Needles, text: &[u8]) -> bool {
    let keyed = needles.short_keyed.lengths();
    let mut ends = 0;
    any_run(
        text,
        |byte| byte.is_ascii_alphanumeric() || byte > 0x7f,
        |word| is_known_word(needles, text, &word, &mut ends),
    ) || !keyed.is_empty()
        && any_run(
            text,
            |byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'),
            |run| keyed.contains(&run.len()) && needles.short_keyed.may_stand_at(text, run.start),
        )
        || shifted_document::may_be(text)
}

/// True for a short value, the end of one, one under a key, and digits that are worth a look. `ends` counts the ends.
fn is_known_word(needles: &Needles, text: &[u8], word: &Range<usize>, ends: &mut usize) -> bool {
    if word.len() < SHORTEST {
        return needles.is_short_word(&text[word.clone()]) || may_end_value(needles, text, word, ends);
    }
    let keyed = &needles.short_keyed;
    keyed.lengths().contains(&word.len()) && keyed.may_stand_at(text, word.start)
        || word.len() >= SHORTEST_CHECKSUM
            && any_run(
                &text[word.clone()],
                |byte| byte.is_ascii_hexdigit() || byte | 0x20 == b'x',
                |digits| may_be_digest(needles, text, word.start + digits.start..word.start + digits.end),
            )
}

/// True for digits that may be a digest, begin one written as a UUID, or are a checksum.
fn may_be_digest(needles: &Needles, text: &[u8], digits: Range<usize>) -> bool {
    digits.len() >= SHORTEST_DIGEST
        || digits.len() >= SHORTEST_CHECKSUM
            && (text.get(digits.end) == Some(&b'-') || is_checksum(needles, text, digits))
}

/// True for the end of a value that is split over several fields, where what it begins with is there, too, or is not
/// asked for any more.
fn may_end_value(needles: &Needles, text: &[u8], word: &Range<usize>, ends: &mut usize) -> bool {
    let ending = needles.ending_with(text, word.start, word.len());
    *ends += usize::from(!ending.is_empty());
    if *ends > MOST_ENDS {
        return true;
    }
    let begins = |needle: &u32| {
        let value = needles.all.get(*needle as usize).map(|needle| needle.bytes.as_slice());
        value.and_then(<[u8]>::first_chunk::<2>).is_some_and(|start| text.array_windows().any(|pair| pair == start))
    };
    ending.iter().any(begins)
}

/// True where the digits, with a sign or a prefix before them, are a known checksum.
pub(crate) fn is_checksum(needles: &Needles, bytes: &[u8], digits: Range<usize>) -> bool {
    let before = &bytes[..digits.start];
    let sign = if before.ends_with(b"0x") { 2 } else { usize::from(before.ends_with(b"-")) };
    let number = &bytes[digits.start - sign..digits.end];
    let mut known = false;
    if digest::CHECKSUM_TEXT.contains(&number.len()) {
        needles.digests.of_field(number, &mut |_| known = true);
    }
    known
}

/// True where one of the maximal runs of such bytes is one.
pub(crate) fn any_run(text: &[u8], member: impl Fn(u8) -> bool, mut is_one: impl FnMut(Range<usize>) -> bool) -> bool {
    let mut start = 0;
    for (at, byte) in text.iter().enumerate() {
        if !member(*byte) {
            if at > start && is_one(start..at) {
                return true;
            }
            start = at + 1;
        }
    }
    start < text.len() && is_one(start..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::assert_proved;
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{Blob, KeyMaterial, Message, Record, Secret, Sighting, Subject};

    fn subject() -> Subject {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13812345427"));
        subject.add("pin".parse().unwrap(), Secret::new("4821"));
        subject.add("wifi.password".parse().unwrap(), Secret::new("R&D<2>rooms"));
        subject
    }

    fn search(body: &str) -> Vec<Sighting> {
        let scanner = Scanner::new(&subject(), Options::default());
        let message = Message { body: Some(Blob::from(body.as_bytes().to_vec())), ..Message::default() };
        let record = Record::of_request(message);
        let sightings = scanner.search(&record, &mut Scratch::default()).sightings;
        assert_proved(&scanner, &record, &sightings);
        sightings
    }

    fn is_quiet(field: &str) -> bool {
        let needles = Needles::new(&subject(), &KeyMaterial::default(), &[], 0);
        Quiet::default().takes(&needles, field.as_bytes(), &(0..field.len()))
    }

    #[test]
    fn ordinary_links_and_prose_are_quiet() {
        assert!(is_quiet("/list/1207?page=2&amp;sort=asc"));
        assert!(is_quiet("salt &amp; pepper, 3 &lt; 4&nbsp;apples"));
    }

    #[test]
    fn what_the_textual_lane_does_not_see_is_not_quiet() {
        for field in [
            "/list?page=2&amp;pin=4821",
            "/list?a=1381234&amp;b=5427",
            "/list?page=2&amp;token=Qm7xTr2pKd9wAA",
            "/list?page=2&amp;sum=9e107d9d372bb6826bd81d3542a419d6",
            "/list?page=2&amp;sum=9e107d9d-372b-b682-6bd8-1d3542a419d6",
            "/list?page=2&amp;q=a+b",
            "/list?page=2&amp;q=&#52;821",
            "/list?page=2&amp;#52;821",
            "{&quot;page&quot;:2}",
        ] {
            assert!(!is_quiet(field), "{field}");
        }
    }

    #[test]
    fn a_field_of_nothing_but_ends_of_values_is_not_read_once_for_each() {
        let link = |ends: usize| format!("/list?page=2&amp;{}", "5427 ".repeat(ends));
        assert!(is_quiet(&link(MOST_ENDS)));
        assert!(!is_quiet(&link(MOST_ENDS + 1)));
    }

    #[test]
    fn values_are_seen_in_links_with_the_names_of_their_parameters() {
        for (link, value, step) in [
            ("/list?page=2&amp;phone=13812345427", "13812345427", "query amp;phone"),
            ("/list?page=2&amp;pin=4821&amp;x=y", "4821", "query amp;pin"),
            ("R&amp;D&lt;2&gt;rooms, second floor", "R&amp;D&lt;2&gt;rooms", "entity"),
        ] {
            let page = format!("<p><a href=\"/?page=2&amp;sort=asc\">x</a><a href=\"{link}\">there</a></p>");
            let found = search(&page);
            assert_eq!(found.len(), 1, "{link}: {found:?}");
            let range = found[0].place.range;
            assert_eq!(&page[range.start as usize..range.end as usize], value);
            assert!(found[0].trail.to_string().contains(step), "{}", found[0].trail);
        }
    }

    #[test]
    fn only_the_field_that_holds_the_whole_pattern_wakes() {
        let needles = Needles::new(&subject(), &KeyMaterial::default(), &[], 0);
        let text = b"/a?1&amp;b=13812345427 /a?2&amp;c=13812345427";
        let mut quiet = Quiet::default();
        for field in [0..16, 23..45] {
            quiet.takes(&needles, text, &field);
        }
        quiet.scan(&needles.filter);
        assert_eq!(quiet.into_woken(), std::slice::from_ref(&(23..45)));
    }
}
