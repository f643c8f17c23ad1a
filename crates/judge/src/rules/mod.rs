//! Rule packs: norms as claims that a case is held against, with citations by date, reasons and examples.

mod example;
mod file;
mod judge;
mod model;

pub use example::{Example, Expected};
pub use file::read_pack;
pub use judge::{Answers, judge_all};
pub use model::{NormKind, Pack, Question, Rule, Text};

use crate::ClaimError;
use dyetrace_case::Verdict;
use std::collections::BTreeMap;

macro_rules! packs {
    ($($name:literal),* $(,)?) => {
        /// The packs that are compiled in: name and text.
        pub const PACKS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../rules/", $name, ".yaml")))),*];
    };
}

packs!(
    "apple-label",
    "cn-app-2019",
    "cn-crim-2017",
    "cn-csl",
    "cn-pipl",
    "etsi-303645",
    "eu-eprivacy",
    "eu-gdpr",
    "google-data-safety",
    "mastg-0206",
    "tw-pdpa",
);

/// A pack that is compiled in.
///
/// # Errors
/// As [`read_pack`]. `None` where there is no such pack.
pub fn built_in(name: &str) -> Option<Result<Pack, ClaimError>> {
    let (name, text) = PACKS.iter().find(|(other, _)| *other == name)?;
    Some(read_pack(&format!("rules/{name}.yaml"), text))
}

/// What came of a rule's examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// Examples that were judged.
    pub examples: usize,
    /// What is wrong, each with its place.
    pub faults: Vec<String>,
}

/// Judges a rule's examples, and sees that it has one that fires, one that must not, and one that decides nothing.
pub fn examine(rule: &Rule) -> Examined {
    let mut examined = Examined { examples: rule.tests.len(), faults: Vec::new() };
    for example in &rule.tests {
        let got = outcome(rule, example);
        if got != example.expect {
            let (got, expected) = (got.name(), example.expect.name());
            examined.faults.push(format!("{}: {} is {got} and should be {expected}", example.place, rule.id));
        }
    }
    let has = |expected: &[Expected]| rule.tests.iter().any(|example| expected.contains(&example.expect));
    let wanted: [(&[Expected], &str); 3] = [
        (&[Expected::Contradicted], "contradicted"),
        (&[Expected::Supported, Expected::NotApplicable], "supported or not-applicable"),
        (&[Expected::NotExercised], "not-exercised"),
    ];
    for (_, word) in wanted.iter().filter(|(expected, _)| !has(expected)) {
        examined.faults.push(format!("{}: {} has no example that is {word}", rule.place, rule.id));
    }
    examined
}

fn outcome(rule: &Rule, example: &Example) -> Expected {
    let answers: BTreeMap<String, bool> = example.answers.iter().cloned().collect();
    let answers: Answers = BTreeMap::from([(rule.id.clone(), answers)]);
    let judgement = judge_all(&example.evidence(), &example.claims, &[rule], &answers);
    let judged = judgement.claims.last().filter(|claim| claim.statement.pack.is_some());
    match judged {
        Some(judged) if judged.applies => match judged.verdict {
            Verdict::Contradicted => Expected::Contradicted,
            Verdict::Supported => Expected::Supported,
            Verdict::NotExercised => Expected::NotExercised,
        },
        _ => Expected::NotApplicable,
    }
}
