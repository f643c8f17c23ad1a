//! What a stream says of its first picture before it is decoded (AV1 specification, sections 5.5 and 5.9). Only pictures
//! that need no other are read.

use super::bits::Bits;
use super::refused;
use crate::decode::Unreadable;

/// Segments of a picture.
pub(super) const SEGMENTS: usize = 8;
const SELECTED: u32 = 2;

/// What holds for all pictures of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    is_reduced: bool,
    width_bits: u32,
    height_bits: u32,
    width: usize,
    height: usize,
    has_frame_ids: bool,
    frame_id_bits: u32,
    pub(super) has_large_superblocks: bool,
    pub(super) filters_intra: bool,
    pub(super) filters_edges: bool,
    screen_content: u32,
    integer_motion: u32,
    order_bits: u32,
    has_superres: bool,
    has_cdef: bool,
    has_restoration: bool,
    has_film_grain: bool,
    separate_uv_quantisers: bool,
    equal_intervals: bool,
    timing: Option<Timing>,
    /// Operating points: which layers each has, and whether its decoder model is told.
    points: Vec<(u32, bool)>,
    pub(super) depth: u32,
    pub(super) is_monochrome: bool,
    /// Whether colours have half the columns, and half the rows.
    pub(super) subsampling: (usize, usize),
    pub(super) is_full_range: bool,
}

/// Bits of what is told of buffers and times.
#[derive(Clone, Debug, Default)]
struct Timing {
    delay: u32,
    removal: u32,
    presentation: u32,
}

impl Sequence {
    pub(super) fn read(data: &[u8]) -> Result<Self, Unreadable> {
        let mut bits = Bits::new(data);
        let mut sequence = Self::default();
        let profile = bits.take(3);
        bits.flag();
        sequence.is_reduced = bits.flag();
        if sequence.is_reduced {
            bits.skip(5);
            sequence.points.push((0, false));
        } else {
            sequence.read_points(&mut bits);
        }
        sequence.width_bits = bits.take(4) + 1;
        sequence.height_bits = bits.take(4) + 1;
        sequence.width = bits.take(sequence.width_bits) as usize + 1;
        sequence.height = bits.take(sequence.height_bits) as usize + 1;
        sequence.has_frame_ids = !sequence.is_reduced && bits.flag();
        if sequence.has_frame_ids {
            let delta_bits = bits.take(4) + 2;
            sequence.frame_id_bits = delta_bits + bits.take(3) + 1;
        }
        sequence.has_large_superblocks = bits.flag();
        sequence.filters_intra = bits.flag();
        sequence.filters_edges = bits.flag();
        sequence.read_tools(&mut bits);
        sequence.has_superres = bits.flag();
        sequence.has_cdef = bits.flag();
        sequence.has_restoration = bits.flag();
        sequence.read_colours(profile, &mut bits);
        sequence.has_film_grain = bits.flag();
        if bits.is_over() || profile > 2 { Err(Unreadable::Damaged) } else { Ok(sequence) }
    }

    fn read_points(&mut self, bits: &mut Bits<'_>) {
        if bits.flag() {
            bits.skip(64);
            self.equal_intervals = bits.flag();
            if self.equal_intervals {
                bits.universal();
            }
            if bits.flag() {
                let delay = bits.take(5) + 1;
                bits.skip(32);
                let (removal, presentation) = (bits.take(5) + 1, bits.take(5) + 1);
                self.timing = Some(Timing { delay, removal, presentation });
            }
        }
        let has_display_delays = bits.flag();
        for _ in 0..=bits.take(5) {
            let layers = bits.take(12);
            if bits.take(5) > 7 {
                bits.skip(1);
            }
            let is_modelled = self.timing.is_some() && bits.flag();
            if let Some(timing) = self.timing.as_ref().filter(|_| is_modelled) {
                bits.skip(2 * timing.delay + 1);
            }
            if has_display_delays && bits.flag() {
                bits.skip(4);
            }
            self.points.push((layers, is_modelled));
        }
    }

    fn read_tools(&mut self, bits: &mut Bits<'_>) {
        (self.screen_content, self.integer_motion) = (SELECTED, SELECTED);
        if self.is_reduced {
            return;
        }
        bits.skip(4);
        let has_order = bits.flag();
        if has_order {
            bits.skip(2);
        }
        if !bits.flag() {
            self.screen_content = bits.take(1);
        }
        if self.screen_content > 0 && !bits.flag() {
            self.integer_motion = bits.take(1);
        }
        if has_order {
            self.order_bits = bits.take(3) + 1;
        }
    }

