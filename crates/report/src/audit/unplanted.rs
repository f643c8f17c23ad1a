//! Personal data that nobody planted: its section of the report.

use super::json::{Each, direction, place, step, summary};
use super::model::{Audit, Recipient, RecipientKey, Summary};
use super::terminal::{Page, byte_range, recipient_name};
use crate::text::{clean, count};
use dyetrace_case::{Place, Side, Trail};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// What looking for personal data that nobody planted gave; the counts are with the recipients.
#[derive(Debug, Clone, Default)]
pub struct Unplanted {
    /// Which Chinese identity numbers counted: `strict`, `historical`, `permit`.
    pub mode: &'static str,
    /// The first that were found, in the order of the evidence.
    pub rows: Vec<UnplantedRow>,
}

/// How often one kind was seen in what went to a recipient and came from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// In what was sent.
    pub sent: u64,
    /// In what was received.
    pub received: u64,
}

impl Tally {
    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
    }

    /// Counts one.
    pub fn count(&mut self, side: Side) {
        match side {
            Side::Request => self.sent += 1,
            Side::Response => self.received += 1,
        }
    }
}

/// One value that nobody planted.
#[derive(Debug, Clone)]
pub struct UnplantedRow {
    /// What it looks like.
    pub kind: &'static str,
    /// The masked value, or the value itself where the user asked for it.
    pub shown: String,
    /// Which checks it passed, in words.
    pub checks: Vec<&'static str>,
    /// −log2 of the chance that as many random characters pass them, the field name not counted.
    pub bits: f32,
    /// Where; names within were redacted.
    pub place: Place,
    /// How it was wrapped, redacted.
    pub trail: Trail,
    /// Index into [`Audit::exhibits`].
    pub exhibit: usize,
    /// Whose counts it is in.
    pub recipient: Arc<RecipientKey>,
    /// The record.
    pub record: Arc<Summary>,
}

/// Values shown for one kind and recipient.
const EXAMPLES: usize = 3;

/// The section at a terminal: kind by kind, recipient by recipient, some examples of each.
pub(super) fn section(audit: &Audit, found: &Unplanted, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Personal data that nobody planted")?;
    let kinds: BTreeSet<&str> = audit.recipients.iter().flat_map(|row| row.unplanted.keys().copied()).collect();
    if kinds.is_empty() {
        return page.line("  None was recognised in what was read.");
    }
    page.line(&format!(
        "  By shape, check digits, assigned prefixes and field names; Chinese identity numbers: {}.",
        found.mode
    ))?;
    page.line("  Whether anybody has the number is not known: examples and chance pass the same checks.")?;
    let mut examples: BTreeMap<(&str, &RecipientKey), Vec<&UnplantedRow>> = BTreeMap::new();
    for row in &found.rows {
        let rows = examples.entry((row.kind, &*row.recipient)).or_default();
        let like = |other: &&UnplantedRow| other.shown == row.shown && other.trail == row.trail;
        if rows.len() < EXAMPLES && !rows.iter().any(like) {
            rows.push(row);
        }
    }
    for kind in kinds {
        let name = page.styled("1;31", kind);
        page.line(&format!("\n  {name}"))?;
        let of_kind = |row: &&Recipient| row.unplanted.contains_key(kind);
        let recipients: Vec<&Recipient> = audit.recipients.iter().filter(of_kind).collect();
        for recipient in recipients.iter().take(page.limit()) {
            recipient_line(recipient, kind, page)?;
            for row in examples.get(&(kind, &recipient.key)).into_iter().flatten() {
                example(audit, row, page)?;
            }
        }
        page.rest(recipients.len())?;
    }
    Ok(())
}

fn recipient_line(recipient: &Recipient, kind: &str, page: &mut Page<'_>) -> io::Result<()> {
    let tally = recipient.unplanted.get(kind).copied().unwrap_or_default();
    let amounts = [(tally.sent, "sent to"), (tally.received, "received from")];
    let amounts = amounts.into_iter().filter(|(times, _)| *times > 0);
    let amounts = amounts.map(|(times, what)| format!("{} {what}", count(times))).collect::<Vec<_>>().join(", ");
    let who = page.styled("1", &recipient_name(recipient));
    let key = &recipient.key;
    page.line(&format!("    {amounts} {who}, {} ({})", key.protocol.name(), clean(&key.protection)))
}

fn example(audit: &Audit, row: &UnplantedRow, page: &mut Page<'_>) -> io::Result<()> {
    let trail = page.styled("33", &clean(&row.trail.to_string()));
    let checks = row.checks.join(", ");
    page.line(&format!("      {}  {trail}  ({checks}: {})", clean(&row.shown), odds(row.bits)))?;
    let path = audit.exhibits.get(row.exhibit).map_or("", |exhibit| exhibit.exhibit.path.as_str());
    let part = clean(&row.place.part.to_string());
    let time = row.record.time.map_or_else(|| "at an unknown time".to_owned(), |time| time.to_string());
    let bytes = byte_range(row.place.range);
    let note = page.styled("2", &format!("{part} {bytes} of {} in {}; {time}", row.place.record, clean(path)));
    page.line(&format!("        {note}"))
}

/// How often chance passes what was checked.
fn odds(bits: f32) -> String {
    match bits {
        ..0.5 => "of such texts all pass, the field's name alone tells".to_owned(),
        0.5..3.0 => format!("1 in {:.1} random texts of this form passes", bits.exp2()),
        3.0..40.0 => format!("1 in {} random texts of this form passes", count(f64::from(bits).exp2().round() as u64)),
        _ => "chance does not pass".to_owned(),
    }
}

/// The section in JSON; null where it was not looked for.
pub(super) struct Json<'a>(pub(super) &'a Audit);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(found) = &self.0.unplanted else { return serializer.serialize_none() };
        let groups: Vec<Value> = self.0.recipients.iter().flat_map(groups).collect();
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("mode", found.mode)?;
        document.serialize_entry("groups", &groups)?;
        document.serialize_entry("found", &Each(&found.rows, |row: &UnplantedRow| row_json(self.0, row)))?;
        document.end()
    }
}

fn groups(recipient: &Recipient) -> impl Iterator<Item = Value> {
    recipient.unplanted.iter().map(|(kind, tally)| {
        json!({"kind": kind, "recipient": key(&recipient.key), "sent": tally.sent, "received": tally.received})
    })
}

fn key(key: &RecipientKey) -> Value {
    json!({
        "name": key.name,
        "address": key.address.map(|address| address.to_string()),
        "port": key.port,
        "protocol": key.protocol.name(),
        "protection": key.protection,
    })
}

fn row_json(audit: &Audit, row: &UnplantedRow) -> Value {
    json!({
        "kind": row.kind,
        "shown": row.shown,
        "direction": direction(&row.place.part),
        "checks": row.checks,
        "bits": (f64::from(row.bits) * 10.0).round() / 10.0,
        "place": place(audit, &row.place, row.exhibit),
        "trail": row.trail.to_string(),
        "steps": row.trail.0.iter().map(step).collect::<Vec<_>>(),
        "recipient": key(&row.recipient),
        "record": summary(&row.record),
    })
}
