//! A judged case at a terminal, as JSON, and in the forms that other programs read.

mod baseline;
mod csv;
mod json;
mod junit;
mod markdown;
#[cfg(feature = "parquet")]
mod parquet;
mod phrases;
mod places;
mod results;
mod sarif;
mod tables;
mod terminal;

pub use baseline::{BaselineError, read_baseline};
pub use csv::{write_csv_practices, write_csv_verdicts};
pub use json::{SCHEMA, write as write_json};
pub use junit::write_junit;
pub use markdown::{write_github, write_markdown};
#[cfg(feature = "parquet")]
pub use parquet::{write_parquet_practices, write_parquet_verdicts};
pub(crate) use phrases::{action_words, consent_words, label_words, labels, questions, said};
pub use sarif::{MOST_RESULTS, MachineLook, write_sarif};
pub use terminal::{write as write_terminal, write_plan};

use dyetrace_case::{ConsentStates, JudgedClaim, JudgedPart, Judgement, Practice, Segment, Verdict};

/// Where a claim stands: its verdict, unless it is not about this product or waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Evidence speaks against it.
    Contradicted,
    /// A question that only a person can answer is open.
    Review,
    /// What was tried does not decide.
    NotExercised,
    /// What was asked to be tried was tried, could be seen, and nothing spoke against it.
    Supported,
    /// No product or run of the case is in its scope.
    OutOfScope,
}

impl Standing {
    /// Every standing, in the order that reports list claims in.
    pub const ALL: [Self; 5] =
        [Self::Contradicted, Self::Review, Self::NotExercised, Self::Supported, Self::OutOfScope];

    /// Where a claim stands.
    pub fn of(claim: &JudgedClaim) -> Self {
        Self::of_part(claim, claim.verdict)
    }

    /// Where a part of a claim stands that got this verdict.
    pub fn of_part(claim: &JudgedClaim, verdict: Verdict) -> Self {
        if !claim.applies {
            return Self::OutOfScope;
        }
        if !claim.review.is_empty() {
            return Self::Review;
        }
        Self::from(verdict)
    }

    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contradicted => Verdict::Contradicted.name(),
            Self::Review => "review",
            Self::NotExercised => Verdict::NotExercised.name(),
            Self::Supported => Verdict::Supported.name(),
            Self::OutOfScope => "out-of-scope",
        }
    }

    /// A sign that tells it apart without colour.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Contradicted => "✕",
            Self::Review => "?",
            Self::NotExercised => "○",
            Self::Supported => "✓",
            Self::OutOfScope => "–",
        }
    }

    /// How many claims stand so.
    pub(crate) fn count(self, judgement: &Judgement) -> usize {
        judgement.claims.iter().filter(|claim| Self::of(claim) == self).count()
    }
}

impl From<Verdict> for Standing {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Contradicted => Self::Contradicted,
            Verdict::Supported => Self::Supported,
            Verdict::NotExercised => Self::NotExercised,
        }
    }
}

/// The claims in the order of reports: by standing, then as the judge ordered them.
pub(crate) fn in_order(judgement: &Judgement) -> Vec<(usize, &JudgedClaim)> {
    let mut claims: Vec<(usize, &JudgedClaim)> = judgement.claims.iter().enumerate().collect();
    claims.sort_by_key(|(index, claim)| (Standing::of(claim), *index));
    claims
}

/// The parts of a claim, those that decide its verdict first.
pub(crate) fn decisive_first(claim: &JudgedClaim) -> Vec<&JudgedPart> {
    let (decisive, others): (Vec<_>, Vec<_>) = claim.parts.iter().partition(|part| part.verdict == claim.verdict);
    decisive.into_iter().chain(others).collect()
}

/// The stretch of its run that a practice fell into.
pub(crate) fn segment<'j>(judgement: &'j Judgement, practice: &Practice) -> Option<&'j Segment> {
    judgement.runs.get(practice.key.run)?.timeline.segments.get(practice.key.segment)
}

/// The consent states that were possible when it was seen; none where nobody recorded consent.
pub(crate) fn consent(judgement: &Judgement, practice: &Practice) -> ConsentStates {
    segment(judgement, practice).map(|segment| segment.consent_for(None)).unwrap_or_default()
}

/// The actions that went on when it was seen, with whether they certainly did.
pub(crate) fn actions<'j>(judgement: &'j Judgement, practice: &Practice) -> Vec<(&'j str, bool)> {
    let within = segment(judgement, practice).map_or(&[][..], |segment| &segment.actions);
    let run = judgement.runs.get(practice.key.run);
    let named = |at: usize| run.and_then(|run| run.timeline.actions.get(at)).map(|action| action.action.as_str());
    within.iter().filter_map(|within| Some((named(within.action)?, within.certainly))).collect()
}
