//! The subject's pictures, and where they are seen again.

mod candidates;
mod judgement;
mod laying;
mod original;

use crate::decode::{Limits, Unreadable, decode, decode_counted};
use crate::features::{Features, Wanted, features};
use crate::index::Index;
use crate::luma::{Luma, Pyramid, limited};
use crate::packed::Kept;
use crate::pdq::{Hash, Spectrum};
use crate::tiles::plainness;
use crate::views::{Part, parts};
use candidates::{between, keep_first_originals, surest_candidates_first};
use laying::Laying;
use original::Original;
use std::collections::HashSet;

/// Pixels that a picture is hashed at.
const HASHED_PIXELS: usize = 1 << 14;
/// Pixels of the copy by which an original is told from one that has nothing in common with it.
const GLANCED_PIXELS: usize = 128 * 96;
/// Features of an original, and of a picture.
const THEIRS: Wanted = Wanted { count: 800, pixels: 1 << 20, mirrored: false };
const BETWEEN: Wanted = Wanted { count: 700, ..THEIRS };
const OURS: Wanted = Wanted { count: 600, pixels: 420_000, mirrored: true };
/// A picture with fewer features in which nothing is found is looked at closely.
const FEW_FEATURES: usize = 300;
/// With fewer, those at the sizes between are looked for, too.
const FEWER_FEATURES: usize = 150;

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

/// What a picture shows, and what it cost to say so.
pub(crate) struct Looked {
    /// The originals, the surest first.
    pub(crate) matches: Vec<Match>,
    /// Pixels of originals that were compared with it.
    pub(crate) compared: u64,
    /// Whether it may show more originals than it was compared with.
    pub(crate) is_cut: bool,
}

/// The subject's originals.
pub struct Gallery {
    originals: Vec<Original>,
    hashes: Vec<Hash>,
    /// For each hash, of which original and which part of it.
    hashed: Vec<(u32, Part)>,
    index: Index,
    limits: Limits,
}

impl Default for Gallery {
    fn default() -> Self {
        Self::new()
    }
}

impl Gallery {
    /// Without pictures.
    pub fn new() -> Self {
        Self {
            originals: Vec::new(),
            hashes: Vec::new(),
            hashed: Vec::new(),
            index: Index::new(),
            limits: Limits::default(),
        }
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
        self.index.add(place, &between(&picture, BETWEEN).plain);
        let small = limited(&picture, 4 * HASHED_PIXELS);
        for part in parts() {
            if let Some(spectrum) = Spectrum::of(&limited(&part.of(&small), HASHED_PIXELS)) {
                self.hashes.push(spectrum.hash());
                self.hashed.push((place, part));
            }
        }
        self.originals.push(Original {
            id,
            frame: Kept::new(&picture),
            small: limited(&small, GLANCED_PIXELS),
            plainness: plainness(&picture),
            size: pyramid.size(),
        });
    }

    /// The originals that a picture file shows, the surest first.
    pub fn look_at(&self, file: &[u8]) -> Result<Vec<Match>, Unreadable> {
        Ok(self.look(&decode(file, &self.limits)?))
    }

    /// The same with what it cost, and the pixels that were decoded for it whether or not it can be read.
    pub(crate) fn look_counted(&self, file: &[u8]) -> (Result<Looked, Unreadable>, u64) {
        let (picture, pixels) = decode_counted(file, &self.limits);
        (picture.map(|picture| self.looked(&picture)), pixels)
    }

    /// Whether the original that was added last is a screen or a card, of which others share parts.
    pub(crate) fn last_has_template(&self) -> bool {
        self.originals.last().is_some_and(Original::has_rivals)
    }

    /// The originals that a picture shows, the surest first.
    pub fn look(&self, picture: &Luma) -> Vec<Match> {
        self.looked(picture).matches
    }

