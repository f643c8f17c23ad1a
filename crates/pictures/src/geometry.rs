//! Where an original lies in a picture: from pairs of features to one affine map.

use crate::features::Feature;
use crate::index::{ALIKE, Pair};

/// A place of the original, and where it lies in the picture.
pub(crate) type Moved = ((f32, f32), (f32, f32));

/// Takes a place of the original to one of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    /// x' = xx·x + xy·y + x0
    pub(crate) xx: f32,
    pub(crate) xy: f32,
    pub(crate) x0: f32,
    /// y' = yx·x + yy·y + y0
    pub(crate) yx: f32,
    pub(crate) yy: f32,
    pub(crate) y0: f32,
}

impl Affine {
    pub(crate) const SAME: Self = Self { xx: 1.0, xy: 0.0, x0: 0.0, yx: 0.0, yy: 1.0, y0: 0.0 };

    pub(crate) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        (self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0)
    }

    /// First `inner`, then this one.
    pub(crate) fn after(&self, inner: &Self) -> Self {
        let ((xx, yx), (xy, yy)) = (self.turn(inner.xx, inner.yx), self.turn(inner.xy, inner.yy));
        let (x0, y0) = self.apply(inner.x0, inner.y0);
        Self { xx, xy, x0, yx, yy, y0 }
    }

    fn turn(&self, x: f32, y: f32) -> (f32, f32) {
        (self.xx * x + self.xy * y, self.yx * x + self.yy * y)
    }

    /// Takes places back. `None` where all fall together.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let area = self.area();
        if area.abs() < 1e-9 || !area.is_finite() {
            return None;
        }
        let (xx, xy, yx, yy) = (self.yy / area, -self.xy / area, -self.yx / area, self.xx / area);
        Some(Self { xx, xy, yx, yy, x0: -(xx * self.x0 + xy * self.y0), y0: -(yx * self.x0 + yy * self.y0) })
    }

    /// Only stretches: `across` and `down`.
    pub(crate) fn scaled(across: f32, down: f32) -> Self {
        Self { xx: across, yy: down, ..Self::SAME }
    }

    /// Area of the picture for one of the original; negative in a mirror.
    pub(crate) fn area(&self) -> f32 {
        self.xx * self.yy - self.xy * self.yx
    }

    /// Pixels of the picture for one of the original, along a line.
    pub(crate) fn scale(&self) -> f32 {
        self.area().abs().sqrt()
    }

    /// Whether it is what happens to pictures: no more than twice as stretched one way as the other, nor slanted.
    pub(crate) fn is_plausible(&self) -> bool {
        let (across, down) = (self.xx.hypot(self.yx), self.xy.hypot(self.yy));
        let slant = (self.xx * self.xy + self.yx * self.yy) / (across * down).max(1e-12);
        let ratio = across / down.max(1e-12);
        (0.45..2.2).contains(&ratio) && slant.abs() < 0.25 && (0.02..50.0).contains(&self.scale())
    }

    /// The nearest map that neither tilts nor stretches and takes one place to where this one does: nearly all pictures
    /// lie so. `None` where it is far from that.
    pub(crate) fn squared(&self, place: (f32, f32)) -> Option<Self> {
        let scale = self.scale();
        let to_unit = |number: f32| {
            let unit = (number / scale).round();
            ((number / scale - unit).abs() < 0.06).then_some(unit * scale)
        };
        let straight = Self {
            xx: to_unit(self.xx)?,
            xy: to_unit(self.xy)?,
            yx: to_unit(self.yx)?,
            yy: to_unit(self.yy)?,
            ..*self
        };
        let ((x, y), (u, v)) = (self.apply(place.0, place.1), straight.apply(place.0, place.1));
        straight.is_plausible().then_some(Self { x0: self.x0 + x - u, y0: self.y0 + y - v, ..straight })
    }

    /// The map that takes `from` nearest to `to`, by least squares: of four numbers (turned, scaled, moved) where
    /// `rigid`, else of all six.
    pub(crate) fn fitted(places: &[Moved], rigid: bool) -> Option<Self> {
        let count = places.len() as f64;
        if places.len() < 2 {
            return None;
        }
        let mean = |pick: fn(&Moved) -> f32| places.iter().map(|p| f64::from(pick(p))).sum::<f64>() / count;
        let (mx, my, nx, ny) = (mean(|p| p.0.0), mean(|p| p.0.1), mean(|p| p.1.0), mean(|p| p.1.1));
        let mut sums = [0.0_f64; 7];
        for ((x, y), (u, v)) in places {
            let (x, y, u, v) = (f64::from(*x) - mx, f64::from(*y) - my, f64::from(*u) - nx, f64::from(*v) - ny);
            for (sum, term) in sums.iter_mut().zip([x * x, x * y, y * y, x * u, y * u, x * v, y * v]) {
                *sum += term;
            }
        }
        let [sxx, sxy, syy, sxu, syu, sxv, syv] = sums;
        let (xx, xy, yx, yy) = if rigid {
            let spread = sxx + syy;
            let (cosine, sine) = ((sxu + syv) / spread, (sxv - syu) / spread);
            (cosine, -sine, sine, cosine)
        } else {
            let area = sxx * syy - sxy * sxy;
            let solve = |a: f64, b: f64| ((a * syy - b * sxy) / area, (b * sxx - a * sxy) / area);
            let ((xx, xy), (yx, yy)) = (solve(sxu, syu), solve(sxv, syv));
            (xx, xy, yx, yy)
        };
        let (x0, y0) = (nx - xx * mx - xy * my, ny - yx * mx - yy * my);
        let all = [xx, xy, x0, yx, yy, y0];
        let [xx, xy, x0, yx, yy, y0] = all.map(|number| number as f32);
        all.iter().all(|number| number.is_finite()).then_some(Self { xx, xy, x0, yx, yy, y0 })
    }
}

