//! What the four schemes have in common: counting what was heard, and undoing what the air adds.

use std::collections::HashMap;

/// Values that were heard for one slot of a message, with how often.
///
/// A sender repeats its message for a minute. A single hearing may be wrong (a neighbouring frame was
/// lost); the value heard most often hardly is, and a checksum decides between the first few.
#[derive(Debug, Clone, Default)]
pub(super) struct Votes(Vec<(u8, u32)>);

impl Votes {
    /// Different values that are kept; noise beyond them is not counted.
    const VALUES: usize = 24;

    /// Counts `weight` for a value.
    pub(super) fn add(&mut self, value: u8, weight: u32) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == value) {
            *count += weight;
        } else if self.0.len() < Self::VALUES {
            self.0.push((value, weight));
        }
    }

    /// The values heard most, the most frequent first. Where two were heard as often, the smaller is first.
    pub(super) fn best(&self, most: usize) -> Vec<(u8, u32)> {
        let mut values = self.0.clone();
        values.sort_by_key(|(value, count)| (u32::MAX - count, *value));
        values.truncate(most);
        values
    }

    /// The value heard most.
    pub(super) fn first(&self) -> Option<u8> {
        self.best(1).first().map(|(value, _)| *value)
    }
}

/// CRC-8 as all four schemes use it: x^8 + x^5 + x^4 + 1, lowest bit first, starting at 0
/// (CRC-8/MAXIM-DOW in Greg Cook's catalogue).
pub(super) fn crc8(bytes: impl IntoIterator<Item = u8>) -> u8 {
    let step = |crc: u8, _| if crc & 1 == 1 { crc >> 1 ^ 0x8c } else { crc >> 1 };
    bytes.into_iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
}

/// How many overheads are tried.
const OVERHEADS: usize = 3;

/// What the air may have added to each length, learned from a `guide` that is sent again and again: the
/// likeliest first.
pub(super) fn overheads(heard: &[u16], guide: [u16; 4]) -> Vec<u16> {
    let mut seen: HashMap<u16, [u32; 4]> = HashMap::new();
    for pair in heard.windows(2) {
        let (first, second) = (i32::from(pair[0]), i32::from(pair[1]));
        for (place, length) in guide.into_iter().enumerate() {
            let next = i32::from(guide[(place + 1) % 4]);
            let added = u16::try_from(first - i32::from(length));
            if let (Ok(added), true) = (added, second - first == next - i32::from(length)) {
                seen.entry(added).or_default()[place] += 1;
            }
        }
    }
    // All four steps of two guides at the least.
    seen.retain(|_, steps| steps.iter().all(|count| *count >= 2));
    likeliest(seen.into_iter().map(|(added, steps)| (added, steps.iter().sum())))
}

/// Those with the highest counts.
pub(super) fn likeliest(counted: impl Iterator<Item = (u16, u32)>) -> Vec<u16> {
    let mut counted: Vec<_> = counted.collect();
    counted.sort_by_key(|(added, count)| (u32::MAX - count, *added));
    counted.into_iter().take(OVERHEADS).map(|(added, _)| added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_crc_is_the_catalogue_s() {
        assert_eq!(crc8(*b"123456789"), 0xa1);
    }

    #[test]
    fn the_value_heard_most_is_first() {
        let mut votes = Votes::default();
        for value in [3, 9, 9, 5, 3, 9] {
            votes.add(value, 1);
        }
        assert_eq!((votes.best(2), votes.first()), (vec![(9, 3), (3, 2)], Some(9)));
        assert_eq!(Votes::default().first(), None);
    }

    proptest! {
        #[test]
        fn a_guide_that_was_heard_in_part_tells_what_the_air_added(
            added in 0u16..2000,
            guide in prop::sample::select(vec![[515, 514, 513, 512], [1, 2, 3, 4], [1, 3, 6, 10]]),
            lost in prop::collection::vec(prop::bool::weighted(0.3), 200),
        ) {
            let all = guide.into_iter().cycle().zip(&lost).filter(|(_, lost)| !**lost);
            let heard: Vec<u16> = all.map(|(length, _)| length + added).collect();
            prop_assert_eq!(overheads(&heard, guide).first().copied(), Some(added));
        }
    }
}