    fn read_colours(&mut self, profile: u32, bits: &mut Bits<'_>) {
        let is_high = bits.flag();
        self.depth = match (is_high, profile) {
            (false, _) => 8,
            (true, 2) if bits.flag() => 12,
            (true, _) => 10,
        };
        self.is_monochrome = profile != 1 && bits.flag();
        let described = bits.flag().then(|| (bits.take(8), bits.take(8), bits.take(8)));
        if self.is_monochrome {
            self.is_full_range = bits.flag();
            self.subsampling = (1, 1);
            return;
        }
        if described == Some((1, 13, 0)) {
            self.is_full_range = true;
        } else {
            self.is_full_range = bits.flag();
            self.subsampling = match profile {
                0 => (1, 1),
                1 => (0, 0),
                _ if self.depth < 12 => (1, 0),
                _ => {
                    let across = bits.flag();
                    (usize::from(across), usize::from(across && bits.flag()))
                }
            };
            if self.subsampling == (1, 1) {
                bits.skip(2);
            }
        }
        self.separate_uv_quantisers = bits.flag();
    }
}

/// What a segment changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    /// Change of the quantiser and of the four levels of the loop filter.
    changes: [Option<i32>; 5],
    pub(super) is_skipped: bool,
}

/// What the loop filter is told.
#[derive(Clone, Debug, Default)]
pub(super) struct LoopFilter {
    /// For edges that go down, and across.
    pub(super) levels: [i32; 2],
    pub(super) sharpness: i32,
    /// What is added in blocks that are predicted from their own picture.
    intra_change: Option<i32>,
}

/// A picture that needs no other.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) learns: bool,
    pub(super) has_screen_content: bool,
    pub(super) copies: bool,
    /// Where tiles begin, across and down, in blocks of 4 pixels; the last is behind the end.
    pub(super) columns: Vec<usize>,
    pub(super) rows: Vec<usize>,
    pub(super) tile_bits: u32,
    pub(super) tile_size_bytes: usize,
    pub(super) quantiser: i32,
    dc_change: i32,
    other_changes: [i32; 4],
    /// Level of the quantiser matrix for brightness.
    matrix: Option<usize>,
    segments: Option<[Segment; SEGMENTS]>,
    pub(super) last_segment: usize,
    pub(super) segments_come_first: bool,
    /// How far changes of the quantiser and of the loop filter are shifted.
    pub(super) quantiser_shift: Option<u32>,
    pub(super) filter_shift: Option<u32>,
    pub(super) has_many_filter_changes: bool,
    pub(super) filter: LoopFilter,
    /// Bits of the strength of the constrained directional enhancement filter, where there is one.
    pub(super) cdef_bits: Option<u32>,
    /// By plane: which loop restoration, and the side of its units.
    pub(super) restoration: [Option<(Restoration, usize)>; 3],
    pub(super) selects_transforms: bool,
    pub(super) has_few_transforms: bool,
}

/// Which loop restoration units of a plane may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Restoration {
    Any,
    Wiener,
    SelfGuided,
}

impl Frame {
    /// Columns of blocks of 4 pixels: an even number.
    pub(super) fn block_columns(&self) -> usize {
        2 * self.width.div_ceil(8)
    }

    /// Rows of the same.
    pub(super) fn block_rows(&self) -> usize {
        2 * self.height.div_ceil(8)
    }

    /// The header, and what of the data follows it.
    pub(super) fn read<'a>(data: &'a [u8], sequence: &Sequence) -> Result<(Self, &'a [u8]), Unreadable> {
        let mut bits = Bits::new(data);
        let frame = Reader { bits: &mut bits, sequence }.frame()?;
        if bits.is_over() { Err(Unreadable::Damaged) } else { Ok((frame, bits.rest())) }
    }

    pub(super) fn segment(&self, segment: usize) -> Segment {
        self.segments.as_ref().and_then(|all| all.get(segment)).copied().unwrap_or_default()
    }

    pub(super) fn has_segments(&self) -> bool {
        self.segments.is_some()
    }

    /// Index of the quantiser in a segment where the blocks have this one (`get_qidx`).
    pub(super) fn quantiser_of(&self, segment: usize, current: i32) -> i32 {
        match self.segment(segment).changes[0] {
            Some(change) => (current + change).clamp(0, 255),
            None => current,
        }
    }

    pub(super) fn is_lossless(&self, segment: usize) -> bool {
        self.quantiser_of(segment, self.quantiser) == 0 && self.dc_change == 0 && self.other_changes == [0; 4]
    }

    fn is_all_lossless(&self) -> bool {
        (0..SEGMENTS).all(|segment| self.is_lossless(segment))
    }

    pub(super) fn dc_index(&self, quantiser: i32) -> usize {
        (quantiser + self.dc_change).clamp(0, 255) as usize
    }

    pub(super) fn matrix_of(&self, segment: usize) -> Option<usize> {
        self.matrix.filter(|level| *level < 15 && !self.is_lossless(segment))
    }

    /// Level of the loop filter for edges that go down (0) or across (1) (section 7.14.4).
    pub(super) fn filter_level(&self, direction: usize, segment: usize, change: i32) -> u8 {
        let mut level = (self.filter.levels[direction & 1] + change).clamp(0, 63);
        if let Some(of_segment) = self.segment(segment).changes[1 + (direction & 1)] {
            level = (level + of_segment).clamp(0, 63);
        }
        if let Some(intra) = self.filter.intra_change {
            level = (level + (intra << (level >> 5))).clamp(0, 63);
        }
        level as u8
    }
}

