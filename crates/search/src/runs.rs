//! Base64 and hexadecimal runs, and whole texts in denser codings, found by their characters.
//!
//! Words of ordinary text are base64, too. Runs under [`SHORTEST_DECODED`] characters are therefore
//! not decoded at all: the filter knows what the planted values look like in base64. Longer ones
//! are decoded at their own alignment, and at the three others where text stands there.

use crate::batch::{Batch, Undo};
use crate::classify::{Classes, SHORTEST_RUN, hex_runs};
use crate::codec::lz_string::LzString;
use crate::codec::sense::makes_sense;
use crate::codec::{Context, Leaf, base64, custom_base64, hex, leaves_of};
use crate::explore::{Explorer, Node, begins_like_text, is_binary_document};
use crate::find::Find;
use crate::lookups::Lookups;
use memchr::memmem::{FindIter, Finder};
use std::iter::Peekable;
use std::ops::Range;
use std::sync::LazyLock;

/// Shortest base64 run that is decoded: twelve bytes.
pub(crate) const SHORTEST_DECODED: usize = 16;
/// Shortest run of hexadecimal digits that is decoded: twelve bytes.
pub(crate) const SHORTEST_HEX: usize = 24;
/// Digits of a digest cut to eight bytes.
pub(crate) const CUT_DIGEST: usize = 16;
/// Shortest run that is looked at.
const SHORTEST_TRIED: usize = 10;
/// Shortest run in which a gzip stream is looked for at other places than its start.
const SHORTEST_GLUED: usize = 32;
/// Most places in one run at which a gzip stream is looked for.
const MOST_STREAMS: usize = 4;
/// What gzip's first three bytes are in base64.
static GZIP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"H4sI"));
/// Times that one run is decoded from other places than its start.
const MOST_REALIGNED: usize = 8;
/// Base64 characters of eight bytes, the shortest value that hides in a word.
pub(crate) const HIDING: usize = 11;
/// Longest text of base64 characters that may be base85.
const LONGEST_WORDY: usize = 48;
/// Shortest and longest text that codecs of whole fields are tried on.
const LEAF: std::ops::RangeInclusive<usize> = 8..=4096;

/// A pass over the runs of some bytes.
struct Runs<'r> {
    bytes: &'r [u8],
    classes: &'r Classes,
    /// Whether they are fields.
    fields: Fields,
    /// Lines of one base64 text, so far.
    lines: Vec<Range<usize>>,
    /// The first long run of digits that does not end before the run at hand.
    digits: Range<usize>,
    /// Where [`GZIP`] stands.
    streams: Peekable<FindIter<'r, 'static>>,
    lookups: Lookups<'r>,
}

/// What bytes are in which runs are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fields {
    /// They are no field.
    Not,
    /// A whole field.
    One,
    /// Fields with a zero byte behind each, and none in them.
    Many,
}

impl<'r> Runs<'r> {
    fn new(bytes: &'r [u8], classes: &'r Classes, fields: Fields, lookups: Lookups<'r>) -> Self {
        let streams = GZIP.find_iter(bytes).peekable();
        Self { bytes, classes, fields, lines: Vec::new(), digits: 0..0, streams, lookups }
    }
}

impl Runs<'_> {
    /// True where the run is all of a field.
    fn is_whole(&self, run: &Range<usize>) -> bool {
        let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == 0);
        match self.fields {
            Fields::Not => false,
            Fields::One => run.len() == self.bytes.len(),
            Fields::Many => {
                is_end(run.start.checked_sub(1).and_then(|before| self.bytes.get(before)))
                    && is_end(self.bytes.get(run.end))
            }
        }
    }

    /// True where the run is nothing but hexadecimal digits.
    fn is_hex(&self, run: &Range<usize>) -> bool {
        self.classes.all_digits(run) && memchr::memchr2(b'x', b'X', &self.bytes[run.clone()]).is_none()
    }

    /// Where gzip streams may begin in the run, but for its start: the first few. Asked in order.
    fn streams_in(&mut self, run: &Range<usize>, found: &mut Vec<usize>) {
        while self.streams.next_if(|at| *at <= run.start).is_some() {}
        let inside = |at: &usize| at + GZIP.needle().len() <= run.end;
        let streams = std::iter::from_fn(|| self.streams.next_if(inside));
        found.extend(streams.take(MOST_STREAMS).map(|at| at - run.start));
    }

    /// True where the run may hold so many hexadecimal digits that they are decoded. Asked in order.
    fn may_hold_hex(&mut self, run: &Range<usize>) -> bool {
        while self.digits.end <= run.start {
            let end = self.bytes.len();
            self.digits = self.classes.long_digits(self.digits.end).unwrap_or(end..end + 1);
        }
        self.digits.start < run.end
    }
}

