//! What is said of a claim, and everything that was weighed to say it.
//!
//! A judged case holds facts, not sentences: each [`Fact`] is a code with values, which reports put
//! into the reader's language, and programs can count.

use crate::{Fingerprint, Practice, Product, Recipient, Snapshot, Suppression, Time, Timeline};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The three values. As in strong Kleene logic, `Contradicted` is false, `Supported` is true and
/// `NotExercised` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Evidence speaks against it.
    Contradicted,
    /// What was asked to be tried was tried, could be seen, and nothing spoke against it.
    Supported,
    /// What was tried does not decide.
    NotExercised,
}

impl Verdict {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::Supported => "supported",
            Self::NotExercised => "not-exercised",
        }
    }

    /// Both parts of a claim: any contradicted part contradicts, all parts supported support
    /// (Kleene 1952, section 64, the strong tables).
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Contradicted, _) | (_, Self::Contradicted) => Self::Contradicted,
            (Self::Supported, Self::Supported) => Self::Supported,
            _ => Self::NotExercised,
        }
    }
}

/// One fact in a form that programs can count and reports can put into words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// Which kind of fact.
    pub code: &'static str,
    /// Its values by name, in the order of the code's sentence. Never a planted value.
    pub values: Vec<(&'static str, String)>,
}

impl Fact {
    /// A fact without values.
    pub fn new(code: &'static str) -> Self {
        Self { code, values: Vec::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// The value of that name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// What must hold before a claim may be called supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// The product is inside the claim's versions, made-dates, regions.
    Scope,
    /// The product had the datum.
    Held,
    /// Every action × consent state × variant was exercised as often as asked.
    Exercised,
    /// Channels were captured from start to quiet, and what went out could be read.
    Visible,
    /// The search finds the value again where it is hidden in this evidence.
    Detectable,
    /// Where the claim implies a path, the path was seen to work.
    PositiveControl,
    /// Long enough after the last action.
    QuietTime,
    /// No damage in the streams that matter.
    Undamaged,
    /// There was something to judge.
    NotVacuous,
}

impl Requirement {
    /// Every requirement, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Scope,
        Self::Held,
        Self::Exercised,
        Self::Visible,
        Self::Detectable,
        Self::PositiveControl,
        Self::QuietTime,
        Self::Undamaged,
        Self::NotVacuous,
    ];

    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Held => "held",
            Self::Exercised => "exercised",
            Self::Visible => "visible",
            Self::Detectable => "detectable",
            Self::PositiveControl => "positive-control",
            Self::QuietTime => "quiet-time",
            Self::Undamaged => "undamaged",
            Self::NotVacuous => "not-vacuous",
        }
    }
}

/// Does a requirement hold?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Met {
    /// It does.
    Yes,
    /// It does not, or nobody can tell.
    No,
    /// This claim does not need it.
    NotNeeded,
}

impl Met {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotNeeded => "not-needed",
        }
    }
}

/// One line of the coverage argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageLine {
    /// Which requirement.
    pub requirement: Requirement,
    /// Does it hold?
    pub met: Met,
    /// Why, with numbers and their denominators.
    pub facts: Vec<Fact>,
}

/// Where a statement was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Title of the document.
    pub title: String,
    /// Its date, as written.
    pub date: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// An archived copy: an address, or a path in the case.
    pub archived: Option<String>,
}

/// One citation of a norm, with the time it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Article or section.
    pub text: String,
    /// First day in force, as `2019-11-28`.
    pub from: Option<String>,
    /// Last day in force.
    pub to: Option<String>,
    /// True where the wording was read in the source.
    pub confirmed: bool,
}

/// A claim or a rule as reports show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its stable id.
    pub id: String,
    /// What is said: the maker's words, or the rule's title in English.
    pub says: String,
    /// The same in Chinese, where the file has it.
    pub says_zh: Option<String>,
    /// Who said it; absent for rules.
    pub vendor: Option<String>,
    /// The rule pack; absent for claims.
    pub pack: Option<String>,
    /// Where a claim was made.
    pub source: Option<Source>,
    /// Which norm a rule belongs to: the citations in force at the date of the evidence.
    pub cites: Vec<Citation>,
    /// The reason of a rule in English.
    pub reason: Option<String>,
    /// The reason of a rule in Chinese.
    pub reason_zh: Option<String>,
    /// Questions for a person in Chinese, by what they are in English, where the file has both.
    pub questions_zh: BTreeMap<String, String>,
    /// The kind of claim: `never`, `works`, `needs`, `discloses`, `count`, `ratio`.
    pub kind: &'static str,
    /// File and line it was read from.
    pub place: String,
}

/// The verdict on one part of a claim: a reading, a variant of an action, a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedPart {
    /// Which part, as labels: `("run", "reported")`, `("variant", "softap")`, `("reading", "transport")`.
    pub labels: Vec<(&'static str, String)>,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why, shortest first.
    pub reasons: Vec<Fact>,
    /// Indices of the practices that contradict it.
    pub witnesses: Vec<usize>,
    /// Indices of practices that would contradict it and do not count, with why.
    pub discounted: Vec<(usize, Fact)>,
    /// The coverage argument, in the order of [`Requirement::ALL`].
    pub coverage: Vec<CoverageLine>,
    /// Statistics: bounds, intervals, denominators.
    pub numbers: Vec<Fact>,
}

/// The verdict on a whole claim or rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedClaim {
    /// What was judged.
    pub statement: Statement,
    /// All parts together.
    pub verdict: Verdict,
    /// False where no product or run of the case is in its scope.
    pub applies: bool,
    /// Questions that only a person can answer and nobody has: the result stays at review.
    pub review: Vec<String>,
    /// Its parts.
    pub parts: Vec<JudgedPart>,
}

/// One run as it was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedRun {
    /// Its name.
    pub id: String,
    /// What was tested.
    pub product: Option<Product>,
    /// Its milestones and segments.
    pub timeline: Timeline,
    /// What the tester did to the product and its surroundings: `ca-installed`, `unpinned`, `rooted`.
    pub interventions: Vec<String>,
    /// Which of its channels were recorded.
    pub channels: Vec<String>,
    /// Time of the first record.
    pub first: Option<Time>,
    /// Time of the last record.
    pub last: Option<Time>,
}

/// Something the tester can do so that more can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// What to do.
    pub what: Fact,
    /// Which claims wait for it.
    pub claims: Vec<String>,
}

/// A case with everything that was said of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// The runs, in the order of the case.
    pub runs: Vec<JudgedRun>,
    /// Who received anything, planted or not, in order of name and address.
    pub recipients: Vec<Recipient>,
    /// What the product was seen to do, in order of the keys.
    pub practices: Vec<Practice>,
    /// Claims in the order of their files, then rules by id.
    pub claims: Vec<JudgedClaim>,
    /// What is missing, each once.
    pub todo: Vec<Todo>,
    /// The dated lists that what is said of the recipients comes from.
    pub snapshots: Vec<Snapshot>,
    /// Remarks: suppressions that matched nothing, unconfirmed wordings.
    pub notes: Vec<Fact>,
    /// Exceptions in force, in the order of their file. Verdicts stay what they are.
    pub suppressions: Vec<Suppression>,
    /// The contradictions of an earlier judgement; absent where none was given.
    pub baseline: Option<BTreeSet<Fingerprint>>,
}
