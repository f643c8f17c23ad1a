//! What is found in binary and XML documents: the trail, and the place counted by hand.

use crate::codec::protobuf::encoder::length;
use crate::codec::{Context, base64, deflate, grpc, plist};
use crate::explore::{Explorer, Node};
use crate::proof::assert_proved;
use crate::{Limit, Options, Scanner, Scratch};
use dyetrace_case::{Blob, Message, Range, Record, Secret, Sighting, Strength, Subject};
use md5::{Digest, Md5};

const PHONE: &str = "13800000427";
const PASSWORD: &str = "Qm7x/Tr2p+Z";

fn search(body: &[u8]) -> Vec<Sighting> {
    let mut subject = Subject::default();
    for (kind, value) in [("phone", PHONE), ("wifi.password", PASSWORD)] {
        subject.add(kind.parse().unwrap(), Secret::new(value));
    }
    let record = Record::of_request(Message { body: Some(Blob::from(body.to_vec())), ..Message::default() });
    let scanner = Scanner::new(&subject, Options::default());
    let sightings = scanner.search(&record, &mut Scratch::default()).sightings;
    assert_proved(&scanner, &record, &sightings);
    sightings
}

/// The one exact sighting in the body has this trail and these bytes for a place.
#[track_caller]
fn is_found(body: &[u8], trail: &str, encoded: &[u8]) {
    let all = search(body);
    let found: Vec<_> = all.iter().filter(|sighting| sighting.strength == Strength::Exact).collect();
    assert_eq!(found.len(), 1, "{trail}: {all:#?}");
    let start = memchr::memmem::find(body, encoded).unwrap() as u64;
    assert_eq!(found[0].trail.to_string(), trail);
    assert_eq!(found[0].place.range, Range::new(start, start + encoded.len() as u64), "{trail}");
}

fn message(value: &[u8]) -> Vec<u8> {
    [&b"\x08\x96\x01"[..], &length(3, &[length(1, b"user"), length(2, value)].concat())].concat()
}

#[test]
fn in_protobuf_and_grpc() {
    for value in [PHONE, PASSWORD] {
        let plain = message(value.as_bytes());
        is_found(&plain, "protobuf 3.2", value.as_bytes());
        is_found(&grpc::wrap(0, &plain), "grpc 1 > protobuf 3.2", value.as_bytes());
        let second = [grpc::wrap(0, b"\x08\x01"), grpc::wrap(0, &plain)].concat();
        is_found(&second, "grpc 2 > protobuf 3.2", value.as_bytes());
        let gzip = deflate::wrap("gzip", &plain);
        is_found(&grpc::wrap(1, &gzip), "grpc 1 > gzip > protobuf 3.2", &gzip);
        let coded = base64::wrap(value.as_bytes(), false, true);
        let letters = &coded[..coded.iter().take_while(|byte| **byte != b'=').count()];
        is_found(&message(&coded), "protobuf 3.2 > base64", letters);
    }
}

fn short(text: &[u8], head: u8) -> Vec<u8> {
    [&[head | text.len() as u8][..], text].concat()
}

#[test]
fn in_self_describing_documents() {
    for value in [PHONE, PASSWORD].map(str::as_bytes) {
        let coded = base64::wrap(value, false, false);
        let pack = |value: &[u8]| {
            [&b"\x82"[..], &short(b"id", 0xa0), b"\x07", &short(b"user", 0xa0), b"\x91", &short(value, 0xa0)].concat()
        };
        is_found(&pack(value), "msgpack /user/0", value);
        is_found(&pack(&coded), "msgpack /user/0 > base64", &coded);
        let cbor =
            |value: &[u8]| [&b"\xa2"[..], &short(b"id", 0x60), b"\x07", &short(b"user", 0x60), b"\x81", value].concat();
        is_found(&cbor(&short(value, 0x60)), "cbor /user/0", value);
        let (one, two) = value.split_at(4);
        let pieces = [short(one, 0x60), short(two, 0x60)].concat();
        is_found(&cbor(&[&b"\x7f"[..], &pieces, b"\xff"].concat()), "cbor /user/0", &pieces[1..]);
        let element = [&b"\x02phone\0"[..], &(value.len() as i32 + 1).to_le_bytes(), value, b"\0\0"].concat();
        let bson = [&(element.len() as i32 + 4).to_le_bytes()[..], &element].concat();
        is_found(&bson, "bson /phone", value);
        let list = plist::wrap(&[vec![0xd1, 1, 2], short(b"phone", 0x50), short(value, 0x50)]);
        is_found(&list, "plist /phone", value);
    }
}

#[test]
fn in_xml_and_tokens() {
    is_found(b"<map><string name=\"psk\">Qm7x/Tr2p+Z</string></map>", "xml /map/string[psk]", PASSWORD.as_bytes());
    is_found(b"<a><b tel='13800000427'/></a>", "xml /a/b@tel", PHONE.as_bytes());
    is_found(b"<a><b>Qm7x/Tr2p&#43;Z</b></a>", "xml /a/b > entity", b"Qm7x/Tr2p&#43;Z");
    is_found(b"<a><![CDATA[13800000427]]></a>", "xml /a", PHONE.as_bytes());
    let claims = base64::wrap(br#"{"p":"13800000427"}"#, true, false);
    let token = [&b"eyJhbGciOiJIUzI1NiJ9."[..], &claims, b".c2lnbmF0dXJl"].concat();
    // The value is bytes 6 to 17 of the claims: characters 8 to 23.
    is_found(&token, "jwt claims > base64 > json /p", &claims[8..23]);
}

#[test]
fn what_stands_all_over_binary_bytes_is_kept_a_bounded_number_of_times() {
    let mut subject = Subject::default();
    subject.add("phone".parse().unwrap(), Secret::new(PHONE));
    subject.add("wifi.password".parse().unwrap(), Secret::new("Qm7x/Tr2"));
    let scanner = Scanner::new(&subject, Options { sightings: 10, decoys: 0, ..Options::default() });
    let masked: Vec<u8> = b"Qm7x/Tr2".iter().map(|byte| byte ^ 0xa7).collect();
    for bytes in [&Md5::digest(PHONE)[..], &masked] {
        let body = [&b"\x00\xff\x01"[..], &bytes.repeat(20_000)].concat();
        let mut explorer = Explorer::new(&scanner.needles, &scanner.options, body.len() as u64);
        let finds = explorer.explore(&body, Node { context: Context::Any, depth: 0, is_field: false });
        assert!((10..200).contains(&finds.len()), "{} finds", finds.len());
        assert!(explorer.limits.contains(&Limit::Sightings));
    }
}
