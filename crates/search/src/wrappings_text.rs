//! Text codecs from the outside: a planted value in each of them, alone, in a document and inside
//! other wrappings, with the trail and the place that the search must report.

use crate::codec::testing::noise;
use crate::codec::{
    base32, base58, base64, base85, character_codes, lz_string, percent, quoted_printable, separated_hex, utf7, utf16,
};
use crate::proof::assert_proved;
use crate::{Options, Scanner, Scratch};
use dyetrace_case::{Blob, Message, Record, Secret, Sighting, Subject};

const EMAIL: &str = "someone.new@example.com";
const NAME: &str = "张小明明";

fn in_body(body: &[u8]) -> Vec<Sighting> {
    let mut subject = Subject::default();
    subject.add("email".parse().unwrap(), Secret::new(EMAIL));
    subject.add("name".parse().unwrap(), Secret::new(NAME));
    let record = Record::of_request(Message { body: Some(Blob::from(body.to_vec())), ..Message::default() });
    let scanner = Scanner::new(&subject, Options::default());
    let sightings = scanner.search(&record, &mut Scratch::default()).sightings;
    assert_proved(&scanner, &record, &sightings);
    sightings
}

/// The value is found once, behind these steps, at the bytes that were wrapped.
#[track_caller]
fn is_found(before: &str, wrapped: &[u8], after: &str, trail: &str) {
    let body = [before.as_bytes(), wrapped, after.as_bytes()].concat();
    let shown = String::from_utf8_lossy(&body);
    let found = in_body(&body);
    let [sighting] = &found[..] else { panic!("{} sightings in {shown}: {found:?}", found.len()) };
    assert_eq!(sighting.trail.to_string(), trail, "{shown}");
    let range = before.len() as u64..(before.len() + wrapped.len()) as u64;
    assert_eq!((sighting.place.range.start, sighting.place.range.end), (range.start, range.end), "{shown}");
}

#[test]
fn in_text_and_in_documents() {
    let email = EMAIL.as_bytes();
    let cases = [
        (base32::wrap_with(email, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "base32"),
        (separated_hex::wrap(email), "separated hex"),
        (separated_hex::wrap_with(email, "0x", ", "), "separated hex"),
        (character_codes::wrap(email), "character codes"),
        (percent::wrap_unicode(EMAIL), "percent"),
        (quoted_printable::wrap(NAME.as_bytes()), "quoted-printable"),
        (utf7::wrap(EMAIL), "utf-7"),
    ];
    for (wrapped, codec) in &cases {
        is_found("call ", wrapped, " now", codec);
        is_found(r#"{"a":[{"p":""#, wrapped, r#""}]}"#, &format!("json /a/0/p > {codec}"));
    }
    // The elements have paths, the array has none.
    is_found(r#"{"a":["#, &character_codes::wrap(email), "]}", "character codes");
}

#[test]
fn whole_fields() {
    let email = EMAIL.as_bytes();
    for (codec, name) in [(&base58::BITCOIN, "base58"), (&base58::BASE62, "base62")] {
        is_found(r#"{"p":""#, &codec.wrap(email), r#""}"#, &format!("json /p > {name}"));
        is_found("a=b&p=", &codec.wrap(email), "", &format!("form p > {name}"));
    }
    is_found(r#"{"p":""#, &lz_string::wrap(EMAIL), r#""}"#, "json /p > lz-string");
    for (codec, name) in [(&base85::ASCII85, "ascii85"), (&base85::Z85, "z85"), (&base85::RFC1924, "base85")] {
        is_found("", &codec.wrap(email), "", name);
    }
}

#[test]
fn wide_text_holds_other_wrappings() {
    for (codec, name) in [(&utf16::UTF16_LE, "utf-16le"), (&utf16::UTF32_BE, "utf-32be")] {
        let [before, hex, after] =
            [r#"{"p":""#, &dyetrace_case::hex(EMAIL.as_bytes()), r#""}"#].map(|text| codec.wrap(text));
        let body = [&before[..], &hex, &after].concat();
        let found = in_body(&body);
        let [sighting] = &found[..] else { panic!("{} sightings", found.len()) };
        assert_eq!(sighting.trail.to_string(), format!("{name} > json /p > hex"));
        let range = before.len() as u64..(before.len() + hex.len()) as u64;
        assert_eq!((sighting.place.range.start, sighting.place.range.end), (range.start, range.end));
    }
}

#[test]
fn lz_string_of_a_long_text_is_undone_in_a_field_too() {
    let words = |seed| base64::wrap(&noise(seed, 1700), false, true);
    let text = String::from_utf8([&words(1)[..], b" ", EMAIL.as_bytes(), b" ", &words(2)].concat()).unwrap();
    let packed = lz_string::wrap(&text);
    assert!(packed.len() > 4096, "{}", packed.len());
    is_found(r#"{"a":""#, &packed, r#""}"#, "json /a > lz-string");
}
