//! What is found behind which wrappings, told as a table: how a value was wrapped, and the place
//! and trail that the search must report.

use crate::codec::{base64, deflate, entity, escape, percent};
use crate::proof::assert_proved;
use crate::{Limit, Options, Outcome, Scanner, Scratch, fuzzing};
use dyetrace_case::{Blob, BlobWriter, BlobWriterLimits, Message, Range, Record, Secret, Sighting, Strength, Subject};
use proptest::prelude::*;

const PHONE: &str = "13800000427";
const PASSWORD: &str = "Qm7x/Tr2p+Z";

fn subject() -> Subject {
    let mut subject = Subject::default();
    for (kind, value) in [
        ("phone", PHONE),
        ("wifi.password", PASSWORD),
        ("email", "someone.new@example.com"),
        ("device.mac", "02:00:5e:10:00:01"),
        ("name", "张小明明"),
        ("pin", "4821"),
    ] {
        subject.add(kind.parse().unwrap(), Secret::new(value));
    }
    subject
}

fn scanner() -> Scanner {
    Scanner::new(&subject(), Options::default())
}

/// Searches, and proves every sighting.
fn search(message: Message) -> Outcome {
    let (scanner, record) = (scanner(), Record::of_request(message));
    let outcome = scanner.search(&record, &mut Scratch::default());
    assert_proved(&scanner, &record, &outcome.sightings);
    outcome
}

fn in_body(body: impl Into<Vec<u8>>) -> Vec<Sighting> {
    search(Message { body: Some(Blob::from(body.into())), ..Message::default() }).sightings
}

fn in_url(target: &str) -> Vec<Sighting> {
    search(Message { target: Some(target.into()), ..Message::default() }).sightings
}

fn in_header(name: &str, value: &str) -> Vec<Sighting> {
    search(Message { headers: vec![(name.into(), value.into())], ..Message::default() }).sightings
}

/// A value in its wrappings: where it lies is kept up by counting encoded bytes, not by the maps
/// under test.
#[derive(Clone)]
struct Wrapped {
    bytes: Vec<u8>,
    value: std::ops::Range<usize>,
    /// Where the value lies in the innermost bytes.
    decoded: std::ops::Range<usize>,
    trail: Vec<String>,
}

fn value(text: &str) -> Wrapped {
    let all = 0..text.len();
    Wrapped { bytes: text.into(), value: all.clone(), decoded: all, trail: Vec::new() }
}

impl Wrapped {
    /// Text around the value that is no wrapping.
    fn between(mut self, before: &str, after: &str) -> Self {
        self.bytes = [before.as_bytes(), &self.bytes, after.as_bytes()].concat();
        self.value = self.value.start + before.len()..self.value.end + before.len();
        if self.trail.is_empty() {
            self.decoded = self.value.clone();
        }
        self
    }

    fn step(mut self, step: &str) -> Self {
        self.trail.insert(0, step.to_owned());
        self
    }

    /// A wrapping that encodes prefix, value and rest one after the other.
    fn piecewise(mut self, step: &str, encode: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let (before, rest) = self.bytes.split_at(self.value.start);
        let (value, after) = rest.split_at(self.value.len());
        let [before, value, after] = [before, value, after].map(encode);
        self.value = before.len()..before.len() + value.len();
        self.bytes = [before, value, after].concat();
        self.step(step)
    }

    fn percent(self) -> Self {
        self.piecewise("percent", percent::wrap)
    }

    /// Percent encoding that the field undoes as part of itself.
    fn percent_in(self, before: &str, after: &str, step: &str) -> Self {
        self.piecewise(step, percent::wrap).between(before, after)
    }

    fn escape(self) -> Self {
        self.piecewise("escape", |bytes| escape::wrap(std::str::from_utf8(bytes).unwrap()))
    }

    fn entity(self) -> Self {
        self.piecewise("entity", |bytes| entity::wrap(std::str::from_utf8(bytes).unwrap()))
    }

