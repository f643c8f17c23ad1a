//! Personal data that nobody planted, from a case folder to the report.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ID: &str = "11010519491231002X";
const PHONE: &str = "13912345678";
const EMAIL: &str = "li.na@example.com";
const QQ: &str = "123456789";
const PLANTED: &str = "13800000427";

/// A case with one planted phone number and traffic that carries other people's data too.
fn case(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let made = dyetrace(&["new".as_ref(), folder.as_os_str()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let body = json!({"user": {"phone": PHONE, "idcard": ID, "qq": QQ}, "mine": PLANTED}).to_string();
    let entry = |url: &str, body: &str, answer: &str| {
        json!({
            "startedDateTime": "2026-01-31T12:00:00.000Z",
            "request": {"method": "POST", "url": url, "httpVersion": "HTTP/1.1", "headers": [],
                "postData": {"mimeType": "application/json", "text": body}},
            "response": {"status": 200, "httpVersion": "HTTP/1.1", "headers": [],
                "content": {"mimeType": "text/plain", "text": answer}},
        })
    };
    let first = format!("https://api.example.test/u/{QQ}?mail={}", EMAIL.replace('@', "%40"));
    let entries = [entry(&first, &body, "ok"), entry("https://cdn.example.test/", "{}", &format!("write to {EMAIL}"))];
    let archive = json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}});
    let path = folder.join("evidence/trip.har");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, archive.to_string()).unwrap();
    path
}

fn audit(path: &Path, more: &[&str]) -> Value {
    let find = format!("phone={PLANTED}");
    let arguments = [&["audit", path.to_str().unwrap(), "--find", &find, "--format", "json"], more].concat();
    let output = dyetrace(&arguments);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn terminal(path: &Path, more: &[&str]) -> String {
    let find = format!("phone={PLANTED}");
    stdout(&dyetrace(&[&["audit", path.to_str().unwrap(), "--find", &find], more].concat()))
}

#[test]
fn each_kind_is_counted_by_recipient_and_shown_masked() {
    let path = case("unplanted-counted");
    let audit = audit(&path, &["--recognise"]);
    let groups: Vec<_> = audit["unplanted"]["groups"].as_array().unwrap().iter().collect();
    let count = |kind: &str, host: &str| {
        let group = groups.iter().find(|group| group["kind"] == kind && group["recipient"]["name"] == host);
        group.map(|group| (group["sent"].as_u64().unwrap(), group["received"].as_u64().unwrap()))
    };
    for kind in ["phone", "id.cn", "qq", "email"] {
        assert_eq!(count(kind, "api.example.test"), Some((1, 0)), "{kind} in {groups:?}");
    }
    assert_eq!(count("email", "cdn.example.test"), Some((0, 1)));
    assert_eq!(groups.len(), 5, "the planted number is not among them: {groups:?}");
    let found = audit["unplanted"]["found"].as_array().unwrap();
    let id = found.iter().find(|found| found["kind"] == "id.cn").unwrap();
    assert_eq!((&id["shown"], &id["trail"]), (&json!("110****2X"), &json!("json /user/idcard")));
    let checks = json!(["shape", "assigned prefix", "date", "check digits", "stands alone", "field name"]);
    assert_eq!(id["checks"], checks);
    let range = id["place"]["range"].as_array().unwrap();
    assert_eq!(range[1].as_u64().unwrap() - range[0].as_u64().unwrap(), 18);
}

#[test]
fn nothing_of_it_is_printed_in_clear_unless_asked_for() {
    let path = case("unplanted-hidden");
    let json = |more: &[&str]| serde_json::to_string(&audit(&path, more)).unwrap();
    for printed in [terminal(&path, &["--recognise", "--all"]), json(&["--recognise"])] {
        assert!(printed.contains("110****2X"), "{printed}");
        for value in [ID, PHONE, EMAIL, "li.na%40example.com", QQ, PLANTED] {
            assert!(!printed.contains(value), "{value} in {printed}");
        }
    }
    for printed in [terminal(&path, &["--recognise", "--reveal"]), json(&["--recognise", "--reveal"])] {
        assert!([ID, PHONE, EMAIL, QQ].iter().all(|value| printed.contains(value)), "{printed}");
    }
}

#[test]
fn a_reader_learns_what_was_checked_and_what_chance_does() {
    let printed = terminal(&case("unplanted-terminal"), &["--recognise"]);
    for said in [
        "Personal data that nobody planted",
        "1 sent to api.example.test:443",
        "1 received from cdn.example.test:443",
        "139****78  json /user/phone  (shape, assigned prefix, stands alone, field name: 1 in 17 random",
        "Chinese identity numbers: strict",
    ] {
        assert!(printed.contains(said), "{said} is not in\n{printed}");
    }
}

#[test]
fn without_the_option_nothing_is_recognised() {
    let path = case("unplanted-off");
    assert_eq!(audit(&path, &[])["unplanted"], Value::Null);
    assert!(!terminal(&path, &[]).contains("nobody planted"));
}

#[test]
fn fail_on_unplanted_needs_recognise_and_counts_what_was_sent() {
    let path = case("unplanted-fail");
    let text = path.to_str().unwrap();
    let run = |more: &[&str]| dyetrace(&[&["audit", text, "--fail-on", "unplanted"], more].concat());
    assert_eq!(run(&["--recognise"]).status.code(), Some(1));
    let without = run(&[]);
    assert_eq!(without.status.code(), Some(2));
    assert!(stderr(&without).contains("add --recognise"), "{}", stderr(&without));
}

#[test]
fn the_mode_says_which_identity_numbers_count() {
    let path = case("unplanted-mode");
    let old = std::fs::read_to_string(&path).unwrap().replace(ID, "110101491001001");
    std::fs::write(&path, old).unwrap();
    let kinds = |mode: &str| {
        let audit = audit(&path, &[mode]);
        let groups = audit["unplanted"]["groups"].as_array().unwrap().clone();
        groups.iter().any(|group| group["kind"] == "id.cn")
    };
    assert!(!kinds("--recognise=strict") && kinds("--recognise=historical"));
}
