//! Originals in any bytes: as files, in pieces, under a key, and as pictures that show them.

use crate::extent::{Extent, Steps, extent, starts};
use crate::gallery::{Gallery, Likeness, Looked, Match};
use crate::pieces::{Pieces, Run};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Fewer bytes hold no piece that could be told from chance, and no picture that could be recognised.
pub const SHORTEST: usize = 256;
/// Bytes of coded pixels that make a piece evidence.
const LEAST_PIECE: usize = 1024;
/// Hundredths of a file that is no picture which tell it from others made with the same fonts and profiles.
const UNBROKEN: usize = 95;
/// Pictures of one buffer that are decoded.
const MOST_PICTURES: usize = 64;
/// Pixels of one buffer's pictures that are decoded before no other is begun.
const MOST_PIXELS: u64 = 200_000_000;
/// Pixels that are decoded or compared while the search goes through one byte.
const PIXELS_A_BYTE: u64 = 32;
/// What a look at a picture costs beside its pixels, in pixels.
const LOOK: u64 = 1 << 20;
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
    /// Some of its coded bytes.
    Piece(Piece),
    /// Only its beginning, which pictures of one template may share.
    Beginning,
    /// A picture that shows it.
    Picture(Match),
}

/// So many of an original's coded bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How many.
    pub bytes: usize,
    /// Of how many.
    pub of: usize,
    /// Whether they are pixels: otherwise they are any bytes of a file that is no readable picture.
    pub are_pixels: bool,
    /// Whether no other file has them. Screens and cards of one template, and documents with one font or colour
    /// profile, share most of theirs.
    pub are_its_own: bool,
}

/// What was found, and what that took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Everything of the originals that is in the bytes, in order.
    pub sights: Vec<Sight>,
    /// Work beside going through the bytes once, in bytes that a search goes through meanwhile. The same bytes always
    /// cost the same.
    pub work: u64,
    /// Whether a limit left something unseen: more pictures, or more originals that one might show, than are looked at.
    pub is_cut: bool,
}

/// What pictures showed, by two hashes of their bytes; and what was decoded for it.
type Remembered = HashMap<(u64, u64), Arc<Shown>>;

/// What one picture showed.
#[derive(Debug, Default)]
struct Shown {
    /// Absent where it could not be read.
    matches: Option<Vec<Match>>,
    pixels: u64,
    is_cut: bool,
}

/// What kind of file an original is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A picture without a template: no other has its bytes.
    Photograph,
    /// A picture of which others share parts.
    Drawn,
    /// No picture that can be read.
    Other,
}

