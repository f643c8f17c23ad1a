//! The audit as one JSON document. `docs/audit.schema.json` describes it.

use super::model::{Audit, DatumRow, ExhibitRow, Recipient, SightingRow, Summary, protection};
use super::{chance, differential, pictures, unplanted};
use crate::json::harmless;
use dyetrace_case::{App, Channel, Damage, Endpoint, NameSource, Opaque, PartName, Place, Range, Side, Step, Witness};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::Arc;

/// The name and version of the document's form, its first key.
pub const SCHEMA: &str = "dyetrace-audit/1";

/// Writes the audit as JSON, indented, with keys in a fixed order.
///
/// # Errors
/// Writing failed.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    harmless(out, |out| document(audit, out))
}

fn document(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let case =
        audit.case.as_ref().map(|case| json!({"path": case.path, "title": case.title, "question": case.question}));
    let key_files: Vec<Value> = audit
        .keys
        .files
        .iter()
        .map(|file| json!({"path": file.path, "secrets": file.secrets, "skipped_lines": file.skipped}))
        .collect();
    let mut serializer = serde_json::Serializer::pretty(&mut *out);
    let mut document = serializer.serialize_map(None)?;
    document.serialize_entry("schema", SCHEMA)?;
    document.serialize_entry("tool", &json!({"name": audit.tool.name, "version": audit.tool.version}))?;
    document.serialize_entry("case", &case)?;
    document.serialize_entry("exhibits", &Each(&audit.exhibits, exhibit))?;
    let keys = json!({"files": key_files, "secrets": audit.keys.secrets, "matched": audit.keys.matched});
    document.serialize_entry("keys", &keys)?;
    document.serialize_entry("subject", &Each(&audit.subject, datum))?;
    document.serialize_entry("sightings", &Each(&audit.sightings, |row: &SightingRow| sighting(audit, row)))?;
    document.serialize_entry("differential", &differential::json(audit.differential.as_ref()))?;
    document.serialize_entry("chance", &chance::json(&audit.chance))?;
    document.serialize_entry("unplanted", &unplanted::Json(audit))?;
    document.serialize_entry("pictures", &pictures::Json(audit))?;
    document.serialize_entry("recipients", &Each(&audit.recipients, recipient))?;
    document.serialize_entry("opaque", &Each(&audit.opaque, opaque_entry))?;
    document.serialize_entry("damages", &Each(&audit.damages, damage))?;
    document.serialize_entry("limits", &audit.limits)?;
    document.serialize_entry("notes", &audit.notes)?;
    document.serialize_entry("totals", &totals(audit))?;
    SerializeMap::end(document)?;
    out.write_all(b"\n")
}

/// A list whose elements become values one at a time: a long list of them would not fit in memory.
pub(crate) struct Each<'a, T, F>(pub(crate) &'a [T], pub(crate) F);

impl<T, F: Fn(&T) -> Value> Serialize for Each<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

/// Sightings that are not listed are counted too.
fn totals(audit: &Audit) -> Value {
    let (payload, opaque, lost) = audit.totals();
    json!({
        "records": audit.records(),
        "sightings": audit.subject.iter().map(|row| row.sent + row.received + row.kept + row.held_back).sum::<usize>(),
        "hints": audit.subject.iter().map(|row| row.hints).sum::<usize>(),
        "payload_bytes": payload,
        "opaque_bytes": opaque,
        "lost_bytes": lost,
    })
}

fn exhibit(row: &ExhibitRow) -> Value {
    json!({
        "path": row.exhibit.path,
        "sha256": row.exhibit.id.to_string(),
        "bytes": row.exhibit.bytes,
        "format": row.exhibit.format.name(),
        "manifest": row.fixity.name(),
        "product": row.product,
        "packets": row.packets,
        "records": row.records,
        "payload_bytes": row.payload,
        "opaque_bytes": row.opaque,
        "lost_bytes": row.lost,
        "tls": {"connections": row.tls_connections, "keyed": row.tls_keyed},
    })
}

fn datum(row: &DatumRow) -> Value {
    let mut datum = json!({
        "datum": row.id.0,
        "kind": row.kind.as_str(),
        "shown": row.shown,
        "sent": row.sent,
        "received": row.received,
        "kept": row.kept,
        "hints": row.hints,
    });
    // Few recordings have a guard.
    if row.held_back > 0 {
        datum["held_back"] = row.held_back.into();
    }
    datum
}

