//! Spellings measured against what other software writes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it measured")]

use dyetrace_case::{Blob, Message, Record, Secret, Sighting, Subject};
use dyetrace_search::{Options, Scanner, Scratch};

fn search(kind: &str, value: &str, body: &str) -> Vec<Sighting> {
    let mut subject = Subject::default();
    subject.add(kind.parse().unwrap(), Secret::new(value));
    let message = Message { body: Some(Blob::from(body.as_bytes().to_vec())), ..Message::default() };
    let record = Record::of_request(message);
    Scanner::new(&subject, Options::default()).search(&record, &mut Scratch::default()).sightings
}

/// Example numbers of every country, planted as E.164, looked for as libphonenumber writes them
/// within a sentence. Divisions that few countries use are not spelled, because each costs speed;
/// the floors are what is promised instead. Numbers of fewer than seven digits are left out: they are compared with
/// whole fields only.
#[test]
fn telephone_numbers_as_libphonenumber_writes_them() {
    let folder = std::env::var("DYETRACE_VECTORS").unwrap_or_else(|_| "../../../shared/vectors".to_owned());
    let Ok(text) = std::fs::read_to_string(format!("{folder}/libphonenumber_examples.json")) else {
        println!("skipped: no libphonenumber_examples.json in {folder}");
        return;
    };
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter().filter(|case| case["national"].is_string());
    for (format, percent) in [("e164", 100), ("international", 90), ("national", 85)] {
        let (mut found, mut all) = (0, 0);
        for case in cases.clone() {
            let [planted, written] = ["e164", format].map(|key| case[key].as_str().unwrap());
            if written.bytes().filter(u8::is_ascii_digit).count() < 7 {
                continue;
            }
            all += 1;
            found += usize::from(!search("phone", planted, &format!("call {written} now")).is_empty());
        }
        println!("{format}: {found} of {all}");
        assert!(found * 100 >= all * percent, "{format}: {found} of {all}");
    }
}
