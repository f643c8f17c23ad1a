//! The judgement as one JSON document. `docs/judgement.schema.json` describes it.
//!
//! It holds facts as codes with values and no sentence, so it is the same in every language.

use super::Standing;
use crate::audit::{Audit, Each};
use crate::json::harmless;
use dyetrace_case::{
    ActionRun, Citation, CoverageLine, Event, Fact, Finding, JudgedClaim, JudgedPart, JudgedRun, Judgement, Milestone,
    Practice, Recipient, Said, Segment, Shown, Snapshot, Source, Statement, Suppression, Time, Todo, Verdict,
};
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// The name and version of the document's form, its first key.
pub const SCHEMA: &str = "dyetrace-judgement/1";

/// Writes the judgement as JSON, indented, with keys in a fixed order. The audit gives the tool, the
/// case and the exhibits that it is about.
///
/// # Errors
/// Writing failed.
pub fn write(judgement: &Judgement, audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    harmless(out, |out| document(judgement, audit, out))
}

fn document(judgement: &Judgement, audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let case = audit.case.as_ref().map(|case| json!({"title": case.title, "question": case.question}));
    let exhibit =
        |row: &crate::audit::ExhibitRow| json!({"path": row.exhibit.path, "sha256": row.exhibit.id.to_string()});
    let mut serializer = serde_json::Serializer::pretty(&mut *out);
    let mut document = serializer.serialize_map(None)?;
    document.serialize_entry("schema", SCHEMA)?;
    document.serialize_entry("tool", &json!({"name": audit.tool.name, "version": audit.tool.version}))?;
    document.serialize_entry("case", &case)?;
    document.serialize_entry("exhibits", &Each(&audit.exhibits, exhibit))?;
    document.serialize_entry("counts", &counts(judgement))?;
    document.serialize_entry("claims", &Each(&judgement.claims, claim))?;
    document.serialize_entry("practices", &Each(&judgement.practices, practice))?;
    document.serialize_entry("recipients", &Each(&judgement.recipients, recipient))?;
    document.serialize_entry("snapshots", &Each(&judgement.snapshots, snapshot))?;
    document.serialize_entry("runs", &Each(&judgement.runs, run))?;
    document.serialize_entry("contradictions", &contradictions(judgement))?;
    document.serialize_entry("suppressions", &Each(&judgement.suppressions, suppression))?;
    document.serialize_entry("todo", &Each(&judgement.todo, todo))?;
    document.serialize_entry("notes", &Each(&judgement.notes, fact))?;
    SerializeMap::end(document)?;
    out.write_all(b"\n")
}

fn counts(judgement: &Judgement) -> Value {
    let counted = Standing::ALL.map(|standing| (standing.name().to_owned(), json!(standing.count(judgement))));
    Value::Object(Map::from_iter(counted))
}

/// What is contradicted, one for each claim, datum and recipient, with the names that baselines compare.
fn contradictions(judgement: &Judgement) -> Vec<Value> {
    let found = judgement.findings().into_iter().filter(|finding| finding.verdict == Verdict::Contradicted);
    let one = |finding: Finding| {
        let (datum, recipient) = finding.about.clone().unzip();
        let names: Map<String, Value> =
            finding.fingerprints.iter().map(|(form, name)| ((*form).to_owned(), json!(name.to_string()))).collect();
        json!({
            "claim": finding.claim,
            "parts": finding.parts,
            "datum": datum.map(|datum| datum.0),
            "recipient": recipient,
            "practices": finding.practices,
            "fingerprints": names,
            "suppressed": judgement.suppression_of(&finding).map(|one| &one.place),
            "new": judgement.is_new(&finding),
        })
    };
    found.map(one).collect()
}

fn suppression(one: &Suppression) -> Value {
    json!({
        "claim": one.claim,
        "datum": one.datum,
        "recipient": one.recipient,
        "reason": one.reason,
        "expires": one.expires.to_string(),
        "who": one.who,
        "place": one.place,
    })
}

fn fact(fact: &Fact) -> Value {
    let values: Map<String, Value> =
        fact.values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"code": fact.code, "values": values})
}

fn facts(facts: &[Fact]) -> Vec<Value> {
    facts.iter().map(fact).collect()
}

fn claim(claim: &JudgedClaim) -> Value {
    json!({
        "statement": statement(&claim.statement),
        "standing": Standing::of(claim).name(),
        "verdict": claim.verdict.name(),
        "applies": claim.applies,
        "review": claim.review,
        "parts": claim.parts.iter().map(part).collect::<Vec<_>>(),
    })
}

fn statement(statement: &Statement) -> Value {
    json!({
        "id": statement.id,
        "kind": statement.kind,
        "says": statement.says,
        "says_zh": statement.says_zh,
        "vendor": statement.vendor,
        "pack": statement.pack,
        "source": statement.source.as_ref().map(source),
        "cites": statement.cites.iter().map(citation).collect::<Vec<_>>(),
        "reason": statement.reason,
        "reason_zh": statement.reason_zh,
        "place": statement.place,
    })
}

fn source(source: &Source) -> Value {
    json!({"title": source.title, "date": source.date, "url": source.url, "archived": source.archived})
}

fn citation(cited: &Citation) -> Value {
    json!({"text": cited.text, "from": cited.from, "to": cited.to, "confirmed": cited.confirmed})
}

