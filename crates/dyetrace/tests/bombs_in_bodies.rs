//! Bodies made to use up the memory or time of the search, given to the whole command: what many
//! codecs take for theirs, deep documents, bodies that are one run.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it measured")]

mod cost;
mod wire;

use cost::bounded_capture;

/// Bytes of the body that a request carries.
const SIZE: u32 = 3 << 20;
/// Bytes of a body that is searched in pieces.
const LONG: u32 = 20 << 20;

/// One request with the body.
fn body(name: &str, size: u32, make: impl Fn(usize) -> Vec<u8>) {
    bounded_capture(name, size, |size, capture| {
        let body = make(size as usize);
        let head = format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n", body.len());
        capture.open(0);
        capture.bytes(0, true, 1, &[head.as_bytes(), &body].concat());
    });
}

/// One request whose body is the pattern again and again.
fn repeated(name: &str, pattern: &[u8]) {
    body(name, SIZE, |size| pattern.iter().copied().cycle().take(size).collect());
}

/// `open` and `close` around each other.
fn nested(name: &str, open: &[u8], close: &[u8]) {
    body(name, SIZE, |size| {
        let depth = size / (open.len() + close.len());
        [open.repeat(depth), close.repeat(depth)].concat()
    });
}

/// Bytes without an order, the same in every run, out of an alphabet.
fn scrambled(size: usize, alphabet: &[u8]) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        alphabet[(state >> 33) as usize % alphabet.len()]
    };
    std::iter::repeat_with(next).take(size).collect()
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