    fn looked(&self, picture: &Luma) -> Looked {
        let reduced;
        let picture = if crate::luma::factor_for(picture.width(), picture.height()) == 1 {
            picture
        } else {
            reduced = picture.clone().reduced();
            &reduced
        };
        let pyramid = Pyramid::new(picture);
        let found = features(&pyramid, OURS);
        let mut candidates = self.by_features(&found, pyramid.size().0);
        let quality = self.by_hash(&pyramid, &mut candidates);
        surest_candidates_first(&mut candidates);
        let is_cut = keep_first_originals(&mut candidates);
        let mut compared = 0;
        let mut matches = self.verified(&candidates, (&pyramid, quality), &mut compared);
        if !matches.iter().any(Laying::is_same) && found.plain.len() < FEW_FEATURES {
            matches.extend(self.looked_closely(found, (&pyramid, quality), &mut compared));
        }
        self.doubt_what_several_show(&mut matches, pyramid.size(), &mut compared);
        let matches = matches.into_iter().map(|laying| laying.found).collect();
        Looked { matches: surest_first(matches), compared, is_cut }
    }

    /// Which originals a picture with few features is the same as: more of them are held against more of the
    /// originals', and what too few agree on is looked at, too.
    fn looked_closely(&self, mut found: Features, picture: (&Pyramid, u8), compared: &mut u64) -> Vec<Laying> {
        if let Some(level) = picture.0.levels().first().filter(|_| found.plain.len() < FEWER_FEATURES) {
            let more = between(&level.luma, OURS);
            found.plain.extend(more.plain);
            found.mirrored.extend(more.mirrored);
        }
        let candidates = self.hinted(&found, picture.0.size());
        let mut layings = self.verified(&candidates, picture, compared);
        layings.retain(Laying::is_same);
        layings
    }
}

/// The best match of each original, the surest first.
fn surest_first(mut matches: Vec<Match>) -> Vec<Match> {
    matches.sort_by(|a, b| {
        (a.likeness, a.original).cmp(&(b.likeness, b.original)).then(a.bad_tiles.total_cmp(&b.bad_tiles))
    });
    let mut seen = HashSet::new();
    matches.retain(|found| seen.insert(found.original));
    matches.sort_by(|a, b| {
        a.likeness.cmp(&b.likeness).then(a.bad_tiles.total_cmp(&b.bad_tiles)).then(a.original.cmp(&b.original))
    });
    matches
}

#[cfg(test)]
mod tests {
    use super::candidates::{COMPARED, Candidate, WAYS};
    use super::judgement::{is_vague, judge};
    use super::*;
    use crate::drawings::{blanked, card, photo, screen};
    use crate::geometry::{Affine, LEAST_VOTES};
    use crate::tiles::Verdict;

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

    /// Two cards with one emblem at different places, as on two kinds of cards of one issuer.
    #[test]
    fn a_part_that_two_originals_have_at_different_places_is_neithers() {
        let emblem = photo(240, 240, 5);
        let with_emblem = |name: u64, left: usize, top: usize| {
            let card = card(name, 360, 420);
            let pixel = |at: usize| {
                let (x, y) = (at % 360, at / 360);
                let there = emblem.row(y.wrapping_sub(top)).get(x.wrapping_sub(left));
                there.copied().unwrap_or(card.pixels()[at])
            };
            Luma::new(360, 420, (0..360 * 420).map(pixel).collect()).unwrap()
        };
        let cards = [with_emblem(1, 10, 20), with_emblem(2, 100, 150)];
        let mut gallery = Gallery::new();
        gallery.add_luma(0, cards[0].clone());
        let alone = gallery.look(&emblem);
        assert_eq!(only(&alone).likeness, Likeness::Same, "only one has it");
        gallery.add_luma(1, cards[1].clone());
        assert!(gallery.originals.iter().all(Original::has_rivals));
        let found = gallery.look(&emblem);
        assert!(found.len() == 2 && found.iter().all(|found| found.likeness == Likeness::SameTemplate), "{found:?}");
        let own = gallery.look(&cards[1]);
        assert_eq!(own.first().map(|found| (found.original, found.likeness)), Some((1, Likeness::Same)));
        // A part of one of them that was planted as well is no other's.
        gallery.add_luma(2, cards[1].cut(60, 120, 300, 300));
        let both = gallery.look(&cards[1].cut(70, 130, 280, 280));
        assert_eq!(both.iter().filter(|found| found.likeness == Likeness::Same).count(), 2, "{both:?}");
    }

