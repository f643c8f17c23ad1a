//! Base64 and hexadecimal runs: decoded many at a time into one arena and searched there together.
//!
//! An ordinary document has a candidate every dozen bytes, nearly all of them plain words. Giving
//! each a search of its own would cost more than everything else, so only those whose decoded
//! bytes look like text, begin like a compressed stream or are long are explored by themselves.

use crate::classify::{Base64Bits, SHORTEST_RUN, hex_runs};
use crate::codec::{base64, hex};
use crate::digest;
use crate::explore::{Explorer, Node};
use crate::find::Find;
use crate::scanner::Limit;
use std::ops::Range;

/// Decoded bytes after which the arena is searched: what stays in the first-level cache.
const ARENA: usize = 16 << 10;
/// Decoded runs of this length are explored whatever they look like.
const ALWAYS_EXPLORED: usize = 24;
/// Longest decoded hexadecimal run in which a digest is looked for at every byte.
const LONGEST_SLID: usize = 128;

/// How a run is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Base64,
    /// Several lines; the number is that of the list of line ends.
    Lines(u32),
    Hex,
}

/// One decoded run. Kept small: there are as many as words.
#[derive(Debug, Clone, Copy)]
struct Run {
    coding: Coding,
    /// First character in the bytes at hand, and one past the last, without padding.
    characters: (usize, usize),
    /// First byte in the arena, and one past the last.
    decoded: (usize, usize),
}

impl Run {
    fn decoded<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        arena.get(self.decoded.0..self.decoded.1).unwrap_or_default()
    }
}

/// Runs waiting to be searched. Reused, so that small pieces of text need no allocation.
#[derive(Default)]
pub(crate) struct Batch {
    bits: Base64Bits,
    arena: Vec<u8>,
    runs: Vec<Run>,
    /// Where line ends were skipped, as the position map wants them.
    skips: Vec<Vec<(usize, usize)>>,
}

impl Batch {
    fn clear(&mut self) {
        self.arena.clear();
        self.runs.clear();
        self.skips.clear();
    }

    /// Decodes a run, or keeps it where it may be one of several lines of one text.
    fn add(&mut self, bytes: &[u8], run: Range<usize>, lines: &mut Vec<Range<usize>>) {
        if lines.last().is_some_and(|last| !base64::continues(bytes, last, &run)) {
            self.add_lines(bytes, lines);
        }
        hex_runs(&bytes[run.clone()], |digits| self.hex(bytes, &(run.start + digits.start..run.start + digits.end)));
        let is_last = !base64::may_continue(&run);
        if is_last && lines.is_empty() {
            self.base64(bytes, &run);
            return;
        }
        lines.push(run);
        if is_last {
            self.add_lines(bytes, lines);
        }
    }

    /// Decodes the collected lines of one text and forgets them.
    fn add_lines(&mut self, bytes: &[u8], lines: &mut Vec<Range<usize>>) {
        if let Some(last) = lines.last() {
            lines.extend(short_last_line(bytes, last));
        }
        match &lines[..] {
            [run] => self.base64(bytes, run),
            lines => self.base64_lines(bytes, lines),
        }
        lines.clear();
    }

    fn base64(&mut self, bytes: &[u8], run: &Range<usize>) {
        if self.base64_part(bytes, run.clone()) {
            base64::alignments(bytes, run, |part| {
                self.base64_part(bytes, part);
            });
        }
    }

    /// True where a character is among those that may separate words.
    fn base64_part(&mut self, bytes: &[u8], characters: Range<usize>) -> bool {
        let start = self.arena.len();
        let separated = base64::decode_into(&bytes[characters.clone()], &mut self.arena);
        self.push(Coding::Base64, &characters, start);
        separated
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
        self.push(Coding::Lines(self.skips.len() as u32), &(first.start..last.end), start);
        self.skips.push(skips);
    }

    fn hex(&mut self, bytes: &[u8], digits: &Range<usize>) {
        for digits in hex::alignments(digits) {
            let start = self.arena.len();
            hex::decode_into(&bytes[digits.clone()], &mut self.arena);
            self.push(Coding::Hex, &digits, start);
        }
    }

    fn push(&mut self, coding: Coding, characters: &Range<usize>, start: usize) {
        let characters = (characters.start, characters.end);
        self.runs.push(Run { coding, characters, decoded: (start, self.arena.len()) });
    }

    /// Adds the step that undoes the run. `bytes` are the bytes at hand.
    fn through(&self, run: &Run, bytes: &[u8], find: &mut Find) {
        let (start, end) = run.characters;
        let (name, end, map) = match run.coding {
            Coding::Hex => (hex::NAME, end, hex::map(start)),
            Coding::Base64 => (base64::NAME, base64::padded_end(bytes, end), base64::map(start, Vec::new())),
            Coding::Lines(number) => {
                let skips = self.skips.get(number as usize).cloned().unwrap_or_default();
                (base64::NAME, base64::padded_end(bytes, end), base64::map(start, skips))
            }
        };
        find.through(name, None, &(start..end), &map, 0);
    }
}

