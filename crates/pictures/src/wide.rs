//! The loops that cost most, compiled once more for processors with AVX2 and POPCNT. They are the same loops on whole
//! numbers and give the same.

/// Calls the function of this module where the processor has what it is compiled for, else the plain one.
macro_rules! widest {
    ($function:ident, $plain:path, ($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if $crate::wide::is_there() {
            #[expect(unsafe_code, reason = "the processor has the instructions, as was just asked, which is all that the call needs")]
            return unsafe { $crate::wide::$function($($argument),*) };
        }
        $plain($($argument),*)
    }};
}
pub(crate) use widest;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{is_there, judged, nearest, pairs, refine};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use crate::features::Feature;
    use crate::geometry::Affine;
    use crate::index::{Effort, Index, Pair};
    use crate::luma::Luma;
    use crate::pdq::Hash;
    use crate::tiles::{Laid, Verdict};

    #[inline]
    pub(crate) fn is_there() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(crate) fn nearest(hashes: &[Hash], others: &[Hash; 8]) -> Vec<(u16, usize)> {
        crate::pdq::nearest_of(hashes, others)
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(crate) fn pairs(index: &Index, features: &[Feature], effort: Effort) -> Vec<Pair> {
        index.pairs_of(features, effort)
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(crate) fn refine(frame: &Luma, laid: &Laid, reach: isize) -> Option<Affine> {
        crate::tiles::refine_by_tiles(frame, laid, reach)
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(crate) fn judged(frame: &Luma, laid: &Laid, map: Affine, drawn: bool) -> Option<Verdict> {
        crate::tiles::judged_by_tiles(frame, laid, map, drawn)
    }
}
