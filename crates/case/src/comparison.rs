//! Two judged runs or cases side by side: what appeared, what vanished, what is protected otherwise.

use crate::{ConsentState, Form, Protection, Role, Scope};
use std::collections::BTreeSet;

/// Two judgements, aligned by kinds of data, recipients and forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The first.
    pub before: Compared,
    /// The second.
    pub after: Compared,
    /// Claims that stand otherwise, and claims of one side alone, in order of their ids.
    pub claims: Vec<ClaimChange>,
    /// Claims that stand as before.
    pub claims_unchanged: usize,
    /// Everything that was sent or kept on either side, in order of kind, recipient and form.
    pub practices: Vec<PracticeChange>,
    /// Recipients that got planted values on one side alone.
    pub recipients: Vec<RecipientChange>,
}

/// One side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Its runs.
    pub runs: Vec<String>,
    /// What was tested: vendor, name, version and made-date, each product once.
    pub products: Vec<String>,
    /// Practices that chance could explain; they are not compared.
    pub hints: usize,
    /// Recipients to whom something was sent that could not be read, by the names that practices have.
    pub unread: BTreeSet<String>,
    /// True where a recording has no records or dropped some, or something broke that may concern any recipient.
    pub is_incomplete: bool,
}

impl Compared {
    /// True where something may have been sent to the recipient without being seen.
    pub fn may_hide(&self, recipient: &str) -> bool {
        self.is_incomplete || self.unread.contains(recipient)
    }
}

/// Where a claim stands on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stands {
    /// Contradicted.
    Contradicted,
    /// Supported.
    Supported,
    /// Not exercised.
    NotExercised,
    /// A person has to answer a question.
    Review,
    /// Not about this product.
    OutOfScope,
    /// Nobody made the claim there.
    Absent,
}

impl Stands {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::Supported => "supported",
            Self::NotExercised => "not-exercised",
            Self::Review => "review",
            Self::OutOfScope => "out-of-scope",
            Self::Absent => "absent",
        }
    }

    /// True where evidence decided.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Contradicted | Self::Supported)
    }
}

/// What a change means for the person whose data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Something speaks against it that did not before.
    Worse,
    /// Nobody can tell: what decided before was not exercised after, or chance may explain it.
    Open,
    /// What spoke against it is gone, and was looked for.
    Better,
    /// There is nothing to compare with: a claim that is about one side alone.
    OneSided,
    /// As before.
    Same,
}

impl Direction {
    /// The name used in JSON and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Open => "open",
            Self::Better => "better",
            Self::OneSided => "one-sided",
            Self::Same => "same",
        }
    }
}

/// A claim that stands otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimChange {
    /// Its id.
    pub id: String,
    /// What was said.
    pub says: String,
    /// The same in Chinese.
    pub says_zh: Option<String>,
    /// Where it stood.
    pub before: Stands,
    /// Where it stands.
    pub after: Stands,
    /// Readings and variants that stand otherwise, by their labels; runs are taken together.
    pub parts: Vec<PartChange>,
}

/// A reading or variant that stands otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    /// Which, as labels: `("variant", "softap")`.
    pub labels: Vec<(&'static str, String)>,
    /// Where it stood.
    pub before: Stands,
    /// Where it stands.
    pub after: Stands,
}

impl ClaimChange {
    /// What the change means; the worst of the claim and its parts.
    pub fn direction(&self) -> Direction {
        let parts = self.parts.iter().map(|part| direction(part.before, part.after));
        parts.chain([direction(self.before, self.after)]).min().unwrap_or(Direction::Same)
    }
}

impl PartChange {
    /// What the change means.
    pub fn direction(&self) -> Direction {
        direction(self.before, self.after)
    }
}

fn direction(before: Stands, after: Stands) -> Direction {
    match (before, after) {
        (before, after) if before == after => Direction::Same,
        (Stands::OutOfScope | Stands::Absent, _) | (_, Stands::OutOfScope | Stands::Absent) => Direction::OneSided,
        (_, Stands::Contradicted) => Direction::Worse,
        (_, Stands::Supported) => Direction::Better,
        _ => Direction::Open,
    }
}

/// Whoever got something, as far as both sides can be aligned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    /// The owner, else the registrable domain, else name or address; for recipients at home the scope.
    pub name: String,
    /// How far away.
    pub scope: Scope,
    /// What it is to the maker.
    pub role: Role,
}