#[test]
fn signatures_of_compression_without_any() {
    for (name, pattern) in [
        ("zlib", b"\x78\x9c".as_slice()),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("gzip-name", b"\x1f\x8b\x08\x08aaaaaaaaaaaa"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x58\x01\0\0a"),
        ("zstd-empty", b"\x28\xb5\x2f\xfd\x20\0\x01\0\0"),
        ("lz4", b"\x04\x22\x4d\x18\x64\x40\xa7\x01\0\0\x80a"),
        ("snappy", b"\xff\x06\0\0sNaPpY"),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\xff\xff\0\0\xff\xff\0\0\x01\0\0\0a"),
        ("zip-short", b"PK\x03\x04"),
        ("zlib-stored", b"\x78\x01\x00\xff\xff\0\0"),
        ("lz-blocks", b"\xf0\xff\xff\xff\x01\0"),
    ] {
        repeated(name, pattern);
    }
}

#[test]
fn marks_of_textual_codings_everywhere() {
    for (name, pattern) in [
        ("ascii85", b"<~".as_slice()),
        ("ascii85-filled", b"<~87cUR~>"),
        ("quoted-printable", b"=41"),
        ("quoted-breaks", b"=\r\n"),
        ("equals", b"="),
        ("utf7", b"+-"),
        ("utf7-filled", b"+AGEAYQ-"),
        ("percent", b"%41"),
        ("percent-thrice", b"%252541"),
        ("percent-u", b"%u0041"),
        ("backslash", b"\\"),
        ("escapes", b"\\u0041"),
        ("octal", b"\\101"),
        ("entities", b"&#x41;"),
        ("ampersands", b"&"),
        ("commas", b"65,"),
        ("codes", b"65, 66, 0x43, "),
        ("colons", b"41:"),
        ("hex-pairs", b"0x41,"),
        ("utf16", b"a\0"),
        ("base32", b"MFRGGZDF"),
        ("cookies", b"a=b; "),
        ("form", b"a=b&"),
        ("form-empty", b"=&"),
        ("url", b"http://a/?a=http://a/?"),
        ("dots", b"eyJhIjoxfQ."),
        ("lines", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        ("base64-slashes", b"H4sI/H4sI_H4sI-H4sI+"),
        ("quotes", b"\""),
        ("angles", b"<"),
    ] {
        repeated(name, pattern);
    }
}

#[test]
fn documents_of_nothing_but_depth() {
    nested("json-arrays", b"[", b"]");
    nested("json-objects", b"{\"a\":", b"}");
    nested("json-escaped-names", b"{\"\\u0061\":", b"}");
    nested("xml", b"<a>", b"</a>");
    nested("plist", b"<plist><dict><key>a</key>", b"</dict></plist>");
    for (name, pattern) in [
        ("msgpack-arrays", b"\x91".as_slice()),
        ("msgpack-maps", b"\x81\xa1a"),
        ("cbor-arrays", b"\x81"),
        ("cbor-tags", b"\xd9\xd9\xf7"),
        ("cbor-indefinite", b"\x9f"),
        ("cbor-strings", b"\x5f\x41a\xff"),
        ("protobuf-varints", b"\x08\x01"),
        ("protobuf-strings", b"\x0a\x01a"),
        ("protobuf-groups", b"\x0b"),
        ("grpc", b"\0\0\0\0\x03\x0a\x01a"),
        ("bson", b"\x0c\0\0\0\x10a\0\x01\0\0\0\0"),
        ("xml-open", b"<a>"),
        ("xml-attributes", b"<a b='&amp;'/>"),
        ("xml-cdata", b"<a><![CDATA[x]]></a>"),
        ("multipart", b"--a\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n"),
    ] {
        repeated(name, pattern);
    }
    body("protobuf-nested", SIZE, |size| {
        let mut message = vec![0x08, 1];
        let mut reversed: Vec<u8> = Vec::new();
        while message.len() + reversed.len() < size {
            let mut length = message.len() + reversed.len();
            let mut field = vec![0x0a];
            while length > 0x7f {
                field.push(length as u8 | 0x80);
                length >>= 7;
            }
            field.push(length as u8);
            reversed.extend(field.iter().rev());
        }
        reversed.reverse();
        reversed.append(&mut message);
        reversed
    });
}

#[test]
fn documents_of_many_small_fields() {
    let document =
        |field: &'static str| move |size: usize| format!("[{}0]", field.repeat(size / field.len())).into_bytes();
    for (name, field) in [
        ("json-numbers", "1234567,"),
        ("json-doubles", "1.5e300,"),
        ("json-escaped", "{\"a\":\"\\u0031\\/\"},"),
        ("json-base64", "\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\","),
        ("json-hex", "\"000102030405060708090a0b0c0d0e0f\","),
        ("json-json", "\"{\\\"a\\\":\\\"%41\\\"}\","),
        ("json-gzip", "\"H4sIAAAAAAAAA0tMBABoAAAA\","),
        ("json-base58", "\"2NEpo7TZRRrLZSi2U2NEpo7TZRRrLZSi2U\","),
        ("json-base85", "\"87cURD]i,\\\"Ebo80@<>\","),
        ("json-mac", "\"02:00:5e:10:00:01\","),
        ("json-urls", "\"https://a.example/?a=%41&b=%7B%22a%22%3A1%7D\","),
    ] {
        body(name, SIZE, document(field));
    }
}

#[test]
fn bodies_that_are_one_run() {
    for (name, alphabet) in [
        ("run-base64", BASE64),
        ("run-hex", HEX),
        ("run-digits", b"0123456789"),
        ("run-base58", BASE58),
        ("run-letters", b"abcdefghijklmnopqrstuvwxyz"),
    ] {
        body(name, LONG, |size| scrambled(size, alphabet));
        body(&format!("{name}-short"), SIZE, |size| scrambled(size, alphabet));
    }
    for (name, byte) in [("run-a", b'A'), ("run-zero", b'0'), ("run-plus", b'+'), ("run-slash", b'/')] {
        body(name, LONG, |size| vec![byte; size]);
    }
    body("run-bytes", LONG, |size| scrambled(size, &(0..=255).collect::<Vec<u8>>()));
    body("run-bytes-short", SIZE, |size| scrambled(size, &(0..=255).collect::<Vec<u8>>()));
}

/// Codecs of whole fields read up to 4 KiB at a time, base58 and its like in the square of that.
#[test]
fn thousands_of_long_fields_in_dense_codings() {
    for (name, alphabet) in [("fields-base58", BASE58), ("fields-base64", BASE64), ("fields-digits", b"123456789")] {
        for length in [100, 1000, 4090] {
            body(&format!("{name}-{length}"), SIZE, |size| {
                let runs = scrambled(size, alphabet);
                let fields: Vec<String> =
                    runs.chunks(length).map(|run| format!("\"{}\"", str::from_utf8(run).unwrap())).collect();
                format!("[{}]", fields.join(",")).into_bytes()
            });
        }
    }
}
