//! Wrappings that a generator of wrapped values showed to be missed once: each with the trail and the
//! place that the search must report, and a proof.

use crate::codec::{base64, encoders, lz_string};
use crate::digest::algorithm::{MD5, SHA256};
use crate::proof::assert_proved;
use crate::{Options, Scanner, Scratch};
use dyetrace_case::{
    Blob, Cipher, CipherKey, Iv, KeyMaterial, Message, NamedSecret, Record, Secret, Sighting, Subject,
};

const EMAIL: &str = "someone.new@example.com";
const NAME: &str = "张小明明";
const PIN: &str = "4821";
const ALPHABET: &[u8; 64] = b"RSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQ";
const KEY: &[u8] = b"s3cr3tKey";

fn material() -> KeyMaterial {
    let named = |value: &[u8]| NamedSecret { name: "own".to_owned(), value: Secret::new(value) };
    let xor = CipherKey { name: "own".to_owned(), cipher: Cipher::Xor, key: Secret::new(KEY), iv: Iv::None };
    KeyMaterial { alphabets: vec![named(ALPHABET)], ciphers: vec![xor], ..KeyMaterial::default() }
}

fn search(material: &KeyMaterial, message: Message) -> Vec<Sighting> {
    let mut subject = Subject::default();
    for (kind, value) in [("email", EMAIL), ("name", NAME), ("pin", PIN)] {
        subject.add(kind.parse().unwrap(), Secret::new(value));
    }
    let record = Record::of_request(message);
    let scanner = Scanner::with_key_material(&subject, material, Options::default());
    let found = scanner.search(&record, &mut Scratch::default()).sightings;
    assert_proved(&scanner, &record, &found);
    found
}

fn in_body(body: &[u8]) -> Vec<Sighting> {
    search(&KeyMaterial::default(), Message { body: Some(Blob::from(body.to_vec())), ..Message::default() })
}

fn in_body_with_keys(body: &[u8]) -> Vec<Sighting> {
    search(&material(), Message { body: Some(Blob::from(body.to_vec())), ..Message::default() })
}

#[track_caller]
fn is_one(found: &[Sighting], trail: &str, range: (usize, usize)) {
    let [sighting] = found else { panic!("{} sightings, wanted {trail}: {found:?}", found.len()) };
    let place = (sighting.place.range.start as usize, sighting.place.range.end as usize);
    assert_eq!((sighting.trail.to_string().as_str(), place), (trail, range));
}

/// Base64 in the tester's alphabet.
fn own(bytes: &[u8]) -> Vec<u8> {
    let standard = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = |letter: u8| standard.iter().position(|other| *other == letter).unwrap();
    base64::wrap(bytes, false, false).into_iter().map(|letter| ALPHABET[place(letter)]).collect()
}

#[test]
fn base64_in_an_alphabet_of_the_apps_own() {
    let text = own(EMAIL.as_bytes());
    let end = 6 + text.len();
    let body = [b"{\"p\":\"", &text[..], b"\"}"].concat();
    is_one(&in_body_with_keys(&body), "json /p > base64 own alphabet own", (6, end));
    assert!(in_body(&body).is_empty());
}

#[test]
fn base64_and_hex_that_were_reversed_and_base64_that_was_rotated() {
    let coded = base64::wrap(EMAIL.as_bytes(), false, true);
    let reversed: Vec<u8> = coded.iter().rev().copied().collect();
    let padding = coded.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = [b"{\"p\":\"", &reversed[..], b"\"}"].concat();
    is_one(&in_body(&body), "json /p > reversed > base64", (6 + padding, 6 + coded.len()));
    let rotated: Vec<u8> = coded.iter().map(|byte| crate::needles::rot13(*byte)).collect();
    let body = [b"{\"p\":\"", &rotated[..], b"\"}"].concat();
    is_one(&in_body(&body), "json /p > rot13 > base64", (6, 6 + coded.len() - padding));
    let hex: String = dyetrace_case::hex(EMAIL.as_bytes()).chars().rev().collect();
    is_one(&in_body(format!("a=b&p={hex}").as_bytes()), "form p > reversed > hex", (6, 6 + hex.len()));
}

#[test]
fn text_reversed_by_its_characters() {
    let reversed: String = NAME.chars().rev().collect();
    is_one(&in_body(format!("a=b&p={reversed}").as_bytes()), "form p > reversed by characters", (6, 18));
}

#[test]
fn whole_segments_of_a_path_between_slashes() {
    let text = base64::wrap(&[b"{\"v\":\"", EMAIL.as_bytes(), b"\"}"].concat(), true, false);
    let target = [b"/api/u/", &text[..], b"/profile?a=b"].concat();
    let found = search(&KeyMaterial::default(), Message { target: Some(target), ..Message::default() });
    is_one(&found, "path 3 > base64 > json /v", (7 + 8, 7 + (6 + EMAIL.len()) * 4 / 3 + 1));
}

#[test]
fn raw_digests_in_the_middle_of_bytes_of_no_known_format() {
    let digest = SHA256.of(EMAIL.as_bytes());
    let body = [&[0, 1, 0xfe, 0x80, 3][..], digest.bytes(), &[0x91; 9]].concat();
    is_one(&in_body(&body), "sha256", (5, 37));
}

#[test]
fn digests_of_other_codings_of_the_value() {
    let reversed: String = EMAIL.chars().rev().collect();
    let (gbk, _, _) = encoding_rs::GBK.encode(NAME);
    for message in [dyetrace_case::hex(EMAIL.as_bytes()).as_bytes(), reversed.as_bytes(), &gbk] {
        let text = dyetrace_case::hex(MD5.of(message).bytes());
        is_one(&in_body(format!("a=b&p={text}").as_bytes()), "form p > hex > md5", (6, 38));
    }
}