impl Explorer<'_> {
    /// Finds and decodes every run outside `done`, which is sorted, and searches full batches.
    pub(crate) fn explore_runs(
        &mut self,
        bytes: &[u8],
        classes: &Classes,
        node: Node,
        done: &[Range<usize>],
        batch: &mut Batch,
        finds: &mut Vec<Find>,
    ) {
        if bytes.len() < SHORTEST_RUN {
            return;
        }
        let fields = if node.is_field { Fields::One } else { Fields::Not };
        let mut runs = Runs::new(bytes, classes, fields, Lookups::new(&self.needles.digests));
        let mut outside = Outside::new(done);
        let mut from = 0;
        while let Some(run) = classes.base64_run(from) {
            from = run.end;
            if outside.has(&run) {
                segments(bytes, node, run, |run| self.run(&mut runs, run, batch));
                self.search_when_full(batch, bytes, node, finds);
            }
        }
        lines_end(&mut runs, batch);
        let mut outside = Outside::new(done);
        let mut from = 0;
        while let Some(run) = classes.capital_base64_run(from) {
            from = run.end;
            if (SHORTEST_TRIED..SHORTEST_DECODED).contains(&run.len()) && outside.has(&run) {
                segments(bytes, node, run, |run| self.short_run(&runs, run, batch));
                self.search_when_full(batch, bytes, node, finds);
            }
        }
        let mut outside = Outside::new(done);
        let mut from = 0;
        while let Some(run) = classes.dense_run(from) {
            from = run.end;
            let is_field = node.is_field && run.len() == bytes.len();
            let may_be = LEAF.contains(&run.len()) && !is_field && may_be_base85(bytes, classes, &run);
            if may_be && outside.has(&run) {
                leaves(bytes, run, batch);
                self.search_when_full(batch, bytes, node, finds);
            }
        }
    }

    /// Decodes the runs of printable fields that lie one behind the other with a zero byte behind each: those that are
    /// wanted. No quotes are in them, and so nothing that stands in quotes.
    pub(crate) fn runs_of_fields(
        &mut self,
        bytes: &[u8],
        classes: &Classes,
        is_wanted: impl Fn(&Range<usize>) -> bool,
        batch: &mut Batch,
    ) {
        let mut runs = Runs::new(bytes, classes, Fields::Many, Lookups::new(&self.needles.digests));
        let mut from = 0;
        while let Some(run) = classes.base64_run(from) {
            from = run.end;
            if is_wanted(&run) {
                self.run(&mut runs, run, batch);
            }
        }
        lines_end(&mut runs, batch);
        let mut from = 0;
        while let Some(run) = classes.capital_base64_run(from) {
            from = run.end;
            if (SHORTEST_TRIED..SHORTEST_DECODED).contains(&run.len()) && is_wanted(&run) {
                self.short_run(&runs, run, batch);
            }
        }
    }

    /// Decodes runs in the tester's alphabets. Every word is such a run, so only what looks like text
    /// or a document is explored.
    pub(crate) fn explore_own_alphabets(&mut self, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        let needles = self.needles;
        for alphabet in &needles.alphabets {
            let mut runs = Vec::new();
            alphabet.runs(bytes, |run| segments(bytes, node, run, |run| runs.push(run)));
            for run in runs {
                let Some(sextets) = alphabet.sextets(&bytes[run.clone()]) else { continue };
                let mut starts = vec![0];
                base64::realigned(&sextets, |from| starts.push(from));
                for from in starts {
                    let mut decoded = Vec::new();
                    base64::pack_into(&sextets[from..], &mut decoded);
                    let worth = begins_like_text(&decoded)
                        || makes_sense(&decoded)
                        || is_binary_document(&decoded)
                        || needles.may_decrypt(decoded.len());
                    if !worth || !self.may_go_deeper(node) {
                        continue;
                    }
                    let number = self.number();
                    let encoded = run.start + from..alphabet.padded_end(bytes, run.end);
                    let map = custom_base64::map(encoded.start);
                    for mut find in self.explore(&decoded, node.inner(node.is_field && run.len() + 3 > bytes.len())) {
                        find.through(custom_base64::NAME, Some(alphabet.name.clone()), &encoded, &map, number);
                        self.keep(find, finds);
                    }
                }
            }
        }
    }

    fn search_when_full(&mut self, batch: &mut Batch, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        if batch.is_full() {
            self.search_batch(batch, bytes, node, finds, &mut Vec::new());
        }
    }

    /// Decodes a run, or keeps it where it may be one of several lines of one text.
    fn run(&mut self, runs: &mut Runs<'_>, run: Range<usize>, batch: &mut Batch) {
        if runs.lines.last().is_some_and(|last| !base64::continues(runs.bytes, last, &run)) {
            lines_end(runs, batch);
        }
        let all_hex = run.len() >= CUT_DIGEST && runs.is_hex(&run);
        if all_hex {
            self.digits(runs.bytes, &run, batch);
        } else if run.len() >= CUT_DIGEST && runs.may_hold_hex(&run) {
            hex_runs(&runs.bytes[run.clone()], |digits| {
                self.digits(runs.bytes, &(run.start + digits.start..run.start + digits.end), batch);
            });
        }
        if run.len() < SHORTEST_DECODED {
            if !runs.lines.is_empty() {
                lines_end(runs, batch);
            }
            self.short_run(runs, run, batch);
            return;
        }
        if all_hex {
            return;
        }
        let is_last = !base64::may_continue(&run);
        runs.lines.push(run);
        if is_last {
            lines_end(runs, batch);
        }
    }

    /// Decodes hexadecimal digits, where there are enough of them or they hold a value in disguise.
    fn digits(&self, bytes: &[u8], digits: &Range<usize>, batch: &mut Batch) {
        if digits.len() >= SHORTEST_HEX || digits.len() == CUT_DIGEST || self.is_short_hex(&bytes[digits.clone()]) {
            batch.hex(bytes, digits);
        }
    }

    /// Words are not decoded, unless they are padded, look like no word or hold a value in disguise.
    fn short_run(&self, runs: &Runs<'_>, run: Range<usize>, batch: &mut Batch) {
        let bytes = runs.bytes;
        let padded = bytes.get(run.end) == Some(&b'=')
            && (base64::padded_end(bytes, run.end) - run.start).is_multiple_of(4)
            && run.len() >= SHORTEST_DECODED - 4;
        let mixed = runs.classes.any_upper(&run) && is_mixed(&bytes[run.clone()]);
        if mixed || padded || self.hides_value(&bytes[run.clone()]) {
            batch.sextets.clear();
            base64::sextets_into(&bytes[run.clone()], &mut batch.sextets);
            batch.base64(&run, 0);
        }
        if mixed && !runs.is_whole(&run) {
            leaves_of_run(bytes, run, batch);
        }
    }

    /// True for a word that is base64 of a value reversed, rotated or under a key.
    pub(crate) fn hides_value(&self, word: &[u8]) -> bool {
        let Some(start) = word.get(..HIDING) else { return false };
        let mut decoded = Vec::with_capacity(HIDING);
        base64::decode_into(start, &mut decoded);
        decoded.first_chunk().is_some_and(|start| self.needles.short_keyed.may_begin(*start))
            || self.needles.may_decrypt(word.len() * 3 / 4)
    }

    /// True for a short run of digits that holds a value in disguise. Nothing else in it is worth a
    /// look: the filter knows what values are in hexadecimal, and most such runs are decimal numbers.
    fn is_short_hex(&self, digits: &[u8]) -> bool {
        if digits.len() < CUT_DIGEST || !digits.len().is_multiple_of(2) {
            return false;
        }
        let mut start = Vec::with_capacity(CUT_DIGEST / 2);
        hex::decode_into(&digits[..CUT_DIGEST], &mut start);
        let start = start.first_chunk().is_some_and(|start| self.needles.short_keyed.may_begin(*start));
        start || self.needles.may_decrypt(digits.len() / 2)
    }
}

