//! Where in the evidence the witnesses of a finding are, in the terms of SARIF: exhibits as artifacts,
//! parts of records nested in them, and the same as logical locations.

use super::results::Row;
use super::sarif::message;
use crate::audit::{Audit, SightingRow};
use crate::text::clean;
use dyetrace_case::{Judgement, SightingId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Places listed for one result; its `occurrenceCount` says how many there are.
const OF_EACH: usize = 10;

/// Name of the base that paths in a case are relative to.
const CASE: &str = "CASE";
/// Name of the base that everything else is relative to: where the command was run.
const ROOT: &str = "%SRCROOT%";

/// Every place that the results of a log name, numbered.
pub(super) struct Places<'a> {
    judgement: &'a Judgement,
    audit: &'a Audit,
    rows: BTreeMap<&'a SightingId, &'a SightingRow>,
    /// Records and parts that are named, by exhibit, with their numbers among artifacts and logical locations.
    parts: BTreeMap<Key<'a>, usize>,
    records: BTreeMap<(usize, &'a str), usize>,
}

/// Exhibit, record, part.
type Key<'a> = (usize, &'a str, String);

impl<'a> Places<'a> {
    /// Numbers the places of the results.
    pub(super) fn of(results: &[Row<'_>], judgement: &'a Judgement, audit: &'a Audit) -> Self {
        let rows = audit.sightings.iter().map(|row| (&row.id, row)).collect();
        let mut places = Self { judgement, audit, rows, parts: BTreeMap::new(), records: BTreeMap::new() };
        for row in results.iter().flat_map(|result| places.shown(result)).collect::<Vec<_>>() {
            let (exhibit, record, part) = key(row);
            places.records.insert((exhibit, record), 0);
            places.parts.insert((exhibit, record, part), 0);
        }
        places.records.values_mut().enumerate().for_each(|(number, place)| *place = number);
        places.parts.values_mut().enumerate().for_each(|(number, place)| *place = number);
        places
    }

    /// The first sightings of a result.
    fn shown(&self, result: &Row<'_>) -> Vec<&'a SightingRow> {
        let practices = result.finding.practices.iter().filter_map(|index| self.judgement.practices.get(*index));
        let ids = practices.flat_map(|practice| &practice.shown).map(|shown| &shown.sighting);
        ids.filter_map(|id| self.rows.get(id).copied()).take(OF_EACH).collect()
    }

    /// Where the witnesses of a result are; for a result without any, where its claim stands.
    pub(super) fn of_result(&self, result: &Row<'_>) -> Vec<Value> {
        let places: Vec<Value> = self.shown(result).into_iter().map(|row| self.location(row)).collect();
        if places.is_empty() { self.claim(result).into_iter().collect() } else { places }
    }

    /// File and line of the claim.
    pub(super) fn claim(&self, result: &Row<'_>) -> Option<Value> {
        let place = &result.claim.statement.place;
        let (file, line) =
            place.rsplit_once(':').map_or((place.as_str(), None), |(file, line)| (file, line.parse().ok()));
        let line = line.filter(|line: &u64| *line > 0)?;
        Some(json!({"physicalLocation": {"artifactLocation": self.path(file), "region": {"startLine": line}}}))
    }

    fn location(&self, row: &SightingRow) -> Value {
        let place = &row.sighting.place;
        let key = key(row);
        let mut artifact = self.artifact(key.0, Some((key.1, &key.2)));
        artifact["index"] = json!(self.audit.exhibits.len() + self.parts.get(&key).copied().unwrap_or(0));
        let logical = self.audit.exhibits.len() + self.records.len() + self.parts.get(&key).copied().unwrap_or(0);
        json!({
            "physicalLocation": {
                "artifactLocation": artifact,
                "region": {"byteOffset": place.range.start, "byteLength": place.range.len()},
            },
            "logicalLocations": [{"fullyQualifiedName": self.name(key.0, &[key.1, &key.2]), "index": logical}],
            "message": message(&clean(&format!("{}: {}", row.id.0, row.sighting.trail))),
        })
    }

    /// Exhibits with their digests, then the named parts of records, each inside its exhibit. Regions count
    /// bytes of such a part, as it stands in the evidence before anything is unwrapped.
    pub(super) fn artifacts(&self) -> Vec<Value> {
        let exhibit = |(number, row): (usize, &crate::audit::ExhibitRow)| {
            json!({
                "location": self.artifact(number, None),
                "length": row.exhibit.bytes,
                "hashes": {"sha-256": row.exhibit.id.to_string()},
                "roles": ["analysisTarget"],
            })
        };
        let part = |(exhibit, record, part): &Key<'_>| json!({"location": self.artifact(*exhibit, Some((record, part))), "parentIndex": exhibit});
        self.audit.exhibits.iter().enumerate().map(exhibit).chain(self.parts.keys().map(part)).collect()
    }

    /// Exhibits, then records, then parts of records.
    pub(super) fn logical(&self) -> Vec<Value> {
        let exhibits = self.audit.exhibits.iter().map(|row| {
            let path = clean(&row.exhibit.path);
            json!({"name": path, "fullyQualifiedName": path, "kind": "resource"})
        });
        let records = self.records.keys().map(|(exhibit, record)| {
            let name = self.name(*exhibit, &[record]);
            json!({"name": clean(record), "fullyQualifiedName": name, "kind": "object", "parentIndex": exhibit})
        });
        let parts = self.parts.keys().map(|(exhibit, record, part)| {
            let above = self.records.get(&(*exhibit, *record)).copied().unwrap_or(0);
            let name = self.name(*exhibit, &[record, part]);
            let parent = self.audit.exhibits.len() + above;
            json!({"name": clean(part), "fullyQualifiedName": name, "kind": "member", "parentIndex": parent})
        });
        exhibits.chain(records).chain(parts).collect()
    }

    /// What paths are relative to. Where the case lies is only said where that is no private path.
    pub(super) fn bases(&self) -> Value {
        let folder = self.audit.case.as_ref().map(|case| case.path.trim_end_matches('/'));
        let is_relative = |path: &&str| !path.starts_with('/') && !path.contains([':', '\\']) && *path != ".";
        let case = match folder.filter(is_relative) {
            Some(path) => json!({"uri": format!("{}/", encoded(path)), "uriBaseId": ROOT}),
            None => json!({"description": {"text": "the case folder"}}),
        };
        let root = json!({"description": {"text": "the folder in which the command was run"}});
        if self.audit.case.is_some() { json!({CASE: case, ROOT: root}) } else { json!({ROOT: root}) }
    }

    fn artifact(&self, exhibit: usize, part: Option<(&str, &str)>) -> Value {
        let path = self.audit.exhibits.get(exhibit).map_or("", |row| row.exhibit.path.as_str());
        let mut location = self.path(path);
        if let (Some((record, part)), Some(uri)) = (part, location["uri"].as_str()) {
            location["uri"] = json!(format!("{uri}#{}/{}", encoded(record), encoded(part)));
        }
        location
    }

    /// A path as a URI reference (RFC 3986 section 4.1) with its base.
    fn path(&self, path: &str) -> Value {
        let base = if self.audit.case.is_some() { CASE } else { ROOT };
        if path.starts_with('/') {
            return json!({"uri": format!("file://{}", encoded(path))});
        }
        json!({"uri": encoded(path), "uriBaseId": base})
    }

    fn name(&self, exhibit: usize, below: &[&str]) -> String {
        let path = self.audit.exhibits.get(exhibit).map_or("", |row| row.exhibit.path.as_str());
        clean(&[&[path], below].concat().join("/"))
    }
}

fn key(row: &SightingRow) -> Key<'_> {
    (row.exhibit, row.sighting.place.record.0.as_str(), row.sighting.place.part.to_string())
}

/// Percent-encodes everything but the unreserved characters and `/` (RFC 3986 section 2.3).
fn encoded(path: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(byte)),
            _ => _ = write!(text, "%{byte:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri_reference_whatever_is_in_it() {
        assert_eq!(encoded("evidence/a b#c?d:e%\u{202e}.har"), "evidence/a%20b%23c%3Fd%3Ae%25%E2%80%AE.har");
    }
}
