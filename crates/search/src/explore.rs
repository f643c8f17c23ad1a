//! The recursion: search the bytes at hand, undo every wrapping in them, search what comes out.

use crate::attribute::attribute;
use crate::batch::{Batch, Item, Undo};
use crate::beside::{SeenBeside, Told};
use crate::classify::{Candidate, Classes, Marks, any_of};
use crate::codec::cipher::Keyed;
use crate::codec::{self, Codec, Coding, Context, EMBEDDED, Field, MARKED, Structure, Typed, recognise};
use crate::digest;
use crate::filter::{Domain, Match};
use crate::find::{Find, Seen};
use crate::keyed::Sessions;
use crate::lookups::Lookups;
use crate::map::Map;
use crate::needles::{BY_CHARACTERS, Dress, Needles, rot13};
use crate::quiet::{Quiet, is_checksum};
use crate::recognise::Recognisers;
use crate::runs::{is_leaf, leaves};
use crate::scanner::{Limit, Options};
use crate::shifted_document::{self, under_key};
use crate::short_keyed::Met;
use crate::split;
use crate::unplanted::Recognition;
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

/// Work charged for a piece of bytes beside its length.
pub(crate) const BASE_COST: u64 = 32;

/// Printable bytes at the start after which nothing compressed is expected.
const LEAST_PLAIN: usize = 24;
/// Undone bytes of this length are explored whatever they look like.
const ALWAYS_EXPLORED: usize = 256;
/// Longest decoded hexadecimal run in which a digest is looked for at every byte.
const LONGEST_SLID: usize = 128;
/// Longest field in which a document without escapes is looked for, for the sake of short values.
const LONGEST_NESTED: usize = 1024;
/// Base64 characters in a row that may be a wrapping.
const SHORTEST_ROW: usize = 16;
/// Base64 characters in a field that may be a wrapping where a sign or padding is among them.
const SHORTEST_SIGNED: usize = 10;
/// Shortest undone bytes that may be a binary document or compressed.
const SHORTEST_DOCUMENT: usize = 9;
/// Characters of a list of numbers, and separators among them.
const SHORTEST_LIST: u32 = 11;
const LEAST_SEPARATORS: u32 = 3;
/// Bytes that are unwrapped to see whether there is anything wrapped.
const TRIED_ROOM: usize = 512;
/// Digits in a row that may be hexadecimal.
const SHORTEST_DIGITS: usize = 24;

/// Marked fields that are looked at without reading the document that they are in.
const FEW_MARKS: usize = 16;

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

impl Tally {
    /// What was done since it was that.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            work: self.work - before.work,
            fields: self.fields - before.fields,
            lookups: self.lookups - before.lookups,
        }
    }
}

/// Emptied batches and class bits, as many as were in use at once.
pub(crate) type Spare = Vec<(Batch, Classes)>;

/// Bytes of one of them from which it is not kept for the next record.
const MOST_SPARE: usize = 2 << 20;

/// Without those that take much memory.
pub(crate) fn small(mut spare: Spare) -> Spare {
    spare.retain(|(batch, classes)| batch.memory() + classes.memory() <= MOST_SPARE);
    spare
}

/// What exploring some bytes gave so far.
#[derive(Default)]
struct Haul {
    /// What was seen in the bytes themselves, fields yet unnamed.
    finds: Vec<Find>,
    /// What was seen in fields, with their names.
    named: Vec<Find>,
    /// What was seen in fields whose names are still to be read.
    unlabelled: Vec<Find>,
    /// What was seen in marked spans that were undone.
    undone: Vec<Find>,
    /// What was undone: it need not be read as it stands.
    done: Vec<Range<usize>>,
    /// A piece of a value was seen: the rest may be in other fields.
    has_pieces: bool,
    /// Where words stand that are compared with whole fields, in order.
    short_words: Vec<usize>,
    /// The same with checksums and what betrays short values in base64 or hexadecimal.
    spots: Vec<usize>,
}

