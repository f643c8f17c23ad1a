//! The wrappings that can be undone, one file each.
//!
//! Three kinds, because they cost differently. A [`Codec`] turns one span of bytes into other
//! bytes. A *run* codec (base64, hex) does so too, but has thousands of short candidates in an
//! ordinary body, so its candidates are decoded into one arena and searched together. A
//! [`Structure`] names the fields of a document in place; only fields with escapes in them are
//! decoded.

pub(crate) mod base32;
pub(crate) mod base58;
pub(crate) mod base64;
pub(crate) mod base85;
mod brotli;
pub(crate) mod bson;
pub(crate) mod cbor;
pub(crate) mod character_codes;
pub(crate) mod cipher;
mod content;
pub(crate) mod cookie;
pub(crate) mod custom_base64;
pub(crate) mod deflate;
mod embedded;
pub(crate) mod embedded_json;
pub(crate) mod encoders;
pub(crate) mod entity;
pub(crate) mod escape;
pub(crate) mod form;
pub(crate) mod grpc;
pub(crate) mod hex;
pub(crate) mod indexed_bytes;
pub(crate) mod json;
pub(crate) mod jwt;
mod lz4;
pub(crate) mod lz_string;
pub(crate) mod msgpack;
pub(crate) mod multipart;
mod number_list;
pub(crate) mod percent;
mod plausible;
pub(crate) mod plist;
pub(crate) mod protobuf;
pub(crate) mod quoted_printable;
pub(crate) mod sense;
pub(crate) mod separated_hex;
mod snappy;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod thrift;
mod tree;
pub(crate) mod url;
pub(crate) mod utf16;
pub(crate) mod utf7;
pub(crate) mod xml;
mod zstd;

use crate::classify::{Candidate, Classes, Marks, any_of};
use crate::kernel;
use crate::map::{Map, Unescaped};
use std::ops::{ControlFlow, Range};

/// One way of wrapping bytes, recognised by how the bytes look.
pub(crate) trait Codec: Sync {
    /// The name in trails.
    fn name(&self) -> &'static str;

    /// Calls `visit` for each span that may be wrapped, in order and without overlap.
    fn find(&self, bytes: &[u8], marks: &Marks, visit: &mut dyn FnMut(Range<usize>));

    /// Undoes the wrapping of `bytes[span]`, giving at most `room` bytes. `None` where it is not
    /// wrapped after all.
    fn unwrap(&self, bytes: &[u8], span: Range<usize>, room: usize) -> Option<Unwrapped>;

    /// False where other text may look so wrapped by accident: then the runs in it are searched as
    /// they stand too.
    fn is_certain(&self) -> bool {
        true
    }
}

/// What a codec made of a span.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unwrapped {
    /// The decoded bytes.
    pub(crate) bytes: Vec<u8>,
    /// From decoded offsets to offsets in the bytes the span was taken from.
    pub(crate) map: Map,
    /// True where the result was longer than the room given and was cut.
    pub(crate) cut: bool,
    /// What tells this step from others of the codec: the name of the key that undid it.
    pub(crate) detail: Option<String>,
}

impl Unwrapped {
    /// Bytes with exact places, nothing cut.
    pub(crate) fn new(bytes: Vec<u8>, map: Map) -> Self {
        Self { bytes, map, cut: false, detail: None }
    }
}

/// A codec of whole text fields that hold nothing else: base85, base58. A field of a document, a
/// query value, a header value, a body that is no document. There are thousands, so a codec says
/// no cheaply, and what it decodes goes into one arena with others.
pub(crate) trait Leaf: Sync {
    /// The name in trails.
    fn name(&self) -> &'static str;

    /// Appends what the whole field stands for; false, with nothing appended, where it is not so
    /// coded.
    fn decode(&self, field: &[u8], out: &mut Vec<u8>) -> bool;

    /// From decoded offsets to offsets in the bytes in which the field begins at `start`. Asked
    /// only where something was seen.
    fn map(&self, field: &[u8], start: usize) -> Map;
}

