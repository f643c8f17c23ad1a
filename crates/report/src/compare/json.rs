//! A comparison as one JSON document. `docs/comparison.schema.json` describes it.

use crate::json::harmless;
use dyetrace_case::{
    Change, ClaimChange, Compared, Comparison, PartChange, Party, PracticeChange, RecipientChange, SeenThere,
};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// The name and version of the document's form, its first key.
pub const SCHEMA: &str = "dyetrace-comparison/1";

/// Writes the comparison as JSON, indented, with keys in a fixed order. It holds words and no sentences,
/// so it is the same in every language.
///
/// # Errors
/// Writing failed.
pub fn write(comparison: &Comparison, version: &str, out: &mut dyn Write) -> io::Result<()> {
    let document = json!({
        "schema": SCHEMA,
        "tool": {"name": "dyetrace", "version": version},
        "before": side(&comparison.before),
        "after": side(&comparison.after),
        "direction": comparison.direction().name(),
        "claims": comparison.claims.iter().map(claim).collect::<Vec<_>>(),
        "claims_unchanged": comparison.claims_unchanged,
        "practices": comparison.practices.iter().map(practice).collect::<Vec<_>>(),
        "recipients": comparison.recipients.iter().map(recipient).collect::<Vec<_>>(),
    });
    harmless(out, |out| {
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    })
}

fn side(side: &Compared) -> Value {
    json!({"runs": side.runs, "products": side.products, "hints": side.hints, "unread": side.unread, "is_incomplete": side.is_incomplete})
}

fn claim(claim: &ClaimChange) -> Value {
    json!({
        "id": claim.id,
        "says": claim.says,
        "says_zh": claim.says_zh,
        "direction": claim.direction().name(),
        "before": claim.before.name(),
        "after": claim.after.name(),
        "parts": claim.parts.iter().map(part).collect::<Vec<_>>(),
    })
}

fn part(part: &PartChange) -> Value {
    let labels: Map<String, Value> =
        part.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "labels": labels,
        "direction": part.direction().name(),
        "before": part.before.name(),
        "after": part.after.name(),
    })
}

fn party(party: &Party) -> Value {
    json!({"name": party.name, "scope": party.scope.name(), "role": party.role.name()})
}

fn practice(practice: &PracticeChange) -> Value {
    let change = |change: &Change| json!({"change": change.name(), "direction": change.direction().name()});
    json!({
        "kind": practice.kind,
        "recipient": party(&practice.party),
        "form": practice.form.name(),
        "changes": practice.changes.iter().map(change).collect::<Vec<_>>(),
        "before": practice.before.as_ref().map(seen),
        "after": practice.after.as_ref().map(seen),
    })
}

fn seen(seen: &SeenThere) -> Value {
    json!({
        "sightings": seen.sightings,
        "weakest_protection": seen.weakest.name(),
        "channels": seen.channels,
        "without_consent": seen.without_consent.name(),
        "states": seen.states.iter().map(|state| state.name()).collect::<Vec<_>>(),
        "actions": seen.actions,
        "practices": seen.practices,
    })
}

fn recipient(change: &RecipientChange) -> Value {
    json!({"recipient": party(&change.party), "is_new": change.is_new, "kinds": change.kinds})
}
