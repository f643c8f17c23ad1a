//! Whole cases with runs that planted different values: what follows a value is found, though
//! nobody here tells the command the key.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A digest under a key that the command does not know.
fn keyed(text: &str) -> String {
    Sha256::digest(format!("unknown key|{text}")).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What an app sends in one run: the phone number in clear to one host and under a keyed digest to
/// another, an identifier of its installation, a nonce and a time.
fn har(number: usize, phone: &str, installation: &str) -> Value {
    let entry = |url: String, body: Value| {
        json!({
            "startedDateTime": format!("2026-01-31T12:{number:02}:00.000Z"), "time": 5,
            "request": {"method": "POST", "url": url, "httpVersion": "HTTP/1.1", "headers": [],
                "postData": {"mimeType": "application/json", "text": body.to_string()}},
            "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [],
                "content": {"size": 2, "text": "ok"}}})
    };
    let (digest, nonce) = (keyed(phone), keyed(&number.to_string()));
    let tracked =
        json!({"dev": {"fp": digest, "inst": keyed(installation)}, "ts": 1_790_000_000 + number, "nonce": nonce});
    let entries = [
        entry(format!("https://api.example.test/login?r={nonce}"), json!({"phone": phone})),
        entry(format!("https://t.example.test/v2/{digest}/e"), tracked),
    ];
    json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}})
}

/// A case with one run for each phone number, each on an installation of its own.
fn case(name: &str, phones: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("evidence")).unwrap();
    let mut yaml = String::from("format: 1\ntitle: runs\nruns:\n");
    for (number, phone) in phones.iter().enumerate() {
        let subject = format!("data: [{{kind: phone, value: \"{phone}\"}}, {{kind: pin, value: \"4821\"}}]\n");
        std::fs::write(folder.join(format!("{phone}.yaml")), subject).unwrap();
        let text = har(number, phone, &format!("installation {number}")).to_string();
        std::fs::write(folder.join(format!("evidence/{number}.har")), text).unwrap();
        let _ = writeln!(
            yaml,
            "  - {{id: r{number}, subject: {phone}.yaml, conditions: {{installation: {number}}}, exhibits: [evidence/{number}.har]}}"
        );
    }
    std::fs::write(folder.join("case.yaml"), yaml).unwrap();
    folder
}

fn audit(case: &Path, more: &str) -> String {
    let output = dyetrace(&["audit", case.to_str().unwrap(), more]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

const A: &str = "13800000427";
const B: &str = "13811112222";

#[test]
fn a_keyed_digest_is_found_and_its_other_explanations_are_named() {
    let case = case("three-and-three", &[A, B, A, B, A, B]);
    let audit: Value = serde_json::from_str(&audit(&case, "--format=json")).unwrap();
    let findings = audit["differential"]["findings"].as_array().unwrap();
    let found: Vec<_> = findings.iter().map(|f| (f["host"].as_str().unwrap(), f["field"].as_str().unwrap())).collect();
    let tracker = "t.example.test";
    let expected = [("api.example.test", "body > json /phone"), (tracker, "body > json /dev/fp"), (tracker, "path 2")];
    assert_eq!(found, expected);
    let also_seen: Vec<_> = findings.iter().map(|finding| finding["also_seen"].as_bool().unwrap()).collect();
    assert_eq!(also_seen, [true, false, false]);
    let finding = &findings[1];
    assert_eq!(finding["data"], json!(["phone"]));
    assert_eq!(finding["path"], "/v2/*/e");
    assert_eq!(finding["runs"], json!([["r0", "r2", "r4"], ["r1", "r3", "r5"]]));
    assert_eq!((&finding["hint"], &finding["bits"]), (&json!(true), &json!(3.3)), "ten ways to divide six runs");
    assert_eq!(finding["ruled_out"], json!(["time", {"condition": "installation"}]));
    assert_eq!(finding["left_open"], json!(["subject"]));
}

#[test]
fn four_arms_of_two_runs_are_told_to_people_as_more_than_a_hint() {
    let phones = [A, B, "13822223333", "13833334444"].repeat(2);
    let page = audit(&case("four-by-two", &phones), "--all");
    for said in [
        "Fields that follow a planted value",
        "to t.example.test, POST /v2/*/e",
        "body > json /dev/fp  (hexadecimal, 64 bytes)",
        "chance 0.010, 6.7 bits\n",
        "ruled out: something that changed with time; the runs' installation",
        "1 more follow in which ordinary search sees a planted value too",
        "the same in all runs, so nothing can be seen to follow: pin",
    ] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
    assert!(phones.iter().all(|phone| !page.contains(phone)), "values of every run are masked");
}

#[test]
fn runs_of_one_subject_are_not_compared_and_the_threads_change_nothing() {
    let same: Value = serde_json::from_str(&audit(&case("all-the-same", &[A; 4]), "--format=json")).unwrap();
    assert_eq!(same["differential"], Value::Null);
    let case = case("threads", &[A, B, A, B]);
    let answer = |threads: &str| stdout(&dyetrace(&["audit", case.to_str().unwrap(), "--format=json", threads]));
    assert_eq!(answer("--threads=1"), answer("--threads=5"));
}