/// Where most pairs agree that the original lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consensus {
    pub(crate) original: u32,
    pub(crate) map: Affine,
    pub(crate) votes: usize,
    /// Across and along the line that the agreeing places are nearest to: their spread across by that along.
    pub(crate) breadth: f32,
}

/// Pairs looked at; of more, those most alike.
const PAIRS: usize = 200;
/// Pairs that propose a map.
const PROPOSALS: usize = 64;
/// Fewer pairs that agree are chance.
pub(crate) const LEAST_VOTES: usize = 5;

/// What too few pairs agree on, and how much speaks for it.
#[derive(Clone, Copy)]
pub(crate) struct Hint {
    pub(crate) original: u32,
    pub(crate) weight: u32,
    map: Affine,
    proposer: Pair,
}

/// What the pairs of one original agree on.
pub(crate) enum Agreement {
    Enough(Consensus),
    TooLittle(Hint),
    Nothing,
}

/// The map that most pairs of one original agree with. Each pair proposes one from its two places, sizes and
/// directions; the best is fitted to those that agree, ever more strictly (as in RANSAC, but every pair is tried).
/// Where too few agree, what those hint at that do.
pub(crate) fn consensus(pairs: &mut Vec<Pair>) -> Agreement {
    pairs.sort_by_key(|pair| pair.distance);
    pairs.truncate(PAIRS);
    let proposals: Vec<Proposal> = pairs.iter().take(PROPOSALS).map(|pair| Proposal::of(pair, pairs)).collect();
    let most = proposals.iter().max_by_key(|proposal| proposal.votes);
    if let Some(best) = most.filter(|proposal| proposal.votes >= LEAST_VOTES)
        && let Some(agreed) = settled(best.map, &best.proposer, pairs.clone())
    {
        return Agreement::Enough(agreed);
    }
    let borne_out = proposals.into_iter().filter(|proposal| proposal.weight > weight(&proposal.proposer));
    match borne_out.max_by_key(|proposal| proposal.weight) {
        Some(Proposal { map, proposer, weight, .. }) => {
            Agreement::TooLittle(Hint { original: proposer.original, weight, map, proposer })
        }
        None => Agreement::Nothing,
    }
}

