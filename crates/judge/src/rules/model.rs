//! Rules as they are judged, after their files were read and checked.

use super::example::Example;
use crate::claims::{AppliesTo, Claim, Definitions, Reading, Selector};
use crate::{Check, Evidence};
use crate::{verdict, verdict::days};
use dyetrace_case::{Citation, Source, Statement};
use std::collections::BTreeSet;

/// A text in the two languages of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// A file of rules that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Its name, as cases choose it: `cn-app-2019`.
    pub id: String,
    /// What it is.
    pub title: Text,
    /// Where its texts are.
    pub source: Option<Source>,
    /// What a reader must know of it.
    pub note: Option<Text>,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// What a contradiction of a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// An indication of a breach.
    BreachIndicator,
    /// A number from which on a law's consequences differ.
    Threshold,
    /// A declaration that does not fit what was seen.
    Declaration,
    /// A provision of a standard, which binds those who say that they follow it.
    Provision,
}

impl NormKind {
    /// The words of rule files.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("breach-indicator", Self::BreachIndicator),
        ("threshold", Self::Threshold),
        ("declaration", Self::Declaration),
        ("provision", Self::Provision),
    ];

    /// The word in rule files.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A question that only a person can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name within the rule.
    pub id: String,
    /// The question.
    pub text: Text,
    /// The answer with which the rule still applies; with the other one the case is outside of it.
    pub applies_if: bool,
}

/// A dated list of what counts as sensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SensitiveList {
    pub(crate) cite: Citation,
    pub(crate) kinds: Vec<String>,
}

/// What a rule is checked by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Basis {
    /// The evidence itself.
    Readings(Vec<Reading>),
    /// The maker's own claims of these kinds.
    OwnClaims(Vec<&'static str>),
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its stable name: `cn-app-2019/3.1`.
    pub id: String,
    /// The pack it belongs to.
    pub pack: String,
    /// What it is about.
    pub title: Text,
    /// Why what is checked matters, and what is not checked.
    pub reason: Text,
    /// What a contradiction is.
    pub kind: NormKind,
    /// Texts it rests on, each with the time it is in force.
    pub cites: Vec<Citation>,
    /// Which products and runs it is about.
    pub applies_to: AppliesTo,
    /// Questions that only a person can answer.
    pub human: Vec<Question>,
    /// Evidence with the verdict that it must get.
    pub tests: Vec<Example>,
    /// File and line it was read from.
    pub place: String,
    pub(crate) definitions: Definitions,
    pub(crate) variants: Vec<String>,
    pub(crate) basis: Basis,
    pub(crate) sensitive: Vec<SensitiveList>,
}

/// A rule as it stands between two days.
pub(crate) struct Version<'r> {
    pub(crate) rule: &'r Rule,
    pub(crate) statement: Statement,
    pub(crate) applies_to: AppliesTo,
    /// What is sensitive in that time.
    pub(crate) sensitive: Option<&'r SensitiveList>,
}