/// The subject's files, and how to find them again.
#[derive(Default)]
pub struct Finder {
    ids: Vec<(u32, Kind)>,
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
        let kind = match self.gallery.add(id, &file) {
            Err(_) => Kind::Other,
            Ok(()) if self.gallery.last_has_template() => Kind::Drawn,
            Ok(()) => Kind::Photograph,
        };
        self.ids.push((id, kind));
        self.pieces.add(file);
        kind != Kind::Other
    }

    /// Everything of the originals that is in the bytes.
    pub fn find(&self, bytes: &[u8]) -> Found {
        let mut found = Found { sights: self.groups(&self.pieces.open(bytes)), ..Found::default() };
        for range in outside(&found.sights, bytes.len()) {
            let hidden = self.pieces.under_key(bytes.get(range.clone()).unwrap_or_default());
            let moved = |run: Run| Run { at: run.at.start + range.start..run.at.end + range.start, ..run };
            found.sights.extend(self.groups(&hidden.into_iter().map(moved).collect::<Vec<_>>()));
        }
        self.pictures(bytes, &mut found);
        found.sights.sort_by_key(|sight| (sight.range.start, sight.original));
        found
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
        let (id, kind) = *self.ids.get(first.original)?;
        let covered: Vec<(usize, usize, bool)> = runs.iter().map(|run| self.pieces.covered(run)).collect();
        let of = covered.first()?.1;
        let bytes: usize = covered.iter().map(|(coded, ..)| coded).sum();
        let only_beginning = runs.len() == 1 && covered.first()?.2 && bytes * 2 < of;
        // A field of a screen, or a line of a document, may be a hundredth of its bytes.
        let is_all = bytes == of || (kind == Kind::Photograph && bytes * 100 >= of * 99);
        let what = match () {
            () if first.from == 0 && first.at.len() == self.pieces.length(first.original) => What::File,
            () if is_all && kind != Kind::Other => What::Pixels,
            () if bytes < LEAST_PIECE => return None,
            () if only_beginning => What::Beginning,
            () => What::Piece(Piece {
                bytes,
                of,
                are_pixels: kind != Kind::Other,
                are_its_own: kind == Kind::Photograph || (kind == Kind::Other && is_unbroken(runs, bytes, of)),
            }),
        };
        Some(Sight { original: id, range: first.at.start..last.at.end, what, key: first.key })
    }

    /// Looks at the pictures in the bytes, but at those that are copies.
    fn pictures(&self, bytes: &[u8], found: &mut Found) {
        if self.gallery.is_empty() {
            return;
        }
        let (mut steps, mut decoded, mut pixels) = (Steps::of(bytes.len()), 0, 0);
        let copies = copies(&found.sights);
        let mut done = copies.clone();
        let (starts, are_more) = starts(bytes);
        found.is_cut |= are_more;
        for start in starts {
            if overlaps(&done, &(start..start + 1)) {
                continue;
            }
            if decoded >= MOST_PICTURES || pixels >= MOST_PIXELS || steps.are_spent() {
                found.is_cut = true;
                break;
            }
            let Some(picture) = extent(bytes, start, &mut steps) else { continue };
            if overlaps(&copies, &picture.whole) {
                continue;
            }
            let shown = self.shown(bytes.get(picture.whole.clone()).unwrap_or_default());
            pixels += shown.pixels + LOOK + picture.whole.len() as u64;
            found.is_cut |= shown.is_cut;
            let Some(matches) = &shown.matches else { continue };
            decoded += 1;
            put_shown(&mut found.sights, matches, &picture);
            // What begins in its notes may be a picture of another; in its pixels nothing begins but by chance.
            if picture.is_closed {
                done.extend(picture.coded.iter().map(|coded| (coded.start, coded.end)));
            }
        }
        found.is_cut |= steps.are_spent();
        found.work = pixels / PIXELS_A_BYTE;
    }

    fn shown(&self, picture: &[u8]) -> Arc<Shown> {
        let key = (keyed_hash(1, picture), keyed_hash(2, picture));
        let lock = || self.matches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return Arc::clone(known);
        }
        let (looked, pixels) = self.gallery.look_counted(picture);
        let Ok(Looked { matches, compared, is_cut }) = looked else {
            return remember(lock(), key, Shown { matches: None, pixels, is_cut: false });
        };
        remember(lock(), key, Shown { matches: Some(matches), pixels: pixels + compared, is_cut })
    }
}

/// Whether nearly all of a file is there, and what is missing is missing at its ends: another document made with
/// the same fonts differs in between.
fn is_unbroken(runs: &[&Run], bytes: usize, of: usize) -> bool {
    let follow = |pair: &[&Run]| matches!(pair, [one, next] if one.from + one.at.len() == next.from);
    bytes * 100 >= of * UNBROKEN && runs.windows(2).all(follow)
}

fn remember(mut known: MutexGuard<'_, Remembered>, key: (u64, u64), shown: Shown) -> Arc<Shown> {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    let shown = Arc::new(shown);
    known.insert(key, Arc::clone(&shown));
    shown
}

/// The ranges that no sight covers, in order.
fn outside(sights: &[Sight], length: usize) -> Vec<Range<usize>> {
    let mut covered: Vec<&Range<usize>> = sights.iter().map(|sight| &sight.range).collect();
    covered.sort_by_key(|range| range.start);
    let (mut outside, mut at) = (Vec::new(), 0);
    for range in covered {
        outside.push(at..range.start.max(at));
        at = at.max(range.end);
    }
    outside.push(at..length.max(at));
    outside.retain(|range| !range.is_empty());
    outside
}

/// Ranges that do not overlap, by where they begin.
type Ranges = BTreeMap<usize, usize>;

/// Where whole originals lie.
fn copies(sights: &[Sight]) -> Ranges {
    let whole = |sight: &&Sight| matches!(sight.what, What::File | What::Pixels);
    let mut found: Vec<_> = sights.iter().filter(whole).map(|sight| sight.range.clone()).collect();
    found.sort_by_key(|range| range.start);
    let mut copies = Ranges::new();
    for range in found {
        match copies.last_entry() {
            Some(mut last) if range.start < *last.get() => *last.get_mut() = range.end.max(*last.get()),
            _ => drop(copies.insert(range.start, range.end)),
        }
    }
    copies
}

