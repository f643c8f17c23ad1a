//! The shipped cases, and word for word what must be said about them: `expected.txt`, `expected.json`,
//! `expected-judgement.txt` and `expected-judgement.json` beside each case. `DYETRACE_BLESS=1` writes
//! them anew, for review in the diff.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(common::root().join("cases")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.join("case.yaml").is_file()).collect();
    cases.sort();
    cases
}

/// What the command says about a case, without the folder it happens to lie in, and its exit code.
fn answer(command: &str, case: &Path, format: &str) -> (String, i32) {
    let output = common::dyetrace(&[command.as_ref(), case.as_os_str(), "--format".as_ref(), format.as_ref()]);
    let code = output.status.code().unwrap();
    assert_ne!(code, 2, "{}: {}", case.display(), common::stderr(&output));
    let shown = format!("cases/{}", case.file_name().unwrap().display());
    (common::stdout(&output).replace(&case.display().to_string(), &shown), code)
}

/// Compares an answer with the file that stands beside the case.
fn check(answer: &str, file: &Path) {
    if std::env::var_os("DYETRACE_BLESS").is_some() {
        std::fs::write(file, answer).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap();
    assert!(answer == expected, "{} differs; DYETRACE_BLESS=1 writes it anew", file.display());
}

#[test]
fn every_case_gets_the_report_that_stands_beside_it() {
    let cases = cases();
    assert!(cases.len() >= 7, "the shipped cases were not found");
    for case in cases {
        for (format, file) in [("terminal", "expected.txt"), ("json", "expected.json")] {
            let (report, code) = answer("audit", &case, format);
            assert_eq!(code, 0, "{}", case.display());
            check(&report, &case.join(file));
        }
    }
}

#[test]
fn every_case_gets_the_judgement_that_stands_beside_it() {
    for case in cases() {
        check(&answer("judge", &case, "terminal").0, &case.join("expected-judgement.txt"));
        let (json, code) = answer("judge", &case, "json");
        check(&json, &case.join("expected-judgement.json"));
        let judged: Value = serde_json::from_str(&json).unwrap();
        let expected = match (&judged["counts"]["contradicted"], &judged["counts"]["not-exercised"]) {
            (none, missing) if *none == 0 => 3 * i32::from(*missing != 0),
            _ => 1,
        };
        assert_eq!(code, expected, "{}", case.display());
    }
}

/// Every story has something contradicted, something supported and something that was not exercised.
#[test]
fn every_story_shows_every_verdict() {
    for story in ["story1", "story2", "story3", "story4", "story5"] {
        let of_story = |case: &PathBuf| case.file_name().unwrap().to_str().unwrap().starts_with(story);
        let mut verdicts = BTreeSet::new();
        for case in cases().iter().filter(|case| of_story(case)) {
            let judged: Value = serde_json::from_str(&answer("judge", case, "json").0).unwrap();
            let claims = judged["claims"].as_array().unwrap().iter();
            let parts = claims.flat_map(|claim| claim["parts"].as_array().unwrap().clone());
            verdicts.extend(parts.map(|part| part["verdict"].as_str().unwrap().to_owned()));
        }
        let verdicts: Vec<&str> = verdicts.iter().map(String::as_str).collect();
        assert_eq!(verdicts, ["contradicted", "not-exercised", "supported"], "{story}");
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

#[test]
fn the_judgement_does_not_depend_on_threads_time_zone_and_language() {
    for case in cases() {
        let answer = |threads: &str, zone: &str, language: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
            command.args(["judge".as_ref(), case.as_os_str(), "--format=json".as_ref(), threads.as_ref()]);
            command.envs([("TZ", zone), ("LANG", language), ("LC_ALL", language), ("LANGUAGE", language)]);
            let output = command.env("NO_COLOR", "1").output().unwrap();
            assert!(!output.stdout.is_empty(), "{}", common::stderr(&output));
            output.stdout
        };
        let at_home = answer("--threads=1", "UTC", "C");
        assert!(at_home == answer("--threads=2", "Asia/Shanghai", "zh_CN.UTF-8"), "{}", case.display());
        assert!(at_home == answer("--threads=2", "America/St_Johns", "tr_TR.UTF-8"), "{}", case.display());
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

/// The README shows pieces of real answers: of a verdict, then of the sighting behind it.
#[test]
fn the_readme_shows_what_the_command_says() {
    let readme = std::fs::read_to_string(common::root().join("README.md")).unwrap();
    for (picture, answer) in [(1, "expected-judgement.txt"), (3, "expected.txt")] {
        let shown = readme.split("```").nth(picture).unwrap().trim_matches('\n');
        let answer = std::fs::read_to_string(common::root().join("cases/story1-wifi-password").join(answer)).unwrap();
        assert!(shown.contains("wifi.password") && answer.contains(shown), "picture {picture} is not of this answer");
    }
}
