//! The subject's pictures, and where they are seen again.

use crate::decode::{Limits, Unreadable, decode, decode_counted};
use crate::features::{Feature, Features, Wanted, features};
use crate::geometry::{Affine, Agreement, Consensus, Hint, Spread, consensus};
use crate::index::{Effort, Index, Pair};
use crate::luma::{Luma, Pyramid, limited};
use crate::packed::Kept;
use crate::pdq::{Hash, Laid, Spectrum, nearest};
use crate::tiles::{Detail, Glance, Rivals, Verdict, compare, plainness};
use crate::views::{Part, parts};
use std::collections::{HashMap, HashSet};

/// Pixels that a picture is hashed at.
const HASHED_PIXELS: usize = 1 << 14;
/// Pixels of the copy by which an original is told from one that has nothing in common with it.
const GLANCED_PIXELS: usize = 128 * 96;
/// Differing bits of two hashes up to which the tiles are asked.
const HASHES_ALIKE: u16 = 64;
/// Originals that are compared tile by tile with one picture, and ways to lay it on each of them.
const COMPARED: usize = 48;
const WAYS: usize = 3;
/// Share of bad tiles above which there is not even the same template.
const UNLIKE: f32 = 0.6;
/// Fewer tiles (they overlap by half) say nothing.
const FEWEST_TILES: u32 = 24;
/// Tiles that are enough without asking whether they agree in more than their shades.
const ENOUGH_TILES: u32 = 64;
/// Corners nearer to one line than this may slide along it: a rail, a cable, a row of windows.
const LEAST_BREADTH: f32 = 0.1;
/// Mean correlation of what did not.
const LEAST_ON_A_LINE: f32 = 0.85;
/// Share of bad tiles up to which a photograph is the same.
const FEW_BAD: f32 = 0.05;
/// The same of what others may share parts of, where strong tiles agree by less than [`CLEAR`]: a card with other
/// letters, reduced until they are hardly told apart, has more.
const FEWEST_BAD: f32 = 0.012;
/// The same where no strong tile agrees by less than [`CLEAR`]: brightening takes soft shades away.
const SOME_BAD: f32 = 0.25;
/// Agreement of a strong tile that shows the same thing well, and at all.
const CLEAR: f32 = 0.75;
const FAINT: f32 = 0.35;
/// Share of a card that must be seen in a mirror: a smaller part may be symmetrical, or a portrait that was turned round.
const LEAST_MIRRORED: f32 = 0.3;
/// Tiles with letters or edges that are enough to go by.
const FEWEST_STRONG: u32 = 50;
/// Width at which a whole screen must be seen to tell it from others of its template.
const NARROWEST: usize = 300;
/// Tiles with letters or edges, and quality of the hash, of which one is needed where no corners agree: soft shades
/// correlate with others by chance.
const VAGUE_STRONG: u32 = 12;
const VAGUE_QUALITY: u8 = 50;
/// Features of an original, and of a picture.
const THEIRS: Wanted = Wanted { count: 800, pixels: 1 << 20, mirrored: false };
const BETWEEN: Wanted = Wanted { count: 700, ..THEIRS };
/// A picture with fewer features in which nothing is found is looked at closely.
const FEW_FEATURES: usize = 300;
/// With fewer, those at the sizes between are looked for, too.
const FEWER_FEATURES: usize = 150;
/// Originals that a few features hint at which are followed.
const HINTS: usize = 24;
/// Originals that are compared when a picture is looked at closely.
const CLOSELY: usize = 16;
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