impl Rule {
    /// The key of what is checked: `never`, `count`; `own-claims` for rules that rest on the maker's claims.
    pub fn checks(&self) -> &'static str {
        match &self.basis {
            Basis::Readings(readings) => readings.first().map_or("never", |reading| reading.check.kind()),
            Basis::OwnClaims(_) => "own-claims",
        }
    }

    /// The lists of what is sensitive that the rule chooses from by date; empty where it does not speak of it.
    pub fn sensitive_lists(&self) -> impl Iterator<Item = (&Citation, &[String])> {
        let used = self.is_about_sensitive();
        self.sensitive.iter().filter(move |_| used).map(|list| (&list.cite, list.kinds.as_slice()))
    }

    /// The versions in force at the dates of the runs; where it was in force at none, the last, so that a report
    /// says that it was looked at.
    pub(crate) fn versions(&self, evidence: &Evidence<'_>) -> Vec<Version<'_>> {
        let all: Vec<Version<'_>> = self.spans().into_iter().filter_map(|span| self.version(span)).collect();
        let meant = |version: &Version<'_>| !verdict::groups(evidence.runs, &version.applies_to).is_empty();
        let last = all.len().saturating_sub(1);
        let any = all.iter().any(meant);
        let kept = all.into_iter().enumerate().filter(|(at, version)| if any { meant(version) } else { *at == last });
        kept.map(|(_, version)| version).collect()
    }

    /// Days between which neither the texts nor the list of what is sensitive change.
    fn spans(&self) -> Vec<(Option<String>, Option<String>)> {
        let sensitive = self.sensitive.iter().filter(|_| self.is_about_sensitive()).map(|list| &list.cite);
        let mut starts: BTreeSet<Option<String>> = BTreeSet::from([None]);
        for cite in self.cites.iter().chain(sensitive) {
            starts.insert(cite.from.clone());
            starts.extend(cite.to.as_deref().and_then(day_after).map(Some));
        }
        let starts: Vec<Option<String>> = starts.into_iter().collect();
        let end = |at: usize| starts.get(at + 1).cloned().flatten().and_then(|next| day_before(&next));
        (0..starts.len()).map(|at| (starts[at].clone(), end(at))).collect()
    }

    fn version(&self, (from, to): (Option<String>, Option<String>)) -> Option<Version<'_>> {
        let holds = |cite: &&Citation| in_force(cite, from.as_deref());
        let mut cites: Vec<Citation> = self.cites.iter().filter(holds).cloned().collect();
        if cites.is_empty() {
            return None;
        }
        let about_sensitive = self.is_about_sensitive();
        let mut sensitive =
            self.sensitive.iter().filter(|list| about_sensitive && in_force(&list.cite, from.as_deref()));
        let sensitive = sensitive.next_back();
        if about_sensitive && sensitive.is_none() {
            return None;
        }
        cites.extend(sensitive.map(|list| list.cite.clone()));
        let statement = Statement {
            id: self.id.clone(),
            says: self.title.en.clone(),
            says_zh: Some(self.title.zh.clone()),
            pack: Some(self.pack.clone()),
            cites,
            reason: Some(self.reason.en.clone()),
            reason_zh: Some(self.reason.zh.clone()),
            questions_zh: self.human.iter().map(|one| (one.text.en.clone(), one.text.zh.clone())).collect(),
            kind: self.checks(),
            place: self.place.clone(),
            ..Statement::default()
        };
        let applies_to = AppliesTo { recorded_from: from, recorded_to: to, ..self.applies_to.clone() };
        Some(Version { rule: self, statement, applies_to, sensitive })
    }

    pub(crate) fn is_about_sensitive(&self) -> bool {
        let Basis::Readings(readings) = &self.basis else { return false };
        readings.iter().any(|reading| match &reading.check {
            Check::Never(never) => has_sensitive(&never.data),
            Check::Discloses(discloses) => has_sensitive(&discloses.among),
            Check::ServerSide(promise) => has_sensitive(&promise.data),
            _ => false,
        })
    }
}

impl Version<'_> {
    /// The version as a claim, where the evidence itself decides.
    pub(crate) fn claim(&self) -> Option<Claim> {
        let Basis::Readings(readings) = &self.rule.basis else { return None };
        let mut readings = readings.clone();
        if let Some(list) = self.sensitive {
            for reading in &mut readings {
                fill_in(reading, &list.kinds);
            }
        }
        Some(Claim {
            statement: self.statement.clone(),
            applies_to: self.applies_to.clone(),
            definitions: self.rule.definitions,
            variants: self.rule.variants.clone(),
            readings,
            human: Vec::new(),
        })
    }
}

fn has_sensitive(selectors: &[Selector]) -> bool {
    selectors.iter().any(|selector| matches!(selector, Selector::Sensitive(_)))
}

fn fill_in(reading: &mut Reading, kinds: &[String]) {
    let selectors = match &mut reading.check {
        Check::Never(never) => &mut never.data,
        Check::Discloses(discloses) => &mut discloses.among,
        Check::ServerSide(promise) => &mut promise.data,
        _ => return,
    };
    for selector in selectors {
        if let Selector::Sensitive(of) = selector {
            *of = kinds.to_vec();
        }
    }
}

/// In force on a day; `None` is before every day that a text names.
fn in_force(cite: &Citation, day: Option<&str>) -> bool {
    let day = day.and_then(days).map_or(0, |(first, _)| first);
    let from = cite.from.as_deref().and_then(days).map_or(0, |(first, _)| first);
    let to = cite.to.as_deref().and_then(days).map_or(u32::MAX, |(_, last)| last);
    (from..=to).contains(&day)
}

fn day_after(text: &str) -> Option<String> {
    shift(text, 36)
}

fn day_before(text: &str) -> Option<String> {
    shift(text, -12)
}

/// The day that many hours after the beginning of a day.
fn shift(day: &str, hours: i64) -> Option<String> {
    let time: dyetrace_case::Time = format!("{day}T00:00:00Z").parse().ok()?;
    let shifted = dyetrace_case::Time(time.0.checked_add(hours * 3_600_000_000_000)?);
    shifted.to_string().get(..10).map(str::to_owned)
}
