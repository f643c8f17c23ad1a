//! Values split over two or three fields of one document: `cc=86&n=1380000&rest=0427`.
//!
//! The filter knows the first and last six bytes of a value (nine of Chinese text), and short words
//! know its last three to five. Only where one of these is seen are the fields of the document read
//! and put together, so that documents without pieces pay nothing.

use crate::codec::table::About;
use crate::codec::{Structure, Typed};
use crate::explore::{Explorer, is_text};
use crate::find::{Find, Seen};
use crate::map::Map;
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

/// The row of the table of wrappings.
pub(crate) const ABOUT: About = About {
    name: "split",
    undoes: "a value whose two or three pieces are fields of one document, in any order",
    place: "fields of JSON, XML, forms, queries and cookies that hold nothing else, where the first or last piece has six bytes or more (of Chinese text nine); in \
            documents of at most 16 KiB also a last piece of four or five characters, of values of eight and nine \
            characters of three, and forms that are a field of another document; for the first three exact spellings of a value, in the first \
            16,384 fields",
    exact: true,
    source: "common practice",
};

/// Fields of one document that are put together.
const MOST_FIELDS: usize = 4096;
/// Fields of one document that are looked at.
const MOST_VISITED: usize = 4 * MOST_FIELDS;
/// Values of which each field may be asked whether it is a part.
const FEW: usize = 16;
/// Most pieces of one value.
const MOST_PIECES: usize = 3;
/// Shortest piece.
const SHORTEST_PIECE: usize = 2;
/// Longest document in which so few characters are taken for the end of a value: in longer ones they
/// stand somewhere by chance.
pub(crate) const LONGEST_OF_WORDS: usize = 16 << 10;

/// Where fields of each content begin, up to as many as a value has pieces.
type Pieces<'b> = foldhash::HashMap<&'b [u8], Starts>;

/// The first fields of one content.
#[derive(Default)]
struct Starts {
    starts: [usize; MOST_PIECES],
    count: usize,
}

impl Starts {
    fn add(&mut self, start: usize) {
        if let Some(free) = self.starts.get_mut(self.count) {
            *free = start;
            self.count += 1;
        }
    }

    fn nth(&self, at: usize) -> Option<usize> {
        self.starts.get(..self.count)?.get(at).copied()
    }
}

impl Explorer<'_> {
    /// Puts the fields together for the needles of which a piece was seen.
    pub(crate) fn explore_split(
        &mut self,
        bytes: &[u8],
        structure: &dyn Structure,
        needles: &BTreeSet<u32>,
        finds: &mut Vec<Find>,
    ) {
        let sought: Vec<&[u8]> =
            needles.iter().filter_map(|number| Some(&self.needles.all.get(*number as usize)?.bytes[..])).collect();
        // Where few values are sought, only their parts are kept.
        let is_part = |value: &[u8]| sought.len() > FEW || sought.iter().any(|sought| holds(sought, value));
        let (mut pieces, mut fields) = (Pieces::default(), 0);
        structure.walk(bytes, &mut |field| {
            let value = bytes.get(field.range.clone()).unwrap_or_default();
            if value.len() >= SHORTEST_PIECE && field.typed == Typed::Bytes {
                fields += 1;
                if is_part(value) {
                    pieces.entry(value).or_default().add(field.range.start);
                }
            }
            let goes_on = pieces.len() < MOST_FIELDS && fields < MOST_VISITED;
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.tally.fields += fields as u64;
        for number in needles {
            let Some(needle) = self.needles.all.get(*number as usize) else { continue };
            if let Some(ranges) = divided(&needle.bytes, &pieces) {
                let find = put_together(needle.datum, *number, needle.bytes.len(), &ranges);
                self.keep(find, finds);
            }
        }
    }
}

/// True where the part is somewhere in the value and not all of it.
fn holds(value: &[u8], part: &[u8]) -> bool {
    // Comparing a byte costs less than calling for a comparison.
    let first = part.first();
    part.len() < value.len() && value.windows(part.len()).any(|window| window.first() == first && window == part)
}

/// True where the end of a value that stands in the range may be the beginning or the end of a field:
/// nothing but letters and digits stands within a number or a word.
pub(crate) fn may_begin_or_end_field(bytes: &[u8], range: &Range<usize>, value: &[u8]) -> bool {
    let Some(text) = bytes.get(range.clone()) else { return false };
    let stands_free = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80)
    };
    let same = |end: Option<&[u8]>| end.is_some_and(|end| end.eq_ignore_ascii_case(text));
    let first = same(value.get(..text.len())) && stands_free(range.start.checked_sub(1));
    let last = || same(value.len().checked_sub(text.len()).and_then(|at| value.get(at..)));
    // In long text numbers begin or end like a value by chance; a piece agrees with it to its other end.
    let is_long_text = || bytes.len() > LONGEST_OF_WORDS && is_text(bytes);
    let parts = range.len()..value.len();
    let agree = |(byte, other): &(&u8, &u8)| byte.eq_ignore_ascii_case(other);
    let ends = || {
        let length = bytes[range.start..].iter().zip(value).take_while(agree).count();
        parts.clone().take_while(|part| *part <= length).any(|part| stands_free(Some(range.start + part)))
    };
    let begins = || {
        let length = bytes[..range.end].iter().rev().zip(value.iter().rev()).take_while(agree).count();
        parts.clone().take_while(|part| *part <= length).any(|part| stands_free((range.end - part).checked_sub(1)))
    };
    (first && (ends() || !is_long_text())) || (last() && stands_free(Some(range.end)) && (begins() || !is_long_text()))
}

