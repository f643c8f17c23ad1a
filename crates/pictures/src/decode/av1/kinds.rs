//! Which transform a block has (AV1 specification, sections 5.11.47 and 5.11.40).

use super::block::Block;
use super::header::Frame;
use super::probabilities::Modes;
use super::symbols::Symbols;
use super::transform::{Kind, Size, Type};

/// `transform_type`: of transforms of brightness.
pub(super) fn transform_type(
    symbols: &mut Symbols<'_>,
    modes: &mut Modes,
    frame: &Frame,
    block: &Block,
    size: Size,
) -> Type {
    use Kind::{Cosine, Identity, Sine};
    const FIVE: [(Kind, Kind); 5] =
        [(Identity, Identity), (Cosine, Cosine), (Sine, Sine), (Sine, Cosine), (Cosine, Sine)];
    const SEVEN: [(Kind, Kind); 7] = [
        (Identity, Identity),
        (Cosine, Cosine),
        (Cosine, Identity),
        (Identity, Cosine),
        (Sine, Sine),
        (Sine, Cosine),
        (Cosine, Sine),
    ];
    /// Modes that recursive filters count as.
    const OF_FILTER: [usize; 5] = [0, 1, 2, 6, 0];
    let is_told = frame.quantiser_of(block.segment, frame.quantiser) > 0;
    if block.motion.is_some() && !block.is_lossless && is_told {
        return type_of_copy(symbols, modes, frame, size);
    }
    if block.is_lossless || size.most() > 2 || !is_told {
        return Type::COSINES;
    }
    let mode = block.filter.map_or(block.mode, |filter| OF_FILTER[filter.min(4)]);
    let (down, across) = if frame.has_few_transforms || size.least() == 2 {
        FIVE[symbols.symbol(&mut modes.tx_type_5[size.least()][mode])]
    } else {
        SEVEN[symbols.symbol(&mut modes.tx_type_7[size.least()][mode])]
    };
    Type { down, across }
}

/// The same of a copied block.
fn type_of_copy(symbols: &mut Symbols<'_>, modes: &mut Modes, frame: &Frame, size: Size) -> Type {
    use Kind::{Cosine, Identity, Mirrored, Sine};
    const BOTH_WAYS: [(Kind, Kind); 9] = [
        (Cosine, Cosine),
        (Sine, Cosine),
        (Cosine, Sine),
        (Mirrored, Cosine),
        (Cosine, Mirrored),
        (Sine, Sine),
        (Mirrored, Mirrored),
        (Sine, Mirrored),
        (Mirrored, Sine),
    ];
    const ONE_WAY: [(Kind, Kind); 7] = [
        (Identity, Identity),
        (Cosine, Identity),
        (Identity, Cosine),
        (Sine, Identity),
        (Identity, Sine),
        (Mirrored, Identity),
        (Identity, Mirrored),
    ];
    let pick = |index: usize, one_way: usize| match index.checked_sub(one_way) {
        Some(index) => BOTH_WAYS[index.min(8)],
        None => ONE_WAY[index.min(6)],
    };
    let (down, across) = match (size.least(), size.most()) {
        (_, 4..) => (Cosine, Cosine),
        (least, most) if frame.has_few_transforms || most == 3 => {
            if symbols.flag(&mut modes.tx_type_2[least]) {
                (Cosine, Cosine)
            } else {
                (Identity, Identity)
            }
        }
        (2, _) => pick(symbols.symbol(&mut modes.tx_type_12), 3),
        (least, _) => pick(symbols.symbol(&mut modes.tx_type_16[least]), 7),
    };
    Type { down, across }
}

/// `Mode_To_Txfm`: the transform of colours.
pub(super) fn of_mode(mode: usize) -> Type {
    let (down, across) = match mode {
        1 | 5 | 8 | 10 => (Kind::Sine, Kind::Cosine),
        2 | 6 | 7 | 11 => (Kind::Cosine, Kind::Sine),
        4 | 9 | 12 => (Kind::Sine, Kind::Sine),
        _ => (Kind::Cosine, Kind::Cosine),
    };
    Type { down, across }
}