/// Codecs recognised at the start of the bytes. Where one applies, the encoded bytes themselves
/// need no search.
pub(crate) static WHOLE: [&dyn Codec; 14] = [
    &deflate::Gzip,
    &zstd::Zstd,
    &lz4::Frame,
    &snappy::Framed,
    &deflate::Zlib,
    &utf16::UTF16_LE,
    &utf16::UTF16_BE,
    &utf16::UTF32_LE,
    &utf16::UTF32_BE,
    &deflate::Raw,
    &lz4::SizedBlock,
    &snappy::Block,
    &brotli::Brotli,
    &lz_string::LzStringBytes,
];

/// Bits of [`WHOLE`]: UTF-16 and UTF-32, bare DEFLATE, a sized block, and lz-string, the last.
const WIDE: u16 = 0b1111 << 5;
const BARE: u16 = 1 << 9;
const SIZED: u16 = 1 << 10;
const BLOCK: u16 = 1 << 11;
const BROTLI: u16 = 1 << 12;
const PACKED: u16 = 1 << 13;
/// Of bytes that begin like a brotli stream of several blocks.
const SEVERAL: u16 = 1 << 14;
/// Bytes in which a codec of UTF-16 or UTF-32 looks for a zero byte.
const LOOKED_AT_FOR_ZERO: usize = 32;
/// In shorter bytes no sized block has 16 MiB.
const LONGEST_OF_SMALL_BLOCK: usize = 1 << 16;

/// One bit for each codec of [`WHOLE`] that takes bytes which begin with that byte.
static WHOLE_BY_FIRST: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bits = WIDE | SIZED | BLOCK | PACKED;
        bits |= match brotli::by_first(byte as u8) {
            brotli::Begins::Nothing => 0,
            brotli::Begins::OneBlock => BROTLI,
            brotli::Begins::Several => BROTLI | SEVERAL,
        };
        match byte {
            0x1f => bits |= 1,
            0x28 => bits |= 1 << 1,
            0x04 => bits |= 1 << 2,
            0xff => bits |= 1 << 3,
            _ => {}
        }
        if byte & 0x8f == 8 {
            bits |= 1 << 4;
        }
        // No block has the last of four kinds (RFC 1951 section 3.2.3).
        if byte & 6 != 6 {
            bits |= BARE;
        }
        table[byte] = bits;
        byte += 1;
    }
    table
};

/// The codecs of [`WHOLE`] in their order, without those of which the first bytes tell that they do
/// not apply. Behind another wrapping lz-string has its text form, which is undone as such.
pub(crate) fn whole(bytes: &[u8], is_field: bool) -> impl Iterator<Item = &'static dyn Codec> + use<> {
    let mut left = bytes.first().map_or(0, |first| WHOLE_BY_FIRST[usize::from(*first)]);
    if !may_be_wide(bytes) {
        left &= !WIDE;
    }
    if bytes.len() < LONGEST_OF_SMALL_BLOCK && bytes.get(3) != Some(&0) {
        left &= !SIZED;
    }
    if !is_field {
        left &= !PACKED;
    }
    // Asked here rather than one by one through the table: nearly all bytes are none of these.
    if !plausible::may_begin_deflate(bytes) {
        left &= !BARE;
    }
    if !snappy::may_be_block(bytes) {
        left &= !BLOCK;
    }
    if left & SEVERAL != 0 && !brotli::may_have_several(bytes) || left & BROTLI != 0 && !brotli::may_be(bytes) {
        left &= !BROTLI;
    }
    left &= !SEVERAL;
    std::iter::from_fn(move || {
        let codec = WHOLE.get(left.trailing_zeros() as usize).copied();
        left &= left.wrapping_sub(1);
        codec
    })
}

