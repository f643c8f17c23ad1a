//! Putting a part together.

use super::coverage::{line, not_needed};
use super::windows::Variant;
use crate::{Evidence, codes};
use dyetrace_case::{CoverageLine, Fact, JudgedPart, Requirement, Verdict};

/// What tells one part of a claim from another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels<'a> {
    pub(crate) reading: Option<&'a str>,
    pub(crate) runs: Option<String>,
    pub(crate) variant: Option<&'a Variant>,
}

impl Labels<'_> {
    fn list(&self) -> Vec<(&'static str, String)> {
        let variant = match self.variant {
            Some(Variant::Named(name)) => Some(name.clone()),
            Some(Variant::Between(_)) => Some("undetermined".to_owned()),
            _ => None,
        };
        let reading = self.reading.map(str::to_owned);
        let all = [("reading", reading), ("run", self.runs.clone()), ("variant", variant)];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// A part without witnesses.
pub(crate) fn part(
    labels: &Labels<'_>,
    verdict: Verdict,
    reasons: Vec<Fact>,
    lines: Vec<CoverageLine>,
    numbers: Vec<Fact>,
) -> JudgedPart {
    JudgedPart {
        labels: labels.list(),
        verdict,
        reasons,
        witnesses: Vec::new(),
        discounted: Vec::new(),
        coverage: in_order(lines),
        numbers,
    }
}

/// Every line once, in the order of reports; those that are not given are not needed.
fn in_order(mut lines: Vec<CoverageLine>) -> Vec<CoverageLine> {
    for requirement in Requirement::ALL {
        if !lines.iter().any(|line| line.requirement == requirement) {
            lines.push(not_needed(requirement));
        }
    }
    lines.sort_by_key(|line| line.requirement);
    lines
}

/// The part of a claim that is about no run of the case.
pub(crate) fn out_of_scope(evidence: &Evidence<'_>, labels: &Labels<'_>) -> JudgedPart {
    let fact = codes::OUT_OF_SCOPE.fact([&evidence.runs.len()]);
    let lines = vec![line(Requirement::Scope, false, vec![fact.clone()])];
    part(labels, Verdict::NotExercised, vec![fact], lines, Vec::new())
}

/// A part that nothing was weighed for.
pub(crate) fn empty_part(verdict: Verdict, reasons: Vec<Fact>) -> JudgedPart {
    part(&Labels::default(), verdict, reasons, Vec::new(), Vec::new())
}
