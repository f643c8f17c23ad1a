//! dyetrace itself, as its release build stands beside this program.

use super::{Check, Row, lines_of};
use crate::expected::Expected;
use crate::measure;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lists all requests with their bodies' digests; then searches for the twenty values.
pub(crate) fn run(input: &Path, expected: &Expected) -> Result<Vec<Row>, Box<dyn Error>> {
    let program = program()?.display().to_string();
    Ok(vec![records(&program, input, expected)?, audit(&program, input, expected)?])
}

pub(crate) fn program() -> Result<PathBuf, Box<dyn Error>> {
    let built = Command::new("cargo").args(["build", "--release", "-p", "dyetrace"]).status()?;
    let path = std::env::current_exe()?.with_file_name("dyetrace");
    if built.success() && path.exists() { Ok(path) } else { Err("there is no release build of dyetrace".into()) }
}

fn records(program: &str, input: &Path, expected: &Expected) -> Result<Row, Box<dyn Error>> {
    let output = input.with_extension("records.jsonl");
    let (path, out) = (input.display().to_string(), output.display().to_string());
    let command = [program, "records", &path, "--format", "jsonl", "--output", &out];
    let cost = measure::run(&command, &input.with_extension("records.txt"))?;
    let (mut lines, mut bodies) = (BTreeSet::new(), BTreeSet::new());
    for line in BufReader::new(File::open(output)?).lines() {
        let record: Value = serde_json::from_str(&line?)?;
        if let Some((line, digest)) = request_of(&record) {
            bodies.insert(format!("{line} {digest}"));
            lines.insert(line);
        }
    }
    let wanted = expected.requests.iter().map(|one| format!("{} {}", super::line_of(one), one.sha256)).collect();
    let checked = vec![
        Check::new("requests: method, host, path", &lines_of(expected), &lines),
        Check::new("requests with the SHA-256 of the decoded body", &wanted, &bodies),
    ];
    Ok(Row { name: "dyetrace records: requests, answers, digests of bodies", checked, cost })
}

/// The request's line and its decoded body's digest.
fn request_of(record: &Value) -> Option<(String, String)> {
    let request = record.get("request")?;
    let method = request["method"].as_str()?;
    let (host, path) = split_url(request["url"].as_str()?)?;
    let body = &request["body"];
    let digest = body["decoded"]["sha256"].as_str().or(body["sha256"].as_str()).unwrap_or("none");
    Some((format!("{method} {host} {path}"), digest.to_owned()))
}

fn split_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.split_once("://")?.1;
    Some(rest.split_at(rest.find('/')?))
}

fn audit(program: &str, input: &Path, expected: &Expected) -> Result<Row, Box<dyn Error>> {
    let output = input.with_extension("audit.json");
    let (path, out) = (input.display().to_string(), output.display().to_string());
    let finds: Vec<String> = expected.subject.iter().map(|one| format!("{}={}", one.kind, one.value)).collect();
    let mut command = vec![program, "audit", &path, "--format", "json", "--output", &out];
    command.extend(finds.iter().flat_map(|find| ["--find", find]));
    let cost = measure::run(&command, &input.with_extension("audit.txt"))?;
    let report: Value = serde_json::from_reader(BufReader::new(File::open(output)?))?;
    let wanted = planted(expected);
    // What chance could explain counts where it is wanted, and is not held against anyone elsewhere.
    let mut found = sighted(&report, false);
    found.extend(sighted(&report, true).intersection(&wanted).cloned());
    let check = Check::new("planted values, each at its request", &wanted, &found);
    Ok(Row { name: "dyetrace audit: 20 values searched", checked: vec![check], cost })
}

fn planted(expected: &Expected) -> BTreeSet<String> {
    let names = names_of(&expected.subject);
    let place = |request: usize| expected.requests.get(request).map_or("", |request| &request.path);
    expected.planted.iter().map(|one| format!("{} {}", names[one.value], place(one.request))).collect()
}

/// Each value's name: its kind, with a number where the kind occurs again.
pub(crate) fn names_of(subject: &[crate::expected::Value]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let name = |kind: &str, count: usize| if count == 1 { kind.to_owned() } else { format!("{kind}#{count}") };
    let mut next = |kind: &str| *seen.entry(kind.to_owned()).and_modify(|count| *count += 1).or_insert(1_usize);
    subject.iter().map(|value| name(&value.kind, next(&value.kind))).collect()
}

/// What was found: either the hints or all else.
fn sighted(report: &Value, hints: bool) -> BTreeSet<String> {
    let sightings = report["sightings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |sighting: &Value| {
        let path = sighting["record"]["url"].as_str().and_then(split_url).map_or("", |(_, path)| path).to_owned();
        format!("{} {path}", sighting["datum"].as_str().unwrap_or_default())
    };
    sightings.iter().filter(|sighting| sighting["hint"] == hints).map(line).collect()
}