    /// The upper part of a screen, another part of it away, told by originals of which both have a reason to be there.
    #[test]
    fn what_is_too_narrow_to_be_told_is_contested_all_the_same() {
        let mut gallery = gallery(1);
        for name in [1, 2] {
            gallery.add_luma(49 + name as u32, screen(900, name));
        }
        let narrow = screen(900, 3).cut(0, 0, 360, 620).shrunk(250, 430);
        assert!(gallery.look(&narrow).iter().all(|found| found.likeness == Likeness::SameTemplate));
    }

    #[test]
    fn of_small_cards_a_part_that_two_share_is_neithers() {
        let mut gallery = Gallery::new();
        let cards = [1, 2].map(|name| card(name, 280, 420));
        for (id, card) in (0..).zip(&cards) {
            gallery.add_luma(id, card.clone());
        }
        assert!(gallery.originals.iter().all(|original| original.has_rivals() && !original.is_drawn()));
        let shared = card(3, 280, 420).cut(0, 0, 280, 330);
        let found = gallery.look(&shared);
        assert!(!found.is_empty() && found.iter().all(|found| found.likeness == Likeness::SameTemplate), "{found:?}");
        let own = gallery.look(&cards[1]);
        assert_eq!(own.first().map(|found| (found.original, found.likeness)), Some((1, Likeness::Same)));
    }

    #[test]
    fn a_rival_of_another_size_contests_too() {
        let mut gallery = gallery(1);
        gallery.add_luma(50, screen(900, 1));
        gallery.add_luma(51, screen(900, 2).shrunk(324, 648));
        let without_name = screen(900, 3).cut(0, 0, 360, 600);
        let found = gallery.look(&without_name);
        assert!(!found.is_empty() && found.iter().all(|found| found.likeness == Likeness::SameTemplate), "{found:?}");
    }

    #[test]
    fn more_rivals_than_could_be_counted_once_are_all_asked() {
        let mut gallery = Gallery::new();
        gallery.add_luma(0, screen(900, 1));
        // Of the same shape, and nothing like it.
        for id in 1..=260 {
            gallery.add_luma(id, screen(10_000 + u64::from(id) * 64, 1).shrunk(90, 180));
        }
        gallery.add_luma(999, screen(900, 2));
        let found = gallery.look(&screen(900, 3).cut(0, 0, 360, 600));
        assert!(found.iter().all(|found| found.likeness == Likeness::SameTemplate), "{found:?}");
    }

    #[test]
    fn a_screen_with_a_row_that_the_original_leaves_blank_is_another() {
        let mut gallery = gallery(1);
        gallery.add_luma(50, blanked(&screen(900, 1), 13));
        assert_eq!(only(&gallery.look(&blanked(&screen(900, 1), 13))).likeness, Likeness::Same);
        let found = gallery.look(&screen(900, 1));
        assert_eq!(only(&found).likeness, Likeness::SameTemplate, "{found:?}");
    }

    /// Strokes of letters with this place as their upper left corner.
    fn signed(picture: &Luma, left: usize, top: usize) -> Luma {
        let width = picture.width();
        let pixels = picture.pixels().iter().enumerate().map(|(at, pixel)| {
            let (x, y) = ((at % width).wrapping_sub(left), (at / width).wrapping_sub(top));
            let is_inked = x < 80 && y < 22 && (x / 4) % 2 == 0;
            if is_inked { 255 - pixel } else { *pixel }
        });
        Luma::new(width, picture.height(), pixels.collect()).unwrap()
    }

