//! MQTT control packets as messages: MQTT 3.1, 3.1.1 (OASIS standard of 2014) and 5.0 (of 2019).
//! Section numbers are those of 5.0.

use super::properties::{self, Names};
use super::reader::{Malformed, Reader};
use dyetrace_case::{Message, Side};

pub(super) const CONNECT: u8 = 1;
pub(super) const CONNACK: u8 = 2;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
const PUBREL: u8 = 6;
const PUBCOMP: u8 = 7;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const SUBACK: u8 = 9;
pub(super) const UNSUBSCRIBE: u8 = 10;
pub(super) const UNSUBACK: u8 = 11;
const PINGREQ: u8 = 12;
const PINGRESP: u8 = 13;
pub(super) const DISCONNECT: u8 = 14;
pub(super) const AUTH: u8 = 15;

/// The first byte and the remaining length (section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FixedHeader {
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// Bytes of the packet behind this header.
    pub(super) length: usize,
    /// Bytes of this header.
    pub(super) size: usize,
}

/// Longest fixed header: a byte and a length of four.
pub(super) const LONGEST_HEADER: usize = 5;

impl FixedHeader {
    /// `None` where more bytes are needed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Result<Self, Malformed>> {
        let (first, mut rest) = bytes.split_first()?;
        let available = rest.len();
        match Reader::varint(&mut rest) {
            Ok(length) => {
                let size = 1 + available - rest.len();
                Some(Ok(Self { kind: first >> 4, flags: first & 0x0f, length: length as usize, size }))
            }
            Err(Malformed) if bytes.len() < LONGEST_HEADER => None,
            Err(Malformed) => Some(Err(Malformed)),
        }
    }

    pub(super) fn qos(self) -> u8 {
        self.flags >> 1 & 3
    }

    /// True where kind, flags and length can stand together, coming from that side (sections 1.2
    /// and 2.1.3; 3.1 sends SUBSCRIBE and PUBREL also with DUP).
    pub(super) fn is_plausible(self, side: Side) -> bool {
        let flags = match self.kind {
            PUBLISH => return self.qos() < 3 && self.length >= 3,
            PUBREL | SUBSCRIBE | UNSUBSCRIBE => self.flags & 0b0111 == 0b0010,
            _ => self.flags == 0,
        };
        let from_client = side == Side::Request;
        let (sender, length) = match self.kind {
            CONNECT => (from_client, self.length >= 12),
            CONNACK => (!from_client, self.length >= 2),
            PUBACK..=PUBCOMP => (true, self.length >= 2),
            SUBSCRIBE | UNSUBSCRIBE => (from_client, self.length >= 5),
            SUBACK => (!from_client, self.length >= 3),
            UNSUBACK => (!from_client, self.length >= 2),
            PINGREQ => (from_client, self.length == 0),
            PINGRESP => (!from_client, self.length == 0),
            DISCONNECT | AUTH => (true, true),
            _ => (false, false),
        };
        flags && sender && length
    }
}

/// A packet's name as a method.
pub(super) fn name(kind: u8) -> &'static str {
    let names = [
        "reserved",
        "CONNECT",
        "CONNACK",
        "PUBLISH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "SUBSCRIBE",
        "SUBACK",
        "UNSUBSCRIBE",
        "UNSUBACK",
        "PINGREQ",
        "PINGRESP",
        "DISCONNECT",
        "AUTH",
    ];
    names.get(usize::from(kind)).copied().unwrap_or("reserved")
}