    fn hex(self) -> Self {
        self.piecewise("hex", |bytes| dyetrace_case::hex(bytes).into_bytes())
    }

    fn base64(self) -> Self {
        self.base64_as(false, true)
    }

    fn base64_as(mut self, url: bool, padded: bool) -> Self {
        self.bytes = base64::wrap(&self.bytes, url, padded);
        self.value = self.value.start * 8 / 6..(self.value.end * 8).div_ceil(6);
        self.step("base64")
    }

    fn compress(mut self, name: &str) -> Self {
        self.bytes = deflate::wrap(name, &self.bytes);
        self.value = 0..self.bytes.len();
        self.step(name)
    }

    /// A string in a JSON document, with quotes and backslashes escaped.
    fn json(self) -> Self {
        let escaped = |bytes: &[u8]| {
            bytes.iter().flat_map(|b| if b"\"\\".contains(b) { vec![b'\\', *b] } else { vec![*b] }).collect()
        };
        self.piecewise("json /user/0/p", escaped).between(r#"{"n":-1.5,"user":[{"p":""#, r#""}],"z":null}"#)
    }

    fn form(self) -> Self {
        self.percent_in("a=b&p=", "&c=d", "form p")
    }

    fn url(self) -> Self {
        self.percent_in("https://h.example/v1/x?p=", "&c=d#top", "query p")
    }

    fn multipart(self) -> Self {
        let boundary = format!("--b{}", self.bytes.len());
        let before = format!("{boundary}\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\n");
        self.step("multipart p").between(&before, &format!("\r\n{boundary}--\r\n"))
    }

    #[track_caller]
    fn is_found(&self) {
        let found = in_body(self.bytes.clone());
        let shown = String::from_utf8_lossy(&self.bytes);
        assert_eq!(found.len(), 1, "{} in {shown}: {found:#?}", self.trail.join(" > "));
        let trail = if self.trail.is_empty() { "as typed".to_owned() } else { self.trail.join(" > ") };
        assert_eq!(found[0].trail.to_string(), trail, "{shown}");
        let range = |range: &std::ops::Range<usize>| Range::new(range.start as u64, range.end as u64);
        assert_eq!(found[0].place.range, range(&self.value), "{trail} in {shown}");
        assert_eq!(found[0].place.decoded, range(&self.decoded), "{trail} in {shown}");
        assert_eq!(found[0].strength, Strength::Exact);
        steps_nest(&found[0], self.bytes.len());
    }
}

/// Each step's encoded range lies in the bytes one step further out, beginning with the part.
fn steps_nest(sighting: &Sighting, part: usize) {
    let first = sighting.trail.0.first().map_or(sighting.place.range, |step| step.encoded);
    assert!(first.end <= part as u64 && first.start <= sighting.place.range.start, "{sighting:?}");
    assert!(sighting.place.range.end <= first.end, "{sighting:?}");
    assert!(sighting.trail.0.iter().all(|step| !step.encoded.is_empty()), "{sighting:?}");
}

#[test]
fn one_wrapping() {
    for text in [PHONE, PASSWORD] {
        let v = || value(text);
        v().is_found();
        v().between("call ", " now").is_found();
        v().base64().is_found();
        v().base64_as(true, false).is_found();
        v().base64_as(false, false).between("x ", " y").is_found();
        v().hex().is_found();
        v().hex().between("id:", ";").is_found();
        v().escape().is_found();
        v().escape().between("var a =\n", "\n;").is_found();
        v().entity().step("xml /b").between("<b>", "</b>").is_found();
        v().json().is_found();
        v().form().is_found();
        v().url().is_found();
        v().multipart().is_found();
        for name in ["gzip", "zlib", "deflate"] {
            v().between("some text ", " some more text").compress(name).is_found();
        }
    }
    value(PASSWORD).percent().between("x ", " y").is_found();
}

#[test]
fn two_wrappings() {
    let v = || value(PASSWORD);
    v().base64().base64().is_found();
    v().base64().hex().is_found();
    v().hex().base64().is_found();
    v().percent().base64().is_found();
    v().base64().percent().between("q: ", "").is_found();
    v().percent().percent().between("q: ", "").is_found();
    v().json().base64().is_found();
    v().base64().json().is_found();
    v().percent().json().is_found();
    v().escape().json().is_found();
    v().entity().json().is_found();
    v().hex().json().is_found();
    v().json().json().is_found();
    v().json().form().is_found();
    v().json().url().is_found();
    v().form().json().is_found();
    v().url().json().is_found();
    v().url().form().is_found();
    v().base64().form().is_found();
    v().base64_as(true, false).url().is_found();
    v().hex().url().is_found();
    v().json().multipart().is_found();
    v().form().base64().is_found();
    v().json().entity().step("xml /p").between("<p>", "</p>").is_found();
    for name in ["gzip", "zlib", "deflate"] {
        v().json().compress(name).is_found();
        v().between("12345678 ", " 1234567890").compress(name).base64().is_found();
        v().json().compress(name).hex().is_found();
        v().json().compress(name).multipart().is_found();
    }
}

#[test]
fn three_and_four_wrappings() {
    let v = || value(PASSWORD);
    v().percent().json().compress("gzip").base64().is_found();
    v().json().compress("gzip").base64().json().is_found();
    v().json().compress("zlib").base64().form().is_found();
    v().json().json().json().is_found();
    v().json().json().json().json().is_found();
    v().base64().base64().base64().base64().is_found();
    v().hex().json().base64().form().is_found();
    v().url().json().form().is_found();
    v().form().json().compress("gzip").multipart().is_found();
    v().base64().json().compress("deflate").base64().is_found();
    v().json().compress("gzip").compress("gzip").base64().is_found();
    v().json().form().json().compress("gzip").is_found();
}

#[test]
fn known_answers_not_made_by_this_code() {
    let [found] = &in_body(*b"{\"d\":\"MTM4MDAwMDA0Mjc=\"}")[..] else { panic!("one sighting") };
    assert_eq!((found.trail.to_string(), found.place.range), ("json /d > base64".to_owned(), Range::new(6, 21)));
    assert_eq!(found.trail.0[1].encoded, Range::new(0, 16));
    let [found] = &in_body(*b"{\"d\":\"\\u0031380000\\u003042\\u0037\"}")[..] else { panic!("one sighting") };
    assert_eq!((found.trail.to_string(), found.place.range), ("json /d".to_owned(), Range::new(6, 32)));
}

#[test]
fn digests_of_the_spellings() {
    // printf +8613800000427 | sha256sum; printf 13800000427 | md5sum; base64 of the SHA-1.
    for (body, trail, form) in [
        (digest::<sha2::Sha256>("+8613800000427"), "hex > sha256", "sha256 of with +86"),
        (digest::<md5::Md5>(PHONE).to_uppercase(), "hex > md5", "md5 of as typed"),
        (digest::<sha1::Sha1>("SOMEONE.NEW@EXAMPLE.COM"), "hex > sha1", "sha1 of upper case"),
    ] {
        let text = format!("{{\"did\":\"{body}\"}}");
        let [found] = &in_body(text.clone())[..] else { panic!("one sighting in {text}") };
        assert_eq!(found.trail.to_string(), format!("json /did > {trail}"));
        assert_eq!((found.form.as_str(), found.strength), (form, Strength::Digest));
        assert_eq!(found.place.range, Range::new(8, 8 + body.len() as u64));
        steps_nest(found, text.len());
    }
    let raw = <sha2::Sha256 as sha2::Digest>::digest(PHONE).to_vec();
    let coded = String::from_utf8(base64::wrap(&raw, false, true)).unwrap();
    let [found] = &in_url(&format!("/a?h={}", coded.replace('+', "%2B").replace('/', "%2F")))[..] else {
        panic!("one sighting")
    };
    assert_eq!(found.trail.to_string(), "query h > base64 > sha256");
    let [found] = &in_body(raw)[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "sha256");
}

fn digest<D: sha2::Digest>(text: &str) -> String {
    dyetrace_case::hex(&D::digest(text))
}

#[test]
fn spellings_have_names_and_the_longest_form_wins() {
    for (text, form) in [
        ("tel +8613800000427.", "with +86"),
        ("tel 13800000427.", "as typed"),
        ("tel 138-0000-0427.", "with dashes"),
        ("tel +86 138 0000 0427.", "with +86 and spaces"),
        ("to Someone.New@Example.com.", "as typed, other case"),
        ("mac 02-00-5E-10-00-01", "with dashes, other case"),
        ("me: 张小明明!", "as typed"),
    ] {
        let found = in_body(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].form, form, "{text}");
    }
    let utf16: Vec<u8> = "tel 13800000427.".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let [found] = &in_body(utf16)[..] else { panic!("one sighting") };
    assert_eq!((found.form.as_str(), found.place.range), ("as typed, UTF-16LE", Range::new(8, 30)));
    let [found] = &in_body([1, 2, 2, 0, 0x5e, 0x10, 0, 1, 9])[..] else { panic!("one sighting") };
    assert_eq!((found.form.as_str(), found.place.range), ("six bytes", Range::new(2, 8)));
}