/// False where no codec of UTF-16 or UTF-32 takes the bytes. A byte order mark begins with one of two
/// bytes; without one, a quarter of the units of UTF-16 is ASCII, which has a zero byte each, and so
/// has every unit of UTF-32.
fn may_be_wide(bytes: &[u8]) -> bool {
    if matches!(bytes.first(), Some(0xfe | 0xff)) {
        return true;
    }
    // Most are turned away here, without a call.
    if let Some(start) = bytes.first_chunk::<LOOKED_AT_FOR_ZERO>()
        && !start.as_chunks().0.iter().any(|eight| has_zero(*eight))
    {
        return false;
    }
    let start = bytes.get(..LOOKED_AT_FOR_ZERO).unwrap_or(bytes);
    let more = bytes.get(..2 * LOOKED_AT_FOR_ZERO).unwrap_or(bytes);
    memchr::memchr(0, start).is_some() && memchr::memchr_iter(0, more).count() >= more.len() / 8
}

fn has_zero(eight: [u8; 8]) -> bool {
    let word = u64::from_le_bytes(eight);
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080 != 0
}

/// True where the signature of gzip, a zip entry, zstd or an LZ4 frame stands anywhere in the bytes. Chance shows one
/// of them once in four million bytes or less often.
pub(crate) fn holds_signature(bytes: &[u8]) -> bool {
    let at = |start: usize, signature: &[u8]| bytes.get(start..).is_some_and(|rest| rest.starts_with(signature));
    let signed = |middle: usize| {
        middle.checked_sub(1).is_some_and(|start| {
            at(start, &[0x1f, 0x8b, 8]) || at(start, b"PK\x03\x04") || at(start, &[0x28, 0xb5, 0x2f, 0xfd])
        })
    };
    memchr::memchr3_iter(0x8b, b'K', 0xb5, bytes).any(signed)
        || memchr::memchr_iter(0x22, bytes).any(|middle| middle > 0 && at(middle - 1, &[4, 0x22, 0x4d, 0x18]))
}

/// Tells of ranges of the bytes asked about in order whether a signature that [`holds_signature`] knows may stand in
/// them: the first two bytes of one do.
pub(crate) fn signatures(bytes: &[u8]) -> impl FnMut(&Range<usize>) -> bool + use<> {
    let mut starts = Vec::new();
    kernel::pairs(bytes, [[0x1f, 0x8b], *b"PK", [0x28, 0xb5], [4, 0x22]], |at| starts.push(at));
    any_of(starts)
}

/// Codecs with a signature, recognised anywhere in bytes that are not text.
pub(crate) static EMBEDDED: [&dyn Codec; 7] = [
    &embedded::EmbeddedGzip,
    &embedded::EmbeddedZlib,
    &zstd::EmbeddedZstd,
    &lz4::EmbeddedFrame,
    &embedded::Zip,
    &embedded::EmbeddedDeflate,
    &embedded_json::EmbeddedJson,
];

/// Codecs of whole fields: first the [`ALPHANUMERIC`] ones, then the [`DENSE`] ones, then the rest. [`leaves_of`] tells
/// which may undo a text.
pub(crate) static LEAVES: [&dyn Leaf; 9] = [
    &base58::BITCOIN,
    &base58::FLICKR,
    &base58::RIPPLE,
    &base58::BASE62,
    &base58::BASE62_SMALL,
    &base85::ASCII85,
    &base85::Z85,
    &base85::RFC1924,
    &lz_string::LzString,
];

/// How many of [`LEAVES`] have texts of letters and digits of both cases alone (base58, base62).
const ALPHANUMERIC: usize = 5;
/// How many of them have texts of more than letters and digits (base85).
const DENSE: usize = 3;

/// Bits of [`LEAVES`].
const BOTH_CASES: u16 = (1 << ALPHANUMERIC) - 1;
const BASE85: u16 = ((1 << DENSE) - 1) << ALPHANUMERIC;
const ALL_LEAVES: u16 = (1 << LEAVES.len()) - 1;
/// Of capital and of small letters.
const CAPITAL: u16 = 1 << 14;
const SMALL: u16 = 1 << 15;

