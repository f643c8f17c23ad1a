//! The named fields of what a record's client sent, as digests: no content is kept.

use super::shape::{self, GENERATED, is_generated};
use crate::codec::base64;
use crate::codec::deflate::{Gzip, Zlib};
use crate::codec::{Codec, Context, Field, Label, recognise, shown};
use dyetrace_case::{Blob, Part, PartContent, PartName, Protocol, Record, Side};
use sha2::{Digest, Sha256};
use std::ops::{ControlFlow, Range};

/// One field and what tells its content from others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Wrappings and names that lead to it: `body > json /user/id`.
    pub(super) name: String,
    /// Index of its part in [`Record::parts`].
    pub(super) part: usize,
    /// Where it lies in the content of its part, or what it was unwrapped from.
    pub(super) range: Range<u64>,
    /// The content.
    pub(super) content: Content,
}

/// A content without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// The first 16 bytes of its SHA-256.
    pub(super) digest: u128,
    /// Its length in bytes.
    pub(super) length: u64,
    /// What it is made of.
    pub(super) class: Class,
}

/// What a content is made of. Later variants include earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Digits,
    Hexadecimal,
    Alphanumeric,
    Text,
    Bytes,
}

impl Class {
    fn of(bytes: &[u8]) -> Self {
        match () {
            () if bytes.iter().all(u8::is_ascii_digit) => Self::Digits,
            () if bytes.iter().all(u8::is_ascii_hexdigit) => Self::Hexadecimal,
            () if bytes.iter().all(u8::is_ascii_alphanumeric) => Self::Alphanumeric,
            () if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => Self::Text,
            () => Self::Bytes,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Hexadecimal => "hexadecimal",
            Self::Alphanumeric => "letters and digits",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }

    /// Bits that one byte of this class can carry.
    pub(super) fn bits(self) -> f64 {
        match self {
            Self::Digits => 10f64.log2(),
            Self::Hexadecimal => 4.0,
            Self::Alphanumeric => 62f64.log2(),
            Self::Text => 95f64.log2(),
            Self::Bytes => 8.0,
        }
    }
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self { digest: first_half(&digest), length: bytes.len() as u64, class: Class::of(bytes) }
    }

    /// Of a spooled body, which is too long to be anything but bytes.
    fn of_blob(blob: &Blob) -> Option<Self> {
        let digest = blob.sha256().ok()?;
        Some(Self { digest: first_half(&digest), length: blob.len(), class: Class::Bytes })
    }
}