struct Reader<'r, 'a> {
    bits: &'r mut Bits<'a>,
    sequence: &'r Sequence,
}

impl Reader<'_, '_> {
    fn frame(&mut self) -> Result<Frame, Unreadable> {
        let sequence = self.sequence;
        let is_reduced = sequence.is_reduced;
        if !is_reduced {
            self.shown_key_frame()?;
        }
        let learns = !self.bits.flag();
        let has_screen_content =
            if sequence.screen_content == SELECTED { self.bits.flag() } else { sequence.screen_content == 1 };
        if has_screen_content && sequence.integer_motion == SELECTED {
            self.bits.skip(1);
        }
        if sequence.has_frame_ids {
            self.bits.skip(sequence.frame_id_bits);
        }
        let has_own_size = !is_reduced && self.bits.flag();
        self.bits.skip(sequence.order_bits);
        self.removal_times();
        let (width, height) = self.size(has_own_size)?;
        if self.bits.flag() {
            self.bits.skip(32);
        }
        let copies = has_screen_content && self.bits.flag();
        if !is_reduced && learns {
            self.bits.skip(1);
        }
        let mut frame = Frame {
            width,
            height,
            learns,
            has_screen_content,
            copies,
            columns: Vec::new(),
            rows: Vec::new(),
            tile_bits: 0,
            tile_size_bytes: 0,
            quantiser: 0,
            dc_change: 0,
            other_changes: [0; 4],
            matrix: None,
            segments: None,
            last_segment: 0,
            segments_come_first: false,
            quantiser_shift: None,
            filter_shift: None,
            has_many_filter_changes: false,
            filter: LoopFilter::default(),
            cdef_bits: None,
            restoration: [None; 3],
            selects_transforms: false,
            has_few_transforms: false,
        };
        self.tiles(&mut frame)?;
        self.quantisers(&mut frame);
        self.segments(&mut frame);
        self.changes(&mut frame);
        let is_coded_lossless = frame.is_all_lossless();
        if !is_coded_lossless && !copies {
            self.loop_filter(&mut frame);
            self.cdef(&mut frame);
            self.restoration(&mut frame);
        }
        frame.selects_transforms = !is_coded_lossless && self.bits.flag();
        frame.has_few_transforms = self.bits.flag();
        if sequence.has_film_grain {
            self.film_grain();
        }
        Ok(frame)
    }

    /// Reads up to what all pictures have; anything but a key frame that is shown is refused.
    fn shown_key_frame(&mut self) -> Result<(), Unreadable> {
        let (shows_another, kind, is_shown) = (self.bits.flag(), self.bits.take(2), self.bits.flag());
        if shows_another || kind != 0 || !is_shown {
            return Err(refused());
        }
        if let Some(timing) = self.sequence.timing.as_ref().filter(|_| !self.sequence.equal_intervals) {
            self.bits.skip(timing.presentation);
        }
        Ok(())
    }

    fn removal_times(&mut self) {
        let Some(timing) = &self.sequence.timing else { return };
        if !self.bits.flag() {
            return;
        }
        // The first layer in time and space is in every operating point that names layers.
        for (layers, is_modelled) in &self.sequence.points {
            if *is_modelled && (*layers == 0 || layers & 1 != 0 && layers >> 8 & 1 != 0) {
                self.bits.skip(timing.removal);
            }
        }
    }

