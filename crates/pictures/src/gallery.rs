//! The subject's pictures, and where they are seen again.

use crate::decode::{Limits, Unreadable, decode};
use crate::features::{Feature, Wanted, features};
use crate::geometry::{Affine, LEAST_VOTES, consensus};
use crate::index::{Index, Pair};
use crate::luma::{Luma, Pyramid, limited};
use crate::packed::Kept;
use crate::pdq::{Hash, Laid, Spectrum};
use crate::tiles::{Rivals, Verdict, compare, plainness};
use crate::views::{Part, parts};

/// Pixels that a picture is hashed at.
const HASHED_PIXELS: usize = 1 << 14;
/// Differing bits of two hashes up to which the tiles are asked.
const HASHES_ALIKE: u16 = 64;
/// Originals that are compared tile by tile with one picture.
const COMPARED: usize = 24;
/// Share of bad tiles above which there is not even the same template.
const UNLIKE: f32 = 0.6;
/// Fewer tiles (they overlap by half) say nothing.
const FEWEST_TILES: u32 = 24;
/// Tiles with letters or edges that are enough to go by.
const FEWEST_STRONG: u32 = 50;
/// Width at which a whole screen must be seen to tell it from others of its template.
const NARROWEST: usize = 300;
/// Other originals that are asked whether they could be there as well.
const RIVALS: usize = 256;
/// Features of an original, and of a picture.
const THEIRS: Wanted = Wanted { count: 800, pixels: 1 << 20, mirrored: false };
const BETWEEN: Wanted = Wanted { count: 700, ..THEIRS };
const OURS: Wanted = Wanted { count: 600, pixels: 420_000, mirrored: true };

/// Whether a picture is the original.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Likeness {
    /// The original's contents are there.
    Same,
    /// Made after the same pattern (another person's screen of the same app, another card), or too small to tell.
    SameTemplate,
}

/// How the original is shown.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct View {
    /// Mirrored, at any line.
    pub mirrored: bool,
    /// Turned by so many degrees, clockwise, -180 to 180 (after mirroring left and right, where mirrored).
    pub degrees: f32,
    /// Pixels of the picture for one of the original, both at working size.
    pub scale: f32,
    /// Share of the original that the picture shows, 0 to 1.
    pub shown: f32,
    /// Share of the picture that the original fills, 0 to 1.
    pub filled: f32,
}

/// An original that a picture shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Match {
    /// The number it was added under.
    pub original: u32,
    /// Whether it is the original.
    pub likeness: Likeness,
    /// How it is shown.
    pub view: View,
    /// Share of the tiles with contents in which the picture is different, 0 to 1.
    pub bad_tiles: f32,
    /// Tiles with contents that were compared.
    pub tiles: u32,
    /// How well the tile with letters or edges agrees that agrees least, -1 to 1; 1 where there is none.
    pub worst_tile: f32,
    /// Mean correlation of the tiles, -1 to 1.
    pub correlation: f32,
    /// Bits in which the picture's PDQ hash differs from that of the nearest view of the original, 0 to 256.
    pub distance: u16,
    /// Corners of the picture that are where the original has them; 0 where only the hash led to it.
    pub corners: u32,
}

/// The subject's originals.
pub struct Gallery {
    originals: Vec<Original>,
    hashes: Vec<(Hash, u32, Part)>,
    index: Index,
    limits: Limits,
}

struct Original {
    id: u32,
    frame: Kept,
    /// Share of it that is plain, 0 to 1.
    plainness: f32,
    /// Size of the picture that features were taken from.
    size: (f32, f32),
}

impl Default for Gallery {
    fn default() -> Self {
        Self::new()
    }
}

impl Gallery {
    /// Without pictures.
    pub fn new() -> Self {
        Self { originals: Vec::new(), hashes: Vec::new(), index: Index::new(), limits: Limits::default() }
    }

    /// How many originals there are.
    pub fn len(&self) -> usize {
        self.originals.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }

