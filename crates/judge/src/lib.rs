//! Claims and rules held against what was seen.
//!
//! The judge is a pure function of facts and claims: no clock, no files, no environment. What it
//! says is one of three values, and `supported` is the hardest to earn: see
//! [`Verdict`](dyetrace_case::Verdict) and [`Requirement`](dyetrace_case::Requirement).

mod claims;
mod codes;
mod compare;
mod data;
mod except;
mod facts;
#[doc(hidden)]
pub mod fuzzing;
mod plan;
mod rules;
mod taxonomy;
mod verdict;

pub use claims::{
    ActionWanted, After, AppliesTo, Check, Claim, ClaimError, ClaimFile, CountryTest, Definitions, Discloses,
    Disclosure, Exercise, Needs, Never, NumberClaim, OutcomeWanted, Reach, Reading, Selector, ServerSide, When, Works,
    read_claims, read_measured,
};
pub use codes::ALL as CODES;
pub use compare::{Judged, compare};
pub use data::is_personal;
pub use except::{Exceptions, except};
pub use facts::{
    CanaryFacts, DamageFacts, DatumFacts, Evidence, Measured, Number, OpaqueFacts, RecordingCheck, RunFacts,
    SpikeFacts, TrafficFacts,
};
pub use rules::{
    Answers, Examined, Example, Expected, NormKind, PACKS, Pack, Question, Rule, Text, built_in, examine, judge_all,
    read_pack,
};
use std::collections::BTreeSet;
pub use taxonomy::{Entry, Group, Match, TAXONOMY, entry, page as taxonomy_page};
pub use verdict::judge;

/// What a judgement depends on besides evidence and claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Questions that a person has answered: id of the claim, and the question as it stands there.
    pub answered: BTreeSet<(String, String)>,
}
