//! Undoing one step of a trail, by the name of its codec.

use super::{Reencodes, StepView};
use crate::codec::cipher::Keyed;
use crate::codec::{
    Codec, Context, EMBEDDED, LEAVES, MARKED, Typed, Unwrapped, WHOLE, base64, custom_base64, hex, recognise,
};
use crate::map::Map;
use crate::needles::{BY_CHARACTERS, rot13};
use dyetrace_case::Step;
use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What undoing a step may have given: several codecs can have one name.
#[derive(Clone)]
pub(super) struct Undone {
    /// What came out.
    pub(super) bytes: Arc<Vec<u8>>,
    /// From offsets in it to offsets one step further out.
    pub(super) map: Map,
    /// What type the document gives it.
    pub(super) typed: Typed,
}

impl Undone {
    pub(super) fn new(bytes: Vec<u8>, map: Map) -> Self {
        Self { bytes: Arc::new(bytes), map, typed: Typed::Bytes }
    }
}

/// Every way in which the codecs of that name undo the step, fields of documents left out.
pub(super) fn undo(outer: &[u8], step: &Step, span: &Range<usize>, keyed: &[&Keyed], room: usize) -> Vec<Undone> {
    let Some(encoded) = outer.get(span.clone()) else { return Vec::new() };
    let by_letters = match step.codec.as_str() {
        base64::NAME => of_base64(encoded, span.start),
        hex::NAME => of_hex(encoded, span.start),
        "reversed" if step.detail.as_deref() == Some(BY_CHARACTERS) => {
            let text = std::str::from_utf8(encoded).ok();
            text.map(|text| Undone::new(text.chars().rev().collect::<String>().into(), Map::Whole(span.clone())))
        }
        "reversed" => {
            let map = Map::Reversed { start: span.start, length: span.len() };
            Some(Undone::new(encoded.iter().rev().copied().collect(), map))
        }
        "split" => {
            let joined = step.detail.as_deref().and_then(|detail| crate::split::joined(encoded, detail));
            joined.map(|bytes| Undone::new(bytes, Map::Whole(span.clone())))
        }
        "rot13" => Some(each(encoded, span, rot13)),
        "xor" => key(step, "key 0x", 16).map(|key| each(encoded, span, |byte| byte ^ key as u8)),
        "shift" => key(step, "by ", 10).map(|by| each(encoded, span, |byte| byte.wrapping_sub(by as u8))),
        _ => None,
    };
    let codecs = WHOLE.into_iter().chain(EMBEDDED).chain(MARKED).filter(|codec| codec.name() == step.codec);
    let of_keys = keyed.iter().map(|keyed| *keyed as &dyn Codec).filter(|keyed| keyed.name() == step.codec);
    let unwrapped = codecs.chain(of_keys).filter_map(|codec| codec.unwrap(outer, span.clone(), room));
    let unwrapped = unwrapped.filter(|unwrapped| unwrapped.detail == step.detail);
    let leaves = LEAVES.into_iter().filter(|leaf| leaf.name() == step.codec).filter_map(|leaf| {
        let mut bytes = Vec::new();
        leaf.decode(encoded, &mut bytes).then(|| Undone::new(bytes, leaf.map(encoded, span.start)))
    });
    let made = |Unwrapped { bytes, map, .. }| Undone::new(bytes, map);
    by_letters.into_iter().chain(unwrapped.map(made)).chain(leaves).collect()
}

/// Base64 in the tester's alphabet of the step's name.
pub(super) fn of_alphabet(
    outer: &[u8],
    step: &Step,
    span: &Range<usize>,
    alphabets: &[custom_base64::Alphabet],
) -> Option<Undone> {
    let is_named = |alphabet: &&custom_base64::Alphabet| step.detail.as_ref() == Some(&alphabet.name);
    let alphabet = alphabets.iter().find(is_named).filter(|_| step.codec == custom_base64::NAME)?;
    let mut bytes = Vec::new();
    base64::pack_into(&alphabet.sextets(alphabet.unpadded(outer.get(span.clone())?))?, &mut bytes);
    Some(Undone::new(bytes, custom_base64::map(span.start)))
}

fn each(encoded: &[u8], span: &Range<usize>, change: impl Fn(u8) -> u8) -> Undone {
    Undone::new(encoded.iter().map(|byte| change(*byte)).collect(), Map::shift(span.start))
}

fn key(step: &Step, before: &str, radix: u32) -> Option<i32> {
    let digits = step.detail.as_deref()?.strip_prefix(before)?;
    i32::from_str_radix(digits.strip_prefix('+').unwrap_or(digits), radix).ok()
}