/// One bit for each codec of [`LEAVES`] in whose texts the byte may be.
static LEAVES_BY_BYTE: [u16; 256] = {
    const fn bit(number: usize, is: bool) -> u16 {
        if is { 1 << number } else { 0 }
    }
    let mut table = [0; 256];
    let mut number = 0;
    while number < 256 {
        let byte = number as u8;
        table[number] = bit(0, base58::BITCOIN.has(byte))
            | bit(1, base58::FLICKR.has(byte))
            | bit(2, base58::RIPPLE.has(byte))
            | bit(3, base58::BASE62.has(byte))
            | bit(4, base58::BASE62_SMALL.has(byte))
            | bit(5, base85::ASCII85.has(byte))
            | bit(6, base85::Z85.has(byte))
            | bit(7, base85::RFC1924.has(byte))
            // It takes all characters, by what they are together.
            | bit(8, true)
            | if byte.is_ascii_uppercase() { CAPITAL } else { 0 }
            | if byte.is_ascii_lowercase() { SMALL } else { 0 };
        number += 1;
    }
    table
};

/// The codecs of [`LEAVES`] in their order, without those that no text of these characters is in. What is `wordy`, long
/// and of base64 characters alone, is base64 rather than base85.
pub(crate) fn leaves_of(text: &[u8], is_wordy: bool) -> impl Iterator<Item = &'static dyn Leaf> + use<> {
    let (mut every, mut any) = (ALL_LEAVES, 0);
    for byte in text {
        let bits = LEAVES_BY_BYTE[usize::from(*byte)];
        every &= bits;
        any |= bits;
    }
    if any & (CAPITAL | SMALL) != CAPITAL | SMALL {
        every &= !BOTH_CASES;
    }
    if is_wordy {
        every &= !BASE85;
    }
    std::iter::from_fn(move || {
        let leaf = LEAVES.get(every.trailing_zeros() as usize).copied();
        every &= every.wrapping_sub(1);
        leaf
    })
}

/// Codecs recognised by marks anywhere in the bytes.
pub(crate) static MARKED: [&dyn Codec; 9] = [
    &percent::Percent,
    &escape::Escape,
    &entity::Entity,
    &quoted_printable::QuotedPrintable,
    &utf7::Utf7,
    &base32::Base32,
    &separated_hex::SeparatedHex,
    &character_codes::CharacterCodes,
    &indexed_bytes::IndexedBytes,
];

/// Appends what the marked codecs without a mark of one byte may undo, in order of their starts. Those of
/// quoted-printable are there already; `pluses` are the places of all `+`.
pub(crate) fn candidates(bytes: &[u8], classes: &Classes, pluses: &[usize], out: &mut Vec<Candidate>) {
    let mut add = |codec, span| out.push(Candidate { span, codec });
    utf7::candidates(bytes, classes, pluses, &mut |span| add(utf7::NAME, span));
    indexed_bytes::candidates(bytes, &mut |span| add(indexed_bytes::NAME, span));
    base32::candidates(bytes, classes, &mut |span| add(base32::NAME, span));
    number_list::stretches(classes, |stretch| {
        separated_hex::candidates(bytes, &stretch, &mut |span| add(separated_hex::NAME, span));
        character_codes::candidates(bytes, &stretch, &mut |span| add(character_codes::NAME, span));
    });
    out.sort_by_key(|candidate| candidate.span.start);
}

/// True for text that is a list of numbers, or in which quoted-printable escapes stand side by side:
/// what is marked neither by one byte nor by a long run.
pub(crate) fn is_list_or_quoted(text: &[u8]) -> bool {
    let (mut digits, mut separators) = (false, false);
    let mut in_list = |byte: &u8| {
        let (digit, separator) = (byte.is_ascii_hexdigit() || *byte == b'x', b" ,:;-[]{}()".contains(byte));
        digits |= digit;
        separators |= separator;
        digit || separator
    };
    let listed = text.len() >= SHORTEST_LIST && text.iter().all(&mut in_list) && digits && separators;
    listed || memchr::memchr_iter(b'=', text).any(|at| quoted_printable::candidate(text, at).is_some())
}

/// Four bytes with separators between them.
const SHORTEST_LIST: usize = 11;