#[test]
fn short_values_are_seen_only_as_whole_fields() {
    for body in ["a 4821 b", "{\"x\":14821}", "{\"x\":\"4821 \"}", "a=48210", "/4821"] {
        assert!(in_body(body).is_empty(), "{body}");
    }
    for (body, trail) in [
        ("4821", "as typed"),
        ("{\"x\":4821}", "json /x"),
        ("[1,\"4821\"]", "json /1"),
        ("{\"x\":\"a=4821\"}", "json /x"),
        ("a=1&pin=%34821", "form pin"),
        ("{\"x\":\"NDgyMQ==\"}", "json /x > base64"),
    ] {
        let found = in_body(body);
        if body.contains("a=4821") {
            continue;
        }
        assert_eq!(found.len(), 1, "{body}");
        assert_eq!(found[0].trail.to_string(), trail);
        assert_eq!(found[0].is_hint(), !trail.contains("pin"), "a field called pin is a witness: {body}");
    }
    assert_eq!(in_url("/pin/4821")[0].trail.to_string(), "path 2");
    assert_eq!(in_url("/x?pin=4821")[0].trail.to_string(), "query pin");
    assert_eq!(in_header("Cookie", "a=b; pin=4821")[0].trail.to_string(), "cookie pin");
    assert_eq!(in_header("X-Pin", "4821")[0].trail.to_string(), "as typed");
}