    fn size(&mut self, is_own: bool) -> Result<(usize, usize), Unreadable> {
        let sequence = self.sequence;
        let (mut width, mut height) = (sequence.width, sequence.height);
        if is_own {
            width = self.bits.take(sequence.width_bits) as usize + 1;
            height = self.bits.take(sequence.height_bits) as usize + 1;
        }
        if sequence.has_superres && self.bits.flag() {
            return Err(refused());
        }
        Ok((width, height))
    }

    /// `tile_info()` (section 5.9.15).
    fn tiles(&mut self, frame: &mut Frame) -> Result<(), Unreadable> {
        let shift = if self.sequence.has_large_superblocks { 5 } else { 4 };
        let across = frame.block_columns().div_ceil(1 << shift);
        let down = frame.block_rows().div_ceil(1 << shift);
        let widest = 4096 >> (shift + 2);
        let largest = (4096 * 2304) >> (2 * (shift + 2));
        let least_columns = log_of(widest, across);
        let least = least_columns.max(log_of(largest, across * down));
        let is_uniform = self.bits.flag();
        let (columns, rows);
        if is_uniform {
            columns = self.even_tiles(across, least_columns);
            let columns_log = log_of(1, columns.len());
            rows = self.even_tiles(down, least.saturating_sub(columns_log));
        } else {
            columns = self.uneven_tiles(across, widest);
            let widest =
                columns.windows(2).map(|pair| pair[1] - pair[0]).chain([across - columns.last().unwrap_or(&0)]);
            let widest = widest.max().unwrap_or(1).max(1);
            let area = if least > 0 { (across * down) >> (least + 1) } else { across * down };
            rows = self.uneven_tiles(down, (area / widest).max(1));
        }
        if columns.len() > 64 || rows.len() > 64 {
            return Err(Unreadable::Damaged);
        }
        frame.tile_bits = log_of(1, columns.len()) + log_of(1, rows.len());
        if frame.tile_bits > 0 {
            self.bits.skip(frame.tile_bits);
            frame.tile_size_bytes = self.bits.take(2) as usize + 1;
        }
        let in_blocks = |starts: Vec<usize>, end: usize| -> Vec<usize> {
            starts.into_iter().map(|start| start << shift).chain([end]).collect()
        };
        frame.columns = in_blocks(columns, frame.block_columns());
        frame.rows = in_blocks(rows, frame.block_rows());
        Ok(())
    }

    fn even_tiles(&mut self, superblocks: usize, least: u32) -> Vec<usize> {
        let most = log_of(1, superblocks.min(64));
        let mut log = least;
        while log < most && self.bits.flag() {
            log += 1;
        }
        let side = superblocks.div_ceil(1 << log).max(1);
        (0..superblocks).step_by(side).collect()
    }

    fn uneven_tiles(&mut self, superblocks: usize, most: usize) -> Vec<usize> {
        let (mut starts, mut start) = (Vec::new(), 0);
        while start < superblocks && starts.len() <= 64 {
            starts.push(start);
            start += self.bits.below((superblocks - start).min(most) as u32) as usize + 1;
        }
        starts
    }

    fn quantisers(&mut self, frame: &mut Frame) {
        frame.quantiser = self.bits.take(8) as i32;
        frame.dc_change = self.quantiser_change();
        if !self.sequence.is_monochrome {
            let differ = self.sequence.separate_uv_quantisers && self.bits.flag();
            let (dc, ac) = (self.quantiser_change(), self.quantiser_change());
            frame.other_changes =
                if differ { [dc, ac, self.quantiser_change(), self.quantiser_change()] } else { [dc, ac, dc, ac] };
        }
        if self.bits.flag() {
            frame.matrix = Some(self.bits.take(4) as usize);
            self.bits.skip(if self.sequence.separate_uv_quantisers { 8 } else { 4 });
        }
    }

    fn quantiser_change(&mut self) -> i32 {
        if self.bits.flag() { self.bits.signed(7) } else { 0 }
    }

    fn segments(&mut self, frame: &mut Frame) {
        /// Bits of each feature, whether it has a sign, and its most (section 5.9.14).
        const FEATURES: [(u32, bool, i32); 8] = [
            (8, true, 255),
            (6, true, 63),
            (6, true, 63),
            (6, true, 63),
            (6, true, 63),
            (3, false, 7),
            (0, false, 0),
            (0, false, 0),
        ];
        if !self.bits.flag() {
            return;
        }
        let mut segments = [Segment::default(); SEGMENTS];
        for (index, segment) in segments.iter_mut().enumerate() {
            for (feature, (width, has_sign, most)) in FEATURES.into_iter().enumerate() {
                if !self.bits.flag() {
                    continue;
                }
                let value = if has_sign {
                    self.bits.signed(width + 1).clamp(-most, most)
                } else {
                    (self.bits.take(width) as i32).min(most)
                };
                frame.last_segment = index;
                frame.segments_come_first |= feature >= 5;
                segment.is_skipped |= feature == 6;
                if let Some(change) = segment.changes.get_mut(feature) {
                    *change = Some(value);
                }
            }
        }
        frame.segments = Some(segments);
    }