/// A document whose fields have names.
pub(crate) trait Structure: Sync {
    /// Calls `visit` for each field in order and without overlap, until it breaks.
    fn walk(&self, bytes: &[u8], visit: &mut dyn FnMut(&Field<'_>) -> ControlFlow<()>);

    /// True where each field is a body of its own (multipart), to be searched apart from its
    /// siblings.
    fn fields_are_bodies(&self) -> bool {
        false
    }

    /// False where other bytes may look like such a document by accident (protobuf): then its bytes
    /// are searched as bytes too.
    fn is_certain(&self) -> bool {
        true
    }

    /// The field that the byte lies in, where what stands around it tells that beyond doubt and nothing
    /// in it is escaped.
    fn field_around(&self, _bytes: &[u8], _at: usize) -> Option<Range<usize>> {
        None
    }

    /// True where `+` stands for a space in some fields.
    fn plus_is_space(&self) -> bool {
        false
    }
}

/// One field of a document.
pub(crate) struct Field<'n> {
    /// The codec's name in trails.
    pub(crate) codec: &'static str,
    /// What names the field.
    pub(crate) label: Label<'n>,
    /// Where its value lies.
    pub(crate) range: Range<usize>,
    /// How its value is escaped.
    pub(crate) coding: Coding,
    /// What type the document gives it.
    pub(crate) typed: Typed,
    /// Where the value is made of several pieces (CBOR strings of indefinite length), these in
    /// order; `range` spans them all. Empty otherwise.
    pub(crate) chunks: &'n [Range<usize>],
}

impl<'n> Field<'n> {
    /// A field of bytes or text in one piece.
    pub(crate) fn new(codec: &'static str, label: Label<'n>, range: Range<usize>, coding: Coding) -> Self {
        Self { codec, label, range, coding, typed: Typed::Bytes, chunks: &[] }
    }

    /// The same as a number.
    pub(crate) fn typed(self, typed: Typed) -> Self {
        Self { typed, ..self }
    }

    /// Undoes escapes or joins chunks; `None` where the bytes stand for themselves.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Option<(Vec<u8>, Map)> {
        if self.chunks.is_empty() {
            self.coding.decode(bytes, &self.range)
        } else {
            joined(bytes, &self.range, self.chunks)
        }
    }
}

/// The chunks as one; the bytes between them are escapes that stand for nothing.
fn joined(bytes: &[u8], range: &Range<usize>, chunks: &[Range<usize>]) -> Option<(Vec<u8>, Map)> {
    let mut out = Unescaped::default();
    let mut from = range.start;
    for chunk in chunks {
        while from < chunk.start {
            let length = (chunk.start - from).min(usize::from(u8::MAX));
            out.escape(from - range.start, length, &[]);
            from += length;
        }
        out.literal(bytes.get(chunk.clone())?);
        from = chunk.end;
    }
    out.finish(range.start)
}

/// What type a document gives a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Typed {
    /// Bytes or text, searched like any bytes.
    Bytes,
    /// A whole number, whatever its width, sign or byte order. A protobuf varint counts as what it
    /// is without zigzag.
    Integer(i128),
    /// IEEE 754 binary64.
    Double(f64),
    /// IEEE 754 binary32.
    Single(f32),
}

/// How the value of a field is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all, or by a codec of its own.
    Plain,
    /// JSON string escapes (RFC 8259 section 7).
    Json,
    /// Percent escapes (RFC 3986 section 2.1).
    Percent,
    /// Percent escapes and `+` for space (application/x-www-form-urlencoded).
    Form,
}

impl Coding {
    /// Undoes the escapes of `bytes[range]`; `None` where there are none.
    pub(crate) fn decode(self, bytes: &[u8], range: &Range<usize>) -> Option<(Vec<u8>, Map)> {
        let field = bytes.get(range.clone())?;
        match self {
            Self::Plain => None,
            Self::Json => escape::unescape(field).finish(range.start),
            Self::Percent => percent::unescape(field, false).finish(range.start),
            Self::Form => percent::unescape(field, true).finish(range.start),
        }
    }

