//! Byte-identical pieces: anchors of 32 bytes at places that the contents choose, so that a piece is found wherever it
//! lies and whatever stands before it.
//!
//! A place is an anchor where a hash of its four first bytes has nine zero bits: every 512th, in the original as in
//! whatever holds a piece of it. Only the rest is looked up. Anchors are taken from coded pixels alone, because headers
//! and tables are shared by all pictures of one camera; and one that stands in two originals belongs to neither.

use crate::extent::{Extent, Steps, extent};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of an anchor.
const ANCHOR: usize = 32;
/// Different values among them: runs of one byte stand everywhere.
const LEAST_DIFFERENT: usize = 12;
/// The difference of bytes so far apart does not depend on a repeating key whose length divides this. Keys of other
/// lengths (3, 6, 12) are not found.
const KEY: usize = 16;
/// Runs of one buffer that are followed.
const MOST_RUNS: usize = 10_000;
/// Bytes whose differences are made at once.
const WINDOW: usize = 64 << 10;

/// The anchors of all originals.
#[derive(Default)]
pub(crate) struct Pieces {
    originals: Vec<Held>,
    plain: Table,
    /// Of the differences between bytes [`KEY`] apart.
    keyed: Table,
}

/// By hash: which original, and where in it.
type Table = HashMap<u64, (u32, u32), BuildHasherDefault<AsItIs>>;

/// Belongs to several originals.
const SHARED: u32 = u32::MAX;

/// An original's bytes.
struct Held {
    bytes: Arc<[u8]>,
    coded: Vec<Range<usize>>,
    coded_bytes: usize,
}

/// A run of an original's bytes in others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Which original, in the order of adding.
    pub(crate) original: usize,
    /// Where.
    pub(crate) at: Range<usize>,
    /// Where in the original it begins.
    pub(crate) from: usize,
    /// Length of the key under which it lies; 0 where it lies open.
    pub(crate) key: usize,
}

impl Pieces {
    /// Adds a file; one that is no picture has its anchors everywhere.
    pub(crate) fn add(&mut self, bytes: Arc<[u8]>) {
        let number = u32::try_from(self.originals.len()).unwrap_or(SHARED - 1);
        let coded = extent(&bytes, 0, &mut Steps::of(bytes.len()))
            .map_or_else(|| std::iter::once(0..bytes.len()).collect(), |Extent { coded, .. }| coded);
        for range in &coded {
            let region = bytes.get(range.clone()).unwrap_or_default();
            anchors(region, |at, key| put(&mut self.plain, key, (number, (range.start + at) as u32)));
            let differences: Vec<u8> = differences(region).collect();
            anchors(&differences, |at, key| put(&mut self.keyed, key, (number, (range.start + at) as u32)));
        }
        let coded_bytes = coded.iter().map(ExactSizeIterator::len).sum();
        self.originals.push(Held { bytes, coded, coded_bytes });
    }

    /// Bytes of an original.
    pub(crate) fn length(&self, original: usize) -> usize {
        self.originals.get(original).map_or(0, |held| held.bytes.len())
    }

    /// Share of an original's coded bytes that a run of it covers, and whether it begins where those begin.
    pub(crate) fn covered(&self, run: &Run) -> (usize, usize, bool) {
        let Some(held) = self.originals.get(run.original) else { return (0, 0, false) };
        let (from, to) = (run.from, run.from + run.at.len());
        let within = |range: &Range<usize>| range.end.min(to).saturating_sub(range.start.max(from));
        let begins = held.coded.first().is_some_and(|first| from <= first.start);
        (held.coded.iter().map(within).sum(), held.coded_bytes, begins)
    }

    /// The runs that lie open, in order.
    pub(crate) fn open(&self, bytes: &[u8]) -> Vec<Run> {
        let (mut runs, mut done) = (Vec::new(), 0);
        anchors(bytes, |at, key| {
            if at < done || runs.len() >= MOST_RUNS {
                return;
            }
            let Some(run) = self.plain.get(&key).and_then(|found| self.extend((bytes, done), at, *found, &[0; KEY]))
            else {
                return;
            };
            done = run.at.end;
            runs.push(run);
        });
        runs
    }

