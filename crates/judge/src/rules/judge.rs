//! Rules held against what was seen, beside the maker's claims.

use super::model::{Basis, Rule, Version};
use crate::{Claim, Evidence, Options, codes, plan, verdict};
use dyetrace_case::{Fact, JudgedClaim, JudgedPart, Judgement, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Answers to questions that only a person can answer: by rule or claim, by the question's name (of claims: its text).
pub type Answers = BTreeMap<String, BTreeMap<String, bool>>;

/// Judges claims, then rules in the order given. The same input always gives the same answer.
///
/// A rule is judged once for each of its versions that was in force when a run was recorded.
pub fn judge_all(evidence: &Evidence<'_>, claims: &[Claim], rules: &[&Rule], answers: &Answers) -> Judgement {
    let versions: Vec<Version<'_>> = rules.iter().flat_map(|rule| rule.versions(evidence)).collect();
    let mut all = claims.to_vec();
    all.extend(versions.iter().filter_map(Version::claim));
    let said = |(id, given): (&String, &BTreeMap<String, bool>)| {
        given.keys().map(|question| (id.clone(), question.clone())).collect::<Vec<_>>()
    };
    let options = Options { answered: answers.iter().flat_map(said).collect() };
    let mut judgement = verdict::judge(evidence, &all, &options);
    let of_rules = judgement.claims.split_off(claims.len());
    let mut of_rules = of_rules.into_iter();
    for version in &versions {
        let mut judged = match &version.rule.basis {
            Basis::Readings(_) => of_rules.next(),
            Basis::OwnClaims(kinds) => Some(on_own_claims(version, kinds, &judgement.claims)),
        };
        if let Some(judged) = &mut judged {
            judged.applies &= !verdict::groups(evidence.runs, &version.applies_to).is_empty();
            ask(version.rule, answers, judged, &mut judgement.notes);
        }
        judgement.notes.extend(unconfirmed(version));
        judgement.claims.extend(judged);
    }
    judgement.notes.extend(unused(answers, claims, rules));
    judgement.todo = plan::todo(&judgement.claims);
    judgement
}

/// All of the maker's own claims of these kinds together.
fn on_own_claims(version: &Version<'_>, kinds: &[&'static str], judged: &[JudgedClaim]) -> JudgedClaim {
    let own = judged.iter().filter(|claim| claim.statement.pack.is_none() && claim.applies);
    let own: Vec<&JudgedClaim> = own.filter(|claim| kinds.contains(&claim.statement.kind)).collect();
    let verdict = own.iter().map(|claim| claim.verdict).reduce(Verdict::and).unwrap_or(Verdict::NotExercised);
    let named = kinds.join(", ");
    let mut parts: Vec<JudgedPart> = own.iter().flat_map(|claim| parts_of(claim, own.len(), &named)).collect();
    if parts.is_empty() {
        parts.push(no_part(codes::NO_OWN_CLAIMS.fact([&named])));
    }
    // What a person has to answer first of a claim, has to be answered before anything is said of all of them.
    let questions: BTreeSet<&String> = own.iter().flat_map(|claim| &claim.review).collect();
    let review = questions.into_iter().cloned().collect();
    JudgedClaim { statement: version.statement.clone(), verdict, applies: true, review, parts }
}

fn parts_of(claim: &JudgedClaim, number: usize, kinds: &str) -> Vec<JudgedPart> {
    let mut parts = claim.parts.clone();
    for part in &mut parts {
        part.labels.insert(0, ("claim", claim.statement.id.clone()));
        part.numbers.push(codes::OWN_CLAIMS.fact([&number, &kinds]));
    }
    parts
}

fn no_part(reason: Fact) -> JudgedPart {
    verdict::empty_part(Verdict::NotExercised, vec![reason])
}

/// Questions that nobody answered leave the result at review; answers may take the case out of the rule.
fn ask(rule: &Rule, answers: &Answers, judged: &mut JudgedClaim, notes: &mut Vec<Fact>) {
    for question in &rule.human {
        match answers.get(&rule.id).and_then(|given| given.get(&question.id)) {
            None => judged.review.push(question.text.en.clone()),
            Some(answer) if *answer == question.applies_if => {}
            Some(answer) => {
                judged.applies = false;
                let answer = if *answer { "yes" } else { "no" };
                notes.push(codes::ANSWERED_OUT.fact([&rule.id, &question.id, &answer]));
            }
        }
    }
}

fn unconfirmed(version: &Version<'_>) -> Vec<Fact> {
    let cites = version.statement.cites.iter().filter(|cite| !cite.confirmed);
    cites.map(|cite| codes::CITE_UNCONFIRMED.fact([&version.rule.id, &cite.text])).collect()
}

/// Answers that nothing asks for: a misspelt name would otherwise only look unanswered.
fn unused(answers: &Answers, claims: &[Claim], rules: &[&Rule]) -> Vec<Fact> {
    let asked = |id: &str, question: &str| {
        let claim = claims.iter().any(|claim| claim.statement.id == id && claim.human.iter().any(|of| of == question));
        claim || rules.iter().any(|rule| rule.id == id && rule.human.iter().any(|of| of.id == question))
    };
    let all = answers.iter().flat_map(|(id, given)| given.keys().map(move |question| (id, question)));
    let unused = all.filter(|(id, question)| !asked(id, question));
    unused.map(|(id, question)| codes::ANSWER_UNUSED.fact([id, question])).collect()
}