    /// True where the field would be changed by decoding.
    pub(crate) fn applies(self, field: &[u8]) -> bool {
        match self {
            Self::Plain => false,
            Self::Json => memchr::memchr_iter(b'\\', field).any(|at| escape::is_escape(&field[at..])),
            Self::Percent => memchr::memchr_iter(b'%', field).any(|at| percent::is_escape(&field[at..])),
            Self::Form => Self::Percent.applies(field) || memchr::memchr(b'+', field).is_some(),
        }
    }
}

/// The name of a field, made into text only when something was seen there.
pub(crate) enum Label<'n> {
    /// No name.
    None,
    /// A path through a JSON document.
    Pointer(&'n json::Path<'n>),
    /// An object's key itself, beside the path of its object.
    Key(&'n json::Path<'n>),
    /// A name with percent escapes.
    Name(&'n [u8]),
    /// A position counted from 1.
    Number(usize),
    /// Anything else, made when asked for: the path through a binary document.
    Made(&'n dyn Fn() -> String),
}

/// Longest name shown in a trail, in characters.
const LONGEST_NAME: usize = 256;

impl Label<'_> {
    /// The step's detail.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Pointer(path) => Some(path.pointer()).filter(|pointer| !pointer.is_empty()),
            Self::Key(path) => Some(format!("key in {}", path.parent_pointer()).trim_end().to_owned()),
            Self::Name(name) => Some(shown(&percent::unescape(name, true).bytes)).filter(|name| !name.is_empty()),
            Self::Number(number) => Some(number.to_string()),
            Self::Made(make) => Some(shown(make().as_bytes())).filter(|name| !name.is_empty()),
        }
    }
}

/// Text fit for one line of a report: lossy and without control characters. Of a name that is too
/// long nothing is shown but its length: a planted value cut in two could not be hidden any more.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..LONGEST_NAME * 4).unwrap_or(bytes));
    if bytes.len() > LONGEST_NAME * 4 || text.chars().nth(LONGEST_NAME).is_some() {
        return format!("…{} bytes…", bytes.len());
    }
    text.chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}

/// The content of a field or span as far as recognising a structure in it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// A request target.
    Url,
    /// The value of a Cookie or Set-Cookie field.
    Cookie,
    /// Anything: recognised by its first bytes.
    Any,
}

/// The structure of the bytes, if they have one.
pub(crate) fn recognise(bytes: &[u8], context: Context) -> Option<&'static dyn Structure> {
    match context {
        Context::Url => Some(&url::Url),
        Context::Cookie => Some(&cookie::Cookie),
        Context::Any if begins_like_text(bytes) => recognise_text(bytes),
        Context::Any => recognise_binary(bytes),
    }
}

fn recognise_text(bytes: &[u8]) -> Option<&'static dyn Structure> {
    Some(match bytes.first()? {
        b'-' | b'\r' if multipart::begins(bytes) => &multipart::Multipart,
        b'e' if jwt::begins(bytes) => &jwt::Jwt,
        _ if json::begins(bytes) => &json::Json,
        _ if xml::begins(bytes) => &xml::Xml,
        _ if url::begins(bytes) => &url::Url,
        _ if form::begins(bytes) => &form::Form,
        _ => return recognise_binary(bytes),
    })
}

fn recognise_binary(bytes: &[u8]) -> Option<&'static dyn Structure> {
    let may = *BINARY_BY_FIRST.get(usize::from(*bytes.first()?))?;
    Some(match bytes {
        _ if may & GRPC != 0 && grpc::begins(bytes) => &grpc::Grpc,
        _ if may & PLIST != 0 && plist::begins(bytes) => &plist::Plist,
        _ if bson::may_begin(bytes) && bson::begins(bytes) => &bson::Bson,
        _ if may & MSGPACK != 0 && msgpack::begins(bytes) => &msgpack::MessagePack,
        _ if may & CBOR != 0 && cbor::begins(bytes) => &cbor::Cbor,
        _ if may & PROTOBUF != 0 && protobuf::begins(bytes) => &protobuf::Protobuf,
        _ if may & THRIFT != 0 && thrift::begins(bytes) => &thrift::Thrift,
        _ => return None,
    })
}

