//! Chinese organisations and sole traders: the unified social credit code of GB 32100-2015.

use super::checksum::mod_31;
use super::resident::number;
use super::{Checks, Pass};

/// Registering department and category (GB 32100-2015 table 1 and its amendments).
const REGISTERED: &[u8] = b"111213192129313233343539414951525359616269717279818991929395A1A9N1N2N3N9Y1";

/// 18 characters: two of registration, six digits of place, nine of the organisation, one check
/// character modulo 31. 36 of 961 pairs, six digits of 31 characters with a province of the 100,
/// one in 31.
pub(super) fn check(candidate: &[u8]) -> Option<Pass> {
    let pair = candidate.get(..2)?;
    let place = candidate.get(2..8)?;
    let shaped = candidate.len() == 18
        && REGISTERED.chunks_exact(2).any(|known| known == pair)
        && place.iter().all(u8::is_ascii_digit)
        && matches!(number(&place[..2]), 10..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82);
    (shaped && mod_31(candidate)).then(|| Pass::new("company.cn", Checks::PREFIX.and(Checks::CHECKSUM), 21.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_place_and_check_character() {
        assert!(check(b"91350100M000100Y43").is_some());
        for bad in ["91350100M000100Y44", "90350100M000100Y43", "91990100M000100Y43", "91350100M000100Y4"] {
            assert!(check(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
