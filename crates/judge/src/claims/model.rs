//! Claims as they are judged, after their files were read and checked.

use crate::taxonomy::Group;
use dyetrace_case::{ConsentState, Country, Form, Protection, Scope, Source, Statement, Transfer};

/// One claim or rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What is said, by whom, where; as reports show it.
    pub statement: Statement,
    /// Which products and runs it is about.
    pub applies_to: AppliesTo,
    /// What "collect" means in it.
    pub definitions: Definitions,
    /// Ways of doing the action that are judged one by one: `softap`, `smartconfig`.
    pub variants: Vec<String>,
    /// How it can be read; one where the sentence has one meaning.
    pub readings: Vec<Reading>,
    /// Questions that only a person can answer.
    pub human: Vec<String>,
}

/// One way of reading a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its name, where the claim has several.
    pub name: Option<String>,
    /// What is checked.
    pub check: Check,
    /// What must be tried before it may be called supported.
    pub exercise: Exercise,
}

/// The kinds of claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// Something is never seen.
    Never(Never),
    /// Something can be done.
    Works(Works),
    /// Something cannot be done without traffic.
    Needs(Needs),
    /// A list of everything that is passed on.
    Discloses(Discloses),
    /// A number or a share.
    Number(NumberClaim),
    /// What the maker does out of sight.
    ServerSide(ServerSide),
}

impl Check {
    /// The kind's key in claim files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Never(_) => "never",
            Self::Works(_) => "works",
            Self::Needs(_) => "needs",
            Self::Discloses(_) => "discloses",
            Self::Number(claim) if claim.share => "ratio",
            Self::Number(_) => "count",
            Self::ServerSide(claim) => claim.about,
        }
    }
}

/// Products and runs a claim is about. Everything that is named must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppliesTo {
    /// Version conditions, any of which fits: `>=2.0 <3`, `1.4.2`.
    pub versions: Vec<String>,
    /// Made on that day or later (`2016-07-01`).
    pub made_from: Option<String>,
    /// Made on that day or earlier.
    pub made_to: Option<String>,
    /// Regions, any of which fits.
    pub regions: Vec<String>,
    /// Platforms, any of which fits.
    pub platforms: Vec<String>,
    /// Types of app, any of which fits: `smart-home`.
    pub app_types: Vec<String>,
    /// Recorded on that day or later: when a rule is in force.
    pub recorded_from: Option<String>,
    /// Recorded on that day or earlier.
    pub recorded_to: Option<String>,
}

/// What "collect" means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Definitions {
    /// As anyone would say it: it goes out into the internet.
    #[default]
    Plain,
    /// GB/T 35273-2020 section 3.5: what never goes back to the provider is not collected.
    Gb35273,
    /// Apple's privacy labels: it leaves the device and stays readable for longer than the request needs.
    AppleLabel,
    /// Google's Data safety form: it leaves the device.
    GoogleDataSafety,
}

impl Definitions {
    /// Where data goes if the claim does not say.
    pub(crate) fn reaches(self) -> Vec<Reach> {
        match self {
            Self::Plain | Self::Gb35273 => vec![Reach::Scope(Scope::Wan)],
            Self::AppleLabel | Self::GoogleDataSafety => vec![Reach::Elsewhere],
        }
    }
}

/// Planted data that a claim speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// A dotted kind and everything below it: `wifi` covers `wifi.password`.
    Kind(String),
    /// Everything that is personal information: see [`crate::is_personal`].
    Personal,
    /// Everything planted.
    Everything,
    /// Kinds that the taxonomy puts together.
    Group(Group),
    /// What a rule pack calls sensitive at the date of the evidence: these kinds and everything below them. Claims of
    /// makers cannot say it.
    Sensitive(Vec<String>),
}

impl Selector {
    /// The word in claim files.
    pub fn name(&self) -> &str {
        match self {
            Self::Kind(kind) => kind,
            Self::Personal => "personal",
            Self::Everything => "everything",
            Self::Group(group) => group.name(),
            Self::Sensitive(_) => "sensitive",
        }
    }
}

/// Where data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// A scope: `wan`, `lan`, `link`, `loopback`.
    Scope(Scope),
    /// Any other machine: everything but loopback.
    Elsewhere,
    /// A stored file or a dump.
    Storage,
    /// A recipient of that role.
    Role(dyetrace_case::Role),
    /// A host name, and everything below it.
    Domain(String),
    /// A company.
    Owner(String),
}

