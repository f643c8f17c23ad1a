//! Whether what lies there is the original: brought into place, tile by tile.
//!
//! A hash of the whole, and corners that agree, say that two pictures were made after the same pattern. Screens of one
//! app differ in a name and a few digits. So the picture is laid on the original as exactly as it goes, and tiles of 16
//! by 16 pixels are correlated: of the same picture nearly all agree, whatever was done to it; of another screen of
//! the same template those with other text do not.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the functions of `wide` has the vectors of the oldest processors"
)]

use crate::geometry::{Affine, Moved};
use crate::luma::{Luma, Pyramid};
use crate::wide::widest;

const TILE: usize = 16;
/// A tile whose brightness varies less (standard deviation) has nothing to correlate.
const FLAT: f32 = 7.0;
/// Agreement below which a tile is bad.
const BAD: f32 = 0.55;
/// The same of a tile with letters or edges.
const STRONG_BAD: f32 = 0.62;
/// Share of bad tiles at half the size above which the whole size would say nothing else.
const HOPELESS: f32 = 0.35;
/// Share of bad tiles above which laying it better would not help.
const UNLIKE: f32 = 0.6;
/// Deviation of a tile that has letters or edges.
const STRONG: f32 = 16.0;

/// How large the corners are into which names are written, as shares of the original's width: across and down.
const CORNER: (f32, f32) = (0.3, 0.1);

/// Tiles of a part of the original, counted as in [`Verdict`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) tiles: u32,
    pub(crate) bad: u32,
    pub(crate) strong: u32,
    pub(crate) strong_bad: u32,
    pub(crate) added: u32,
}

/// What tiles say about one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Where the original lies, refined: from its frame to the picture.
    pub(crate) map: Affine,
    /// Tiles with something to correlate.
    pub(crate) tiles: u32,
    /// Of these, those that do not agree.
    pub(crate) bad: u32,
    /// Tiles with much to correlate: letters, edges.
    pub(crate) strong: u32,
    /// Of these, those that do not agree.
    pub(crate) strong_bad: u32,
    /// Tiles that are plain in the original, and in the picture are not: only where the original is drawn.
    pub(crate) added: u32,
    /// What of these lies in the corner of the original that has most that is bad or added.
    pub(crate) corner: Tally,
    /// Agreement of the strong tile that agrees least.
    pub(crate) worst: f32,
    /// Tiles that lie inside the picture.
    pub(crate) inside: u32,
    /// Mean correlation of the tiles.
    pub(crate) correlation: f32,
    /// Size at which the whole original was compared, in pixels.
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Verdict {
    pub(crate) const EMPTY: Self = Self {
        map: Affine::SAME,
        tiles: 0,
        bad: 0,
        strong: 0,
        strong_bad: 0,
        added: 0,
        corner: Tally { tiles: 0, bad: 0, strong: 0, strong_bad: 0, added: 0 },
        worst: 1.0,
        inside: 0,
        correlation: 0.0,
        width: 0,
        height: 0,
    };

    /// Whether the whole size could say nothing else.
    fn is_hopeless(&self) -> bool {
        self.tiles >= 96 && self.bad_share() > HOPELESS
    }

    /// Share of the strong tiles that are bad, those counted that the original does not have.
    pub(crate) fn strong_bad_share(&self) -> f32 {
        (self.strong_bad + self.added) as f32 / (self.strong + self.added).max(1) as f32
    }

    /// The same without what a name in one corner adds, where all that the original has agrees and nothing else is added.
    pub(crate) fn without_added_corner(mut self) -> Self {
        if self.strong_bad == 0 && self.added == self.corner.added {
            self.added = 0;
        }
        self
    }

    /// The same without the corner that agrees least.
    pub(crate) fn without_corner(mut self) -> Self {
        let corner = std::mem::take(&mut self.corner);
        self.tiles -= corner.tiles;
        self.bad -= corner.bad;
        self.strong -= corner.strong;
        self.strong_bad -= corner.strong_bad;
        self.added -= corner.added;
        self
    }

    /// Whether it lays the picture better on the same original.
    fn is_better(&self, other: &Self) -> bool {
        let rank = |verdict: &Self| (verdict.bad_share() + verdict.strong_bad_share(), -verdict.correlation);
        self.tiles * 10 >= other.tiles * 9 && rank(self) < rank(other)
    }

    /// Share of bad tiles.
    pub(crate) fn bad_share(&self) -> f32 {
        self.bad as f32 / self.tiles.max(1) as f32
    }
}