/// Decodes the collected lines of one text and forgets them.
fn lines_end(runs: &mut Runs<'_>, batch: &mut Batch) {
    if let Some(last) = runs.lines.last() {
        runs.lines.extend(short_last_line(runs.bytes, last));
    }
    let mut lines = std::mem::take(&mut runs.lines);
    match &lines[..] {
        [] => {}
        [run] => base64_run(runs, run.clone(), batch),
        lines => batch.base64_lines(runs.bytes, lines),
    }
    lines.clear();
    runs.lines = lines;
}

/// Decodes one run at its own alignment and where something stands at another.
fn base64_run(runs: &mut Runs<'_>, run: Range<usize>, batch: &mut Batch) {
    let bytes = runs.bytes;
    let text = &bytes[run.clone()];
    if text.len() == hex::GUID {
        let start = batch.arena.len();
        if hex::guid_into(text, &mut batch.arena) {
            batch.push(Undo::Guid, run, start);
            return;
        }
    }
    batch.sextets.clear();
    base64::sextets_into(text, &mut batch.sextets);
    let mut others = Vec::new();
    // Twelve bytes or more in base64 have letters of both cases, which words often have not.
    if runs.classes.any_upper(&run) && runs.classes.any_lower(&run) {
        batch.base64(&run, 0);
    }
    base64::realigned(&batch.sextets, |from| others.push(from));
    if text.len() >= SHORTEST_GLUED {
        runs.streams_in(&run, &mut others);
    }
    digests_behind_separators(&mut runs.lookups, &batch.sextets, &mut others);
    for from in others.into_iter().take(MOST_REALIGNED) {
        batch.base64(&run, from);
    }
    if runs.is_whole(&run) {
        return;
    }
    if LEAF.contains(&run.len()) {
        leaves_of_run(bytes, run, batch);
    } else {
        // Other bytes break off within its first few codes.
        leaf(&LzString, bytes, run, batch);
    }
}