/// CONNECT (section 3.1). Sets the protocol level. What was read before a fault stays in `message`.
pub(super) fn connect(mut rest: &[u8], message: &mut Message, level: &mut Option<u8>) -> Result<(), Malformed> {
    let rest = &mut rest;
    Reader::binary(rest)?;
    // Bridges set the highest bit of the level.
    let protocol = Reader::byte(rest)? & 0x7f;
    *level = Some(protocol);
    let flags = Reader::byte(rest)?;
    let five = protocol >= 5;
    let fields = &mut message.headers;
    push(fields, "protocol-level", protocol);
    push(fields, "clean-start", flags >> 1 & 1);
    push(fields, "keep-alive", Reader::u16(rest)?);
    if five {
        properties::read(rest, fields, Names::Plain)?;
    }
    fields.push((b"client-id".to_vec(), Reader::binary(rest)?.to_vec()));
    if flags & 0x04 != 0 {
        if five {
            properties::read(rest, fields, Names::Will)?;
        }
        fields.push((b"will-topic".to_vec(), Reader::binary(rest)?.to_vec()));
        push(fields, "will-qos", flags >> 3 & 3);
        push(fields, "will-retain", flags >> 5 & 1);
        message.body = Some(Reader::binary(rest)?.to_vec().into());
    }
    for (flag, name) in [(0x80, "username"), (0x40, "password")] {
        // In 3.1 the length wins over the flags: both may be promised and absent.
        if flags & flag != 0 && !(protocol == 3 && rest.is_empty()) {
            fields.push((name.as_bytes().to_vec(), Reader::binary(rest)?.to_vec()));
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// CONNACK (section 3.2): the return code as status, properties from version 5 on.
pub(super) fn connack(mut rest: &[u8], message: &mut Message) -> Result<(), Malformed> {
    let rest = &mut rest;
    let flags = Reader::byte(rest)?;
    message.status = Some(u16::from(Reader::byte(rest)?));
    push(&mut message.headers, "session-present", flags & 1);
    if rest.is_empty() { Ok(()) } else { properties::read_last(rest, &mut message.headers) }
}

/// SUBSCRIBE and UNSUBSCRIBE (sections 3.8 and 3.10): the first topic is the target, the others
/// are fields. Without a known level, 5 is tried first: the two forms exclude each other, because
/// no topic is empty.
pub(super) fn subscribe(
    header: FixedHeader,
    bytes: &[u8],
    message: &mut Message,
    level: Option<u8>,
) -> Result<(), Malformed> {
    let with_options = header.kind == SUBSCRIBE;
    let tries: &[bool] = match level {
        Some(level) => &[level >= 5],
        None => &[true, false],
    };
    for five in tries {
        let mut attempt =
            Message { time: message.time, last: message.last, method: message.method.clone(), ..Message::default() };
        let result = topics(bytes, *five, with_options, &mut attempt);
        if result.is_ok() || tries.len() == 1 {
            *message = attempt;
            return result;
        }
    }
    Err(Malformed)
}

fn topics(mut rest: &[u8], five: bool, with_options: bool, message: &mut Message) -> Result<(), Malformed> {
    let rest = &mut rest;
    Reader::u16(rest)?;
    if five {
        properties::read(rest, &mut message.headers, Names::Plain)?;
    }
    while !rest.is_empty() {
        let topic = Reader::binary(rest)?;
        if topic.is_empty() {
            return Err(Malformed);
        }
        match message.target {
            None => message.target = Some(topic.to_vec()),
            Some(_) => message.headers.push((b"topic".to_vec(), topic.to_vec())),
        }
        if with_options {
            push(&mut message.headers, "qos", Reader::byte(rest)? & 3);
        }
    }
    if message.target.is_some() { Ok(()) } else { Err(Malformed) }
}

/// Packets that end in a reason and properties: the acknowledgements, DISCONNECT and AUTH
/// (sections 3.4 to 3.7, 3.9, 3.11, 3.14, 3.15), from version 5 on.
pub(super) fn reason(header: FixedHeader, mut rest: &[u8], side: Side, message: &mut Message) -> Result<(), Malformed> {
    let rest = &mut rest;
    if !matches!(header.kind, DISCONNECT | AUTH) {
        Reader::u16(rest)?;
    }
    if matches!(header.kind, SUBACK | UNSUBACK) {
        // One reason for each topic follows; none of them is a value of the subject.
        return properties::read(rest, &mut message.headers, Names::Plain);
    }
    let code = if rest.is_empty() { 0 } else { Reader::byte(rest)? };
    match side {
        Side::Response => message.status = Some(u16::from(code)),
        Side::Request => push(&mut message.headers, "reason-code", code),
    }
    if rest.is_empty() { Ok(()) } else { properties::read_last(rest, &mut message.headers) }
}

/// Where the variable header of a PUBLISH ends (section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublishHead {
    /// That many bytes are needed to go on.
    Needs(usize),
    /// It has that many bytes, and the packet is of that form.
    Ends { at: usize, five: bool },
}

/// Finds the end of a PUBLISH packet's variable header from its first bytes. Without a known level
/// the packet is taken for one of version 5 where properties that PUBLISH may have stand where
/// version 5 has them.
pub(super) fn publish_head(
    header: FixedHeader,
    bytes: &[u8],
    level: Option<u8>,
    longest: usize,
) -> Result<PublishHead, Malformed> {
    let Some(topic) = bytes.first_chunk::<2>() else { return Ok(PublishHead::Needs(2.min(header.length))) };
    let fixed = 2 + usize::from(u16::from_be_bytes(*topic)) + if header.qos() > 0 { 2 } else { 0 };
    if header.qos() == 3 || fixed > header.length {
        return Err(Malformed);
    }
    if level.is_some_and(|level| level < 5) {
        return Ok(if bytes.len() < fixed {
            PublishHead::Needs(fixed)
        } else {
            PublishHead::Ends { at: fixed, five: false }
        });
    }
    let needs = (fixed + 4).min(header.length);
    if bytes.len() < needs {
        return Ok(PublishHead::Needs(needs));
    }
    let three = || level.is_none().then_some(PublishHead::Ends { at: fixed, five: false }).ok_or(Malformed);
    let after = bytes.get(fixed..).unwrap_or_default();
    let mut rest = after;
    let Ok(length) = Reader::varint(&mut rest) else { return three() };
    let end = fixed + (after.len() - rest.len()) + length as usize;
    if end > header.length || end > longest {
        return three();
    }
    let Some(section) = bytes.get(fixed..end) else { return Ok(PublishHead::Needs(end)) };
    if level.is_none() && !properties::may_be_of_publish(section) {
        return three();
    }
    Ok(PublishHead::Ends { at: end, five: true })
}

/// The variable header of a PUBLISH: topic as target, `qos` and properties as fields. Returns the
/// topic alias.
pub(super) fn publish(
    header: FixedHeader,
    mut rest: &[u8],
    five: bool,
    message: &mut Message,
) -> Result<Option<u16>, Malformed> {
    let rest = &mut rest;
    message.target = Some(Reader::binary(rest)?.to_vec());
    push(&mut message.headers, "qos", header.qos());
    if header.flags & 1 != 0 {
        push(&mut message.headers, "retain", 1u8);
    }
    if header.flags & 8 != 0 {
        push(&mut message.headers, "dup", 1u8);
    }
    if header.qos() > 0 {
        Reader::u16(rest)?;
    }
    if !five {
        return Ok(None);
    }
    properties::read_last(rest, &mut message.headers)?;
    let alias = message.headers.iter().rfind(|(name, _)| name == b"topic-alias").map(|(_, value)| value);
    Ok(alias.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()))
}

fn push(fields: &mut Vec<(Vec<u8>, Vec<u8>)>, name: &str, value: impl Into<u32>) {
    fields.push((name.as_bytes().to_vec(), value.into().to_string().into_bytes()));
}
