//! The recursion: search the bytes at hand, undo every wrapping in them, search what comes out.

use crate::attribute::attribute;
use crate::classify::Marks;
use crate::codec::cipher::Keyed;
use crate::codec::{self, Codec, Context, EMBEDDED, Field, LEAVES, MARKED, Structure, Typed, WHOLE, recognise};
use crate::digest;
use crate::find::{Find, Seen};
use crate::keyed::Sessions;
use crate::map::Map;
use crate::needles::Needles;
use crate::runs::Batch;
use crate::scanner::{Limit, Options};
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

/// Work charged for a piece of bytes beside its length.
const BASE_COST: u64 = 32;

/// Bytes that are looked at to tell text from other bytes.
const LOOKED_AT: usize = 1024;

/// What is known of the bytes at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// How to recognise a structure.
    pub(crate) context: Context,
    /// Wrappings undone so far.
    pub(crate) depth: usize,
    /// The bytes are a whole field.
    pub(crate) is_field: bool,
}

impl Node {
    /// What is unwrapped from these bytes.
    pub(crate) fn inner(self, is_field: bool) -> Self {
        Self { context: Context::Any, depth: self.depth + 1, is_field }
    }
}

/// What was done, for bits and budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Bytes searched and decoded, with a base cost for each piece.
    pub(crate) work: u64,
    /// Fields compared whole.
    pub(crate) fields: u64,
    /// Runs looked up among the digests.
    pub(crate) lookups: u64,
}

/// The search of one record.
pub(crate) struct Explorer<'s> {
    /// What is looked for.
    pub(crate) needles: &'s Needles,
    options: &'s Options,
    /// What was done so far.
    pub(crate) tally: Tally,
    /// Work after which nothing more is undone.
    budget: u64,
    /// Which limits were reached.
    pub(crate) limits: BTreeSet<Limit>,
    numbers: u64,
    /// Ciphers with keys that the record carries, in a second search of it.
    pub(crate) session_ciphers: &'s [Keyed],
    /// What was decrypted with RSA: keys of other fields, perhaps.
    pub(crate) sessions: Sessions,
    /// Emptied batches for reuse.
    pub(crate) batches: Vec<Batch>,
}

impl<'s> Explorer<'s> {
    /// A search of a record of that many bytes.
    pub(crate) fn new(needles: &'s Needles, options: &'s Options, bytes: u64) -> Self {
        let budget = bytes.saturating_mul(options.work_per_byte).saturating_add(options.work_base);
        Self {
            needles,
            options,
            tally: Tally::default(),
            budget,
            limits: BTreeSet::new(),
            numbers: 0,
            session_ciphers: &[],
            sessions: Sessions::new(),
            batches: Vec::new(),
        }
    }

    /// A number for bytes in which places can be told apart.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// True where so much work is left.
    pub(crate) fn affords(&self, work: u64) -> bool {
        self.tally.work.saturating_add(work) <= self.budget
    }

    fn charge(&mut self, bytes: usize) -> bool {
        let work = (bytes as u64).saturating_add(BASE_COST);
        if !self.affords(work) {
            self.limits.insert(Limit::Work);
            return false;
        }
        self.tally.work += work;
        true
    }

    /// Everything seen in the bytes, in no particular order, each as often as ways lead there.
    pub(crate) fn explore(&mut self, bytes: &[u8], node: Node) -> Vec<Find> {
        let mut finds = Vec::new();
        if bytes.is_empty() || !self.charge(bytes.len()) {
            return finds;
        }
        if node.is_field {
            self.compare_whole(bytes, &mut finds);
        }
        if digest::is_length(bytes.len()) {
            self.look_up(bytes, 0, &mut finds);
        }
        if self.unwrap_whole(bytes, node, &mut finds) {
            return finds;
        }
        self.explore_keyed(bytes, node, &mut finds);
        let structure = recognise(bytes, node.context);
        // These have the names of their fields already.
        let mut named = Vec::new();
        if let Some(structure) = structure.filter(|structure| structure.fields_are_bodies()) {
            self.explore_bodies(bytes, structure, node, &mut named);
            if structure.is_certain() {
                finds.append(&mut named);
                return finds;
            }
        }
        if structure.is_none() && node.is_field {
            self.explore_leaf(bytes, node, &mut finds);
        }
        let mut finds = self.explore_text(bytes, structure, node, finds);
        finds.append(&mut named);
        finds
    }

