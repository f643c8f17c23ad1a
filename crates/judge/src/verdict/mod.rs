//! From facts to verdicts.

mod action;
mod coverage;
mod held;
mod index;
mod never;
mod number;
mod numbers;
mod part;
mod recipients;
mod scope;
mod seen;
mod server_side;
mod statistics;
mod tri;
mod tries;
mod windows;

use crate::claims::{Check, Claim, Reading};
use crate::{AppliesTo, Evidence, Options, codes, plan};
use dyetrace_case::{Fact, JudgedClaim, JudgedPart, Judgement, Requirement, Verdict};
use held::Held;
use index::Index;
pub(crate) use part::empty_part;
use part::{Labels, out_of_scope};
use scope::{Group, run_names};
pub(crate) use scope::{days, groups};
use windows::Variant;

/// Judges every claim against the evidence. The same input always gives the same answer.
pub fn judge(evidence: &Evidence<'_>, claims: &[Claim], options: &Options) -> Judgement {
    let index = Index::new(evidence);
    let held = Held::new(&index);
    let judged: Vec<JudgedClaim> = claims.iter().map(|claim| judge_claim(&index, &held, claim, options)).collect();
    Judgement {
        runs: evidence.runs.iter().map(|run| run.judged.clone()).collect(),
        recipients: evidence.recipients.to_vec(),
        practices: evidence.practices.to_vec(),
        todo: plan::todo(&judged),
        notes: claims.iter().flat_map(|claim| unknown_actions(evidence, claim)).collect(),
        claims: judged,
        ..Judgement::default()
    }
}

fn judge_claim(index: &Index<'_>, held: &Held, claim: &Claim, options: &Options) -> JudgedClaim {
    let groups = groups(index.evidence.runs, &claim.applies_to);
    let is_limited = claim.applies_to != AppliesTo::default();
    let needs_runs = claim.readings.iter().any(|reading| !matches!(reading.check, Check::Number(_)));
    // A number that was measured needs no run, unless the claim says of which product it speaks.
    let applies = !groups.is_empty() || !(needs_runs || is_limited);
    let mut parts = Vec::new();
    for reading in &claim.readings {
        parts.extend(judge_reading(index, held, claim, reading, &groups));
    }
    let verdict = all_of(&parts);
    if readings_differ(claim, &parts) {
        for part in &mut parts {
            part.numbers.push(codes::READINGS_DIFFER.fact([]));
        }
    }
    let unanswered =
        |question: &&String| !options.answered.contains(&(claim.statement.id.clone(), (*question).clone()));
    JudgedClaim {
        statement: claim.statement.clone(),
        verdict,
        applies,
        review: claim.human.iter().filter(unanswered).cloned().collect(),
        parts,
    }
}

/// Strong Kleene conjunction. Nothing judged decides nothing.
fn all_of(parts: &[JudgedPart]) -> Verdict {
    parts.iter().map(|part| part.verdict).reduce(Verdict::and).unwrap_or(Verdict::NotExercised)
}

fn readings_differ(claim: &Claim, parts: &[JudgedPart]) -> bool {
    let verdict_of = |reading: &Reading| {
        let name = reading.name.as_deref();
        let own =
            |part: &&JudgedPart| part.labels.iter().any(|(key, of)| *key == "reading" && Some(of.as_str()) == name);
        parts.iter().filter(own).map(|part| part.verdict).reduce(Verdict::and)
    };
    let mut verdicts = claim.readings.iter().filter(|reading| reading.name.is_some()).map(verdict_of);
    let first = verdicts.next();
    verdicts.any(|verdict| Some(verdict) != first)
}

