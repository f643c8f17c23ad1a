//! Originals in any bytes: as files, in pieces, under a key, and as pictures that show them.

use crate::extent::{extent, starts};
use crate::gallery::{Gallery, Likeness, Match};
use crate::pieces::{Pieces, Run};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Fewer bytes hold no piece that could be told from chance, and no picture that could be recognised.
pub const SHORTEST: usize = 256;
/// Bytes of coded pixels that make a piece evidence.
const LEAST_PIECE: usize = 1024;
/// Pictures of one buffer that are decoded.
const MOST_PICTURES: usize = 64;
/// Pictures whose matches are remembered: a body is looked at as a whole and in its parts.
const REMEMBERED: usize = 1024;

/// Something of an original in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// The number it was added under.
    pub original: u32,
    /// Where in the bytes. These bytes alone give the same.
    pub range: Range<usize>,
    /// What.
    pub what: What,
    /// Length of the repeating key under which it lies; 0 where it lies open.
    pub key: usize,
}

/// What of an original is in bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The file, byte for byte.
    File,
    /// All its coded pixels: header or notes differ.
    Pixels,
    /// So many of its coded bytes, of so many.
    Piece(usize, usize),
    /// Only its beginning, which pictures of one template may share.
    Beginning,
    /// A picture that shows it.
    Picture(Match),
}

/// What pictures showed, by two hashes of their bytes.
type Remembered = HashMap<(u64, u64), Arc<[Match]>>;

/// The subject's files, and how to find them again.
#[derive(Default)]
pub struct Finder {
    ids: Vec<u32>,
    pieces: Pieces,
    gallery: Gallery,
    matches: Mutex<Remembered>,
}

impl Finder {
    /// Without originals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under a number of the caller's. False where it is no picture that can be read: then only its bytes
    /// are looked for.
    pub fn add(&mut self, id: u32, file: Arc<[u8]>) -> bool {
        let is_picture = self.gallery.add(id, &file).is_ok();
        self.ids.push(id);
        self.pieces.add(file);
        is_picture
    }

    /// Everything of the originals that is in the bytes, in order.
    pub fn find(&self, bytes: &[u8]) -> Vec<Sight> {
        let mut sights = self.groups(&self.pieces.open(bytes));
        if sights.is_empty() {
            sights = self.groups(&self.pieces.under_key(bytes));
        }
        self.pictures(bytes, &mut sights);
        sights.sort_by_key(|sight| (sight.range.start, sight.original));
        sights
    }

    /// Runs of one original that follow one another as they do in it are one copy of it.
    fn groups(&self, runs: &[Run]) -> Vec<Sight> {
        let mut groups: Vec<Vec<&Run>> = Vec::new();
        for run in runs {
            let goes_on = |group: &&mut Vec<&Run>| {
                group.last().is_some_and(|last| {
                    last.original == run.original && last.key == run.key && last.from + last.at.len() <= run.from
                })
            };
            match groups.iter_mut().rev().find(goes_on) {
                Some(group) => group.push(run),
                None => groups.push(vec![run]),
            }
        }
        groups.iter().filter_map(|group| self.copy(group)).collect()
    }

    fn copy(&self, runs: &[&Run]) -> Option<Sight> {
        let (first, last) = (runs.first()?, runs.last()?);
        let covered: Vec<(usize, usize, bool)> = runs.iter().map(|run| self.pieces.covered(run)).collect();
        let of = covered.first()?.1;
        let coded: usize = covered.iter().map(|(coded, ..)| coded).sum();
        let only_beginning = runs.len() == 1 && covered.first()?.2 && coded * 2 < of;
        let what = match () {
            () if first.from == 0 && first.at.len() == self.pieces.length(first.original) => What::File,
            () if coded * 100 >= of * 99 => What::Pixels,
            () if coded < LEAST_PIECE => return None,
            () if only_beginning => What::Beginning,
            () => What::Piece(coded, of),
        };
        Some(Sight {
            original: *self.ids.get(first.original)?,
            range: first.at.start..last.at.end,
            what,
            key: first.key,
        })
    }

