//! Marks from the command line to the report.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

mod common;

use common::{dyetrace, stderr, stdout};
use std::path::{Path, PathBuf};

/// A case of a run whose exhibit comes later.
fn case(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("evidence")).unwrap();
    let case = "format: 1\ntitle: x\nruns: [{id: first, exhibits: [evidence/trip.har]}]\n";
    std::fs::write(folder.join("case.yaml"), case).unwrap();
    std::fs::write(folder.join("subject.yaml"), "data: [{kind: phone, value: 13800000427}]\n").unwrap();
    folder
}

fn mark(case: &Path, words: &str) -> std::process::Output {
    let mut arguments = vec!["mark", case.to_str().unwrap(), "first"];
    arguments.extend(words.split(' '));
    dyetrace(&arguments)
}

fn finish(case: &Path) {
    let har = r#"{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[{
        "startedDateTime":"2026-01-31T12:00:00.000Z","time":5,
        "request":{"method":"GET","url":"https://api.example.test/","httpVersion":"HTTP/1.1","headers":[]},
        "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"content":{"size":2,"text":"ok"}}}]}}"#;
    std::fs::write(case.join("evidence/trip.har"), har).unwrap();
}

#[test]
fn a_run_is_marked_while_it_is_recorded_and_the_report_knows() {
    let case = case("marked");
    for words in [
        "phase recording-began",
        "consent given --purpose cloud",
        "planted phone",
        "--error 0.5 action log-in began --variant by-phone --condition wan-blocked",
        "action log-in ended failed",
        "action log-out ended succeeded",
    ] {
        let output = mark(&case, words);
        assert_eq!(output.status.code(), Some(0), "{words}: {}", stderr(&output));
    }
    let marks = std::fs::read_to_string(case.join("evidence/marks/first.jsonl")).unwrap();
    let fourth = marks.lines().nth(3).unwrap();
    let rest = r#","error_s":0.5,"action":"log-in","stage":"began","variant":"by-phone","conditions":["wan-blocked"]}"#;
    assert!(fourth.starts_with(r#"{"at":"20"#) && fourth.ends_with(rest), "{fourth}");
    finish(&case);
    let output = dyetrace(&["audit", case.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = stdout(&output);
    assert!(report.contains("log-out ended and no mark says that it began"), "{report}");
    assert!(!report.contains("was not read"), "{report}");
}

#[test]
fn what_is_misspelt_is_not_added_and_a_changed_marks_file_is_noticed() {
    let case = case("misspelt");
    let file = case.join("evidence/marks/first.jsonl");
    for (words, said) in [
        ("consent givn", "shown, given, refused, withdrawn"),
        ("planted phome", "names no datum of the subject: phone"),
        ("planted 13800000427", "not the name of a datum"),
        ("action Log-in began", "lower-case"),
        ("phase quiet", "quiet-began"),
    ] {
        let output = mark(&case, words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(stderr(&output).contains(said), "{words}: {}", stderr(&output));
        assert!(!stderr(&output).contains("13800000427") && !file.exists(), "{words}");
    }
    let other = dyetrace(&["mark", case.to_str().unwrap(), "frist", "consent", "given"]);
    assert!(stderr(&other).contains("the runs are first"), "{}", stderr(&other));
    assert_eq!(mark(&case, "consent given").status.code(), Some(0));
    finish(&case);
    std::fs::write(case.join("manifest-sha256.txt"), format!("{}  evidence/marks/first.jsonl\n", "ab".repeat(32)))
        .unwrap();
    let output = dyetrace(&["audit", case.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("first.jsonl is not the file its manifest lists"), "{}", stderr(&output));
}
