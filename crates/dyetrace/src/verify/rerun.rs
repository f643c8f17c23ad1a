//! The judgement anew, beside the stored one.

use super::{Outcome, Step};
use crate::bundle::{JUDGEMENT, judged, judgement_json};
use crate::exit::Fault;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Judges the case as `dyetrace judge CASE` does, and compares.
pub(super) fn steps(case: &Path) -> Vec<Step> {
    let path = case.join(JUDGEMENT);
    if !path.is_file() {
        let how = "store one: dyetrace judge CASE --format json --output CASE/report/judgement.json";
        return vec![Step::new("re-run", Outcome::NotPossible, format!("there is no {JUDGEMENT}; {how}"))];
    }
    match again(case, &path) {
        Ok(steps) => steps,
        Err(fault) => vec![Step::new("re-run", Outcome::Failed, fault.to_string())],
    }
}

fn again(case: &Path, path: &Path) -> Result<Vec<Step>, Fault> {
    let Some(judged) = judged(case)? else {
        return Ok(vec![Step::new("re-run", Outcome::Failed, "there is neither claim nor law in the case")]);
    };
    let now = judgement_json(&judged)?;
    let stored = std::fs::read(path).map_err(|error| Fault::file(path, &error))?;
    let claims = judged.judgement.claims.len();
    let records = judged.audited.audit.records();
    let ran = Step::new("re-run", Outcome::Holds, format!("{records} records searched, {claims} claims judged"));
    let same = stored == now;
    let verdicts = Step::of(
        "verdicts",
        if same { Vec::new() } else { differences(&stored, &now) },
        format!("the same {} bytes as {JUDGEMENT}", now.len()),
    );
    Ok(vec![ran, verdicts])
}

/// Where two judgements differ: the line, the programs, the claims.
fn differences(stored: &[u8], now: &[u8]) -> Vec<String> {
    let lines = stored.split(|byte| *byte == b'\n').zip(now.split(|byte| *byte == b'\n'));
    let line = lines.take_while(|(one, other)| one == other).count() + 1;
    let mut said = vec![format!("{JUDGEMENT} is not what comes out now, from line {line} on")];
    let Ok(before) = serde_json::from_slice::<Value>(stored) else {
        said.push("it is no JSON".to_owned());
        return said;
    };
    let after: Value = serde_json::from_slice(now).unwrap_or_default();
    let version = |document: &Value| document["tool"]["version"].as_str().unwrap_or("unknown").to_owned();
    if version(&before) != version(&after) {
        said.push(format!("it was made by version {}, this is {}", version(&before), version(&after)));
    }
    let (before, after) = (verdicts(&before), verdicts(&after));
    let none = || "not there".to_owned();
    let ids = before.keys().chain(after.keys().filter(|id| !before.contains_key(*id)));
    for id in ids {
        let (one, other) = (before.get(id), after.get(id));
        if one != other {
            let (one, other) = (one.cloned().unwrap_or_else(none), other.cloned().unwrap_or_else(none));
            said.push(format!("{id}: {one} then, {other} now"));
        }
    }
    said
}

fn verdicts(document: &Value) -> BTreeMap<String, String> {
    let claims = document["claims"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pair =
        |claim: &Value| Some((claim["statement"]["id"].as_str()?.to_owned(), claim["verdict"].as_str()?.to_owned()));
    claims.iter().filter_map(pair).collect()
}