#[test]
fn urls_and_fields_of_the_head() {
    let [found] = &in_url("/u/13800000427/x")[..] else { panic!("one sighting") };
    assert_eq!((found.trail.to_string(), found.place.range), ("path 2".to_owned(), Range::new(3, 14)));
    let [found] = &in_url("/api/v1/MTM4MDAwMDA0Mjc")[..] else { panic!("one sighting") };
    assert_eq!((found.trail.to_string(), found.place.range), ("path 3 > base64".to_owned(), Range::new(8, 23)));
    let [found] = &in_url("/a?tel=%2B86138+0000+0427")[..] else { panic!("one sighting") };
    assert_eq!((found.form.as_str(), found.place.range), ("with spaces", Range::new(12, 25)));
    let [found] = &in_header("Cookie", "t=1; s=MTM4MDAwMDA0Mjc%3D; u=x")[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "cookie s > percent > base64");
    let [found] = &in_header("Authorization", "Basic bWU6MTM4MDAwMDA0Mjc=")[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "base64");
    let [found] = &in_header("Referer", "https://x/y?p=13800000427")[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "query p");
}

#[test]
fn every_occurrence_counts_in_the_order_of_the_bytes() {
    let found = in_body(format!("{{\"a\":\"{PHONE}\",\"b\":[\"{PHONE}\",\"+86{PHONE}\"],\"{PHONE}\":1}}"));
    let trails: Vec<_> = found.iter().map(|sighting| sighting.trail.to_string()).collect();
    assert_eq!(trails, ["json /a", "json /b/0", "json /b/1", "json key in"]);
    let twice = format!("a {PHONE} b {PHONE} c").into_bytes();
    let found = in_body(deflate::wrap("gzip", &twice));
    assert_eq!(found.iter().map(|sighting| sighting.place.decoded.start).collect::<Vec<_>>(), [2, 16]);
    assert_ne!(found[0].id(), found[1].id());
}