const GRPC: u8 = 1;
const PLIST: u8 = 1 << 1;
const MSGPACK: u8 = 1 << 2;
const CBOR: u8 = 1 << 3;
const PROTOBUF: u8 = 1 << 4;
const THRIFT: u8 = 1 << 5;

/// One bit for each binary document that may begin with that byte.
static BINARY_BY_FIRST: [u8; 256] = {
    const fn bit(is: bool, bit: u8) -> u8 {
        if is { bit } else { 0 }
    }
    let mut table = [0; 256];
    let mut number = 0;
    while number < 256 {
        let byte = number as u8;
        table[number] = bit(grpc::is_flag(byte), GRPC)
            | bit(byte == plist::MAGIC[0], PLIST)
            | bit(msgpack::is_first(byte), MSGPACK)
            | bit(cbor::is_first(byte), CBOR)
            | bit(protobuf::is_first(byte), PROTOBUF)
            | bit(thrift::is_first(byte), THRIFT);
        number += 1;
    }
    table
};

/// True where the first bytes are printable ASCII, white space or a byte order mark.
fn begins_like_text(bytes: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    bytes.iter().take(2).all(printable) || bytes.starts_with(b"\xEF\xBB\xBF")
}

/// True for UTF-8 without control characters other than tabs and line ends.
pub(crate) fn is_printable(bytes: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    !bytes.iter().any(control) && std::str::from_utf8(bytes).is_ok()
}