    #[test]
    fn a_name_in_a_corner_makes_neither_a_photograph_nor_a_screen_another() {
        let mut gallery = gallery(2);
        let blank = blanked(&screen(900, 1), 3);
        gallery.add_luma(50, blank.clone());
        let (width, height) = (blank.width(), blank.height());
        let likeness = |picture: &Luma| only(&gallery.look(picture)).likeness;
        assert_eq!(likeness(&signed(&blank, width - 88, height - 30)), Likeness::Same);
        assert_eq!(likeness(&signed(&blank, width / 2 - 40, height - 30)), Likeness::SameTemplate, "not in a corner");
        let twice = signed(&signed(&blank, width - 88, height - 30), 8, height - 30);
        assert_eq!(likeness(&twice), Likeness::SameTemplate, "in two");
        let other = signed(&blanked(&screen(900, 2), 3), width - 88, height - 30);
        assert_eq!(likeness(&other), Likeness::SameTemplate, "and another name");
        let drawn = photo(640, 480, 9);
        let grain = |at: usize| (at as u32).wrapping_mul(2_654_435_761) >> 28;
        let grainy = drawn.pixels().iter().enumerate().map(|(at, pixel)| pixel.saturating_add(grain(at) as u8));
        let photo = Luma::new(640, 480, grainy.collect()).unwrap();
        gallery.add_luma(51, photo.clone());
        assert!(!gallery.originals[3].has_rivals());
        let long =
            [(460, 424), (550, 424), (460, 450), (550, 450)].iter().fold(photo, |all, (x, y)| signed(&all, *x, *y));
        let found = gallery.look(&long);
        assert!(found.iter().any(|found| (found.original, found.likeness) == (51, Likeness::Same)), "{found:?}");
    }

    #[test]
    fn a_corner_that_cards_may_differ_in_is_compared() {
        let mut gallery = Gallery::new();
        gallery.add_luma(0, card(1, 280, 420));
        assert!(gallery.originals.iter().all(|original| original.has_rivals() && !original.is_drawn()));
        let verdict = Verdict {
            tiles: 1000,
            strong: 400,
            bad: 20,
            strong_bad: 20,
            corner: crate::tiles::Tally { tiles: 30, bad: 20, strong: 30, strong_bad: 20, added: 0 },
            width: 360,
            height: 420,
            ..Verdict::EMPTY
        };
        let original = &gallery.originals[0];
        assert_eq!(judge(&original.unsigned(&verdict), false), Some(Likeness::SameTemplate));
        assert_eq!(judge(&verdict.without_corner(), false), Some(Likeness::Same), "as of a photograph");
    }

    #[test]
    fn a_small_part_of_a_card_in_a_mirror_is_nobodys() {
        let (mut gallery, card) = (Gallery::new(), card(1, 800, 500));
        gallery.add_luma(1, card.clone());
        assert!(gallery.last_has_template());
        let part = |across: usize| card.cut(0, 0, card.width() * across / 10, card.height() / 2);
        assert_eq!(only(&gallery.look(&part(5))).likeness, Likeness::Same);
        let mirrored = |part: Luma| gallery.look(&crate::exif::upright(part, 2));
        assert_eq!(only(&mirrored(part(5))).likeness, Likeness::SameTemplate);
        assert_eq!(only(&mirrored(card.clone())).likeness, Likeness::Same, "a whole card is");
    }

    #[test]
    fn a_few_soft_tiles_that_agree_are_nobodys() {
        let verdict = Verdict { tiles: 24, inside: 60, width: 640, height: 480, ..Verdict::EMPTY };
        let led_by_hash = Candidate { original: 0, map: Affine::SAME, votes: 0, breadth: 1.0, distance: 30 };
        assert_eq!(judge(&verdict, false), Some(Likeness::Same), "the tiles alone would say so");
        assert!(is_vague(&led_by_hash, &verdict, 49));
        assert!(
            !is_vague(&led_by_hash, &verdict, 50) && !is_vague(&led_by_hash, &Verdict { strong: 12, ..verdict }, 0)
        );
        assert!(!is_vague(&Candidate { votes: LEAST_VOTES, ..led_by_hash }, &verdict, 0));
    }

    #[test]
    fn originals_that_are_not_compared_are_said_to_be_left_out() {
        let candidate = |original| Candidate { original, map: Affine::SAME, votes: 9, breadth: 1.0, distance: 30 };
        let mut many: Vec<_> = (0..COMPARED as u32).flat_map(|id| (0..9).map(move |_| candidate(id))).collect();
        assert!(!keep_first_originals(&mut many), "many ways to lay a picture are no other originals");
        assert_eq!(many.len(), COMPARED * WAYS);
        many.push(candidate(COMPARED as u32));
        assert!(keep_first_originals(&mut many));
    }
}
