//! Every form of a judgement's report: no planted value in any, the same whatever the surroundings, and
//! the exit codes that suppressions, a baseline and `--fail-on` lead to.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use base64::Engine as _;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FORMATS: [&str; 9] = ["terminal", "json", "html", "sarif", "junit", "markdown", "github", "csv", "csv-practices"];

fn case() -> PathBuf {
    common::root().join("cases/story1-wifi-password")
}

/// An empty folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn judge(folder: &Path, arguments: &[&str], zone: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dyetrace"));
    command.arg("judge").arg(case()).args(["--spike-records", "5"]).args(arguments);
    command.current_dir(folder).env("NO_COLOR", "1").env("TZ", zone).env("LC_ALL", "zh_CN.UTF-8").output().unwrap()
}

/// The report in every form, by name.
fn every_form(folder: &Path, zone: &str) -> BTreeMap<&'static str, String> {
    let also = FORMATS.map(|format| format!("--also={format}={format}"));
    let arguments: Vec<&str> = also.iter().map(String::as_str).collect();
    let output = judge(folder, &arguments, zone);
    assert_eq!(output.status.code(), Some(1), "{}", common::stderr(&output));
    FORMATS.map(|format| (format, std::fs::read_to_string(folder.join(format)).unwrap())).into()
}

#[test]
fn no_form_shows_a_planted_value_and_none_depends_on_where_and_when_it_is_made() {
    let here = every_form(&folder("here"), "UTC");
    let there = every_form(&folder("there"), "Asia/Shanghai");
    let subject = std::fs::read_to_string(case().join("subject.yaml")).unwrap();
    let values: Vec<&str> = subject.lines().filter_map(|line| line.trim().strip_prefix("value: ")).collect();
    assert!(values.len() > 5);
    for (format, text) in &here {
        assert_eq!(text, &there[format], "{format}");
        assert!(text.len() > 200, "{format} is empty");
        for value in values.iter().map(|value| value.trim_matches('"')) {
            let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(value);
            let hex = dyetrace_case::hex(value.as_bytes());
            for form in [value, &base64, &hex] {
                assert!(!text.to_lowercase().contains(&form.to_lowercase()), "{format} shows a planted value");
            }
        }
    }
}

#[test]
fn only_what_the_baseline_does_not_have_fails() {
    let folder = folder("baseline");
    let code = |arguments: &[&str]| judge(&folder, arguments, "UTC").status.code();
    assert_eq!(code(&["--format=sarif", "--output=before.sarif", "--also=json=before.json"]), Some(1));
    for before in ["--baseline=before.sarif", "--baseline=before.json"] {
        assert_eq!(code(&[before]), Some(3), "nothing new, and one claim can never be supported");
        assert_eq!(code(&[before, "--fail-on=new"]), Some(0));
        assert_eq!(code(&[before, "--fail-on=new,not-exercised"]), Some(1));
        assert_eq!(code(&[before, "--fail-on=contradicted"]), Some(1));
    }
    let log = std::fs::read_to_string(folder.join("before.json")).unwrap();
    let one = log.split("\"encoded\": \"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(folder.join("fewer.json"), log.replace(one, &"0".repeat(32))).unwrap();
    assert_eq!(code(&["--baseline=fewer.json"]), Some(1), "one contradiction is new");
    assert_eq!(code(&["--baseline=missing.json"]), Some(2));
    assert_eq!(code(&["--fail-on=never"]), Some(0));
}

#[test]
fn suppressions_reach_every_form_and_end_on_their_day() {
    let folder = folder("suppressions");
    let text = "suppressions:
  - { datum: wifi, reason: an update is promised, expires: 2030-01-31, who: M. Tester }
  - { claim: s1.upload-is-needed, reason: an update is promised, expires: 2030-01-31 }
  - { claim: s1.no-such-claim, reason: left over, expires: 2030-01-31 }
";
    std::fs::write(folder.join("accepted.yaml"), text).unwrap();
    let also = FORMATS.map(|format| format!("--also={format}={format}"));
    let mut arguments: Vec<&str> = also.iter().map(String::as_str).collect();
    arguments.extend(["--suppressions=accepted.yaml", "--date=2030-01-31", "--fail-on=contradicted"]);
    let output = judge(&folder, &arguments, "UTC");
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    for format in FORMATS.into_iter().filter(|format| *format != "csv-practices") {
        let text = std::fs::read_to_string(folder.join(format)).unwrap();
        assert!(text.contains("an update is promised"), "{format}");
    }
    let terminal = std::fs::read_to_string(folder.join("terminal")).unwrap();
    assert!(terminal.contains("the suppression in accepted.yaml:4 covers nothing"), "{terminal}");

    let late = judge(&folder, &["--suppressions=accepted.yaml", "--date=2030-02-01"], "UTC");
    assert_eq!(late.status.code(), Some(1));
    assert!(common::stdout(&late).contains("expired on 2030-01-31"), "{}", common::stdout(&late));
    std::fs::write(folder.join("wrong.yaml"), text.replace("reason", "raeson")).unwrap();
    let wrong = judge(&folder, &["--suppressions=wrong.yaml"], "UTC");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(common::stderr(&wrong).contains("wrong.yaml: line 2"), "{}", common::stderr(&wrong));
}

/// A name in no Unicode once ended the program after hours of reading, and put the name into what it said; and the page
/// told where on somebody's computer the case lies.
#[cfg(unix)]
#[test]
fn a_case_whose_path_is_no_unicode_is_judged_and_where_it_lies_is_not_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = folder("private folder").join(std::ffi::OsStr::from_bytes(b"my case \xff"));
    common::copy(&common::root().join("cases/story2-consent"), &path);
    for format in ["markdown", "sarif", "html"] {
        let arguments = ["judge".as_ref(), path.as_os_str(), "--spike-records=1".as_ref(), "--format".as_ref()];
        let output = common::dyetrace(&[&arguments[..], &[format.as_ref()]].concat());
        assert_eq!(output.status.code(), Some(1), "{}", common::stderr(&output));
        let written = common::stdout(&output);
        assert!(written.contains("my case "), "the command is there");
        assert!(!written.contains("private folder"), "{format}: {written}");
    }
}