    fn explore_text(
        &mut self,
        bytes: &[u8],
        structure: Option<&'static dyn Structure>,
        node: Node,
        mut finds: Vec<Find>,
    ) -> Vec<Find> {
        let marks = Marks::find(bytes);
        self.scan(bytes, &mut finds);
        let mut done = Vec::new();
        let mut named = Vec::new();
        match structure {
            Some(structure) if !structure.fields_are_bodies() && self.must_walk(bytes, structure, &marks) => {
                self.explore_fields(bytes, structure, &marks, node, &mut done, &mut named);
                // What looks like a document may be none, and names may be escaped too.
                self.explore_spans(bytes, &marks.outside(&done), node, &mut done, &mut finds);
            }
            Some(_) => {}
            None => self.explore_spans(bytes, &marks, node, &mut done, &mut finds),
        }
        self.explore_embedded(bytes, node, &mut finds);
        self.explore_runs(bytes, node, &done, &mut finds);
        if !finds.is_empty() {
            finds = attribute(bytes, node.context, finds);
        }
        finds.append(&mut named);
        finds
    }

    /// The textual lane.
    fn scan(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let needles = self.needles;
        needles.filter.scan(bytes, &mut |number, range| {
            if let Some(find) = self.text_find(number, bytes, range) {
                self.keep(find, finds);
            }
        });
    }

    /// Adds a find while there is room. Several ways lead to most of them, so there is room for
    /// more than will be kept.
    pub(crate) fn keep(&mut self, find: Find, finds: &mut Vec<Find>) {
        if finds.len() < self.options.sightings.saturating_mul(4) {
            finds.push(find);
        } else {
            self.limits.insert(Limit::Sightings);
        }
    }

    /// What the filter found, with whether letters stand in another case than the needle's.
    pub(crate) fn text_find(&self, number: usize, bytes: &[u8], range: Range<usize>) -> Option<Find> {
        let needle = self.needles.all.get(number)?;
        let recased = bytes.get(range.clone())? != needle.bytes;
        Some(Find::new(needle.datum, Seen::Text(number as u32, recased), range))
    }

    /// The whole-field lane. Values this short are also tried behind one base64 or hex coding
    /// here, because the run codecs need longer runs.
    fn compare_whole(&mut self, field: &[u8], finds: &mut Vec<Find>) {
        if self.needles.longest_field() == 0 {
            return;
        }
        self.tally.fields += 1;
        if self.needles.has_field_of(field.len()) {
            finds.extend(self.field_finds(field));
        }
        let padding = field.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
        let characters = &field[..field.len() - padding];
        let base64 = |decoded: &mut Vec<u8>| {
            codec::base64::decode_into(characters, decoded);
        };
        if self.needles.has_field_of(characters.len() * 3 / 4) && characters.iter().all(|byte| is_base64(*byte)) {
            self.compare_decoded(field, codec::base64::NAME, base64, &codec::base64::map(0, Vec::new()), finds);
        }
        if field.len().is_multiple_of(2)
            && self.needles.has_field_of(field.len() / 2)
            && field.iter().all(u8::is_ascii_hexdigit)
        {
            let hex = |decoded: &mut Vec<u8>| codec::hex::decode_into(field, decoded);
            self.compare_decoded(field, codec::hex::NAME, hex, &codec::hex::map(0), finds);
        }
    }