fn part(part: &JudgedPart) -> Value {
    let labels: Map<String, Value> =
        part.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let discounted = part.discounted.iter().map(|(practice, why)| json!({"practice": practice, "why": fact(why)}));
    json!({
        "labels": labels,
        "verdict": part.verdict.name(),
        "reasons": facts(&part.reasons),
        "witnesses": part.witnesses,
        "discounted": discounted.collect::<Vec<_>>(),
        "coverage": part.coverage.iter().map(coverage).collect::<Vec<_>>(),
        "numbers": facts(&part.numbers),
    })
}

fn coverage(line: &CoverageLine) -> Value {
    json!({"requirement": line.requirement.name(), "met": line.met.name(), "facts": facts(&line.facts)})
}

fn time(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn practice(practice: &Practice) -> Value {
    let key = &practice.key;
    json!({
        "run": key.run,
        "segment": key.segment,
        "datum": key.datum.0,
        "recipient": key.recipient,
        "side": key.side.name(),
        "form": key.form.name(),
        "protection": key.protection.name(),
        "channel": key.channel,
        "transfer": key.transfer.name(),
        "hint": key.hint,
        "app": key.app,
        "count": practice.count,
        "first": time(practice.first),
        "last": time(practice.last),
        "shown": practice.shown.iter().map(shown).collect::<Vec<_>>(),
        "trails": practice.trails(),
    })
}

fn shown(shown: &Shown) -> Value {
    json!({
        "sighting": shown.sighting.0,
        "record": shown.record,
        "time": time(shown.time),
        "bits": (shown.bits * 10.0).round() / 10.0,
        "trail": shown.trail,
    })
}

fn recipient(recipient: &Recipient) -> Value {
    json!({
        "name": recipient.name,
        "address": recipient.address.map(|address| address.to_string()),
        "scope": recipient.scope.name(),
        "domain": recipient.domain,
        "owner": recipient.owner,
        "role": recipient.role.name(),
        "server_country": recipient.server_country.map(|country| country.to_string()),
        "operator_country": recipient.operator_country.map(|country| country.to_string()),
        "said": recipient.said.iter().map(said).collect::<Vec<_>>(),
    })
}

fn said(said: &Said) -> Value {
    json!({"about": said.about, "value": said.value, "list": said.list, "dated": said.dated, "source": said.source, "confirmed": said.confirmed})
}

fn snapshot(list: &Snapshot) -> Value {
    json!({
        "name": list.name,
        "version": list.version,
        "dated": list.dated,
        "licence": list.licence,
        "sha256": list.sha256,
        "from": list.from,
        "note": list.note,
    })
}

fn run(run: &JudgedRun) -> Value {
    let product = run.product.as_ref().map(|product| {
        json!({
            "vendor": product.vendor,
            "name": product.name,
            "version": product.version,
            "made": product.made,
            "platform": product.platform,
            "region": product.region,
            "app_type": product.app_type,
        })
    });
    json!({
        "id": run.id,
        "product": product,
        "interventions": run.interventions,
        "channels": run.channels,
        "first": time(run.first),
        "last": time(run.last),
        "milestones": run.timeline.milestones.iter().map(milestone).collect::<Vec<_>>(),
        "actions": run.timeline.actions.iter().map(action).collect::<Vec<_>>(),
        "segments": run.timeline.segments.iter().map(segment).collect::<Vec<_>>(),
    })
}

fn milestone(milestone: &Milestone) -> Value {
    let mut object = Map::new();
    object.insert("at".to_owned(), json!(milestone.at.to_string()));
    object.insert("error_ns".to_owned(), json!(milestone.error));
    let Value::Object(event) = event(&milestone.event) else { return Value::Object(object) };
    object.extend(event);
    Value::Object(object)
}

fn event(event: &Event) -> Value {
    match event {
        Event::Consent { change, purpose } => json!({"event": "consent", "change": change.name(), "purpose": purpose}),
        Event::ActionBegan { action, variant, conditions } => {
            json!({"event": "action-began", "action": action, "variant": variant, "conditions": conditions})
        }
        Event::ActionEnded { action, outcome } => {
            json!({"event": "action-ended", "action": action, "outcome": outcome.name()})
        }
        Event::Planted { data } => json!({"event": "planted", "data": data}),
        Event::Snapshot { exhibit } => json!({"event": "snapshot", "exhibit": exhibit}),
        Event::Canary(canary) => json!({"event": "canary", "canary": canary.to_string()}),
        Event::Phase(phase) => json!({"event": phase.name()}),
    }
}

fn action(action: &ActionRun) -> Value {
    json!({
        "action": action.action,
        "variant": action.variant,
        "conditions": action.conditions,
        "began": action.began.to_string(),
        "ended": time(action.ended),
        "outcome": action.outcome.map(dyetrace_case::ActionOutcome::name),
        "error_ns": action.error,
    })
}

fn segment(segment: &Segment) -> Value {
    let consent = segment.consent.iter().map(|(purpose, states)| {
        json!({"purpose": purpose, "states": states.0.iter().map(|state| state.name()).collect::<Vec<_>>()})
    });
    let actions = segment.actions.iter().map(|within| json!({"action": within.action, "certainly": within.certainly}));
    json!({
        "start": time(segment.start),
        "end": time(segment.end),
        "consent": consent.collect::<Vec<_>>(),
        "actions": actions.collect::<Vec<_>>(),
        "quiet": segment.quiet,
    })
}

fn todo(todo: &Todo) -> Value {
    json!({"what": fact(&todo.what), "claims": todo.claims})
}
