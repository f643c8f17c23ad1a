//! What tiles that agree or differ mean.

use super::Likeness;
use super::candidates::Candidate;
use crate::tiles::Verdict;

/// Share of bad tiles above which there is not even the same template.
const UNLIKE: f32 = 0.6;
/// Fewer tiles (they overlap by half) say nothing.
pub(super) const FEWEST_TILES: u32 = 24;
/// Tiles that are enough without asking whether they agree in more than their shades.
const ENOUGH_TILES: u32 = 64;
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
/// Tiles with letters or edges that are enough to go by.
const FEWEST_STRONG: u32 = 50;
/// Width at which a whole screen must be seen to tell it from others of its template.
const NARROWEST: usize = 300;
/// Tiles with letters or edges, and quality of the hash, of which one is needed where no corners agree: soft shades
/// correlate with others by chance.
const VAGUE_STRONG: u32 = 12;
const VAGUE_QUALITY: u8 = 50;

/// What the tiles mean. In what is drawn a single tile with other letters means another screen; a photograph has no
/// template, and a name written into its corner does not make it another.
pub(super) fn judge(verdict: &Verdict, drawn: bool) -> Option<Likeness> {
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

/// Whether all strong tiles of a photograph agree in what they show, though not all as well as they would in a copy that
/// was not tilted, brightened or written over: what another picture shows there does not correlate, but for other
/// letters of a card.
pub(super) fn shows_nothing_else(verdict: &Verdict, has_rivals: bool) -> bool {
    let most_bad = match verdict.worst {
        CLEAR.. => SOME_BAD,
        FAINT.. if has_rivals => FEWEST_BAD,
        FAINT.. => FEW_BAD,
        _ => return false,
    };
    verdict.strong >= FEWEST_STRONG && verdict.bad_share() <= most_bad
}

/// Whether next to nothing in a photograph has contrast, but corners led there and nothing speaks against it.
pub(super) fn is_soft(candidate: &Candidate, verdict: &Verdict, drawn: bool) -> bool {
    !drawn && candidate.votes > 0 && verdict.tiles < FEWEST_TILES && verdict.bad_share() <= FEW_BAD
}

/// Whether corners led there, but so few tiles agree that all of them may be one soft shade.
pub(super) fn is_doubtful(candidate: &Candidate, verdict: &Verdict, drawn: bool) -> bool {
    !drawn && candidate.votes > 0 && verdict.tiles < ENOUGH_TILES
}

/// Whether agreement may be chance: only a hash led there, of little, and there is little to compare.
pub(super) fn is_vague(candidate: &Candidate, verdict: &Verdict, quality: u8) -> bool {
    candidate.votes == 0 && verdict.strong < VAGUE_STRONG && quality < VAGUE_QUALITY
}
