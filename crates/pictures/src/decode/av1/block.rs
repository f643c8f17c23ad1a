//! Blocks, and what they tell those below them and on their right.

use super::copies::Motion;
use super::kinds::of_mode;
use super::palette::Palette;
use super::residual::Around;
use super::transform::{Kind, Size, Type};

/// Blocks of 4 pixels in the largest superblock.
pub(super) const MOST: usize = 32;

/// What the blocks above, or on the left, tell of themselves, by blocks of 4 pixels.
pub(super) struct Side {
    pub(super) mode: Vec<u8>,
    /// Logarithm of the block's side, and of its transform's.
    pub(super) block: Vec<u8>,
    pub(super) transform: Vec<Option<u8>>,
    /// The same as blocks that are copied are asked for.
    pub(super) part: Vec<u8>,
    pub(super) is_skipped: Vec<bool>,
    pub(super) palettes: Vec<[Palette; 2]>,
    pub(super) around: [Vec<Around>; 3],
}

impl Side {
    pub(super) fn new(length: usize, has_palettes: bool) -> Self {
        Self {
            mode: vec![0; length],
            block: vec![7; length],
            transform: vec![None; length],
            part: vec![4; length],
            is_skipped: vec![false; length],
            palettes: vec![Default::default(); if has_palettes { length } else { 0 }],
            around: std::array::from_fn(|_| vec![Around::default(); length]),
        }
    }

    /// As at the edge of a tile.
    pub(super) fn clear(&mut self) {
        self.mode.fill(0);
        self.block.fill(7);
        self.transform.fill(None);
        self.part.fill(4);
        self.is_skipped.fill(false);
        self.palettes.fill(Default::default());
        self.around.iter_mut().for_each(|around| around.fill(Around::default()));
    }

    pub(super) fn palette(&self, at: usize, plane: usize) -> Palette {
        self.palettes.get(at).map(|both| both[plane & 1]).unwrap_or_default()
    }
}

/// A block as it is read.
#[derive(Clone, Default)]
pub(super) struct Block {
    pub(super) row: usize,
    pub(super) column: usize,
    /// Logarithms of the sides, of blocks of 4 pixels.
    pub(super) across: u8,
    pub(super) down: u8,
    pub(super) has_colours: bool,
    pub(super) segment: usize,
    pub(super) is_skipped: bool,
    pub(super) is_lossless: bool,
    pub(super) mode: usize,
    pub(super) turn: i32,
    pub(super) filter: Option<usize>,
    pub(super) is_beside_smooth: bool,
    pub(super) colour_mode: usize,
    pub(super) palettes: [Palette; 2],
    /// Which pixel has which colour.
    pub(super) map: Vec<u8>,
    pub(super) transform: Size,
    /// Where it is copied from, and then its transforms and which each is.
    pub(super) motion: Option<Motion>,
    pub(super) leaves: Vec<(usize, usize, Size)>,
    pub(super) kinds: Vec<Type>,
}

impl Block {
    pub(super) fn columns(&self) -> usize {
        1 << self.across
    }

    pub(super) fn rows(&self) -> usize {
        1 << self.down
    }

    /// Keeps which transform there is at a place, for that of colours.
    pub(super) fn keep_kind(&mut self, (x, y): (usize, usize), size: Size, kind: Type) {
        let (columns, end) = (self.columns(), self.columns().min(x + (1 << size.across)));
        for line in self.kinds.chunks_exact_mut(columns).skip(y).take(1 << size.down) {
            line[x.min(end)..end].fill(kind);
        }
    }

    /// `compute_tx_type` of colours: that of brightness at the same place where blocks are copied, else the mode's.
    pub(super) fn kind_of_colours(&self, size: Size, (x, y): (usize, usize)) -> Type {
        if self.is_lossless {
            return Type::COSINES;
        }
        if self.motion.is_none() {
            return if size.most() > 2 { Type::COSINES } else { of_mode(self.colour_mode) };
        }
        let kind = self.kinds.get(y * self.columns() + x).copied().unwrap_or(Type::COSINES);
        let ways = [kind.down, kind.across];
        let (identities, cosines) = (
            ways.iter().filter(|way| **way == Kind::Identity).count(),
            ways.iter().filter(|way| **way == Kind::Cosine).count(),
        );
        let is_allowed = match (size.most(), size.least()) {
            (3.., _) => identities == 2,
            (_, 2) => identities != 1 || cosines == 1,
            _ => true,
        };
        if is_allowed { kind } else { Type::COSINES }
    }

    /// Index in the order of tables that go by block size: from 128 by 128 down to 4 by 4.
    pub(super) fn size_index(&self) -> usize {
        const SIZES: [(u8, u8); 22] = [
            (5, 5),
            (5, 4),
            (4, 5),
            (4, 4),
            (4, 3),
            (4, 2),
            (3, 4),
            (3, 3),
            (3, 2),
            (3, 1),
            (2, 4),
            (2, 3),
            (2, 2),
            (2, 1),
            (2, 0),
            (1, 3),
            (1, 2),
            (1, 1),
            (1, 0),
            (0, 2),
            (0, 1),
            (0, 0),
        ];
        SIZES.iter().position(|size| *size == (self.across, self.down)).unwrap_or(0)
    }
}