/// Compares the original's `frame` with what lies in the picture where `map` takes it. `rough` where the map may be
/// wrong by a twentieth; `drawn` where letters on what is plain in the original are another's; nothing is laid better
/// once the verdict `is_enough`. `None` where too little lies inside.
pub(crate) fn compare(
    frame: &Luma,
    picture: &Pyramid,
    map: Affine,
    (rough, drawn): (bool, bool),
    is_enough: impl Fn(&Verdict) -> bool,
) -> Option<Verdict> {
    let finest = map.scale().min(1.0);
    let mut map = map;
    for share in if rough { &[0.125, 0.25][..] } else { &[] } {
        map = improved(frame, &at_scale(frame, finest * share), picture, map, 4);
    }
    let half = at_scale(frame, finest * 0.5);
    map = improved(frame, &half, picture, map, 4);
    if let Some(verdict) = judged(&half, &laid(frame, &half, picture, map), map, drawn).filter(Verdict::is_hopeless) {
        return Some(verdict);
    }
    let sized = at_scale(frame, finest);
    for _ in 0..if rough { 2 } else { 1 } {
        map = improved(frame, &sized, picture, map, 2);
    }
    let at = |map: Affine| judged(&sized, &laid(frame, &sized, picture, map), map, drawn);
    let mut best = at(map)?;
    if best.bad + best.added == 0 || best.bad_share() > UNLIKE || is_enough(&best) {
        return Some(best);
    }
    // A few tiles in one corner may have led a little astray what lies far from them.
    for map in [Some(best.map), best.map.squared(middle_of(frame, picture, &best.map))].into_iter().flatten() {
        let mut map = map;
        for _ in 0..2 {
            best = at(map).filter(|other| other.is_better(&best)).unwrap_or(best);
            map = improved(frame, &sized, picture, map, 4);
        }
        best = at(map).filter(|other| other.is_better(&best)).unwrap_or(best);
    }
    Some(best)
}

/// The place of the original that the picture's middle shows.
fn middle_of(frame: &Luma, picture: &Pyramid, map: &Affine) -> (f32, f32) {
    let (width, height) = picture.size();
    let (x, y) = map.inverse().map_or((0.0, 0.0), |back| back.apply(width / 2.0, height / 2.0));
    (x.clamp(0.0, frame.width() as f32), y.clamp(0.0, frame.height() as f32))
}

/// The map that lays the picture better on the original, at the size of `sized`; the same where none is found.
fn improved(frame: &Luma, sized: &Luma, picture: &Pyramid, map: Affine, reach: isize) -> Affine {
    if sized.width().min(sized.height()) < 3 * TILE {
        return map;
    }
    let stretch = stretch(frame, sized);
    let local = map.after(&stretch);
    let shift = refine(sized, &Laid::new(sized, picture, &local), reach);
    let refined = shift.map(|shift| local.after(&shift)).filter(Affine::is_plausible);
    refined.zip(stretch.inverse()).map_or(map, |(refined, back)| refined.after(&back))
}

fn stretch(frame: &Luma, sized: &Luma) -> Affine {
    Affine::scaled(frame.width() as f32 / sized.width() as f32, frame.height() as f32 / sized.height() as f32)
}

fn at_scale(frame: &Luma, scale: f32) -> Luma {
    frame.shrunk((frame.width() as f32 * scale).round() as usize, (frame.height() as f32 * scale).round() as usize)
}

/// The picture as it lies on the original.
pub(crate) struct Laid {
    luma: Luma,
    /// For each row, from where to where it lies inside the picture.
    inside: Vec<(usize, usize)>,
}

impl Laid {
    fn new(frame: &Luma, picture: &Pyramid, map: &Affine) -> Self {
        let (width, height) = (frame.width(), frame.height());
        // The level with at least one pixel for each of the frame.
        let level = picture.at_least(1.0 / map.scale().max(1e-6));
        let mut pixels = vec![0; width * height];
        let mut inside = vec![(0, 0); height];
        if let Some(level) = level {
            let map = Affine::scaled(level.scale.0, level.scale.1).after(map);
            for (y, (row, inside)) in pixels.chunks_exact_mut(width).zip(&mut inside).enumerate() {
                *inside = sampled(row, &level.luma, &map, y);
            }
        }
        Self { luma: Luma::new(width, height, pixels).unwrap_or_else(|| frame.clone()), inside }
    }

    fn contains(&self, left: usize, top: usize, side: usize) -> bool {
        let rows = self.inside.get(top..top + side).unwrap_or_default();
        rows.len() == side && rows.iter().all(|(from, to)| *from <= left && left + side <= *to)
    }
}