/// A character of `/ - _ +` may separate words: what stands behind it may be a known digest.
fn digests_behind_separators(lookups: &mut Lookups<'_>, sextets: &[u8], found: &mut Vec<usize>) {
    base64::separators(sextets, |at| {
        if let Some(start) = sextets.get(at + 1..).and_then(base64::first_eight) {
            lookups.add(0, at + 1, start);
        }
    });
    found.extend(lookups.finish().into_iter().map(|(_, at)| at));
}

/// Tries the codecs of whole fields on one text.
pub(crate) fn leaves(bytes: &[u8], text: Range<usize>, batch: &mut Batch) {
    let field = &bytes[text.clone()];
    // Without an early end, so that compilers make it into vector instructions.
    let is_wordy =
        field.len() > LONGEST_WORDY && field.iter().fold(true, |all, byte| all & base64::is_character(*byte));
    leaves_but(bytes, text, is_wordy, batch);
}

/// The same for a run of base64 characters.
fn leaves_of_run(bytes: &[u8], run: Range<usize>, batch: &mut Batch) {
    let is_wordy = run.len() > LONGEST_WORDY;
    leaves_but(bytes, run, is_wordy, batch);
}

/// Without the codecs that have more marks than a long text of words.
fn leaves_but(bytes: &[u8], text: Range<usize>, is_wordy: bool, batch: &mut Batch) {
    let field = &bytes[text.clone()];
    let mut decoded = Vec::new();
    for leaf in leaves_of(field, is_wordy) {
        decoded.clear();
        if leaf.decode(field, &mut decoded) {
            batch.push_mapped(leaf.name(), text.clone(), &decoded, leaf.map(field, text.start));
        }
    }
}