/// A recipient of planted values on one side alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientChange {
    /// Who.
    pub party: Party,
    /// True where it is new, false where it gets nothing any more.
    pub is_new: bool,
    /// Kinds of data it got.
    pub kinds: BTreeSet<String>,
}

/// A kind of datum that went to a recipient in one form, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PracticeChange {
    /// The kind; values may differ between the sides.
    pub kind: String,
    /// To whom.
    pub party: Party,
    /// What became of the value.
    pub form: Form,
    /// What was seen before.
    pub before: Option<SeenThere>,
    /// What was seen after.
    pub after: Option<SeenThere>,
    /// What changed; nothing where it is as before.
    pub changes: Vec<Change>,
}

/// What was seen on one side, all practices of the same kind, recipient and form together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenThere {
    /// Sightings.
    pub sightings: u64,
    /// The least protection among them.
    pub weakest: Protection,
    /// Channels: `TLS 1.3`, `clear`.
    pub channels: BTreeSet<String>,
    /// Was it seen without consent?
    pub without_consent: WithoutConsent,
    /// Consent states that were possible when it was seen.
    pub states: BTreeSet<ConsentState>,
    /// Actions during which it was seen.
    pub actions: BTreeSet<String>,
    /// Indices into the judgement's practices.
    pub practices: Vec<usize>,
}

/// Was something seen while consent had not been given?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WithoutConsent {
    /// Only with consent.
    No,
    /// Nobody recorded consent, or the clocks do not decide.
    Unknown,
    /// At least once.
    Yes,
}

impl WithoutConsent {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }
}

/// One thing that changed in a practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It was not there before, in no form.
    Appeared,
    /// The recipient had it before in forms that are harder to read: as a digest, behind a cipher.
    MoreReadable,
    /// The recipient has it in forms that are harder to read than all before.
    LessReadable,
    /// The recipient has it in one more form, not easier to read than those before.
    AnotherForm,
    /// The recipient has it in other forms alone.
    NotInThisForm,
    /// It is not there any more in any form, although the same was done.
    Vanished,
    /// It was not seen any more, and what it was seen in was not done or not in that consent state.
    NotTried,
    /// It looks better, but not everything that was sent to the recipient could be read.
    NotReadable,
    /// Less protected.
    WorseProtected,
    /// More protected.
    BetterProtected,
    /// The protection of one side is not known.
    ProtectionUnknown,
    /// Without consent, and before it was not.
    WithoutConsentNow,
    /// Only with consent, and before it was not.
    WithConsentNow,
}

impl Change {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::MoreReadable => "more-readable",
            Self::LessReadable => "less-readable",
            Self::AnotherForm => "another-form",
            Self::NotInThisForm => "not-in-this-form",
            Self::Vanished => "vanished",
            Self::NotTried => "not-tried",
            Self::NotReadable => "not-readable",
            Self::WorseProtected => "worse-protected",
            Self::BetterProtected => "better-protected",
            Self::ProtectionUnknown => "protection-unknown",
            Self::WithoutConsentNow => "without-consent-now",
            Self::WithConsentNow => "with-consent-now",
        }
    }

    /// What it means.
    pub fn direction(self) -> Direction {
        match self {
            Self::Appeared | Self::MoreReadable | Self::WorseProtected | Self::WithoutConsentNow => Direction::Worse,
            Self::NotTried | Self::NotReadable | Self::ProtectionUnknown => Direction::Open,
            Self::Vanished | Self::LessReadable | Self::BetterProtected | Self::WithConsentNow => Direction::Better,
            Self::AnotherForm | Self::NotInThisForm => Direction::Same,
        }
    }
}

impl Comparison {
    /// The worst of everything that changed, and `Open` at best where more is hidden after than before; `Same` where
    /// nothing changed.
    pub fn direction(&self) -> Direction {
        let claims = self.claims.iter().map(ClaimChange::direction);
        let practices = self.practices.iter().flat_map(|practice| &practice.changes).map(|change| change.direction());
        let hidden = self.hides_more().then_some(Direction::Open);
        claims.chain(practices).chain(hidden).min().unwrap_or(Direction::Same)
    }

    /// True where something could not be read after that could before.
    pub fn hides_more(&self) -> bool {
        let incomplete = self.after.is_incomplete && !self.before.is_incomplete;
        incomplete || !self.after.unread.is_subset(&self.before.unread)
    }
}
