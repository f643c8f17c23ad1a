//! Reports for programs: SARIF, JUnit, Markdown and CSV of a made-up judged case full of texts that mean harm.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "html/made_up.rs"]
#[allow(dead_code, reason = "the tests of the page use the rest")]
mod made_up;
mod schema;

use dyetrace_case::{Judgement, Suppression, Verdict};
use dyetrace_report::audit::Audit;
use dyetrace_report::judgement::{MOST_RESULTS, MachineLook, write_sarif};
use made_up::judged;
use schema::faults;
use serde_json::Value;
use std::collections::BTreeSet;

fn text(write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn sarif(judgement: &Judgement, audit: &Audit) -> Value {
    let command = Some("dyetrace judge my-case --format sarif");
    let look = MachineLook { command, ..MachineLook::default() };
    let written = text(|out| write_sarif(judgement, audit, look, out));
    serde_json::from_str(&written).unwrap()
}

fn sarif_schema() -> Value {
    serde_json::from_str(include_str!("schema/sarif-2.1.0.json")).unwrap()
}

const EXCEPTION: &str = "suppressions:
  - { claim: s1.newer-devices-do-not-upload, datum: wifi, reason: 'accepted <b>for now</b>', expires: 2026-12-31, who: M. Tester }
";

/// Everything that a log can hold: an exception, a baseline, open questions, claims out of scope.
fn everything() -> (Judgement, Audit) {
    let (mut judgement, audit, _) = judged(200);
    judgement.suppressions = Suppression::read("suppressions.yaml", EXCEPTION).unwrap();
    let findings = judgement.findings();
    let known = findings.iter().filter(|finding| finding.verdict == Verdict::Contradicted).take(1);
    judgement.baseline = Some(known.flat_map(|finding| finding.fingerprints.values().cloned()).collect());
    (judgement, audit)
}

#[test]
fn the_log_follows_the_schema_of_sarif() {
    let (judgement, audit) = everything();
    let (schema, log) = (sarif_schema(), sarif(&judgement, &audit));
    assert_eq!(faults(&schema, &log, &schema), Vec::<String>::new());
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["kind"] = "guilty".into();
    assert_eq!(faults(&schema, &broken, &schema).len(), 1, "the checker sees what is wrong");
    let empty = sarif(&Judgement::default(), &Audit::default());
    assert_eq!(faults(&schema, &empty, &schema), Vec::<String>::new());
}

#[test]
fn each_datum_at_each_recipient_is_one_result_of_its_claim() {
    let (judgement, audit) = everything();
    let log = sarif(&judgement, &audit);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let kinds: Vec<&str> = results.iter().map(|result| result["kind"].as_str().unwrap()).collect();
    let mut sorted = kinds.clone();
    sorted.dedup();
    assert_eq!(sorted, ["fail", "review", "open", "pass", "notApplicable"], "most severe first");
    let about = |result: &Value| {
        [&result["ruleId"], &result["properties"]["datum"], &result["properties"]["recipient"]].map(Value::to_string)
    };
    let failed: Vec<_> = results.iter().filter(|result| result["kind"] == "fail").map(about).collect();
    assert!(failed.len() > 1 && failed.iter().collect::<BTreeSet<_>>().len() == failed.len(), "{failed:?}");
    for result in results {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
        assert_eq!(result["level"], if result["kind"] == "fail" { "error" } else { "none" }, "as section 3.27.10 asks");
    }
}

#[test]
fn exceptions_and_the_baseline_are_said_of_the_results_they_are_about() {
    let (judgement, audit) = everything();
    let log = sarif(&judgement, &audit);
    let failed = log["runs"][0]["results"].as_array().unwrap().iter().filter(|result| result["kind"] == "fail");
    let (mut suppressed, mut known) = (0, 0);
    for result in failed {
        let is_wifi = result["properties"]["datum"].as_str().unwrap().starts_with("wifi");
        assert_eq!(result["suppressions"].is_array(), is_wifi, "{result}");
        if is_wifi {
            assert_eq!(result["suppressions"][0]["justification"], "accepted <b>for now</b>");
        }
        suppressed += usize::from(is_wifi);
        known += usize::from(result["baselineState"] == "unchanged");
    }
    assert!(suppressed > 0 && known == 1, "{suppressed} {known}");
}

#[test]
fn every_place_is_inside_an_exhibit_with_its_digest() {
    let (judgement, audit) = everything();
    let run = &sarif(&judgement, &audit)["runs"][0];
    assert_eq!(run["artifacts"][0]["hashes"]["sha-256"], "07".repeat(32));
    let mut regions = 0;
    for result in run["results"].as_array().unwrap().iter().filter(|result| result["kind"] == "fail") {
        for location in result["locations"].as_array().unwrap() {
            let physical = &location["physicalLocation"];
            let nested = &run["artifacts"][physical["artifactLocation"]["index"].as_u64().unwrap() as usize];
            assert_eq!(nested["location"]["uri"], physical["artifactLocation"]["uri"]);
            assert_eq!(nested["parentIndex"], 0);
            assert_eq!(physical["region"]["byteLength"], 31);
            let logical = &location["logicalLocations"][0];
            let part = &run["logicalLocations"][logical["index"].as_u64().unwrap() as usize];
            assert_eq!(part["fullyQualifiedName"], logical["fullyQualifiedName"]);
            let record = &run["logicalLocations"][part["parentIndex"].as_u64().unwrap() as usize];
            assert_eq!((part["kind"].as_str(), record["kind"].as_str()), (Some("member"), Some("object")));
            assert_eq!(run["logicalLocations"][record["parentIndex"].as_u64().unwrap() as usize]["kind"], "resource");
            regions += 1;
        }
    }
    assert!(regions > 3);
}

#[test]
fn a_log_stops_where_github_does_and_says_how_much_is_left() {
    let (mut judgement, audit, _) = judged(20);
    let open = judgement.claims[2].parts[0].clone();
    judgement.claims[2].parts = vec![open; MOST_RESULTS + 6];
    let run = &sarif(&judgement, &audit)["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), MOST_RESULTS);
    assert_eq!(results[0]["kind"], "fail", "the rest is what is least severe");
    let left = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(left["descriptor"]["id"], "results-left-out");
    let of_all = judgement.findings().len() - MOST_RESULTS;
    assert!(left["message"]["text"].as_str().unwrap().starts_with(&format!("{of_all} ")), "{left}");
}
