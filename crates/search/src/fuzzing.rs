//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::recognise::Recognisers;
use crate::{Checks, Options, Outcome, RecogniseOptions, Scanner, Scratch};
use dyetrace_case::{Blob, Channel, Endpoint, ExhibitId, Message, Protocol, Record, RecordId, Secret, Subject};
use std::ops::Range;

/// Planted values of every kind of lane, among them bytes that codecs treat specially.
fn scanner() -> Scanner {
    let mut subject = Subject::default();
    for (kind, value) in [
        ("phone", "13800000427"),
        ("email", "Someone.New@example.com"),
        ("device.mac", "02:00:5e:10:00:01"),
        ("gps", "31.2304167,121.4736999"),
        ("wifi.password", "a%41\\\"&amp;=="),
        ("pin", "4821"),
    ] {
        if let Ok(kind) = kind.parse() {
            subject.add(kind, Secret::new(value));
        }
    }
    Scanner::new(&subject, Options::default())
}

/// Searches the bytes as target, cookie, other field and body of one record. Checks that every
/// place lies inside its part.
pub fn search(data: &[u8]) -> Outcome {
    let message = Message {
        target: Some(data.to_vec()),
        headers: vec![(b"Cookie".to_vec(), data.to_vec()), (b"X".to_vec(), data.to_vec())],
        body: Some(Blob::from(data.to_vec())),
        ..Message::default()
    };
    let record = Record {
        id: RecordId("fuzz".to_owned()),
        exhibit: ExhibitId([0; 32]),
        protocol: Protocol::Http11,
        time: None,
        client: Endpoint::default(),
        server: Endpoint::default(),
        channel: Channel::unknown(),
        app: None,
        request: Some(message),
        response: None,
        flags: Vec::new(),
    };
    let outcome = scanner().search(&record, &mut Scratch::default());
    for sighting in &outcome.sightings {
        let range = sighting.place.range;
        assert!(range.start < range.end && range.end <= data.len() as u64, "a place outside its part");
    }
    outcome
}

/// Redacts the bytes as text, twice: what is left hides nothing more.
pub fn redact(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let redacted = scanner().redact(&text);
    assert!(!redacted.contains("13800000427"), "a planted value survived");
}

/// What is recognised in the bytes, taken for the value of a field of that name: kind, place, checks
/// and bits. Checks that every place lies inside.
pub fn recognise(
    data: &[u8],
    field_name: Option<&str>,
    options: RecogniseOptions,
) -> Vec<(&'static str, Range<usize>, Checks, f32)> {
    let mut hits = Vec::new();
    Recognisers::new(options).find(data, field_name, &mut |hit| {
        assert!(hit.range.start < hit.range.end && hit.range.end <= data.len(), "a place outside");
        hits.push((hit.kind, hit.range, hit.checks, hit.bits));
    });
    hits
}