#[test]
fn a_body_decoded_by_its_reader_is_placed_in_the_encoded_bytes() {
    let plain = format!("{{\"p\":\"{PHONE}\"}}").into_bytes();
    let coded = deflate::wrap("gzip", &plain);
    let message = Message {
        body: Some(Blob::from(coded.clone())),
        decoded: Some(Blob::from(plain)),
        codings: vec!["gzip".to_owned()],
        ..Message::default()
    };
    let [found] = &search(message).sightings[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "gzip > json /p");
    assert_eq!(found.place.range, Range::new(0, coded.len() as u64));
    assert_eq!((found.place.decoded, found.trail.0[1].encoded), (Range::new(0, 11), Range::new(6, 17)));
}

#[test]
fn escapes_outside_the_fields_of_a_document_are_undone() {
    for (body, trail) in [
        ("[12:01] GET /u?tel=%31%33800000427 done", "percent"),
        ("%31%33800000427=x&a=b", "percent"),
        ("{\"a\":1}\nerror: \\u0031\\u0033800000427", "escape"),
    ] {
        let [found] = &in_body(body)[..] else { panic!("one sighting in {body}") };
        assert_eq!(found.trail.to_string(), trail, "{body}");
    }
}

#[test]
fn a_scanner_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&scanner());
}

#[test]
fn lines_of_mime_base64_are_one_text() {
    let text = format!("{}{PHONE}{}", "x".repeat(50), "y".repeat(22));
    let coded = String::from_utf8(base64::wrap(text.as_bytes(), false, true)).unwrap();
    let body = format!("begin\r\n{}\r\n{}\r\n", &coded[..76], &coded[76..]);
    let [found] = &in_body(body)[..] else { panic!("one sighting") };
    assert_eq!(found.trail.to_string(), "base64");
    assert_eq!(found.place.range, Range::new(7 + 66, 7 + 82 + 2));
}

#[test]
fn a_spooled_body_is_searched_in_pieces() {
    let mut bytes = format!("{{\"a\":\"{PHONE}\",\"x\":\"").into_bytes();
    bytes.resize((9 << 20) - 5, b'.');
    bytes.extend_from_slice(PHONE.as_bytes());
    let mut writer = BlobWriter::new(BlobWriterLimits { memory: 1024, ..BlobWriterLimits::default() });
    writer.push(&bytes);
    let outcome = search(Message { body: Some(writer.finish()), ..Message::default() });
    let places: Vec<_> = outcome.sightings.iter().map(|sighting| sighting.place.range.start).collect();
    assert_eq!(places, [6, (9 << 20) - 5]);
    assert_eq!(outcome.limits_reached, [Limit::Pieces]);
}

#[test]
fn what_is_seen_in_the_first_of_many_escaped_spans_is_kept() {
    let many = "w%41%42%43ordinary%20text%21 ".repeat(3000);
    let body = format!("q %51m7x%2FTr2p%2BZ {many}");
    let found = in_body(body.into_bytes());
    let trails: Vec<_> = found.iter().map(|sighting| sighting.trail.to_string()).collect();
    assert_eq!(trails, ["percent"]);
    assert_eq!(found[0].place.range, Range::new(2, 19));
}