    /// The typed lane: a number of a document.
    fn compare_typed(&mut self, typed: Typed, value: &[u8], finds: &mut Vec<Find>) {
        let numbers = match typed {
            Typed::Bytes => return self.compare_whole(value, finds),
            Typed::Integer(number) => self.needles.of_integer(number),
            Typed::Double(number) => self.needles.of_double(number),
            Typed::Single(number) => self.needles.of_single(number),
        };
        self.tally.fields += 1;
        let find = |number: &u32| {
            let datum = self.needles.all.get(*number as usize)?.datum;
            Some(Find::new(datum, Seen::Field(*number), 0..value.len()))
        };
        finds.extend(numbers.iter().filter_map(find));
    }

    fn compare_decoded(
        &self,
        field: &[u8],
        name: &str,
        decode: impl Fn(&mut Vec<u8>),
        map: &Map,
        finds: &mut Vec<Find>,
    ) {
        let mut decoded = Vec::new();
        decode(&mut decoded);
        for mut find in self.field_finds(&decoded) {
            find.through(name, None, &(0..field.len()), map, 0);
            finds.push(find);
        }
    }

    fn field_finds(&self, field: &[u8]) -> Vec<Find> {
        let find = |number: &u32| {
            let datum = self.needles.all.get(*number as usize)?.datum;
            Some(Find::new(datum, Seen::Field(*number), 0..field.len()))
        };
        self.needles.of_field(field).iter().filter_map(find).collect()
    }

    /// The digest lane: known digests at `at`, found as a step of their own.
    pub(crate) fn look_up(&mut self, bytes: &[u8], at: usize, finds: &mut Vec<Find>) {
        self.tally.lookups += 1;
        let Some(rest) = bytes.get(at..) else { return };
        let digests = &self.needles.digests;
        digests.at_start(rest, &mut |seen| {
            let Some((datum, known)) = digests.datum(seen.number).zip(digests.description(seen.number, seen.length))
            else {
                return;
            };
            let range = at..at + seen.length;
            let mut find = Find::new(datum, Seen::Digest(seen.number), range.clone());
            find.through(&known.step, None, &range, &Map::shift(0), 0);
            finds.push(find);
        });
    }

    /// Undoes a compression that spans the bytes. True where the bytes themselves need no search.
    fn unwrap_whole(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) -> bool {
        for codec in WHOLE {
            let mut found = None;
            codec.find(bytes, &Marks::default(), &mut |span| found = Some(span));
            if found.is_some_and(|span| self.unwrap(codec, bytes, &span, node, finds)) {
                return codec.name() == "gzip";
            }
        }
        false
    }

    /// Undoes one span and explores what comes out. True where it was wrapped indeed.
    fn unwrap(
        &mut self,
        codec: &dyn Codec,
        bytes: &[u8],
        span: &Range<usize>,
        node: Node,
        finds: &mut Vec<Find>,
    ) -> bool {
        if !self.may_go_deeper(node) {
            return false;
        }
        let Some(unwrapped) = codec.unwrap(bytes, span.clone(), self.room()) else { return false };
        if unwrapped.cut {
            self.limits.insert(Limit::Work);
        }
        let number = self.number();
        let is_field = node.is_field && span.len() == bytes.len();
        for mut find in self.explore(&unwrapped.bytes, node.inner(is_field)) {
            find.through(codec.name(), unwrapped.detail.clone(), span, &unwrapped.map, number);
            self.keep(find, finds);
        }
        true
    }

    /// Bytes that undoing one wrapping may give.
    pub(crate) fn room(&self) -> usize {
        self.budget.saturating_sub(self.tally.work).min(self.options.longest_unwrapped as u64) as usize
    }

    /// True below the deepest nesting, which is noted when it is reached.
    pub(crate) fn may_go_deeper(&mut self, node: Node) -> bool {
        let may = node.depth < self.options.depth;
        if !may {
            self.limits.insert(Limit::Depth);
        }
        may
    }

    /// Fields need a look of their own where something is escaped or short values are sought.
    fn must_walk(&self, bytes: &[u8], structure: &dyn Structure, marks: &Marks) -> bool {
        !marks.is_empty()
            || self.needles.longest_field() > 0
            || !LEAVES.is_empty()
            || (structure.plus_is_space() && memchr::memchr(b'+', bytes).is_some())
    }