struct Original {
    id: u32,
    frame: Kept,
    small: Luma,
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
        let mut hints = Hints::new(&found, picture.0.size());
        let mut candidates = Vec::new();
        self.each_group(&found, Effort::MORE, |pairs, mirrored| match consensus(pairs) {
            Agreement::Enough(agreed) => candidates.push(Candidate::new(&agreed, back(mirrored, hints.width))),
            Agreement::TooLittle(hint) => hints.all.push((hint, mirrored)),
            Agreement::Nothing => {}
        });
        candidates.extend(self.by_hints(&mut hints));
        surest_candidates_first(&mut candidates);
        candidates.truncate(CLOSELY);
        let mut layings = self.verified(&candidates, picture, compared);
        layings.retain(Laying::is_same);
        layings
    }

    fn verified(&self, candidates: &[Candidate], picture: (&Pyramid, u8), compared: &mut u64) -> Vec<Laying> {
        let mut layings: Vec<Laying> = Vec::new();
        let mut found = HashSet::new();
        for candidate in candidates {
            // One way to lay the picture on an original is enough where that is the original.
            if found.contains(&candidate.original) {
                continue;
            }
            let verified = self.verify(candidate, picture, compared);
            if verified.as_ref().is_some_and(Laying::is_same) {
                found.insert(candidate.original);
            }
            layings.extend(verified);
        }
        layings
    }

    /// Screens and cards of one template may have the same part at different places: where two that are not of each
    /// other are both said to be one part of the picture, that part is the template's.
    fn doubt_what_several_show(&self, layings: &mut [Laying], size: (f32, f32), compared: &mut u64) {
        // Of those that are copies of one another the first is asked for all.
        let mut heads: Vec<Laying> = Vec::new();
        for at in 0..layings.len() {
            let Some(laying) = layings.get(at).filter(|laying| laying.found.likeness == Likeness::Same).cloned() else {
                continue;
            };
            if !self.originals.get(laying.place as usize).is_some_and(Original::has_rivals) {
                continue;
            }
            let there: Vec<_> = heads.iter().filter(|head| head.overlaps(&laying, size)).cloned().collect();
            if there.is_empty() {
                heads.push(laying);
                continue;
            }
            let other =
                there.iter().find(|head| !self.shows(&laying, head, compared) && !self.shows(head, &laying, compared));
            if let Some(other) = other {
                for doubted in layings.iter_mut().filter(|one| one.place == laying.place || one.place == other.place) {
                    doubted.found.likeness = Likeness::SameTemplate;
                }
            }
        }
    }

    /// Whether one original shows the other where both are laid on the same picture.
    fn shows(&self, one: &Laying, other: &Laying, compared: &mut u64) -> bool {
        let original = |laying: &Laying| self.originals.get(laying.place as usize);
        let (Some(shown), Some(showing)) = (original(other), original(one)) else { return false };
        let (Some(frame), Some(picture)) = (shown.frame.open(), showing.frame.open()) else { return false };
        let Some(back) = one.map.inverse() else { return false };
        *compared += (frame.pixels().len() + picture.pixels().len()) as u64;
        let drawn = shown.is_drawn();
        let verdict = compare(&frame, &Pyramid::new(&picture), back.after(&other.map), (false, drawn), |_| false);
        verdict.is_some_and(|verdict| judge(&verdict, drawn) == Some(Likeness::Same))
    }

    fn by_features(&self, found: &Features, width: f32) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        self.each_group(found, Effort::USUAL, |pairs, mirrored| {
            if let Agreement::Enough(agreed) = consensus(pairs) {
                candidates.push(Candidate::new(&agreed, back(mirrored, width)));
            }
        });
        candidates
    }

    /// Calls `visit` with the pairs of each original, and with whether they are of the picture in a mirror.
    fn each_group(&self, found: &Features, effort: Effort, mut visit: impl FnMut(&mut Vec<Pair>, bool)) {
        for (features, mirrored) in [(&found.plain, false), (&found.mirrored, true)] {
            let mut pairs = self.index.pairs(features, effort);
            pairs.sort_by_key(|pair| pair.original);
            let groups = pairs.chunk_by(|left, right| left.original == right.original);
            groups
                .filter(|group| group.len() >= effort.least_pairs)
                .for_each(|group| visit(&mut group.to_vec(), mirrored));
        }
    }

    /// Where the originals lie that features hint at, the likeliest first.
    fn by_hints(&self, hints: &mut Hints) -> Vec<Candidate> {
        hints.all.sort_by_key(|(hint, _)| std::cmp::Reverse(hint.weight));
        let likely = hints.all.iter().take(HINTS);
        let guided = likely.filter_map(|(hint, mirrored)| {
            let spread = if *mirrored { &hints.mirrored } else { &hints.plain };
            let agreed = spread.guided(hint, self.index.of(hint.original))?;
            Some(Candidate::new(&agreed, back(*mirrored, hints.width)))
        });
        guided.collect()
    }

    /// How much there is to hash, 0 to 100.
    fn by_hash(&self, pyramid: &Pyramid, candidates: &mut Vec<Candidate>) -> u8 {
        let hashed = pyramid.levels().iter().rev().find(|level| level.luma.pixels().len() >= HASHED_PIXELS);
        let hashed = hashed.or(pyramid.levels().first()).map(|level| limited(&level.luma, HASHED_PIXELS));
        let Some(spectrum) = hashed.and_then(|luma| Spectrum::of(&luma)) else { return 0 };
        let turned = Laid::ALL.map(|laid| spectrum.hash_laid(laid));
        let mut closest: Vec<(u16, Part, Laid)> = vec![(257, Part::WHOLE, Laid::ALL[0]); self.originals.len()];
        for ((distance, turn), (original, part)) in nearest(&self.hashes, &turned).into_iter().zip(&self.hashed) {
            let laid = Laid::ALL.get(turn).copied().unwrap_or(Laid::ALL[0]);
            if let Some(best) = closest.get_mut(*original as usize).filter(|best| distance < best.0) {
                *best = (distance, *part, laid);
            }
        }
        for candidate in candidates.iter_mut() {
            candidate.distance = closest.get(candidate.original as usize).map_or(256, |best| best.0);
        }
        for (place, (distance, part, laid)) in closest.into_iter().enumerate() {
            let Some(original) = self.originals.get(place).filter(|_| distance <= HASHES_ALIKE) else { continue };
            let map = part.map(original.size, pyramid.size(), laid);
            candidates.push(Candidate { original: place as u32, map, votes: 0, breadth: 1.0, distance });
        }
        spectrum.quality
    }

    fn verify(&self, candidate: &Candidate, (pyramid, quality): (&Pyramid, u8), compared: &mut u64) -> Option<Laying> {
        let original = self.originals.get(candidate.original as usize)?;
        let to_full = original.to_full();
        let frame = original.frame.open()?;
        *compared += frame.pixels().len() as u64;
        let map = candidate.map.after(&to_full);
        let drawn = original.is_drawn();
        // Where others may show the same, how well it can be laid decides.
        let is_enough = |verdict: &Verdict| !original.has_rivals() && original.judge(verdict) == Some(Likeness::Same);
        let verdict = compare(&frame, pyramid, map, (candidate.votes == 0, drawn), is_enough)?;
        let is_borne_out = || {
            let detail = Detail::of(&frame, pyramid, verdict.map);
            if verdict.tiles < FEWEST_TILES || candidate.is_on_a_line() {
                detail.is_enough()
            } else {
                detail.bears_out()
            }
        };
        let mut likeness = match original.judge(&verdict) {
            None if is_soft(candidate, &verdict, drawn) && is_borne_out() => Likeness::Same,
            judged => judged?,
        };
        let map = verdict.map.after(&to_full.inverse()?);
        let view = view(&verdict, &map, original.size, pyramid.size());
        if likeness == Likeness::Same
            && ((candidate.is_on_a_line() && verdict.correlation < LEAST_ON_A_LINE)
                || (original.has_rivals() && view.mirrored && view.shown < LEAST_MIRRORED)
                || is_vague(candidate, &verdict, quality)
                || (is_doubtful(candidate, &verdict, drawn) && !is_borne_out())
                || (original.has_rivals() && self.is_contested(candidate.original, &verdict, pyramid, compared)))
        {
            likeness = Likeness::SameTemplate;
        }
        let found = Match {
            original: original.id,
            likeness,
            view,
            bad_tiles: verdict.bad_share(),
            tiles: verdict.tiles,
            correlation: verdict.correlation,
            distance: candidate.distance,
            corners: candidate.votes as u32,
            worst_tile: verdict.worst,
        };
        Some(Laying { place: candidate.original, map: verdict.map, frame: frame_size(&frame), found })
    }

    /// Whether what the picture shows of a screen or card is what another of the same shape shows there too, and no
    /// worse: then the picture cannot tell them apart, and shows the template alone.
    fn is_contested(&self, place: u32, verdict: &Verdict, pyramid: &Pyramid, compared: &mut u64) -> bool {
        let Some(original) = self.originals.get(place as usize) else { return false };
        let Some(frame) = original.frame.open() else { return false };
        let mut rivals = None;
        let mut glance = Glance::of(&frame, &original.small, pyramid, verdict.map);
        let others = self.originals.iter().enumerate().filter(|(other, _)| *other != place as usize);
        for (_, other) in others.filter(|(_, other)| other.has_rivals() && original.has_shape_of(other)) {
            *compared += other.small.pixels().len() as u64;
            if glance.is_another(&other.small) {
                continue;
            }
            let Some(theirs) = other.frame.open() else { continue };
            *compared += theirs.pixels().len() as u64;
            let rivals = rivals.get_or_insert_with(|| Rivals::of(&frame, pyramid, verdict, original.is_drawn()));
            if rivals.is_as_good(&theirs) && !original.is_copy_of(other) {
                return true;
            }
        }
        false
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

    /// What the tiles mean for this original.
    fn judge(&self, verdict: &Verdict) -> Option<Likeness> {
        let verdict = self.unsigned(verdict);
        let judged = judge(&verdict, self.is_drawn())?;
        Some(if self.shows_nothing_else(&verdict) { Likeness::Same } else { judged })
    }

    /// Whether all strong tiles of a photograph agree in what they show, though not all as well as they would in a
    /// copy that was not tilted, brightened or written over: what another picture shows there does not correlate, but
    /// for other letters of a card.
    fn shows_nothing_else(&self, verdict: &Verdict) -> bool {
        let most_bad = match verdict.worst {
            CLEAR.. => SOME_BAD,
            FAINT.. if self.has_rivals() => FEWEST_BAD,
            FAINT.. => FEW_BAD,
            _ => return false,
        };
        !self.is_drawn() && verdict.strong >= FEWEST_STRONG && verdict.bad_share() <= most_bad
    }

    /// What the tiles say apart from a name that programs write into a corner. Of a photograph the corner may differ; of a screen
    /// it must be plain, and all else as it was; of a card, and what else others have parts of, it counts like the rest.
    fn unsigned(&self, verdict: &Verdict) -> Verdict {
        match (self.is_drawn(), self.has_rivals()) {
            (true, _) => verdict.without_added_corner(),
            (false, true) => *verdict,
            (false, false) => verdict.without_corner(),
        }
    }

    /// From the kept copy to the size that features were taken at.
    fn to_full(&self) -> Affine {
        let (width, height) = self.frame.size();
        Affine::scaled(self.size.0 / width as f32, self.size.1 / height as f32)
    }

    /// Whether two originals are of one shape: screens of one app on two phones may be of different sizes.
    fn has_shape_of(&self, other: &Self) -> bool {
        let ratio = (self.size.0 * other.size.1) / (self.size.1 * other.size.0).max(1.0);
        (0.99..1.01).contains(&ratio)
    }

    /// Whether two originals are one picture that was added twice.
    fn is_copy_of(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.frame.open(), other.frame.open()) else { return false };
        let map =
            Affine::scaled(others.width() as f32 / own.width() as f32, others.height() as f32 / own.height() as f32);
        let whole = compare(&own, &Pyramid::new(&others), map, (false, true), |_| false);
        whole.is_some_and(|verdict| judge(&verdict, true) == Some(Likeness::Same))
    }
}

