//! What an earlier judgement contradicted, from its JSON or its SARIF log.

use super::{SCHEMA, sarif};
use dyetrace_case::Fingerprint;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// A text that no baseline can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineError {
    /// It is not JSON.
    NotJson,
    /// It is JSON of another kind.
    NotOurs,
    /// Some of its contradictions were left out of it.
    Incomplete,
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "it is not JSON",
            Self::NotOurs => "it is neither what `dyetrace judge --format json` writes nor what `--format sarif` does",
            Self::Incomplete => "it leaves contradictions out, for there were too many: keep the JSON as a baseline",
        })
    }
}

impl std::error::Error for BaselineError {}

/// Reads the fingerprints of an earlier judgement's contradictions. What was suppressed in it is left
/// out: a suppression that expires must not live on as a baseline.
///
/// # Errors
/// The text is not the JSON or the SARIF log of a judgement, or a log that is not complete.
pub fn read_baseline(text: &str) -> Result<BTreeSet<Fingerprint>, BaselineError> {
    let document: Value = serde_json::from_str(text).map_err(|_| BaselineError::NotJson)?;
    if document["schema"] == SCHEMA {
        return of_judgement(&document);
    }
    let ours = |run: &&Value| run["tool"]["driver"]["name"] == "dyetrace";
    let runs = document["runs"].as_array().filter(|_| document["version"] == "2.1.0");
    let run = runs.and_then(|runs| runs.iter().find(ours)).ok_or(BaselineError::NotOurs)?;
    of_log(run)
}

fn of_judgement(document: &Value) -> Result<BTreeSet<Fingerprint>, BaselineError> {
    let found = document["contradictions"].as_array().ok_or(BaselineError::NotOurs)?;
    let counted = found.iter().filter(|one| one["suppressed"].is_null());
    Ok(counted
        .filter_map(|one| one["fingerprints"].as_object())
        .flat_map(|names| names.values())
        .filter_map(name)
        .collect())
}

fn of_log(run: &Value) -> Result<BTreeSet<Fingerprint>, BaselineError> {
    let results = run["results"].as_array().ok_or(BaselineError::NotOurs)?;
    if results.len() >= sarif::MOST_RESULTS && results.last().is_some_and(|last| last["kind"] == "fail") {
        return Err(BaselineError::Incomplete);
    }
    let suppressed = |result: &Value| result["suppressions"].as_array().is_some_and(|all| !all.is_empty());
    let counted = results.iter().filter(|result| result["kind"] == "fail" && !suppressed(result));
    let names = counted.filter_map(|result| result["partialFingerprints"].as_object()).flatten();
    Ok(names.filter(|(key, _)| key.starts_with(sarif::PREFIX)).filter_map(|(_, value)| name(value)).collect())
}

fn name(value: &Value) -> Option<Fingerprint> {
    Fingerprint::of_text(value.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_judgement_is_refused() {
        assert_eq!(read_baseline("<xml/>"), Err(BaselineError::NotJson));
        let other = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "other"}}, "results": []}]}"#;
        for text in ["{}", "[]", r#"{"schema": "dyetrace-audit/1"}"#, r#"{"schema": "dyetrace-judgement/1"}"#, other] {
            assert_eq!(read_baseline(text), Err(BaselineError::NotOurs), "{text}");
        }
    }
}