    /// Adds a picture file under a number of the caller's.
    pub fn add(&mut self, id: u32, file: &[u8]) -> Result<(), Unreadable> {
        self.add_luma(id, decode(file, &self.limits)?);
        Ok(())
    }

    /// Adds a picture under a number of the caller's.
    pub fn add_luma(&mut self, id: u32, picture: Luma) {
        let picture = picture.reduced();
        let place = self.originals.len() as u32;
        let pyramid = Pyramid::new(&picture);
        self.index.add(place, &features(&pyramid, THEIRS).plain);
        self.index.add(place, &between(&picture));
        let small = limited(&picture, 4 * HASHED_PIXELS);
        for part in parts() {
            let shown = part.of(&small);
            self.hashes
                .extend(Spectrum::of(&limited(&shown, HASHED_PIXELS)).map(|spectrum| (spectrum.hash(), place, part)));
        }
        self.originals.push(Original {
            id,
            frame: Kept::new(&picture),
            plainness: plainness(&picture),
            size: pyramid.size(),
        });
    }

    /// The originals that a picture file shows, the surest first.
    pub fn look_at(&self, file: &[u8]) -> Result<Vec<Match>, Unreadable> {
        Ok(self.look(&decode(file, &self.limits)?))
    }

    /// The originals that a picture shows, the surest first.
    pub fn look(&self, picture: &Luma) -> Vec<Match> {
        let reduced;
        let picture = if crate::luma::factor_for(picture.width(), picture.height()) == 1 {
            picture
        } else {
            reduced = picture.clone().reduced();
            &reduced
        };
        let pyramid = Pyramid::new(picture);
        let mut candidates = self.by_features(&pyramid);
        self.by_hash(&pyramid, &mut candidates);
        candidates
            .sort_by_key(|candidate| (std::cmp::Reverse(candidate.votes), candidate.distance, candidate.original));
        candidates.truncate(COMPARED);
        let mut matches: Vec<Match> =
            candidates.iter().filter_map(|candidate| self.verify(candidate, &pyramid)).collect();
        matches.sort_by(|a, b| {
            (a.likeness, a.original).cmp(&(b.likeness, b.original)).then(a.bad_tiles.total_cmp(&b.bad_tiles))
        });
        matches.dedup_by_key(|found| found.original);
        matches.sort_by(|a, b| {
            a.likeness.cmp(&b.likeness).then(a.bad_tiles.total_cmp(&b.bad_tiles)).then(a.original.cmp(&b.original))
        });
        matches
    }

    fn by_features(&self, pyramid: &Pyramid) -> Vec<Candidate> {
        let found = features(pyramid, OURS);
        let mut candidates = Vec::new();
        for (features, mirrored) in [(found.plain, false), (found.mirrored, true)] {
            let mut pairs = self.index.pairs(&features);
            pairs.sort_by_key(|pair| pair.original);
            for group in pairs.chunk_by(|left, right| left.original == right.original) {
                if group.len() < LEAST_VOTES {
                    continue;
                }
                let mut group: Vec<Pair> = group.to_vec();
                let (Some(first), Some(agreed)) = (group.first().map(|pair| pair.original), consensus(&mut group))
                else {
                    continue;
                };
                let back = Affine { xx: -1.0, x0: pyramid.size().0, ..Affine::SAME };
                let map = if mirrored { back.after(&agreed.map) } else { agreed.map };
                candidates.push(Candidate { original: first, map, votes: agreed.votes, distance: 256 });
            }
        }
        candidates
    }