/// Fills a row from the places it maps to; from where to where those lie inside. Places are counted in 65,536ths of a
/// pixel: sides are at most 65,535 pixels, of which a picture at working size has far fewer.
fn sampled(row: &mut [u8], source: &Luma, map: &Affine, y: usize) -> (usize, usize) {
    const ONE: f32 = 65_536.0;
    let (width, pixels) = (source.width(), source.pixels());
    let (right, bottom) = ((width as i64 - 1) << 16, (source.height() as i64 - 1) << 16);
    let (u, v) = map.apply(0.5, y as f32 + 0.5);
    let (mut u, mut v) = (((u - 0.5) * ONE) as i64, ((v - 0.5) * ONE) as i64);
    let (across, down) = ((map.xx * ONE).round() as i64, (map.yx * ONE).round() as i64);
    let (half, mut inside) = (1 << 15, (usize::MAX, 0));
    for (x, out) in row.iter_mut().enumerate() {
        if u >= -half && v >= -half && u <= right + half && v <= bottom + half {
            inside = (inside.0.min(x), x + 1);
            let (near_u, near_v) = (u.clamp(0, (right - 1).max(0)), v.clamp(0, (bottom - 1).max(0)));
            let at = (near_v >> 16) as usize * width + (near_u >> 16) as usize;
            let upper = pixels.get(at..at + 2).unwrap_or_default();
            let lower = pixels.get(at + width..at + width + 2).unwrap_or_default();
            *out = between(upper, lower, (near_u >> 8 & 0xFF) as u32, (near_v >> 8 & 0xFF) as u32);
        }
        (u, v) = (u + across, v + down);
    }
    if inside.0 == usize::MAX { (0, 0) } else { inside }
}

/// Between four pixels, so many 256ths to the right and down.
fn between(upper: &[u8], lower: &[u8], right: u32, down: u32) -> u8 {
    let ([a, b], [c, d]) = (upper, lower) else { return upper.first().copied().unwrap_or_default() };
    let upper = u32::from(*a) * (256 - right) + u32::from(*b) * right;
    let lower = u32::from(*c) * (256 - right) + u32::from(*d) * right;
    ((upper * (256 - down) + lower * down + (1 << 15)) >> 16) as u8
}

/// Sums over a tile: of one picture, of its squares, of both together.
struct Sums {
    own: f32,
    other: f32,
    own_squares: f32,
    other_squares: f32,
    products: f32,
}

impl Sums {
    #[inline(always)]
    fn of(frame: &Luma, laid: &Luma, (left, top): (usize, usize), (across, down): (isize, isize)) -> Self {
        let (mut own, mut other, mut own_squares, mut other_squares, mut products) =
            (0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
        for y in 0..TILE {
            let start = left.saturating_add_signed(across);
            let ours = frame.row(top + y).get(left..left + TILE).unwrap_or_default();
            let theirs = laid.row((top + y).saturating_add_signed(down)).get(start..start + TILE).unwrap_or_default();
            for (a, b) in ours.iter().zip(theirs) {
                let (a, b) = (u32::from(*a), u32::from(*b));
                own += a;
                other += b;
                own_squares += a * a;
                other_squares += b * b;
                products += a * b;
            }
        }
        let [own, other, own_squares, other_squares, products] =
            [own, other, own_squares, other_squares, products].map(|sum| sum as f32 / (TILE * TILE) as f32);
        Self { own, other, own_squares, other_squares, products }
    }

    fn deviation(&self) -> f32 {
        (self.own_squares - self.own * self.own).max(0.0).sqrt()
    }

    fn other_deviation(&self) -> f32 {
        (self.other_squares - self.other * self.other).max(0.0).sqrt()
    }

    /// Of one step of grey value in each: two flat tiles do not correlate by their noise.
    fn correlation(&self) -> f32 {
        let together = self.products - self.own * self.other;
        together / ((self.deviation() + 0.5) * (self.other_deviation() + 0.5))
    }
}

fn tiles(frame: &Luma) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (width, height) = (frame.width(), frame.height());
    (0..height / TILE).flat_map(move |y| (0..width / TILE).map(move |x| (x * TILE, y * TILE)))
}

/// How the original has to be moved so that its tiles lie where the picture shows them: found tile by tile, then one
/// affine map for all.
fn refine(frame: &Luma, laid: &Laid, reach: isize) -> Option<Affine> {
    widest!(refine, refine_by_tiles, (frame, laid, reach))
}

#[inline(always)]
pub(crate) fn refine_by_tiles(frame: &Luma, laid: &Laid, reach: isize) -> Option<Affine> {
    const TILES: usize = 140;
    let inner: Vec<_> = tiles(frame)
        .filter(|(left, top)| {
            let (reach, side) = (reach as usize, TILE + 2 * reach as usize);
            *left >= reach && *top >= reach && laid.contains(left - reach, top - reach, side)
        })
        .collect();
    let textured: Vec<_> =
        inner.into_iter().filter(|tile| Sums::of(frame, &laid.luma, *tile, (0, 0)).deviation() >= FLAT).collect();
    let step = textured.len().div_ceil(TILES).max(1);
    // Closures of iterators are not compiled for the wider processor, loops are.
    let mut moved = Vec::new();
    for tile in textured.iter().step_by(step) {
        moved.extend(displaced(frame, &laid.luma, *tile, reach));
    }
    let mut map = Affine::SAME;
    for round in 0..4 {
        if moved.len() < 3 {
            return None;
        }
        map = if moved.len() < 6 { middle_shift(&moved) } else { Affine::fitted(&moved, moved.len() < 24)? };
        let mut errors: Vec<f32> = moved.iter().map(|place| error(&map, place)).collect();
        errors.sort_by(f32::total_cmp);
        let bound = errors.get(errors.len() * 6 / 10).copied().unwrap_or_default() * 2.0 + 0.3;
        if round < 3 {
            moved.retain(|place| error(&map, place) <= bound);
        }
    }
    Some(map)
}