impl Explorer<'_> {
    /// Finds, decodes and searches every run outside `done`, which is sorted.
    pub(crate) fn explore_runs(&mut self, bytes: &[u8], node: Node, done: &[Range<usize>], finds: &mut Vec<Find>) {
        if bytes.len() < SHORTEST_RUN {
            return;
        }
        let mut batch = self.batches.pop().unwrap_or_default();
        batch.bits.read(bytes);
        let mut lines: Vec<Range<usize>> = Vec::new();
        let mut done = done.iter().peekable();
        let mut from = 0;
        while let Some(run) = batch.bits.run_from(from) {
            from = run.end;
            while done.next_if(|span| span.end < run.end).is_some() {}
            if done.peek().is_some_and(|span| span.start <= run.start) {
                continue;
            }
            batch.add(bytes, run, &mut lines);
            if batch.arena.len() >= ARENA {
                self.search_batch(&mut batch, bytes, node, finds);
            }
        }
        batch.add_lines(bytes, &mut lines);
        self.search_batch(&mut batch, bytes, node, finds);
        self.batches.push(batch);
    }

    /// Searches what was decoded of the bytes and empties the batch.
    fn search_batch(&mut self, batch: &mut Batch, bytes: &[u8], node: Node, finds: &mut Vec<Find>) {
        if self.spend(batch.arena.len()) {
            self.scan_arena(batch, bytes, finds);
            for run in &batch.runs {
                let decoded = run.decoded(&batch.arena);
                let explored = deserves_exploring(decoded) || self.needles.may_decrypt(decoded.len());
                if !explored && decoded.len() < digest::SHORTEST {
                    continue;
                }
                let mut found = Vec::new();
                if decoded.len() >= digest::SHORTEST {
                    self.look_up_run(run.coding, decoded, &mut found);
                }
                if explored && self.may_go_deeper(node) {
                    let is_field = node.is_field && run.characters == (0, bytes.len());
                    found.append(&mut self.explore(decoded, node.inner(is_field)));
                }
                for mut find in found {
                    batch.through(run, bytes, &mut find);
                    self.keep(find, finds);
                }
            }
        }
        batch.clear();
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

    fn scan_arena(&mut self, batch: &Batch, bytes: &[u8], finds: &mut Vec<Find>) {
        let needles = self.needles;
        needles.filter.scan(&batch.arena, &mut |number, range| {
            let after = batch.runs.partition_point(|run| run.decoded.0 <= range.start);
            let Some(run) = after.checked_sub(1).and_then(|at| batch.runs.get(at)) else { return };
            if range.end > run.decoded.1 {
                return;
            }
            let range = range.start - run.decoded.0..range.end - run.decoded.0;
            if let Some(mut find) = self.text_find(number, run.decoded(&batch.arena), range) {
                batch.through(run, bytes, &mut find);
                self.keep(find, finds);
            }
        });
    }

    /// Digests in hexadecimal may stand beside each other; in base64 they are a run of their own.
    fn look_up_run(&mut self, coding: Coding, decoded: &[u8], finds: &mut Vec<Find>) {
        let shortest = digest::SHORTEST;
        let Some(last) = decoded.len().checked_sub(shortest) else { return };
        if coding != Coding::Hex {
            if digest::is_length(decoded.len()) {
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

/// The rest of a wrapped base64 text, where it is too short to be a run.
fn short_last_line(bytes: &[u8], last: &Range<usize>) -> Option<Range<usize>> {
    let line_end = bytes.get(last.end..)?.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let start = last.end + line_end;
    let rest = bytes.get(start..)?.iter().take(SHORTEST_RUN);
    let length = rest.take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)).count();
    let line = start..start + length;
    ((2..SHORTEST_RUN).contains(&length) && base64::continues(bytes, last, &line)).then_some(line)
}

/// True where the bytes may hold another wrapping: they are long, begin like gzip or zlib, or
/// begin with eight printable characters (or consist of them).
fn deserves_exploring(decoded: &[u8]) -> bool {
    if decoded.len() >= ALWAYS_EXPLORED || matches!(decoded, [0x1f, 0x8b, 8, ..] | [0x78, ..]) {
        return true;
    }
    match decoded.first_chunk::<8>() {
        Some(start) => {
            // No byte over 0x7f, and taking 0x20 from each borrows nowhere.
            let word = u64::from_le_bytes(*start);
            let high = 0x8080_8080_8080_8080;
            (word | word.wrapping_sub(0x2020_2020_2020_2020)) & high == 0
        }
        None => decoded.iter().all(|byte| (b' '..0x7f).contains(byte)),
    }
}
