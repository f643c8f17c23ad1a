//! Exceptions: suppressions that somebody answers for, and a baseline of what is known.
//!
//! Neither touches a verdict. They add facts to the parts they are about, so that every report says
//! them, and remarks on suppressions that do nothing.

use crate::codes;
use dyetrace_case::{Day, Fact, Finding, Fingerprint, Judgement, Suppression, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What is excepted, and the day that decides which suppressions have expired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Suppressions in the order of their file.
    pub suppressions: Vec<Suppression>,
    /// The contradictions of an earlier judgement.
    pub baseline: Option<BTreeSet<Fingerprint>>,
    /// The day; absent: that of the last record, so that the same evidence gives the same answer for ever.
    pub date: Option<Day>,
}

/// Applies exceptions to a judged case.
pub fn except(judgement: &mut Judgement, exceptions: Exceptions) {
    let date = exceptions.date.or_else(|| day_of_evidence(judgement));
    let (in_force, over): (Vec<_>, Vec<_>) =
        exceptions.suppressions.into_iter().partition(|one| date.is_some_and(|date| date <= one.expires));
    judgement.notes.extend(over.iter().map(|one| why_over(one, date)));
    judgement.suppressions = in_force;
    judgement.baseline = exceptions.baseline;
    if judgement.suppressions.is_empty() && judgement.baseline.is_none() {
        return;
    }
    let findings = judgement.findings();
    let unused = unused(judgement, &findings);
    judgement.notes.extend(unused);
    let mut said = suppressed(judgement, &findings);
    said.extend(known(judgement, &findings));
    for ((claim, part), fact) in said {
        if let Some(part) = judgement.claims.get_mut(claim).and_then(|claim| claim.parts.get_mut(part)) {
            part.reasons.push(fact);
        }
    }
}

/// A claim and one of its parts.
type Part = (usize, usize);

fn day_of_evidence(judgement: &Judgement) -> Option<Day> {
    let last = judgement.runs.iter().filter_map(|run| run.last).max()?;
    Day::of_text(&last.to_string())
}

fn why_over(one: &Suppression, date: Option<Day>) -> Fact {
    match date {
        Some(date) => codes::SUPPRESSION_EXPIRED.fact([&one.place, &one.expires, &date]),
        None => codes::SUPPRESSION_UNDATED.fact([&one.place]),
    }
}

/// Suppressions that cover no finding: of a claim that is gone, of what no longer happens, or misspelt.
fn unused(judgement: &Judgement, findings: &[Finding]) -> Vec<Fact> {
    let used: BTreeSet<&str> =
        findings.iter().filter_map(|finding| judgement.suppression_of(finding)).map(|one| one.place.as_str()).collect();
    let idle = judgement.suppressions.iter().filter(|one| !used.contains(one.place.as_str()));
    idle.map(|one| codes::SUPPRESSION_UNUSED.fact([&one.place])).collect()
}

/// How many findings of each part each suppression covers.
fn suppressed(judgement: &Judgement, findings: &[Finding]) -> Vec<(Part, Fact)> {
    let mut covered: BTreeMap<(Part, &str), (&Suppression, usize)> = BTreeMap::new();
    for finding in findings {
        let Some(one) = judgement.suppression_of(finding) else { continue };
        for part in &finding.parts {
            covered.entry(((finding.claim, *part), &one.place)).or_insert((one, 0)).1 += 1;
        }
    }
    let fact = |((part, _), (one, number)): ((Part, &str), (&Suppression, usize))| {
        let who = one.who.as_deref().unwrap_or("-");
        (part, codes::SUPPRESSED.fact([&number, &one.reason, &one.expires, &who, &one.place]))
    };
    covered.into_iter().map(fact).collect()
}

