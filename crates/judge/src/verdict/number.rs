//! Claims about counts and shares.

use super::coverage::{line, scope};
use super::part::{Labels, part};
use super::scope::{Group, run_names};
use super::statistics::clopper_pearson;
use super::tries::tried;
use super::windows::Variant;
use crate::{Evidence, Number, NumberClaim, OutcomeWanted, codes};
use dyetrace_case::{Fact, JudgedPart, Requirement, Verdict};

/// A measured interval outside the claimed one contradicts, one inside supports, any other leaves it open. What was
/// measured outside is one number for all runs in scope; actions are counted for each product by itself.
pub(crate) fn judge(
    evidence: &Evidence<'_>,
    claim: &NumberClaim,
    groups: &[Group],
    labels: &Labels<'_>,
) -> Vec<JudgedPart> {
    let measured: Vec<Number> =
        evidence.measured.iter().filter(|one| one.name == claim.measure).map(|one| one.number).collect();
    if !measured.is_empty() || !is_counted(&claim.measure) {
        return vec![weigh(evidence, claim, together(groups).as_ref(), &measured, labels)];
    }
    let several = groups.len() > 1;
    let of_group = |group: &Group| {
        let labels = Labels { runs: several.then(|| run_names(evidence, group)), ..labels.clone() };
        let counted: Vec<Number> = counted(evidence, group, &claim.measure).into_iter().collect();
        weigh(evidence, claim, Some(group), &counted, &labels)
    };
    if groups.is_empty() {
        return vec![weigh(evidence, claim, None, &[], labels)];
    }
    groups.iter().map(of_group).collect()
}

fn weigh(
    evidence: &Evidence<'_>,
    claim: &NumberClaim,
    group: Option<&Group>,
    measured: &[Number],
    labels: &Labels<'_>,
) -> JudgedPart {
    let mut verdicts = Vec::new();
    let (mut reasons, mut numbers) = (Vec::new(), Vec::new());
    for number in measured {
        let Some((low, high)) = interval(number, claim.share, &mut numbers) else { continue };
        let (verdict, fact) = compare(claim, low, high);
        verdicts.push(verdict);
        reasons.push(fact);
    }
    let mut verdict = verdicts.into_iter().reduce(Verdict::and);
    let vacuous = if verdict.is_some() { Vec::new() } else { vec![codes::NOT_MEASURED.fact([&claim.measure])] };
    reasons.extend(vacuous.iter().cloned());
    let mut lines = vec![line(Requirement::NotVacuous, verdict.is_some(), vacuous)];
    if let Some(group) = group {
        let scope = scope(evidence, group);
        if group.unknown.is_some() {
            verdict = None;
            reasons.splice(0..0, scope.facts.iter().cloned());
        }
        lines.push(scope);
    }
    part(labels, verdict.unwrap_or(Verdict::NotExercised), reasons, lines, numbers)
}

/// All runs that are certainly in scope; where none is, those of which nobody can tell.
fn together(groups: &[Group]) -> Option<Group> {
    let certain = groups.iter().any(|group| group.unknown.is_none());
    let mut chosen = groups.iter().filter(|group| !certain || group.unknown.is_none()).cloned();
    let mut all = chosen.next()?;
    for group in chosen {
        all.runs.extend(group.runs);
        if !all.product.split(", ").any(|product| product == group.product) {
            all.product = format!("{}, {}", all.product, group.product);
        }
    }
    all.runs.sort_unstable();
    Some(all)
}

/// True for what is counted in the marks of the runs: `done/NAME`, how often the action NAME was tried, and
/// `failed/NAME`, how often it failed.
fn is_counted(measure: &str) -> bool {
    measure.starts_with("done/") || measure.starts_with("failed/")
}

/// Tries in special circumstances count only where the name names them. None where nothing was tried.
fn counted(evidence: &Evidence<'_>, group: &Group, measure: &str) -> Option<Number> {
    let (what, name) = measure.split_once('/')?;
    let tries = |outcome| tried(evidence, group, name, &Variant::Any, outcome).len();
    let done = tries(OutcomeWanted::Any);
    let number = if what == "failed" { tries(OutcomeWanted::Failed) } else { done };
    (done > 0).then_some(Number::Interval { low: number as f64, high: Some(number as f64) })
}

/// The interval that the true number lies in, at 95 % for samples; `None` where nothing was looked at.
fn interval(number: &Number, share: bool, numbers: &mut Vec<Fact>) -> Option<(f64, f64)> {
    match *number {
        Number::Sample { of: 0, .. } => None,
        Number::Sample { hits, of } if share => {
            let (low, high) = clopper_pearson(hits, of);
            numbers.push(codes::SHARE.fact([&hits, &of, &shown(low), &shown(high)]));
            Some((low, high))
        }
        // The hits of a sample are a lower bound of the count of all.
        Number::Sample { hits, .. } => Some((hits as f64, f64::INFINITY)),
        Number::Interval { low, high } => {
            let most = if share { 1.0 } else { f64::INFINITY };
            Some((low, high.unwrap_or(most)))
        }
    }
}

fn compare(claim: &NumberClaim, low: f64, high: f64) -> (Verdict, Fact) {
    let (least, most) = (claim.low.unwrap_or(0.0), claim.high.unwrap_or(f64::INFINITY));
    let (verdict, code) = if high < least || low > most {
        (Verdict::Contradicted, &codes::EXCLUDED)
    } else if low >= least && high <= most {
        (Verdict::Supported, &codes::INCLUDED)
    } else {
        (Verdict::NotExercised, &codes::UNDECIDED_NUMBER)
    };
    let values = [low, high, least, most].map(shown);
    let [low, high, least, most] = &values;
    (verdict, code.fact([&claim.measure, low, high, least, most]))
}

/// Four decimals of shares, whole numbers whole, and `∞`.
fn shown(number: f64) -> String {
    if number.is_infinite() {
        return "∞".to_owned();
    }
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.4}") }
}
