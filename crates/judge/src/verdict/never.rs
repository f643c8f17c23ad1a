//! Claims that something is never seen, and lists that are said to be complete.

use super::coverage::Case;
use super::held::Held;
use super::index::{Index, totals};
use super::part::{Labels, part};
use super::scope::Group;
use super::seen::{Found, Seen, Sought, Why};
use super::windows::Variant;
use crate::claims::{Claim, Discloses, Disclosure, Never, Reading};
use crate::codes;
use dyetrace_case::{CoverageLine, Fact, Form, JudgedPart, Met, Transfer, Verdict};

/// A list as what is never passed on: anything that is not on it.
pub(crate) fn beyond(discloses: &Discloses) -> Never {
    Never {
        data: discloses.among.clone(),
        reaches: discloses.reaches.clone(),
        forms: vec![Form::Clear, Form::Encoded, Form::KnownKey],
        transfers: vec![Transfer::Sent, Transfer::Answered],
        protection_below: None,
        countries: Vec::new(),
        unless: Vec::new(),
        when: None,
    }
}

/// The most practices that do not count that a part names for each reason; `numbers` has how many there are.
const NAMED: usize = 32;

#[expect(clippy::too_many_arguments, reason = "a part is one cell of claim × reading × product × variant")]
pub(crate) fn judge(
    index: &Index<'_>,
    held: &Held,
    claim: &Claim,
    reading: &Reading,
    group: &Group,
    labels: &Labels<'_>,
    never: &Never,
    list: &[Disclosure],
) -> JudgedPart {
    let variant = labels.variant.unwrap_or(&Variant::Any);
    let sought = Sought { never, list, definitions: claim.definitions };
    let seen = Seen::new(index, &sought, group, variant);
    let found = seen.find();
    let case = Case { seen: &seen, sought: &sought, group, exercise: &reading.exercise, variant, held };
    let (lines, tries) = case.lines(&found);
    let (verdict, reasons) = decide(index, &found, &lines, tries);
    let numbers = case.numbers(&found, verdict, tries);
    let discounted = discounted(&seen, &found);
    JudgedPart { witnesses: found.witnesses, discounted, ..part(labels, verdict, reasons, lines, numbers) }
}

/// One witness contradicts. Else every line must hold, and nothing may be left open.
fn decide(index: &Index<'_>, found: &Found, lines: &[CoverageLine], tries: u64) -> (Verdict, Vec<Fact>) {
    if !found.witnesses.is_empty() {
        let (recipients, sightings) = totals(index, &found.witnesses);
        let fact = codes::WITNESSED.fact([&found.witnesses.len(), &sightings, &recipients]);
        return (Verdict::Contradicted, vec![fact]);
    }
    let mut reasons = undecided(found);
    // The first fact of a line that is not met says why it is not.
    let missing = lines.iter().filter(|line| line.met == Met::No);
    reasons.extend(missing.filter_map(|line| line.facts.first().cloned()));
    if reasons.is_empty() && lines.iter().all(|line| line.met != Met::No) {
        return (Verdict::Supported, vec![codes::NOTHING_SEEN.fact([&tries])]);
    }
    reasons.sort_by_key(|fact| fact.values.len());
    (Verdict::NotExercised, reasons)
}

/// How many practices are open, by reason.
fn undecided(found: &Found) -> Vec<Fact> {
    let mut reasons: Vec<Why> = found.undecided.iter().map(|(_, why)| *why).collect();
    reasons.sort_unstable();
    let same = reasons
        .chunk_by(|a, b| a == b)
        .filter_map(|same| Some(codes::UNDECIDED.fact([&same.len(), &Seen::code_of(*same.first()?)])));
    same.collect()
}

fn discounted(seen: &Seen<'_>, found: &Found) -> Vec<(usize, Fact)> {
    let mut named: Vec<(Why, usize)> = Vec::new();
    let mut shown: Vec<(usize, Fact)> = Vec::new();
    for &(practice, why) in found.undecided.iter().chain(&found.cleared) {
        let at = named.iter().position(|(other, _)| *other == why).unwrap_or_else(|| {
            named.push((why, 0));
            named.len() - 1
        });
        named[at].1 += 1;
        if named[at].1 <= NAMED {
            shown.push((practice, seen.explain(practice, why)));
        }
    }
    shown.sort();
    shown
}
