//! A judged case as single statements, one for each claim, datum and recipient, under names that
//! stay the same when the evidence is recorded again.

use crate::{DatumId, Form, JudgedClaim, JudgedPart, Judgement, Practice, Recipient, Scope, Suppression, Verdict};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// One statement of a judged case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the claim.
    pub claim: usize,
    /// Indices of the claim's parts that say it. More than one where several runs show the same.
    pub parts: Vec<usize>,
    /// What tells the parts apart, such as reading and variant. Runs are left out where witnesses are at hand.
    pub labels: Vec<(&'static str, String)>,
    /// What is said.
    pub verdict: Verdict,
    /// The datum and the index of the recipient; absent where no practice was a witness.
    pub about: Option<(DatumId, usize)>,
    /// Indices of the practices that are its witnesses, in ascending order.
    pub practices: Vec<usize>,
    /// Its names: one for each form in which the datum was seen, or one for a part without witnesses.
    pub fingerprints: BTreeMap<&'static str, Fingerprint>,
}

/// The name of a finding: half a SHA-256, in hexadecimal, over claim, reading, variant, kind of
/// datum, registrable domain of the recipient, and form. No value and no count is in it, nor anything
/// that changes when the same is recorded again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fingerprint {
    /// Digits of a fingerprint.
    const DIGITS: usize = 32;

    /// Reads what [`fmt::Display`] wrote.
    pub fn of_text(text: &str) -> Option<Self> {
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == Self::DIGITS && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    fn of(fields: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix("dyetrace finding 1");
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        Self(crate::hex(&hash.finalize()[..Self::DIGITS / 2]))
    }
}

impl Judgement {
    /// Every statement, in the order of the claims; within one, contradictions by datum and recipient first seen.
    pub fn findings(&self) -> Vec<Finding> {
        self.claims.iter().enumerate().flat_map(|(at, claim)| self.findings_of(at, claim)).collect()
    }

    fn findings_of(&self, at: usize, claim: &JudgedClaim) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut known: BTreeMap<(Labels, DatumId, usize), usize> = BTreeMap::new();
        for (number, part) in claim.parts.iter().enumerate() {
            if part.verdict != Verdict::Contradicted || part.witnesses.is_empty() {
                findings.push(whole(at, claim, number, part));
                continue;
            }
            for (index, practice) in
                part.witnesses.iter().filter_map(|index| Some((*index, self.practices.get(*index)?)))
            {
                let key = (lasting(&part.labels), practice.key.datum.clone(), practice.key.recipient);
                let place = *known.entry(key).or_insert_with_key(|(labels, datum, recipient)| {
                    findings.push(about(at, labels, datum, *recipient));
                    findings.len() - 1
                });
                let Some(finding) = findings.get_mut(place) else { continue };
                finding.practices.push(index);
                if finding.parts.last() != Some(&number) {
                    finding.parts.push(number);
                }
                let form = practice.key.form.name();
                let name = || self.name(&claim.statement.id, &finding.labels, practice);
                finding.fingerprints.entry(form).or_insert_with(name);
            }
        }
        for finding in &mut findings {
            finding.practices.sort_unstable();
            finding.practices.dedup();
        }
        findings
    }

    fn name(&self, claim: &str, labels: &Labels, practice: &Practice) -> Fingerprint {
        let recipient = self.recipients.get(practice.key.recipient).map_or_else(String::new, lasting_name);
        let kind = practice.key.datum.0.split('#').next().unwrap_or_default();
        let label = |name: &str| labels.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value);
        Fingerprint::of(&[claim, label("reading"), label("variant"), kind, &recipient, practice.key.form.name()])
    }

    /// The exception that covers a statement, where one does. What is supported needs none.
    pub fn suppression_of(&self, finding: &Finding) -> Option<&Suppression> {
        let claim = self.claims.get(finding.claim)?;
        let about = match &finding.about {
            Some((datum, recipient)) => Some((datum, self.recipients.get(*recipient)?)),
            None => None,
        };
        let covers = |suppression: &&Suppression| suppression.covers(&claim.statement.id, about);
        self.suppressions.iter().filter(|_| finding.verdict != Verdict::Supported).find(covers)
    }

    /// Was a contradiction missing from the baseline, in at least one form? `None` without a baseline,
    /// and for what is no contradiction.
    pub fn is_new(&self, finding: &Finding) -> Option<bool> {
        let baseline = self.baseline.as_ref().filter(|_| finding.verdict == Verdict::Contradicted)?;
        Some(finding.fingerprints.values().any(|name| !baseline.contains(name)))
    }
}