/// A claim that something is never seen. Everything that is named must come together in a witness.
#[derive(Debug, Clone, PartialEq)]
pub struct Never {
    /// Which data.
    pub data: Vec<Selector>,
    /// Where it would go; any of these.
    pub reaches: Vec<Reach>,
    /// What would have become of the value.
    pub forms: Vec<Form>,
    /// How far it would come.
    pub transfers: Vec<Transfer>,
    /// Only less protection than this is a fault.
    pub protection_below: Option<Protection>,
    /// Only recipients in, or not in, these countries are a fault.
    pub countries: Vec<CountryTest>,
    /// Actions during which it is allowed.
    pub unless: Vec<String>,
    /// Only in these consent states.
    pub when: Option<When>,
}

/// A condition on a recipient's country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryTest {
    /// True for the operator's country, false for the server's.
    pub operator: bool,
    /// True where the recipient must be outside of these to be at fault.
    pub outside: bool,
    /// Countries.
    pub countries: Vec<Country>,
}

/// Consent states, for everything or for one purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// The purpose, where the product asks purpose by purpose.
    pub purpose: Option<String>,
    /// Any of these.
    pub states: Vec<ConsentState>,
}

/// A claim that something can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Works {
    /// What.
    pub action: String,
    /// Without any traffic to these.
    pub without_traffic_to: Vec<Reach>,
}

/// A claim that something cannot be done without traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// What.
    pub action: String,
    /// The traffic that would be needed.
    pub without_traffic_to: Vec<Reach>,
}

/// A claim that a list is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discloses {
    /// Which data the list is about.
    pub among: Vec<Selector>,
    /// Which recipients the list is about.
    pub reaches: Vec<Reach>,
    /// The list.
    pub list: Vec<Disclosure>,
}

/// One line of a list of what is passed on: every datum may go to every recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// Which data.
    pub data: Vec<Selector>,
    /// To whom.
    pub recipients: Vec<Reach>,
}

/// A claim about a number: it lies between `low` and `high`, both included.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberClaim {
    /// The measured number's name.
    pub measure: String,
    /// True for a share between 0 and 1.
    pub share: bool,
    /// At least.
    pub low: Option<f64>,
    /// At most.
    pub high: Option<f64>,
}

/// A claim about what happens out of sight. Nothing that is seen from outside can support it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSide {
    /// Which data.
    pub data: Vec<Selector>,
    /// What about: `retention`, `purpose`, `server-side`. A canary must be about the same.
    pub about: &'static str,
    /// A canary counts only this long after an action.
    pub after: Option<After>,
}

/// A time after an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// The action.
    pub action: String,
    /// Days after its last end.
    pub days: u64,
}

/// What must be tried before a claim may be called supported.
#[derive(Debug, Clone, PartialEq)]
pub struct Exercise {
    /// Actions.
    pub actions: Vec<ActionWanted>,
    /// Consent states in which each of them is tried.
    pub states: Vec<ConsentState>,
    /// Channels that must have been recorded.
    pub channels: Vec<String>,
    /// Seconds of quiet after the last action.
    pub quiet_s: u64,
    /// Share of hidden values that the search must find again.
    pub spike_at_least: f64,
    /// Outbound bytes that may stay unread.
    pub opaque_at_most: u64,
}

impl Default for Exercise {
    /// Ten seconds of quiet, nine hidden values of ten found again, and nothing unread.
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            states: Vec::new(),
            channels: Vec::new(),
            quiet_s: 10,
            spike_at_least: 0.9,
            opaque_at_most: 0,
        }
    }
}

/// An action that must be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionWanted {
    /// Its name.
    pub name: String,
    /// How often, in each state and variant.
    pub times: u64,
    /// How it must end.
    pub outcome: OutcomeWanted,
    /// In which consent states; empty: in all that the claim and the exercise name.
    pub states: Vec<ConsentState>,
}

/// How an action must end so that it counts as tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutcomeWanted {
    /// It did what the user wanted.
    #[default]
    Succeeded,
    /// It did not.
    Failed,
    /// It ended.
    Any,
}

/// A claim file.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimFile {
    /// Who makes the claims.
    pub vendor: Option<String>,
    /// Where.
    pub source: Option<Source>,
    /// The claims, in the order of the file.
    pub claims: Vec<Claim>,
}