/// How many contradictions of each part are in the baseline, of how many.
fn known(judgement: &Judgement, findings: &[Finding]) -> Vec<(Part, Fact)> {
    let mut counted: BTreeMap<Part, (usize, usize)> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Contradicted) {
        let Some(new) = judgement.is_new(finding) else { continue };
        for part in &finding.parts {
            let (known, of) = counted.entry((finding.claim, *part)).or_default();
            *known += usize::from(!new);
            *of += 1;
        }
    }
    counted.into_iter().map(|(part, (known, of))| (part, codes::IN_BASELINE.fact([&known, &of]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyetrace_case::{JudgedClaim, JudgedPart, JudgedRun, Statement, Time};

    fn judged() -> Judgement {
        let part = JudgedPart {
            labels: Vec::new(),
            verdict: Verdict::Contradicted,
            reasons: vec![Fact::new("shown-without")],
            witnesses: Vec::new(),
            discounted: Vec::new(),
            coverage: Vec::new(),
            numbers: Vec::new(),
        };
        let claim = JudgedClaim {
            statement: Statement { id: "s.needed".to_owned(), ..Statement::default() },
            verdict: Verdict::Contradicted,
            applies: true,
            review: Vec::new(),
            parts: vec![part],
        };
        let last: Option<Time> = "2026-03-01T09:00:00Z".parse().ok();
        let runs = vec![JudgedRun { last, ..JudgedRun::default() }];
        Judgement { runs, claims: vec![claim], ..Judgement::default() }
    }

    fn exceptions(claim: &str, date: Option<&str>) -> Exceptions {
        let text =
            format!("suppressions:\n  - {{ claim: {claim}, reason: known, expires: 2026-03-01, who: M. Tester }}\n");
        let suppressions = Suppression::read("suppressions.yaml", &text).unwrap();
        Exceptions { suppressions, baseline: None, date: date.and_then(Day::of_text) }
    }

    fn codes_after(exceptions: Exceptions) -> (Judgement, Vec<&'static str>, Vec<&'static str>) {
        let mut judgement = judged();
        except(&mut judgement, exceptions);
        let reasons = judgement.claims[0].parts[0].reasons.iter().map(|fact| fact.code).collect();
        let notes = judgement.notes.iter().map(|fact| fact.code).collect();
        (judgement, reasons, notes)
    }

    #[test]
    fn a_suppression_is_said_and_the_verdict_stays() {
        let (judgement, reasons, notes) = codes_after(exceptions("s.needed", None));
        assert_eq!((reasons, notes), (vec!["shown-without", "suppressed"], vec![]));
        assert_eq!(judgement.claims[0].verdict, Verdict::Contradicted);
        assert!(judgement.suppression_of(&judgement.findings()[0]).is_some());
    }

    #[test]
    fn it_ends_with_its_last_day_by_the_date_of_the_evidence_or_the_one_given() {
        let (judgement, reasons, notes) = codes_after(exceptions("s.needed", Some("2026-03-02")));
        assert_eq!((reasons, notes), (vec!["shown-without"], vec!["suppression-expired"]));
        assert!(judgement.suppression_of(&judgement.findings()[0]).is_none());
        let mut timeless = judged();
        timeless.runs.clear();
        except(&mut timeless, exceptions("s.needed", None));
        assert_eq!(timeless.notes[0].code, "suppression-undated");
        assert!(timeless.suppressions.is_empty(), "without a date nothing is suppressed");
    }

    #[test]
    fn one_that_matches_nothing_is_said() {
        let (_, reasons, notes) = codes_after(exceptions("s.neded", None));
        assert_eq!((reasons, notes), (vec!["shown-without"], vec!["suppression-unused"]));
    }

    #[test]
    fn what_is_in_the_baseline_is_known_and_what_is_not_is_new() {
        let before: BTreeSet<Fingerprint> =
            judged().findings().into_iter().flat_map(|finding| finding.fingerprints.into_values()).collect();
        for (baseline, known) in [(before, "1"), (BTreeSet::new(), "0")] {
            let (judgement, ..) = codes_after(Exceptions { baseline: Some(baseline), ..Exceptions::default() });
            let fact = judgement.claims[0].parts[0].reasons.last().unwrap();
            assert_eq!((fact.code, fact.value("findings"), fact.value("of")), ("in-baseline", Some(known), Some("1")));
            assert_eq!(judgement.is_new(&judgement.findings()[0]), Some(known == "0"));
        }
    }
}
