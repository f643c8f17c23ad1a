//! Personal data that nobody planted, found on the way: a lane of the search beside those for
//! planted values.

use crate::codec::Label;
use crate::explore::Explorer;
use crate::find::{Find, Seen};
use crate::recognise::{Checks, Recognisers};
use crate::scanner::Limit;
use dyetrace_case::{Place, Secret, Time, Trail};
use std::ops::Range;

/// Stands for the planted value that such a find has not: finds of the same bytes are then
/// compared with each other, whatever their kinds, and the best is kept.
const NO_DATUM: u32 = u32::MAX;

/// Bytes of a value that are kept. Only tokens are longer.
const KEPT: usize = 256;

/// A value that looks like personal data and overlaps no planted one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// What it looks like, as planted kinds are named; one of [`crate::RECOGNISERS`].
    pub kind: &'static str,
    /// Where it is.
    pub place: Place,
    /// How it was wrapped.
    pub trail: Trail,
    /// What was checked.
    pub checks: Checks,
    /// −log2 of the chance that as many random characters of the value's classes pass these
    /// checks, the field name not counted; at most 64.
    pub bits: f32,
    /// The value, cut at 256 bytes.
    pub value: Secret,
}

impl Recognised {
    /// What a report may show: at most three characters at the start and two at the end, fewer of
    /// short values. It is somebody's, so less is shown than of values that were made up.
    pub fn mask(&self) -> String {
        let text = String::from_utf8_lossy(self.value.reveal());
        let length = text.chars().count();
        let (head, tail) = match length {
            0..8 => (0, 0),
            8..11 => (1, 1),
            _ => (3, 2),
        };
        let start: String = text.chars().take(head).collect();
        let end: String = text.chars().skip(length - tail).collect();
        format!("{start}****{end}")
    }
}

/// What was recognised, while the way to it is still being built.
#[derive(Debug)]
pub(crate) struct Recognition {
    kind: &'static str,
    checks: Checks,
    bits: f32,
    value: Secret,
}

impl Recognition {
    /// The same with its place.
    pub(crate) fn at(&self, place: Place, trail: Trail) -> Recognised {
        let Self { kind, checks, bits, ref value } = *self;
        Recognised { kind, place, trail, checks, bits, value: value.clone() }
    }
}

impl Explorer<'_> {
    /// Takes no date of birth after the year of the recording.
    pub(crate) fn recognise_as_of(&mut self, time: Option<Time>) {
        if let Some((recognisers, time)) = self.recognisers.as_mut().zip(time) {
            *recognisers = recognisers.until(u16::try_from(time.year()).unwrap_or(u16::MAX));
        }
    }

    /// The lane itself: everything recognised in bytes whose own name is not known.
    pub(crate) fn recognise(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let Some(recognisers) = self.recognisers else { return };
        recognisers.find(bytes, None, &mut |hit| {
            if let Some(find) = self.recognition(bytes, hit) {
                finds.push(find);
            }
        });
    }

    /// A whole value, before it is looked into: of two finds of the same bytes the first is kept.
    /// Its name is known only from the structure around it.
    pub(crate) fn recognise_field(&mut self, label: &Label<'_>, value: &[u8], finds: &mut Vec<Find>) {
        if self.recognisers.is_some()
            && value.len() <= KEPT
            && let Some(name) = label.detail()
        {
            let last = name.rsplit('/').find(|segment| segment.parse::<u32>().is_err());
            self.recognise_named(last.unwrap_or(&name), value, finds);
        }
    }

    /// A whole value of that name.
    pub(crate) fn recognise_named(&mut self, name: &str, value: &[u8], finds: &mut Vec<Find>) {
        let hit = self.recognisers.and_then(|recognisers| recognisers.whole(value, name));
        finds.extend(hit.and_then(|hit| self.recognition(value, hit)));
    }

    fn recognition(&mut self, bytes: &[u8], hit: crate::recognise::Hit) -> Option<Find> {
        if self.recognitions.len() >= self.most_recognised() {
            self.limits.insert(Limit::Sightings);
            return None;
        }
        let value = bytes.get(hit.range.clone())?;
        let value = Secret::new(value.get(..KEPT).unwrap_or(value));
        let seen = Seen::Recognised(self.recognitions.len() as u32);
        self.recognitions.push(Recognition { kind: hit.kind, checks: hit.checks, bits: hit.bits, value });
        Some(Find::new(NO_DATUM, seen, hit.range))
    }
}

