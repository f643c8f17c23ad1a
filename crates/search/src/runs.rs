//! Base64 and hexadecimal runs: decoded many at a time into one arena and searched there together.
//!
//! An ordinary document has a candidate every dozen bytes, nearly all of them plain words. Giving
//! each a search of its own would cost more than everything else, so only those whose decoded
//! bytes look like text, begin like a compressed stream or are long are explored by themselves.

use crate::classify::{SHORTEST_RUN, base64_runs, hex_runs};
use crate::codec::{base64, hex};
use crate::digest;
use crate::explore::{Explorer, Node};
use crate::find::Find;
use crate::map::Map;
use std::ops::Range;

/// Decoded bytes after which the arena is searched: what stays in the first-level cache.
const ARENA: usize = 16 << 10;
/// Decoded runs of this length are explored whatever they look like.
const ALWAYS_EXPLORED: usize = 24;
/// Longest decoded hexadecimal run in which a digest is looked for at every byte.
const LONGEST_SLID: usize = 128;

/// One decoded run.
struct Run {
    name: &'static str,
    /// The characters, with padding, in the bytes at hand.
    encoded: Range<usize>,
    /// The bytes in the arena.
    decoded: Range<usize>,
    /// From offsets within `decoded` to the bytes at hand.
    map: Map,
}

#[derive(Default)]
struct Batch {
    arena: Vec<u8>,
    runs: Vec<Run>,
}

impl Batch {
    /// Decodes the collected lines of one text and forgets them.
    fn add_lines(&mut self, bytes: &[u8], lines: &mut Vec<Range<usize>>) {
        if let Some(last) = lines.last() {
            lines.extend(short_last_line(bytes, last));
        }
        match &lines[..] {
            [run] => base64::alignments(bytes, run, |part| self.base64(bytes, part)),
            lines => self.base64_lines(bytes, lines),
        }
        lines.clear();
    }

    fn base64(&mut self, bytes: &[u8], characters: Range<usize>) {
        let start = self.arena.len();
        base64::decode_into(&bytes[characters.clone()], &mut self.arena);
        let encoded = characters.start..base64::padded_end(bytes, characters.end);
        let map = base64::map(characters.start, Vec::new());
        self.runs.push(Run { name: base64::NAME, encoded, decoded: start..self.arena.len(), map });
    }

    fn base64_lines(&mut self, bytes: &[u8], lines: &[Range<usize>]) {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
        let start = self.arena.len();
        let mut characters = Vec::new();
        let mut skips = Vec::new();
        for line in lines {
            if !characters.is_empty() {
                skips.push((characters.len(), line.start - first.start - characters.len()));
            }
            characters.extend_from_slice(&bytes[line.clone()]);
        }
        base64::decode_into(&characters, &mut self.arena);
        let encoded = first.start..base64::padded_end(bytes, last.end);
        let map = base64::map(first.start, skips);
        self.runs.push(Run { name: base64::NAME, encoded, decoded: start..self.arena.len(), map });
    }

    fn hex(&mut self, bytes: &[u8], digits: Range<usize>) {
        let start = self.arena.len();
        hex::decode_into(&bytes[digits.clone()], &mut self.arena);
        let map = hex::map(digits.start);
        self.runs.push(Run { name: hex::NAME, encoded: digits, decoded: start..self.arena.len(), map });
    }
}

