//! Claims about counts and shares.

use super::coverage::line;
use super::part::{Labels, part};
use super::statistics::clopper_pearson;
use crate::{Evidence, Number, NumberClaim, codes};
use dyetrace_case::{Fact, JudgedPart, Requirement, Verdict};

/// A measured interval outside the claimed one contradicts, one inside supports, any other leaves it open.
pub(crate) fn judge(evidence: &Evidence<'_>, claim: &NumberClaim, labels: &Labels<'_>) -> JudgedPart {
    let measured = evidence.measured.iter().filter(|measured| measured.name == claim.measure);
    let mut verdicts = Vec::new();
    let (mut reasons, mut numbers) = (Vec::new(), Vec::new());
    for measured in measured {
        let Some((low, high)) = interval(&measured.number, claim.share, &mut numbers) else { continue };
        let (verdict, fact) = compare(claim, low, high);
        verdicts.push(verdict);
        reasons.push(fact);
    }
    let verdict = verdicts.into_iter().reduce(Verdict::and);
    if verdict.is_none() {
        reasons.push(codes::NOT_MEASURED.fact([&claim.measure]));
    }
    let vacuous = if verdict.is_some() { Vec::new() } else { vec![codes::NOT_MEASURED.fact([&claim.measure])] };
    let lines = vec![line(Requirement::NotVacuous, verdict.is_some(), vacuous)];
    part(labels, verdict.unwrap_or(Verdict::NotExercised), reasons, lines, numbers)
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