/// Features at the sizes between those of the pyramid: a picture's own sizes may lie there, and what is around a corner
/// is known again within a tenth of its size, not within a fifth.
fn between(picture: &Luma, wanted: Wanted) -> Features {
    let share = std::f64::consts::FRAC_1_SQRT_2.sqrt();
    let scaled = |side: usize| (side as f64 * share).round() as usize;
    let smaller = picture.shrunk(scaled(picture.width()), scaled(picture.height()));
    let across = picture.width() as f32 / smaller.width() as f32;
    let down = picture.height() as f32 / smaller.height() as f32;
    let mut found = features(&Pyramid::new(&smaller), wanted);
    for feature in found.plain.iter_mut().chain(&mut found.mirrored) {
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

/// An original that a picture shows, and where.
#[derive(Clone)]
struct Laying {
    /// Its place in the gallery.
    place: u32,
    /// From its kept copy to the picture.
    map: Affine,
    /// Size of the kept copy.
    frame: (f32, f32),
    found: Match,
}

impl Laying {
    fn is_same(&self) -> bool {
        self.found.likeness == Likeness::Same
    }

    /// The part of a picture that it fills: left, top, right and bottom of the box around it.
    fn filled(&self, size: (f32, f32)) -> [f32; 4] {
        let (width, height) = self.frame;
        let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)].map(|(x, y)| self.map.apply(x, y));
        let all = |pick: fn(&(f32, f32)) -> f32, end: fn(f32, f32) -> f32| {
            corners.iter().map(pick).reduce(end).unwrap_or_default()
        };
        let (left, right) = (all(|at| at.0, f32::min), all(|at| at.0, f32::max));
        let (top, bottom) = (all(|at| at.1, f32::min), all(|at| at.1, f32::max));
        [left.max(0.0), top.max(0.0), right.min(size.0), bottom.min(size.1)]
    }

    /// Whether half of what one of them fills the other fills too.
    fn overlaps(&self, other: &Self, size: (f32, f32)) -> bool {
        let area = |[left, top, right, bottom]: [f32; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
        let (one, two) = (self.filled(size), other.filled(size));
        let both = [one[0].max(two[0]), one[1].max(two[1]), one[2].min(two[2]), one[3].min(two[3])];
        area(both) * 2.0 >= area(one).min(area(two))
    }
}

fn frame_size(frame: &Luma) -> (f32, f32) {
    (frame.width() as f32, frame.height() as f32)
}

/// Of the originals that come first the first ways to lay the picture on them; whether others were left out.
fn keep_first_originals(candidates: &mut Vec<Candidate>) -> bool {
    let mut ways: HashMap<u32, usize> = HashMap::new();
    let mut is_cut = false;
    candidates.retain(|candidate| {
        let is_known = ways.contains_key(&candidate.original);
        if !is_known && ways.len() >= COMPARED {
            is_cut = true;
            return false;
        }
        let ways = ways.entry(candidate.original).or_default();
        *ways += 1;
        *ways <= WAYS
    });
    is_cut
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

/// Whether next to nothing in a photograph has contrast, but corners led there and nothing speaks against it.
fn is_soft(candidate: &Candidate, verdict: &Verdict, drawn: bool) -> bool {
    !drawn && candidate.votes > 0 && verdict.tiles < FEWEST_TILES && verdict.bad_share() <= FEW_BAD
}

/// Whether corners led there, but so few tiles agree that all of them may be one soft shade.
fn is_doubtful(candidate: &Candidate, verdict: &Verdict, drawn: bool) -> bool {
    !drawn && candidate.votes > 0 && verdict.tiles < ENOUGH_TILES
}

/// Whether agreement may be chance: only a hash led there, of little, and there is little to compare.
fn is_vague(candidate: &Candidate, verdict: &Verdict, quality: u8) -> bool {
    candidate.votes == 0 && verdict.strong < VAGUE_STRONG && quality < VAGUE_QUALITY
}

struct Candidate {
    original: u32,
    map: Affine,
    votes: usize,
    breadth: f32,
    distance: u16,
}

impl Candidate {
    fn is_on_a_line(&self) -> bool {
        self.breadth < LEAST_BREADTH
    }

    /// Where features agree; `back` from what was mirrored, if it was.
    fn new(agreed: &Consensus, back: Affine) -> Self {
        Self {
            original: agreed.original,
            map: back.after(&agreed.map),
            votes: agreed.votes,
            breadth: agreed.breadth,
            distance: 256,
        }
    }
}

/// From the places that were mirrored, where they were, to the picture's.
fn back(mirrored: bool, width: f32) -> Affine {
    if mirrored { Affine { xx: -1.0, x0: width, ..Affine::SAME } } else { Affine::SAME }
}

fn surest_candidates_first(candidates: &mut [Candidate]) {
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.votes), candidate.distance, candidate.original));
}

/// Originals that too few features agree on, and all features of the picture.
struct Hints {
    /// With whether the picture is mirrored.
    all: Vec<(Hint, bool)>,
    plain: Spread,
    mirrored: Spread,
    width: f32,
}

impl Hints {
    fn new(found: &Features, size: (f32, f32)) -> Self {
        let spread = |features: &[Feature]| Spread::new(features.to_vec(), size);
        Self { all: Vec::new(), plain: spread(&found.plain), mirrored: spread(&found.mirrored), width: size.0 }
    }
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
        (false, _) => (0.012, FEW_BAD),
    };
    let agrees = verdict.strong_bad_share() <= most_strong && bad <= most;
    let can_tell = !drawn || verdict.width >= NARROWEST;
    Some(if agrees && can_tell { Likeness::Same } else { Likeness::SameTemplate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawings::{blanked, card, photo, screen};
    use crate::geometry::LEAST_VOTES;

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
