//! Small made-up evidence that a rule must judge in a stated way. Each rule brings at least one that it must find, one
//! that it must not, and one that decides nothing.
//!
//! What an example does not say was done well: the product is an Android app for the Chinese market that was given one
//! datum of each kind at 2 s; everything was recorded from 0 to 400 s and could be read; nobody touched it from 300 to 380 s.

use crate::claims::error::ClaimError;
use crate::claims::file::{claim, date};
use crate::claims::measured::measured;
use crate::claims::node::{Fields, Node, Source};
use crate::claims::words;
use crate::{Claim, DatumFacts, Evidence, Measured, OpaqueFacts, RunFacts, SpikeFacts};
use dyetrace_case::{
    ActionOutcome, ConsentChange, Country, DatumId, Event, Form, JudgedRun, Milestone, Phase, Practice, PracticeKey,
    Product, Protection, Recipient, Role, Scope, Shown, Side, SightingId, Time, Timeline, Transfer,
};
use serde_saphyr::Spanned;

/// Keys of an example.
const EXAMPLE: &[&str] = &[
    "expect", "why", "date", "platform", "region", "app_type", "actions", "consent", "seen", "unread", "claims",
    "measured", "answers",
];
const ACTION: &[&str] = &["at", "name", "outcome"];
const CONSENT: &[&str] = &["at", "change", "purpose"];
const SEEN: &[&str] = &["at", "data", "form", "protection", "transfer", "to"];
const TO: &[&str] = &["scope", "role", "domain", "country", "operator_country"];
const ANSWER: &[&str] = &["question", "answer"];

/// The keys by the names that the JSON Schema gives their mappings.
#[cfg(test)]
pub(super) const KEYS: [(&str, &[&str]); 6] = [
    ("example", EXAMPLE),
    ("example_action", ACTION),
    ("example_consent", CONSENT),
    ("example_seen", SEEN),
    ("example_recipient", TO),
    ("answer", ANSWER),
];

/// What a rule must say of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The rule finds what it is for.
    Contradicted,
    /// Nothing was found in what was exercised.
    Supported,
    /// It decides nothing.
    NotExercised,
    /// It is not about such a case.
    NotApplicable,
}

impl Expected {
    /// The words of rule files.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("contradicted", Self::Contradicted),
        ("supported", Self::Supported),
        ("not-exercised", Self::NotExercised),
        ("not-applicable", Self::NotApplicable),
    ];

    /// The word in rule files.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, expected)| *expected == self).map_or("", |(word, _)| word)
    }
}

/// Made-up evidence and the verdict that it must get.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The verdict.
    pub expect: Expected,
    /// What it shows, in words.
    pub why: Option<String>,
    /// File and line it was read from.
    pub place: String,
    /// The maker's own claims.
    pub(crate) claims: Vec<Claim>,
    /// Answers to the rule's questions.
    pub(crate) answers: Vec<(String, bool)>,
    evidence: MadeUp,
}

/// The evidence of an example.
#[derive(Debug, Clone, PartialEq)]
struct MadeUp {
    runs: Vec<RunFacts>,
    recipients: Vec<Recipient>,
    practices: Vec<Practice>,
    data: Vec<DatumFacts>,
    spikes: Vec<SpikeFacts>,
    opaque: Vec<OpaqueFacts>,
    measured: Vec<Measured>,
}

impl Example {
    /// What the judge is given.
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        let MadeUp { runs, recipients, practices, data, opaque, spikes, measured } = &self.evidence;
        Evidence { runs, recipients, practices, data, opaque, spikes, measured, ..Evidence::default() }
    }
}

/// Kinds of which the product is given one datum each, unless an example names others too.
const GIVEN: [&str; 16] = [
    "advertising-id",
    "bank.card",
    "contacts",
    "email",
    "gps",
    "id.card.photo",
    "id.cn",
    "imei",
    "mac",
    "message",
    "name",
    "password",
    "phone",
    "photo",
    "wifi.password",
    "wifi.ssid",
];

const SECOND: i64 = 1_000_000_000;

pub(super) fn read(source: Source<'_>, node: &Spanned<Node>) -> Result<Example, ClaimError> {
    let fields = source.fields(node, "an example", EXAMPLE)?;
    let expect = source.word(fields.needed("expect")?, "verdict", &Expected::WORDS)?;
    let noon = noon(source, fields.get("date"))?;
    let mut evidence = MadeUp {
        runs: vec![run(&fields, noon)?],
        recipients: Vec::new(),
        practices: Vec::new(),
        data: data(),
        spikes: data().iter().flat_map(found_again).collect(),
        opaque: Vec::new(),
        measured: fields.list("measured", |node| measured(source, node))?,
    };
    for node in fields.get("seen").map(|node| source.list(node)).transpose()?.unwrap_or_default() {
        seen(source, node, noon, &mut evidence)?;
    }
    if let Some(node) = fields.get("unread") {
        unread(source.whole(node)?, &mut evidence);
    }
    let source_of_claims = Source { rules: false, ..source };
    Ok(Example {
        expect,
        why: fields.text("why")?,
        place: source.place(node),
        claims: fields.list("claims", |node| claim(source_of_claims, node, None))?,
        answers: fields.list("answers", |node| answer(source, node))?,
        evidence,
    })
}