/// Tries one codec of whole fields on one text.
fn leaf(leaf: &dyn Leaf, bytes: &[u8], text: Range<usize>, batch: &mut Batch) {
    let field = &bytes[text.clone()];
    let mut decoded = Vec::new();
    if leaf.decode(field, &mut decoded) {
        batch.push_mapped(leaf.name(), text.clone(), &decoded, leaf.map(field, text.start));
    }
}

/// True where a codec of whole fields undoes the text.
pub(crate) fn is_leaf(text: &[u8]) -> bool {
    let mut decoded = Vec::new();
    LEAF.contains(&text.len()) && leaves_of(text, false).any(|leaf| leaf.decode(text, &mut decoded))
}

/// True for a quoted text that is no base64, no address and no ordinary word with punctuation.
fn may_be_base85(bytes: &[u8], classes: &Classes, run: &Range<usize>) -> bool {
    let end = classes.base64_end(run.start);
    let is_base64 = end >= run.end || end + 2 >= run.end && bytes[end..run.end].iter().all(|byte| *byte == b'=');
    if is_base64 || !is_quoted(bytes, run) {
        return false;
    }
    let text = &bytes[run.clone()];
    let common = |byte: &u8| byte.is_ascii_alphanumeric() || b"./:-_?=&,;()'[]{}".contains(byte);
    (classes.any_upper(run) || text.iter().any(|byte| !common(byte))) && !text.windows(3).any(|three| three == b"://")
}

/// True for text between quotes: a string of a document or a program.
fn is_quoted(bytes: &[u8], text: &Range<usize>) -> bool {
    bytes.get(text.end) == Some(&b'"') && text.start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'"')
}

/// Calls `visit` with the run, or in the path of a request target with its segments: `/` is a character
/// of base64, but there it separates.
fn segments(bytes: &[u8], node: Node, run: Range<usize>, mut visit: impl FnMut(Range<usize>)) {
    let is_path = node.context == Context::Url && memchr::memchr2(b'?', b'#', &bytes[..run.start]).is_none();
    if !is_path {
        return visit(run);
    }
    let mut from = run.start;
    for segment in bytes[run].split(|byte| *byte == b'/') {
        let range = from..from + segment.len();
        from = range.end + 1;
        if range.len() >= SHORTEST_TRIED {
            visit(range);
        }
    }
}

/// True for text with letters of both cases and digits, which words rarely are.
pub(crate) fn is_mixed(text: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// Tells ranges that overlap none of some sorted ranges. Asked in order.
struct Outside<'d> {
    done: Peekable<std::slice::Iter<'d, Range<usize>>>,
}

impl<'d> Outside<'d> {
    fn new(done: &'d [Range<usize>]) -> Self {
        Self { done: done.iter().peekable() }
    }

    fn has(&mut self, range: &Range<usize>) -> bool {
        while self.done.next_if(|span| span.end <= range.start).is_some() {}
        self.done.peek().is_none_or(|span| range.end <= span.start)
    }
}

/// The rest of a wrapped base64 text, where it is too short to be a run.
fn short_last_line(bytes: &[u8], last: &Range<usize>) -> Option<Range<usize>> {
    let line_end = bytes.get(last.end..)?.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let start = last.end + line_end;
    let rest = bytes.get(start..)?.iter().take(SHORTEST_DECODED);
    let length = rest.take_while(|byte| base64::is_character(**byte)).count();
    let line = start..start + length;
    ((2..SHORTEST_DECODED).contains(&length) && base64::continues(bytes, last, &line)).then_some(line)
}
