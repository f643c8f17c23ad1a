//! Documents with fields: text formats and binary ones.

use super::piece::{Layer, Piece};
use super::text::percent_where_needed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use rmpv::Value as Msgpack;

pub(crate) const LAYERS: &[Layer] = &[
    ("json", |p| Some(json_text(p)?.between(r#"{"ver":"5.2.1","seq":17,"data":""#, r#"","ok":true}"#))),
    ("json deep", |p| Some(json_text(p)?.between(r#"[{"a":{"b":[1,{"c":""#, r#""}]}},null]"#))),
    ("json key", |p| Some(json_text(p)?.between(r#"{"seen":{""#, r#"":1}}"#))),
    ("json number", |p| p.number().map(|_| p.between(r#"{"ver":5,"data":"#, r#","ok":true}"#))),
    ("form", |p| Some(percent_where_needed(p).between("ver=5.2.1&data=", "&ok=1"))),
    ("cookie", |p| Some(percent_where_needed(p).between("theme=dark; u=", "; seen=1"))),
    ("xml element", |p| Some(xml_text(p)?.between("<?xml version=\"1.0\"?><r><v>", "</v></r>"))),
    ("xml attribute", |p| Some(xml_text(p)?.between("<r><item id=\"7\" v=\"", "\"/></r>"))),
    ("xml cdata", |p| Some(p.text().map(|_| p)?.between("<r><v><![CDATA[", "]]></v></r>"))),
    ("multipart", |p| Some(p.between(MULTIPART_HEAD, "\r\n--xYzZY--\r\n").alone())),
    ("jwt", jwt),
    ("plist xml", |p| Some(xml_text(p)?.between(PLIST_HEAD, "</string></dict></plist>"))),
    ("plist binary", |p| plist(p, plist::Value::String(p.text()?.to_owned()))),
    ("plist binary data", |p| plist(p, plist::Value::Data(p.bytes.clone()))),
    ("plist binary integer", |p| Some(p.whole(plist(&Piece::of(""), p.number()?.into())?.bytes).inexact().alone())),
    ("protobuf string", |p| Some(protobuf(p))),
    ("protobuf nested", |p| {
        Some(delimited(&delimited(p, 0x12).between([0x08, 0x05], []), 0x1a).between([0x08, 0x11], []).alone())
    }),
    ("protobuf varint", |p| {
        Some(inexact(&[&[0x08, 0x11, 0x10][..], &varint(p.number()?), &[0x1a, 2, b'o', b'k']].concat()))
    }),
    ("protobuf fixed64", |p| {
        Some(inexact(&[&[0x08, 0x11, 0x11][..], &p.number()?.to_le_bytes(), &[0x1a, 2, b'o', b'k']].concat()))
    }),
    ("protobuf packed", |p| Some(inexact(&packed_varints(p.number()?)))),
    ("grpc", |p| Some(grpc(&protobuf(p)))),
    ("msgpack string", |p| msgpack(p, Msgpack::from(p.text()?))),
    ("msgpack binary", |p| msgpack(p, Msgpack::from(p.bytes.clone()))),
    ("msgpack integer", |p| Some(inexact(&msgpack(&Piece::of(""), p.number()?.into())?.bytes))),
    ("cbor text", |p| cbor(p, &Cbor::from(p.text()?))),
    ("cbor bytes", |p| cbor(p, &Cbor::Bytes(p.bytes.clone()))),
    ("cbor integer", |p| Some(inexact(&cbor(&Piece::of(""), &p.number()?.into())?.bytes))),
    ("cbor indefinite", cbor_indefinite),
    ("bson string", |p| Some(bson(2, &delimited_bson(p)?).alone())),
    ("bson binary", |p| Some(bson(5, &p.between([&length32(p.bytes.len())[..], &[0]].concat(), [])).alone())),
    ("bson int64", |p| Some(bson(18, &Piece::of(p.number()?.to_le_bytes())).inexact().alone())),
    ("u64 le", |p| Some(inexact(&[&HEAD[..], &large(p)?.to_le_bytes(), &HEAD].concat()))),
    ("u64 be", |p| Some(inexact(&[&HEAD[..], &large(p)?.to_be_bytes(), &HEAD].concat()))),
    ("json split in 2", |p| split(p, 2, r#"{"part1":""#, &[r#"","part2":""#], r#""}"#)),
    ("json split in 3", |p| split(p, 3, r#"{"part1":""#, &[r#"","part2":""#, r#"","part3":""#], r#""}"#)),
    ("form split in 2", |p| split(p, 2, "a=", &["&b="], "&ok=1")),
];

const HEAD: [u8; 6] = [0, 1, 0xfe, 0x80, 0x7f, 3];
const MULTIPART_HEAD: &str = "--xYzZY\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n5\r\n--xYzZY\r\nContent-Disposition: form-data; \
                              name=\"d\"; filename=\"d.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
const PLIST_HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
                          \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict><key>v</key><string>";

/// Numbers of 32 bits cannot be told from other bytes where no document gives them a type.
fn large(piece: &Piece) -> Option<u64> {
    piece.number().filter(|number| *number > u64::from(u32::MAX))
}

fn inexact(bytes: &[u8]) -> Piece {
    Piece::of(bytes).inexact().alone()
}

/// The text as it stands between the quotes of a JSON string.
pub(crate) fn json_text(piece: &Piece) -> Option<Piece> {
    piece.by_char(|c| {
        let quoted = serde_json::Value::from(c.to_string()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    })
}

fn xml_text(piece: &Piece) -> Option<Piece> {
    piece.by_char(|c| match c {
        '<' => "&lt;".into(),
        '&' => "&amp;".into(),
        '"' => "&quot;".into(),
        c => c.to_string(),
    })
}

/// RFC 7519: the value in a claim; the signature is noise.
fn jwt(piece: &Piece) -> Option<Piece> {
    let claims = json_text(piece)?.between(r#"{"iss":"app","sub":""#, r#"","exp":1763700000}"#);
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signature = URL_SAFE_NO_PAD.encode(crate::random::Random::new(7).bytes(32));
    let encoded = URL_SAFE_NO_PAD.encode(&claims.bytes);
    Some(claims.ratio(encoded, 4, 3).between(format!("{head}."), format!(".{signature}")))
}

fn plist(piece: &Piece, value: plist::Value) -> Option<Piece> {
    let mut dictionary = plist::Dictionary::new();
    dictionary.insert("ver".into(), 5.into());
    dictionary.insert("value".into(), value);
    let mut bytes = Vec::new();
    plist::Value::Dictionary(dictionary).to_writer_binary(&mut bytes).ok()?;
    if let Some(found) = piece.inside(&*bytes) {
        return Some(found.alone());
    }
    // Text beyond ASCII stands there as UTF-16.
    let units: Vec<u8> = piece.text()?.encode_utf16().flat_map(u16::to_be_bytes).collect();
    Some(Piece::of(units).inside(bytes)?.inexact().alone())
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn delimited(piece: &Piece, tag: u8) -> Piece {
    piece.between([&[tag][..], &varint(piece.bytes.len() as u64)].concat(), [])
}

/// Fields 1 (a number), 2 (the value) and 3 (a text).
fn protobuf(piece: &Piece) -> Piece {
    delimited(piece, 0x12).between([0x08, 0x11], b"\x1a\x05hello").alone()
}

fn packed_varints(number: u64) -> Vec<u8> {
    let numbers = [varint(7), varint(number), varint(300)].concat();
    [&[0x08, 0x11, 0x12, numbers.len() as u8][..], &numbers].concat()
}

/// A length-prefixed message of gRPC over HTTP/2: flag, then length.
fn grpc(message: &Piece) -> Piece {
    message.between([&[0][..], &(message.bytes.len() as u32).to_be_bytes()].concat(), []).alone()
}

fn msgpack(piece: &Piece, value: Msgpack) -> Option<Piece> {
    let map = vec![("ver".into(), 5.into()), ("value".into(), value), ("ok".into(), true.into())];
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &Msgpack::Map(map)).ok()?;
    Some(piece.inside(bytes)?.alone())
}

fn cbor(piece: &Piece, value: &Cbor) -> Option<Piece> {
    let map = vec![("ver".into(), 5.into()), ("value".into(), value.clone()), ("ok".into(), true.into())];
    let mut bytes = Vec::new();
    ciborium::into_writer(&Cbor::Map(map), &mut bytes).ok()?;
    Some(piece.inside(bytes)?.alone())
}

/// RFC 8949 section 3.2: a map and a text of indefinite length, the text in two chunks.
fn cbor_indefinite(piece: &Piece) -> Option<Piece> {
    let text = piece.text()?;
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at))?;
    let mut bytes = b"\xbf\x63ver\x05\x65value\x7f".to_vec();
    let start = bytes.len();
    for chunk in [&text[..half], &text[half..]] {
        // Lengths under 24 stand in the first byte, others under 256 in the next.
        match chunk.len() {
            0..24 => bytes.push(0x60 | chunk.len() as u8),
            24..256 => bytes.extend([0x78, chunk.len() as u8]),
            _ => return None,
        }
        bytes.extend(chunk.as_bytes());
    }
    let place = start..bytes.len();
    bytes.extend([0xff, 0xff]);
    Some(Piece { bytes, place, exact: false, alone: true })
}

fn length32(length: usize) -> [u8; 4] {
    (length as u32).to_le_bytes()
}

fn delimited_bson(piece: &Piece) -> Option<Piece> {
    piece.text()?;
    Some(piece.between(length32(piece.bytes.len() + 1), [0]))
}

/// bsonspec.org 1.1: `{ver: 5, value: …}`.
fn bson(kind: u8, element: &Piece) -> Piece {
    let inner = element.between([b"\x10ver\0\x05\0\0\0", &[kind][..], b"value\0"].concat(), [0]);
    inner.between(length32(inner.bytes.len() + 4), []).alone()
}

/// The value cut into parts that stand in neighbouring fields.
fn split(piece: &Piece, parts: usize, open: &str, gaps: &[&str], close: &str) -> Option<Piece> {
    let characters: Vec<char> = json_text(piece)?.text()?.chars().collect();
    if characters.len() < 8 || characters.iter().any(|c| "\"\\&=%+ ".contains(*c)) {
        return None;
    }
    let mut text = String::from(open);
    for part in 0..parts {
        if let Some(gap) = part.checked_sub(1).and_then(|gap| gaps.get(gap)) {
            text.push_str(gap);
        }
        let range = part * characters.len() / parts..(part + 1) * characters.len() / parts;
        text.extend(characters.get(range)?);
    }
    let place = open.len()..text.len();
    text.push_str(close);
    Some(Piece { bytes: text.into_bytes(), place, exact: false, alone: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_holds_what_it_says() {
        for value in ["13800000427", "a \"quoted\" value", "张小明明"] {
            for (name, wrap) in LAYERS {
                let Some(piece) = wrap(&Piece::of(value)) else { continue };
                assert!(piece.place.end <= piece.bytes.len() && !piece.place.is_empty(), "{name}");
                if piece.exact
                    && !["json", "json deep", "json key", "jwt", "form", "cookie"].contains(name)
                    && !value.contains('"')
                {
                    assert_eq!(&piece.bytes[piece.place.clone()], value.as_bytes(), "{name}");
                }
            }
        }
    }

    #[test]
    fn varints_are_those_of_the_protobuf_guide() {
        assert_eq!(varint(150), [0x96, 0x01]);
    }
}