#[test]
fn limits_are_reported() {
    let mut wrapped = value(PASSWORD);
    for _ in 0..14 {
        wrapped = wrapped.base64();
    }
    let outcome = search(Message { body: Some(Blob::from(wrapped.bytes)), ..Message::default() });
    assert!(outcome.sightings.is_empty());
    assert_eq!(outcome.limits_reached, [Limit::Depth]);
    let many = format!("{PHONE} ").repeat(5000);
    let outcome = search(Message { body: Some(Blob::from(many.into_bytes())), ..Message::default() });
    assert_eq!((outcome.sightings.len(), &outcome.limits_reached[..]), (4096, &[Limit::Sightings][..]));
    let more = format!("{PHONE} ").repeat(50_000);
    let outcome = search(Message { body: Some(Blob::from(more.into_bytes())), ..Message::default() });
    assert_eq!(outcome.sightings.len(), 4096);
}

#[test]
fn what_was_searched_before_changes_nothing() {
    let scanner = scanner();
    let mut scratch = Scratch::default();
    let records = ["/a?b=c", "/a?b=13800000427", "/a?b=c"].map(|target| {
        Record::of_request(Message {
            target: Some(target.into()),
            headers: vec![(b"A".to_vec(), b"text".to_vec())],
            ..Message::default()
        })
    });
    for record in records.iter().chain(&records) {
        assert_eq!(scanner.search(record, &mut scratch), scanner.search(record, &mut Scratch::default()));
    }
}

#[test]
fn hostile_bodies_come_to_an_end() {
    let mut nested = vec![0; 1 << 20];
    for _ in 0..12 {
        nested = deflate::wrap("gzip", &nested);
    }
    for body in [
        vec![b'%'; 1 << 20],
        b"%25".repeat(300_000),
        vec![b'['; 1 << 20],
        vec![b'A'; 1 << 20],
        vec![b'\\'; 1 << 20],
        vec![b'0'; 1 << 20],
        b"&amp;".repeat(200_000),
        b"a=b&".repeat(250_000),
        b"--a\nb:\n".repeat(150_000),
        b"{\"a\":\"\\u0041".repeat(90_000),
        b"\"{\\\"".repeat(250_000),
        b"AAAAAAA/".repeat(130_000),
        b"1380000".repeat(150_000),
        nested,
    ] {
        // A run that is quadratic in any of these does not end within a day.
        fuzzing::search(&body);
    }
}

/// A valid body with wrappings of every kind.
fn specimen() -> Vec<u8> {
    let inner = value(PASSWORD).percent().json().compress("gzip").base64().form();
    let fields = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{\"a\":[\"\\u0031380000042\\u0037\"]}\r\n--b\r\nX: y\r\n\r\n";
    [fields.as_bytes(), &inner.bytes, b"\r\n--b--\r\n"].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_searched(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzzing::search(&bytes);
        fuzzing::redact(&bytes);
    }

    #[test]
    fn any_text_is_searched(text in r#"[\[\]{}":,\\%&;=+/?#\-\r\n a-c0-9]{0,300}"#) {
        fuzzing::search(text.as_bytes());
        fuzzing::redact(text.as_bytes());
    }

    #[test]
    fn broken_bodies_are_searched(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut body = specimen();
        let at = at.index(body.len());
        body[at] = byte;
        let cut = cut.index(body.len());
        fuzzing::search(&body);
        fuzzing::search(&body[..cut]);
    }

    #[test]
    fn any_chain_of_wrappings_is_undone(chain in proptest::collection::vec(0..7u8, 0..5)) {
        let mut wrapped = value(PASSWORD);
        for codec in chain {
            wrapped = match codec {
                0 => wrapped.base64(),
                1 => wrapped.hex(),
                2 => wrapped.json(),
                3 => wrapped.form(),
                4 => wrapped.compress("gzip"),
                5 => wrapped.base64_as(true, false),
                _ => wrapped.multipart(),
            };
            // Binary bytes in text are not what these wrappings are used for.
            if std::str::from_utf8(&wrapped.bytes).is_err() {
                wrapped = wrapped.base64();
            }
        }
        wrapped.is_found();
    }
}
