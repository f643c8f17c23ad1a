//! The findings of a judged case as programs want them: of a fixed kind, most severe first.

use super::{label_words, questions, said};
use crate::text::{clean, count};
use crate::words::{Lang, form_words, sentence, term};
use dyetrace_case::{Finding, JudgedClaim, Judgement, Practice, Recipient, Suppression, Verdict};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What a result is (SARIF 2.1.0 section 3.27.9), most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ResultKind {
    /// Evidence speaks against the claim.
    Fail,
    /// A question that only a person can answer is open.
    Review,
    /// What was tried does not decide.
    Open,
    /// What was asked to be tried was tried, could be seen, and nothing spoke against it.
    Pass,
    /// No product or run of the case is in the claim's scope.
    NotApplicable,
}

impl ResultKind {
    /// The name in SARIF.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Review => "review",
            Self::Open => "open",
            Self::Pass => "pass",
            Self::NotApplicable => "notApplicable",
        }
    }

    fn of(claim: &JudgedClaim, verdict: Verdict) -> Self {
        match verdict {
            _ if !claim.applies => Self::NotApplicable,
            _ if !claim.review.is_empty() => Self::Review,
            Verdict::Contradicted => Self::Fail,
            Verdict::NotExercised => Self::Open,
            Verdict::Supported => Self::Pass,
        }
    }
}

/// One finding with what is known of it beside the evidence.
pub(super) struct Row<'j> {
    pub(super) finding: Finding,
    pub(super) claim: &'j JudgedClaim,
    pub(super) kind: ResultKind,
    /// The exception that covers it.
    pub(super) suppression: Option<&'j Suppression>,
    /// Is it missing from the baseline?
    pub(super) new: Option<bool>,
}

/// Every finding: failures first, of these first what is neither suppressed nor known, then what was
/// protected least; otherwise in the order of claims, data and recipients.
pub(super) fn rows(judgement: &Judgement) -> Vec<Row<'_>> {
    let row = |finding: Finding| {
        let claim = judgement.claims.get(finding.claim)?;
        let kind = ResultKind::of(claim, finding.verdict);
        let (suppression, new) = (judgement.suppression_of(&finding), judgement.is_new(&finding));
        Some(Row { finding, claim, kind, suppression, new })
    };
    let mut rows: Vec<Row<'_>> = judgement.findings().into_iter().filter_map(row).collect();
    rows.sort_by_cached_key(|row| {
        let weakest = row.practices(judgement).map(|practice| (practice.key.protection, practice.key.form)).min();
        let known = (row.suppression.is_some(), row.new == Some(false));
        (row.kind, known, Reverse(weakest.map(Reverse)), row.finding.claim, row.finding.about.clone())
    });
    rows
}

impl<'j> Row<'j> {
    /// The same with some of its witnesses, and with the names of their forms: what is known stays known.
    pub(super) fn only(&self, judgement: &Judgement, wanted: impl Fn(usize) -> bool) -> Self {
        let mut finding = self.finding.clone();
        if finding.practices.is_empty() {
            return Self { finding, ..*self };
        }
        finding.practices.retain(|practice| wanted(*practice));
        let kept = finding.practices.iter().filter_map(|index| judgement.practices.get(*index));
        let forms: BTreeSet<&str> = kept.map(|practice| practice.key.form.name()).collect();
        finding.fingerprints.retain(|form, _| forms.contains(form));
        let new = judgement.is_new(&finding);
        Self { finding, new, ..*self }
    }

    /// The practices that are its witnesses.
    pub(super) fn practices(&self, judgement: &'j Judgement) -> impl Iterator<Item = &'j Practice> {
        self.finding.practices.iter().filter_map(|index| judgement.practices.get(*index))
    }

    /// Who received the datum.
    pub(super) fn recipient(&self, judgement: &'j Judgement) -> Option<&'j Recipient> {
        judgement.recipients.get(self.finding.about.as_ref()?.1)
    }

    /// Sightings in all.
    pub(super) fn sightings(&self, judgement: &Judgement) -> u64 {
        self.practices(judgement).map(|practice| practice.count).sum()
    }

    /// The labels of its parts in words; `None` where the claim has but one part without labels.
    pub(super) fn labels(&self, lang: Lang) -> Option<String> {
        (!self.finding.labels.is_empty()).then(|| label_words(&self.finding.labels, lang))
    }

    /// Why, in sentences: of all its parts, each once.
    pub(super) fn reasons(&self, lang: Lang) -> Vec<String> {
        let parts = self.finding.parts.iter().filter_map(|part| self.claim.parts.get(*part));
        let mut said = BTreeSet::new();
        let sentences = parts.flat_map(|part| &part.reasons).map(|fact| clean(&sentence(fact, lang)));
        sentences.filter(|sentence| said.insert(sentence.clone())).collect()
    }

    /// One line: who received what and how, or why nothing can be said.
    pub(super) fn summary(&self, judgement: &Judgement, lang: Lang) -> String {
        let about = self.finding.about.as_ref().zip(self.recipient(judgement));
        let Some(((datum, _), recipient)) = about else {
            let open = questions(self.claim, lang).map(clean);
            let open = if self.kind == ResultKind::Review { open.collect() } else { Vec::new() };
            return [open, self.reasons(lang)].concat().join("; ");
        };
        let ways = [
            self.words(judgement, lang, |practice| form_words(practice.key.form, lang)),
            self.words(judgement, lang, |practice| practice.key.channel.as_str()),
            self.words(judgement, lang, |practice| practice.key.transfer.name()),
        ];
        let who = clean(&recipient.shown());
        format!("{} → {who}, {}× ({})", clean(&datum.0), count(self.sightings(judgement)), ways.join("; "))
    }

    /// What its practices say of one question, each answer once.
    pub(super) fn words(&self, judgement: &'j Judgement, lang: Lang, word: impl Fn(&'j Practice) -> &'j str) -> String {
        let words: BTreeSet<&str> = self.practices(judgement).map(word).collect();
        words.into_iter().map(|word| clean(term(word, lang))).collect::<Vec<_>>().join(lang.comma())
    }

    /// The claim's words in the reader's language.
    pub(super) fn says(&self, lang: Lang) -> String {
        clean(said(&self.claim.statement, lang))
    }
}