    fn explore_fields(
        &mut self,
        bytes: &[u8],
        structure: &dyn Structure,
        marks: &Marks,
        node: Node,
        done: &mut Vec<Range<usize>>,
        named: &mut Vec<Find>,
    ) {
        structure.walk(bytes, &mut |field| {
            let value = &bytes[field.range.clone()];
            let escaped = structure.plus_is_space() || !field.chunks.is_empty() || marks.any_in(&field.range);
            let decoded = if escaped { field.decode(bytes) } else { None };
            let mut found = Vec::new();
            let map = if let Some((value, map)) = decoded {
                found = self.explore_field(&value, node);
                done.push(field.range.clone());
                map
            } else if marks.any_in(&field.range) {
                found = self.explore_field(value, node);
                done.push(field.range.clone());
                Map::shift(field.range.start)
            } else {
                self.compare_typed(field.typed, value, &mut found);
                self.explore_leaf(value, node, &mut found);
                Map::shift(field.range.start)
            };
            self.add_field_step(found, field, &map, named);
            if self.limits.contains(&Limit::Work) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    fn explore_field(&mut self, value: &[u8], node: Node) -> Vec<Find> {
        if self.may_go_deeper(node) { self.explore(value, node.inner(true)) } else { Vec::new() }
    }

    fn add_field_step(&mut self, found: Vec<Find>, field: &Field<'_>, map: &Map, finds: &mut Vec<Find>) {
        if found.is_empty() {
            return;
        }
        let detail = field.label.detail();
        for mut find in found {
            find.through(field.codec, detail.clone(), &field.range, map, 0);
            find.named += 1;
            self.keep(find, finds);
        }
    }

    /// Each field is searched by itself, and only there.
    fn explore_bodies(&mut self, bytes: &[u8], structure: &dyn Structure, node: Node, finds: &mut Vec<Find>) {
        structure.walk(bytes, &mut |field| {
            let value = &bytes[field.range.clone()];
            let mut map = Map::shift(field.range.start);
            let mut found = Vec::new();
            if field.typed != Typed::Bytes {
                self.compare_typed(field.typed, value, &mut found);
            } else if let Some((joined, chunk_map)) = field.decode(bytes) {
                found = self.explore_field(&joined, node);
                map = chunk_map;
            } else {
                found = self.explore_field(value, node);
            }
            self.add_field_step(found, field, &map, finds);
            if self.limits.contains(&Limit::Work) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// Undoes the codecs of whole fields.
    fn explore_leaf(&mut self, field: &[u8], node: Node, finds: &mut Vec<Find>) {
        for leaf in LEAVES {
            let mut decoded = Vec::new();
            if !leaf.decode(field, &mut decoded) || !self.may_go_deeper(node) {
                continue;
            }
            let number = self.number();
            for mut find in self.explore(&decoded, node.inner(true)) {
                find.through(leaf.name(), None, &(0..field.len()), &leaf.map(field, 0), number);
                self.keep(find, finds);
            }
        }
    }

    /// Undoes what has a signature anywhere in bytes that are not text.
    fn explore_embedded(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        if is_text(bytes) {
            return;
        }
        for codec in EMBEDDED {
            let mut spans = Vec::new();
            codec.find(bytes, &Marks::default(), &mut |span| spans.push(span));
            for span in spans {
                self.unwrap(codec, bytes, &span, node, finds);
            }
        }
    }

    fn explore_spans(
        &mut self,
        bytes: &[u8],
        marks: &Marks,
        node: Node,
        done: &mut Vec<Range<usize>>,
        finds: &mut Vec<Find>,
    ) {
        if marks.is_empty() {
            return;
        }
        let mut spans = Vec::new();
        for codec in MARKED {
            codec.find(bytes, marks, &mut |span| spans.push((codec, span)));
        }
        for (codec, span) in spans {
            if self.unwrap(codec, bytes, &span, node, finds) && codec.is_certain() {
                done.push(span);
            }
        }
        done.sort_by_key(|span| (span.start, span.end));
    }
}

/// True where no byte near the start is a control character or over 0x7f.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().take(LOOKED_AT).all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}