    fn by_hash(&self, pyramid: &Pyramid, candidates: &mut Vec<Candidate>) {
        let hashed = pyramid.levels().iter().rev().find(|level| level.luma.pixels().len() >= HASHED_PIXELS);
        let hashed = hashed.or(pyramid.levels().first()).map(|level| limited(&level.luma, HASHED_PIXELS));
        let Some(spectrum) = hashed.and_then(|luma| Spectrum::of(&luma)) else { return };
        let turned = Laid::ALL.map(|laid| spectrum.hash_laid(laid));
        let mut nearest: Vec<(u16, Part, Laid)> = vec![(257, Part::WHOLE, Laid::ALL[0]); self.originals.len()];
        for (hash, original, part) in &self.hashes {
            for (ours, laid) in turned.iter().zip(Laid::ALL) {
                let distance = hash.distance(ours);
                if let Some(best) = nearest.get_mut(*original as usize).filter(|best| distance < best.0) {
                    *best = (distance, *part, laid);
                }
            }
        }
        for candidate in candidates.iter_mut() {
            candidate.distance = nearest.get(candidate.original as usize).map_or(256, |best| best.0);
        }
        for (place, (distance, part, laid)) in nearest.into_iter().enumerate() {
            let Some(original) = self.originals.get(place).filter(|_| distance <= HASHES_ALIKE) else { continue };
            let map = part.map(original.size, pyramid.size(), laid);
            candidates.push(Candidate { original: place as u32, map, votes: 0, distance });
        }
    }

    fn verify(&self, candidate: &Candidate, pyramid: &Pyramid) -> Option<Match> {
        let original = self.originals.get(candidate.original as usize)?;
        let to_full = original.to_full();
        let verdict = compare(&*original.frame.open()?, pyramid, candidate.map.after(&to_full), candidate.votes == 0)?;
        let mut likeness = judge(&verdict, original.is_drawn())?;
        if likeness == Likeness::Same
            && original.has_rivals()
            && self.is_contested(candidate.original, &verdict, pyramid)
        {
            likeness = Likeness::SameTemplate;
        }
        let map = verdict.map.after(&to_full.inverse()?);
        Some(Match {
            original: original.id,
            likeness,
            view: view(&verdict, &map, original.size, pyramid.size()),
            bad_tiles: verdict.bad_share(),
            tiles: verdict.tiles,
            correlation: verdict.correlation,
            distance: candidate.distance,
            corners: candidate.votes as u32,
            worst_tile: verdict.worst,
        })
    }

    /// Whether what the picture shows of a screen is what another of the same size shows there too: then the picture
    /// cannot tell them apart, and shows the template alone.
    fn is_contested(&self, place: u32, verdict: &Verdict, pyramid: &Pyramid) -> bool {
        let Some(original) = self.originals.get(place as usize) else { return false };
        let Some(frame) = original.frame.open() else { return false };
        let rivals = Rivals::of(&frame, pyramid, verdict);
        let others =
            self.originals.iter().enumerate().filter(|(other, _)| *other != place as usize).map(|(_, other)| other);
        let others = others.filter(|other| other.has_rivals() && other.frame.size() == original.frame.size());
        others.take(RIVALS).any(|other| {
            let found = other.frame.open().and_then(|frame| rivals.verdict(&frame));
            found.is_some_and(|found| judge(&found, true) == Some(Likeness::Same)) && !original.is_copy_of(other)
        })
    }
}

impl Original {
    /// A screen or the like: others have some that differ in nothing but a few letters.
    fn is_drawn(&self) -> bool {
        self.plainness >= 0.85
    }

    /// A screen or a card: others have some of which parts are the same.
    fn has_rivals(&self) -> bool {
        self.plainness >= 0.2
    }

    /// From the kept copy to the size that features were taken at.
    fn to_full(&self) -> Affine {
        let (width, height) = self.frame.size();
        Affine::scaled(self.size.0 / width as f32, self.size.1 / height as f32)
    }

    /// Whether two originals are one picture that was added twice.
    fn is_copy_of(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.frame.open(), other.frame.open()) else { return false };
        let whole = compare(&own, &Pyramid::new(&others), Affine::SAME, false);
        whole.is_some_and(|verdict| judge(&verdict, true) == Some(Likeness::Same))
    }
}