    fn changes(&mut self, frame: &mut Frame) {
        if frame.quantiser == 0 || !self.bits.flag() {
            return;
        }
        frame.quantiser_shift = Some(self.bits.take(2));
        if !frame.copies && self.bits.flag() {
            frame.filter_shift = Some(self.bits.take(2));
            frame.has_many_filter_changes = self.bits.flag();
        }
    }

    fn loop_filter(&mut self, frame: &mut Frame) {
        let levels = [self.bits.take(6) as i32, self.bits.take(6) as i32];
        if !self.sequence.is_monochrome && levels != [0, 0] {
            self.bits.skip(12);
        }
        let sharpness = self.bits.take(3) as i32;
        let mut intra_change = self.bits.flag().then_some(1);
        if intra_change.is_some() && self.bits.flag() {
            for index in 0..10 {
                if self.bits.flag() {
                    let change = self.bits.signed(7);
                    intra_change = if index == 0 { Some(change) } else { intra_change };
                }
            }
        }
        frame.filter = LoopFilter { levels, sharpness, intra_change };
    }

    fn cdef(&mut self, frame: &mut Frame) {
        if !self.sequence.has_cdef {
            return;
        }
        self.bits.skip(2);
        let bits = self.bits.take(2);
        self.bits.skip(if self.sequence.is_monochrome { 6 } else { 12 } << bits);
        frame.cdef_bits = Some(bits);
    }

    fn restoration(&mut self, frame: &mut Frame) {
        if !self.sequence.has_restoration {
            return;
        }
        let mut kinds = [None; 3];
        for kind in kinds.iter_mut().take(if self.sequence.is_monochrome { 1 } else { 3 }) {
            *kind = match self.bits.take(2) {
                0 => None,
                1 => Some(Restoration::Any),
                2 => Some(Restoration::Wiener),
                _ => Some(Restoration::SelfGuided),
            };
        }
        if kinds == [None; 3] {
            return;
        }
        let mut shift = u32::from(self.bits.flag());
        if self.sequence.has_large_superblocks {
            shift += 1;
        } else if shift == 1 {
            shift += self.bits.take(1);
        }
        let has_colours = kinds[1].is_some() || kinds[2].is_some();
        let less = u32::from(self.sequence.subsampling == (1, 1) && has_colours && self.bits.flag());
        for (plane, (kind, unit)) in kinds.into_iter().zip(&mut frame.restoration).enumerate() {
            *unit = kind.map(|kind| (kind, 64 << shift >> if plane == 0 { 0 } else { less }));
        }
    }

    /// `film_grain_params()` (section 5.9.30): noise that is added when a picture is shown. It is read over.
    fn film_grain(&mut self) {
        if !self.bits.flag() {
            return;
        }
        self.bits.skip(16);
        let brightness = self.bits.take(4);
        self.bits.skip(16 * brightness);
        let is_monochrome = self.sequence.is_monochrome;
        let follows = !is_monochrome && self.bits.flag();
        let (mut blue, mut red) = (0, 0);
        if !(is_monochrome || follows || self.sequence.subsampling == (1, 1) && brightness == 0) {
            blue = self.bits.take(4);
            self.bits.skip(16 * blue);
            red = self.bits.take(4);
            self.bits.skip(16 * red);
        }
        self.bits.skip(2);
        let lag = self.bits.take(2);
        let positions = 2 * lag * (lag + 1);
        let of_colours = positions + u32::from(brightness > 0);
        self.bits.skip(if brightness > 0 { 8 * positions } else { 0 });
        self.bits.skip(if follows || blue > 0 { 8 * of_colours } else { 0 });
        self.bits.skip(if follows || red > 0 { 8 * of_colours } else { 0 });
        self.bits.skip(4);
        self.bits.skip(if blue > 0 { 25 } else { 0 });
        self.bits.skip(if red > 0 { 25 } else { 0 });
        self.bits.skip(2);
    }
}

/// How often `unit` must be doubled to reach `target` (`tile_log2`).
fn log_of(unit: usize, target: usize) -> u32 {
    (0..32).find(|log| unit << log >= target).unwrap_or(32)
}