#[test]
fn separated_hex_with_escaped_separators() {
    let text: Vec<String> = EMAIL.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body = format!("a=b&p={}", text.join("%3A"));
    is_one(&in_body(body.as_bytes()), "form p > separated hex", (6, body.len()));
}

#[test]
fn bytes_under_their_numbers() {
    let pairs: Vec<String> = EMAIL.bytes().enumerate().map(|(at, byte)| format!("\"{at}\":{byte}")).collect();
    let body = format!("{{\"p\":{{{}}}}}", pairs.join(","));
    is_one(&in_body(body.as_bytes()), "indexed bytes", (10, body.len() - 2));
}

#[test]
fn character_references_without_semicolon() {
    let body = EMAIL.bytes().map(|byte| format!("&#{byte}")).collect::<Vec<_>>().concat();
    is_one(&in_body(body.as_bytes()), "entity", (0, body.len()));
}

#[test]
fn bare_deflate_behind_a_header() {
    let [bare] = &encoders::encoders("deflate").collect::<Vec<_>>()[..] else { panic!("one way of writing deflate") };
    let stream = (bare.wrap)(format!("event=a&mail={EMAIL}&event=b&event=c").as_bytes()).unwrap();
    let body = [b"\0\x01\x02APP\0\x2a", &stream[..], b"\0\0end"].concat();
    let found = in_body(&body);
    is_one(&found, "deflate > form mail", (8, 8 + stream.len()));
}

#[test]
fn lz_string_as_bytes() {
    let six = lz_string::wrap(EMAIL);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let value = |letter: &u8| letters.iter().position(|other| other == letter).unwrap();
    let bits: Vec<bool> =
        six.iter().map(value).flat_map(|value| (0..6).rev().map(move |at| value >> at & 1 == 1)).collect();
    let number =
        |bits: &[bool], width: usize| (0..width).fold(0, |n, at| n << 1 | u16::from(bits.get(at) == Some(&true)));
    let bytes: Vec<u8> = bits.chunks(16).flat_map(|bits| number(bits, 16).to_be_bytes()).collect();
    is_one(&in_body(&bytes), "lz-string", (0, bytes.len()));
}

#[test]
fn thrift_numbers() {
    // {1: i64 zigzag, 2: "ok", 3: "hello"} in the compact protocol; the number is the PIN.
    let body = b"\x16\xaa\x4b\x18\x02ok\x18\x05hello\0";
    is_one(&in_body(body), "thrift /1", (1, 3));
}

#[test]
fn ciphertext_of_a_stream_cipher_under_base64_of_any_length() {
    let plain = format!("{{\"ver\":5,\"mail\":\"{EMAIL}\"}}");
    let sealed: Vec<u8> = plain.bytes().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let text = base64::wrap(&sealed, false, true);
    let found = in_body_with_keys(&[b"{\"p\":\"", &text[..], b"\"}"].concat());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].trail.to_string(), "json /p > base64 > xor own > json /mail");
}

#[test]
fn a_short_value_in_a_form_inside_a_field() {
    let body = format!("{{\"p\":\"ver=5.2.1&pin={PIN}&ok=1\"}}");
    is_one(&in_body(body.as_bytes()), "json /p > form pin", (20, 24));
}

#[test]
fn base64_with_a_bare_plus_in_a_form() {
    let text = base64::wrap("🦀>>~ someone.new@example.com >>>>>".as_bytes(), false, true);
    assert!(text.contains(&b'+'), "the case is about `+`");
    let found = in_body(&[b"a=b&p=", &text[..], b"&c=d"].concat());
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn separated_hex_in_bytes_that_begin_with_a_bracket() {
    let text = encoders::ALL
        .iter()
        .find(|codec| codec.name == "separated hex")
        .and_then(|codec| (codec.wrap)(EMAIL.as_bytes()));
    let mut body = b"[q\xf2\xc6\xb8\xe7\xd9\0".to_vec();
    let start = body.len();
    body.extend(text.unwrap());
    let end = body.len();
    body.extend(b"\0\xea>c\xbd\xb4");
    is_one(&in_body(&body), "separated hex", (start, end));
}

#[test]
fn short_base64_of_which_a_query_escapes_the_padding() {
    let reversed: Vec<u8> = EMAIL.bytes().take(11).rev().collect();
    let mut subject = Subject::default();
    subject.add("account".parse().unwrap(), Secret::new(&EMAIL[..11]));
    let scanner = Scanner::new(&subject, Options::default());
    let text = String::from_utf8(base64::wrap(&reversed, false, true)).unwrap();
    let target = format!("/v2/collect?seq=17&v={}&z=1", text.replace('=', "%3D"));
    let message = Message { target: Some(target.into_bytes()), ..Message::default() };
    let found = scanner.search(&Record::of_request(message), &mut Scratch::default()).sightings;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn gzip_at_an_offset_behind_base64() {
    let gzip = encoders::ALL.iter().find(|codec| codec.name == "gzip").unwrap();
    let sealed =
        [b"\x07\xf2head\xff\x01".to_vec(), (gzip.wrap)(format!("{{\"m\":\"{EMAIL}\"}}").as_bytes()).unwrap()].concat();
    let text = base64::wrap(&sealed, false, true);
    let found = in_body(&[b"{\"p\":\"", &text[..], b"\"}"].concat());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].trail.to_string().starts_with("json /p > base64 > gzip"), "{}", found[0].trail);
}