/// Features at the sizes between those of the pyramid: a picture's own sizes may lie there, and what is around a corner
/// is known again within a tenth of its size, not within a fifth.
fn between(picture: &Luma) -> Vec<Feature> {
    let share = std::f64::consts::FRAC_1_SQRT_2.sqrt();
    let scaled = |side: usize| (side as f64 * share).round() as usize;
    let smaller = picture.shrunk(scaled(picture.width()), scaled(picture.height()));
    let across = picture.width() as f32 / smaller.width() as f32;
    let down = picture.height() as f32 / smaller.height() as f32;
    let mut found = features(&Pyramid::new(&smaller), BETWEEN).plain;
    for feature in &mut found {
        feature.x *= across;
        feature.y *= down;
        feature.size *= f32::midpoint(across, down);
    }
    found
}

fn view(verdict: &Verdict, map: &Affine, original: (f32, f32), picture: (f32, f32)) -> View {
    let all = ((verdict.width / 8).saturating_sub(1) * (verdict.height / 8).saturating_sub(1)).max(1) as f32;
    let shown = verdict.inside as f32 / all;
    let filled = shown * map.area().abs() * original.0 * original.1 / (picture.0 * picture.1);
    let mirrored = map.area() < 0.0;
    let degrees = if mirrored { (-map.yx).atan2(-map.xx) } else { map.yx.atan2(map.xx) }.to_degrees();
    View { mirrored, degrees, scale: map.scale(), shown, filled: filled.min(1.0) }
}

struct Candidate {
    original: u32,
    map: Affine,
    votes: usize,
    distance: u16,
}