impl Explorer<'_> {
    /// Finds, decodes and searches every run outside `done`, which is sorted.
    pub(crate) fn explore_runs(&mut self, bytes: &[u8], node: Node, done: &[Range<usize>], finds: &mut Vec<Find>) {
        let mut batch = Batch::default();
        let mut lines: Vec<Range<usize>> = Vec::new();
        base64_runs(bytes, |run| {
            if is_inside(&run, done) {
                return;
            }
            if lines.last().is_none_or(|last| !base64::continues(bytes, last, &run)) {
                batch.add_lines(bytes, &mut lines);
            }
            hex_runs(&bytes[run.clone()], |digits| {
                for digits in hex::alignments(&(run.start + digits.start..run.start + digits.end)) {
                    batch.hex(bytes, digits);
                }
            });
            lines.push(run);
            if batch.arena.len() >= ARENA {
                self.search_batch(&mut batch, bytes.len(), node, finds);
            }
        });
        batch.add_lines(bytes, &mut lines);
        self.search_batch(&mut batch, bytes.len(), node, finds);
    }

    /// Searches what was decoded of bytes of that length.
    fn search_batch(&mut self, batch: &mut Batch, length: usize, node: Node, finds: &mut Vec<Find>) {
        let Batch { arena, runs } = std::mem::take(batch);
        let work = arena.len() as u64;
        if !self.affords(work) {
            self.limits.insert(crate::scanner::Limit::Work);
            return;
        }
        self.tally.work += work;
        self.scan_arena(&arena, &runs, finds);
        for run in &runs {
            let decoded = &arena[run.decoded.clone()];
            let mut found = Vec::new();
            self.look_up_run(run.name, decoded, &mut found);
            if deserves_exploring(decoded) && self.may_go_deeper(node) {
                found.append(&mut self.explore(decoded, node.inner(node.is_field && run.encoded.len() == length)));
            }
            for mut find in found {
                find.through(run.name, None, &run.encoded, &run.map, 0);
                finds.push(find);
            }
        }
        *batch = Batch { arena, runs };
        batch.arena.clear();
        batch.runs.clear();
    }

    fn scan_arena(&self, arena: &[u8], runs: &[Run], finds: &mut Vec<Find>) {
        self.needles.filter.scan(arena, &mut |number, range| {
            let after = runs.partition_point(|run| run.decoded.start <= range.start);
            let Some(run) = after.checked_sub(1).and_then(|at| runs.get(at)) else { return };
            if range.end > run.decoded.end {
                return;
            }
            let decoded = &arena[run.decoded.clone()];
            let range = range.start - run.decoded.start..range.end - run.decoded.start;
            if let Some(mut find) = self.text_find(number, decoded, range) {
                find.through(run.name, None, &run.encoded, &run.map, 0);
                finds.push(find);
            }
        });
    }

    /// Digests in hexadecimal may stand beside each other; in base64 they are a run of their own.
    fn look_up_run(&mut self, name: &str, decoded: &[u8], finds: &mut Vec<Find>) {
        let [shortest, _, _] = digest::LENGTHS;
        let Some(last) = decoded.len().checked_sub(shortest) else { return };
        if name == base64::NAME {
            if digest::LENGTHS.contains(&decoded.len()) {
                self.look_up(decoded, 0, finds);
            }
        } else if decoded.len() <= LONGEST_SLID {
            (0..=last).for_each(|at| self.look_up(decoded, at, finds));
        } else {
            self.look_up(decoded, 0, finds);
            for length in digest::LENGTHS {
                self.look_up(decoded, decoded.len() - length, finds);
            }
        }
    }
}

fn is_inside(run: &Range<usize>, done: &[Range<usize>]) -> bool {
    let after = done.partition_point(|span| span.start <= run.start);
    after.checked_sub(1).and_then(|at| done.get(at)).is_some_and(|span| run.end <= span.end)
}

/// The rest of a wrapped base64 text, where it is too short to be a run.
fn short_last_line(bytes: &[u8], last: &Range<usize>) -> Option<Range<usize>> {
    let line_end = bytes.get(last.end..)?.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let start = last.end + line_end;
    let rest = bytes.get(start..)?.iter().take(SHORTEST_RUN);
    let length = rest.take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)).count();
    let line = start..start + length;
    ((2..SHORTEST_RUN).contains(&length) && base64::continues(bytes, last, &line)).then_some(line)
}

/// True where the bytes may hold another wrapping: they begin with eight printable characters (or
/// consist of them), begin like gzip or zlib, or are long.
fn deserves_exploring(decoded: &[u8]) -> bool {
    let start = decoded.get(..8).unwrap_or(decoded);
    let printable = start.iter().all(|byte| (b' '..0x7f).contains(byte) || matches!(byte, b'\n' | b'\r' | b'\t'));
    decoded.len() >= ALWAYS_EXPLORED || printable || matches!(decoded, [0x1f, 0x8b, 8, ..] | [0x78, ..])
}