fn error(map: &Affine, (from, to): &Moved) -> f32 {
    let (x, y) = map.apply(from.0, from.1);
    (x - to.0).hypot(y - to.1)
}

fn middle_shift(moved: &[Moved]) -> Affine {
    let middle = |pick: fn(&Moved) -> f32| {
        let mut all: Vec<f32> = moved.iter().map(pick).collect();
        all.sort_by(f32::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Affine { x0: middle(|(from, to)| to.0 - from.0), y0: middle(|(from, to)| to.1 - from.1), ..Affine::SAME }
}

/// Where a tile's contents lie in the picture, to a fraction of a pixel.
#[inline(always)]
fn displaced(frame: &Luma, laid: &Luma, tile: (usize, usize), reach: isize) -> Option<Moved> {
    let mut best = (0.5, 0, 0);
    let mut found = false;
    for down in -reach..=reach {
        for across in -reach..=reach {
            let value = Sums::of(frame, laid, tile, (across, down)).correlation();
            if value > best.0 {
                best = (value, across, down);
                found = true;
            }
        }
    }
    let (value, across, down) = best;
    let correlation = |across: isize, down: isize| Sums::of(frame, laid, tile, (across, down)).correlation();
    if !found || across.abs() == reach || down.abs() == reach {
        return None;
    }
    let x = across as f32 + vertex(correlation(across - 1, down), value, correlation(across + 1, down));
    let y = down as f32 + vertex(correlation(across, down - 1), value, correlation(across, down + 1));
    let middle = (tile.0 as f32 + TILE as f32 / 2.0, tile.1 as f32 + TILE as f32 / 2.0);
    Some((middle, (middle.0 + x, middle.1 + y)))
}

/// Where the parabola through three neighbours has its top.
fn vertex(before: f32, top: f32, after: f32) -> f32 {
    let bend = before + after - 2.0 * top;
    if bend < -1e-6 { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
}

/// Deviation, in the original's grey values, of letters in a tile that is plain in the original. Half-transparent words
/// over all of a picture have less.
const ADDED: f32 = 40.0;
/// Difference of the lightest and the darkest of it. What shines through half-transparent words keeps them below.
const ADDED_RANGE: f32 = 110.0;
/// Pixels on either end that do not count for that: JPEG makes some lighter or darker than they were.
const OUTLIERS: usize = 4;
/// Pixels at a tile's border that do not count for that.
const MARGIN: usize = 3;

/// One tile of both pictures.
struct Tile {
    place: (usize, usize),
    sums: Sums,
    correlation: f32,
    /// Grey values of the picture for one of the original.
    slope: f32,
}

impl Tile {
    fn new(place: (usize, usize), sums: Sums) -> Self {
        let together = sums.products - sums.own * sums.other;
        let slope = together / (sums.deviation().powi(2) + 0.5);
        Self { place, correlation: sums.correlation(), slope, sums }
    }

    /// The tile as a tone leaves it that makes some of it black or white. `None` where that is flat.
    fn cut(self, frame: &Luma, laid: &Luma, tone: &Tone) -> Option<Self> {
        let (low, high) = tone.ends();
        if (low, high) == (0, 255) {
            return Some(self);
        }
        let (left, top) = self.place;
        let pixels = |luma: &Luma, low: u8, high: u8| {
            let cut = luma.cut(left, top, TILE, TILE);
            let pixels = cut.pixels().iter().map(|pixel| (*pixel).clamp(low.min(high), high)).collect();
            Luma::new(cut.width(), cut.height(), pixels)
        };
        let sums = Sums::of(&pixels(frame, low, high)?, &pixels(laid, 0, 255)?, (0, 0), (0, 0));
        (sums.deviation() >= FLAT).then(|| Self::new(self.place, sums))
    }
}

impl Tile {
    /// What is laid over a picture lowers the correlation. What the original has is still there under it, with the
    /// contrast that the other tiles have.
    fn agreement(&self, tone: &Tone) -> f32 {
        self.correlation.max((self.slope / tone.slope).min(1.0))
    }
}

/// How the picture's grey values follow from the original's: contrast and brightness as most tiles have them.
struct Tone {
    slope: f32,
    offset: f32,
}

impl Tone {
    fn of(tiles: &[Tile]) -> Self {
        let sure = || tiles.iter().filter(|tile| tile.correlation > 0.8 && (12.0..243.0).contains(&tile.sums.other));
        let slope = median(sure().map(|tile| tile.slope)).unwrap_or(1.0).max(0.1);
        let offset = median(sure().map(|tile| tile.sums.other - slope * tile.sums.own)).unwrap_or_default();
        Self { slope, offset }
    }

    /// Whether nearly all of the tile would be black or white in this tone: nothing can be seen of it then.
    fn clips(&self, tile: &Tile) -> bool {
        let (low, high) = self.spread(tile);
        low > 248.0 || high < 6.0
    }

    /// Whether some of the tile would be black or white.
    fn cuts(&self, tile: &Tile) -> bool {
        let (low, high) = self.spread(tile);
        low < 6.0 || high > 248.0
    }

    /// Where most of the tile would lie.
    fn spread(&self, tile: &Tile) -> (f32, f32) {
        let (mean, spread) = (self.slope * tile.sums.own + self.offset, self.slope * tile.sums.deviation());
        (mean - spread, mean + spread)
    }

    /// The grey values of the original that become black and white: beyond them nothing differs any more.
    fn ends(&self) -> (u8, u8) {
        (((0.0 - self.offset) / self.slope) as u8, ((255.0 - self.offset) / self.slope) as u8)
    }
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut all: Vec<f32> = values.collect();
    all.sort_by(f32::total_cmp);
    all.get(all.len() / 2).copied()
}

/// Detail whose brightness varies less (standard deviation) is noise.
const NOISE: f32 = 2.0;
/// Agreement from which two tiles have the same detail.
const SAME_DETAIL: f32 = 0.5;

/// How many tiles, which do not overlap, agree in their detail: what is left of a tile without its slant from dark to
/// light. Any two soft shades correlate where they happen to slant alike; their detail does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Tiles with detail.
    pub(crate) tiles: u32,
    /// Of these, those that agree.
    pub(crate) agreeing: u32,
}

impl Detail {
    /// Of the original's `frame` and what lies in the picture where `map` takes it.
    pub(crate) fn of(frame: &Luma, picture: &Pyramid, map: Affine) -> Self {
        let sized = at_scale(frame, map.scale().min(1.0));
        let laid = laid(frame, &sized, picture, map);
        let mut detail = Self { tiles: 0, agreeing: 0 };
        for place in tiles(&sized).filter(|(left, top)| laid.contains(*left, *top, TILE)) {
            let unslanted = Unslanted::of(&sized, &laid.luma, place);
            if unslanted.own >= NOISE {
                detail.tiles += 1;
                detail.agreeing += u32::from(unslanted.correlation() >= SAME_DETAIL);
            }
        }
        detail
    }

    /// Whether it bears out what few tiles say.
    pub(crate) fn bears_out(self) -> bool {
        self.agreeing >= 5 && self.agreeing * 20 >= self.tiles * 13
    }

    /// Whether it is enough where too few tiles have contrast.
    pub(crate) fn is_enough(self) -> bool {
        self.agreeing >= 8 && self.agreeing * 20 >= self.tiles * 17
    }
}

/// Two tiles, each without its slant (the plane nearest to it).
struct Unslanted {
    /// Deviations.
    own: f32,
    other: f32,
    together: f32,
}

impl Unslanted {
    fn of(frame: &Luma, laid: &Luma, (left, top): (usize, usize)) -> Self {
        const COUNT: f32 = (TILE * TILE) as f32;
        const MIDDLE: f32 = (TILE as f32 - 1.0) / 2.0;
        /// Mean square of places along one side, from its middle.
        const SPREAD: f32 = (COUNT - 1.0) / 12.0;
        let (mut own, mut other, mut products) = (Plane::default(), Plane::default(), [0.0_f32; 3]);
        for y in 0..TILE {
            let ours = frame.row(top + y).get(left..left + TILE).unwrap_or_default();
            let theirs = laid.row(top + y).get(left..left + TILE).unwrap_or_default();
            for (x, (a, b)) in ours.iter().zip(theirs).enumerate() {
                let (a, b) = (f32::from(*a), f32::from(*b));
                let (x, y) = (x as f32 - MIDDLE, y as f32 - MIDDLE);
                own.add(a / COUNT, x, y);
                other.add(b / COUNT, x, y);
                for (sum, product) in products.iter_mut().zip([a * a, b * b, a * b]) {
                    *sum += product / COUNT;
                }
            }
        }
        let in_planes = |a: &Plane, b: &Plane| a.mean * b.mean + (a.across * b.across + a.down * b.down) / SPREAD;
        let [own_squares, other_squares, both] = products;
        Self {
            own: (own_squares - in_planes(&own, &own)).max(0.0).sqrt(),
            other: (other_squares - in_planes(&other, &other)).max(0.0).sqrt(),
            together: both - in_planes(&own, &other),
        }
    }

    /// Of half a step of grey value in each, as in [`Sums::correlation`].
    fn correlation(&self) -> f32 {
        self.together / ((self.own + 0.5) * (self.other + 0.5))
    }
}

/// A tile's mean brightness, and its moments across and down.
#[derive(Default)]
struct Plane {
    mean: f32,
    across: f32,
    down: f32,
}

impl Plane {
    fn add(&mut self, share: f32, x: f32, y: f32) {
        self.mean += share;
        self.across += share * x;
        self.down += share * y;
    }
}

/// Compares tile by tile, without moving anything.
fn judged(frame: &Luma, laid: &Laid, map: Affine, drawn: bool) -> Option<Verdict> {
    widest!(judged, judged_by_tiles, (frame, laid, map, drawn))
}

#[inline(always)]
pub(crate) fn judged_by_tiles(frame: &Luma, laid: &Laid, map: Affine, drawn: bool) -> Option<Verdict> {
    let (width, height) = (frame.width(), frame.height());
    let mut verdict = Verdict { map, width, height, ..Verdict::EMPTY };
    let (mut all, mut plain) = (Vec::new(), Vec::new());
    for place in overlapping(frame).filter(|(left, top)| laid.contains(*left, *top, TILE)) {
        verdict.inside += 1;
        let sums = Sums::of(frame, &laid.luma, place, (0, 0));
        if sums.deviation() >= FLAT {
            all.push(Tile::new(place, sums));
        } else if drawn {
            plain.push((place, sums));
        }
    }
    let tone = Tone::of(&all);
    let mut corners = [Tally::default(); 4];
    let seen = all.into_iter().filter(|tile| !tone.clips(tile));
    for tile in seen.filter_map(|tile| if tone.cuts(&tile) { tile.cut(frame, &laid.luma, &tone) } else { Some(tile) }) {
        let agreement = tile.agreement(&tone);
        let is_strong = tile.sums.deviation() >= STRONG;
        let is_bad = agreement < if is_strong { STRONG_BAD } else { BAD };
        verdict.tiles += 1;
        verdict.bad += u32::from(is_bad);
        verdict.strong += u32::from(is_strong);
        verdict.strong_bad += u32::from(is_strong && is_bad);
        if let Some(corner) = corner_of(tile.place, (width, height)).and_then(|corner| corners.get_mut(corner)) {
            corner.tiles += 1;
            corner.bad += u32::from(is_bad);
            corner.strong += u32::from(is_strong);
            corner.strong_bad += u32::from(is_strong && is_bad);
        }
        verdict.correlation += tile.correlation;
        if is_strong {
            verdict.worst = verdict.worst.min(agreement);
        }
    }
    verdict.correlation /= verdict.tiles.max(1) as f32;
    for (place, _) in plain.iter().filter(|(place, sums)| is_added(&laid.luma, *place, sums, &tone)) {
        verdict.added += 1;
        if let Some(corner) = corner_of(*place, (width, height)).and_then(|corner| corners.get_mut(corner)) {
            corner.added += 1;
        }
    }
    verdict.corner = corners.into_iter().max_by_key(|corner| corner.bad + corner.added).unwrap_or_default();
    (verdict.tiles > 0).then_some(verdict)
}

/// Which corner the middle of a tile lies in, if in one: programs write there whose picture it is.
fn corner_of((left, top): (usize, usize), (width, height): (usize, usize)) -> Option<usize> {
    let (across, down) = ((width as f32 * CORNER.0) as usize, (width as f32 * CORNER.1) as usize);
    let side = |middle: usize, reach: usize, length: usize| match (middle <= reach, middle + reach >= length) {
        (true, _) => Some(0),
        (_, true) => Some(1),
        _ => None,
    };
    Some(side(left + TILE / 2, across, width)? + 2 * side(top + TILE / 2, down, height)?)
}

/// Whether a tile that is plain in the original has letters in the picture, with the contrast that letters have there.
/// Its margin is left out: what stands beside the tile may reach into it by a pixel or two.
fn is_added(laid: &Luma, (left, top): (usize, usize), sums: &Sums, tone: &Tone) -> bool {
    let least = ADDED * tone.slope;
    if sums.other_deviation() < least * 0.5 {
        return false;
    }
    let inner = laid.cut(left + MARGIN, top + MARGIN, TILE - 2 * MARGIN, TILE - 2 * MARGIN);
    let count = inner.pixels().len() as f32;
    let (mut sum, mut squares) = (0_u32, 0_u32);
    for pixel in inner.pixels() {
        sum += u32::from(*pixel);
        squares += u32::from(*pixel).pow(2);
    }
    let mean = sum as f32 / count;
    (squares as f32 / count - mean * mean).max(0.0).sqrt() >= least && range(&inner) >= ADDED_RANGE * tone.slope
}

/// Between the lightest and the darkest pixels, but for a few.
fn range(tile: &Luma) -> f32 {
    let mut pixels = tile.pixels().to_vec();
    pixels.sort_unstable();
    let end = pixels.iter().rev().nth(OUTLIERS).copied().unwrap_or_default();
    f32::from(end) - f32::from(pixels.get(OUTLIERS).copied().unwrap_or_default())
}

/// Tiles that overlap by half: what is different is in the middle of one of them.
pub(crate) fn overlapping(frame: &Luma) -> impl Iterator<Item = (usize, usize)> + use<> {
    let step = TILE / 2;
    let (across, down) = ((frame.width() / step).saturating_sub(1), (frame.height() / step).saturating_sub(1));
    (0..down).flat_map(move |y| (0..across).map(move |x| (x * step, y * step)))
}

/// Share of pixels that hardly differ from those to the left and above: nearly all of a screen, half of a card, little
/// of a photograph unless it shows the sky.
pub(crate) fn plainness(frame: &Luma) -> f32 {
    let (mut all, mut plain) = (0_u32, 0_u32);
    for y in 1..frame.height() {
        let (above, row) = (frame.row(y - 1), frame.row(y));
        for ((left, pixel), above) in row.iter().zip(row.iter().skip(1)).zip(above.iter().skip(1)) {
            all += 1;
            plain += u32::from(pixel.abs_diff(*left) <= 1 && pixel.abs_diff(*above) <= 1);
        }
    }
    plain as f32 / all.max(1) as f32
}

/// Tiles of small copies that are compared; fewer textured ones than the least say nothing.
const GLANCED: usize = 48;
const LEAST_GLANCED: u32 = 12;
/// By how much the share of bad tiles of the small copies may differ where two originals are equally good.
const GLANCED_APART: f32 = 0.35;

/// The picture laid on small copies of originals: that most others have nothing to do with it is seen there.
pub(crate) struct Glance<'a> {
    picture: &'a Pyramid,
    map: Affine,
    frame: (f32, f32),
    laid: Laid,
    places: Vec<(usize, usize)>,
    /// Share of the own original's tiles that are bad; 1 where they say nothing.
    bad: f32,
}

impl<'a> Glance<'a> {
    /// For an original whose kept copy is `own`, and its small copy `small`, found where `map` takes `own`.
    pub(crate) fn of(own: &Luma, small: &Luma, picture: &'a Pyramid, map: Affine) -> Self {
        let frame = (own.width() as f32, own.height() as f32);
        let laid = Laid { luma: small.clone(), inside: Vec::new() };
        let mut glance = Self { picture, map, frame, laid, places: Vec::new(), bad: 1.0 };
        glance.lay_on(small);
        glance.bad = glance.bad_share(small).unwrap_or(1.0);
        glance
    }

    /// Whether the small copy of another original of this shape shows that the picture is much less like it.
    pub(crate) fn is_another(&mut self, small: &Luma) -> bool {
        if (small.width(), small.height()) != (self.laid.luma.width(), self.laid.luma.height()) {
            self.lay_on(small);
        }
        self.bad_share(small).is_some_and(|bad| bad > self.bad + GLANCED_APART)
    }

    fn lay_on(&mut self, small: &Luma) {
        let stretch = Affine::scaled(self.frame.0 / small.width() as f32, self.frame.1 / small.height() as f32);
        self.laid = Laid::new(small, self.picture, &self.map.after(&stretch));
        let inside: Vec<_> = overlapping(small).filter(|(left, top)| self.laid.contains(*left, *top, TILE)).collect();
        let step = inside.len().div_ceil(GLANCED).max(1);
        self.places = inside.into_iter().step_by(step).collect();
    }

    /// `None` where there is too little to compare.
    fn bad_share(&self, small: &Luma) -> Option<f32> {
        let sums = self.places.iter().map(|place| Sums::of(small, &self.laid.luma, *place, (0, 0)));
        let (mut tiles, mut bad) = (0, 0);
        for sums in sums.filter(|sums| sums.deviation() >= FLAT) {
            tiles += 1;
            bad += u32::from(sums.correlation() < BAD);
        }
        (tiles >= LEAST_GLANCED).then_some(bad as f32 / tiles as f32)
    }
}

/// The picture laid where an original was found, to be compared with it and with others of its shape.
pub(crate) struct Rivals<'a> {
    own: &'a Luma,
    picture: &'a Pyramid,
    drawn: bool,
    /// What the own original's tiles said, at the size at which it is laid.
    verdict: Verdict,
    laid: Laid,
}