    /// The runs that lie under a repeating key of 1, 2, 4, 8 or 16 bytes, in order.
    pub(crate) fn under_key(&self, bytes: &[u8]) -> Vec<Run> {
        let (mut runs, mut done, mut start) = (Vec::new(), 0, 0);
        while start + KEY + ANCHOR <= bytes.len() {
            let window = bytes.get(start..bytes.len().min(start + WINDOW + KEY + ANCHOR)).unwrap_or_default();
            let differences: Vec<u8> = differences(window).collect();
            anchors(&differences, |at, key| {
                let at = start + at;
                if at < done || runs.len() >= MOST_RUNS {
                    return;
                }
                let Some(run) = self.keyed.get(&key).and_then(|found| self.with_key((bytes, done), at, *found)) else {
                    return;
                };
                done = run.at.end;
                runs.push(run);
            });
            start += WINDOW;
        }
        runs
    }

    /// The key is what stands between the bytes and the original's; where it is nothing, the run lies open.
    fn with_key(&self, (bytes, done): (&[u8], usize), at: usize, found: (u32, u32)) -> Option<Run> {
        let held = self.originals.get(found.0 as usize)?;
        let theirs = held.bytes.get(found.1 as usize..)?.first_chunk::<KEY>()?;
        let mut key = [0; KEY];
        for (index, (ours, theirs)) in bytes.get(at..at + KEY)?.iter().zip(theirs).enumerate() {
            key[(at + index) % KEY] = ours ^ theirs;
        }
        if key == [0; KEY] { None } else { self.extend((bytes, done), at, found, &key) }
    }

    /// As far as the bytes are the original's in both directions, and no shorter than an anchor.
    /// What is before `done` belongs to another run, so that no byte is compared twice.
    fn extend(
        &self,
        (bytes, done): (&[u8], usize),
        at: usize,
        (original, from): (u32, u32),
        key: &[u8; KEY],
    ) -> Option<Run> {
        let (original, from) = (original as usize, from as usize);
        let theirs = &self.originals.get(original)?.bytes;
        let same = |ours: usize, their: usize| {
            bytes.get(ours).zip(theirs.get(their)).is_some_and(|(ours_, their_)| ours_ ^ key[ours % KEY] == *their_)
        };
        let before = (1..=at.saturating_sub(done).min(from)).take_while(|back| same(at - back, from - back)).count();
        let behind = (0..theirs.len().saturating_sub(from)).take_while(|on| same(at + on, from + on)).count();
        let key = if *key == [0; KEY] { 0 } else { period(key) };
        let run = Run { original, at: at - before..at + behind, from: from - before, key };
        (run.at.len() >= ANCHOR).then_some(run)
    }
}

fn put(table: &mut Table, key: u64, place: (u32, u32)) {
    let stands = table.entry(key).or_insert(place);
    if stands.0 != place.0 {
        stands.0 = SHARED;
    }
}

fn differences(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let later = bytes.get(KEY..).unwrap_or_default();
    bytes.iter().zip(later).map(|(one, other)| one ^ other)
}

/// The shortest length that the key repeats after.
fn period(key: &[u8; KEY]) -> usize {
    [1, 2, 4, 8].into_iter().find(|length| key.iter().zip(key.iter().skip(*length)).all(|(a, b)| a == b)).unwrap_or(KEY)
}

/// Calls back for every anchor with its place and hash.
fn anchors(bytes: &[u8], mut each: impl FnMut(usize, u64)) {
    let Some(last) = bytes.len().checked_sub(ANCHOR) else { return };
    for (at, four) in bytes.windows(4).enumerate().take(last + 1) {
        let &[a, b, c, d] = four else { continue };
        // The golden ratio's multiplier spreads what differs in few bits (Knuth, volume 3, section 6.4).
        if u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9E37_79B1) >> 23 == 0 {
            let anchor = bytes.get(at..at + ANCHOR).unwrap_or_default();
            if is_various(anchor) {
                each(at, hash(anchor));
            }
        }
    }
}

fn is_various(anchor: &[u8]) -> bool {
    let mut seen = [0_u64; 4];
    for byte in anchor {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|bits| bits.count_ones() as usize).sum::<usize>() >= LEAST_DIFFERENT
}

fn hash(anchor: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    anchor.hash(&mut hasher);
    hasher.finish()
}

/// Keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