type Labels = Vec<(&'static str, String)>;

/// Labels without the run, whose name is another one when the evidence is recorded again.
fn lasting(labels: &[(&'static str, String)]) -> Labels {
    labels.iter().filter(|(name, _)| !name.starts_with("run")).cloned().collect()
}

/// A name for the recipient that the next recording gives too: addresses in a home change.
fn lasting_name(recipient: &Recipient) -> String {
    let name = recipient.domain.as_ref().or(recipient.name.as_ref()).map(|name| name.to_ascii_lowercase());
    let address = || recipient.address.filter(|_| recipient.scope == Scope::Wan).map(|address| address.to_string());
    name.or_else(address).unwrap_or_else(|| recipient.scope.name().to_owned())
}

fn about(claim: usize, labels: &Labels, datum: &DatumId, recipient: usize) -> Finding {
    Finding {
        claim,
        parts: Vec::new(),
        labels: labels.clone(),
        verdict: Verdict::Contradicted,
        about: Some((datum.clone(), recipient)),
        practices: Vec::new(),
        fingerprints: BTreeMap::new(),
    }
}

/// A part that no practice decided.
fn whole(at: usize, claim: &JudgedClaim, number: usize, part: &JudgedPart) -> Finding {
    let labels = lasting(&part.labels);
    let label = |name: &str| labels.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value);
    let contradicted = part.verdict == Verdict::Contradicted;
    let reason = part.reasons.first().filter(|_| contradicted).map_or("", |fact| fact.code);
    let fields = [claim.statement.id.as_str(), label("reading"), label("variant"), "", "", reason];
    Finding {
        claim: at,
        parts: vec![number],
        labels: part.labels.clone(),
        verdict: part.verdict,
        about: None,
        practices: Vec::new(),
        fingerprints: BTreeMap::from([("part", Fingerprint::of(&fields))]),
    }
}

impl Finding {
    /// The forms in which the datum was seen.
    pub fn forms(&self) -> impl Iterator<Item = Form> {
        Form::ALL.into_iter().filter(|form| self.fingerprints.contains_key(form.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PracticeKey, Protection, Side, Statement, Transfer};

    fn practice(run: usize, datum: &str, recipient: usize, form: Form) -> Practice {
        Practice::new(PracticeKey {
            run,
            segment: run,
            datum: DatumId(datum.to_owned()),
            recipient,
            side: Side::Request,
            form,
            protection: Protection::Transport,
            channel: "TLS 1.3".to_owned(),
            transfer: Transfer::Answered,
            hint: false,
            app: None,
        })
    }

    fn part(run: &str, verdict: Verdict, witnesses: Vec<usize>) -> JudgedPart {
        JudgedPart {
            labels: vec![("run", run.to_owned()), ("reading", "transport".to_owned())],
            verdict,
            reasons: Vec::new(),
            witnesses,
            discounted: Vec::new(),
            coverage: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn recipient(name: &str, address: [u8; 4], scope: Scope) -> Recipient {
        let name = (!name.is_empty()).then(|| name.to_owned());
        let domain = name.as_ref().map(|_| "vendor.example".to_owned());
        Recipient { domain, ..Recipient::unknown(name, Some(address.into()), scope) }
    }

    fn judged(run: &str, datum: &str, recipients: Vec<Recipient>, form: Form) -> Judgement {
        let statement = Statement { id: "s.never".to_owned(), ..Statement::default() };
        let parts = vec![part(run, Verdict::Contradicted, vec![0, 1]), part("b", Verdict::Contradicted, vec![2])];
        let claim = JudgedClaim { statement, verdict: Verdict::Contradicted, applies: true, review: Vec::new(), parts };
        let practices = vec![practice(0, datum, 0, form), practice(0, "email", 1, form), practice(1, datum, 0, form)];
        Judgement { recipients, practices, claims: vec![claim], ..Judgement::default() }
    }

    fn wan() -> Vec<Recipient> {
        vec![recipient("api.vendor.example", [203, 0, 113, 1], Scope::Wan), recipient("", [192, 168, 0, 2], Scope::Lan)]
    }

    #[test]
    fn what_two_runs_show_is_said_once_for_each_datum_and_recipient() {
        let findings = judged("a", "phone", wan(), Form::Clear).findings();
        let said = |f: &Finding| (f.about.clone().unwrap().0.0, f.parts.clone(), f.practices.clone());
        let said: Vec<_> = findings.iter().map(said).collect();
        assert_eq!(said, [("phone".to_owned(), vec![0, 1], vec![0, 2]), ("email".to_owned(), vec![0], vec![1])]);
        assert_eq!(findings[0].labels, [("reading", "transport".to_owned())]);
    }

    #[test]
    fn fingerprints_outlive_another_recording_and_tell_forms_apart() {
        let names = |judgement: Judgement| -> Vec<Fingerprint> {
            judgement.findings().into_iter().flat_map(|finding| finding.fingerprints.into_values()).collect()
        };
        let before = names(judged("a", "phone", wan(), Form::Clear));
        let moved = vec![
            recipient("eu2.vendor.example", [198, 51, 100, 7], Scope::Wan),
            recipient("", [10, 0, 0, 9], Scope::Lan),
        ];
        assert_eq!(before, names(judged("2026-03", "phone#2", moved, Form::Clear)), "run, address and host are others");
        assert_ne!(before, names(judged("a", "phone", wan(), Form::Hashed)));
        assert_ne!(before, names(judged("a", "imei", wan(), Form::Clear)));
        for name in before {
            assert_eq!(Fingerprint::of_text(&name.to_string()), Some(name));
        }
        assert_eq!(Fingerprint::of_text("13800000427"), None);
    }

    #[test]
    fn a_contradiction_is_new_if_one_of_its_forms_is() {
        let mut judgement = judged("a", "phone", wan(), Form::Clear);
        let finding = judgement.findings().swap_remove(0);
        assert_eq!(judgement.is_new(&finding), None);
        judgement.baseline = Some(finding.fingerprints.values().cloned().collect());
        assert_eq!(judgement.is_new(&finding), Some(false));
        judgement.practices[2].key.form = Form::Hashed;
        let finding = judgement.findings().swap_remove(0);
        assert_eq!(judgement.is_new(&finding), Some(true));
        assert_eq!(finding.forms().collect::<Vec<_>>(), [Form::Clear, Form::Hashed]);
    }

    #[test]
    fn a_part_without_witnesses_is_one_finding() {
        let mut judgement = judged("a", "phone", wan(), Form::Clear);
        judgement.claims[0].parts =
            vec![part("a", Verdict::NotExercised, vec![]), part("a", Verdict::Contradicted, vec![])];
        let findings = judgement.findings();
        assert_eq!(findings.iter().map(|f| f.fingerprints.len()).collect::<Vec<_>>(), [1, 1]);
        assert!(findings.iter().all(|finding| finding.about.is_none()));
    }
}
