//! The family tree of dumps: which was most likely made from which.

use super::compare::{DumpReport, PairReport};
use serde::Serialize;

/// A dump and the one it was most likely made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copied {
    /// Index of the copy in `dumps`.
    pub copy: usize,
    /// Index of what it was made from.
    pub of: usize,
    /// Share of the copy that is in the other.
    pub share: f64,
    /// What speaks for it, and for this direction.
    pub because: Vec<String>,
}

/// A copy shares at least so much with what it was made from.
const LEAST_SHARE: f64 = 0.5;

/// For each dump the one that it shares most with, of those that stand above it. Nothing is above itself: what decides
/// is a rank, and a copy has a higher one.
pub(super) fn family(dumps: &[DumpReport], pairs: &[PairReport]) -> Vec<Copied> {
    let mut family = Vec::new();
    for copy in 0..dumps.len() {
        let related = pairs.iter().filter_map(|pair| related(copy, pair, dumps));
        let best = related.max_by(|one, other| one.share.total_cmp(&other.share).then(other.of.cmp(&one.of)));
        family.extend(best);
    }
    family
}

/// The other dump of the pair, where this one is a copy of it.
fn related(copy: usize, pair: &PairReport, dumps: &[DumpReport]) -> Option<Copied> {
    let of = match (pair.a == copy, pair.b == copy) {
        (true, false) => pair.b,
        (false, true) => pair.a,
        _ => return None,
    };
    // What both have most of tells most.
    let shared = pair.shared.iter().max_by_key(|shared| shared.in_a.min(shared.in_b))?;
    let (share, back) = if pair.a == copy { (shared.a_in_b, shared.b_in_a) } else { (shared.b_in_a, shared.a_in_b) };
    let (this, other) = (dumps.get(copy)?, dumps.get(of)?);
    if share < LEAST_SHARE || rank(this) < rank(other) || rank(this) == rank(other) && copy < of {
        return None;
    }
    let (lost, cracked) = if pair.a == copy {
        (&pair.only_in_b, pair.passwords.cracked_in_a)
    } else {
        (&pair.only_in_a, pair.passwords.cracked_in_b)
    };
    let mut because = vec![
        format!("{:.1} % of its {} addresses or numbers are in the other", share * 100.0, shared.kind.name()),
        format!("the other has {:.1} % of its own in it", back * 100.0),
    ];
    if !lost.is_empty() {
        let names: Vec<&str> = lost.iter().map(|kind| kind.name()).collect();
        because.push(format!("columns were lost: {}", names.join(", ")));
    }
    if let Some(cracked @ 1..) = cracked {
        because.push(format!("{cracked} passwords that the other has as MD5 stand in it as typed"));
    }
    Some(Copied { copy, of, share, because })
}

/// What grows from copy to copy: columns are lost, passwords are cracked; among equals, the newer is later.
fn rank(dump: &DumpReport) -> (std::cmp::Reverse<usize>, u64, i64) {
    let passwords = dump.passwords_typed + dump.passwords_stored;
    let cracked = (dump.passwords_typed * 1000).checked_div(passwords).unwrap_or(0);
    (std::cmp::Reverse(dump.kinds.len()), cracked, dump.newest.unwrap_or(0))
}