impl Recognisers {
    /// The same with another latest year of birth.
    fn until(self, year: u16) -> Self {
        let options = *self.options();
        Self::new(crate::RecogniseOptions { year, ..options })
    }
}

/// Drops what was recognised in bytes in which a planted value was seen. `root` is the number of
/// the part's bytes.
pub(crate) fn yield_to_planted(finds: &mut Vec<Find>, root: u64, is_planted: impl Fn(&Find) -> bool) {
    let anchor = |find: &Find| find.anchor.clone().unwrap_or((root, find.range.clone()));
    if !finds.iter().any(|find| find.datum == NO_DATUM) {
        return;
    }
    let mut planted: Vec<(u64, Range<usize>)> =
        finds.iter().filter(|find| find.datum != NO_DATUM && is_planted(find)).map(anchor).collect();
    planted.sort_by_key(|(number, range)| (*number, range.start));
    // From here on each end is the farthest of those before it in the same bytes.
    for index in 1..planted.len() {
        let (before, after) = planted.split_at_mut(index);
        if let (Some(before), Some(after)) = (before.last(), after.first_mut())
            && before.0 == after.0
        {
            after.1.end = after.1.end.max(before.1.end);
        }
    }
    finds.retain(|find| {
        let (number, range) = anchor(find);
        let after = planted.partition_point(|other| (other.0, other.1.start) < (number, range.end));
        let last = after.checked_sub(1).and_then(|last| planted.get(last));
        find.datum != NO_DATUM || last.is_none_or(|other| other.0 != number || other.1.end <= range.start)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Outcome, RecogniseOptions, Scanner, Scratch};
    use dyetrace_case::{Blob, Message, PartName, Record, Side, Subject};

    fn record(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Record {
        let headers = headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let request = Message {
            target: Some(target.as_bytes().to_vec()),
            headers: headers.collect(),
            body: Some(Blob::from(body.to_vec())),
            ..Message::default()
        };
        Record { time: "2026-01-31T12:00:00Z".parse().ok(), ..Record::of_request(request) }
    }

    fn search(planted: &[(&str, &str)], record: &Record) -> Outcome {
        let mut subject = Subject::default();
        for (kind, value) in planted {
            subject.add(kind.parse().unwrap(), Secret::new(*value));
        }
        let options = Options { recognise: Some(RecogniseOptions::default()), ..Options::default() };
        Scanner::new(&subject, options).search(record, &mut Scratch::default())
    }

    /// Kind, trail and value of everything recognised in a body.
    fn found(planted: &[(&str, &str)], body: &[u8]) -> Vec<(&'static str, String, String)> {
        let outcome = search(planted, &record("/", &[], body));
        let text = |value: &Secret| String::from_utf8_lossy(value.reveal()).into_owned();
        outcome.unplanted.iter().map(|hit| (hit.kind, hit.trail.to_string(), text(&hit.value))).collect()
    }

    fn hit(kind: &'static str, trail: &str, value: &str) -> (&'static str, String, String) {
        (kind, trail.to_owned(), value.to_owned())
    }

    #[test]
    fn what_nobody_planted_is_found_through_wrappings_with_its_trail() {
        let plain = br#"{"user":{"phone":"13800000427"}}"#;
        assert_eq!(found(&[], plain), [hit("phone", "json /user/phone", "13800000427")]);
        let coded = crate::codec::base64::wrap(plain, false, true);
        let body = [&b"{\"data\":\""[..], &coded, b"\"}"].concat();
        assert_eq!(found(&[], &body), [hit("phone", "json /data > base64 > json /user/phone", "13800000427")]);
        assert_eq!(found(&[], b"a=1&mail=li.na%40example.com"), [hit("email", "form mail", "li.na@example.com")]);
    }

    #[test]
    fn a_planted_value_wins_over_what_its_bytes_look_like() {
        let body = br#"{"phone":"+8613800000427","other":"13900000532"}"#;
        assert_eq!(found(&[("phone", "13800000427")], body), [hit("phone", "json /other", "13900000532")]);
        assert_eq!(found(&[], body).len(), 2);
    }

    #[test]
    fn the_name_of_an_undone_field_says_what_it_is() {
        // The escape hides the value from a look at the raw bytes.
        let body = br#"{"device":{"qq":"123\u003456"},"n":"123\u003456"}"#;
        assert_eq!(found(&[], body), [hit("qq", "json /device/qq", "123456")]);
        let outcome = search(&[], &record("/", &[("X-Device-IMEI", "49-015420-323751-8")], b""));
        assert_eq!(outcome.unplanted.iter().map(|hit| hit.kind).collect::<Vec<_>>(), ["imei"]);
        assert!(outcome.unplanted[0].checks.has(Checks::FIELD_NAME));
    }

    #[test]
    fn each_place_is_reported_once_and_holds_the_value() {
        let body = br#"{"phone":"13800000427","list":["13800000427"]}"#;
        let outcome = search(&[], &record("/?phone=13900000532", &[], body));
        let places: Vec<_> = outcome.unplanted.iter().map(|hit| (&hit.place.part, hit.place.range.start)).collect();
        let in_body = PartName::Body(Side::Request);
        assert_eq!(places, [(&PartName::Url, 8), (&in_body, 10), (&in_body, 32)]);
        for hit in outcome.unplanted.iter().filter(|hit| hit.place.part == in_body) {
            let range = hit.place.range.start as usize..hit.place.range.end as usize;
            assert_eq!(&body[range], hit.value.reveal());
        }
    }

    #[test]
    fn nobody_is_born_after_the_recording() {
        let born_2026 = r#"{"id":"110105202607010013"}"#;
        let valid =
            (b'0'..=b'9').chain([b'X']).map(|check| born_2026.replace("13\"", &format!("1{}\"", char::from(check))));
        let mut record = record("/", &[], b"");
        let count = |record: &Record| search(&[], record).unplanted.len();
        let (mut before, mut after) = (0, 0);
        for body in valid {
            record.request.as_mut().unwrap().body = Some(Blob::from(body.into_bytes()));
            record.time = "2025-12-31T23:59:59Z".parse().ok();
            before += count(&record);
            record.time = "2026-07-02T00:00:00Z".parse().ok();
            after += count(&record);
        }
        assert_eq!((before, after), (0, 1));
    }

    #[test]
    fn neither_debug_nor_mask_shows_the_value() {
        let outcome = search(&[], &record("/", &[], br#"{"phone":"13800000427"}"#));
        assert_eq!(outcome.unplanted[0].mask(), "138****27");
        assert!(!format!("{:?}", outcome.unplanted).contains("13800000427"));
    }

    #[test]
    fn texts_for_reports_hide_what_was_recognised() {
        let options = Options { recognise: Some(RecogniseOptions::default()), ..Options::default() };
        let scanner = Scanner::new(&Subject::default(), options);
        let hidden = scanner.redact("https://x.example/u?mail=li.na%40example.com&tel=13800000427");
        assert_eq!(hidden, "https://x.example/u?mail=****&tel=****");
    }

    #[test]
    fn a_flood_of_numbers_takes_nothing_from_what_was_planted() {
        let mut body = (0..30_000).map(|number| format!("139{number:08}")).collect::<Vec<_>>().join(",");
        body.push_str(",13800000427");
        let outcome = search(&[("phone", "13800000427")], &record("/", &[], body.as_bytes()));
        assert_eq!(outcome.sightings.len(), 1);
        assert_eq!(outcome.unplanted.len(), Options::default().sightings);
        assert_eq!(outcome.limits_reached, [Limit::Sightings]);
    }
}