/// The run, with what the example says of it and everything else done well.
fn run(fields: &Fields<'_, '_>, noon: Time) -> Result<RunFacts, ClaimError> {
    let text = |key: &str, usual: &str| Ok(fields.text(key)?.unwrap_or_else(|| usual.to_owned()));
    let product = Product {
        vendor: Some("Example Co.".to_owned()),
        name: "Example".to_owned(),
        platform: Some(text("platform", "android")?),
        app_type: fields.text("app_type")?,
        ..Product::default()
    };
    let judged = JudgedRun {
        id: "example".to_owned(),
        product: Some(product),
        timeline: Timeline::new(milestones(fields, noon)?),
        first: Some(noon),
        last: Some(at(noon, 400.0)),
        ..JudgedRun::default()
    };
    let region = Some(text("region", "CN")?);
    Ok(RunFacts { judged, records: 30, drops: Some(0), region, ..RunFacts::default() })
}

fn milestones(fields: &Fields<'_, '_>, noon: Time) -> Result<Vec<Milestone>, ClaimError> {
    let source = fields.source;
    let mut milestones = vec![
        mark(noon, 0.0, Event::Phase(Phase::RecordingBegan)),
        mark(noon, 2.0, Event::Planted { data: GIVEN.iter().map(|&kind| kind.to_owned()).collect() }),
        mark(noon, 300.0, Event::Phase(Phase::QuietBegan)),
        mark(noon, 380.0, Event::Phase(Phase::QuietEnded)),
        mark(noon, 400.0, Event::Phase(Phase::RecordingEnded)),
    ];
    milestones.extend(fields.list("actions", |node| action(source, node, noon))?.into_iter().flatten());
    milestones.extend(fields.list("consent", |node| consent(source, node, noon))?);
    Ok(milestones)
}

fn noon(source: Source<'_>, node: Option<&Spanned<Node>>) -> Result<Time, ClaimError> {
    let day = node.map(|node| Ok((node, date(source, node)?))).transpose()?;
    let text = day.as_ref().map_or("2024-06-01", |(_, day)| day.as_str());
    let time = format!("{text}T12:00:00Z").parse();
    time.or_else(|_| match day {
        Some((node, _)) => Err(source.at(node, "a day is written as in 2016-07-01")),
        None => Ok(Time(0)),
    })
}

fn mark(noon: Time, seconds: f64, event: Event) -> Milestone {
    Milestone { at: at(noon, seconds), error: SECOND as u64, event }
}

fn at(noon: Time, seconds: f64) -> Time {
    Time(noon.0.saturating_add((seconds * 1e9) as i64))
}

fn data() -> Vec<DatumFacts> {
    let facts = GIVEN.iter().filter_map(|kind| {
        Some(DatumFacts { id: DatumId((*kind).to_owned()), kind: kind.parse().ok()?, made_up: true })
    });
    facts.collect()
}

/// The datum, always found again.
fn found_again(datum: &DatumFacts) -> [SpikeFacts; 2] {
    [Form::Clear, Form::Encoded].map(|form| SpikeFacts {
        run: 0,
        datum: datum.id.clone(),
        form,
        hidden: 200,
        found: 200,
    })
}

/// Ten seconds that begin then.
fn action(source: Source<'_>, node: &Spanned<Node>, noon: Time) -> Result<[Milestone; 2], ClaimError> {
    let fields = source.fields(node, "an action", ACTION)?;
    let began = source.number(fields.needed("at")?, 0.0, 290.0)?;
    let action = source.name(fields.needed("name")?)?;
    let outcomes = ActionOutcome::ALL.map(|outcome| (outcome.name(), outcome));
    let outcome = fields.get("outcome").map(|node| source.word(node, "outcome", &outcomes)).transpose()?;
    let outcome = outcome.unwrap_or(ActionOutcome::Succeeded);
    let event = Event::ActionBegan { action: action.clone(), variant: None, conditions: Vec::new() };
    Ok([mark(noon, began, event), mark(noon, began + 10.0, Event::ActionEnded { action, outcome })])
}

fn consent(source: Source<'_>, node: &Spanned<Node>, noon: Time) -> Result<Milestone, ClaimError> {
    let fields = source.fields(node, "a change of consent", CONSENT)?;
    let when = source.number(fields.needed("at")?, 0.0, 400.0)?;
    let changes = ConsentChange::ALL.map(|change| (change.name(), change));
    let change = source.word(fields.needed("change")?, "change of consent", &changes)?;
    let purpose = fields.get("purpose").map(|node| source.name(node)).transpose()?;
    Ok(mark(noon, when, Event::Consent { change, purpose }))
}