/// A map, fitted to the pairs that agree with the one that proposed it.
fn settled(mut map: Affine, proposer: &Pair, mut pairs: Vec<Pair>) -> Option<Consensus> {
    // What is turned or scaled otherwise lies there by chance, and would draw the map to it.
    pairs.retain(|pair| proposer.is_laid_like(pair));
    for tolerance in [20.0, 10.0, 6.0, 4.0] {
        let near: Vec<_> =
            pairs.iter().filter(|pair| hits(&map, pair, tolerance * pair.theirs.size.max(1.0))).collect();
        let places: Vec<_> =
            near.iter().map(|pair| ((pair.theirs.x, pair.theirs.y), (pair.ours.x, pair.ours.y))).collect();
        map = Affine::fitted(&places, places.len() < 12)?;
    }
    pairs.retain(|pair| hits(&map, pair, 4.0 * pair.theirs.size.max(1.0)));
    let (votes, breadth) = (distinct(pairs.iter()), breadth(&pairs));
    (votes >= LEAST_VOTES && map.is_plausible()).then_some(Consensus {
        original: proposer.original,
        map,
        votes,
        breadth,
    })
}

fn proposed(pair: &Pair) -> Affine {
    let scale = pair.ours.size / pair.theirs.size;
    let (sine, cosine) = (pair.ours.angle - pair.theirs.angle).sin_cos();
    let turn = Affine { xx: scale * cosine, xy: -scale * sine, x0: 0.0, yx: scale * sine, yy: scale * cosine, y0: 0.0 };
    let (x, y) = turn.apply(pair.theirs.x, pair.theirs.y);
    Affine { x0: pair.ours.x - x, y0: pair.ours.y - y, ..turn }
}

/// Whether a map misses by less than so many pixels of the original.
fn hits(map: &Affine, pair: &Pair, tolerance: f32) -> bool {
    let (x, y) = map.apply(pair.theirs.x, pair.theirs.y);
    let (across, down) = (x - pair.ours.x, y - pair.ours.y);
    across * across + down * down < tolerance * tolerance * map.area().abs()
}

/// The map that one pair proposes.
struct Proposal {
    map: Affine,
    proposer: Pair,
    /// Pairs that agree.
    votes: usize,
    /// How much those of other places speak for it, with its own.
    weight: u32,
}

impl Proposal {
    fn of(proposer: &Pair, pairs: &[Pair]) -> Self {
        let map = proposed(proposer);
        let mut proposal = Self { map, proposer: *proposer, votes: 0, weight: weight(proposer) };
        for pair in pairs {
            let away = (pair.theirs.x - proposer.theirs.x).abs() + (pair.theirs.y - proposer.theirs.y).abs();
            if hits(&map, pair, tolerance(proposer, away)) && proposer.is_laid_like(pair) {
                proposal.votes += 1;
                let apart = (pair.ours.x - proposer.ours.x).abs() + (pair.ours.y - proposer.ours.y).abs();
                proposal.weight += if away.min(apart) > APART { weight(pair) } else { 0 };
            }
        }
        proposal
    }
}

/// Pixels between places that are no longer one corner on several levels.
const APART: f32 = 12.0;

/// A pair speaks the more for a map the fewer bits differ: those of chance nearly all differ in as many as they may.
fn weight(pair: &Pair) -> u32 {
    (ALIKE + 4).saturating_sub(pair.distance)
}

/// A direction is right within some ten degrees, and a size within a quarter: far places may miss by more.
fn tolerance(proposer: &Pair, away: f32) -> f32 {
    8.0 * proposer.theirs.size + 0.12 * away
}

/// Differing bits of two features that a hint leads to each other: their places speak for them already.
const ALIKE_WHERE_EXPECTED: u32 = 68;
/// Farthest that they are looked for, in the original's pixels.
const FARTHEST: f32 = 40.0;