/// The first 16 bytes as a number.
pub(super) fn first_half(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// Fields taken of one record.
const MOST: usize = 2048;
/// Structures and wrappings undone within one another.
const DEEPEST: usize = 6;
/// Longest content that is taken apart; a longer one is one field.
const LONGEST: usize = 1 << 20;
/// Longest results of undoing wrappings, in one record together.
const ROOM: usize = 16 << 20;
/// Shortest base64 that is undone.
const SHORTEST_BASE64: usize = 16;

/// The fields of what the client sent, and whether there were more than are taken.
pub(super) fn fields_of(record: &Record) -> (Vec<Leaf>, bool) {
    let mut walker = Walker { leaves: Vec::new(), part: 0, range: 0..0, room: ROOM, capped: false };
    for (index, part) in record.parts().iter().enumerate() {
        if part.name.side() == Side::Request {
            walker.part = index;
            walker.part(part, record.protocol);
        }
    }
    if record.server.name.is_some() {
        walker.host(&shape::host_of(record));
    }
    (walker.leaves, walker.capped)
}

struct Walker {
    leaves: Vec<Leaf>,
    /// The part at hand.
    part: usize,
    /// Where the field of the part lies in which the bytes at hand are.
    range: Range<u64>,
    /// Bytes that may still be unwrapped.
    room: usize,
    capped: bool,
}

impl Walker {
    fn part(&mut self, part: &Part<'_>, protocol: Protocol) {
        let bytes = match part.content {
            PartContent::Bytes(bytes) => bytes,
            PartContent::Blob(blob) => match blob.as_slice().filter(|bytes| bytes.len() <= LONGEST) {
                Some(bytes) => bytes,
                None => return self.long_body(blob),
            },
        };
        self.range = 0..bytes.len() as u64;
        match &part.name {
            PartName::Url => self.target(bytes, protocol),
            // What the length tells is told by the fields themselves.
            PartName::Header { name, .. } if name == "content-length" => {}
            PartName::Header { name, .. } if name == "cookie" => self.walk(bytes, Context::Cookie, "", 0),
            PartName::Header { name, .. } => {
                self.walk(bytes, Context::Any, &format!("header {}", shown(name.as_bytes())), 0);
            }
            PartName::Body(_) => self.walk(bytes, Context::Any, "body", 0),
            PartName::Path => self.walk(bytes, Context::Any, "path", 0),
            PartName::Content => self.walk(bytes, Context::Any, "content", 0),
            PartName::Stored { name, .. } => self.walk(bytes, Context::Any, &shown(name.as_bytes()), 0),
        }
    }

    fn long_body(&mut self, blob: &Blob) {
        self.range = 0..blob.len();
        if let Some(content) = Content::of_blob(blob) {
            self.push("body", content);
        }
    }

    /// Generated parts of a path are fields, the rest is the record's shape.
    fn target(&mut self, target: &[u8], protocol: Protocol) {
        let separator = shape::separator(protocol);
        let path = if separator == b'/' { shape::path_of(target) } else { 0..target.len() };
        for (number, range) in shape::template(&target[path.clone()], separator).generated {
            let range = path.start + range.start..path.start + range.end;
            self.range = range.start as u64..range.end as u64;
            self.walk(&target[range], Context::Any, &format!("path {number}"), 1);
        }
        if separator == b'/' && path.end < target.len() {
            self.range = 0..target.len() as u64;
            self.structure(target, Context::Url, "", 0);
        }
    }

    fn host(&mut self, host: &str) {
        self.range = 0..0;
        for (number, range) in shape::template(host.as_bytes(), b'.').generated {
            self.leaf(host.as_bytes().get(range).unwrap_or_default(), &format!("host {number}"));
        }
    }

    /// Takes the bytes apart as far as they have parts.
    fn walk(&mut self, bytes: &[u8], context: Context, name: &str, depth: usize) {
        if depth >= DEEPEST || bytes.is_empty() {
            return self.leaf(bytes, name);
        }
        if let Some((codec, inner)) = unwrapped(bytes, self.room) {
            self.room = self.room.saturating_sub(inner.len());
            return self.walk(&inner, Context::Any, &join(name, codec), depth + 1);
        }
        if !self.structure(bytes, context, name, depth) {
            self.leaf(bytes, name);
        }
    }

    /// Visits the fields of a structure; false where there are none, or where the bytes may be
    /// something else after all.
    fn structure(&mut self, bytes: &[u8], context: Context, name: &str, depth: usize) -> bool {
        if context == Context::Any && begins_by_accident(bytes) {
            return false;
        }
        let Some(structure) = recognise(bytes, context) else { return false };
        let mut any = false;
        structure.walk(bytes, &mut |field| {
            any = true;
            self.field(bytes, field, name, depth);
            if self.capped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        any && structure.is_certain()
    }

    fn field(&mut self, bytes: &[u8], field: &Field<'_>, name: &str, depth: usize) {
        let Some(value) = bytes.get(field.range.clone()) else { return };
        let Some(step) = step(field, value) else { return };
        if depth == 0 {
            self.range = field.range.start as u64..field.range.end as u64;
        }
        let name = join(name, &step);
        match field.decode(bytes) {
            Some((decoded, _)) => self.walk(&decoded, Context::Any, &name, depth + 1),
            None => self.walk(value, Context::Any, &name, depth + 1),
        }
    }

    fn leaf(&mut self, bytes: &[u8], name: &str) {
        self.push(name, Content::of(bytes));
    }

    fn push(&mut self, name: &str, content: Content) {
        if self.leaves.len() >= MOST {
            self.capped = true;
            return;
        }
        self.leaves.push(Leaf { name: name.to_owned(), part: self.part, range: self.range.clone(), content });
    }
}

fn join(name: &str, step: &str) -> String {
    if name.is_empty() { step.to_owned() } else { format!("{name} > {step}") }
}

/// How a field is called, or `None` for what is part of the shape: path segments and the keys that
/// people chose.
fn step(field: &Field<'_>, value: &[u8]) -> Option<String> {
    let detail = match &field.label {
        _ if field.codec == "path" => return None,
        Label::Key(path) if is_generated(value) => format!("key in {}", collapsed(&path.parent_pointer())),
        Label::Key(_) => return None,
        Label::Pointer(path) => collapsed(&path.pointer()),
        label => label.detail().unwrap_or_default(),
    };
    Some(format!("{} {detail}", field.codec).trim_end().to_owned())
}

/// A JSON pointer with indexes and generated keys as `*`.
fn collapsed(pointer: &str) -> String {
    let name = |part: &str| if is_generated(part.as_bytes()) { GENERATED.to_owned() } else { part.to_owned() };
    pointer.split('/').map(name).collect::<Vec<_>>().join("/")
}

/// True where the bytes begin with a bracket or a quotation mark and go on as no text does: of
/// random bytes, some begin like that.
fn begins_by_accident(bytes: &[u8]) -> bool {
    let start = bytes.get(..64).unwrap_or(bytes);
    let is_text = start.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
    matches!(start, [b'[' | b'{' | b'"', ..]) && !is_text
}

/// Undoes compression, or base64 of a document or of compression. Other base64 stays as it is: its
/// content would be one field just the same.
fn unwrapped(bytes: &[u8], room: usize) -> Option<(&'static str, Vec<u8>)> {
    if let Some(found) = inflated(bytes, room) {
        return Some(found);
    }
    let text = bytes.trim_ascii();
    let unpadded = without_padding(text);
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    if unpadded.len() < SHORTEST_BASE64 || text.len() > room || !unpadded.iter().all(letter) {
        return None;
    }
    let mut decoded = Vec::new();
    base64::decode_into(unpadded, &mut decoded);
    let document = std::str::from_utf8(&decoded).is_ok() && recognise(&decoded, Context::Any).is_some();
    (document || inflated(&decoded, room).is_some()).then_some(("base64", decoded))
}

fn inflated(bytes: &[u8], room: usize) -> Option<(&'static str, Vec<u8>)> {
    let codecs: [&dyn Codec; 2] = [&Gzip, &Zlib];
    let is_compressed = match bytes {
        [0x1f, 0x8b, 8, ..] => Some(0),
        [method, flags, _, ..] if method & 0x8f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31) => {
            Some(1)
        }
        _ => None,
    };
    let codec = codecs.get(is_compressed?)?;
    let found = codec.unwrap(bytes, 0..bytes.len(), room)?;
    (!found.cut && !found.bytes.is_empty()).then(|| (codec.name(), found.bytes))
}

/// Base64 without its padding.
fn without_padding(text: &[u8]) -> &[u8] {
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    &text[..text.len() - padding]
}
