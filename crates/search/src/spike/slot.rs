//! Where in the evidence's own records a value can be hidden, and hiding it there.

use crate::codec::{Context, percent, recognise};
use dyetrace_case::{Blob, Part, PartContent, PartName, Range, Record};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Parts longer than this are left out: thousands of copies are searched.
const LONGEST: usize = 64 << 10;
/// Places kept of each carrier.
const MOST: usize = 64;

/// A place in a record whose bytes are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which record.
    pub(super) record: usize,
    /// Which part of it.
    pub(super) part: PartName,
    /// What holds the value.
    pub(super) carrier: &'static str,
    start: usize,
    end: usize,
}

/// The slots of the records by carrier, spread over all of them.
pub(super) fn slots(records: &[Record]) -> BTreeMap<&'static str, Vec<Slot>> {
    let mut all: BTreeMap<&'static str, Vec<Slot>> = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        if record.content_bytes() > LONGEST as u64 {
            continue;
        }
        for part in record.parts() {
            for slot in of_part(number, &part) {
                all.entry(slot.carrier).or_default().push(slot);
            }
        }
    }
    for slots in all.values_mut() {
        let step = slots.len().div_ceil(MOST).max(1);
        *slots = std::mem::take(slots).into_iter().step_by(step).collect();
    }
    all
}

/// The middle one of each carrier's fields.
fn of_part(record: usize, part: &Part<'_>) -> Vec<Slot> {
    let bytes = match part.content {
        PartContent::Bytes(bytes) => bytes,
        PartContent::Blob(blob) => blob.as_slice().unwrap_or_default(),
    };
    let (context, whole) = match &part.name {
        PartName::Url => (Context::Url, None),
        PartName::Header { name, .. } if name == "cookie" => (Context::Cookie, None),
        PartName::Header { .. } => (Context::Any, Some("header")),
        PartName::Body(_) | PartName::Content => (Context::Any, None),
        // Names of files and fields of stores hold no more than was put there.
        PartName::Path | PartName::Stored { .. } => return Vec::new(),
    };
    let slot = |carrier, start, end| Slot { record, part: part.name.clone(), carrier, start, end };
    let mut fields: BTreeMap<&'static str, Vec<Slot>> = BTreeMap::new();
    let structure = recognise(bytes, context).filter(|_| whole.is_none() && !bytes.is_empty());
    if let Some(structure) = structure {
        structure.walk(bytes, &mut |field| {
            let quoted = field.range.start > 0 && bytes.get(field.range.start - 1) == Some(&b'"');
            let known = match field.codec {
                "json" if quoted && bytes.get(field.range.end) == Some(&b'"') => Some("json"),
                "form" | "query" | "path" | "cookie" | "multipart" => Some(field.codec),
                _ => None,
            };
            if let Some(carrier) = known {
                fields.entry(carrier).or_default().push(slot(carrier, field.range.start, field.range.end));
            }
            ControlFlow::Continue(())
        });
    } else if let PartName::Body(_) | PartName::Content = part.name
        && !bytes.is_empty()
    {
        let (before, behind) = bytes.split_at(bytes.len() / 2);
        // A value stands where a word does: letters beside it would be read as one run with what is hidden.
        let start = before.iter().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let letters = behind.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        fields.entry("body").or_default().push(slot("body", start, before.len() + letters));
    }
    if let Some(carrier) = whole {
        fields.entry(carrier).or_default().push(slot(carrier, 0, bytes.len()));
    }
    fields.into_values().filter_map(|slots| slots.get(slots.len() / 2).cloned()).collect()
}

/// A copy of the record with the bytes in place of the slot's, escaped as the carrier asks, and where
/// in the part they lie. A body that was compressed becomes one that was not.
pub(super) fn inject(record: &Record, slot: &Slot, wrapped: &[u8]) -> Option<(Record, Range)> {
    let escaped = match slot.carrier {
        "form" | "query" | "path" | "cookie" => percent::wrap(wrapped),
        "json" => json(std::str::from_utf8(wrapped).ok()?),
        "header" if !wrapped.iter().all(|byte| (b' '..=b'~').contains(byte)) => return None,
        _ => wrapped.to_vec(),
    };
    let mut copy = record.clone();
    let place = Range::new(slot.start as u64, (slot.start + escaped.len()) as u64);
    let replaced = |bytes: &[u8]| Some([bytes.get(..slot.start)?, &escaped, bytes.get(slot.end..)?].concat());
    let message = match slot.part.side() {
        dyetrace_case::Side::Request => copy.request.as_mut(),
        dyetrace_case::Side::Response => copy.response.as_mut(),
    }?;
    match &slot.part {
        PartName::Url => message.target = Some(replaced(message.target.as_deref()?)?),
        PartName::Header { index, .. } => {
            let (_, value) = message.headers.get_mut(*index)?;
            *value = replaced(value)?;
        }
        PartName::Body(_) | PartName::Content => {
            message.body = Some(Blob::from(replaced(message.content()?.as_slice()?)?));
            message.decoded = None;
            message.codings.clear();
        }
        PartName::Path | PartName::Stored { .. } => return None,
    }
    Some((copy, place))
}

/// The inside of a JSON string (RFC 8259 section 7).
fn json(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend([b'\\', c as u8]),
            '\0'..='\u{1f}' => out.extend(format!("\\u{:04x}", u32::from(c)).bytes()),
            c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out
}