/// What the tiles mean. In what is drawn a single tile with other letters means another screen; a photograph has no
/// template, and a name written into its corner does not make it another.
fn judge(verdict: &Verdict, drawn: bool) -> Option<Likeness> {
    let bad = verdict.bad_share();
    if bad > UNLIKE || verdict.tiles < FEWEST_TILES {
        return None;
    }
    let (most_strong, most) = match (drawn, verdict.strong >= FEWEST_STRONG) {
        // Faint shades of a screen are the first that brightening takes away.
        (true, true) => (0.0, 0.15),
        (true, false) => (0.0, 0.03),
        (false, _) => (0.012, 0.05),
    };
    let agrees = verdict.strong_bad as f32 <= most_strong * verdict.strong as f32 && bad <= most;
    let can_tell = !drawn || verdict.width >= NARROWEST;
    Some(if agrees && can_tell { Likeness::Same } else { Likeness::SameTemplate })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of soft noise at three sizes and of discs, drawn by a fixed generator.
    fn photo(width: usize, height: usize, seed: u64) -> Luma {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let grids: Vec<(usize, Vec<usize>)> =
            [97, 31, 11].iter().map(|cell| (*cell, (0..60 * 60).map(|_| draw(80)).collect())).collect();
        let discs: Vec<_> = (0..40).map(|_| (draw(width), draw(height), 8 + draw(60), draw(160))).collect();
        let pixel = |x: usize, y: usize| {
            let noise: usize = grids.iter().map(|(cell, values)| values[(y / cell) % 60 * 60 + (x / cell) % 60]).sum();
            let over = discs
                .iter()
                .rev()
                .find(|(u, v, radius, _)| x.abs_diff(*u).pow(2) + y.abs_diff(*v).pow(2) < radius.pow(2));
            over.map_or(noise, |(.., grey)| noise / 3 + grey) as u8
        };
        Luma::new(
            width,
            height,
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect(),
        )
        .unwrap()
    }

    fn gallery(count: u32) -> Gallery {
        let mut gallery = Gallery::new();
        for id in 0..count {
            gallery.add_luma(id, photo(640, 480, u64::from(id) + 1));
        }
        gallery
    }

    fn only(matches: &[Match]) -> &Match {
        assert_eq!(matches.len(), 1, "{matches:?}");
        &matches[0]
    }

    #[test]
    fn an_original_is_found_again_and_another_picture_is_not() {
        let gallery = gallery(4);
        let found = gallery.look(&photo(640, 480, 3));
        let found = only(&found);
        assert_eq!((found.original, found.likeness, found.bad_tiles), (2, Likeness::Same, 0.0));
        assert!(found.distance <= 20, "{found:?}");
        assert!((found.view.shown - 1.0).abs() < 0.01 && (found.view.filled - 1.0).abs() < 0.01);
        assert_eq!(gallery.look(&photo(640, 480, 99)), []);
    }

    #[test]
    fn a_crop_is_found_and_how_much_it_shows_is_said() {
        let found = gallery(4).look(&photo(640, 480, 2).cut(200, 100, 320, 240));
        let found = only(&found);
        assert_eq!((found.original, found.likeness), (1, Likeness::Same));
        assert!((0.2..0.26).contains(&found.view.shown), "{:?}", found.view);
        assert!((found.view.scale - 1.0).abs() < 0.02 && found.view.degrees.abs() < 1.0, "{:?}", found.view);
    }

    #[test]
    fn a_turned_and_a_mirrored_picture_are_found_and_named_as_such() {
        let (gallery, picture) = (gallery(4), photo(640, 480, 1));
        for (orientation, mirrored, degrees) in
            [(2, true, 0.0), (3, false, 180.0), (6, false, 90.0), (8, false, -90.0_f32)]
        {
            let found = gallery.look(&crate::exif::upright(picture.clone(), orientation));
            let found = only(&found);
            assert_eq!((found.original, found.likeness, found.view.mirrored), (0, Likeness::Same, mirrored));
            let off = (found.view.degrees - degrees).rem_euclid(360.0);
            assert!(off.min(360.0 - off) < 1.0, "{:?} for {orientation}", found.view);
        }
    }

    /// A screen of rows with marks like letters, seven by nine pixels; `name` is the last row's contents.
    fn screen(rows: u64, name: u64) -> Luma {
        let (width, height) = (360, 720);
        let mut pixels = vec![245_u8; width * height];
        let contents = (0..13_u64).map(|row| (row, rows ^ row)).chain([(13, name)]);
        for (row, content) in contents {
            for letter in 0..24_u64 {
                let shape = (content * 1_000 + letter + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1;
                for bit in (0..63_u64).filter(|bit| shape >> bit & 1 == 1) {
                    let (x, y) = (30 + letter * 12 + bit % 7, 30 + row * 48 + bit / 7);
                    pixels[y as usize * width + x as usize] = 20;
                }
            }
        }
        Luma::new(width, height, pixels).unwrap()
    }

    #[test]
    fn a_screen_with_another_name_is_of_the_same_template_and_no_more() {
        let mut gallery = gallery(2);
        gallery.add_luma(50, screen(900, 1));
        assert_eq!(only(&gallery.look(&screen(900, 1))).likeness, Likeness::Same);
        let found = gallery.look(&screen(900, 2));
        let found = only(&found);
        assert_eq!((found.original, found.likeness), (50, Likeness::SameTemplate));
        assert!(found.bad_tiles < 0.1 && found.worst_tile < 0.5, "nearly all agrees: {found:?}");
    }

    #[test]
    fn what_two_originals_show_alike_tells_neither() {
        let mut gallery = gallery(1);
        gallery.add_luma(50, screen(900, 1));
        gallery.add_luma(51, screen(900, 2));
        let without_name = screen(900, 3).cut(0, 0, 360, 600);
        assert!(gallery.look(&without_name).iter().all(|found| found.likeness == Likeness::SameTemplate));
        let with_name = gallery.look(&screen(900, 2));
        assert_eq!(with_name.first().map(|found| (found.original, found.likeness)), Some((51, Likeness::Same)));
        assert!(with_name.iter().skip(1).all(|found| found.likeness == Likeness::SameTemplate));
    }

    #[test]
    fn one_picture_that_was_added_twice_is_found_twice() {
        let mut gallery = gallery(1);
        gallery.add_luma(50, screen(900, 1));
        gallery.add_luma(51, screen(900, 1));
        let found = gallery.look(&screen(900, 1));
        assert_eq!(found.iter().filter(|found| found.likeness == Likeness::Same).count(), 2, "{found:?}");
    }
}
