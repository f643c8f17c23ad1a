//! `dyetrace breach scan` as a responder types it: what is told of a dump, and that none of its values is.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A list of members as it is resold: account, password, mail and telephone, parted by four dashes.
fn list(name: &str) -> (PathBuf, Vec<String>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (mut text, mut values) = (String::new(), Vec::new());
    for n in 0u64..3000 {
        let phone = format!("1{}{:08}", [38, 39, 50, 77, 86][(n % 5) as usize], n * 7_654_321 % 100_000_000);
        let mail = format!("member-{n}@{}", ["example.com", "example.org"][(n % 2) as usize]);
        let password = if n % 10 == 0 { "123456".to_owned() } else { format!("own-{n}-secret") };
        let _ = writeln!(text, "member{n}----{password}----{mail}----{phone}\r");
        values.extend([phone, mail, format!("member{n}----"), format!("own-{n}-secret")]);
    }
    let path = folder.join("list.txt");
    std::fs::write(&path, text).unwrap();
    (path, values)
}

#[test]
fn a_resold_list_is_counted_and_no_value_of_it_is_told() {
    let (path, values) = list("breach-list");
    let json = dyetrace(&["breach", "scan", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(json.status.code(), Some(0), "{}", stderr(&json));
    let report: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let kinds: Vec<&str> = report["tables"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["username", "password", "email", "phone"]);
    assert_eq!(report["people"]["people"], 3000);
    assert_eq!(report["tables"][0]["columns"][3]["valid"], 3000);
    let terminal = dyetrace(&["breach", "scan", path.to_str().unwrap()]);
    for told in [stdout(&json), stderr(&json), stdout(&terminal), stderr(&terminal)] {
        assert!(values.iter().all(|value| !told.contains(value.as_str())));
    }
    assert!(stdout(&terminal).contains("People: 3,000 in 3,000 rows"), "{}", stdout(&terminal));
}

#[test]
fn a_case_gets_the_report_and_an_entry_in_its_custody_log() {
    let (path, _) = list("breach-case");
    let case = path.with_file_name("case");
    std::fs::create_dir_all(&case).unwrap();
    std::fs::write(case.join("custody.log"), "").unwrap();
    let scanned = dyetrace(&["breach", "scan", path.to_str().unwrap(), "--case", case.to_str().unwrap()]);
    assert_eq!(scanned.status.code(), Some(0), "{}", stderr(&scanned));
    assert!(case.join("report/breach.json").is_file());
    let log = std::fs::read_to_string(case.join("custody.log")).unwrap();
    assert!(log.contains("counted a dump of 1 files") && log.contains("report/breach.json"));
}

#[test]
fn a_file_that_is_no_dump_says_so() {
    let (path, _) = list("breach-none");
    std::fs::write(&path, "").unwrap();
    assert_eq!(dyetrace(&["breach", "scan", path.to_str().unwrap()]).status.code(), Some(3));
    let missing = dyetrace(&["breach", "scan", "/no/such/dump.sql"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("/no/such/dump.sql"));
}