/// Letters of either alphabet, line ends between them, padding behind.
fn of_base64(encoded: &[u8], start: usize) -> Option<Undone> {
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = &encoded[..encoded.len() - padding];
    let (mut letters, mut skips, mut ignored) = (Vec::with_capacity(text.len()), Vec::new(), 0);
    for (at, byte) in text.iter().enumerate() {
        if base64::is_character(*byte) {
            if at - letters.len() > ignored {
                ignored = at - letters.len();
                skips.push((letters.len(), ignored));
            }
            letters.push(*byte);
        } else if !matches!(byte, b'\r' | b'\n') {
            return None;
        }
    }
    let mut bytes = Vec::new();
    base64::decode_into(&letters, &mut bytes);
    Some(Undone::new(bytes, base64::map(start, skips)))
}

fn of_hex(encoded: &[u8], start: usize) -> Option<Undone> {
    let mut bytes = Vec::new();
    if encoded.len() == hex::GUID && hex::guid_into(encoded, &mut bytes) {
        return Some(Undone::new(bytes, hex::guid_map(start)));
    }
    if !encoded.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    hex::decode_into(encoded, &mut bytes);
    Some(Undone::new(bytes, hex::map(start)))
}

/// Fields of documents, read once for all the trails that lead through the same bytes.
#[derive(Default)]
pub(super) struct Fields(HashMap<(usize, usize), Vec<Field>>);

struct Field {
    codec: &'static str,
    detail: Option<String>,
    undone: Undone,
}

impl Fields {
    /// Reads the fields that lie at one of the places.
    pub(super) fn read(outer: &[u8], places: &HashSet<(usize, usize)>) -> Self {
        let mut fields = Self::default();
        for context in [Context::Any, Context::Url, Context::Cookie] {
            let Some(structure) = recognise(outer, context) else { continue };
            structure.walk(outer, &mut |field| {
                let Range { start, end } = field.range;
                if let Some(value) = outer.get(start..end).filter(|_| places.contains(&(start, end))) {
                    let found = fields.0.entry((start, end)).or_default();
                    let detail = field.label.detail();
                    let mut add = |undone| found.push(Field { codec: field.codec, detail: detail.clone(), undone });
                    if let Some((bytes, map)) = field.decode(outer) {
                        add(Undone::new(bytes, map));
                    }
                    add(Undone { typed: field.typed, ..Undone::new(value.to_vec(), Map::shift(start)) });
                }
                ControlFlow::Continue(())
            });
        }
        fields
    }

    /// What the step's field may stand for: its escapes undone, or as it is.
    pub(super) fn of(&self, step: &Step, span: &Range<usize>) -> Vec<Undone> {
        let at = self.0.get(&(span.start, span.end)).map_or(&[][..], Vec::as_slice);
        let same = |field: &&Field| field.codec == step.codec && field.detail == step.detail;
        at.iter().filter(same).map(|field| field.undone.clone()).collect()
    }
}

/// The content codings that the reader undid, undone again by the codecs of search where they can.
pub(super) fn codings(steps: &[Step], sent: Option<&Vec<u8>>, content: Option<Arc<Vec<u8>>>) -> Vec<StepView> {
    let Some(content) = content else { return Vec::new() };
    let mut views: Vec<StepView> = Vec::new();
    let mut outer = sent.cloned();
    for step in steps {
        let decoded = outer.as_ref().and_then(|bytes| coding(&step.codec, bytes, content.len()));
        outer.clone_from(&decoded);
        views.push(StepView {
            codec: step.codec.clone(),
            detail: step.detail.clone(),
            encoded: step.encoded,
            value: dyetrace_case::Range::new(0, content.len() as u64),
            reencodes: if decoded.is_some() { Reencodes::Differs } else { Reencodes::Read },
            decoded: Arc::new(decoded.unwrap_or_default()),
            is_read: true,
        });
    }
    if outer.as_ref() != Some(&*content) {
        for view in &mut views {
            view.reencodes = Reencodes::Read;
        }
    }
    if let Some(last) = views.last_mut() {
        last.decoded = content;
    }
    views
}

/// One content coding (RFC 9110 section 8.4.1). Intermediate results of several codings may be
/// longer than the content.
fn coding(name: &str, bytes: &[u8], content: usize) -> Option<Vec<u8>> {
    let names: &[&str] = match name {
        "gzip" | "x-gzip" => &["gzip"],
        "deflate" => &["zlib", "deflate"],
        "br" => &["brotli"],
        "zstd" => &["zstd"],
        _ => &[],
    };
    let room = content.saturating_add(1).max(bytes.len().saturating_mul(2));
    let mut codecs = names.iter().flat_map(|name| WHOLE.into_iter().filter(move |codec| codec.name() == *name));
    codecs.find_map(|codec| codec.unwrap(bytes, 0..bytes.len(), room)).map(|unwrapped| unwrapped.bytes)
}
