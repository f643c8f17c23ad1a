//! Statistics of a part: bounds, how far transfers came, sizes of digest spaces, interventions.

use super::coverage::Case;
use super::seen::{Found, Seen};
use super::statistics::bound;
use crate::codes;
use dyetrace_case::{Fact, Form, Practice, Verdict};
use std::collections::BTreeMap;

impl Case<'_> {
    /// Statistics of a part: bounds, how far transfers came, sizes of digest spaces, interventions.
    pub(crate) fn numbers(&self, found: &Found, verdict: Verdict, tries: u64) -> Vec<Fact> {
        let mut numbers = Vec::new();
        // A bound on a rate is worth something only where a hit would have been seen.
        if tries > 0 && verdict == Verdict::Supported {
            numbers.push(codes::BOUND.fact([&tries, &format!("{:.1}", bound(tries) * 100.0)]));
        }
        numbers.extend(self.transfers(&found.witnesses));
        numbers.extend(self.digest_spaces(found));
        let mut why: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (_, reason) in found.undecided.iter().chain(&found.cleared) {
            *why.entry(Seen::code_of(*reason)).or_default() += 1;
        }
        numbers.extend(why.iter().map(|(code, practices)| codes::DISCOUNTED.fact([code, practices])));
        for run in self.runs() {
            numbers
                .extend(run.judged.interventions.iter().map(|what| codes::INTERVENTION.fact([&run.judged.id, what])));
        }
        numbers
    }

    fn transfers(&self, witnesses: &[usize]) -> Option<Fact> {
        use dyetrace_case::Transfer;
        let practices: Vec<&Practice> = witnesses.iter().filter_map(|&at| self.index().practice(at)).collect();
        let count = |transfer: Transfer| {
            let of = practices.iter().filter(|practice| practice.key.transfer == transfer);
            of.map(|practice| practice.count).fold(0, u64::saturating_add)
        };
        let held_back = count(Transfer::HeldBack);
        let counts = [Transfer::Answered, Transfer::Sent, Transfer::Attempted, Transfer::Kept].map(count);
        let [answered, sent, attempted, kept] = counts;
        // What was held back was attempted.
        let attempted = attempted.saturating_add(held_back);
        (!practices.is_empty()).then(|| codes::TRANSFERS.fact([&answered, &sent, &attempted, &kept]))
    }

    /// A digest without a key hides a phone number among as many values as there are phone numbers.
    fn digest_spaces(&self, found: &Found) -> Vec<Fact> {
        let all = found.witnesses.iter().chain(found.cleared.iter().map(|(practice, _)| practice));
        let all = all.chain(found.undecided.iter().map(|(practice, _)| practice));
        let digests =
            all.filter_map(|&at| self.index().practice(at)).filter(|practice| practice.key.form == Form::Hashed);
        let mut kinds: Vec<&str> = Vec::new();
        for practice in digests {
            let kind = practice.key.datum.0.split(['#', '.']).next().unwrap_or_default();
            if !kinds.contains(&kind) && !practice.shown.iter().any(|shown| shown.trail.contains("hmac")) {
                kinds.push(kind);
            }
        }
        kinds.sort_unstable();
        let spaces = kinds.into_iter().filter_map(|kind| Some((kind, space_of(kind)?)));
        spaces
            .map(|(kind, values)| codes::DIGEST_SPACE.fact([&kind, &values, &values.div_ceil(DIGESTS_PER_SECOND)]))
            .collect()
    }
}

/// SHA-256 of short texts on one core of a desktop computer with SHA instructions, a cautious figure.
const DIGESTS_PER_SECOND: u64 = 10_000_000;

/// How many values there are of a kind whose values can all be tried.
fn space_of(kind: &str) -> Option<u64> {
    match kind {
        // Eleven digits that begin with 13 to 19 (MIIT's numbering plan).
        "phone" | "mobile" | "msisdn" | "tel" => Some(7_000_000_000),
        // Fourteen digits and a check digit; type codes in use are fewer than 100,000 (3GPP TS 23.003 section 6.2).
        "imei" => Some(100_000_000_000),
        // Some 3,000 areas, 100 years of days, 1,000 serial numbers; the check character follows (GB 11643-1999).
        "id" => Some(110_000_000_000),
        // Prefixes that are assigned (some 35,000) and 24 bits.
        "mac" | "bssid" | "bluetooth" => Some(590_000_000_000),
        _ => None,
    }
}
