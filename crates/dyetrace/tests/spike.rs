//! `dyetrace spike` of a shipped case.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic")]

mod common;

use common::{dyetrace, root, stderr, stdout};
use serde_json::Value;

#[test]
fn the_limit_of_detection_is_measured_and_no_value_is_shown() {
    let case = root().join("cases/story1-wifi-password");
    let spike = |format: &str| {
        let output = dyetrace(&["spike", case.to_str().unwrap(), "--records", "6", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let report: Value = serde_json::from_str(&spike("json")).unwrap();
    let all = &report["all"];
    let count = |name: &str| all[name].as_u64().unwrap();
    assert!(count("injected") > 5000 && count("sightings") + count("hints") <= count("injected"), "{all}");
    let bare = report["depths"].as_array().unwrap().iter().find(|row| row["codecs"] == "0").unwrap();
    assert_eq!(
        bare["sightings"].as_u64().unwrap() + bare["hints"].as_u64().unwrap(),
        bare["injected"].as_u64().unwrap()
    );
    let forms = report["forms"].as_array().unwrap();
    let row = |datum: &str, form: &str| forms.iter().find(|row| row["datum"] == datum && row["form"] == form).unwrap();
    for (datum, form) in [("wifi.password", "clear"), ("wifi.password", "encoded"), ("phone", "hashed")] {
        let row = row(datum, form);
        let number = |name: &str| row[name].as_u64().unwrap();
        assert!(number("sightings") + number("hints") > 0 && number("sightings") <= number("injected"), "{row}");
    }
    let page = spike("terminal");
    assert!(page.contains("what verdicts rest on") && page.contains("wifi.password, encoded"), "{page}");
    assert!(page.contains("were found as sightings"), "{page}");
    for value in ["VoB7n-3CDB9-ggiCO", "15480612929", "lin.mei.86hhyy46a7v45"] {
        assert!(!page.contains(value));
    }
}

#[test]
fn without_values_there_is_nothing_to_hide() {
    let exhibit = root().join("cases/story1-wifi-password/evidence/newer.pcapng");
    let output = dyetrace(&["spike", exhibit.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--find KIND=VALUE"));
}

/// The case has more records than a step that doubles at each of them could count.
#[test]
fn a_judge_who_hides_nothing_samples_nothing() {
    let case = root().join("cases/story1-wifi-password");
    let output = dyetrace(&["judge", case.to_str().unwrap(), "--format", "json", "--spike-records", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let judged: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_ne!(judged["claims"].as_array().unwrap().len(), 0);
}
