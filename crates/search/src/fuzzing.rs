//! Entry points for the fuzz targets, replayed by ordinary tests. Not part of the interface.

use crate::differential::{Collector, Design, RunDesign, analyse};
use crate::recognise::Recognisers;
use crate::{Checks, Options, Outcome, RecogniseOptions, ResidentIdMode, Scanner, Scratch};
use dyetrace_case::{Blob, DatumId, KeyMaterial, Message, Record, Secret, Subject};
use std::ops::Range;
use std::sync::LazyLock;

/// Planted values of every kind of lane, among them bytes that codecs treat specially.
fn subject() -> Subject {
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
    subject
}

/// Made once: making it takes longer than searching a seed.
static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(&subject(), Options::default()));

/// Searches the bytes as target, cookie, other field and body of one record. Checks that every
/// place lies inside its part.
pub fn search(data: &[u8]) -> Outcome {
    search_with(&SCANNER, data)
}

/// Reads the bytes before the first NUL as key material, and searches those behind it with it.
pub fn keyed(data: &[u8]) {
    let (yaml, body) = split(data, 0);
    let Ok(yaml) = std::str::from_utf8(yaml) else { return };
    let no_files = |_: &str| Err("there are no files".to_owned());
    if let Ok(Some(material)) = KeyMaterial::from_yaml(yaml, no_files) {
        search_with(&Scanner::with_key_material(&subject(), &material, Options::default()), body);
    }
}

/// Compares four runs, each of which sent a quarter of the bytes. Checks that the order in which
/// records come changes nothing.
pub fn differential(data: &[u8]) {
    let quarter = data.len().div_ceil(4).max(1);
    let sent: Vec<(usize, Record)> = data.chunks(quarter).enumerate().map(|(run, sent)| (run, record(sent))).collect();
    let run = |number: usize| RunDesign {
        id: number.to_string(),
        values: [(DatumId("phone".to_owned()), Secret::new([b'0' + (number / 2) as u8]))].into(),
        ..RunDesign::default()
    };
    let design = Design { runs: (0..4).map(run).collect() };
    let (mut forward, mut backward) = (Collector::default(), Collector::default());
    for ((run, record), (last_run, last)) in sent.iter().zip(sent.iter().rev()) {
        forward.add(*run, record, &[]);
        backward.add(*last_run, last, &[]);
    }
    assert!(analyse(&design, &forward) == analyse(&design, &backward), "the order of the records decides");
}

/// Takes the bytes behind the first `=` for the value of the field that those before it name.
pub fn unplanted(data: &[u8]) {
    let (name, value) = split(data, b'=');
    let name = std::str::from_utf8(name).ok();
    for resident_ids in [ResidentIdMode::Strict, ResidentIdMode::Historical, ResidentIdMode::Permit] {
        recognise(value, name, RecogniseOptions { resident_ids, ..RecogniseOptions::default() });
        recognise(data, None, RecogniseOptions { resident_ids, least_bits: 0.0, ..RecogniseOptions::default() });
    }
}

/// What stands before the first `byte`, and behind it.
fn split(data: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let at = memchr::memchr(byte, data).unwrap_or(data.len());
    (&data[..at], data.get(at + 1..).unwrap_or(&[]))
}

fn search_with(scanner: &Scanner, data: &[u8]) -> Outcome {
    let outcome = scanner.search(&record(data), &mut Scratch::default());
    for sighting in &outcome.sightings {
        let range = sighting.place.range;
        assert!(range.start < range.end && range.end <= data.len() as u64, "a place outside its part");
    }
    outcome
}

/// A record with the bytes as target, cookie, other field and body.
fn record(data: &[u8]) -> Record {
    let message = Message {
        target: Some(data.to_vec()),
        headers: vec![(b"Cookie".to_vec(), data.to_vec()), (b"X".to_vec(), data.to_vec())],
        body: Some(Blob::from(data.to_vec())),
        ..Message::default()
    };
    Record::of_request(message)
}

/// Redacts the bytes as text, twice: what is left hides nothing more.
pub fn redact(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let redacted = SCANNER.redact(&text);
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
