//! Properties of MQTT 5 (section 2.2.2) as named fields.

use super::reader::{Malformed, Reader};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// How the fields are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// `content-type`
    Plain,
    /// `will-content-type`
    Will,
}

#[derive(Clone, Copy)]
enum Kind {
    Byte,
    U16,
    U32,
    Varint,
    Binary,
    Pair,
}

/// Reads a property section: its length, then the properties as fields `content-type`,
/// `user-property:KEY` and so on. What was read before a fault stays in `fields`.
pub(super) fn read(rest: &mut &[u8], fields: &mut Fields, names: Names) -> Result<(), Malformed> {
    let length = Reader::varint(rest)?;
    let mut section = Reader::take(rest, length as usize)?;
    while !section.is_empty() {
        let (name, value, _) = property(&mut section)?;
        let prefix: &[u8] = if names == Names::Will && !name.starts_with(b"will-") { b"will-" } else { b"" };
        fields.push(([prefix, &name].concat(), value));
    }
    Ok(())
}

/// As [`read`], where nothing may follow.
pub(super) fn read_last(rest: &mut &[u8], fields: &mut Fields) -> Result<(), Malformed> {
    read(rest, fields, Names::Plain)?;
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// True where the section, with its length, holds nothing but whole properties that a PUBLISH may
/// have (section 3.3.2.3).
pub(super) fn may_be_of_publish(section: &[u8]) -> bool {
    let mut rest = section;
    if Reader::varint(&mut rest) != Ok(rest.len() as u32) {
        return false;
    }
    while !rest.is_empty() {
        match property(&mut rest) {
            Ok((_, _, 1 | 2 | 3 | 8 | 9 | 11 | 35 | 38)) => {}
            _ => return false,
        }
    }
    true
}

/// One property: its field and its identifier.
fn property(rest: &mut &[u8]) -> Result<(Vec<u8>, Vec<u8>, u32), Malformed> {
    let identifier = Reader::varint(rest)?;
    let (name, kind) = describe(identifier).ok_or(Malformed)?;
    let decimal = |number: u32| number.to_string().into_bytes();
    let mut name = name.as_bytes().to_vec();
    let value = match kind {
        Kind::Byte => decimal(Reader::byte(rest)?.into()),
        Kind::U16 => decimal(Reader::u16(rest)?.into()),
        Kind::U32 => decimal(Reader::u32(rest)?),
        Kind::Varint => decimal(Reader::varint(rest)?),
        Kind::Binary => Reader::binary(rest)?.to_vec(),
        Kind::Pair => {
            name.push(b':');
            name.extend_from_slice(Reader::binary(rest)?);
            Reader::binary(rest)?.to_vec()
        }
    };
    Ok((name, value, identifier))
}

/// Table 2-4 of section 2.2.2.2.
fn describe(identifier: u32) -> Option<(&'static str, Kind)> {
    Some(match identifier {
        1 => ("payload-format-indicator", Kind::Byte),
        2 => ("message-expiry-interval", Kind::U32),
        3 => ("content-type", Kind::Binary),
        8 => ("response-topic", Kind::Binary),
        9 => ("correlation-data", Kind::Binary),
        11 => ("subscription-identifier", Kind::Varint),
        17 => ("session-expiry-interval", Kind::U32),
        18 => ("assigned-client-identifier", Kind::Binary),
        19 => ("server-keep-alive", Kind::U16),
        21 => ("authentication-method", Kind::Binary),
        22 => ("authentication-data", Kind::Binary),
        23 => ("request-problem-information", Kind::Byte),
        24 => ("will-delay-interval", Kind::U32),
        25 => ("request-response-information", Kind::Byte),
        26 => ("response-information", Kind::Binary),
        28 => ("server-reference", Kind::Binary),
        31 => ("reason-string", Kind::Binary),
        33 => ("receive-maximum", Kind::U16),
        34 => ("topic-alias-maximum", Kind::U16),
        35 => ("topic-alias", Kind::U16),
        36 => ("maximum-qos", Kind::Byte),
        37 => ("retain-available", Kind::Byte),
        38 => ("user-property", Kind::Pair),
        39 => ("maximum-packet-size", Kind::U32),
        40 => ("wildcard-subscription-available", Kind::Byte),
        41 => ("subscription-identifier-available", Kind::Byte),
        42 => ("shared-subscription-available", Kind::Byte),
        _ => return None,
    })
}