/// Widens each mark to the span around it that has no delimiter, at most `reach` bytes to either
/// side, and joins spans that touch.
pub(crate) fn spans_around(
    marks: &[usize],
    bytes: &[u8],
    reach: usize,
    delimits: impl Fn(u8) -> bool,
    visit: &mut dyn FnMut(Range<usize>),
) {
    let mut current: Option<Range<usize>> = None;
    for &mark in marks {
        if current.as_ref().is_some_and(|span| mark < span.end) {
            continue;
        }
        let floor = current.as_ref().map_or(0, |span| span.end).max(mark.saturating_sub(reach));
        let start = bytes[floor..mark].iter().rposition(|byte| delimits(*byte)).map_or(floor, |at| floor + at + 1);
        let limit = bytes.len().min(mark.saturating_add(reach));
        let end = bytes[mark + 1..limit.max(mark + 1)].iter().position(|byte| delimits(*byte));
        let end = end.map_or(limit.max(mark + 1), |at| mark + 1 + at);
        current = match current.take() {
            Some(span) if span.end >= start => Some(span.start..end),
            Some(span) => {
                visit(span);
                Some(start..end)
            }
            None => Some(start..end),
        };
    }
    if let Some(span) = current {
        visit(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn takes(codec: &dyn Codec, bytes: &[u8]) -> bool {
        let mut found = false;
        codec.find(bytes, &Marks::default(), &mut |_| found = true);
        found
    }

    fn names<'c>(codecs: impl Iterator<Item = &'c &'static dyn Codec>, bytes: &[u8]) -> Vec<&'static str> {
        codecs.filter(|codec| takes(**codec, bytes)).map(|codec| codec.name()).collect()
    }

    proptest! {
        #[test]
        fn no_codec_that_takes_the_bytes_is_passed_over(
            start in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..6),
                proptest::sample::select(vec![
                    vec![0x1f, 0x8b, 8], vec![0x28, 0xb5, 0x2f, 0xfd], vec![4, 0x22, 0x4d, 0x18, 0x64, 0x40],
                    vec![0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y'], vec![0x78, 0x9c], vec![0xff, 0xfe],
                    vec![0xfe, 0xff], vec![0, 0, 0xfe, 0xff], vec![12, 0, 0, 0, 0xc0], vec![b'1', 0, b'3', 0, b'8', 0],
                ]),
            ],
            rest in proptest::collection::vec(any::<u8>(), 0..60),
            is_long in proptest::bool::weighted(0.2),
        ) {
            let more = if is_long { 5000 } else { 0 };
            let bytes = [start, rest.repeat(1 + more / rest.len().max(1))].concat();
            let kept: Vec<_> = whole(&bytes, true).collect();
            prop_assert_eq!(names(kept.iter(), &bytes), names(WHOLE.iter(), &bytes));
        }
    }

    proptest! {
        #[test]
        fn no_codec_of_whole_fields_that_takes_the_text_is_passed_over(
            plain in "[ -~]{8,40}",
            which in 0..8usize,
            other in prop_oneof!["[ -~\\n]{0,60}", ".{0,40}"],
            is_other in proptest::bool::weighted(0.4),
        ) {
            let numbers = [&base58::BITCOIN, &base58::FLICKR, &base58::RIPPLE, &base58::BASE62, &base58::BASE62_SMALL];
            let dense = [&base85::ASCII85, &base85::Z85, &base85::RFC1924];
            let wrapped = numbers.get(which).map(|codec| codec.wrap(plain.as_bytes()));
            let wrapped = wrapped.unwrap_or_else(|| dense[which % dense.len()].wrap(plain.as_bytes()));
            let text = if is_other { other.into_bytes() } else { wrapped };
            let takes = |leaf: &&'static dyn Leaf| leaf.decode(&text, &mut Vec::new());
            let kept: Vec<_> = leaves_of(&text, false).filter(takes).map(Leaf::name).collect();
            prop_assert_eq!(kept, LEAVES.into_iter().filter(|leaf| takes(leaf)).map(Leaf::name).collect::<Vec<_>>());
        }
    }

    type Begins = fn(&[u8]) -> bool;

    /// As if nothing were told by the first byte.
    fn one_by_one(bytes: &[u8]) -> Option<&'static str> {
        let kinds: [(Begins, _); 7] = [
            (grpc::begins, "grpc"),
            (plist::begins, "plist"),
            (bson::begins, "bson"),
            (msgpack::begins, "msgpack"),
            (cbor::begins, "cbor"),
            (protobuf::begins, "protobuf"),
            (thrift::begins, "thrift"),
        ];
        kinds.into_iter().find(|(begins, _)| begins(bytes)).map(|(_, name)| name)
    }

    fn written() -> impl Strategy<Value = Vec<u8>> {
        proptest::sample::select(vec![
            b"\0\0\0\0\x02\x08\x01".to_vec(),
            b"\x80\0\0\0\x01\x01".to_vec(),
            b"\x0c\0\0\0\x10a\0\x07\0\0\0\0".to_vec(),
            b"\x82\xa1a\x01\xa1b\xa2cd".to_vec(),
            b"\xa2\x61a\x01\x61b\x62cd".to_vec(),
            b"\x0a\x03138\x10\x96\x01".to_vec(),
            b"\x15\x22\x18\x03138\0".to_vec(),
            b"\x08\0\x01\0\0\0\x11\x0b\0\x02\0\0\0\x03138\0".to_vec(),
        ])
    }

    proptest! {
        #[test]
        fn no_document_is_passed_over(
            bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), written()],
            changed in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..2),
        ) {
            let mut bytes = bytes;
            for (at, byte) in changed {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            prop_assert_eq!(recognise_binary(&bytes).is_some(), one_by_one(&bytes).is_some());
        }
    }

    #[test]
    fn codecs_of_whole_fields_stand_in_the_order_that_tells_their_kinds() {
        let names = LEAVES.map(Leaf::name);
        let (alphanumeric, rest) = names.split_at(ALPHANUMERIC);
        let (dense, others) = rest.split_at(DENSE);
        assert!(alphanumeric.iter().all(|name| name.starts_with("base58") || name.starts_with("base62")), "{names:?}");
        assert!(dense.iter().all(|name| name.contains("85")), "{names:?}");
        assert_eq!(others, ["lz-string"]);
    }
}