fn judge_reading(
    index: &Index<'_>,
    held: &Held,
    claim: &Claim,
    reading: &Reading,
    groups: &[Group],
) -> Vec<JudgedPart> {
    let labels = Labels { reading: reading.name.as_deref(), ..Labels::default() };
    let is_limited = claim.applies_to != AppliesTo::default();
    match &reading.check {
        Check::Number(number) if !groups.is_empty() || !is_limited => {
            return number::judge(index.evidence, number, groups, &labels);
        }
        _ if groups.is_empty() => return vec![out_of_scope(index.evidence, &labels)],
        _ => {}
    }
    let several = groups.len() > 1;
    let of_group = |group: &Group| {
        let labels = Labels { runs: several.then(|| run_names(index.evidence, group)), ..labels.clone() };
        judge_group(index, held, claim, reading, group, &labels)
    };
    groups.iter().flat_map(of_group).collect()
}

/// One part for each variant, and one for what nobody can assign to a variant.
fn judge_group(
    index: &Index<'_>,
    held: &Held,
    claim: &Claim,
    reading: &Reading,
    group: &Group,
    labels: &Labels<'_>,
) -> Vec<JudgedPart> {
    let one = |variant: &Variant| judge_part(index, held, claim, reading, group, variant, labels);
    if claim.variants.is_empty() {
        return vec![one(&Variant::Any)];
    }
    let mut parts: Vec<JudgedPart> =
        claim.variants.iter().map(|variant| one(&Variant::Named(variant.clone()))).collect();
    let between = one(&Variant::Between(claim.variants.clone()));
    let open = between.reasons.iter().any(|fact| fact.code == codes::UNDECIDED.name);
    if !between.witnesses.is_empty() || open || leaves_unread(&between) {
        parts.push(between);
    }
    parts
}

/// True where more was sent than may stay unread: it would otherwise be judged in no part.
fn leaves_unread(part: &JudgedPart) -> bool {
    let facts =
        part.coverage.iter().filter(|line| line.requirement == Requirement::Visible).flat_map(|line| &line.facts);
    let number = |fact: &Fact, name: &str| fact.value(name).and_then(|value| value.parse::<u64>().ok());
    let above = |fact: &Fact| fact.code == codes::OPAQUE_TOTAL.name && number(fact, "sent") > number(fact, "limit");
    facts.into_iter().any(|fact| fact.code == codes::OPAQUE_UNCOUNTED.name || above(fact))
}

fn judge_part(
    index: &Index<'_>,
    held: &Held,
    claim: &Claim,
    reading: &Reading,
    group: &Group,
    variant: &Variant,
    labels: &Labels<'_>,
) -> JudgedPart {
    let labels = Labels { variant: Some(variant), ..labels.clone() };
    match &reading.check {
        Check::Never(never) => never::judge(index, held, claim, reading, group, &labels, never, &[]),
        Check::Discloses(discloses) => {
            never::judge(index, held, claim, reading, group, &labels, &never::beyond(discloses), &discloses.list)
        }
        Check::Works(works) => action::works(index, works, &reading.exercise.channels, group, variant, &labels),
        Check::Needs(needs) => action::needs(index, needs, &reading.exercise.channels, group, variant, &labels),
        // Numbers have no variants and are judged before.
        Check::Number(_) => empty_part(Verdict::NotExercised, Vec::new()),
        Check::ServerSide(promise) => server_side::judge(index, promise, group, &labels),
    }
}

/// Actions that a claim names and no run has: a misspelt name would otherwise only look untried.
fn unknown_actions(evidence: &Evidence<'_>, claim: &Claim) -> Vec<Fact> {
    let mut names: Vec<&str> = Vec::new();
    for reading in &claim.readings {
        names.extend(reading.exercise.actions.iter().map(|action| action.name.as_str()));
        match &reading.check {
            Check::Never(never) => names.extend(never.unless.iter().map(String::as_str)),
            Check::Works(works) => names.push(&works.action),
            Check::Needs(needs) => names.push(&needs.action),
            _ => {}
        }
    }
    names.sort_unstable();
    names.dedup();
    let known = |name: &str| {
        let actions = evidence.runs.iter().flat_map(|run| &run.judged.timeline.actions);
        actions.into_iter().any(|action| windows::is_action_in_any_way(action, name))
    };
    let unknown = names.into_iter().filter(|name| !known(name));
    unknown.map(|name| codes::ACTION_NOT_IN_CASE.fact([&claim.statement.id, &name])).collect()
}
