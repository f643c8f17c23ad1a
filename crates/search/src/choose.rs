//! One sighting for one occurrence: of several ways to the same bytes, the one that says most.

use crate::find::Find;
use std::collections::{BTreeMap, HashMap};

/// Drops every find whose original bytes overlap those of a better find of the same datum. Finds
/// in different decompressed bytes never overlap. The result is in the order of the bytes.
pub(crate) fn choose(mut finds: Vec<Find>, root: u64) -> Vec<Find> {
    finds.sort_by_cached_key(|find| {
        let start = anchor(find, root).1.start;
        (
            std::cmp::Reverse(find.named),
            std::cmp::Reverse(find.decoded.len()),
            find.steps.len(),
            // UTF-16 of either byte order contains most of the other, one byte later.
            start % 2,
            start,
            find.seen,
        )
    });
    let mut taken: HashMap<(u32, u64), BTreeMap<usize, usize>> = HashMap::new();
    finds.retain(|find| {
        let (number, range) = anchor(find, root);
        claim(taken.entry((find.datum, number)).or_default(), &range)
    });
    finds.sort_by_cached_key(|find| (find.range.start, anchor(find, root), find.datum, find.range.end));
    finds
}

fn anchor(find: &Find, root: u64) -> (u64, RangeKey) {
    let (number, range) = find.anchor.clone().unwrap_or((root, find.range.clone()));
    (number, RangeKey { start: range.start, end: range.end })
}

/// A range that can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RangeKey {
    start: usize,
    end: usize,
}

/// Takes the range where nothing of it was taken before.
fn claim(taken: &mut BTreeMap<usize, usize>, range: &RangeKey) -> bool {
    let end = range.end.max(range.start + 1);
    let free = taken.range(..end).next_back().is_none_or(|(_, taken_end)| *taken_end <= range.start);
    if free {
        taken.insert(range.start, end);
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::Seen;
    use std::ops::Range;

    fn find(range: Range<usize>, named: usize) -> Find {
        Find { named, ..Find::new(0, Seen::Text(0, false), range) }
    }

    #[test]
    fn the_named_way_wins_then_the_longest_form_and_others_stay() {
        let kept = choose(vec![find(3..14, 0), find(0..14, 0), find(20..31, 0), find(20..31, 1)], 0);
        let kept: Vec<_> = kept.iter().map(|find| (find.range.clone(), find.named)).collect();
        assert_eq!(kept, [(0..14, 0), (20..31, 1)]);
    }

    #[test]
    fn finds_in_different_decompressed_bytes_do_not_overlap() {
        let mut first = find(0..50, 0);
        first.anchor = Some((1, 5..9));
        let mut second = find(0..50, 0);
        second.anchor = Some((1, 20..24));
        assert_eq!(choose(vec![first, second, find(10..14, 0)], 0).len(), 3);
    }
}