impl<'a> Rivals<'a> {
    /// For an original whose kept copy is `own`, found with this verdict.
    pub(crate) fn of(own: &'a Luma, picture: &'a Pyramid, verdict: &Verdict, drawn: bool) -> Self {
        let laid = laid(own, &own.shrunk(verdict.width, verdict.height), picture, verdict.map);
        Self { own, picture, drawn, verdict: *verdict, laid }
    }

    /// Whether the tiles speak for another original, whose kept copy this is, as well as for the own one.
    pub(crate) fn is_as_good(&mut self, other: &Luma) -> bool {
        // Both are compared at one size: that of the smaller copy.
        if other.width() < self.verdict.width || other.height() < self.verdict.height {
            let smaller = self.own.shrunk(other.width(), other.height());
            self.laid = laid(self.own, &smaller, self.picture, self.verdict.map);
            let Some(verdict) = judged(&smaller, &self.laid, self.verdict.map, self.drawn) else { return true };
            self.verdict = verdict;
        }
        let own = &self.verdict;
        let sized = other.shrunk(own.width, own.height);
        judged(&sized, &self.laid, own.map, self.drawn).is_some_and(|other| {
            other.tiles * 2 >= own.tiles
                && other.strong_bad_share() <= own.strong_bad_share()
                && other.bad_share() <= own.bad_share()
        })
    }
}