/// A picture's features, by their places.
pub(crate) struct Spread {
    /// From left to right.
    features: Vec<Feature>,
    size: (f32, f32),
}

impl Spread {
    pub(crate) fn new(mut features: Vec<Feature>, size: (f32, f32)) -> Self {
        features.sort_by(|left, right| left.x.total_cmp(&right.x));
        Self { features, size }
    }

    /// Where the original lies if a hint is right: of each of its features the one most alike of those that are near
    /// where it would be.
    pub(crate) fn guided<'a>(&self, hint: &Hint, theirs: impl Iterator<Item = &'a Feature>) -> Option<Consensus> {
        let pairs: Vec<Pair> = theirs.filter_map(|feature| self.expected(hint, feature)).collect();
        if pairs.len() < LEAST_VOTES {
            return None;
        }
        settled(hint.map, &hint.proposer, pairs)
    }

    fn expected(&self, hint: &Hint, theirs: &Feature) -> Option<Pair> {
        let proposer = &hint.proposer;
        let (x, y) = hint.map.apply(theirs.x, theirs.y);
        let away = (theirs.x - proposer.theirs.x).abs() + (theirs.y - proposer.theirs.y).abs();
        let reach = tolerance(proposer, away).min(FARTHEST * proposer.theirs.size.max(1.0)) * hint.map.scale();
        if x < -reach || y < -reach || x > self.size.0 + reach || y > self.size.1 + reach {
            return None;
        }
        let first = self.features.partition_point(|feature| feature.x < x - reach);
        let near = self.features.iter().skip(first).take_while(|feature| feature.x <= x + reach);
        let pairs = near.filter(|ours| (ours.y - y).abs() <= reach).map(|ours| Pair {
            original: proposer.original,
            theirs: *theirs,
            ours: *ours,
            distance: theirs.distance(ours),
        });
        let alike = pairs.filter(|pair| pair.distance <= ALIKE_WHERE_EXPECTED && proposer.is_laid_like(pair));
        alike.min_by_key(|pair| pair.distance)
    }
}

impl Pair {
    /// Whether another pair says that the original is turned and scaled nearly as this one says.
    fn is_laid_like(&self, other: &Self) -> bool {
        let ratio = other.ours.size * self.theirs.size / (other.theirs.size * self.ours.size);
        let turned = |pair: &Self| pair.ours.angle - pair.theirs.angle;
        let angle = (turned(other) - turned(self)).rem_euclid(std::f32::consts::TAU);
        (0.6..1.7).contains(&ratio) && angle.min(std::f32::consts::TAU - angle) < 0.45
    }
}

/// How far the original's places spread across the line that they are nearest to, by how far along it: 0 on a line.
fn breadth(pairs: &[Pair]) -> f32 {
    let count = pairs.len().max(1) as f32;
    let mean = |pick: fn(&Pair) -> f32| pairs.iter().map(pick).sum::<f32>() / count;
    let (x, y) = (mean(|pair| pair.theirs.x), mean(|pair| pair.theirs.y));
    let (mut across, mut both, mut down) = (0.0_f32, 0.0_f32, 0.0_f32);
    for pair in pairs {
        let (u, v) = (pair.theirs.x - x, pair.theirs.y - y);
        across += u * u;
        both += u * v;
        down += v * v;
    }
    let (half, difference) = ((across + down) * 0.5, (across - down) * 0.5);
    let turn = (difference * difference + both * both).sqrt();
    ((half - turn).max(0.0) / (half + turn).max(1e-6)).sqrt()
}