/// The search of one record.
pub(crate) struct Explorer<'s> {
    /// What is looked for.
    pub(crate) needles: &'s Needles,
    pub(crate) options: &'s Options,
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
    /// Emptied batches and class bits for reuse.
    pub(crate) spare: Spare,
    /// Where short values were seen that count only where they are whole fields.
    candidates: Vec<usize>,
    /// Needles of which a piece was seen in the bytes at hand.
    pieces: BTreeSet<u32>,
    /// Recognisers of data that nobody planted.
    pub(crate) recognisers: Option<Recognisers>,
    /// What they recognised, by the numbers of the finds.
    pub(crate) recognitions: Vec<Recognition>,
    /// What was seen of planted files, by the numbers of the finds.
    pub(crate) beside: Vec<SeenBeside>,
    /// Files that tell something, by the numbers of the finds.
    pub(crate) told: Vec<Told>,
    /// The bytes at hand are what such a file tells.
    pub(crate) is_reading: bool,
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
            spare: Vec::new(),
            candidates: Vec::new(),
            pieces: BTreeSet::new(),
            recognisers: options.recognise.map(Recognisers::new),
            recognitions: Vec::new(),
            beside: Vec::new(),
            told: Vec::new(),
            is_reading: false,
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
        self.look_beside(bytes, &mut finds);
        self.read_beside(bytes, node, &mut finds);
        if node.is_field {
            self.compare_whole(bytes, &mut finds);
        } else {
            self.compare_keyed(bytes, &mut finds);
        }
        if digest::is_length(bytes.len()) {
            self.look_up(bytes, 0, &mut finds);
        }
        if self.unwrap_whole(bytes, node, &mut finds) {
            return finds;
        }
        self.explore_keyed(bytes, node, &mut finds);
        self.explore_shifted(bytes, node, &mut finds);
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
        let mut finds = self.explore_text(bytes, structure, node, finds);
        finds.append(&mut named);
        finds
    }

    /// Planted files.
    fn look_beside(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let needles = self.needles;
        let Some(beside) = needles.beside.as_ref().filter(|beside| bytes.len() >= beside.shortest()) else { return };
        let looked = beside.look(bytes);
        if looked.is_cut || !self.affords(looked.work) {
            self.limits.insert(Limit::Work);
        }
        self.tally.work = self.tally.work.saturating_add(looked.work);
        for seen in looked.seen {
            let Some(datum) = needles.data.iter().position(|sought| sought.id == seen.datum) else { continue };
            let find = Find::new(datum as u32, Seen::Beside(self.beside.len() as u32), seen.range.clone());
            self.beside.push(seen);
            self.keep(find, finds);
        }
    }

    /// `whole` was seen by undoing the bytes as a whole: what looks like an escape in them is none.
    fn explore_text(
        &mut self,
        bytes: &[u8],
        structure: Option<&'static dyn Structure>,
        node: Node,
        mut whole: Vec<Find>,
    ) -> Vec<Find> {
        let mut haul = Haul::default();
        let (mut batch, mut classes) = self.spare.pop().unwrap_or_default();
        classes.read(bytes);
        let marks = Marks::of(bytes, &classes);
        self.candidates.clear();
        self.pieces.clear();
        self.scan(bytes, &mut haul.finds);
        haul.spots = std::mem::take(&mut self.candidates);
        self.recognise(bytes, &mut haul.finds);
        let is_unknown = structure.is_none();
        let structure = structure.filter(|structure| !structure.fields_are_bodies());
        if let Some(structure) = structure {
            let pieces = self.pieces_of(bytes, &classes);
            haul.has_pieces = !pieces.is_empty() && bytes.len() <= split::LONGEST_OF_WORDS;
            if !pieces.is_empty() {
                self.explore_split(bytes, structure, &pieces, &mut haul.named);
            }
        }
        if let Some(structure) = structure {
            haul.short_words = self.short_words(bytes, &classes);
            haul.spots.extend_from_slice(&haul.short_words);
            self.checksum_spots(bytes, &classes, &mut haul.spots);
            haul.spots.sort_unstable();
            let all = node.context == Context::Cookie || haul.has_pieces || self.must_visit_all(bytes, &classes);
            let has_spaces = structure.plus_is_space() && memchr::memchr(b'+', bytes).is_some();
            let must_walk = all || has_spaces || !haul.spots.is_empty();
            let only_candidates = !must_walk && !marks.is_empty() && marks.are_candidates();
            if let Some(mut vain) =
                if only_candidates { self.marked_in_vain(bytes, structure, &marks, node) } else { None }
            {
                haul.done.append(&mut vain);
            } else if must_walk || !marks.is_empty() {
                self.explore_fields(bytes, structure, (&marks, all), node, &mut batch, &mut haul);
                self.search_batch(&mut batch, bytes, node, &mut haul.finds, &mut haul.unlabelled);
            }
        }
        // What looks like a document may be none, and names may be escaped too.
        haul.done.sort_by_key(|span| (span.start, span.end));
        self.explore_spans(bytes, &marks.outside(&haul.done), node, &mut batch, &mut haul);
        let Haul { mut finds, mut named, mut unlabelled, mut undone, done, .. } = haul;
        // Base64 of which only the padding is escaped is read where it is not.
        finds.retain(|find| {
            !inside_one(&find.range, &done) || (find.steps.is_empty() && !begins_in_escape(bytes, find.range.start))
        });
        finds.append(&mut undone);
        finds.append(&mut whole);
        self.explore_embedded(bytes, is_unknown, node, &mut finds);
        if !is_text(bytes) && std::str::from_utf8(bytes).is_err() {
            self.digests_in_binary(bytes, &mut finds);
            self.keyed_in_binary(bytes, &mut finds);
        }
        // What was undone is a whole of its own.
        if (node.is_field || node.depth > 0)
            && structure.is_none()
            && (is_text(bytes) || codec::lz_string::may_be_utf16(bytes))
        {
            leaves(bytes, 0..bytes.len(), &mut batch);
        }
        self.explore_runs(bytes, &classes, node, &done, &mut batch, &mut finds);
        self.explore_own_alphabets(bytes, node, &mut finds);
        self.search_batch(&mut batch, bytes, node, &mut finds, &mut unlabelled);
        self.spare.push((batch, classes));
        if !finds.is_empty() {
            finds = attribute(bytes, node.context, finds);
        }
        if let Some(structure) = structure {
            label(bytes, structure, &mut unlabelled);
        }
        finds.append(&mut named);
        finds.append(&mut unlabelled);
        finds
    }

    /// The textual lane.
    fn scan(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let needles = self.needles;
        needles.filter.scan(bytes, &mut |found| {
            if let Some(find) = self.text_find(&found, bytes) {
                self.keep(find, finds);
            }
        });
    }

    /// Adds a find while there is room. Several ways lead to most of them, so there is room for
    /// more than will be kept.
    pub(crate) fn keep(&mut self, find: Find, finds: &mut Vec<Find>) {
        if self.is_full(finds) {
            self.limits.insert(Limit::Sightings);
        } else {
            finds.push(find);
        }
    }

    /// True where there is room for no more. What was recognised takes no room from what was planted.
    fn is_full(&self, finds: &[Find]) -> bool {
        finds.len()
            >= self.options.sightings.saturating_mul(4).saturating_add(self.recognitions.len() + self.told.len())
    }

    /// Recognitions kept of one record.
    pub(crate) fn most_recognised(&self) -> usize {
        self.options.sightings
    }

    /// What the filter found, out of its dress.
    fn text_find(&mut self, found: &Match, bytes: &[u8]) -> Option<Find> {
        let textual = self.needles.textual.get(found.pattern)?;
        let needle = self.needles.all.get(textual.needle as usize)?;
        let range = found.range.clone();
        let as_needle = || Find::new(needle.datum, Seen::Text(textual.needle, false), 0..range.len());
        let mut find = as_needle();
        match textual.dress {
            Dress::Plain => {
                let recased = bytes.get(range.clone())? != needle.bytes;
                return Some(Find::new(needle.datum, Seen::Text(textual.needle, recased), range));
            }
            Dress::Piece => {
                if split::may_begin_or_end_field(bytes, &range, &needle.bytes) {
                    self.pieces.insert(textual.needle);
                }
                return None;
            }
            Dress::Candidate => {
                self.candidates.push(range.start);
                return None;
            }
            Dress::Base64(shift) => {
                let value = textual.case.of(&needle.bytes);
                let aligned = codec::base64::aligned(bytes, &range, &value, shift)?;
                let seen = Seen::Text(textual.needle, value != needle.bytes);
                find = Find::new(needle.datum, seen, aligned.decoded);
                let map = codec::base64::map(aligned.encoded.start, Vec::new());
                find.through(codec::base64::NAME, None, &aligned.encoded, &map, 0);
            }
            Dress::Hex => {
                let value = textual.case.of(&needle.bytes);
                let run = codec::hex::aligned(bytes, &range);
                let start = (range.start - run.start) / 2;
                let seen = Seen::Text(textual.needle, value != needle.bytes);
                find = Find::new(needle.datum, seen, start..start + value.len());
                find.through(codec::hex::NAME, None, &run, &codec::hex::map(run.start), 0);
            }
            Dress::ReversedBase64(shift) | Dress::Rot13Base64(shift) => {
                let reversed = matches!(textual.dress, Dress::ReversedBase64(_));
                find = transformed_base64(find, bytes, &range, &needle.bytes, shift, reversed)?;
            }
            Dress::ReversedHex => {
                let length = range.len();
                find = Find::new(needle.datum, Seen::Text(textual.needle, false), 0..length / 2);
                find.through(codec::hex::NAME, None, &(0..length), &codec::hex::map(0), 0);
                find.through("reversed", None, &range, &Map::Reversed { start: range.start, length }, 0);
            }
            Dress::Base32(alphabet) => {
                let encoded = codec::base32::delimited(bytes, &range)?;
                let seen = Seen::Text(textual.needle, false);
                find = Find::new(needle.datum, seen, 0..needle.bytes.len());
                let map = codec::base32::map(encoded.start);
                find.through(codec::base32::NAME, codec::base32::detail(alphabet), &encoded, &map, 0);
            }
            Dress::ReversedText => {
                let by = Some(BY_CHARACTERS.to_owned());
                find.through("reversed", by, &range, &Map::Whole(range.clone()), 0);
            }
            Dress::Reversed => {
                let map = Map::Reversed { start: range.start, length: range.len() };
                find.through("reversed", None, &range, &map, 0);
            }
            Dress::Rot13 => find.through("rot13", None, &range, &Map::shift(range.start), 0),
            Dress::Xor | Dress::Sum => {
                let domain = if textual.dress == Dress::Xor { Domain::Xor } else { Domain::Sum };
                let (name, detail) = under_key(domain, found.key);
                find.through(name, Some(detail), &range, &Map::shift(range.start), 0);
            }
        }
        Some(find)
    }

    /// Searches what was undone of the bytes and empties the batch. What was seen in fields goes
    /// to `unlabelled`.
    pub(crate) fn search_batch(
        &mut self,
        batch: &mut Batch,
        bytes: &[u8],
        node: Node,
        finds: &mut Vec<Find>,
        unlabelled: &mut Vec<Find>,
    ) {
        if batch.items.is_empty() {
            return;
        }
        if self.spend(batch.arena.len()) {
            let numbers = self.numbers + 1;
            self.numbers += batch.items.len() as u64;
            let mut found = Vec::new();
            self.look_up_digests(batch, &mut found);
            let mut may_be_signed = codec::signatures(&batch.arena);
            // What is explored is scanned there.
            let mut from = 0;
            for (index, item) in batch.items.iter().enumerate() {
                if self.deserves_exploring(item, batch.decoded(item), may_be_signed(&item.decoded)) {
                    self.scan_arena(batch, from..item.decoded.start, &mut found);
                    from = item.decoded.end;
                    self.explore_item(batch, index, item, bytes, node, &mut found);
                } else {
                    self.look_up_item(batch, index, item, &mut found);
                }
            }
            self.scan_arena(batch, from..batch.arena.len(), &mut found);
            for (index, mut find) in found {
                let Some(item) = batch.items.get(index) else { continue };
                batch.through(item, bytes, numbers + index as u64, &mut find);
                let is_field = matches!(item.undo, Undo::Field(..));
                find.named += usize::from(is_field);
                self.keep(find, if is_field { unlabelled } else { finds });
            }
        }
        batch.clear();
    }

    /// The numbers of the items in which something is seen, or may be once they are explored. Counts what looking takes.
    pub(crate) fn stirring(&mut self, batch: &Batch) -> Vec<usize> {
        self.tally.work = self.tally.work.saturating_add(batch.arena.len() as u64);
        let (mut found, lookups) = (Vec::new(), self.tally.lookups);
        self.look_up_digests(batch, &mut found);
        // What is found is counted once more when it is searched, and not here.
        self.tally.lookups =
            lookups + batch.items.iter().map(|item| lookups_of(item.undo, batch.decoded(item))).sum::<u64>();
        let mut stirring = Vec::new();
        let mut may_be_signed = codec::signatures(&batch.arena);
        for (index, item) in batch.items.iter().enumerate() {
            if self.deserves_exploring(item, batch.decoded(item), may_be_signed(&item.decoded)) {
                stirring.push(index);
            } else {
                self.look_up_item(batch, index, item, &mut found);
            }
        }
        stirring.extend(found.into_iter().map(|(index, _)| index));
        let needles = self.needles;
        needles.filter.scan(&batch.arena, &mut |at| {
            let first = batch.items.partition_point(|item| item.decoded.end <= at.range.start);
            let last = batch.items.partition_point(|item| item.decoded.start < at.range.end);
            stirring.extend(first..last);
        });
        stirring
    }

    fn spend(&mut self, bytes: usize) -> bool {
        let affordable = self.affords(bytes as u64);
        if affordable {
            self.tally.work += bytes as u64;
        } else {
            self.limits.insert(Limit::Work);
        }
        affordable
    }

    fn scan_arena(&mut self, batch: &Batch, stretch: Range<usize>, found: &mut Vec<(usize, Find)>) {
        let start = stretch.start;
        let Some(text) = batch.arena.get(stretch).filter(|text| !text.is_empty()) else { return };
        let needles = self.needles;
        let most = self.options.sightings.saturating_mul(4);
        needles.filter.scan(text, &mut |mut at| {
            at.range = at.range.start + start..at.range.end + start;
            let after = batch.items.partition_point(|item| item.decoded.start <= at.range.start);
            let Some((index, item)) = after.checked_sub(1).and_then(|index| Some((index, batch.items.get(index)?)))
            else {
                return;
            };
            if at.range.end > item.decoded.end || found.len() >= most {
                return;
            }
            let range = at.range.start - item.decoded.start..at.range.end - item.decoded.start;
            let find = self.text_find(&Match { range, ..at }, batch.decoded(item));
            found.extend(find.map(|find| (index, find)));
        });
    }

    /// Looks an item up among digests and short values.
    fn look_up_item(&mut self, batch: &Batch, index: usize, item: &Item, found: &mut Vec<(usize, Find)>) {
        let decoded = batch.decoded(item);
        let mut finds = Vec::new();
        if matches!(item.undo, Undo::Field(..)) {
            self.compare_whole(decoded, &mut finds);
            self.recognise(decoded, &mut finds);
        } else {
            self.compare_keyed(decoded, &mut finds);
            if is_text(decoded) {
                self.recognise(decoded, &mut finds);
            }
        }
        found.extend(finds.into_iter().map(|find| (index, find)));
    }

    /// Explores an item that may hold more.
    fn explore_item(
        &mut self,
        batch: &Batch,
        index: usize,
        item: &Item,
        bytes: &[u8],
        node: Node,
        found: &mut Vec<(usize, Find)>,
    ) {
        let decoded = batch.decoded(item);
        let mut finds = Vec::new();
        let is_field = match item.undo {
            Undo::Field(..) => true,
            _ => node.is_field && item.encoded.len() + 3 > bytes.len(),
        };
        if self.may_go_deeper(node) {
            finds = self.explore(decoded, node.inner(is_field));
        }
        found.extend(finds.into_iter().map(|find| (index, find)));
    }

    /// Looks all items up among the digests.
    fn look_up_digests(&mut self, batch: &Batch, found: &mut Vec<(usize, Find)>) {
        let needles = self.needles;
        let mut lookups = Lookups::new(&needles.digests);
        for (index, item) in batch.items.iter().enumerate() {
            let decoded = batch.decoded(item);
            if decoded.len() < digest::SHORTEST {
                continue;
            }
            lookups.add_at(index, 0, decoded);
            self.tally.lookups += lookups_of(item.undo, decoded);
            if is_slid(item.undo, decoded) {
                within(decoded.len(), |at| lookups.add_at(index, at, decoded));
            } else if item.undo == Undo::Hex {
                let ends = digest::LENGTHS.iter().filter_map(|length| decoded.len().checked_sub(*length));
                ends.for_each(|at| lookups.add_at(index, at, decoded));
            }
        }
        for (index, at) in lookups.finish() {
            let Some(item) = batch.items.get(index) else { continue };
            let decoded = batch.decoded(item);
            self.tally.lookups += u64::from(is_slid(item.undo, decoded));
            let mut finds = Vec::new();
            self.look_up_counted(decoded, at, &mut finds);
            found.extend(finds.into_iter().map(|find| (index, find)));
        }
    }

    /// True where undone bytes may hold another wrapping.
    fn deserves_exploring(&self, item: &Item, decoded: &[u8], may_be_signed: bool) -> bool {
        let is_run = !matches!(item.undo, Undo::Field(..) | Undo::Mapped(..));
        if decoded.len() >= ALWAYS_EXPLORED
            || self.needles.may_decrypt(decoded.len())
            || shifted_document::may_be(decoded)
        {
            return true;
        }
        if is_run && !begins_like_text(decoded) {
            return decoded.len() >= SHORTEST_DOCUMENT
                && (may_be_signed && codec::holds_signature(decoded) || is_binary_document(decoded));
        }
        has_wrapping(decoded) || is_short_base64(decoded) || !self.needles.alphabets.is_empty()
    }

    /// The whole-field lane. Values this short are also tried behind one base64 or hex coding
    /// here, because the run codecs need longer runs.
    pub(crate) fn compare_whole(&mut self, field: &[u8], finds: &mut Vec<Find>) {
        self.tally.fields += 1;
        self.checksums(field, finds);
        self.compare_keyed(field, finds);
        if self.needles.has_field_of(field.len()) {
            finds.extend(self.field_finds(field));
        }
        let padding = field.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
        let characters = &field[..field.len() - padding];
        let base64 = |decoded: &mut Vec<u8>| {
            codec::base64::decode_into(characters, decoded);
        };
        if self.needles.has_field_of(characters.len() * 3 / 4)
            && characters.iter().all(|byte| codec::base64::is_character(*byte))
        {
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

    /// Values too short for the filter's keyed lanes, as the whole of some bytes.
    fn compare_keyed(&self, bytes: &[u8], finds: &mut Vec<Find>) {
        if self.needles.short_keyed.has_length(bytes.len()) {
            self.needles.short_keyed.whole(bytes, &mut |met| finds.extend(self.keyed_find(&met)));
        }
    }

    /// The same anywhere in bytes that are not text.
    fn keyed_in_binary(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let needles = self.needles;
        needles.short_keyed.anywhere(bytes, &mut |met| {
            if let Some(find) = self.keyed_find(&met) {
                self.keep(find, finds);
            }
        });
    }

    fn keyed_find(&self, met: &Met) -> Option<Find> {
        let datum = self.needles.all.get(met.needle as usize)?.datum;
        let mut find = Find::new(datum, Seen::Text(met.needle, false), 0..met.range.len());
        let (name, detail) = under_key(met.domain, met.key);
        find.through(name, Some(detail), &met.range, &Map::shift(met.range.start), 0);
        Some(find)
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
        if let Typed::Integer(number) = typed {
            let digests = &self.needles.digests;
            digests.of_integer(number, &mut |number| finds.extend(self.checksum(number, value.len())));
        }
    }

    /// Checksums of few bits, which count only as whole fields.
    fn checksums(&self, field: &[u8], finds: &mut Vec<Find>) {
        if digest::CHECKSUM_TEXT.contains(&field.len()) {
            let digests = &self.needles.digests;
            digests.of_field(field, &mut |number| finds.extend(self.checksum(number, field.len())));
        }
    }

    fn checksum(&self, number: u32, length: usize) -> Option<Find> {
        let digests = &self.needles.digests;
        let mut find = Find::new(digests.datum(number)?, Seen::Digest(number), 0..length);
        find.through(&digests.description(number, length)?.step, None, &(0..length), &Map::shift(0), 0);
        Some(find)
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
        self.look_up_counted(bytes, at, finds);
    }

    fn look_up_counted(&mut self, bytes: &[u8], at: usize, finds: &mut Vec<Find>) {
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
            self.keep(find, finds);
        });
    }

    /// Undoes a compression that spans the bytes. True where the bytes themselves need no search.
    fn unwrap_whole(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) -> bool {
        if is_plain(bytes) {
            return false;
        }
        // Behind base64, bytes of lz-string are its text form, which is undone as such.
        for codec in codec::whole(bytes, node.is_field) {
            let mut found = None;
            codec.find(bytes, &Marks::default(), &mut |span| found = Some(span));
            if found.is_some_and(|span| self.unwrap(codec, bytes, &span, node, finds)) {
                return codec.name() == "gzip";
            }
        }
        false
    }

    /// Undoes one key over a whole JSON document, or its reversal.
    fn explore_shifted(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        let Some(undone) = shifted_document::undo(bytes) else { return };
        if !self.may_go_deeper(node) || bytes.len() > self.room() {
            return;
        }
        let number = self.number();
        for mut find in self.explore(&undone.bytes, node.inner(node.is_field)) {
            find.through(undone.name, undone.detail.clone(), &(0..bytes.len()), &undone.map, number);
            self.keep(find, finds);
        }
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

    /// Every field needs a look of its own where a short value may be one without standing out.
    fn must_visit_all(&self, bytes: &[u8], classes: &Classes) -> bool {
        codec::lz_string::stands_in(bytes)
            || self.needles.has_broken_fields()
            || bytes.len() <= split::LONGEST_OF_WORDS && self.has_keyed_word(bytes, classes)
    }

    /// The needles of which a piece is in the bytes.
    fn pieces_of(&mut self, bytes: &[u8], classes: &Classes) -> BTreeSet<u32> {
        let mut pieces = std::mem::take(&mut self.pieces);
        if bytes.len() <= split::LONGEST_OF_WORDS {
            let needles = self.needles;
            for length in needles.end_lengths() {
                classes.words_of(length, |start| pieces.extend(needles.ending_with(bytes, start, length)));
            }
        }
        pieces
    }

    /// Where words of the bytes stand that are values compared with whole fields.
    fn short_words(&self, bytes: &[u8], classes: &Classes) -> Vec<usize> {
        let mut found = Vec::new();
        classes.words_of_each(self.needles.word_lengths(), |start, length| {
            if self.needles.is_short_word_at(bytes, start, length) {
                found.push(start);
            }
        });
        found.sort_unstable();
        found
    }

    /// True where a word or a text without spaces may be a short value under a key.
    fn has_keyed_word(&self, bytes: &[u8], classes: &Classes) -> bool {
        let keyed = &self.needles.short_keyed;
        let mut found = false;
        for length in keyed.lengths() {
            classes.words_of(length, |start| found |= keyed.may_stand_at(bytes, start));
            classes.dense_of(length, |start| found |= keyed.may_stand_at(bytes, start));
        }
        found
    }

    /// True where one of them stands in a field that is more than that word.
    fn has_short_word(&self, bytes: &[u8], field: &Range<usize>, short_words: &[usize]) -> bool {
        if !(SHORTEST_ROW + 1..=LONGEST_NESTED).contains(&field.len()) {
            return false;
        }
        let first = short_words.partition_point(|start| *start < field.start);
        short_words.get(first).is_some_and(|start| *start < field.end)
            || (is_in_word(bytes, field.start) || is_in_word(bytes, field.end))
                && bytes[field.clone()].split(|byte| !is_word(*byte)).any(|word| self.needles.is_short_word(word))
    }

    /// Where the words of the bytes stand that are known checksums.
    fn checksum_spots(&self, bytes: &[u8], classes: &Classes, spots: &mut Vec<usize>) {
        let mut from = 0;
        while let Some(word) = classes.digits_run(from) {
            from = word.end;
            if is_checksum(self.needles, bytes, word.clone()) {
                spots.push(word.start);
            }
        }
    }

    /// The fields in which something is marked, where each can be told without reading the document and
    /// nothing is in any of them.
    fn marked_in_vain(
        &mut self,
        bytes: &[u8],
        structure: &dyn Structure,
        marks: &Marks,
        node: Node,
    ) -> Option<Vec<Range<usize>>> {
        if marks.candidates.len() > FEW_MARKS {
            return None;
        }
        let around = |found: &Candidate| structure.field_around(bytes, found.span.start);
        let mut fields = marks.candidates.iter().map(around).collect::<Option<Vec<_>>>()?;
        fields.dedup();
        let mut in_vain = |field: &Range<usize>| self.explore_field(&bytes[field.clone()], node).is_empty();
        fields.iter().all(&mut in_vain).then_some(fields)
    }

    /// Of all fields, or only of those in which something stands out.
    fn explore_fields(
        &mut self,
        bytes: &[u8],
        structure: &dyn Structure,
        (marks, all): (&Marks, bool),
        node: Node,
        batch: &mut Batch,
        haul: &mut Haul,
    ) {
        let (mut has_mark, mut has_other) = (marks.any_in_each(), marks.but_entities().any_in_each());
        let spots = std::mem::take(&mut haul.spots);
        let mut has_spot = any_of(&spots);
        let may_be_quiet = !all && self.may_be_quiet();
        let mut quiet = Quiet::default();
        structure.walk(bytes, &mut |field| {
            let (marked, spotted) = (has_mark(&field.range), has_spot(&field.range));
            if !(all || marked || spotted || stands_out(bytes, structure, field)) {
                self.tally.fields += 1;
                return ControlFlow::Continue(());
            }
            if may_be_quiet
                && marked
                && !spotted
                && field.coding == Coding::Plain
                && !has_other(&field.range)
                && quiet.takes(self.needles, bytes, &field.range)
            {
                self.tally.fields += 1;
                haul.done.push(field.range.clone());
                if quiet.is_full() {
                    self.scan_quiet(&mut quiet);
                }
                return ControlFlow::Continue(());
            }
            self.visit_field(bytes, (structure, field), marked, node, batch, haul);
            if self.limits.contains(&Limit::Work) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.scan_quiet(&mut quiet);
        self.explore_woken(bytes, structure, &quiet.into_woken(), node, batch, haul);
    }

    /// True where all that is looked for in plain words is what [`Quiet`] asks for.
    pub(crate) fn may_be_quiet(&self) -> bool {
        let needles = self.needles;
        self.recognisers.is_none()
            && self.session_ciphers.is_empty()
            && needles.keyed.is_empty()
            && needles.alphabets.is_empty()
            && !needles.has_broken_fields()
    }

    fn scan_quiet(&mut self, quiet: &mut Quiet) {
        let scanned = quiet.scan(&self.needles.filter);
        self.tally.work += scanned as u64;
    }

    /// Explores quiet fields in which a pattern stands.
    fn explore_woken(
        &mut self,
        bytes: &[u8],
        structure: &dyn Structure,
        woken: &[Range<usize>],
        node: Node,
        batch: &mut Batch,
        haul: &mut Haul,
    ) {
        let mut woken = woken.iter().peekable();
        if woken.peek().is_none() {
            return;
        }
        structure.walk(bytes, &mut |field| {
            if woken.next_if(|range| **range == field.range).is_some() {
                self.visit_field(bytes, (structure, field), true, node, batch, haul);
            }
            if woken.peek().is_none() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// Explores a field, or puts its unescaped value into the batch, or compares it.
    fn visit_field(
        &mut self,
        bytes: &[u8],
        (structure, field): (&dyn Structure, &Field<'_>),
        marked: bool,
        node: Node,
        batch: &mut Batch,
        haul: &mut Haul,
    ) {
        let value = &bytes[field.range.clone()];
        let escaped = structure.plus_is_space() || !field.chunks.is_empty() || marked;
        let mut found = Vec::new();
        if field.typed != Typed::Bytes {
            self.compare_typed(field.typed, value, &mut found);
        } else if let Some((decoded, map)) = if escaped { field.decode(bytes) } else { None } {
            let mut recognised = Vec::new();
            self.recognise_field(&field.label, &decoded, &mut recognised);
            self.add_field_step(recognised, field, &map, &mut haul.named);
            batch.push_field(field.codec, field.range.clone(), &decoded, map);
            // Where nothing but `+` is escaped, it may be one: of base64, written as it is.
            if marked {
                haul.done.push(field.range.clone());
            }
            if batch.is_full() {
                self.search_batch(batch, bytes, node, &mut haul.finds, &mut haul.unlabelled);
            }
        } else if marked
            || self.is_odd_field(bytes, &field.range, node, &haul.short_words)
            || haul.has_pieces && form_begins(value)
        {
            found = self.explore_field(value, node);
            haul.done.push(field.range.clone());
        } else {
            self.compare_whole(value, &mut found);
        }
        self.add_field_step(found, field, &Map::shift(field.range.start), &mut haul.named);
    }

    /// True for a field that codecs of whole fields undo and that is no run of its own.
    fn is_odd_field(&self, bytes: &[u8], field: &Range<usize>, node: Node, short_words: &[usize]) -> bool {
        let value = &bytes[field.clone()];
        codec::lz_string::may_be_utf16(value)
            || shifted_document::may_be(value)
            || (self.has_short_word(bytes, field, short_words) && recognise(value, Context::Any).is_some())
            || node.context == Context::Cookie && is_leaf(value)
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
                self.recognise_field(&field.label, &joined, &mut found);
                found.append(&mut self.explore_field(&joined, node));
                map = chunk_map;
            } else {
                self.recognise_field(&field.label, value, &mut found);
                found.append(&mut self.explore_field(value, node));
            }
            self.add_field_step(found, field, &map, finds);
            if self.limits.contains(&Limit::Work) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// Undoes what has a signature anywhere in bytes that are not text.
    fn explore_embedded(&mut self, bytes: &[u8], is_unknown: bool, node: Node, finds: &mut Vec<Find>) {
        if is_text(bytes) {
            return;
        }
        for codec in EMBEDDED {
            if codec.name() == codec::embedded_json::ABOUT.name && !is_unknown {
                continue;
            }
            let mut spans = Vec::new();
            codec.find(bytes, &Marks::default(), &mut |span| spans.push(span));
            for span in spans {
                self.unwrap(codec, bytes, &span, node, finds);
            }
        }
    }

    /// Raw digests anywhere in bytes that are not text.
    fn digests_in_binary(&mut self, bytes: &[u8], finds: &mut Vec<Find>) {
        let Some(last) = bytes.len().checked_sub(digest::LONG) else { return };
        let mut starts = Vec::new();
        self.needles.digests.starts(bytes, |at| starts.push(at));
        for at in starts.into_iter().filter(|at| *at > 0) {
            self.look_up(bytes, at, finds);
            if self.is_full(finds) {
                self.limits.insert(Limit::Sightings);
                break;
            }
        }
        self.tally.lookups += last as u64;
    }

    /// Undoes what is marked in the text.
    fn explore_spans(&mut self, bytes: &[u8], marks: &Marks, node: Node, batch: &mut Batch, haul: &mut Haul) {
        if !marks.is_empty() {
            let mut spans = Vec::new();
            for codec in MARKED {
                codec.find(bytes, marks, &mut |span| spans.push((codec, span)));
            }
            for (codec, span) in spans {
                if let Some(unwrapped) = codec.unwrap(bytes, span.clone(), self.room()) {
                    if unwrapped.cut {
                        self.limits.insert(Limit::Work);
                    }
                    batch.push_unwrapped(codec.name(), span.clone(), unwrapped);
                    if codec.is_certain() {
                        haul.done.push(span);
                    }
                    if batch.is_full() {
                        self.search_batch(batch, bytes, node, &mut haul.undone, &mut haul.unlabelled);
                    }
                }
            }
        }
        haul.done.sort_by_key(|span| (span.start, span.end));
    }
}

/// A value in base64 that was reversed or rotated: the run around it is turned back.
fn transformed_base64(
    mut find: Find,
    bytes: &[u8],
    found: &Range<usize>,
    value: &[u8],
    shift: u8,
    reversed: bool,
) -> Option<Find> {
    let run = codec::base64::run_around(bytes, found, reversed);
    let text = bytes.get(run.clone())?;
    let (name, turned, inside, map): (_, Vec<u8>, _, _) = if reversed {
        let map = Map::Reversed { start: run.start, length: run.len() };
        ("reversed", text.iter().rev().copied().collect(), run.end - found.end..run.end - found.start, map)
    } else {
        let inside = found.start - run.start..found.end - run.start;
        ("rot13", text.iter().map(|byte| rot13(*byte)).collect(), inside, Map::shift(run.start))
    };
    let aligned = codec::base64::aligned(&turned, &inside, value, shift)?;
    find.range = aligned.decoded.clone();
    find.decoded = aligned.decoded;
    find.through(
        codec::base64::NAME,
        None,
        &aligned.encoded,
        &codec::base64::map(aligned.encoded.start, Vec::new()),
        0,
    );
    find.through(name, None, &run, &map, 0);
    Some(find)
}

/// Gives the steps through fields their labels, in one pass over the document.
fn label(bytes: &[u8], structure: &dyn Structure, finds: &mut [Find]) {
    if finds.is_empty() {
        return;
    }
    finds.sort_by_key(|find| find.steps.last().map_or(0, |step| step.encoded.start));
    let mut at = 0;
    structure.walk(bytes, &mut |field| {
        let start = field.range.start as u64;
        let mut detail = None;
        while let Some(step) = finds.get_mut(at).and_then(|find| find.steps.last_mut()) {
            if step.encoded.start > start {
                break;
            }
            if step.encoded.start == start {
                step.detail.clone_from(detail.get_or_insert_with(|| field.label.detail()));
            }
            at += 1;
        }
        if at < finds.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
}

/// True for a field that needs a look though neither a mark nor a word in it says so.
fn stands_out(bytes: &[u8], structure: &dyn Structure, field: &Field<'_>) -> bool {
    let value = &bytes[field.range.clone()];
    field.typed != Typed::Bytes
        || !field.chunks.is_empty()
        || structure.plus_is_space() && memchr::memchr(b'+', value).is_some()
        || is_in_word(bytes, field.range.start)
        || is_in_word(bytes, field.range.end)
        // A checksum as it is.
        || matches!(value.len(), 4 | 8) && !is_text(value)
        || shifted_document::may_be(value)
}

/// True where the byte is a digit of a percent escape: `%2013800000427` begins with a space, not with 0.
fn begins_in_escape(bytes: &[u8], at: usize) -> bool {
    let escape = |back: usize| at.checked_sub(back).and_then(|start| bytes.get(start..start + 3));
    let is = |escape: &[u8]| matches!(escape, [b'%', rest @ ..] if rest.iter().all(u8::is_ascii_hexdigit));
    [1, 2].into_iter().filter_map(escape).any(is)
}

/// True for what words are made of: letters, digits and bytes over 0x7f.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte > 0x7f
}

/// True where a word goes on across that place.
fn is_in_word(bytes: &[u8], at: usize) -> bool {
    let is_word = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|byte| is_word(*byte));
    is_word(at.checked_sub(1)) && is_word(Some(at))
}

/// True where one of the spans, which are in order, holds the range.
fn inside_one(range: &Range<usize>, spans: &[Range<usize>]) -> bool {
    let after = spans.partition_point(|span| span.start <= range.start);
    after.checked_sub(1).and_then(|last| spans.get(last)).is_some_and(|span| range.end <= span.end)
}

/// True for a form of two fields or more.
fn form_begins(value: &[u8]) -> bool {
    memchr::memchr(b'&', value).is_some() && codec::form::begins(value)
}

/// Calls `visit` with each place where digests are looked for within so many decoded bytes beside their start: a digest
/// that is cut ends them, and is cut as is usual.
fn within(length: usize, mut visit: impl FnMut(usize)) {
    let last = length.saturating_sub(digest::LONG);
    for at in 1..=last {
        visit(at);
    }
    for cut in digest::LENGTHS.into_iter().rev().filter(|cut| *cut < digest::LONG) {
        if let Some(at) = length.checked_sub(cut).filter(|at| *at > last) {
            visit(at);
        }
    }
}

/// Places of undone bytes that are looked up among the digests. All are counted, so that the bits are never more than
/// there are.
pub(crate) fn lookups_of(undo: Undo, decoded: &[u8]) -> u64 {
    let more = match undo {
        _ if decoded.len() < digest::SHORTEST => return 0,
        _ if is_slid(undo, decoded) => decoded.len() - digest::SHORTEST,
        Undo::Hex => digest::LENGTHS.len(),
        _ => 0,
    };
    1 + more as u64
}

/// True where a digest may begin at any of the bytes: digests in hexadecimal may stand beside each other; elsewhere
/// they begin the bytes.
fn is_slid(undo: Undo, decoded: &[u8]) -> bool {
    undo == Undo::Hex && decoded.len() <= LONGEST_SLID
}

/// True for text in which something may be undone.
fn has_wrapping(text: &[u8]) -> bool {
    let (mut row, mut digits, mut list, mut separators) = (0, 0, 0, 0);
    let suspicious = |byte: &u8| {
        let separates = matches!(byte, b' ' | b',' | b':' | b';' | b'-');
        list = if separates || byte.is_ascii_hexdigit() || *byte == b'x' { list + 1 } else { 0 };
        separators = if list == 0 { 0 } else { separators + u32::from(separates) };
        if list >= SHORTEST_LIST && separators >= LEAST_SEPARATORS {
            return true;
        }
        row = if codec::base64::is_character(*byte) { row + 1 } else { 0 };
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        (row >= SHORTEST_ROW && (row != digits || row >= SHORTEST_DIGITS))
            || matches!(byte, b'%' | b'\\' | b'&' | 0..b' ' | 0x7f..)
    };
    text.iter().any(suspicious)
        || recognise(text, Context::Any).is_some()
        || is_leaf(text)
        || codec::is_list_or_quoted(text)
}

/// True for base64 too short to be told from a word but by its signs and padding. A URL and a form escape those, so
/// what finds short runs where they stand does not see it.
fn is_short_base64(text: &[u8]) -> bool {
    let sign = |byte: &u8| matches!(byte, b'+' | b'/' | b'=');
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let characters = &text[..text.len() - padding];
    (SHORTEST_SIGNED..SHORTEST_ROW + 3).contains(&text.len())
        && text.iter().any(sign)
        && characters.iter().all(|byte| codec::base64::is_character(*byte))
}

/// True for compressed bytes and documents that are no text.
pub(crate) fn is_binary_document(decoded: &[u8]) -> bool {
    let compressed = |codec: &'static dyn Codec| {
        let mut found = None;
        codec.find(decoded, &Marks::default(), &mut |span| found = Some(span));
        // Beginnings look right too often: some of it must come out.
        found.is_some_and(|span| codec.unwrap(decoded, span, TRIED_ROOM).is_some())
    };
    matches!(decoded, [_, 0, _, 0, ..] | [0, _, 0, _, ..])
        || recognise(decoded, Context::Any).is_some()
        || codec::whole(decoded, false).any(compressed)
}

/// True for bytes that begin with eight printable characters or consist of them.
pub(crate) fn begins_like_text(bytes: &[u8]) -> bool {
    match bytes.first_chunk::<8>() {
        Some(start) => {
            // No byte over 0x7f, and taking 0x20 from each borrows nowhere.
            let word = u64::from_le_bytes(*start);
            let high = 0x8080_8080_8080_8080;
            (word | word.wrapping_sub(0x2020_2020_2020_2020)) & high == 0
        }
        None => bytes.iter().all(|byte| (b' '..0x7f).contains(byte)),
    }
}

/// True for bytes that begin with more printable ASCII than any compressed stream or wide text does.
fn is_plain(bytes: &[u8]) -> bool {
    let start = bytes.get(..LEAST_PLAIN).unwrap_or(bytes);
    start.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// True where no byte near the start is a control character or over 0x7f.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let is_one = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    let (chunks, rest) = bytes.get(..LOOKED_AT).unwrap_or(bytes).as_chunks::<64>();
    // Without an early end within a chunk, so that compilers make it into vector instructions.
    chunks.iter().all(|chunk| chunk.iter().fold(true, |all, byte| all & is_one(*byte)))
        && rest.iter().all(|byte| is_one(*byte))
}