fn laid(frame: &Luma, sized: &Luma, picture: &Pyramid, map: Affine) -> Laid {
    Laid::new(sized, picture, &map.after(&stretch(frame, sized)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawings::{blanked, photo, screen};

    fn whole(frame: &Luma, picture: &Luma, drawn: bool) -> Verdict {
        let scale = Affine::scaled(
            picture.width() as f32 / frame.width() as f32,
            picture.height() as f32 / frame.height() as f32,
        );
        compare(frame, &Pyramid::new(picture), scale, (false, drawn), |_| false).unwrap()
    }

    fn changed(picture: &Luma, change: impl Fn(usize, usize, u8) -> u8) -> Luma {
        let width = picture.width();
        let pixels = picture.pixels().iter().enumerate().map(|(at, pixel)| change(at % width, at / width, *pixel));
        Luma::new(width, picture.height(), pixels.collect()).unwrap()
    }

    /// Strokes, as thick as the gaps between them, over a plain part of a screen.
    fn written_over(screen: &Luma, share: f32) -> Luma {
        changed(screen, |x, y, pixel| {
            let inked = (150..190).contains(&y) && (40..320).contains(&x) && (x / 4) % 2 == 0;
            if inked { (f32::from(pixel) * (1.0 - share)) as u8 } else { pixel }
        })
    }

    #[test]
    fn what_brightening_makes_white_is_not_another_picture() {
        let original = photo(640, 480, 4);
        let brighter = changed(&original, |_, _, pixel| (f32::from(pixel) * 1.75).min(255.0) as u8);
        let verdict = whole(&original, &brighter, false);
        assert!(verdict.bad_share() < 0.002, "{verdict:?}");
        assert!(verdict.tiles > 500, "and what is left is compared: {verdict:?}");
    }

    /// From dark to light, with grain of its own.
    fn soft_shade(seed: u64) -> Luma {
        let mut state = seed;
        let shades = (0..320 * 240).map(|at: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (60 + at % 320 / 4) as u8 + (state >> 60) as u8
        });
        Luma::new(320, 240, shades.collect()).unwrap()
    }

    #[test]
    fn soft_shades_that_slant_alike_agree_in_no_detail() {
        let (one, other) = (soft_shade(1), soft_shade(2));
        let detail = |picture: &Luma| Detail::of(&one, &Pyramid::new(picture), Affine::SAME);
        let (same, unlike) = (detail(&one), detail(&other));
        assert!(same.tiles > 200 && same.agreeing == same.tiles && same.bears_out() && same.is_enough(), "{same:?}");
        assert!(unlike.tiles == same.tiles && !unlike.bears_out() && !unlike.is_enough(), "{unlike:?}");
    }

    #[test]
    fn half_transparent_words_are_no_letters_that_were_added() {
        let original = blanked(&screen(900, 1), 3);
        assert_eq!(whole(&original, &written_over(&original, 0.36), true).added, 0);
        assert!(whole(&original, &written_over(&original, 0.9), true).added > 0, "opaque ones are");
    }

    #[test]
    fn a_glance_tells_what_has_nothing_in_common_and_nothing_else() {
        let own = photo(640, 480, 1);
        let small = |picture: &Luma| crate::luma::limited(picture, 128 * 96);
        let pyramid = Pyramid::new(&own);
        let mut glance = Glance::of(&own, &small(&own), &pyramid, Affine::SAME);
        assert!(glance.is_another(&small(&photo(640, 480, 2))));
        assert!(!glance.is_another(&small(&own)));
        let (one, other) = (screen(900, 1), screen(900, 2));
        let pyramid = Pyramid::new(&one);
        let mut glance = Glance::of(&one, &small(&one), &pyramid, Affine::SAME);
        assert!(!glance.is_another(&small(&other)), "another screen of the template has to be compared");
    }

    #[test]
    fn wider_loops_give_the_same() {
        let (one, other) = (photo(640, 480, 1), photo(640, 480, 2));
        let pyramid = Pyramid::new(&changed(&one, |x, y, pixel| if x > 400 { other.row(y)[x] } else { pixel / 2 }));
        let moved = Affine { x0: 1.6, y0: -0.7, ..Affine::SAME };
        let laid = Laid::new(&one, &pyramid, &moved);
        assert_eq!(refine(&one, &laid, 4), refine_by_tiles(&one, &laid, 4));
        assert_eq!(judged(&one, &laid, moved, true), judged_by_tiles(&one, &laid, moved, true));
        assert!(judged(&one, &laid, moved, true).is_some_and(|verdict| verdict.bad > 0));
    }
}