/// Pairs at different places: several pairs of one corner, or of one place on several levels, are one witness.
fn distinct<'a>(pairs: impl Iterator<Item = &'a Pair>) -> usize {
    let mut cells: Vec<(i32, i32)> =
        pairs.map(|pair| ((pair.theirs.x / 8.0) as i32, (pair.theirs.y / 8.0) as i32)).collect();
    cells.sort_unstable();
    cells.dedup();
    cells.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Feature;

    /// A pair whose place in the picture is that in the original, but for `off` pixels, turned by `angle`.
    fn pair(x: f32, y: f32, off: f32, angle: f32) -> Pair {
        let theirs = Feature { x, y, size: 1.0, angle: 0.0, bits: [0; 4] };
        let ours = Feature { x: x + off, y: y + off, angle, ..theirs };
        Pair { original: 0, theirs, ours, distance: 20 }
    }

    /// A crop of a photograph full of leaves: most pairs are wrong, and some lie near where right ones would.
    #[test]
    fn pairs_that_are_turned_otherwise_do_not_draw_the_map_to_them() {
        let places = |count: usize| (0..count).map(|at| ((at * 37 % 200) as f32, (at * 53 % 200) as f32));
        let right = places(9).map(|(x, y)| pair(x, y, 0.0, 0.0));
        let wrong = places(40).map(|(x, y)| pair(x, y, 11.0, 1.5 + x));
        let mut pairs: Vec<Pair> = right.chain(wrong).collect();
        let Agreement::Enough(found) = consensus(&mut pairs) else { panic!("nine agree") };
        assert_eq!(found.votes, 9);
        let (x, y) = found.map.apply(100.0, 100.0);
        assert!((x - 100.0).abs() < 0.5 && (y - 100.0).abs() < 0.5, "{x} {y}");
    }

    #[test]
    fn corners_along_a_rail_have_no_breadth_and_others_have() {
        let along = |slope: f32| (0..9).map(move |at| pair(at as f32 * 20.0, at as f32 * slope, 0.0, 0.0));
        let rail: Vec<Pair> = along(7.0).collect();
        let two: Vec<Pair> = along(7.0).chain(along(-7.0)).collect();
        assert!(breadth(&rail) < 0.01 && breadth(&two) > 0.2, "{} {}", breadth(&rail), breadth(&two));
    }

    /// Features with bits of their own, and where they lie in a crop, with so many bits changed.
    fn cropped(changed: impl Fn(usize) -> u32) -> (Vec<Feature>, Vec<Feature>) {
        let mut state = 7_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        let theirs = (0..14).map(|at| Feature {
            x: (120 + at * 61 % 150) as f32,
            y: (60 + at * 47 % 120) as f32,
            size: 1.0,
            angle: 0.3,
            bits: [draw(), draw(), draw(), draw()],
        });
        let theirs: Vec<Feature> = theirs.collect();
        let in_crop = |(at, feature): (usize, &Feature)| {
            let mut bits = feature.bits;
            for bit in 0..changed(at) {
                bits[(bit / 64) as usize] ^= 1 << (bit % 64);
            }
            Feature { x: feature.x - 100.0, y: feature.y - 50.0, bits, ..*feature }
        };
        let ours = theirs.iter().enumerate().map(in_crop).collect();
        (theirs, ours)
    }

    #[test]
    fn what_few_pairs_hint_at_is_found_by_features_that_are_less_alike() {
        let (theirs, ours) = cropped(|at| if at < 3 { 10 } else { 60 });
        let alike = theirs.iter().zip(&ours).filter(|(theirs, ours)| theirs.distance(ours) <= ALIKE);
        let pair = |(theirs, ours): (&Feature, &Feature)| Pair {
            original: 4,
            theirs: *theirs,
            ours: *ours,
            distance: theirs.distance(ours),
        };
        let mut pairs: Vec<Pair> = alike.map(pair).collect();
        assert_eq!(pairs.len(), 3, "too few to agree");
        let Agreement::TooLittle(hint) = consensus(&mut pairs) else { panic!("three hint") };
        let found = Spread::new(ours, (200.0, 150.0)).guided(&hint, theirs.iter()).unwrap();
        assert!(hint.original == 4 && found.votes > 12, "{found:?}");
        let elsewhere = cropped(|_| 120).1;
        assert!(Spread::new(elsewhere, (200.0, 150.0)).guided(&hint, theirs.iter()).is_none());
    }
}