fn overlaps(ranges: &Ranges, range: &Range<usize>) -> bool {
    ranges.range(..range.end).next_back().is_some_and(|(_, end)| range.start < *end)
}

/// Adds what a picture shows. What is the same picture is not also one of its template; and what a picture within
/// another shows is only told where the other does not show it.
fn put_shown(sights: &mut Vec<Sight>, matches: &[Match], picture: &Extent) {
    let around = |sight: &&Sight| {
        matches!(sight.what, What::Picture(_))
            && sight.range.start <= picture.whole.start
            && picture.whole.end <= sight.range.end
    };
    let told: Vec<u32> = sights.iter().filter(around).map(|sight| sight.original).collect();
    let best = matches.iter().map(|found| found.likeness).min();
    let wanted = if told.is_empty() { best } else { Some(Likeness::Same) };
    let shown = matches.iter().filter(|found| Some(found.likeness) == wanted && !told.contains(&found.original));
    sights.extend(shown.map(|found| Sight {
        original: found.original,
        range: picture.whole.clone(),
        what: What::Picture(*found),
        key: 0,
    }));
}

impl Sight {
    /// Whether it is the original, not only something of its template.
    pub fn is_same(&self) -> bool {
        match &self.what {
            What::Picture(found) => found.likeness == Likeness::Same,
            What::Beginning => false,
            What::Piece(piece) => piece.are_its_own,
            What::File | What::Pixels => true,
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
    use crate::drawings::{grainy, jpeg, photo, screen};

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
            finder.find(&body).sights.into_iter().map(|sight| (sight.original, sight.range, sight.what)).collect();
        let expected = [(7, 4..40_004, What::File), (9, 40_006..70_006, What::File), (7, 70_006..110_006, What::File)];
        assert_eq!(found, expected);
        assert_eq!(finder.find(&noise(3, 500_000)), Found::default());
    }

    #[test]
    fn pieces_and_what_lacks_its_head_are_told_apart() {
        let (finder, one, _) = finder();
        let what = |bytes: &[u8]| finder.find(bytes).sights.into_iter().map(|sight| sight.what).collect::<Vec<_>>();
        let piece = |bytes, are_its_own| What::Piece(Piece { bytes, of: 40_000, are_pixels: false, are_its_own });
        assert_eq!(what(&one[128..]), [piece(39_872, true)]);
        assert_eq!(what(&one[10_000..18_000]), [piece(8000, false)], "a font that is in other documents too, perhaps");
        let with_another_line = [&one[..20_000], b"another person's name", &one[20_050..]].concat();
        assert_eq!(what(&with_another_line), [piece(39_950, false)]);
        assert_eq!(what(&one[..12_000]), [What::Beginning]);
        assert_eq!(what(&one[5000..5800]), [], "too little to be told");
    }

    #[test]
    fn a_key_whose_length_divides_sixteen_hides_nothing() {
        let (finder, one, _) = finder();
        for (key, period) in [(&b"\x5a"[..], 1), (b"ab", 2), (b"key!", 4), (b"eightkey", 8), (b"0123456789abcdef", 16)]
        {
            let hidden: Vec<u8> = one.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            let found = finder.find(&[b"xyz".as_slice(), &hidden].concat());
            let found: Vec<_> = found.sights.into_iter().map(|sight| (sight.range, sight.what, sight.key)).collect();
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
        assert_eq!(finder.find(&shared).sights, []);
        assert_eq!(finder.find(&noise(12, 20_000)).sights.first().map(|sight| sight.original), Some(2));
    }

    fn with(files: &[&[u8]]) -> Finder {
        let mut finder = Finder::new();
        for (id, file) in (0..).zip(files) {
            finder.add(id, (*file).into());
        }
        finder
    }

    fn same(found: &Found) -> Vec<u32> {
        found.sights.iter().filter(|sight| sight.is_same()).map(|sight| sight.original).collect()
    }

    /// Between two restarts nothing depends on what came before: rows that two screens share are the same bytes.
    #[test]
    fn what_screens_of_one_template_share_is_no_ones_own() {
        let [own, others] = [1, 2].map(|name| jpeg(&screen(900, name), 45));
        let finder = with(&[&own]);
        assert_eq!(finder.find(&own).sights.first().map(|sight| &sight.what), Some(&What::File));
        let found = finder.find(&others);
        assert!(
            found
                .sights
                .iter()
                .any(|sight| matches!(sight.what, What::Piece(Piece { bytes, of, .. }) if bytes * 2 > of))
        );
        assert_eq!(same(&found), [], "{:?}", found.sights);
    }

    #[test]
    fn a_piece_of_a_photograph_is_its_own() {
        let file = jpeg(&grainy(&photo(640, 480, 3)), 0);
        let found = with(&[&file]).find(&file[file.len() / 2..file.len() - 100]);
        assert!(matches!(
            found.sights[..],
            [Sight { what: What::Piece(Piece { are_its_own: true, are_pixels: true, .. }), .. }]
        ));
    }

    #[test]
    fn a_broken_picture_hides_none_behind_it() {
        let (own, other) = (photo(640, 480, 1), jpeg(&photo(640, 480, 9), 0));
        let finder = with(&[&jpeg(&own, 0)]);
        let again = jpeg(&own.cut(0, 0, 600, 470), 3);
        let cut_off = &other[..other.len() / 3];
        let png = b"\x89PNG\r\n\x1A\n\0\0\0\x0dIHDR\0\0\x20\0\0\0\x20\0\x08\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFFIDAT";
        let riff = b"RIFF\xFF\xFF\xFF\xFFWEBPVP8 \xFF\xFF\xFF\xFF";
        let gif = b"GIF89a\x10\0\x10\0\0\0\0";
        let bmp =
            [b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\x20\0\0\0\x20\0\0\x01\0\x18\0".as_slice(), &[0; 24]].concat();
        for broken in [&b""[..], cut_off, png, riff, gif, &bmp] {
            assert_eq!(same(&finder.find(&[broken, &again].concat())), [0], "behind {:?}", broken.get(..3));
        }
        assert_eq!(same(&finder.find(&[&other[..], &again].concat())), [0], "nor a whole one");
    }

    #[test]
    fn no_more_pictures_are_decoded_than_was_allowed_and_that_is_said() {
        let finder = with(&[&jpeg(&photo(320, 240, 1), 0)]);
        let other = jpeg(&photo(96, 96, 5), 0);
        let few = finder.find(&other.repeat(8));
        assert!(!few.is_cut && few.work > 0);
        let many = finder.find(&other.repeat(MOST_PICTURES + 1));
        assert!(many.is_cut && many.work > few.work);
        assert_eq!(many, finder.find(&other.repeat(MOST_PICTURES + 1)), "what is remembered costs the same");
    }

    #[test]
    fn bytes_that_speak_of_pictures_and_hold_none_cost_little() {
        let finder = with(&[&jpeg(&photo(320, 240, 1), 0)]);
        let mut bytes = b"\xFF\xD8\xFF\xE0\x00\x04".repeat(200_000);
        bytes.extend(b"RIFF");
        let found = finder.find(&bytes);
        assert!(found.sights.is_empty() && found.is_cut, "more places than are tried");
        let mut bmp =
            [b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\x27\0\0\x10\x27\0\0\x01\0\x18\0".as_slice()].concat();
        bmp.resize(300, 0);
        assert!(
            finder.find(&bmp).work <= LOOK * 2 / PIXELS_A_BYTE,
            "a header alone is not charged as a hundred megapixels"
        );
    }

    #[test]
    fn without_pictures_among_the_originals_none_are_decoded() {
        let finder = with(&[&noise(1, 40_000)]);
        assert_eq!(finder.find(&jpeg(&photo(320, 240, 1), 0)), Found::default());
    }

    #[test]
    fn a_key_hides_nothing_beside_what_lies_open() {
        let (finder, one, other) = finder();
        let hidden: Vec<u8> = other.iter().zip(b"key!".iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        let found = finder.find(&[&one[..], b"between", &hidden].concat());
        let found: Vec<_> = found.sights.into_iter().map(|sight| (sight.original, sight.range, sight.key)).collect();
        assert_eq!(found, [(7, 0..40_000, 0), (9, 40_007..70_007, 4)]);
    }
}