fn answer(source: Source<'_>, node: &Spanned<Node>) -> Result<(String, bool), ClaimError> {
    let fields = source.fields(node, "an answer", ANSWER)?;
    Ok((source.name(fields.needed("question")?)?, source.truth(fields.needed("answer")?)?))
}

/// The protections of traffic: those of claims, and what they leave out.
fn protections() -> Vec<(&'static str, Protection)> {
    [("none", Protection::None), ("unknown", Protection::Unknown)]
        .into_iter()
        .chain(words::PROTECTIONS.iter().copied())
        .collect()
}

fn seen(source: Source<'_>, node: &Spanned<Node>, noon: Time, evidence: &mut MadeUp) -> Result<(), ClaimError> {
    let fields = source.fields(node, "a transmission", SEEN)?;
    let seconds = source.number(fields.needed("at")?, 0.0, 400.0)?;
    let kind_node = fields.needed("data")?;
    let kind = source.text(kind_node)?;
    if !evidence.data.iter().any(|datum| datum.id.0 == kind) {
        return Err(source.at(kind_node, format!("the product of an example has only: {}", GIVEN.join(", "))));
    }
    let form = fields.get("form").map(|node| source.word(node, "form", words::FORMS)).transpose()?;
    let transfer = fields.get("transfer").map(|node| source.word(node, "transfer", words::TRANSFERS)).transpose()?;
    let protection =
        fields.get("protection").map(|node| source.word(node, "protection", &protections())).transpose()?;
    let recipient = fields.get("to").map(|node| recipient(source, node)).transpose()?;
    evidence.recipients.push(recipient.unwrap_or_else(|| somebody(Scope::Wan, Role::First)));
    let time = at(noon, seconds);
    let key = PracticeKey {
        run: 0,
        segment: evidence.runs.first().map_or(0, |run| run.judged.timeline.segment_at(Some(time))),
        datum: DatumId(kind),
        recipient: evidence.recipients.len() - 1,
        side: Side::Request,
        form: form.unwrap_or(Form::Clear),
        protection: protection.unwrap_or(Protection::Transport),
        channel: String::new(),
        transfer: transfer.unwrap_or(Transfer::Answered),
        hint: false,
        app: None,
    };
    let mut practice = Practice::new(key);
    let number = evidence.practices.len() as u64;
    let sighting = SightingId(format!("{number:016x}"));
    practice.add(Shown { record: number, sighting, time: Some(time), bits: 60.0, trail: String::new() });
    evidence.practices.push(practice);
    Ok(())
}

fn somebody(scope: Scope, role: Role) -> Recipient {
    let name = match role {
        Role::First => "api.example.com",
        Role::Third => "collect.example.net",
        _ => "cloud.example.org",
    };
    Recipient { role, ..Recipient::unknown(Some(name.to_owned()), None, scope) }
}

const ROLES: [(&str, Role); 5] = [
    ("first", Role::First),
    ("affiliate", Role::Affiliate),
    ("processor", Role::Processor),
    ("third", Role::Third),
    ("unknown", Role::Unknown),
];

const SCOPES: [(&str, Scope); 6] = [
    ("wan", Scope::Wan),
    ("lan", Scope::Lan),
    ("link", Scope::Link),
    ("loopback", Scope::Loopback),
    ("storage", Scope::Storage),
    ("unknown", Scope::Unknown),
];

fn recipient(source: Source<'_>, node: &Spanned<Node>) -> Result<Recipient, ClaimError> {
    let fields = source.fields(node, "a recipient", TO)?;
    let mut recipient = somebody(Scope::Wan, Role::First);
    if let Some(node) = fields.get("role") {
        recipient = somebody(Scope::Wan, source.word(node, "role", &ROLES)?);
    }
    if let Some(node) = fields.get("scope") {
        recipient.scope = source.word(node, "scope", &SCOPES)?;
    }
    if let Some(domain) = fields.text("domain")? {
        recipient.name = Some(domain);
    }
    let country = |key: &str| {
        let node = fields.get(key);
        let read = |node| {
            let text = source.text(node)?;
            Country::new(&text).ok_or_else(|| source.at(node, "a country is two letters (ISO 3166-1), as in CN"))
        };
        node.map(read).transpose()
    };
    recipient.server_country = country("country")?;
    recipient.operator_country = country("operator_country")?;
    Ok(recipient)
}

/// Bytes to the maker that nobody could read, without a known protection.
fn unread(bytes: u64, evidence: &mut MadeUp) {
    evidence.recipients.push(somebody(Scope::Wan, Role::First));
    evidence.opaque.push(OpaqueFacts {
        run: 0,
        segment: 0,
        last_segment: 0,
        recipient: evidence.recipients.len() - 1,
        sent: Some(bytes),
        received: 0,
        times: 1,
        protection: Protection::Unknown,
        reason: "no key".to_owned(),
        other_app: false,
    });
}