fn sighting(audit: &Audit, row: &SightingRow) -> Value {
    let sighting = &row.sighting;
    let shown = audit.subject.iter().find(|datum| datum.id == sighting.datum).map(|datum| datum.shown.as_str());
    json!({
        "id": row.id.0,
        "datum": sighting.datum.0,
        "shown": shown,
        "direction": if row.is_held_back { "held-back" } else { direction(&row.sighting.place.part) },
        "strength": sighting.strength.name(),
        "form": sighting.form,
        "bits": (sighting.bits * 10.0).round() / 10.0,
        "hint": sighting.is_hint(),
        "witness": sighting.witness.as_ref().map(witness),
        "place": place(audit, &sighting.place, row.exhibit),
        "trail": sighting.trail.to_string(),
        "steps": sighting.trail.0.iter().map(step).collect::<Vec<_>>(),
        "record": summary(&row.record),
    })
}

/// Seen from the client.
pub(super) fn direction(part: &PartName) -> &'static str {
    match part.side() {
        _ if part.is_stored() => "kept",
        Side::Request => "sent",
        Side::Response => "received",
    }
}

/// A place in the exhibit of that number.
pub(super) fn place(audit: &Audit, place: &Place, exhibit: usize) -> Value {
    json!({
        "exhibit": place.exhibit.to_string(),
        "path": audit.exhibits.get(exhibit).map(|exhibit| exhibit.exhibit.path.as_str()),
        "record": place.record.0,
        "part": place.part.to_string(),
        "range": range(place.range),
        "decoded": range(place.decoded),
    })
}

fn witness(witness: &Witness) -> Value {
    match witness {
        Witness::Beside(datum) => json!({"beside": datum.0}),
        Witness::FieldName(name) => json!({"field_name": name}),
    }
}

fn range(range: Range) -> Value {
    json!([range.start, range.end])
}

pub(super) fn step(step: &Step) -> Value {
    json!({"codec": step.codec, "detail": step.detail, "encoded": range(step.encoded)})
}

pub(super) fn summary(record: &Summary) -> Value {
    json!({
        "protocol": record.protocol.name(),
        "time": record.time.map(|time| time.to_string()),
        "client": endpoint(&record.client),
        "server": endpoint(&record.server),
        "channel": channel(&record.channel),
        "app": app(record.app.as_ref()),
        "method": record.method,
        "url": record.url,
    })
}

fn endpoint(endpoint: &Endpoint) -> Value {
    let source = endpoint.name.as_ref().map(|(_, source)| match source {
        NameSource::Sni => "sni",
        NameSource::SniBesideEch => "sni-beside-ech",
        NameSource::Host => "host",
        NameSource::Certificate => "certificate",
        NameSource::Dns => "dns",
        NameSource::Hardware => "hardware",
    });
    json!({
        "address": endpoint.address.map(|address| address.to_string()),
        "port": endpoint.port,
        "name": endpoint.name.as_ref().map(|(name, _)| name),
        "name_from": source,
    })
}

fn channel(channel: &Channel) -> Value {
    json!({"kind": channel.kind.name(), "version": channel.version, "suite": channel.suite})
}

fn app(app: Option<&Arc<App>>) -> Value {
    app.map_or(Value::Null, |app| json!({"name": app.name, "package": app.package, "uid": app.uid}))
}

fn recipient(row: &Recipient) -> Value {
    json!({
        "name": row.key.name,
        "addresses": row.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "port": row.key.port,
        "protocol": row.key.protocol.name(),
        "protection": row.key.protection,
        "records": row.records,
        "bytes_sent": row.sent,
        "bytes_received": row.received,
        "data": row.data.iter().map(|id| &id.0).collect::<Vec<_>>(),
    })
}

fn opaque_entry(opaque: &Opaque) -> Value {
    json!({
        "exhibit": opaque.exhibit.to_string(),
        "id": opaque.id.0,
        "time": opaque.time.map(|time| time.to_string()),
        "last": opaque.last.map(|time| time.to_string()),
        "transport": opaque.transport.to_string(),
        "client": endpoint(&opaque.client),
        "server": endpoint(&opaque.server),
        "channel": channel(&opaque.channel),
        "protection": protection(&opaque.channel),
        "app": app(opaque.app.as_ref()),
        "bytes_sent": opaque.bytes_sent,
        "bytes_received": opaque.bytes_received,
        "reason": opaque.reason,
    })
}

fn damage(damage: &Damage) -> Value {
    json!({
        "exhibit": damage.exhibit.to_string(),
        "place": damage.place,
        "time": damage.time.map(|time| time.to_string()),
        "server": damage.server.as_ref().map(endpoint),
        "bytes": damage.bytes,
        "reason": damage.reason,
    })
}
