//! The shipped cases, and word for word what must be said about them: `expected.txt` and
//! `expected.json` beside each case. `DYETRACE_BLESS=1` writes them anew, for review in the diff.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use serde_json::Value;
use std::path::PathBuf;

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(common::root().join("cases")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.join("case.yaml").is_file()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gets_the_report_that_stands_beside_it() {
    let cases = cases();
    assert!(cases.len() >= 2, "the shipped cases were not found");
    for case in cases {
        for (format, file) in [("terminal", "expected.txt"), ("json", "expected.json")] {
            let output = common::dyetrace(&["audit".as_ref(), case.as_os_str(), "--format".as_ref(), format.as_ref()]);
            assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
            let root = case.display().to_string();
            let report =
                common::stdout(&output).replace(&root, &format!("cases/{}", case.file_name().unwrap().display()));
            let path = case.join(file);
            if std::env::var_os("DYETRACE_BLESS").is_some() {
                std::fs::write(&path, &report).unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap();
            assert_eq!(report, expected, "{} differs", path.display());
        }
    }
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    for case in cases() {
        let answer = |threads: &str| {
            let arguments = ["audit".as_ref(), case.as_os_str(), "--format=json".as_ref(), threads.as_ref()];
            common::stdout(&common::dyetrace(&arguments))
        };
        assert_eq!(answer("--threads=1"), answer("--threads=7"));
    }
}

/// Story 1 in one sentence each: as reported the password reaches the maker, as promised it does not.
#[test]
fn the_two_builds_of_the_smart_home_app_are_told_apart() {
    let got_password = |case: &str| -> Vec<String> {
        let folder = common::root().join("cases").join(case);
        let output = common::dyetrace(&["audit".as_ref(), folder.as_os_str(), "--format=json".as_ref()]);
        let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
        let recipients = audit["recipients"].as_array().unwrap().iter();
        let with_password = recipients.filter(|row| row["data"].as_array().unwrap().contains(&"wifi.password".into()));
        with_password.map(|row| row["name"].as_str().unwrap_or("the plug itself").to_owned()).collect()
    };
    let reported = got_password("story1-wifi-password");
    assert!(reported.contains(&"api.smarthome.example".to_owned()), "{reported:?}");
    let promised = got_password("story1-as-promised");
    assert!(!promised.is_empty() && promised.iter().all(|name| name == "the plug itself"), "{promised:?}");
}

/// The README shows a piece of a real answer.
#[test]
fn the_readme_shows_what_the_command_says() {
    let readme = std::fs::read_to_string(common::root().join("README.md")).unwrap();
    let shown = readme.split("```").nth(1).unwrap().trim_matches('\n');
    let answer = std::fs::read_to_string(common::root().join("cases/story1-wifi-password/expected.txt")).unwrap();
    assert!(shown.contains("wifi.password") && answer.contains(shown), "the README's picture is not of this answer");
}