/// The fields that make up the value, in the value's order.
fn divided(value: &[u8], pieces: &Pieces<'_>) -> Option<Vec<Range<usize>>> {
    let cuts = |length: usize| SHORTEST_PIECE..(length + 1).saturating_sub(SHORTEST_PIECE);
    let mut thrice = None;
    for cut in cuts(value.len()).filter(|cut| pieces.contains_key(&value[..*cut])) {
        let (first, rest) = value.split_at(cut);
        if let Some(twice) = fields_of(&[first, rest], pieces) {
            return Some(twice);
        }
        thrice = thrice.or_else(|| {
            cuts(rest.len()).find_map(|at| {
                let (middle, last) = rest.split_at(at);
                fields_of(&[first, middle, last], pieces)
            })
        });
    }
    thrice
}

/// A field for each part, none of them twice.
fn fields_of(parts: &[&[u8]], pieces: &Pieces<'_>) -> Option<Vec<Range<usize>>> {
    let field = |(at, part): (usize, &&[u8])| {
        let taken = parts[..at].iter().filter(|other| *other == part).count();
        let start = pieces.get(part)?.nth(taken)?;
        Some(start..start + part.len())
    };
    parts.iter().enumerate().map(field).collect()
}

fn put_together(datum: u32, needle: u32, length: usize, ranges: &[Range<usize>]) -> Find {
    let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
    let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
    let texts: Vec<String> =
        ranges.iter().map(|range| format!("{}..{}", range.start - start, range.end - start)).collect();
    let mut find = Find::new(datum, Seen::Split(needle, ranges.len() as u32), 0..end - start);
    find.decoded = 0..length;
    find.through(ABOUT.name, Some(texts.join(" + ")), &(start..end), &Map::shift(start), 0);
    find.decoded = 0..length;
    find
}

/// The pieces that the detail of a step names, joined. Offsets count from the step's first byte.
pub(crate) fn joined(encoded: &[u8], detail: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for range in detail.split(" + ") {
        let (start, end) = range.split_once("..")?;
        out.extend_from_slice(encoded.get(start.parse().ok()?..end.parse().ok()?)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use crate::proof::assert_proved;
    use crate::{Options, Scanner, Scratch};
    use dyetrace_case::{Blob, Message, Range, Record, Secret, Sighting, Subject};

    fn search(body: &str) -> Vec<Sighting> {
        let mut subject = Subject::default();
        subject.add("phone".parse().unwrap(), Secret::new("13812345427"));
        subject.add("wifi.password".parse().unwrap(), Secret::new("Qm7xTr2pKd9w"));
        search_for(&subject, body)
    }

    fn search_for(subject: &Subject, body: &str) -> Vec<Sighting> {
        let scanner = Scanner::new(subject, Options::default());
        let record =
            Record::of_request(Message { body: Some(Blob::from(body.as_bytes().to_vec())), ..Message::default() });
        let sightings = scanner.search(&record, &mut Scratch::default()).sightings;
        assert_proved(&scanner, &record, &sightings);
        sightings
    }

    #[test]
    fn two_and_three_pieces_are_put_together() {
        for (body, first, last) in [
            (r#"{"a":"1381234","b":{"c":"5427"}}"#, "1381234", "5427"),
            (r#"{"last":"5427","x":"138","y":"1234"}"#, "5427", "1234"),
            ("area=138&mid=1234&end=5427", "138", "5427"),
            (r#"{"p1":"Qm7xTr","p2":"2pKd9w"}"#, "Qm7xTr", "2pKd9w"),
        ] {
            let place = body.find(first).unwrap()..body.find(last).unwrap() + last.len();
            let found = search(body);
            assert_eq!(found.len(), 1, "{body}: {found:?}");
            assert_eq!(found[0].place.range, Range::new(place.start as u64, place.end as u64), "{body}");
            assert!(found[0].trail.to_string().starts_with("split "), "{}", found[0].trail);
        }
    }

    #[test]
    fn pieces_are_put_together_in_long_documents_too_and_numbers_that_only_begin_alike_are_none() {
        let filler = r#""n":138123999,"m":998345427,"#.repeat(1000);
        for (first, last, count) in [("1381234", "5427", 1), ("1381", "2345427", 1), ("138123999", "5427", 0)] {
            let body = format!(r#"{{{filler}"a":"{first}","b":"{last}"}}"#);
            assert!(body.len() > super::LONGEST_OF_WORDS);
            assert_eq!(search(&body).len(), count, "{first} {last}");
        }
    }

    #[test]
    fn one_field_is_one_piece_and_two_of_the_same_content_are_two() {
        let mut subject = Subject::default();
        subject.add("wifi.password".parse().unwrap(), Secret::new("Qm7xTrQm7xTr"));
        subject.add("phone".parse().unwrap(), Secret::new("13813800427"));
        for (body, count) in [
            (r#"{"a":"Qm7xTr"}"#, 0),
            (r#"{"a":"Qm7xTr","b":"Qm7xTr"}"#, 1),
            (r#"{"a":"138","b":"00427"}"#, 0),
            (r#"{"a":"138","b":"00427","c":"138"}"#, 1),
        ] {
            let found = search_for(&subject, body);
            assert_eq!(found.len(), count, "{body}: {found:?}");
        }
    }

    #[test]
    fn pieces_within_longer_fields_are_none() {
        for body in ["a=x1381234&b=5427", "a=1381234&b=54270", "a=1381234&b=x", "a=5427", r#"{"a":"Qm7xTr"}"#] {
            assert_eq!(search(body), [], "{body}");
        }
    }
}