    /// Looks at the pictures in the bytes, but at those that are copies.
    fn pictures(&self, bytes: &[u8], sights: &mut Vec<Sight>) {
        let (mut done, mut looked) = (0, 0);
        for start in starts(bytes) {
            if start < done || looked >= MOST_PICTURES {
                continue;
            }
            let Some(picture) = extent(bytes, start) else { continue };
            let Range { start, end } = picture.whole;
            done = end;
            let is_copy = |sight: &Sight| {
                matches!(sight.what, What::File | What::Pixels) && sight.range.start < end && start < sight.range.end
            };
            if sights.iter().any(is_copy) {
                continue;
            }
            looked += 1;
            let matches = self.matches(bytes.get(start..end).unwrap_or_default());
            // What is the same picture is not also one of its template.
            let best = matches.iter().map(|found| found.likeness).min();
            let shown = matches.iter().filter(|found| Some(found.likeness) == best);
            sights.extend(shown.map(|found| Sight {
                original: found.original,
                range: start..end,
                what: What::Picture(*found),
                key: 0,
            }));
        }
    }

    fn matches(&self, picture: &[u8]) -> Arc<[Match]> {
        let key = (keyed_hash(1, picture), keyed_hash(2, picture));
        let lock = || self.matches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return Arc::clone(known);
        }
        let found: Arc<[Match]> = self.gallery.look_at(picture).unwrap_or_default().into();
        let mut known = lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&found));
        found
    }
}

impl Sight {
    /// Whether it is the original, not only something of its template.
    pub fn is_same(&self) -> bool {
        match &self.what {
            What::Picture(found) => found.likeness == Likeness::Same,
            What::Beginning => false,
            What::File | What::Pixels | What::Piece(..) => true,
        }
    }
}

fn keyed_hash(key: u8, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, bytes).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes like those of coded pixels.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn finder() -> (Finder, Vec<u8>, Vec<u8>) {
        let (one, other) = (noise(1, 40_000), noise(2, 30_000));
        let mut finder = Finder::new();
        assert!(!finder.add(7, one.clone().into()) && !finder.add(9, other.clone().into()), "these are no pictures");
        (finder, one, other)
    }

    #[test]
    fn a_file_is_found_wherever_it_lies() {
        let (finder, one, other) = finder();
        let body = [b"head".as_slice(), &one, b"--", &other, &one].concat();
        let found: Vec<_> =
            finder.find(&body).into_iter().map(|sight| (sight.original, sight.range, sight.what)).collect();
        let expected = [(7, 4..40_004, What::File), (9, 40_006..70_006, What::File), (7, 70_006..110_006, What::File)];
        assert_eq!(found, expected);
        assert_eq!(finder.find(&noise(3, 500_000)), []);
    }

    #[test]
    fn pieces_and_what_lacks_its_head_are_told_apart() {
        let (finder, one, _) = finder();
        let what = |bytes: &[u8]| finder.find(bytes).into_iter().map(|sight| sight.what).collect::<Vec<_>>();
        assert_eq!(what(&one[128..]), [What::Pixels]);
        assert_eq!(what(&one[10_000..18_000]), [What::Piece(8000, 40_000)]);
        assert_eq!(what(&one[..12_000]), [What::Beginning]);
        assert_eq!(what(&one[5000..5800]), [], "too little to be told");
    }

    #[test]
    fn a_key_of_up_to_sixteen_bytes_hides_nothing() {
        let (finder, one, _) = finder();
        for (key, period) in [(&b"\x5a"[..], 1), (b"ab", 2), (b"key!", 4), (b"0123456789abcdef", 16)] {
            let hidden: Vec<u8> = one.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            let found = finder.find(&[b"xyz".as_slice(), &hidden].concat());
            let found: Vec<_> = found.into_iter().map(|sight| (sight.range, sight.what, sight.key)).collect();
            assert_eq!(found, [(3..40_003, What::File, period)], "{period}");
        }
    }

    #[test]
    fn what_two_originals_share_accuses_neither() {
        let shared = noise(5, 20_000);
        let mut finder = Finder::new();
        for (id, seed) in [(1, 11), (2, 12)] {
            finder.add(id, [shared.clone(), noise(seed, 20_000)].concat().into());
        }
        assert_eq!(finder.find(&shared), []);
        assert_eq!(finder.find(&noise(12, 20_000)).first().map(|sight| sight.original), Some(2));
    }
}
